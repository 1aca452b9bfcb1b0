//! Cameras that answer with what others said, and how that is recorded.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;
use virtual_camera::{
    AuthScheme, Certificate, CertificatePolicy, Error, Recorder, RecorderOptions, VirtualCamera,
};

const DEADLINE: Duration = Duration::from_secs(30);
const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";
const PTZ: &str = "http://www.onvif.org/ver20/ptz/wsdl";
const EVENTS: &str = "http://www.onvif.org/ver10/events/wsdl";

/// Status and body.
async fn send(method: &str, url: &Url, body: &str) -> (u16, String) {
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let target = &url[url::Position::BeforePath..];
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/soap+xml\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let answered = async {
        let mut stream = TcpStream::connect((host, port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::time::timeout(DEADLINE, answered)
        .await
        .expect("an answer in time");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

async fn call(url: &Url, namespace: &str, operation: &str, content: &str) -> (u16, String) {
    let body = format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>\
         <{operation} xmlns='{namespace}'>{content}</{operation}></s:Body></s:Envelope>"
    );
    send("POST", url, &body).await
}

/// The text of the first element of this name.
fn value<'t>(text: &'t str, element: &str) -> &'t str {
    let (_, rest) = text
        .split_once(&format!(":{element}>"))
        .unwrap_or_else(|| panic!("no {element} in {text}"));
    rest.split('<').next().unwrap().trim()
}

async fn replayed(folder: impl Into<PathBuf>) -> VirtualCamera {
    VirtualCamera::builder()
        .replay(folder)
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_recorded_is_played_back() {
    let camera = VirtualCamera::builder()
        .credentials("admin", "secret")
        .name("gate")
        .start()
        .await
        .unwrap();
    let out = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(RecorderOptions {
        credentials: Some(("admin".to_owned(), "secret".to_owned())),
        blank_serials: true,
        ..RecorderOptions::new(camera.device_url(), out.path().join("gate"))
    });
    let recorder = recorder.await.unwrap();

    // The client has no credentials: the recorder has.
    let device = recorder.device_url();
    let (_, services) = call(&device, DEVICE, "GetServices", "").await;
    assert!(services.contains(&format!(":{}/onvif/media_service", device.port().unwrap())));
    assert!(!services.contains(&format!(":{}/", camera.device_url().port().unwrap())));
    let media = device.join("/onvif/media_service").unwrap();
    let (status, profiles) = call(&media, MEDIA, "GetProfiles", "").await;
    assert_eq!(status, 200, "{profiles}");
    let token = |profile: &str| format!("<ProfileToken>{profile}</ProfileToken>");
    let mut uris = Vec::new();
    for profile in ["main", "sub"] {
        let (_, uri) = call(&media, MEDIA, "GetStreamUri", &format!(
            "<StreamSetup><Stream xmlns='http://www.onvif.org/ver10/schema'>RTP-Unicast</Stream>\
             <Transport xmlns='http://www.onvif.org/ver10/schema'><Protocol>RTSP</Protocol></Transport></StreamSetup>{}",
            token(profile)
        )).await;
        uris.push(value(&uri, "Uri").to_owned());
        call(&media, MEDIA, "GetSnapshotUri", &token(profile)).await;
    }
    assert_eq!(uris[1], camera.stream_url(1).as_str());
    let (status, refused) = call(&media, MEDIA, "GetSnapshotUri", &token("none")).await;
    assert_eq!(status, 400, "{refused}");
    let (_, information) = call(&device, DEVICE, "GetDeviceInformation", "").await;
    let (status, _) = call(
        &device,
        DEVICE,
        "CreateUsers",
        "<User><Username xmlns='http://www.onvif.org/ver10/schema'>eve</Username>\
         <Password xmlns='http://www.onvif.org/ver10/schema'>hunter2</Password>\
         <UserLevel xmlns='http://www.onvif.org/ver10/schema'>User</UserLevel></User>",
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(recorder.recorded(), 9);

    for file in files(&out.path().join("gate")) {
        let text = fs::read_to_string(&file).unwrap();
        for secret in ["hunter2", "Nonce", "PasswordDigest", &camera.serial()] {
            assert!(
                !text.contains(secret),
                "{secret} stands in {}",
                file.display()
            );
        }
    }

    let again = replayed(out.path().join("gate")).await;
    let device = again.device_url();
    let media = device.join("/onvif/media_service").unwrap();
    let (_, services) = call(&device, DEVICE, "GetServices", "").await;
    assert!(services.contains(media.as_str()), "{services}");
    assert_eq!(
        call(&media, MEDIA, "GetProfiles", "").await,
        (200, profiles)
    );
    let (_, uri) = call(&media, MEDIA, "GetSnapshotUri", &token("sub")).await;
    assert_eq!(value(&uri, "Uri"), again.snapshot_url().as_str());
    let (_, uri) = call(&media, MEDIA, "GetStreamUri", &token("sub")).await;
    assert_eq!(value(&uri, "Uri"), again.stream_url(1).as_str());
    let (status, fault) = call(&media, MEDIA, "GetSnapshotUri", &token("none")).await;
    assert_eq!(status, 400, "{fault}");
    let (_, same) = call(&device, DEVICE, "GetDeviceInformation", "").await;
    assert_eq!(value(&same, "Model"), value(&information, "Model"));
    assert_eq!(value(&same, "SerialNumber"), "***");
    let (status, fault) = call(&device, DEVICE, "GetHostname", "").await;
    assert!(
        status == 500 && fault.contains("ActionNotSupported"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_camera_that_knows_tokens_only_is_recorded_too() {
    let camera = VirtualCamera::builder()
        .credentials("admin", "secret")
        .auth(AuthScheme::UsernameToken)
        .start()
        .await
        .unwrap();
    camera.set_clock_offset(-365 * 86_400);
    let out = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(RecorderOptions {
        credentials: Some(("admin".to_owned(), "secret".to_owned())),
        ..RecorderOptions::new(camera.device_url(), out.path())
    });
    let recorder = recorder.await.unwrap();
    let (status, scopes) = call(&recorder.device_url(), DEVICE, "GetScopes", "").await;
    assert_eq!(status, 200, "{scopes}");
    assert_eq!(recorder.recorded(), 1);
    drop(recorder);
    let again = RecorderOptions::new(camera.device_url(), out.path());
    let error = Recorder::start(again).await.unwrap_err();
    assert!(matches!(error, Error::Recording { .. }), "{error}");
}

#[tokio::test]
async fn a_camera_is_recorded_over_https_as_far_as_its_certificate_is_trusted() {
    let start = async |certificate| {
        let camera = VirtualCamera::builder().https(certificate).start();
        camera.await.unwrap()
    };
    let record = async |camera: &VirtualCamera, certificates| {
        let out = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(RecorderOptions {
            certificates,
            ..RecorderOptions::new(camera.device_url(), out.path())
        });
        let recorder = recorder.await?;
        let device = recorder.device_url();
        assert_eq!(device.scheme(), "http");
        let (status, services) = call(&device, DEVICE, "GetServices", "").await;
        if status == 200 {
            let front = format!("http://127.0.0.1:{}/onvif/", device.port().unwrap());
            assert!(services.contains(&front) && !services.contains("https://"));
        }
        Ok::<_, Error>((status, recorder.recorded()))
    };
    let good = start(Certificate::SelfSigned).await;
    let own = || CertificatePolicy::Trust(good.certificate_pem().unwrap().into());
    let none = record(&good, CertificatePolicy::default()).await;
    assert!(none.unwrap_err().to_string().contains("--trust-file"));
    assert_eq!(record(&good, own()).await.unwrap(), (200, 1));

    let other = start(Certificate::Expired).await;
    assert_eq!(record(&other, own()).await.unwrap(), (502, 0));
    let any = CertificatePolicy::AcceptInvalid;
    assert_eq!(record(&other, any).await.unwrap(), (200, 1));
}

#[tokio::test]
async fn events_are_played_once_and_then_there_are_none() {
    let camera = VirtualCamera::builder().start().await.unwrap();
    let out = tempfile::tempdir().unwrap();
    let options = RecorderOptions::new(camera.device_url(), out.path());
    let recorder = Recorder::start(options).await.unwrap();
    let pulled = |device: Url| async move {
        let events = device.join("/onvif/event_service").unwrap();
        let (_, created) = call(&events, EVENTS, "CreatePullPointSubscription", "").await;
        let subscription = Url::parse(value(&created, "Address")).unwrap();
        let pull = "<Timeout>PT0.1S</Timeout><MessageLimit>10</MessageLimit>";
        let (_, first) = call(&subscription, EVENTS, "PullMessages", pull).await;
        let (status, second) = call(&subscription, EVENTS, "PullMessages", pull).await;
        assert_eq!(status, 200, "{second}");
        [first, second].map(|text| text.matches("NotificationMessage>").count() / 2)
    };
    let [first, _] = pulled(recorder.device_url()).await;
    assert!(first > 0);
    let again = replayed(out.path()).await;
    assert_eq!(pulled(again.device_url()).await, [first, 0]);
}

#[tokio::test]
async fn a_folder_without_responses_is_an_error() {
    let out = tempfile::tempdir().unwrap();
    for folder in [out.path().to_owned(), out.path().join("none")] {
        let started = VirtualCamera::builder().replay(folder).start().await;
        assert!(matches!(started, Err(Error::Recording { .. })));
    }
}

#[tokio::test]
async fn captured_responses_of_real_cameras_load_as_cameras() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/onvif/captures");
    if !root.exists() {
        let required = std::env::var_os("REQUIRE_SHARED").is_some();
        assert!(!required, "{} is missing", root.display());
        println!("skipped: there is no {}", root.display());
        return;
    }
    let mut answered = 0;
    for folder in fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if !folder.is_dir() {
            continue;
        }
        let camera = replayed(&folder).await;
        let url = camera.device_url();
        for file in files(&folder) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let Some(operation) = name.strip_suffix("Response.xml") else {
                continue;
            };
            let service = file
                .parent()
                .unwrap()
                .file_name()
                .unwrap()
                .to_str()
                .unwrap();
            let namespace = match service {
                "device_management" => DEVICE,
                "media1" => MEDIA,
                "media2" => MEDIA2,
                "ptz" => PTZ,
                other => panic!("{other} is a new service"),
            };
            let (status, body) = call(&url, namespace, operation, "").await;
            assert_eq!(status, 200, "{} {body}", file.display());
            assert!(body.contains(operation), "{} {body}", file.display());
            for address in addresses(&body) {
                let own = [url.port(), camera.stream_url(0).port()].contains(&address.port());
                assert!(
                    own && address.host_str() == url.host_str(),
                    "{} {address}",
                    file.display()
                );
            }
            if operation == "GetSnapshotUri" {
                let uri = value(&body, "Uri").replace("&amp;", "&");
                let (status, _) = send("GET", &Url::parse(&uri).unwrap(), "").await;
                assert_eq!(status, 200, "{uri}");
            }
            answered += 1;
        }
    }
    println!("{answered} responses");
    assert!(answered > 100);
}

/// All addresses of services, streams and snapshots.
fn addresses(text: &str) -> Vec<Url> {
    let elements = ["XAddr>", "Uri>"];
    let found = elements
        .iter()
        .flat_map(|element| text.split(element).skip(1));
    let texts = found.filter_map(|rest| rest.split('<').next());
    texts
        .filter_map(|text| Url::parse(text.trim()).ok())
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    found
}
