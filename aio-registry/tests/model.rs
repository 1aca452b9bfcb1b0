//! The nouns against the fields that the contract lists: each is known, none is lost, and what is not known comes back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Debug;

use aio_registry::model::{
    Action, Asset, AssetStatus, Device, DeviceStatus, DiscoveredAsset, DiscoveredDevice,
    RuntimeHealth, check_asset_name, check_device_name, check_endpoint_name,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Every field is one of the type's own: nothing lands among the unknown ones, and nothing is lost.
fn knows<T: DeserializeOwned + Serialize + Debug>(document: Value) -> T {
    let read: T = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), document);
    let shown = format!("{read:?}");
    let unknown = shown.replace("OtherFields({})", "");
    assert!(!unknown.contains("OtherFields("), "{unknown}");
    read
}

/// Whatever is added to any object of the document is still there after a round trip.
fn keeps_unknown_fields<T: DeserializeOwned + Serialize>(mut document: Value) {
    add_unknown(&mut document, "");
    let read: T = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), document);
}

fn add_unknown(value: &mut Value, name: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                add_unknown(value, name);
            }
            let is_map = ["attributes", "inbound", "assigned", "unassigned"].contains(&name);
            if !is_map {
                fields.insert("addedLater".into(), json!({"deep": [1, null, "x"]}));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| add_unknown(item, name)),
        _ => {}
    }
}

fn device() -> Value {
    json!({
        "attributes": {"location": "gate"},
        "discoveredDeviceRef": "found-1",
        "enabled": true,
        "endpoints": {
            "inbound": {
                "onvif_0": {
                    "address": "http://10.0.0.5/onvif/device_service",
                    "endpointType": "Microsoft.Onvif",
                    "version": "1",
                    "additionalConfiguration": "{\"acceptInvalidCertificates\":true}",
                    "authentication": {
                        "method": "UsernamePassword",
                        "usernamePasswordCredentials": {"usernameSecretName": "cam1/username", "passwordSecretName": "cam1/password"}
                    },
                    "trustSettings": {"trustList": "cameras"}
                },
                "other": {
                    "address": "opc.tcp://10.0.0.6",
                    "endpointType": "Microsoft.OpcUa",
                    "authentication": {
                        "method": "Certificate",
                        "x509Credentials": {"certificateSecretName": "a/b", "intermediateCertificatesSecretName": "a/c", "keySecretName": "a/d"}
                    }
                },
                "open": {"address": "rtsp://10.0.0.5/1", "endpointType": "Microsoft.Media", "authentication": {"method": "Anonymous"}}
            },
            "outbound": {
                "assigned": {"hub": {"address": "mqtt://hub", "endpointType": "Microsoft.EventGrid"}},
                "unassigned": {"spare": {"address": "mqtt://spare"}}
            }
        },
        "externalDeviceId": "42",
        "lastTransitionTime": "2026-11-21T09:01:49Z",
        "manufacturer": "Contoso",
        "model": "Dome",
        "operatingSystem": "Linux",
        "operatingSystemVersion": "6",
        "uuid": "5013f78b-1f36-42e4-81d0-ca2ff7e8cf38",
        "version": 18_446_744_073_709_551_615_u64
    })
}

fn mqtt() -> Value {
    json!([{"target": "Mqtt", "configuration": {"topic": "a/b", "qos": "Qos1", "retain": "Never", "ttl": 60}}])
}

/// What an asset and a discovered asset have in common; `found` adds when each part was found.
fn asset_fields(found: bool) -> Value {
    let mut document = json!({
        "deviceRef": {"deviceName": "cam1", "endpointName": "onvif_0"},
        "displayName": "Gate", "description": "d", "documentationUri": "http://d", "externalAssetId": "e",
        "attributes": {"a": "b"}, "manufacturer": "m", "manufacturerUri": "http://m", "model": "x", "productCode": "p",
        "serialNumber": "s", "hardwareRevision": "h", "softwareRevision": "w",
        "datasets": [{
            "name": "d", "dataSource": "ds", "typeRef": "t", "datasetConfiguration": "{}",
            "destinations": [{"target": "BrokerStateStore", "configuration": {"key": "k"}}],
            "dataPoints": [{"name": "p", "dataSource": "s", "dataPointConfiguration": "{}", "typeRef": "t"}]
        }],
        "eventGroups": [{
            "name": "g", "dataSource": "ds", "typeRef": "t", "eventGroupConfiguration": "{}", "defaultDestinations": mqtt(),
            "events": [{"name": "e", "dataSource": "tns1:RuleEngine/CellMotionDetector/Motion", "typeRef": "t",
                        "eventConfiguration": "{}", "destinations": mqtt()}]
        }],
        "managementGroups": [{
            "name": "PTZ", "dataSource": "ds", "typeRef": "t", "managementGroupConfiguration": "{}",
            "defaultTopic": "x/y", "defaultTimeoutInSeconds": 10,
            "actions": [{"name": "Stop", "actionType": "Call", "targetUri": "Stop", "topic": "x/z", "timeoutInSeconds": 5,
                         "actionConfiguration": "{}", "typeRef": "t"},
                        {"name": "Get", "actionType": "Read", "targetUri": "Get"},
                        {"name": "Set", "actionType": "Write", "targetUri": "Set"}]
        }],
        "streams": [{"name": "s", "typeRef": "t", "streamConfiguration": "{}",
                     "destinations": [{"target": "Storage", "configuration": {"path": "clips"}}]}],
        "defaultDatasetsConfiguration": "{}", "defaultEventsConfiguration": "{}",
        "defaultManagementGroupsConfiguration": "{}", "defaultStreamsConfiguration": "{}",
        "defaultDatasetsDestinations": mqtt(), "defaultEventsDestinations": mqtt(), "defaultStreamsDestinations": mqtt(),
        "assetTypeRefs": ["t1"]
    });
    if found {
        for part in [
            "/datasets/0",
            "/datasets/0/dataPoints/0",
            "/eventGroups/0/events/0",
            "/managementGroups/0",
            "/managementGroups/0/actions/0",
            "/streams/0",
        ] {
            let part = document.pointer_mut(part).unwrap();
            part["lastUpdatedOn"] = json!("2026-11-21T09:01:49Z");
        }
    } else {
        document["enabled"] = json!(false);
        document["uuid"] = json!("u");
        document["version"] = json!(7);
        document["lastTransitionTime"] = json!("2026-11-21T09:01:49.5Z");
        document["discoveredAssetRefs"] = json!(["found-1"]);
    }
    document
}

fn config_error() -> Value {
    json!({"code": "c", "message": "m", "details": [{"code": "d", "correlationId": "i", "info": "n", "message": "m"}]})
}

fn reference() -> Value {
    json!({"schemaRegistryNamespace": "n", "schemaName": "s", "schemaVersion": "1"})
}

fn asset_status() -> Value {
    json!({
        "config": {"version": 7, "lastTransitionTime": "2026-11-21T09:01:49Z", "error": config_error()},
        "datasets": [{"name": "d", "error": config_error(), "messageSchemaReference": reference()}],
        "eventGroups": [{"name": "g", "events": [{"name": "e", "messageSchemaReference": reference()}]}],
        "managementGroups": [{"name": "PTZ", "actions": [{"name": "Stop", "error": config_error(),
            "requestMessageSchemaReference": reference(), "responseMessageSchemaReference": reference()}]}],
        "streams": [{"name": "s", "messageSchemaReference": reference()}]
    })
}

fn device_status() -> Value {
    json!({
        "config": {"version": 7, "lastTransitionTime": "2026-11-21T09:01:49Z", "error": config_error()},
        "endpoints": {"inbound": {"onvif_0": {"error": config_error()}, "media": {}}}
    })
}

fn discovered_device() -> Value {
    json!({
        "attributes": {"a": "b"},
        "endpoints": {
            "inbound": {"media_1": {"address": "rtsp://10.0.0.5/1", "endpointType": "Microsoft.Media", "version": "1",
                "additionalConfiguration": "{}", "supportedAuthenticationMethods": ["UsernamePassword", "Anonymous"],
                "lastUpdatedOn": "2026-11-21T09:01:49Z"}},
            "outbound": {"assigned": {"hub": {"address": "mqtt://hub"}}}
        },
        "externalDeviceId": "e", "manufacturer": "m", "model": "x", "operatingSystem": "o", "operatingSystemVersion": "1"
    })
}

fn health() -> Value {
    json!({"version": 3, "status": "Unavailable", "lastUpdateTime": "2026-11-21T09:01:49Z", "message": "m",
           "reasonCode": "OnvifConnectorInboundEndpointConnectivityTestFailed"})
}

#[test]
fn every_field_of_the_contract_is_known() {
    knows::<Device>(device());
    knows::<Asset>(asset_fields(false));
    knows::<DiscoveredAsset>(asset_fields(true));
    knows::<DiscoveredDevice>(discovered_device());
    knows::<DeviceStatus>(device_status());
    knows::<AssetStatus>(asset_status());
    knows::<RuntimeHealth>(health());
}

#[test]
fn fields_that_are_added_later_survive_a_round_trip() {
    keeps_unknown_fields::<Device>(device());
    keeps_unknown_fields::<Asset>(asset_fields(false));
    keeps_unknown_fields::<DiscoveredAsset>(asset_fields(true));
    keeps_unknown_fields::<DiscoveredDevice>(discovered_device());
    keeps_unknown_fields::<DeviceStatus>(device_status());
    keeps_unknown_fields::<AssetStatus>(asset_status());
    keeps_unknown_fields::<RuntimeHealth>(health());
}

#[test]
fn what_is_absent_stays_absent() {
    for document in [json!({}), json!({"endpoints": {}})] {
        knows::<Device>(document.clone());
        knows::<DeviceStatus>(document);
    }
    knows::<AssetStatus>(json!({}));
    knows::<Asset>(json!({"deviceRef": {"deviceName": "cam1", "endpointName": "e"}}));
}

#[test]
fn an_action_takes_the_older_spelling_of_its_timeout() {
    let action =
        json!({"name": "a", "actionType": "Call", "targetUri": "u", "timeOutInSeconds": 9});
    let action: Action = serde_json::from_value(action).unwrap();
    assert_eq!(action.timeout_in_seconds, Some(9));
}

#[test]
fn names_follow_the_rules_of_the_device_registry() {
    let (short, long, longest) = ("ab", "a".repeat(64), "a".repeat(63));
    for good in ["cam1", "Cam-1", "0am", "cam-", &longest] {
        assert!(check_device_name(good).is_ok(), "{good}");
    }
    for bad in [
        short,
        &long,
        "-cam",
        "cam_1",
        "cam 1",
        "cam/1",
        "ca\u{301}m",
        "",
    ] {
        assert!(check_device_name(bad).is_err(), "{bad}");
    }
    for good in ["cam1", "cam-1-onvif", "0am", &longest] {
        assert!(check_asset_name(good).is_ok(), "{good}");
    }
    for bad in [short, &long, "Cam1", "cam-", "-cam", "cam_1", "..", ""] {
        assert!(check_asset_name(bad).is_err(), "{bad}");
    }
    for good in ["onvif_0", "a", "media.main-1_x"] {
        assert!(check_endpoint_name(good).is_ok(), "{good}");
    }
    for bad in ["", "_a", "..", "a/b", "a+b", "a b", &long] {
        assert!(check_endpoint_name(bad).is_err(), "{bad}");
    }
}
