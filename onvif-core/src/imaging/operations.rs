//! The operations of the service.

use super::focus::{FocusMove, FocusMoveOptions, ImagingStatus};
use super::options::ImagingOptions;
use super::preset::{ImagingPreset, ImagingPresetToken};
use super::settings::ImagingSettings;
use crate::media::VideoSourceToken;
use crate::{operation, soap_reply};

operation! {
    /// Asks what the imaging service can do.
    pub struct GetServiceCapabilities in "timg" {} -> GetServiceCapabilitiesResponse;
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/GetServiceCapabilities", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServiceCapabilities`].
    pub struct GetServiceCapabilitiesResponse in "timg" {
        /// What it can do.
        capabilities: Option<ServiceCapabilities> = "Capabilities",
    }
}

soap_reply! {
    /// What the imaging service can do, as it says; `None` where it says nothing.
    #[derive(Default)]
    pub struct ServiceCapabilities in "timg" [
        /// Whether the picture can be stabilised.
        image_stabilization: Option<bool> = "ImageStabilization",
        /// Whether there are presets.
        presets: Option<bool> = "Presets",
        /// Whether changed settings become part of the current preset.
        adaptable_preset: Option<bool> = "AdaptablePreset",
    ] {}
}

operation! {
    /// Asks for the settings of a video source.
    pub struct GetImagingSettings in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> GetImagingSettingsResponse;
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/GetImagingSettings", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetImagingSettings`].
    pub struct GetImagingSettingsResponse in "timg" {
        /// The settings.
        settings: Option<ImagingSettings> = "ImagingSettings",
    }
}

operation! {
    /// Changes settings of a video source.
    pub struct SetImagingSettings in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
        /// What to change.
        settings: ImagingSettings = "ImagingSettings",
        /// Whether the change survives a restart.
        force_persistence: Option<bool> = "ForcePersistence",
    } -> ();
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/SetImagingSettings", Actuate, Write
}

operation! {
    /// Asks for the ranges of the settings.
    pub struct GetOptions in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> GetOptionsResponse;
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/GetOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetOptions`].
    pub struct GetOptionsResponse in "timg" {
        /// The ranges.
        options: Option<ImagingOptions> = "ImagingOptions",
    }
}

operation! {
    /// Moves the focus.
    pub struct Move in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
        /// How.
        focus: FocusMove = "Focus",
    } -> ();
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/Move", Actuate, Write
}

operation! {
    /// Asks how the focus can be moved.
    pub struct GetMoveOptions in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> GetMoveOptionsResponse;
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/GetMoveOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetMoveOptions`].
    pub struct GetMoveOptionsResponse in "timg" {
        /// How it can be moved.
        options: Option<FocusMoveOptions> = "MoveOptions",
    }
}

operation! {
    /// Stops the focus.
    pub struct Stop in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> ();
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/FocusStop", Actuate, Write
}

operation! {
    /// Asks where the focus is and whether it moves.
    pub struct GetStatus in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> GetStatusResponse;
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/GetStatus", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetStatus`].
    pub struct GetStatusResponse in "timg" {
        /// The status.
        status: Option<ImagingStatus> = "Status",
    }
}

operation! {
    /// Asks for the presets of a video source.
    pub struct GetPresets in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> GetPresetsResponse;
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/GetPresets", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetPresets`].
    pub struct GetPresetsResponse in "timg" {
        /// The presets.
        presets: Vec<ImagingPreset> = "Preset",
    }
}

operation! {
    /// Asks for the preset that a video source uses.
    pub struct GetCurrentPreset in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
    } -> GetCurrentPresetResponse;
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/GetCurrentPreset", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCurrentPreset`].
    pub struct GetCurrentPresetResponse in "timg" {
        /// The preset; `None` when the settings are no longer those of one.
        preset: Option<ImagingPreset> = "Preset",
    }
}

operation! {
    /// Uses a preset.
    pub struct SetCurrentPreset in "timg" {
        /// The video source.
        video_source_token: VideoSourceToken = "VideoSourceToken",
        /// The preset.
        preset_token: ImagingPresetToken = "PresetToken",
    } -> ();
    Imaging, "http://www.onvif.org/ver20/imaging/wsdl/SetCurrentPreset", Actuate, Write
}
