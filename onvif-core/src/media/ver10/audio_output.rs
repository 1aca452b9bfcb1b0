use crate::media::{
    AudioOutputConfiguration, AudioOutputConfigurationOptions, ConfigurationToken, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Adds a configuration of an audio output to a profile, in place of the one it has.
    pub struct AddAudioOutputConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddAudioOutputConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of an audio output out of a profile.
    pub struct RemoveAudioOutputConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemoveAudioOutputConfiguration", Actuate, Write
}

operation! {
    /// Asks for all configurations of audio outputs.
    pub struct GetAudioOutputConfigurations in "trt" {} -> GetAudioOutputConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioOutputConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputConfigurations`].
    pub struct GetAudioOutputConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<AudioOutputConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks for one configuration of an audio output.
    pub struct GetAudioOutputConfiguration in "trt" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetAudioOutputConfigurationResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioOutputConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputConfiguration`].
    pub struct GetAudioOutputConfigurationResponse in "trt" {
        /// The configuration.
        configuration: Option<AudioOutputConfiguration> = "Configuration",
    }
}

operation! {
    /// Asks for the configurations of audio outputs that fit what the profile already has.
    pub struct GetCompatibleAudioOutputConfigurations in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleAudioOutputConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetCompatibleAudioOutputConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleAudioOutputConfigurations`].
    pub struct GetCompatibleAudioOutputConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<AudioOutputConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of an audio output. What the request leaves out is reset or refused,
    /// so change what was read.
    pub struct SetAudioOutputConfiguration in "trt" {
        /// The configuration, whole.
        configuration: AudioOutputConfiguration = "Configuration",
        /// What the schema demands. Devices keep every change, whatever it says.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetAudioOutputConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of an audio output may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetAudioOutputConfigurationOptions in "trt" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioOutputConfigurationOptionsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioOutputConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputConfigurationOptions`].
    pub struct GetAudioOutputConfigurationOptionsResponse in "trt" {
        /// What it may be set to.
        options: Option<AudioOutputConfigurationOptions> = "Options",
    }
}
