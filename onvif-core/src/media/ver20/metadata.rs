use crate::media::{
    ConfigurationToken, MetadataConfiguration, MetadataConfigurationOptions, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Asks for configurations of metadata streams: one, those that fit a profile, or all.
    pub struct GetMetadataConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit this profile.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetMetadataConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetMetadataConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetMetadataConfigurations`].
    pub struct GetMetadataConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<MetadataConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of a metadata stream. What the request leaves out is reset or
    /// refused, so change what was read.
    pub struct SetMetadataConfiguration in "tr2" {
        /// The configuration, whole.
        configuration: MetadataConfiguration = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetMetadataConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of a metadata stream may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetMetadataConfigurationOptions in "tr2" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetMetadataConfigurationOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetMetadataConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetMetadataConfigurationOptions`].
    pub struct GetMetadataConfigurationOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Option<MetadataConfigurationOptions> = "Options",
    }
}
