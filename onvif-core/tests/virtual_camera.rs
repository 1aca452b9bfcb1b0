//! The client against a camera in software, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures::StreamExt;
use onvif_core::discovery::{Discovery, DiscoveryOptions};
use onvif_core::events::{EventItem, EventOptions, Filter};
use onvif_core::media::StreamTransport;
use onvif_core::{Camera, Credentials, Error, ErrorKind, Service};
use virtual_camera::{AuthScheme, Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);

async fn start(auth: AuthScheme, quirks: Quirks) -> VirtualCamera {
    VirtualCamera::builder()
        .credentials("admin", "s&cr<t@#?%")
        .auth(auth)
        .quirks(quirks)
        .start()
        .await
        .unwrap()
}

async fn connect(target: &VirtualCamera) -> Camera {
    Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "s&cr<t@#?%"))
        .connect()
        .await
        .unwrap()
}

async fn use_everything(target: &VirtualCamera) {
    let camera = connect(target).await;
    let information = camera.device().information().await.unwrap();
    assert!(information.manufacturer.is_some());
    for service in [
        Service::Device,
        Service::Media,
        Service::Media2,
        Service::Events,
        Service::Ptz,
    ] {
        assert!(camera.services().has(service), "{service}");
    }
    let profiles = camera.media().profiles().await.unwrap();
    let profile = &profiles[0];
    assert!(profile.video_encoder.as_ref().unwrap().resolution.is_some());
    let stream = camera
        .media()
        .stream_uri(&profile.token, StreamTransport::Rtsp)
        .await
        .unwrap();
    assert_eq!(
        (stream.scheme(), stream.username(), stream.host_str()),
        ("rtsp", "", Some("127.0.0.1"))
    );
    let snapshot = camera.media().snapshot(&profile.token).await.unwrap();
    assert_eq!(snapshot.content_type, "image/jpeg");
    assert_eq!(target.observed().authentication_failures, 0);
}

#[tokio::test]
async fn every_kind_of_authentication_is_answered() {
    for auth in [
        AuthScheme::Digest,
        AuthScheme::UsernameToken,
        AuthScheme::Either,
        AuthScheme::Both,
    ] {
        let target = start(auth, Quirks::default()).await;
        use_everything(&target).await;
        target.stop().await;
    }
}

#[tokio::test]
async fn wrong_credentials_are_one_clear_error_and_no_storm() {
    let target = start(AuthScheme::Either, Quirks::default()).await;
    let camera = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "wrong"))
        .connect()
        .await
        .unwrap();
    let error = camera.device().information().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(
        error.to_string().contains("admin") && !error.to_string().contains("wrong"),
        "{error}"
    );
    let failures = target.observed().authentication_failures;
    assert!(failures <= 2, "{failures}");
    for _ in 0..20 {
        let error = camera.device().information().await.unwrap_err();
        assert!(
            matches!(error, Error::AuthenticationPaused { .. }),
            "{error}"
        );
        assert!(camera.media().profiles().await.is_err());
    }
    assert_eq!(target.observed().authentication_failures, failures);
    target.stop().await;
}

#[tokio::test]
async fn quirks_do_not_matter() {
    let quirks = [
        Quirks {
            clock_offset: -86_400 * 365,
            ..Quirks::default()
        },
        Quirks {
            clock_offset: 7_200,
            ..Quirks::default()
        },
        Quirks {
            fault_http_200: true,
            ..Quirks::default()
        },
        Quirks {
            undeclared_prefix: true,
            ..Quirks::default()
        },
        Quirks {
            text_padding: true,
            ..Quirks::default()
        },
        Quirks {
            advertised_host: Some("10.99.99.99".into()),
            ..Quirks::default()
        },
        Quirks {
            no_get_services: true,
            datetime_requires_auth: true,
            ..Quirks::default()
        },
    ];
    for quirks in quirks {
        let target = start(AuthScheme::UsernameToken, quirks.clone()).await;
        let camera = connect(&target).await;
        assert!(camera.device().information().await.is_ok(), "{quirks:?}");
        assert!(
            !camera.media().profiles().await.unwrap().is_empty(),
            "{quirks:?}"
        );
        let motion = motion_event(&target, &camera).await;
        assert_eq!(motion.as_deref(), Some("true"), "{quirks:?}");
        target.stop().await;
    }
}

async fn motion_event(target: &VirtualCamera, camera: &Camera) -> Option<String> {
    let mut events = camera
        .events()
        .subscribe(Filter::topic("tns1:VideoSource/MotionAlarm"));
    let mut raised = false;
    let wait = async {
        while let Some(item) = events.next().await {
            let EventItem::Notification(notification) = item.unwrap() else {
                continue;
            };
            assert_eq!(notification.topic, "tns1:VideoSource/MotionAlarm");
            if !raised {
                raised = true;
                target.set_motion(true);
            } else if let Some(state) = notification
                .data
                .get("State")
                .filter(|state| *state == "true")
            {
                return Some(state.to_owned());
            }
        }
        None
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap()
}

#[tokio::test]
async fn events_arrive_and_dropping_the_stream_unsubscribes() {
    let target = start(
        AuthScheme::Digest,
        Quirks {
            require_init_term: true,
            ..Quirks::default()
        },
    )
    .await;
    let camera = connect(&target).await;
    let properties = camera.events().properties().await.unwrap();
    let motion = properties
        .topic_set
        .get("tns1:VideoSource/MotionAlarm")
        .unwrap();
    assert_eq!(motion.is_property, Some(true));
    assert_eq!(
        motion_event(&target, &camera).await.as_deref(),
        Some("true")
    );
    let gone = async {
        while target.observed().subscriptions > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.unwrap();
    target.stop().await;
}

#[tokio::test]
async fn a_reboot_of_the_camera_is_a_gap_and_events_go_on() {
    let target = start(AuthScheme::Digest, Quirks::default()).await;
    let camera = connect(&target).await;
    let mut options = EventOptions::default();
    options.pull_timeout = Duration::from_secs(1);
    let mut events = camera.events().subscribe_with(Filter::all(), options);
    let first = tokio::time::timeout(DEADLINE, events.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(matches!(first, EventItem::Notification(_)));
    target.reboot();
    let gap = async {
        loop {
            if let EventItem::Gap { since } = events.next().await.unwrap().unwrap() {
                return since;
            }
        }
    };
    assert!(tokio::time::timeout(DEADLINE, gap).await.unwrap().is_some());
    let after = tokio::time::timeout(DEADLINE, events.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(matches!(after, EventItem::Notification(_)));
    drop(events);
    target.stop().await;
}

#[tokio::test]
async fn a_camera_without_a_snapshot_says_so() {
    let target = start(
        AuthScheme::Digest,
        Quirks {
            snapshot_404: true,
            ..Quirks::default()
        },
    )
    .await;
    let camera = connect(&target).await;
    let profile = camera.media().profiles().await.unwrap().remove(0).token;
    let error = camera.media().snapshot(&profile).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misbehaved, "{error}");
    target.stop().await;
}

#[tokio::test]
async fn discovery_finds_the_camera_once() {
    let target = VirtualCamera::builder()
        .name("Front Door")
        .discovery(virtual_camera::Discovery::Unicast(0))
        .start()
        .await
        .unwrap();
    let mut options = DiscoveryOptions::default();
    options.multicast = false;
    options.duration = Duration::from_secs(2);
    let found: Vec<_> = Discovery::new(options)
        .probe_address(target.discovery_address().unwrap())
        .start()
        .await
        .unwrap()
        .collect()
        .await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].xaddrs[0].as_str(), target.device_url().as_str());
    assert!(found[0].endpoint_reference.starts_with("urn:uuid:"));
    target.stop().await;
}
