use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::{h264, h265};

/// One coded picture, or audio frame, or metadata document, with everything that belongs to its instant.
///
/// Cloning shares the data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessUnit {
    /// Index of the track in the session description.
    pub track: u16,
    /// How `data` is coded.
    pub codec: Codec,
    /// H.264 and H.265: NAL units in Annex B framing, all that came and in their order, with the parameter sets before each
    /// key frame.
    /// JPEG: a complete JFIF file. AAC: one raw frame, without ADTS header. G.711: samples of 8 bits.
    /// ONVIF metadata: an XML document, `tt:MetadataStream`.
    pub data: Bytes,
    /// Presentation time since the start of the session, by the camera's media clock.
    pub pts: Duration,
    /// When the picture was taken, or the sound heard.
    pub wall: WallClock,
    /// Whether decoding can start here: IDR (H.264), IDR, CRA or BLA (H.265); every unit of the other
    /// codecs.
    pub random_access: bool,
    /// RTP packets that were lost between the unit before and this one.
    pub loss: u32,
    /// What is known of the track besides its units. Shared by all units until it changes.
    pub parameters: Option<Arc<Parameters>>,
}

impl AccessUnit {
    /// An access unit of track 0 without loss; whether it is a random access point is read from the data.
    pub fn new(codec: Codec, data: Bytes, pts: Duration, wall: WallClock) -> Self {
        let random_access = match codec {
            Codec::H264 => h264::is_random_access(&data),
            Codec::H265 => h265::is_random_access(&data),
            _ => true,
        };
        Self {
            track: 0,
            codec,
            data,
            pts,
            wall,
            random_access,
            loss: 0,
            parameters: None,
        }
    }
}

/// How a track is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// H.264 (AVC), RFC 6184.
    H264,
    /// H.265 (HEVC), RFC 7798.
    H265,
    /// JPEG, RFC 2435 (Motion JPEG).
    Jpeg,
    /// MPEG-4 AAC, RFC 3640.
    Aac,
    /// G.711 with µ-law, RFC 3551 section 4.5.14.
    Pcmu,
    /// G.711 with A-law, RFC 3551 section 4.5.14.
    Pcma,
    /// XML documents of a camera's analytics, events and PTZ (ONVIF Streaming Specification section 5.1.2.1.1).
    OnvifMetadata,
}

impl Codec {
    /// What a track of this codec carries.
    pub fn media(self) -> Media {
        match self {
            Codec::H264 | Codec::H265 | Codec::Jpeg => Media::Video,
            Codec::Aac | Codec::Pcmu | Codec::Pcma => Media::Audio,
            Codec::OnvifMetadata => Media::Metadata,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::H264 => "H.264",
            Codec::H265 => "H.265",
            Codec::Jpeg => "JPEG",
            Codec::Aac => "AAC",
            Codec::Pcmu => "G.711 µ-law",
            Codec::Pcma => "G.711 A-law",
            Codec::OnvifMetadata => "ONVIF metadata",
        })
    }
}

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Media {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Descriptions of what is seen, in text.
    Metadata,
}

/// What is known about a track besides its access units.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parameters {
    /// Of a video track.
    Video(VideoParameters),
    /// Of an audio track.
    Audio(AudioParameters),
}

impl Parameters {
    /// Those of a video track.
    pub fn video(&self) -> Option<&VideoParameters> {
        match self {
            Parameters::Video(video) => Some(video),
            Parameters::Audio(_) => None,
        }
    }

    /// Those of an audio track.
    pub fn audio(&self) -> Option<&AudioParameters> {
        match self {
            Parameters::Audio(audio) => Some(audio),
            Parameters::Video(_) => None,
        }
    }
}

/// What is known about a video track besides its pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoParameters {
    /// Width of the picture in pixels, cropped.
    pub width: u32,
    /// Height of the picture in pixels, cropped.
    pub height: u32,
    /// Parameter sets as NAL units without start codes: SPS, PPS (H.264), VPS, SPS, PPS (H.265), none (JPEG). There may be
    /// several PPS.
    pub sets: Vec<Bytes>,
}

impl VideoParameters {
    /// Those of H.264 or H.265 with these parameter sets, in any order; `None` without a readable SPS.
    pub fn from_sets(codec: Codec, sets: Vec<Bytes>) -> Option<Self> {
        let sps = |wanted: fn(&[u8]) -> bool| sets.iter().find(|set| wanted(set));
        let (width, height) = match codec {
            Codec::H264 => {
                let sps = h264::Sps::parse(sps(h264::is_sps)?)?;
                (sps.width(), sps.height())
            }
            Codec::H265 => {
                let sps = h265::Sps::parse(sps(h265::is_sps)?)?;
                (sps.width, sps.height)
            }
            _ => return None,
        };
        Some(Self {
            width,
            height,
            sets,
        })
    }

    /// Those of a JPEG stream with pictures of this size.
    pub fn of_jpeg(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            sets: Vec::new(),
        }
    }
}

/// What is known about an audio track besides its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioParameters {
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u16,
    /// AAC: the AudioSpecificConfig (ISO 14496-3 section 1.6.2.1). Empty for G.711.
    pub config: Bytes,
}

impl AudioParameters {
    /// Those of a track with this sample rate, number of channels, and (AAC) AudioSpecificConfig.
    pub fn new(sample_rate: u32, channels: u16, config: Bytes) -> Self {
        Self {
            sample_rate,
            channels,
            config,
        }
    }
}

/// A point in real time, and whose clock says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    /// The time.
    pub time: SystemTime,
    /// Where it comes from.
    pub origin: TimeOrigin,
}

impl WallClock {
    /// The time of this host, for data received now.
    pub fn now() -> Self {
        Self {
            time: SystemTime::now(),
            origin: TimeOrigin::Receipt,
        }
    }
}

/// Where a [`WallClock`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeOrigin {
    /// The camera's clock, from its RTCP sender reports (RFC 3550 section 6.4.1).
    SenderReport,
    /// This host's clock at the time of receipt.
    Receipt,
}
