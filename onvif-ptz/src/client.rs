use std::time::Duration;

use onvif_core::media::{ConfigurationToken, ProfileToken};
use onvif_core::{Camera, Error, ErrorKind};

use crate::motion::Motion;
use crate::operations::{
    AbsoluteMove, Configuration, ConfigurationOptions, ContinuousMove, GetConfigurationOptions,
    GetConfigurations, GetNodes, GetPresets, GetStatus, GotoHomePosition, GotoPreset, Node, Preset,
    PresetToken, PtzStatus, RelativeMove, RemovePreset, SetHomePosition, SetPreset, Stop,
};
use crate::vector::{Position, Velocity};

/// Adds [`ptz`](Self::ptz) to [`Camera`].
pub trait CameraExt {
    /// Pan, tilt and zoom of the camera.
    fn ptz(&self) -> PtzClient;
}

impl CameraExt for Camera {
    fn ptz(&self) -> PtzClient {
        PtzClient::new(self)
    }
}

/// Pan, tilt and zoom of one camera (ONVIF PTZ). A profile moves when it has a PTZ configuration.
#[derive(Clone, Debug)]
pub struct PtzClient {
    camera: Camera,
}

impl PtzClient {
    /// A client for `camera`.
    pub fn new(camera: &Camera) -> Self {
        Self {
            camera: camera.clone(),
        }
    }

    /// What moves, with the spaces and their ranges.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetNodes")]
    pub async fn nodes(&self) -> Result<Vec<Node>, Error> {
        Ok(self.camera.call(&GetNodes {}).await?.nodes)
    }

    /// All PTZ configurations.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetConfigurations")]
    pub async fn configurations(&self) -> Result<Vec<Configuration>, Error> {
        Ok(self
            .camera
            .call(&GetConfigurations {})
            .await?
            .configurations)
    }

    /// The ranges of a configuration; `None` when the camera tells none.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetConfigurationOptions")]
    pub async fn configuration_options(
        &self,
        configuration: &ConfigurationToken,
    ) -> Result<Option<ConfigurationOptions>, Error> {
        let request = GetConfigurationOptions {
            configuration_token: configuration.clone(),
        };
        Ok(self.camera.call(&request).await?.options)
    }

    /// Where the camera looks and whether it moves; `None` when it does not tell.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetStatus")]
    pub async fn status(&self, profile: &ProfileToken) -> Result<Option<PtzStatus>, Error> {
        Ok(self
            .camera
            .call(&GetStatus {
                profile_token: profile.clone(),
            })
            .await?
            .status)
    }

    /// Moves to a position. Returns when the camera has accepted, not when it has arrived.
    ///
    /// # Errors
    /// [`Error::Caller`] for numbers that are none, and those of [`Camera::call`]:
    /// `InvalidPosition` when it is out of range. Ranges are in [`nodes`](Self::nodes).
    #[doc(alias = "AbsoluteMove")]
    pub async fn absolute_move(
        &self,
        profile: &ProfileToken,
        position: impl Into<Position>,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        let position = checked(position.into())?;
        self.camera
            .call(&AbsoluteMove {
                profile_token: profile.clone(),
                position,
                speed,
            })
            .await
    }

    /// Moves by a distance. Returns when the camera has accepted, not when it has arrived.
    ///
    /// # Errors
    /// As [`absolute_move`](Self::absolute_move).
    #[doc(alias = "RelativeMove")]
    pub async fn relative_move(
        &self,
        profile: &ProfileToken,
        translation: impl Into<Position>,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        let translation = checked(translation.into())?;
        self.camera
            .call(&RelativeMove {
                profile_token: profile.clone(),
                translation,
                speed,
            })
            .await
    }

    /// Moves until `duration` has passed, the [`Motion`] is stopped, or it is dropped. The time is
    /// kept here, because cameras ignore theirs or refuse it.
    ///
    /// # Errors
    /// [`Error::Caller`] for numbers that are none, and those of [`Camera::call`]. After an error
    /// of the network the camera may be moving; then it is stopped as well.
    #[doc(alias = "ContinuousMove")]
    pub async fn continuous_move(
        &self,
        profile: &ProfileToken,
        velocity: impl Into<Velocity>,
        duration: Duration,
    ) -> Result<Motion, Error> {
        let velocity = checked(velocity.into())?;
        // The guard comes first: a request that is cancelled half way may have been obeyed.
        let motion = Motion::guard(self.camera.clone(), profile.clone(), &velocity, duration);
        let limit = Duration::from_secs(duration.as_secs().saturating_add(2));
        let mut request = ContinuousMove {
            profile_token: profile.clone(),
            velocity,
            timeout: Some(limit.into()),
        };
        match self.camera.call(&request).await {
            // Bosch refuses any timeout; some cameras allow only 0 to 0.
            Err(error) if error.kind() == ErrorKind::Refused => {
                request.timeout = None;
                self.camera.call(&request).await?;
            }
            other => other?,
        }
        Ok(motion.started())
    }

    /// Stops pan, tilt and zoom.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "Stop")]
    pub async fn stop(&self, profile: &ProfileToken) -> Result<(), Error> {
        let request = Stop {
            profile_token: profile.clone(),
            pan_tilt: Some(true),
            zoom: Some(true),
        };
        self.camera.call(&request).await
    }

    /// The stored positions.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetPresets")]
    pub async fn presets(&self, profile: &ProfileToken) -> Result<Vec<Preset>, Error> {
        Ok(self
            .camera
            .call(&GetPresets {
                profile_token: profile.clone(),
            })
            .await?
            .presets)
    }

    /// Stores the current position as a new preset, or over `preset`. `None` when the camera does
    /// not tell the token.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "SetPreset")]
    pub async fn set_preset(
        &self,
        profile: &ProfileToken,
        name: Option<&str>,
        preset: Option<&PresetToken>,
    ) -> Result<Option<PresetToken>, Error> {
        let request = SetPreset {
            profile_token: profile.clone(),
            preset_name: name.map(str::to_owned),
            preset_token: preset.cloned(),
        };
        Ok(self.camera.call(&request).await?.preset_token)
    }

    /// Moves to a preset.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GotoPreset")]
    pub async fn goto_preset(
        &self,
        profile: &ProfileToken,
        preset: &PresetToken,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        let request = GotoPreset {
            profile_token: profile.clone(),
            preset_token: preset.clone(),
            speed,
        };
        self.camera.call(&request).await
    }

    /// Forgets a preset.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "RemovePreset")]
    pub async fn remove_preset(
        &self,
        profile: &ProfileToken,
        preset: &PresetToken,
    ) -> Result<(), Error> {
        let request = RemovePreset {
            profile_token: profile.clone(),
            preset_token: preset.clone(),
        };
        self.camera.call(&request).await
    }

    /// Moves home.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GotoHomePosition")]
    pub async fn goto_home(
        &self,
        profile: &ProfileToken,
        speed: Option<Position>,
    ) -> Result<(), Error> {
        self.camera
            .call(&GotoHomePosition {
                profile_token: profile.clone(),
                speed,
            })
            .await
    }

    /// Makes the current position home.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "SetHomePosition")]
    pub async fn set_home(&self, profile: &ProfileToken) -> Result<(), Error> {
        self.camera
            .call(&SetHomePosition {
                profile_token: profile.clone(),
            })
            .await
    }
}

fn checked(position: Position) -> Result<Position, Error> {
    if position.is_finite() {
        Ok(position)
    } else {
        Err(Error::Caller("a PTZ coordinate is not a number".into()))
    }
}
