use bytes::Bytes;
use rusty_jpeg::encode::{Encoder, PlanarYcbcrImage};

use super::StillEncoder;
use crate::colour::ToJfif;
use crate::{Colour, Error, Picture};

/// JPEG from planes, never through RGB.
#[derive(Default)]
pub(super) struct JpegEncoder {
    planes: JfifPlanes,
}

impl StillEncoder for JpegEncoder {
    fn encode(&mut self, picture: &Picture, quality: u8) -> Result<Bytes, Error> {
        let failed = |reason: String| Error::Encode { reason };
        let side = |side: u32| {
            u16::try_from(side).map_err(|_| failed("the picture is too large for JPEG".into()))
        };
        let ([y, cb, cr], strides) = self.planes.of(picture);
        let image = PlanarYcbcrImage::new(
            y,
            cb,
            cr,
            strides,
            side(picture.width)?,
            side(picture.height)?,
            (2, 2),
        )
        .ok_or_else(|| failed("the planes are smaller than the picture".into()))?;
        let mut jpeg = Vec::with_capacity(y.len() / 8);
        let mut encoder = Encoder::new(&mut jpeg, quality.clamp(1, 100));
        encoder.set_sampling_factor(image.sampling_factor());
        encoder
            .encode_image(image)
            .map_err(|e| failed(e.to_string()))?;
        Ok(jpeg.into())
    }
}

/// The planes of pictures in the colour of JFIF.
#[derive(Default)]
pub(super) struct JfifPlanes {
    tables: Option<(Colour, Option<ToJfif>)>,
    converted: [Vec<u8>; 3],
}

impl JfifPlanes {
    /// The planes and their strides: those of the picture itself where they need no conversion.
    pub(super) fn of<'a>(&'a mut self, picture: &'a Picture) -> ([&'a [u8]; 3], [usize; 3]) {
        let (_, tables) = match &mut self.tables {
            Some(kept) if kept.0 == picture.colour => kept,
            other => other.insert((picture.colour, ToJfif::new(picture.colour))),
        };
        match tables {
            None => {
                let planes = [&picture.y, &picture.cb, &picture.cr];
                (
                    planes.map(|plane| &plane.data[..]),
                    planes.map(|plane| plane.stride),
                )
            }
            Some(tables) => {
                let strides = convert(tables, picture, &mut self.converted);
                (self.converted.each_ref().map(Vec::as_slice), strides)
            }
        }
    }
}

/// Converts all planes into `out`, without padding; returns the strides.
fn convert(tables: &mut ToJfif, picture: &Picture, out: &mut [Vec<u8>; 3]) -> [usize; 3] {
    let (width, height) = (picture.width, picture.height);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let strides = [width as usize, half_width as usize, half_width as usize];
    let rows = [height, half_height, half_height];
    for ((plane, stride), rows) in out.iter_mut().zip(strides).zip(rows) {
        plane.resize(stride * rows as usize, 0);
    }
    let [y, cb, cr] = out;
    let chroma = cb.chunks_mut(strides[1]).zip(cr.chunks_mut(strides[2]));
    for ((pair, (cb, cr)), row) in y.chunks_mut(strides[0] * 2).zip(chroma).zip(0..) {
        let (upper, lower) = pair.split_at_mut(strides[0]);
        let lower_source = if lower.is_empty() {
            &[][..]
        } else {
            picture.y.row(2 * row + 1, width)
        };
        tables.rows(
            [picture.y.row(2 * row, width), lower_source],
            picture.cb.row(row, half_width),
            picture.cr.row(row, half_width),
            [upper, lower],
            cb,
            cr,
        );
    }
    strides
}
