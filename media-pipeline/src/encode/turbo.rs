use std::borrow::Cow;

use bytes::Bytes;
use turbojpeg::{Compressor, Subsamp, YuvPlanesImage};

use super::StillEncoder;
use super::jpeg::ToJfifColours;
use crate::{Error, Picture, Plane};

/// JPEG from planes by libjpeg-turbo, with the feature `turbojpeg`. For [`DecodePool::with_codecs`](crate::DecodePool::with_codecs).
pub struct TurboJpegEncoder {
    compressor: Compressor,
    colours: ToJfifColours,
}

impl TurboJpegEncoder {
    /// An encoder.
    ///
    /// # Errors
    /// [`Error::Encode`] if the library cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            compressor: Compressor::new().map_err(failed)?,
            colours: ToJfifColours::default(),
        })
    }
}

impl StillEncoder for TurboJpegEncoder {
    fn encode(&mut self, picture: Picture, quality: u8) -> Result<Bytes, Error> {
        let picture = self.colours.convert(picture);
        let (width, height) = (picture.width as usize, picture.height as usize);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        // The library wants whole rows and panics without them.
        let [y, cb, cr] = [
            whole_rows(&picture.y, width, height),
            whole_rows(&picture.cb, half_width, half_height),
            whole_rows(&picture.cr, half_width, half_height),
        ];
        let image = YuvPlanesImage {
            y_plane: &y.0[..],
            u_plane: &cb.0[..],
            v_plane: &cr.0[..],
            width,
            height,
            y_stride: y.1,
            u_stride: cb.1,
            v_stride: cr.1,
            subsamp: Subsamp::Sub2x2,
        };
        self.compressor
            .set_quality(quality.clamp(1, 100).into())
            .map_err(failed)?;
        let jpeg = self.compressor.compress_yuv_planes_to_vec(&image);
        Ok(jpeg.map_err(failed)?.into())
    }
}

/// A plane whose last row is as long as the others, copied only where it is not.
fn whole_rows(plane: &Plane, width: usize, height: usize) -> (Cow<'_, [u8]>, usize) {
    if plane.data.len() >= plane.stride * height {
        return (Cow::Borrowed(&plane.data), plane.stride);
    }
    let rows = plane.data.chunks(plane.stride).take(height);
    (rows.flat_map(|row| &row[..width]).copied().collect(), width)
}

fn failed(e: turbojpeg::Error) -> Error {
    Error::Encode {
        reason: e.to_string(),
    }
}
