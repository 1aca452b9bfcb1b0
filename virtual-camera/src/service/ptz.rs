//! The PTZ service (`ver20/ptz/wsdl`).

use std::time::{Duration, Instant};

use super::profiles::{PROFILES, requested};
use super::{Call, flags, range};
use crate::clock::{read_duration, write_timestamp};
use crate::motion::{PtzPosition, Vector};
use crate::soap::Fault;
use crate::state::{Preset, lock};
use crate::xml::{Element, Node, Ns, TER, TPTZ, TT, element};

const NODE: &str = "ptz_node";
const CONFIGURATION: &str = "ptz_config";
const MAX_PRESETS: usize = 32;
const MAX_NAME: usize = 64;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// The generic spaces: name of the kind, pan/tilt URI, zoom URI.
struct Space {
    pan_tilt: &'static str,
    zoom: &'static str,
    /// Lowest value of zoom; everything else starts at -1, and all end at 1.
    zoom_min: i32,
    subcode: &'static str,
}

const POSITION: Space = Space {
    pan_tilt: "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace",
    zoom: "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace",
    zoom_min: 0,
    subcode: "InvalidPosition",
};
const TRANSLATION: Space = Space {
    pan_tilt: "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationGenericSpace",
    zoom: "http://www.onvif.org/ver10/tptz/ZoomSpaces/TranslationGenericSpace",
    zoom_min: -1,
    subcode: "InvalidTranslation",
};
const VELOCITY: Space = Space {
    pan_tilt: "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace",
    zoom: "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace",
    zoom_min: -1,
    subcode: "InvalidVelocity",
};
const SPEED: Space = Space {
    pan_tilt: "http://www.onvif.org/ver10/tptz/PanTiltSpaces/GenericSpeedSpace",
    zoom: "http://www.onvif.org/ver10/tptz/ZoomSpaces/ZoomGenericSpeedSpace",
    zoom_min: 0,
    subcode: "InvalidSpeed",
};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    Ok(match operation {
        "GetNodes" => call.response("GetNodesResponse").child(node()),
        "GetNode" => {
            expect(call, "NodeToken", NODE, "NoEntity")?;
            call.response("GetNodeResponse").child(node())
        }
        "GetConfigurations" => call
            .response("GetConfigurationsResponse")
            .child(configuration(TPTZ, "PTZConfiguration")),
        "GetCompatibleConfigurations" => {
            requested(call)?;
            call.response("GetCompatibleConfigurationsResponse")
                .child(configuration(TPTZ, "PTZConfiguration"))
        }
        "GetConfiguration" => {
            expect(call, "PTZConfigurationToken", CONFIGURATION, "NoConfig")?;
            call.response("GetConfigurationResponse")
                .child(configuration(TPTZ, "PTZConfiguration"))
        }
        "GetConfigurationOptions" => {
            expect(call, "ConfigurationToken", CONFIGURATION, "NoConfig")?;
            call.response("GetConfigurationOptionsResponse").child(
                element(TPTZ, "PTZConfigurationOptions")
                    .child(spaces("Spaces"))
                    .child(range(
                        "PTZTimeout",
                        "PT0S",
                        format_args!("PT{}S", MAX_TIMEOUT.as_secs()),
                    )),
            )
        }
        _ => return answer_profile(call, operation),
    })
}

/// The operations that act on the head of a profile.
fn answer_profile(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    let response = match operation {
        "GetStatus" => call.response("GetStatusResponse"),
        "AbsoluteMove" => call.response("AbsoluteMoveResponse"),
        "RelativeMove" => call.response("RelativeMoveResponse"),
        "ContinuousMove" => call.response("ContinuousMoveResponse"),
        "Stop" => call.response("StopResponse"),
        "GetPresets" => call.response("GetPresetsResponse"),
        "SetPreset" => call.response("SetPresetResponse"),
        "GotoPreset" => call.response("GotoPresetResponse"),
        "RemovePreset" => call.response("RemovePresetResponse"),
        "GotoHomePosition" => call.response("GotoHomePositionResponse"),
        "SetHomePosition" => call.response("SetHomePositionResponse"),
        _ => return Err(Fault::not_supported(operation)),
    };
    requested(call)?;
    let speed = match call.request.child("Speed") {
        Some(speed) => vector(speed, &SPEED)?,
        None => Vector::default(),
    };
    let now = Instant::now();
    let mut ptz = lock(&call.camera.ptz);
    match operation {
        "GetStatus" => {
            let position = ptz.head.position(now);
            let (pan_tilt, zoom) = ptz.head.moving(now);
            let time = write_timestamp(lock(&call.camera.clock).now());
            return Ok(response.child(status(position, pan_tilt, zoom, time)));
        }
        "AbsoluteMove" => {
            let target = vector(required(call, "Position")?, &POSITION)?;
            ptz.head.travel_to(now, target, speed);
        }
        "RelativeMove" => {
            let offset = vector(required(call, "Translation")?, &TRANSLATION)?;
            ptz.head.travel_by(now, offset, speed);
        }
        "ContinuousMove" => {
            let velocity = vector(required(call, "Velocity")?, &VELOCITY)?;
            ptz.head.drive(now, velocity, timeout(call)?);
        }
        "Stop" => {
            // Both stop where neither is named; a named one says for itself.
            let asked = |name| call.request.text_of(name).map(|v| v == "true" || v == "1");
            let (pan_tilt, zoom) = (asked("PanTilt"), asked("Zoom"));
            ptz.head
                .stop(now, pan_tilt.unwrap_or(true), zoom.unwrap_or(true));
        }
        "GetPresets" => {
            let presets = ptz.presets.iter().map(|(token, preset)| {
                element(TPTZ, "Preset")
                    .attribute("token", token)
                    .leaf(TT, "Name", &preset.name)
                    .child(position_element("PTZPosition", preset.position))
            });
            return Ok(response.children(presets));
        }
        "SetPreset" => {
            let position = ptz.head.position(now);
            let token = match call.request.text_of("PresetToken") {
                Some(token) if ptz.presets.contains_key(token) => token.to_owned(),
                Some(token) => return Err(no_preset(token)),
                None if ptz.presets.len() >= MAX_PRESETS => {
                    let subcodes = [(TER, "Action"), (TER, "TooManyPresets")];
                    return Err(Fault::receiver(&subcodes, "there is no room for a preset"));
                }
                None => (1..=MAX_PRESETS)
                    .map(|number| format!("preset_{number}"))
                    .find(|token| !ptz.presets.contains_key(token))
                    .unwrap_or_default(),
            };
            let before = ptz.presets.get(&token).map(|preset| preset.name.clone());
            let name = call.request.text_of("PresetName").map(str::to_owned);
            let name = name.or(before).unwrap_or_else(|| token.clone());
            if name.chars().count() > MAX_NAME {
                return Err(Fault::invalid_value(
                    "InvalidPresetName",
                    "the name is too long",
                ));
            }
            let taken =
                |(other, preset): (&String, &Preset)| *other != token && preset.name == name;
            if ptz.presets.iter().any(taken) {
                return Err(Fault::invalid_value("PresetExist", "the name is taken"));
            }
            let response = response.leaf(TPTZ, "PresetToken", &token);
            ptz.presets.insert(token, Preset { name, position });
            return Ok(response);
        }
        "GotoPreset" => {
            let token = call.argument("PresetToken")?;
            let preset = ptz.presets.get(token).ok_or_else(|| no_preset(token))?;
            let target = target(preset.position);
            ptz.head.travel_to(now, target, speed);
        }
        "RemovePreset" => {
            let token = call.argument("PresetToken")?;
            ptz.presets.remove(token).ok_or_else(|| no_preset(token))?;
        }
        "GotoHomePosition" => {
            let home = target(ptz.home);
            ptz.head.travel_to(now, home, speed);
        }
        _ => ptz.home = ptz.head.position(now),
    }
    Ok(response)
}

pub(super) fn capabilities() -> Element {
    flags(
        TPTZ,
        "Capabilities",
        &[
            ("EFlip", false),
            ("Reverse", false),
            ("GetCompatibleConfigurations", true),
            ("MoveStatus", true),
            ("StatusPosition", true),
        ],
    )
}

/// The one PTZ configuration, as the Media services show it too.
pub(super) fn configuration(ns: Ns, name: &'static str) -> Element {
    element(ns, name)
        .attribute("token", CONFIGURATION)
        .leaf(TT, "Name", "PTZ")
        .leaf(TT, "UseCount", PROFILES.len())
        .leaf(TT, "NodeToken", NODE)
        // The schema's own spelling.
        .leaf(
            TT,
            "DefaultAbsolutePantTiltPositionSpace",
            POSITION.pan_tilt,
        )
        .leaf(TT, "DefaultAbsoluteZoomPositionSpace", POSITION.zoom)
        .leaf(
            TT,
            "DefaultRelativePanTiltTranslationSpace",
            TRANSLATION.pan_tilt,
        )
        .leaf(TT, "DefaultRelativeZoomTranslationSpace", TRANSLATION.zoom)
        .leaf(
            TT,
            "DefaultContinuousPanTiltVelocitySpace",
            VELOCITY.pan_tilt,
        )
        .leaf(TT, "DefaultContinuousZoomVelocitySpace", VELOCITY.zoom)
        .child(vector_element("DefaultPTZSpeed", (1.0, 1.0), 1.0, &SPEED))
        .leaf(
            TT,
            "DefaultPTZTimeout",
            format_args!("PT{}S", DEFAULT_TIMEOUT.as_secs()),
        )
        .child(element(TT, "PanTiltLimits").child(plane("Range", &POSITION)))
        .child(element(TT, "ZoomLimits").child(line("Range", POSITION.zoom, 0)))
}

fn node() -> Element {
    element(TPTZ, "PTZNode")
        .attribute("token", NODE)
        .attribute("FixedHomePosition", false)
        .leaf(TT, "Name", "PTZ")
        .child(spaces("SupportedPTZSpaces"))
        .leaf(TT, "MaximumNumberOfPresets", MAX_PRESETS)
        .leaf(TT, "HomeSupported", true)
}

fn spaces(name: &'static str) -> Element {
    element(TT, name)
        .child(plane("AbsolutePanTiltPositionSpace", &POSITION))
        .child(line(
            "AbsoluteZoomPositionSpace",
            POSITION.zoom,
            POSITION.zoom_min,
        ))
        .child(plane("RelativePanTiltTranslationSpace", &TRANSLATION))
        .child(line(
            "RelativeZoomTranslationSpace",
            TRANSLATION.zoom,
            TRANSLATION.zoom_min,
        ))
        .child(plane("ContinuousPanTiltVelocitySpace", &VELOCITY))
        .child(line(
            "ContinuousZoomVelocitySpace",
            VELOCITY.zoom,
            VELOCITY.zoom_min,
        ))
        .child(line("PanTiltSpeedSpace", SPEED.pan_tilt, 0))
        .child(line("ZoomSpeedSpace", SPEED.zoom, SPEED.zoom_min))
}

fn plane(name: &'static str, space: &Space) -> Element {
    line(name, space.pan_tilt, -1).child(range("YRange", -1, 1))
}

fn line(name: &'static str, uri: &str, min: i32) -> Element {
    element(TT, name)
        .leaf(TT, "URI", uri)
        .child(range("XRange", min, 1))
}

fn status(position: PtzPosition, pan_tilt: bool, zoom: bool, time: String) -> Element {
    let state = |moving| if moving { "MOVING" } else { "IDLE" };
    element(TPTZ, "PTZStatus")
        .child(position_element("Position", position))
        .child(
            element(TT, "MoveStatus")
                .leaf(TT, "PanTilt", state(pan_tilt))
                .leaf(TT, "Zoom", state(zoom)),
        )
        .leaf(TT, "UtcTime", time)
}

fn position_element(name: &'static str, at: PtzPosition) -> Element {
    vector_element(name, (at.pan, at.tilt), at.zoom, &POSITION)
}

fn vector_element(name: &'static str, (x, y): (f64, f64), zoom: f64, space: &Space) -> Element {
    let pan_tilt = element(TT, "PanTilt")
        .attribute("x", x)
        .attribute("y", y)
        .attribute("space", space.pan_tilt);
    let zoom = element(TT, "Zoom")
        .attribute("x", zoom)
        .attribute("space", space.zoom);
    element(TT, name).child(pan_tilt).child(zoom)
}

fn target(position: PtzPosition) -> Vector {
    Vector {
        pan_tilt: Some((position.pan, position.tilt)),
        zoom: Some(position.zoom),
    }
}

/// Reads a `PTZVector` or `PTZSpeed`, which must lie inside the space.
fn vector(node: &Node, space: &Space) -> Result<Vector, Fault> {
    let number = |part: &Node, name: &str, min: f64| {
        let value: Option<f64> = part.attribute(name).and_then(|value| value.parse().ok());
        value.filter(|v| (min..=1.0).contains(v)).ok_or_else(|| {
            let reason = format!("{name} of {} is outside of {min} to 1", part.name);
            Fault::invalid_value(space.subcode, reason)
        })
    };
    let in_space = |part: &Node, uri: &str| match part.attribute("space") {
        None | Some("") => Ok(()),
        Some(asked) if asked == uri => Ok(()),
        Some(asked) => Err(Fault::invalid_value(
            "SpaceNotSupported",
            format!("the space {asked} is not supported"),
        )),
    };
    let mut vector = Vector::default();
    if let Some(part) = node.child("PanTilt") {
        in_space(part, space.pan_tilt)?;
        vector.pan_tilt = Some((number(part, "x", -1.0)?, number(part, "y", -1.0)?));
    }
    if let Some(part) = node.child("Zoom") {
        in_space(part, space.zoom)?;
        vector.zoom = Some(number(part, "x", f64::from(space.zoom_min))?);
    }
    Ok(vector)
}

fn timeout(call: &Call<'_>) -> Result<Duration, Fault> {
    let Some(text) = call.request.text_of("Timeout") else {
        return Ok(DEFAULT_TIMEOUT);
    };
    let timeout = read_duration(text).filter(|timeout| *timeout <= MAX_TIMEOUT);
    timeout.ok_or_else(|| {
        let reason = format!("the timeout {text} is not between 0 and {MAX_TIMEOUT:?}");
        Fault::invalid_value("TimeoutNotSupported", reason)
    })
}

fn required<'a>(call: &'a Call<'_>, name: &str) -> Result<&'a Node, Fault> {
    let found = call.request.child(name);
    found.ok_or_else(|| Fault::missing(name))
}

fn expect(
    call: &Call<'_>,
    argument: &str,
    token: &str,
    subcode: &'static str,
) -> Result<(), Fault> {
    let asked = call.argument(argument)?;
    if asked == token {
        return Ok(());
    }
    Err(Fault::invalid_value(
        subcode,
        format!("there is no {asked}"),
    ))
}

fn no_preset(token: &str) -> Fault {
    Fault::invalid_value("NoToken", format!("there is no preset {token}"))
}
