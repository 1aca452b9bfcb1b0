use std::io::Cursor;

use bytes::Bytes;
use image::{ImageFormat, RgbImage};

use super::StillEncoder;
use crate::colour::ToRgb;
use crate::{Error, Picture};

/// RGB formats, through the `image` crate.
pub(super) struct LosslessEncoder(pub(super) ImageFormat);

impl StillEncoder for LosslessEncoder {
    fn encode(&mut self, picture: &Picture, _quality: u8) -> Result<Bytes, Error> {
        let mut file = Cursor::new(Vec::new());
        rgb(picture)
            .write_to(&mut file, self.0)
            .map_err(|e| Error::Encode {
                reason: e.to_string(),
            })?;
        Ok(file.into_inner().into())
    }
}

fn rgb(picture: &Picture) -> RgbImage {
    let tables = ToRgb::new(picture.colour);
    let half_width = picture.width.div_ceil(2);
    let mut image = RgbImage::new(picture.width, picture.height);
    for (row, pixels) in (0..).zip(image.rows_mut()) {
        let luma = picture.y.row(row, picture.width);
        let (cb, cr) = (
            picture.cb.row(row / 2, half_width),
            picture.cr.row(row / 2, half_width),
        );
        for (column, (pixel, y)) in pixels.zip(luma).enumerate() {
            pixel.0 = tables.pixel(*y, cb[column / 2], cr[column / 2]);
        }
    }
    image
}
