use onvif_core::soap_type;

use crate::space::{pan_tilt, zoom};

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

    /// Pan and tilt in degrees, for cameras that list
    /// [`POSITION_DEGREES`](crate::pan_tilt::POSITION_DEGREES).
    pub fn degrees(pan: f32, tilt: f32) -> Self {
        Self::new(pan, tilt).in_space(pan_tilt::POSITION_DEGREES)
    }

    /// A distance as parts of what the camera sees, for cameras that list
    /// [`TRANSLATION_FOV`](crate::pan_tilt::TRANSLATION_FOV).
    pub fn of_view(x: f32, y: f32) -> Self {
        Self::new(x, y).in_space(pan_tilt::TRANSLATION_FOV)
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

    /// Zoom as focal length in millimetres, for cameras that list
    /// [`POSITION_MILLIMETER`](crate::zoom::POSITION_MILLIMETER).
    pub fn millimeters(focal_length: f32) -> Self {
        Self::new(focal_length).in_space(zoom::POSITION_MILLIMETER)
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

/// A place on earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoLocation {
    /// Degrees east of Greenwich.
    pub longitude: f64,
    /// Degrees north of the equator.
    pub latitude: f64,
    /// Metres above sea level.
    pub elevation: Option<f32>,
}

onvif_core::__soap_write!(GeoLocation, "tt:GeoLocation", [
    longitude = "lon", latitude = "lat", elevation = "elevation"
] {});

impl GeoLocation {
    /// A place at sea level or where its height does not matter.
    pub fn new(latitude: f64, longitude: f64) -> Self {
        Self {
            longitude,
            latitude,
            elevation: None,
        }
    }

    /// Whether it is on earth.
    pub(crate) fn is_valid(&self) -> bool {
        (-90.0..=90.0).contains(&self.latitude)
            && (-180.0..=180.0).contains(&self.longitude)
            && self.elevation.is_none_or(f32::is_finite)
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
    fn a_place_on_earth_keeps_its_digits() {
        let place = GeoLocation::new(52.520_008, 13.404_954);
        assert_eq!(
            to_body(&place).unwrap(),
            "<tt:GeoLocation lon=\"13.404954\" lat=\"52.520008\" />"
        );
        assert!(!GeoLocation::new(91.0, 0.0).is_valid());
        assert!(!GeoLocation::new(0.0, f64::NAN).is_valid());
    }

    #[test]
    fn at_rest_keeps_axes_and_spaces() {
        let rest = Position::from(PanTilt::new(1.0, 1.0).in_space("urn:v")).at_rest();
        assert_eq!(rest, PanTilt::new(0.0, 0.0).in_space("urn:v").into());
    }
}
