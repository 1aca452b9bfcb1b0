//! What a hub keeps of a stream: no more than its consumers can use. Access units count themselves as long as somebody
//! holds them.
//!
//! The camera sends ten pictures a second, with a key frame each second unless a test says otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use media_pipeline::{
    DecodePool, Hub, HubItem, HubOptions, Moment, Rate, SnapshotOptions, StillFormat, Subscription,
};
use tokio::time::{Instant, sleep};

use crate::periodic::counting;
use crate::script::{Script, hub, settle, unit};

const SECOND: Duration = Duration::from_secs(1);

/// Counts the access units that somebody holds.
#[derive(Clone, Default)]
struct Held(Arc<AtomicUsize>);

struct Data(Vec<u8>, Held);

impl AsRef<[u8]> for Data {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        self.1.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Held {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A hub of a camera that films.
fn filming(key_every: u64, pool: DecodePool, change: impl FnOnce(&mut HubOptions)) -> (Hub, Held) {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let held = Held::default();
    let counter = held.clone();
    tokio::spawn(async move {
        for number in 0..600u64 {
            let mut unit = unit(number * 100, number.is_multiple_of(key_every));
            counter.0.fetch_add(1, Ordering::SeqCst);
            unit.data = Bytes::from_owner(Data(unit.data.to_vec(), counter.clone()));
            if feed.send(Ok(Some(unit))).is_err() {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    let hub = hub(&script, |options| {
        options.pool = pool;
        change(options);
    });
    (hub, held)
}

fn options() -> SnapshotOptions {
    SnapshotOptions {
        format: StillFormat::Bmp,
        ..SnapshotOptions::default()
    }
}

/// Takes pictures in a task of its own, for ever.
fn take(hub: &Hub, rate: Rate) {
    let mut snapshots = hub.snapshots(rate, options()).unwrap();
    tokio::spawn(async move { while snapshots.next().await.is_some() {} });
}

async fn first(subscription: &mut Subscription) -> u64 {
    match subscription.next().await {
        Some(HubItem::Unit(unit)) => unit.pts.as_millis() as u64,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_stream_of_key_frames_the_newest_is_kept_and_nothing_else() {
    for rate in [Rate::Every(2 * SECOND), Rate::EachKeyFrame] {
        let (hub, held) = filming(10, counting().0, |_| ());
        take(&hub, rate);
        sleep(Duration::from_millis(50)).await;
        for _ in 0..100 {
            assert_eq!(held.count(), 1, "{rate:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_period_keeps_the_group_until_it_is_known_to_be_short_too() {
    let (hub, held) = filming(10, counting().0, |_| ());
    take(&hub, Rate::Every(SECOND));
    sleep(Duration::from_millis(950)).await;
    assert_eq!(held.count(), 10);
    sleep(SECOND).await;
    assert_eq!(held.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn pictures_between_the_key_frames_are_kept_for_those_who_decode_them() {
    let (hub, held) = filming(40, counting().0, |_| ());
    let mut frames = hub.frames().every(SECOND).yuv();
    sleep(Duration::from_millis(50)).await;
    let mut times = Vec::new();
    for _ in 0..7 {
        let frame = frames.next().await.unwrap().unwrap();
        times.push(frame.pts.as_millis());
    }
    assert_eq!(times, [0, 1200, 2000, 3000, 4000, 5000, 6000]);
    assert!(held.count() > 20, "{}", held.count());
    // Another consumer does not change that; its own wishes are fewer.
    take(&hub, Rate::EachKeyFrame);
    sleep(4 * SECOND).await;
    assert!(held.count() > 20, "{}", held.count());
    drop(frames);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(held.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_on_demand_is_instant_without_a_group() {
    let (hub, held) = filming(10, counting().0, |_| ());
    take(&hub, Rate::Every(2 * SECOND));
    sleep(Duration::from_millis(2550)).await;
    let began = Instant::now();
    let snapshot = hub.snapshot(&options()).await.unwrap();
    assert_eq!(
        (snapshot.pts, began.elapsed()),
        (2 * SECOND, Duration::ZERO)
    );
    assert_eq!(held.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_group_is_kept_from_the_first_consumer_on_that_asks_for_it() {
    let (hub, held) = filming(10, counting().0, |_| ());
    take(&hub, Rate::Every(2 * SECOND));
    sleep(Duration::from_millis(2550)).await;
    assert_eq!(first(&mut hub.subscribe()).await, 3000);
    // The next one may come at any time.
    sleep(Duration::from_millis(550)).await;
    assert_eq!(held.count(), 6);
    assert_eq!(first(&mut hub.subscribe()).await, 3000);
}

#[tokio::test(start_paused = true)]
async fn the_group_is_kept_from_the_first_moment_on_that_is_asked_for() {
    let (hub, _) = filming(10, counting().0, |_| ());
    take(&hub, Rate::Every(2 * SECOND));
    sleep(Duration::from_millis(2550)).await;
    for expected in [3000, 3400] {
        let now = hub.snapshot_at(Moment::Now, &options()).await.unwrap();
        assert_eq!(now.pts, Duration::from_millis(expected));
        sleep(Duration::from_millis(450)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_history_groups_are_kept_from_the_start() {
    let (hub, held) = filming(10, counting().0, |options| options.history = SECOND);
    take(&hub, Rate::Every(2 * SECOND));
    sleep(Duration::from_millis(2550)).await;
    assert_eq!(held.count(), 16);
    assert_eq!(first(&mut hub.subscribe_from(SECOND)).await, 1000);
}

#[tokio::test(start_paused = true)]
async fn when_the_stream_was_closed_nothing_is_kept_and_nobody_has_asked() {
    let script = Arc::new(Script::default());
    let (once, again) = (script.session(), script.session());
    let hub = hub(&script, |options| options.linger = Duration::ZERO);
    let asks = hub.subscribe();
    settle().await;
    drop(asks);
    settle().await;
    assert_eq!(script.closes(), 1);
    drop(once);
    take(&hub, Rate::EachKeyFrame);
    for (millis, key) in [(0, true), (40, false)] {
        again.send(Ok(Some(unit(millis, key)))).unwrap();
    }
    settle().await;
    let mut late = hub.subscribe();
    assert!(late.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_kept_only_where_another_consumer_may_want_it() {
    let (pool, decoded) = counting();
    let (hub, _) = filming(600, pool, |_| ());
    let mut alone = hub.snapshots(Rate::EachKeyFrame, options()).unwrap();
    alone.next().await.unwrap().unwrap();
    assert_eq!(decoded.lock().unwrap().len(), 1);
    // Those on demand are for whoever asks next.
    for _ in 0..3 {
        hub.snapshot(&options()).await.unwrap();
        assert_eq!(decoded.lock().unwrap().len(), 2);
    }
    // There are others: what they have in common is done once.
    let mut second = hub.snapshots(Rate::EachKeyFrame, options()).unwrap();
    second.next().await.unwrap().unwrap();
    assert_eq!(decoded.lock().unwrap().len(), 2);
}
