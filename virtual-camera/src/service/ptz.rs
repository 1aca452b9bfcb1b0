//! The PTZ service (`ver20/ptz/wsdl`).

mod configuration;
mod geo;
mod preset;
mod space;
mod tour;

use std::time::{Duration, Instant};

pub(crate) use configuration::{Settings, configuration};

use self::configuration::{AUXILIARY, MAX_TIMEOUT, within};
use self::space::{POSITION, SPEED, TRANSLATION, VELOCITY, field_of_view, position_element};
use super::profiles::requested;
use super::{Call, flags};
use crate::clock::read_duration;
use crate::motion::{Ptz, Vector};
use crate::quirks::{PtzMode, PtzMoveStatus, Quirks};
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::xml::{Element, Node, TPTZ, TT, element};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    Ok(match operation {
        "GetNodes" => call
            .response("GetNodesResponse")
            .children(configuration::nodes(call)),
        "GetNode" => call
            .response("GetNodeResponse")
            .child(configuration::requested_node(call)?),
        "GetConfigurations" => call
            .response("GetConfigurationsResponse")
            .children(configuration::configurations(call)),
        "GetCompatibleConfigurations" => {
            requested(call)?;
            call.response("GetCompatibleConfigurationsResponse")
                .child(configuration::compatible(call))
        }
        "GetConfiguration" => call
            .response("GetConfigurationResponse")
            .child(configuration::requested(call, "PTZConfigurationToken")?),
        "GetConfigurationOptions" => call
            .response("GetConfigurationOptionsResponse")
            .child(configuration::options(call)?),
        "SetConfiguration" => {
            configuration::set(call)?;
            call.response("SetConfigurationResponse")
        }
        _ => return answer_profile(call, operation),
    })
}

/// The operations that act on the head of a profile.
fn answer_profile(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    let now = Instant::now();
    // The name is checked before the profile: what is not supported is said so.
    let response = match operation {
        "GetStatus" => call.response("GetStatusResponse"),
        "AbsoluteMove" => call.response("AbsoluteMoveResponse"),
        "RelativeMove" => call.response("RelativeMoveResponse"),
        "ContinuousMove" => call.response("ContinuousMoveResponse"),
        "GeoMove" => call.response("GeoMoveResponse"),
        "MoveAndStartTracking" => call.response("MoveAndStartTrackingResponse"),
        "Stop" if !call.camera.quirks().ptz_no_stop => call.response("StopResponse"),
        "GetPresets" => call.response("GetPresetsResponse"),
        "SetPreset" => call.response("SetPresetResponse"),
        "GotoPreset" => call.response("GotoPresetResponse"),
        "RemovePreset" => call.response("RemovePresetResponse"),
        "GotoHomePosition" => call.response("GotoHomePositionResponse"),
        "SetHomePosition" => call.response("SetHomePositionResponse"),
        "SendAuxiliaryCommand" => call.response("SendAuxiliaryCommandResponse"),
        "GetPresetTours" => call.response("GetPresetToursResponse"),
        "GetPresetTour" => call.response("GetPresetTourResponse"),
        "GetPresetTourOptions" => call.response("GetPresetTourOptionsResponse"),
        "CreatePresetTour" => call.response("CreatePresetTourResponse"),
        "ModifyPresetTour" => call.response("ModifyPresetTourResponse"),
        "OperatePresetTour" => call.response("OperatePresetTourResponse"),
        "RemovePresetTour" => call.response("RemovePresetTourResponse"),
        _ => return Err(Fault::not_supported(operation)),
    };
    requested(call)?;
    let ptz = &mut *lock(&call.camera.ptz);
    Ok(match operation {
        "GetStatus" => response.child(status(call, ptz, now)),
        "GetPresets" => response.children(preset::list(ptz)),
        "SetPreset" => response.leaf(TPTZ, "PresetToken", preset::set(call, ptz, now)?),
        "RemovePreset" => {
            preset::remove(call, ptz)?;
            response
        }
        "SetHomePosition" => {
            ptz.home = ptz.position(now);
            response
        }
        "SendAuxiliaryCommand" => response.leaf(TPTZ, "AuxiliaryResponse", auxiliary(call, ptz)?),
        "GetPresetTours" => response.children(tour::list(ptz, now)),
        "GetPresetTour" => response.child(tour::requested(call, ptz, now)?),
        "GetPresetTourOptions" => response.child(tour::options(ptz)),
        "CreatePresetTour" => response.leaf(TPTZ, "PresetTourToken", tour::create(call, ptz)?),
        "ModifyPresetTour" => {
            tour::modify(call, ptz, now)?;
            response
        }
        "OperatePresetTour" => {
            tour::operate(call, ptz, now)?;
            response
        }
        "RemovePresetTour" => {
            tour::remove(call, ptz, now)?;
            response
        }
        _ => {
            travel(call, operation, ptz, now)?;
            response
        }
    })
}

/// The operations that move the head, and the one that stops it.
fn travel(call: &Call<'_>, operation: &str, ptz: &mut Ptz, now: Instant) -> Result<(), Fault> {
    let quirks = call.camera.quirks();
    let zoom = ptz.position(now).zoom;
    let speed = match call.request.child("Speed") {
        Some(speed) => SPEED.read(speed, zoom)?,
        None => Vector::default(),
    };
    match operation {
        "AbsoluteMove" => {
            supported(&quirks, &[PtzMode::Absolute], operation)?;
            let target = POSITION.read(required(call, "Position")?, zoom)?;
            if !within(&lock(&call.camera.ptz_settings), &target) {
                let reason = "the position is outside of the limits";
                return Err(Fault::invalid_value("InvalidPosition", reason));
            }
            ptz.travel_to(now, target, speed);
        }
        "RelativeMove" => {
            let modes = [PtzMode::Relative, PtzMode::FieldOfView];
            supported(&quirks, &modes, operation)?;
            let offset = required(call, "Translation")?;
            let offset = TRANSLATION.read(offset, zoom)?;
            ptz.travel_by(now, offset, speed);
        }
        "ContinuousMove" => {
            supported(&quirks, &[PtzMode::Continuous], operation)?;
            let timeout = timeout(call)?;
            let velocity = VELOCITY.read(required(call, "Velocity")?, zoom)?;
            ptz.drive(now, velocity, timeout);
        }
        "GeoMove" => {
            let target = geo::direction(required(call, "Target")?)?;
            ptz.travel_to(now, target, speed);
        }
        "MoveAndStartTracking" => {
            // There is nothing to follow in the clip: the head goes to where tracking would start.
            if let Some(place) = call.request.child("GeoLocation") {
                let target = geo::direction(place)?;
                ptz.travel_to(now, target, speed);
            } else if let Some(position) = call.request.child("TargetPosition") {
                let target = POSITION.read(position, zoom)?;
                ptz.travel_to(now, target, speed);
            } else if call.request.text_of("PresetToken").is_some() {
                let target = Vector::to(preset::requested(call, ptz)?.position);
                ptz.travel_to(now, target, speed);
            }
        }
        "GotoPreset" => {
            let target = Vector::to(preset::requested(call, ptz)?.position);
            ptz.travel_to(now, target, speed);
        }
        "GotoHomePosition" => {
            let home = Vector::to(ptz.home);
            ptz.travel_to(now, home, speed);
        }
        _ => {
            // Both stop where neither is named; a named one says for itself.
            let asked = |name| call.request.text_of(name).map(|v| v == "true" || v == "1");
            let (pan_tilt, zoom) = (asked("PanTilt"), asked("Zoom"));
            ptz.stop(now, pan_tilt.unwrap_or(true), zoom.unwrap_or(true));
        }
    }
    Ok(())
}

pub(super) fn capabilities(camera: &Camera) -> Element {
    let tells = camera.quirks().ptz_move_status.is_none();
    flags(
        TPTZ,
        "Capabilities",
        &[
            ("EFlip", true),
            ("Reverse", true),
            ("GetCompatibleConfigurations", true),
            ("MoveStatus", tells),
            ("StatusPosition", true),
        ],
    )
    .attribute("MoveAndTrack", "PresetToken GeoLocation PTZVector")
}

/// A token that was made here.
fn token(call: &Call<'_>, what: &str, number: usize) -> String {
    if call.camera.quirks().odd_tokens {
        format!("{what} <{number}> & \"more\"")
    } else {
        format!("{what}_{number}")
    }
}

fn supported(quirks: &Quirks, modes: &[PtzMode], operation: &str) -> Result<(), Fault> {
    if modes.iter().any(|mode| quirks.moves(*mode)) {
        Ok(())
    } else {
        Err(Fault::not_supported(operation))
    }
}

fn status(call: &Call<'_>, ptz: &mut Ptz, now: Instant) -> Element {
    let position = ptz.position(now);
    let (pan_tilt, zoom) = ptz.moving(now);
    let time = call
        .camera
        .quirks()
        .write_time(lock(&call.camera.clock).now());
    let lies = call.camera.quirks().ptz_move_status;
    let state = |moves| match moves {
        true if lies != Some(PtzMoveStatus::AlwaysIdle) => "MOVING",
        _ => "IDLE",
    };
    let moves = (lies != Some(PtzMoveStatus::Absent)).then(|| {
        element(TT, "MoveStatus")
            .leaf(TT, "PanTilt", state(pan_tilt))
            .leaf(TT, "Zoom", state(zoom))
    });
    let (width, height) = field_of_view(position.zoom);
    element(TPTZ, "PTZStatus")
        .child(position_element("Position", position))
        .children(moves)
        .leaf(TT, "UtcTime", time)
        .child(
            element(TT, "FieldOfView")
                .attribute("hfov", width)
                .attribute("vfov", height),
        )
}

/// Switches something on or off, and says so.
fn auxiliary(call: &Call<'_>, ptz: &mut Ptz) -> Result<String, Fault> {
    let command = call.argument("AuxiliaryData")?;
    let known = command
        .split_once('|')
        .filter(|(what, state)| AUXILIARY.contains(what) && ["On", "Off"].contains(state));
    let (what, state) = known.ok_or_else(|| {
        let reason = format!("there is no auxiliary command {command}");
        Fault::invalid_value("AuxiliaryDataNotSupported", reason)
    })?;
    ptz.auxiliary.insert(what.to_owned(), state.to_owned());
    Ok(command.to_owned())
}

fn timeout(call: &Call<'_>) -> Result<Duration, Fault> {
    let quirks = call.camera.quirks();
    let Some(text) = call.request.text_of("Timeout") else {
        return Ok(if quirks.ptz_ignore_timeout || quirks.ptz_reject_timeout {
            Duration::MAX
        } else {
            lock(&call.camera.ptz_settings).timeout
        });
    };
    let timeout =
        read_duration(text).filter(|timeout| *timeout <= MAX_TIMEOUT && !quirks.ptz_reject_timeout);
    let timeout = timeout.ok_or_else(|| {
        let reason = format!("the timeout {text} is not between 0 and {MAX_TIMEOUT:?}");
        Fault::invalid_value("TimeoutNotSupported", reason)
    })?;
    Ok(if quirks.ptz_ignore_timeout {
        Duration::MAX
    } else {
        timeout
    })
}

fn required<'a>(call: &'a Call<'_>, name: &str) -> Result<&'a Node, Fault> {
    let found = call.request.child(name);
    found.ok_or_else(|| Fault::missing(name))
}
