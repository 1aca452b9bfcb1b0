use std::time::Duration;

use onvif_core::media::ProfileToken;
use onvif_core::{Camera, Error, ErrorKind};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::operations::{ContinuousMove, Stop};
use crate::vector::Velocity;

/// A stop is tried this often: a camera that keeps turning is worse than a few requests.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// A continuous move. It stops when its time has passed, when [`stop`](Self::stop) is called, and
/// when it is dropped.
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
        let velocity = velocity.clone();
        let stopping = tokio::spawn(async move {
            if armed.await.is_ok() {
                // Either way out is a reason to stop.
                let _ = tokio::time::timeout(duration, stopped).await;
            }
            halt(&camera, &profile, &velocity).await
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

    /// Stops now, and returns when the camera has confirmed it.
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

/// Stops; where the camera has no `Stop`, or fails it, with a velocity of zero.
async fn halt(camera: &Camera, profile: &ProfileToken, velocity: &Velocity) -> Result<(), Error> {
    let stop = Stop {
        profile_token: profile.clone(),
        pan_tilt: Some(velocity.pan_tilt.is_some()),
        zoom: Some(velocity.zoom.is_some()),
    };
    let rest = ContinuousMove {
        profile_token: profile.clone(),
        velocity: velocity.at_rest(),
        timeout: None,
    };
    let mut attempt = 1;
    loop {
        let error = match camera.call(&stop).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let answered = !matches!(error.kind(), ErrorKind::Network | ErrorKind::Unauthorized);
        if answered && camera.call(&rest).await.is_ok() {
            tracing::debug!(%error, "the camera does not stop on request; its velocity was set to zero");
            return Ok(());
        }
        if attempt == ATTEMPTS || error.kind() == ErrorKind::Unauthorized {
            tracing::warn!(%error, "the camera did not confirm that it stopped moving");
            return Err(error);
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}
