//! `onvif-connector` between oxvif's mock camera and Mosquitto, with `mosquitto_rr` as the operator.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use interop::{
    MOSQUITTO, Process, free_port, installed, mosquitto, output, program, until, write_registry,
};
use oxvif::mock::MockServer;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

fn device(url: &str) -> String {
    format!(
        r#"
apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: Device
metadata: {{name: gate, namespace: azure-iot-operations}}
spec:
  enabled: true
  endpoints:
    inbound:
      onvif:
        endpointType: Microsoft.Onvif
        address: "{url}"
        additionalConfiguration: '{{"fallbackToUsernameTokenAuth":true}}'
        authentication: {{method: UsernamePassword, usernamePasswordCredentials: {{usernameSecretName: gate/username, passwordSecretName: gate/password}}}}
"#
    )
}

const ASSET: &str = r#"
apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: Asset
metadata: {name: gate-onvif, namespace: azure-iot-operations}
spec:
  enabled: true
  deviceRef: {deviceName: gate, endpointName: onvif}
  eventGroups:
    - name: VideoSource
      events:
        - name: motion
          dataSource: "tns1:VideoSource//.|tns1:RuleEngine//."
          destinations:
            - {target: Mqtt, configuration: {topic: factory/gate/motion, qos: Qos1, retain: Never, ttl: 60}}
  managementGroups:
    - name: PTZ
      actions:
        - {name: GetStatus, actionType: Call, targetUri: "http://www.onvif.org/ver20/ptz/wsdl/GetStatus",
           topic: azure-iot-operations/asset-operations/gate-onvif/PTZ/GetStatus}
"#;

struct Operator {
    port: String,
    asked: AtomicU64,
}

impl Operator {
    /// What `mosquitto_rr` prints for a request: user properties, then the payload.
    fn ask(&self, topic: &str, body: &str) -> Option<(String, String)> {
        // The same request twice is answered once: each has its own correlation.
        let correlation = format!("{:016}", self.asked.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new("mosquitto_rr");
        command
            .args([
                "-V",
                "5",
                "-h",
                "127.0.0.1",
                "-p",
                &self.port,
                "-q",
                "1",
                "-W",
                "5",
            ])
            .args(["-t", topic, "-e", "clients/operator/answers", "-m", body])
            .args(["-D", "publish", "correlation-data", &correlation])
            .args(["-D", "publish", "message-expiry-interval", "10"])
            .args(["-D", "publish", "content-type", "application/json"])
            .args(["-F", "%D %P\n%p"]);
        let printed = String::from_utf8(output(&mut command, Duration::from_secs(10))?).unwrap();
        let (properties, payload) = printed.split_once('\n')?;
        assert!(
            properties.starts_with(&correlation),
            "correlation data comes back: {properties}"
        );
        Some((properties.to_owned(), payload.trim_end().to_owned()))
    }

    /// The answer to a classic command, asked for until the connector is there.
    fn command(&self, name: &str, body: &str) -> Value {
        let topic = format!("azure-iot-operations/mrpc/gate-onvif/{name}");
        let (properties, payload) = until(name, LIMIT, || self.ask(&topic, body));
        assert!(properties.contains("__stat:200"), "{properties}");
        serde_json::from_str(&payload).unwrap()
    }
}

fn connector(registry: &Path, broker: u16) -> Process {
    Process::start(
        Command::new(program("onvif-connector"))
            .arg("--registry")
            .arg(registry)
            .args(["--broker", &format!("mqtt://127.0.0.1:{broker}")]),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_moves_oxvifs_camera_through_mosquitto() {
    if !installed(&[MOSQUITTO]) {
        return;
    }
    let camera = MockServer::builder()
        .port(free_port())
        .enforce_auth(true)
        .start()
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    let port = free_port();
    write_registry(
        &registry,
        &[
            ("gate", &device(camera.device_url())),
            ("gate-onvif", ASSET),
        ],
        &[("gate/username", "admin"), ("gate/password", "admin")],
    );
    let _broker = mosquitto(folder.path(), port);
    let _connector = connector(&registry, port);
    let operator = Operator {
        port: port.to_string(),
        asked: AtomicU64::new(0),
    };

    let profiles = operator.command("GetProfiles", "");
    let token = profiles["Result"]["Profiles"][0]["token"]
        .as_str()
        .unwrap()
        .to_owned();

    let status = |operator: &Operator| {
        let answer = operator.command(
            "GetStatus",
            &json!({ "GetStatus": { "ProfileToken": token } }).to_string(),
        );
        let pan = &answer["Result"]["PTZStatus"]["Position"]["PanTilt"]["x"];
        pan.as_f64().unwrap_or_else(|| panic!("{answer}"))
    };
    let before = status(&operator);
    let body = json!({ "RelativeMove": { "ProfileToken": token, "Translation": { "PanTilt": { "x": 0.2, "y": 0.0 } } } });
    assert_eq!(
        operator.command("RelativeMove", &body.to_string()),
        json!({ "Result": {} })
    );
    until("movement", LIMIT, || {
        ((status(&operator) - before - 0.2).abs() < 0.01).then_some(())
    });
    let stop = json!({ "Stop": { "ProfileToken": token, "PanTilt": true, "Zoom": true } });
    assert_eq!(
        operator.command("Stop", &stop.to_string()),
        json!({ "Result": {} })
    );

    // A malformed body is the contract's 400, with the field named.
    let (properties, payload) = operator
        .ask(
            "azure-iot-operations/mrpc/gate-onvif/RelativeMove",
            r#"{"RelativeMove":{"ProfileToken":7}}"#,
        )
        .unwrap();
    assert!(properties.contains("__stat:400"), "{properties}");
    assert!(
        properties.contains("RelativeMove.ProfileToken"),
        "{properties}"
    );
    assert_eq!(payload, "");

    // The same command as a management action.
    let (properties, payload) = operator
        .ask(
            "azure-iot-operations/asset-operations/gate-onvif/PTZ/GetStatus",
            &json!({ "ProfileToken": token }).to_string(),
        )
        .unwrap();
    assert!(properties.contains("__stat:200"), "{properties}");
    assert!(payload.starts_with(r#"{"PTZStatus""#), "{payload}");

    let discovered = until("discovered asset", LIMIT, || {
        fs::read_to_string(registry.join("discovered/asset/gate-onvif.yaml")).ok()
    });
    assert!(discovered.contains("RelativeMove"), "{discovered}");
    let media = until("discovered media device", LIMIT, || {
        fs::read_to_string(registry.join("discovered/device/gate-media.yaml")).ok()
    });
    assert!(media.contains("rtsp://127.0.0.1:554/"), "{media}");

    let mut consumer = Command::new("mosquitto_sub");
    consumer.args([
        "-V",
        "5",
        "-h",
        "127.0.0.1",
        "-p",
        &operator.port,
        "-t",
        "factory/gate/motion",
        "-C",
        "1",
        "-F",
        "%p",
    ]);
    let event = output(&mut consumer, LIMIT).expect("an event");
    let event: Value = serde_json::from_slice(&event).unwrap();
    assert!(
        event["Topic"]
            .as_str()
            .is_some_and(|topic| topic.starts_with("tns1:")),
        "{event}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn camctl_reads_and_moves_oxvifs_camera() {
    let camera = MockServer::builder()
        .port(free_port())
        .enforce_auth(true)
        .start()
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "admin\n").unwrap();
    let camctl = |verb: &[&str]| -> Value {
        let mut command = Command::new(program("camctl"));
        command.args([
            "--json",
            "--camera",
            camera.device_url(),
            "--username",
            "admin",
            "--password-file",
        ]);
        command.arg(&password).args(verb);
        let printed = output(&mut command, LIMIT).unwrap_or_else(|| panic!("{verb:?} fails"));
        serde_json::from_slice(&printed).unwrap_or_else(|error| panic!("{verb:?}: {error}"))
    };
    let info = camctl(&["info"]);
    assert!(info.to_string().contains("oxvif"), "{info}");
    let profiles = camctl(&["profiles"]);
    assert!(
        profiles.to_string().contains("rtsp://127.0.0.1:554/"),
        "{profiles}"
    );
    let before = camctl(&["ptz", "status"]);
    camctl(&["ptz", "move", "--pan", "0.1"]);
    let after = camctl(&["ptz", "status"]);
    assert_ne!(before.to_string(), after.to_string());
    camctl(&["ptz", "stop"]);
}
