use std::time::Duration;

use super::DeviceIoClient;
use crate::device::{
    GetRelayOutputsResponse, RelayLogicalState, RelayMode, RelayOutput, RelayOutputSettings,
    RelayOutputToken,
};
use crate::error::Error;
use crate::schema::Words;
use crate::xml::date;
use crate::{operation, soap_reply};

impl DeviceIoClient<'_> {
    /// The relay outputs.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetRelayOutputs")]
    pub async fn relay_outputs(&self) -> Result<Vec<RelayOutput>, Error> {
        Ok(self.camera.call(&GetRelayOutputs {}).await?.relay_outputs)
    }

    /// What can be set on a relay; on all relays where none is given.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:RelayToken` for an unknown relay.
    #[doc(alias = "GetRelayOutputOptions")]
    pub async fn relay_output_options(
        &self,
        relay: Option<&RelayOutputToken>,
    ) -> Result<Vec<RelayOutputOptions>, Error> {
        let request = GetRelayOutputOptions {
            token: relay.cloned(),
        };
        Ok(self.camera.call(&request).await?.options)
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
            relay_output: RelayOutput {
                token: relay.clone(),
                settings: Some(settings),
            },
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
}

operation! {
    /// Asks for the relay outputs. Its elements are those of the Device service.
    pub struct GetRelayOutputs in "tds" {} -> GetRelayOutputsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetRelayOutputs", ReadMedia, Read
}

operation! {
    /// Asks what can be set on relays.
    pub struct GetRelayOutputOptions in "tmd" {
        /// Which; all without.
        token: Option<RelayOutputToken> = "RelayOutputToken",
    } -> GetRelayOutputOptionsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetRelayOutputOptions", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetRelayOutputOptions`].
    pub struct GetRelayOutputOptionsResponse in "tmd" {
        /// One for each relay.
        options: Vec<RelayOutputOptions> = "RelayOutputOptions",
    }
}

soap_reply! {
    /// What can be set on a relay.
    pub struct RelayOutputOptions in "tmd" [
        /// The relay.
        token: RelayOutputToken = "token",
    ] {
        /// Its modes.
        modes: Vec<RelayMode> = "Mode",
        /// Times after which it falls back: the possible ones, or the ends of a range. In seconds or as `xs:duration`,
        /// see [`delays`](Self::delays).
        delay_times: Option<Words> = "DelayTimes",
        /// Whether only the times listed are possible, not those between.
        discrete: Option<bool> = "Discrete",
    }
}

impl RelayOutputOptions {
    /// The times of `delay_times`, whichever way the camera writes them.
    pub fn delays(&self) -> Vec<Duration> {
        let read = |word: &String| {
            let seconds = || Duration::try_from_secs_f64(word.parse().ok()?).ok();
            date::parse_duration(word).or_else(seconds)
        };
        let words = self.delay_times.iter().flat_map(|words| &words.0);
        words.filter_map(read).collect()
    }
}

operation! {
    /// Sets how a relay behaves.
    pub struct SetRelayOutputSettings in "tmd" {
        /// The relay; its token tells which.
        relay_output: RelayOutput = "RelayOutput",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SetRelayOutputSettings", Actuate, Write
}

operation! {
    /// Switches a relay. Its elements are those of the Device service.
    pub struct SetRelayOutputState in "tds" {
        /// Which.
        token: RelayOutputToken = "RelayOutputToken",
        /// Its new state.
        state: RelayLogicalState = "LogicalState",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SetRelayOutputState", Actuate, Write
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_read_as_seconds_and_as_durations() {
        let options = RelayOutputOptions {
            token: "r".into(),
            modes: Vec::new(),
            delay_times: Some(Words(vec!["0.5".into(), "PT60S".into(), "soon".into()])),
            discrete: None,
        };
        let expected = [Duration::from_millis(500), Duration::from_secs(60)];
        assert_eq!(options.delays(), expected);
    }
}
