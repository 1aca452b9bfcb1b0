use super::DeviceIoClient;
use crate::error::Error;
use crate::media::{
    AudioOutputConfiguration, AudioOutputConfigurationOptions, AudioOutputToken,
    AudioSourceConfiguration, AudioSourceConfigurationOptions, AudioSourceToken,
};
use crate::{operation, soap_reply};

impl DeviceIoClient<'_> {
    /// The audio sources: microphones and line inputs.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioSources")]
    pub async fn audio_sources(&self) -> Result<Vec<AudioSourceToken>, Error> {
        Ok(self.camera.call(&GetAudioSources {}).await?.tokens)
    }

    /// The audio outputs: loudspeakers and line outputs.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetAudioOutputs")]
    pub async fn audio_outputs(&self) -> Result<Vec<AudioOutputToken>, Error> {
        Ok(self.camera.call(&GetAudioOutputs {}).await?.tokens)
    }
}

operation! {
    /// Asks for the audio sources.
    pub struct GetAudioSources in "tmd" {} -> GetAudioSourcesResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetAudioSources", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioSources`].
    pub struct GetAudioSourcesResponse in "tmd" {
        /// The sources.
        tokens: Vec<AudioSourceToken> = "Token",
    }
}

operation! {
    /// Asks for the audio outputs.
    pub struct GetAudioOutputs in "tmd" {} -> GetAudioOutputsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetAudioOutputs", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputs`].
    pub struct GetAudioOutputsResponse in "tmd" {
        /// The outputs.
        tokens: Vec<AudioOutputToken> = "Token",
    }
}

operation! {
    /// Asks for the configuration of an audio source.
    pub struct GetAudioSourceConfiguration in "tmd" {
        /// The source.
        source: AudioSourceToken = "AudioSourceToken",
    } -> GetAudioSourceConfigurationResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetAudioSourceConfiguration", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetAudioSourceConfiguration`].
    pub struct GetAudioSourceConfigurationResponse in "tmd" {
        /// The configuration.
        configuration: Option<AudioSourceConfiguration> = "AudioSourceConfiguration",
    }
}

operation! {
    /// Asks for the configuration of an audio output.
    pub struct GetAudioOutputConfiguration in "tmd" {
        /// The output.
        output: AudioOutputToken = "AudioOutputToken",
    } -> GetAudioOutputConfigurationResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetAudioOutputConfiguration", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputConfiguration`].
    pub struct GetAudioOutputConfigurationResponse in "tmd" {
        /// The configuration.
        configuration: Option<AudioOutputConfiguration> = "AudioOutputConfiguration",
    }
}

operation! {
    /// Changes the configuration of an audio source.
    pub struct SetAudioSourceConfiguration in "tmd" {
        /// The configuration; its token tells which.
        configuration: AudioSourceConfiguration = "Configuration",
        /// Whether it shall outlast a restart.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SetAudioSourceConfiguration", Unspecified, Write
}

operation! {
    /// Changes the configuration of an audio output.
    pub struct SetAudioOutputConfiguration in "tmd" {
        /// The configuration; its token tells which.
        configuration: AudioOutputConfiguration = "Configuration",
        /// Whether it shall outlast a restart.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/SetAudioOutputConfiguration", Unspecified, Write
}

operation! {
    /// Asks how an audio source can be configured.
    pub struct GetAudioSourceConfigurationOptions in "tmd" {
        /// The source.
        source: AudioSourceToken = "AudioSourceToken",
    } -> GetAudioSourceConfigurationOptionsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetAudioSourceConfigurationOptions", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetAudioSourceConfigurationOptions`].
    pub struct GetAudioSourceConfigurationOptionsResponse in "tmd" {
        /// The options.
        options: Option<AudioSourceConfigurationOptions> = "AudioSourceOptions",
    }
}

operation! {
    /// Asks how an audio output can be configured.
    pub struct GetAudioOutputConfigurationOptions in "tmd" {
        /// The output.
        output: AudioOutputToken = "AudioOutputToken",
    } -> GetAudioOutputConfigurationOptionsResponse;
    DeviceIo, "http://www.onvif.org/ver10/deviceio/wsdl/GetAudioOutputConfigurationOptions", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputConfigurationOptions`].
    pub struct GetAudioOutputConfigurationOptionsResponse in "tmd" {
        /// The options.
        options: Option<AudioOutputConfigurationOptions> = "AudioOutputOptions",
    }
}
