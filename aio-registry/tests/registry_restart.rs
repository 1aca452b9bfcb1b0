//! A service that stops and another that follows it, on the same registry: what the first knew of its clients, the second knows.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::{Asset, Device};
use aio_registry::mrpc::{Invoker, InvokerOptions};
use aio_registry::{
    EndpointRef, FileOptions, FileRegistry, Interest, MemoryBroker, MemoryRegistry, Mqtt, Qos,
    RegistryService, RegistryStore, Subscription,
};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(30);
const OF_DEVICE: &str = "setNotificationPreferenceForDeviceUpdates";
const OF_ASSET: &str = "setNotificationPreferenceForAssetUpdates";

async fn open(folder: &Path) -> FileRegistry {
    let options = FileOptions {
        debounce: Duration::from_millis(5),
        ..FileOptions::default()
    };
    FileRegistry::open(folder, options).await.unwrap()
}

fn camera(model: &str) -> Device {
    let endpoint = json!({"address": "http://10.0.0.5", "endpointType": "Microsoft.Onvif"});
    serde_json::from_value(json!({"model": model, "endpoints": {"inbound": {"onvif": endpoint}}}))
        .unwrap()
}

fn asset(model: &str) -> Asset {
    let reference = json!({"deviceName": "cam1", "endpointName": "onvif"});
    serde_json::from_value(json!({"model": model, "deviceRef": reference})).unwrap()
}

/// The broker, and one client that speaks for every connector.
struct World {
    broker: MemoryBroker,
    invoker: Invoker,
    discovery: Invoker,
    events: Subscription,
}

impl World {
    async fn new() -> Self {
        let broker = MemoryBroker::new();
        let client = Arc::new(broker.client("asks"));
        let resources = "akri/connector/resources/{client}/{device}/{endpoint}/{method}";
        let found = "akri/discovery/resources/{client}/{type}/{method}";
        let events = broker.client("watches");
        let telemetry = "akri/connector/resources/telemetry/#";
        Self {
            invoker: Invoker::start(client.clone(), InvokerOptions::new(resources))
                .await
                .unwrap(),
            discovery: Invoker::start(client, InvokerOptions::new(found))
                .await
                .unwrap(),
            events: events.subscribe(telemetry, Qos::AtLeastOnce).await.unwrap(),
            broker,
        }
    }

    async fn serve(&self, store: impl RegistryStore) -> RegistryService {
        RegistryService::start(Arc::new(self.broker.client("service")), Arc::new(store))
            .await
            .unwrap()
    }

    async fn ask(&self, client: &str, method: &str, body: Value) -> Value {
        let topic = format!("akri/connector/resources/{client}/cam1/onvif/{method}");
        let answer = self.invoker.invoke(&topic, body.to_string()).await.unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }

    async fn follow_device(&self, client: &str, preference: &str) -> Value {
        let body = json!({"notificationPreferenceRequest": preference});
        self.ask(client, OF_DEVICE, body).await
    }

    async fn follow_asset(&self, client: &str, preference: &str) -> Value {
        let wish = json!({"assetName": "asset-1", "notificationPreference": preference});
        let body = json!({"notificationPreferenceRequest": wish});
        self.ask(client, OF_ASSET, body).await
    }

    /// Who is told next, and the model of what it is told of.
    async fn told(&mut self) -> (String, String) {
        let event = timeout(DEADLINE, self.events.next())
            .await
            .unwrap()
            .unwrap();
        let body: Value = serde_json::from_slice(&event.payload).unwrap();
        let device = &body["deviceUpdateEvent"]["device"]["model"];
        let asset = &body["assetUpdateEvent"]["asset"]["model"];
        let model = device.as_str().or(asset.as_str()).unwrap();
        let client = event.topic.split('/').nth(4).unwrap();
        (client.to_owned(), model.to_owned())
    }

    async fn discover(&self, name: &str, model: &str) -> Value {
        let found = json!({"discoveredDeviceName": name, "discoveredDevice": {"model": model}});
        let body = json!({"discoveredDeviceRequest": found}).to_string();
        let topic = "akri/discovery/resources/c-0/Microsoft.Onvif/createOrUpdateDiscoveredDevice";
        let answer = self.discovery.invoke(topic, body).await.unwrap();
        let mut answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        answer["discoveredDeviceResponse"].take()
    }
}

fn pair(client: &str, model: &str) -> (String, String) {
    (client.to_owned(), model.to_owned())
}

#[tokio::test]
async fn clients_of_the_service_before_are_told_of_what_changed_since() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new().await;
    let store = open(folder.path()).await;
    store.put_device("cam1", &camera("d1")).await.unwrap();
    store.put_asset("asset-1", &asset("a1")).await.unwrap();
    let service = world.serve(store.clone()).await;
    for client in ["c-0", "c-1"] {
        world.follow_device(client, "On").await;
        world.follow_asset(client, "On").await;
    }
    world.follow_asset("c-1", "Off").await;
    store.put_device("cam1", &camera("d2")).await.unwrap();
    let mut told = [world.told().await, world.told().await];
    told.sort();
    assert_eq!(told, [pair("c-0", "d2"), pair("c-1", "d2")]);
    service.close().await.unwrap();
    drop(store);

    // While nobody serves, only the asset changes; c-1 does not want to know.
    let store = open(folder.path()).await;
    store.put_asset("asset-1", &asset("a2")).await.unwrap();
    drop(store);
    let store = open(folder.path()).await;
    let service = world.serve(store.clone()).await;
    assert_eq!(world.told().await, pair("c-0", "a2"));
    store.put_asset("asset-1", &asset("a3")).await.unwrap();
    assert_eq!(world.told().await, pair("c-0", "a3"));
    service.close().await.unwrap();
    drop(store);

    // Nothing changes while nobody serves: what was told is not told again.
    let store = open(folder.path()).await;
    let service = world.serve(store.clone()).await;
    store.put_asset("asset-1", &asset("a4")).await.unwrap();
    assert_eq!(world.told().await, pair("c-0", "a4"));
    service.close().await.unwrap();
}

#[tokio::test]
async fn an_interest_lasts_as_long_as_what_it_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let (file, memory) = (open(folder.path()).await, MemoryRegistry::new());
    file.put_device("cam1", &camera("d1")).await.unwrap();
    file.put_asset("asset-1", &asset("a1")).await.unwrap();
    memory.put_device("cam1", camera("d1")).unwrap();
    memory.put_asset("asset-1", asset("a1")).unwrap();
    let interest = |client: &str, asset: Option<&str>| Interest {
        client: client.into(),
        endpoint: EndpointRef::new("cam1", "onvif"),
        asset: asset.map(str::to_owned),
    };
    let of_device = interest("c-0", None);
    let others = interest("c-1", None);
    let of_asset = interest("c-0", Some("asset-1"));
    for store in [&file as &dyn RegistryStore, &memory] {
        store.keep_interest(&of_device, "a").await.unwrap();
        store.keep_interest(&others, "b").await.unwrap();
        store.keep_interest(&of_asset, "c").await.unwrap();
        store.keep_interest(&of_device, "d").await.unwrap();
        store.forget_interest(&others).await.unwrap();
        store.forget_interest(&others).await.unwrap();
        let kept = store.interests().await.unwrap();
        let expected = [
            (of_device.clone(), "d".into()),
            (of_asset.clone(), "c".into()),
        ];
        assert_eq!(kept, expected.into());
        // It is no report.
        assert_eq!(store.device_status("cam1").await.unwrap(), None);
        assert_eq!(store.asset_status("asset-1").await.unwrap(), None);
    }
    file.delete_asset("asset-1").await.unwrap();
    assert!(memory.delete_asset("asset-1"));
    for store in [&file as &dyn RegistryStore, &memory] {
        let kept = store.interests().await.unwrap();
        assert_eq!(kept, [(of_device.clone(), "d".into())].into());
    }
    file.delete_device("cam1").await.unwrap();
    assert!(memory.delete_device("cam1"));
    for store in [&file as &dyn RegistryStore, &memory] {
        assert!(store.interests().await.unwrap().is_empty());
        store.forget_interest(&of_device).await.unwrap();
    }
    assert!(!folder.path().join("status/device/cam1.yaml").exists());
}

#[tokio::test]
async fn what_is_recreated_is_told_of_after_a_restart_too() {
    let (mut world, store) = (World::new().await, MemoryRegistry::new());
    store.put_device("cam1", camera("d1")).unwrap();
    let service = world.serve(store.clone()).await;
    world.follow_device("c-0", "On").await;
    assert!(store.delete_device("cam1"));
    store.put_device("cam1", camera("d2")).unwrap();
    assert_eq!(world.told().await, pair("c-0", "d2"));
    service.close().await.unwrap();
    store.put_device("cam1", camera("d3")).unwrap();
    let _service = world.serve(store.clone()).await;
    assert_eq!(world.told().await, pair("c-0", "d3"));
}

#[tokio::test]
async fn clients_cannot_fill_the_registry_with_interests() {
    let (world, store) = (World::new().await, MemoryRegistry::new());
    store.put_device("cam1", camera("d1")).unwrap();
    let _service = world.serve(store.clone()).await;
    let refused = |answer: Value| answer[format!("{OF_DEVICE}Error")]["code"] == "BadRequest";
    assert!(refused(world.follow_device(&"c".repeat(257), "On").await));
    for client in 0..1_000 {
        let answer = world.follow_device(&format!("c-{client}"), "On").await;
        assert!(!refused(answer));
    }
    assert!(refused(world.follow_device("one-more", "On").await));
    // Who is known already may say so again.
    assert!(!refused(world.follow_device("c-7", "On").await));
    assert_eq!(store.interests().await.unwrap().len(), 1_000);
}

#[tokio::test]
async fn what_was_discovered_keeps_its_identifier_and_counts_on() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new().await;
    let store = open(folder.path()).await;
    let service = world.serve(store).await;
    let first = world.discover("found-1", "m1").await;
    let second = world.discover("found-1", "m2").await;
    service.close().await.unwrap();

    let service = world.serve(open(folder.path()).await).await;
    let same = world.discover("found-1", "m2").await;
    let third = world.discover("found-1", "m3").await;
    for (discovery, version) in [(&first, 1), (&second, 2), (&same, 2), (&third, 3)] {
        assert_eq!(discovery["discoveryId"], first["discoveryId"]);
        assert_eq!(discovery["version"], version);
    }
    let other = world.discover("found-2", "m3").await;
    assert_ne!(other["discoveryId"], first["discoveryId"]);
    service.close().await.unwrap();

    // The one that an operator has thrown away is another when it is found again.
    std::fs::remove_file(folder.path().join("discovered/device/found-1.yaml")).unwrap();
    let _service = world.serve(open(folder.path()).await).await;
    let again = world.discover("found-1", "m3").await;
    assert_eq!(again["version"], 1);
    assert_ne!(again["discoveryId"], first["discoveryId"]);
}
