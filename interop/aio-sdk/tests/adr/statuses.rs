//! Statuses that Microsoft's client reports.

use std::collections::HashMap;
use std::sync::Arc;

use aio_registry::RegistryStore;
use azure_iot_operations_services::azure_device_registry::models::{
    ActionStatus, AssetStatus, DatasetEventStreamStatus, DeviceStatus, EventGroupStatus,
    ManagementGroupStatus, MessageSchemaReference,
};
use azure_iot_operations_services::azure_device_registry::{ConfigError, ConfigStatus, Details};
use serde_json::{Value, json};

use crate::world::{SOON, World, in_folder, in_memory, world};

fn error(text: &str) -> ConfigError {
    ConfigError {
        code: Some(format!("{text}-code")),
        message: Some(format!("{text}-message")),
        details: Some(vec![Details {
            code: Some("d-code".into()),
            correlation_id: Some("d-correlation".into()),
            info: Some("d-info".into()),
            message: Some("d-message".into()),
        }]),
    }
}

fn spelled_error(text: &str) -> Value {
    json!({
        "code": format!("{text}-code"),
        "message": format!("{text}-message"),
        "details": [{"code": "d-code", "correlationId": "d-correlation", "info": "d-info", "message": "d-message"}],
    })
}

fn config() -> ConfigStatus {
    ConfigStatus {
        error: Some(error("config")),
        last_transition_time: Some("2026-11-21T09:01:49.123456789Z".parse().unwrap()),
        version: Some(u64::MAX),
    }
}

fn spelled_config() -> Value {
    json!({"error": spelled_error("config"), "lastTransitionTime": "2026-11-21T09:01:49.123456789Z", "version": u64::MAX})
}

fn reference(name: &str) -> MessageSchemaReference {
    MessageSchemaReference {
        name: name.into(),
        version: "1".into(),
        registry_namespace: "schemas".into(),
    }
}

fn spelled_reference(name: &str) -> Value {
    json!({"schemaName": name, "schemaVersion": "1", "schemaRegistryNamespace": "schemas"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_in_memory_holds_what_microsofts_client_reports() {
    holds_what_is_reported(Arc::new(in_memory())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_holds_what_microsofts_client_reports() {
    let folder = tempfile::tempdir().unwrap();
    holds_what_is_reported(Arc::new(in_folder(folder.path()).await)).await;
}

async fn holds_what_is_reported(store: Arc<dyn RegistryStore>) {
    let Some(World { theirs, .. }) = &world(store.clone()).await else {
        return;
    };
    let (device, onvif, media) = (
        || "cam1".to_owned(),
        || "onvif_0".to_owned(),
        || "media".to_owned(),
    );
    let nothing = theirs.get_device_status(device(), onvif(), SOON).await;
    assert_eq!(nothing.unwrap(), DeviceStatus::default());

    let report = DeviceStatus {
        config: Some(config()),
        endpoints: HashMap::from([(onvif(), Some(error("endpoint")))]),
    };
    let update = theirs.update_device_plus_endpoint_status(device(), onvif(), report.clone(), SOON);
    assert_eq!(update.await.unwrap(), report);
    let stored = theirs.get_device_status(device(), onvif(), SOON).await;
    assert_eq!(stored.unwrap(), report);
    let held = store.device_status("cam1").await.unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(held).unwrap(),
        json!({"config": spelled_config(), "endpoints": {"inbound": {"onvif_0": {"error": spelled_error("endpoint")}}}})
    );

    // Another connector speaks of its own endpoint, and of the device; what it says of other endpoints is not taken.
    let report = DeviceStatus {
        config: None,
        endpoints: HashMap::from([(media(), None), (onvif(), None)]),
    };
    let update = theirs.update_device_plus_endpoint_status(device(), media(), report, SOON);
    let of_media = DeviceStatus {
        config: None,
        endpoints: HashMap::from([(media(), None)]),
    };
    assert_eq!(update.await.unwrap(), of_media);
    let stored = theirs.get_device_status(device(), onvif(), SOON).await;
    let of_onvif = HashMap::from([(onvif(), Some(error("endpoint")))]);
    assert_eq!(stored.unwrap().endpoints, of_onvif);
    let held = store.device_status("cam1").await.unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(held).unwrap(),
        json!({"endpoints": {"inbound": {"media": {}, "onvif_0": {"error": spelled_error("endpoint")}}}})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_an_asset_is_held_and_given_back_as_microsofts_client_reported_it() {
    let store = Arc::new(in_memory());
    let Some(World { theirs, .. }) = &world(store.clone()).await else {
        return;
    };
    let element = |name: &str| DatasetEventStreamStatus {
        name: name.into(),
        message_schema_reference: Some(reference(name)),
        error: Some(error(name)),
    };
    let spelled = |name: &str| json!({"name": name, "messageSchemaReference": spelled_reference(name), "error": spelled_error(name)});
    let report = AssetStatus {
        config: Some(config()),
        datasets: Some(vec![element("state")]),
        event_groups: Some(vec![EventGroupStatus {
            name: "rules".into(),
            events: Some(vec![element("motion")]),
        }]),
        management_groups: Some(vec![ManagementGroupStatus {
            name: "PTZ".into(),
            actions: Some(vec![ActionStatus {
                name: "Stop".into(),
                error: Some(error("Stop")),
                request_message_schema_reference: Some(reference("request")),
                response_message_schema_reference: Some(reference("response")),
            }]),
        }]),
        streams: Some(vec![element("snap")]),
    };
    let at = || {
        (
            "cam1".to_owned(),
            "onvif_0".to_owned(),
            "asset-1".to_owned(),
        )
    };
    let (device, endpoint, asset) = at();
    let nothing = theirs.get_asset_status(device, endpoint, asset, SOON).await;
    assert_eq!(nothing.unwrap(), AssetStatus::default());
    let (device, endpoint, asset) = at();
    let update = theirs.update_asset_status(device, endpoint, asset, report.clone(), SOON);
    assert_eq!(update.await.unwrap(), report);
    let (device, endpoint, asset) = at();
    let stored = theirs.get_asset_status(device, endpoint, asset, SOON).await;
    assert_eq!(stored.unwrap(), report);
    let held = RegistryStore::asset_status(&*store, "asset-1")
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(held.unwrap()).unwrap(),
        json!({
            "config": spelled_config(),
            "datasets": [spelled("state")],
            "eventGroups": [{"name": "rules", "events": [spelled("motion")]}],
            "managementGroups": [{"name": "PTZ", "actions": [{
                "name": "Stop",
                "error": spelled_error("Stop"),
                "requestMessageSchemaReference": spelled_reference("request"),
                "responseMessageSchemaReference": spelled_reference("response"),
            }]}],
            "streams": [spelled("snap")],
        })
    );
    // What is left out is removed.
    let (device, endpoint, asset) = at();
    let update = theirs.update_asset_status(device, endpoint, asset, AssetStatus::default(), SOON);
    assert_eq!(update.await.unwrap(), AssetStatus::default());
}
