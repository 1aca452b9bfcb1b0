//! The DeviceIO service (`ver10/deviceio.wsdl`).

use super::Call;
use super::device::io::{self, DELAYS, Io};
use super::profiles::{AUDIO_OUTPUT, AUDIO_SOURCE, video_sources};
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::xml::{Element, TDS, TMD, element};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    // As the specification has it, two of the operations are made of the Device service's elements.
    let of_device = call.request.namespace == TDS.uri;
    if of_device != ["GetRelayOutputs", "SetRelayOutputState"].contains(&operation) {
        return Err(Fault::not_supported(operation));
    }
    match operation {
        "GetVideoSources" => {
            let response = call.response("GetVideoSourcesResponse");
            Ok(
                video_sources(&call.camera.quirks()).fold(response, |response, token| {
                    response.leaf(TMD, "Token", token)
                }),
            )
        }
        "GetVideoOutputs" => Ok(call.response("GetVideoOutputsResponse")),
        "GetAudioSources" => {
            let response = call.response("GetAudioSourcesResponse");
            Ok(response.leaf(TMD, "Token", AUDIO_SOURCE))
        }
        "GetAudioOutputs" => {
            let response = call.response("GetAudioOutputsResponse");
            Ok(response.leaf(TMD, "Token", AUDIO_OUTPUT))
        }
        "GetRelayOutputs" => Ok(io::get_relays(call)),
        "SetRelayOutputState" => io::set_relay_state(call),
        "SetRelayOutputSettings" => {
            let relay = call.request.child("RelayOutput");
            let relay = relay.ok_or_else(|| Fault::missing("RelayOutput"))?;
            let token = relay.attribute("token").unwrap_or_default();
            io::configure_relay(call, token, relay.child("Properties"))
        }
        "GetRelayOutputOptions" => relay_options(call),
        "GetDigitalInputs" => {
            let io = &lock(&call.camera.device).io;
            let inputs = io.inputs.iter().map(|(token, idle_state)| {
                element(TMD, "DigitalInputs")
                    .attribute("token", token)
                    .attribute("IdleState", idle_state)
            });
            Ok(call.response("GetDigitalInputsResponse").children(inputs))
        }
        "GetDigitalInputConfigurationOptions" => {
            if let Some(token) = call.request.text_of("Token") {
                known_input(&lock(&call.camera.device).io, token)?;
            }
            let options = element(TMD, "DigitalInputOptions")
                .leaf(TMD, "IdleState", "closed")
                .leaf(TMD, "IdleState", "open");
            let response = call.response("GetDigitalInputConfigurationOptionsResponse");
            Ok(response.child(options))
        }
        "SetDigitalInputConfigurations" => set_digital_inputs(call),
        "GetSerialPorts" => Ok(call.response("GetSerialPortsResponse")),
        "GetSerialPortConfiguration"
        | "SetSerialPortConfiguration"
        | "GetSerialPortConfigurationOptions"
        | "SendReceiveSerialCommand" => {
            let reason = "there is no serial port";
            Err(Fault::invalid_value("InvalidSerialPort", reason))
        }
        _ => Err(Fault::not_supported(operation)),
    }
}

pub(super) fn capabilities(camera: &Camera) -> Element {
    let io = &lock(&camera.device).io;
    element(TMD, "Capabilities")
        .attribute("VideoSources", camera.quirks().channels())
        .attribute("VideoOutputs", 0)
        .attribute("AudioSources", 1)
        .attribute("AudioOutputs", 1)
        .attribute("SerialPorts", 0)
        .attribute("RelayOutputs", io.relays.len())
        .attribute("DigitalInputs", io.inputs.len())
        .attribute("DigitalInputOptions", true)
}

fn relay_options(call: &Call<'_>) -> Result<Element, Fault> {
    let asked = call.request.text_of("RelayOutputToken");
    let io = &lock(&call.camera.device).io;
    if let Some(token) = asked.filter(|token| !io.relays.contains_key(token)) {
        return Err(io::no_relay(token));
    }
    let delays = DELAYS.map(|delay| delay.as_secs_f64().to_string());
    let relays = io.relays.keys();
    let relays = relays.filter(|token| asked.is_none_or(|asked| asked == **token));
    let options = relays.map(|token| {
        element(TMD, "RelayOutputOptions")
            .attribute("token", token)
            .leaf(TMD, "Mode", "Monostable")
            .leaf(TMD, "Mode", "Bistable")
            .leaf(TMD, "DelayTimes", delays.join(" "))
            .leaf(TMD, "Discrete", false)
    });
    let response = call.response("GetRelayOutputOptionsResponse");
    Ok(response.children(options))
}

fn set_digital_inputs(call: &Call<'_>) -> Result<Element, Fault> {
    let io = &mut lock(&call.camera.device).io;
    let mut wanted = Vec::new();
    for input in call.request.all("DigitalInputs") {
        let token = known_input(io, input.attribute("token").unwrap_or_default())?;
        match input.attribute("IdleState") {
            Some(state) if io::is_idle_state(state) => wanted.push((token, state)),
            None => {}
            Some(state) => {
                let reason = format!("IdleState cannot be {state}");
                return Err(Fault::invalid_value("SettingsInvalid", reason));
            }
        }
    }
    for (token, state) in wanted {
        io.inputs.insert(token, state.to_owned());
    }
    Ok(call.response("SetDigitalInputConfigurationsResponse"))
}

fn known_input(io: &Io, token: &str) -> Result<&'static str, Fault> {
    let known = io.inputs.keys().find(|known| **known == token);
    known.copied().ok_or_else(|| {
        let reason = format!("there is no digital input {token}");
        Fault::invalid_value("NoConfig", reason)
    })
}
