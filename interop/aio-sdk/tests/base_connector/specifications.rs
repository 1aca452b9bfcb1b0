//! What is served, and how it is asked.

use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::{Asset, Device};
use aio_registry::mrpc::{Invoker, InvokerOptions, Response};
use aio_registry::{FileOptions, FileRegistry, Secret};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::stage::{SOON, Stage, TIME};

const ACTIONS: &str = "azure-iot-operations/asset-operations/{asset}/{group}/{action}";

pub fn device(specification: Value) -> Device {
    serde_json::from_value(specification).unwrap()
}

pub fn asset(specification: Value) -> Asset {
    serde_json::from_value(specification).unwrap()
}

pub fn mqtt(topic: &str) -> Value {
    json!([{"target": "Mqtt", "configuration": {"topic": topic, "qos": "Qos1", "retain": "Never", "ttl": 60}}])
}

pub fn camera(version: u64) -> Value {
    json!({
        "uuid": "d-1",
        "version": version,
        "attributes": {"place": "gate"},
        "endpoints": {"inbound": {
            "onvif_0": {
                "address": "http://10.0.0.5/onvif/device_service",
                "endpointType": "Microsoft.Onvif",
                "additionalConfiguration": "{\"fallbackToUsernameTokenAuth\":true}",
                "trustSettings": {"trustList": "cameras"},
                "authentication": {
                    "method": "UsernamePassword",
                    "usernamePasswordCredentials": {
                        "usernameSecretName": "cam1/username",
                        "passwordSecretName": "cam1/password",
                    },
                },
            },
            "media": {"address": "rtsp://10.0.0.5/stream1", "endpointType": "Microsoft.Media"},
        }},
    })
}

pub fn of_camera(version: u64) -> Value {
    json!({
        "deviceRef": {"deviceName": "cam1", "endpointName": "onvif_0"},
        "uuid": "a-1",
        "version": version,
        "displayName": "Camera 1",
        "attributes": {"floor": "1"},
    })
}

pub fn with(mut specification: Value, field: &str, value: Value) -> Value {
    specification[field] = value;
    specification
}

/// A registry in a folder with one camera, and its secrets where Akri would mount them.
pub async fn folder() -> Option<(FileRegistry, tempfile::TempDir, Stage)> {
    let folder = tempfile::tempdir().unwrap();
    let store = FileRegistry::open(folder.path(), FileOptions::default())
        .await
        .unwrap();
    let secret = |text: &str| Secret::new(text.to_owned());
    store
        .put_secret("cam1/username", &secret("admin"))
        .await
        .unwrap();
    store
        .put_secret("cam1/password", &secret("pa55word"))
        .await
        .unwrap();
    store.put_device("cam1", &device(camera(3))).await.unwrap();
    let mut stage = Stage::set(Arc::new(store.clone())).await?;
    stage.secrets = folder.path().join("secrets");
    Some((store, folder, stage))
}

/// Microsoft's executor subscribes when it is read from, so that the first requests may find nobody.
pub async fn invoke(invoker: &Invoker, topic: &str, body: &'static str) -> Response {
    let answered = async {
        loop {
            if let Ok(answer) = invoker.invoke(topic, body).await {
                return answer;
            }
        }
    };
    timeout(SOON, answered).await.unwrap()
}

pub fn available(version: u64) -> Value {
    json!({"version": version, "status": "Available", "lastUpdateTime": TIME})
}

/// Invokes actions from the session of our services.
pub async fn invoker(stage: &Stage) -> Invoker {
    let mut options = InvokerOptions::new(ACTIONS);
    options.timeout = Duration::from_secs(5);
    Invoker::start(stage.session.clone(), options)
        .await
        .unwrap()
}
