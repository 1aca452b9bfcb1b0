use bytes::Bytes;
use http::header::CONTENT_TYPE;
use url::Url;

use crate::camera::Camera;
use crate::error::Error;

const LIMIT: usize = 16 << 20;

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

pub(super) async fn fetch(camera: &Camera, url: &Url) -> Result<Snapshot, Error> {
    let response = camera.fetch(url, LIMIT).await?;
    let not_a_picture = |reason: String| Error::NotAPicture {
        host: camera.host(),
        reason,
    };
    if !response.status().is_success() {
        return Err(not_a_picture(format!("HTTP {}", response.status())));
    }
    let claimed = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("none")
        .to_owned();
    let bytes = response.into_body();
    match content_type(&bytes) {
        Some(content_type) => Ok(Snapshot {
            bytes,
            content_type,
        }),
        None => Err(not_a_picture(format!(
            "{} bytes that say they are {claimed}",
            bytes.len()
        ))),
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

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        assert_eq!(content_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(content_type(b"BM1234"), Some("image/bmp"));
        assert_eq!(content_type(b"<html>"), None);
        assert_eq!(content_type(b""), None);
    }
}
