//! Checks JPEG pictures that are passed on as they came.

use crate::decode::MAX_SIDE;
use crate::{Cap, Error};

/// Largest JPEG in bytes that is passed on.
pub const MAX_JPEG: usize = 16 << 20;

/// Checks that `data` is one complete JPEG of an acceptable size, without decoding it; returns width and height.
///
/// Only markers are read (ITU-T T.81 annex B): start of image, segments up to the start of the first scan with the
/// frame header among them, end of image. Zero bytes of padding after the end are allowed, as cameras send them.
///
/// # Errors
/// [`Error::CapExceeded`] over [`MAX_JPEG`] bytes, [`Error::Decode`] for anything that is not a complete JPEG or has
/// a side over [`MAX_SIDE`].
pub fn check_jpeg(data: &[u8]) -> Result<(u32, u32), Error> {
    if data.len() > MAX_JPEG {
        return Err(Error::CapExceeded {
            url: "snapshot".into(),
            cap: Cap::Jpeg,
            limit: MAX_JPEG,
        });
    }
    let not = |reason: &str| Error::Decode {
        reason: format!("this is not a usable JPEG: {reason}"),
    };
    if !data.starts_with(&[0xff, SOI]) {
        return Err(not("it does not begin with a start-of-image marker"));
    }
    let end = data.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1);
    if end < 4 || data[end - 2..end] != [0xff, EOI] {
        return Err(not("the end-of-image marker is missing"));
    }
    let mut rest = &data[2..end];
    let mut size = None;
    loop {
        let [0xff, marker, tail @ ..] = rest else {
            return Err(not("a marker is missing"));
        };
        match *marker {
            0xff => {
                rest = &rest[1..];
                continue;
            }
            0x01 | 0xd0..=0xd7 => {
                rest = tail;
                continue;
            }
            _ => {}
        }
        let length = match tail {
            [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
            _ => return Err(not("it is cut short")),
        };
        let segment = tail
            .get(2..length.max(2))
            .filter(|_| length >= 2)
            .ok_or_else(|| not("it is cut short"))?;
        match *marker {
            0xc0..=0xcf if !matches!(*marker, 0xc4 | 0xc8 | 0xcc) => {
                let [_, h1, h0, w1, w0, ..] = *segment else {
                    return Err(not("its frame header is cut short"));
                };
                let (width, height) = (
                    u32::from(u16::from_be_bytes([w1, w0])),
                    u32::from(u16::from_be_bytes([h1, h0])),
                );
                let sides = 1..=MAX_SIDE;
                if !sides.contains(&width) || !sides.contains(&height) {
                    return Err(not(&format!("its size is {width} x {height} pixels")));
                }
                size = Some((width, height));
            }
            SOS => return size.ok_or_else(|| not("it has no frame header")),
            _ => {}
        }
        rest = &tail[length..];
    }
}

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut data = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 8, 8];
        data.extend(height.to_be_bytes());
        data.extend(width.to_be_bytes());
        data.extend([3, 0xff, 0xda, 0, 3, 0, 1, 2, 3, 0xff, 0xd9]);
        data
    }

    #[test]
    fn the_size_of_a_complete_jpeg_is_read() {
        assert_eq!(check_jpeg(&jpeg(640, 480)).unwrap(), (640, 480));
    }

    #[test]
    fn padding_after_the_end_is_allowed() {
        let mut data = jpeg(640, 480);
        data.extend([0; 100]);
        assert!(check_jpeg(&data).is_ok());
    }

    #[test]
    fn a_truncated_jpeg_is_refused_wherever_it_is_cut() {
        let whole = jpeg(640, 480);
        for length in 0..whole.len() {
            assert!(check_jpeg(&whole[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn bombs_and_web_pages_are_refused() {
        assert!(check_jpeg(&jpeg(65_500, 65_500)).is_err());
        assert!(check_jpeg(&jpeg(0, 480)).is_err());
        assert!(check_jpeg(b"<html><body>Login</body></html>").is_err());
        assert!(matches!(
            check_jpeg(&vec![0; MAX_JPEG + 1]),
            Err(Error::CapExceeded { cap: Cap::Jpeg, .. })
        ));
    }

    proptest::proptest! {
        #[test]
        fn no_input_makes_the_check_panic(data: Vec<u8>) {
            let mut whole = vec![0xff, 0xd8];
            whole.extend(data);
            whole.extend([0xff, 0xd9]);
            let _ = check_jpeg(&whole);
        }
    }
}
