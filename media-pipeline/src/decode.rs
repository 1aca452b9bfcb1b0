//! Decoding of single pictures, and the pool of workers that does it.

#[cfg(feature = "ffmpeg")]
mod ffmpeg;
mod h264;
mod h265;
mod interlaced;
mod jpeg;
#[cfg(feature = "openh264")]
mod openh264;
mod pool;

use bytes::Bytes;

#[cfg(feature = "ffmpeg")]
pub use ffmpeg::FfmpegDecoder;
pub use h264::H264Decoder;
pub use h265::H265Decoder;
pub use jpeg::JpegDecoder;
#[cfg(feature = "openh264")]
pub use openh264::OpenH264Decoder;
pub use pool::DecodePool;
pub(crate) use pool::Make;

use crate::{AccessUnit, Codec, Colour, Error};

/// Longest side of a picture in pixels that is decoded or passed on.
pub const MAX_SIDE: u32 = 8192;

/// A decoded picture in planar YCbCr 4:2:0, cropped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Luma, `height` rows of `width` samples.
    pub y: Plane,
    /// Blue difference, half as wide and high, rounded up.
    pub cb: Plane,
    /// Red difference, half as wide and high, rounded up.
    pub cr: Plane,
    /// How the samples are to be read.
    pub colour: Colour,
}

/// The samples of one component, 8 bits each.
#[derive(Clone, Debug)]
pub struct Plane {
    /// The rows, `stride` bytes apart; the last may end after its samples.
    pub data: Bytes,
    /// Bytes from the start of a row to the start of the next.
    pub stride: usize,
}

impl Picture {
    /// Puts a picture together; `None` if a plane is too small for the size, or the size is zero or over [`MAX_SIDE`].
    pub fn new(width: u32, height: u32, [y, cb, cr]: [Plane; 3], colour: Colour) -> Option<Self> {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return None;
        }
        let fits = |plane: &Plane, width: u32, height: u32| {
            let (width, height) = (width as usize, height as usize);
            plane.stride >= width
                && plane
                    .stride
                    .checked_mul(height - 1)
                    .is_some_and(|start| plane.data.len() >= start + width)
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        (fits(&y, width, height)
            && fits(&cb, half_width, half_height)
            && fits(&cr, half_width, half_height))
        .then_some(Self {
            width,
            height,
            y,
            cb,
            cr,
            colour,
        })
    }
}

impl Plane {
    /// The first `width` samples of a row.
    pub(crate) fn row(&self, row: u32, width: u32) -> &[u8] {
        let start = row as usize * self.stride;
        &self.data[start..start + width as usize]
    }
}

/// Decodes access units of one codec, one after the other.
///
/// Each access unit with [`random_access`](AccessUnit::random_access) must decode no matter what came before; the
/// others follow the unit before them. A panic costs the picture and the decoder, nothing else.
pub trait VideoDecoder: Send {
    /// Decodes one access unit; `None` if it completes no picture.
    ///
    /// # Errors
    /// [`Error::Decode`] for a damaged unit, [`Error::Unsupported`] for coding tools that the decoder lacks. The next
    /// random access point must decode again.
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error>;

    /// What comes next does not follow what came before, and begins with a random access point: something was left out,
    /// or it is of another stream.
    ///
    /// Only decoders of codecs with open groups of pictures have something to do.
    fn reset(&mut self) {}
}

/// A decoder of this crate for `codec`.
///
/// # Errors
/// [`Error::Unsupported`] if it has no pictures.
pub fn decoder_for(codec: Codec) -> Result<Box<dyn VideoDecoder>, Error> {
    match codec {
        Codec::H264 => Ok(Box::new(H264Decoder::default())),
        Codec::H265 => Ok(Box::new(H265Decoder::default())),
        Codec::Jpeg => Ok(Box::new(JpegDecoder::default())),
        _ => Err(Error::Unsupported {
            codec,
            reason: "it has no pictures".into(),
        }),
    }
}
