//! A stream that a camera is to have beside `main` and `sub`.

use crate::clip::Codec;

/// How video is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum VideoCodec {
    /// H.264, 1280 x 720 pixels, 15 frames a second.
    #[default]
    H264,
    /// H.265, 640 x 360 pixels, 15 frames a second.
    H265,
    /// JPEG, 384 x 216 pixels, 5 frames a second.
    Jpeg,
}

/// How sound is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AudioCodec {
    /// AAC-LC, 16 kHz, one channel.
    Aac,
    /// G.711 with the mu-law, 8 kHz, one channel.
    Pcmu,
}

/// A fixed profile and its stream, for [`Builder::stream`](crate::Builder::stream).
///
/// ```
/// use virtual_camera::{AudioCodec, StreamSpec, VideoCodec};
///
/// let stream = StreamSpec::new("yard").video(VideoCodec::H265).audio(AudioCodec::Aac).metadata();
/// # let _ = stream;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct StreamSpec {
    pub(crate) name: String,
    pub(crate) video: VideoCodec,
    pub(crate) audio: Option<AudioCodec>,
    pub(crate) metadata: bool,
}

impl StreamSpec {
    /// Video in H.264. The name is the token of the profile and the path of the stream: letters and digits.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            video: VideoCodec::default(),
            audio: None,
            metadata: false,
        }
    }

    /// Encodes the video this way.
    pub fn video(mut self, codec: VideoCodec) -> Self {
        self.video = codec;
        self
    }

    /// Adds sound.
    pub fn audio(mut self, codec: AudioCodec) -> Self {
        self.audio = Some(codec);
        self
    }

    /// Adds the events of the camera, as ONVIF metadata.
    pub fn metadata(mut self) -> Self {
        self.metadata = true;
        self
    }
}

impl From<VideoCodec> for Codec {
    fn from(codec: VideoCodec) -> Self {
        match codec {
            VideoCodec::H264 => Self::H264,
            VideoCodec::H265 => Self::H265,
            VideoCodec::Jpeg => Self::Jpeg,
        }
    }
}

impl From<AudioCodec> for Codec {
    fn from(codec: AudioCodec) -> Self {
        match codec {
            AudioCodec::Aac => Self::Aac,
            AudioCodec::Pcmu => Self::Pcmu,
        }
    }
}
