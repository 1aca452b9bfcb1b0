//! The registry in a folder, on real files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "file_registry/folder.rs"]
mod folder;
#[path = "file_registry/statuses.rs"]
mod statuses;
#[path = "file_registry/versions.rs"]
mod versions;

use std::time::{Duration, SystemTime};

use aio_registry::model::{Device, DeviceRef, DiscoveredAsset, DiscoveredDevice};
use aio_registry::{EndpointRef, Error, ErrorKind, FileOptions, FileRegistry, Registry};

use crate::folder::{asset, asset_names, device, next, open, read, until, write};

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
        device_ref: DeviceRef::new("cam1", "onvif"),
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
