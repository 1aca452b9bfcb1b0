//! Settings of a video source: every field of the schema, so that what is read can be sent back.

use crate::schema::{Rectangle, Words};
use crate::xml::IsoDuration;
use crate::{soap_enum, soap_type};

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
        /// What was added to the schema later.
        extension: Option<SettingsExtension> = "Extension",
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
    #[derive(Default)]
    pub struct Exposure in "tt" {
        /// Automatic or by hand.
        mode: Option<AutoManual> = "Mode",
        /// What automatic exposure gives up last.
        priority: Option<ExposurePriority> = "Priority",
        /// The part of the picture that is measured.
        window: Option<Rectangle> = "Window",
        /// Shortest exposure in microseconds.
        min_exposure_time: Option<f32> = "MinExposureTime",
        /// Longest exposure in microseconds.
        max_exposure_time: Option<f32> = "MaxExposureTime",
        /// Smallest gain in dB.
        min_gain: Option<f32> = "MinGain",
        /// Largest gain in dB.
        max_gain: Option<f32> = "MaxGain",
        /// Smallest attenuation of the iris in dB, 0 is open.
        min_iris: Option<f32> = "MinIris",
        /// Largest attenuation of the iris in dB.
        max_iris: Option<f32> = "MaxIris",
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
    #[derive(Default)]
    pub struct FocusConfiguration in "tt" [
        /// Finer modes: `OnceAfterMove`, or others that the options list.
        af_mode: Option<Words> = "AFMode",
    ] {
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

soap_type! {
    /// The part of [`ImagingSettings`] that was added to the schema later.
    #[derive(Default)]
    pub struct SettingsExtension in "tt" {
        /// Image stabilisation.
        image_stabilization: Option<ImageStabilization> = "ImageStabilization",
        /// What was added later still.
        extension: Option<SettingsExtension2> = "Extension",
    }
}

soap_type! {
    /// Image stabilisation.
    pub struct ImageStabilization in "tt" {
        /// On, off, or as the camera decides.
        mode: Option<OnOffAuto> = "Mode",
        /// Strength.
        level: Option<f32> = "Level",
    }
}

soap_type! {
    /// The second part of [`ImagingSettings`] that was added later.
    #[derive(Default)]
    pub struct SettingsExtension2 in "tt" {
        /// When the infrared cut filter changes in its automatic mode.
        ir_cut_filter_auto_adjustment: Vec<IrCutFilterAutoAdjustment> = "IrCutFilterAutoAdjustment",
        /// What was added later still.
        extension: Option<SettingsExtension3> = "Extension",
    }
}

soap_type! {
    /// When the infrared cut filter changes in its automatic mode.
    pub struct IrCutFilterAutoAdjustment in "tt" {
        /// The change that is meant.
        boundary_type: Option<IrCutFilterBoundary> = "BoundaryType",
        /// Shifts the brightness at which it happens: -1 (darker) to 1 (brighter).
        boundary_offset: Option<f32> = "BoundaryOffset",
        /// How long the brightness has to be beyond that.
        response_time: Option<IsoDuration> = "ResponseTime",
    }
}

soap_enum! {
    /// A change of the infrared cut filter.
    pub enum IrCutFilterBoundary {
        /// Either.
        Common = "Common",
        /// To day.
        ToOn = "ToOn",
        /// To night.
        ToOff = "ToOff",
    }
}

soap_type! {
    /// The third part of [`ImagingSettings`] that was added later.
    #[derive(Default)]
    pub struct SettingsExtension3 in "tt" {
        /// Tone compensation.
        tone_compensation: Option<ToneCompensation> = "ToneCompensation",
        /// Defogging.
        defogging: Option<Defogging> = "Defogging",
        /// Noise reduction.
        noise_reduction: Option<NoiseReduction> = "NoiseReduction",
    }
}

soap_type! {
    /// Tone compensation.
    pub struct ToneCompensation in "tt" {
        /// On, off, or as the camera decides.
        mode: Option<OnOffAuto> = "Mode",
        /// Strength, 0 to 1.
        level: Option<f32> = "Level",
    }
}

soap_type! {
    /// Defogging.
    pub struct Defogging in "tt" {
        /// On, off, or as the camera decides.
        mode: Option<OnOffAuto> = "Mode",
        /// Strength, 0 to 1.
        level: Option<f32> = "Level",
    }
}

soap_type! {
    /// Noise reduction.
    pub struct NoiseReduction in "tt" {
        /// Strength, 0 to 1.
        level: Option<f32> = "Level",
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
    /// On, off, or as the camera decides.
    pub enum OnOffAuto {
        /// On.
        On = "ON",
        /// Off.
        Off = "OFF",
        /// The camera decides.
        Auto = "AUTO",
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
    /// What automatic exposure gives up last.
    pub enum ExposurePriority {
        /// Little noise: the frame rate may fall.
        LowNoise = "LowNoise",
        /// The frame rate: noise may rise.
        FrameRate = "FrameRate",
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::xml::{Decode, Reader, to_body};

    #[test]
    fn settings_are_sent_back_without_loss() {
        let level = Some(0.5);
        let settings = ImagingSettings {
            brightness: Some(50.0),
            exposure: Some(Exposure {
                mode: Some(AutoManual::Auto),
                priority: Some(ExposurePriority::LowNoise),
                window: Some(Rectangle {
                    bottom: Some(-1.0),
                    top: Some(1.0),
                    right: level,
                    left: Some(-0.5),
                }),
                max_iris: Some(20.0),
                ..Exposure::default()
            }),
            focus: Some(FocusConfiguration {
                af_mode: Some(Words(vec!["OnceAfterMove".into()])),
                auto_focus_mode: Some(AutoManual::Auto),
                ..FocusConfiguration::default()
            }),
            extension: Some(SettingsExtension {
                image_stabilization: Some(ImageStabilization {
                    mode: Some(OnOffAuto::Auto),
                    level,
                }),
                extension: Some(SettingsExtension2 {
                    ir_cut_filter_auto_adjustment: vec![IrCutFilterAutoAdjustment {
                        boundary_type: Some(IrCutFilterBoundary::ToOn),
                        boundary_offset: level,
                        response_time: Some(Duration::from_secs(30).into()),
                    }],
                    extension: Some(SettingsExtension3 {
                        noise_reduction: Some(NoiseReduction { level }),
                        ..SettingsExtension3::default()
                    }),
                }),
            }),
            ..ImagingSettings::default()
        };
        let body = to_body(&settings).unwrap();
        let mut reader = Reader::new(&body).unwrap();
        let read = ImagingSettings::decode(&mut reader.root().unwrap());
        assert_eq!(read, Ok(settings));
    }
}
