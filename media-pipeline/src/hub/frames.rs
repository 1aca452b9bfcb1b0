//! Decoded pictures for a program's own work, such as a model.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::{Hub, Pictures};
use crate::colour::rgb;
use crate::reshape::{Crop, Shape};
use crate::snapshot::encode_frame;
use crate::{DecodePool, Error, Picture, Rate, Snapshot, SnapshotOptions, WallClock};

/// What pictures of a stream are wanted, and how: [`yuv`](Self::yuv), [`rgb`](Self::rgb) or [`jpeg`](Self::jpeg) makes a
/// `futures::Stream` of it.
///
/// A picture is decoded when the stream is asked for it, so that nothing is decoded for a consumer that has no time. What
/// comes meanwhile is left out: where a picture in each period is wanted, the next one is the newest, and where every
/// picture is wanted, whole groups of pictures are left out. With [`ahead`](Self::ahead) pictures are decoded while the
/// consumer works.
///
/// The streams never end: while there are no pictures, they deliver the reasons.
///
/// ```no_run
/// # use std::time::Duration;
/// # use futures::StreamExt;
/// # async fn example(hub: media_pipeline::Hub, model: fn(&[u8], u32, u32) -> bool) {
/// let mut frames = hub.frames().every(Duration::from_secs(1)).fit(640, 640).rgb();
/// while let Some(frame) = frames.next().await {
///     match frame {
///         Ok(frame) => println!("{:?}: {}", frame.pts, model(&frame.data, frame.width, frame.height)),
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is read before the stream is made"]
pub struct Frames {
    hub: Hub,
    rate: Rate,
    shape: Shape,
    ahead: Option<(NonZeroUsize, WhenFull)>,
}

/// What happens when as many pictures were decoded [ahead](Frames::ahead) as may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// Nothing more is decoded until one is taken. What the consumer gets may be old.
    Wait,
    /// The oldest is dropped. Decoding never rests.
    DropOldest,
}

/// A decoded picture of a stream, in planes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Frame {
    /// The picture.
    pub picture: Picture,
    /// When it was taken.
    pub captured: WallClock,
    /// Presentation time in the stream's session.
    pub pts: Duration,
}

/// A decoded picture of a stream, in pixels.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RgbFrame {
    /// Red, green and blue of each pixel, 0 to 255, from left to right and top to bottom, without padding:
    /// `3 * width * height` bytes.
    pub data: Bytes,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// When it was taken.
    pub captured: WallClock,
    /// Presentation time in the stream's session.
    pub pts: Duration,
}

impl Frames {
    pub(super) fn new(hub: Hub) -> Self {
        Self {
            hub,
            rate: Rate::EveryFrame,
            shape: Shape::default(),
            ahead: None,
        }
    }

    /// One in each period: [`Rate::Every`].
    pub fn every(self, period: Duration) -> Self {
        self.rate(Rate::Every(period))
    }

    /// How often.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    /// Only a part of each picture.
    pub fn crop(mut self, part: Crop) -> Self {
        self.shape.crop = Some(part);
        self
    }

    /// Not larger than this: pictures are made smaller, with their proportions kept. A side of 0 counts as 1.
    pub fn fit(mut self, width: u32, height: u32) -> Self {
        self.shape.fit = Some((width.max(1), height.max(1)));
        self
    }

    /// Decodes up to so many pictures before the consumer asks for them, in a task of its own.
    pub fn ahead(mut self, pictures: NonZeroUsize, when_full: WhenFull) -> Self {
        self.ahead = Some((pictures, when_full));
        self
    }

    /// The pictures in planes, as they are coded.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn yuv(self) -> impl Stream<Item = Result<Frame, Error>> + Send + Unpin + use<> {
        self.stream(|pool, frame, shape| async move {
            if shape == Shape::default() {
                return Ok(frame);
            }
            let Frame {
                picture,
                captured,
                pts,
            } = frame;
            let picture = pool.convert(move || shape.apply(picture)).await?;
            Ok(Frame {
                picture,
                captured,
                pts,
            })
        })
    }

    /// The pictures in pixels, in the right colours.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn rgb(self) -> impl Stream<Item = Result<RgbFrame, Error>> + Send + Unpin + use<> {
        self.stream(|pool, frame, shape| async move {
            let picture = frame.picture;
            let convert = move || {
                let picture = shape.apply(picture)?;
                Ok((rgb(&picture).into(), picture.width, picture.height))
            };
            let (data, width, height) = pool.convert(convert).await?;
            Ok(RgbFrame {
                data,
                width,
                height,
                captured: frame.captured,
                pts: frame.pts,
            })
        })
    }

    /// The pictures as JPEG files of this quality, 1 to 100, with their time. For key frames, [`Hub::snapshots`] costs
    /// less: its consumers share what they have in common, and pictures of JPEG streams pass untouched.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn jpeg(
        self,
        quality: u8,
    ) -> impl Stream<Item = Result<Snapshot, Error>> + Send + Unpin + use<> {
        self.stream(move |pool, frame, shape| async move {
            let options = SnapshotOptions {
                quality: quality.clamp(1, 100),
                crop: shape.crop,
                fit: shape.fit,
                ..SnapshotOptions::default()
            };
            encode_frame(&pool, frame, &options).await
        })
    }

    fn stream<T, F>(
        self,
        make: impl Fn(DecodePool, Frame, Shape) -> F + Send + Sync + 'static,
    ) -> Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let pool = self.hub.owner.core.options.pool.clone();
        let pictures = Pictures::new(&self.hub, self.rate);
        let shape = self.shape;
        let made = futures::stream::unfold((pictures, make), move |(mut pictures, make)| {
            let pool = pool.clone();
            async move {
                let item = match pictures.next_frame().await {
                    Ok(frame) => make(pool, frame, shape).await,
                    Err(error) => Err(error),
                };
                Some((item, (pictures, make)))
            }
        });
        match self.ahead {
            None => Box::pin(made),
            Some((most, when_full)) => Box::pin(ahead(made, most, when_full)),
        }
    }
}

/// Reads a stream in a task of its own, which ends when the result is dropped.
fn ahead<T: Send + 'static>(
    stream: impl Stream<Item = T> + Send + 'static,
    most: NonZeroUsize,
    when_full: WhenFull,
) -> impl Stream<Item = T> + Send {
    let waiting = Arc::new(Waiting {
        items: Mutex::new(VecDeque::new()),
        changed: Notify::new(),
    });
    let filling = waiting.clone();
    let task = tokio::spawn(async move {
        let mut stream = std::pin::pin!(stream);
        loop {
            if when_full == WhenFull::Wait {
                filling.until(|items| items.len() < most.get()).await;
            }
            let Some(item) = stream.next().await else {
                return;
            };
            let mut items = filling.items();
            if items.len() == most.get() {
                items.pop_front();
            }
            items.push_back(item);
            drop(items);
            filling.changed.notify_waiters();
        }
    });
    let task = AbortOnDropHandle::new(task);
    futures::stream::unfold((waiting, task), |(waiting, task)| async move {
        waiting.until(|items| !items.is_empty()).await;
        let item = waiting.items().pop_front()?;
        waiting.changed.notify_waiters();
        Some((item, (waiting, task)))
    })
}

/// What was decoded and not yet taken.
struct Waiting<T> {
    items: Mutex<VecDeque<T>>,
    changed: Notify,
}

impl<T> Waiting<T> {
    fn items(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn until(&self, is_so: impl Fn(&VecDeque<T>) -> bool) {
        loop {
            let changed = self.changed.notified();
            if is_so(&self.items()) {
                return;
            }
            changed.await;
        }
    }
}
