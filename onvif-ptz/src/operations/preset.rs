//! Presets: stored positions.

use onvif_core::media::ProfileToken;
use onvif_core::{operation, soap_reply, soap_token};

use crate::vector::Position;

soap_token! {
    /// Names a preset.
    pub struct PresetToken;
}

operation! {
    /// Asks for the presets.
    pub struct GetPresets in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetPresetsResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GetPresets", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetPresets`].
    pub struct GetPresetsResponse in "tptz" {
        /// The presets.
        presets: Vec<Preset> = "Preset",
    }
}

soap_reply! {
    /// A stored position.
    pub struct Preset in "tt" [
        /// Its token.
        token: PresetToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// Where it is, if the camera tells.
        position: Option<Position> = "PTZPosition",
    }
}

operation! {
    /// Stores the current position.
    pub struct SetPreset in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// Its name.
        preset_name: Option<String> = "PresetName",
        /// The preset to overwrite; a new one without it.
        preset_token: Option<PresetToken> = "PresetToken",
    } -> SetPresetResponse;
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/SetPreset", Actuate, Write
}

soap_reply! {
    /// The reply to [`SetPreset`].
    pub struct SetPresetResponse in "tptz" {
        /// The preset.
        preset_token: Option<PresetToken> = "PresetToken",
    }
}

operation! {
    /// Moves to a preset.
    pub struct GotoPreset in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The preset.
        preset_token: PresetToken = "PresetToken",
        /// How fast.
        speed: Option<Position> = "Speed",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/GotoPreset", Actuate, Write
}

operation! {
    /// Forgets a preset.
    pub struct RemovePreset in "tptz" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The preset.
        preset_token: PresetToken = "PresetToken",
    } -> ();
    Ptz, "http://www.onvif.org/ver20/ptz/wsdl/RemovePreset", Actuate, Write
}
