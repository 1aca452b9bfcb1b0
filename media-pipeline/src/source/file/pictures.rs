use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{MOST, Reader, Stored, too_large};
use crate::{Codec, Parameters, VideoParameters, check_jpeg};

/// The JPEG pictures of a folder, in the order of their names. Others, and what is not JPEG, are passed over.
pub(super) struct Pictures {
    files: std::vec::IntoIter<PathBuf>,
    period: Duration,
    next: Duration,
}

impl Pictures {
    pub(super) fn open(folder: &Path, period: Duration) -> io::Result<Self> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
            if ending.is_some_and(|ending| ending == "jpg" || ending == "jpeg") {
                files.push(path);
            }
        }
        files.sort();
        Ok(Self {
            files: files.into_iter(),
            period,
            next: Duration::ZERO,
        })
    }
}

impl Reader for Pictures {
    fn next(&mut self) -> io::Result<Option<Stored>> {
        for path in self.files.by_ref() {
            if fs::metadata(&path)?.len() > MOST as u64 {
                return Err(too_large());
            }
            let data = fs::read(&path)?;
            let Ok((width, height)) = check_jpeg(&data) else {
                tracing::warn!(path = %path.display(), "not a JPEG picture, passing it over");
                continue;
            };
            let pts = self.next;
            self.next += self.period;
            let parameters = Parameters::Video(VideoParameters::of_jpeg(width, height));
            return Ok(Some(Stored {
                track: 0,
                codec: Codec::Jpeg,
                data: data.into(),
                pts,
                duration: self.period,
                parameters: Some(Arc::new(parameters)),
            }));
        }
        Ok(None)
    }
}
