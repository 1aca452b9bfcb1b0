use crate::media::{
    ConfigurationToken, ProfileToken, VideoSourceConfiguration, VideoSourceConfigurationOptions,
};
use crate::{operation, soap_reply};

operation! {
    /// Adds a configuration of a video source to a profile, in place of the one it has.
    pub struct AddVideoSourceConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddVideoSourceConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of a video source out of a profile.
    pub struct RemoveVideoSourceConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemoveVideoSourceConfiguration", Actuate, Write
}

operation! {
    /// Asks for all configurations of video sources.
    pub struct GetVideoSourceConfigurations in "trt" {} -> GetVideoSourceConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetVideoSourceConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceConfigurations`].
    pub struct GetVideoSourceConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<VideoSourceConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks for one configuration of a video source.
    pub struct GetVideoSourceConfiguration in "trt" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetVideoSourceConfigurationResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetVideoSourceConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceConfiguration`].
    pub struct GetVideoSourceConfigurationResponse in "trt" {
        /// The configuration.
        configuration: Option<VideoSourceConfiguration> = "Configuration",
    }
}

operation! {
    /// Asks for the configurations of video sources that fit what the profile already has.
    pub struct GetCompatibleVideoSourceConfigurations in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleVideoSourceConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetCompatibleVideoSourceConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleVideoSourceConfigurations`].
    pub struct GetCompatibleVideoSourceConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<VideoSourceConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of a video source. What the request leaves out is reset or refused,
    /// so change what was read.
    pub struct SetVideoSourceConfiguration in "trt" {
        /// The configuration, whole.
        configuration: VideoSourceConfiguration = "Configuration",
        /// What the schema demands. Devices keep every change, whatever it says.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetVideoSourceConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of a video source may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetVideoSourceConfigurationOptions in "trt" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetVideoSourceConfigurationOptionsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdlGetVideoSourceConfigurationOptions/", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceConfigurationOptions`].
    pub struct GetVideoSourceConfigurationOptionsResponse in "trt" {
        /// What it may be set to.
        options: Option<VideoSourceConfigurationOptions> = "Options",
    }
}
