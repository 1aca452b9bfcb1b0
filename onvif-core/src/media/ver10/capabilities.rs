use crate::{operation, soap_reply};

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
    /// What the service can do. Absent flags mean no.
    pub struct MediaCapabilities in "trt" [
        /// Snapshots are offered.
        snapshot_uri: Option<bool> = "SnapshotUri",
        /// The picture can be turned.
        rotation: Option<bool> = "Rotation",
        /// Video sources have modes.
        video_source_mode: Option<bool> = "VideoSourceMode",
        /// Text can be shown in the picture.
        osd: Option<bool> = "OSD",
        /// Text can be shown that a restart takes away.
        temporary_osd_text: Option<bool> = "TemporaryOSDText",
        /// Metadata can be compressed with EXI.
        exi_compression: Option<bool> = "EXICompression",
    ] {
        /// Profiles.
        profiles: Option<ProfileCapabilities> = "ProfileCapabilities",
        /// Streaming.
        streaming: Option<StreamingCapabilities> = "StreamingCapabilities",
    }
}

soap_reply! {
    /// What profiles can be.
    pub struct ProfileCapabilities in "trt" [
        /// How many there may be.
        maximum_number_of_profiles: Option<u32> = "MaximumNumberOfProfiles",
    ] {}
}

soap_reply! {
    /// How streams can be carried.
    pub struct StreamingCapabilities in "trt" [
        /// To a multicast group.
        rtp_multicast: Option<bool> = "RTPMulticast",
        /// RTP over TCP; deprecated.
        rtp_tcp: Option<bool> = "RTP_TCP",
        /// RTP inside the RTSP connection.
        rtp_rtsp_tcp: Option<bool> = "RTP_RTSP_TCP",
        /// The streams of a session can be played one by one.
        non_aggregate_control: Option<bool> = "NonAggregateControl",
        /// There is no RTSP at all.
        no_rtsp_streaming: Option<bool> = "NoRTSPStreaming",
    ] {}
}
