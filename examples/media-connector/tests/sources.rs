//! Which address and which options lead to pictures, and which to an error in the status.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::{
    Asset, Authentication, Destination, Device, DeviceEndpoints, DeviceRef, InboundEndpoint, Qos,
    Retain, Stream,
};
use aio_registry::{FileOptions, FileRegistry, MemoryBroker, Mqtt, Secret};
use connector_sdk::{Runtime, RuntimeOptions};
use futures::StreamExt as _;
use media_connector::MediaConnector;
use tokio::time::timeout;
use virtual_camera::{Certificate, VirtualCamera};

const LIMIT: Duration = Duration::from_secs(30);

async fn camera(secure: bool) -> VirtualCamera {
    let mut builder = VirtualCamera::builder().credentials("admin", "secret");
    if secure {
        builder = builder.https(Certificate::SelfSigned);
    }
    builder.start().await.unwrap()
}

/// The first picture of an endpoint with this address and `additionalConfiguration`, or what its status says is wrong.
async fn picture(address: &str, configuration: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let registry = FileRegistry::open(folder.path(), FileOptions::default())
        .await
        .unwrap();
    for (name, value) in [("gate/username", "admin"), ("gate/password", "secret")] {
        registry
            .put_secret(name, &Secret::new(value))
            .await
            .unwrap();
    }
    let endpoint = InboundEndpoint {
        address: address.to_owned(),
        endpoint_type: "Microsoft.Media".to_owned(),
        additional_configuration: Some(configuration.to_owned()),
        authentication: Some(Authentication::username_password(
            "gate/username",
            "gate/password",
        )),
        ..InboundEndpoint::default()
    };
    let device = Device {
        endpoints: Some(DeviceEndpoints {
            inbound: BTreeMap::from([("stream".to_owned(), endpoint)]),
            ..DeviceEndpoints::default()
        }),
        ..Device::default()
    };
    registry.put_device("gate", &device).await.unwrap();
    let mut destination = Destination::mqtt("pictures");
    destination.configuration.qos = Some(Qos::AtLeastOnce);
    destination.configuration.retain = Some(Retain::Keep);
    let stream = Stream {
        name: "snap".to_owned(),
        stream_configuration: Some(r#"{"taskType":"snapshot-to-mqtt"}"#.to_owned()),
        destinations: vec![destination],
        ..Stream::default()
    };
    let asset = Asset {
        device_ref: DeviceRef::new("gate", "stream"),
        streams: vec![stream],
        ..Asset::default()
    };
    registry.put_asset("gate-video", &asset).await.unwrap();
    let broker = MemoryBroker::new();
    let runtime = Runtime::new(
        MediaConnector::new(),
        Arc::new(registry.clone()),
        Arc::new(broker.client("media-connector")),
        RuntimeOptions::default(),
    );
    let runtime = tokio::spawn(runtime.run_until(std::future::pending()));
    let reader = broker.client("reader");
    let mut messages = reader
        .subscribe("pictures", Qos::AtLeastOnce)
        .await
        .unwrap();
    let refused = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let status = registry.device_status("gate").await.unwrap_or_default();
            let endpoints = status.and_then(|status| status.endpoints);
            let endpoint = endpoints.and_then(|it| it.inbound.get("stream").cloned());
            if let Some(error) = endpoint.and_then(|endpoint| endpoint.error) {
                return error.message.unwrap_or_default();
            }
        }
    };
    let outcome = async {
        tokio::select! {
            message = messages.next() => Ok(message.unwrap().payload.to_vec()),
            error = refused => Err(error),
        }
    };
    let outcome = timeout(LIMIT, outcome).await.unwrap();
    runtime.abort();
    outcome
}

async fn is_picture(address: &str, configuration: &str, size: (u32, u32)) {
    let data = picture(address, configuration).await;
    let picture = image::load_from_memory(&data.unwrap()).unwrap();
    assert_eq!(
        (picture.width(), picture.height()),
        size,
        "{address} {configuration}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_address_leads_to_pictures() {
    let camera = camera(false).await;
    let (stream, still) = (camera.stream_url(0), camera.snapshot_url());
    let plain = [
        (stream.to_string(), "{}"),
        (stream.to_string(), r#"{"transport":"udp"}"#),
        (stream.to_string(), r#"{"transport":"http"}"#),
        (camera.tunnel_url(0).to_string(), r#"{"transport":"http"}"#),
        (still.to_string(), "{}"),
    ];
    for (address, configuration) in plain {
        is_picture(&address, configuration, (1280, 720)).await;
    }
    let mjpeg = camera.mjpeg_url().to_string();
    is_picture(&mjpeg, "{}", (384, 216)).await;
    is_picture(&mjpeg, r#"{"captureMethod":"stream"}"#, (384, 216)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_whose_certificate_is_its_own_is_trusted_on_demand_alone() {
    let camera = camera(true).await;
    let stream = camera.stream_url(0).to_string();
    let blind = r#"{"acceptInvalidCertificates":true}"#;
    let tunnelled = r#"{"acceptInvalidCertificates":true,"transport":"http"}"#;
    let secure = camera.secure_stream_url(0).unwrap().to_string();
    is_picture(&secure, blind, (1280, 720)).await;
    is_picture(&stream.replacen("rtsp", "rtsps", 1), tunnelled, (1280, 720)).await;
    is_picture(camera.snapshot_url().as_str(), blind, (1280, 720)).await;
    let error = picture(&secure, "{}").await.unwrap_err();
    assert!(error.contains("nobody trusted"), "{error}");
    let pin = format!(r#"{{"pinnedKey":"sha256/{}="}}"#, "A".repeat(43));
    let error = picture(&secure, &pin).await.unwrap_err();
    assert!(error.contains("pin sha256/"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_come_from_where_the_endpoint_says() {
    let camera = camera(false).await;
    let address = camera.stream_url(0).to_string();
    let with = |capture: &str| {
        let uri = camera.snapshot_url();
        format!(r#"{{"snapshotUri":"{uri}","captureMethod":"{capture}"}}"#)
    };
    picture(&address, &with("stream")).await.unwrap();
    assert_eq!(camera.observed().snapshots, 0);
    picture(&address, &with("auto")).await.unwrap();
    assert!(camera.observed().snapshots > 0);
    // The stream is not needed.
    picture("rtsp://127.0.0.1:1/none", &with("snapshot-uri"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_said() {
    for (address, configuration, message) in [
        (
            "rtsp://192.0.2.7/a",
            r#"{"captureMethod":"snapshot-uri"}"#,
            "there is no snapshotUri",
        ),
        (
            "rtsp://192.0.2.7/a",
            r#"{"transport":"carrier-pigeon"}"#,
            "transport",
        ),
        (
            "rtsp://192.0.2.7/a",
            r#"{"transports":"udp"}"#,
            "unknown field `transports`",
        ),
        (
            "rtsps://192.0.2.7/a",
            r#"{"transport":"udp"}"#,
            "transport must be Tcp",
        ),
        ("rtsp://192.0.2.7/a", r#"{"pinnedKey":"no"}"#, "pinnedKey"),
        (
            "rtsp://192.0.2.7/a",
            r#"{"snapshotUri":"no"}"#,
            "snapshotUri",
        ),
        ("ftp://192.0.2.7/a", "{}", "only the schemes"),
    ] {
        let error = picture(address, configuration).await.unwrap_err();
        assert!(error.contains(message), "{configuration}: {error}");
    }
}
