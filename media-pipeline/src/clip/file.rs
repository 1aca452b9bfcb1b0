//! The file of a clip: under a temporary name until it is complete. Blocking.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IoSlice, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::assembly::Assembly;
use super::mux::{About, Muxer, Patch, delay, muxer};
use super::pieces::Pieces;
use super::track::{Sample, Track};
use super::{Clip, ClipEnd, ClipOptions, Container, name};
use crate::{Codec, Error, WallClock};

/// Writes a clip. Dropped before [`finish`](Self::finish), it closes the file as it is: what is in it plays.
pub(super) struct Writer {
    open: Option<Open>,
    options: Arc<ClipOptions>,
    pub(super) facts: Facts,
}

/// Held from finding a free name to taking it, so that no clip of this process replaces another.
static NAMING: Mutex<()> = Mutex::new(());

/// What is known of the clip besides its file.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) started: WallClock,
    pub(super) requested: Duration,
    pub(super) codecs: Vec<Codec>,
    pub(super) duration: Duration,
    pub(super) frames: u64,
}

struct Open {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    /// Length of what was written whole.
    length: u64,
    muxer: Box<dyn Muxer>,
}

/// What a clip is made of when its first samples are there.
pub(super) struct Start {
    pub(super) tracks: Vec<Track>,
    pub(super) started: WallClock,
    pub(super) requested: Duration,
}

impl Start {
    pub(super) fn of(assembly: &Assembly, requested: Duration) -> Self {
        Self {
            tracks: assembly.tracks().cloned().collect(),
            started: assembly.wall(),
            requested,
        }
    }
}

impl Writer {
    /// Makes the file; `samples` are the first that will be written.
    pub(super) fn create(
        options: Arc<ClipOptions>,
        start: Start,
        samples: &[Sample],
    ) -> Result<Self, Error> {
        let delay = delay(samples);
        let codecs: Vec<_> = start.tracks.iter().map(|track| track.codec).collect();
        if options.container == Container::Avi && delay > 0 {
            return Err(options.container.refuse(codecs[0], " with B-frames"));
        }
        fs::create_dir_all(&options.folder)
            .map_err(|e| storage(&options.folder, "cannot make the folder", e))?;
        room(&options)?;
        let mut path = options
            .folder
            .join(name::path(&options.name, start.started.time));
        let mut file_name = path.file_name().map_or_else(OsString::new, Into::into);
        file_name.push(".");
        file_name.push(options.container.extension());
        path.set_file_name(&file_name);
        let folder = path.parent().unwrap_or(&options.folder);
        fs::create_dir_all(folder).map_err(|e| storage(folder, "cannot make the folder", e))?;
        let mut hidden = OsString::from(".");
        hidden.push(&file_name);
        hidden.push(".part");
        let naming = NAMING.lock().unwrap_or_else(PoisonError::into_inner);
        let temporary = unused(folder.join(hidden));
        let file = File::create_new(&temporary)
            .map_err(|e| storage(&temporary, "cannot make the file", e))?;
        drop(naming);
        let about = About {
            start: start.started,
            requested: start.requested,
            delay,
        };
        let mut open = Open {
            file,
            temporary,
            path,
            length: 0,
            muxer: muxer(options.container, start.tracks, about),
        };
        let mut head = Vec::new();
        open.muxer.header(&mut head);
        if let Err(error) = open.append(&mut [IoSlice::new(&head)]) {
            let _ = fs::remove_file(&open.temporary);
            return Err(storage(&open.temporary, "cannot write", error));
        }
        Ok(Self {
            open: Some(open),
            facts: Facts {
                started: start.started,
                requested: start.requested,
                codecs,
                duration: Duration::ZERO,
                frames: 0,
            },
            options,
        })
    }

    /// Writes samples as a whole or not at all.
    pub(super) fn write(&mut self, samples: &[Sample]) -> Result<(), Error> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        if samples.is_empty() {
            return Ok(());
        }
        room(&self.options)?;
        let mut pieces = Pieces::default();
        open.muxer.write(samples, &mut pieces);
        open.append(&mut pieces.slices())
            .map_err(|e| storage(&open.temporary, "cannot write", e))
    }

    /// Bytes in the file.
    pub(super) fn length(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.length)
    }

    /// Completes the file, brings it to disk and gives it its name.
    pub(super) fn finish(mut self, end: ClipEnd) -> Result<Clip, Error> {
        let facts = self.facts.clone();
        let Some(open) = self.open.take() else {
            return Err(Error::Closed);
        };
        let container = self.options.container;
        let (path, bytes) = open.close()?;
        Ok(Clip {
            path,
            container,
            started: facts.started,
            duration: facts.duration,
            requested: facts.requested,
            frames: facts.frames,
            bytes,
            codecs: facts.codecs,
            end,
        })
    }

    /// Leaves nothing behind.
    pub(super) fn discard(mut self) {
        if let Some(open) = self.open.take() {
            let _ = fs::remove_file(&open.temporary);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        let close = move || {
            if let Err(error) = open.close() {
                tracing::warn!(%error, "a clip could not be completed");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(close)),
            Err(_) => close(),
        }
    }
}

impl Open {
    fn append(&mut self, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let length: u64 = slices.iter().map(|slice| slice.len() as u64).sum();
        if let Err(error) = write_all(&mut self.file, slices) {
            // A torn fragment would spoil what comes after it.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
            return Err(error);
        }
        self.length += length;
        Ok(())
    }

    fn close(mut self) -> Result<(PathBuf, u64), Error> {
        let mut tail = Vec::new();
        let patches = self.muxer.finish(&mut tail);
        let mut complete = || {
            self.append(&mut [IoSlice::new(&tail)])?;
            for Patch { at, bytes } in &patches {
                self.file.seek(SeekFrom::Start(*at))?;
                self.file.write_all(bytes)?;
            }
            self.file.sync_all()?;
            let naming = NAMING.lock().unwrap_or_else(PoisonError::into_inner);
            let path = unused(self.path.clone());
            fs::rename(&self.temporary, &path)?;
            drop(naming);
            // The name is on disk when the folder is.
            if let Some(folder) = path.parent() {
                let _ = File::open(folder).and_then(|folder| folder.sync_all());
            }
            Ok(path)
        };
        match complete() {
            Ok(path) => Ok((path, self.length)),
            Err(error) => {
                let _ = fs::remove_file(&self.temporary);
                Err(storage(&self.path, "cannot complete the clip", error))
            }
        }
    }
}

/// Writes all slices in order, as many at once as the system takes.
fn write_all(file: &mut impl io::Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether there is room for more.
fn room(options: &ClipOptions) -> Result<(), Error> {
    let free = fs4::available_space(&options.folder)
        .map_err(|e| storage(&options.folder, "cannot tell the free space", e))?;
    if free < options.min_free {
        return Err(Error::DiskFull {
            path: options.folder.clone(),
            free,
            floor: options.min_free,
        });
    }
    Ok(())
}

/// The path, or the first with a number behind the name that is not taken.
fn unused(path: PathBuf) -> PathBuf {
    if !path.exists() {
        return path;
    }
    let stem = path.file_stem().unwrap_or_default().to_owned();
    let numbered = |number: u32| {
        let mut name = stem.clone();
        name.push(format!("-{number}"));
        if let Some(ending) = path.extension() {
            name.push(".");
            name.push(ending);
        }
        path.with_file_name(name)
    };
    let free = (2..=u32::MAX).map(numbered).find(|path| !path.exists());
    free.unwrap_or(path)
}

pub(super) fn storage(path: &Path, action: &'static str, error: io::Error) -> Error {
    Error::Storage {
        path: path.to_owned(),
        action,
        source: Arc::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes five bytes at once, and is interrupted before.
    #[derive(Default)]
    struct Slow {
        taken: Vec<u8>,
        interrupted: bool,
    }

    impl io::Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let before = self.taken.len();
            let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
            self.taken.extend(bytes.take(5));
            Ok(self.taken.len() - before)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_file_that_takes_little_at_once_gets_everything_in_order() {
        let mut file = Slow::default();
        let parts: [&[u8]; 4] = [b"abc", b"", b"defghijklmnop", b"q"];
        write_all(&mut file, &mut parts.map(IoSlice::new)).unwrap();
        assert_eq!(file.taken, b"abcdefghijklmnopq");
    }

    #[test]
    fn a_file_that_takes_no_more_is_an_error() {
        let mut full = &mut [0; 2][..];
        let error = write_all(&mut full, &mut [IoSlice::new(b"abc")]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }
}
