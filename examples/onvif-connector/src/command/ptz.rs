//! Commands of the PTZ interface.

use std::time::Duration;

use connector_sdk::{Command, Error};
use onvif_core::media::ProfileToken;
use onvif_ptz::{CameraExt, PanTilt, Position, Preset, PresetToken, PtzStatus, Zoom};
use serde_json::{Value, json};

use super::json::{self as input, Vector, Vector1D, Vector2D, duration};
use super::present;
use crate::connector::{OnvifDevice, failed};
use crate::event::rfc3339;

/// How long a continuous move without a timeout lasts: a command that is not followed by another must not turn a
/// camera for ever.
const DEFAULT_MOVE: Duration = Duration::from_secs(10);

pub(super) async fn invoke(device: &OnvifDevice, command: &Command) -> Result<Value, Error> {
    let ptz = device.camera().ptz();
    match command.name.as_str() {
        "GetStatus" => {
            let input::Profile { profile_token } = input::input(command)?;
            let status = ptz.status(&profile_token.into()).await.map_err(failed)?;
            Ok(
                json!({ "PTZStatus": status.as_ref().map(status_json).unwrap_or_else(|| json!({})) }),
            )
        }
        "GetPresets" => {
            let input::Profile { profile_token } = input::input(command)?;
            let presets = ptz.presets(&profile_token.into()).await.map_err(failed)?;
            let presets: Vec<Value> = presets.iter().map(preset_json).collect();
            Ok(json!({ "Preset": presets }))
        }
        "SetPreset" => {
            let wanted: input::SetPreset = input::input(command)?;
            let request = onvif_ptz::SetPreset {
                profile_token: wanted.profile_token.into(),
                preset_name: wanted.preset_name,
                preset_token: wanted.preset_token.map(PresetToken::from),
            };
            let stored = device.camera().call(&request).await.map_err(failed)?;
            Ok(present(
                json!({ "PresetToken": stored.preset_token.as_ref().map(AsRef::as_ref) }),
            ))
        }
        "Stop" => {
            let wanted: input::Stop = input::input(command)?;
            let profile = ProfileToken::from(wanted.profile_token);
            let request = onvif_ptz::Stop {
                profile_token: profile.clone(),
                pan_tilt: wanted.pan_tilt,
                zoom: wanted.zoom,
            };
            match device.take_motion(&profile) {
                // Of a move that was asked for here, all axes are stopped, with all that the guard knows of such cameras.
                Some(motion) => motion.stop().await,
                None => device.camera().call(&request).await,
            }
            .map_err(failed)?;
            Ok(json!({}))
        }
        _ => {
            movement(device, command).await?;
            Ok(json!({}))
        }
    }
}

/// What moves the camera, or forgets a place to move to.
async fn movement(device: &OnvifDevice, command: &Command) -> Result<(), Error> {
    let ptz = device.camera().ptz();
    match command.name.as_str() {
        "RelativeMove" => {
            let wanted: input::RelativeMove = input::input(command)?;
            let profile = device.interrupt(wanted.profile_token).await?;
            let speed = wanted.speed.map(Position::from);
            ptz.relative_move(&profile, wanted.translation, speed).await
        }
        "AbsoluteMove" => {
            let wanted: input::AbsoluteMove = input::input(command)?;
            let profile = device.interrupt(wanted.profile_token).await?;
            let speed = wanted.speed.map(Position::from);
            ptz.absolute_move(&profile, wanted.position, speed).await
        }
        "ContinuousMove" => {
            let wanted: input::ContinuousMove = input::input(command)?;
            let limit = wanted.timeout.as_deref().map(duration).transpose()?;
            let profile = device.interrupt(wanted.profile_token).await?;
            let limit = limit.unwrap_or(DEFAULT_MOVE);
            match ptz.continuous_move(&profile, wanted.velocity, limit).await {
                Ok(motion) => {
                    device.keep_motion(profile, motion);
                    Ok(())
                }
                Err(error) => Err(error),
            }
        }
        "GotoPreset" => {
            let wanted: input::GotoPreset = input::input(command)?;
            let profile = device.interrupt(wanted.profile_token).await?;
            let request = onvif_ptz::GotoPreset {
                profile_token: profile,
                preset_token: wanted.preset_token.into(),
                speed: wanted.speed.map(Position::from),
            };
            device.camera().call(&request).await
        }
        "GotoHomePosition" => {
            let wanted: input::GotoHomePosition = input::input(command)?;
            let profile = device.interrupt(wanted.profile_token).await?;
            let request = onvif_ptz::GotoHomePosition {
                profile_token: profile,
                speed: wanted.speed.map(Position::from),
            };
            device.camera().call(&request).await
        }
        "SetHomePosition" => {
            let input::Profile { profile_token } = input::input(command)?;
            ptz.set_home(&profile_token.into()).await
        }
        "RemovePreset" => {
            let wanted: input::RemovePreset = input::input(command)?;
            ptz.remove_preset(&wanted.profile_token.into(), &wanted.preset_token.into())
                .await
        }
        other => return Err(Error::unsupported(format!("there is no command {other}"))),
    }
    .map_err(failed)
}

impl From<Vector> for Position {
    fn from(vector: Vector) -> Self {
        Self {
            pan_tilt: vector
                .pan_tilt
                .map(|Vector2D { x, y, space }| PanTilt { x, y, space }),
            zoom: vector.zoom.map(|Vector1D { x, space }| Zoom { x, space }),
        }
    }
}

fn position_json(position: &Position) -> Value {
    let pan_tilt = position
        .pan_tilt
        .as_ref()
        .map(|PanTilt { x, y, space }| present(json!({ "x": x, "y": y, "space": space })));
    let zoom = position
        .zoom
        .as_ref()
        .map(|Zoom { x, space }| present(json!({ "x": x, "space": space })));
    present(json!({ "PanTilt": pan_tilt, "Zoom": zoom }))
}

fn status_json(status: &PtzStatus) -> Value {
    let moving = status.move_status.as_ref().map(|status| {
        present(json!({
            "PanTilt": status.pan_tilt.as_ref().map(|axis| axis.as_str()),
            "Zoom": status.zoom.as_ref().map(|axis| axis.as_str()),
        }))
    });
    present(json!({
        "Position": status.position.as_ref().map(position_json),
        "MoveStatus": moving,
        "Error": status.error,
        "UtcTime": status.utc_time.and_then(rfc3339),
    }))
}

fn preset_json(preset: &Preset) -> Value {
    present(json!({
        "token": preset.token.as_str(),
        "Name": preset.name,
        "PTZPosition": preset.position.as_ref().map(position_json),
    }))
}
