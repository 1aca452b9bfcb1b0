use crate::media::{
    ConfigurationToken, ProfileToken, VideoEncoderConfiguration, VideoEncoderConfigurationOptions,
};
use crate::{operation, soap_reply};

operation! {
    /// Adds a configuration of a video encoder to a profile, in place of the one it has.
    pub struct AddVideoEncoderConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/AddVideoEncoderConfiguration", Actuate, Write
}

operation! {
    /// Takes the configuration of a video encoder out of a profile.
    pub struct RemoveVideoEncoderConfiguration in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/RemoveVideoEncoderConfiguration", Actuate, Write
}

operation! {
    /// Asks for all configurations of video encoders.
    pub struct GetVideoEncoderConfigurations in "trt" {} -> GetVideoEncoderConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetVideoEncoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoEncoderConfigurations`].
    pub struct GetVideoEncoderConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<VideoEncoderConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks for one configuration of a video encoder.
    pub struct GetVideoEncoderConfiguration in "trt" {
        /// The configuration.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetVideoEncoderConfigurationResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetVideoEncoderConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoEncoderConfiguration`].
    pub struct GetVideoEncoderConfigurationResponse in "trt" {
        /// The configuration.
        configuration: Option<VideoEncoderConfiguration> = "Configuration",
    }
}

operation! {
    /// Asks for the configurations of video encoders that fit what the profile already has.
    pub struct GetCompatibleVideoEncoderConfigurations in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetCompatibleVideoEncoderConfigurationsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetCompatibleVideoEncoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetCompatibleVideoEncoderConfigurations`].
    pub struct GetCompatibleVideoEncoderConfigurationsResponse in "trt" {
        /// The configurations.
        configurations: Vec<VideoEncoderConfiguration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of a video encoder. What the request leaves out is reset or refused,
    /// so change what was read.
    pub struct SetVideoEncoderConfiguration in "trt" {
        /// The configuration, whole.
        configuration: VideoEncoderConfiguration = "Configuration",
        /// What the schema demands. Devices keep every change, whatever it says.
        force_persistence: bool = "ForcePersistence",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetVideoEncoderConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of a video encoder may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetVideoEncoderConfigurationOptions in "trt" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetVideoEncoderConfigurationOptionsResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetVideoEncoderConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoEncoderConfigurationOptions`].
    pub struct GetVideoEncoderConfigurationOptionsResponse in "trt" {
        /// What it may be set to.
        options: Option<VideoEncoderConfigurationOptions> = "Options",
    }
}

operation! {
    /// Asks how many streams of a video source can be encoded at once.
    pub struct GetGuaranteedNumberOfVideoEncoderInstances in "trt" {
        /// The configuration of the video source.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetGuaranteedNumberOfVideoEncoderInstancesResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetGuaranteedNumberOfVideoEncoderInstances", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetGuaranteedNumberOfVideoEncoderInstances`].
    pub struct GetGuaranteedNumberOfVideoEncoderInstancesResponse in "trt" {
        /// All codecs together.
        total: Option<u32> = "TotalNumber",
        /// Of Motion JPEG.
        jpeg: Option<u32> = "JPEG",
        /// Of H.264.
        h264: Option<u32> = "H264",
        /// Of MPEG-4.
        mpeg4: Option<u32> = "MPEG4",
    }
}
