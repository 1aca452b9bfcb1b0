use crate::media::{
    AudioSourceConfiguration, AudioSourceConfigurationOptions, ConfigurationToken, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Adds a configuration of an audio source to a profile, in place of the one it has.
    pub struct AddAudioSourceConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddAudioSourceConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of an audio source out of a profile.
    pub struct RemoveAudioSourceConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemoveAudioSourceConfiguration", Actuate, Write
}

operation! {
    /// Asks for all configurations of audio sources.
    pub struct GetAudioSourceConfigurations in "trt" {} -> GetAudioSourceConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdlGetAudioSourceConfigurations/", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioSourceConfigurations`].
    pub struct GetAudioSourceConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<AudioSourceConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks for one configuration of an audio source.
    pub struct GetAudioSourceConfiguration in "trt" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetAudioSourceConfigurationResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioSourceConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioSourceConfiguration`].
    pub struct GetAudioSourceConfigurationResponse in "trt" {
        /// The configuration.
        configuration: Option<AudioSourceConfiguration> = "Configuration",
    }
}

operation! {
    /// Asks for the configurations of audio sources that fit what the profile already has.
    pub struct GetCompatibleAudioSourceConfigurations in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleAudioSourceConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetCompatibleAudioSourceConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleAudioSourceConfigurations`].
    pub struct GetCompatibleAudioSourceConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<AudioSourceConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of an audio source. What the request leaves out is reset or refused,
    /// so change what was read.
    pub struct SetAudioSourceConfiguration in "trt" {
        /// The configuration, whole.
        configuration: AudioSourceConfiguration = "Configuration",
        /// What the schema demands. Devices keep every change, whatever it says.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetAudioSourceConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of an audio source may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetAudioSourceConfigurationOptions in "trt" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioSourceConfigurationOptionsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioSourceConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioSourceConfigurationOptions`].
    pub struct GetAudioSourceConfigurationOptionsResponse in "trt" {
        /// What it may be set to.
        options: Option<AudioSourceConfigurationOptions> = "Options",
    }
}
