//! Encoding of still pictures.

mod exif;
mod jpeg;
mod lossless;
#[cfg(feature = "turbojpeg")]
mod turbo;

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

pub(crate) use exif::with_capture_time;
#[cfg(feature = "turbojpeg")]
pub use turbo::TurboJpegEncoder;

use crate::{Error, Picture};

/// Turns decoded pictures into files of one format.
pub trait StillEncoder: Send {
    /// Encodes one picture, whose memory may be used up. `quality` is 1 to 100; formats without loss ignore it.
    ///
    /// # Errors
    /// [`Error::Encode`] if the picture does not fit the format.
    fn encode(&mut self, picture: Picture, quality: u8) -> Result<Bytes, Error>;
}

/// An encoder of this crate for `format`.
pub fn encoder_for(format: StillFormat) -> Box<dyn StillEncoder> {
    match format {
        StillFormat::Jpeg => Box::new(jpeg::JpegEncoder::default()),
        StillFormat::Png => Box::new(lossless::LosslessEncoder(image::ImageFormat::Png)),
        StillFormat::Bmp => Box::new(lossless::LosslessEncoder(image::ImageFormat::Bmp)),
        StillFormat::Tiff => Box::new(lossless::LosslessEncoder(image::ImageFormat::Tiff)),
    }
}

/// File format of a still picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StillFormat {
    /// JPEG (JFIF), 4:2:0. By far the cheapest; straight from the decoded planes.
    #[default]
    Jpeg,
    /// PNG, RGB.
    Png,
    /// BMP, RGB.
    Bmp,
    /// TIFF, RGB.
    Tiff,
}

impl StillFormat {
    /// The media type, for example `image/jpeg`.
    pub fn media_type(self) -> &'static str {
        match self {
            StillFormat::Jpeg => "image/jpeg",
            StillFormat::Png => "image/png",
            StillFormat::Bmp => "image/bmp",
            StillFormat::Tiff => "image/tiff",
        }
    }

    /// The name and file extension, for example `jpeg`.
    pub fn name(self) -> &'static str {
        match self {
            StillFormat::Jpeg => "jpeg",
            StillFormat::Png => "png",
            StillFormat::Bmp => "bmp",
            StillFormat::Tiff => "tiff",
        }
    }
}

impl fmt::Display for StillFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for StillFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [Self::Jpeg, Self::Png, Self::Bmp, Self::Tiff]
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(name))
            .or_else(|| name.eq_ignore_ascii_case("jpg").then_some(Self::Jpeg))
            .ok_or_else(|| Error::Option {
                option: "format",
                reason: format!("is {name:?}; known are jpeg, png, bmp and tiff"),
            })
    }
}
