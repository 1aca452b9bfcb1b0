//! Cameras whose answers are hard to read: dates, prefixes, encodings, tokens.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use futures::StreamExt;
use onvif_core::events::{EventItem, EventOptions, EventStream, Filter, Notification};
use onvif_core::media::StreamTransport;
use onvif_core::{Camera, Credentials, ErrorKind, FaultCode};
use virtual_camera::{AuthScheme, BadDateTime, Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);

async fn start(auth: AuthScheme, quirks: Quirks) -> (VirtualCamera, Camera) {
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .auth(auth)
        .quirks(quirks)
        .start()
        .await
        .unwrap();
    let camera = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "secret"))
        .connect()
        .await
        .unwrap();
    (target, camera)
}

fn subscribe(camera: &Camera) -> EventStream {
    let mut options = EventOptions::default();
    options.pull_timeout = Duration::from_secs(1);
    camera.events().subscribe_with(Filter::all(), options)
}

/// The next notification of motion that is `value`; the stream may say only that it is complete.
async fn motion(events: &mut EventStream, value: &str) -> Notification {
    let seen = tokio::time::timeout(DEADLINE, async {
        loop {
            let item = events.next().await.expect("the stream ended");
            let EventItem::Notification(notification) = item.unwrap() else {
                continue;
            };
            let mut items = notification.data.simple.iter();
            let wanted = items.any(|item| item.value == value);
            if wanted && notification.topic == "tns1:VideoSource/MotionAlarm" {
                return notification;
            }
        }
    });
    seen.await.expect("it takes too long")
}

const KINDS: [BadDateTime; 4] = [
    BadDateTime::MinuteOverflow,
    BadDateTime::DashForT,
    BadDateTime::Spaces,
    BadDateTime::Zero,
];

fn bad_dates(kind: BadDateTime) -> Quirks {
    Quirks {
        bad_datetime: Some(kind),
        ..Quirks::default()
    }
}

/// C04, ASECAM.
#[tokio::test]
async fn a_clock_written_wrongly_is_read_where_it_can_be() {
    for kind in KINDS {
        let quirks = Quirks {
            clock_offset: if kind == BadDateTime::Zero { 0 } else { 7_200 },
            max_skew: Some(5),
            ..bad_dates(kind)
        };
        let (target, camera) = start(AuthScheme::UsernameToken, quirks).await;
        let offset = camera.clock_offset_ms();
        if kind == BadDateTime::Zero {
            assert_eq!(
                offset, None,
                "no date is no reason to believe in another one"
            );
        } else {
            let off = offset.unwrap() - 7_200_000;
            assert!(off.abs() < 5_000, "{kind:?}: {off}");
        }
        camera.device().scopes().await.unwrap();
        assert_eq!(target.observed().authentication_failures, 0, "{kind:?}");
        target.stop().await;
    }
}

/// C04.
#[tokio::test]
async fn events_with_dates_written_wrongly_flow_and_have_their_time_where_it_can_be_read() {
    for kind in KINDS {
        let (target, camera) = start(AuthScheme::Digest, bad_dates(kind)).await;
        // From here on it is known how the camera authenticates, so that every request counts once.
        camera.events().properties().await.unwrap();
        let mut events = subscribe(&camera);
        motion(&mut events, "false").await;
        target.set_motion(true);
        let began = motion(&mut events, "true").await;
        match began.device_time {
            None => assert_eq!(kind, BadDateTime::Zero),
            Some(time) => {
                let now = SystemTime::now();
                let age = now.duration_since(time).unwrap_or_else(|e| e.duration());
                assert!(age < DEADLINE, "{kind:?}: {age:?}");
            }
        }
        // Times that say nothing about its life do not end a subscription.
        target.set_motion(false);
        motion(&mut events, "false").await;
        let made = target.observed().count("CreatePullPointSubscription");
        assert_eq!(made, 1, "{kind:?}");
        target.stop().await;
    }
}

/// C14.
#[tokio::test]
async fn a_subscription_address_with_an_undeclared_prefix_is_found() {
    let quirks = Quirks {
        undeclared_prefix: true,
        ..Quirks::default()
    };
    let (target, camera) = start(AuthScheme::Digest, quirks).await;
    let mut events = subscribe(&camera);
    motion(&mut events, "false").await;
    target.set_motion(true);
    motion(&mut events, "true").await;
    target.stop().await;
}

/// C15, Wanscam and ESCAM.
#[tokio::test]
async fn faults_with_undeclared_prefixes_keep_their_meaning() {
    let quirks = Quirks {
        fault_undeclared_ns: true,
        ..Quirks::default()
    };
    let auth = AuthScheme::UsernameToken;
    let (target, camera) = start(auth, quirks).await;
    // The refusal that asks for credentials is such a fault.
    camera.device().scopes().await.unwrap();
    assert_eq!(target.observed().authentication_failures, 0);
    let error = camera
        .media()
        .stream_uri(&"nowhere".into(), StreamTransport::Rtsp)
        .await
        .unwrap_err();
    let fault = error.fault().expect("the camera refuses");
    assert!(fault.subcodes.contains(&FaultCode::NoProfile), "{fault:?}");

    // So is the one that says that a subscription is gone.
    let mut events = subscribe(&camera);
    motion(&mut events, "false").await;
    target.forget_subscriptions();
    target.set_motion(true);
    motion(&mut events, "true").await;
    target.stop().await;

    let quirks = Quirks {
        fault_undeclared_ns: true,
        ..Quirks::default()
    };
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .auth(auth)
        .quirks(quirks)
        .start()
        .await
        .unwrap();
    let camera = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "wrong"))
        .connect()
        .await;
    let refused = match camera {
        Ok(camera) => camera.device().scopes().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(refused.kind(), ErrorKind::Unauthorized, "{refused}");
    target.stop().await;
}

/// C16, VIKVIZ.
#[tokio::test]
async fn names_that_are_no_utf_8_are_read_as_far_as_they_are() {
    let quirks = Quirks {
        bad_utf8: true,
        ..Quirks::default()
    };
    let (target, camera) = start(AuthScheme::Either, quirks).await;
    let manufacturer = camera.device().information().await.unwrap().manufacturer;
    let manufacturer = manufacturer.unwrap();
    assert!(manufacturer.contains('\u{fffd}'), "{manufacturer}");
    assert!(manufacturer.ends_with("onvif-aio"), "{manufacturer}");
    let profiles = camera.media().profiles().await.unwrap();
    assert_eq!(profiles.len(), 2);
    assert_eq!(profiles[0].token.as_str(), "main");
    let name = profiles[0].name.as_deref().unwrap();
    assert!(
        name.contains('\u{fffd}') && name.ends_with("main"),
        "{name}"
    );
    target.stop().await;
}

/// C45, recorders.
#[tokio::test]
async fn the_profiles_of_a_recorder_are_told_apart_by_their_video_source() {
    let quirks = Quirks {
        nvr_channels: Some(64),
        ..Quirks::default()
    };
    let (target, camera) = start(AuthScheme::Either, quirks).await;
    let media = camera.media();
    let profiles = media.profiles().await.unwrap();
    assert_eq!(profiles.len(), 128);
    let sources = media.video_sources().await.unwrap();
    let known: BTreeSet<_> = sources.iter().map(|source| source.token.as_str()).collect();
    assert_eq!(known.len(), 64);
    let named = profiles.iter().filter_map(|it| it.video_source.as_ref());
    let named: BTreeSet<_> = named.map(|source| source.as_str()).collect();
    assert_eq!(named, known);
    // The last token has a space.
    let last = &profiles[127].token;
    assert_eq!(last.as_str(), "sub 63");
    media.stream_uri(last, StreamTransport::Rtsp).await.unwrap();
    target.stop().await;
}

/// C45, Hikvision.
#[tokio::test]
async fn tokens_that_do_not_match_or_hold_markup_are_passed_back_as_they_came() {
    let quirks = Quirks {
        token_mismatch: true,
        odd_tokens: true,
        ..Quirks::default()
    };
    let (target, camera) = start(AuthScheme::Either, quirks).await;
    let media = camera.media();
    let profiles = media.profiles().await.unwrap();
    assert_eq!(profiles[0].token.as_str(), "main <0> & \"more\"");
    let sources = media.video_sources().await.unwrap();
    assert_eq!(sources[0].token.as_str(), "VideoSource <1> & more");
    assert_ne!(profiles[0].video_source.as_ref(), Some(&sources[0].token));
    for profile in &profiles {
        let token = &profile.token;
        media
            .stream_uri(token, StreamTransport::Rtsp)
            .await
            .unwrap();
        media.snapshot(token).await.unwrap();
    }
    target.stop().await;
}
