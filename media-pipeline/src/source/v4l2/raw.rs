//! From raw pictures of 4:2:2 to JPEG.

use bytes::Bytes;

use super::Format;
use crate::{Colour, Error, Matrix, Picture, Plane, Range, StillFormat, encoder_for};

/// Encodes a picture of YUYV. Blocking.
pub(super) fn encode(data: &[u8], format: &Format, quality: u8) -> Result<Bytes, Error> {
    encoder_for(StillFormat::Jpeg).encode(planes(data, format)?, quality)
}

/// Chroma of two rows becomes one. What is not said otherwise is in limited range, and BT.601 (V4L2 of the Linux kernel,
/// "Colorspaces": cameras).
fn planes(data: &[u8], format: &Format) -> Result<Picture, Error> {
    let refuse = |reason: String| Error::Decode { reason };
    let (width, height) = (format.width as usize, format.height as usize);
    let pairs = width.div_ceil(2);
    let row_bytes = pairs * 4;
    let stride = format.stride.max(row_bytes);
    let needed = height.checked_sub(1).map(|rows| rows * stride + row_bytes);
    if needed.is_none_or(|needed| data.len() < needed) {
        let length = data.len();
        return Err(refuse(format!(
            "a raw picture of {width} x {height} pixels has {length} bytes"
        )));
    }
    let half_height = height.div_ceil(2);
    let mut y = Vec::with_capacity(2 * pairs * height);
    let mut cb = Vec::with_capacity(pairs * half_height);
    let mut cr = Vec::with_capacity(pairs * half_height);
    let row = |number: usize| data[number * stride..][..row_bytes].chunks_exact(4);
    let mean = |a: u8, b: u8| (u16::from(a) + u16::from(b)).div_ceil(2) as u8;
    for top in (0..height).step_by(2) {
        let bottom = (top + 1).min(height - 1);
        for (above, below) in row(top).zip(row(bottom)) {
            cb.push(mean(above[1], below[1]));
            cr.push(mean(above[3], below[3]));
        }
        for number in top..=bottom {
            y.extend(row(number).flat_map(|pair| [pair[0], pair[2]]));
        }
    }
    let plane = |data: Vec<u8>, stride| Plane {
        data: data.into(),
        stride,
    };
    let planes = [plane(y, 2 * pairs), plane(cb, pairs), plane(cr, pairs)];
    let colour = Colour {
        range: Range::Limited,
        matrix: Matrix::Bt601,
    };
    Picture::new(format.width, format.height, planes, colour).ok_or_else(|| {
        refuse(format!(
            "a raw picture of {width} x {height} pixels is too large"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::v4l2::V4l2Coding;

    fn format(width: u32, height: u32, stride: usize) -> Format {
        Format {
            coding: V4l2Coding::Yuyv,
            width,
            height,
            stride,
        }
    }

    #[test]
    fn samples_come_to_their_places_and_chroma_of_two_rows_becomes_one() {
        let data = [
            [10, 100, 11, 200, 12, 102, 13, 202, 0, 0],
            [20, 104, 21, 204, 22, 106, 23, 207, 0, 0],
            [30, 50, 31, 60, 32, 51, 33, 61, 0, 0],
        ];
        let picture = planes(&data.concat(), &format(4, 3, 10)).unwrap();
        let expected = [10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33];
        assert_eq!(picture.y.data[..], expected);
        assert_eq!(picture.cb.data[..], [102, 104, 50, 51]);
        assert_eq!(picture.cr.data[..], [202, 205, 60, 61]);
    }

    #[test]
    fn a_picture_that_is_cut_short_or_empty_is_refused() {
        let format = format(4, 2, 8);
        assert!(planes(&[0; 16], &format).is_ok());
        assert!(planes(&[0; 15], &format).is_err());
        assert!(
            planes(
                &[],
                &super::Format {
                    height: 0,
                    ..format
                }
            )
            .is_err()
        );
    }
}
