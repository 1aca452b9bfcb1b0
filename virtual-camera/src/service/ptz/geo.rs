//! Places on earth, as directions of the head.

use super::space::generic;
use crate::motion::{PtzPosition, Vector};
use crate::soap::Fault;
use crate::xml::Node;

/// Where this camera hangs: latitude and longitude in degrees, height in metres. It looks north at pan 0.
const HERE: (f64, f64, f64) = (52.5200, 13.4050, 40.0);
const EARTH_RADIUS: f64 = 6_371_000.0;
/// Nothing farther away can be seen.
const HORIZON: f64 = 20_000.0;

/// The direction of a `GeoLocation`; the zoom stays what it is.
pub(super) fn direction(place: &Node) -> Result<Vector, Fault> {
    let number = |name| {
        place
            .attribute(name)
            .and_then(|text| text.parse::<f64>().ok())
    };
    let (Some(latitude), Some(longitude)) = (number("lat"), number("lon")) else {
        return Err(Fault::missing("lat and lon"));
    };
    let height = number("elevation").unwrap_or(HERE.2);
    let north = (latitude - HERE.0).to_radians() * EARTH_RADIUS;
    let east = (longitude - HERE.1).to_radians() * EARTH_RADIUS * HERE.0.to_radians().cos();
    let distance = north.hypot(east);
    let pan = east.atan2(north).to_degrees();
    let tilt = (height - HERE.2).atan2(distance).to_degrees();
    let (pan, tilt) = generic(pan, tilt);
    let reachable =
        distance <= HORIZON && (-1.0..=1.0).contains(&pan) && (-1.0..=1.0).contains(&tilt);
    if !reachable {
        return Err(Fault::invalid_value(
            "UnreachablePosition",
            "the place cannot be seen from here",
        ));
    }
    let seen = PtzPosition {
        pan,
        tilt,
        zoom: 0.0,
    };
    Ok(Vector {
        zoom: None,
        ..Vector::to(seen)
    })
}
