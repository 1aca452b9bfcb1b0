//! Logs, support information, and where the camera is.

use super::settings::bad_value;
use crate::service::Call;
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, TDS, TT, element};

const MAX_LOCATIONS: usize = 1;

/// A place on Earth in degrees and metres.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GeoLocation {
    longitude: f64,
    latitude: f64,
    elevation: Option<f32>,
}

pub(super) fn get_log(call: &Call<'_>) -> Result<Element, Fault> {
    let kind = call.argument("LogType")?;
    let observed = lock(&call.camera.observed);
    let text = match kind {
        "System" => format!("operations asked for: {}\n", observed.operations.len()),
        "Access" => format!(
            "credentials refused: {}\n",
            observed.authentication_failures
        ),
        other => return Err(bad_value(format!("LogType cannot be {other}"))),
    };
    let log = element(TDS, "SystemLog").leaf(TT, "String", text);
    Ok(call.response("GetSystemLogResponse").child(log))
}

pub(super) fn get_support_information(call: &Call<'_>) -> Element {
    let text = format!("serial number {}\n", call.camera.serial());
    let information = element(TDS, "SupportInformation").leaf(TT, "String", text);
    call.response("GetSystemSupportInformationResponse")
        .child(information)
}

pub(super) fn get_location(call: &Call<'_>) -> Element {
    let location = lock(&call.camera.device).location.map(|location| {
        let place = element(TT, "GeoLocation")
            .attribute("lon", location.longitude)
            .attribute("lat", location.latitude);
        let place = match location.elevation {
            Some(elevation) => place.attribute("elevation", elevation),
            None => place,
        };
        element(TDS, "Location").child(place)
    });
    call.response("GetGeoLocationResponse").children(location)
}

pub(super) fn set_location(call: &Call<'_>) -> Result<Element, Fault> {
    let mut locations = call.request.all("Location").map(read).collect::<Vec<_>>();
    if locations.len() > MAX_LOCATIONS {
        return Err(bad_value("the camera has one location"));
    }
    let location = locations.pop().ok_or_else(|| Fault::missing("Location"))?;
    lock(&call.camera.device).location = Some(location?);
    Ok(call.response("SetGeoLocationResponse"))
}

pub(super) fn delete_location(call: &Call<'_>) -> Element {
    lock(&call.camera.device).location = None;
    call.response("DeleteGeoLocationResponse")
}

fn read(location: &Node) -> Result<GeoLocation, Fault> {
    let place = location.child("GeoLocation");
    let place = place.ok_or_else(|| Fault::missing("GeoLocation"))?;
    let degrees = |name, most: f64| {
        let given = place.attribute(name).and_then(|text| text.parse().ok());
        let within = given.filter(|value: &f64| value.abs() <= most);
        within.ok_or_else(|| bad_value(format!("{name} is no angle that can be")))
    };
    Ok(GeoLocation {
        longitude: degrees("lon", 180.0)?,
        latitude: degrees("lat", 90.0)?,
        elevation: place
            .attribute("elevation")
            .and_then(|text| text.parse().ok()),
    })
}
