use super::{
    AudioDecoderConfigurationOptions, AudioDecoderOptions, AudioEncoder2Configuration,
    AudioEncoderConfiguration, AudioEncoderOptions, AudioEncoding, CodecOptions,
    ConfigurationToken, H264Configuration, H264Profile, Mpeg4Configuration,
    VideoEncoder2Configuration, VideoEncoder2ConfigurationOptions, VideoEncoderConfiguration,
    VideoEncoderConfigurationOptions, VideoRateControl, VideoRateControl2, ver10, ver20,
};
use crate::schema::{FloatRange, IntRange};
use crate::{soap_enum, soap_type};

/// A video encoder, whichever version of the service reported it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VideoEncoder {
    /// The configuration.
    pub token: ConfigurationToken,
    /// Its name.
    pub name: Option<String>,
    /// The codec.
    pub encoding: Option<Encoding>,
    /// Size of the picture.
    pub resolution: Option<Resolution>,
    /// Frames per second at most.
    pub frame_rate: Option<f32>,
    /// Bits per second at most, in thousands.
    pub bitrate_kbps: Option<u32>,
    /// Whether the bit rate is constant. Only Media2 tells.
    pub constant_bitrate: Option<bool>,
    /// Quality, in the camera's own scale.
    pub quality: Option<f32>,
    /// Distance of key frames in frames.
    pub gov_length: Option<u32>,
    /// Profile of the codec, such as `Main`.
    pub profile: Option<String>,
}

soap_enum! {
    /// A video codec.
    pub enum Encoding {
        /// H.264.
        H264 = "H264",
        /// H.265.
        H265 = "H265",
        /// Motion JPEG.
        Jpeg = "JPEG",
        /// MPEG-4 part 2, in the words of the first version of the service.
        Mpeg4 = "MPEG4",
        /// MPEG-4 part 2, in the words of the second.
        Mpv4Es = "MPV4-ES",
    }
}

soap_type! {
    /// Size of a picture in pixels.
    #[derive(Copy, Eq, Hash)]
    pub struct Resolution in "tt" {
        /// Width.
        width: u32 = "Width",
        /// Height.
        height: u32 = "Height",
    }
}

/// What a video encoder may be set to with one codec.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VideoEncoderOptions {
    /// The codec.
    pub encoding: Encoding,
    /// The scale of the quality.
    pub quality: Option<FloatRange>,
    /// The sizes to choose from.
    pub resolutions: Vec<Resolution>,
    /// The range of frames per second.
    pub frame_rate: Option<FloatRange>,
    /// The frame rates to choose from; any in the range where it is empty.
    pub frame_rates: Vec<f32>,
    /// The range of the bit rate, in thousands of bits per second.
    pub bitrate_kbps: Option<IntRange>,
    /// The range of the distance of key frames in frames.
    pub gov_length: Option<IntRange>,
    /// The profiles of the codec to choose from.
    pub profiles: Vec<String>,
}

/// An audio encoder, whichever version of the service reported it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AudioEncoder {
    /// The configuration.
    pub token: ConfigurationToken,
    /// Its name.
    pub name: Option<String>,
    /// The codec.
    pub encoding: Option<AudioEncoding>,
    /// Bits per second, in thousands.
    pub bitrate_kbps: Option<u32>,
    /// Samples per second, in thousands.
    pub sample_rate_khz: Option<u32>,
}

impl VideoEncoder {
    pub(super) fn apply_ver10(&self, to: &mut VideoEncoderConfiguration) {
        set(&mut to.name, &self.name);
        set(&mut to.encoding, &self.encoding);
        set(&mut to.resolution, &self.resolution);
        set(&mut to.quality, &self.quality);
        if self.frame_rate.is_some() || self.bitrate_kbps.is_some() {
            let rate = to.rate_control.get_or_insert(VideoRateControl {
                frame_rate_limit: None,
                encoding_interval: Some(1),
                bitrate_limit: None,
            });
            // The schema has whole numbers here.
            set(&mut rate.frame_rate_limit, &self.frame_rate.map(f32::round));
            set(&mut rate.bitrate_limit, &self.bitrate_kbps);
        }
        // What another codec had makes no sense any more.
        if to.encoding != Some(Encoding::H264) {
            to.h264 = None;
        } else if self.gov_length.is_some() || self.profile.is_some() {
            let h264 = to.h264.get_or_insert(H264Configuration {
                gov_length: None,
                profile: None,
            });
            set(&mut h264.gov_length, &self.gov_length);
            set(
                &mut h264.profile,
                &self.profile.as_deref().map(H264Profile::from),
            );
        }
        if to.encoding != Some(Encoding::Mpeg4) {
            to.mpeg4 = None;
        } else if self.gov_length.is_some() || self.profile.is_some() {
            let mpeg4 = to.mpeg4.get_or_insert(Mpeg4Configuration {
                gov_length: None,
                profile: None,
            });
            set(&mut mpeg4.gov_length, &self.gov_length);
            set(&mut mpeg4.profile, &self.profile);
        }
    }

    pub(super) fn apply_ver20(&self, to: &mut VideoEncoder2Configuration) {
        set(&mut to.name, &self.name);
        set(&mut to.encoding, &self.encoding);
        set(&mut to.resolution, &self.resolution);
        set(&mut to.quality, &self.quality);
        set(&mut to.gov_length, &self.gov_length);
        set(&mut to.profile, &self.profile);
        let rate = to.rate_control.get_or_insert(VideoRateControl2 {
            constant_bit_rate: None,
            frame_rate_limit: None,
            bitrate_limit: None,
            average_bit_rate: None,
        });
        set(&mut rate.constant_bit_rate, &self.constant_bitrate);
        set(&mut rate.frame_rate_limit, &self.frame_rate);
        set(&mut rate.bitrate_limit, &self.bitrate_kbps);
        // The schema wants both numbers or none of it.
        if rate.frame_rate_limit.is_none() || rate.bitrate_limit.is_none() {
            to.rate_control = None;
        }
    }
}

impl AudioEncoder {
    pub(super) fn apply_ver10(&self, to: &mut AudioEncoderConfiguration) {
        set(&mut to.name, &self.name);
        set(&mut to.encoding, &self.encoding);
        set(&mut to.bitrate, &self.bitrate_kbps);
        set(&mut to.sample_rate, &self.sample_rate_khz);
    }

    pub(super) fn apply_ver20(&self, to: &mut AudioEncoder2Configuration) {
        set(&mut to.name, &self.name);
        set(&mut to.encoding, &self.encoding);
        set(&mut to.bitrate, &self.bitrate_kbps);
        set(&mut to.sample_rate, &self.sample_rate_khz);
    }
}

fn set<T: Clone>(field: &mut Option<T>, value: &Option<T>) {
    if value.is_some() {
        field.clone_from(value);
    }
}

impl VideoEncoderOptions {
    pub(super) fn from_ver10(options: VideoEncoderConfigurationOptions) -> Vec<Self> {
        let quality = options.quality_range.map(floats);
        let (jpeg, mpeg4, h264) = match options.extension {
            // The extension repeats everything, with bit rates.
            Some(extension) => (
                extension.jpeg.or(options.jpeg),
                extension.mpeg4.or(options.mpeg4),
                extension.h264.or(options.h264),
            ),
            None => (options.jpeg, options.mpeg4, options.h264),
        };
        let codecs = [
            (Encoding::H264, h264),
            (Encoding::Mpeg4, mpeg4),
            (Encoding::Jpeg, jpeg),
        ];
        let codecs = codecs.into_iter();
        codecs
            .filter_map(|(encoding, codec)| Some(Self::of_codec(encoding, codec?, quality)))
            .collect()
    }

    fn of_codec(encoding: Encoding, codec: CodecOptions, quality: Option<FloatRange>) -> Self {
        let h264 = codec.h264_profiles.iter().map(H264Profile::to_string);
        Self {
            encoding,
            quality,
            resolutions: codec.resolutions,
            frame_rate: codec.frame_rate_range.map(floats),
            frame_rates: Vec::new(),
            bitrate_kbps: codec.bitrate_range,
            gov_length: codec.gov_length_range,
            profiles: h264.chain(codec.mpeg4_profiles).collect(),
        }
    }
}

fn floats(range: IntRange) -> FloatRange {
    FloatRange {
        min: range.min.map(|min| min as f32),
        max: range.max.map(|max| max as f32),
    }
}

impl From<VideoEncoder2ConfigurationOptions> for VideoEncoderOptions {
    fn from(options: VideoEncoder2ConfigurationOptions) -> Self {
        let words = options.frame_rates_supported.unwrap_or_default();
        let frame_rates: Vec<f32> = words.parsed();
        let range = |all: &[f32]| FloatRange {
            min: all.iter().copied().reduce(f32::min),
            max: all.iter().copied().reduce(f32::max),
        };
        let gov_length: Vec<i32> = options.gov_length_range.unwrap_or_default().parsed();
        Self {
            encoding: options.encoding.unwrap_or(Encoding::Other(String::new())),
            quality: options.quality_range,
            resolutions: options.resolutions,
            frame_rate: (!frame_rates.is_empty()).then(|| range(&frame_rates)),
            frame_rates,
            bitrate_kbps: options.bitrate_range,
            gov_length: (!gov_length.is_empty()).then(|| IntRange {
                min: gov_length.iter().copied().min(),
                max: gov_length.iter().copied().max(),
            }),
            profiles: options.profiles_supported.unwrap_or_default().0,
        }
    }
}

impl From<VideoEncoderConfiguration> for VideoEncoder {
    fn from(encoder: VideoEncoderConfiguration) -> Self {
        let rate = encoder.rate_control;
        let (gov_length, profile) = match (encoder.h264, encoder.mpeg4) {
            (Some(h264), _) => (h264.gov_length, h264.profile.map(|p| p.to_string())),
            (None, Some(mpeg4)) => (mpeg4.gov_length, mpeg4.profile),
            (None, None) => (None, None),
        };
        Self {
            token: encoder.token,
            name: encoder.name,
            encoding: encoder.encoding,
            resolution: encoder.resolution,
            frame_rate: rate.as_ref().and_then(|rate| rate.frame_rate_limit),
            bitrate_kbps: rate.and_then(|rate| rate.bitrate_limit),
            constant_bitrate: None,
            quality: encoder.quality,
            gov_length,
            profile,
        }
    }
}

impl From<VideoEncoder2Configuration> for VideoEncoder {
    fn from(encoder: VideoEncoder2Configuration) -> Self {
        let rate = encoder.rate_control;
        Self {
            token: encoder.token,
            name: encoder.name,
            encoding: encoder.encoding,
            resolution: encoder.resolution,
            frame_rate: rate.as_ref().and_then(|rate| rate.frame_rate_limit),
            bitrate_kbps: rate.as_ref().and_then(|rate| rate.bitrate_limit),
            constant_bitrate: rate.and_then(|rate| rate.constant_bit_rate),
            quality: encoder.quality,
            gov_length: encoder.gov_length,
            profile: encoder.profile,
        }
    }
}

impl From<AudioEncoderConfiguration> for AudioEncoder {
    fn from(encoder: AudioEncoderConfiguration) -> Self {
        Self {
            token: encoder.token,
            name: encoder.name,
            encoding: encoder.encoding,
            bitrate_kbps: encoder.bitrate,
            sample_rate_khz: encoder.sample_rate,
        }
    }
}

impl From<AudioEncoder2Configuration> for AudioEncoder {
    fn from(encoder: AudioEncoder2Configuration) -> Self {
        Self {
            token: encoder.token,
            name: encoder.name,
            encoding: encoder.encoding,
            bitrate_kbps: encoder.bitrate,
            sample_rate_khz: encoder.sample_rate,
        }
    }
}

impl From<AudioDecoderConfigurationOptions> for Vec<AudioEncoderOptions> {
    fn from(options: AudioDecoderConfigurationOptions) -> Self {
        let of = |encoding, codec: Option<AudioDecoderOptions>| {
            codec.map(|codec| AudioEncoderOptions {
                secure_streaming_protocol_algorithms: None,
                encoding: Some(encoding),
                bitrates: codec.bitrates,
                sample_rates: codec.sample_rates,
            })
        };
        let codecs = [
            of(AudioEncoding::Aac, options.aac),
            of(AudioEncoding::G711, options.g711),
            of(AudioEncoding::G726, options.g726),
        ];
        codecs.into_iter().flatten().collect()
    }
}

impl From<ver10::VideoSourceMode> for ver20::VideoSourceMode {
    fn from(mode: ver10::VideoSourceMode) -> Self {
        Self {
            token: mode.token,
            enabled: mode.enabled,
            max_framerate: mode.max_framerate,
            max_resolution: mode.max_resolution,
            encodings: mode.encodings,
            reboot: mode.reboot,
            description: mode.description,
        }
    }
}

impl From<ver10::GetGuaranteedNumberOfVideoEncoderInstancesResponse>
    for ver20::EncoderInstanceInfo
{
    fn from(reply: ver10::GetGuaranteedNumberOfVideoEncoderInstancesResponse) -> Self {
        let codecs = [
            (Encoding::Jpeg, reply.jpeg),
            (Encoding::H264, reply.h264),
            (Encoding::Mpeg4, reply.mpeg4),
        ];
        let codecs = codecs.into_iter();
        let codecs = codecs.filter_map(|(encoding, number)| {
            Some(ver20::EncoderInstance {
                encoding: Some(encoding),
                number: Some(number?),
            })
        });
        Self {
            codecs: codecs.collect(),
            total: reply.total,
        }
    }
}
