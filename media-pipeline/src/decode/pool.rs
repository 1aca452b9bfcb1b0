use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvError, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Picture, VideoDecoder, decoder_for};
use crate::encode::{StillEncoder, encoder_for};
use crate::reshape::Shape;
use crate::{AccessUnit, Codec, Error, StillFormat};

type NewDecoder = dyn Fn(Codec) -> Result<Box<dyn VideoDecoder>, Error> + Send + Sync;
type NewEncoder = dyn Fn(StillFormat) -> Result<Box<dyn StillEncoder>, Error> + Send + Sync;

/// A bounded number of workers that decode single pictures for any number of streams.
///
/// Each worker keeps one decoder and one encoder, so memory grows with workers, not with streams, and gives them back
/// after some seconds without work. A decoder that panics costs the picture it was given. Clones share the workers.
#[derive(Clone)]
pub struct DecodePool {
    inner: Arc<Inner>,
}

struct Inner {
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Desk>>,
    new_decoder: Box<NewDecoder>,
    new_encoder: Box<NewEncoder>,
}

#[derive(Default)]
struct Worker {
    decoder: Option<(Codec, Box<dyn VideoDecoder>)>,
    encoder: Option<(StillFormat, Box<dyn StillEncoder>)>,
}

/// What is made of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Make {
    pub(crate) shape: Shape,
    pub(crate) format: StillFormat,
    pub(crate) quality: u8,
}

impl DecodePool {
    /// A pool of its own with so many workers.
    pub fn new(workers: NonZeroUsize) -> Self {
        Self::with_decoders(workers, decoder_for)
    }

    /// A pool with decoders of the caller's making.
    pub fn with_decoders<F>(workers: NonZeroUsize, new_decoder: F) -> Self
    where
        F: Fn(Codec) -> Result<Box<dyn VideoDecoder>, Error> + Send + Sync + 'static,
    {
        Self::with_codecs(workers, new_decoder, |format| Ok(encoder_for(format)))
    }

    /// A pool with decoders and encoders of the caller's making.
    pub fn with_codecs<F, G>(workers: NonZeroUsize, new_decoder: F, new_encoder: G) -> Self
    where
        F: Fn(Codec) -> Result<Box<dyn VideoDecoder>, Error> + Send + Sync + 'static,
        G: Fn(StillFormat) -> Result<Box<dyn StillEncoder>, Error> + Send + Sync + 'static,
    {
        Self {
            inner: Arc::new(Inner {
                permits: Arc::new(Semaphore::new(workers.get().min(Semaphore::MAX_PERMITS))),
                idle: Mutex::default(),
                new_decoder: Box::new(new_decoder),
                new_encoder: Box::new(new_encoder),
            }),
        }
    }

    /// The pool of the process, with one worker per core.
    pub fn shared() -> Self {
        static SHARED: OnceLock<DecodePool> = OnceLock::new();
        SHARED
            .get_or_init(|| {
                Self::new(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
            })
            .clone()
    }

    /// Decodes an access unit at which decoding can start.
    ///
    /// # Errors
    /// [`Error::Decode`] if it is damaged or the decoder panicked, [`Error::Unsupported`] if there is no decoder.
    pub async fn picture(&self, unit: AccessUnit) -> Result<Picture, Error> {
        let this = self.clone();
        self.run(move |worker| worker.decode(&unit, &*this.inner.new_decoder))
            .await
    }

    /// Decodes an access unit at which decoding can start and encodes the picture; also returns its size.
    pub(crate) async fn still(
        &self,
        unit: AccessUnit,
        make: Make,
    ) -> Result<(bytes::Bytes, u32, u32), Error> {
        let inner = self.inner.clone();
        self.run(move |worker| {
            let picture = worker.decode(&unit, &*inner.new_decoder)?;
            worker.make(picture, make, &*inner.new_encoder)
        })
        .await
    }

    /// A new decoder, for a consumer that decodes pictures in order.
    pub(crate) fn decoder(&self, codec: Codec) -> Result<Box<dyn VideoDecoder>, Error> {
        (self.inner.new_decoder)(codec)
    }

    /// Decodes with a decoder of the caller's; it is lost after an error or panic.
    pub(crate) async fn follow(
        &self,
        mut decoder: Box<dyn VideoDecoder>,
        unit: AccessUnit,
    ) -> Result<(Box<dyn VideoDecoder>, Option<Picture>), Error> {
        self.run(move |_| {
            let picture = decoder.decode(&unit)?;
            Ok((decoder, picture))
        })
        .await
    }

    /// Encodes a picture; also returns its size.
    pub(crate) async fn encode(
        &self,
        picture: Picture,
        make: Make,
    ) -> Result<(bytes::Bytes, u32, u32), Error> {
        let inner = self.inner.clone();
        self.run(move |worker| worker.make(picture, make, &*inner.new_encoder))
            .await
    }

    /// Does something else with a picture that takes its time.
    pub(crate) async fn convert<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(|_| job()).await
    }

    /// Runs a job as soon as one of the workers is free.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Worker) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self
            .inner
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Error::Closed)?;
        let inner = self.inner.clone();
        let task = tokio::task::spawn_blocking(move || {
            // The one that rested last: its memory is warm, and that of the others is not needed.
            let desk = inner.idle().pop();
            let desk = desk.map_or_else(|| Desk::new(WARM), Ok)?;
            let outcome = desk.run(job);
            inner.idle().push(desk);
            drop(permit);
            outcome.unwrap_or_else(|| {
                Err(Error::Decode {
                    reason: "the decoder panicked on this picture".into(),
                })
            })
        });
        task.await.unwrap_or(Err(Error::Closed))
    }
}

/// How long workers keep what they had work for.
const WARM: Duration = Duration::from_secs(5);

/// A worker on a thread of its own. Tokio's threads come and go, and each would keep of a picture's memory what the allocator
/// keeps for a thread.
struct Desk {
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

impl Desk {
    /// `warm` is how long it keeps the pictures of its decoder without work.
    fn new(warm: Duration) -> Result<Self, Error> {
        let (jobs, queue) = mpsc::channel::<Job>();
        // It ends when the desk is dropped.
        let thread = thread::Builder::new().name("decode".into()).spawn(move || {
            let mut worker = Worker::default();
            loop {
                let job = queue.recv_timeout(warm).or_else(|reason| {
                    worker = Worker::default();
                    match reason {
                        RecvTimeoutError::Timeout => queue.recv(),
                        RecvTimeoutError::Disconnected => Err(RecvError),
                    }
                });
                let Ok(job) = job else { return };
                if catch_unwind(AssertUnwindSafe(|| job(&mut worker))).is_err() {
                    worker = Worker::default();
                }
            }
        });
        thread.map(|_| Self { jobs }).map_err(|e| Error::Decode {
            reason: format!("there is no thread for it: {e}"),
        })
    }

    /// Runs a job and waits for its result; `None` if it panicked.
    fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |worker| {
            // The one who waits is there: it is a blocking call.
            let _ = done.send(job(worker));
        });
        self.jobs.send(job).ok()?;
        result.recv().ok()
    }
}

impl std::fmt::Debug for DecodePool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecodePool")
            .field("free", &self.inner.permits.available_permits())
            .finish()
    }
}

impl Inner {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Desk>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    fn decode(&mut self, unit: &AccessUnit, new_decoder: &NewDecoder) -> Result<Picture, Error> {
        let mut decoder = match self.decoder.take() {
            Some((codec, decoder)) if codec == unit.codec => decoder,
            _ => new_decoder(unit.codec)?,
        };
        decoder.reset();
        let picture = decoder.decode(unit)?;
        // After an error the decoder is not put back.
        self.decoder = Some((unit.codec, decoder));
        picture.ok_or_else(|| Error::Decode {
            reason: "the access unit holds no complete picture".into(),
        })
    }

    fn make(
        &mut self,
        picture: Picture,
        make: Make,
        new_encoder: &NewEncoder,
    ) -> Result<(bytes::Bytes, u32, u32), Error> {
        let picture = make.shape.apply(picture)?;
        let mut encoder = match self.encoder.take() {
            Some((format, encoder)) if format == make.format => encoder,
            _ => new_encoder(make.format)?,
        };
        let (width, height) = (picture.width, picture.height);
        let data = encoder.encode(picture, make.quality)?;
        self.encoder = Some((make.format, encoder));
        Ok((data, width, height))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::WallClock;

    struct Panics;

    impl VideoDecoder for Panics {
        fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
            assert!(unit.data.is_empty(), "this picture kills the decoder");
            Ok(None)
        }
    }

    /// Says when it is dropped.
    struct Told(mpsc::Sender<()>);

    impl VideoDecoder for Told {
        fn decode(&mut self, _: &AccessUnit) -> Result<Option<Picture>, Error> {
            Ok(None)
        }
    }

    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn a_worker_without_work_gives_its_decoder_back_and_works_on() {
        let desk = Desk::new(Duration::from_millis(1)).unwrap();
        let (dropped, told) = mpsc::channel();
        let decoder = Box::new(Told(dropped));
        desk.run(|worker| worker.decoder = Some((Codec::H264, decoder)))
            .unwrap();
        told.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(desk.run(|worker| worker.decoder.is_none()), Some(true));
    }

    fn unit(data: &'static [u8]) -> AccessUnit {
        AccessUnit::new(
            Codec::H264,
            data.into(),
            Default::default(),
            WallClock::now(),
        )
    }

    #[tokio::test]
    async fn a_panic_in_a_decoder_costs_one_picture() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let pool = DecodePool::with_decoders(NonZeroUsize::MIN, move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(Panics))
        });
        for _ in 0..3 {
            let error = pool.picture(unit(b"x")).await.unwrap_err();
            assert!(error.to_string().contains("panicked"), "{error}");
        }
        let error = pool.picture(unit(b"")).await.unwrap_err();
        assert!(error.to_string().contains("no complete picture"), "{error}");
        assert_eq!(made.load(Ordering::SeqCst), 4);
    }
}
