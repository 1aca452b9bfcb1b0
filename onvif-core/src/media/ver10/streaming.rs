use crate::media::{ProfileToken, StreamTransport};
use crate::xml::IsoDuration;
use crate::{operation, soap_enum, soap_reply, soap_type};

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

operation! {
    /// Starts to send a profile to the multicast groups of its configurations, without RTSP.
    pub struct StartMulticastStreaming in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/StartMulticastStreaming", Actuate, Write
}

operation! {
    /// Stops what `StartMulticastStreaming` started.
    pub struct StopMulticastStreaming in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/StopMulticastStreaming", Actuate, Write
}

operation! {
    /// Asks for a key frame in every video stream of the profile, and for the state of every
    /// property in its metadata.
    pub struct SetSynchronizationPoint in "trt" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media, "http://www.onvif.org/ver10/media/wsdl/SetSynchronizationPoint", Actuate, Write
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
        /// How long it is good; zero means for ever.
        timeout: Option<IsoDuration> = "Timeout",
    }
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
