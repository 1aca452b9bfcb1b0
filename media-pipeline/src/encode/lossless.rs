use std::io::Cursor;

use bytes::Bytes;
use image::{ImageFormat, RgbImage};

use super::StillEncoder;
use crate::colour::rgb;
use crate::{Error, Picture};

/// RGB formats, through the `image` crate.
pub(super) struct LosslessEncoder(pub(super) ImageFormat);

impl StillEncoder for LosslessEncoder {
    fn encode(&mut self, picture: Picture, _quality: u8) -> Result<Bytes, Error> {
        let failed = |reason: String| Error::Encode { reason };
        let image = RgbImage::from_raw(picture.width, picture.height, rgb(&picture))
            .ok_or_else(|| failed("the planes are smaller than the picture".into()))?;
        let mut file = Cursor::new(Vec::new());
        image
            .write_to(&mut file, self.0)
            .map_err(|e| failed(e.to_string()))?;
        Ok(file.into_inner().into())
    }
}
