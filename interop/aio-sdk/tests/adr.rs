//! Microsoft's Device Registry client before our service, over Mosquitto: every method, field by field.

#[path = "adr/discovered.rs"]
mod discovered;
#[path = "adr/health.rs"]
mod health;
#[path = "adr/spelled.rs"]
mod spelled;
#[path = "adr/statuses.rs"]
mod statuses;
#[path = "adr/updates.rs"]
mod updates;
#[path = "adr/world.rs"]
mod world;

use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::{Asset, Device};
use aio_registry::{MemoryRegistry, RegistryStore};
use azure_iot_operations_protocol::common::aio_protocol_error::AIOProtocolErrorKind as Kind;
use azure_iot_operations_services::azure_device_registry::ErrorKind;
use serde_json::{Value, json};

use crate::world::{CLIENT, SOON, World, code, in_folder, in_memory, world};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_client_reads_every_field_of_what_a_registry_in_memory_holds() {
    reads_every_field(Arc::new(in_memory())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_client_reads_every_field_of_what_a_folder_holds() {
    let folder = tempfile::tempdir().unwrap();
    reads_every_field(Arc::new(in_folder(folder.path()).await)).await;
}

async fn reads_every_field(store: Arc<dyn RegistryStore>) {
    let Some(World {
        theirs,
        service,
        broker: _broker,
    }) = world(store).await
    else {
        return;
    };
    for endpoint in ["onvif_0", "media", "open"] {
        let device = theirs.get_device("cam1".into(), endpoint.into(), SOON);
        let device = spelled::device(device.await.unwrap());
        // Each connector is told of its own endpoint alone.
        let mut expected = world::device();
        let inbound = expected["endpoints"]["inbound"].as_object_mut().unwrap();
        inbound.retain(|name, _| name == endpoint);
        assert_eq!(device, expected, "{endpoint}");
    }
    let asset = theirs.get_asset("cam1".into(), "onvif_0".into(), "asset-1".into(), SOON);
    assert_eq!(spelled::asset(asset.await.unwrap()), world::asset());
    theirs.shutdown().await.unwrap();
    service.close().await.unwrap();
}

/// A folder and a memory know what was put; the registry says what it has made of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_and_an_asset_with_nothing_but_what_they_must_have_are_read_too() {
    let store = MemoryRegistry::new();
    let device = json!({"endpoints": {"inbound": {"e": {"address": "a", "endpointType": "t"}}}});
    let asset = json!({"deviceRef": {"deviceName": "cam2", "endpointName": "e"}});
    let of = |value: Value| serde_json::from_value::<Device>(value).unwrap();
    store.put_device("cam2", of(device.clone())).unwrap();
    let spec: Asset = serde_json::from_value(asset.clone()).unwrap();
    store.put_asset("asset-2", spec).unwrap();
    let Some(World { theirs, .. }) = &world(Arc::new(store)).await else {
        return;
    };
    let found = theirs.get_device("cam2".into(), "e".into(), SOON);
    let found = spelled::device(found.await.unwrap());
    assert_eq!(found["endpoints"]["inbound"]["e"]["address"], "a");
    // Who names no way to log in logs in with none.
    let login = &found["endpoints"]["inbound"]["e"]["authentication"];
    assert_eq!(login["method"], "Anonymous");
    let found = theirs.get_asset("cam2".into(), "e".into(), "asset-2".into(), SOON);
    let found = spelled::asset(found.await.unwrap());
    assert_eq!(found["deviceRef"], asset["deviceRef"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_client_reads_each_error_with_its_code() {
    let Some(World { theirs, .. }) = &world(Arc::new(in_memory())).await else {
        return;
    };
    let text = |text: &str| text.to_owned();
    for (device, endpoint, expected) in [
        ("cam9", "onvif_0", "KubeError"),
        ("cam1", "rtsp", "KubeError"),
        ("cam_1", "onvif_0", "BadRequest"),
        ("cam1", "_", "BadRequest"),
    ] {
        let (device, endpoint) = (text(device), text(endpoint));
        let status = Default::default();
        let status = theirs.update_device_plus_endpoint_status(
            device.clone(),
            endpoint.clone(),
            status,
            SOON,
        );
        for error in [
            theirs
                .get_device(device.clone(), endpoint.clone(), SOON)
                .await
                .err(),
            theirs
                .get_device_status(device.clone(), endpoint.clone(), SOON)
                .await
                .err(),
            status.await.err(),
        ] {
            assert_eq!(code(&error.unwrap()), expected, "{device}/{endpoint}");
        }
    }
    for (asset, expected) in [("asset-9", "KubeError"), ("Asset/1", "BadRequest")] {
        let (device, endpoint, asset) = (text("cam1"), text("onvif_0"), text(asset));
        let at = || (device.clone(), endpoint.clone(), asset.clone());
        let (a, b, c) = at();
        let asked = theirs.get_asset(a, b, c, SOON).await.err();
        let (a, b, c) = at();
        let status = theirs.get_asset_status(a, b, c, SOON).await.err();
        let (a, b, c) = at();
        let updated = theirs.update_asset_status(a, b, c, Default::default(), SOON);
        for error in [asked, status, updated.await.err()] {
            assert_eq!(code(&error.unwrap()), expected, "{asset}");
        }
    }
    // An asset is seen at its own endpoint alone.
    let elsewhere = theirs.get_asset("cam1".into(), "media".into(), "asset-1".into(), SOON);
    assert_eq!(code(&elsewhere.await.unwrap_err()), "KubeError");
}

/// Their client sends none, so Microsoft's invoker does it alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_none_is_an_invalid_payload_to_microsofts_invoker() {
    let Some(World { broker, .. }) = &world(Arc::new(in_memory())).await else {
        return;
    };
    let pattern = "akri/connector/resources/{client}/{device}/{endpoint}/{method}";
    let invoker = aio_sdk::invoker(aio_sdk::session(broker.port, "raw"), pattern);
    for (method, body) in [
        ("getAsset", "{}"),
        ("getAsset", "nonsense"),
        (
            "updateDeviceStatus",
            r#"{"deviceStatusUpdate":{"config":{"version":-1}}}"#,
        ),
        (
            "updateAssetStatus",
            r#"{"assetStatusUpdate":{"assetName":"asset-1"}}"#,
        ),
        (
            "setNotificationPreferenceForDeviceUpdates",
            r#"{"notificationPreferenceRequest":"Maybe"}"#,
        ),
        ("createOrUpdateDiscoveredAsset", "[]"),
    ] {
        let tokens = [
            ("client", CLIENT),
            ("device", "cam1"),
            ("endpoint", "onvif_0"),
            ("method", method),
        ];
        let error = invoker.invoke(aio_sdk::request(body, &tokens, SOON)).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind, Kind::PayloadInvalid, "{method}: {error}");
        assert!(error.is_remote, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_service_microsofts_client_waits_for_as_long_as_it_was_told() {
    let Some(World {
        broker: _broker,
        theirs,
        service,
    }) = world(Arc::new(in_memory())).await
    else {
        return;
    };
    service.close().await.unwrap();
    let asked = theirs.get_device("cam1".into(), "onvif_0".into(), Duration::from_secs(1));
    match asked.await.unwrap_err().kind() {
        ErrorKind::AIOProtocolError(error) => assert_eq!(error.kind, Kind::Timeout),
        other => panic!("{other}"),
    }
}
