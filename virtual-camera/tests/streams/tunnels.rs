//! RTSP over TLS and through HTTP.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;
use virtual_camera::{Certificate, RtspAuth, VirtualCamera};

use crate::client::{Wire, connect, describe, head, packet, play, soap, text, value};

async fn secured(camera: &VirtualCamera, url: &Url) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let pem = camera.certificate_pem().unwrap();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, connect(url).await).await.unwrap()
}

async fn tunnelled(get: &mut impl Wire, post: &mut impl Wire) {
    let cookie = "x-sessioncookie: 12345";
    let request = format!("GET /main HTTP/1.1\r\nHost: a\r\n{cookie}\r\n\r\n");
    get.write_all(request.as_bytes()).await.unwrap();
    let answer = head(get).await;
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    assert_eq!(
        value(&answer, "Content-Type"),
        "application/x-rtsp-tunnelled"
    );
    let request =
        format!("POST /main HTTP/1.1\r\nHost: a\r\n{cookie}\r\nContent-Length: 32767\r\n\r\n");
    post.write_all(request.as_bytes()).await.unwrap();

    let setup =
        "SETUP rtsp://a/main RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n";
    post.write_all(BASE64.encode(setup).as_bytes())
        .await
        .unwrap();
    post.flush().await.unwrap();
    let answer = head(get).await;
    let session = value(&answer, "Session");
    let play = format!("PLAY rtsp://a/main RTSP/1.0\r\nCSeq: 2\r\nSession: {session}\r\n\r\n");
    post.write_all(BASE64.encode(play).as_bytes())
        .await
        .unwrap();
    post.flush().await.unwrap();
    assert!(head(get).await.starts_with("RTSP/1.0 200 "));
    assert_eq!(packet(get, 0).await[1] & 0x7f, 96);
}

#[tokio::test]
async fn a_stream_goes_through_the_http_port() {
    let camera = VirtualCamera::builder().start().await.unwrap();
    let url = camera.tunnel_url(0);
    for (service, setup) in [
        (
            "media",
            "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>HTTP</tt:Protocol>\
             </tt:Transport></StreamSetup>",
        ),
        ("media2", "<Protocol>RtspOverHttp</Protocol>"),
    ] {
        let request = format!("{setup}<ProfileToken>main</ProfileToken>");
        let reply = soap(&camera, service, "GetStreamUri", &request).await;
        let name = if service == "media" {
            "tt:Uri"
        } else {
            "tr2:Uri"
        };
        assert_eq!(text(&reply, name), url.as_str());
    }
    let (mut get, mut post) = (connect(&url).await, connect(&url).await);
    tunnelled(&mut get, &mut post).await;
    assert_eq!(camera.observed().rtsp_sessions, 1);
}

#[tokio::test]
async fn a_stream_goes_through_the_https_port() {
    let camera = VirtualCamera::builder()
        .https(Certificate::SelfSigned)
        .start()
        .await
        .unwrap();
    let url = camera.tunnel_url(0);
    assert_eq!(url.scheme(), "https");
    let mut get = secured(&camera, &url).await;
    let mut post = secured(&camera, &url).await;
    tunnelled(&mut get, &mut post).await;
}

#[tokio::test]
async fn the_port_of_rtsp_takes_tls_and_tunnels_over_it_and_neither() {
    let camera = VirtualCamera::builder()
        .https(Certificate::SelfSigned)
        .start()
        .await
        .unwrap();
    let url = camera.secure_stream_url(0).unwrap();
    assert_eq!(url.scheme(), "rtsps");
    let mut stream = secured(&camera, &url).await;
    let (_, sdp) = describe(&mut stream, &url).await;
    assert!(sdp.contains("H264/90000"));
    play(&mut stream, &url, 1).await;
    packet(&mut stream, 0).await;

    let mut get = secured(&camera, &url).await;
    let mut post = secured(&camera, &url).await;
    tunnelled(&mut get, &mut post).await;

    let mut plain = connect(&camera.stream_url(0)).await;
    describe(&mut plain, &camera.stream_url(0)).await;
}

#[tokio::test]
async fn basic_is_offered_where_it_is_set() {
    let camera = VirtualCamera::builder()
        .credentials("admin", "secret")
        .rtsp_auth(RtspAuth::Basic)
        .start()
        .await
        .unwrap();
    let url = camera.stream_url(0);
    let mut stream = connect(&url).await;
    let request = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n");
    stream
        .write_all(format!("{request}\r\n").as_bytes())
        .await
        .unwrap();
    let answer = head(&mut stream).await;
    assert_eq!(
        value(&answer, "WWW-Authenticate"),
        "Basic realm=\"virtual-camera\""
    );
    let right = BASE64.encode("admin:secret");
    let request = format!("{request}Authorization: Basic {right}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("RTSP/1.0 200 "));
}
