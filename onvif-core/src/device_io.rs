//! Inputs and outputs of a camera: video, audio, relays, digital inputs, serial ports.

mod audio;
mod digital;
mod relay;
mod serial;
mod video;

pub use audio::*;
pub use digital::*;
pub use relay::*;
pub use serial::*;
pub use video::*;

use crate::camera::Camera;
use crate::error::Error;
use crate::operation::OperationInfo;
use crate::{operation, operations, soap_reply};

/// Inputs and outputs of one camera (ONVIF DeviceIO). A camera without this service has its relays in
/// [`DeviceClient`](crate::device::DeviceClient).
#[derive(Clone, Copy, Debug)]
pub struct DeviceIoClient<'c> {
    camera: &'c Camera,
}

impl<'c> DeviceIoClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
    }

    /// How many inputs and outputs the camera has.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetServiceCapabilities")]
    pub async fn service_capabilities(&self) -> Result<Option<DeviceIoCapabilities>, Error> {
        let reply = self.camera.call(&GetServiceCapabilities {}).await?;
        Ok(reply.capabilities)
    }
}

/// The operations of the service that can be called.
#[inline]
pub fn operations() -> &'static [OperationInfo] {
    const {
        operations! {
            GetServiceCapabilities
            GetVideoSources GetVideoOutputs
            GetVideoSourceConfiguration SetVideoSourceConfiguration GetVideoSourceConfigurationOptions
            GetVideoOutputConfiguration SetVideoOutputConfiguration GetVideoOutputConfigurationOptions
            GetAudioSources GetAudioOutputs
            GetAudioSourceConfiguration SetAudioSourceConfiguration GetAudioSourceConfigurationOptions
            GetAudioOutputConfiguration SetAudioOutputConfiguration GetAudioOutputConfigurationOptions
            GetRelayOutputs GetRelayOutputOptions SetRelayOutputSettings SetRelayOutputState
            GetDigitalInputs GetDigitalInputConfigurationOptions SetDigitalInputConfigurations
            GetSerialPorts GetSerialPortConfiguration SetSerialPortConfiguration
            GetSerialPortConfigurationOptions SendReceiveSerialCommand
        }
    }
}

operation! {
    /// Asks how many inputs and outputs there are.
    pub struct GetServiceCapabilities in "tmd" {} -> GetServiceCapabilitiesResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetServiceCapabilities", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServiceCapabilities`].
    pub struct GetServiceCapabilitiesResponse in "tmd" {
        /// The capabilities.
        capabilities: Option<DeviceIoCapabilities> = "Capabilities",
    }
}

soap_reply! {
    /// How many inputs and outputs there are. What is `None` is not told.
    #[doc(alias = "Capabilities")]
    pub struct DeviceIoCapabilities in "tmd" [
        /// Number of video sources.
        video_sources: Option<u32> = "VideoSources",
        /// Number of video outputs.
        video_outputs: Option<u32> = "VideoOutputs",
        /// Number of audio sources.
        audio_sources: Option<u32> = "AudioSources",
        /// Number of audio outputs.
        audio_outputs: Option<u32> = "AudioOutputs",
        /// Number of relays.
        relay_outputs: Option<u32> = "RelayOutputs",
        /// Number of serial ports.
        serial_ports: Option<u32> = "SerialPorts",
        /// Number of digital inputs.
        digital_inputs: Option<u32> = "DigitalInputs",
        /// Whether digital inputs can be configured.
        digital_input_options: Option<bool> = "DigitalInputOptions",
    ] {}
}
