use super::DeviceIoClient;
use crate::error::Error;
use crate::{operation, soap_enum, soap_reply, soap_token, soap_type};

impl DeviceIoClient<'_> {
    /// The digital inputs. Their states come as events of the topic `tns1:Device/Trigger/DigitalInput`.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetDigitalInputs")]
    pub async fn digital_inputs(&self) -> Result<Vec<DigitalInput>, Error> {
        Ok(self.camera.call(&GetDigitalInputs {}).await?.inputs)
    }

    /// Which idle states an input can be set to; those of all inputs where none is given.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetDigitalInputConfigurationOptions")]
    pub async fn digital_input_options(
        &self,
        input: Option<&DigitalInputToken>,
    ) -> Result<Vec<DigitalIdleState>, Error> {
        let request = GetDigitalInputConfigurationOptions {
            token: input.cloned(),
        };
        let reply = self.camera.call(&request).await?;
        Ok(reply
            .options
            .map_or_else(Vec::new, |options| options.idle_states))
    }

    /// Sets which state of inputs is the idle one; those not named stay.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:NoConfig` for an unknown input, `ter:SettingsInvalid` for a state
    /// it cannot be set to.
    #[doc(alias = "SetDigitalInputConfigurations")]
    pub async fn set_digital_inputs(
        &self,
        inputs: impl Into<Vec<DigitalInput>>,
    ) -> Result<(), Error> {
        let inputs = inputs.into();
        self.camera
            .call(&SetDigitalInputConfigurations { inputs })
            .await
    }
}

soap_token! {
    /// Names a digital input.
    pub struct DigitalInputToken;
}

operation! {
    /// Asks for the digital inputs.
    pub struct GetDigitalInputs in "tmd" {} -> GetDigitalInputsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetDigitalInputs", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetDigitalInputs`].
    pub struct GetDigitalInputsResponse in "tmd" {
        /// The inputs.
        inputs: Vec<DigitalInput> = "DigitalInputs",
    }
}

soap_type! {
    /// A digital input.
    #[derive(Eq)]
    pub struct DigitalInput in "tt" [
        /// Its token.
        token: DigitalInputToken = "token",
        /// What the contact is when nothing happens; `None` where it cannot be configured.
        idle_state: Option<DigitalIdleState> = "IdleState",
    ] {}
}

soap_enum! {
    /// What a contact is when nothing happens.
    pub enum DigitalIdleState {
        /// Closed.
        Closed = "closed",
        /// Open.
        Open = "open",
    }
}

operation! {
    /// Asks to what digital inputs can be set.
    pub struct GetDigitalInputConfigurationOptions in "tmd" {
        /// Which; all without.
        token: Option<DigitalInputToken> = "Token",
    } -> GetDigitalInputConfigurationOptionsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetDigitalInputConfigurationOptions", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetDigitalInputConfigurationOptions`].
    pub struct GetDigitalInputConfigurationOptionsResponse in "tmd" {
        /// The options.
        options: Option<DigitalInputConfigurationOptions> = "DigitalInputOptions",
    }
}

soap_reply! {
    /// To what digital inputs can be set.
    pub struct DigitalInputConfigurationOptions in "tmd" {
        /// Idle states.
        idle_states: Vec<DigitalIdleState> = "IdleState",
    }
}

operation! {
    /// Configures digital inputs.
    pub struct SetDigitalInputConfigurations in "tmd" {
        /// The inputs; their tokens tell which.
        inputs: Vec<DigitalInput> = "DigitalInputs",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SetDigitalInputConfigurations", Actuate, Write
}
