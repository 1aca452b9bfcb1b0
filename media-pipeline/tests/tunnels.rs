//! RTSP over TLS and through HTTP and HTTPS.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use media_pipeline::{
    AuthBudget, Credentials, Error, ErrorKind, FailureBudget, Hub, HubItem, HubOptions,
    RtspOptions, RtspSource, RtspTransport, SnapshotOptions, Source as _, TlsPolicy, Tracks,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use virtual_camera::{Certificate, RtspAuth, VirtualCamera};

const SOON: Duration = Duration::from_secs(30);

async fn camera(secure: bool, auth: RtspAuth) -> VirtualCamera {
    let mut builder = VirtualCamera::builder()
        .credentials("admin", "p@ss:w#?%")
        .rtsp_auth(auth);
    if secure {
        builder = builder.https(Certificate::SelfSigned);
    }
    builder.start().await.unwrap()
}

/// All ways to the main stream of a camera.
fn addresses(camera: &VirtualCamera) -> Vec<String> {
    let stream = camera.stream_url(0).to_string();
    let mut all = vec![camera.tunnel_url(0).to_string()];
    match camera.secure_stream_url(0) {
        Some(secure) => {
            all.push(secure.to_string());
            all.push(stream.replacen("rtsp", "https", 1));
        }
        None => all.push(stream.replacen("rtsp", "http", 1)),
    }
    all
}

fn options(camera: &VirtualCamera, url: &str) -> RtspOptions {
    // The certificate is for this name.
    let url = url.replacen("127.0.0.1", "localhost", 1);
    let mut options = RtspOptions::new(url.parse().unwrap());
    options.credentials = Some(Credentials::new("admin", "p@ss:w#?%"));
    options.tls.extra_roots = camera.certificate_pem().unwrap_or_default().into();
    options
}

#[tokio::test]
async fn streams_come_over_tls_and_through_tunnels_and_are_torn_down() {
    for secure in [false, true] {
        let camera = camera(secure, RtspAuth::Digest).await;
        for url in addresses(&camera) {
            let mut options = options(&camera, &url);
            options.tracks = Tracks::All;
            let hub = Hub::new(
                Arc::new(RtspSource::new(options).unwrap()),
                HubOptions::default(),
            );
            let mut units = hub.subscribe();
            for number in 0..12 {
                let item = timeout(SOON, units.next()).await.unwrap();
                assert!(
                    matches!(item, Some(HubItem::Unit(_))),
                    "{url} {number}: {item:?}"
                );
            }
            let snapshot = hub.snapshot(&SnapshotOptions::default()).await;
            assert!(snapshot.unwrap().width > 0);
            assert_eq!(camera.observed().rtsp_sessions, 1, "{url}");
            drop((units, hub));
            let torn_down = async {
                while camera.observed().rtsp_sessions > 0 {
                    tokio::task::yield_now().await;
                }
            };
            timeout(SOON, torn_down).await.unwrap();
        }
        assert_eq!(camera.observed().authentication_failures, 0);
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_over_each_of_them_and_not_tried_again() {
    for secure in [false, true] {
        let camera = camera(secure, RtspAuth::Digest).await;
        for url in addresses(&camera) {
            camera.reset_observed();
            let budget: Arc<dyn AuthBudget> = Arc::new(FailureBudget::default());
            let mut options = options(&camera, &url);
            options.credentials = Some(Credentials::new("admin", "wrong"));
            options.budget = Some(budget);
            let source = RtspSource::new(options).unwrap();
            let error = source.connect().await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{url}: {error}");
            let error = source.connect().await.err().unwrap();
            assert!(matches!(error, Error::HeldBack { .. }), "{url}: {error}");
            // MD5 is tried where SHA-256 is refused.
            assert_eq!(camera.observed().authentication_failures, 2, "{url}");
        }
    }
}

#[tokio::test]
async fn basic_is_sent_where_a_certificate_proves_whose_camera_it_is_and_else_on_request() {
    let plain = camera(false, RtspAuth::Basic).await;
    for url in addresses(&plain) {
        let mut options = options(&plain, &url);
        let error = RtspSource::new(options.clone()).unwrap().connect().await;
        assert_eq!(error.err().unwrap().kind(), ErrorKind::Unauthorized);
        options.allow_basic = true;
        let session = RtspSource::new(options).unwrap().connect().await.unwrap();
        session.close().await;
    }
    let secure = camera(true, RtspAuth::Basic).await;
    for url in addresses(&secure) {
        let mut options = options(&secure, &url);
        let session = RtspSource::new(options.clone()).unwrap().connect().await;
        session.unwrap().close().await;
        options.tls.policy = TlsPolicy::AcceptInvalidCertificates;
        let error = RtspSource::new(options).unwrap().connect().await;
        assert_eq!(error.err().unwrap().kind(), ErrorKind::Unauthorized);
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_trusted_ends_it_before_anything_is_sent() {
    let camera = camera(true, RtspAuth::Digest).await;
    for url in addresses(&camera) {
        let mut options = options(&camera, &url);
        options.tls.extra_roots.clear();
        let error = RtspSource::new(options).unwrap().connect().await;
        let error = error.err().unwrap();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("nobody trusted"), "{url}: {error}: {cause}");
    }
    assert_eq!(camera.observed().rtsp_sessions, 0);
}

#[tokio::test]
async fn datagrams_do_not_go_beside_tls_or_a_tunnel() {
    for url in [
        "rtsps://192.0.2.7/a",
        "http://192.0.2.7/a",
        "https://192.0.2.7/a",
    ] {
        let mut options = RtspOptions::new(url.parse().unwrap());
        options.transport = RtspTransport::Udp;
        let error = RtspSource::new(options).unwrap_err();
        assert!(matches!(
            error,
            Error::Option {
                option: "transport",
                ..
            }
        ));
    }
}

#[tokio::test]
async fn a_tunnel_asks_for_credentials_where_http_wants_them_and_sends_them_both_ways() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/live", listener.local_addr().unwrap());
    let mut options = RtspOptions::new(url.parse().unwrap());
    options.credentials = Some(Credentials::new("admin", "secret"));
    options.connect_timeout = Duration::from_secs(5);
    let source = RtspSource::new(options).unwrap();
    let camera = async {
        let challenge = "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\
             WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n";
        let mut heads = Vec::new();
        let mut open = Vec::new();
        for answer in [challenge, "HTTP/1.0 200 OK\r\nContent-Type: x\r\n\r\n", ""] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            heads.push(String::from_utf8_lossy(&head[..length]).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
            open.push(stream);
        }
        heads
    };
    let (heads, _) = timeout(SOON, async { tokio::join!(camera, source.connect()) })
        .await
        .unwrap();
    let value = |head: &str, name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(n, _)| n.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    assert!(heads[0].starts_with("GET /live ") && value(&heads[0], "Authorization").is_none());
    assert!(
        value(&heads[1], "Authorization")
            .unwrap()
            .contains("uri=\"/live\"")
    );
    assert!(heads[2].starts_with("POST /live "));
    let post = value(&heads[2], "Authorization").unwrap();
    assert!(
        post.contains("nc=00000002") && post.starts_with("Digest "),
        "{post}"
    );
    let cookies: Vec<_> = heads
        .iter()
        .map(|head| value(head, "x-sessioncookie"))
        .collect();
    assert!(cookies[0].is_some() && cookies[1] == cookies[2]);
}

/// A port of the camera that sends the first clients elsewhere, and passes the others on.
async fn redirecting(camera: &VirtualCamera, locations: Vec<String>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = camera.stream_url(0).port().unwrap();
    tokio::spawn(async move {
        let mut locations = locations.into_iter();
        while let Ok((mut client, _)) = listener.accept().await {
            match locations.next() {
                Some(location) => {
                    let mut request = [0; 2048];
                    let length = client.read(&mut request).await.unwrap();
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    assert!(!request.contains("Authorization"));
                    let cseq = request
                        .lines()
                        .find(|line| line.starts_with("CSeq"))
                        .unwrap();
                    let location = location.replace("PORT", &port.to_string());
                    let answer =
                        format!("RTSP/1.0 302 Found\r\n{cseq}\r\nLocation: {location}\r\n\r\n");
                    client.write_all(answer.as_bytes()).await.unwrap();
                }
                None => {
                    let mut server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                    tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
                }
            }
        }
    });
    port
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_host_and_never_out_of_tls() {
    let camera = camera(true, RtspAuth::Digest).await;
    let own = "rtsp://localhost:PORT/main".to_owned();
    let secure = camera.secure_stream_url(0).unwrap().to_string();
    let connect = async |locations: Vec<String>| {
        let port = redirecting(&camera, locations).await;
        let options = options(&camera, &format!("rtsp://localhost:{port}/old"));
        let connected = RtspSource::new(options).unwrap().connect().await;
        connected.map(|_| ())
    };
    connect(vec![own.clone()]).await.unwrap();
    connect(vec![own.clone(), own.clone(), own.clone()])
        .await
        .unwrap();
    connect(vec![secure.replace("127.0.0.1", "localhost")])
        .await
        .unwrap();
    for locations in [
        vec![own.clone(); 4],
        vec!["rtsp://127.0.0.2:PORT/main".to_owned()],
    ] {
        let error = connect(locations).await.unwrap_err();
        assert!(
            matches!(error, Error::Refused { status: 302, .. }),
            "{error}"
        );
    }
}
