//! lighttpd before a camera: HTTP Digest and TLS as somebody else speaks them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use interop::{LIGHTTPD, Process, free_port, installed, lighttpd};
use md5::{Digest, Md5};
use onvif_core::events::{EventItem, EventOptions, Filter};
use onvif_core::media::StreamTransport;
use onvif_core::{
    Camera, CameraBuilder, CertificateProblem, Credentials, Error, HttpTransport, PinStore,
    TlsPolicy, Transport, TransportError, UriPolicy,
};
use onvif_ptz::{CameraExt, Position, WaitOptions};
use sha2::Sha256;
use virtual_camera::{Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);
const USER: &str = "admin";
const PASSWORD: &str = "s&cr<t@#?%";
const REALM: &str = "onvif";

/// A camera without a user of its own, which says that it is at `port`.
async fn camera_behind(port: Option<u16>) -> VirtualCamera {
    let quirks = Quirks {
        advertised_port: port,
        ..Quirks::default()
    };
    let builder = VirtualCamera::builder().quirks(quirks);
    builder.start().await.unwrap()
}

/// lighttpd that lets in who answers one of the challenges, which `algorithms` lists.
fn front(folder: &Path, port: u16, target: &VirtualCamera, algorithms: &str) -> Process {
    front_with(folder, port, target, algorithms, &[], "")
}

fn front_with(
    folder: &Path,
    port: u16,
    target: &VirtualCamera,
    algorithms: &str,
    modules: &[&str],
    settings: &str,
) -> Process {
    let secret = format!("{USER}:{REALM}:{PASSWORD}");
    let (md5, sha256) = (Md5::digest(&secret), Sha256::digest(&secret));
    let users = folder.join("htdigest");
    let lines = format!("{USER}:{REALM}:{md5:x}\n{USER}:{REALM}:{sha256:x}\n");
    fs::write(&users, lines).unwrap();
    let digest = format!(
        r#"auth.backend = "htdigest"
auth.backend.htdigest.userfile = "{}"
auth.require = ( "/" => ( "method" => "digest", "realm" => "{REALM}", "require" => "valid-user", "algorithm" => "{algorithms}" ) )
{settings}"#,
        users.display()
    );
    let modules = [&["mod_auth", "mod_authn_file"], modules].concat();
    let behind = target.device_url().port().unwrap();
    lighttpd(folder, port, behind, &modules, &digest)
}

/// Sends requests, and keeps where they went and with what authorization.
struct Wire {
    http: HttpTransport,
    sent: Mutex<Vec<(u16, Option<String>)>>,
    refusals: Mutex<Vec<String>>,
    /// So many seconds older than it is the nonce of the next challenge shall look.
    age: AtomicU64,
}

impl Wire {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            http: HttpTransport::new(TlsPolicy::Verify, &[]).unwrap(),
            sent: Mutex::default(),
            refusals: Mutex::default(),
            age: AtomicU64::default(),
        })
    }

    fn authorizations(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter_map(|(_, value)| value.clone()).collect()
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let port = request.uri().port_u16().unwrap_or(80);
        let authorization = request.headers().get(AUTHORIZATION);
        let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
        self.sent.lock().unwrap().push((port, authorization));
        let mut response = self.http.send(request, deadline).await?;
        for challenge in response.headers().get_all(WWW_AUTHENTICATE) {
            let challenge = challenge.to_str().unwrap().to_owned();
            self.refusals.lock().unwrap().push(challenge);
        }
        if let Some(challenge) = response.headers_mut().get_mut(WWW_AUTHENTICATE) {
            *challenge = aged(challenge, self.age.swap(0, Ordering::Relaxed));
        }
        Ok(response)
    }
}

/// The same challenge, made earlier: lighttpd's nonces begin with the time in hexadecimal digits.
fn aged(challenge: &HeaderValue, seconds: u64) -> HeaderValue {
    let text = challenge.to_str().unwrap();
    let (head, nonce) = text.split_once("nonce=\"").unwrap();
    let (time, rest) = nonce.split_once(':').unwrap();
    let earlier = u64::from_str_radix(time, 16).unwrap() - seconds;
    format!("{head}nonce=\"{earlier:x}:{rest}").parse().unwrap()
}

fn client(port: u16, scheme: &str, password: &str) -> CameraBuilder {
    Camera::builder(format!("{scheme}://127.0.0.1:{port}/onvif/device_service"))
        .credentials(Credentials::new(USER, password))
}

async fn use_everything(camera: &Camera, target: &VirtualCamera) {
    let information = camera.device().information().await.unwrap();
    assert!(information.manufacturer.is_some());
    let profile = camera.media().profiles().await.unwrap().remove(0);
    assert!(profile.video_encoder.unwrap().resolution.is_some());
    let (media, ptz) = (camera.media(), camera.ptz());
    let stream = media.stream_uri(&profile.token, StreamTransport::Rtsp);
    assert_eq!(
        stream.await.unwrap().as_str(),
        target.stream_url(0).as_str()
    );
    let snapshot = media.snapshot(&profile.token).await.unwrap();
    assert_eq!(snapshot.content_type, "image/jpeg");

    let before = target.ptz_position();
    let step = Position::pan_tilt(0.2, 0.0);
    let travel = ptz.relative_move(&profile.token, step, None);
    travel.await.unwrap();
    let rest = ptz.wait_until_idle(&profile.token, WaitOptions::default());
    assert!(rest.await.unwrap().is_at_rest());
    let moved = target.ptz_position().pan - before.pan;
    assert!((moved - 0.2).abs() < 0.01, "{moved}");

    let raised = tokio::time::timeout(DEADLINE, motion(camera, target));
    assert_eq!(raised.await.unwrap().as_deref(), Some("true"));
    target.set_motion(false);
}

/// What is reported when something moves, once it is known that nothing does.
async fn motion(camera: &Camera, target: &VirtualCamera) -> Option<String> {
    let mut options = EventOptions::default();
    options.pull_timeout = Duration::from_secs(5);
    let filter = Filter::topic("tns1:VideoSource/MotionAlarm");
    let mut events = camera.events().subscribe_with(filter, options);
    while let Some(item) = events.next().await {
        let EventItem::Notification(notification) = item.unwrap() else {
            continue;
        };
        match notification.data.get("State") {
            Some("false") => target.set_motion(true),
            state => return state.map(str::to_owned),
        }
    }
    None
}

#[tokio::test]
async fn every_algorithm_of_lighttpd_is_answered_and_the_strongest_taken() {
    if !installed(&[LIGHTTPD]) {
        return;
    }
    for (offered, taken) in [
        ("MD5", "MD5"),
        ("SHA-256", "SHA-256"),
        ("SHA-256|MD5", "SHA-256"),
    ] {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let target = camera_behind(Some(port)).await;
        let _front = front(folder.path(), port, &target, offered);
        let wire = Wire::new();
        let builder = client(port, "http", PASSWORD).transport(wire.clone());
        let camera = builder.connect().await.unwrap();
        use_everything(&camera, &target).await;

        let authorizations = wire.authorizations();
        for authorization in &authorizations {
            assert_eq!(parameter(authorization, "algorithm"), taken);
        }
        let sent = wire.sent.lock().unwrap();
        assert!(
            sent.iter().all(|(to, _)| *to == port),
            "{offered}: {sent:?}"
        );
        let refusals = wire.refusals.lock().unwrap().len();
        println!(
            "{offered}: {} requests, {refusals} challenges, {} answers with {taken}",
            sent.len(),
            authorizations.len()
        );
    }
}

#[tokio::test]
async fn a_front_that_the_camera_knows_nothing_of_is_not_gone_round() {
    if !installed(&[LIGHTTPD]) {
        return;
    }
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let target = camera_behind(None).await;
    let _front = front(folder.path(), port, &target, "SHA-256|MD5");
    let wire = Wire::new();
    let camera = client(port, "http", PASSWORD)
        .uri_policy(UriPolicy::RewriteHostAndPort)
        .transport(wire.clone())
        .connect()
        .await
        .unwrap();
    use_everything(&camera, &target).await;
    let sent = wire.sent.lock().unwrap();
    assert!(sent.iter().all(|(to, _)| *to == port), "{sent:?}");
}

#[tokio::test]
async fn a_wrong_password_is_one_clear_error_and_no_storm() {
    if !installed(&[LIGHTTPD]) {
        return;
    }
    for algorithms in ["MD5", "SHA-256|MD5"] {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let target = camera_behind(Some(port)).await;
        let _front = front(folder.path(), port, &target, algorithms);
        let wire = Wire::new();
        let builder = client(port, "http", "wr0ng").transport(wire.clone());
        let Err(error) = builder.connect().await else {
            panic!("let in with the wrong password");
        };
        assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(USER) && !text.contains("wr0ng"), "{text}");
        assert!(wire.authorizations().len() <= 2, "{algorithms}");
        assert_eq!(target.observed().operations.len(), 0);
    }
}

#[tokio::test]
async fn an_outdated_nonce_is_replaced_without_blaming_the_password() {
    if !installed(&[LIGHTTPD]) {
        return;
    }
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let target = camera_behind(Some(port)).await;
    let _front = front(folder.path(), port, &target, "SHA-256");
    let wire = Wire::new();
    wire.age.store(3_600, Ordering::Relaxed);
    let builder = client(port, "http", PASSWORD).transport(wire.clone());
    let camera = builder.connect().await.unwrap();
    let refusals = wire.refusals.lock().unwrap().clone();
    assert!(!refusals[0].contains("stale"), "{refusals:?}");
    assert!(refusals[1].contains("stale=true"), "{refusals:?}");
    let sent = wire.authorizations();
    assert_eq!(parameter(&sent[1], "nc"), "00000001");
    use_everything(&camera, &target).await;
}

/// lighttpd names a new nonce in the last minute of the ten that a nonce lives.
#[tokio::test]
async fn the_nonce_that_an_answer_names_is_taken_for_the_next_request() {
    if !installed(&[LIGHTTPD]) {
        return;
    }
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let target = camera_behind(Some(port)).await;
    let _front = front(folder.path(), port, &target, "SHA-256");
    let wire = Wire::new();
    wire.age.store(570, Ordering::Relaxed);
    let builder = client(port, "http", PASSWORD).transport(wire.clone());
    let camera = builder.connect().await.unwrap();
    camera.device().information().await.unwrap();
    assert_eq!(wire.refusals.lock().unwrap().len(), 1);
    let sent = wire.authorizations();
    let nonces = sent.iter().map(|sent| parameter(sent, "nonce"));
    let nonces: Vec<&str> = nonces.collect();
    assert_ne!(nonces[0], nonces[1]);
    assert!(nonces[1..].iter().all(|nonce| *nonce == nonces[1]));
    assert_eq!(parameter(&sent[1], "nc"), "00000001");
    assert_eq!(parameter(&sent[2], "nc"), "00000002");
}

/// The value of a parameter of an `Authorization` header.
fn parameter<'h>(header: &'h str, name: &str) -> &'h str {
    let parameters = header.strip_prefix("Digest ").unwrap().split(", ");
    let mut pairs = parameters.filter_map(|parameter| parameter.split_once('='));
    let found = pairs.find(|(found, _)| *found == name);
    found.unwrap().1.trim_matches('"')
}

/// A certificate for 127.0.0.1 with a new key.
fn certificate(folder: &Path) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let file = folder.join("server.pem");
    fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
    format!(
        "ssl.engine = \"enable\"\nssl.pemfile = \"{}\"\n",
        file.display()
    )
}

#[tokio::test]
async fn the_first_certificate_is_trusted_and_no_other_is_told_the_password() {
    if !installed(&[LIGHTTPD]) {
        return;
    }
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let target = camera_behind(None).await;
    let front = || {
        let settings = certificate(folder.path());
        let modules = &["mod_openssl"];
        front_with(folder.path(), port, &target, "SHA-256", modules, &settings)
    };
    let pins = PinStore::default();
    let builder = || {
        client(port, "https", PASSWORD)
            .uri_policy(UriPolicy::RewriteHostAndPort)
            .tls(TlsPolicy::TrustOnFirstUse)
            .pins(pins.clone())
    };
    let strict = client(port, "https", PASSWORD).connect();
    let first = front();
    assert!(matches!(
        strict.await.err(),
        Some(Error::Network {
            source: TransportError::Certificate(CertificateProblem::UnknownIssuer),
            ..
        })
    ));
    let camera = builder().connect().await.unwrap();
    for (service, url) in camera.services().iter() {
        assert_eq!(
            (url.scheme(), url.port()),
            ("https", Some(port)),
            "{service}"
        );
    }
    use_everything(&camera, &target).await;
    let known = pins.get(&format!("127.0.0.1:{port}")).unwrap();
    drop(camera);
    drop(first);

    let _second = front();
    let answered = target.observed().operations.len();
    let error = builder().connect().await.err().unwrap();
    let Error::Network {
        source: TransportError::Certificate(CertificateProblem::Changed { seen }),
        ..
    } = error
    else {
        panic!("{error}");
    };
    assert_ne!(seen, known);
    assert_eq!(target.observed().operations.len(), answered);

    // The user says that the camera was reset.
    pins.insert(format!("127.0.0.1:{port}"), seen);
    use_everything(&builder().connect().await.unwrap(), &target).await;
}
