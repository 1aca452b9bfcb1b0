//! Cameras that deviate in clock, authentication, addresses and HTTP, one switch at a time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures::StreamExt;
use onvif_core::device::SystemReboot;
use onvif_core::events::{EventItem, Filter};
use onvif_core::media::{PictureProblem, StreamTransport};
use onvif_core::{
    AuthenticationPolicy, Camera, CameraBuilder, Credentials, Error, ErrorKind, Service, UriPolicy,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// C17.
#[tokio::test]
async fn addresses_with_white_space_and_bare_ampersands_are_repaired() {
    let quirks = Quirks {
        text_padding: true,
        uri_raw_amp: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
    let uri = camera.media().snapshot_uri(&"main".into()).await.unwrap();
    assert_eq!(uri.query(), Some("channel=1&subtype=0"));
}

/// C18, D-Link.
#[tokio::test]
async fn addresses_without_brackets_and_with_two_ports_are_repaired() {
    for (uri_bad_ipv6, double_port) in [(true, false), (false, true)] {
        let quirks = Quirks {
            uri_bad_ipv6,
            double_port,
            ..Quirks::default()
        };
        let target = start(AuthScheme::Either, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0);
    }
}

/// C19, Yi and Dafang, and any camera behind NAT.
#[tokio::test]
async fn addresses_of_another_network_lead_to_the_configured_one() {
    let quirks = Quirks {
        advertised_host: Some("10.99.99.99".into()),
        advertised_port: Some(81),
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target)
        .uri_policy(UriPolicy::RewriteHostAndPort)
        .connect()
        .await
        .unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
    see_an_event(&camera, &target).await;
}

/// C20, port forwarding: nothing listens on the ports that the camera names.
#[tokio::test]
async fn a_port_where_nobody_listens_is_left_for_that_of_the_device() {
    let closed = closed_port().await;
    for quirks in [
        Quirks {
            subscription_port: Some(closed),
            ..Quirks::default()
        },
        Quirks {
            advertised_port: Some(closed),
            ..Quirks::default()
        },
    ] {
        let target = start(AuthScheme::Digest, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0);
        see_an_event(&camera, &target).await;
    }
}

/// C20, where something else listens on that port.
#[tokio::test]
async fn a_port_where_a_web_server_listens_is_left_for_that_of_the_device() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 16_384];
            let _ = stream.read(&mut buffer).await;
            heard.send(()).unwrap();
            let page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>";
            let _ = stream.write_all(page).await;
        }
    });
    let quirks = Quirks {
        subscription_port: Some(port),
        ..Quirks::default()
    };
    let target = start(AuthScheme::UsernameToken, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    see_an_event(&camera, &target).await;
    see_an_event(&camera, &target).await;
    assert!(hears.recv().await.is_some());
    assert!(hears.try_recv().is_err(), "it is remembered");
}

async fn closed_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// C21, Tapo.
#[tokio::test]
async fn one_address_for_all_services_is_enough() {
    let quirks = Quirks {
        single_endpoint: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    for service in [Service::Media, Service::Ptz, Service::Events] {
        let address = camera.services().get(service).unwrap();
        assert_eq!(address.path(), "/onvif/service");
    }
    assert_eq!(use_services(&camera, &target).await, 0);
    see_an_event(&camera, &target).await;
}

/// C22, Axis and Panasonic.
#[tokio::test]
async fn services_are_found_without_get_services_and_without_their_capabilities() {
    let quirks = Quirks {
        no_get_services: true,
        no_service_capabilities: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    for service in [Service::Media, Service::Ptz, Service::Events] {
        assert!(camera.services().has(service), "{service}");
    }
    assert_eq!(use_services(&camera, &target).await, 0);
}

/// C38, Thingino.
#[tokio::test]
async fn connections_closed_in_silence_cost_reads_a_retry_and_are_then_not_used_again() {
    let quirks = Quirks {
        silent_close: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
    let before = target.observed().connections;
    for _ in 0..5 {
        // A write, which could not be repeated.
        camera.call(&SystemReboot {}).await.unwrap();
    }
    let observed = target.observed();
    assert_eq!(observed.connections - before, 5);
    assert_eq!(observed.count("SystemReboot"), 5);
}

/// C39, Bosch.
#[tokio::test]
async fn requests_come_in_one_piece_without_expect_and_chunks() {
    for https in [None, Some(Certificate::SelfSigned)] {
        let mut builder = VirtualCamera::builder()
            .credentials("admin", "secret")
            .quirks(Quirks {
                no_expect: true,
                no_chunked: true,
                split_write_fails: true,
                ..Quirks::default()
            });
        if let Some(certificate) = https {
            builder = builder.https(certificate);
        }
        let target = builder.start().await.unwrap();
        let roots = target.certificate_pem().unwrap_or_default();
        let camera = client(&target).extra_roots(roots).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0);
        see_an_event(&camera, &target).await;
    }
}

/// C40.
#[tokio::test]
async fn answers_are_read_for_what_they_hold() {
    for junk in [
        HttpJunk::NulForSpaces,
        HttpJunk::LongContentLength,
        HttpJunk::ReplyWith500,
        HttpJunk::Html401,
    ] {
        for auth in SCHEMES {
            let quirks = Quirks {
                http_junk: Some(junk),
                ..Quirks::default()
            };
            let target = start(auth, quirks).await;
            let camera = client(&target).connect().await.unwrap();
            assert_eq!(use_services(&camera, &target).await, 0, "{junk:?} {auth:?}");
        }
    }
    let quirks = Quirks {
        fault_http_200: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::UsernameToken, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
}

/// C40.
#[tokio::test]
async fn an_answer_that_was_cut_off_is_the_fault_of_the_camera() {
    let quirks = Quirks {
        http_junk: Some(HttpJunk::ShortContentLength),
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    let error = camera.device().scopes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misbehaved, "{error}");
}

/// C46, Xiongmai.
#[tokio::test]
async fn a_camera_without_snapshots_says_that_the_stream_has_to_do() {
    for (fault, expected) in [
        (SnapshotFault::Rtsp, None),
        (SnapshotFault::Empty, None),
        (SnapshotFault::Fault, None),
        (SnapshotFault::Truncated, Some(PictureProblem::Truncated)),
        (
            SnapshotFault::Html,
            Some(PictureProblem::NoImage {
                length: 78,
                claimed: "text/html".into(),
            }),
        ),
    ] {
        let quirks = Quirks {
            snapshot: Some(fault),
            ..Quirks::default()
        };
        let target = start(AuthScheme::Either, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        let error = camera.media().snapshot(&"main".into()).await.unwrap_err();
        assert!(error.needs_stream(), "{fault:?}: {error}");
        match (error, expected) {
            (Error::NotAPicture { reason, .. }, Some(expected)) => assert_eq!(reason, expected),
            (error, None) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
            (error, Some(_)) => panic!("{fault:?}: {error}"),
        }
    }
    let quirks = Quirks {
        snapshot_404: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    let error = camera.media().snapshot(&"main".into()).await.unwrap_err();
    let not_found = PictureProblem::Status(404);
    assert!(matches!(error, Error::NotAPicture { reason, .. } if reason == not_found));
}

/// C47, Hikvision, Yi and Thingino.
#[tokio::test]
async fn snapshots_are_asked_for_in_their_own_way() {
    for (scheme, policy) in [
        (SnapshotAuth::Query, AuthenticationPolicy::Ladder),
        (SnapshotAuth::Open, AuthenticationPolicy::Ladder),
        (SnapshotAuth::Basic, AuthenticationPolicy::LadderWithBasic),
    ] {
        for auth in SCHEMES {
            let quirks = Quirks {
                snapshot_auth: scheme,
                ..Quirks::default()
            };
            let target = start(auth, quirks).await;
            let camera = client(&target).authentication(policy).connect().await;
            let camera = camera.unwrap();
            assert_eq!(
                use_services(&camera, &target).await,
                0,
                "{scheme:?} {auth:?}"
            );
            camera.media().snapshot(&"sub".into()).await.unwrap();
        }
    }
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

/// C60.
#[tokio::test]
async fn no_camera_sees_more_than_two_connections() {
    let quirks = Quirks {
        max_connections: Some(2),
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    let _events = camera.events().subscribe(Filter::all());
    let calls = (0..20).map(|_| async {
        camera.device().scopes().await.unwrap();
        camera.media().profiles().await.unwrap();
        camera.media().snapshot(&"main".into()).await.unwrap();
    });
    futures::future::join_all(calls).await;
    assert_eq!(target.observed().connections_refused, 0);
}

/// C60.
#[tokio::test]
async fn a_camera_that_takes_one_request_at_a_time_gets_one() {
    let quirks = Quirks {
        max_connections: Some(1),
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).one_at_a_time().connect().await.unwrap();
    let device = camera.device();
    let calls = (0..10).map(|_| device.scopes());
    for reply in futures::future::join_all(calls).await {
        reply.unwrap();
    }
    assert_eq!(target.observed().connections_refused, 0);
}

/// C60.
#[tokio::test]
async fn a_camera_that_cannot_stand_many_requests_is_asked_slowly() {
    let quirks = Quirks {
        crash_above_rps: Some(10),
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target)
        .min_spacing(Duration::from_millis(110))
        .connect()
        .await
        .unwrap();
    let device = camera.device();
    let calls = (0..12).map(|_| device.scopes());
    for reply in futures::future::join_all(calls).await {
        reply.unwrap();
    }
}

#[tokio::test]
async fn a_request_in_words_of_the_caller_has_the_same_guards() {
    for auth in SCHEMES {
        let target = start(auth, Quirks::default()).await;
        let camera = client(&target).connect().await.unwrap();
        let action = "http://www.onvif.org/ver10/device/wsdl/GetNTP";
        let reply = camera
            .call_raw(Service::Device, action, "<tds:GetNTP/>")
            .await
            .unwrap();
        assert!(reply.contains("GetNTPResponse"), "{reply}");
        assert_eq!(target.observed().authentication_failures, 0);
    }
}
