use crate::device::IpAddress;
use crate::media::{AudioEncoding, AudioOutputToken, ConfigurationToken};
use crate::schema::{IntItems, IntRange, ReferenceToken, Secret, Words};
use crate::{operation, soap_reply, soap_type};

operation! {
    /// Asks for the decoders of audio that reaches the device by multicast: one, or all.
    pub struct GetMulticastAudioDecoderConfigurations in "tr2" {
        /// This configuration; all without it.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
    } -> GetMulticastAudioDecoderConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetMulticastAudioDecoderConfigurations", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetMulticastAudioDecoderConfigurations`].
    pub struct GetMulticastAudioDecoderConfigurationsResponse in "tr2" {
        /// The configurations.
        configurations: Vec<MulticastAudioDecoderConfiguration> = "Configurations",
    }
}

operation! {
    /// Asks what the decoders of multicast audio may be set to.
    pub struct GetMulticastAudioDecoderConfigurationOptions in "tr2" {
        /// This configuration.
        configuration_token: Option<ConfigurationToken> = "ConfigurationToken",
    } -> GetMulticastAudioDecoderConfigurationOptionsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetMulticastAudioDecoderConfigurationOptions", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetMulticastAudioDecoderConfigurationOptions`].
    pub struct GetMulticastAudioDecoderConfigurationOptionsResponse in "tr2" {
        /// What it may be set to.
        options: Vec<MulticastAudioDecoderConfigurationOptions> = "Options",
    }
}

operation! {
    /// Changes a decoder of multicast audio.
    pub struct SetMulticastAudioDecoderConfiguration in "tr2" {
        /// The configuration, whole.
        configuration: MulticastAudioDecoderConfiguration = "Configuration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetMulticastAudioDecoderConfiguration", WriteSystem, Write
}

soap_type! {
    /// A decoder of audio that reaches the device by multicast.
    pub struct MulticastAudioDecoderConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// Whether it plays what it receives.
        enable: Option<bool> = "Enable",
        /// Where it plays.
        audio_output_token: Vec<AudioOutputToken> = "AudioOutputToken",
        /// The codec.
        encoding: Option<AudioEncoding> = "Encoding",
        /// Bits per second, in thousands.
        bitrate: Option<u32> = "Bitrate",
        /// Samples per second, in thousands.
        sampling_rate: Option<u32> = "SamplingRate",
        /// Where it comes from.
        multicast: Option<MulticastReceiverConfiguration> = "Multicast",
        /// The payload type of its RTP packets.
        rtp_payload_type: Option<u32> = "RTPPayloadType",
        /// Which of several is heard: the one with the largest number.
        priority: Option<i32> = "Priority",
        /// What SDP says in `a=fmtp`.
        media_format_parameters: Option<String> = "MediaFormatParameters",
        /// How it is decrypted.
        srtp: Option<SrtpPreShared> = "SRTPPreSharedParameters",
    }
}

soap_type! {
    /// The multicast group that a device listens to.
    pub struct MulticastReceiverConfiguration in "tt" {
        /// The group.
        address: Option<IpAddress> = "Address",
        /// The port of RTP.
        port: Option<u32> = "Port",
        /// How many routers a packet may pass.
        ttl: Option<u32> = "TTL",
        /// The network interfaces it listens on; all without any.
        interface_token: Vec<ReferenceToken> = "InterfaceToken",
        /// The only sender that is heard.
        source_specific_multicast: Option<IpAddress> = "SourceSpecificMulticast",
    }
}

soap_type! {
    /// How a stream is decrypted, with a key that both sides have.
    pub struct SrtpPreShared in "tt" [
        /// The algorithm.
        secure_streaming_protocol_algorithm: Option<String> = "SecureStreamingProtocolAlgorithm",
    ] {
        /// The key. Devices do not tell it.
        key: Option<Secret> = "SRTPPSK",
        /// The number of the RTP header extension that carries the rollover counter.
        roc_ext_map_id: Option<u32> = "ROCExtMapID",
    }
}

soap_reply! {
    /// What a decoder of multicast audio may be set to.
    pub struct MulticastAudioDecoderConfigurationOptions in "tt" [
        /// The algorithms of SRTP to choose from.
        secure_streaming_protocol_algorithms: Option<Words> = "SecureStreamingProtocolAlgorithms",
    ] {
        /// The codec.
        encoding: Option<MulticastAudioDecoderOptions> = "EncodingOptions",
        /// The range of priorities.
        priority_range: Option<IntRange> = "PriorityRange",
        /// The outputs to choose from.
        audio_output_tokens: Option<Words> = "AudioOutputTokens",
    }
}

soap_reply! {
    /// What a decoder of multicast audio understands of one codec.
    pub struct MulticastAudioDecoderOptions in "tt" {
        /// The codec.
        encoding: Option<AudioEncoding> = "Encoding",
        /// The bit rates, in thousands of bits per second.
        bitrates: Option<IntItems> = "BitrateList",
        /// The sample rates, in thousands per second.
        sample_rates: Option<IntItems> = "SampleRateList",
        /// The payload type of its RTP packets.
        rtp_payload_type: Option<u32> = "RTPPayloadType",
    }
}
