//! Connections, requests and answers.

use super::*;

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
