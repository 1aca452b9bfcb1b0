//! The service on the wire, as the contract has it: topics, bodies, errors, events.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aio_registry::model::{Asset, Device, InboundEndpoint};
use aio_registry::mrpc::{Invoker, InvokerOptions, Status};
use aio_registry::{
    Error, MemoryBroker, MemoryRegistry, Message, Mqtt, Qos, RegistryService, RegistryStore,
    Subscription, Telemetry, TelemetrySender,
};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

const RESOURCES: &str = "akri/connector/resources/c-0/cam1/onvif_0";
const EVENTS: &str = "akri/connector/resources/telemetry/c-0/cam1/onvif_0";
const DEADLINE: Duration = Duration::from_secs(30);

struct World {
    broker: MemoryBroker,
    store: MemoryRegistry,
    invoker: Invoker,
    discovery: Invoker,
    _service: RegistryService,
}

async fn world() -> World {
    let (broker, store) = (MemoryBroker::new(), MemoryRegistry::new());
    store.put_device("cam1", device(1)).unwrap();
    store.put_asset("asset-1", asset("onvif_0", 1)).unwrap();
    store.put_asset("elsewhere", asset("media", 1)).unwrap();
    let service = Arc::new(broker.client("service"));
    let client = Arc::new(broker.client("c-0"));
    let pattern = "akri/connector/resources/c-0/{device}/{endpoint}/{method}";
    let found = "akri/discovery/resources/c-0/{type}/createOrUpdateDiscoveredDevice";
    World {
        _service: RegistryService::start(service, Arc::new(store.clone()))
            .await
            .unwrap(),
        invoker: Invoker::start(client.clone(), InvokerOptions::new(pattern))
            .await
            .unwrap(),
        discovery: Invoker::start(client, InvokerOptions::new(found))
            .await
            .unwrap(),
        broker,
        store,
    }
}

fn device(version: u64) -> Device {
    let mut device = Device {
        uuid: Some("of cam1".into()),
        version: Some(version),
        last_transition_time: Some(UNIX_EPOCH),
        ..Device::default()
    };
    let endpoints = device.endpoints.get_or_insert_default();
    for name in ["onvif_0", "media"] {
        let endpoint = InboundEndpoint {
            address: "http://10.0.0.5".into(),
            endpoint_type: "Microsoft.Onvif".into(),
            ..InboundEndpoint::default()
        };
        endpoints.inbound.insert(name.into(), endpoint);
    }
    device
}

/// What the one endpoint's connector is told of it.
fn device_at_onvif_0(version: u64) -> Device {
    let mut device = device(version);
    device.endpoints.as_mut().unwrap().inbound.remove("media");
    device
}

fn asset(endpoint: &str, version: u64) -> Asset {
    let mut asset = Asset {
        uuid: Some("of asset-1".into()),
        version: Some(version),
        last_transition_time: Some(UNIX_EPOCH),
        ..Asset::default()
    };
    asset.device_ref.device_name = "cam1".into();
    asset.device_ref.endpoint_name = endpoint.into();
    asset
}

impl World {
    async fn ask(&self, method: &str, body: Value) -> Value {
        self.ask_at(&format!("{RESOURCES}/{method}"), body).await
    }

    async fn ask_at(&self, topic: &str, body: Value) -> Value {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let answer = self.invoker.invoke(topic, body).await.unwrap();
        assert_eq!(answer.content_type.as_deref(), Some("application/json"));
        serde_json::from_slice(&answer.payload).unwrap()
    }

    async fn events(&self) -> Subscription {
        let client = self.broker.client("watcher");
        let filter = "akri/connector/resources/telemetry/#";
        client.subscribe(filter, Qos::AtLeastOnce).await.unwrap()
    }
}

async fn next(events: &mut Subscription) -> (Message, Value) {
    let event = timeout(DEADLINE, events.next()).await.unwrap().unwrap();
    let body = serde_json::from_slice(&event.payload).unwrap();
    (event, body)
}

#[tokio::test]
async fn answers_what_there_is() {
    let world = world().await;
    let answer = world.ask("getDevice", Value::Null).await;
    assert_eq!(answer, json!({"device": device_at_onvif_0(1)}));
    let answer = world.ask("getAsset", json!({"assetName": "asset-1"})).await;
    assert_eq!(answer, json!({"asset": asset("onvif_0", 1)}));
    let answer = world.ask("getDeviceStatus", Value::Null).await;
    assert_eq!(answer, json!({"deviceStatus": {}}));
    let answer = world
        .ask("getAssetStatus", json!({"assetName": "asset-1"}))
        .await;
    assert_eq!(answer, json!({"assetStatus": {}}));
}

#[tokio::test]
async fn takes_statuses_and_gives_them_back() {
    let world = world().await;
    let status = json!({
        "config": {"version": 1, "lastTransitionTime": "2026-11-21T09:01:49Z"},
        "endpoints": {"inbound": {"onvif_0": {"error": {"code": "c", "message": "m"}}}}
    });
    let update = json!({"deviceStatusUpdate": status});
    let answer = world.ask("updateDeviceStatus", update).await;
    assert_eq!(answer, json!({"updatedDeviceStatus": status}));
    let answer = world.ask("getDeviceStatus", Value::Null).await;
    assert_eq!(answer, json!({"deviceStatus": status}));

    // The other endpoint's connector speaks for its own endpoint alone, and of the device for all.
    let at_media = "akri/connector/resources/c-0/cam1/media/updateDeviceStatus";
    let update =
        json!({"deviceStatusUpdate": {"endpoints": {"inbound": {"media": {}, "onvif_0": {}}}}});
    let answer = world.ask_at(at_media, update).await;
    let of_media = json!({"endpoints": {"inbound": {"media": {}}}});
    assert_eq!(answer, json!({"updatedDeviceStatus": of_media}));
    let answer = world.ask("getDeviceStatus", Value::Null).await;
    let of_onvif_0 = json!({"endpoints": status["endpoints"]});
    assert_eq!(answer, json!({"deviceStatus": of_onvif_0}));

    let status = json!({
        "config": {"lastTransitionTime": "2026-11-21T09:01:49Z", "version": 1},
        "eventGroups": [{"events": [{"name": "motion"}], "name": "eg"}],
        "streams": [{"name": "snap"}]
    });
    let update = json!({"assetStatusUpdate": {"assetName": "asset-1", "assetStatus": status}});
    let answer = world.ask("updateAssetStatus", update).await;
    assert_eq!(answer, json!({"updatedAssetStatus": status}));
}

#[tokio::test]
async fn says_no_in_the_words_of_the_device_registry() {
    let world = world().await;
    let nobody = "akri/connector/resources/c-0/cam9/onvif_0";
    let none = "akri/connector/resources/c-0/cam1/rtsp";
    let bad = "akri/connector/resources/c-0/cam_1/onvif_0";
    let named = |name: &str| json!({"assetName": name});
    let status = json!({"assetStatusUpdate": {"assetName": "ghost", "assetStatus": {}}});
    for (base, method, body, code) in [
        (nobody, "getDevice", Value::Null, "KubeError"),
        (none, "getDevice", Value::Null, "KubeError"),
        (nobody, "getDeviceStatus", Value::Null, "KubeError"),
        (
            nobody,
            "updateDeviceStatus",
            json!({"deviceStatusUpdate": {}}),
            "KubeError",
        ),
        (bad, "getDevice", Value::Null, "BadRequest"),
        (RESOURCES, "getAsset", named("ghost"), "KubeError"),
        (RESOURCES, "getAsset", named("elsewhere"), "KubeError"),
        (RESOURCES, "getAsset", named("../asset-1"), "BadRequest"),
        (RESOURCES, "getAssetStatus", named("ghost"), "KubeError"),
        (RESOURCES, "updateAssetStatus", status, "KubeError"),
    ] {
        let answer = world.ask_at(&format!("{base}/{method}"), body).await;
        let error = &answer[format!("{method}Error")];
        assert_eq!(error["code"], code, "{base}/{method}: {answer}");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        assert!(
            error["timestamp"]
                .as_str()
                .is_some_and(|text| text.ends_with('Z'))
        );
    }
}

#[tokio::test]
async fn a_body_that_is_none_of_the_contract_is_400_and_names_the_field() {
    let world = world().await;
    for (method, body, field) in [
        ("getAsset", "{}", "assetName"),
        ("getAsset", "nonsense", "expected"),
        (
            "updateDeviceStatus",
            r#"{"deviceStatusUpdate":{"config":{"version":"x"}}}"#,
            "deviceStatusUpdate",
        ),
        (
            "setNotificationPreferenceForDeviceUpdates",
            r#"{"notificationPreferenceRequest":"Maybe"}"#,
            "notificationPreferenceRequest",
        ),
        ("fly", "{}", "fly"),
    ] {
        let topic = format!("{RESOURCES}/{method}");
        match world.invoker.invoke(&topic, body).await.unwrap_err() {
            Error::Remote {
                status, message, ..
            } => {
                assert_eq!(status, Status::BadRequest);
                assert!(message.contains(field), "{message}");
            }
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn tells_of_updates_to_those_who_asked() {
    let world = world().await;
    let mut events = world.events().await;
    let on = json!({"notificationPreferenceRequest": "On"});
    let method = "setNotificationPreferenceForDeviceUpdates";
    let answer = world.ask(method, on).await;
    assert!(answer["responsePayload"].is_string());
    let on = json!({"notificationPreferenceRequest": {"assetName": "asset-1", "notificationPreference": "On"}});
    let for_assets = "setNotificationPreferenceForAssetUpdates";
    world.ask(for_assets, on).await;

    world.store.put_device("cam1", device(2)).unwrap();
    let (event, body) = next(&mut events).await;
    assert_eq!(event.topic, format!("{EVENTS}/deviceUpdateEvent"));
    let device_now = device_at_onvif_0(2);
    let expected = json!({"deviceUpdateEvent": {"deviceName": "cam1", "device": device_now}});
    assert_eq!(body, expected);
    assert_eq!(
        event.properties.content_type.as_deref(),
        Some("application/json")
    );
    assert_eq!(event.properties.user("__protVer"), Some("1.0"));

    world
        .store
        .put_asset("asset-1", asset("onvif_0", 2))
        .unwrap();
    let (event, body) = next(&mut events).await;
    assert_eq!(event.topic, format!("{EVENTS}/assetUpdateEvent"));
    let expected =
        json!({"assetUpdateEvent": {"assetName": "asset-1", "asset": asset("onvif_0", 2)}});
    assert_eq!(body, expected);

    // Of a deletion nobody is told; what comes in its place is news.
    assert!(world.store.delete_device("cam1"));
    world.store.put_device("cam1", device(3)).unwrap();
    let (_, body) = next(&mut events).await;
    assert_eq!(body["deviceUpdateEvent"]["device"]["version"], 3);

    // Nor of a device that has lost the endpoint, which Microsoft's connectors do not survive.
    let mut without = device(4);
    without
        .endpoints
        .as_mut()
        .unwrap()
        .inbound
        .remove("onvif_0");
    world.store.put_device("cam1", without).unwrap();
    tokio::task::yield_now().await;
    world.store.put_device("cam1", device(5)).unwrap();
    let (_, body) = next(&mut events).await;
    assert_eq!(body["deviceUpdateEvent"]["device"]["version"], 5);

    let off = json!({"notificationPreferenceRequest": "Off"});
    world.ask(method, off).await;
    world.store.put_device("cam1", device(6)).unwrap();
    world
        .store
        .put_asset("asset-1", asset("onvif_0", 3))
        .unwrap();
    let (event, _) = next(&mut events).await;
    assert_eq!(event.topic, format!("{EVENTS}/assetUpdateEvent"));
}

#[tokio::test]
async fn a_device_that_lost_the_endpoint_is_no_update() {
    let world = world().await;
    let mut events = world.events().await;
    let on = json!({"notificationPreferenceRequest": "On"});
    let method = "setNotificationPreferenceForDeviceUpdates";
    world.ask(method, on.clone()).await;
    let media = "akri/connector/resources/c-0/cam1/media";
    world.ask_at(&format!("{media}/{method}"), on).await;

    let mut without = device(2);
    let inbound = &mut without.endpoints.as_mut().unwrap().inbound;
    inbound.remove("onvif_0");
    world.store.put_device("cam1", without).unwrap();
    let (event, _) = next(&mut events).await;
    assert!(event.topic.contains("/cam1/media/"), "{}", event.topic);

    world.store.put_device("cam1", device(3)).unwrap();
    for _ in ["onvif_0", "media"] {
        let (_, body) = next(&mut events).await;
        assert_eq!(body["deviceUpdateEvent"]["device"]["version"], 3);
    }
}

#[tokio::test]
async fn counts_the_versions_of_what_is_discovered() {
    let world = world().await;
    let request = |model: &str| {
        let found = json!({"model": model, "endpoints": {"inbound": {"profile_1": {
            "address": "rtsp://10.0.0.5/1", "endpointType": "Microsoft.Media", "supportedAuthenticationMethods": ["Anonymous"]}}}});
        json!({"discoveredDeviceRequest": {"discoveredDeviceName": "found-1", "discoveredDevice": found}}).to_string()
    };
    let topic = "akri/discovery/resources/c-0/Microsoft.Onvif/createOrUpdateDiscoveredDevice";
    let mut answers = Vec::new();
    for model in ["a", "a", "b"] {
        let answer = world.discovery.invoke(topic, request(model)).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        answers.push(answer["discoveredDeviceResponse"].clone());
    }
    let versions: Vec<_> = answers.iter().map(|answer| &answer["version"]).collect();
    assert_eq!(versions, [1, 1, 2]);
    assert_eq!(answers[0]["discoveryId"], answers[2]["discoveryId"]);
    let stored = world.store.discovered_device("found-1").unwrap();
    assert_eq!(stored.model.as_deref(), Some("b"));

    let found =
        json!({"deviceRef": {"deviceName": "cam1", "endpointName": "onvif_0"}, "model": "x"});
    let found = json!({"discoveredAssetRequest": {"discoveredAssetName": "found-2", "discoveredAsset": found}});
    let answer = world.ask("createOrUpdateDiscoveredAsset", found).await;
    assert_eq!(answer["discoveredAssetResponse"]["version"], 1);
    let found = json!({"deviceRef": {"deviceName": "cam1", "endpointName": "media"}});
    let found = json!({"discoveredAssetRequest": {"discoveredAssetName": "found-3", "discoveredAsset": found}});
    let answer = world.ask("createOrUpdateDiscoveredAsset", found).await;
    assert_eq!(
        answer["createOrUpdateDiscoveredAssetError"]["code"],
        "BadRequest"
    );
}

#[tokio::test]
async fn takes_health_in_from_telemetry_and_drops_what_is_about_nobody() {
    let world = world().await;
    let sender = TelemetrySender::new(Arc::new(world.broker.client("c-0")));
    let health =
        json!({"lastUpdateTime": "2026-11-21T09:01:49Z", "status": "Available", "version": 1});
    let of = |asset: &str| {
        json!({"eventRuntimeHealthEvent": {"assetName": asset, "events": [
            {"eventGroupName": "eg", "eventName": "motion", "runtimeHealth": health},
            {"eventGroupName": "eg", "eventName": "tamper", "runtimeHealth": health}]}})
    };
    let garbled = json!({"eventRuntimeHealthEvent": {"assetName": 7}});
    let name = "eventRuntimeHealthEvent";
    let ghost = "akri/connector/resources/telemetry/c-0/cam9/onvif_0";
    for (base, body) in [
        (EVENTS, garbled),
        (ghost, of("asset-1")),
        (EVENTS, of("ghost")),
        (EVENTS, of("elsewhere")),
        (EVENTS, of("asset-1")),
    ] {
        let topic = format!("{base}/{name}");
        let message = Telemetry::new(topic, "application/json", body.to_string());
        sender.send(message).await.unwrap();
    }
    let arrived = async {
        while world.store.asset_health("asset-1").len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, arrived).await.unwrap();
    assert!(world.store.asset_health("ghost").is_empty());
    assert!(world.store.asset_health("elsewhere").is_empty());
}

#[tokio::test]
async fn a_service_that_is_closed_answers_what_arrived_and_leaves() {
    let world = world().await;
    world.ask("getDevice", Value::Null).await;
    world._service.close().await.unwrap();
    assert_eq!(world.broker.unacknowledged(), 0);
    let status = world.store.device_status("cam1").await.unwrap();
    assert_eq!(status, None);
}
