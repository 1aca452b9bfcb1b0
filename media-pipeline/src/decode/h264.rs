use rusty_h264::Decoder;

use super::interlaced::Interlaced;
use super::{MAX_SIDE, Picture, Plane, VideoDecoder};
use crate::h264::{self, ParameterSets, Sps};
use crate::{AccessUnit, Codec, Error};

/// H.264 in pure Rust: Baseline, Main and High profile, 4:2:0, 8 bits. The fields of interlaced pictures come out woven.
#[derive(Default)]
pub struct H264Decoder {
    decoder: Decoder,
    interlaced: Interlaced,
    sets: ParameterSets,
}

impl VideoDecoder for H264Decoder {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        let result = self.decode_unit(unit);
        if result.is_err() {
            *self = Self::default();
        }
        result
    }
}

impl H264Decoder {
    fn decode_unit(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        let sps = admit(unit, &mut self.sets)?;
        if sps.interlaced {
            return self.interlaced.decode(unit, sps);
        }
        let frame = self.decoder.decode(&unit.data).map_err(|e| match e {
            rusty_h264::DecodeError::Unsupported(tool) => unsupported(tool.into()),
            e => damaged(&e.to_string()),
        })?;
        frame.map(|frame| picture(frame, sps)).transpose()
    }
}

/// Checks a unit before a decoder sees it, which allocates what it is asked for; returns the parameter set of its
/// picture.
pub(super) fn admit<'a>(unit: &AccessUnit, sets: &'a mut ParameterSets) -> Result<&'a Sps, Error> {
    if !h264::is_about_one_picture(&unit.data) {
        return Err(damaged("it holds far more than one picture"));
    }
    // A worker's decoder sees streams of several cameras: a key frame must bring its own sets.
    if unit.random_access && !h264::has_parameter_sets(&unit.data) {
        return Err(damaged("the key frame comes without its parameter sets"));
    }
    let sps = sets.used(&unit.data).map_err(damaged)?;
    check(sps)?;
    Ok(sps)
}

fn check(sps: &Sps) -> Result<(), Error> {
    if sps.coded_width > MAX_SIDE || sps.coded_height > MAX_SIDE {
        return Err(unsupported(format!(
            "the picture of {} x {} pixels exceeds {MAX_SIDE} x {MAX_SIDE}",
            sps.coded_width, sps.coded_height
        )));
    }
    if sps.chroma_format != 1 || sps.bit_depth != 8 {
        return Err(unsupported(
            "only 4:2:0 with 8 bits can be decoded; set the camera to High profile or below".into(),
        ));
    }
    Ok(())
}

/// The decoder crops right and bottom only; left and top are cut here.
fn picture(frame: rusty_h264::YuvFrame, sps: &Sps) -> Result<Picture, Error> {
    let [left, _, top, _] = sps.crop.map(|side| side as usize);
    let plane = |samples: Vec<u8>, stride: usize, left: usize, top: usize| {
        let start = (top * stride + left).min(samples.len());
        Plane {
            data: bytes::Bytes::from(samples).slice(start..),
            stride,
        }
    };
    let (stride, half_stride) = (frame.width, frame.width / 2);
    let planes = [
        plane(frame.y, stride, left, top),
        plane(frame.u, half_stride, left / 2, top / 2),
        plane(frame.v, half_stride, left / 2, top / 2),
    ];
    Picture::new(sps.width(), sps.height(), planes, sps.colour())
        .ok_or_else(|| damaged("the picture is smaller than its parameter set says"))
}

pub(super) fn damaged(reason: &str) -> Error {
    Error::Decode {
        reason: reason.into(),
    }
}

pub(super) fn unsupported(reason: String) -> Error {
    Error::Unsupported {
        codec: Codec::H264,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::WallClock;

    /// Writes the bits of a parameter set.
    #[derive(Default)]
    struct Bits(Vec<bool>);

    impl Bits {
        fn bits(mut self, value: u32, count: u32) -> Self {
            self.0
                .extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
            self
        }

        fn unsigned(self, value: u32) -> Self {
            let length = (value + 1).ilog2();
            self.bits(0, length).bits(value + 1, length + 1)
        }

        fn bytes(&self) -> Vec<u8> {
            let byte = |bits: &[bool]| {
                bits.iter()
                    .zip((0..8).rev())
                    .map(|(bit, at)| u8::from(*bit) << at)
                    .sum()
            };
            self.0.chunks(8).map(byte).collect()
        }
    }

    /// A key frame whose picture has so many macroblocks and reads as Baseline.
    fn key_frame(width: u32, height: u32) -> AccessUnit {
        key_frame_of_group(width, height, 1)
    }

    fn key_frame_of_group(width: u32, height: u32, references: u32) -> AccessUnit {
        let sps = Bits::default()
            .bits(66 << 16 | 40, 24)
            .unsigned(0) // id
            .unsigned(0) // frame number
            .unsigned(2) // picture order
            .unsigned(references)
            .bits(0, 1)
            .unsigned(width - 1)
            .unsigned(height - 1)
            .bits(0b1_1001, 5); // frames only, direct 8x8, no crop, no VUI, stop bit
        let mut data = vec![0, 0, 1, 0x67];
        data.extend(sps.bytes());
        data.extend([0, 0, 1, 0x68, 0xce, 0x38, 0x80, 0, 0, 1, 0x65, 0x88, 0x84]);
        AccessUnit::new(Codec::H264, data.into(), Duration::ZERO, WallClock::now())
    }

    #[test]
    fn a_picture_over_the_limit_is_refused_by_its_parameter_set() {
        for (width, height) in [(513, 8), (8, 513), (60_000, 60_000)] {
            let error = H264Decoder::default()
                .decode(&key_frame(width, height))
                .unwrap_err();
            assert!(error.to_string().contains("exceeds"), "{error}");
        }
        let error = H264Decoder::default()
            .decode(&key_frame(20, 12))
            .unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error}");
    }

    #[test]
    fn a_set_that_makes_the_decoder_keep_pictures_without_end_is_refused() {
        for (width, height, references) in [(20, 12, 17), (20, 12, u32::MAX - 2), (512, 512, 3)] {
            let error = H264Decoder::default()
                .decode(&key_frame_of_group(width, height, references))
                .unwrap_err();
            assert!(error.to_string().contains("parameter set"), "{error}");
        }
        let permitted = key_frame_of_group(240, 135, 16);
        let error = H264Decoder::default().decode(&permitted).unwrap_err();
        assert!(!error.to_string().contains("parameter set"), "{error}");
    }

    #[test]
    fn a_unit_of_many_pictures_or_slices_is_refused_before_it_is_decoded() {
        for (count, slice) in [(5, [0, 0, 1, 0x41, 0x9a]), (1_100, [0, 0, 1, 0x41, 0x5a])] {
            let mut unit = key_frame(20, 12);
            let mut data = unit.data.to_vec();
            data.extend(std::iter::repeat_n(slice, count).flatten());
            unit.data = data.into();
            let error = H264Decoder::default().decode(&unit).unwrap_err();
            assert!(error.to_string().contains("far more"), "{error}");
        }
    }

    #[test]
    fn a_key_frame_without_its_sets_is_not_decoded_with_those_of_another_stream() {
        let mut decoder = H264Decoder::default();
        let _ = decoder.decode(&key_frame(20, 12));
        let bare = (&[0u8, 0, 1, 0x65, 0x88, 0x84][..]).into();
        let unit = AccessUnit::new(Codec::H264, bare, Duration::ZERO, WallClock::now());
        let error = decoder.decode(&unit).unwrap_err();
        assert!(
            error.to_string().contains("without its parameter sets"),
            "{error}"
        );
    }
}
