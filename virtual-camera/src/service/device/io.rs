//! Relays, digital inputs and auxiliary commands, for the Device and for the DeviceIO service.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::settings::bad_value;
use crate::clock::read_duration;
use crate::event::{Event, Operation};
use crate::service::Call;
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::xml::{Element, Node, TDS, TT, element};

/// What auxiliary commands can be sent (Core Specification, "Auxiliary commands").
pub(crate) const AUXILIARY_COMMANDS: [&str; 9] = [
    "tt:Wiper|On",
    "tt:Wiper|Off",
    "tt:Washer|On",
    "tt:Washer|Off",
    "tt:WashingProcedure|On",
    "tt:WashingProcedure|Off",
    "tt:IRLamp|On",
    "tt:IRLamp|Off",
    "tt:IRLamp|Auto",
];
/// After how long a monostable relay can fall back.
pub(crate) const DELAYS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(60)];

#[derive(Debug)]
pub(crate) struct Io {
    pub relays: BTreeMap<&'static str, Relay>,
    /// The idle states of the digital inputs.
    pub inputs: BTreeMap<&'static str, String>,
    /// What was last asked of each auxiliary.
    pub auxiliary: BTreeMap<&'static str, &'static str>,
}

impl Default for Io {
    fn default() -> Self {
        let relay = |token| (token, Relay::default());
        Self {
            relays: ["relay_1", "relay_2"].map(relay).into(),
            inputs: [("input_1", "open".to_owned())].into(),
            auxiliary: BTreeMap::new(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Relay {
    monostable: bool,
    delay: Duration,
    idle_state: String,
    /// Since when it is on.
    switched: Option<Instant>,
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            monostable: false,
            delay: Duration::from_secs(1),
            idle_state: "open".to_owned(),
            switched: None,
        }
    }
}

impl Relay {
    /// Whether it is on; a monostable one falls back after its delay.
    pub(crate) fn is_active(&self, now: Instant) -> bool {
        self.switched.is_some_and(|switched| {
            !self.monostable || now.saturating_duration_since(switched) < self.delay
        })
    }

    pub(crate) fn switch(&mut self, active: bool, now: Instant) {
        self.switched = active.then_some(now);
    }

    /// Takes `Mode`, `DelayTime` and `IdleState`; the relay is off afterwards.
    pub(crate) fn configure(&mut self, properties: &Node) -> Result<(), Fault> {
        let wrong = |reason: &str| Fault::invalid_value("ModeError", reason);
        let argument = |name| properties.text_of(name).ok_or_else(|| Fault::missing(name));
        let monostable = match argument("Mode")? {
            "Monostable" => true,
            "Bistable" => false,
            _ => return Err(wrong("Mode is neither Monostable nor Bistable")),
        };
        let delay = argument("DelayTime")?;
        let delay = read_duration(delay).ok_or_else(|| wrong("DelayTime is no duration"))?;
        let idle_state = argument("IdleState")?;
        if !is_idle_state(idle_state) {
            return Err(wrong("IdleState is neither open nor closed"));
        }
        let [shortest, longest] = DELAYS;
        if monostable && !(shortest..=longest).contains(&delay) {
            return Err(wrong("the relay cannot keep that DelayTime"));
        }
        *self = Self {
            monostable,
            // To a bistable relay the delay means nothing.
            delay: if monostable { delay } else { self.delay },
            idle_state: idle_state.to_owned(),
            switched: None,
        };
        Ok(())
    }
}

/// The relay outputs; to the DeviceIO service too these are elements of the Device service.
pub(crate) fn get_relays(call: &Call<'_>) -> Element {
    let io = &lock(&call.camera.device).io;
    let relays = io.relays.iter().map(|(token, relay)| {
        let mode = if relay.monostable {
            "Monostable"
        } else {
            "Bistable"
        };
        let delay = format!("PT{}S", relay.delay.as_secs_f64());
        element(TDS, "RelayOutputs")
            .attribute("token", token)
            .child(
                element(TT, "Properties")
                    .leaf(TT, "Mode", mode)
                    .leaf(TT, "DelayTime", delay)
                    .leaf(TT, "IdleState", &relay.idle_state),
            )
    });
    call.response("GetRelayOutputsResponse").children(relays)
}

pub(crate) fn set_relay_state(call: &Call<'_>) -> Result<Element, Fault> {
    let token = call.argument("RelayOutputToken")?;
    let active = match call.argument("LogicalState")? {
        "active" => true,
        "inactive" => false,
        other => return Err(bad_value(format!("LogicalState cannot be {other}"))),
    };
    switch_relay(call.camera, token, active)?;
    Ok(call.response("SetRelayOutputStateResponse"))
}

pub(crate) fn switch_relay(camera: &Arc<Camera>, token: &str, active: bool) -> Result<(), Fault> {
    let now = Instant::now();
    let (was_active, falls_back) = {
        let io = &mut lock(&camera.device).io;
        let relay = relay(io, token)?;
        let was_active = relay.is_active(now);
        relay.switch(active, now);
        (
            was_active,
            (active && relay.monostable).then_some(relay.delay),
        )
    };
    tracing::debug!(relay = token, active, "switched");
    if active != was_active {
        report(camera, token, active);
    }
    if let Some(delay) = falls_back {
        let (camera, token) = (Arc::clone(camera), token.to_owned());
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = camera.stopping.cancelled() => return,
            }
            // Unless it was switched again meanwhile.
            let fell_back = {
                let io = &mut lock(&camera.device).io;
                relay(io, &token).is_ok_and(|relay| relay.switched == Some(now))
            };
            if fell_back {
                report(&camera, &token, false);
            }
        });
    }
    Ok(())
}

fn report(camera: &Camera, token: &str, active: bool) {
    let state = if active { "active" } else { "inactive" };
    let event = Event::new("tns1:Device/Trigger/Relay").property(Operation::Changed);
    camera.report(
        event
            .source("RelayToken", token)
            .data("LogicalState", state),
    );
}

pub(crate) fn configure_relay(
    call: &Call<'_>,
    token: &str,
    properties: Option<&Node>,
) -> Result<Element, Fault> {
    let was_active = {
        let io = &mut lock(&call.camera.device).io;
        let relay = relay(io, token)?;
        let was_active = relay.is_active(Instant::now());
        relay.configure(properties.ok_or_else(|| Fault::missing("Properties"))?)?;
        was_active
    };
    if was_active {
        report(call.camera, token, false);
    }
    Ok(call.response("SetRelayOutputSettingsResponse"))
}

pub(crate) fn no_relay(token: &str) -> Fault {
    Fault::invalid_value("RelayToken", format!("there is no relay {token}"))
}

/// Whether a contact can be like this when nothing happens.
pub(crate) fn is_idle_state(text: &str) -> bool {
    ["open", "closed"].contains(&text)
}

pub(super) fn send_auxiliary_command(call: &Call<'_>) -> Result<Element, Fault> {
    let command = call.argument("AuxiliaryCommand")?;
    let known = AUXILIARY_COMMANDS
        .into_iter()
        .find(|known| *known == command);
    let Some((name, value)) = known.and_then(|known| known.split_once('|')) else {
        let reason = format!("there is no command {command}");
        return Err(Fault::invalid_value("AuxiliaryDataNotSupported", reason));
    };
    lock(&call.camera.device).io.auxiliary.insert(name, value);
    let response = call.response("SendAuxiliaryCommandResponse");
    Ok(response.leaf(TDS, "AuxiliaryCommandResponse", command))
}

fn relay<'a>(io: &'a mut Io, token: &str) -> Result<&'a mut Relay, Fault> {
    io.relays.get_mut(token).ok_or_else(|| no_relay(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    fn configured(mode: &str, delay: &str) -> Result<Relay, Fault> {
        let properties = format!(
            "<Properties><Mode>{mode}</Mode><DelayTime>{delay}</DelayTime><IdleState>open</IdleState></Properties>"
        );
        let mut relay = Relay::default();
        relay.configure(&read(properties.as_bytes()).unwrap())?;
        Ok(relay)
    }

    #[test]
    fn a_monostable_relay_falls_back_and_a_bistable_one_does_not() {
        let start = Instant::now();
        for (mode, later) in [("Monostable", false), ("Bistable", true)] {
            let mut relay = configured(mode, "PT2S").unwrap();
            assert!(!relay.is_active(start));
            relay.switch(true, start);
            assert!(relay.is_active(start + Duration::from_millis(900)));
            assert_eq!(relay.is_active(start + Duration::from_secs(2)), later);
            relay.switch(false, start);
            assert!(!relay.is_active(start));
        }
    }

    #[test]
    fn a_delay_that_the_relay_cannot_keep_is_refused() {
        assert!(configured("Monostable", "PT0S").is_err());
        assert!(configured("Monostable", "PT2M").is_err());
        assert!(configured("Monostable", "soon").is_err());
        assert!(configured("Bistable", "PT0S").is_ok());
    }
}
