//! Records clips from a hub: waits for units, hands their samples to the file off the runtime.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::{Stream, StreamExt as _};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::assembly::{Assembly, Taken};
use super::file::{Start, Writer};
use super::track::Sample;
use super::{Clip, ClipEnd, ClipOptions, Container};
use crate::{AccessUnit, Error, Hub, HubItem, HubStatus, Media, Subscription};

/// After an error the next clip is tried after so long.
const RETRY: Duration = Duration::from_secs(5);
/// AVI counts in 32 bits, and many players in 31.
const LARGEST_AVI: u64 = 1 << 30;

impl Hub {
    /// Records one clip: from [`ClipOptions::before`] ago for as long as the options say. Dropping the future ends the clip;
    /// the file is completed in the background.
    ///
    /// # Errors
    /// [`Error::Container`] where the container cannot hold the codec, [`Error::DiskFull`] and [`Error::Storage`] where the
    /// file cannot be written, [`Error::NoPicture`] if nothing came within [`ClipOptions::patience`], [`Error::Option`] for
    /// options out of range.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn clip(&self, options: &ClipOptions) -> Result<Clip, Error> {
        options.check()?;
        Recorder::new(self, options.clone()).next().await
    }

    /// Records one clip after the other, without a gap between them. A new one also begins when the parameters of the video
    /// change, and after an interruption. The stream never ends: where there is no clip it delivers the reasons, and tries
    /// again some seconds later. Nothing is recorded while it is not polled; what the hub's queue holds is made up for.
    /// Dropping it ends the clip; the file is completed in the background.
    ///
    /// # Errors
    /// [`Error::Option`] for options out of range.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn clips(
        &self,
        options: ClipOptions,
    ) -> Result<impl Stream<Item = Result<Clip, Error>> + Send + Unpin + use<>, Error> {
        options.check()?;
        let recorder = Recorder::new(self, options);
        Ok(Box::pin(futures::stream::unfold(
            recorder,
            |mut recorder| async move {
                let clip = recorder.next().await;
                Some((clip, recorder))
            },
        )))
    }
}

struct Recorder {
    hub: Hub,
    subscription: Subscription,
    options: Arc<ClipOptions>,
    clip: Option<InProgress>,
    /// The unit that begins the next clip, and its sound that came before it.
    held: VecDeque<AccessUnit>,
    lost: bool,
    /// When the last picture came. Sound alone makes no clip.
    heard: Instant,
    /// The pre-event time counts for the first clip alone.
    length: Duration,
    retry_at: Option<Instant>,
}

struct InProgress {
    assembly: Assembly,
    writer: Option<Writer>,
    requested: Duration,
}

impl Recorder {
    fn new(hub: &Hub, options: ClipOptions) -> Self {
        Self {
            hub: hub.clone(),
            subscription: hub.subscribe_from(options.before),
            length: options.duration + options.before,
            options: Arc::new(options),
            clip: None,
            held: VecDeque::new(),
            lost: false,
            heard: Instant::now(),
            retry_at: None,
        }
    }

    async fn next(&mut self) -> Result<Clip, Error> {
        if let Some(at) = self.retry_at.take() {
            sleep_until(at).await;
        }
        if self.clip.is_none() {
            self.heard = Instant::now();
        }
        let clip = self.record().await;
        match &clip {
            Ok(clip) => self.clean(clip).await,
            Err(_) => {
                self.clip = None;
                self.retry_at = Some(Instant::now() + RETRY);
            }
        }
        clip
    }

    async fn record(&mut self) -> Result<Clip, Error> {
        loop {
            let Some(unit) = self.unit().await? else {
                match self.clip.take() {
                    Some(clip) => return self.end(clip, None, ClipEnd::Interrupted).await,
                    None => return Err(self.nothing()),
                }
            };
            let lost = std::mem::take(&mut self.lost);
            let Some(clip) = &mut self.clip else {
                self.begin(&unit)?;
                continue;
            };
            let taken = if lost && !clip.assembly.continues_with(&unit) {
                Taken::Next(ClipEnd::Interrupted)
            } else {
                clip.assembly.push(&unit)
            };
            if let Taken::Next(reason) = taken {
                let goes_on = reason != ClipEnd::Interrupted;
                self.held.push_back(unit.clone());
                if let Some(mut clip) = self.clip.take() {
                    if goes_on {
                        self.held.extend(clip.assembly.sound_after(&unit));
                    }
                    return self
                        .end(clip, Some(&unit).filter(|_| goes_on), reason)
                        .await;
                }
                continue;
            }
            if let Some(codec) = clip.assembly.take_refused() {
                let container = self.options.container;
                tracing::warn!(%codec, %container, "the sound does not fit into the container, recording without it");
            }
            while let Some(clip) = &mut self.clip
                && let Some(samples) = clip.assembly.fragment()
            {
                if let Some(cut_off) = self.write(samples).await? {
                    return Ok(cut_off);
                }
            }
        }
    }

    /// The next unit; `None` if there was no picture for too long.
    async fn unit(&mut self) -> Result<Option<AccessUnit>, Error> {
        if let Some(unit) = self.held.pop_front() {
            return Ok(Some(unit));
        }
        loop {
            let deadline = self.heard + self.options.patience;
            match timeout_at(deadline, self.subscription.next()).await {
                Err(_) => {
                    self.heard = Instant::now();
                    return Ok(None);
                }
                Ok(Some(HubItem::Unit(unit))) => {
                    if unit.codec.media() == Media::Video {
                        self.heard = Instant::now();
                    }
                    return Ok(Some(unit));
                }
                Ok(Some(HubItem::Lost { .. })) => self.lost = true,
                Ok(None) => return Err(Error::Closed),
            }
        }
    }

    fn begin(&mut self, unit: &AccessUnit) -> Result<(), Error> {
        let options = &self.options;
        let begun = Assembly::begin(unit, options.container, options.audio, self.length)?;
        if let Some(assembly) = begun {
            self.length = options.duration;
            self.clip = Some(InProgress {
                assembly,
                writer: None,
                requested: options.duration,
            });
        }
        Ok(())
    }

    /// Writes samples; gives the clip back where that ended it.
    async fn write(&mut self, samples: Vec<Sample>) -> Result<Option<Clip>, Error> {
        let Some(mut clip) = self.clip.take() else {
            return Ok(None);
        };
        let (writer, written) = self.put(&mut clip, samples).await?;
        if let Err(error) = written {
            self.retry_at = Some(Instant::now() + RETRY);
            return cut_off(writer, error).await.map(Some);
        }
        if self.options.container == Container::Avi && writer.length() > LARGEST_AVI {
            clip.assembly.shorten();
        }
        clip.writer = Some(writer);
        self.clip = Some(clip);
        Ok(None)
    }

    async fn end(
        &mut self,
        mut clip: InProgress,
        next: Option<&AccessUnit>,
        reason: ClipEnd,
    ) -> Result<Clip, Error> {
        let samples = clip.assembly.finish(next);
        let (writer, written) = self.put(&mut clip, samples).await?;
        match written {
            Ok(()) => blocking(move || writer.finish(reason)).await,
            Err(error) => cut_off(writer, error).await,
        }
    }

    /// Writes samples on a thread that may block.
    async fn put(
        &mut self,
        clip: &mut InProgress,
        samples: Vec<Sample>,
    ) -> Result<(Writer, Result<(), Error>), Error> {
        let options = self.options.clone();
        let start = Start::of(&clip.assembly, clip.requested);
        let (duration, frames) = (clip.assembly.duration(), clip.assembly.frames());
        let writer = clip.writer.take();
        blocking(move || {
            let mut writer = match writer {
                Some(writer) => writer,
                None => Writer::create(options, start, &samples)?,
            };
            let written = writer.write(&samples);
            if written.is_ok() {
                writer.facts.duration = duration;
                writer.facts.frames = frames;
            }
            Ok((writer, written))
        })
        .await
    }

    async fn clean(&mut self, clip: &Clip) {
        let (options, newest) = (self.options.clone(), clip.path.clone());
        let clean = move || {
            let ending = options.container.extension();
            let now = SystemTime::now();
            let kept = &options.retention;
            Ok(kept.apply(&options.folder, &options.name, ending, &newest, now))
        };
        for (path, error) in blocking(clean).await.unwrap_or_default() {
            tracing::warn!(path = %path.display(), %error, "an old clip cannot be deleted");
        }
    }

    fn nothing(&self) -> Error {
        let last = match self.hub.status() {
            HubStatus::Backoff { error, .. } => Some(Arc::new(error)),
            _ => None,
        };
        Error::NoPicture {
            after: self.options.patience,
            last,
        }
    }
}

/// Completes a clip that cannot go on. One in which there is nothing yet is no clip.
async fn cut_off(writer: Writer, error: Error) -> Result<Clip, Error> {
    if writer.facts.frames == 0 {
        blocking(move || {
            writer.discard();
            Ok(())
        })
        .await?;
        return Err(error);
    }
    tracing::warn!(%error, "a clip cannot go on, closing it");
    blocking(move || writer.finish(ClipEnd::Storage)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    // A panic in there, or the end of the runtime, costs this clip.
    spawn_blocking(work).await.unwrap_or(Err(Error::Closed))
}
