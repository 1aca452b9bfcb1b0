//! The registry over MQTT when the service is slow to come, goes and comes back; and what it sends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aio_registry::model::{
    Asset, AssetStatus, ConfigStatus, Device, DeviceStatus, EndpointStatus, Health, HealthStatus,
    InboundEndpoint, OtherFields, RuntimeHealth,
};
use aio_registry::{
    AdrOptions, AdrRegistry, Desired, EndpointRef, ErrorKind, MemoryBroker, MemoryRegistry, Mqtt,
    Qos, Registry, RegistryService, RegistryStore,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);

fn device(version: u64) -> Device {
    let mut device = Device {
        version: Some(version),
        ..Device::default()
    };
    let endpoint = InboundEndpoint {
        address: "http://10.0.0.5".into(),
        endpoint_type: "Microsoft.Onvif".into(),
        ..InboundEndpoint::default()
    };
    let endpoints = device.endpoints.get_or_insert_default();
    endpoints.inbound.insert("onvif_0".into(), endpoint.clone());
    endpoints.inbound.insert("onvif_1".into(), endpoint);
    device
}

fn asset() -> Asset {
    let mut asset = Asset::default();
    asset.device_ref.device_name = "cam1".into();
    asset.device_ref.endpoint_name = "onvif_0".into();
    asset
}

fn allocate(folder: &Path) {
    std::fs::write(folder.join("cam1_onvif_0"), "asset-1\n").unwrap();
}

async fn registry(broker: &MemoryBroker, folder: &Path) -> AdrRegistry {
    let options = AdrOptions {
        allocations: folder.into(),
        timeout: Duration::from_millis(200),
        debounce: Duration::from_millis(5),
        poll: Duration::from_millis(50),
        resync: Duration::from_millis(200),
        ..AdrOptions::default()
    };
    AdrRegistry::start(Arc::new(broker.client("c-0")), options)
        .await
        .unwrap()
}

async fn service(broker: &MemoryBroker, store: &MemoryRegistry) -> RegistryService {
    RegistryService::start(Arc::new(broker.client("service")), Arc::new(store.clone()))
        .await
        .unwrap()
}

async fn until(
    desired: &mut BoxStream<'static, Arc<Desired>>,
    reached: impl Fn(&Desired) -> bool,
) -> Arc<Desired> {
    let look = async {
        loop {
            let now = desired.next().await.unwrap();
            if reached(&now) {
                return now;
            }
        }
    };
    timeout(DEADLINE, look).await.expect("a state in time")
}

fn assets(desired: &Desired) -> usize {
    let endpoints = desired.endpoints.iter();
    endpoints.map(|endpoint| endpoint.assets.len()).sum()
}

#[tokio::test]
async fn a_service_that_comes_late_is_asked_until_it_answers() {
    let (broker, store) = (MemoryBroker::new(), MemoryRegistry::new());
    let folder = tempfile::tempdir().unwrap();
    allocate(folder.path());
    let registry = registry(&broker, folder.path()).await;
    let mut desired = registry.watch("Microsoft.Onvif");
    assert_eq!(assets(&desired.next().await.unwrap()), 0);

    let _service = service(&broker, &store).await;
    store.put_device("cam1", device(1)).unwrap();
    store.put_asset("asset-1", asset()).unwrap();
    let seen = until(&mut desired, |desired| assets(desired) == 1).await;
    // The other endpoint of the device is another connector's.
    let names: Vec<_> = seen.endpoints.iter().map(|found| &found.endpoint).collect();
    assert_eq!(names, [&EndpointRef::new("cam1", "onvif_0")]);
}

#[tokio::test]
async fn a_service_that_goes_takes_nothing_out_of_service_and_is_told_again_what_is_of_interest() {
    let (broker, store) = (MemoryBroker::new(), MemoryRegistry::new());
    let folder = tempfile::tempdir().unwrap();
    allocate(folder.path());
    store.put_device("cam1", device(1)).unwrap();
    store.put_asset("asset-1", asset()).unwrap();
    let first = service(&broker, &store).await;
    let registry = registry(&broker, folder.path()).await;
    let mut desired = registry.watch("Microsoft.Onvif");
    until(&mut desired, |desired| assets(desired) == 1).await;
    drop(first);

    // Requests are sent again and again, and nobody answers.
    let watcher = broker.client("watcher");
    let requests = "akri/connector/resources/c-0/cam1/onvif_0/+";
    let mut requests = watcher.subscribe(requests, Qos::AtLeastOnce).await.unwrap();
    for _ in 0..4 {
        timeout(DEADLINE, requests.next()).await.unwrap().unwrap();
    }
    let now = registry.watch("Microsoft.Onvif").next().await.unwrap();
    assert_eq!(assets(&now), 1);

    let _service = service(&broker, &store).await;
    store.put_device("cam1", device(2)).unwrap();
    until(&mut desired, |desired| {
        desired.endpoints[0].device.version == Some(2)
    })
    .await;
}

#[tokio::test]
async fn asks_to_be_told_before_it_asks_and_not_to_be_told_when_it_leaves() {
    let (broker, store) = (MemoryBroker::new(), MemoryRegistry::new());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cam1_onvif_0"), "").unwrap();
    store.put_device("cam1", device(1)).unwrap();
    let _service = service(&broker, &store).await;
    let watcher = broker.client("watcher");
    let requests = "akri/connector/resources/c-0/cam1/onvif_0/+";
    let mut requests = watcher.subscribe(requests, Qos::AtLeastOnce).await.unwrap();
    let registry = registry(&broker, folder.path()).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let request = requests.next().await.unwrap();
        let method = request.topic.rsplit('/').next().unwrap().to_owned();
        seen.push((method, String::from_utf8(request.payload.to_vec()).unwrap()));
    }
    let preference = "setNotificationPreferenceForDeviceUpdates";
    let on = r#"{"notificationPreferenceRequest":"On"}"#;
    assert_eq!(
        seen,
        [
            (preference.to_owned(), on.to_owned()),
            ("getDevice".to_owned(), String::new())
        ]
    );
    std::fs::remove_file(folder.path().join("cam1_onvif_0")).unwrap();
    let mut desired = registry.watch("Microsoft.Onvif");
    until(&mut desired, |desired| desired.endpoints.is_empty()).await;
    let left = async {
        loop {
            let request = requests.next().await.unwrap();
            if request.payload == r#"{"notificationPreferenceRequest":"Off"}"# {
                return;
            }
        }
    };
    timeout(DEADLINE, left).await.unwrap();
}

#[tokio::test]
async fn a_status_of_an_older_version_is_started_anew() {
    let (broker, store) = (MemoryBroker::new(), MemoryRegistry::new());
    let folder = tempfile::tempdir().unwrap();
    allocate(folder.path());
    store.put_device("cam1", device(2)).unwrap();
    let mut old = DeviceStatus {
        config: Some(ConfigStatus {
            version: Some(1),
            ..ConfigStatus::default()
        }),
        ..DeviceStatus::default()
    };
    let endpoints = old.endpoints.get_or_insert_default();
    endpoints
        .inbound
        .insert("gone".into(), EndpointStatus::default());
    store.report_device_status("cam1", old).await.unwrap();
    let _service = service(&broker, &store).await;
    let registry = registry(&broker, folder.path()).await;
    let watcher = broker.client("watcher");
    let requests = "akri/connector/resources/c-0/cam1/onvif_0/updateDeviceStatus";
    let mut requests = watcher.subscribe(requests, Qos::AtLeastOnce).await.unwrap();

    let mut report = DeviceStatus::default();
    let endpoints = report.endpoints.get_or_insert_default();
    endpoints
        .inbound
        .insert("onvif_0".into(), EndpointStatus::default());
    registry.report_device_status("cam1", report).await.unwrap();
    let sent = requests.next().await.unwrap();
    assert_eq!(
        sent.payload,
        r#"{"deviceStatusUpdate":{"endpoints":{"inbound":{"onvif_0":{}}}}}"#
    );
    let endpoint = EndpointRef::new("cam1", "onvif_0");
    let status = registry.device_status(&endpoint).await.unwrap();
    assert_eq!(status.config, None);
    let inbound = status.endpoints.unwrap().inbound;
    assert_eq!(inbound.into_keys().collect::<Vec<_>>(), ["onvif_0"]);
}

#[tokio::test]
async fn endpoints_of_one_device_are_asked_for_and_reported_on_one_by_one() {
    let (broker, store) = (MemoryBroker::new(), MemoryRegistry::new());
    let folder = tempfile::tempdir().unwrap();
    for endpoint in ["onvif_0", "onvif_1"] {
        std::fs::write(folder.path().join(format!("cam1_{endpoint}")), "").unwrap();
    }
    store.put_device("cam1", device(1)).unwrap();
    let _service = service(&broker, &store).await;
    let registry = registry(&broker, folder.path()).await;
    let mut desired = registry.watch("Microsoft.Onvif");
    until(&mut desired, |desired| desired.endpoints.len() == 2).await;
    let mut report = DeviceStatus::default();
    let endpoints = report.endpoints.get_or_insert_default();
    for endpoint in ["onvif_0", "onvif_1"] {
        endpoints
            .inbound
            .insert(endpoint.into(), EndpointStatus::default());
    }
    let reported = registry.report_device_status("cam1", report.clone());
    reported.await.unwrap();
    assert_eq!(store.device_status("cam1").await.unwrap(), Some(report));
}

#[tokio::test]
async fn what_is_not_ours_is_not_reported_on() {
    let broker = MemoryBroker::new();
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&broker, folder.path()).await;
    let device = registry.report_device_status("cam1", DeviceStatus::default());
    assert_eq!(device.await.unwrap_err().kind(), ErrorKind::State);
    let asset = registry.report_asset_status("asset-1", AssetStatus::default());
    assert_eq!(asset.await.unwrap_err().kind(), ErrorKind::State);
}

#[tokio::test]
async fn health_is_published_as_the_contract_spells_it() {
    let broker = MemoryBroker::new();
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&broker, folder.path()).await;
    let watcher = broker.client("watcher");
    let events = "akri/connector/resources/telemetry/#";
    let mut events = watcher.subscribe(events, Qos::AtLeastOnce).await.unwrap();
    let health = RuntimeHealth {
        version: 3,
        status: HealthStatus::Unavailable,
        last_update_time: UNIX_EPOCH + Duration::from_secs(1),
        message: Some("m".into()),
        reason_code: None,
        other: OtherFields::default(),
    };
    let endpoint = EndpointRef::new("cam1", "onvif_0");
    let report = registry.report_health(&endpoint, Health::Endpoint(health));
    report.await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(
        event.topic,
        "akri/connector/resources/telemetry/c-0/cam1/onvif_0/deviceEndpointRuntimeHealthEvent"
    );
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&event.payload).unwrap(),
        serde_json::json!({"deviceEndpointRuntimeHealthEvent": {"runtimeHealth": {
            "version": 3, "status": "Unavailable", "lastUpdateTime": "1970-01-01T00:00:01Z", "message": "m"}}})
    );
    assert_eq!(event.properties.user("__srcId"), Some("c-0"));
}
