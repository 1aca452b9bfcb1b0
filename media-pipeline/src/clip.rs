//! Clips: the units of a stream as files, as the camera coded them.

mod assembly;
mod avi;
mod container;
mod file;
mod flv;
mod mkv;
mod mp4;
mod mpeg;
#[cfg(test)]
mod mutated;
mod mux;
mod name;
mod pieces;
mod recorder;
mod retention;
mod timing;
mod track;

use std::path::PathBuf;
use std::time::Duration;

pub use container::Container;
pub use retention::Retention;
pub(crate) use track::Track;

use crate::{Codec, Error, WallClock};

/// How clips are recorded.
#[derive(Clone, Debug)]
pub struct ClipOptions {
    /// Where the files go; made if it is not there.
    pub folder: PathBuf,
    /// Name of each file below the folder, without ending: `strftime` conversions such as `%Y-%m-%d` stand for the time of
    /// the first picture in UTC. It may name folders. `%Y%m%dT%H%M%SZ` by default; a second clip of the same second gets
    /// a number behind it.
    pub name: String,
    /// The kind of file.
    pub container: Container,
    /// How long a clip is to be. It ends with the first key frame at or after that time, so that the next clip can go on
    /// there.
    pub duration: Duration,
    /// How long before now the (first) clip is to begin, in addition to `duration`; as far as
    /// [`HubOptions::history`](crate::HubOptions::history) reaches.
    pub before: Duration,
    /// Sound, where the session has it ([`RtspOptions::tracks`](crate::RtspOptions::tracks)) and the container can hold it.
    pub audio: bool,
    /// Nothing is written when the file system has less free space than this, in bytes. 256 MiB by default.
    pub min_free: u64,
    /// A clip is closed when nothing arrives for so long. 15 seconds by default.
    pub patience: Duration,
    /// Which clips of before are deleted; none by default.
    pub retention: Retention,
}

impl ClipOptions {
    /// Fragmented MP4 of one minute with sound.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            name: "%Y%m%dT%H%M%SZ".into(),
            container: Container::Mp4,
            duration: Duration::from_secs(60),
            before: Duration::ZERO,
            audio: true,
            min_free: 256 << 20,
            patience: Duration::from_secs(15),
            retention: Retention::default(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |option, reason: &str| {
            Err(Error::Option {
                option,
                reason: reason.into(),
            })
        };
        if self.duration.is_zero() {
            return refuse("duration", "must be longer than zero");
        }
        if self.patience.is_zero() {
            return refuse("patience", "must be longer than zero");
        }
        name::check(&self.name)
    }
}

/// A finished clip.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Clip {
    /// The file.
    pub path: PathBuf,
    /// Its kind.
    pub container: Container,
    /// When its first picture was taken.
    pub started: WallClock,
    /// How long it is.
    pub duration: Duration,
    /// How long it was to be. The file's description says so too.
    pub requested: Duration,
    /// Number of pictures.
    pub frames: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Codecs of the tracks in it, video first.
    pub codecs: Vec<Codec>,
    /// Why it ended.
    pub end: ClipEnd,
}

/// Why a clip ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClipEnd {
    /// It is as long as it was to be, or as its container permits.
    Complete,
    /// Codec, size or parameter sets of the video changed.
    Changed,
    /// The stream was interrupted.
    Interrupted,
    /// The disk is full, or writing failed.
    Storage,
}
