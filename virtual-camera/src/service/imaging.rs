//! The Imaging service (`ver20/imaging/wsdl`).

mod settings;

use std::time::{Duration, Instant};

use self::settings::Settings;
use super::profiles::VIDEO_SOURCE;
use super::{Call, flags, range};
use crate::motion::Axis;
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, TIMG, TT, element};

/// The settings, the preset they are those of, and the motor of the focus.
#[derive(Debug)]
pub(crate) struct Imaging {
    settings: Settings,
    preset: Option<&'static Preset>,
    focus: Axis,
    updated: Instant,
}

/// A set of settings.
#[derive(Debug, PartialEq)]
struct Preset {
    token: &'static str,
    name: &'static str,
    kind: &'static str,
    settings: &'static [(&'static str, &'static str)],
}

const PRESETS: [Preset; 3] = [
    Preset {
        token: "clear_weather",
        name: "Clear weather",
        kind: "ClearWeather",
        settings: &[],
    },
    Preset {
        token: "fog",
        name: "Fog",
        kind: "Fog",
        settings: &[("Contrast", "80"), ("Sharpness", "70")],
    },
    Preset {
        token: "night",
        name: "Night",
        kind: "Night",
        settings: &[("IrCutFilter", "OFF"), ("Exposure/Priority", "LowNoise")],
    },
];

impl Imaging {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            settings: Settings::default(),
            preset: Some(&PRESETS[0]),
            focus: Axis::new(0.0, 1.0),
            updated: now,
        }
    }

    fn advance(&mut self, now: Instant) {
        self.focus
            .advance(now.saturating_duration_since(self.updated));
        self.updated = self.updated.max(now);
    }
}

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    let response = match operation {
        "GetImagingSettings" => call.response("GetImagingSettingsResponse"),
        "SetImagingSettings" => call.response("SetImagingSettingsResponse"),
        "GetOptions" => call.response("GetOptionsResponse"),
        "GetMoveOptions" => call.response("GetMoveOptionsResponse"),
        "Move" => call.response("MoveResponse"),
        "Stop" => call.response("StopResponse"),
        "GetStatus" => call.response("GetStatusResponse"),
        "GetPresets" => call.response("GetPresetsResponse"),
        "GetCurrentPreset" => call.response("GetCurrentPresetResponse"),
        "SetCurrentPreset" => call.response("SetCurrentPresetResponse"),
        _ => return Err(Fault::not_supported(operation)),
    };
    let source = call.argument("VideoSourceToken")?;
    if source != VIDEO_SOURCE {
        let reason = format!("there is no video source {source}");
        return Err(Fault::invalid_value("NoSource", reason));
    }
    let imaging = &mut *lock(&call.camera.imaging);
    imaging.advance(Instant::now());
    Ok(match operation {
        "GetImagingSettings" => response.child(imaging.settings.element()),
        "GetOptions" => response.child(settings::options()),
        "SetImagingSettings" => {
            let asked = call.request.child("ImagingSettings");
            let asked = asked.ok_or_else(|| Fault::missing("ImagingSettings"))?;
            let changed = imaging.settings.changed_by(asked)?;
            if changed != imaging.settings {
                imaging.preset = None;
            }
            imaging.settings = changed;
            response
        }
        "GetMoveOptions" => response.child(move_options()),
        "Move" => {
            let focus = call.request.child("Focus");
            move_focus(imaging, focus.ok_or_else(|| Fault::missing("Focus"))?)?;
            response
        }
        "Stop" => {
            imaging.focus.stop();
            response
        }
        "GetStatus" => response.child(status(imaging)),
        "GetPresets" => response.children(PRESETS.iter().map(preset)),
        "GetCurrentPreset" => response.children(imaging.preset.map(preset)),
        _ => {
            let token = call.argument("PresetToken")?;
            let asked = PRESETS.iter().find(|preset| preset.token == token);
            let asked = asked.ok_or_else(|| {
                Fault::invalid_value("NoPreset", format!("there is no preset {token}"))
            })?;
            imaging.settings = Settings::default().with(asked.settings);
            imaging.preset = Some(asked);
            response
        }
    })
}

pub(super) fn capabilities() -> Element {
    flags(
        TIMG,
        "Capabilities",
        &[
            ("ImageStabilization", true),
            ("Presets", true),
            ("AdaptablePreset", false),
        ],
    )
}

fn move_options() -> Element {
    element(TIMG, "MoveOptions")
        .child(
            element(TT, "Absolute")
                .child(range("Position", 0, 1))
                .child(range("Speed", 0.1, 1)),
        )
        .child(
            element(TT, "Relative")
                .child(range("Distance", -1, 1))
                .child(range("Speed", 0.1, 1)),
        )
        .child(element(TT, "Continuous").child(range("Speed", -1, 1)))
}

fn move_focus(imaging: &mut Imaging, asked: &Node) -> Result<(), Fault> {
    let focus = &mut imaging.focus;
    let number = |part: &Node, name: &str, min: f64| {
        let value: Option<f64> = part.text_of(name).and_then(|text| text.parse().ok());
        value.filter(|v| (min..=1.0).contains(v)).ok_or_else(|| {
            let reason = format!("{name} of {} is outside of {min} to 1", part.name);
            Fault::invalid_value("SettingsInvalid", reason)
        })
    };
    let speed = |part: &Node| match part.child("Speed") {
        Some(_) => number(part, "Speed", 0.1),
        None => Ok(1.0),
    };
    if let Some(to) = asked.child("Absolute") {
        focus.travel_to(number(to, "Position", 0.0)?, speed(to)?);
    } else if let Some(by) = asked.child("Relative") {
        let target = focus.position + number(by, "Distance", -1.0)?;
        focus.travel_to(target, speed(by)?);
    } else if let Some(with) = asked.child("Continuous") {
        focus.drive(number(with, "Speed", -1.0)?, Duration::MAX);
    } else {
        return Err(Fault::missing("Absolute, Relative or Continuous"));
    }
    Ok(())
}

fn status(imaging: &Imaging) -> Element {
    let state = if imaging.focus.is_moving() {
        "MOVING"
    } else {
        "IDLE"
    };
    element(TIMG, "Status").child(
        element(TT, "FocusStatus20")
            .leaf(TT, "Position", imaging.focus.position)
            .leaf(TT, "MoveStatus", state),
    )
}

fn preset(preset: &Preset) -> Element {
    element(TIMG, "Preset")
        .attribute("token", preset.token)
        .attribute("type", preset.kind)
        .leaf(TIMG, "Name", preset.name)
}
