use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::{h264, h265};

/// One coded picture with everything that belongs to its instant.
///
/// Cloning shares the data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessUnit {
    /// Index of the track in the session description.
    pub track: u16,
    /// How `data` is coded.
    pub codec: Codec,
    /// H.264 and H.265: NAL units in Annex B framing, with the parameter sets before each key frame.
    /// JPEG: a complete JFIF file.
    pub data: Bytes,
    /// Presentation time since the start of the session, by the camera's media clock.
    pub pts: Duration,
    /// When the picture was taken.
    pub wall: WallClock,
    /// Whether decoding can start here: IDR (H.264), IDR, CRA or BLA (H.265), every JPEG.
    pub random_access: bool,
    /// RTP packets that were lost between the unit before and this one.
    pub loss: u32,
    /// Size and parameter sets, where they are known.
    pub parameters: Option<Arc<Parameters>>,
}

impl AccessUnit {
    /// An access unit of track 0 without loss; whether it is a random access point is read from the data.
    pub fn new(codec: Codec, data: Bytes, pts: Duration, wall: WallClock) -> Self {
        let random_access = match codec {
            Codec::H264 => h264::is_random_access(&data),
            Codec::H265 => h265::is_random_access(&data),
            Codec::Jpeg => true,
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

/// How a video stream is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// H.264 (AVC), RFC 6184.
    H264,
    /// H.265 (HEVC), RFC 7798.
    H265,
    /// JPEG, RFC 2435 (Motion JPEG).
    Jpeg,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::H264 => "H.264",
            Codec::H265 => "H.265",
            Codec::Jpeg => "JPEG",
        })
    }
}

/// What is known about a video stream besides its pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameters {
    /// Width of the picture in pixels, cropped.
    pub width: u32,
    /// Height of the picture in pixels, cropped.
    pub height: u32,
    /// The codec as in RFC 6381, for example `avc1.4D401E`.
    pub rfc6381: String,
    /// Parameter sets as NAL units without start codes: SPS, PPS (H.264), VPS, SPS, PPS (H.265), none (JPEG).
    pub sets: Vec<Bytes>,
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
