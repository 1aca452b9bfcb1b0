//! Operations and types of Media, the first version.

pub use super::{
    VideoEncoderConfiguration, VideoRateControl, VideoSource, VideoSourceConfiguration,
};

use super::{
    AudioEncoderConfiguration, AudioSourceConfiguration, ConfigurationToken, MetadataConfiguration,
    ProfileToken, StreamTransport,
};
use crate::{operation, soap_enum, soap_reply, soap_type};

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

soap_reply! {
    /// A media profile.
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
        /// The video encoder.
        video_encoder: Option<VideoEncoderConfiguration> = "VideoEncoderConfiguration",
        /// The audio source.
        audio_source: Option<AudioSourceConfiguration> = "AudioSourceConfiguration",
        /// The audio encoder.
        audio_encoder: Option<AudioEncoderConfiguration> = "AudioEncoderConfiguration",
        /// PTZ.
        ptz: Option<PtzConfigurationEntity> = "PTZConfiguration",
        /// Metadata.
        metadata: Option<MetadataConfiguration> = "MetadataConfiguration",
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

operation! {
    /// Asks for the URI of a profile's stream.
    pub struct GetStreamUri in "trt" {
        /// How the stream is carried.
        stream_setup: StreamSetup = "StreamSetup",
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetUriResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetStreamUri", ReadMedia, Read
}

soap_type! {
    /// How a stream is carried.
    pub struct StreamSetup in "tt" {
        /// To one receiver or to many.
        stream: StreamType = "Stream",
        /// Over what.
        transport: Transport = "Transport",
    }
}

soap_type! {
    /// Over what a stream is carried.
    pub struct Transport in "tt" {
        /// The protocol.
        protocol: TransportProtocol = "Protocol",
    }
}

soap_enum! {
    /// To one receiver or to many.
    pub enum StreamType {
        /// To one.
        Unicast = "RTP-Unicast",
        /// To many.
        Multicast = "RTP-Multicast",
    }
}

soap_enum! {
    /// The protocol that carries a stream.
    pub enum TransportProtocol {
        /// RTP over UDP.
        Udp = "UDP",
        /// RTP over TCP; deprecated.
        Tcp = "TCP",
        /// RTP inside RTSP.
        Rtsp = "RTSP",
        /// RTP inside RTSP inside HTTP.
        Http = "HTTP",
    }
}

impl From<StreamTransport> for StreamSetup {
    fn from(transport: StreamTransport) -> Self {
        let (stream, protocol) = match transport {
            StreamTransport::UdpUnicast => (StreamType::Unicast, TransportProtocol::Udp),
            StreamTransport::UdpMulticast => (StreamType::Multicast, TransportProtocol::Udp),
            StreamTransport::Rtsp => (StreamType::Unicast, TransportProtocol::Rtsp),
            StreamTransport::RtspOverHttp => (StreamType::Unicast, TransportProtocol::Http),
        };
        Self {
            stream,
            transport: Transport { protocol },
        }
    }
}

operation! {
    /// Asks for the URI of a profile's snapshot.
    pub struct GetSnapshotUri in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> GetUriResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetSnapshotUri", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetStreamUri`] and [`GetSnapshotUri`].
    pub struct GetUriResponse in "trt" {
        /// The URI with its life.
        media_uri: Option<MediaUri> = "MediaUri",
    }
}

impl GetUriResponse {
    /// The URI as the camera reports it; empty when it reports none.
    pub fn uri(&self) -> &str {
        self.media_uri
            .as_ref()
            .and_then(|media| media.uri.as_deref())
            .unwrap_or_default()
    }
}

soap_reply! {
    /// A URI with its life.
    pub struct MediaUri in "tt" {
        /// The URI as reported.
        uri: Option<String> = "Uri",
        /// Whether it is good for one connection only.
        invalid_after_connect: Option<bool> = "InvalidAfterConnect",
        /// Whether it changes with a restart.
        invalid_after_reboot: Option<bool> = "InvalidAfterReboot",
    }
}

operation! {
    /// Asks for the video sources.
    pub struct GetVideoSources in "trt" {} -> GetVideoSourcesResponse;
    Media, "http://www.onvif.org/ver10/media/wsdlGetVideoSources/", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetVideoSources`].
    pub struct GetVideoSourcesResponse in "trt" {
        /// The sources.
        sources: Vec<VideoSource> = "VideoSources",
    }
}

operation! {
    /// Asks for the configurations of all video encoders.
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
    /// Asks for a key frame.
    pub struct SetSynchronizationPoint in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetSynchronizationPoint", Actuate, Write
}

operation! {
    /// Asks what the service can do.
    pub struct GetServiceCapabilities in "trt" {} -> GetServiceCapabilitiesResponse;
    Media, "http://www.onvif.org/ver10/media/wsdl/GetServiceCapabilities", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServiceCapabilities`].
    pub struct GetServiceCapabilitiesResponse in "trt" {
        /// The capabilities.
        capabilities: Option<MediaCapabilities> = "Capabilities",
    }
}

soap_reply! {
    /// What the media service can do.
    pub struct MediaCapabilities in "trt" [
        /// Snapshots are offered.
        snapshot_uri: Option<bool> = "SnapshotUri",
        /// The picture can be rotated.
        rotation: Option<bool> = "Rotation",
        /// Text can be shown in the picture.
        osd: Option<bool> = "OSD",
    ] {}
}
