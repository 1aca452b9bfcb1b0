use std::time::Duration;

use super::DeviceClient;
use crate::error::Error;
use crate::xml::IsoDuration;
use crate::{operation, soap_enum, soap_reply, soap_token, soap_type};

impl DeviceClient<'_> {
    /// The relay outputs. Where the camera has the DeviceIO service, prefer
    /// [`DeviceIoClient`](crate::device_io::DeviceIoClient).
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetRelayOutputs")]
    pub async fn relay_outputs(&self) -> Result<Vec<RelayOutput>, Error> {
        Ok(self.camera.call(&GetRelayOutputs {}).await?.relay_outputs)
    }

    /// Sets how a relay behaves.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:RelayToken` for an unknown relay, `ter:ModeError` for a mode or
    /// time the camera cannot do.
    #[doc(alias = "SetRelayOutputSettings")]
    pub async fn set_relay_output_settings(
        &self,
        relay: &RelayOutputToken,
        settings: RelayOutputSettings,
    ) -> Result<(), Error> {
        let request = SetRelayOutputSettings {
            token: relay.clone(),
            settings,
        };
        self.camera.call(&request).await
    }

    /// Switches a relay. A monostable one falls back by itself.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:RelayToken` for an unknown relay.
    #[doc(alias = "SetRelayOutputState")]
    pub async fn set_relay_output_state(
        &self,
        relay: &RelayOutputToken,
        state: RelayLogicalState,
    ) -> Result<(), Error> {
        let request = SetRelayOutputState {
            token: relay.clone(),
            state,
        };
        self.camera.call(&request).await
    }

    /// Switches something the camera has, such as a wiper: `tt:Wiper|On`. Returns what the camera says about it. The
    /// commands it knows are in [`service_capabilities`](Self::service_capabilities).
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:AuxiliaryDataNotSupported` for a command the camera does not know.
    #[doc(alias = "SendAuxiliaryCommand")]
    pub async fn send_auxiliary_command(
        &self,
        command: impl Into<String>,
    ) -> Result<Option<String>, Error> {
        let command = command.into();
        let reply = self.camera.call(&SendAuxiliaryCommand { command }).await?;
        Ok(reply.response)
    }
}

soap_token! {
    /// Names a relay output.
    pub struct RelayOutputToken;
}

operation! {
    /// Asks for the relay outputs.
    pub struct GetRelayOutputs in "tds" {} -> GetRelayOutputsResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetRelayOutputs", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetRelayOutputs`], of the Device and of the DeviceIO service.
    pub struct GetRelayOutputsResponse in "tds" {
        /// The relays.
        relay_outputs: Vec<RelayOutput> = "RelayOutputs",
    }
}

soap_type! {
    /// A relay output.
    pub struct RelayOutput in "tt" [
        /// Its token.
        token: RelayOutputToken = "token",
    ] {
        /// How it behaves.
        settings: Option<RelayOutputSettings> = "Properties",
    }
}

soap_type! {
    /// How a relay behaves.
    pub struct RelayOutputSettings in "tt" {
        /// Whether it falls back by itself.
        mode: Option<RelayMode> = "Mode",
        /// After how long it falls back, where it does.
        delay_time: Option<IsoDuration> = "DelayTime",
        /// What the contact is while the relay is inactive.
        idle_state: Option<RelayIdleState> = "IdleState",
    }
}

impl RelayOutputSettings {
    /// A relay that stays as it is set.
    pub fn bistable(idle_state: RelayIdleState) -> Self {
        Self {
            mode: Some(RelayMode::Bistable),
            // The schema wants a time here too; cameras ignore it.
            delay_time: Some(IsoDuration(Duration::ZERO)),
            idle_state: Some(idle_state),
        }
    }

    /// A relay that falls back after a time.
    pub fn monostable(delay: Duration, idle_state: RelayIdleState) -> Self {
        Self {
            mode: Some(RelayMode::Monostable),
            delay_time: Some(IsoDuration(delay)),
            idle_state: Some(idle_state),
        }
    }
}

soap_enum! {
    /// Whether a relay falls back by itself.
    pub enum RelayMode {
        /// It does, after its delay.
        Monostable = "Monostable",
        /// It stays as it is set.
        Bistable = "Bistable",
    }
}

soap_enum! {
    /// What a contact is while the relay is inactive.
    pub enum RelayIdleState {
        /// Closed.
        Closed = "closed",
        /// Open.
        Open = "open",
    }
}

soap_enum! {
    /// Whether a relay is switched on, whatever that means for its contact.
    pub enum RelayLogicalState {
        /// It is.
        Active = "active",
        /// It is idle.
        Inactive = "inactive",
    }
}

operation! {
    /// Sets how a relay behaves.
    pub struct SetRelayOutputSettings in "tds" {
        /// Which.
        token: RelayOutputToken = "RelayOutputToken",
        /// How it shall behave.
        settings: RelayOutputSettings = "Properties",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetRelayOutputSettings", Actuate, Write
}

operation! {
    /// Switches a relay.
    pub struct SetRelayOutputState in "tds" {
        /// Which.
        token: RelayOutputToken = "RelayOutputToken",
        /// Its new state.
        state: RelayLogicalState = "LogicalState",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetRelayOutputState", Actuate, Write
}

operation! {
    /// Switches something the camera has: a wiper, a lamp, a heater.
    pub struct SendAuxiliaryCommand in "tds" {
        /// The command, such as `tt:IRLamp|Auto`.
        command: String = "AuxiliaryCommand",
    } -> SendAuxiliaryCommandResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/SendAuxiliaryCommand", Actuate, Write
}

soap_reply! {
    /// The reply to [`SendAuxiliaryCommand`].
    pub struct SendAuxiliaryCommandResponse in "tds" {
        /// What the camera says about it.
        response: Option<String> = "AuxiliaryCommandResponse",
    }
}
