//! The media connector between the virtual camera, a registry folder and a broker in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::{
    Asset, AssetStatus, Authentication, Destination, Device, DeviceEndpoints, DeviceRef,
    InboundEndpoint, Qos, Retain, Stream,
};
use aio_registry::{FileOptions, FileRegistry, MemoryBroker, Message, Mqtt, Secret};
use connector_sdk::{Runtime, RuntimeOptions};
use futures::StreamExt;
use media_connector::MediaConnector;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use virtual_camera::{Certificate, VirtualCamera};

const LIMIT: Duration = Duration::from_secs(30);

struct Bench {
    camera: VirtualCamera,
    registry: FileRegistry,
    broker: MemoryBroker,
    runtime: JoinHandle<()>,
    files: TempDir,
    _folder: TempDir,
}

impl Bench {
    /// A connector that serves one stream of one camera, with these configurations of streams.
    async fn start(password: &str, streams: &[(&str, &str)]) -> Self {
        let streams = streams.iter().map(|(name, configuration)| {
            let mut destination = Destination::mqtt(format!("pictures/{name}"));
            destination.configuration.qos = Some(Qos::AtLeastOnce);
            destination.configuration.retain = Some(Retain::Keep);
            destination.configuration.ttl = Some(60);
            stream(name, configuration, Some(destination))
        });
        Self::run(password, streams.collect(), &[]).await
    }

    /// The same, with these streams and further secrets; files go into the folder `files` of the bench.
    async fn run(password: &str, streams: Vec<Stream>, secrets: &[(&str, &str)]) -> Self {
        Self::run_in(tempfile::tempdir().unwrap(), password, streams, secrets).await
    }

    async fn run_in(
        files: TempDir,
        password: &str,
        streams: Vec<Stream>,
        secrets: &[(&str, &str)],
    ) -> Self {
        let camera = VirtualCamera::builder()
            .credentials("admin", "p@ss:w#?%0X")
            .start()
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let registry = FileRegistry::open(folder.path(), FileOptions::default())
            .await
            .unwrap();
        registry
            .put_secret("gate/username", &Secret::new("admin"))
            .await
            .unwrap();
        registry
            .put_secret("gate/password", &Secret::new(password))
            .await
            .unwrap();
        for (name, value) in secrets {
            registry
                .put_secret(name, &Secret::new(*value))
                .await
                .unwrap();
        }
        registry.put_device("gate", &device(&camera)).await.unwrap();
        registry
            .put_asset("gate-video", &asset(streams))
            .await
            .unwrap();
        let broker = MemoryBroker::new();
        let runtime = Runtime::new(
            MediaConnector::new().storing_below(files.path()),
            Arc::new(registry.clone()),
            Arc::new(broker.client("media-connector")),
            RuntimeOptions::default(),
        );
        Self {
            camera,
            registry,
            broker,
            runtime: tokio::spawn(runtime.run_until(std::future::pending())),
            files,
            _folder: folder,
        }
    }

    async fn next(&self, topic: &str) -> Message {
        let reader = self.broker.client("reader");
        let mut messages = reader.subscribe(topic, Qos::AtLeastOnce).await.unwrap();
        timeout(LIMIT, messages.next()).await.unwrap().unwrap()
    }

    /// Reads a status again until it is as wanted: a folder tells nobody when it changes.
    async fn until<T>(&self, mut ask: impl AsyncFnMut(&FileRegistry) -> Option<T>) -> T {
        let asking = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            loop {
                if let Some(answer) = ask(&self.registry).await {
                    return answer;
                }
                ticks.tick().await;
            }
        };
        timeout(LIMIT, asking).await.unwrap()
    }

    async fn stop(self) {
        self.runtime.abort();
        self.camera.stop().await;
    }
}

fn device(camera: &VirtualCamera) -> Device {
    let endpoint = InboundEndpoint {
        address: camera.stream_url(0).to_string(),
        endpoint_type: "Microsoft.Media".to_owned(),
        authentication: Some(Authentication::username_password(
            "gate/username",
            "gate/password",
        )),
        ..InboundEndpoint::default()
    };
    Device {
        endpoints: Some(DeviceEndpoints {
            inbound: BTreeMap::from([("stream".to_owned(), endpoint)]),
            ..DeviceEndpoints::default()
        }),
        ..Device::default()
    }
}

fn stream(name: &str, configuration: &str, destination: Option<Destination>) -> Stream {
    Stream {
        name: name.to_owned(),
        stream_configuration: Some(configuration.to_owned()),
        destinations: destination.into_iter().collect(),
        ..Stream::default()
    }
}

fn asset(streams: Vec<Stream>) -> Asset {
    Asset {
        device_ref: DeviceRef::new("gate", "stream"),
        streams,
        ..Asset::default()
    }
}

fn stream_error(status: &AssetStatus, name: &str) -> Option<String> {
    let stream = status.streams.iter().find(|stream| stream.name == name)?;
    stream.error.clone()?.message
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_arrive_as_configured() {
    let bench = Bench::start(
        "p@ss:w#?%0X",
        &[
            (
                "jpeg",
                r#"{"taskType":"snapshot-to-mqtt","format":"jpeg","snapshotsPerSecond":2}"#,
            ),
            (
                "png",
                r#"{"taskType":"snapshot-to-mqtt","format":"png","snapshotsPerSecond":0.5}"#,
            ),
        ],
    )
    .await;
    for (topic, content_type) in [
        ("pictures/jpeg", "image/jpeg"),
        ("pictures/png", "image/png"),
    ] {
        let message = bench.next(topic).await;
        assert_eq!(
            message.properties.content_type.as_deref(),
            Some(content_type)
        );
        assert_eq!(
            message.properties.message_expiry,
            Some(Duration::from_secs(60))
        );
        assert_eq!(message.properties.user("type"), Some("Stream"));
        let picture = image::load_from_memory(&message.payload).unwrap();
        assert_eq!((picture.width(), picture.height()), (1280, 720), "{topic}");
    }
    assert!(
        bench.next("pictures/jpeg").await.retain,
        "retain: Keep is honoured"
    );
    assert_eq!(
        bench.camera.observed().rtsp_sessions,
        1,
        "one session, however many tasks"
    );
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_cannot_be_served_says_so_and_the_others_run_on() {
    let snapshots = r#"{"taskType":"snapshot-to-mqtt"}"#;
    let bench = Bench::run(
        "p@ss:w#?%0X",
        vec![
            stream("good", snapshots, Some(Destination::mqtt("pictures/good"))),
            stream(
                "wrong",
                r#"{"taskType":"snapshot-to-mqtt","snapshotsPerSecond":"often"}"#,
                None,
            ),
            stream("stored", snapshots, Some(Destination::storage("pictures"))),
            stream(
                "sent",
                r#"{"taskType":"clip-to-fs"}"#,
                Some(Destination::mqtt("clips")),
            ),
            stream(
                "outside",
                r#"{"taskType":"snapshot-to-fs","path":"../etc"}"#,
                None,
            ),
            stream(
                "webm",
                r#"{"taskType":"clip-to-fs","format":"webm"}"#,
                Some(Destination::storage("clips")),
            ),
            stream(
                "secretless",
                r#"{"taskType":"stream-to-rtsp","mediaServerUsernameRef":"media/user","mediaServerPasswordRef":"media/password"}"#,
                Some(Destination::storage("127.0.0.1")),
            ),
        ],
        &[("media/user", "publisher")],
    )
    .await;
    bench.next("pictures/good").await;
    for (name, message) in [
        (
            "wrong",
            "streamConfiguration.snapshotsPerSecond: invalid type",
        ),
        (
            "stored",
            "destinations[0].target: snapshot-to-mqtt sends to Mqtt alone",
        ),
        (
            "sent",
            "destinations[0].target: this task does not send to Mqtt; Storage is its target",
        ),
        (
            "outside",
            "streamConfiguration.path: \"../etc\" is not below ",
        ),
        (
            "webm",
            "streamConfiguration.format: webm files cannot hold H.264 without decoding and encoding it again; these can: mp4, mkv",
        ),
        (
            "secretless",
            "streamConfiguration.mediaServerPasswordRef: the secret \"media/password\" cannot be read",
        ),
    ] {
        let said = bench
            .until(async |registry| {
                let status = registry.asset_status("gate-video").await.unwrap()?;
                stream_error(&status, name)
            })
            .await;
        assert!(said.starts_with(message), "{name}: {said}");
    }
    let status = bench.registry.asset_status("gate-video").await.unwrap();
    assert_eq!(stream_error(&status.unwrap(), "good"), None);
    bench.stop().await;
}

/// The whole files below a folder with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let whole = paths.filter(|path| path.extension().is_some_and(|found| found == ending));
    let mut whole: Vec<_> = whole.collect();
    whole.sort();
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_and_clips_become_files() {
    let bench = Bench::run(
        "p@ss:w#?%0X",
        vec![
            stream(
                "png",
                r#"{"taskType":"snapshot-to-fs","snapshotsPerSecond":2}"#,
                None,
            ),
            stream(
                "jpeg",
                r#"{"taskType":"snapshot-to-fs","format":"jpeg","path":"not/this"}"#,
                Some(Destination::storage("gate/stills")),
            ),
            stream(
                "clips",
                r#"{"taskType":"clip-to-fs","duration":1,"path":"gate/clips"}"#,
                None,
            ),
            stream(
                "mp4",
                r#"{"taskType":"clip-to-fs","format":"mp4","duration":1}"#,
                Some(Destination::storage("gate/mp4")),
            ),
        ],
        &[],
    )
    .await;
    let root = bench.files.path().to_owned();
    for (folder, ending) in [
        ("azure-iot-operations/data/gate-video", "png"),
        ("gate/stills", "jpeg"),
    ] {
        let folder = root.join(folder);
        let pictures = bench
            .until(async |_| Some(files(&folder, ending)).filter(|files| files.len() > 1))
            .await;
        let name = pictures[0].file_stem().unwrap().to_str().unwrap();
        assert_eq!(
            (name.len(), &name[8..9], &name[19..]),
            (20, "T", "Z"),
            "{name}"
        );
        let picture = image::open(&pictures[0]).unwrap();
        assert_eq!((picture.width(), picture.height()), (1280, 720));
    }
    for (folder, ending, start) in [
        ("gate/clips", "mkv", &[0x1a, 0x45, 0xdf, 0xa3][..]),
        ("gate/mp4", "mp4", &[0, 0, 0]),
    ] {
        let folder = root.join(folder);
        let clips = bench
            .until(async |_| Some(files(&folder, ending)).filter(|files| files.len() > 1))
            .await;
        assert!(std::fs::read(&clips[0]).unwrap().starts_with(start));
    }
    assert_eq!(bench.camera.observed().rtsp_sessions, 1);
    assert!(!root.join("not").exists());
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_published_to_a_media_server() {
    let server = VirtualCamera::builder()
        .https(Certificate::SelfSigned)
        .credentials("publisher", "s3cret")
        .start()
        .await
        .unwrap();
    let address = server.stream_url(0).socket_addrs(|| None).unwrap()[0];
    let (host, port) = (address.ip(), address.port());
    let login =
        r#""mediaServerUsernameRef":"media/user","mediaServerPasswordRef":"media/password""#;
    let bench = Bench::run(
        "p@ss:w#?%0X",
        vec![
            stream(
                "plain",
                &format!(
                    r#"{{"taskType":"stream-to-rtsp","mediaServerAddress":"{host}","mediaServerPort":{port},{login}}}"#
                ),
                None,
            ),
            stream(
                "secure",
                &format!(
                    r#"{{"taskType":"stream-to-rtsps","mediaServerPort":{port},"mediaServerPath":"secure/gate","mediaServerCertificateRef":"media/ca",{login}}}"#
                ),
                Some(Destination::storage(host.to_string())),
            ),
            stream(
                "untrusted",
                &format!(r#"{{"taskType":"stream-to-rtsps","mediaServerAddress":"{host}","mediaServerPort":{port},{login}}}"#),
                None,
            ),
        ],
        &[
            ("media/user", "publisher"),
            ("media/password", "s3cret"),
            ("media/ca", server.certificate_pem().unwrap()),
        ],
    )
    .await;
    for path in ["/azure-iot-operations/data/gate-video", "/secure/gate"] {
        bench
            .until(async |_| {
                let recordings = server.recordings();
                let recording = recordings.iter().find(|it| it.path == path)?;
                (recording.tracks[0].packets.len() > 20).then_some(())
            })
            .await;
    }
    let said = bench
        .until(async |registry| {
            let status = registry.asset_status("gate-video").await.unwrap()?;
            stream_error(&status, "untrusted")
        })
        .await;
    assert!(said.contains("cannot agree on TLS"), "{said}");
    assert_eq!(server.observed().authentication_failures, 0);
    bench.stop().await;
    // Whoever ends takes its sessions along.
    let ended = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while server.observed().rtsp_sessions > 0 {
            ticks.tick().await;
        }
    };
    timeout(LIMIT, ended).await.unwrap();
}

/// The disk is a small tmpfs, which only root can mount.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_files_with_a_reason_and_snapshots_over_mqtt_go_on() {
    let disk = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
        .arg(disk.path())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a tmpfs cannot be mounted");
        return;
    }
    let path = disk.path().to_owned();
    let snapshots = r#"{"taskType":"snapshot-to-mqtt","snapshotsPerSecond":2}"#;
    let bench = Bench::run_in(
        disk,
        "p@ss:w#?%0X",
        vec![
            stream("live", snapshots, Some(Destination::mqtt("pictures/live"))),
            stream("clips", r#"{"taskType":"clip-to-fs","duration":1}"#, None),
            stream("stills", r#"{"taskType":"snapshot-to-fs"}"#, None),
        ],
        &[],
    )
    .await;
    for name in ["clips", "stills"] {
        let said = bench
            .until(async |registry| {
                let status = registry.asset_status("gate-video").await.unwrap()?;
                stream_error(&status, name)
            })
            .await;
        assert!(
            said.contains("bytes are free, 268435456 are to be left free"),
            "{name}: {said}"
        );
    }
    for _ in 0..3 {
        bench.next("pictures/live").await;
    }
    let folder = path.join("azure-iot-operations/data/gate-video");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    bench.stop().await;
    let unmounted = std::process::Command::new("umount")
        .arg("-l")
        .arg(&path)
        .status();
    assert!(unmounted.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_one_clear_error_and_no_storm() {
    let bench = Bench::start("wrong", &[("snap", r#"{"taskType":"snapshot-to-mqtt"}"#)]).await;
    let error = bench
        .until(async |registry| {
            let mut endpoints = registry.device_status("gate").await.unwrap()?.endpoints?;
            endpoints.inbound.remove("stream")?.error
        })
        .await;
    assert_eq!(error.code.as_deref(), Some("Unauthorized"));
    let observed = bench.camera.observed();
    // With SHA-256, and once with MD5, for cameras that offer what they cannot do.
    assert_eq!(observed.authentication_failures, 2, "{observed:?}");
    bench.stop().await;
}
