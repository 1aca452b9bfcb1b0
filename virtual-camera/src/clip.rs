//! What the camera shows and plays: clips that assets/make.sh made.

mod adts;
mod annex_b;
mod jpeg;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

const STILL: &[u8] = include_bytes!("../assets/still.jpg");
const MJPEG: &[u8] = include_bytes!("../assets/clip.mjpeg");

/// How a clip is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    H264,
    H265,
    Jpeg,
    Aac,
    Pcmu,
}

/// A clip that loops without a seam.
#[derive(Debug)]
pub(crate) struct Clip {
    pub codec: Codec,
    /// Pixels; 0 for sound.
    pub width: u32,
    /// Pixels; 0 for sound.
    pub height: u32,
    /// Frames a second; 0 for sound.
    pub frame_rate: u32,
    pub pace: Pace,
    /// H.264: SPS, PPS. H.265: VPS, SPS, PPS. AAC: the AudioSpecificConfig.
    parameters: Vec<Bytes>,
    units: Vec<Unit>,
}

/// How fast the units of a clip follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// RTP ticks a second.
    pub clock_rate: u32,
    /// RTP ticks from one unit to the next.
    pub ticks: u32,
}

/// One frame of a clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Video: NAL units without start codes; parameter sets come before the slices of a key frame. JPEG: the two
    /// quantization tables in a row, and the scan. Sound: the frame.
    pub parts: Vec<Bytes>,
    /// Whether decoding can start here.
    pub is_key: bool,
}

impl Pace {
    const fn video(frame_rate: u32) -> Self {
        Self {
            clock_rate: 90_000,
            ticks: 90_000 / frame_rate,
        }
    }
}

impl Clip {
    /// The clip of a codec. All videos show the same at the same time: a dial with a running clock and a frame counter,
    /// ten seconds, a key frame every two.
    pub(crate) fn of(codec: Codec) -> Arc<Clip> {
        static H264: LazyLock<Arc<Clip>> = LazyLock::new(h264);
        static H265: LazyLock<Arc<Clip>> = LazyLock::new(h265);
        static JPEG: LazyLock<Arc<Clip>> = LazyLock::new(mjpeg);
        static AAC: LazyLock<Arc<Clip>> = LazyLock::new(aac);
        static PCMU: LazyLock<Arc<Clip>> = LazyLock::new(pcmu);
        let clip = match codec {
            Codec::H264 => &H264,
            Codec::H265 => &H265,
            Codec::Jpeg => &JPEG,
            Codec::Aac => &AAC,
            Codec::Pcmu => &PCMU,
        };
        LazyLock::force(clip).clone()
    }

    /// Every frame of one turn of the loop, in the order of time.
    pub(crate) fn units(&self) -> &[Unit] {
        &self.units
    }

    /// What a decoder needs to know beforehand, see the codecs.
    pub(crate) fn parameters(&self) -> &[Bytes] {
        &self.parameters
    }

    /// Frames from one key frame to the next.
    pub(crate) fn gov_length(&self) -> usize {
        let next = self.units.iter().skip(1).position(|unit| unit.is_key);
        next.map_or(self.units.len(), |before| before + 1)
    }

    /// Mean bit rate in kbit/s, rounded up.
    pub(crate) fn bit_rate(&self) -> u64 {
        let sizes = self.units.iter().flat_map(|unit| &unit.parts);
        let bits = sizes.map(|part| part.len() as u64 * 8).sum::<u64>();
        let ticks = self.units.len().max(1) as u64 * u64::from(self.pace.ticks);
        (bits * u64::from(self.pace.clock_rate)).div_ceil(ticks * 1000)
    }
}

/// The complete pictures of the JPEG clip.
pub(crate) fn pictures() -> &'static [Bytes] {
    static PICTURES: LazyLock<Vec<Bytes>> =
        LazyLock::new(|| jpeg::whole(&Bytes::from_static(MJPEG)));
    &PICTURES
}

/// A JPEG of the size of the H.264 clip.
pub(crate) fn still() -> Bytes {
    Bytes::from_static(STILL)
}

fn h264() -> Arc<Clip> {
    const SPS: u8 = 7;
    const PPS: u8 = 8;
    let stream = include_bytes!("../assets/clip.h264");
    let nal_units = annex_b::split(Bytes::from_static(stream));
    Arc::new(Clip {
        codec: Codec::H264,
        width: 1280,
        height: 720,
        frame_rate: 15,
        pace: Pace::video(15),
        parameters: annex_b::first_of(&nal_units, &[SPS, PPS], annex_b::h264_type),
        units: annex_b::group(nal_units, annex_b::h264_type, 1..=5, 5..=5),
    })
}

fn h265() -> Arc<Clip> {
    const VPS: u8 = 32;
    const SPS: u8 = 33;
    const PPS: u8 = 34;
    let stream = include_bytes!("../assets/clip.h265");
    let nal_units = annex_b::split(Bytes::from_static(stream));
    Arc::new(Clip {
        codec: Codec::H265,
        width: 640,
        height: 360,
        frame_rate: 15,
        pace: Pace::video(15),
        parameters: annex_b::first_of(&nal_units, &[VPS, SPS, PPS], annex_b::h265_type),
        units: annex_b::group(nal_units, annex_b::h265_type, 0..=31, 16..=21),
    })
}

fn mjpeg() -> Arc<Clip> {
    Arc::new(Clip {
        codec: Codec::Jpeg,
        width: 384,
        height: 216,
        frame_rate: 5,
        pace: Pace::video(5),
        parameters: Vec::new(),
        units: jpeg::split(&Bytes::from_static(MJPEG)),
    })
}

fn aac() -> Arc<Clip> {
    let stream = Bytes::from_static(include_bytes!("../assets/clip.aac"));
    Arc::new(Clip {
        codec: Codec::Aac,
        width: 0,
        height: 0,
        frame_rate: 0,
        pace: Pace {
            clock_rate: 16_000,
            ticks: 1024,
        },
        parameters: vec![adts::config(&stream)],
        units: adts::split(&stream),
    })
}

fn pcmu() -> Arc<Clip> {
    /// 20 ms, which is usual (RFC 3551, 4.2).
    const SAMPLES: usize = 160;
    let stream = Bytes::from_static(include_bytes!("../assets/clip.pcmu"));
    let starts = (0..stream.len() / SAMPLES).map(|unit| unit * SAMPLES);
    Arc::new(Clip {
        codec: Codec::Pcmu,
        width: 0,
        height: 0,
        frame_rate: 0,
        pace: Pace {
            clock_rate: 8_000,
            ticks: SAMPLES as u32,
        },
        parameters: Vec::new(),
        units: starts
            .map(|start| sound(stream.slice(start..start + SAMPLES)))
            .collect(),
    })
}

/// Sound can start anywhere.
fn sound(frame: Bytes) -> Unit {
    Unit {
        parts: vec![frame],
        is_key: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(unit: &Unit, kind: fn(&[u8]) -> u8) -> Vec<u8> {
        unit.parts.iter().map(|part| kind(part)).collect()
    }

    #[test]
    fn videos_hold_ten_seconds_with_a_key_frame_every_two() {
        for (codec, kind, key, other) in [
            (
                Codec::H264,
                annex_b::h264_type as fn(&[u8]) -> u8,
                &[7, 8, 5][..],
                1,
            ),
            (Codec::H265, annex_b::h265_type, &[32, 33, 34, 20], 1),
        ] {
            let clip = Clip::of(codec);
            assert_eq!(clip.units().len(), 150);
            assert_eq!(clip.gov_length(), 30);
            for (index, unit) in clip.units().iter().enumerate() {
                assert_eq!(unit.is_key, index % 30 == 0, "frame {index}");
                let expected = if unit.is_key { key } else { &[other] };
                assert_eq!(kinds(unit, kind), expected, "{codec:?} frame {index}");
                if unit.is_key {
                    let sets = clip.parameters().len();
                    assert_eq!(unit.parts[..sets], *clip.parameters());
                }
            }
        }
    }

    #[test]
    fn all_clips_last_ten_seconds_or_divide_them() {
        for (codec, milliseconds) in [
            (Codec::H264, 10_000),
            (Codec::H265, 10_000),
            (Codec::Jpeg, 10_000),
            (Codec::Aac, 9_984),
            (Codec::Pcmu, 2_000),
        ] {
            let clip = Clip::of(codec);
            let ticks = clip.units().len() as u64 * u64::from(clip.pace.ticks);
            assert_eq!(
                ticks * 1000 / u64::from(clip.pace.clock_rate),
                milliseconds,
                "{codec:?}"
            );
        }
    }

    #[test]
    fn the_sound_says_how_it_is_encoded() {
        let clip = Clip::of(Codec::Aac);
        // AAC-LC, 16 kHz, one channel.
        assert_eq!(clip.parameters(), [&[0x14, 0x08][..]]);
        assert_eq!(Clip::of(Codec::Pcmu).bit_rate(), 64);
    }

    #[test]
    fn the_still_is_a_jpeg_of_the_size_of_the_clip() {
        let clip = Clip::of(Codec::H264);
        let still = still();
        assert!(still.starts_with(&[0xff, 0xd8]) && still.ends_with(&[0xff, 0xd9]));
        assert_eq!(jpeg::size(&still), Some((clip.width, clip.height)));
        assert!(still.len() < 80 << 10);
    }

    #[test]
    fn the_pictures_have_the_size_that_is_said() {
        let clip = Clip::of(Codec::Jpeg);
        let stream = include_bytes!("../assets/clip.mjpeg");
        assert_eq!(jpeg::size(stream), Some((clip.width, clip.height)));
    }
}
