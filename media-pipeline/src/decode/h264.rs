use rusty_h264::Decoder;

use super::{MAX_SIDE, Picture, Plane, VideoDecoder};
use crate::h264::{self, Sps};
use crate::{AccessUnit, Codec, Error};

/// H.264 in pure Rust: progressive Baseline, Main and High profile, 4:2:0, 8 bits.
#[derive(Default)]
pub struct H264Decoder {
    decoder: Decoder,
    sps: Option<Sps>,
}

impl VideoDecoder for H264Decoder {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        // Every set is checked before the decoder sees one: it allocates what they ask for.
        for sps in h264::all_sps(&unit.data) {
            let sps = sps.ok_or_else(|| damaged("its sequence parameter set cannot be read"))?;
            check(&sps)?;
            self.sps = Some(sps);
        }
        // A worker's decoder sees streams of several cameras: a key frame must bring its own sets.
        if unit.random_access && !h264::has_parameter_sets(&unit.data) {
            return Err(damaged("the key frame comes without its parameter sets"));
        }
        let sps = self
            .sps
            .as_ref()
            .ok_or_else(|| damaged("no parameter sets came before it"))?;
        let frame = match self.decoder.decode(&unit.data) {
            Ok(frame) => frame,
            Err(e) => {
                self.decoder = Decoder::new();
                return Err(match e {
                    rusty_h264::DecodeError::Unsupported(tool) => Error::Unsupported {
                        codec: Codec::H264,
                        reason: tool.into(),
                    },
                    e => damaged(&e.to_string()),
                });
            }
        };
        frame.map(|frame| picture(frame, sps)).transpose()
    }
}

fn check(sps: &Sps) -> Result<(), Error> {
    if sps.coded_width > MAX_SIDE || sps.coded_height > MAX_SIDE {
        return Err(unsupported(format!(
            "the picture of {} x {} pixels exceeds {MAX_SIDE} x {MAX_SIDE}",
            sps.coded_width, sps.coded_height
        )));
    }
    if sps.interlaced {
        return Err(unsupported(
            "interlaced pictures; set the camera to a progressive mode".into(),
        ));
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

fn damaged(reason: &str) -> Error {
    Error::Decode {
        reason: reason.into(),
    }
}

fn unsupported(reason: String) -> Error {
    Error::Unsupported {
        codec: Codec::H264,
        reason,
    }
}
