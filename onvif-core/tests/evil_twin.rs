//! A camera that points elsewhere: whoever listens there learns nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use onvif_core::events::Filter;
use onvif_core::media::StreamTransport;
use onvif_core::{AuthenticationPolicy, Camera, Credentials, Error, Service, UriPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use virtual_camera::{AuthScheme, Quirks, SnapshotAuth, VirtualCamera};

const TWIN: &str = "127.0.0.2";
const SECRET: &str = "canary-7f3a";
const SCHEMES: [AuthScheme; 4] = [
    AuthScheme::Digest,
    AuthScheme::UsernameToken,
    AuthScheme::Either,
    AuthScheme::Both,
];
const POLICIES: [UriPolicy; 4] = [
    UriPolicy::AsReported,
    UriPolicy::RewriteHost,
    UriPolicy::RewriteHostAndPort,
    UriPolicy::Refuse,
];

/// Asks everybody for a password, and keeps all it is sent.
struct Twin {
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Twin {
    /// Listens at any free port, and says at which.
    async fn listen() -> (Self, u16) {
        let listener = TcpListener::bind((TWIN, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let keep = heard.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let keep = keep.clone();
                tokio::spawn(async move {
                    let mut buffer = vec![0; 16_384];
                    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                        keep.lock().unwrap().extend_from_slice(&buffer[..length]);
                        let _ = stream
                            .write_all(
                                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\n\
                                  WWW-Authenticate: Digest realm=\"virtual-camera\", nonce=\"1\", qop=\"auth\"\r\n\
                                  Content-Length: 0\r\n\r\n",
                            )
                            .await;
                    }
                });
            }
        });
        (Self { heard }, port)
    }

    fn learned_nothing(&self) -> bool {
        let heard = self.heard.lock().unwrap();
        let heard = String::from_utf8_lossy(&heard).to_ascii_lowercase();
        [
            "authorization",
            "usernametoken",
            "security",
            "admin",
            SECRET,
        ]
        .iter()
        .all(|secret| !heard.contains(secret))
    }

    fn heard_anything(&self) -> bool {
        !self.heard.lock().unwrap().is_empty()
    }
}

/// A camera, and its twin at the same port of another address. A port that is free there may be taken here.
async fn start(auth: AuthScheme, quirks: Quirks) -> (VirtualCamera, Twin) {
    for _ in 0..100 {
        let (twin, port) = Twin::listen().await;
        let target = VirtualCamera::builder()
            .credentials("admin", SECRET)
            .auth(auth)
            .quirks(quirks.clone())
            .http_port(port)
            .start()
            .await;
        match target {
            Ok(target) => return (target, twin),
            Err(virtual_camera::Error::Listen { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no port is free at both addresses");
}

async fn connect(target: &VirtualCamera, policy: UriPolicy) -> Result<Camera, Error> {
    Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", SECRET))
        .authentication(AuthenticationPolicy::LadderWithBasic)
        .uri_policy(policy)
        .connect()
        .await
}

/// Follows every kind of address that the camera hands out; most of it fails.
async fn follow_everything(camera: &Camera) {
    let _ = camera.device().information().await;
    let _ = camera.device().users().await;
    let _ = camera.media().profiles().await;
    let main = "main".into();
    let _ = camera
        .media()
        .stream_uri(&main, StreamTransport::Rtsp)
        .await;
    let _ = camera.media().snapshot(&main).await;
    let elsewhere = format!(
        "http://{TWIN}:{}/onvif/snapshot",
        camera.url().port().unwrap()
    );
    let _ = camera
        .media()
        .fetch_snapshot(&elsewhere.parse().unwrap())
        .await;
    let action = "http://www.onvif.org/ver20/ptz/wsdl/GetNodes";
    let _ = camera
        .call_raw(Service::Ptz, action, "<tptz:GetNodes/>")
        .await;
    let mut events = camera.events().subscribe(Filter::all());
    let _ = tokio::time::timeout(Duration::from_millis(300), events.next()).await;
}

#[tokio::test]
async fn no_address_of_a_camera_takes_credentials_to_another_host() {
    for auth in SCHEMES {
        for policy in POLICIES {
            let quirks = Quirks {
                advertised_host: Some(TWIN.into()),
                ..Quirks::default()
            };
            let (target, twin) = start(auth, quirks).await;
            let camera = connect(&target, policy).await.unwrap();
            follow_everything(&camera).await;
            assert!(twin.learned_nothing(), "{auth:?} {policy:?}");
            // As reported means that it is asked, without saying who asks.
            let asked = policy == UriPolicy::AsReported;
            assert_eq!(twin.heard_anything(), asked, "{auth:?} {policy:?}");
        }
    }
}

#[tokio::test]
async fn credentials_in_a_query_do_not_go_to_another_host_either() {
    let quirks = Quirks {
        advertised_host: Some(TWIN.into()),
        snapshot_auth: SnapshotAuth::Query,
        ..Quirks::default()
    };
    let (target, twin) = start(AuthScheme::Digest, quirks).await;
    let camera = connect(&target, UriPolicy::AsReported).await.unwrap();
    // The media service is elsewhere, so that the address is taken from one who knows it.
    let port = camera.url().port().unwrap();
    let address = format!("http://{TWIN}:{port}/snap?user=admin&password={SECRET}&channel=1");
    let fetched = camera
        .media()
        .fetch_snapshot(&address.parse().unwrap())
        .await;
    assert!(fetched.is_err());
    assert!(twin.heard_anything() && twin.learned_nothing());
}

#[tokio::test]
async fn no_redirect_leads_to_another_host() {
    for status in [301, 302, 303, 307, 308] {
        for policy in POLICIES {
            let (twin, port) = Twin::listen().await;
            let quirks = Quirks {
                redirect: Some((status, format!("http://{TWIN}:{port}"))),
                ..Quirks::default()
            };
            let target = VirtualCamera::builder()
                .credentials("admin", SECRET)
                .quirks(quirks)
                .start()
                .await
                .unwrap();
            if let Ok(camera) = connect(&target, policy).await {
                follow_everything(&camera).await;
                let error = camera.device().information().await.unwrap_err();
                assert!(!error.to_string().contains(SECRET));
            }
            assert!(!twin.heard_anything(), "{status} {policy:?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_with_the_method_kept() {
    for status in [301, 302, 307, 308] {
        for auth in SCHEMES {
            let builder = VirtualCamera::builder()
                .credentials("admin", SECRET)
                .auth(auth);
            let behind = builder.clone().start().await.unwrap();
            let port = behind.device_url().port().unwrap();
            let redirect = Some((status, format!("http://127.0.0.1:{port}")));
            let front = builder.quirks(Quirks {
                redirect,
                ..Quirks::default()
            });
            let front = front.start().await.unwrap();
            let camera = connect(&front, UriPolicy::default()).await.unwrap();
            camera.device().users().await.unwrap();
            camera.media().snapshot(&"main".into()).await.unwrap();
            assert_eq!(behind.observed().authentication_failures, 0);
        }
    }
}

#[tokio::test]
async fn a_redirect_in_circles_is_an_error() {
    let target = VirtualCamera::builder().start().await.unwrap();
    let port = target.device_url().port().unwrap();
    target.set_quirks(Quirks {
        redirect: Some((307, format!("http://127.0.0.1:{port}"))),
        ..Quirks::default()
    });
    let error = connect(&target, UriPolicy::default()).await.unwrap_err();
    assert!(matches!(error, Error::Uri { .. }), "{error}");
}
