use crate::media::{ConfigurationToken, ProfileToken, VideoAnalyticsConfiguration};
use crate::{operation, soap_reply};

operation! {
    /// Asks for configurations of analytics: one, those that fit a profile, or all.
    pub struct GetAnalyticsConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit this profile.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetAnalyticsConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetAnalyticsConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetAnalyticsConfigurations`].
    pub struct GetAnalyticsConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<VideoAnalyticsConfiguration> = "Configurations",
    }
}
