//! Updates that Microsoft's client observes.

use std::sync::Arc;
use std::time::Duration;

use aio_registry::MemoryRegistry;
use aio_registry::model::{Asset, Device};
use azure_iot_operations_services::azure_device_registry::{
    AssetUpdateObservation, Client, DeviceUpdateObservation, ErrorKind,
};
use serde_json::Value;
use tokio::time::timeout;

use crate::spelled;
use crate::world::{self, SOON, World, code, in_memory, world};

const RATHER_SOON: Duration = Duration::from_secs(2);

fn device(version: u64) -> Device {
    let mut device: Device = serde_json::from_value(world::device()).unwrap();
    device.version = Some(version);
    device
}

fn asset(version: u64) -> Asset {
    let mut asset: Asset = serde_json::from_value(world::asset()).unwrap();
    asset.version = Some(version);
    asset
}

async fn of_device(updates: &mut DeviceUpdateObservation, within: Duration) -> Option<Value> {
    let update = timeout(within, updates.recv_notification()).await.ok()?;
    Some(spelled::device(update.unwrap().0))
}

async fn of_asset(updates: &mut AssetUpdateObservation, within: Duration) -> Option<Value> {
    let update = timeout(within, updates.recv_notification()).await.ok()?;
    Some(spelled::asset(update.unwrap().0))
}

async fn observe_device(theirs: &Client) -> DeviceUpdateObservation {
    let updates = theirs.observe_device_update_notifications("cam1".into(), "onvif_0".into(), SOON);
    updates.await.unwrap()
}

async fn observe_asset(theirs: &Client) -> AssetUpdateObservation {
    let (device, endpoint, asset) = ("cam1".into(), "onvif_0".into(), "asset-1".into());
    let updates = theirs.observe_asset_update_notifications(device, endpoint, asset, SOON);
    updates.await.unwrap()
}

/// Changes things until their client is told, as it subscribes at leisure; the last versions it was told of.
async fn until_told(
    store: &MemoryRegistry,
    devices: &mut DeviceUpdateObservation,
    assets: &mut AssetUpdateObservation,
) -> u64 {
    for version in 100..160 {
        store.put_device("cam1", device(version)).unwrap();
        store.put_asset("asset-1", asset(version)).unwrap();
        let told = of_device(devices, RATHER_SOON).await;
        let told = told.zip(of_asset(assets, RATHER_SOON).await);
        if told.is_some_and(|(device, asset)| {
            device["version"] == version && asset["version"] == version
        }) {
            return version;
        }
    }
    panic!("their client is told nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_client_is_told_of_every_change_and_of_nothing_else() {
    let store = in_memory();
    let Some(World { theirs, .. }) = &world(Arc::new(store.clone())).await else {
        return;
    };
    let (mut devices, mut assets) = (observe_device(theirs).await, observe_asset(theirs).await);
    let twice = theirs.observe_device_update_notifications("cam1".into(), "onvif_0".into(), SOON);
    let twice = twice.await.unwrap_err();
    assert!(matches!(twice.kind(), ErrorKind::DuplicateObserve(_)));
    let version = until_told(&store, &mut devices, &mut assets).await;

    // Changed: every field arrives, and of the device's endpoints theirs alone.
    store.put_device("cam1", device(version + 1)).unwrap();
    let told = of_device(&mut devices, SOON).await.unwrap();
    let expected = serde_json::to_value(device(version + 1)).unwrap();
    let mut expected: Value = expected;
    let inbound = expected["endpoints"]["inbound"].as_object_mut().unwrap();
    inbound.retain(|name, _| name == "onvif_0");
    assert_eq!(told, expected);
    store.put_asset("asset-1", asset(version + 1)).unwrap();
    let told = of_asset(&mut assets, SOON).await.unwrap();
    assert_eq!(told, serde_json::to_value(asset(version + 1)).unwrap());

    // Deleted, and created again: of the deletion there is no message.
    assert!(store.delete_asset("asset-1"));
    store.put_asset("asset-1", asset(version + 2)).unwrap();
    let told = of_asset(&mut assets, SOON).await.unwrap();
    assert_eq!(told["version"], version + 2);

    // A device that loses their endpoint would end Microsoft's connectors; they are told when it has it again.
    let mut without = device(version + 3);
    without
        .endpoints
        .as_mut()
        .unwrap()
        .inbound
        .remove("onvif_0");
    store.put_device("cam1", without).unwrap();
    store.put_device("cam1", device(version + 4)).unwrap();
    let told = of_device(&mut devices, SOON).await.unwrap();
    assert_eq!(told["version"], version + 4);

    // An asset that moves to another endpoint is gone from theirs, until it moves back.
    let mut moved = asset(version + 3);
    moved.device_ref.endpoint_name = "media".into();
    store.put_asset("asset-1", moved).unwrap();
    store.put_asset("asset-1", asset(version + 4)).unwrap();
    let told = of_asset(&mut assets, SOON).await.unwrap();
    assert_eq!(told["version"], version + 4);

    // No longer observed: the stream ends, and nothing comes to one that is observed again but what is new.
    let (device_name, endpoint) = (|| "cam1".to_owned(), || "onvif_0".to_owned());
    let off = theirs.unobserve_device_update_notifications(device_name(), endpoint(), SOON);
    off.await.unwrap();
    let off = theirs.unobserve_asset_update_notifications(
        device_name(),
        endpoint(),
        "asset-1".into(),
        SOON,
    );
    off.await.unwrap();
    assert!(devices.recv_notification().await.is_none());
    assert!(assets.recv_notification().await.is_none());
    store.put_device("cam1", device(version + 5)).unwrap();
    let mut devices = observe_device(theirs).await;
    store.put_device("cam1", device(version + 6)).unwrap();
    let told = of_device(&mut devices, SOON).await.unwrap();
    assert_eq!(told["version"], version + 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_exist_yet_may_be_observed_and_what_is_no_name_may_not() {
    let store = in_memory();
    let Some(World { theirs, .. }) = &world(Arc::new(store.clone())).await else {
        return;
    };
    let bad = theirs.observe_device_update_notifications("cam_1".into(), "onvif_0".into(), SOON);
    assert_eq!(code(&bad.await.unwrap_err()), "BadRequest");
    let (device_name, endpoint) = (|| "cam1".to_owned(), || "onvif_0".to_owned());
    let bad =
        theirs.observe_asset_update_notifications(device_name(), endpoint(), "ASSET".into(), SOON);
    assert_eq!(code(&bad.await.unwrap_err()), "BadRequest");

    assert!(store.delete_asset("asset-1"));
    let (mut devices, mut assets) = (observe_device(theirs).await, observe_asset(theirs).await);
    let version = until_told(&store, &mut devices, &mut assets).await;
    assert!(version >= 100);
}
