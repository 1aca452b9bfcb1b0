//! Cameras that misbehave in ways that the virtual camera has no switch for, over real sockets: a typed error, quickly, and
//! the session is gone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use media_pipeline::{
    Cap, Credentials, Error, ErrorKind, ForeignUrlPolicy, RtspOptions, RtspSource, RtspTransport,
    Source,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use virtual_camera::{Quirks, RtspEndless, VirtualCamera};

const SDP: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n\
    a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42C01E;\
    sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==\r\na=control:trackID=0\r\n";

struct Request {
    method: String,
    uri: String,
    cseq: String,
    authorization: Option<String>,
}

/// One connection of the client, seen from the camera.
struct Peer(BufReader<TcpStream>);

impl Peer {
    async fn request(&mut self) -> Option<Request> {
        let mut request: Option<Request> = None;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end();
            match &mut request {
                _ if line.is_empty() => return request,
                None => {
                    let mut parts = line.split(' ').map(str::to_owned);
                    let (method, uri) = (parts.next()?, parts.next()?);
                    request = Some(Request {
                        method,
                        uri,
                        cseq: String::new(),
                        authorization: None,
                    });
                }
                Some(request) => match line.split_once(": ") {
                    Some((name, value)) if name.eq_ignore_ascii_case("CSeq") => {
                        request.cseq = value.to_owned()
                    }
                    Some((name, value)) if name.eq_ignore_ascii_case("Authorization") => {
                        request.authorization = Some(value.to_owned());
                    }
                    _ => {}
                },
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.get_mut().write_all(bytes).await.is_ok()
    }

    async fn answer(&mut self, request: &Request, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let answer = format!(
            "RTSP/1.0 {status}\r\nCSeq: {}\r\n{headers}Content-Length: {length}\r\n\r\n{body}",
            request.cseq
        );
        self.send(answer.as_bytes()).await;
    }

    /// Answers as a sound camera until PLAY is through.
    async fn play(&mut self) {
        while let Some(request) = self.request().await {
            let (headers, body) = match request.method.as_str() {
                "DESCRIBE" => ("Content-Type: application/sdp\r\n", SDP),
                "SETUP" => (
                    "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
                    "",
                ),
                _ => ("Session: 1\r\n", ""),
            };
            self.answer(&request, "200 OK", headers, body).await;
            if request.method == "PLAY" {
                return;
            }
        }
    }
}

/// A camera that treats each connection with `behaviour`.
async fn camera<F, R>(behaviour: F) -> SocketAddr
where
    F: Fn(Peer) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let behaviour = Arc::new(behaviour);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let behaviour = behaviour.clone();
            tokio::spawn(async move { behaviour(Peer(BufReader::new(stream))).await });
        }
    });
    address
}

fn options(address: SocketAddr) -> RtspOptions {
    let mut options = RtspOptions::new(format!("rtsp://{address}/live?channel=1").parse().unwrap());
    options.idle_timeout = Duration::from_millis(300);
    options
}

/// Connects and reads until the session fails; it must, and soon.
async fn failure(options: RtspOptions) -> Error {
    let run = async {
        let mut session = RtspSource::new(options).unwrap().connect().await?;
        while session.next().await?.is_some() {}
        Ok::<_, Error>(())
    };
    timeout(Duration::from_secs(20), run)
        .await
        .expect("the session fails in time")
        .expect_err("the session fails")
}

/// The small stream of a virtual camera, by UDP.
async fn datagrams(quirks: Quirks) -> (VirtualCamera, RtspOptions) {
    let builder = VirtualCamera::builder().quirks(quirks);
    let camera = builder.start().await.unwrap();
    let mut options = RtspOptions::new(camera.stream_url(1));
    options.transport = RtspTransport::Udp;
    (camera, options)
}

#[tokio::test]
async fn the_cap_on_access_units_holds_for_udp() {
    let (_camera, mut options) = datagrams(Quirks {
        rtsp_endless: Some(RtspEndless::Fragments),
        ..Quirks::default()
    })
    .await;
    options.caps.access_unit = 1 << 20;
    let error = failure(options).await;
    assert!(
        matches!(
            error,
            Error::CapExceeded {
                cap: Cap::AccessUnit,
                limit: 1_048_576,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn silence_is_noticed_on_udp() {
    let (_camera, mut options) = datagrams(Quirks {
        rtp_loss: 1000,
        ..Quirks::default()
    })
    .await;
    options.idle_timeout = Duration::from_millis(300);
    let error = failure(options).await;
    assert!(matches!(error, Error::Stalled { .. }), "{error:?}");
}

#[tokio::test]
async fn a_camera_that_falls_silent_is_left() {
    let silent = camera(|mut peer| async move {
        peer.request().await;
        std::future::pending().await
    })
    .await;
    let later = camera(|mut peer| async move {
        peer.play().await;
        std::future::pending().await
    })
    .await;
    for address in [silent, later] {
        let error = failure(options(address)).await;
        assert!(
            matches!(error, Error::Stalled { after, .. } if after == Duration::from_millis(300)),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_camera_that_drips_is_left_at_the_connect_timeout() {
    let address = camera(|mut peer| async move {
        peer.request().await;
        while peer.send(b"R").await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let mut options = options(address);
    options.connect_timeout = Duration::from_millis(500);
    let error = failure(options).await;
    assert_eq!(error.kind(), ErrorKind::Stalled, "{error:?}");
}

#[tokio::test]
async fn credentials_that_are_refused_are_sent_once_and_then_held_back() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counter = attempts.clone();
    let address = camera(move |mut peer| {
        let counter = counter.clone();
        async move {
            while let Some(request) = peer.request().await {
                counter.fetch_add(
                    usize::from(request.authorization.is_some()),
                    Ordering::SeqCst,
                );
                peer.answer(
                    &request,
                    "401 Unauthorized",
                    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
                    "",
                )
                .await;
            }
        }
    })
    .await;
    let mut options = options(address);
    options.credentials = Some(Credentials::new("admin", "hunter2"));
    let source = RtspSource::new(options).unwrap();
    let error = source.connect().await.err().unwrap();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    for _ in 0..5 {
        let error = source.connect().await.err().unwrap();
        assert!(matches!(error, Error::HeldBack { .. }), "{error:?}");
    }
    assert_eq!(attempts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_camera_that_asks_for_credentials_that_are_not_set_is_told_apart() {
    let address = camera(|mut peer| async move {
        while let Some(request) = peer.request().await {
            peer.answer(
                &request,
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"r\"\r\n",
                "",
            )
            .await;
        }
    })
    .await;
    let error = failure(options(address)).await;
    assert!(error.to_string().contains("set credentials"), "{error}");
    let mut options = options(address);
    options.credentials = Some(Credentials::new("admin", "hunter2"));
    let error = failure(options).await;
    assert!(error.to_string().contains("Basic"), "{error}");
}

#[tokio::test]
async fn a_redirect_to_another_port_is_not_followed() {
    let other = Arc::new(AtomicUsize::new(0));
    let counter = other.clone();
    let target = camera(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {}
    })
    .await;
    let address = camera(move |mut peer| async move {
        let request = peer.request().await.unwrap();
        peer.answer(
            &request,
            "302 Moved",
            &format!("Location: rtsp://{target}/live\r\n"),
            "",
        )
        .await;
        peer.request().await;
    })
    .await;
    let mut options = options(address);
    options.credentials = Some(Credentials::new("admin", "hunter2"));
    let error = failure(options).await;
    assert!(
        matches!(error, Error::Refused { status: 302, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains(&target.to_string()), "{error}");
    assert_eq!(other.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_description_that_refers_to_another_host_is_refused_unless_permitted() {
    let address = camera(|mut peer| async move {
        while let Some(request) = peer.request().await {
            let headers = "Content-Base: rtsp://192.0.2.9/live/\r\nContent-Type: application/sdp\r\nSession: 1\r\n\
                Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
            peer.answer(&request, "200 OK", headers, SDP).await;
        }
    })
    .await;
    let error = failure(options(address)).await;
    assert!(matches!(error, Error::Misbehaved { .. }), "{error:?}");
    assert!(error.to_string().contains("192.0.2.9"), "{error}");
    let mut options = options(address);
    options.foreign_urls = ForeignUrlPolicy::Rewrite;
    RtspSource::new(options).unwrap().connect().await.unwrap();
}

#[tokio::test]
async fn the_camera_sees_its_own_url_and_numbers_in_every_request() {
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let address = camera(move |mut peer| {
        let sender = sender.clone();
        async move {
            while let Some(request) = peer.request().await {
                let headers = "Content-Type: application/sdp\r\nSession: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
                let body = if request.method == "DESCRIBE" { SDP } else { "" };
                let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\n";
                match request.authorization {
                    Some(_) => peer.answer(&request, "200 OK", headers, body).await,
                    None => peer.answer(&request, "401 Unauthorized", challenge, "").await,
                }
                let _ = sender.send(request);
            }
        }
    })
    .await;
    let mut options = options(address);
    options.credentials = Some(Credentials::new("admin", "secret"));
    let session = RtspSource::new(options).unwrap().connect().await.unwrap();
    session.close().await;
    let mut seen = Vec::new();
    while let Ok(Some(request)) = timeout(Duration::from_secs(5), requests.recv()).await {
        let authorization = request.authorization.unwrap_or_default();
        assert!(
            authorization.is_empty() || authorization.contains(&format!("uri=\"{}\"", request.uri)),
            "{authorization}"
        );
        let end = request.method == "TEARDOWN";
        seen.push((request.cseq, request.method, request.uri));
        if end {
            break;
        }
    }
    let url = format!("rtsp://{address}/live?channel=1");
    let expected: Vec<_> = [
        ("1", "DESCRIBE", url.clone()),
        ("2", "DESCRIBE", url.clone()),
        ("3", "SETUP", format!("{url}/trackID=0")),
        ("4", "PLAY", url.clone()),
        ("5", "TEARDOWN", url),
    ]
    .map(|(cseq, method, uri)| (cseq.to_owned(), method.to_owned(), uri))
    .into();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_is_not_rtsp_is_an_error_that_says_so() {
    let address = camera(|mut peer| async move {
        peer.request().await;
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let mut rest = Vec::new();
        let _ = peer.0.read_to_end(&mut rest).await;
    })
    .await;
    let error = failure(options(address)).await;
    assert!(matches!(error, Error::Misbehaved { .. }), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_closes_or_is_refused_is_the_networks_fault() {
    let closing = camera(|mut peer| async move {
        peer.request().await;
    })
    .await;
    let error = failure(options(closing)).await;
    assert_eq!(error.kind(), ErrorKind::Network, "{error:?}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let error = failure(options(nobody)).await;
    assert_eq!(error.kind(), ErrorKind::Network, "{error:?}");
    assert!(error.to_string().contains("cannot connect"), "{error}");
}

#[test]
fn urls_that_cannot_work_are_the_callers_fault_and_keep_their_secrets() {
    for url in [
        "rtsp://admin:hunter2@192.0.2.7/live",
        "rtspu://192.0.2.7/live",
        "https://admin:hunter2@192.0.2.7/live",
    ] {
        let options = RtspOptions::new(url.parse().unwrap());
        assert!(!format!("{options:?}").contains("hunter2"));
        let error = RtspSource::new(options).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Caller, "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}
