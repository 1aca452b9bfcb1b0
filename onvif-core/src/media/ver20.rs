//! Operations and types of Media2, the second version.

pub use super::{VideoEncoder2Configuration, VideoRateControl2};

use super::ver10::PtzConfigurationEntity;
use super::{
    AudioEncoder2Configuration, AudioSourceConfiguration, ConfigurationToken,
    MetadataConfiguration, ProfileToken, StreamTransport, VideoAnalyticsConfiguration,
    VideoSourceConfiguration,
};
use crate::{operation, soap_reply};

operation! {
    /// Asks for profiles.
    pub struct GetProfiles in "tr2" {
        /// One profile; all without it.
        token: Option<ProfileToken> = "Token",
        /// Which configurations to include: `All`, `VideoSource`, `VideoEncoder`, `PTZ` and others.
        types: Vec<String> = "Type",
    } -> GetProfilesResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetProfiles", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetProfiles`].
    pub struct GetProfilesResponse in "tr2" {
        /// The profiles.
        profiles: Vec<MediaProfile> = "Profiles",
    }
}

soap_reply! {
    /// A media profile.
    pub struct MediaProfile in "tr2" [
        /// Its token.
        token: ProfileToken = "token",
        /// Whether it cannot be deleted.
        fixed: Option<bool> = "fixed",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// What it consists of.
        configurations: Option<ConfigurationSet> = "Configurations",
    }
}

soap_reply! {
    /// What a profile consists of.
    pub struct ConfigurationSet in "tr2" {
        /// The video source.
        video_source: Option<VideoSourceConfiguration> = "VideoSource",
        /// The audio source.
        audio_source: Option<AudioSourceConfiguration> = "AudioSource",
        /// The video encoder.
        video_encoder: Option<VideoEncoder2Configuration> = "VideoEncoder",
        /// The audio encoder.
        audio_encoder: Option<AudioEncoder2Configuration> = "AudioEncoder",
        /// Analytics.
        analytics: Option<VideoAnalyticsConfiguration> = "Analytics",
        /// PTZ.
        ptz: Option<PtzConfigurationEntity> = "PTZ",
        /// Metadata.
        metadata: Option<MetadataConfiguration> = "Metadata",
    }
}

operation! {
    /// Asks for the URI of a profile's stream.
    pub struct GetStreamUri in "tr2" {
        /// `RtspUnicast`, `RtspMulticast`, `RTSP`, `RtspOverHttp`.
        protocol: String = "Protocol",
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetUriResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetStreamUri", ReadMedia, Read
}

/// The word for a way to carry a stream.
pub(super) fn protocol(transport: StreamTransport) -> String {
    match transport {
        StreamTransport::UdpUnicast => "RtspUnicast",
        StreamTransport::UdpMulticast => "RtspMulticast",
        StreamTransport::Rtsp => "RTSP",
        StreamTransport::RtspOverHttp => "RtspOverHttp",
    }
    .to_owned()
}

operation! {
    /// Asks for the URI of a profile's snapshot.
    pub struct GetSnapshotUri in "tr2" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetUriResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetSnapshotUri", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetStreamUri`] and [`GetSnapshotUri`].
    pub struct GetUriResponse in "tr2" {
        /// The URI as reported.
        uri: Option<String> = "Uri",
    }
}

operation! {
    /// Asks for the configurations of video encoders.
    pub struct GetVideoEncoderConfigurations in "tr2" {
        /// One configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
        /// Those that fit a profile.
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
    /// Asks for a key frame.
    pub struct SetSynchronizationPoint in "tr2" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetSynchronizationPoint", Actuate, Write
}

operation! {
    /// Asks what the service can do.
    pub struct GetServiceCapabilities in "tr2" {} -> GetServiceCapabilitiesResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetServiceCapabilities", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServiceCapabilities`].
    pub struct GetServiceCapabilitiesResponse in "tr2" {
        /// The capabilities.
        capabilities: Option<Media2Capabilities> = "Capabilities",
    }
}

soap_reply! {
    /// What the media service can do.
    pub struct Media2Capabilities in "tr2" [
        /// Snapshots are offered.
        snapshot_uri: Option<bool> = "SnapshotUri",
        /// The picture can be rotated.
        rotation: Option<bool> = "Rotation",
        /// Text can be shown in the picture.
        osd: Option<bool> = "OSD",
        /// Parts of the picture can be masked.
        mask: Option<bool> = "Mask",
    ] {}
}
