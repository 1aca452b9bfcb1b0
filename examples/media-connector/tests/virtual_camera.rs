//! The media connector between the virtual camera, a registry folder and a broker in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
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
use virtual_camera::VirtualCamera;

const LIMIT: Duration = Duration::from_secs(30);

struct Bench {
    camera: VirtualCamera,
    registry: FileRegistry,
    broker: MemoryBroker,
    runtime: JoinHandle<()>,
    _folder: TempDir,
}

impl Bench {
    /// A connector that serves one stream of one camera, with these configurations of streams.
    async fn start(password: &str, streams: &[(&str, &str)]) -> Self {
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
        registry.put_device("gate", &device(&camera)).await.unwrap();
        registry
            .put_asset("gate-video", &asset(streams))
            .await
            .unwrap();
        let broker = MemoryBroker::new();
        let runtime = Runtime::new(
            MediaConnector::new(),
            Arc::new(registry.clone()),
            Arc::new(broker.client("media-connector")),
            RuntimeOptions::default(),
        );
        Self {
            camera,
            registry,
            broker,
            runtime: tokio::spawn(runtime.run_until(std::future::pending())),
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

fn asset(streams: &[(&str, &str)]) -> Asset {
    let streams = streams.iter().map(|(name, configuration)| {
        let mut destination = Destination::mqtt(format!("pictures/{name}"));
        destination.configuration.qos = Some(Qos::AtLeastOnce);
        destination.configuration.retain = Some(Retain::Keep);
        destination.configuration.ttl = Some(60);
        Stream {
            name: (*name).to_owned(),
            stream_configuration: Some((*configuration).to_owned()),
            destinations: vec![destination],
            ..Stream::default()
        }
    });
    Asset {
        device_ref: DeviceRef {
            device_name: "gate".to_owned(),
            endpoint_name: "stream".to_owned(),
        },
        streams: streams.collect(),
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
async fn a_task_that_is_not_served_says_so_and_the_others_run_on() {
    let bench = Bench::start(
        "p@ss:w#?%0X",
        &[
            ("clip", r#"{"taskType":"clip-to-fs","duration":30}"#),
            ("good", r#"{"taskType":"snapshot-to-mqtt"}"#),
            (
                "wrong",
                r#"{"taskType":"snapshot-to-mqtt","snapshotsPerSecond":"often"}"#,
            ),
        ],
    )
    .await;
    bench.next("pictures/good").await;
    let status = bench
        .until(async |registry| {
            let status = registry.asset_status("gate-video").await.unwrap()?;
            (stream_error(&status, "clip").is_some() && stream_error(&status, "wrong").is_some())
                .then_some(status)
        })
        .await;
    assert_eq!(
        stream_error(&status, "clip").unwrap(),
        "streamConfiguration.taskType: clip-to-fs is not served by this version; snapshot-to-mqtt is"
    );
    let wrong = stream_error(&status, "wrong").unwrap();
    assert!(
        wrong.starts_with("streamConfiguration.snapshotsPerSecond: invalid type"),
        "{wrong}"
    );
    assert_eq!(stream_error(&status, "good"), None);
    bench.stop().await;
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
