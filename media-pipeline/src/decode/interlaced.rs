use rust_h264::decoder::Decoder;
use rust_h264::error::DecodeError;
use rust_h264::nal::parse_annex_b;

use super::h264::{damaged, unsupported};
use super::{Picture, Plane};
use crate::h264::Sps;
use crate::{AccessUnit, Error};

/// H.264 whose sequence parameter set permits fields, by a decoder that knows them.
#[derive(Default)]
pub(super) struct Interlaced {
    decoder: Decoder,
}

impl Interlaced {
    /// Decodes an access unit whose parameter sets were checked. After an error it is of no more use.
    pub(super) fn decode(
        &mut self,
        unit: &AccessUnit,
        sps: &Sps,
    ) -> Result<Option<Picture>, Error> {
        let mut last = None;
        for nal in parse_annex_b(&unit.data) {
            let frame = self.decoder.decode_nal(&nal).map_err(|e| match e {
                DecodeError::Unsupported(tool) => unsupported(tool.into()),
                e => damaged(&e.to_string()),
            })?;
            last = frame.or(last);
        }
        let Some(frame) = self.decoder.flush().or(last) else {
            return Ok(None);
        };
        if (frame.width, frame.height) != (sps.width(), sps.height()) {
            return Err(unsupported(
                "each field comes as a picture of its own; set the camera to a progressive mode"
                    .into(),
            ));
        }
        let half_stride = frame.chroma_width() as usize;
        let plane = |samples: Vec<u8>, stride| Plane {
            data: samples.into(),
            stride,
        };
        let planes = [
            plane(frame.y, frame.width as usize),
            plane(frame.u, half_stride),
            plane(frame.v, half_stride),
        ];
        Picture::new(frame.width, frame.height, planes, sps.colour())
            .map(Some)
            .ok_or_else(|| damaged("the picture is smaller than its parameter set says"))
    }
}
