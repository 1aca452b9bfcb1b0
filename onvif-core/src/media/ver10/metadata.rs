use crate::media::{
    ConfigurationToken, MetadataConfiguration, MetadataConfigurationOptions, ProfileToken,
};
use crate::{operation, soap_reply};

operation! {
    /// Adds a configuration of a metadata stream to a profile, in place of the one it has.
    pub struct AddMetadataConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddMetadataConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of a metadata stream out of a profile.
    pub struct RemoveMetadataConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemoveMetadataConfiguration", Actuate, Write
}

operation! {
    /// Asks for all configurations of metadata streams.
    pub struct GetMetadataConfigurations in "trt" {} -> GetMetadataConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetMetadataConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetMetadataConfigurations`].
    pub struct GetMetadataConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<MetadataConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks for one configuration of a metadata stream.
    pub struct GetMetadataConfiguration in "trt" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetMetadataConfigurationResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetMetadataConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetMetadataConfiguration`].
    pub struct GetMetadataConfigurationResponse in "trt" {
        /// The configuration.
        configuration: Option<MetadataConfiguration> = "Configuration",
    }
}

operation! {
    /// Asks for the configurations of metadata streams that fit what the profile already has.
    pub struct GetCompatibleMetadataConfigurations in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleMetadataConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetCompatibleMetadataConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleMetadataConfigurations`].
    pub struct GetCompatibleMetadataConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<MetadataConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of a metadata stream. What the request leaves out is reset or
    /// refused, so change what was read.
    pub struct SetMetadataConfiguration in "trt" {
        /// The configuration, whole.
        configuration: MetadataConfiguration = "Configuration",
        /// What the schema demands. Devices keep every change, whatever it says.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetMetadataConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of a metadata stream may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetMetadataConfigurationOptions in "trt" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetMetadataConfigurationOptionsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetMetadataConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetMetadataConfigurationOptions`].
    pub struct GetMetadataConfigurationOptionsResponse in "trt" {
        /// What it may be set to.
        options: Option<MetadataConfigurationOptions> = "Options",
    }
}
