use bytes::Bytes;
use http::header::CONTENT_TYPE;
use url::Url;

use crate::camera::Camera;
use crate::error::Error;

const LIMIT: usize = 16 << 20;
const MAX_SIDE: u16 = 8192;

/// A picture as the camera encoded it.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The encoded picture.
    pub bytes: Bytes,
    /// Its media type, told from its first bytes: cameras deliver bitmaps as `.jpg`.
    pub content_type: &'static str,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("bytes", &self.bytes.len())
            .field("content_type", &self.content_type)
            .finish()
    }
}

/// Why an answer is no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureProblem {
    /// The address does not deliver.
    #[error("HTTP {0}")]
    Status(u16),
    /// There is nothing.
    #[error("the answer is empty")]
    Empty,
    /// It is something else.
    #[error("{length} bytes that say they are {claimed}")]
    NoImage {
        /// How much, in bytes.
        length: usize,
        /// The media type that the camera gives it.
        claimed: String,
    },
    /// It is the beginning of a picture.
    #[error("its end is missing")]
    Truncated,
    /// Its header announces more than any camera has.
    #[error("it announces {width} x {height} pixels")]
    TooLarge {
        /// Pixels.
        width: u16,
        /// Pixels.
        height: u16,
    },
}

pub(super) async fn fetch(camera: &Camera, url: &Url) -> Result<Snapshot, Error> {
    let response = camera.fetch(url, LIMIT).await?;
    picture(response).map_err(|reason| Error::NotAPicture {
        host: camera.host(),
        reason,
    })
}

fn picture(response: http::Response<Bytes>) -> Result<Snapshot, PictureProblem> {
    if !response.status().is_success() {
        return Err(PictureProblem::Status(response.status().as_u16()));
    }
    let claimed = response.headers().get(CONTENT_TYPE).cloned();
    let bytes = response.into_body();
    if bytes.is_empty() {
        return Err(PictureProblem::Empty);
    }
    let Some(content_type) = content_type(&bytes) else {
        let claimed = claimed.as_ref().and_then(|value| value.to_str().ok());
        return Err(PictureProblem::NoImage {
            length: bytes.len(),
            claimed: claimed.unwrap_or("nothing").chars().take(80).collect(),
        });
    };
    if content_type == "image/jpeg" {
        check_jpeg(&bytes)?;
    }
    Ok(Snapshot {
        bytes,
        content_type,
    })
}

/// Looks at the frame header and for the end marker, without decoding.
fn check_jpeg(bytes: &[u8]) -> Result<(), PictureProblem> {
    let be16 = |at: usize| {
        let pair = bytes.get(at..at + 2).ok_or(PictureProblem::Truncated)?;
        Ok(u16::from_be_bytes([pair[0], pair[1]]))
    };
    let mut at = 2;
    loop {
        let marker = be16(at)?;
        match marker {
            // Fill bytes may stand before a marker.
            0xffff => at += 1,
            // The frame header, of any coding.
            0xffc0..=0xffcf if !matches!(marker, 0xffc4 | 0xffc8 | 0xffcc) => break,
            0xff01..=0xfffe if marker != 0xffd9 && marker != 0xffda => {
                at += 2 + usize::from(be16(at + 2)?.max(2));
            }
            _ => return Err(PictureProblem::Truncated),
        }
    }
    let (height, width) = (be16(at + 5)?, be16(at + 7)?);
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(PictureProblem::TooLarge { width, height });
    }
    // Some cameras pad behind the end.
    match bytes[at..]
        .windows(2)
        .rposition(|pair| pair == [0xff, 0xd9])
    {
        Some(_) => Ok(()),
        None => Err(PictureProblem::Truncated),
    }
}

fn content_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'B', b'M', ..] => Some("image/bmp"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x01\x11\x00\xff\xda\x00\x02ab\xff\xd9\0\0";

    #[test]
    fn a_jpeg_has_a_size_and_an_end() {
        assert_eq!(check_jpeg(JPEG), Ok(()));
        for end in 0..JPEG.len() - 3 {
            assert_eq!(check_jpeg(&JPEG[..end]), Err(PictureProblem::Truncated));
        }
        let mut bomb = JPEG.to_vec();
        bomb[14] = 0xff;
        assert_eq!(
            check_jpeg(&bomb),
            Err(PictureProblem::TooLarge {
                width: 0x20,
                height: 0xff10
            })
        );
    }

    #[test]
    fn what_came_instead_of_a_picture_is_told() {
        let answer = |status: u16, body: &'static [u8]| {
            picture(
                http::Response::builder()
                    .status(status)
                    .body(Bytes::from_static(body))
                    .unwrap(),
            )
        };
        assert_eq!(answer(404, JPEG), Err(PictureProblem::Status(404)));
        assert_eq!(answer(200, b""), Err(PictureProblem::Empty));
        assert!(matches!(
            answer(200, b"<html>"),
            Err(PictureProblem::NoImage { length: 6, .. })
        ));
        assert_eq!(answer(200, JPEG).unwrap().content_type, "image/jpeg");
    }

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        assert_eq!(content_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(content_type(b"BM1234"), Some("image/bmp"));
        assert_eq!(content_type(b"<html>"), None);
        assert_eq!(content_type(b""), None);
    }
}
