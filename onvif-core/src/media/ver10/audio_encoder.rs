use crate::media::{
    AudioEncoderConfiguration, AudioEncoderConfigurationOptions, ConfigurationToken, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Adds a configuration of an audio encoder to a profile, in place of the one it has.
    pub struct AddAudioEncoderConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddAudioEncoderConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of an audio encoder out of a profile.
    pub struct RemoveAudioEncoderConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemoveAudioEncoderConfiguration", Actuate, Write
}

operation! {
    /// Asks for all configurations of audio encoders.
    pub struct GetAudioEncoderConfigurations in "trt" {} -> GetAudioEncoderConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioEncoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioEncoderConfigurations`].
    pub struct GetAudioEncoderConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<AudioEncoderConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks for one configuration of an audio encoder.
    pub struct GetAudioEncoderConfiguration in "trt" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetAudioEncoderConfigurationResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioEncoderConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioEncoderConfiguration`].
    pub struct GetAudioEncoderConfigurationResponse in "trt" {
        /// The configuration.
        configuration: Option<AudioEncoderConfiguration> = "Configuration",
    }
}

operation! {
    /// Asks for the configurations of audio encoders that fit what the profile already has.
    pub struct GetCompatibleAudioEncoderConfigurations in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleAudioEncoderConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetCompatibleAudioEncoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleAudioEncoderConfigurations`].
    pub struct GetCompatibleAudioEncoderConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<AudioEncoderConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of an audio encoder. What the request leaves out is reset or
    /// refused, so change what was read.
    pub struct SetAudioEncoderConfiguration in "trt" {
        /// The configuration, whole.
        configuration: AudioEncoderConfiguration = "Configuration",
        /// What the schema demands. Devices keep every change, whatever it says.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetAudioEncoderConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of an audio encoder may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetAudioEncoderConfigurationOptions in "trt" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioEncoderConfigurationOptionsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioEncoderConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioEncoderConfigurationOptions`].
    pub struct GetAudioEncoderConfigurationOptionsResponse in "trt" {
        /// What it may be set to.
        options: Option<AudioEncoderConfigurationOptions> = "Options",
    }
}
