use super::{ConfigurationToken, ProfileToken, VideoSourceToken, ver10, ver20};
use crate::{soap_enum, soap_type};

/// A media profile, whichever version of the service reported it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// Its token.
    pub token: ProfileToken,
    /// Its name.
    pub name: Option<String>,
    /// Whether it cannot be deleted.
    pub fixed: Option<bool>,
    /// The video source.
    pub video_source: Option<VideoSourceToken>,
    /// The configuration of the video source.
    pub video_source_configuration: Option<ConfigurationToken>,
    /// The video encoder.
    pub video_encoder: Option<VideoEncoder>,
    /// The configuration of the audio encoder.
    pub audio_encoder: Option<ConfigurationToken>,
    /// The PTZ configuration: without it the profile does not move.
    pub ptz_configuration: Option<ConfigurationToken>,
    /// The PTZ node it moves.
    pub ptz_node: Option<String>,
    /// The metadata configuration.
    pub metadata_configuration: Option<ConfigurationToken>,
}

impl Profile {
    pub(super) fn is_configured(&self) -> bool {
        self.video_source_configuration.is_some() || self.video_encoder.is_some()
    }
}

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
    /// Quality, in the camera's own scale.
    pub quality: Option<f32>,
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
        /// MPEG-4 part 2.
        Mpeg4 = "MPEG4",
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

impl From<ver10::MediaProfile> for Profile {
    fn from(profile: ver10::MediaProfile) -> Self {
        let source = profile.video_source;
        let ptz = profile.ptz;
        Self {
            token: profile.token,
            name: profile.name,
            fixed: profile.fixed,
            video_source_configuration: source.as_ref().map(|source| source.token.clone()),
            video_source: source.and_then(|source| source.source_token),
            video_encoder: profile.video_encoder.map(VideoEncoder::from),
            audio_encoder: profile.audio_encoder.map(|audio| audio.token),
            ptz_configuration: ptz.as_ref().map(|ptz| ptz.token.clone()),
            ptz_node: ptz.and_then(|ptz| ptz.node_token),
            metadata_configuration: profile.metadata.map(|metadata| metadata.token),
        }
    }
}

impl From<ver20::MediaProfile> for Profile {
    fn from(profile: ver20::MediaProfile) -> Self {
        let set = profile.configurations.unwrap_or(ver20::ConfigurationSet {
            video_source: None,
            audio_source: None,
            video_encoder: None,
            audio_encoder: None,
            analytics: None,
            ptz: None,
            metadata: None,
        });
        Self {
            token: profile.token,
            name: profile.name,
            fixed: profile.fixed,
            video_source_configuration: set
                .video_source
                .as_ref()
                .map(|source| source.token.clone()),
            video_source: set.video_source.and_then(|source| source.source_token),
            video_encoder: set.video_encoder.map(VideoEncoder::from),
            audio_encoder: set.audio_encoder.map(|audio| audio.token),
            ptz_configuration: set.ptz.as_ref().map(|ptz| ptz.token.clone()),
            ptz_node: set.ptz.and_then(|ptz| ptz.node_token),
            metadata_configuration: set.metadata.map(|metadata| metadata.token),
        }
    }
}

impl From<ver10::VideoEncoderConfiguration> for VideoEncoder {
    fn from(encoder: ver10::VideoEncoderConfiguration) -> Self {
        let rate = encoder.rate_control;
        Self {
            token: encoder.token,
            name: encoder.name,
            encoding: encoder.encoding,
            resolution: encoder.resolution,
            frame_rate: rate.as_ref().and_then(|rate| rate.frame_rate_limit),
            bitrate_kbps: rate.and_then(|rate| rate.bitrate_limit),
            quality: encoder.quality,
        }
    }
}

impl From<ver20::VideoEncoder2Configuration> for VideoEncoder {
    fn from(encoder: ver20::VideoEncoder2Configuration) -> Self {
        let rate = encoder.rate_control;
        Self {
            token: encoder.token,
            name: encoder.name,
            encoding: encoder.encoding,
            resolution: encoder.resolution,
            frame_rate: rate.as_ref().and_then(|rate| rate.frame_rate_limit),
            bitrate_kbps: rate.and_then(|rate| rate.bitrate_limit),
            quality: encoder.quality,
        }
    }
}
