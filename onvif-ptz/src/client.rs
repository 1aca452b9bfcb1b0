mod configuration;
mod preset;
mod tour;
mod travel;

pub use travel::TrackingStart;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onvif_core::media::ProfileToken;
use onvif_core::{Camera, Error, ErrorKind, Fault};
use tokio::time::Instant;

use crate::idle::{Rest, Settling, Verdict, WaitOptions};
use crate::lane::Lane;
use crate::motion::{Motion, PATIENCE, all_axes, halt};
use crate::operations::{
    ContinuousMove, GetConfigurationOptions, GetConfigurations, GetStatus, PtzStatus,
    SendAuxiliaryCommand,
};
use crate::vector::{Position, Velocity};

/// Adds [`ptz`](Self::ptz) to [`Camera`].
pub trait CameraExt {
    /// Pan, tilt and zoom of the camera. Hold on to the client: moves take turns among its clones
    /// only, and it remembers what the camera does not put up with.
    fn ptz(&self) -> PtzClient;
}

impl CameraExt for Camera {
    fn ptz(&self) -> PtzClient {
        PtzClient::new(self)
    }
}

/// Pan, tilt and zoom of one camera (ONVIF PTZ). A profile moves when it has a PTZ configuration.
///
/// Moves are sent one after the other, in the order of the calls; clones share that order.
/// [`emergency_stop`](Self::emergency_stop) overtakes all that wait.
#[derive(Clone, Debug)]
pub struct PtzClient {
    camera: Camera,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    lane: Lane,
    timeout: Mutex<Timeout>,
}

/// What the camera puts up with as the timeout of a continuous move.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Timeout {
    /// Nothing is known against any.
    #[default]
    Any,
    /// No longer one.
    AtMost(Duration),
    /// None at all.
    Never,
}

impl Timeout {
    /// The timeout to send for a move that should not last longer than `limit`.
    fn of(self, limit: Duration) -> Option<Duration> {
        match self {
            Self::Any => Some(limit),
            Self::AtMost(longest) => Some(limit.min(longest)),
            Self::Never => None,
        }
    }
}

impl PtzClient {
    /// A client for `camera`.
    pub fn new(camera: &Camera) -> Self {
        Self {
            camera: camera.clone(),
            shared: Arc::default(),
        }
    }

    /// Where the camera looks and whether it moves; `None` when it does not tell.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetStatus")]
    pub async fn status(&self, profile: &ProfileToken) -> Result<Option<PtzStatus>, Error> {
        let request = GetStatus {
            profile_token: profile.clone(),
        };
        Ok(self.camera.call(&request).await?.status)
    }

    /// Waits until the camera has come to rest. A camera that says whether it moves is believed once
    /// it was seen to say that it does; else its position is watched until it stands still.
    ///
    /// # Errors
    /// Those of [`Camera::call`], except that what may pass is asked again until the deadline.
    pub async fn wait_until_idle(
        &self,
        profile: &ProfileToken,
        options: WaitOptions,
    ) -> Result<Rest, Error> {
        let start = Instant::now();
        let mut settling = Settling::new(options.settle);
        loop {
            let answer = self.status(profile).await;
            let at = start.elapsed();
            let last = at + options.interval > options.deadline;
            match answer {
                Ok(status) => {
                    let status = status.unwrap_or_default();
                    match settling.observe(at, &status) {
                        Verdict::AtRest => return Ok(Rest::AtRest(status)),
                        Verdict::Unknown => return Ok(Rest::Unknown),
                        Verdict::Wait if last => return Ok(Rest::StillMoving(status)),
                        Verdict::Wait => {}
                    }
                }
                Err(error) if last || !error.is_transient() => return Err(error),
                Err(error) => tracing::debug!(%error, "cannot tell yet whether the camera rests"),
            }
            tokio::time::sleep(options.interval).await;
        }
    }

    /// Moves until `duration` has passed, the [`Motion`] is stopped, or it is dropped. The time is
    /// kept here, because cameras ignore theirs or refuse it; the camera gets a little more, so that
    /// it stops also when this program ends. A camera whose longest time is shorter than `duration`
    /// stops earlier.
    ///
    /// # Errors
    /// [`Error::Caller`] for numbers that are none, or when an emergency stop came first, and those
    /// of [`Camera::call`]. After an error of the network the camera may be moving; then it is
    /// stopped as well.
    #[doc(alias = "ContinuousMove")]
    pub async fn continuous_move(
        &self,
        profile: &ProfileToken,
        velocity: impl Into<Velocity>,
        duration: Duration,
    ) -> Result<Motion, Error> {
        let velocity = checked(velocity.into())?;
        let move_now = async {
            // The guard comes first: a request that is cancelled half way may have been obeyed.
            let motion = Motion::guard(self.camera.clone(), profile.clone(), &velocity, duration);
            let limit = Duration::from_secs(duration.as_secs().saturating_add(2));
            self.drive(profile, &velocity, limit).await?;
            Ok(motion.started())
        };
        self.shared.lane.take_turn(move_now).await
    }

    /// Stops pan, tilt and zoom. It does not wait for moves that wait for their turn, nor end them.
    /// Where the camera has no `Stop`, or fails it, its velocity is set to zero.
    ///
    /// # Errors
    /// Those of [`Camera::call`], when the camera does not confirm that it stopped.
    #[doc(alias = "Stop")]
    pub async fn stop(&self, profile: &ProfileToken) -> Result<(), Error> {
        halt(&self.camera, profile, &all_axes(), Duration::ZERO).await
    }

    /// Stops pan, tilt and zoom before anything else: moves that wait for their turn end with an
    /// error and are never sent, and where one is on its way to the camera, the stop is sent at once
    /// and again after it. A camera that cannot be reached is tried for a minute.
    ///
    /// # Errors
    /// When the camera confirms neither the stop nor a velocity of zero.
    pub async fn emergency_stop(&self, profile: &ProfileToken) -> Result<(), Error> {
        let axes = all_axes();
        let stop = || halt(&self.camera, profile, &axes, PATIENCE);
        self.shared.lane.overtake(stop).await
    }

    /// Runs an auxiliary command of the node, such as `tt:Wiper|On`. What the camera says to it comes
    /// back.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "SendAuxiliaryCommand")]
    pub async fn send_auxiliary(
        &self,
        profile: &ProfileToken,
        command: &str,
    ) -> Result<Option<String>, Error> {
        let request = SendAuxiliaryCommand {
            profile_token: profile.clone(),
            auxiliary_data: command.to_owned(),
        };
        Ok(self.camera.call(&request).await?.auxiliary_response)
    }

    /// Sends the move with a timeout that the camera takes: as asked, no longer than its longest, or
    /// none (Bosch refuses any; the range of some is 0 to 0).
    async fn drive(
        &self,
        profile: &ProfileToken,
        velocity: &Velocity,
        limit: Duration,
    ) -> Result<(), Error> {
        let known = self.timeout();
        let mut request = ContinuousMove {
            profile_token: profile.clone(),
            velocity: velocity.clone(),
            timeout: known.of(limit).map(Into::into),
        };
        let error = match self.camera.call(&request).await {
            Ok(()) => return Ok(()),
            Err(error) if request.timeout.is_some() && may_be_the_timeout(&error) => error,
            Err(error) => return Err(error),
        };
        let mut others = vec![Timeout::Never];
        if let Some(longest) = self.longest_timeout().await.filter(|max| *max < limit) {
            others.insert(0, Timeout::AtMost(longest));
        }
        for other in others {
            request.timeout = other.of(limit).map(Into::into);
            match self.camera.call(&request).await {
                Ok(()) => {
                    tracing::debug!(%error, timeout = ?other, "the camera takes another timeout");
                    *self
                        .shared
                        .timeout
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner) = other;
                    return Ok(());
                }
                Err(again) if !may_be_the_timeout(&again) => return Err(again),
                Err(_) => {}
            }
        }
        Err(error)
    }

    fn timeout(&self) -> Timeout {
        *self
            .shared
            .timeout
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The longest timeout that every configuration takes; `None` when none is told, or it is zero.
    async fn longest_timeout(&self) -> Option<Duration> {
        let configurations = self.camera.call(&GetConfigurations {}).await.ok()?;
        let mut longest = None;
        // A recorder has one for each channel, and they are alike.
        for configuration in configurations.configurations.into_iter().take(4) {
            let request = GetConfigurationOptions {
                configuration_token: configuration.token,
            };
            let options = self.camera.call(&request).await.ok()?.options;
            let max = options.and_then(|options| Some(options.timeout?.max?.0));
            longest = match (longest, max) {
                (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
                (a, b) => a.or(b),
            };
        }
        longest.filter(|max| !max.is_zero())
    }

    fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::Unsupported {
            host: self.camera.url().host_str().unwrap_or_default().to_owned(),
            what: what.into(),
        }
    }
}

/// Whether the timeout may be what the camera does not like: not when it names something else.
fn may_be_the_timeout(error: &Error) -> bool {
    let names_another = |fault: &Fault| {
        fault.subcodes.iter().any(|code| {
            matches!(
                code.as_str(),
                "NoProfile"
                    | "NoPTZProfile"
                    | "SpaceNotSupported"
                    | "InvalidVelocity"
                    | "PtzNotSupported"
            )
        })
    };
    error.kind() == ErrorKind::Refused && !error.fault().is_some_and(names_another)
}

fn checked(position: Position) -> Result<Position, Error> {
    if !position.is_finite() {
        return Err(Error::Caller("a PTZ coordinate is not a number".into()));
    }
    if position == Position::default() {
        return Err(Error::Caller(
            "a move needs pan and tilt, zoom, or both".into(),
        ));
    }
    Ok(position)
}
