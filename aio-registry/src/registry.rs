use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::model::{
    Asset, AssetStatus, Device, DeviceStatus, DiscoveredAsset, DiscoveredDevice, Health,
    InboundEndpoint,
};
use crate::{Error, Secret};

/// Where a connector learns what to serve, and tells what became of it.
#[async_trait]
pub trait Registry: Send + Sync + 'static {
    /// What is to be served at endpoints of one type, such as `Microsoft.Onvif`. The type is compared without regard to case.
    ///
    /// Level-triggered: every item is the whole desired state. The first one comes at once, a further one after every
    /// change (a burst of changes gives one item, and a slow reader sees only the latest); the stream never ends.
    fn watch(&self, endpoint_type: &str) -> BoxStream<'static, Arc<Desired>>;

    /// Reports what became of a device.
    ///
    /// Connectors of different types may serve endpoints of the same device, so the report is merged: `config` replaces the
    /// stored one when given, an endpoint that is named replaces the stored one, one that is not named stays.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name, [`Error::Storage`] or [`Error::Remote`] when the registry cannot take it.
    async fn report_device_status(&self, device: &str, status: DeviceStatus) -> Result<(), Error>;

    /// Reports what became of an asset: always the whole status.
    ///
    /// # Errors
    /// As [`report_device_status`](Self::report_device_status).
    async fn report_asset_status(&self, asset: &str, status: AssetStatus) -> Result<(), Error>;

    /// Reports the health of an endpoint, or of one element of an asset on it. A report for an older version, or with an older
    /// time, than the stored one is ignored.
    ///
    /// # Errors
    /// As [`report_device_status`](Self::report_device_status).
    async fn report_health(&self, endpoint: &EndpointRef, health: Health) -> Result<(), Error>;

    /// Reports a device that was found, for an operator to import.
    ///
    /// # Errors
    /// As [`report_device_status`](Self::report_device_status).
    async fn report_discovered_device(
        &self,
        name: &str,
        device: DiscoveredDevice,
    ) -> Result<(), Error>;

    /// Reports an asset that was found on an endpoint, for an operator to import.
    ///
    /// # Errors
    /// As [`report_device_status`](Self::report_device_status).
    async fn report_discovered_asset(
        &self,
        endpoint: &EndpointRef,
        name: &str,
        asset: DiscoveredAsset,
    ) -> Result<(), Error>;

    /// The secret of that name, as endpoints name them: relative, such as `cam1/username`. At most 64 KiB.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is absolute or holds `..`; [`Error::NotFound`] when there is none.
    async fn secret(&self, name: &str) -> Result<Secret, Error>;
}

/// An inbound endpoint of a device, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointRef {
    /// The device's name.
    pub device: String,
    /// The endpoint's name.
    pub endpoint: String,
}

impl EndpointRef {
    /// The endpoint of that name on the device of that name.
    pub fn new(device: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            device: device.into(),
            endpoint: endpoint.into(),
        }
    }
}

impl std::fmt::Display for EndpointRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.device, self.endpoint)
    }
}

/// What a connector is to serve. Endpoints and assets are in order of name. What is disabled (`enabled: false`) is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// The namespace everything is in, such as `azure-iot-operations`.
    pub namespace: String,
    /// The endpoints of the type that is watched.
    pub endpoints: Vec<Arc<DesiredEndpoint>>,
}

/// An endpoint to serve, with its assets. An endpoint without assets is listed too: it may be asked what it can do.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredEndpoint {
    /// Its name.
    pub endpoint: EndpointRef,
    /// The device it belongs to.
    pub device: Arc<Device>,
    /// The endpoint itself.
    pub spec: Arc<InboundEndpoint>,
    /// Is another number once the content of a secret that the endpoint names has changed, and means nothing else: what
    /// failed with the old content is worth trying again.
    pub secrets_version: u64,
    /// The assets reached by it.
    pub assets: Vec<Arc<NamedAsset>>,
}

/// An asset and its name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedAsset {
    /// Its name.
    pub name: String,
    /// The asset itself.
    pub asset: Arc<Asset>,
}
