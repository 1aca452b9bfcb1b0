//! Cameras that deviate in clock, authentication, addresses and HTTP, one switch at a time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod addresses;
mod http;

use std::time::Duration;

use futures::StreamExt;
use onvif_core::device::SystemReboot;
use onvif_core::events::{EventItem, Filter};
use onvif_core::media::{PictureProblem, StreamTransport};
use onvif_core::{
    AuthenticationPolicy, Camera, CameraBuilder, Credentials, Error, ErrorKind, Service,
};
use tokio::time::timeout;
use virtual_camera::{
    AuthScheme, Certificate, DigestAlgorithm, HttpJunk, Quirks, SnapshotAuth, SnapshotFault,
    VirtualCamera, WssePrefix,
};

const DEADLINE: Duration = Duration::from_secs(20);
const SCHEMES: [AuthScheme; 4] = [
    AuthScheme::Digest,
    AuthScheme::UsernameToken,
    AuthScheme::Either,
    AuthScheme::Both,
];

async fn start(auth: AuthScheme, quirks: Quirks) -> VirtualCamera {
    VirtualCamera::builder()
        .credentials("admin", "secret")
        .auth(auth)
        .quirks(quirks)
        .start()
        .await
        .unwrap()
}

fn client(target: &VirtualCamera) -> CameraBuilder {
    Camera::builder(target.device_url()).credentials(Credentials::new("admin", "secret"))
}

/// Uses each service, and says what the camera refused meanwhile.
async fn use_services(camera: &Camera, target: &VirtualCamera) -> u64 {
    let device = camera.device();
    assert!(device.information().await.unwrap().manufacturer.is_some());
    assert!(!device.scopes().await.unwrap().is_empty());
    let profiles = camera.media().profiles().await.unwrap();
    let token = &profiles[0].token;
    let media = camera.media();
    let stream = media
        .stream_uri(token, StreamTransport::Rtsp)
        .await
        .unwrap();
    assert_eq!(stream.host_str(), Some("127.0.0.1"), "{stream}");
    assert_eq!(stream.port(), target.stream_url(0).port(), "{stream}");
    let snapshot = camera.media().snapshot(token).await.unwrap();
    assert_eq!(snapshot.content_type, "image/jpeg");
    target.observed().authentication_failures
}

async fn see_an_event(camera: &Camera, target: &VirtualCamera) {
    let mut events = camera.events().subscribe(Filter::all());
    let seen = timeout(DEADLINE, async {
        // What the camera reports when the subscription begins.
        while let Some(item) = events.next().await {
            if matches!(item.unwrap(), EventItem::Notification(_)) {
                return;
            }
        }
        panic!("the stream of events ended");
    });
    seen.await.unwrap();
    assert!(target.observed().subscriptions > 0);
}

/// C01, Axis and Dahua.
#[tokio::test]
async fn a_clock_that_is_years_off_does_not_make_tokens_bad() {
    let quirks = Quirks {
        clock_offset: -86_400 * 3_000,
        max_skew: Some(5),
        ..Quirks::default()
    };
    let target = start(AuthScheme::UsernameToken, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert!(!camera.device().scopes().await.unwrap().is_empty());
    assert_eq!(target.observed().authentication_failures, 0);
    let offset = camera.clock_offset_ms().unwrap();
    assert!((offset + 86_400_000 * 3_000).abs() < 5_000, "{offset}");
}

/// C01, after a restart of the camera.
#[tokio::test]
async fn a_clock_that_jumps_is_measured_again_after_one_refusal() {
    let quirks = Quirks {
        max_skew: Some(5),
        ..Quirks::default()
    };
    let target = start(AuthScheme::UsernameToken, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    camera.device().information().await.unwrap();
    target.set_clock_offset(-86_400 * 10_000);
    camera.device().information().await.unwrap();
    assert_eq!(target.observed().authentication_failures, 1);
    // A service that was never called before profits as well.
    target.set_clock_offset(3_600);
    camera.media().profiles().await.unwrap();
    assert_eq!(target.observed().authentication_failures, 2);
}

/// C02, Hikvision.
#[tokio::test]
async fn a_clock_behind_authentication_is_read_with_it_whatever_the_fault_says() {
    for auth in SCHEMES {
        let quirks = Quirks {
            datetime_requires_auth: true,
            fault_text: Some("Unauthorized".into()),
            ..Quirks::default()
        };
        let target = start(auth, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        assert!(camera.clock_offset_ms().is_some(), "{auth:?}");
        assert_eq!(use_services(&camera, &target).await, 0, "{auth:?}");
    }
}

/// C01 and C02 at once.
#[tokio::test]
async fn a_wrong_clock_behind_authentication_is_told_by_the_date_of_the_refusal() {
    let quirks = Quirks {
        datetime_requires_auth: true,
        clock_offset: -86_400 * 3_000,
        max_skew: Some(5),
        ..Quirks::default()
    };
    let target = start(AuthScheme::UsernameToken, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 1);
}

/// C03, EZVIZ.
#[tokio::test]
async fn local_time_shown_as_utc_is_what_tokens_are_made_with() {
    for (utc_is_local, dst_bug) in [(7_200, false), (0, true), (-18_000, true)] {
        let quirks = Quirks {
            utc_is_local,
            dst_bug,
            max_skew: Some(5),
            ..Quirks::default()
        };
        let target = start(AuthScheme::Both, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0);
    }
}

/// C05, Amcrest; C06, Hikvision.
#[tokio::test]
async fn tokens_have_a_short_nonce_and_a_created_in_utc() {
    let quirks = Quirks {
        reject_offset_tz: true,
        max_nonce_len: Some(16),
        ..Quirks::default()
    };
    let target = start(AuthScheme::UsernameToken, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
}

/// C07, ESP32.
#[tokio::test]
async fn a_required_prefix_is_found_out_once_and_remembered() {
    for auth in [AuthScheme::UsernameToken, AuthScheme::Both] {
        let quirks = Quirks {
            wsse_prefix: Some(WssePrefix::Require),
            ..Quirks::default()
        };
        let target = start(auth, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0, "{auth:?}");
        // The device service was asked for something else before.
        assert_eq!(target.observed().count("GetScopes"), 1, "{auth:?}");
    }
}

/// C07, Bosch and Hanwha.
#[tokio::test]
async fn a_refused_prefix_is_not_sent() {
    let quirks = Quirks {
        wsse_prefix: Some(WssePrefix::Reject),
        ..Quirks::default()
    };
    let target = start(AuthScheme::UsernameToken, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
}

/// C08, Hikvision and old Axis.
#[tokio::test]
async fn what_worked_for_a_service_is_used_at_once_the_next_time() {
    for auth in SCHEMES {
        let target = start(auth, Quirks::default()).await;
        let camera = client(&target).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0, "{auth:?}");
        let before = target.observed();
        for _ in 0..5 {
            camera.device().scopes().await.unwrap();
            camera.media().profiles().await.unwrap();
        }
        let after = target.observed();
        for operation in ["GetScopes", "GetProfiles"] {
            let asked = after.count(operation) - before.count(operation);
            assert_eq!(asked, 5, "{operation} with {auth:?}");
        }
    }
}

/// C09, Hikvision.
#[tokio::test]
async fn every_algorithm_of_digest_is_answered_with_and_without_qop() {
    use DigestAlgorithm::{Md5, Md5Sess, Sha256, Sha256Sess, Sha512_256};
    for (algorithms, no_qop) in [
        (vec![Sha256], true),
        (vec![Md5], true),
        (vec![Sha256], false),
        (vec![Md5Sess], false),
        (vec![Sha256Sess], false),
        (vec![Sha512_256], false),
        (vec![Sha512_256], true),
        (vec![Md5, Sha256, Sha512_256], false),
    ] {
        let quirks = Quirks {
            digest_algorithms: algorithms.clone(),
            no_qop,
            ..Quirks::default()
        };
        let target = start(AuthScheme::Digest, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0, "{algorithms:?}");
    }
}

/// C09.
#[tokio::test]
async fn the_next_nonce_of_an_answer_saves_a_refused_request() {
    let quirks = Quirks {
        next_nonce: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Digest, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
    let before = target.observed().count("GetScopes");
    for _ in 0..5 {
        camera.device().scopes().await.unwrap();
    }
    assert_eq!(target.observed().count("GetScopes") - before, 5);
}

/// C10, Dahua and IMOU.
#[tokio::test]
async fn a_broken_sha_256_is_left_for_md5_once() {
    let quirks = Quirks {
        sha256_broken: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Digest, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    let failures = use_services(&camera, &target).await;
    // Once for each of Device, Media and the snapshot.
    assert!((1..=4).contains(&failures), "{failures}");
    for _ in 0..5 {
        camera.device().scopes().await.unwrap();
    }
    assert_eq!(target.observed().authentication_failures, failures);
}

/// C11, Tapo.
#[tokio::test]
async fn requests_have_the_conventional_prefixes() {
    let quirks = Quirks {
        require_prefixes: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
    see_an_event(&camera, &target).await;
}

/// C47.
#[tokio::test]
async fn basic_is_not_sent_without_tls_unless_the_user_wants_it() {
    let builder = VirtualCamera::builder()
        .credentials("admin", "secret")
        .quirks(Quirks {
            snapshot_auth: SnapshotAuth::Basic,
            ..Quirks::default()
        });
    let plain = builder.clone().start().await.unwrap();
    let camera = client(&plain).connect().await.unwrap();
    let error = camera.media().snapshot(&"main".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert_eq!(plain.observed().authentication_failures, 0);

    let tls = builder
        .https(Certificate::SelfSigned)
        .start()
        .await
        .unwrap();
    let roots = tls.certificate_pem().unwrap();
    let camera = client(&tls).extra_roots(roots).connect().await.unwrap();
    assert_eq!(use_services(&camera, &tls).await, 0);
}

/// C59.
#[tokio::test]
async fn any_character_is_good_for_a_password() {
    for password in ["p@ss:w#?%0X", "%41&<\"'>\\ ^", "päßwörd🔑", ""] {
        for auth in SCHEMES {
            for snapshot_auth in [
                SnapshotAuth::Digest,
                SnapshotAuth::Basic,
                SnapshotAuth::Query,
            ] {
                let quirks = Quirks {
                    snapshot_auth,
                    ..Quirks::default()
                };
                let builder = VirtualCamera::builder().auth(auth).quirks(quirks);
                let target = builder.credentials("admin", password).start().await;
                let target = target.unwrap();
                let camera = Camera::builder(target.device_url())
                    .credentials(Credentials::new("admin", password))
                    .authentication(AuthenticationPolicy::LadderWithBasic)
                    .connect()
                    .await
                    .unwrap();
                let failures = use_services(&camera, &target).await;
                assert_eq!(failures, 0, "{password} {auth:?} {snapshot_auth:?}");
            }
        }
    }
}
