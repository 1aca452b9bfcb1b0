//! The whole way over real sockets, against the virtual camera.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use media_pipeline::{
    Codec, Credentials, Error, Hub, HubItem, HubOptions, HubStatus, Rate, RtspOptions, RtspSource,
    RtspTransport, SnapshotOptions, Source as _, check_jpeg,
};
use tokio::time::timeout;
use virtual_camera::VirtualCamera;

const SOON: Duration = Duration::from_secs(20);

async fn camera() -> VirtualCamera {
    VirtualCamera::builder()
        .credentials("admin", "secret")
        .start()
        .await
        .unwrap()
}

fn options(camera: &VirtualCamera) -> RtspOptions {
    let mut options = RtspOptions::new(camera.stream_url(0).as_str().parse().unwrap());
    options.credentials = Some(Credentials::new("admin", "secret"));
    options
}

fn hub(options: RtspOptions) -> Hub {
    let hub_options = HubOptions {
        first_delay: Duration::from_millis(50),
        ..HubOptions::default()
    };
    Hub::new(Arc::new(RtspSource::new(options).unwrap()), hub_options)
}

#[tokio::test]
async fn a_snapshot_comes_through_digest_guard_and_hub() {
    let camera = camera().await;
    let hub = hub(options(&camera));
    let snapshot = hub.snapshot(&SnapshotOptions::default()).await.unwrap();
    assert_eq!(
        check_jpeg(&snapshot.data).unwrap(),
        (snapshot.width, snapshot.height)
    );
    let picture = image::load_from_memory(&snapshot.data).unwrap();
    assert_eq!(
        (picture.width(), picture.height()),
        (snapshot.width, snapshot.height)
    );
    assert!(matches!(
        hub.status(),
        HubStatus::Streaming {
            codec: Codec::H264,
            ..
        }
    ));
    camera.stop().await;
}

#[tokio::test]
async fn many_consumers_share_one_session_and_it_is_torn_down() {
    let camera = camera().await;
    let hub = hub(options(&camera));
    let mut subscriptions: Vec<_> = (0..5).map(|_| hub.subscribe()).collect();
    for subscription in &mut subscriptions {
        let Some(HubItem::Unit(unit)) = timeout(SOON, subscription.next()).await.unwrap() else {
            panic!("the first item is a unit")
        };
        assert!(unit.random_access && unit.parameters.is_some());
    }
    assert_eq!(camera.observed().rtsp_sessions, 1);
    drop((subscriptions, hub));
    let torn_down = async {
        while camera.observed().rtsp_sessions > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, torn_down).await.unwrap();
    camera.stop().await;
}

#[tokio::test]
async fn access_units_come_over_udp() {
    let camera = camera().await;
    let mut options = options(&camera);
    options.transport = RtspTransport::Udp;
    let hub = hub(options);
    let mut subscription = hub.subscribe();
    let mut units = 0;
    while units < 30 {
        match timeout(SOON, subscription.next()).await.unwrap() {
            Some(HubItem::Unit(_)) => units += 1,
            other => panic!("after {units} units: {other:?}"),
        }
    }
    assert!(hub.snapshot(&SnapshotOptions::default()).await.is_ok());
    camera.stop().await;
}

#[tokio::test]
async fn every_frame_is_decoded_on_demand() {
    let camera = camera().await;
    let hub = hub(options(&camera));
    let frames = hub.frames().yuv().take(20).map(Result::unwrap);
    let frames: Vec<_> = timeout(SOON, frames.collect()).await.unwrap();
    for pair in frames.windows(2) {
        let step = pair[1].pts - pair[0].pts;
        assert!(
            step > Duration::ZERO && step < Duration::from_millis(250),
            "{step:?}"
        );
        assert_eq!(
            (pair[0].picture.width, pair[0].picture.height),
            (pair[1].picture.width, pair[1].picture.height)
        );
    }
    let mut snapshots = hub
        .snapshots(Rate::EveryFrame, SnapshotOptions::default())
        .unwrap();
    let snapshot = timeout(SOON, snapshots.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(check_jpeg(&snapshot.data).is_ok());
    camera.stop().await;
}

// That they come in their period is tested by the clock of the tests, in `hub/periodic.rs`: here a machine may be slow.
#[tokio::test]
async fn pictures_come_between_key_frames_where_their_period_is_shorter() {
    const BETWEEN_KEY_FRAMES: Duration = Duration::from_secs(2);
    let camera = camera().await;
    let hub = hub(options(&camera));
    let mut frames = hub
        .frames()
        .rate(Rate::Every(Duration::from_millis(500)))
        .yuv();
    let near = async {
        let mut last = frames.next().await.unwrap().unwrap();
        loop {
            let frame = frames.next().await.unwrap().unwrap();
            assert!(last.pts < frame.pts, "{:?} then {:?}", last.pts, frame.pts);
            if frame.pts - last.pts < BETWEEN_KEY_FRAMES / 2 {
                return;
            }
            last = frame;
        }
    };
    timeout(3 * SOON, near).await.unwrap();
    camera.stop().await;
}

#[tokio::test]
async fn presentation_times_rise_and_real_time_is_near() {
    let camera = camera().await;
    let mut session = RtspSource::new(options(&camera))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut last = None;
    for _ in 0..20 {
        let unit = timeout(SOON, session.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(last < Some(unit.pts), "{last:?} then {:?}", unit.pts);
        last = Some(unit.pts);
        let now = std::time::SystemTime::now();
        let distance = now
            .duration_since(unit.wall.time)
            .unwrap_or_else(|e| e.duration());
        assert!(distance < Duration::from_secs(5), "{distance:?}");
    }
    session.close().await;
    camera.stop().await;
}

#[tokio::test]
async fn wrong_credentials_are_refused_by_name() {
    let camera = camera().await;
    let mut options = options(&camera);
    options.credentials = Some(Credentials::new("admin", "wrong"));
    let error = hub(options)
        .snapshot(&SnapshotOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    camera.stop().await;
}

#[tokio::test]
async fn snapshots_go_on_after_the_camera_was_away() {
    let camera = camera().await;
    let options = options(&camera);
    let port = options.url.port().unwrap();
    let hub = hub(options);
    let mut snapshots = hub
        .snapshots(Rate::EachKeyFrame, SnapshotOptions::default())
        .unwrap();
    assert!(
        timeout(SOON, snapshots.next())
            .await
            .unwrap()
            .unwrap()
            .is_ok()
    );
    camera.stop().await;
    loop {
        // Pictures that were on the way may still come.
        if timeout(SOON, snapshots.next())
            .await
            .unwrap()
            .unwrap()
            .is_err()
        {
            break;
        }
    }
    let back = VirtualCamera::builder()
        .credentials("admin", "secret")
        .rtsp_port(port)
        .start()
        .await
        .unwrap();
    let recovered = async { while snapshots.next().await.unwrap().is_err() {} };
    timeout(SOON, recovered).await.unwrap();
    back.stop().await;
}
