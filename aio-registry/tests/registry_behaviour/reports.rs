//! What connectors report, and what becomes of it.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use aio_registry::model::{
    AssetStatus, Component, ConfigError, ConfigStatus, DeviceRef, DeviceStatus, DiscoveredAsset,
    DiscoveredDevice, DiscoveredEndpoints, DiscoveredInboundEndpoint, ElementStatus,
    EndpointStatus, Health, HealthStatus, RuntimeHealth,
};
use aio_registry::{EndpointRef, ErrorKind};

use crate::stage::{Stage, asset, described, device, until};

fn config(version: u64) -> Option<ConfigStatus> {
    Some(ConfigStatus {
        version: Some(version),
        ..ConfigStatus::default()
    })
}

pub async fn merges_the_status_of_a_device_and_replaces_that_of_an_asset(stage: Stage) {
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
    first.config = config(1);
    registry.report_device_status("cam1", first).await.unwrap();
    let second = of_endpoint("media", None);
    registry.report_device_status("cam1", second).await.unwrap();
    let stored = stage.device_status("cam1").await;
    assert_eq!(stored.config, config(1));
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

pub fn health(seconds: u64, status: HealthStatus) -> RuntimeHealth {
    RuntimeHealth {
        version: 1,
        status,
        last_update_time: UNIX_EPOCH + Duration::from_secs(seconds),
        message: Some("m".into()),
        reason_code: Some("R".into()),
        other: Default::default(),
    }
}

pub async fn takes_health_in_and_ignores_what_is_older(stage: Stage) {
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

pub async fn hands_what_is_discovered_to_the_operator(stage: Stage) {
    let mut desired = stage.registry.watch("Microsoft.Onvif");
    stage.put_device("cam1", device("1")).await;
    until(&mut desired, |desired| desired.endpoints.len() == 1).await;
    let endpoint = EndpointRef::new("cam1", "onvif_0");
    let inbound = DiscoveredInboundEndpoint {
        address: "rtsp://10.0.0.1/1".into(),
        endpoint_type: "Microsoft.Media".into(),
        ..DiscoveredInboundEndpoint::default()
    };
    let mut found = DiscoveredDevice {
        model: Some("Dome".into()),
        endpoints: Some(DiscoveredEndpoints {
            inbound: [("profile_1".to_owned(), inbound)].into(),
            ..DiscoveredEndpoints::default()
        }),
        ..DiscoveredDevice::default()
    };
    let registry = &stage.registry;
    let reported = registry.report_discovered_device("found-1", found.clone());
    let first = reported.await.unwrap();
    assert_eq!(
        stage.discovered_device("found-1").await,
        Some(found.clone())
    );
    let reported = registry.report_discovered_device("found-1", found.clone());
    assert_eq!(reported.await.unwrap(), first);
    found.model = Some("Bullet".into());
    let reported = registry.report_discovered_device("found-1", found.clone());
    let second = reported.await.unwrap();
    assert_eq!(second.discovery_id, first.discovery_id);
    assert_eq!((first.version, second.version), (1, 2));
    assert_eq!(stage.discovered_device("found-1").await, Some(found));

    let found = DiscoveredAsset {
        device_ref: DeviceRef::new("cam1", "onvif_0"),
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
