//! The spaces of the head: what the numbers of a request mean.

use super::super::range;
use crate::motion::{PtzPosition, Vector};
use crate::quirks::{PtzMode, Quirks};
use crate::soap::Fault;
use crate::xml::{Element, Node, TT, element};

macro_rules! uri {
    ($space:literal) => {
        concat!("http://www.onvif.org/ver10/tptz/", $space)
    };
}

/// Degrees of pan for one generic unit, and of tilt; the tilt of zero is 30 degrees up.
const PAN_DEGREES: f64 = 180.0;
const TILT_DEGREES: f64 = 60.0;
const TILT_OFFSET: f64 = 30.0;
/// What the camera sees at the wide end, in degrees, and how many times less at the other.
const FIELD: (f64, f64) = (60.0, 34.0);
const MAGNIFICATION: f64 = 20.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Generic,
    Degrees,
    FieldOfView,
}

struct Plane {
    uri: &'static str,
    unit: Unit,
    x: (f64, f64),
    y: (f64, f64),
}

/// The spaces of one kind of vector; the first plane is the default.
pub(super) struct Kind {
    pan_tilt: &'static [Plane],
    zoom: &'static str,
    zoom_min: f64,
    subcode: &'static str,
}

const ONE: (f64, f64) = (-1.0, 1.0);

pub(super) const POSITION: Kind = Kind {
    pan_tilt: &[
        Plane {
            uri: uri!("PanTiltSpaces/PositionGenericSpace"),
            unit: Unit::Generic,
            x: ONE,
            y: ONE,
        },
        Plane {
            uri: uri!("PanTiltSpaces/SphericalPositionSpaceDegrees"),
            unit: Unit::Degrees,
            x: (-PAN_DEGREES, PAN_DEGREES),
            y: (TILT_OFFSET - TILT_DEGREES, TILT_OFFSET + TILT_DEGREES),
        },
    ],
    zoom: uri!("ZoomSpaces/PositionGenericSpace"),
    zoom_min: 0.0,
    subcode: "InvalidPosition",
};

pub(super) const TRANSLATION: Kind = Kind {
    pan_tilt: &[
        Plane {
            uri: uri!("PanTiltSpaces/TranslationGenericSpace"),
            unit: Unit::Generic,
            x: ONE,
            y: ONE,
        },
        Plane {
            uri: uri!("PanTiltSpaces/TranslationSpaceFov"),
            unit: Unit::FieldOfView,
            x: ONE,
            y: ONE,
        },
    ],
    zoom: uri!("ZoomSpaces/TranslationGenericSpace"),
    zoom_min: -1.0,
    subcode: "InvalidTranslation",
};

pub(super) const VELOCITY: Kind = Kind {
    pan_tilt: &[Plane {
        uri: uri!("PanTiltSpaces/VelocityGenericSpace"),
        unit: Unit::Generic,
        x: ONE,
        y: ONE,
    }],
    zoom: uri!("ZoomSpaces/VelocityGenericSpace"),
    zoom_min: -1.0,
    subcode: "InvalidVelocity",
};

pub(super) const SPEED: Kind = Kind {
    pan_tilt: &[Plane {
        uri: uri!("PanTiltSpaces/GenericSpeedSpace"),
        unit: Unit::Generic,
        x: ONE,
        y: ONE,
    }],
    zoom: uri!("ZoomSpaces/ZoomGenericSpeedSpace"),
    zoom_min: 0.0,
    subcode: "InvalidSpeed",
};

impl Kind {
    pub(super) fn pan_tilt_uri(&self) -> &'static str {
        self.pan_tilt[0].uri
    }

    pub(super) fn zoom_uri(&self) -> &'static str {
        self.zoom
    }

    /// Reads a `PTZVector` or `PTZSpeed`, which must lie inside its space, in generic numbers. `zoom` is
    /// where the lens is: parts of the picture depend on it.
    pub(super) fn read(&self, node: &Node, zoom: f64) -> Result<Vector, Fault> {
        let mut vector = Vector::default();
        if let Some(part) = node.child("PanTilt") {
            let plane = self.plane(part.attribute("space"))?;
            let x = self.number(part, "x", plane.x)?;
            let y = self.number(part, "y", plane.y)?;
            vector.pan_tilt = Some(plane.unit.to_generic(x, y, zoom));
        }
        if let Some(part) = node.child("Zoom") {
            match part.attribute("space") {
                None | Some("") => {}
                Some(asked) if asked == self.zoom => {}
                Some(asked) => return Err(no_space(asked)),
            }
            vector.zoom = Some(self.number(part, "x", (self.zoom_min, 1.0))?);
        }
        if vector == Vector::default() {
            return Err(Fault::invalid_value(
                self.subcode,
                "the vector names no axis",
            ));
        }
        Ok(vector)
    }

    fn plane(&self, asked: Option<&str>) -> Result<&'static Plane, Fault> {
        match asked {
            None | Some("") => Ok(&self.pan_tilt[0]),
            Some(asked) => {
                let found = self.pan_tilt.iter().find(|plane| plane.uri == asked);
                found.ok_or_else(|| no_space(asked))
            }
        }
    }

    fn number(&self, part: &Node, name: &str, (min, max): (f64, f64)) -> Result<f64, Fault> {
        let value: Option<f64> = part.attribute(name).and_then(|value| value.parse().ok());
        value.filter(|v| (min..=max).contains(v)).ok_or_else(|| {
            let reason = format!("{name} of {} is outside of {min} to {max}", part.name);
            Fault::invalid_value(self.subcode, reason)
        })
    }
}

impl Unit {
    fn to_generic(self, x: f64, y: f64, zoom: f64) -> (f64, f64) {
        match self {
            Self::Generic => (x, y),
            Self::Degrees => generic(x, y),
            Self::FieldOfView => {
                let (width, height) = field_of_view(zoom);
                (
                    x * width / 2.0 / PAN_DEGREES,
                    y * height / 2.0 / TILT_DEGREES,
                )
            }
        }
    }
}

/// The generic position of a direction in degrees.
pub(super) fn generic(pan: f64, tilt: f64) -> (f64, f64) {
    (pan / PAN_DEGREES, (tilt - TILT_OFFSET) / TILT_DEGREES)
}

/// What the camera sees from left to right and from top to bottom, in degrees.
pub(super) fn field_of_view(zoom: f64) -> (f64, f64) {
    let times = 1.0 + zoom * (MAGNIFICATION - 1.0);
    (FIELD.0 / times, FIELD.1 / times)
}

fn no_space(asked: &str) -> Fault {
    let reason = format!("the space {asked} is not supported");
    Fault::invalid_value("SpaceNotSupported", reason)
}

/// All spaces that a camera with these quirks supports.
pub(super) fn spaces(name: &'static str, quirks: &Quirks) -> Element {
    let planes = |element: Element, name, kind: &Kind, mode, unit| {
        let all = kind.pan_tilt.iter();
        let supported = all.filter(|plane| plane.unit == unit && quirks.moves(mode));
        element.children(supported.map(|space| plane(name, space)))
    };
    let lines = |element: Element, name, kind: &Kind, mode| {
        let supported = quirks
            .moves(mode)
            .then(|| line(name, kind.zoom, kind.zoom_min));
        element.children(supported)
    };
    use PtzMode::{Absolute, Continuous, FieldOfView, Relative};
    let all = element(TT, name);
    let all = planes(
        all,
        "AbsolutePanTiltPositionSpace",
        &POSITION,
        Absolute,
        Unit::Generic,
    );
    let all = planes(
        all,
        "AbsolutePanTiltPositionSpace",
        &POSITION,
        Absolute,
        Unit::Degrees,
    );
    let all = lines(all, "AbsoluteZoomPositionSpace", &POSITION, Absolute);
    let all = planes(
        all,
        "RelativePanTiltTranslationSpace",
        &TRANSLATION,
        Relative,
        Unit::Generic,
    );
    let all = planes(
        all,
        "RelativePanTiltTranslationSpace",
        &TRANSLATION,
        FieldOfView,
        Unit::FieldOfView,
    );
    let all = lines(all, "RelativeZoomTranslationSpace", &TRANSLATION, Relative);
    let all = planes(
        all,
        "ContinuousPanTiltVelocitySpace",
        &VELOCITY,
        Continuous,
        Unit::Generic,
    );
    lines(all, "ContinuousZoomVelocitySpace", &VELOCITY, Continuous)
        .child(line("PanTiltSpeedSpace", SPEED.pan_tilt_uri(), 0.0))
        .child(line("ZoomSpeedSpace", SPEED.zoom, SPEED.zoom_min))
}

fn plane(name: &'static str, space: &Plane) -> Element {
    element(TT, name)
        .leaf(TT, "URI", space.uri)
        .child(range("XRange", space.x.0, space.x.1))
        .child(range("YRange", space.y.0, space.y.1))
}

fn line(name: &'static str, uri: &str, min: f64) -> Element {
    element(TT, name)
        .leaf(TT, "URI", uri)
        .child(range("XRange", min, 1))
}

/// The generic position space of pan and tilt, narrowed.
pub(super) fn position_plane(name: &'static str, x: (f64, f64), y: (f64, f64)) -> Element {
    let space = Plane {
        x,
        y,
        ..POSITION.pan_tilt[0]
    };
    plane(name, &space)
}

/// The generic position space of zoom, narrowed.
pub(super) fn position_line(name: &'static str, (min, max): (f64, f64)) -> Element {
    element(TT, name)
        .leaf(TT, "URI", POSITION.zoom)
        .child(range("XRange", min, max))
}

pub(super) fn position_element(name: &'static str, at: PtzPosition) -> Element {
    vector_element(name, (at.pan, at.tilt), at.zoom, &POSITION)
}

pub(super) fn vector_element(
    name: &'static str,
    (x, y): (f64, f64),
    zoom: f64,
    kind: &Kind,
) -> Element {
    let pan_tilt = element(TT, "PanTilt")
        .attribute("x", x)
        .attribute("y", y)
        .attribute("space", kind.pan_tilt_uri());
    let zoom = element(TT, "Zoom")
        .attribute("x", zoom)
        .attribute("space", kind.zoom);
    element(TT, name).child(pan_tilt).child(zoom)
}
