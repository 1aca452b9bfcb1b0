//! The registry in a folder, on real files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aio_registry::model::{
    AssetStatus, Component, ConfigError, ConfigStatus, Device, DeviceRef, DeviceStatus,
    DiscoveredAsset, DiscoveredDevice, EndpointStatus, Health, HealthStatus, RuntimeHealth,
};
use aio_registry::{Desired, EndpointRef, Error, ErrorKind, FileOptions, FileRegistry, Registry};
use futures::StreamExt;
use futures::stream::BoxStream;

const HEAD: &str = "apiVersion: namespaces.deviceregistry.microsoft.com/v1\n";

fn device(name: &str) -> String {
    format!(
        "{HEAD}kind: Device\nmetadata: {{name: {name}}}\nspec:\n  endpoints:\n    inbound:\n      \
         onvif: {{endpointType: Microsoft.Onvif, address: 'http://10.0.0.5/onvif/device_service'}}\n      \
         media: {{endpointType: Microsoft.Media, address: 'rtsp://10.0.0.5/1'}}\n"
    )
}

fn asset(name: &str, device: &str) -> String {
    format!(
        "{HEAD}kind: Asset\nmetadata: {{name: {name}}}\nspec:\n  deviceRef: {{deviceName: {device}, endpointName: onvif}}\n  \
         displayName: {name}\n"
    )
}

fn write(folder: &Path, file: &str, text: &str) {
    std::fs::write(folder.join(file), text).unwrap();
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

async fn open(folder: &Path) -> FileRegistry {
    let options = FileOptions {
        debounce: Duration::from_millis(20),
        ..FileOptions::default()
    };
    FileRegistry::open(folder, options).await.unwrap()
}

async fn next(stream: &mut BoxStream<'static, Arc<Desired>>) -> Arc<Desired> {
    tokio::time::timeout(Duration::from_secs(10), stream.next())
        .await
        .expect("a change in time")
        .expect("a stream without end")
}

/// Waits for a state, of which a burst of changes may give several.
async fn until(
    stream: &mut BoxStream<'static, Arc<Desired>>,
    reached: impl Fn(&Desired) -> bool,
) -> Arc<Desired> {
    loop {
        let desired = next(stream).await;
        if reached(&desired) {
            return desired;
        }
    }
}

fn asset_names(desired: &Desired) -> Vec<&str> {
    desired
        .endpoints
        .iter()
        .flat_map(|endpoint| &endpoint.assets)
        .map(|asset| asset.name.as_str())
        .collect()
}

#[tokio::test]
async fn yields_the_desired_state_at_once_and_after_every_change() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "cam1.yaml",
        &format!("{}---\n{}", device("cam1"), asset("a-one", "cam1")),
    );
    let registry = open(folder.path()).await;
    let mut onvif = registry.watch("microsoft.onvif");
    let first = next(&mut onvif).await;
    assert_eq!(first.namespace, "azure-iot-operations");
    assert_eq!(
        first.endpoints[0].endpoint,
        EndpointRef::new("cam1", "onvif")
    );
    assert_eq!(
        first.endpoints[0].spec.address,
        "http://10.0.0.5/onvif/device_service"
    );
    assert_eq!(asset_names(&first), ["a-one"]);

    write(folder.path(), "more.yml", &asset("a-two", "cam1"));
    assert_eq!(asset_names(&*next(&mut onvif).await), ["a-one", "a-two"]);
    std::fs::remove_file(folder.path().join("more.yml")).unwrap();
    assert_eq!(asset_names(&*next(&mut onvif).await), ["a-one"]);
    std::fs::remove_file(folder.path().join("cam1.yaml")).unwrap();
    assert!(next(&mut onvif).await.endpoints.is_empty());
}

#[tokio::test]
async fn leaves_out_what_is_disabled() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1.yaml", &device("cam1"));
    write(
        folder.path(),
        "2.yaml",
        &(asset("off", "cam1") + "  enabled: false\n"),
    );
    write(
        folder.path(),
        "3.yaml",
        &(device("cam2") + "  enabled: false\n"),
    );
    let desired = next(&mut open(folder.path()).await.watch("Microsoft.Onvif")).await;
    assert_eq!(desired.endpoints.len(), 1);
    assert!(asset_names(&desired).is_empty());
}

#[tokio::test]
async fn keeps_the_last_good_manifest_while_its_file_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "cam1.yaml", &device("cam1"));
    write(folder.path(), "a.yaml", &asset("a-one", "cam1"));
    let registry = open(folder.path()).await;
    let mut onvif = registry.watch("Microsoft.Onvif");
    next(&mut onvif).await;
    for (index, half) in [
        "",
        &device("cam1")[..120],
        "spec: [",
        &device("cam1").replace("{name: cam1}", "{name: '//'}"),
    ]
    .iter()
    .enumerate()
    {
        write(folder.path(), "cam1.yaml", half);
        write(
            folder.path(),
            "sign.yaml",
            &asset(&format!("sign-{index}"), "cam1"),
        );
        let sign = format!("sign-{index}");
        let desired = until(&mut onvif, |desired| {
            asset_names(desired).contains(&sign.as_str())
        })
        .await;
        assert_eq!(desired.endpoints.len(), 1, "after {half:?}");
    }
    assert!(read(folder.path(), "status/manifest/cam1.yaml.yaml").contains("metadata.name"));
    write(
        folder.path(),
        "cam1.yaml",
        &device("cam1").replace("10.0.0.5", "10.0.0.6"),
    );
    until(&mut onvif, |desired| {
        desired.endpoints[0].spec.address.contains("10.0.0.6")
    })
    .await;
    assert!(
        !folder
            .path()
            .join("status/manifest/cam1.yaml.yaml")
            .exists()
    );
}

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
            "3.yaml: line 1: spec.deviceRef.deviceName",
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

#[tokio::test]
async fn does_not_rewrite_what_did_not_change() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path()).await;
    registry
        .report_discovered_device("cam1", DiscoveredDevice::default())
        .await
        .unwrap();
    let path = folder.path().join("discovered/device/cam1.yaml");
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(past)
        .unwrap();
    registry
        .report_discovered_device("cam1", DiscoveredDevice::default())
        .await
        .unwrap();
    assert_eq!(path.metadata().unwrap().modified().unwrap(), past);
}

#[tokio::test]
async fn imports_what_was_discovered_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path()).await;
    let mut onvif = registry.watch("Microsoft.Onvif");
    next(&mut onvif).await;
    let mut found = DiscoveredDevice {
        model: Some("M1".into()),
        ..DiscoveredDevice::default()
    };
    let inbound = &mut found.endpoints.get_or_insert_default().inbound;
    inbound.entry("onvif".into()).or_default().endpoint_type = "Microsoft.Onvif".into();
    registry
        .report_discovered_device("cam1", found)
        .await
        .unwrap();
    let asset = DiscoveredAsset {
        device_ref: DeviceRef {
            device_name: "cam1".into(),
            endpoint_name: "onvif".into(),
        },
        ..DiscoveredAsset::default()
    };
    let endpoint = EndpointRef::new("cam1", "onvif");
    registry
        .report_discovered_asset(&endpoint, "cam1", asset.clone())
        .await
        .unwrap();
    assert!(
        registry
            .report_discovered_asset(&EndpointRef::new("cam2", "onvif"), "cam1", asset)
            .await
            .is_err()
    );

    let device = registry
        .import_device("cam1", |device| device.manufacturer = Some("Acme".into()))
        .await
        .unwrap();
    assert_eq!(device.discovered_device_ref.as_deref(), Some("cam1"));
    registry
        .import_asset("cam1", |asset| asset.display_name = Some("Gate".into()))
        .await
        .unwrap();
    let desired = until(&mut onvif, |desired| !asset_names(desired).is_empty()).await;
    assert_eq!(
        desired.endpoints[0].device.manufacturer.as_deref(),
        Some("Acme")
    );
    assert_eq!(desired.endpoints[0].device.model.as_deref(), Some("M1"));
    assert!(matches!(
        registry.import_device("cam1", |_| ()).await,
        Err(Error::AlreadyExists { .. })
    ));
    assert!(matches!(
        registry.import_device("cam2", |_| ()).await,
        Err(Error::NotFound { .. })
    ));
}

#[tokio::test]
async fn puts_and_deletes_manifests_but_not_those_edited_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "hand.yaml", &device("cam1"));
    let registry = open(folder.path()).await;
    assert_eq!(
        registry
            .put_device("cam1", &Device::default())
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Caller
    );
    assert!(registry.delete_device("cam1").await.is_err());
    registry
        .put_device(
            "cam2",
            &Device {
                model: Some("M2".into()),
                ..Device::default()
            },
        )
        .await
        .unwrap();
    registry
        .put_device("cam2", &Device::default())
        .await
        .unwrap();
    registry.delete_device("cam2").await.unwrap();
    assert_eq!(read(folder.path(), "hand.yaml"), device("cam1"));
    assert!(
        registry
            .put_device("../cam3", &Device::default())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn reads_secrets_only_below_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "outside", "no");
    let registry = open(folder.path()).await;
    registry
        .put_secret("cam1/password", &"s3cret\n".into())
        .await
        .unwrap();
    let secret = registry.secret("cam1/password").await.unwrap();
    assert_eq!(secret.as_text().unwrap(), "s3cret");
    assert!(!format!("{secret:?}").contains("s3cret"));
    for name in [
        "../outside",
        "cam1/../../outside",
        "/etc/passwd",
        "",
        "cam1//password",
        "./cam1",
        "a\\..\\b",
        "C:/x",
        "a\0b",
    ] {
        assert!(
            matches!(registry.secret(name).await, Err(Error::Invalid { .. })),
            "{name:?}"
        );
    }
    assert!(matches!(
        registry.secret("cam1/username").await,
        Err(Error::NotFound { .. })
    ));
    write(
        &folder.path().join("secrets/cam1"),
        "big",
        &"x".repeat(65_537),
    );
    assert_eq!(
        registry.secret("cam1/big").await.unwrap_err().kind(),
        ErrorKind::Storage
    );
}

#[tokio::test]
async fn an_endpoint_changes_with_the_secrets_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = device("cam1").replace(
        "device_service'}",
        "device_service', authentication: {method: UsernamePassword, usernamePasswordCredentials: \
         {usernameSecretName: cam1/username, passwordSecretName: cam1/password}}}",
    );
    write(folder.path(), "1.yaml", &manifest);
    std::fs::create_dir_all(folder.path().join("secrets/cam1")).unwrap();
    write(folder.path(), "secrets/cam1/username", "admin");
    let options = FileOptions {
        poll: Duration::from_millis(20),
        ..FileOptions::default()
    };
    let registry = FileRegistry::open(folder.path(), options).await.unwrap();
    let mut onvif = registry.watch("Microsoft.Onvif");
    let mut media = registry.watch("Microsoft.Media");
    next(&mut media).await;

    let missing = next(&mut onvif).await.endpoints[0].secrets_version;
    write(folder.path(), "secrets/cam1/password", "wrong");
    let wrong = next(&mut onvif).await.endpoints[0].secrets_version;
    write(folder.path(), "secrets/cam1/password", "right");
    let right = next(&mut onvif).await.endpoints[0].secrets_version;
    assert!(missing != wrong && wrong != right);

    write(folder.path(), "secrets/cam1/unnamed", "x");
    write(folder.path(), "2.yaml", &device("cam2"));
    let both = until(&mut onvif, |desired| desired.endpoints.len() == 2).await;
    assert_eq!(both.endpoints[0].secrets_version, right);
    let both = next(&mut media).await;
    assert_eq!(both.endpoints.len(), 2, "no change of a secret before");
}

#[tokio::test]
async fn serves_two_thousand_manifests_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..1000 {
        let name = format!("cam{index:04}");
        write(
            folder.path(),
            &format!("{name}.yaml"),
            &format!("{}---\n{}", device(&name), asset(&name, &name)),
        );
    }
    let registry = open(folder.path()).await;
    let desired = next(&mut registry.watch("Microsoft.Onvif")).await;
    assert_eq!(desired.endpoints.len(), 1000);
    assert_eq!(asset_names(&desired).len(), 1000);
    assert!(
        desired
            .endpoints
            .is_sorted_by_key(|endpoint| &endpoint.endpoint)
    );
    let options = FileOptions {
        max_manifests: 10,
        ..FileOptions::default()
    };
    let capped = FileRegistry::open(folder.path(), options).await.unwrap();
    assert_eq!(
        next(&mut capped.watch("Microsoft.Onvif"))
            .await
            .endpoints
            .len(),
        5
    );
}

#[tokio::test]
async fn reads_the_manifests_of_a_real_cluster() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "list.yaml",
        "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: namespaces.deviceregistry.microsoft.com/v1\n    kind: Device\n    \
         metadata:\n      name: my-thermostat\n      namespace: azure-iot-operations\n      uid: 1\n    spec:\n      attributes:\n        \
         deviceType: thermostat\n      endpoints:\n        inbound:\n          rest:\n            address: http://server:80\n            \
         additionalConfiguration: '{\"key1\": 1}'\n            endpointType: rest-thermostat\n      version: 2\n",
    );
    let desired = next(&mut open(folder.path()).await.watch("rest-thermostat")).await;
    assert_eq!(desired.endpoints[0].device.version, Some(2));
    assert_eq!(
        desired.endpoints[0]
            .spec
            .additional_configuration
            .as_deref(),
        Some("{\"key1\": 1}")
    );
}
