use crate::media::{
    AudioDecoderConfiguration, AudioDecoderConfigurationOptions, ConfigurationToken, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Adds a configuration of an audio decoder to a profile, in place of the one it has.
    pub struct AddAudioDecoderConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddAudioDecoderConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of an audio decoder out of a profile.
    pub struct RemoveAudioDecoderConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemoveAudioDecoderConfiguration", Actuate, Write
}

operation! {
    /// Asks for all configurations of audio decoders.
    pub struct GetAudioDecoderConfigurations in "trt" {} -> GetAudioDecoderConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioDecoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioDecoderConfigurations`].
    pub struct GetAudioDecoderConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<AudioDecoderConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks for one configuration of an audio decoder.
    pub struct GetAudioDecoderConfiguration in "trt" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetAudioDecoderConfigurationResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioDecoderConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioDecoderConfiguration`].
    pub struct GetAudioDecoderConfigurationResponse in "trt" {
        /// The configuration.
        configuration: Option<AudioDecoderConfiguration> = "Configuration",
    }
}

operation! {
    /// Asks for the configurations of audio decoders that fit what the profile already has.
    pub struct GetCompatibleAudioDecoderConfigurations in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleAudioDecoderConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetCompatibleAudioDecoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleAudioDecoderConfigurations`].
    pub struct GetCompatibleAudioDecoderConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<AudioDecoderConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of an audio decoder. What the request leaves out is reset or
    /// refused, so change what was read.
    pub struct SetAudioDecoderConfiguration in "trt" {
        /// The configuration, whole.
        configuration: AudioDecoderConfiguration = "Configuration",
        /// What the schema demands. Devices keep every change, whatever it says.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetAudioDecoderConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of an audio decoder may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetAudioDecoderConfigurationOptions in "trt" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAudioDecoderConfigurationOptionsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetAudioDecoderConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAudioDecoderConfigurationOptions`].
    pub struct GetAudioDecoderConfigurationOptionsResponse in "trt" {
        /// What it may be set to.
        options: Option<AudioDecoderConfigurationOptions> = "Options",
    }
}
