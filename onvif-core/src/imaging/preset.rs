//! Presets: sets of settings that the camera has.

use crate::{soap_reply, soap_token};

soap_token! {
    /// Names an imaging preset.
    pub struct ImagingPresetToken;
}

soap_reply! {
    /// A set of settings that the camera has, such as one for fog.
    pub struct ImagingPreset in "timg" [
        /// Its token.
        token: ImagingPresetToken = "token",
        /// What it is for: `Custom`, `ClearWeather`, `Cloudy`, `Fog`, `Rain`, `Snowing`, `Snow`, `WDR`,
        /// `Shade`, `Night`, `Indoor`, `Fluorescent`, `Incandescent`, `Sodium`, `Sunrise`,
        /// `Sunset`, `ExtremeHot`, `ExtremeCold`, `Underwater`, `CloseUp`, `Motion`, or something
        /// else.
        kind: Option<String> = "type",
    ] {
        /// Its name.
        name: Option<String> = "Name",
    }
}
