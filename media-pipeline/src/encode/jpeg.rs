use bytes::{Bytes, BytesMut};
use rusty_jpeg::encode::{Encoder, PlanarYcbcrImage};

use super::StillEncoder;
use crate::colour::ToJfif;
use crate::{Colour, Error, Picture, Plane};

/// JPEG from planes, never through RGB.
#[derive(Default)]
pub(super) struct JpegEncoder {
    colours: ToJfifColours,
}

impl StillEncoder for JpegEncoder {
    fn encode(&mut self, picture: Picture, quality: u8) -> Result<Bytes, Error> {
        let failed = |reason: String| Error::Encode { reason };
        let side = |side: u32| {
            u16::try_from(side).map_err(|_| failed("the picture is too large for JPEG".into()))
        };
        let Picture {
            width,
            height,
            y,
            cb,
            cr,
            ..
        } = self.colours.convert(picture);
        let image = PlanarYcbcrImage::new(
            &y.data,
            &cb.data,
            &cr.data,
            [y.stride, cb.stride, cr.stride],
            side(width)?,
            side(height)?,
            (2, 2),
        )
        .ok_or_else(|| failed("the planes are smaller than the picture".into()))?;
        let mut jpeg = Vec::with_capacity(y.data.len() / 8);
        let mut encoder = Encoder::new(&mut jpeg, quality.clamp(1, 100));
        encoder.set_sampling_factor(image.sampling_factor());
        encoder
            .encode_image(image)
            .map_err(|e| failed(e.to_string()))?;
        Ok(jpeg.into())
    }
}

/// Brings pictures into the colour of JFIF.
#[derive(Default)]
pub(super) struct ToJfifColours {
    factors: Option<(Colour, Option<ToJfif>)>,
}

impl ToJfifColours {
    /// In place, unless somebody else has the picture too.
    pub(super) fn convert(&mut self, picture: Picture) -> Picture {
        let (_, factors) = match &mut self.factors {
            Some(kept) if kept.0 == picture.colour => kept,
            other => other.insert((picture.colour, ToJfif::new(picture.colour))),
        };
        let Some(factors) = factors else {
            return picture;
        };
        let (width, half_width) = (picture.width as usize, picture.width.div_ceil(2) as usize);
        let half_height = picture.height.div_ceil(2) as usize;
        let [mut y, mut cb, mut cr] = [picture.y, picture.cb, picture.cr].map(own);
        let pairs = y.data.chunks_mut(2 * y.stride).zip(0..picture.height);
        let chroma = cb
            .data
            .chunks_mut(cb.stride)
            .zip(cr.data.chunks_mut(cr.stride));
        for ((pair, row), (cb, cr)) in pairs.zip(chroma).take(half_height) {
            let whole = 2 * row + 1 < picture.height;
            let (upper, lower) = pair.split_at_mut(y.stride.min(pair.len()));
            let lower = if whole { &mut lower[..width] } else { &mut [] };
            factors.rows(
                [&mut upper[..width], lower],
                &mut cb[..half_width],
                &mut cr[..half_width],
            );
        }
        let plane = |own: Own| Plane {
            data: own.data.freeze(),
            stride: own.stride,
        };
        Picture {
            y: plane(y),
            cb: plane(cb),
            cr: plane(cr),
            colour: Colour::JFIF,
            ..picture
        }
    }
}

/// A plane that can be changed.
struct Own {
    data: BytesMut,
    stride: usize,
}

fn own(plane: Plane) -> Own {
    let copy = |data: Bytes| BytesMut::from(&data[..]);
    Own {
        data: plane.data.try_into_mut().unwrap_or_else(copy),
        stride: plane.stride,
    }
}
