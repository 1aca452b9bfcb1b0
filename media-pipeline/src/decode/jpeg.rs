use rusty_jpeg::decode::{Decoder, PlanarComponent};

use super::{Picture, Plane, VideoDecoder};
use crate::still::check_jpeg;
use crate::{AccessUnit, Codec, Colour, Error};

/// JPEG in pure Rust: baseline and progressive, grey or in colour, to 4:2:0. Snapshots of JPEG streams do without, they
/// pass untouched.
#[derive(Default)]
pub struct JpegDecoder {
    /// Memory of the picture before, to be used again.
    planes: Vec<Vec<u8>>,
}

/// Most bytes of all planes: 8192 x 4352 pixels in 4:4:4.
const MAX_BYTES: usize = 3 * 8192 * 4352;

impl VideoDecoder for JpegDecoder {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        let (width, height) = check_jpeg(&unit.data)?;
        if 3 * width as usize * height as usize > MAX_BYTES {
            return Err(unsupported(format!(
                "the picture of {width} x {height} pixels has more than {} in all",
                MAX_BYTES / 3
            )));
        }
        let damaged = |e: rusty_jpeg::decode::Error| Error::Decode {
            reason: e.to_string(),
        };
        let mut decoder = Decoder::new(&unit.data[..]);
        decoder.set_max_decoding_buffer_size(MAX_BYTES);
        // The pool has a thread for each picture.
        decoder.set_single_threaded(true);
        decoder.recycle_planes(std::mem::take(&mut self.planes));
        let image = decoder.decode_planar().map_err(damaged)?;
        let subsampling = image.chroma_subsampling();
        let planes = match (&image.components[..], subsampling) {
            ([y], _) => [copied(y), grey(width, height), grey(width, height)],
            ([y, cb, cr], Some((across @ (1 | 2), down @ (1 | 2)))) => {
                let halved = |plane| halved(plane, 2 / across, 2 / down, width, height);
                [copied(y), halved(cb), halved(cr)]
            }
            _ => {
                return Err(unsupported(
                    "only grey and YCbCr of 4:2:0, 4:2:2, 4:4:0 and 4:4:4 can be decoded".into(),
                ));
            }
        };
        self.planes = image.into_planes();
        let picture = Picture::new(width, height, planes, Colour::JFIF);
        picture.map(Some).ok_or_else(|| Error::Decode {
            reason: "the planes are smaller than the picture".into(),
        })
    }
}

fn copied(plane: &PlanarComponent) -> Plane {
    Plane {
        data: plane.data.clone().into(),
        stride: plane.stride,
    }
}

fn grey(width: u32, height: u32) -> Plane {
    let stride = width.div_ceil(2) as usize;
    Plane {
        data: vec![128; stride * height.div_ceil(2) as usize].into(),
        stride,
    }
}

/// The means of so many samples `across` and `down`.
fn halved(plane: &PlanarComponent, across: usize, down: usize, width: u32, height: u32) -> Plane {
    if (across, down) == (1, 1) {
        return copied(plane);
    }
    let (width, height) = (width.div_ceil(2) as usize, height.div_ceil(2) as usize);
    let mut data = Vec::with_capacity(width * height);
    let row = |row: usize| {
        let start = row.min(plane.height - 1) * plane.stride;
        &plane.data[start..start + plane.width]
    };
    for upper in (0..height).map(|row| row * down) {
        let rows = [row(upper), row(upper + down - 1)];
        data.extend((0..width).map(|column| {
            let left = (column * across).min(plane.width - 1);
            let right = (column * across + across - 1).min(plane.width - 1);
            let sum: u16 = rows
                .iter()
                .map(|row| u16::from(row[left]) + u16::from(row[right]))
                .sum();
            ((sum + 2) / 4) as u8
        }));
    }
    Plane {
        data: data.into(),
        stride: width,
    }
}

fn unsupported(reason: String) -> Error {
    Error::Unsupported {
        codec: Codec::Jpeg,
        reason,
    }
}
