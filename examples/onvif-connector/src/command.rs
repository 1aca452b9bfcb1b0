//! The commands: one table, from which discovery registers management actions and requests are answered.

mod json;
mod media;
mod ptz;

use connector_sdk::model::ActionType;
use connector_sdk::{Command, Error};
use onvif_core::device::GetDeviceInformation;
use onvif_core::media::ver10;
use onvif_core::{Operation, Service};
use onvif_ptz as tptz;
use serde_json::{Value, json};

use crate::connector::OnvifDevice;

/// A command that a camera can answer.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The name of the ONVIF operation.
    pub(crate) name: &'static str,
    /// The management group it is registered in.
    pub(crate) group: &'static str,
    /// The service that a camera must have.
    pub(crate) service: Service,
    /// What the target URI of a management action names.
    pub(crate) soap_action: &'static str,
    reads: bool,
}

impl Entry {
    const fn of<O: Operation>(group: &'static str) -> Self {
        Self {
            name: O::NAME,
            group,
            service: O::SERVICE,
            soap_action: O::ACTION,
            reads: matches!(O::EFFECT, onvif_core::Effect::Read),
        }
    }

    /// `Read` for what takes no input; the contract sends it `{}`.
    pub(crate) fn action_type(&self) -> ActionType {
        let takes_input = self.service == Service::Ptz;
        if self.reads && !takes_input {
            ActionType::Read
        } else {
            ActionType::Call
        }
    }
}

/// All commands.
pub(crate) const TABLE: &[Entry] = &[
    Entry::of::<GetDeviceInformation>("Device"),
    Entry::of::<ver10::GetProfiles>("Media"),
    Entry::of::<tptz::AbsoluteMove>("PTZ"),
    Entry::of::<tptz::ContinuousMove>("PTZ"),
    Entry::of::<tptz::GetPresets>("PTZ"),
    Entry::of::<tptz::GetStatus>("PTZ"),
    Entry::of::<tptz::GotoHomePosition>("PTZ"),
    Entry::of::<tptz::GotoPreset>("PTZ"),
    Entry::of::<tptz::RelativeMove>("PTZ"),
    Entry::of::<tptz::RemovePreset>("PTZ"),
    Entry::of::<tptz::SetHomePosition>("PTZ"),
    Entry::of::<tptz::SetPreset>("PTZ"),
    Entry::of::<tptz::Stop>("PTZ"),
];

/// Carries out a command and returns the content of its answer.
pub(crate) async fn invoke(device: &OnvifDevice, command: &Command) -> Result<Value, Error> {
    match command.name.as_str() {
        "GetDeviceInformation" => {
            let information = device.camera().device().information().await;
            let information = information.map_err(crate::connector::failed)?;
            Ok(present(json!({
                "Manufacturer": information.manufacturer,
                "Model": information.model,
                "FirmwareVersion": information.firmware_version,
                "SerialNumber": information.serial_number,
                "HardwareId": information.hardware_id,
            })))
        }
        "GetProfiles" => media::profiles(device).await,
        _ => ptz::invoke(device, command).await,
    }
}

/// The document without what is not known: absent, not null.
fn present(mut document: Value) -> Value {
    if let Value::Object(fields) = &mut document {
        fields.retain(|_, value| !value.is_null());
    }
    document
}
