//! Pictures in a period, with a decoder that keeps account of what it is given.
//!
//! The camera sends ten pictures a second, the first at zero; consumers come 50 ms later, so that each instant falls
//! between two pictures.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, mpsc as blocking};
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use media_pipeline::{
    AccessUnit, Colour, DecodePool, Error, Frame, Hub, HubOptions, Picture, Plane, Rate,
    SnapshotOptions, StillFormat, VideoDecoder,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, advance, sleep, timeout};

use crate::script::{Script, hub, unit};

const SECOND: Duration = Duration::from_secs(1);

/// The presentation times, in ms, of the units that were given to decoders.
pub type Account = Arc<Mutex<Vec<u64>>>;

struct Counting<F>(F);

impl<F: FnMut(u64) + Send> VideoDecoder for Counting<F> {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        (self.0)(unit.pts.as_millis() as u64);
        let plane = || Plane {
            data: vec![128; 4].into(),
            stride: 2,
        };
        Ok(Picture::new(
            2,
            2,
            [plane(), plane(), plane()],
            Colour::JFIF,
        ))
    }
}

/// A pool whose decoders call `each` with the presentation time of each unit they get.
fn pool(each: impl Fn(u64) + Clone + Send + Sync + 'static) -> DecodePool {
    DecodePool::with_decoders(NonZeroUsize::MIN, move |_| {
        Ok(Box::new(Counting(each.clone())))
    })
}

pub fn counting() -> (DecodePool, Account) {
    let account = Account::default();
    let pool = pool({
        let account = account.clone();
        move |pts| account.lock().unwrap().push(pts)
    });
    (pool, account)
}

/// Sends a minute of pictures, one each 100 ms, changed by `edit`, with a key frame every so many.
fn film(script: &Script, key_every: u64, edit: impl Fn(&mut AccessUnit) + Send + 'static) {
    let feed = script.session();
    tokio::spawn(async move {
        for number in 0..600u64 {
            let mut unit = unit(number * 100, number.is_multiple_of(key_every));
            edit(&mut unit);
            let _ = feed.send(Ok(Some(unit)));
            sleep(Duration::from_millis(100)).await;
        }
    });
}

/// A hub that is filming since 50 ms. The subscription keeps the session.
pub async fn running(
    key_every: u64,
    change: impl FnOnce(&mut HubOptions),
    edit: impl Fn(&mut AccessUnit) + Send + 'static,
) -> Hub {
    let script = Arc::new(Script::default());
    let hub = hub(&script, change);
    let subscription = hub.subscribe();
    film(&script, key_every, edit);
    sleep(Duration::from_millis(50)).await;
    tokio::spawn(async move {
        let _keep = subscription;
        std::future::pending::<()>().await;
    });
    hub
}

fn pts(frame: Result<Frame, Error>) -> u64 {
    frame.unwrap().pts.as_millis() as u64
}

async fn times(frames: impl Stream<Item = Result<Frame, Error>>, count: usize) -> Vec<u64> {
    frames.take(count).map(pts).collect().await
}

#[tokio::test(start_paused = true)]
async fn key_frames_alone_are_decoded_where_they_keep_the_period() {
    let (pool, decoded) = counting();
    let hub = running(10, |options| options.pool = pool, |_| ()).await;
    let frames = hub.frames().rate(Rate::Every(2 * SECOND)).yuv();
    assert_eq!(times(frames, 5).await, [0, 2000, 4000, 6000, 8000]);
    assert_eq!(*decoded.lock().unwrap(), [0, 2000, 4000, 6000, 8000]);
}

#[tokio::test(start_paused = true)]
async fn a_picture_a_second_comes_of_a_key_frame_every_four() {
    let (pool, decoded) = counting();
    let hub = running(40, |options| options.pool = pool, |_| ()).await;
    let began = Instant::now();
    let mut frames = hub.frames().rate(Rate::Every(SECOND)).yuv();
    // The distance of key frames is not known yet: the second picture comes when it is clear that it is longer.
    assert_eq!(times(&mut frames, 2).await, [0, 1200]);
    for second in 2..10 {
        assert_eq!(pts(frames.next().await.unwrap()), second * 1000);
        assert_eq!(began.elapsed(), Duration::from_secs(second));
    }
    let decoded = decoded.lock().unwrap();
    let key_frame_alone = [0];
    // Nothing needs what comes after the last instant before a key frame.
    let groups = [(0..=3000), (4000..=7000), (8000..=9000)].map(|group| group.step_by(100));
    let expected: Vec<u64> = key_frame_alone
        .into_iter()
        .chain(groups.into_iter().flatten())
        .collect();
    assert_eq!(*decoded, expected);
}

#[tokio::test(start_paused = true)]
async fn snapshots_keep_the_period_as_frames_do() {
    let (pool, _) = counting();
    let hub = running(40, |options| options.pool = pool, |_| ()).await;
    let options = SnapshotOptions {
        format: StillFormat::Bmp,
        ..SnapshotOptions::default()
    };
    let snapshots = hub.snapshots(Rate::Every(SECOND), options).unwrap();
    let times: Vec<_> = snapshots
        .take(6)
        .map(|snapshot| snapshot.unwrap())
        .map(|snapshot| (snapshot.pts.as_millis(), snapshot.width, snapshot.height))
        .collect()
        .await;
    let expected = [0, 1200, 2000, 3000, 4000, 5000].map(|millis| (millis, 2, 2));
    assert_eq!(times, expected);
}

#[tokio::test(start_paused = true)]
async fn pictures_that_no_other_refers_to_are_decoded_only_where_they_are_due() {
    let (pool, decoded) = counting();
    let edit = |unit: &mut AccessUnit| {
        if !unit.random_access && (unit.pts.as_millis() / 100).is_multiple_of(2) {
            unit.data = vec![0, 0, 1, 0x01].into();
        }
    };
    let hub = running(40, |options| options.pool = pool, edit).await;
    let frames = hub.frames().rate(Rate::Every(SECOND)).yuv();
    assert_eq!(times(frames, 4).await, [0, 1200, 2000, 3000]);
    let decoded = decoded.lock().unwrap();
    let even: Vec<_> = decoded
        .iter()
        .filter(|pts| pts.is_multiple_of(200))
        .collect();
    assert_eq!(even, [&0, &0, &1200, &2000, &3000]);
    assert_eq!(decoded.len(), 5 + 15);
}

#[tokio::test(start_paused = true)]
async fn the_choice_follows_the_distance_of_key_frames() {
    let (pool, decoded) = counting();
    // A key frame every four seconds at first, every second from the eighth on.
    let edit = |unit: &mut AccessUnit| {
        let millis = unit.pts.as_millis();
        let distance = if millis < 8000 { 4000 } else { 1000 };
        unit.random_access = millis.is_multiple_of(distance);
    };
    let hub = running(10, |options| options.pool = pool, edit).await;
    let mut frames = hub.frames().rate(Rate::Every(SECOND)).yuv();
    while pts(frames.next().await.unwrap()) < 9000 {}
    decoded.lock().unwrap().clear();
    assert_eq!(times(frames, 3).await, [10_000, 11_000, 12_000]);
    assert_eq!(*decoded.lock().unwrap(), [10_000, 11_000, 12_000]);
}

#[tokio::test(start_paused = true)]
async fn after_a_loss_nothing_comes_until_the_next_key_frame() {
    let (pool, decoded) = counting();
    let edit = |unit: &mut AccessUnit| unit.loss = (unit.pts.as_millis() == 1500).into();
    let hub = running(40, |options| options.pool = pool, edit).await;
    let began = Instant::now();
    let mut frames = hub.frames().rate(Rate::Every(SECOND)).yuv();
    assert_eq!(times(&mut frames, 3).await, [0, 1200, 4000]);
    assert_eq!(began.elapsed(), Duration::from_millis(3950));
    // From then on the instants fall on the pictures: either neighbour is right.
    for expected in [5000, 6000] {
        assert!(pts(frames.next().await.unwrap()).abs_diff(expected) <= 100);
    }
    let decoded = decoded.lock().unwrap();
    assert!(!decoded.iter().any(|pts| (1201..4000).contains(pts)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_decoder_costs_the_rest_of_the_group() {
    let pool = pool(|pts| assert_ne!(pts, 1700, "this picture kills the decoder"));
    let hub = running(40, |options| options.pool = pool, |_| ()).await;
    let mut frames = hub.frames().rate(Rate::Every(SECOND)).yuv();
    assert_eq!(times(&mut frames, 2).await, [0, 1200]);
    let error = frames.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("panicked"), "{error}");
    assert_eq!(times(&mut frames, 1).await, [4000]);
    for expected in [5000, 6000] {
        assert!(pts(frames.next().await.unwrap()).abs_diff(expected) <= 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_which_only_key_frames_decode_still_gives_those() {
    let pool = pool(|pts| assert!(pts.is_multiple_of(4000), "only key frames can be decoded"));
    let hub = running(40, |options| options.pool = pool, |_| ()).await;
    let mut got = Vec::new();
    let mut frames = hub
        .frames()
        .rate(Rate::Every(Duration::from_millis(1500)))
        .yuv();
    while got.last() < Some(&16_000) {
        got.extend(
            frames
                .next()
                .await
                .unwrap()
                .map(|frame| frame.pts.as_millis()),
        );
    }
    assert_eq!(got, [0, 4000, 8000, 12_000, 16_000]);
}

#[tokio::test(start_paused = true)]
async fn a_group_larger_than_the_cache_is_followed() {
    let (pool, _) = counting();
    let change = |options: &mut HubOptions| {
        options.pool = pool;
        // Fifteen units of four bytes.
        options.cache_bytes = 60;
    };
    let hub = running(40, change, |_| ()).await;
    let frames = hub.frames().rate(Rate::Every(SECOND)).yuv();
    let expected = [0, 1200, 2000, 3000, 4000, 5000, 6000, 7000];
    assert_eq!(times(frames, 8).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_outgrows_the_cache_within_a_period_gives_its_key_frame() {
    let (pool, _) = counting();
    let change = |options: &mut HubOptions| {
        options.pool = pool;
        options.cache_bytes = 20;
    };
    let hub = running(40, change, |_| ()).await;
    let frames = hub.frames().rate(Rate::Every(2 * SECOND)).yuv();
    assert_eq!(times(frames, 4).await, [0, 4000, 8000, 12_000]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_decoder_skips_instants_and_does_not_fall_behind() {
    let (entered, mut entries) = mpsc::unbounded_channel();
    let (release, released) = blocking::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let pool = pool(move |pts| {
        let _ = entered.send(pts);
        let _ = released.lock().unwrap().recv();
    });
    let script = Arc::new(Script::default());
    let feed = script.session();
    let send = |millis: std::ops::RangeInclusive<u64>| {
        for millis in millis.step_by(100) {
            let unit = unit(millis, millis.is_multiple_of(4000));
            feed.send(Ok(Some(unit))).unwrap();
        }
    };
    let hub = hub(&script, |options| options.pool = pool);
    let _keep = hub.subscribe();
    send(0..=1500);
    sleep(Duration::from_millis(1)).await;

    let mut frames = hub.frames().rate(Rate::Every(SECOND)).yuv();
    let (deliver, mut delivered) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(frame) = frames.next().await {
            let _ = deliver.send(pts(frame));
        }
    });
    // Two instants pass while the first unit is decoded: they are skipped for the newest picture.
    assert_eq!(entries.recv().await, Some(0));
    send(1600..=3500);
    advance(2 * SECOND).await;
    (0..16).for_each(|_| release.send(()).unwrap());
    assert_eq!(delivered.recv().await, Some(1500));
    let first: Vec<u64> = std::iter::from_fn(|| entries.try_recv().ok())
        .take(15)
        .collect();
    assert_eq!(first.last(), Some(&1500));
    // What leads to 3.5 s is overtaken by a key frame: the rest of it is not decoded.
    assert_eq!(entries.recv().await, Some(1600));
    send(3600..=4500);
    advance(SECOND).await;
    release.send(()).unwrap();
    assert_eq!(entries.recv().await, Some(4000));
    release.send(()).unwrap();
    assert_eq!(delivered.recv().await, Some(4000));
    // Let go of the decoder, so that the runtime can end.
    drop(release);
    assert_eq!(timeout(SECOND, delivered.recv()).await, Ok(Some(4500)));
}
