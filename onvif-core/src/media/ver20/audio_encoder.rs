use crate::media::{
    AudioEncoder2Configuration, AudioEncoderOptions, ConfigurationToken, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Asks for configurations of audio encoders: one, those that fit a profile, or all.
    pub struct GetAudioEncoderConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit this profile.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioEncoderConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioEncoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioEncoderConfigurations`].
    pub struct GetAudioEncoderConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<AudioEncoder2Configuration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of an audio encoder. What the request leaves out is reset or
    /// refused, so change what was read.
    pub struct SetAudioEncoderConfiguration in "tr2" {
        /// The configuration, whole.
        configuration: AudioEncoder2Configuration = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetAudioEncoderConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of an audio encoder may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetAudioEncoderConfigurationOptions in "tr2" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioEncoderConfigurationOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAudioEncoderConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioEncoderConfigurationOptions`].
    pub struct GetAudioEncoderConfigurationOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Vec<AudioEncoderOptions> = "Options",
    }
}
