use crate::schema::Words;
use crate::{operation, soap_reply};

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
    /// What the service can do. Absent flags mean no.
    pub struct Media2Capabilities in "tr2" [
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
        /// Parts of the picture can be masked.
        mask: Option<bool> = "Mask",
        /// Masks cover the whole source, and not only what a configuration shows of it.
        source_mask: Option<bool> = "SourceMask",
        /// How many signalling servers of WebRTC there may be.
        web_rtc: Option<u32> = "WebRTC",
        /// The codecs of WebRTC.
        web_rtc_codecs: Option<Words> = "WebRTC_codecs",
    ] {
        /// Profiles.
        profiles: Option<ProfileCapabilities> = "ProfileCapabilities",
        /// Streaming.
        streaming: Option<StreamingCapabilities> = "StreamingCapabilities",
        /// Recordings that the device plays.
        audio_clips: Option<AudioClipCapabilities> = "AudioClipCapabilities",
        /// Audio that reaches the device by multicast.
        multicast_audio_decoder: Option<MulticastAudioDecoderCapabilities> = "MulticastAudioDecoderCapabilities",
    }
}

soap_reply! {
    /// What profiles can be.
    pub struct ProfileCapabilities in "tr2" [
        /// How many there may be.
        maximum_number_of_profiles: Option<u32> = "MaximumNumberOfProfiles",
        /// The kinds of configurations they can have.
        configurations_supported: Option<Words> = "ConfigurationsSupported",
    ] {}
}

soap_reply! {
    /// How streams can be carried.
    pub struct StreamingCapabilities in "tr2" [
        /// By RTSP.
        rtsp_streaming: Option<bool> = "RTSPStreaming",
        /// To a multicast group.
        rtp_multicast: Option<bool> = "RTPMulticast",
        /// RTP inside the RTSP connection.
        rtp_rtsp_tcp: Option<bool> = "RTP_RTSP_TCP",
        /// The streams of a session can be played one by one.
        non_aggregate_control: Option<bool> = "NonAggregateControl",
        /// Where RTSP is offered over a WebSocket.
        rtsp_web_socket_uri: Option<String> = "RTSPWebSocketUri",
        /// Multicast can start with the device.
        auto_start_multicast: Option<bool> = "AutoStartMulticast",
        /// RTSP over TLS with SRTP.
        secure_rtsp_streaming: Option<bool> = "SecureRTSPStreaming",
    ] {}
}

soap_reply! {
    /// What recordings can be.
    pub struct AudioClipCapabilities in "tr2" [
        /// How many there may be.
        max_clips: Option<u32> = "MaxAudioClipLimit",
        /// Megabytes that one may have.
        max_size: Option<f32> = "MaxAudioClipSize",
        /// The formats that can be sent.
        formats: Option<Words> = "SupportedAudioClipFormat",
    ] {
        /// Speech of texts.
        tts: Option<TtsCapabilities> = "TTSCapabilities",
    }
}

soap_reply! {
    /// What the device can speak.
    pub struct TtsCapabilities in "tr2" [
        /// Characters that a text may have.
        max_content_length: Option<u32> = "MaxContentLength",
        /// Languages, as BCP 47 tags.
        languages: Option<Words> = "TTSLanguage",
        /// Voices.
        voice_types: Option<Words> = "TTSVoiceType",
    ] {}
}

soap_reply! {
    /// What the device can do with audio that reaches it by multicast.
    pub struct MulticastAudioDecoderCapabilities in "tr2" [
        /// Play it.
        multicast_audio_decoder: Option<bool> = "MulticastAudioDecoder",
        /// Play it where it is encrypted.
        srtp: Option<bool> = "SRTP",
        /// Receive it over IPv6.
        ipv6: Option<bool> = "IPv6",
    ] {}
}
