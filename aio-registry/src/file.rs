use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::model::{
    Asset, AssetStatus, Device, DeviceStatus, DiscoveredAsset, DiscoveredDevice, Health,
};
use crate::{Desired, EndpointRef, Error, Registry, Secret};

/// How a [`FileRegistry`] reads its folder.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// The namespace; manifests that name another are refused. `azure-iot-operations`.
    pub namespace: String,
    /// How long the folder must be quiet before it is read again; 200 ms.
    pub debounce: Duration,
    /// How often to read the folder where changes are not announced (network file systems); 5 s.
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
/// `discovered/asset/NAME.yaml`; and reads secrets from `secrets/NAME/KEY`. Clones share the registry.
#[derive(Clone, Debug)]
pub struct FileRegistry {}

impl FileRegistry {
    /// Opens a folder, creating it where it is missing, and reads it once.
    ///
    /// A bad manifest is no error: it is logged, and its status file says what is wrong.
    ///
    /// # Errors
    /// [`Error::Storage`] when the folder cannot be created or read.
    pub async fn open(folder: impl AsRef<Path>, options: FileOptions) -> Result<Self, Error> {
        unimplemented!()
    }

    /// Writes the manifest of a device, over the one that is there.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name, [`Error::Storage`].
    pub async fn put_device(&self, name: &str, device: &Device) -> Result<(), Error> {
        unimplemented!()
    }

    /// Writes the manifest of an asset, over the one that is there.
    ///
    /// # Errors
    /// As [`put_device`](Self::put_device).
    pub async fn put_asset(&self, name: &str, asset: &Asset) -> Result<(), Error> {
        unimplemented!()
    }

    /// Deletes a device that [`put_device`](Self::put_device) or an import wrote, and its status.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Storage`].
    pub async fn delete_device(&self, name: &str) -> Result<(), Error> {
        unimplemented!()
    }

    /// Deletes an asset that [`put_asset`](Self::put_asset) or an import wrote, and its status.
    ///
    /// # Errors
    /// As [`delete_device`](Self::delete_device).
    pub async fn delete_asset(&self, name: &str) -> Result<(), Error> {
        unimplemented!()
    }

    /// Writes a secret file for [`Registry::secret`], such as `cam1/password`.
    ///
    /// # Errors
    /// As [`put_device`](Self::put_device).
    pub async fn put_secret(&self, name: &str, secret: &Secret) -> Result<(), Error> {
        unimplemented!()
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
        unimplemented!()
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
        unimplemented!()
    }

    /// The stored status of a device, or `None` when nothing was reported.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Storage`].
    pub async fn device_status(&self, name: &str) -> Result<Option<DeviceStatus>, Error> {
        unimplemented!()
    }

    /// The stored status of an asset, or `None` when nothing was reported.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn asset_status(&self, name: &str) -> Result<Option<AssetStatus>, Error> {
        unimplemented!()
    }

    /// The discovered device of that name.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn discovered_device(&self, name: &str) -> Result<Option<DiscoveredDevice>, Error> {
        unimplemented!()
    }

    /// The discovered asset of that name.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn discovered_asset(&self, name: &str) -> Result<Option<DiscoveredAsset>, Error> {
        unimplemented!()
    }
}

#[async_trait]
impl Registry for FileRegistry {
    fn watch(&self, endpoint_type: &str) -> BoxStream<'static, Arc<Desired>> {
        unimplemented!()
    }

    async fn report_device_status(&self, device: &str, status: DeviceStatus) -> Result<(), Error> {
        unimplemented!()
    }

    async fn report_asset_status(&self, asset: &str, status: AssetStatus) -> Result<(), Error> {
        unimplemented!()
    }

    async fn report_health(&self, endpoint: &EndpointRef, health: Health) -> Result<(), Error> {
        unimplemented!()
    }

    async fn report_discovered_device(
        &self,
        name: &str,
        device: DiscoveredDevice,
    ) -> Result<(), Error> {
        unimplemented!()
    }

    async fn report_discovered_asset(
        &self,
        endpoint: &EndpointRef,
        name: &str,
        asset: DiscoveredAsset,
    ) -> Result<(), Error> {
        unimplemented!()
    }

    async fn secret(&self, name: &str) -> Result<Secret, Error> {
        unimplemented!()
    }
}
