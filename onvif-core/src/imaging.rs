//! Imaging: brightness, exposure, focus, white balance of a video source.

use crate::camera::Camera;
use crate::error::Error;
use crate::media::VideoSourceToken;
use crate::{operation, soap_enum, soap_reply, soap_type};

/// Imaging of one camera (ONVIF Imaging).
#[derive(Clone, Copy, Debug)]
pub struct ImagingClient<'c> {
    camera: &'c Camera,
}

impl<'c> ImagingClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
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
    /// Those of [`Camera::call`]. Ranges are in [`options`](Self::options).
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

    fn lacks(&self, what: &str) -> Error {
        Error::Unsupported {
            host: self.camera.host(),
            what: what.to_owned(),
        }
    }
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

soap_type! {
    /// Settings of a video source. Units are the camera's own unless stated.
    #[derive(Default)]
    pub struct ImagingSettings in "tt" {
        /// Backlight compensation.
        backlight_compensation: Option<BacklightCompensation> = "BacklightCompensation",
        /// Brightness.
        brightness: Option<f32> = "Brightness",
        /// Colour saturation.
        color_saturation: Option<f32> = "ColorSaturation",
        /// Contrast.
        contrast: Option<f32> = "Contrast",
        /// Exposure.
        exposure: Option<Exposure> = "Exposure",
        /// Focus.
        focus: Option<FocusConfiguration> = "Focus",
        /// Infrared cut filter.
        ir_cut_filter: Option<IrCutFilterMode> = "IrCutFilter",
        /// Sharpness.
        sharpness: Option<f32> = "Sharpness",
        /// Wide dynamic range.
        wide_dynamic_range: Option<WideDynamicRange> = "WideDynamicRange",
        /// White balance.
        white_balance: Option<WhiteBalance> = "WhiteBalance",
    }
}

soap_type! {
    /// Backlight compensation.
    pub struct BacklightCompensation in "tt" {
        /// On or off.
        mode: Option<OnOff> = "Mode",
        /// Strength.
        level: Option<f32> = "Level",
    }
}

soap_type! {
    /// Exposure.
    pub struct Exposure in "tt" {
        /// Automatic or by hand.
        mode: Option<AutoManual> = "Mode",
        /// Shortest exposure in microseconds.
        min_exposure_time: Option<f32> = "MinExposureTime",
        /// Longest exposure in microseconds.
        max_exposure_time: Option<f32> = "MaxExposureTime",
        /// Smallest gain in dB.
        min_gain: Option<f32> = "MinGain",
        /// Largest gain in dB.
        max_gain: Option<f32> = "MaxGain",
        /// Exposure by hand, in microseconds.
        exposure_time: Option<f32> = "ExposureTime",
        /// Gain by hand, in dB.
        gain: Option<f32> = "Gain",
        /// Iris by hand: attenuation in dB, 0 is open.
        iris: Option<f32> = "Iris",
    }
}

soap_type! {
    /// Focus.
    pub struct FocusConfiguration in "tt" {
        /// Automatic or by hand.
        auto_focus_mode: Option<AutoManual> = "AutoFocusMode",
        /// Speed of focus by default.
        default_speed: Option<f32> = "DefaultSpeed",
        /// Nearest distance in metres.
        near_limit: Option<f32> = "NearLimit",
        /// Farthest distance in metres; 0 is infinity.
        far_limit: Option<f32> = "FarLimit",
    }
}

soap_type! {
    /// Wide dynamic range.
    pub struct WideDynamicRange in "tt" {
        /// On or off.
        mode: Option<OnOff> = "Mode",
        /// Strength.
        level: Option<f32> = "Level",
    }
}

soap_type! {
    /// White balance.
    pub struct WhiteBalance in "tt" {
        /// Automatic or by hand.
        mode: Option<AutoManual> = "Mode",
        /// Gain of red.
        cr_gain: Option<f32> = "CrGain",
        /// Gain of blue.
        cb_gain: Option<f32> = "CbGain",
    }
}

soap_enum! {
    /// On or off.
    pub enum OnOff {
        /// On.
        On = "ON",
        /// Off.
        Off = "OFF",
    }
}

soap_enum! {
    /// Automatic or by hand.
    pub enum AutoManual {
        /// The camera decides.
        Auto = "AUTO",
        /// Fixed values.
        Manual = "MANUAL",
    }
}

soap_enum! {
    /// Infrared cut filter.
    pub enum IrCutFilterMode {
        /// In place: day.
        On = "ON",
        /// Removed: night.
        Off = "OFF",
        /// The camera decides.
        Auto = "AUTO",
    }
}

soap_reply! {
    /// Ranges of the settings of a video source.
    pub struct ImagingOptions in "tt" {
        /// Brightness.
        brightness: Option<FloatRange> = "Brightness",
        /// Colour saturation.
        color_saturation: Option<FloatRange> = "ColorSaturation",
        /// Contrast.
        contrast: Option<FloatRange> = "Contrast",
        /// Sharpness.
        sharpness: Option<FloatRange> = "Sharpness",
        /// Infrared cut filter.
        ir_cut_filter_modes: Vec<IrCutFilterMode> = "IrCutFilterModes",
    }
}

soap_type! {
    /// A closed range.
    #[derive(Copy)]
    pub struct FloatRange in "tt" {
        /// Smallest value.
        min: f32 = "Min",
        /// Largest value.
        max: f32 = "Max",
    }
}
