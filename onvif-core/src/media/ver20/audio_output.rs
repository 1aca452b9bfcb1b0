use crate::media::{
    AudioOutputConfiguration, AudioOutputConfigurationOptions, ConfigurationToken, EqPreset,
    ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Asks for configurations of audio outputs: one, those that fit a profile, or all.
    pub struct GetAudioOutputConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit this profile.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioOutputConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioOutputConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputConfigurations`].
    pub struct GetAudioOutputConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<AudioOutputConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of an audio output. What the request leaves out is reset or refused,
    /// so change what was read.
    pub struct SetAudioOutputConfiguration in "tr2" {
        /// The configuration, whole.
        configuration: AudioOutputConfiguration = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetAudioOutputConfiguration", Actuate, Write
}

operation! {
    /// Changes a preset of the equaliser.
    pub struct SetEqPreset as "SetEQPreset" in "tr2" {
        /// The preset.
        configuration: EqPreset = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetEQPreset", WriteSystem, Write
}

operation! {
    /// Asks what the configuration of an audio output may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetAudioOutputConfigurationOptions in "tr2" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioOutputConfigurationOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioOutputConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioOutputConfigurationOptions`].
    pub struct GetAudioOutputConfigurationOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Option<AudioOutputConfigurationOptions> = "Options",
    }
}
