use crate::media::{
    ConfigurationToken, Encoding, ProfileToken, VideoEncoder2Configuration,
    VideoEncoder2ConfigurationOptions,
};
use crate::{operation, soap_reply};

operation! {
    /// Asks for configurations of video encoders: one, those that fit a profile, or all.
    pub struct GetVideoEncoderConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit this profile.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetVideoEncoderConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetVideoEncoderConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoEncoderConfigurations`].
    pub struct GetVideoEncoderConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<VideoEncoder2Configuration> = "Configurations",
    }
}

operation! {
    /// Changes a configuration of a video encoder. What the request leaves out is reset or refused,
    /// so change what was read.
    pub struct SetVideoEncoderConfiguration in "tr2" {
        /// The configuration, whole.
        configuration: VideoEncoder2Configuration = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetVideoEncoderConfiguration", Actuate, Write
}

operation! {
    /// Asks what the configuration of a video encoder may be set to: one configuration, any in a
    /// profile, or any at all.
    pub struct GetVideoEncoderConfigurationOptions in "tr2" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// What any configuration of this profile may be set to.
        profile_token: Option<ProfileToken> = "ProfileToken",
    } -> GetVideoEncoderConfigurationOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetVideoEncoderConfigurationOptions", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoEncoderConfigurationOptions`].
    pub struct GetVideoEncoderConfigurationOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Vec<VideoEncoder2ConfigurationOptions> = "Options",
    }
}

operation! {
    /// Asks how many streams of a video source configuration can be encoded at once.
    pub struct GetVideoEncoderInstances in "tr2" {
        /// The configuration of the video source.
        configuration_token: ConfigurationToken = "ConfigurationToken",
    } -> GetVideoEncoderInstancesResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetVideoEncoderInstances", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoEncoderInstances`].
    pub struct GetVideoEncoderInstancesResponse in "tr2" {
        /// How many.
        info: Option<EncoderInstanceInfo> = "Info",
    }
}

soap_reply! {
    /// How many streams of a video source configuration can be encoded at once.
    pub struct EncoderInstanceInfo in "tr2" {
        /// Of each codec, where there are limits of their own.
        codecs: Vec<EncoderInstance> = "Codec",
        /// Of all codecs together.
        total: Option<u32> = "Total",
    }
}

soap_reply! {
    /// How many streams can be encoded with one codec.
    pub struct EncoderInstance in "tr2" {
        /// The codec.
        encoding: Option<Encoding> = "Encoding",
        /// How many.
        number: Option<u32> = "Number",
    }
}
