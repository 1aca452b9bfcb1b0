use crate::media::{ProfileToken, StreamTransport};
use crate::{operation, soap_reply};

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

operation! {
    /// Starts to send a profile to the multicast groups of its configurations, without RTSP.
    pub struct StartMulticastStreaming in "tr2" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/StartMulticastStreaming", Actuate, Write
}

operation! {
    /// Stops what `StartMulticastStreaming` started.
    pub struct StopMulticastStreaming in "tr2" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/StopMulticastStreaming", Actuate, Write
}

operation! {
    /// Asks for a key frame in every video stream of the profile, and for the state of every
    /// property in its metadata.
    pub struct SetSynchronizationPoint in "tr2" {
        /// The profile.
        profile_token: ProfileToken = "ProfileToken",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetSynchronizationPoint", Actuate, Write
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

/// The word for a way to carry a stream.
pub(in crate::media) fn protocol(transport: StreamTransport) -> String {
    match transport {
        StreamTransport::UdpUnicast => "RtspUnicast",
        StreamTransport::UdpMulticast => "RtspMulticast",
        StreamTransport::Rtsp => "RTSP",
        StreamTransport::RtspOverHttp => "RtspOverHttp",
    }
    .to_owned()
}
