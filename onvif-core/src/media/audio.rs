use super::{ConfigurationToken, MulticastConfiguration};
use crate::schema::{IntItems, IntRange, ReferenceToken};
use crate::xml::IsoDuration;
use crate::{soap_enum, soap_reply, soap_token, soap_type};

soap_token! {
    /// Names an audio source.
    pub struct AudioSourceToken;
}

soap_token! {
    /// Names an audio output.
    pub struct AudioOutputToken;
}

soap_reply! {
    /// An audio source: a microphone or a line input.
    pub struct AudioSource in "tt" [
        /// Its token.
        token: AudioSourceToken = "token",
    ] {
        /// 1 is mono, 2 is stereo.
        channels: Option<u32> = "Channels",
    }
}

soap_reply! {
    /// An audio output: a loudspeaker or a line output.
    pub struct AudioOutput in "tt" [
        /// Its token.
        token: AudioOutputToken = "token",
    ] {}
}

soap_type! {
    /// Which audio source a profile records.
    pub struct AudioSourceConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The source.
        source_token: Option<AudioSourceToken> = "SourceToken",
    }
}

soap_reply! {
    /// What the configuration of an audio source may be set to.
    pub struct AudioSourceConfigurationOptions in "tt" {
        /// The sources to choose from.
        input_tokens_available: Vec<AudioSourceToken> = "InputTokensAvailable",
    }
}

soap_enum! {
    /// An audio codec. The first version of the service says `G711` and `AAC`, the second uses the
    /// names of RTP.
    pub enum AudioEncoding {
        /// G.711, in the words of the first version.
        G711 = "G711",
        /// G.711 with the µ-law, in the words of the second.
        Pcmu = "PCMU",
        /// G.711 with the A-law, in the words of the second.
        Pcma = "PCMA",
        /// G.726.
        G726 = "G726",
        /// AAC, in the words of the first version.
        Aac = "AAC",
        /// AAC, packed as MPEG-4 elementary streams (RFC 3640).
        Mpeg4Generic = "mpeg4-generic",
        /// AAC, packed as LATM (RFC 3016).
        Mp4aLatm = "MP4A-LATM",
    }
}

soap_type! {
    /// How audio is encoded, in the first version of the service.
    pub struct AudioEncoderConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The codec.
        encoding: Option<AudioEncoding> = "Encoding",
        /// Bits per second, in thousands.
        bitrate: Option<u32> = "Bitrate",
        /// Samples per second, in thousands.
        sample_rate: Option<u32> = "SampleRate",
        /// Where it goes when it is sent to a multicast group.
        multicast: Option<MulticastConfiguration> = "Multicast",
        /// After what silence of the receiver an RTSP session ends.
        session_timeout: Option<IsoDuration> = "SessionTimeout",
    }
}

soap_type! {
    /// How audio is encoded, in the second version of the service.
    pub struct AudioEncoder2Configuration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
        /// The algorithm of SRTP, where the stream is protected.
        secure_streaming_protocol_algorithm: Option<String> = "SecureStreamingProtocolAlgorithm",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The codec.
        encoding: Option<AudioEncoding> = "Encoding",
        /// Where it goes when it is sent to a multicast group.
        multicast: Option<MulticastConfiguration> = "Multicast",
        /// Bits per second, in thousands.
        bitrate: Option<u32> = "Bitrate",
        /// Samples per second, in thousands.
        sample_rate: Option<u32> = "SampleRate",
    }
}

soap_reply! {
    /// What an audio encoder may be set to, in the first version of the service.
    pub struct AudioEncoderConfigurationOptions in "tt" {
        /// One entry for each codec.
        options: Vec<AudioEncoderOptions> = "Options",
    }
}

soap_reply! {
    /// What an audio encoder or decoder may be set to with one codec.
    pub struct AudioEncoderOptions in "tt" [
        /// The algorithms of SRTP to choose from.
        secure_streaming_protocol_algorithms: Option<crate::schema::Words> = "SecureStreamingProtocolAlgorithms",
    ] {
        /// The codec.
        encoding: Option<AudioEncoding> = "Encoding",
        /// The bit rates to choose from, in thousands of bits per second.
        bitrates: Option<IntItems> = "BitrateList",
        /// The sample rates to choose from, in thousands per second.
        sample_rates: Option<IntItems> = "SampleRateList",
    }
}

soap_type! {
    /// Which audio output a profile plays to, and how loud.
    pub struct AudioOutputConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The output.
        output_token: Option<AudioOutputToken> = "OutputToken",
        /// Who may talk where only one side can: a URI ending in `HalfDuplex/Server`,
        /// `HalfDuplex/Client` or `HalfDuplex/Auto`.
        send_primacy: Option<String> = "SendPrimacy",
        /// The volume, in the device's own scale.
        output_level: Option<i32> = "OutputLevel",
    }
}

soap_reply! {
    /// What the configuration of an audio output may be set to.
    pub struct AudioOutputConfigurationOptions in "tt" {
        /// The outputs to choose from.
        output_tokens_available: Vec<AudioOutputToken> = "OutputTokensAvailable",
        /// The ways to choose who may talk; none where both sides can.
        send_primacy_options: Vec<String> = "SendPrimacyOptions",
        /// The range of the volume.
        output_level_range: Option<IntRange> = "OutputLevelRange",
        /// Whether a preset of the equaliser can follow a schedule.
        eq_preset_schedule_support: Option<bool> = "EQPresetScheduleSupport",
        /// The presets of the equaliser.
        eq_presets: Vec<EqPreset> = "EQPresets",
    }
}

soap_type! {
    /// A preset of the equaliser of an audio output.
    pub struct EqPreset in "tt" {
        /// Its token.
        token: ReferenceToken = "Token",
        /// Its name.
        name: Option<String> = "Name",
        /// Whether it is used where no other is chosen.
        is_default: Option<bool> = "isDefault",
        /// The schedule by which it is used.
        schedule_token: Option<ReferenceToken> = "ScheduleToken",
        /// Whether its curve can be changed.
        is_frequency_decibel_editable: Option<bool> = "isFrequencyDecibelEditable",
        /// The curve.
        frequency_decibel_pairs: Vec<FrequencyDecibelPair> = "FrequencyDecibelPair",
    }
}

soap_type! {
    /// A point of an equaliser's curve.
    #[derive(Copy)]
    pub struct FrequencyDecibelPair in "tt" {
        /// Middle of the band, in hertz.
        center_frequency: Option<i32> = "CenterFrequency",
        /// Gain.
        decibel: Option<f32> = "Decibel",
    }
}

soap_type! {
    /// The decoder of audio that is sent to the device. It takes whatever codec comes.
    pub struct AudioDecoderConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
    }
}

soap_reply! {
    /// What an audio decoder understands, in the first version of the service.
    pub struct AudioDecoderConfigurationOptions in "tt" {
        /// AAC; absent where it does not understand it.
        aac: Option<AudioDecoderOptions> = "AACDecOptions",
        /// G.711; absent where it does not understand it.
        g711: Option<AudioDecoderOptions> = "G711DecOptions",
        /// G.726; absent where it does not understand it.
        g726: Option<AudioDecoderOptions> = "G726DecOptions",
    }
}

soap_reply! {
    /// What an audio decoder understands of one codec.
    pub struct AudioDecoderOptions in "tt" {
        /// The bit rates, in thousands of bits per second.
        bitrates: Option<IntItems> = "Bitrate",
        /// The sample rates, in thousands per second.
        sample_rates: Option<IntItems> = "SampleRateRange",
    }
}
