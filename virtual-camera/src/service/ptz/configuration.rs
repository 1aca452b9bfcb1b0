//! Nodes and configurations.

use std::time::Duration;

use super::super::Call;
use super::super::profiles::PROFILES;
use super::super::range;
use super::space::{
    POSITION, SPEED, TRANSLATION, VELOCITY, position_line, position_plane, spaces, vector_element,
};
use crate::clock::read_duration;
use crate::quirks::Quirks;
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, Ns, TPTZ, TT, element};

const NODE: &str = "ptz_node";
const CONFIGURATION: &str = "ptz_config";
pub(super) const MAX_PRESETS: usize = 32;
pub(super) const MAX_TOURS: usize = 8;
pub(super) const MAX_TIMEOUT: Duration = Duration::from_secs(60);
/// What can be switched on and off by auxiliary commands.
pub(super) const AUXILIARY: [&str; 3] = ["tt:Wiper", "tt:Washer", "tt:IRLamp"];
const FLIPS: [&str; 2] = ["OFF", "ON"];
const REVERSALS: [&str; 3] = ["OFF", "ON", "AUTO"];

/// What can be set of the one configuration that moves the head.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    name: String,
    pub(super) timeout: Duration,
    speed: ((f64, f64), f64),
    pan: (f64, f64),
    tilt: (f64, f64),
    zoom: (f64, f64),
    e_flip: String,
    reverse: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "PTZ".to_owned(),
            timeout: Duration::from_secs(10),
            speed: ((1.0, 1.0), 1.0),
            pan: (-1.0, 1.0),
            tilt: (-1.0, 1.0),
            zoom: (0.0, 1.0),
            e_flip: "OFF".to_owned(),
            reverse: "OFF".to_owned(),
        }
    }
}

/// Whether a position in generic numbers lies within the configuration's limits.
pub(super) fn within(settings: &Settings, target: &crate::motion::Vector) -> bool {
    let inside = |(min, max): (f64, f64), value| (min..=max).contains(&value);
    target
        .pan_tilt
        .is_none_or(|(pan, tilt)| inside(settings.pan, pan) && inside(settings.tilt, tilt))
        && target.zoom.is_none_or(|zoom| inside(settings.zoom, zoom))
}

fn node_token(channel: u16, quirks: &Quirks) -> String {
    match channel {
        _ if quirks.token_mismatch => format!("PTZ Node <{channel}> & more"),
        0 => NODE.to_owned(),
        _ => format!("PTZ Node {channel}"),
    }
}

fn configuration_token(channel: u16) -> String {
    match channel {
        0 => CONFIGURATION.to_owned(),
        _ => format!("PTZ Config {channel}"),
    }
}

pub(super) fn nodes(call: &Call<'_>) -> Vec<Element> {
    let quirks = call.camera.quirks();
    (0..quirks.channels())
        .map(|channel| node(channel, &quirks))
        .collect()
}

/// The node that a request names.
pub(super) fn requested_node(call: &Call<'_>) -> Result<Element, Fault> {
    let asked = call.argument("NodeToken")?;
    let quirks = call.camera.quirks();
    let found = (0..quirks.channels()).find(|channel| node_token(*channel, &quirks) == asked);
    let found =
        found.ok_or_else(|| Fault::invalid_value("NoEntity", format!("there is no {asked}")))?;
    Ok(node(found, &quirks))
}

pub(super) fn configurations(call: &Call<'_>) -> Vec<Element> {
    let settings = lock(&call.camera.ptz_settings).clone();
    let all = 0..call.camera.quirks().channels();
    all.map(|channel| described(TPTZ, "PTZConfiguration", channel, &settings))
        .collect()
}

/// The configurations that fit the profiles of this camera: all of them move the head.
pub(super) fn compatible(call: &Call<'_>) -> Element {
    described(
        TPTZ,
        "PTZConfiguration",
        0,
        &lock(&call.camera.ptz_settings),
    )
}

/// The configuration that a request names in `argument`.
pub(super) fn requested(call: &Call<'_>, argument: &str) -> Result<Element, Fault> {
    let channel = channel_of(call, call.argument(argument)?)?;
    let settings = lock(&call.camera.ptz_settings).clone();
    Ok(described(TPTZ, "PTZConfiguration", channel, &settings))
}

fn channel_of(call: &Call<'_>, token: &str) -> Result<u16, Fault> {
    let all = 0..call.camera.quirks().channels();
    let found = all
        .into_iter()
        .find(|channel| configuration_token(*channel) == token);
    found.ok_or_else(|| Fault::invalid_value("NoConfig", format!("there is no {token}")))
}

/// The ranges of the configuration that a request names.
pub(super) fn options(call: &Call<'_>) -> Result<Element, Fault> {
    channel_of(call, call.argument("ConfigurationToken")?)?;
    let quirks = call.camera.quirks();
    let longest = if quirks.ptz_reject_timeout {
        0
    } else {
        MAX_TIMEOUT.as_secs()
    };
    let modes = |name, modes: &[&str]| {
        let all = modes.iter();
        element(TT, name).children(all.map(|mode| element(TT, "Mode").text(mode)))
    };
    Ok(element(TPTZ, "PTZConfigurationOptions")
        .child(spaces("Spaces", &quirks))
        .child(range("PTZTimeout", "PT0S", format_args!("PT{longest}S")))
        .child(
            element(TT, "PTControlDirection")
                .child(modes("EFlip", &FLIPS))
                .child(modes("Reverse", &REVERSALS)),
        ))
}

/// `SetConfiguration`: what is written is checked as a whole before anything changes.
pub(super) fn set(call: &Call<'_>) -> Result<(), Fault> {
    let written = call.request.child("PTZConfiguration");
    let written = written.ok_or_else(|| Fault::missing("PTZConfiguration"))?;
    let token = written.attribute("token").unwrap_or_default();
    let channel = channel_of(call, token)?;
    let invalid = |reason: &str| Fault::invalid_value("ConfigModify", reason);
    let mut settings = lock(&call.camera.ptz_settings).clone();
    if let Some(name) = written.text_of("Name") {
        settings.name = name.to_owned();
    }
    if let Some(timeout) = written.text_of("DefaultPTZTimeout") {
        let timeout = read_duration(timeout).filter(|timeout| *timeout <= MAX_TIMEOUT);
        settings.timeout = timeout.ok_or_else(|| invalid("the default timeout is out of range"))?;
    }
    if let Some(speed) = written.child("DefaultPTZSpeed") {
        let speed = SPEED.read(speed, 0.0)?;
        settings.speed = (
            speed.pan_tilt.unwrap_or(settings.speed.0),
            speed.zoom.unwrap_or(settings.speed.1),
        );
    }
    let limits = |name| written.child(name).and_then(|limits| limits.child("Range"));
    if let Some(limit) = limits("PanTiltLimits") {
        settings.pan = interval(limit, "XRange", (-1.0, 1.0))?;
        settings.tilt = interval(limit, "YRange", (-1.0, 1.0))?;
    }
    if let Some(limit) = limits("ZoomLimits") {
        settings.zoom = interval(limit, "XRange", (0.0, 1.0))?;
    }
    let direction = written
        .child("Extension")
        .and_then(|more| more.child("PTControlDirection"));
    let mode = |name, known: &[&str]| {
        let mode = direction.and_then(|direction| direction.child(name)?.text_of("Mode"));
        match mode {
            Some(mode) if !known.contains(&mode) => Err(invalid("there is no such direction")),
            mode => Ok(mode.map(str::to_owned)),
        }
    };
    settings.e_flip = mode("EFlip", &FLIPS)?.unwrap_or(settings.e_flip);
    settings.reverse = mode("Reverse", &REVERSALS)?.unwrap_or(settings.reverse);
    // The other channels of a recorder are for show.
    if channel == 0 {
        lock(&call.camera.ptz).set_limits(settings.pan, settings.tilt, settings.zoom);
        *lock(&call.camera.ptz_settings) = settings;
    }
    Ok(())
}

fn interval(limit: &Node, name: &str, (min, max): (f64, f64)) -> Result<(f64, f64), Fault> {
    let number = |bound| limit.child(name)?.text_of(bound)?.parse::<f64>().ok();
    match (number("Min"), number("Max")) {
        (Some(low), Some(high)) if min <= low && low <= high && high <= max => Ok((low, high)),
        _ => {
            let reason = format!("{name} is not within {min} to {max}");
            Err(Fault::invalid_value("ConfigModify", reason))
        }
    }
}

/// The one PTZ configuration of the profiles, as the Media services show it.
pub(crate) fn configuration(ns: Ns, name: &'static str) -> Element {
    described(ns, name, 0, &Settings::default())
}

fn described(ns: Ns, name: &'static str, channel: u16, settings: &Settings) -> Element {
    let mode = |name, mode: &str| element(TT, name).leaf(TT, "Mode", mode);
    let of_node = match channel {
        0 => NODE.to_owned(),
        _ => node_token(channel, &Quirks::default()),
    };
    element(ns, name)
        .attribute("token", configuration_token(channel))
        .leaf(TT, "Name", &settings.name)
        .leaf(
            TT,
            "UseCount",
            if channel == 0 { PROFILES.len() } else { 0 },
        )
        .leaf(TT, "NodeToken", of_node)
        // The schema's own spelling.
        .leaf(
            TT,
            "DefaultAbsolutePantTiltPositionSpace",
            POSITION.pan_tilt_uri(),
        )
        .leaf(TT, "DefaultAbsoluteZoomPositionSpace", POSITION.zoom_uri())
        .leaf(
            TT,
            "DefaultRelativePanTiltTranslationSpace",
            TRANSLATION.pan_tilt_uri(),
        )
        .leaf(
            TT,
            "DefaultRelativeZoomTranslationSpace",
            TRANSLATION.zoom_uri(),
        )
        .leaf(
            TT,
            "DefaultContinuousPanTiltVelocitySpace",
            VELOCITY.pan_tilt_uri(),
        )
        .leaf(
            TT,
            "DefaultContinuousZoomVelocitySpace",
            VELOCITY.zoom_uri(),
        )
        .child(vector_element(
            "DefaultPTZSpeed",
            settings.speed.0,
            settings.speed.1,
            &SPEED,
        ))
        .leaf(
            TT,
            "DefaultPTZTimeout",
            format_args!("PT{}S", settings.timeout.as_secs_f64()),
        )
        .child(element(TT, "PanTiltLimits").child(position_plane(
            "Range",
            settings.pan,
            settings.tilt,
        )))
        .child(element(TT, "ZoomLimits").child(position_line("Range", settings.zoom)))
        .child(
            element(TT, "Extension").child(
                element(TT, "PTControlDirection")
                    .child(mode("EFlip", &settings.e_flip))
                    .child(mode("Reverse", &settings.reverse)),
            ),
        )
}

fn node(channel: u16, quirks: &Quirks) -> Element {
    let commands = AUXILIARY
        .iter()
        .flat_map(|what| [format!("{what}|On"), format!("{what}|Off")]);
    let operations = ["Start", "Stop", "Pause"].into_iter();
    let tours = element(TT, "SupportedPresetTour")
        .leaf(TT, "MaximumNumberOfPresetTours", MAX_TOURS)
        .children(operations.map(|name| element(TT, "PTZPresetTourOperation").text(name)));
    element(TPTZ, "PTZNode")
        .attribute("token", node_token(channel, quirks))
        .attribute("FixedHomePosition", false)
        .attribute("GeoMove", true)
        .leaf(TT, "Name", "PTZ")
        .child(spaces("SupportedPTZSpaces", quirks))
        .leaf(TT, "MaximumNumberOfPresets", MAX_PRESETS)
        .leaf(TT, "HomeSupported", true)
        .children(commands.map(|command| element(TT, "AuxiliaryCommands").text(command)))
        .child(element(TT, "Extension").child(tours))
}
