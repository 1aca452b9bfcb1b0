//! A stream that a camera is to have beside `main` and `sub`.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::str::FromStr;

use serde::Deserialize;

use crate::clip::Codec;
use crate::error::Error;
use crate::service::profiles::PROFILES;

/// How video is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
///
/// Read by serde, and from text: a name, and `=` with what is in it, such as `yard=h265,aac,metadata`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct StreamSpec {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) video: VideoCodec,
    pub(crate) audio: Option<AudioCodec>,
    #[serde(default)]
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

impl FromStr for StreamSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, content) = text.split_once('=').unwrap_or((text, ""));
        let mut words = content.split(',').filter(|word| !word.is_empty());
        words.try_fold(Self::new(name), |stream, word| match word {
            "h264" => Ok(stream.video(VideoCodec::H264)),
            "h265" => Ok(stream.video(VideoCodec::H265)),
            "jpeg" => Ok(stream.video(VideoCodec::Jpeg)),
            "aac" => Ok(stream.audio(AudioCodec::Aac)),
            "pcmu" => Ok(stream.audio(AudioCodec::Pcmu)),
            "metadata" => Ok(stream.metadata()),
            _ => Err(wrong(
                name,
                "what is in it is h264, h265 or jpeg, aac or pcmu, and metadata",
            )),
        })
    }
}

/// Whether a camera can have these streams, and send them to this group.
pub(crate) fn check(streams: &[StreamSpec], group: Option<SocketAddrV4>) -> Result<(), Error> {
    let mut taken = BTreeSet::from(PROFILES);
    for StreamSpec { name, .. } in streams {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(wrong(name, "its name has to be letters and digits"));
        }
        if !taken.insert(name) {
            return Err(wrong(name, "there is one of this name"));
        }
    }
    match group {
        Some(group) if !group.ip().is_multicast() => Err(wrong(
            group,
            "a group has an address from 224.0.0.0 to 239.255.255.255",
        )),
        Some(group) if group.port() == 0 || group.port() % 2 == 1 => Err(wrong(
            group,
            "the port of a group has to be even, and not 0",
        )),
        _ => Ok(()),
    }
}

fn wrong(name: impl ToString, reason: &'static str) -> Error {
    Error::Stream {
        name: name.to_string(),
        reason,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_from_text() {
        let stream: StreamSpec = "yard=h265,aac,metadata".parse().unwrap();
        assert_eq!((&stream.name[..], stream.video), ("yard", VideoCodec::H265));
        assert_eq!(
            (stream.audio, stream.metadata),
            (Some(AudioCodec::Aac), true)
        );
        let plain: StreamSpec = "yard".parse().unwrap();
        assert_eq!((plain.video, plain.audio), (VideoCodec::H264, None));
        let error = "yard=mp3".parse::<StreamSpec>().unwrap_err().to_string();
        assert!(error.contains("yard") && error.contains("pcmu"), "{error}");
    }

    #[test]
    fn names_and_groups_that_cannot_be_are_told() {
        let name = |name: &str| check(&[StreamSpec::new("yard"), StreamSpec::new(name)], None);
        assert!(name("gate2").is_ok());
        for bad in ["yard", "main", "sub", "", "a/b", "a b"] {
            assert!(matches!(name(bad), Err(Error::Stream { .. })), "{bad}");
        }
        let group = |address: &str| check(&[], Some(address.parse().unwrap()));
        assert!(group("239.1.2.3:5000").is_ok());
        for bad in ["192.0.2.1:5000", "239.1.2.3:5001", "239.1.2.3:0"] {
            assert!(group(bad).is_err(), "{bad}");
        }
    }
}
