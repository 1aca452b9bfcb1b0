use crate::media::{ConfigurationToken, ProfileToken, VideoAnalyticsConfiguration};
use crate::{operation, soap_reply};

operation! {
    /// Adds a configuration of analytics to a profile, in place of the one it has.
    pub struct AddVideoAnalyticsConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddVideoAnalyticsConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of analytics out of a profile.
    pub struct RemoveVideoAnalyticsConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemoveVideoAnalyticsConfiguration", Actuate, Write
}

operation! {
    /// Asks for all configurations of analytics.
    pub struct GetVideoAnalyticsConfigurations in "trt" {} -> GetVideoAnalyticsConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetVideoAnalyticsConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoAnalyticsConfigurations`].
    pub struct GetVideoAnalyticsConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<VideoAnalyticsConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks for one configuration of analytics.
    pub struct GetVideoAnalyticsConfiguration in "trt" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetVideoAnalyticsConfigurationResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetVideoAnalyticsConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoAnalyticsConfiguration`].
    pub struct GetVideoAnalyticsConfigurationResponse in "trt" {
        /// The configuration.
        configuration: Option<VideoAnalyticsConfiguration> = "Configuration",
    }
}

operation! {
    /// Asks for the configurations of analytics that fit what the profile already has.
    pub struct GetCompatibleVideoAnalyticsConfigurations in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleVideoAnalyticsConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetCompatibleVideoAnalyticsConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleVideoAnalyticsConfigurations`].
    pub struct GetCompatibleVideoAnalyticsConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<VideoAnalyticsConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of analytics. What the request leaves out is reset or refused, so
    /// change what was read.
    pub struct SetVideoAnalyticsConfiguration in "trt" {
        /// The configuration, whole.
        configuration: VideoAnalyticsConfiguration = "Configuration",
        /// What the schema demands. Devices keep every change, whatever it says.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetVideoAnalyticsConfiguration", Actuate, Write
}
