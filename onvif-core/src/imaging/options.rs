//! Ranges of the settings.

use super::range::nearest;
use super::settings::{
    AutoManual, ExposurePriority, ImagingSettings, IrCutFilterBoundary, IrCutFilterMode, OnOff,
    OnOffAuto,
};
use crate::schema::{DurationRange, FloatRange, Words};
use crate::soap_reply;

soap_reply! {
    /// Ranges of the settings of a video source. What is `None` or empty cannot be set.
    #[derive(Default)]
    pub struct ImagingOptions in "tt" {
        /// Backlight compensation.
        backlight_compensation: Option<OnOffOptions> = "BacklightCompensation",
        /// Brightness.
        brightness: Option<FloatRange> = "Brightness",
        /// Colour saturation.
        color_saturation: Option<FloatRange> = "ColorSaturation",
        /// Contrast.
        contrast: Option<FloatRange> = "Contrast",
        /// Exposure.
        exposure: Option<ExposureOptions> = "Exposure",
        /// Focus.
        focus: Option<FocusOptions> = "Focus",
        /// Infrared cut filter.
        ir_cut_filter_modes: Vec<IrCutFilterMode> = "IrCutFilterModes",
        /// Sharpness.
        sharpness: Option<FloatRange> = "Sharpness",
        /// Wide dynamic range.
        wide_dynamic_range: Option<OnOffOptions> = "WideDynamicRange",
        /// White balance.
        white_balance: Option<WhiteBalanceOptions> = "WhiteBalance",
        /// What was added to the schema later.
        extension: Option<OptionsExtension> = "Extension",
    }
}

soap_reply! {
    /// Ranges of something that is on or off, and has a strength.
    pub struct OnOffOptions in "tt" {
        /// Modes.
        modes: Vec<OnOff> = "Mode",
        /// Strengths.
        level: Option<FloatRange> = "Level",
    }
}

soap_reply! {
    /// Ranges of exposure. Units are those of [`Exposure`](super::Exposure).
    pub struct ExposureOptions in "tt" {
        /// Modes.
        modes: Vec<AutoManual> = "Mode",
        /// Priorities.
        priorities: Vec<ExposurePriority> = "Priority",
        /// Shortest exposures.
        min_exposure_time: Option<FloatRange> = "MinExposureTime",
        /// Longest exposures.
        max_exposure_time: Option<FloatRange> = "MaxExposureTime",
        /// Smallest gains.
        min_gain: Option<FloatRange> = "MinGain",
        /// Largest gains.
        max_gain: Option<FloatRange> = "MaxGain",
        /// Smallest attenuations of the iris.
        min_iris: Option<FloatRange> = "MinIris",
        /// Largest attenuations of the iris.
        max_iris: Option<FloatRange> = "MaxIris",
        /// Exposures by hand.
        exposure_time: Option<FloatRange> = "ExposureTime",
        /// Gains by hand.
        gain: Option<FloatRange> = "Gain",
        /// Irises by hand.
        iris: Option<FloatRange> = "Iris",
    }
}

soap_reply! {
    /// Ranges of focus. Units are those of [`FocusConfiguration`](super::FocusConfiguration).
    pub struct FocusOptions in "tt" {
        /// Modes.
        auto_focus_modes: Vec<AutoManual> = "AutoFocusModes",
        /// Speeds by default.
        default_speed: Option<FloatRange> = "DefaultSpeed",
        /// Nearest distances.
        near_limit: Option<FloatRange> = "NearLimit",
        /// Farthest distances.
        far_limit: Option<FloatRange> = "FarLimit",
        /// What was added to the schema later.
        extension: Option<FocusOptionsExtension> = "Extension",
    }
}

soap_reply! {
    /// The part of [`FocusOptions`] that was added to the schema later.
    pub struct FocusOptionsExtension in "tt" {
        /// Finer modes of automatic focus.
        af_modes: Option<Words> = "AFModes",
    }
}

soap_reply! {
    /// Ranges of white balance.
    pub struct WhiteBalanceOptions in "tt" {
        /// Modes.
        modes: Vec<AutoManual> = "Mode",
        /// Gains of red.
        yr_gain: Option<FloatRange> = "YrGain",
        /// Gains of blue.
        yb_gain: Option<FloatRange> = "YbGain",
    }
}

soap_reply! {
    /// The part of [`ImagingOptions`] that was added to the schema later.
    pub struct OptionsExtension in "tt" {
        /// Image stabilisation.
        image_stabilization: Option<ImageStabilizationOptions> = "ImageStabilization",
        /// What was added later still.
        extension: Option<OptionsExtension2> = "Extension",
    }
}

soap_reply! {
    /// Ranges of image stabilisation.
    pub struct ImageStabilizationOptions in "tt" {
        /// Modes.
        modes: Vec<OnOffAuto> = "Mode",
        /// Strengths.
        level: Option<FloatRange> = "Level",
    }
}

soap_reply! {
    /// The second part of [`ImagingOptions`] that was added later.
    pub struct OptionsExtension2 in "tt" {
        /// When the infrared cut filter changes in its automatic mode.
        ir_cut_filter_auto_adjustment: Option<IrCutFilterAutoAdjustmentOptions> = "IrCutFilterAutoAdjustment",
        /// What was added later still.
        extension: Option<OptionsExtension3> = "Extension",
    }
}

soap_reply! {
    /// Ranges of when the infrared cut filter changes.
    pub struct IrCutFilterAutoAdjustmentOptions in "tt" {
        /// The changes that can be set.
        boundary_types: Vec<IrCutFilterBoundary> = "BoundaryType",
        /// Whether the brightness can be shifted.
        boundary_offset: Option<bool> = "BoundaryOffset",
        /// How long the brightness has to be beyond that.
        response_time: Option<DurationRange> = "ResponseTimeRange",
    }
}

soap_reply! {
    /// The third part of [`ImagingOptions`] that was added later.
    pub struct OptionsExtension3 in "tt" {
        /// Tone compensation.
        tone_compensation: Option<ModeAndLevelOptions> = "ToneCompensationOptions",
        /// Defogging.
        defogging: Option<ModeAndLevelOptions> = "DefoggingOptions",
        /// Noise reduction.
        noise_reduction: Option<NoiseReductionOptions> = "NoiseReductionOptions",
    }
}

soap_reply! {
    /// Modes of something, and whether its strength can be set.
    pub struct ModeAndLevelOptions in "tt" {
        /// Modes.
        modes: Vec<OnOffAuto> = "Mode",
        /// Whether the strength can be set.
        level: Option<bool> = "Level",
    }
}

soap_reply! {
    /// Whether noise reduction can be set.
    pub struct NoiseReductionOptions in "tt" {
        /// Whether the strength can be set.
        level: Option<bool> = "Level",
    }
}

impl ImagingOptions {
    /// The nearest settings that the camera takes: numbers are moved into their ranges. Modes, and
    /// numbers that have no range, stay as they are.
    pub fn clamp(&self, settings: ImagingSettings) -> ImagingSettings {
        let mut near = settings;
        fit(&mut near.brightness, self.brightness);
        fit(&mut near.color_saturation, self.color_saturation);
        fit(&mut near.contrast, self.contrast);
        fit(&mut near.sharpness, self.sharpness);
        if let (Some(wish), Some(can)) = (
            &mut near.backlight_compensation,
            &self.backlight_compensation,
        ) {
            fit(&mut wish.level, can.level);
        }
        if let (Some(wish), Some(can)) = (&mut near.wide_dynamic_range, &self.wide_dynamic_range) {
            fit(&mut wish.level, can.level);
        }
        if let (Some(wish), Some(can)) = (&mut near.white_balance, &self.white_balance) {
            fit(&mut wish.cr_gain, can.yr_gain);
            fit(&mut wish.cb_gain, can.yb_gain);
        }
        if let (Some(wish), Some(can)) = (&mut near.focus, &self.focus) {
            fit(&mut wish.default_speed, can.default_speed);
            fit(&mut wish.near_limit, can.near_limit);
            fit(&mut wish.far_limit, can.far_limit);
        }
        if let (Some(wish), Some(can)) = (&mut near.exposure, &self.exposure) {
            fit(&mut wish.min_exposure_time, can.min_exposure_time);
            fit(&mut wish.max_exposure_time, can.max_exposure_time);
            fit(&mut wish.min_gain, can.min_gain);
            fit(&mut wish.max_gain, can.max_gain);
            fit(&mut wish.min_iris, can.min_iris);
            fit(&mut wish.max_iris, can.max_iris);
            fit(&mut wish.exposure_time, can.exposure_time);
            fit(&mut wish.gain, can.gain);
            fit(&mut wish.iris, can.iris);
        }
        let stabilization = near
            .extension
            .as_mut()
            .and_then(|more| more.image_stabilization.as_mut());
        let range = self
            .extension
            .as_ref()
            .and_then(|more| more.image_stabilization.as_ref());
        if let (Some(wish), Some(can)) = (stabilization, range) {
            fit(&mut wish.level, can.level);
        }
        near
    }
}

fn fit(wish: &mut Option<f32>, range: Option<FloatRange>) {
    if let Some(value) = wish {
        *value = nearest(range, *value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Exposure;
    use super::*;

    #[test]
    fn settings_are_moved_into_their_ranges() {
        let percent = Some(FloatRange {
            min: Some(0.0),
            max: Some(100.0),
        });
        let options = ImagingOptions {
            brightness: percent,
            ..ImagingOptions::default()
        };
        let wish = ImagingSettings {
            brightness: Some(120.0),
            contrast: Some(120.0),
            exposure: Some(Exposure::default()),
            ..ImagingSettings::default()
        };
        let near = options.clamp(wish.clone());
        assert_eq!(near.brightness, Some(100.0));
        assert_eq!(
            (near.contrast, near.exposure),
            (wish.contrast, wish.exposure)
        );
    }
}
