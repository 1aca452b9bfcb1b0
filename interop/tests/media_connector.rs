//! `media-connector` between GStreamer's RTSP server and Mosquitto.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use interop::{
    GSTREAMER, MOSQUITTO, Process, free_port, gstreamer, installed, mosquitto, output, program,
    until, write_registry,
};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
const TOPIC: &str = "factory/gate/snapshot";

fn device(rtsp: u16, authentication: &str) -> String {
    format!(
        r#"
apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: Device
metadata: {{name: gate, namespace: azure-iot-operations}}
spec:
  enabled: true
  endpoints:
    inbound:
      stream-0: {{endpointType: Microsoft.Media, address: "rtsp://127.0.0.1:{rtsp}/cam", authentication: {authentication}}}
"#
    )
}

const ASSET: &str = r#"
apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: Asset
metadata: {name: gate-video, namespace: azure-iot-operations}
spec:
  enabled: true
  deviceRef: {deviceName: gate, endpointName: stream-0}
  streams:
    - name: snap
      streamConfiguration: '{"taskType":"snapshot-to-mqtt","format":"jpeg","snapshotsPerSecond":2}'
      destinations:
        - {target: Mqtt, configuration: {topic: factory/gate/snapshot, qos: Qos1, retain: Never, ttl: 30}}
"#;

const ANONYMOUS: &str = "{method: Anonymous}";
const WITH_PASSWORD: &str = "{method: UsernamePassword, usernamePasswordCredentials: \
     {usernameSecretName: gate/username, passwordSecretName: gate/password}}";

fn media_connector(registry: &Path, broker: u16) -> Process {
    Process::start(
        Command::new(program("media-connector"))
            .arg("--registry")
            .arg(registry)
            .args(["--broker", &format!("mqtt://127.0.0.1:{broker}")]),
    )
}

/// The next snapshot, as a consumer receives it. Asks again until the limit, because the broker itself may be away.
fn next_snapshot(broker: u16) -> Vec<u8> {
    until("snapshot", Duration::from_secs(90), || {
        let mut command = Command::new("mosquitto_sub");
        let port = broker.to_string();
        command.args([
            "-V",
            "5",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-t",
            TOPIC,
            "-C",
            "1",
            "-F",
            "%p",
        ]);
        output(&mut command, Duration::from_secs(20))
    })
}

fn assert_is_the_streams_size(picture: &[u8]) {
    let picture = image::load_from_memory_with_format(picture, image::ImageFormat::Jpeg).unwrap();
    assert_eq!((picture.width(), picture.height()), (WIDTH, HEIGHT));
}

#[test]
fn snapshots_reach_mosquitto_and_go_on_after_broker_and_camera_restart() {
    if !installed(&[MOSQUITTO, GSTREAMER]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    let (broker_port, rtsp_port) = (free_port(), free_port());
    write_registry(
        &registry,
        &[
            ("gate", &device(rtsp_port, ANONYMOUS)),
            ("gate-video", ASSET),
        ],
        &[],
    );
    let broker = mosquitto(folder.path(), broker_port);
    let camera = gstreamer(rtsp_port, WIDTH, HEIGHT, None);
    let _connector = media_connector(&registry, broker_port);

    assert_is_the_streams_size(&next_snapshot(broker_port));

    drop(broker);
    let broker = mosquitto(folder.path(), broker_port);
    assert_is_the_streams_size(&next_snapshot(broker_port));

    drop(camera);
    let _camera = gstreamer(rtsp_port, WIDTH, HEIGHT, None);
    assert_is_the_streams_size(&next_snapshot(broker_port));
    drop(broker);
}

#[test]
fn a_camera_with_digest_gets_the_password_and_a_wrong_one_is_said_in_the_status() {
    if !installed(&[MOSQUITTO, GSTREAMER]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    let (broker_port, rtsp_port) = (free_port(), free_port());
    let manifests: &[(&str, &str)] = &[
        ("gate", &device(rtsp_port, WITH_PASSWORD)),
        ("gate-video", ASSET),
    ];
    let _broker = mosquitto(folder.path(), broker_port);
    let _camera = gstreamer(rtsp_port, WIDTH, HEIGHT, Some(("viewer", "p@ss:w#?%0X")));

    write_registry(
        &registry,
        manifests,
        &[("gate/username", "viewer"), ("gate/password", "wrong")],
    );
    let connector = media_connector(&registry, broker_port);
    let status = registry.join("status/device/gate.yaml");
    let said = until("refusal in the status", Duration::from_secs(60), || {
        let text = fs::read_to_string(&status).ok()?;
        text.contains("Unauthorized").then_some(text)
    });
    assert!(!said.contains("wrong"), "no secret in a status: {said}");
    drop(connector);

    write_registry(&registry, manifests, &[("gate/password", "p@ss:w#?%0X")]);
    let _connector = media_connector(&registry, broker_port);
    assert_is_the_streams_size(&next_snapshot(broker_port));
}
