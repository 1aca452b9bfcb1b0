use crate::media::{
    ConfigurationToken, ProfileToken, VideoSourceConfiguration, VideoSourceConfigurationOptions,
};
use crate::{operation, soap_reply};

operation! {
    /// Asks for configurations of video sources: one, those that fit a profile, or all.
    pub struct GetVideoSourceConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit this profile.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetVideoSourceConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetVideoSourceConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceConfigurations`].
    pub struct GetVideoSourceConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<VideoSourceConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of a video source. What the request leaves out is reset or refused,
    /// so change what was read.
    pub struct SetVideoSourceConfiguration in "tr2" {
        /// The configuration, whole.
        configuration: VideoSourceConfiguration = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetVideoSourceConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of a video source may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetVideoSourceConfigurationOptions in "tr2" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetVideoSourceConfigurationOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetVideoSourceConfigurationOptions/", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoSourceConfigurationOptions`].
    pub struct GetVideoSourceConfigurationOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Option<VideoSourceConfigurationOptions> = "Options",
    }
}
