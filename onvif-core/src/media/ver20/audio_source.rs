use crate::media::{
    AudioSourceConfiguration, AudioSourceConfigurationOptions, ConfigurationToken, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Asks for configurations of audio sources: one, those that fit a profile, or all.
    pub struct GetAudioSourceConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit this profile.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioSourceConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioSourceConfigurations/", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioSourceConfigurations`].
    pub struct GetAudioSourceConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<AudioSourceConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of an audio source. What the request leaves out is reset or refused,
    /// so change what was read.
    pub struct SetAudioSourceConfiguration in "tr2" {
        /// The configuration, whole.
        configuration: AudioSourceConfiguration = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetAudioSourceConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of an audio source may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetAudioSourceConfigurationOptions in "tr2" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioSourceConfigurationOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioSourceConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioSourceConfigurationOptions`].
    pub struct GetAudioSourceConfigurationOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Option<AudioSourceConfigurationOptions> = "Options",
    }
}
