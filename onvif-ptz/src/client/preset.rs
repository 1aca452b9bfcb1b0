//! Presets.

use onvif_core::Error;
use onvif_core::media::ProfileToken;

use super::PtzClient;
use crate::limits::Ability;
use crate::operations::{GetPresets, GotoPreset, Preset, PresetToken, RemovePreset, SetPreset};
use crate::vector::Position;

impl PtzClient {
    /// The stored positions.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
    #[doc(alias = "GetPresets")]
    pub async fn presets(&self, profile: &ProfileToken) -> Result<Vec<Preset>, Error> {
        let request = GetPresets {
            profile_token: profile.clone(),
        };
        Ok(self.camera.call(&request).await?.presets)
    }

    /// Stores the current position as a new preset, or over `preset`. `None` when the camera does
    /// not tell the token. It waits for moves that were asked for before.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the node has no presets, and those of
    /// [`Camera::call`](onvif_core::Camera::call).
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
        let result = self.act(&request).await;
        let stored = self
            .explained(result, profile, &[(true, Ability::Presets)])
            .await?;
        // Some cameras answer with nothing where a preset was overwritten.
        Ok(stored.preset_token.or_else(|| preset.cloned()))
    }

    /// Moves to a preset. Returns when the camera has accepted, not when it has arrived.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call): `NoToken` when there is no such preset.
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
        self.act(&request).await
    }

    /// Forgets a preset.
    ///
    /// # Errors
    /// Those of [`Camera::call`](onvif_core::Camera::call).
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
}
