use std::collections::BTreeMap;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

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
    ) -> Result<DiscoveryRef, Error>;

    /// Reports an asset that was found on an endpoint, for an operator to import.
    ///
    /// # Errors
    /// As [`report_device_status`](Self::report_device_status).
    async fn report_discovered_asset(
        &self,
        endpoint: &EndpointRef,
        name: &str,
        asset: DiscoveredAsset,
    ) -> Result<DiscoveryRef, Error>;

    /// The secret of that name, as endpoints name them: relative, such as `cam1/username`. At most 64 KiB.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is absolute or holds `..`; [`Error::NotFound`] when there is none.
    async fn secret(&self, name: &str) -> Result<Secret, Error>;
}

/// A registry that holds the devices and assets itself, so that it can be served to others (see
/// [`RegistryService`](crate::RegistryService)).
#[async_trait]
pub trait RegistryStore: Registry {
    /// Everything there is, of every type, also what is disabled. Comes as [`Registry::watch`] does: at once, and whole after
    /// every change.
    fn contents(&self) -> BoxStream<'static, Arc<Contents>>;

    /// The stored status of a device, or `None` when nothing was reported.
    ///
    /// # Errors
    /// As [`Registry::report_device_status`].
    async fn device_status(&self, device: &str) -> Result<Option<DeviceStatus>, Error>;

    /// Takes a report about one endpoint as the Device Registry does: what it says of the device and of that endpoint
    /// replaces what is stored, also when it says nothing; what it says of other endpoints is not taken.
    ///
    /// # Errors
    /// As [`Registry::report_device_status`].
    async fn report_endpoint_status(
        &self,
        endpoint: &EndpointRef,
        status: DeviceStatus,
    ) -> Result<(), Error>;

    /// The stored status of an asset, or `None` when nothing was reported.
    ///
    /// # Errors
    /// As [`Registry::report_device_status`].
    async fn asset_status(&self, asset: &str) -> Result<Option<AssetStatus>, Error>;

    /// Who is to be told of changes, each with what it knows, as it was [kept](Self::keep_interest).
    ///
    /// # Errors
    /// As [`Registry::report_device_status`].
    async fn interests(&self) -> Result<BTreeMap<Interest, String>, Error>;

    /// Keeps who is to be told of changes of a device or an asset, and what it knows of it, for as long as the device or
    /// asset stays: for the next service that serves this registry. `knows` is a digest of the service's own.
    ///
    /// # Errors
    /// As [`Registry::report_device_status`].
    async fn keep_interest(&self, interest: &Interest, knows: &str) -> Result<(), Error>;

    /// Forgets who was to be told of changes, if it is one of [`interests`](Self::interests).
    ///
    /// # Errors
    /// As [`Registry::report_device_status`].
    async fn forget_interest(&self, interest: &Interest) -> Result<(), Error>;
}

/// What a registry calls a device or an asset that was discovered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveryRef {
    /// Its identifier, the same for as long as the registry knows something discovered of that name.
    pub discovery_id: String,
    /// Counts what was another than the one before, from 1.
    pub version: u64,
}

impl DiscoveryRef {
    /// Of what was not known.
    pub(crate) fn first() -> Self {
        Self {
            discovery_id: Uuid::new_v4().to_string(),
            version: 1,
        }
    }

    /// Of another under the same name.
    pub(crate) fn next(&self) -> Self {
        Self {
            discovery_id: self.discovery_id.clone(),
            version: self.version.saturating_add(1),
        }
    }
}

/// More discovered devices, or assets, than this are refused: a client must not fill the disk.
const MAX_DISCOVERED: usize = 10_000;

/// Whether another discovered device or asset may be taken in, where there are so many.
pub(crate) fn check_room(known: usize, name: &str) -> Result<(), Error> {
    if known < MAX_DISCOVERED {
        return Ok(());
    }
    Err(Error::Invalid {
        what: format!("the discovery of {name:?}"),
        reason: format!("{MAX_DISCOVERED} of its kind were discovered already"),
    })
}

/// That a client is to be told of changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interest {
    /// Its MQTT client identifier.
    pub client: String,
    /// The endpoint it serves.
    pub endpoint: EndpointRef,
    /// The asset it is to be told of; `None`: the device.
    pub asset: Option<String>,
}

/// All devices and assets of a registry, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// The devices.
    pub devices: BTreeMap<String, Arc<Device>>,
    /// The assets, also those whose device there is not (yet).
    pub assets: BTreeMap<String, Arc<Asset>>,
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

impl EndpointRef {
    /// That a discovered asset says it was found here.
    pub(crate) fn check_owns(&self, name: &str, asset: &DiscoveredAsset) -> Result<(), Error> {
        let reference = &asset.device_ref;
        if reference.device_name == self.device && reference.endpoint_name == self.endpoint {
            return Ok(());
        }
        Err(Error::Invalid {
            what: format!("discovered asset {name:?}"),
            reason: format!("its deviceRef is not the endpoint {self} it was found on"),
        })
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

impl Contents {
    /// The device of an endpoint, with that endpoint alone.
    pub fn device_at(&self, endpoint: &EndpointRef) -> Option<Device> {
        let device = self.devices.get(&endpoint.device)?;
        device.inbound(&endpoint.endpoint)?;
        Some(device.only(&endpoint.endpoint))
    }

    /// The asset of that name, if it is reached by that endpoint.
    pub fn asset_at(&self, endpoint: &EndpointRef, asset: &str) -> Option<&Arc<Asset>> {
        let reached = |asset: &&Arc<Asset>| {
            let reference = &asset.device_ref;
            reference.device_name == endpoint.device && reference.endpoint_name == endpoint.endpoint
        };
        self.assets.get(asset).filter(reached)
    }

    /// The device, the field and the name of each secret that cannot be read.
    pub(crate) fn missing_secrets(&self, known: &SecretDigests) -> Vec<[String; 3]> {
        let mut missing = Vec::new();
        for (name, device) in &self.devices {
            for (field, secret) in secret_fields(device) {
                if known.0.get(secret).is_none_or(Option::is_none) {
                    missing.push([name.clone(), field, secret.to_owned()]);
                }
            }
        }
        missing
    }

    /// What a connector of one type is to serve.
    pub(crate) fn desired(
        &self,
        namespace: &str,
        endpoint_type: &str,
        secrets: &SecretDigests,
    ) -> Desired {
        let mut assets = BTreeMap::<(&str, &str), Vec<Arc<NamedAsset>>>::new();
        for (name, asset) in self.assets.iter().filter(|(_, asset)| asset.is_enabled()) {
            let reference = &asset.device_ref;
            let key = (
                reference.device_name.as_str(),
                reference.endpoint_name.as_str(),
            );
            assets.entry(key).or_default().push(Arc::new(NamedAsset {
                name: name.clone(),
                asset: asset.clone(),
            }));
        }
        let mut endpoints = Vec::new();
        let devices = self.devices.iter();
        for (device_name, device) in devices.filter(|(_, device)| device.is_enabled()) {
            for (name, spec) in inbound(device)
                .filter(|(_, spec)| spec.endpoint_type.eq_ignore_ascii_case(endpoint_type))
            {
                let assets = assets.remove(&(device_name.as_str(), name.as_str()));
                endpoints.push(Arc::new(DesiredEndpoint {
                    endpoint: EndpointRef::new(device_name, name),
                    device: device.clone(),
                    spec: Arc::new(spec.clone()),
                    secrets_version: secrets.version(spec),
                    assets: assets.unwrap_or_default(),
                }));
            }
        }
        Desired {
            namespace: namespace.to_owned(),
            endpoints,
        }
    }
}

/// A digest of each secret that an endpoint names; none for one that cannot be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SecretDigests(BTreeMap<String, Option<u64>>);

impl SecretDigests {
    /// Digests with a random key: one of a password must be of no use to anyone.
    pub(crate) fn read(
        contents: &Contents,
        key: &RandomState,
        secret: impl Fn(&str) -> Option<Secret>,
    ) -> Self {
        let endpoints = contents.devices.values().flat_map(|device| inbound(device));
        let mut digests = BTreeMap::new();
        for name in endpoints.flat_map(|(_, spec)| secret_names(spec)) {
            if !digests.contains_key(name) {
                let digest = secret(name).map(|secret| key.hash_one(secret.as_bytes()));
                digests.insert(name.to_owned(), digest);
            }
        }
        Self(digests)
    }

    fn version(&self, endpoint: &InboundEndpoint) -> u64 {
        let mut hasher = DefaultHasher::new();
        for name in secret_names(endpoint) {
            self.0.get(name).hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn inbound(device: &Device) -> impl Iterator<Item = (&String, &InboundEndpoint)> {
    let endpoints = device.endpoints.iter();
    endpoints.flat_map(|endpoints| &endpoints.inbound)
}

fn secret_names(endpoint: &InboundEndpoint) -> impl Iterator<Item = &str> {
    let authentication = endpoint.authentication.iter();
    let secrets = authentication.flat_map(|authentication| authentication.secrets());
    secrets.map(|(_, name)| name)
}

/// The fields of a device's specification that name secrets, with the names.
pub(crate) fn secret_fields(device: &Device) -> impl Iterator<Item = (String, &str)> {
    inbound(device).flat_map(|(endpoint, spec)| {
        let secrets = spec.authentication.iter().flat_map(|login| login.secrets());
        secrets.map(move |(field, name)| {
            let field = format!("spec.endpoints.inbound.{endpoint}.authentication.{field}");
            (field, name)
        })
    })
}

/// A view of a state: at once, and after every change of the view. Keeps what changes the state alive (`keep`).
pub(crate) fn follow<S, T, K>(
    keep: K,
    states: watch::Receiver<Arc<S>>,
    view: impl Fn(&S) -> Arc<T> + Send + 'static,
) -> BoxStream<'static, Arc<T>>
where
    S: Send + Sync + 'static,
    T: PartialEq + Send + Sync + 'static,
    K: Send + 'static,
{
    let start = (keep, states, view, None::<Arc<T>>);
    stream::unfold(start, |(keep, mut states, view, before)| async move {
        loop {
            // The sender lives as long as its owner, which is kept; but what never changes again does not end.
            if before.is_some() && states.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let state = states.borrow_and_update().clone();
            let now = view(&state);
            if before.as_ref() != Some(&now) {
                return Some((now.clone(), (keep, states, view, Some(now))));
            }
        }
    })
    .boxed()
}
