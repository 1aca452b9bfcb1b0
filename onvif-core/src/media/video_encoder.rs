use super::{ConfigurationToken, Encoding, MulticastConfiguration, Resolution};
use crate::schema::{FloatRange, IntRange, Words};
use crate::xml::IsoDuration;
use crate::{soap_enum, soap_reply, soap_type};

soap_type! {
    /// How video is encoded, in the first version of the service.
    pub struct VideoEncoderConfiguration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
        /// Whether the frame rate is a promise, and not only a limit.
        guaranteed_frame_rate: Option<bool> = "GuaranteedFrameRate",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The codec.
        encoding: Option<Encoding> = "Encoding",
        /// Size of the picture.
        resolution: Option<Resolution> = "Resolution",
        /// Quality, in the camera's own scale.
        quality: Option<f32> = "Quality",
        /// Limits.
        rate_control: Option<VideoRateControl> = "RateControl",
        /// What only MPEG-4 has.
        mpeg4: Option<Mpeg4Configuration> = "MPEG4",
        /// What only H.264 has.
        h264: Option<H264Configuration> = "H264",
        /// Where it goes when it is sent to a multicast group.
        multicast: Option<MulticastConfiguration> = "Multicast",
        /// After what silence of the receiver an RTSP session ends.
        session_timeout: Option<IsoDuration> = "SessionTimeout",
    }
}

soap_type! {
    /// Limits of a video encoder, in the first version of the service.
    pub struct VideoRateControl in "tt" {
        /// Frames per second at most.
        frame_rate_limit: Option<f32> = "FrameRateLimit",
        /// Every how many frames one is encoded.
        encoding_interval: Option<u32> = "EncodingInterval",
        /// Bits per second at most, in thousands.
        bitrate_limit: Option<u32> = "BitrateLimit",
    }
}

soap_type! {
    /// What only MPEG-4 has.
    pub struct Mpeg4Configuration in "tt" {
        /// Distance of key frames in frames.
        gov_length: Option<u32> = "GovLength",
        /// Profile of the codec: `SP` or `ASP`.
        profile: Option<String> = "Mpeg4Profile",
    }
}

soap_type! {
    /// What only H.264 has.
    pub struct H264Configuration in "tt" {
        /// Distance of key frames in frames.
        gov_length: Option<u32> = "GovLength",
        /// Profile of the codec.
        profile: Option<H264Profile> = "H264Profile",
    }
}

soap_enum! {
    /// A profile of H.264.
    pub enum H264Profile {
        /// Neither B frames nor CABAC: the least to decode.
        Baseline = "Baseline",
        /// With B frames and CABAC.
        Main = "Main",
        /// For links that lose packets; hardly used.
        Extended = "Extended",
        /// Main with larger transforms: the least bits.
        High = "High",
    }
}

soap_type! {
    /// How video is encoded, in the second version of the service.
    pub struct VideoEncoder2Configuration in "tt" [
        /// Its token.
        token: ConfigurationToken = "token",
        /// Distance of key frames in frames.
        gov_length: Option<u32> = "GovLength",
        /// Distance of anchor frames (I and P) in frames: 1 is without B frames.
        anchor_frame_distance: Option<u32> = "AnchorFrameDistance",
        /// Profile of the codec.
        profile: Option<String> = "Profile",
        /// Whether the frame rate is a promise, and not only a limit.
        guaranteed_frame_rate: Option<bool> = "GuaranteedFrameRate",
        /// Whether the stream carries signatures.
        signed: Option<bool> = "Signed",
        /// The algorithm of SRTP, where the stream is protected.
        secure_streaming_protocol_algorithm: Option<String> = "SecureStreamingProtocolAlgorithm",
    ] {
        /// Its name.
        name: Option<String> = "Name",
        /// How many profiles use it. The device counts; what is sent is ignored.
        use_count: Option<u32> = "UseCount",
        /// The codec.
        encoding: Option<Encoding> = "Encoding",
        /// Size of the picture.
        resolution: Option<Resolution> = "Resolution",
        /// Limits.
        rate_control: Option<VideoRateControl2> = "RateControl",
        /// Where it goes when it is sent to a multicast group.
        multicast: Option<MulticastConfiguration> = "Multicast",
        /// Quality, in the camera's own scale.
        quality: Option<f32> = "Quality",
    }
}

soap_type! {
    /// Limits of a video encoder, in the second version of the service.
    pub struct VideoRateControl2 in "tt" [
        /// Whether the bit rate is constant.
        constant_bit_rate: Option<bool> = "ConstantBitRate",
    ] {
        /// Frames per second at most.
        frame_rate_limit: Option<f32> = "FrameRateLimit",
        /// Bits per second at most, in thousands.
        bitrate_limit: Option<u32> = "BitrateLimit",
        /// Bits per second on average, in thousands.
        average_bit_rate: Option<u32> = "AverageBitRate",
    }
}

soap_reply! {
    /// What a video encoder may be set to, in the first version of the service.
    pub struct VideoEncoderConfigurationOptions in "tt" [
        /// Whether the frame rate can be promised.
        guaranteed_frame_rate_supported: Option<bool> = "GuaranteedFrameRateSupported",
    ] {
        /// The scale of the quality.
        quality_range: Option<IntRange> = "QualityRange",
        /// Motion JPEG; absent where it is not offered.
        jpeg: Option<CodecOptions> = "JPEG",
        /// MPEG-4; absent where it is not offered.
        mpeg4: Option<CodecOptions> = "MPEG4",
        /// H.264; absent where it is not offered.
        h264: Option<CodecOptions> = "H264",
        /// The same once more, with bit rates.
        extension: Option<VideoEncoderOptionsExtension> = "Extension",
    }
}

soap_reply! {
    /// What a later version added to the options of a video encoder: bit rates.
    pub struct VideoEncoderOptionsExtension in "tt" {
        /// Motion JPEG.
        jpeg: Option<CodecOptions> = "JPEG",
        /// MPEG-4.
        mpeg4: Option<CodecOptions> = "MPEG4",
        /// H.264.
        h264: Option<CodecOptions> = "H264",
    }
}

soap_reply! {
    /// What a video encoder may be set to with one codec, in the first version of the service.
    pub struct CodecOptions in "tt" {
        /// The sizes to choose from.
        resolutions: Vec<Resolution> = "ResolutionsAvailable",
        /// The range of the distance of key frames in frames. Motion JPEG has none.
        gov_length_range: Option<IntRange> = "GovLengthRange",
        /// The range of frames per second.
        frame_rate_range: Option<IntRange> = "FrameRateRange",
        /// The range of the encoding interval.
        encoding_interval_range: Option<IntRange> = "EncodingIntervalRange",
        /// The profiles of MPEG-4 to choose from.
        mpeg4_profiles: Vec<String> = "Mpeg4ProfilesSupported",
        /// The profiles of H.264 to choose from.
        h264_profiles: Vec<H264Profile> = "H264ProfilesSupported",
        /// The range of the bit rate in thousands of bits per second. Only in the extension.
        bitrate_range: Option<IntRange> = "BitrateRange",
    }
}

soap_reply! {
    /// What a video encoder may be set to with one codec, in the second version of the service.
    pub struct VideoEncoder2ConfigurationOptions in "tt" [
        /// Two numbers: the least and the largest distance of key frames in frames.
        gov_length_range: Option<Words> = "GovLengthRange",
        /// The largest distance of anchor frames; 0 is without B frames.
        max_anchor_frame_distance: Option<u32> = "MaxAnchorFrameDistance",
        /// The frame rates to choose from, in frames per second.
        frame_rates_supported: Option<Words> = "FrameRatesSupported",
        /// The profiles of the codec to choose from.
        profiles_supported: Option<Words> = "ProfilesSupported",
        /// Whether the bit rate can be constant.
        constant_bit_rate_supported: Option<bool> = "ConstantBitRateSupported",
        /// Whether an average bit rate can be set.
        average_bit_rate_supported: Option<bool> = "AverageBitRateSupported",
        /// Whether the frame rate can be promised.
        guaranteed_frame_rate_supported: Option<bool> = "GuaranteedFrameRateSupported",
        /// The algorithms of SRTP to choose from.
        secure_streaming_protocol_algorithms: Option<Words> = "SecureStreamingProtocolAlgorithms",
        /// Whether the stream can carry signatures.
        signing_supported: Option<bool> = "SigningSupported",
    ] {
        /// The codec.
        encoding: Option<Encoding> = "Encoding",
        /// The scale of the quality.
        quality_range: Option<FloatRange> = "QualityRange",
        /// The sizes to choose from.
        resolutions: Vec<Resolution> = "ResolutionsAvailable",
        /// The range of the bit rate in thousands of bits per second.
        bitrate_range: Option<IntRange> = "BitrateRange",
    }
}
