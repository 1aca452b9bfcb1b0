//! One session per stream, any number of consumers.

mod cache;
mod cadence;
mod capture;
mod every;
mod forward;
mod frames;
mod moment;
mod periodic;
mod queue;
mod raster;
mod run;
mod stills;
mod wait;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::task::AtomicWaker;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use cache::GopCache;
use cadence::Cadence;
use capture::{Captures, Origin};
use every::EveryFrame;
pub use frames::{Frame, Frames, RgbFrame, WhenFull};
use periodic::Periodic;
use queue::Queue;
use stills::{KeyFrame, KeyFrames, Stills};

use crate::{
    AccessUnit, Codec, DecodePool, Error, HttpSource, Moment, Rate, Snapshot, SnapshotOptions,
    Source,
};

/// Reads one stream and shares it.
///
/// The hub connects when the first consumer comes and closes the session some seconds after the last has gone. It
/// reconnects forever, with growing, jittered delays. Consumers are subscriptions, pending snapshots and streams of
/// snapshots or frames; no consumer can slow another down or hold up the session.
///
/// Clones are handles of the same hub. When the last handle and consumer is dropped, the session ends at once.
#[derive(Clone)]
pub struct Hub {
    owner: Arc<Owner>,
}

/// How a [`Hub`] reads its stream.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// How long the session stays open after the last consumer has gone.
    pub linger: Duration,
    /// A session that delivers no access unit for so long is closed, and the stream connected again.
    pub silence: Duration,
    /// Bound of the delay before the first reconnection; it doubles with each failure.
    pub first_delay: Duration,
    /// Bound of the longest delay before a reconnection.
    pub longest_delay: Duration,
    /// Most bytes that are kept of the current group of pictures. Of a larger group the oldest are dropped: consumers
    /// that come then wait for the next key frame, and [`Rate::Every`] falls back to key frames where more than this
    /// comes in one period.
    ///
    /// The group is kept from the first [subscription](Hub::subscribe), clip or [moment](Hub::snapshot_at) on, and while
    /// pictures between the key frames are decoded. The newest key frame alone is kept for those who want no more.
    pub cache_bytes: usize,
    /// Longest time that is kept of the current group of pictures; as with `cache_bytes`.
    pub cache_time: Duration,
    /// How far back whole groups of pictures are kept, for [`Hub::subscribe_from`] and clips that begin before what
    /// caused them. Zero by default. `cache_bytes` bounds it. With any other value the current group is kept too, whoever
    /// the consumers are: so that the first clip or moment of a hub that had only snapshots to give can begin at once.
    pub history: Duration,
    /// Most access units that wait for one consumer.
    pub queue_units: usize,
    /// Most bytes that wait for one consumer.
    pub queue_bytes: usize,
    /// Who decodes; the pool of the process by default.
    pub pool: DecodePool,
    /// Where the camera gives single pictures over HTTP beside the stream, for [`CaptureMethod`](crate::CaptureMethod). None
    /// by default.
    pub snapshot_uri: Option<HttpSource>,
    /// Seed of the jitter; a random one by default.
    pub seed: Option<u64>,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            linger: Duration::from_secs(5),
            silence: Duration::from_secs(15),
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(60),
            cache_bytes: 16 << 20,
            cache_time: Duration::from_secs(60),
            history: Duration::ZERO,
            queue_units: 2048,
            queue_bytes: 32 << 20,
            pool: DecodePool::shared(),
            snapshot_uri: None,
            seed: None,
        }
    }
}

/// What a hub is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HubStatus {
    /// No consumer, no session.
    Idle,
    /// A session is being opened.
    Connecting,
    /// Access units arrive.
    Streaming {
        /// Codec of the stream.
        codec: Codec,
        /// Width and height in pixels, where known.
        size: Option<(u32, u32)>,
    },
    /// The session failed; the next attempt follows.
    Backoff {
        /// Why.
        error: Error,
        /// Delay from the failure to the next attempt.
        retry_in: Duration,
    },
}

/// What a [`Subscription`] delivers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HubItem {
    /// The next access unit.
    Unit(AccessUnit),
    /// Something is missing here: the consumer was too slow, packets were lost, or the session was interrupted. The
    /// next unit is a random access point.
    Lost {
        /// Access units that are known to be missing; 0 if they could not be counted.
        units: u64,
    },
}

impl Hub {
    /// A hub for a source; nothing is connected yet.
    pub fn new(source: Arc<dyn Source>, options: HubOptions) -> Self {
        let core = Core {
            shared: Mutex::new(Shared {
                cache: GopCache::new(options.cache_bytes, options.cache_time, options.history),
                cadence: Cadence::default(),
                queues: Vec::new(),
                consumers: 0,
                periods: Vec::new(),
                groups: !options.history.is_zero(),
                running: false,
            }),
            source,
            options,
            status: watch::Sender::new(HubStatus::Idle),
            keys: watch::Sender::new(None),
            arrivals: watch::Sender::new(0),
            stills: Stills::default(),
            changed: Notify::new(),
            abandoned: CancellationToken::new(),
        };
        Self {
            owner: Arc::new(Owner {
                core: Arc::new(core),
            }),
        }
    }

    /// All access units from the start of the current group of pictures on, or from the next one on where that is not
    /// [kept](HubOptions::cache_bytes).
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn subscribe(&self) -> Subscription {
        self.subscribe_from(Duration::ZERO)
    }

    /// All access units from a random access point at least `before` ago on, or from the oldest that is kept: how far back
    /// that can be is for [`HubOptions::history`] to say.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn subscribe_from(&self, before: Duration) -> Subscription {
        self.subscribe_within(before, Duration::MAX)
    }

    /// As [`subscribe_from`](Self::subscribe_from), where no more than so much media time waits for the consumer.
    pub(crate) fn subscribe_within(&self, before: Duration, waiting: Duration) -> Subscription {
        let core = &self.owner.core;
        let slot = Arc::new(Slot {
            queue: Mutex::new(Queue::new(
                core.options.queue_units,
                core.options.queue_bytes,
                waiting,
            )),
            waker: AtomicWaker::new(),
        });
        {
            let mut shared = core.shared();
            shared.groups = true;
            let mut queue = slot.queue();
            shared
                .cache
                .units(before)
                .for_each(|(unit, leads)| queue.push(unit.clone(), leads));
            drop(queue);
            shared.queues.push(slot.clone());
        }
        Subscription {
            slot,
            _consumer: Consumer::join(&self.owner),
        }
    }

    /// A picture of now: of the cached key frame if that is young enough, else of the next one, or from the snapshot URI where
    /// [`SnapshotOptions::capture`] says so.
    ///
    /// # Errors
    /// [`Error::NoPicture`] if none came within the deadline, at once the reason where waiting is in vain (credentials
    /// refused, nothing to decode), [`Error::Option`] for options out of range.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn snapshot(&self, options: &SnapshotOptions) -> Result<Snapshot, Error> {
        options.check()?;
        capture::snapshot(self, options).await
    }

    /// A picture in each period, or of each key frame, or every one; the latest wins where the consumer is slow. The
    /// stream never ends: while there are no pictures, it delivers the reasons.
    ///
    /// # Errors
    /// [`Error::Option`] for options out of range.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn snapshots(
        &self,
        rate: Rate,
        options: SnapshotOptions,
    ) -> Result<impl Stream<Item = Result<Snapshot, Error>> + Send + Unpin + use<>, Error> {
        options.check()?;
        let pictures = match (self.owner.core.origin(&options, Some(rate))?, rate) {
            (Origin::Uri(uri, either), Rate::Every(period)) => {
                Snapshots::Captures(Captures::new(self, uri, either, period))
            }
            _ => Snapshots::Pictures(Pictures::new(self, rate)),
        };
        Ok(Box::pin(futures::stream::unfold(
            (pictures, options),
            |(mut pictures, options)| async move {
                let item = match &mut pictures {
                    Snapshots::Captures(captures) => captures.next_snapshot(&options).await,
                    Snapshots::Pictures(Pictures::Keys(keys)) => keys.next_snapshot(&options).await,
                    Snapshots::Pictures(Pictures::Periodic(periodic)) => {
                        periodic.next_snapshot(&options).await
                    }
                    Snapshots::Pictures(Pictures::Every(every)) => {
                        every.next_snapshot(&options).await
                    }
                };
                Some((item, (pictures, options)))
            },
        )))
    }

    /// The picture that was seen at a moment: all from the key frame before it up to that picture is decoded, within
    /// [`SnapshotOptions::budget`]. What lies in the future is waited for.
    ///
    /// For a picture of an event, ask with the event's time, or for [`Moment::Now`] when it comes. How far back moments
    /// can be is for [`HubOptions::history`] to say; pictures of before the first consumer came are not there. Without a
    /// history, the first moment that is asked for may have to wait for a key frame.
    ///
    /// # Errors
    /// [`Error::NoPicture`] if none came within the deadline, [`Error::Option`] for a moment before all that is kept and
    /// for options out of range, otherwise as [`snapshot`](Self::snapshot).
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn snapshot_at(
        &self,
        moment: Moment,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        options.check()?;
        moment::snapshot(&self.owner, moment, options).await
    }

    /// Decoded pictures for a program's own work: every one, until [`Frames`] is told otherwise.
    pub fn frames(&self) -> Frames {
        Frames::new(self.clone())
    }

    /// What the hub is doing now.
    pub fn status(&self) -> HubStatus {
        self.owner.core.status.borrow().clone()
    }

    /// The status now and each change of it; the latest wins.
    pub fn watch_status(&self) -> impl Stream<Item = HubStatus> + Send + Unpin + use<> {
        let mut status = self.owner.core.status.subscribe();
        status.mark_changed();
        Box::pin(futures::stream::unfold(status, |mut status| async move {
            status.changed().await.ok()?;
            let now = status.borrow_and_update().clone();
            Some((now, status))
        }))
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("source", &self.owner.core.source.label())
            .field("status", &self.status())
            .finish()
    }
}

/// The access units of a stream, as a `futures::Stream`. Dropping it ends the subscription.
pub struct Subscription {
    slot: Arc<Slot>,
    _consumer: Consumer,
}

impl Stream for Subscription {
    type Item = HubItem;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<HubItem>> {
        self.slot.waker.register(cx.waker());
        let item = self.slot.queue().pop();
        item.map_or(Poll::Pending, |item| Poll::Ready(Some(item)))
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

/// Where the snapshots of a consumer come from.
enum Snapshots {
    Pictures(Pictures),
    Captures(Captures),
}

/// Where the pictures of a consumer come from.
enum Pictures {
    Keys(KeyFrames),
    Periodic(Periodic),
    Every(EveryFrame),
}

impl Pictures {
    async fn next_frame(&mut self) -> Result<Frame, Error> {
        match self {
            Self::Keys(keys) => keys.next_frame().await,
            Self::Periodic(periodic) => periodic.next_frame().await,
            Self::Every(every) => every.next_frame().await,
        }
    }

    fn new(hub: &Hub, rate: Rate) -> Self {
        match rate {
            Rate::Every(period) => Self::Periodic(Periodic::new(hub, period)),
            Rate::EachKeyFrame => Self::Keys(KeyFrames::new(&hub.owner)),
            Rate::EveryFrame => Self::Every(EveryFrame::new(hub)),
        }
    }
}

/// What handles, consumers and the running task share.
struct Core {
    source: Arc<dyn Source>,
    options: HubOptions,
    shared: Mutex<Shared>,
    status: watch::Sender<HubStatus>,
    /// The latest key frame.
    keys: watch::Sender<Option<KeyFrame>>,
    /// How many access units there were.
    arrivals: watch::Sender<u64>,
    stills: Stills,
    /// The number of consumers has changed.
    changed: Notify,
    /// Nobody holds the hub any more.
    abandoned: CancellationToken,
}

struct Shared {
    cache: GopCache,
    cadence: Cadence,
    queues: Vec<Arc<Slot>>,
    consumers: usize,
    /// Of the consumers that take a picture in each.
    periods: Vec<Duration>,
    /// Somebody asked for whole groups of pictures, and may again.
    groups: bool,
    running: bool,
}

impl Shared {
    /// Whether anybody can use more than the newest key frame.
    fn wants_groups(&self) -> bool {
        let cadence = &self.cadence;
        self.groups || self.periods.iter().any(|&period| !cadence.promises(period))
    }
}

struct Slot {
    queue: Mutex<Queue>,
    waker: AtomicWaker,
}

impl Core {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by handles and consumers, not by the task: when the last goes, the task ends.
struct Owner {
    core: Arc<Core>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.core.abandoned.cancel();
    }
}

/// Keeps the session wanted.
struct Consumer {
    owner: Arc<Owner>,
    /// That in which it takes pictures.
    period: Option<Duration>,
}

impl Consumer {
    fn join(owner: &Arc<Owner>) -> Self {
        Self::with_period(owner, None)
    }

    fn with_period(owner: &Arc<Owner>, period: Option<Duration>) -> Self {
        let core = &owner.core;
        let mut shared = core.shared();
        shared.consumers += 1;
        shared.periods.extend(period);
        if !shared.running {
            shared.running = true;
            tokio::spawn(run::run(core.clone()));
        }
        drop(shared);
        core.changed.notify_waiters();
        Self {
            owner: owner.clone(),
            period,
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let mut shared = self.owner.core.shared();
        shared.consumers -= 1;
        let periods = &mut shared.periods;
        if let Some(at) = periods.iter().position(|&p| Some(p) == self.period) {
            periods.swap_remove(at);
        }
        drop(shared);
        self.owner.core.changed.notify_waiters();
    }
}
