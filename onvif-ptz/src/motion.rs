use std::time::Duration;

use onvif_core::media::ProfileToken;
use onvif_core::{Camera, Error, ErrorKind};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::idle::claim;
use crate::operations::{ContinuousMove, GetStatus, Stop};
use crate::vector::{PanTilt, Velocity, Zoom};

/// A stop that the camera refuses is tried this often: a camera that keeps turning is worse than a
/// few requests.
const ATTEMPTS: u32 = 3;
/// A stop that does not reach the camera is tried for so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);
/// How often a camera that took a velocity of zero may still say that it moves: it needs time to come
/// to rest.
const LOOKS: u32 = 5;

/// A continuous move. It stops when its time has passed, when [`stop`](Self::stop) is called, and
/// when it is dropped.
///
/// A stop ends whatever moves the camera by then. To change the direction, stop this motion before
/// the next is asked for: `motion = ptz.continuous_move(…)` drops, and so stops, the old one after the
/// new one has started.
#[derive(Debug)]
#[must_use = "dropping a motion stops it"]
pub struct Motion {
    /// Starts the time.
    arm: Option<oneshot::Sender<()>>,
    /// Dropping it wakes the task.
    stop: oneshot::Sender<()>,
    stopping: JoinHandle<Result<(), Error>>,
}

impl Motion {
    /// A guard for a move that is about to be asked for.
    pub(crate) fn guard(
        camera: Camera,
        profile: ProfileToken,
        velocity: &Velocity,
        duration: Duration,
    ) -> Self {
        let (arm, armed) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let rest = velocity.at_rest();
        let stopping = tokio::spawn(async move {
            if armed.await.is_ok() {
                // Either way out is a reason to stop.
                let _ = tokio::time::timeout(duration, stopped).await;
            }
            halt(&camera, &profile, &rest, PATIENCE).await
        });
        Self {
            arm: Some(arm),
            stop,
            stopping,
        }
    }

    /// The camera moves: the time starts.
    pub(crate) fn started(mut self) -> Self {
        if let Some(arm) = self.arm.take() {
            // Fails only when the task is gone, and the runtime with it.
            let _ = arm.send(());
        }
        self
    }

    /// Stops now, and returns when the camera has confirmed it. A camera that cannot be reached is
    /// tried for a minute.
    ///
    /// # Errors
    /// When the camera confirms neither the stop nor a velocity of zero.
    pub async fn stop(self) -> Result<(), Error> {
        drop(self.stop);
        join(self.stopping).await
    }

    /// Waits until the time has passed and the camera has confirmed the stop.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub async fn finished(self) -> Result<(), Error> {
        let Self {
            arm: _arm,
            stop: _stop,
            stopping,
        } = self;
        join(stopping).await
    }
}

async fn join(task: JoinHandle<Result<(), Error>>) -> Result<(), Error> {
    task.await.unwrap_or_else(|error| {
        Err(Error::Caller(format!(
            "the runtime ended before the motion did: {error}"
        )))
    })
}

/// Every axis, without velocity.
pub(crate) fn all_axes() -> Velocity {
    Velocity::pan_tilt(0.0, 0.0).and_zoom(Zoom::new(0.0))
}

/// Stops the axes of `rest`; where the camera has no `Stop`, or fails it, with a velocity of zero. A
/// camera that cannot be reached is tried until `patience` has passed.
pub(crate) async fn halt(
    camera: &Camera,
    profile: &ProfileToken,
    rest: &Velocity,
    patience: Duration,
) -> Result<(), Error> {
    let stop = Stop {
        profile_token: profile.clone(),
        pan_tilt: Some(rest.pan_tilt.is_some()),
        zoom: Some(rest.zoom.is_some()),
    };
    let give_up = Instant::now() + patience;
    let mut refusals = 0;
    loop {
        let error = match camera.call(&stop).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let hopeless = match error.kind() {
            ErrorKind::Network => Instant::now() >= give_up,
            ErrorKind::Unauthorized => true,
            // Nothing moves by a profile that does not exist.
            _ if names_no_profile(&error) => true,
            _ if rests(camera, profile, rest).await => {
                tracing::debug!(%error, "the camera does not stop on request; its velocity was set to zero");
                return Ok(());
            }
            _ => {
                refusals += 1;
                refusals == ATTEMPTS
            }
        };
        if hopeless {
            tracing::warn!(%error, "the camera did not confirm that it stopped moving");
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn names_no_profile(error: &Error) -> bool {
    let fault = error.fault();
    fault.is_some_and(|fault| {
        fault
            .subcodes
            .iter()
            .any(|code| code.as_str() == "NoProfile")
    })
}

/// Whether the camera has taken a velocity of zero, and does not say that it moves on: firmware that
/// lacks `Stop` (Cohu, baby monitors) has been seen to accept the velocity and go on.
async fn rests(camera: &Camera, profile: &ProfileToken, rest: &Velocity) -> bool {
    let mut taken = false;
    for velocity in parts(rest) {
        let request = ContinuousMove {
            profile_token: profile.clone(),
            velocity,
            timeout: None,
        };
        taken |= camera.call(&request).await.is_ok();
        if taken && request.velocity == *rest {
            break;
        }
    }
    if !taken {
        return false;
    }
    let look = GetStatus {
        profile_token: profile.clone(),
    };
    for _ in 0..LOOKS {
        let status = camera.call(&look).await.ok().and_then(|reply| reply.status);
        if status.as_ref().and_then(claim) != Some(true) {
            return true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    false
}

/// All axes at once, and each alone for cameras that have only one of them.
fn parts(rest: &Velocity) -> Vec<Velocity> {
    let mut parts = vec![rest.clone()];
    if let (Some(pan_tilt), Some(zoom)) = (&rest.pan_tilt, &rest.zoom) {
        parts.push(PanTilt::into(pan_tilt.clone()));
        parts.push(Zoom::into(zoom.clone()));
    }
    parts
}
