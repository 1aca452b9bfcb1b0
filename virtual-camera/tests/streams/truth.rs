//! What the camera tells of requests over RTSP.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::AsyncWriteExt as _;
use virtual_camera::{CredentialScheme, RtspAuth, VirtualCamera};

use crate::client::{connect, head};

#[tokio::test]
async fn requests_over_rtsp_are_told_as_those_over_http() {
    let camera = VirtualCamera::builder()
        .credentials("admin", "secret")
        .rtsp_auth(RtspAuth::Basic)
        .start()
        .await
        .unwrap();
    let url = camera.stream_url(1);
    let mut stream = connect(&url).await;
    let named = |user: &str| {
        let given = BASE64.encode(user);
        format!("Authorization: Basic {given}\r\n")
    };
    for (method, header) in [
        ("OPTIONS", String::new()),
        ("DESCRIBE", String::new()),
        ("DESCRIBE", named("eve:wrong")),
        ("PAUSE", named("admin:secret")),
        ("PLAY_NOTIFY", String::new()),
    ] {
        let request = format!("{method} {url} RTSP/1.0\r\nCSeq: 1\r\n{header}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        head(&mut stream).await;
    }

    let requests = camera.requests();
    let told = requests.iter().map(|request| {
        let user = request.credentials.as_ref().map(|seen| seen.user.as_str());
        (request.operation.as_str(), request.status, user)
    });
    let expected = [
        ("OPTIONS", Some(200), None),
        ("DESCRIBE", Some(401), None),
        ("DESCRIBE", Some(401), Some("eve")),
        ("PAUSE", Some(454), Some("admin")),
        ("PLAY_NOTIFY", Some(405), None),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    for request in &requests {
        assert!(request.peer.is_loopback());
        assert_eq!((request.path.as_str(), &request.host), ("/sub", &host));
    }

    let observed = camera.observed();
    assert_eq!(observed.count("DESCRIBE"), 2);
    assert_eq!(observed.requests_with_credentials, 2);
    assert_eq!(observed.authentication_failures, 1);
    let users = observed.credentials.iter().map(|seen| {
        assert_eq!((&seen.host, seen.requests), (&host, 1));
        assert_eq!(seen.credentials.scheme, CredentialScheme::Basic);
        seen.credentials.user.as_str()
    });
    assert_eq!(users.collect::<Vec<_>>(), ["eve", "admin"]);

    camera.reset_observed();
    assert!(camera.requests().is_empty());
    assert_eq!(camera.observed().authentication_failures, 0);
}
