//! What every registry does: the folder, the one in memory, and the one over MQTT before a service.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "registry_behaviour/convergence.rs"]
mod convergence;
#[path = "registry_behaviour/reports.rs"]
mod reports;
#[path = "registry_behaviour/stage.rs"]
mod stage;

use aio_registry::model::{
    AssetStatus, Authentication, DeviceStatus, DiscoveredAsset, DiscoveredDevice, Health,
    HealthStatus,
};
use aio_registry::{Desired, EndpointRef, ErrorKind, Secret};

use crate::reports::{
    hands_what_is_discovered_to_the_operator, health,
    merges_the_status_of_a_device_and_replaces_that_of_an_asset,
    takes_health_in_and_ignores_what_is_older,
};
use crate::stage::{Stage, asset, described, device, until};

/// Runs each behaviour on each backend.
macro_rules! on_every_backend {
    ($($behaviour:ident),* $(,)?) => {
        mod file {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(super::Stage::file().await).await;
            })*
        }
        mod memory {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(super::Stage::memory()).await;
            })*
        }
        mod adr {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(super::Stage::adr().await).await;
            })*
        }
        mod adr_of_folder {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(super::Stage::adr_of_folder().await).await;
            })*
        }
    };
}

on_every_backend![
    follows_creation_change_and_deletion,
    converges_when_an_asset_comes_before_its_device,
    converges_when_a_device_is_deleted_and_created_again,
    follows_an_asset_to_another_endpoint,
    leaves_out_what_is_disabled_and_of_another_type,
    merges_the_status_of_a_device_and_replaces_that_of_an_asset,
    takes_health_in_and_ignores_what_is_older,
    hands_what_is_discovered_to_the_operator,
    reads_secrets_and_says_when_one_changes,
    refuses_names_that_are_none,
    stamps_what_it_holds_and_counts_the_changes,
];
async fn follows_creation_change_and_deletion(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    until(&mut desired, |desired| desired.endpoints.is_empty()).await;

    stage.put_device("cam1", device("1")).await;
    let seen = until(&mut desired, |desired| desired.endpoints.len() == 1).await;
    assert_eq!(
        seen.endpoints[0].endpoint,
        EndpointRef::new("cam1", "onvif_0")
    );
    assert_eq!(seen.namespace, "azure-iot-operations");

    stage.put_asset("asset-1", asset("cam1", "a")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=a"]
    })
    .await;

    stage.put_asset("asset-1", asset("cam1", "b")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=b"]
    })
    .await;

    stage.put_device("cam1", device("2")).await;
    until(&mut desired, |desired| {
        desired.endpoints[0].spec.address == "http://10.0.0.2/onvif/device_service"
    })
    .await;

    stage.delete_asset("asset-1").await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0:"]
    })
    .await;

    stage.delete_device("cam1").await;
    until(&mut desired, |desired| desired.endpoints.is_empty()).await;
}

async fn converges_when_an_asset_comes_before_its_device(stage: Stage) {
    let mut desired = stage.registry.watch("microsoft.onvif");
    stage.put_asset("asset-1", asset("cam1", "a")).await;
    until(&mut desired, |desired| desired.endpoints.is_empty()).await;
    stage.put_device("cam1", device("1")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=a"]
    })
    .await;
}

async fn converges_when_a_device_is_deleted_and_created_again(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    stage.put_device("cam1", device("1")).await;
    stage.put_asset("asset-1", asset("cam1", "a")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=a"]
    })
    .await;
    stage.delete_device("cam1").await;
    stage.put_device("cam1", device("3")).await;
    stage.delete_asset("asset-1").await;
    stage.put_asset("asset-1", asset("cam1", "c")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=c"]
            && desired.endpoints[0].spec.address == "http://10.0.0.3/onvif/device_service"
    })
    .await;
}

async fn follows_an_asset_to_another_endpoint(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    stage.put_device("cam1", device("1")).await;
    stage.put_device("cam2", device("2")).await;
    stage.put_asset("asset-1", asset("cam1", "a")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=a", "cam2/onvif_0:"]
    })
    .await;
    stage.put_asset("asset-1", asset("cam2", "a")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0:", "cam2/onvif_0: asset-1=a"]
    })
    .await;
}

async fn leaves_out_what_is_disabled_and_of_another_type(stage: Stage) {
    let mut onvif = stage.registry.watch("Microsoft.Onvif");
    let mut other = stage.registry.watch("Microsoft.OpcUa");
    let mut off = device("1");
    off.enabled = Some(false);
    stage.put_device("cam1", off).await;
    stage.put_device("cam2", device("2")).await;
    let mut asset_off = asset("cam2", "a");
    asset_off.enabled = Some(false);
    stage.put_asset("asset-1", asset_off).await;
    stage.put_asset("asset-2", asset("cam2", "b")).await;
    until(&mut onvif, |desired| {
        described(desired) == ["cam2/onvif_0: asset-2=b"]
    })
    .await;
    until(&mut other, |desired| desired.endpoints.is_empty()).await;
    stage.put_device("cam1", device("1")).await;
    until(&mut onvif, |desired| {
        described(desired) == ["cam1/onvif_0:", "cam2/onvif_0: asset-2=b"]
    })
    .await;
}

async fn reads_secrets_and_says_when_one_changes(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    let mut spec = device("1");
    let endpoints = spec.endpoints.as_mut().unwrap();
    let onvif = endpoints.inbound.get_mut("onvif_0").unwrap();
    onvif.authentication = Some(Authentication::username_password(
        "cam1/username",
        "cam1/password",
    ));
    stage.put_secret("cam1/username", "admin").await;
    stage.put_secret("cam1/password", "old").await;
    stage.put_device("cam1", spec).await;
    let before = until(&mut desired, |desired| desired.endpoints.len() == 1).await;
    let secret = async |name: &str| {
        let secret: Result<Secret, _> = stage.registry.secret(name).await;
        secret
    };
    let password = secret("cam1/password").await.unwrap();
    assert_eq!(password.as_text().unwrap(), "old");

    stage.put_secret("cam1/password", "new").await;
    let version = before.endpoints[0].secrets_version;
    until(&mut desired, |desired| {
        desired.endpoints[0].secrets_version != version
    })
    .await;
    let password = secret("cam1/password").await.unwrap();
    assert_eq!(password.as_text().unwrap(), "new");

    let missing = secret("cam1/other").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::State);
    for bad in [
        "../cam1/password",
        "/etc/passwd",
        "cam1/../../x",
        "",
        "a//b",
    ] {
        let refused = secret(bad).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Caller, "{bad}");
    }
}

async fn refuses_names_that_are_none(stage: Stage) {
    let registry = &stage.registry;
    let endpoint = EndpointRef::new("../cam1", "onvif_0");
    let refusals = [
        registry
            .report_device_status("a/b", DeviceStatus::default())
            .await,
        registry
            .report_asset_status("..", AssetStatus::default())
            .await,
        registry
            .report_health(
                &endpoint,
                Health::Endpoint(health(1, HealthStatus::Available)),
            )
            .await,
        registry
            .report_discovered_device("x", DiscoveredDevice::default())
            .await
            .map(drop),
        registry
            .report_discovered_asset(&endpoint, "Upper", DiscoveredAsset::default())
            .await
            .map(drop),
    ];
    for refused in refusals {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Caller);
    }
}

async fn stamps_what_it_holds_and_counts_the_changes(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    stage.put_device("cam1", device("1")).await;
    stage.put_asset("asset-1", asset("cam1", "a")).await;
    let first = until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=a"]
    })
    .await;
    let of = |desired: &Desired| {
        let found = &desired.endpoints[0];
        (found.device.clone(), found.assets[0].asset.clone())
    };
    let (device_first, asset_first) = of(&first);
    assert_eq!(
        (device_first.version, asset_first.version),
        (Some(1), Some(1))
    );
    assert!(device_first.uuid.is_some() && device_first.last_transition_time.is_some());

    // The same again is no change.
    stage.put_device("cam1", device("1")).await;
    stage.put_asset("asset-1", asset("cam1", "b")).await;
    let changed = until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=b"]
    })
    .await;
    let (device_now, asset_now) = of(&changed);
    assert_eq!(device_now, device_first);
    assert_eq!(asset_now.version, Some(2));
    assert_eq!(asset_now.uuid, asset_first.uuid);

    // Another one of the same name is another one.
    stage.delete_asset("asset-1").await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0:"]
    })
    .await;
    stage.put_asset("asset-1", asset("cam1", "b")).await;
    let again = until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=b"]
    })
    .await;
    let (_, asset_now) = of(&again);
    assert_eq!(asset_now.version, Some(1));
    assert_ne!(asset_now.uuid, asset_first.uuid);
}
