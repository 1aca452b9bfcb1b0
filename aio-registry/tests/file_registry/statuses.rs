//! What is written beside the manifests.

use std::time::{Duration, SystemTime};

use aio_registry::model::{
    AssetStatus, Component, ConfigError, ConfigStatus, DeviceStatus, EndpointStatus, Health,
    HealthStatus, RuntimeHealth,
};
use aio_registry::{EndpointRef, Registry};

use crate::folder::{asset, device, next, open, read, until, write};

#[tokio::test]
async fn says_in_a_status_file_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1.yaml", &device("cam1"));
    write(folder.path(), "2.yaml", &device("cam1"));
    write(folder.path(), "3.yaml", &asset("lost", "nowhere"));
    write(
        folder.path(),
        "4.yaml",
        &asset("astray", "cam1").replace("endpointName: onvif", "endpointName: opcua"),
    );
    write(
        folder.path(),
        "5.yaml",
        &asset("typed", "cam1").replace("displayName: typed", "version: many"),
    );
    write(folder.path(), "6.yaml", &"x".repeat(1 << 21));
    std::fs::write(folder.path().join("7.yaml"), [0xff, 0xfe]).unwrap();
    let registry = open(folder.path()).await;
    for (file, expected) in [
        ("status/manifest/2.yaml.yaml", "1.yaml already"),
        (
            "status/asset/lost.yaml",
            "3.yaml: line 5: spec.deviceRef.deviceName",
        ),
        ("status/asset/astray.yaml", "opcua"),
        ("status/asset/typed.yaml", "5.yaml: line 6: spec.version"),
        ("status/manifest/6.yaml.yaml", "1048576 bytes"),
        ("status/manifest/7.yaml.yaml", "UTF-8"),
    ] {
        let text = read(folder.path(), file);
        assert!(
            text.contains(expected),
            "{file} does not say {expected}: {text}"
        );
    }
    let status = registry.asset_status("lost").await.unwrap().unwrap();
    assert_eq!(
        status.config.unwrap().error.unwrap().code.as_deref(),
        Some("DeviceNotFound")
    );
    assert_eq!(
        next(&mut registry.watch("Microsoft.Onvif"))
            .await
            .endpoints
            .len(),
        1
    );

    // A registry opened later takes the note back once the manifest is good.
    drop(registry);
    write(folder.path(), "3.yaml", &asset("lost", "cam1"));
    let registry = open(folder.path()).await;
    assert_eq!(
        registry.asset_status("lost").await.unwrap().unwrap().config,
        None
    );
}

#[tokio::test]
async fn a_report_does_not_hide_what_is_wrong_with_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1.yaml", &device("cam1"));
    write(folder.path(), "2.yaml", &asset("a-one", "cam1"));
    let registry = open(folder.path()).await;
    let mut onvif = registry.watch("Microsoft.Onvif");
    let bad = |text: String| text.replace("spec:\n", "spec:\n  version: many\n");
    write(folder.path(), "1.yaml", &bad(device("cam1")));
    write(folder.path(), "2.yaml", &bad(asset("a-one", "cam1")));
    write(folder.path(), "3.yaml", &device("cam2"));
    until(&mut onvif, |desired| desired.endpoints.len() == 2).await;

    let version = |version| {
        Some(ConfigStatus {
            version: Some(version),
            ..ConfigStatus::default()
        })
    };
    let report = async |number| {
        let status = DeviceStatus {
            config: version(number),
            ..DeviceStatus::default()
        };
        registry.report_device_status("cam1", status).await.unwrap();
        let status = AssetStatus {
            config: version(number),
            ..AssetStatus::default()
        };
        registry.report_asset_status("a-one", status).await.unwrap();
        let device = registry.device_status("cam1").await.unwrap().unwrap();
        let asset = registry.asset_status("a-one").await.unwrap().unwrap();
        [device.config.unwrap(), asset.config.unwrap()]
    };
    for config in report(7).await {
        assert_eq!(config.version, Some(7));
        let error = config.error.expect("the manifest is still bad");
        assert_eq!(error.code.as_deref(), Some("ManifestInvalid"));
    }

    write(folder.path(), "1.yaml", &device("cam1"));
    write(folder.path(), "2.yaml", &asset("a-one", "cam1"));
    write(folder.path(), "4.yaml", &device("cam3"));
    until(&mut onvif, |desired| desired.endpoints.len() == 3).await;
    for config in report(8).await {
        assert_eq!(config.error, None);
    }
}

#[tokio::test]
async fn a_manifest_that_is_removed_takes_its_status_with_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1.yaml", &device("cam1"));
    write(folder.path(), "2.yaml", &asset("a-one", "cam1"));
    write(folder.path(), "3.yaml", &device("cam2"));
    let registry = open(folder.path()).await;
    for device in ["cam1", "cam2"] {
        let status = DeviceStatus::default();
        registry.report_device_status(device, status).await.unwrap();
    }
    let status = AssetStatus::default();
    registry.report_asset_status("a-one", status).await.unwrap();

    let mut onvif = registry.watch("Microsoft.Onvif");
    next(&mut onvif).await;
    for file in ["1.yaml", "2.yaml"] {
        std::fs::remove_file(folder.path().join(file)).unwrap();
    }
    until(&mut onvif, |desired| desired.endpoints.len() == 1).await;
    assert_eq!(registry.device_status("cam1").await.unwrap(), None);
    assert_eq!(registry.asset_status("a-one").await.unwrap(), None);

    drop((registry, onvif));
    std::fs::remove_file(folder.path().join("3.yaml")).unwrap();
    let registry = open(folder.path()).await;
    assert_eq!(
        registry.device_status("cam2").await.unwrap(),
        None,
        "while nobody watched"
    );
}

#[tokio::test]
async fn merges_the_reports_of_two_connectors_on_one_device() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1.yaml", &device("cam1"));
    let (one, two) = (open(folder.path()).await, open(folder.path()).await);
    let report = |endpoint: &str, error: Option<ConfigError>, version| {
        let mut status = DeviceStatus {
            config: Some(ConfigStatus {
                version: Some(version),
                ..ConfigStatus::default()
            }),
            ..DeviceStatus::default()
        };
        let endpoints = status.endpoints.get_or_insert_default();
        endpoints.inbound.insert(
            endpoint.into(),
            EndpointStatus {
                error,
                ..EndpointStatus::default()
            },
        );
        status
    };
    let refused = ConfigError::new("NotAuthorized", "wrong password");
    let mut reports = tokio::task::JoinSet::new();
    for index in 0..20 {
        let registry = if index % 2 == 0 {
            one.clone()
        } else {
            two.clone()
        };
        let status = report(
            &format!("endpoint-{index}"),
            Some(refused.clone()).filter(|_| index == 0),
            1,
        );
        reports.spawn(async move { registry.report_device_status("cam1", status).await });
    }
    while let Some(result) = reports.join_next().await {
        result.unwrap().unwrap();
    }
    two.report_device_status("cam1", report("endpoint-1", None, 2))
        .await
        .unwrap();
    let status = one.device_status("cam1").await.unwrap().unwrap();
    assert_eq!(status.config.unwrap().version, Some(2));
    let endpoints = status.endpoints.unwrap().inbound;
    assert_eq!(endpoints.len(), 20);
    assert_eq!(endpoints["endpoint-0"].error, Some(refused));
}

#[tokio::test]
async fn ignores_health_that_is_older_than_the_stored_one() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1.yaml", &device("cam1"));
    write(folder.path(), "2.yaml", &asset("a-one", "cam1"));
    let registry = open(folder.path()).await;
    let endpoint = EndpointRef::new("cam1", "onvif");
    let health = |seconds: u64, status, reason: &str| RuntimeHealth {
        version: 1,
        status,
        last_update_time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds),
        message: None,
        reason_code: Some(reason.into()),
        other: Default::default(),
    };
    let component = Component::Event {
        group: "rules".into(),
        name: "motion".into(),
    };
    for (seconds, reason) in [(10, "Newer"), (5, "Older")] {
        let report = health(seconds, HealthStatus::Unavailable, reason);
        registry
            .report_health(&endpoint, Health::Endpoint(report.clone()))
            .await
            .unwrap();
        let report = Health::Asset {
            asset: "a-one".into(),
            component: component.clone(),
            health: report,
        };
        registry.report_health(&endpoint, report).await.unwrap();
    }
    let text = read(folder.path(), "status/device/cam1.yaml");
    assert!(text.contains("Newer") && !text.contains("Older"), "{text}");
    let text = read(folder.path(), "status/asset/a-one.yaml");
    assert!(
        text.contains("events/rules/motion") && text.contains("Newer") && !text.contains("Older"),
        "{text}"
    );
    registry
        .report_asset_status("a-one", AssetStatus::default())
        .await
        .unwrap();
    assert!(read(folder.path(), "status/asset/a-one.yaml").contains("Newer"));
}
