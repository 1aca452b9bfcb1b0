//! Devices and assets that Microsoft's client discovers.

use std::collections::HashMap;
use std::sync::Arc;

use azure_iot_operations_services::azure_device_registry::models::{
    ActionType, DatasetDestination, DatasetTarget, DestinationConfiguration, DeviceRef,
    DiscoveredAsset, DiscoveredDataset, DiscoveredDatasetDataPoint, DiscoveredDevice,
    DiscoveredDeviceEndpoints, DiscoveredEvent, DiscoveredEventGroup, DiscoveredInboundEndpoint,
    DiscoveredManagementGroup, DiscoveredManagementGroupAction, DiscoveredOutboundEndpoints,
    DiscoveredStream, EventStreamDestination, EventStreamTarget, OutboundEndpoint, QoS, Retain,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::world::{SOON, World, code, in_memory, world};

const FOUND: &str = "2026-11-21T09:01:49Z";

fn found() -> Option<DateTime<Utc>> {
    Some(FOUND.parse().unwrap())
}

fn some(text: &str) -> Option<String> {
    Some(text.into())
}

fn device() -> DiscoveredDevice {
    let inbound = DiscoveredInboundEndpoint {
        additional_configuration: some("{}"),
        address: "http://10.0.0.5".into(),
        endpoint_type: "Microsoft.Onvif".into(),
        last_updated_on: found(),
        supported_authentication_methods: vec!["Anonymous".into(), "UsernamePassword".into()],
        version: some("2.0"),
    };
    let cloud = OutboundEndpoint {
        address: "mqtts://example.com".into(),
        endpoint_type: some("Microsoft.EventGrid"),
    };
    DiscoveredDevice {
        attributes: HashMap::from([("site".into(), "gate".into())]),
        endpoints: Some(DiscoveredDeviceEndpoints {
            inbound: HashMap::from([("onvif_0".into(), inbound)]),
            outbound: Some(DiscoveredOutboundEndpoints {
                assigned: HashMap::from([("cloud".into(), cloud)]),
            }),
        }),
        external_device_id: some("cam-0815"),
        manufacturer: some("Contoso"),
        model: some("Dome"),
        operating_system: some("Linux"),
        operating_system_version: some("6.1"),
    }
}

fn spelled_device() -> Value {
    json!({
        "attributes": {"site": "gate"},
        "endpoints": {
            "inbound": {"onvif_0": {
                "additionalConfiguration": "{}", "address": "http://10.0.0.5", "endpointType": "Microsoft.Onvif",
                "lastUpdatedOn": FOUND, "supportedAuthenticationMethods": ["Anonymous", "UsernamePassword"], "version": "2.0",
            }},
            "outbound": {"assigned": {"cloud": {"address": "mqtts://example.com", "endpointType": "Microsoft.EventGrid"}}},
        },
        "externalDeviceId": "cam-0815", "manufacturer": "Contoso", "model": "Dome",
        "operatingSystem": "Linux", "operatingSystemVersion": "6.1",
    })
}

fn settings() -> DestinationConfiguration {
    DestinationConfiguration {
        key: some("key"),
        path: some("/path"),
        qos: Some(QoS::AtLeastOnce),
        retain: Some(Retain::Never),
        topic: some("data/cam1"),
        ttl: Some(10),
    }
}

fn destinations() -> Vec<EventStreamDestination> {
    vec![EventStreamDestination {
        configuration: settings(),
        target: EventStreamTarget::Mqtt,
    }]
}

fn of_datasets() -> Vec<DatasetDestination> {
    vec![DatasetDestination {
        configuration: settings(),
        target: DatasetTarget::BrokerStateStore,
    }]
}

fn spelled_destinations(target: &str) -> Value {
    let settings = json!({"key": "key", "path": "/path", "qos": "Qos1", "retain": "Never", "topic": "data/cam1", "ttl": 10});
    json!([{"target": target, "configuration": settings}])
}

fn asset(endpoint: &str) -> DiscoveredAsset {
    DiscoveredAsset {
        asset_type_refs: vec!["camera".into()],
        attributes: HashMap::from([("site".into(), "gate".into())]),
        datasets: vec![DiscoveredDataset {
            dataset_configuration: some("{}"),
            data_points: vec![DiscoveredDatasetDataPoint {
                data_point_configuration: some("{}"),
                data_source: some("up"),
                last_updated_on: found(),
                name: "uptime".into(),
                type_ref: some("seconds"),
            }],
            data_source: some("state"),
            destinations: of_datasets(),
            last_updated_on: found(),
            name: "state".into(),
            type_ref: some("t1"),
        }],
        default_datasets_configuration: some("{\"a\":1}"),
        default_datasets_destinations: of_datasets(),
        default_events_configuration: some("{\"b\":1}"),
        default_events_destinations: destinations(),
        default_management_groups_configuration: some("{\"c\":1}"),
        default_streams_configuration: some("{\"d\":1}"),
        default_streams_destinations: destinations(),
        description: some("Looks at the gate"),
        device_ref: DeviceRef {
            device_name: "cam1".into(),
            endpoint_name: endpoint.into(),
        },
        display_name: some("Camera"),
        documentation_uri: some("https://example.com/cam1"),
        event_groups: vec![DiscoveredEventGroup {
            data_source: some("tns1:RuleEngine"),
            default_destinations: destinations(),
            event_group_configuration: some("{}"),
            events: vec![DiscoveredEvent {
                data_source: some("tns1:Motion"),
                destinations: destinations(),
                event_configuration: some("{}"),
                last_updated_on: found(),
                name: "motion".into(),
                type_ref: some("t2"),
            }],
            name: "rules".into(),
            type_ref: some("t3"),
        }],
        external_asset_id: some("asset-0815"),
        hardware_revision: some("A"),
        management_groups: vec![DiscoveredManagementGroup {
            actions: vec![DiscoveredManagementGroupAction {
                action_configuration: some("{}"),
                action_type: ActionType::Write,
                last_updated_on: found(),
                name: "Home".into(),
                target_uri: "ptz/SetHomePosition".into(),
                timeout_in_seconds: Some(5),
                topic: some("ptz/home"),
                type_ref: some("t4"),
            }],
            data_source: some("ptz"),
            default_timeout_in_seconds: Some(30),
            default_topic: some("ptz"),
            last_updated_on: found(),
            management_group_configuration: some("{}"),
            name: "PTZ".into(),
            type_ref: some("t5"),
        }],
        manufacturer: some("Contoso"),
        manufacturer_uri: some("https://example.com"),
        model: some("Dome"),
        product_code: some("D-1"),
        serial_number: some("0815"),
        software_revision: some("1.2.3"),
        streams: vec![DiscoveredStream {
            destinations: destinations(),
            last_updated_on: found(),
            name: "snap".into(),
            stream_configuration: some("{}"),
            type_ref: some("t6"),
        }],
    }
}

fn spelled_asset() -> Value {
    let (mqtt, store) = (
        || spelled_destinations("Mqtt"),
        || spelled_destinations("BrokerStateStore"),
    );
    json!({
        "assetTypeRefs": ["camera"],
        "attributes": {"site": "gate"},
        "datasets": [{
            "datasetConfiguration": "{}", "dataSource": "state", "destinations": store(), "lastUpdatedOn": FOUND,
            "name": "state", "typeRef": "t1",
            "dataPoints": [{"dataPointConfiguration": "{}", "dataSource": "up", "lastUpdatedOn": FOUND, "name": "uptime", "typeRef": "seconds"}],
        }],
        "defaultDatasetsConfiguration": "{\"a\":1}", "defaultDatasetsDestinations": store(),
        "defaultEventsConfiguration": "{\"b\":1}", "defaultEventsDestinations": mqtt(),
        "defaultManagementGroupsConfiguration": "{\"c\":1}",
        "defaultStreamsConfiguration": "{\"d\":1}", "defaultStreamsDestinations": mqtt(),
        "description": "Looks at the gate",
        "deviceRef": {"deviceName": "cam1", "endpointName": "onvif_0"},
        "displayName": "Camera", "documentationUri": "https://example.com/cam1",
        "eventGroups": [{
            "dataSource": "tns1:RuleEngine", "defaultDestinations": mqtt(), "eventGroupConfiguration": "{}", "name": "rules", "typeRef": "t3",
            "events": [{"dataSource": "tns1:Motion", "destinations": mqtt(), "eventConfiguration": "{}", "lastUpdatedOn": FOUND, "name": "motion", "typeRef": "t2"}],
        }],
        "externalAssetId": "asset-0815", "hardwareRevision": "A",
        "managementGroups": [{
            "dataSource": "ptz", "defaultTimeoutInSeconds": 30, "defaultTopic": "ptz", "lastUpdatedOn": FOUND,
            "managementGroupConfiguration": "{}", "name": "PTZ", "typeRef": "t5",
            "actions": [{
                "actionConfiguration": "{}", "actionType": "Write", "lastUpdatedOn": FOUND, "name": "Home",
                "targetUri": "ptz/SetHomePosition", "timeoutInSeconds": 5, "topic": "ptz/home", "typeRef": "t4",
            }],
        }],
        "manufacturer": "Contoso", "manufacturerUri": "https://example.com", "model": "Dome", "productCode": "D-1",
        "serialNumber": "0815", "softwareRevision": "1.2.3",
        "streams": [{"destinations": mqtt(), "lastUpdatedOn": FOUND, "name": "snap", "streamConfiguration": "{}", "typeRef": "t6"}],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_microsofts_client_discovers_is_held_with_every_field_and_counted() {
    let store = Arc::new(in_memory());
    let Some(World { theirs, .. }) = &world(store.clone()).await else {
        return;
    };
    let kind = || "Microsoft.Onvif".to_owned();
    let report =
        |device| theirs.create_or_update_discovered_device("found-1".into(), device, kind(), SOON);
    let (id, version) = report(device()).await.unwrap();
    assert_eq!(version, 1);
    assert!(!id.is_empty());
    let held = store.discovered_device("found-1").unwrap();
    assert_eq!(serde_json::to_value(held).unwrap(), spelled_device());
    assert_eq!(report(device()).await.unwrap(), (id.clone(), 1));
    let other = DiscoveredDevice {
        model: some("Bullet"),
        ..device()
    };
    assert_eq!(report(other).await.unwrap(), (id, 2));

    let report = |endpoint: &'static str, name: &'static str| {
        let (device, at) = ("cam1".to_owned(), "onvif_0".to_owned());
        theirs.create_or_update_discovered_asset(device, at, name.into(), asset(endpoint), SOON)
    };
    let (id, version) = report("onvif_0", "found-2").await.unwrap();
    assert_eq!(version, 1);
    let held = store.discovered_asset("found-2").unwrap();
    assert_eq!(serde_json::to_value(held).unwrap(), spelled_asset());
    assert_eq!(report("onvif_0", "found-2").await.unwrap(), (id, 1));

    for (endpoint, name) in [("media", "found-3"), ("onvif_0", "Found 3")] {
        let refused = report(endpoint, name).await.unwrap_err();
        assert_eq!(code(&refused), "BadRequest", "{name} at {endpoint}");
    }
    let refused = theirs.create_or_update_discovered_device("a b".into(), device(), kind(), SOON);
    assert_eq!(code(&refused.await.unwrap_err()), "BadRequest");
}
