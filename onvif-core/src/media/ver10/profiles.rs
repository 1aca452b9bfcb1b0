use crate::media::{
    AudioDecoderConfiguration, AudioEncoderConfiguration, AudioOutputConfiguration,
    AudioSourceConfiguration, ConfigurationToken, MetadataConfiguration, ProfileToken,
    VideoAnalyticsConfiguration, VideoEncoderConfiguration, VideoSourceConfiguration,
};
use crate::{operation, soap_reply};

operation! {
    /// Makes a profile that has nothing in it yet.
    pub struct CreateProfile in "trt" {
        /// Its name, for people.
        name: String = "Name",
        /// The token it shall have; without it the device chooses one.
        token: Option<ProfileToken> = "Token",
    } -> CreateProfileResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/CreateProfile", Actuate, Write
}

soap_reply! {
    /// The reply to [`CreateProfile`].
    pub struct CreateProfileResponse in "trt" {
        /// The profile.
        profile: Option<MediaProfile> = "Profile",
    }
}

operation! {
    /// Asks for one profile.
    pub struct GetProfile in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetProfileResponse;
    Media, "http://www.onvif.org/ver10/media/wsdlGetProfile/", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetProfile`].
    pub struct GetProfileResponse in "trt" {
        /// The profile.
        profile: Option<MediaProfile> = "Profile",
    }
}

operation! {
    /// Asks for all profiles.
    pub struct GetProfiles in "trt" {} -> GetProfilesResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetProfiles", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetProfiles`].
    pub struct GetProfilesResponse in "trt" {
        /// The profiles.
        profiles: Vec<MediaProfile> = "Profiles",
    }
}

operation! {
    /// Deletes a profile, unless it is fixed. Its configurations stay.
    pub struct DeleteProfile in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/DeleteProfile", Actuate, Write
}

soap_reply! {
    /// A media profile: configurations that make a stream together.
    pub struct MediaProfile in "tt" [
        /// Its token.
        token: ProfileToken = "token",
        /// Whether it cannot be deleted.
        fixed: Option<bool> = "fixed",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// The video source.
        video_source: Option<VideoSourceConfiguration> = "VideoSourceConfiguration",
        /// The audio source.
        audio_source: Option<AudioSourceConfiguration> = "AudioSourceConfiguration",
        /// The video encoder.
        video_encoder: Option<VideoEncoderConfiguration> = "VideoEncoderConfiguration",
        /// The audio encoder.
        audio_encoder: Option<AudioEncoderConfiguration> = "AudioEncoderConfiguration",
        /// Analytics.
        analytics: Option<VideoAnalyticsConfiguration> = "VideoAnalyticsConfiguration",
        /// PTZ.
        ptz: Option<PtzConfigurationEntity> = "PTZConfiguration",
        /// Metadata.
        metadata: Option<MetadataConfiguration> = "MetadataConfiguration",
        /// The way back: audio to the device.
        extension: Option<MediaProfileExtension> = "Extension",
    }
}

soap_reply! {
    /// What a later version added to profiles.
    pub struct MediaProfileExtension in "tt" {
        /// The audio output.
        audio_output: Option<AudioOutputConfiguration> = "AudioOutputConfiguration",
        /// The audio decoder.
        audio_decoder: Option<AudioDecoderConfiguration> = "AudioDecoderConfiguration",
    }
}

soap_reply! {
    /// The part of a PTZ configuration that names its node.
    pub struct PtzConfigurationEntity in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// The node it moves.
        node_token: Option<String> = "NodeToken",
    }
}
