use bytes::Bytes;
use openh264::decoder::{DecodedYUV, Decoder};
use openh264::formats::YUVSource as _;

use super::h264::{admit, damaged, unsupported};
use super::{Picture, Plane, VideoDecoder};
use crate::h264::{self, ParameterSets, Sps};
use crate::{AccessUnit, Error};

/// H.264 by Cisco's OpenH264, compiled from its source in C++ with the feature `openh264`: progressive Baseline, Main and
/// High profile, without B-frames, which it gives in the order of presentation. For [`DecodePool::with_decoders`](crate::DecodePool::with_decoders).
pub struct OpenH264Decoder {
    decoder: Decoder,
    sets: ParameterSets,
}

impl OpenH264Decoder {
    /// A decoder.
    ///
    /// # Errors
    /// [`Error::Decode`] if the library cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            decoder: decoder()?,
            sets: ParameterSets::default(),
        })
    }
}

impl VideoDecoder for OpenH264Decoder {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        let sps = admit(unit, &mut self.sets)?;
        if sps.interlaced {
            return Err(unsupported(
                "OpenH264 has no interlaced pictures; use the decoder of this crate".into(),
            ));
        }
        if h264::has_b_slices(&unit.data) {
            return Err(unsupported(
                "B-frames with OpenH264; use the decoder of this crate, or set the camera to a profile without them".into(),
            ));
        }
        match self.decoder.decode(&unit.data) {
            Ok(frame) => frame.map(|frame| picture(&frame, sps)).transpose(),
            Err(e) => {
                self.decoder = decoder()?;
                Err(damaged(&e.to_string()))
            }
        }
    }
}

fn decoder() -> Result<Decoder, Error> {
    Decoder::new().map_err(|e| damaged(&e.to_string()))
}

fn picture(frame: &DecodedYUV<'_>, sps: &Sps) -> Result<Picture, Error> {
    let (y_stride, cb_stride, cr_stride) = frame.strides();
    // The library keeps the planes until it decodes again.
    let plane = |samples: &[u8], stride| Plane {
        data: Bytes::copy_from_slice(samples),
        stride,
    };
    let planes = [
        plane(frame.y(), y_stride),
        plane(frame.u(), cb_stride),
        plane(frame.v(), cr_stride),
    ];
    let (width, height) = frame.dimensions();
    if (width, height) != (sps.width() as usize, sps.height() as usize) {
        return Err(damaged(
            "the picture is not of the size that its parameter set says",
        ));
    }
    Picture::new(sps.width(), sps.height(), planes, sps.colour())
        .ok_or_else(|| damaged("the picture is smaller than its parameter set says"))
}
