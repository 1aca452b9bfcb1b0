//! Pictures over HTTP: of the virtual camera, and of servers that do what it cannot.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{StreamExt as _, future};
use media_pipeline::{
    AuthBudget, Cap, CaptureMethod, Codec, Credentials, Error, ErrorKind, FailureBudget,
    HttpOptions, HttpSource, Hub, HubItem, HubOptions, HubStatus, Rate, RtspOptions, RtspSource,
    SnapshotOptions, Source as _, TlsPolicy, check_jpeg,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use virtual_camera::{
    Certificate, DigestAlgorithm, MjpegForm, Quirks, SnapshotAuth, SnapshotFault, VirtualCamera,
};

const SOON: Duration = Duration::from_secs(20);

async fn camera(quirks: Quirks) -> VirtualCamera {
    let builder = VirtualCamera::builder().credentials("admin", "p@ss:w#?%");
    builder.quirks(quirks).start().await.unwrap()
}

fn options(url: &impl ToString) -> HttpOptions {
    let mut options = HttpOptions::new(url.to_string().parse().unwrap());
    options.credentials = Some(Credentials::new("admin", "p@ss:w#?%"));
    options
}

fn source(camera: &VirtualCamera) -> HttpSource {
    HttpSource::new(options(&camera.snapshot_url())).unwrap()
}

#[tokio::test]
async fn a_snapshot_passes_untouched_through_each_kind_of_digest() {
    for algorithms in [
        vec![DigestAlgorithm::Md5],
        vec![DigestAlgorithm::Sha256],
        vec![],
    ] {
        for (no_qop, next_nonce) in [(false, false), (true, false), (false, true)] {
            let camera = camera(Quirks {
                digest_algorithms: algorithms.clone(),
                no_qop,
                next_nonce,
                ..Quirks::default()
            })
            .await;
            let source = source(&camera);
            let snapshot = source.snapshot().await.unwrap();
            let size = check_jpeg(&snapshot.data).unwrap();
            assert_eq!(size, (snapshot.width, snapshot.height));
            let again = source.snapshot().await.unwrap();
            assert!(again.pts > snapshot.pts && again.data == snapshot.data);
            let observed = camera.observed();
            assert_eq!(
                (observed.snapshots, observed.authentication_failures),
                (2, 0)
            );
        }
    }
}

#[tokio::test]
async fn credentials_are_asked_for_once_and_one_connection_is_used_again() {
    let camera = camera(Quirks::default()).await;
    let source = source(&camera);
    for _ in 0..5 {
        source.snapshot().await.unwrap();
    }
    let requests = camera.requests();
    assert_eq!(requests.len(), 6, "a challenge, and five pictures");
    assert!(
        requests
            .iter()
            .all(|request| request.peer == requests[0].peer)
    );
}

#[tokio::test]
async fn a_camera_that_closes_idle_connections_in_silence_is_asked_on_a_new_one() {
    let camera = camera(Quirks {
        silent_close: true,
        ..Quirks::default()
    })
    .await;
    let source = source(&camera);
    for _ in 0..3 {
        source.snapshot().await.unwrap();
    }
}

#[tokio::test]
async fn sha_256_that_does_not_work_is_left_for_md5() {
    let camera = camera(Quirks {
        sha256_broken: true,
        ..Quirks::default()
    })
    .await;
    assert!(source(&camera).snapshot().await.is_ok());
}

#[tokio::test]
async fn snapshots_are_asked_for_in_the_way_of_the_camera() {
    let quirks = |snapshot_auth| Quirks {
        snapshot_auth,
        ..Quirks::default()
    };
    let camera = camera(quirks(SnapshotAuth::Basic)).await;
    let error = source(&camera).snapshot().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(camera.observed().requests_with_credentials, 0);
    let mut permitted = options(&camera.snapshot_url());
    permitted.allow_basic = true;
    let permitted = HttpSource::new(permitted).unwrap();
    permitted.snapshot().await.unwrap();
    assert_eq!(camera.observed().requests_with_credentials, 1);

    camera.set_quirks(quirks(SnapshotAuth::Open));
    source(&camera).snapshot().await.unwrap();

    // Those in the query go alone, and are not shown.
    camera.set_quirks(quirks(SnapshotAuth::Query));
    let mut url = camera.snapshot_url();
    url.query_pairs_mut()
        .append_pair("user", "admin")
        .append_pair("password", "p@ss:w#?%");
    let in_query = HttpSource::new(options(&url)).unwrap();
    in_query.snapshot().await.unwrap();
    let shown = format!("{in_query:?} {}", in_query.label());
    assert!(
        !shown.contains("p%40ss") && shown.contains("***"),
        "{shown}"
    );
    // Where they are not wanted, they are left out for those in the header.
    camera.set_quirks(quirks(SnapshotAuth::Digest));
    let in_query = HttpSource::new(options(&url)).unwrap();
    in_query.snapshot().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_for_all_that_share_the_budget() {
    let camera = camera(Quirks::default()).await;
    let budget: Arc<dyn AuthBudget> = Arc::new(FailureBudget::default());
    let mut wrong = options(&camera.snapshot_url());
    wrong.credentials = Some(Credentials::new("admin", "wrong"));
    wrong.budget = Some(budget.clone());
    let source = HttpSource::new(wrong).unwrap();
    let error = source.snapshot().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    let tried = camera.observed().authentication_failures;
    let mut rtsp = RtspOptions::new(camera.stream_url(0).as_str().parse().unwrap());
    rtsp.credentials = Some(Credentials::new("admin", "wrong"));
    rtsp.budget = Some(budget);
    let Err(error) = RtspSource::new(rtsp).unwrap().connect().await else {
        panic!("the budget is used up")
    };
    assert!(matches!(error, Error::HeldBack { .. }), "{error}");
    // MD5 is tried where SHA-256 is refused.
    assert_eq!((tried, camera.observed().authentication_failures), (2, 2));
}

#[tokio::test]
async fn what_is_no_picture_is_an_error_that_says_so() {
    let camera = camera(Quirks::default()).await;
    for (quirks, kind) in [
        (
            Quirks {
                snapshot_404: true,
                ..Quirks::default()
            },
            ErrorKind::Refused,
        ),
        (
            Quirks {
                snapshot: Some(SnapshotFault::Html),
                ..Quirks::default()
            },
            ErrorKind::Misbehaved,
        ),
        (
            Quirks {
                snapshot: Some(SnapshotFault::Truncated),
                ..Quirks::default()
            },
            ErrorKind::Misbehaved,
        ),
    ] {
        camera.set_quirks(quirks);
        let error = source(&camera).snapshot().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn certificates_are_checked_as_the_policy_says() {
    let builder = VirtualCamera::builder().credentials("admin", "p@ss:w#?%");
    let builder = builder.quirks(Quirks {
        snapshot_auth: SnapshotAuth::Basic,
        ..Quirks::default()
    });
    let camera = builder
        .https(Certificate::SelfSigned)
        .start()
        .await
        .unwrap();
    assert_eq!(camera.snapshot_url().scheme(), "https");
    let error = source(&camera).snapshot().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("nobody trusted"), "{error}: {cause}");

    let mut url = camera.snapshot_url();
    url.set_host(Some("localhost")).unwrap();
    let mut trusting = options(&url);
    trusting.tls.extra_roots = camera.certificate_pem().unwrap().into();
    // Basic is good enough where the certificate proves whose it is.
    HttpSource::new(trusting).unwrap().snapshot().await.unwrap();

    let mut other = options(&camera.snapshot_url());
    other.tls.policy = TlsPolicy::Pinned(media_pipeline::SpkiPin::new([7; 32]));
    let error = HttpSource::new(other)
        .unwrap()
        .snapshot()
        .await
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    let pin = cause.split_whitespace().last().unwrap().parse().unwrap();
    let mut pinned = options(&camera.snapshot_url());
    pinned.tls.policy = TlsPolicy::Pinned(pin);
    HttpSource::new(pinned).unwrap().snapshot().await.unwrap();

    let mut blind = options(&camera.snapshot_url());
    blind.tls.policy = TlsPolicy::AcceptInvalidCertificates;
    let error = HttpSource::new(blind.clone()).unwrap().snapshot().await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unauthorized);
    blind.allow_basic = true;
    HttpSource::new(blind).unwrap().snapshot().await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_host_alone() {
    let to = camera(Quirks::default()).await;
    let from = camera(Quirks::default()).await;
    let redirected = |status, origin: String| Quirks {
        redirect: Some((status, origin)),
        ..Quirks::default()
    };
    let mut elsewhere = to.snapshot_url();
    elsewhere.set_host(Some("127.0.0.2")).unwrap();
    let twin = TcpListener::bind(("127.0.0.2", 0)).await.unwrap();
    let twin = twin.local_addr().unwrap();
    for origin in [
        format!("http://{twin}"),
        // Another port of an address may be another camera.
        to.snapshot_url().origin().ascii_serialization(),
        "ftp://127.0.0.1".into(),
        "http://127.0.0.1:1@127.0.0.2".into(),
    ] {
        for status in [301, 302, 303, 307, 308] {
            from.set_quirks(redirected(status, origin.clone()));
            let error = source(&from).snapshot().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        }
    }
    assert_eq!(to.observed().snapshots, 0);
    let own = from.snapshot_url().origin().ascii_serialization();
    from.set_quirks(redirected(302, own));
    let error = source(&from).snapshot().await.unwrap_err();
    assert!(error.to_string().contains("without end"), "{error}");
}

#[tokio::test]
async fn a_busy_camera_is_left_alone_as_long_as_it_asks_for() {
    let camera = camera(Quirks {
        snapshot_busy_s: Some(1),
        ..Quirks::default()
    })
    .await;
    let source = source(&camera);
    let error = source.snapshot().await.unwrap_err();
    assert!(
        error.is_transient() && error.to_string().contains("503"),
        "{error}"
    );
    camera.set_quirks(Quirks::default());
    let began = Instant::now();
    source.snapshot().await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(900));
    // The request that was refused, the challenge and the picture.
    assert_eq!(camera.requests().len(), 3);
}

#[tokio::test]
async fn consumers_share_requests_and_there_is_never_more_than_one() {
    let camera = camera(Quirks {
        answer_delay_ms: Some(100),
        ..Quirks::default()
    })
    .await;
    let hub_options = HubOptions {
        snapshot_uri: Some(source(&camera)),
        ..HubOptions::default()
    };
    let hub = Hub::new(Arc::new(source(&camera)), hub_options);
    let options = SnapshotOptions {
        capture: CaptureMethod::SnapshotUri,
        ..SnapshotOptions::default()
    };
    let all = (0..10).map(|_| hub.snapshot(&options));
    for snapshot in timeout(SOON, future::join_all(all)).await.unwrap() {
        snapshot.unwrap();
    }
    assert_eq!(camera.observed().snapshots, 1);
    assert!(matches!(hub.status(), HubStatus::Idle));
}

#[tokio::test]
async fn a_session_asks_once_in_each_period() {
    let camera = camera(Quirks::default()).await;
    let mut options = options(&camera.snapshot_url());
    options.period = Duration::from_millis(300);
    let source = HttpSource::new(options).unwrap();
    let mut session = source.connect().await.unwrap();
    let began = Instant::now();
    for number in 0..4 {
        let unit = timeout(SOON, session.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(unit.codec == Codec::Jpeg && unit.random_access);
        assert!(unit.parameters.unwrap().video().unwrap().width > 0);
        assert_eq!(camera.observed().snapshots, number + 1);
    }
    assert!(began.elapsed() > Duration::from_millis(890));
}

/// A hub over the stream of a camera, with its snapshot URI beside it.
fn both(camera: &VirtualCamera) -> Hub {
    let mut rtsp = RtspOptions::new(camera.stream_url(0).as_str().parse().unwrap());
    rtsp.credentials = Some(Credentials::new("admin", "p@ss:w#?%"));
    let options = HubOptions {
        snapshot_uri: Some(source(camera)),
        linger: Duration::ZERO,
        ..HubOptions::default()
    };
    Hub::new(Arc::new(RtspSource::new(rtsp).unwrap()), options)
}

#[tokio::test]
async fn the_stream_stands_in_for_a_snapshot_uri_that_fails() {
    let camera = camera(Quirks::default()).await;
    let still = source(&camera).snapshot().await.unwrap().data;
    let hub = both(&camera);
    let options = SnapshotOptions::default();
    assert_eq!(hub.snapshot(&options).await.unwrap().data, still);
    assert_eq!(camera.observed().rtsp_sessions, 0);

    // Faster than once a second, or as another format, it is the stream's anyway.
    let mut fast = hub
        .snapshots(Rate::Every(Duration::from_millis(500)), options.clone())
        .unwrap();
    let picture = timeout(SOON, fast.next()).await.unwrap().unwrap().unwrap();
    assert!(picture.data != still);
    drop(fast);

    let mut slow = hub
        .snapshots(Rate::Every(Duration::from_secs(1)), options.clone())
        .unwrap();
    let mut next = async || timeout(SOON, slow.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(next().await.data, still);
    for fault in [SnapshotFault::Html, SnapshotFault::Truncated] {
        camera.set_quirks(Quirks {
            snapshot: Some(fault),
            ..Quirks::default()
        });
        let picture = next().await;
        assert!(picture.data != still);
        check_jpeg(&picture.data).unwrap();
    }
    camera.set_quirks(Quirks::default());
    let again = async { while next().await.data != still {} };
    timeout(SOON, again).await.unwrap();
    let left = async {
        while camera.observed().rtsp_sessions > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, left).await.unwrap();
}

#[tokio::test]
async fn a_method_that_cannot_be_used_is_refused() {
    let camera = camera(Quirks::default()).await;
    let options = SnapshotOptions {
        capture: CaptureMethod::SnapshotUri,
        ..SnapshotOptions::default()
    };
    let without = Hub::new(Arc::new(source(&camera)), HubOptions::default());
    assert!(matches!(
        without.snapshot(&options).await,
        Err(Error::Option {
            option: "capture",
            ..
        })
    ));
    let error = both(&camera).snapshots(Rate::EveryFrame, options).err();
    assert!(matches!(error, Some(Error::Option { .. })));
}

#[tokio::test]
async fn a_stream_of_pictures_is_read_however_its_parts_are_told_apart() {
    let camera = camera(Quirks::default()).await;
    for form in [
        MjpegForm::Standard,
        MjpegForm::Quoted,
        MjpegForm::Dashes,
        MjpegForm::Bare,
        MjpegForm::Unannounced,
        MjpegForm::NoLength,
        MjpegForm::WrongLength,
    ] {
        camera.set_quirks(Quirks {
            mjpeg: form,
            ..Quirks::default()
        });
        let source = HttpSource::new(options(&camera.mjpeg_url())).unwrap();
        let mut session = source.connect().await.unwrap();
        for _ in 0..3 {
            let unit = timeout(SOON, session.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            assert_eq!(check_jpeg(&unit.data).unwrap(), (384, 216), "{form:?}");
            assert_eq!(unit.loss, 0, "{form:?}");
        }
    }
    let hub = Hub::new(
        Arc::new(HttpSource::new(options(&camera.mjpeg_url())).unwrap()),
        HubOptions::default(),
    );
    let mut units = hub.subscribe();
    for _ in 0..3 {
        let item = timeout(SOON, units.next()).await.unwrap().unwrap();
        assert!(matches!(item, HubItem::Unit(_)), "{item:?}");
    }
    let snapshot = hub.snapshot(&SnapshotOptions::default()).await.unwrap();
    assert_eq!((snapshot.width, snapshot.height), (384, 216));
    // The same with one request.
    let one = HttpSource::new(options(&camera.mjpeg_url())).unwrap();
    assert_eq!(one.snapshot().await.unwrap().width, 384);
}

/// A server that answers each connection with these bytes, after it has read a request, and counts the connections. With
/// `repeated` it then sends that for ever, else nothing.
async fn raw(answer: &str, repeated: Option<Vec<u8>>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/picture", listener.local_addr().unwrap());
    let (answer, count) = (answer.to_owned(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let (answer, repeated) = (answer.clone(), repeated.clone());
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                match repeated {
                    Some(bytes) => while stream.write_all(&bytes).await.is_ok() {},
                    None => wait_for_end(&mut stream).await,
                }
            });
        }
    });
    (url, count)
}

async fn wait_for_end(stream: &mut TcpStream) {
    while stream.read(&mut [0; 256]).await.is_ok_and(|n| n > 0) {}
}

#[tokio::test]
async fn what_never_ends_is_cut_at_its_cap() {
    let zeros = vec![0; 1 << 16];
    let ok = "HTTP/1.1 200 OK\r\n";
    let parts = "Content-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n";
    for (answer, repeated, cap) in [
        (
            format!("{ok}Content-Length: 4000000000\r\n\r\n"),
            None,
            Cap::Jpeg,
        ),
        (format!("{ok}\r\n"), Some(zeros.clone()), Cap::Jpeg),
        (
            ok.into(),
            Some(b"X-More: and more\r\n".to_vec()),
            Cap::Header,
        ),
        (format!("{ok}X: "), Some(vec![b'x'; 1 << 10]), Cap::Header),
        (format!("{ok}{parts}"), Some(zeros.clone()), Cap::Header),
        (
            format!("{ok}{parts}--b\r\n"),
            Some(b"X: y\r\n".to_vec()),
            Cap::Header,
        ),
        (
            format!("{ok}{parts}--b\r\n\r\n"),
            Some(zeros.clone()),
            Cap::Jpeg,
        ),
        (
            format!("{ok}{parts}--b\r\nContent-Length: 4000000000\r\n\r\n"),
            None,
            Cap::Jpeg,
        ),
    ] {
        let (url, _) = raw(&answer, repeated).await;
        let error = HttpSource::new(options(&url)).unwrap().snapshot().await;
        match error.unwrap_err() {
            Error::CapExceeded { cap: exceeded, .. } => assert_eq!(exceeded, cap, "{answer}"),
            // More header fields than are read.
            Error::Misbehaved { .. } => assert_eq!(cap, Cap::Header, "{answer}"),
            other => panic!("{answer}: {other}"),
        }
    }
}

#[tokio::test]
async fn what_does_not_come_is_not_waited_for_longer_than_was_said() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let parts = "Content-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n";
    for answer in [
        String::new(),
        format!("{ok}X:"),
        format!("{ok}Content-Length: 1000\r\n\r\nshort"),
        format!("{ok}{parts}"),
        format!("{ok}{parts}--b\r\n\r\n"),
    ] {
        let (url, _) = raw(&answer, None).await;
        let mut options = options(&url);
        options.connect_timeout = Duration::from_millis(200);
        options.idle_timeout = Duration::from_millis(200);
        let source = HttpSource::new(options).unwrap();
        let error = timeout(SOON, source.snapshot()).await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Stalled { .. }), "{answer}: {error}");
    }
    // Bytes alone, without a picture, are silence too.
    let dripping = raw(
        &format!("{ok}{parts}"),
        Some(b"--b\r\n\r\nnothing\r\n".to_vec()),
    )
    .await;
    let mut options = options(&dripping.0);
    options.idle_timeout = Duration::from_secs(5);
    let session = HttpSource::new(options).unwrap().connect().await;
    let error = timeout(SOON, session.unwrap().next())
        .await
        .unwrap()
        .unwrap_err();
    assert!(error.to_string().contains("no pictures"), "{error}");
}

#[tokio::test]
async fn a_server_that_fails_is_asked_ever_more_rarely() {
    let (url, count) = raw(
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        None,
    )
    .await;
    let hub_options = HubOptions {
        snapshot_uri: Some(HttpSource::new(options(&url)).unwrap()),
        ..HubOptions::default()
    };
    let hub = Hub::new(
        Arc::new(HttpSource::new(options(&url)).unwrap()),
        hub_options,
    );
    let options = SnapshotOptions {
        capture: CaptureMethod::SnapshotUri,
        deadline: Duration::from_millis(50),
        ..SnapshotOptions::default()
    };
    let mut snapshots = hub
        .snapshots(Rate::Every(Duration::from_millis(10)), options)
        .unwrap();
    let asking = async {
        for _ in 0..40 {
            let error = snapshots.next().await.unwrap().unwrap_err();
            let told = match &error {
                Error::NoPicture {
                    last: Some(last), ..
                } => last.to_string(),
                error => error.to_string(),
            };
            assert!(told.contains("500"), "{told}");
        }
    };
    timeout(SOON, asking).await.unwrap();
    let asked = count.load(Ordering::SeqCst);
    assert!(asked < 12, "{asked} requests for 40 pictures");
}
