use onvif_core::soap_reply;
use onvif_core::soap_type;

soap_type! {
    /// Pan and tilt: a position, a distance, a velocity or a speed, by its space.
    pub struct PanTilt in "tt" [
        /// Pan. In generic spaces -1 to 1: left to right.
        x: f32 = "x",
        /// Tilt. In generic spaces -1 to 1: down to up.
        y: f32 = "y",
        /// The URI of the space; without it, the camera's default.
        space: Option<String> = "space",
    ] {}
}

soap_type! {
    /// Zoom: a position, a distance, a velocity or a speed, by its space.
    pub struct Zoom in "tt" [
        /// In generic position spaces 0 (wide) to 1 (tele); in others -1 to 1.
        x: f32 = "x",
        /// The URI of the space; without it, the camera's default.
        space: Option<String> = "space",
    ] {}
}

soap_type! {
    /// Pan and tilt, zoom, or both: what is `None` does not move.
    #[derive(Default)]
    pub struct Position in "tt" {
        /// Pan and tilt.
        pan_tilt: Option<PanTilt> = "PanTilt",
        /// Zoom.
        zoom: Option<Zoom> = "Zoom",
    }
}

/// A velocity has the shape of a position: fractions of the greatest speed, with direction.
pub type Velocity = Position;

impl PanTilt {
    /// Pan and tilt in the camera's default space.
    pub fn new(x: f32, y: f32) -> Self {
        Self { x, y, space: None }
    }

    /// The same in another space, such as degrees.
    #[must_use]
    pub fn in_space(mut self, uri: impl Into<String>) -> Self {
        self.space = Some(uri.into());
        self
    }
}

impl Zoom {
    /// Zoom in the camera's default space.
    pub fn new(x: f32) -> Self {
        Self { x, space: None }
    }

    /// The same in another space.
    #[must_use]
    pub fn in_space(mut self, uri: impl Into<String>) -> Self {
        self.space = Some(uri.into());
        self
    }
}

impl Position {
    /// Pan and tilt without zoom, in the default space.
    pub fn pan_tilt(x: f32, y: f32) -> Self {
        PanTilt::new(x, y).into()
    }

    /// Zoom alone, in the default space.
    pub fn zoom(x: f32) -> Self {
        Zoom::new(x).into()
    }

    /// The same with zoom.
    #[must_use]
    pub fn and_zoom(mut self, zoom: Zoom) -> Self {
        self.zoom = Some(zoom);
        self
    }

    /// The same axes and spaces with no velocity.
    pub(crate) fn at_rest(&self) -> Self {
        Self {
            pan_tilt: self.pan_tilt.as_ref().map(|pan_tilt| PanTilt {
                x: 0.0,
                y: 0.0,
                ..pan_tilt.clone()
            }),
            zoom: self.zoom.as_ref().map(|zoom| Zoom {
                x: 0.0,
                ..zoom.clone()
            }),
        }
    }

    /// Whether every number is one.
    pub(crate) fn is_finite(&self) -> bool {
        self.pan_tilt
            .as_ref()
            .is_none_or(|pan_tilt| pan_tilt.x.is_finite() && pan_tilt.y.is_finite())
            && self.zoom.as_ref().is_none_or(|zoom| zoom.x.is_finite())
    }
}

impl From<PanTilt> for Position {
    fn from(pan_tilt: PanTilt) -> Self {
        Self {
            pan_tilt: Some(pan_tilt),
            zoom: None,
        }
    }
}

impl From<Zoom> for Position {
    fn from(zoom: Zoom) -> Self {
        Self {
            pan_tilt: None,
            zoom: Some(zoom),
        }
    }
}

soap_reply! {
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
        let (min, max) = if self.min <= self.max {
            (self.min, self.max)
        } else {
            (self.max, self.min)
        };
        value.clamp(min, max)
    }
}

soap_reply! {
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
}

soap_reply! {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use onvif_core::xml::to_body;

    #[test]
    fn zoom_alone_sends_no_pan_and_tilt() {
        assert_eq!(
            to_body(&Position::zoom(0.5)).unwrap(),
            "<tt:Position><tt:Zoom x=\"0.5\" /></tt:Position>"
        );
    }

    #[test]
    fn a_space_is_sent_as_an_attribute() {
        let degrees = PanTilt::new(180.0, -45.5).in_space("urn:degrees");
        assert_eq!(
            to_body(&degrees).unwrap(),
            "<tt:PanTilt x=\"180\" y=\"-45.5\" space=\"urn:degrees\" />"
        );
    }

    #[test]
    fn positions_are_clamped_to_what_the_camera_can_do() {
        let space = Space2D {
            uri: Some("urn:degrees".into()),
            x: FloatRange {
                min: 0.0,
                max: 360.0,
            },
            y: FloatRange {
                min: 90.0,
                max: -15.0,
            },
        };
        assert_eq!(
            space.clamp(400.0, -90.0),
            PanTilt::new(360.0, -15.0).in_space("urn:degrees")
        );
    }

    #[test]
    fn at_rest_keeps_axes_and_spaces() {
        let rest = Position::from(PanTilt::new(1.0, 1.0).in_space("urn:v")).at_rest();
        assert_eq!(rest, PanTilt::new(0.0, 0.0).in_space("urn:v").into());
    }
}
