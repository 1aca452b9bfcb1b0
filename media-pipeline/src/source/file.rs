//! Files as sources: for tests, demonstrations and for what was recorded before.

mod annex_b;
mod coded;
mod mkv;
mod mp4;
mod pictures;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use annex_b::AnnexB;
use mkv::Mkv;
use mp4::Mp4;
use pictures::Pictures;

use super::{Source, SourceSession};
use crate::{AccessUnit, Codec, Error, Parameters, WallClock};

/// What to play, and how.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// A file or folder, known by its ending: `.mp4` (also in fragments; tracks of H.264, H.265, JPEG and AAC), `.mkv` (of the
    /// same, and G.711), `.h264` or `.264`, `.h265`, `.265` or `.hevc` (Annex B byte streams), or a folder of JPEG pictures,
    /// which are played in the order of their names.
    pub path: PathBuf,
    /// How fast units are delivered.
    pub pace: Pace,
    /// Begins again at the end. The times go on.
    pub repeat: bool,
    /// Pictures per second where the file does not tell: byte streams and folders. Byte streams are played in the order of
    /// decoding. 25 by default.
    pub frame_rate: f64,
}

impl FileOptions {
    /// Once, in real time.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            pace: Pace::default(),
            repeat: false,
            frame_rate: 25.0,
        }
    }
}

/// How fast a file is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pace {
    /// As a camera would send it.
    #[default]
    RealTime,
    /// As fast as it is taken. A hub's consumers that are slower lose groups of pictures: read the session itself.
    Fast,
}

/// A file or folder as a stream.
#[derive(Debug)]
pub struct FileSource {
    options: FileOptions,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Mp4,
    Mkv,
    AnnexB(Codec),
    Pictures,
}

impl FileSource {
    /// A source; nothing is opened before [`connect`](Source::connect).
    ///
    /// # Errors
    /// [`Error::Option`] for a kind of file that cannot be played, or a frame rate that is not between 0.001 and 1000.
    pub fn new(options: FileOptions) -> Result<Self, Error> {
        if !(0.001..=1000.0).contains(&options.frame_rate) {
            return Err(Error::Option {
                option: "frame_rate",
                reason: format!("{} is not between 0.001 and 1000", options.frame_rate),
            });
        }
        let ending = options.path.extension().map(|e| e.to_ascii_lowercase());
        let kind = match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("mp4") => Kind::Mp4,
            Some("mkv") => Kind::Mkv,
            Some("h264" | "264") => Kind::AnnexB(Codec::H264),
            Some("h265" | "265" | "hevc") => Kind::AnnexB(Codec::H265),
            _ if options.path.is_dir() => Kind::Pictures,
            _ => {
                return Err(Error::Option {
                    option: "path",
                    reason: format!(
                        "{} is neither a folder nor a file that ends in mp4, mkv, h264, 264, h265, 265 or hevc",
                        options.path.display()
                    ),
                });
            }
        };
        Ok(Self { options, kind })
    }
}

#[async_trait]
impl Source for FileSource {
    fn label(&self) -> String {
        self.options.path.display().to_string()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        let player = Player {
            reader: None,
            kind: self.kind,
            options: self.options.clone(),
            label: self.label(),
            begun: Duration::ZERO,
            end: Duration::ZERO,
            over: false,
            failed: None,
        };
        Ok(Box::new(FileSession {
            reading: Some(read_on(player)),
            pace: self.options.pace,
            waiting: VecDeque::new(),
            started: Instant::now(),
        }))
    }
}

/// A unit as a file holds it.
struct Stored {
    track: u16,
    codec: Codec,
    data: Bytes,
    pts: Duration,
    duration: Duration,
    parameters: Option<Arc<Parameters>>,
}

/// Reads a file from its beginning to its end. Blocking.
trait Reader: Send {
    /// The next unit in the order of decoding; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Stored>>;
}

/// Reads a file once or for ever. Blocking.
struct Player {
    reader: Option<Box<dyn Reader>>,
    kind: Kind,
    options: FileOptions,
    label: String,
    /// When this round began, and when its last picture ends.
    begun: Duration,
    end: Duration,
    over: bool,
    /// Why it cannot be read on; what was read before comes first.
    failed: Option<io::Error>,
}

/// About so much is read at once.
const AT_ONCE: usize = 1 << 20;
const MOST_AT_ONCE: usize = 64;

impl Player {
    fn open(&self) -> io::Result<Box<dyn Reader>> {
        let (path, period) = (&self.options.path, self.period());
        Ok(match self.kind {
            Kind::Mp4 => Box::new(Mp4::open(File::open(path)?)?),
            Kind::Mkv => Box::new(Mkv::open(File::open(path)?)?),
            Kind::AnnexB(codec) => Box::new(AnnexB::new(File::open(path)?, codec, period)),
            Kind::Pictures => Box::new(Pictures::open(path, period)?),
        })
    }

    fn period(&self) -> Duration {
        Duration::from_secs_f64(self.options.frame_rate.recip())
    }

    /// The next units; none at the end.
    fn read(&mut self) -> io::Result<VecDeque<AccessUnit>> {
        let mut units = VecDeque::new();
        let mut bytes = 0;
        while !self.over && bytes < AT_ONCE && units.len() < MOST_AT_ONCE {
            let stored = match self.stored() {
                Ok(Some(stored)) => stored,
                Ok(None) => {
                    // A file without units would be read for ever.
                    self.over = !self.options.repeat || self.end == self.begun;
                    self.begun = self.end;
                    continue;
                }
                Err(error) => {
                    self.over = true;
                    self.failed = Some(error);
                    break;
                }
            };
            bytes += stored.data.len();
            let pts = self.begun + stored.pts;
            self.end = self.end.max(pts + stored.duration);
            let mut unit = AccessUnit::new(stored.codec, stored.data, pts, WallClock::now());
            unit.track = stored.track;
            unit.parameters = stored.parameters;
            units.push_back(unit);
        }
        match self.failed.take() {
            Some(error) if units.is_empty() => Err(error),
            failed => {
                self.failed = failed;
                Ok(units)
            }
        }
    }

    /// The next unit of this round; `None` at its end.
    fn stored(&mut self) -> io::Result<Option<Stored>> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.open()?,
        };
        let stored = reader.next()?;
        if stored.is_some() {
            self.reader = Some(reader);
        }
        Ok(stored)
    }
}

type Reading = JoinHandle<(Player, io::Result<VecDeque<AccessUnit>>)>;

fn read_on(mut player: Player) -> Reading {
    spawn_blocking(move || {
        let units = player.read();
        (player, units)
    })
}

struct FileSession {
    /// What is read ahead.
    reading: Option<Reading>,
    pace: Pace,
    waiting: VecDeque<AccessUnit>,
    started: Instant,
}

#[async_trait]
impl SourceSession for FileSession {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        while self.waiting.is_empty() {
            let Some(reading) = &mut self.reading else {
                return Ok(None);
            };
            let Ok((player, units)) = reading.await else {
                return Err(Error::Closed);
            };
            self.reading = None;
            self.waiting = units.map_err(|error| unreadable(&player.label, error))?;
            if !self.waiting.is_empty() {
                self.reading = Some(read_on(player));
            }
        }
        if let (Pace::RealTime, Some(unit)) = (self.pace, self.waiting.front()) {
            sleep_until(self.started + unit.pts).await;
        }
        let mut unit = self.waiting.pop_front();
        if let Some(unit) = &mut unit {
            unit.wall = WallClock::now();
        }
        Ok(unit)
    }

    async fn close(self: Box<Self>) {}
}

fn unreadable(label: &str, error: io::Error) -> Error {
    Error::Storage {
        path: Path::new(label).to_owned(),
        action: "cannot play the file",
        source: Arc::new(error),
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// More than an access unit may have.
fn too_large() -> io::Error {
    invalid("an access unit has more than 8 MiB")
}

/// Largest access unit that is read.
const MOST: usize = 8 << 20;
