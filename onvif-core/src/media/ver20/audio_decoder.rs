use crate::media::{
    AudioDecoderConfiguration, AudioEncoderOptions, ConfigurationToken, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Asks for configurations of audio decoders: one, those that fit a profile, or all.
    pub struct GetAudioDecoderConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit this profile.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioDecoderConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioDecoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioDecoderConfigurations`].
    pub struct GetAudioDecoderConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<AudioDecoderConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of an audio decoder. What the request leaves out is reset or
    /// refused, so change what was read.
    pub struct SetAudioDecoderConfiguration in "tr2" {
        /// The configuration, whole.
        configuration: AudioDecoderConfiguration = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetAudioDecoderConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of an audio decoder may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetAudioDecoderConfigurationOptions in "tr2" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioDecoderConfigurationOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioDecoderConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioDecoderConfigurationOptions`].
    pub struct GetAudioDecoderConfigurationOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Vec<AudioEncoderOptions> = "Options",
    }
}
