//! What every registry does: the folder, the one in memory, and the one over MQTT before a service.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "registry_behaviour/stage.rs"]
mod stage;

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use aio_registry::model::{
    AssetStatus, Authentication, Component, ConfigError, ConfigStatus, DeviceRef, DeviceStatus,
    DiscoveredAsset, DiscoveredDevice, DiscoveredEndpoints, DiscoveredInboundEndpoint,
    ElementStatus, EndpointStatus, Health, HealthStatus, RuntimeHealth,
};
use aio_registry::{EndpointRef, ErrorKind, Secret};
use proptest::prelude::*;

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

fn config(version: u64) -> Option<ConfigStatus> {
    Some(ConfigStatus {
        version: Some(version),
        ..ConfigStatus::default()
    })
}

async fn merges_the_status_of_a_device_and_replaces_that_of_an_asset(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    stage.put_device("cam1", device("1")).await;
    stage.put_asset("asset-1", asset("cam1", "a")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=a"]
    })
    .await;

    let error = ConfigError::new("NoAnswer", "the camera does not answer");
    let of_endpoint = |name: &str, error: Option<ConfigError>| {
        let mut status = DeviceStatus::default();
        let endpoint = EndpointStatus {
            error,
            ..EndpointStatus::default()
        };
        let endpoints = status.endpoints.get_or_insert_default();
        endpoints.inbound.insert(name.into(), endpoint);
        status
    };
    let registry = &stage.registry;
    let mut first = of_endpoint("onvif_0", Some(error.clone()));
    first.config = config(0);
    registry.report_device_status("cam1", first).await.unwrap();
    let second = of_endpoint("media", None);
    registry.report_device_status("cam1", second).await.unwrap();
    let stored = stage.device_status("cam1").await;
    assert_eq!(stored.config, config(0));
    let inbound = stored.endpoints.unwrap().inbound;
    assert_eq!(inbound["onvif_0"].error, Some(error));
    assert_eq!(inbound["media"].error, None);

    let element = |name: &str| ElementStatus {
        name: name.into(),
        ..ElementStatus::default()
    };
    for streams in [vec![element("s1"), element("s2")], vec![element("s3")]] {
        let status = AssetStatus {
            config: config(1),
            streams,
            ..AssetStatus::default()
        };
        let reported = registry.report_asset_status("asset-1", status.clone());
        reported.await.unwrap();
        assert_eq!(stage.asset_status("asset-1").await, status);
    }
}

fn health(seconds: u64, status: HealthStatus) -> RuntimeHealth {
    RuntimeHealth {
        version: 0,
        status,
        last_update_time: UNIX_EPOCH + Duration::from_secs(seconds),
        message: Some("m".into()),
        reason_code: Some("R".into()),
        other: Default::default(),
    }
}

async fn takes_health_in_and_ignores_what_is_older(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    stage.put_device("cam1", device("1")).await;
    stage.put_asset("asset-1", asset("cam1", "a")).await;
    until(&mut desired, |desired| {
        described(desired) == ["cam1/onvif_0: asset-1=a"]
    })
    .await;
    let endpoint = EndpointRef::new("cam1", "onvif_0");
    let of = |seconds, status| Health::Endpoint(health(seconds, status));
    let registry = &stage.registry;
    for report in [
        of(10, HealthStatus::Available),
        of(20, HealthStatus::Unavailable),
        of(15, HealthStatus::Available),
    ] {
        registry.report_health(&endpoint, report).await.unwrap();
    }
    let group = String::from("g");
    for component in [
        Component::Event {
            group: group.clone(),
            name: "motion".into(),
        },
        Component::Action {
            group,
            name: "Stop".into(),
        },
        Component::Stream { name: "s".into() },
        Component::Dataset { name: "d".into() },
    ] {
        let report = Health::Asset {
            asset: "asset-1".into(),
            component,
            health: health(30, HealthStatus::Available),
        };
        registry.report_health(&endpoint, report).await.unwrap();
    }
    stage
        .eventually(async |stage: &Stage| {
            let of_device = stage.device_health("cam1").await;
            let of_asset = stage.asset_health("asset-1").await;
            let names: Vec<_> = of_asset.keys().map(String::as_str).collect();
            of_device
                == BTreeMap::from([("onvif_0".to_owned(), health(20, HealthStatus::Unavailable))])
                && names
                    == [
                        "actions/g/Stop",
                        "datasets/d",
                        "events/g/motion",
                        "streams/s",
                    ]
        })
        .await;
}

async fn hands_what_is_discovered_to_the_operator(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    stage.put_device("cam1", device("1")).await;
    until(&mut desired, |desired| desired.endpoints.len() == 1).await;
    let endpoint = EndpointRef::new("cam1", "onvif_0");
    let inbound = DiscoveredInboundEndpoint {
        address: "rtsp://10.0.0.1/1".into(),
        endpoint_type: "Microsoft.Media".into(),
        ..DiscoveredInboundEndpoint::default()
    };
    let found = DiscoveredDevice {
        model: Some("Dome".into()),
        endpoints: Some(DiscoveredEndpoints {
            inbound: [("profile_1".to_owned(), inbound)].into(),
            ..DiscoveredEndpoints::default()
        }),
        ..DiscoveredDevice::default()
    };
    let registry = &stage.registry;
    let reported = registry.report_discovered_device("found-1", found.clone());
    reported.await.unwrap();
    assert_eq!(stage.discovered_device("found-1").await, Some(found));

    let found = DiscoveredAsset {
        device_ref: DeviceRef {
            device_name: "cam1".into(),
            endpoint_name: "onvif_0".into(),
        },
        model: Some("Dome".into()),
        ..DiscoveredAsset::default()
    };
    let reported = registry.report_discovered_asset(&endpoint, "found-2", found.clone());
    reported.await.unwrap();
    assert_eq!(stage.discovered_asset("found-2").await, Some(found.clone()));

    let elsewhere = EndpointRef::new("cam1", "media");
    let refused = registry.report_discovered_asset(&elsewhere, "found-3", found);
    assert_eq!(refused.await.unwrap_err().kind(), ErrorKind::Caller);
    assert_eq!(stage.discovered_asset("found-3").await, None);
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
            .await,
        registry
            .report_discovered_asset(&endpoint, "Upper", DiscoveredAsset::default())
            .await,
    ];
    for refused in refusals {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Caller);
    }
}

/// What an operator does.
#[derive(Clone, Debug)]
enum Deed {
    PutDevice(u8, u8),
    DeleteDevice(u8),
    PutAsset(u8, u8, u8),
    DeleteAsset(u8),
    /// Waits until the registry has what there is by then.
    Look,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        3 => (0..3_u8, 0..4_u8).prop_map(|(device, host)| Deed::PutDevice(device, host)),
        2 => (0..3_u8).prop_map(Deed::DeleteDevice),
        3 => (0..3_u8, 0..3_u8, 0..4_u8).prop_map(|(name, device, text)| Deed::PutAsset(name, device, text)),
        2 => (0..3_u8).prop_map(Deed::DeleteAsset),
        3 => Just(Deed::Look),
    ];
    proptest::collection::vec(deed, 1..20)
}

/// What there is to be, whatever was done.
#[derive(Default)]
struct Model {
    /// The host of each device.
    devices: BTreeMap<u8, u8>,
    /// The device and the description of each asset.
    assets: BTreeMap<u8, (u8, u8)>,
}

impl Model {
    /// Descriptions and addresses of the endpoints.
    fn endpoints(&self) -> Vec<(String, String)> {
        let devices = self.devices.iter().map(|(name, host)| {
            let here = self.assets.iter().filter(|(_, (on, _))| on == name);
            let here = here.map(|(asset, (_, text))| format!(" asset-{asset}={text}"));
            let here: String = here.collect();
            let address = format!("http://10.0.0.{host}/onvif/device_service");
            (format!("cam{name}/onvif_0:{here}"), address)
        });
        devices.collect()
    }

    async fn is_reached(&self, stage: &Stage) {
        let expected = self.endpoints();
        let mut desired = stage.registry.watch("Microsoft.Onvif");
        until(&mut desired, |desired| {
            let addresses = desired.endpoints.iter();
            let addresses = addresses.map(|endpoint| endpoint.spec.address.clone());
            let seen = described(desired).into_iter().zip(addresses);
            seen.collect::<Vec<_>>() == expected
        })
        .await;
    }
}

/// Whatever was done, in the end and at every look the registry has what the model has.
async fn converges(stage: Stage, deeds: Vec<Deed>) {
    let mut model = Model::default();
    for deed in deeds {
        match deed {
            Deed::PutDevice(name, host) => {
                model.devices.insert(name, host);
                let spec = device(&host.to_string());
                stage.put_device(&format!("cam{name}"), spec).await;
            }
            Deed::DeleteDevice(name) => {
                if model.devices.remove(&name).is_some() {
                    stage.delete_device(&format!("cam{name}")).await;
                }
            }
            Deed::PutAsset(name, on, text) => {
                model.assets.insert(name, (on, text));
                let spec = asset(&format!("cam{on}"), &text.to_string());
                stage.put_asset(&format!("asset-{name}"), spec).await;
            }
            Deed::DeleteAsset(name) => {
                if model.assets.remove(&name).is_some() {
                    stage.delete_asset(&format!("asset-{name}")).await;
                }
            }
            Deed::Look => model.is_reached(&stage).await,
        }
    }
    model.is_reached(&stage).await;
}

fn run(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_folder_converges_whatever_is_done(deeds in deeds()) {
        run(async { converges(Stage::file().await, deeds).await });
    }

    #[test]
    fn memory_converges_whatever_is_done(deeds in deeds()) {
        run(async { converges(Stage::memory(), deeds).await });
    }

    #[test]
    fn a_registry_over_mqtt_converges_whatever_is_done(deeds in deeds()) {
        run(async { converges(Stage::adr().await, deeds).await });
    }
}
