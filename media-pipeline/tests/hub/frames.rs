//! Pictures for programs, and the picture of a moment. The camera is that of `periodic`: ten pictures a second, the first
//! at zero, consumers come 50 ms later.

use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

use futures::{FutureExt as _, StreamExt as _};
use media_pipeline::{
    AccessUnit, Codec, Crop, Error, Moment, Snapshot, SnapshotOptions, StillFormat, WhenFull,
    check_jpeg,
};
use tokio::time::sleep;

use crate::periodic::{counting, running};

const SECOND: Duration = Duration::from_secs(1);
const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

fn millis<T>(item: Result<T, Error>, pts: impl Fn(&T) -> Duration) -> u64 {
    pts(&item.unwrap()).as_millis() as u64
}

#[tokio::test(start_paused = true)]
async fn pixels_come_row_by_row_in_the_size_that_was_asked_for() {
    let (pool, _) = counting();
    let hub = running(10, |options| options.pool = pool, |_| ()).await;
    let whole = hub.frames().every(SECOND).rgb().next().await;
    let whole = whole.unwrap().unwrap();
    assert_eq!((whole.width, whole.height), (2, 2));
    assert_eq!(whole.data, vec![128; 12]);
    let small = hub.frames().every(SECOND).fit(1, 9).rgb().next().await;
    let small = small.unwrap().unwrap();
    assert_eq!((small.width, small.height, small.data.len()), (1, 1, 3));
    let crop = Crop {
        left: 0,
        top: 0,
        width: 2,
        height: 1,
    };
    let part = hub.frames().every(SECOND).crop(crop).yuv().next().await;
    let part = part.unwrap().unwrap().picture;
    assert_eq!((part.width, part.height), (2, 1));
    let file = hub.frames().every(SECOND).jpeg(90).next().await.unwrap();
    assert_eq!(check_jpeg(&file.unwrap().data).unwrap(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_decoded_before_it_is_asked_for() {
    let (pool, decoded) = counting();
    let hub = running(10, |options| options.pool = pool, |_| ()).await;
    let mut frames = hub.frames().yuv();
    sleep(SECOND).await;
    assert_eq!(*decoded.lock().unwrap(), [0; 0]);
    assert_eq!(millis(frames.next().await.unwrap(), |f| f.pts), 0);
    assert_eq!(*decoded.lock().unwrap(), [0]);
}

#[tokio::test(start_paused = true)]
async fn pictures_ahead_wait_for_the_consumer() {
    let (pool, decoded) = counting();
    let hub = running(10, |options| options.pool = pool, |_| ()).await;
    let mut frames = hub.frames().ahead(TWO, WhenFull::Wait).yuv();
    assert_eq!(millis(frames.next().await.unwrap(), |f| f.pts), 0);
    sleep(3 * SECOND).await;
    assert_eq!(*decoded.lock().unwrap(), [0, 100, 200]);
    for expected in [100, 200, 300] {
        assert_eq!(millis(frames.next().await.unwrap(), |f| f.pts), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_oldest_of_the_pictures_ahead_is_dropped_where_that_is_wanted() {
    let (pool, _) = counting();
    let hub = running(10, |options| options.pool = pool, |_| ()).await;
    let mut frames = hub.frames().ahead(TWO, WhenFull::DropOldest).yuv();
    assert_eq!(millis(frames.next().await.unwrap(), |f| f.pts), 0);
    sleep(3 * SECOND).await;
    let waiting: Vec<u64> = [frames.next().await, frames.next().await]
        .map(|item| millis(item.unwrap(), |f| f.pts))
        .to_vec();
    // Decoding takes another thread, which may be behind by one.
    assert!(
        waiting[0] >= 2800 && waiting[1] == waiting[0] + 100,
        "{waiting:?}"
    );
    assert!(frames.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn pictures_of_jpeg_streams_are_decoded_for_programs() {
    let still = include_bytes!("../../../virtual-camera/assets/still.jpg");
    let edit = |unit: &mut AccessUnit| {
        unit.codec = Codec::Jpeg;
        unit.random_access = true;
        unit.data = still[..].into();
    };
    let hub = running(1, |_| (), edit).await;
    for frame in [
        hub.frames().rgb().next().await,
        hub.frames().every(SECOND).rgb().next().await,
    ] {
        let frame = frame.unwrap().unwrap();
        assert_eq!(check_jpeg(still).unwrap(), (frame.width, frame.height));
        let theirs = image::load_from_memory(still).unwrap().into_rgb8();
        let apart = frame.data.iter().zip(theirs.iter());
        let mean = apart.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
        assert!(mean / (frame.data.len() as u64) < 4, "{mean}");
    }
}

/// The time by the camera's clock of the picture with this presentation time.
fn time(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000) + Duration::from_millis(millis)
}

fn by_the_cameras_clock(unit: &mut AccessUnit) {
    unit.wall.time = time(unit.pts.as_millis() as u64);
}

fn options() -> SnapshotOptions {
    SnapshotOptions {
        format: StillFormat::Bmp,
        ..SnapshotOptions::default()
    }
}

fn taken(snapshot: Result<Snapshot, Error>) -> u64 {
    millis(snapshot, |snapshot| snapshot.pts)
}

#[tokio::test(start_paused = true)]
async fn the_picture_of_now_is_the_newest_and_not_the_last_key_frame() {
    let (pool, decoded) = counting();
    let hub = running(40, |options| options.pool = pool, |_| ()).await;
    sleep(Duration::from_millis(700)).await;
    assert_eq!(taken(hub.snapshot_at(Moment::Now, &options()).await), 700);
    assert_eq!(
        *decoded.lock().unwrap(),
        (0..=7).map(|n| n * 100).collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn the_picture_of_a_moment_is_the_last_one_before_it() {
    let (pool, decoded) = counting();
    let change = |options: &mut media_pipeline::HubOptions| {
        options.pool = pool;
        options.history = 3 * SECOND;
    };
    let hub = running(10, change, by_the_cameras_clock).await;
    sleep(3 * SECOND).await;
    let at = |millis| Moment::At(time(millis));
    assert_eq!(taken(hub.snapshot_at(at(1350), &options()).await), 1300);
    assert_eq!(*decoded.lock().unwrap(), [1000, 1100, 1200, 1300]);
    assert_eq!(taken(hub.snapshot_at(at(2000), &options()).await), 2000);
    // What is yet to come is waited for.
    assert_eq!(taken(hub.snapshot_at(at(3510), &options()).await), 3500);
    let past = Moment::At(SystemTime::UNIX_EPOCH);
    let error = hub.snapshot_at(past, &options()).await.unwrap_err();
    assert!(error.to_string().contains("before all pictures"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_moment_beyond_the_budget_gives_what_was_reached() {
    let (pool, decoded) = counting();
    let hub = running(40, |options| options.pool = pool, |_| ()).await;
    sleep(SECOND).await;
    let options = SnapshotOptions {
        budget: Duration::ZERO,
        ..options()
    };
    assert_eq!(taken(hub.snapshot_at(Moment::Now, &options).await), 0);
    assert_eq!(*decoded.lock().unwrap(), [0]);
}
