//! What changes under a connector that runs: specifications, mistakes in them, deletions.

use std::sync::Arc;

use aio_registry::{FileOptions, FileRegistry, MemoryRegistry, RegistryStore};
use serde_json::json;

use crate::specifications::{
    asset, available, camera, device, folder, invoke, invoker, mqtt, of_camera, with,
};
use crate::stage::{Stage, TIME, becomes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_connector_follows_changes_and_deletions() {
    let Some((store, _folder, stage)) = folder().await else {
        return;
    };
    let events = |names: &[&str], configuration: &str| {
        let events = names.iter().map(|name| {
            json!({
                "name": name,
                "eventConfiguration": configuration,
                "destinations": mqtt(&format!("azure-iot-operations/data/cam1-onvif/{name}")),
            })
        });
        json!([{"name": "rules", "events": events.collect::<Vec<_>>()}])
    };
    let actions = |topic: &str| {
        json!([{"name": "ptz", "actions": [
            {"name": "stop", "actionType": "Call", "targetUri": "x", "topic": topic},
        ]}])
    };
    let (first, second) = (
        "azure-iot-operations/asset-operations/cam1-onvif/ptz/stop",
        "azure-iot-operations/asset-operations/cam1-onvif/ptz/halt",
    );
    let specification = |version, names: &[&str], configuration: &str, topic: &str| {
        let specification = with(
            of_camera(version),
            "eventGroups",
            events(names, configuration),
        );
        asset(with(specification, "managementGroups", actions(topic)))
    };
    let name = "cam1-onvif";
    let mut connector = stage.connector();
    connector.notified("cam1_onvif_0", "created").await;

    // Created while the connector runs.
    let one = specification(1, &["motion"], "{}", first);
    store.put_asset(name, &one).await.unwrap();
    connector.notified(name, "created").await;
    let motion = "cam1-onvif/events/rules/motion";
    connector.notified(motion, "created").await;
    connector
        .notified("cam1-onvif/actions/ptz/stop", "created")
        .await;

    // The device changes.
    let moved = with(camera(4), "attributes", json!({"place": "yard"}));
    store.put_device("cam1", &device(moved)).await.unwrap();
    let seen = connector.notified("cam1_onvif_0", "updated").await;
    assert_eq!(
        (&seen["version"], &seen["attributes"]["place"]),
        (&json!(4), &json!("yard"))
    );
    let version = async || {
        let status = store.device_status("cam1").await.unwrap();
        status.and_then(|status| status.config?.version)
    };
    becomes(json!(4), version).await;
    becomes(json!({"onvif_0": available(4)}), async || {
        store.device_health("cam1").await.unwrap()
    })
    .await;

    // The asset changes: an event, a new event, the topic of an action.
    let two = specification(2, &["motion", "tamper"], "{\"filter\":\"x\"}", second);
    store.put_asset(name, &two).await.unwrap();
    assert_eq!(connector.notified(name, "updated").await["version"], 2);
    let seen = connector.notified(motion, "updated").await;
    assert_eq!(seen["configuration"], "{\"filter\":\"x\"}");
    let tamper = "cam1-onvif/events/rules/tamper";
    connector.notified(tamper, "created").await;
    let notification = "updated with new executor";
    let seen = connector
        .notified("cam1-onvif/actions/ptz/stop", notification)
        .await;
    assert_eq!(seen["topic"], second);
    let invoker = invoker(&stage).await;
    assert_eq!(invoke(&invoker, second, "{}").await.payload, "{}");
    let health = json!({
        "actions/ptz/stop": available(2),
        "events/rules/motion": available(2),
        "events/rules/tamper": available(2),
    });
    becomes(health, async || store.asset_health(name).await.unwrap()).await;

    // An event goes; the other hears that the asset is another.
    let three = specification(3, &["tamper"], "{\"filter\":\"x\"}", second);
    store.put_asset(name, &three).await.unwrap();
    connector.notified(motion, "deleted").await;
    connector.notified(tamper, "asset updated").await;

    // The asset goes, and comes again.
    store.delete_asset(name).await.unwrap();
    connector.notified(name, "deleted").await;
    store.put_asset(name, &one).await.unwrap();
    assert_eq!(connector.notified(name, "created").await["version"], 1);
    connector.notified(motion, "created").await;

    // The endpoint goes, the device stays: to Microsoft's connector no update event of a device may lack the endpoint.
    let mut without = camera(5);
    let inbound = without["endpoints"]["inbound"].as_object_mut().unwrap();
    inbound.remove("onvif_0");
    store.put_device("cam1", &device(without)).await.unwrap();
    connector.notified("cam1_onvif_0", "deleted").await;
    store.put_device("cam1", &device(camera(6))).await.unwrap();
    let seen = connector.notified("cam1_onvif_0", "created").await;
    assert_eq!(seen["version"], 6);
    connector.notified(name, "created").await;

    store.delete_device("cam1").await.unwrap();
    connector.notified("cam1_onvif_0", "deleted").await;
}

/// It asks once to be told of changes, when it meets a device or an asset.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_connector_is_told_of_changes_by_a_registry_that_was_restarted() {
    let Some((store, folder, mut stage)) = folder().await else {
        return;
    };
    let (endpoint, name) = ("cam1_onvif_0", "cam1-onvif");
    let put_asset = async |version| {
        let asset = asset(of_camera(version));
        store.put_asset(name, &asset).await.unwrap();
    };
    put_asset(1).await;
    let mut connector = stage.connector();
    connector.notified(endpoint, "created").await;
    connector.notified(name, "created").await;

    // Changed while nobody serves.
    stage.stop_registry().await;
    put_asset(2).await;
    let again = FileRegistry::open(folder.path(), FileOptions::default());
    stage.serve_registry(Arc::new(again.await.unwrap())).await;
    assert_eq!(connector.notified(name, "updated").await["version"], 2);

    // Changed afterwards.
    put_asset(3).await;
    assert_eq!(connector.notified(name, "updated").await["version"], 3);
    store.put_device("cam1", &device(camera(4))).await.unwrap();
    assert_eq!(connector.notified(endpoint, "updated").await["version"], 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_microsofts_connector_cannot_serve_stands_in_status_and_health() {
    let store = MemoryRegistry::new();
    let endpoint = json!({"address": "opc.tcp://10.0.0.5", "endpointType": "Microsoft.Onvif"});
    let camera = json!({"version": 1, "endpoints": {"inbound": {"onvif_0": endpoint}}});
    store.put_device("cam1", device(camera)).unwrap();
    let bad = json!({
        "deviceRef": {"deviceName": "cam1", "endpointName": "onvif_0"},
        "version": 2,
        "manufacturer": "Fabrikam",
        "eventGroups": [{"name": "rules", "events": [{"name": "motion"}]}],
        "streams": [{
            "name": "clips",
            "destinations": [{"target": "Storage", "configuration": {"path": "clips"}}],
        }],
        "managementGroups": [{
            "name": "ptz",
            "defaultTopic": "azure-iot-operations/asset-operations/cam1-bad/ptz",
            "actions": [{"name": "stop", "actionType": "Call", "targetUri": "onvif://ptz/Stop"}],
        }],
    });
    store.put_asset("cam1-bad", asset(bad)).unwrap();
    let Some(stage) = Stage::set(Arc::new(store.clone())).await else {
        return;
    };
    let mut connector = stage.connector();
    connector
        .notified("cam1-bad/streams/clips", "created")
        .await;

    let error = json!({
        "code": "AddressNotSupported",
        "message": "opc.tcp://10.0.0.5 is no URL of HTTP",
        "details": [{
            "code": "400.1",
            "correlationId": "c-1",
            "info": "http is supported",
            "message": "the scheme is another",
        }],
    });
    let status = json!({
        "config": {"version": 1, "lastTransitionTime": TIME},
        "endpoints": {"inbound": {"onvif_0": {"error": error}}},
    });
    becomes(status, async || store.device_status("cam1").await.unwrap()).await;
    let health = json!({"onvif_0": {
        "version": 1,
        "status": "Unavailable",
        "lastUpdateTime": TIME,
        "message": "opc.tcp://10.0.0.5 is no URL of HTTP",
        "reasonCode": "ConnectivityTestFailed",
    }});
    becomes(health, async || store.device_health("cam1")).await;

    let status = json!({
        "config": {
            "version": 2,
            "lastTransitionTime": TIME,
            "error": {"code": "ManufacturerNotSupported", "message": "Fabrikam is not supported"},
        },
        "eventGroups": [{"name": "rules", "events": [{"name": "motion", "error": {
            "message": "Asset must have default data operation destinations if data operation doesn't have destinations",
        }}]}],
        "managementGroups": [{"name": "ptz", "actions": [{"name": "stop", "error": {
            "message": "Management Action topic is required",
        }}]}],
        "streams": [{"name": "clips"}],
    });
    becomes(status, async || {
        store.asset_status("cam1-bad").await.unwrap()
    })
    .await;
    let health = json!({"streams/clips": {
        "version": 2,
        "status": "Unavailable",
        "lastUpdateTime": TIME,
        "message": "Error with Destination or contents of Data: Storage destination is not handled by the default forwarder",
        "reasonCode": "ForwardFailed",
    }});
    becomes(health, async || store.asset_health("cam1-bad")).await;

    // All of it mended at once.
    let endpoint = json!({"address": "http://10.0.0.5", "endpointType": "Microsoft.Onvif"});
    let camera = json!({"version": 2, "endpoints": {"inbound": {"onvif_0": endpoint}}});
    store.put_device("cam1", device(camera)).unwrap();
    let topic = "azure-iot-operations/asset-operations/cam1-bad/ptz/stop";
    let action = json!({"name": "stop", "actionType": "Call", "targetUri": "x", "topic": topic});
    let good = json!({
        "deviceRef": {"deviceName": "cam1", "endpointName": "onvif_0"},
        "version": 3,
        "manufacturer": "Contoso",
        "eventGroups": [{"name": "rules", "events": [{
            "name": "motion",
            "destinations": mqtt("azure-iot-operations/data/cam1-bad/motion"),
        }]}],
        "managementGroups": [{"name": "ptz", "actions": [action]}],
    });
    store.put_asset("cam1-bad", asset(good)).unwrap();
    connector.notified("cam1_onvif_0", "updated").await;
    connector.notified("cam1-bad", "updated").await;
    connector
        .notified("cam1-bad/streams/clips", "deleted")
        .await;
    connector
        .notified("cam1-bad/events/rules/motion", "updated")
        .await;
    let notification = "updated with new executor";
    connector
        .notified("cam1-bad/actions/ptz/stop", notification)
        .await;
    becomes(json!({"onvif_0": available(2)}), async || {
        store.device_health("cam1")
    })
    .await;
    let status = json!({
        "config": {"version": 2, "lastTransitionTime": TIME},
        "endpoints": {"inbound": {"onvif_0": {}}},
    });
    becomes(status, async || store.device_status("cam1").await.unwrap()).await;
    let errors = async || {
        let status = store.asset_status("cam1-bad").await.unwrap().unwrap();
        let status = serde_json::to_value(status).unwrap();
        json!([
            status["config"]["version"],
            status.to_string().contains("error")
        ])
    };
    becomes(json!([3, false]), errors).await;
}
