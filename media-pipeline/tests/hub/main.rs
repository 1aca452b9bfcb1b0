//! What a hub does, with a scripted source and a paused clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod frames;
mod kept;
mod periodic;
mod script;

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use media_pipeline::{
    AccessUnit, Codec, Error, ErrorKind, HubItem, HubStatus, Rate, SnapshotOptions, WallClock,
};
use script::{Script, hub, settle, unit, unreachable_camera};
use tokio::time::{Instant, sleep};

/// The smallest JPEG that passes the check; `number` makes each one different.
fn jpeg(number: u8) -> AccessUnit {
    let data = vec![
        0xff, 0xd8, 0xff, 0xfe, 0, 3, number, 0xff, 0xc0, 0, 8, 8, 0, 48, 0, 64, 3, 0xff, 0xda, 0,
        3, 0, 1, 0xff, 0xd9,
    ];
    AccessUnit::new(
        Codec::Jpeg,
        data.into(),
        Duration::from_secs(number.into()),
        WallClock::now(),
    )
}

fn name(item: HubItem) -> String {
    match item {
        HubItem::Unit(unit) => unit.pts.as_millis().to_string(),
        HubItem::Lost { units } => format!("lost {units}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn it_connects_for_the_first_consumer_and_shares_one_session() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(script.connects().len(), 0);

    let (mut first, mut second) = (hub.subscribe(), hub.subscribe());
    feed.send(Ok(Some(unit(0, true)))).unwrap();
    feed.send(Ok(Some(unit(40, false)))).unwrap();
    for subscription in [&mut first, &mut second] {
        assert_eq!(subscription.next().await.map(name).as_deref(), Some("0"));
        assert_eq!(subscription.next().await.map(name).as_deref(), Some("40"));
    }
    assert_eq!(script.connects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_later_consumer_starts_with_the_cached_group() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    let _first = hub.subscribe();
    for (millis, key) in [(0, true), (40, false), (80, true), (120, false)] {
        feed.send(Ok(Some(unit(millis, key)))).unwrap();
    }
    settle().await;
    let mut late = hub.subscribe();
    assert_eq!(late.next().await.map(name).as_deref(), Some("80"));
    assert_eq!(late.next().await.map(name).as_deref(), Some("120"));
}

#[tokio::test(start_paused = true)]
async fn the_session_lingers_after_the_last_consumer_and_is_then_closed() {
    let script = Arc::new(Script::default());
    let _feed = script.session();
    let hub = hub(&script, |options| options.linger = Duration::from_secs(5));
    drop(hub.subscribe());
    settle().await;
    sleep(Duration::from_secs(4)).await;
    assert_eq!(script.closes(), 0);
    let returned = hub.subscribe();
    sleep(Duration::from_secs(4)).await;
    assert_eq!((script.closes(), script.connects().len()), (0, 1));
    drop(returned);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(script.closes(), 1);
    assert!(matches!(hub.status(), HubStatus::Idle));
}

#[tokio::test(start_paused = true)]
async fn the_session_is_closed_at_once_when_nobody_holds_the_hub() {
    let script = Arc::new(Script::default());
    let _feed = script.session();
    let hub = hub(&script, |options| {
        options.linger = Duration::from_secs(3600)
    });
    let subscription = hub.subscribe();
    drop(hub);
    settle().await;
    assert_eq!(script.closes(), 0);
    drop(subscription);
    settle().await;
    assert_eq!(script.closes(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_reconnects_forever_with_growing_delays() {
    let script = Arc::new(Script::default());
    let hub = hub(&script, |_| ());
    let _subscription = hub.subscribe();
    sleep(Duration::from_secs(3600)).await;
    let connects = script.connects();
    let delays: Vec<_> = connects.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (delay, ceiling) in delays.iter().zip([1, 2, 4, 8, 16, 32, 60, 60]) {
        assert!(
            *delay <= Duration::from_secs(ceiling) + Duration::from_millis(2),
            "{delays:?}"
        );
    }
    // Sixty seconds at most, thirty on average.
    assert!(
        (60..300).contains(&connects.len()),
        "{} attempts",
        connects.len()
    );
    let HubStatus::Backoff { error, .. } = hub.status() else {
        panic!("{:?}", hub.status())
    };
    assert_eq!(error.kind(), ErrorKind::Network);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_tried_rarely() {
    let script = Arc::new(Script::default());
    let refused = || Error::Unauthorized {
        url: "script".into(),
        reason: "no".into(),
    };
    (0..200).for_each(|_| script.refuse(refused()));
    let hub = hub(&script, |_| ());
    let _subscription = hub.subscribe();
    sleep(Duration::from_secs(3600)).await;
    assert!(
        (60..=120).contains(&script.connects().len()),
        "{}",
        script.connects().len()
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_reconnection_consumers_are_told_and_start_at_a_key_frame() {
    let script = Arc::new(Script::default());
    let (first, second) = (script.session(), script.session());
    let hub = hub(&script, |_| ());
    let mut subscription = hub.subscribe();
    first.send(Ok(Some(unit(0, true)))).unwrap();
    first.send(Err(unreachable_camera())).unwrap();
    for (millis, key) in [(1000, false), (1040, false), (1080, true)] {
        second.send(Ok(Some(unit(millis, key)))).unwrap();
    }
    let mut got = Vec::new();
    while got.last().is_none_or(|last| last != "1080") {
        got.extend(subscription.next().await.map(name));
    }
    assert_eq!(got, ["0", "lost 2", "1080"]);
    assert_eq!(script.closes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_session_is_replaced() {
    let script = Arc::new(Script::default());
    let (silent, _second) = (script.session(), script.session());
    let hub = hub(&script, |options| options.silence = Duration::from_secs(15));
    let _subscription = hub.subscribe();
    silent.send(Ok(Some(unit(0, true)))).unwrap();
    sleep(Duration::from_secs(14)).await;
    assert_eq!(script.connects().len(), 1);
    sleep(Duration::from_secs(3)).await;
    assert_eq!((script.connects().len(), script.closes()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn lost_packets_silence_a_consumer_until_the_next_key_frame() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    let mut subscription = hub.subscribe();
    let mut damaged = unit(80, false);
    damaged.loss = 3;
    for unit in [
        unit(0, true),
        unit(40, false),
        damaged,
        unit(120, false),
        unit(160, true),
        unit(200, false),
    ] {
        feed.send(Ok(Some(unit))).unwrap();
    }
    let got: Vec<_> = subscription.by_ref().take(5).map(name).collect().await;
    assert_eq!(got, ["0", "40", "lost 2", "160", "200"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_loses_groups_and_does_not_slow_the_others() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |options| options.queue_units = 8);
    let (mut slow, mut fast) = (hub.subscribe(), hub.subscribe());
    for number in 0..20 {
        feed.send(Ok(Some(unit(number, number % 5 == 0)))).unwrap();
        assert_eq!(fast.next().await.map(name), Some(number.to_string()));
    }
    let got: Vec<_> = std::iter::from_fn(|| slow.next().now_or_never().flatten())
        .map(name)
        .collect();
    assert_eq!(got, ["lost 15", "15", "16", "17", "18", "19"]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_a_running_stream_is_instant() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    let _keep = hub.subscribe();
    feed.send(Ok(Some(jpeg(7)))).unwrap();
    settle().await;
    let began = Instant::now();
    let snapshot = hub.snapshot(&SnapshotOptions::default()).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(
        (snapshot.pts, snapshot.width, snapshot.height),
        (Duration::from_secs(7), 64, 48)
    );
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_waits_for_the_next_key_frame_when_the_cached_one_is_old() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    let _keep = hub.subscribe();
    feed.send(Ok(Some(jpeg(1)))).unwrap();
    sleep(Duration::from_secs(3)).await;
    let later = tokio::spawn({
        let hub = hub.clone();
        async move { hub.snapshot(&SnapshotOptions::default()).await }
    });
    sleep(Duration::from_secs(1)).await;
    feed.send(Ok(Some(jpeg(2)))).unwrap();
    assert_eq!(later.await.unwrap().unwrap().pts, Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_without_a_picture_ends_at_its_deadline_and_says_why() {
    let script = Arc::new(Script::default());
    let hub = hub(&script, |_| ());
    let options = SnapshotOptions {
        deadline: Duration::from_secs(7),
        ..SnapshotOptions::default()
    };
    let began = Instant::now();
    let error = hub.snapshot(&options).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(7));
    assert!(
        matches!(&error, Error::NoPicture { after, .. } if *after == Duration::from_secs(7)),
        "{error:?}"
    );
    assert!(error.is_transient());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_does_not_wait_where_the_credentials_are_refused() {
    let script = Arc::new(Script::default());
    script.refuse(Error::Unauthorized {
        url: "script".into(),
        reason: "no".into(),
    });
    let began = Instant::now();
    let error = hub(&script, |_| ())
        .snapshot(&SnapshotOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), began.elapsed()),
        (ErrorKind::Unauthorized, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn periodic_snapshots_keep_their_period_and_take_the_latest() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    let mut snapshots = hub
        .snapshots(
            Rate::Every(Duration::from_secs(2)),
            SnapshotOptions::default(),
        )
        .unwrap();
    tokio::spawn(async move {
        for number in 0..60 {
            let _ = feed.send(Ok(Some(jpeg(number))));
            sleep(Duration::from_millis(500)).await;
        }
    });
    let first = snapshots.next().await.unwrap().unwrap();
    let began = Instant::now();
    for count in 1u64..5 {
        let snapshot = snapshots.next().await.unwrap().unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(2 * count));
        let frames = (snapshot.pts - first.pts).as_secs();
        assert!(
            frames.abs_diff(4 * count) <= 1,
            "picture {frames} after {count} periods"
        );
    }
    // A consumer that sleeps through three periods gets one picture, the latest.
    sleep(Duration::from_secs(6)).await;
    let late = snapshots.next().await.unwrap().unwrap();
    assert!((late.pts - first.pts).as_secs() >= 27);
    assert_eq!(script.connects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_period_shorter_than_that_of_a_jpeg_stream_gives_each_picture() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    let period = Rate::Every(Duration::from_millis(100));
    let mut snapshots = hub.snapshots(period, SnapshotOptions::default()).unwrap();
    for number in 0..5 {
        feed.send(Ok(Some(jpeg(number)))).unwrap();
        let snapshot = snapshots.next().await.unwrap().unwrap();
        assert_eq!(snapshot.pts, Duration::from_secs(number.into()));
    }
}

#[tokio::test(start_paused = true)]
async fn periodic_snapshots_tell_failures_as_items_and_go_on() {
    let script = Arc::new(Script::default());
    let first = script.session();
    script.refuse(unreachable_camera());
    let second = script.session();
    let hub = hub(&script, |_| ());
    let mut snapshots = hub
        .snapshots(Rate::EachKeyFrame, SnapshotOptions::default())
        .unwrap();
    first.send(Ok(Some(jpeg(1)))).unwrap();
    assert!(snapshots.next().await.unwrap().is_ok());
    first.send(Ok(None)).unwrap();
    let ended = snapshots.next().await.unwrap().unwrap_err();
    assert!(ended.to_string().contains("ended the stream"), "{ended}");
    let refused = snapshots.next().await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("cannot connect"), "{refused}");
    second.send(Ok(Some(jpeg(2)))).unwrap();
    assert_eq!(
        snapshots.next().await.unwrap().unwrap().pts,
        Duration::from_secs(2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_pictures_gives_an_error_per_deadline_not_a_flood() {
    let script = Arc::new(Script::default());
    let _feed = script.session();
    let hub = hub(&script, |options| options.silence = Duration::MAX);
    let options = SnapshotOptions {
        deadline: Duration::from_secs(10),
        ..SnapshotOptions::default()
    };
    let mut snapshots = hub
        .snapshots(Rate::Every(Duration::from_secs(1)), options)
        .unwrap();
    let began = Instant::now();
    for count in 1..4 {
        assert!(matches!(
            snapshots.next().await,
            Some(Err(Error::NoPicture { .. }))
        ));
        assert_eq!(began.elapsed(), Duration::from_secs(10 * count));
    }
}

#[tokio::test(start_paused = true)]
async fn consumers_of_the_same_picture_share_it() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    let _keep = hub.subscribe();
    let clip = format!(
        "{}/tests/data/bars_601_full.h264",
        env!("CARGO_MANIFEST_DIR")
    );
    let data = std::fs::read(clip).unwrap();
    feed.send(Ok(Some(AccessUnit::new(
        Codec::H264,
        data.into(),
        Duration::ZERO,
        WallClock::now(),
    ))))
    .unwrap();
    settle().await;
    let options = SnapshotOptions::default();
    let (a, b) = tokio::join!(hub.snapshot(&options), hub.snapshot(&options));
    let (a, b) = (a.unwrap().data, b.unwrap().data);
    assert_eq!(a.as_ptr(), b.as_ptr());
}

#[tokio::test(start_paused = true)]
async fn the_status_can_be_watched() {
    let script = Arc::new(Script::default());
    let feed = script.session();
    let hub = hub(&script, |_| ());
    let mut status = hub.watch_status();
    assert!(matches!(status.next().await, Some(HubStatus::Idle)));
    let subscription = hub.subscribe();
    assert!(matches!(status.next().await, Some(HubStatus::Connecting)));
    feed.send(Ok(Some(unit(0, true)))).unwrap();
    assert!(matches!(
        status.next().await,
        Some(HubStatus::Streaming {
            codec: Codec::H264,
            ..
        })
    ));
    feed.send(Err(unreachable_camera())).unwrap();
    assert!(matches!(
        status.next().await,
        Some(HubStatus::Backoff { .. })
    ));
    drop(subscription);
    while !matches!(status.next().await, Some(HubStatus::Idle)) {}
}

#[tokio::test(start_paused = true)]
async fn a_quality_out_of_range_is_the_callers_fault() {
    let hub = hub(&Arc::new(Script::default()), |_| ());
    for quality in [0, 101] {
        let options = SnapshotOptions {
            quality,
            ..SnapshotOptions::default()
        };
        assert_eq!(
            hub.snapshot(&options).await.unwrap_err().kind(),
            ErrorKind::Caller
        );
        assert!(hub.snapshots(Rate::EachKeyFrame, options).is_err());
    }
}
