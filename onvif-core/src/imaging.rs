//! Imaging: brightness, exposure, focus, white balance of a video source.

mod focus;
mod operations;
mod options;
mod preset;
mod range;
mod settings;

pub use focus::*;
pub use operations::*;
pub use options::*;
pub use preset::*;
pub use settings::*;

use crate::camera::Camera;
use crate::error::Error;
use crate::media::VideoSourceToken;
use crate::operation::OperationInfo;
use crate::operations;
pub use crate::schema::FloatRange;

/// The operations of the service that can be called: all of them.
#[inline]
pub fn operations() -> &'static [OperationInfo] {
    const {
        operations! {
            GetServiceCapabilities GetImagingSettings SetImagingSettings GetOptions GetMoveOptions Move Stop
            GetStatus GetPresets GetCurrentPreset SetCurrentPreset
        }
    }
}

/// Imaging of one camera (ONVIF Imaging).
#[derive(Clone, Copy, Debug)]
pub struct ImagingClient<'c> {
    camera: &'c Camera,
}

impl<'c> ImagingClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
    }

    /// What the service says it can do.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetServiceCapabilities")]
    pub async fn capabilities(&self) -> Result<ServiceCapabilities, Error> {
        let reply = self.camera.call(&GetServiceCapabilities {}).await?;
        Ok(reply.capabilities.unwrap_or_default())
    }

    /// The settings of a video source.
    ///
    /// # Errors
    /// Those of [`Camera::call`]; [`Error::Unsupported`] when the camera answers without settings.
    #[doc(alias = "GetImagingSettings")]
    pub async fn settings(&self, source: &VideoSourceToken) -> Result<ImagingSettings, Error> {
        let reply = self
            .camera
            .call(&GetImagingSettings {
                video_source_token: source.clone(),
            })
            .await?;
        reply.settings.ok_or_else(|| self.lacks("imaging settings"))
    }

    /// Changes settings. Only what is `Some` is sent, so start from [`settings`](Self::settings) or
    /// from `ImagingSettings::default()`.
    ///
    /// # Errors
    /// Those of [`Camera::call`]: `SettingsInvalid` when something is out of range. Ranges are in
    /// [`options`](Self::options), and [`ImagingOptions::clamp`] keeps to them.
    #[doc(alias = "SetImagingSettings")]
    pub async fn set_settings(
        &self,
        source: &VideoSourceToken,
        settings: ImagingSettings,
    ) -> Result<(), Error> {
        let request = SetImagingSettings {
            video_source_token: source.clone(),
            settings,
            force_persistence: Some(true),
        };
        self.camera.call(&request).await
    }

    /// The ranges of the settings.
    ///
    /// # Errors
    /// Those of [`Camera::call`]; [`Error::Unsupported`] when the camera answers without options.
    #[doc(alias = "GetOptions")]
    pub async fn options(&self, source: &VideoSourceToken) -> Result<ImagingOptions, Error> {
        let reply = self
            .camera
            .call(&GetOptions {
                video_source_token: source.clone(),
            })
            .await?;
        reply.options.ok_or_else(|| self.lacks("imaging options"))
    }

    /// How the focus can be moved. A lens that cannot be moved has options without any.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetMoveOptions")]
    pub async fn move_options(&self, source: &VideoSourceToken) -> Result<FocusMoveOptions, Error> {
        let request = GetMoveOptions {
            video_source_token: source.clone(),
        };
        Ok(self
            .camera
            .call(&request)
            .await?
            .options
            .unwrap_or_default())
    }

    /// Moves the focus to a position, or to the nearest the lens can take; its ranges are asked for
    /// first. A speed is sent only when the camera lets it be chosen. Returns when the camera has
    /// accepted, not when it has arrived.
    ///
    /// # Errors
    /// [`Error::Caller`] for numbers that are none, [`Error::Unsupported`] when the lens has no
    /// positions, and those of [`Camera::call`].
    #[doc(alias = "Move")]
    pub async fn focus_to(
        &self,
        source: &VideoSourceToken,
        position: f32,
        speed: Option<f32>,
    ) -> Result<(), Error> {
        let options = self.move_options(source).await?;
        let focus = options.absolute(position, speed);
        let focus = focus.ok_or_else(|| self.lacks("focus to a position"))?;
        self.move_focus(source, focus).await
    }

    /// Moves the focus by a distance, as [`focus_to`](Self::focus_to).
    ///
    /// # Errors
    /// As [`focus_to`](Self::focus_to).
    #[doc(alias = "Move")]
    pub async fn focus_by(
        &self,
        source: &VideoSourceToken,
        distance: f32,
        speed: Option<f32>,
    ) -> Result<(), Error> {
        let options = self.move_options(source).await?;
        let focus = options.relative(distance, speed);
        let focus = focus.ok_or_else(|| self.lacks("focus by a distance"))?;
        self.move_focus(source, focus).await
    }

    /// Moves the focus until [`stop_focus`](Self::stop_focus) or the end of its way, as
    /// [`focus_to`](Self::focus_to).
    ///
    /// # Errors
    /// As [`focus_to`](Self::focus_to).
    #[doc(alias = "Move")]
    pub async fn focus_with(&self, source: &VideoSourceToken, speed: f32) -> Result<(), Error> {
        let options = self.move_options(source).await?;
        let focus = options.continuous(speed);
        let focus = focus.ok_or_else(|| self.lacks("continuous focus"))?;
        self.move_focus(source, focus).await
    }

    /// Moves the focus as given.
    ///
    /// # Errors
    /// [`Error::Caller`] for numbers that are none, and those of [`Camera::call`].
    #[doc(alias = "Move")]
    pub async fn move_focus(
        &self,
        source: &VideoSourceToken,
        focus: FocusMove,
    ) -> Result<(), Error> {
        if !focus.is_finite() {
            return Err(Error::Caller("a number of the focus is none".into()));
        }
        let request = Move {
            video_source_token: source.clone(),
            focus,
        };
        self.camera.call(&request).await
    }

    /// Stops the focus.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "Stop")]
    pub async fn stop_focus(&self, source: &VideoSourceToken) -> Result<(), Error> {
        let request = Stop {
            video_source_token: source.clone(),
        };
        self.camera.call(&request).await
    }

    /// Where the focus is and whether it moves, as far as the camera tells.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetStatus")]
    pub async fn status(&self, source: &VideoSourceToken) -> Result<ImagingStatus, Error> {
        let request = GetStatus {
            video_source_token: source.clone(),
        };
        Ok(self.camera.call(&request).await?.status.unwrap_or_default())
    }

    /// The sets of settings that the camera has.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetPresets")]
    pub async fn presets(&self, source: &VideoSourceToken) -> Result<Vec<ImagingPreset>, Error> {
        let request = GetPresets {
            video_source_token: source.clone(),
        };
        Ok(self.camera.call(&request).await?.presets)
    }

    /// The preset in use; `None` when the settings are no longer those of one.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetCurrentPreset")]
    pub async fn current_preset(
        &self,
        source: &VideoSourceToken,
    ) -> Result<Option<ImagingPreset>, Error> {
        let request = GetCurrentPreset {
            video_source_token: source.clone(),
        };
        Ok(self.camera.call(&request).await?.preset)
    }

    /// Uses a preset.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "SetCurrentPreset")]
    pub async fn use_preset(
        &self,
        source: &VideoSourceToken,
        preset: &ImagingPresetToken,
    ) -> Result<(), Error> {
        let request = SetCurrentPreset {
            video_source_token: source.clone(),
            preset_token: preset.clone(),
        };
        self.camera.call(&request).await
    }

    fn lacks(&self, what: &str) -> Error {
        Error::Unsupported {
            host: self.camera.host(),
            what: what.to_owned(),
        }
    }
}
