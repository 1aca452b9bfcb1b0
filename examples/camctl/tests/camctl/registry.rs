//! `camctl registry` on a folder.

use std::path::Path;
#[cfg(unix)]
use std::{sync::Arc, time::Duration};

#[cfg(unix)]
use aio_registry::{AdrOptions, AdrRegistry, EndpointRef, MqttOptions, MqttSession, Registry};
#[cfg(unix)]
use futures::StreamExt;
use serde_json::{Value, json};

use crate::running::{Outcome, Program};

const DEVICE: &str = "apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: Device
metadata: {name: cam1}
spec:
  endpoints:
    inbound:
      onvif_0: {endpointType: Microsoft.Onvif, address: 'http://10.0.0.5/onvif/device_service'}
";

const ASSET: &str = "apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: Asset
metadata: {name: cam1-onvif}
spec:
  deviceRef: {deviceName: cam1, endpointName: onvif_0}
";

fn program(folder: &Path, args: &[&str]) -> Program {
    Program::new(&[&["registry"], args].concat(), folder)
}

async fn text(folder: &Path, args: &[&str]) -> String {
    program(folder, args).run().await.success()
}

async fn json(folder: &Path, args: &[&str]) -> Value {
    let text = text(folder, &[args, &["--json"]].concat()).await;
    serde_json::from_str(&text).unwrap()
}

fn failure(outcome: Outcome) -> String {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    outcome.stderr
}

#[tokio::test]
async fn applies_lists_shows_and_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("all.yaml"), format!("{DEVICE}---\n{ASSET}")).unwrap();

    let dry = text(
        folder,
        &["apply", "-f", "all.yaml", "--dry-run", "--folder", "."],
    )
    .await;
    assert!(dry.contains("cam1-onvif  unchanged"), "{dry}");
    let missing = failure(program(folder, &["devices"]).run().await);
    assert!(missing.contains("there is no folder registry"), "{missing}");

    let created = json(folder, &["apply", "-f", "all.yaml"]).await;
    let change = |kind: &str, name: &str, change: &str| json!({"kind": kind, "name": name, "change": change});
    assert_eq!(
        created,
        json!({"dryRun": false, "changes": [change("Device", "cam1", "created"), change("Asset", "cam1-onvif", "created")]})
    );
    let again = json(folder, &["apply", "-f", "."]).await;
    assert_eq!(again["changes"][0]["change"], "unchanged");

    let devices = text(folder, &["devices"]).await;
    assert!(
        devices.contains("cam1  yes      onvif_0=http://10.0.0.5/onvif/device_service"),
        "{devices}"
    );
    let assets = json(folder, &["assets", "--device", "cam1"]).await;
    assert_eq!(assets[0]["name"], "cam1-onvif");
    assert_eq!(
        json(folder, &["assets", "--device", "cam2"]).await,
        json!([])
    );
    let device = json(folder, &["devices", "cam1"]).await;
    assert_eq!(
        device["endpoints"]["inbound"]["onvif_0"]["endpointType"],
        "Microsoft.Onvif"
    );
    let status = json(folder, &["status", "cam1"]).await;
    assert_eq!(
        status,
        json!([{"kind": "Device", "name": "cam1", "state": "unknown"}])
    );

    let dry = text(folder, &["delete", "device", "cam1", "--dry-run"]).await;
    assert!(dry.contains("deleted (dry run)"), "{dry}");
    text(folder, &["delete", "device", "cam1"]).await;
    assert_eq!(json(folder, &["devices"]).await, json!([]));
    let gone = failure(program(folder, &["delete", "device", "cam1"]).run().await);
    assert!(gone.contains("there is no device \"cam1\""), "{gone}");
    let status = json(folder, &["status"]).await;
    assert_eq!(status[0]["code"], "DeviceNotFound");
}

#[tokio::test]
async fn a_bad_manifest_is_named_with_line_and_field_and_nothing_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("good.yaml"), DEVICE).unwrap();
    let bad = ASSET.replace("deviceName: cam1", "deviceName: [cam1]");
    std::fs::write(folder.join("worse.yaml"), format!("{ASSET}---\n{bad}")).unwrap();
    let refused = program(folder, &["apply", "-f", "good.yaml", "-f", "worse.yaml"]);
    let refused = failure(refused.run().await);
    for part in ["worse.yaml", "line 11", "spec.deviceRef.deviceName"] {
        assert!(refused.contains(part), "{refused}");
    }
    assert_eq!(json(folder, &["devices"]).await, json!([]));
}

#[tokio::test]
async fn imports_what_was_discovered_with_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let found = folder.join("registry/discovered/device");
    std::fs::create_dir_all(&found).unwrap();
    let document = DEVICE.replace("kind: Device", "kind: DiscoveredDevice");
    std::fs::write(found.join("cam1.yaml"), document).unwrap();
    let listed = json(folder, &["discovered"]).await;
    assert_eq!(
        listed,
        json!([{"kind": "Device", "name": "cam1", "imported": false}])
    );

    let import = [
        "import",
        "device",
        "cam1",
        "--user-ref",
        "cam1/username",
        "--pass-ref",
        "cam1/password",
    ];
    let dry = json(folder, &[&import[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry["dryRun"], true);
    assert_eq!(json(folder, &["devices"]).await, json!([]));
    text(folder, &import).await;
    let device = json(folder, &["devices", "cam1"]).await;
    assert_eq!(
        device["endpoints"]["inbound"]["onvif_0"]["authentication"]["usernamePasswordCredentials"],
        json!({"usernameSecretName": "cam1/username", "passwordSecretName": "cam1/password"})
    );
    let twice = failure(program(folder, &import).run().await);
    assert!(twice.contains("exists already"), "{twice}");
    assert_eq!(json(folder, &["discovered"]).await[0]["imported"], true);
}

/// An MQTT broker on a port that was free a moment ago.
#[cfg(unix)]
fn broker() -> u16 {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port.local_addr().unwrap().port();
    let config = json!({
        "id": 0,
        "router": {
            "id": 0, "max_connections": 100, "max_outgoing_packet_count": 200,
            "max_segment_size": 104_857_600, "max_segment_count": 10
        },
        "v5": {"1": {
            "name": "v5-1", "listen": format!("127.0.0.1:{port}"), "next_connection_delay_ms": 1,
            "connections": {
                "connection_timeout_ms": 60_000, "max_payload_size": 20_000_000, "max_inflight_count": 100,
                "dynamic_filters": true
            }
        }}
    });
    let config = serde_json::from_value(config).unwrap();
    std::thread::spawn(move || rumqttd::Broker::new(config).start().unwrap());
    port
}

#[cfg(unix)]
#[tokio::test]
async fn serves_the_folder_to_a_connector_on_a_broker() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("all.yaml"), format!("{DEVICE}---\n{ASSET}")).unwrap();
    text(folder, &["apply", "-f", "all.yaml"]).await;
    let url = format!("mqtt://127.0.0.1:{}", broker());
    let serve = ["serve", "--broker", &url, "--allocations", "names"];
    let mut served = program(folder, &serve).start();
    assert_eq!(served.line().await, "serving registry at 127.0.0.1");

    let options = MqttOptions::new(url.parse().unwrap(), "connector-0");
    let session = Arc::new(MqttSession::connect(options).await.unwrap());
    let options = AdrOptions {
        allocations: folder.join("names"),
        ..AdrOptions::default()
    };
    let registry = AdrRegistry::start(session, options).await.unwrap();
    let mut desired = registry.watch("Microsoft.Onvif");
    let seen = async {
        loop {
            let desired = desired.next().await.unwrap();
            if let [endpoint] = &desired.endpoints[..]
                && !endpoint.assets.is_empty()
            {
                return endpoint.clone();
            }
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(30), seen)
        .await
        .unwrap();
    assert_eq!(seen.endpoint, EndpointRef::new("cam1", "onvif_0"));
    let reported = registry.report_asset_status("cam1-onvif", Default::default());
    reported.await.unwrap();
    served.interrupt();
    served.outcome().await.success();
    let status = json(folder, &["status", "cam1-onvif"]).await;
    assert_eq!(status[0]["state"], "ok");
}
