mod apply;
mod discovered;
mod documents;
pub(crate) mod folder;
mod manifest;
mod snapshot;
pub(crate) mod stored;
mod text;
mod unknown;
mod versions;
pub(crate) mod watcher;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::apply::{Applied, Change, ManifestProblem};
use self::documents::Overwrite;
use self::manifest::Kind;
use self::watcher::Shared;
use crate::model::{
    Asset, AssetStatus, Device, DeviceStatus, DiscoveredAsset, DiscoveredDevice, Health,
    RuntimeHealth, check_asset_name, check_device_name, check_endpoint_name,
};
use crate::registry::{Contents, follow};
use crate::{Desired, DiscoveryRef, EndpointRef, Error, Interest, Registry, RegistryStore, Secret};

type Healths = BTreeMap<String, RuntimeHealth>;

/// How a [`FileRegistry`] reads its folder.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// The namespace; manifests that name another are refused. `azure-iot-operations`.
    pub namespace: String,
    /// How long the folder must be quiet before it is read again; 200 ms.
    pub debounce: Duration,
    /// How often to look for changes that are not announced: of secrets, and of everything on network file systems; 5 s.
    pub poll: Duration,
    /// The largest manifest file, in bytes; 1 MiB.
    pub max_file_bytes: u64,
    /// The most manifests; 10,000.
    pub max_manifests: usize,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            namespace: "azure-iot-operations".into(),
            debounce: Duration::from_millis(200),
            poll: Duration::from_secs(5),
            max_file_bytes: 1 << 20,
            max_manifests: 10_000,
        }
    }
}

/// A registry in a folder: the Device and Asset manifests that Kubernetes holds, as `*.yaml`, `*.yml` and `*.json` files.
///
/// It writes beside them: `status/device/NAME.yaml`, `status/asset/NAME.yaml` (with health), `discovered/device/NAME.yaml`,
/// `discovered/asset/NAME.yaml`; and reads secrets from `secrets/NAME/KEY`. Several processes may share a folder. Clones share
/// the registry.
///
/// A manifest that is removed takes its status with it, and who is to be told of its changes.
///
/// Where a manifest has no `uuid`, `version` or `lastTransitionTime`, the device or asset gets one, and keeps it over a
/// restart in `status/versions.json`: the version counts the changes.
///
/// A secret that changes is noticed within [`FileOptions::poll`], and the endpoints that name it are tried anew.
///
/// A manifest that becomes bad, or a file that becomes empty, stays in force as it was until it is good again or the file is
/// removed: a file that is half written takes no camera out of service. What is wrong is logged, stands in
/// `status/manifest/FILE.yaml`, and in the status of the device or asset where it is clear whom it is about.
#[derive(Clone, Debug)]
pub struct FileRegistry {
    shared: Arc<Shared>,
    _stop: Arc<DropGuard>,
}

impl FileRegistry {
    /// Opens a folder, creating it where it is missing, and reads it once.
    ///
    /// A bad manifest is no error: it is logged, and its status file says what is wrong.
    ///
    /// # Errors
    /// [`Error::Storage`] when the folder cannot be created or read.
    pub async fn open(folder: impl AsRef<Path>, options: FileOptions) -> Result<Self, Error> {
        let folder = folder.as_ref().to_owned();
        let shared = Arc::new(blocking(move || Shared::open(&folder, options)).await?);
        let stop = CancellationToken::new();
        watcher::spawn(shared.clone(), stop.clone());
        Ok(Self {
            shared,
            _stop: Arc::new(stop.drop_guard()),
        })
    }

    /// Writes the manifest of a device, over the one that is there.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name, [`Error::Storage`].
    pub async fn put_device(&self, name: &str, device: &Device) -> Result<(), Error> {
        check_device_name(name)?;
        self.put(Kind::Device, name, device.clone(), Overwrite::Yes)
            .await
    }

    /// Writes the manifest of an asset, over the one that is there.
    ///
    /// # Errors
    /// As [`put_device`](Self::put_device).
    pub async fn put_asset(&self, name: &str, asset: &Asset) -> Result<(), Error> {
        check_asset_name(name)?;
        self.put(Kind::Asset, name, asset.clone(), Overwrite::Yes)
            .await
    }

    /// Deletes a device that [`put_device`](Self::put_device) or an import wrote, and its status.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Storage`].
    pub async fn delete_device(&self, name: &str) -> Result<(), Error> {
        check_device_name(name)?;
        self.delete(Kind::Device, name).await
    }

    /// Deletes an asset that [`put_asset`](Self::put_asset) or an import wrote, and its status.
    ///
    /// # Errors
    /// As [`delete_device`](Self::delete_device).
    pub async fn delete_asset(&self, name: &str) -> Result<(), Error> {
        check_asset_name(name)?;
        self.delete(Kind::Asset, name).await
    }

    /// Writes a secret file for [`Registry::secret`], such as `cam1/password`.
    ///
    /// # Errors
    /// As [`put_device`](Self::put_device).
    pub async fn put_secret(&self, name: &str, secret: &Secret) -> Result<(), Error> {
        let (shared, name, secret) = (self.shared.clone(), name.to_owned(), secret.clone());
        blocking(move || shared.folder.write_secret(&name, &secret)).await
    }

    /// Makes a discovered device a real one, after `edit` has had its way with it. Never overwrites.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AlreadyExists`], [`Error::Invalid`] when the discovered manifest is bad, [`Error::Storage`].
    pub async fn import_device(
        &self,
        discovered: &str,
        edit: impl FnOnce(&mut Device) + Send,
    ) -> Result<Device, Error> {
        let found = self.discovered_device(discovered).await?;
        let found = found.ok_or_else(|| Error::NotFound {
            what: format!("discovered device {discovered:?}"),
        })?;
        let mut device = Device {
            discovered_device_ref: Some(discovered.to_owned()),
            ..found.into()
        };
        edit(&mut device);
        self.put(Kind::Device, discovered, device.clone(), Overwrite::No)
            .await?;
        Ok(device)
    }

    /// Makes a discovered asset a real one, after `edit` has had its way with it. Never overwrites.
    ///
    /// # Errors
    /// As [`import_device`](Self::import_device).
    pub async fn import_asset(
        &self,
        discovered: &str,
        edit: impl FnOnce(&mut Asset) + Send,
    ) -> Result<Asset, Error> {
        let found = self.discovered_asset(discovered).await?;
        let found = found.ok_or_else(|| Error::NotFound {
            what: format!("discovered asset {discovered:?}"),
        })?;
        let mut asset = Asset {
            discovered_asset_refs: vec![discovered.to_owned()],
            ..found.into()
        };
        edit(&mut asset);
        self.put(Kind::Asset, discovered, asset.clone(), Overwrite::No)
            .await?;
        Ok(asset)
    }

    /// The stored status of a device, or `None` when nothing was reported.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Storage`].
    pub async fn device_status(&self, name: &str) -> Result<Option<DeviceStatus>, Error> {
        check_device_name(name)?;
        self.stored(name).await
    }

    /// The stored status of an asset, or `None` when nothing was reported.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn asset_status(&self, name: &str) -> Result<Option<AssetStatus>, Error> {
        check_asset_name(name)?;
        self.stored(name).await
    }

    /// The health of a device's endpoints, by name.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn device_health(&self, name: &str) -> Result<Healths, Error> {
        check_device_name(name)?;
        let stored = self.document::<DeviceStatus>(name).await?;
        Ok(stored.map(|stored| stored.health).unwrap_or_default())
    }

    /// The health of an asset's elements, by path: `events/GROUP/NAME`, `actions/GROUP/NAME`, `datasets/NAME`, `streams/NAME`.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn asset_health(&self, name: &str) -> Result<Healths, Error> {
        check_asset_name(name)?;
        let stored = self.document::<AssetStatus>(name).await?;
        Ok(stored.map(|stored| stored.health).unwrap_or_default())
    }

    /// The names of the discovered devices and of the discovered assets, in order.
    ///
    /// # Errors
    /// [`Error::Closed`] when the runtime stops.
    pub async fn discovered_names(&self) -> Result<[Vec<String>; 2], Error> {
        Ok([
            self.names_of_discovered(Kind::Device).await?,
            self.names_of_discovered(Kind::Asset).await?,
        ])
    }

    /// The discovered device of that name.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn discovered_device(&self, name: &str) -> Result<Option<DiscoveredDevice>, Error> {
        check_device_name(name)?;
        self.discovered(Kind::Device, name).await
    }

    /// The discovered asset of that name.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn discovered_asset(&self, name: &str) -> Result<Option<DiscoveredAsset>, Error> {
        check_asset_name(name)?;
        self.discovered(Kind::Asset, name).await
    }
}

#[async_trait]
impl Registry for FileRegistry {
    fn watch(&self, endpoint_type: &str) -> BoxStream<'static, Arc<Desired>> {
        let (namespace, endpoint_type) = (
            self.shared.options.namespace.clone(),
            endpoint_type.to_owned(),
        );
        follow(
            self.clone(),
            self.shared.snapshot.subscribe(),
            move |snapshot| Arc::new(snapshot.desired(&namespace, &endpoint_type)),
        )
    }

    async fn report_device_status(&self, device: &str, status: DeviceStatus) -> Result<(), Error> {
        check_device_name(device)?;
        self.update::<DeviceStatus>(device, move |stored| {
            stored.report(|stored| stored::merge_device(stored, status))
        })
        .await
    }

    async fn report_asset_status(&self, asset: &str, status: AssetStatus) -> Result<(), Error> {
        check_asset_name(asset)?;
        self.update::<AssetStatus>(asset, move |stored| {
            stored.report(|stored| *stored = status)
        })
        .await
    }

    async fn report_health(&self, endpoint: &EndpointRef, health: Health) -> Result<(), Error> {
        check_device_name(&endpoint.device)?;
        check_endpoint_name(&endpoint.endpoint)?;
        match health {
            Health::Endpoint(health) => {
                let part = endpoint.endpoint.clone();
                self.update::<DeviceStatus>(&endpoint.device, move |stored| {
                    stored.merge_health(part, health)
                })
                .await
            }
            Health::Asset {
                asset,
                component,
                health,
            } => {
                check_asset_name(&asset)?;
                let part = stored::part(&component);
                self.update::<AssetStatus>(&asset, move |stored| stored.merge_health(part, health))
                    .await
            }
        }
    }

    async fn report_discovered_device(
        &self,
        name: &str,
        device: DiscoveredDevice,
    ) -> Result<DiscoveryRef, Error> {
        check_device_name(name)?;
        self.put_discovered(Kind::Device, name, device).await
    }

    async fn report_discovered_asset(
        &self,
        endpoint: &EndpointRef,
        name: &str,
        asset: DiscoveredAsset,
    ) -> Result<DiscoveryRef, Error> {
        endpoint.check_owns(name, &asset)?;
        check_asset_name(name)?;
        self.put_discovered(Kind::Asset, name, asset).await
    }

    async fn secret(&self, name: &str) -> Result<Secret, Error> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || shared.folder.read_secret(&name)).await
    }
}

#[async_trait]
impl RegistryStore for FileRegistry {
    fn contents(&self) -> BoxStream<'static, Arc<Contents>> {
        follow(self.clone(), self.shared.snapshot.subscribe(), |snapshot| {
            snapshot.contents.clone()
        })
    }

    async fn device_status(&self, device: &str) -> Result<Option<DeviceStatus>, Error> {
        self.device_status(device).await
    }

    async fn report_endpoint_status(
        &self,
        endpoint: &EndpointRef,
        status: DeviceStatus,
    ) -> Result<(), Error> {
        check_device_name(&endpoint.device)?;
        check_endpoint_name(&endpoint.endpoint)?;
        let name = endpoint.endpoint.clone();
        self.update::<DeviceStatus>(&endpoint.device, move |stored| {
            stored.report(|stored| stored::replace_endpoint(stored, &name, status))
        })
        .await
    }

    async fn asset_status(&self, asset: &str) -> Result<Option<AssetStatus>, Error> {
        self.asset_status(asset).await
    }

    async fn interests(&self) -> Result<BTreeMap<Interest, String>, Error> {
        let shared = self.shared.clone();
        blocking(move || Ok(shared.interests())).await
    }

    async fn keep_interest(&self, interest: &Interest, knows: &str) -> Result<(), Error> {
        self.note_interest(interest, Some(knows)).await
    }

    async fn forget_interest(&self, interest: &Interest) -> Result<(), Error> {
        self.note_interest(interest, None).await
    }
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => Err(Error::Closed),
        },
    }
}
