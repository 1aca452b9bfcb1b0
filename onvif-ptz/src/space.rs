//! Spaces: what the numbers of a move mean, and which the camera can do. All pure.

use onvif_core::soap_type;

use crate::vector::{PanTilt, Zoom};

/// The spaces of pan and tilt that ONVIF defines (PTZ Service Specification, "Coordinate spaces").
/// A camera may list others of its own.
pub mod pan_tilt {
    /// Positions: -1 to 1 on both axes, left to right and down to up.
    pub const POSITION_GENERIC: &str =
        "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace";
    /// Positions in degrees. Profile T requires it of clients.
    pub const POSITION_DEGREES: &str =
        "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees";
    /// Distances: -1 to 1, parts of the whole range.
    pub const TRANSLATION_GENERIC: &str =
        "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationGenericSpace";
    /// Distances as parts of what the camera sees: 1 moves by half of the picture. What tracking
    /// needs.
    pub const TRANSLATION_FOV: &str =
        "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationSpaceFov";
    /// Velocities: -1 to 1, parts of the greatest speed.
    pub const VELOCITY_GENERIC: &str =
        "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace";
    /// Velocities in degrees per second.
    pub const VELOCITY_DEGREES: &str =
        "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocitySpaceDegrees";
    /// Velocities as parts of what the camera sees, per second.
    pub const VELOCITY_FOV: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocitySpaceFOV";
    /// Speeds: 0 to 1, parts of the greatest speed.
    pub const SPEED_GENERIC: &str =
        "http://www.onvif.org/ver10/tptz/PanTiltSpaces/GenericSpeedSpace";
    /// Speeds in degrees per second.
    pub const SPEED_DEGREES: &str =
        "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SpeedSpaceDegrees";
    /// Speeds as parts of what the camera sees, per second.
    pub const SPEED_FOV: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SpeedSpaceFOV";
}

/// The spaces of zoom that ONVIF defines.
pub mod zoom {
    /// Positions: 0 (wide) to 1 (tele).
    pub const POSITION_GENERIC: &str =
        "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace";
    /// Positions as focal length in millimetres.
    pub const POSITION_MILLIMETER: &str =
        "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionSpaceMillimeter";
    /// Distances: -1 to 1, parts of the whole range.
    pub const TRANSLATION_GENERIC: &str =
        "http://www.onvif.org/ver10/tptz/ZoomSpaces/TranslationGenericSpace";
    /// Velocities: -1 (out) to 1 (in), parts of the greatest speed.
    pub const VELOCITY_GENERIC: &str =
        "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace";
    /// Speeds: 0 to 1, parts of the greatest speed.
    pub const SPEED_GENERIC: &str =
        "http://www.onvif.org/ver10/tptz/ZoomSpaces/ZoomGenericSpeedSpace";
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

impl FloatRange {
    /// The nearest value in the range. A camera that reports its bounds in the wrong order is
    /// understood.
    pub fn clamp(&self, value: f32) -> f32 {
        let (min, max) = self.ordered();
        value.max(min).min(max)
    }

    /// Whether the value is in the range.
    pub fn contains(&self, value: f32) -> bool {
        let (min, max) = self.ordered();
        (min..=max).contains(&value)
    }

    /// The values that are in both, as far as there are any.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let (a, b) = (self.ordered(), other.ordered());
        let (min, max) = (a.0.max(b.0), a.1.min(b.1));
        (min <= max).then_some(Self { min, max })
    }

    /// The value of `to` that lies where `value` lies in this range: 0 of -1 to 1 is 180 of 0 to 360.
    pub fn rescale(&self, value: f32, to: &Self) -> f32 {
        let width = self.max - self.min;
        if width == 0.0 {
            return to.min;
        }
        to.clamp(to.min + (value - self.min) / width * (to.max - to.min))
    }

    fn ordered(&self) -> (f32, f32) {
        (self.min.min(self.max), self.min.max(self.max))
    }
}

soap_type! {
    /// A space of pan and tilt.
    pub struct Space2D in "tt" {
        /// Its URI.
        uri: Option<String> = "URI",
        /// Pan.
        x: FloatRange = "XRange",
        /// Tilt.
        y: FloatRange = "YRange",
    }
}

impl Space2D {
    /// The nearest pan and tilt that the camera can do, in this space.
    pub fn clamp(&self, x: f32, y: f32) -> PanTilt {
        PanTilt {
            x: self.x.clamp(x),
            y: self.y.clamp(y),
            space: self.uri.clone(),
        }
    }

    /// Whether the camera can do this pan and tilt.
    pub fn contains(&self, pan_tilt: &PanTilt) -> bool {
        self.x.contains(pan_tilt.x) && self.y.contains(pan_tilt.y)
    }

    /// The same direction in another space of this camera, such as degrees for generic numbers. It
    /// assumes that both spaces cover the same field, as ONVIF wants of position spaces.
    pub fn convert(&self, pan_tilt: &PanTilt, to: &Self) -> PanTilt {
        PanTilt {
            x: self.x.rescale(pan_tilt.x, &to.x),
            y: self.y.rescale(pan_tilt.y, &to.y),
            space: to.uri.clone(),
        }
    }
}

soap_type! {
    /// A space of zoom.
    pub struct Space1D in "tt" {
        /// Its URI.
        uri: Option<String> = "URI",
        /// Zoom.
        x: FloatRange = "XRange",
    }
}

impl Space1D {
    /// The nearest zoom that the camera can do, in this space.
    pub fn clamp(&self, x: f32) -> Zoom {
        Zoom {
            x: self.x.clamp(x),
            space: self.uri.clone(),
        }
    }

    /// Whether the camera can do this zoom.
    pub fn contains(&self, zoom: &Zoom) -> bool {
        self.x.contains(zoom.x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees() -> Space2D {
        Space2D {
            uri: Some(pan_tilt::POSITION_DEGREES.into()),
            x: FloatRange {
                min: 0.0,
                max: 360.0,
            },
            y: FloatRange {
                min: 90.0,
                max: -10.0,
            },
        }
    }

    #[test]
    fn positions_are_clamped_to_what_the_camera_can_do() {
        assert_eq!(
            degrees().clamp(400.0, -90.0),
            PanTilt::degrees(360.0, -10.0)
        );
    }

    #[test]
    fn bounds_in_the_wrong_order_still_hold_what_is_between() {
        assert!(degrees().contains(&PanTilt::degrees(10.0, 45.0)));
        assert!(!degrees().contains(&PanTilt::degrees(10.0, -45.0)));
    }

    #[test]
    fn generic_numbers_are_converted_to_degrees_and_back() {
        let generic = Space2D {
            uri: Some(pan_tilt::POSITION_GENERIC.into()),
            x: FloatRange {
                min: -1.0,
                max: 1.0,
            },
            y: FloatRange {
                min: 1.0,
                max: -1.0,
            },
        };
        let middle = generic.convert(&PanTilt::new(0.0, 1.0), &degrees());
        assert_eq!(middle, PanTilt::degrees(180.0, 90.0));
        let back = degrees().convert(&middle, &generic);
        assert_eq!((back.x, back.y), (0.0, 1.0));
    }

    #[test]
    fn a_range_without_width_is_its_one_value() {
        let point = FloatRange { min: 0.0, max: 0.0 };
        let range = FloatRange { min: 2.0, max: 4.0 };
        assert_eq!(point.rescale(0.0, &range), 2.0);
        assert_eq!(range.intersect(&point), None);
    }
}
