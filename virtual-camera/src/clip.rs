//! The moving picture that the camera shows.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

// Made by assets/make.sh, which sets the three numbers of `Clip::built_in` too.
const H264: &[u8] = include_bytes!("../assets/clip.h264");
const STILL: &[u8] = include_bytes!("../assets/still.jpg");

/// An H.264 clip that loops without a seam, and a still of it.
#[derive(Debug)]
pub(crate) struct Clip {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames a second.
    pub frame_rate: u32,
    sps: Bytes,
    pps: Bytes,
    access_units: Vec<AccessUnit>,
    still: Bytes,
}

/// One frame of a clip.
#[derive(Debug)]
pub(crate) struct AccessUnit {
    /// NAL units without start codes; parameter sets come before the slices of a key frame.
    pub nal_units: Vec<Bytes>,
    /// Whether decoding can start here.
    pub is_key: bool,
}

impl Clip {
    /// The clip that comes with the crate: a dial with a running clock and a frame counter,
    /// ten seconds, a key frame every two.
    pub(crate) fn built_in() -> Arc<Clip> {
        static BUILT_IN: OnceLock<Arc<Clip>> = OnceLock::new();
        BUILT_IN
            .get_or_init(|| {
                let nal_units = split_annex_b(Bytes::from_static(H264));
                let first = |kind| {
                    nal_units
                        .iter()
                        .find(|nal_unit| nal_unit_type(nal_unit) == kind)
                        .cloned()
                        .expect("the clip holds its parameter sets")
                };
                Arc::new(Clip {
                    width: 1280,
                    height: 720,
                    frame_rate: 15,
                    sps: first(SPS),
                    pps: first(PPS),
                    access_units: group(nal_units),
                    still: Bytes::from_static(STILL),
                })
            })
            .clone()
    }

    /// Every frame of one turn of the loop, in the order of time.
    pub(crate) fn access_units(&self) -> &[AccessUnit] {
        &self.access_units
    }

    /// The sequence parameter set, a NAL unit without start code.
    pub(crate) fn sps(&self) -> &Bytes {
        &self.sps
    }

    /// The picture parameter set, a NAL unit without start code.
    pub(crate) fn pps(&self) -> &Bytes {
        &self.pps
    }

    /// A JPEG of the size of the clip.
    pub(crate) fn still(&self) -> Bytes {
        self.still.clone()
    }
}

const IDR_SLICE: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;

fn nal_unit_type(nal_unit: &[u8]) -> u8 {
    nal_unit.first().map_or(0, |header| header & 0x1f)
}

/// Cuts a byte stream (H.264, annex B) into NAL units, which share its memory.
fn split_annex_b(stream: Bytes) -> Vec<Bytes> {
    let starts: Vec<usize> = stream
        .windows(3)
        .enumerate()
        .filter(|(_, window)| *window == [0, 0, 1])
        .map(|(position, _)| position)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let mut nal_unit = stream.slice(start + 3..end);
            // The fourth byte of a long start code that follows, and trailing zeros.
            while nal_unit.last() == Some(&0) {
                nal_unit.truncate(nal_unit.len() - 1);
            }
            nal_unit
        })
        .filter(|nal_unit| !nal_unit.is_empty())
        .collect()
}

/// Groups NAL units into frames. The clip has one slice a frame, so a slice ends one.
fn group(nal_units: Vec<Bytes>) -> Vec<AccessUnit> {
    let mut access_units = Vec::new();
    let mut pending = Vec::new();
    for nal_unit in nal_units {
        let kind = nal_unit_type(&nal_unit);
        pending.push(nal_unit);
        if (1..=IDR_SLICE).contains(&kind) {
            access_units.push(AccessUnit {
                nal_units: std::mem::take(&mut pending),
                is_key: kind == IDR_SLICE,
            });
        }
    }
    access_units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_a_byte_stream_at_long_and_short_start_codes() {
        let stream = Bytes::from_static(&[0, 0, 0, 1, 7, 1, 0, 0, 1, 8, 2, 0, 0, 0, 1, 5, 3, 0]);
        assert_eq!(
            split_annex_b(stream),
            [&[7, 1][..], &[8, 2][..], &[5, 3][..]]
        );
        assert!(split_annex_b(Bytes::from_static(&[1, 2, 3])).is_empty());
    }

    #[test]
    fn holds_ten_seconds_with_a_key_frame_every_two() {
        let clip = Clip::built_in();
        assert_eq!(clip.access_units().len(), 10 * clip.frame_rate as usize);
        for (index, access_unit) in clip.access_units().iter().enumerate() {
            let is_key = index % (2 * clip.frame_rate as usize) == 0;
            assert_eq!(access_unit.is_key, is_key, "frame {index}");
            let kinds: Vec<u8> = access_unit
                .nal_units
                .iter()
                .map(|nal_unit| nal_unit_type(nal_unit))
                .collect();
            let expected: &[u8] = if is_key { &[SPS, PPS, IDR_SLICE] } else { &[1] };
            assert_eq!(kinds, expected, "frame {index}");
        }
    }

    #[test]
    fn repeats_the_same_parameter_sets() {
        let clip = Clip::built_in();
        for access_unit in clip.access_units().iter().filter(|unit| unit.is_key) {
            assert_eq!(&access_unit.nal_units[0], clip.sps());
            assert_eq!(&access_unit.nal_units[1], clip.pps());
        }
    }

    #[test]
    fn the_still_is_a_jpeg_of_the_size_of_the_clip() {
        let clip = Clip::built_in();
        let still = clip.still();
        assert!(still.starts_with(&[0xff, 0xd8]) && still.ends_with(&[0xff, 0xd9]));
        // Start of frame: length, precision, height, width.
        let frame = still
            .windows(9)
            .find(|window| window[..2] == [0xff, 0xc0])
            .unwrap();
        let height = u32::from(u16::from_be_bytes([frame[5], frame[6]]));
        let width = u32::from(u16::from_be_bytes([frame[7], frame[8]]));
        assert_eq!((width, height), (clip.width, clip.height));
        assert!(still.len() < 80 << 10);
    }
}
