use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use futures::stream::BoxStream;
use tokio::sync::watch;

use crate::file::folder::check_secret_name;
use crate::file::stored;
use crate::model::{
    Asset, AssetStatus, Device, DeviceStatus, DiscoveredAsset, DiscoveredDevice, Health,
    RuntimeHealth, check_asset_name, check_device_name, check_endpoint_name,
};
use crate::registry::{Contents, SecretDigests, check_room, follow};
use crate::stamp::succeed;
use crate::{Desired, DiscoveryRef, EndpointRef, Error, Interest, Registry, RegistryStore, Secret};

/// A registry in memory: for tests, and for programs that have their devices from elsewhere. Clones share it.
///
/// Where a device or an asset has no `uuid`, `version` or `last_transition_time`, it gets one: the version counts the changes.
#[derive(Clone, Debug, Default)]
pub struct MemoryRegistry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    namespace: String,
    state: watch::Sender<Arc<State>>,
    reports: Mutex<Reports>,
    digest: RandomState,
}

#[derive(Debug, Default)]
struct State {
    contents: Arc<Contents>,
    secrets: SecretDigests,
}

#[derive(Debug, Default)]
struct Reports {
    devices: BTreeMap<String, DeviceStatus>,
    assets: BTreeMap<String, AssetStatus>,
    device_health: BTreeMap<String, BTreeMap<String, RuntimeHealth>>,
    asset_health: BTreeMap<String, BTreeMap<String, RuntimeHealth>>,
    discovered_devices: BTreeMap<String, (DiscoveryRef, DiscoveredDevice)>,
    discovered_assets: BTreeMap<String, (DiscoveryRef, DiscoveredAsset)>,
    interests: BTreeMap<Interest, String>,
    secrets: BTreeMap<String, Secret>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            namespace: "azure-iot-operations".into(),
            state: watch::channel(Arc::default()).0,
            reports: Mutex::default(),
            digest: RandomState::new(),
        }
    }
}

impl MemoryRegistry {
    /// An empty registry of the namespace `azure-iot-operations`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a device up, in the place of the one of that name.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name of the device or of an endpoint.
    pub fn put_device(&self, name: &str, device: Device) -> Result<(), Error> {
        check_device_name(name)?;
        let endpoints = device.endpoints.iter();
        for name in endpoints.flat_map(|endpoints| endpoints.inbound.keys()) {
            check_endpoint_name(name)?;
        }
        self.change(|contents| {
            let known = contents.devices.get(name).map(Arc::as_ref);
            let device = succeed(known, device, SystemTime::now());
            contents.devices.insert(name.to_owned(), Arc::new(device));
        });
        Ok(())
    }

    /// Takes an asset up, in the place of the one of that name.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name.
    pub fn put_asset(&self, name: &str, asset: Asset) -> Result<(), Error> {
        check_asset_name(name)?;
        self.change(|contents| {
            let known = contents.assets.get(name).map(Arc::as_ref);
            let asset = succeed(known, asset, SystemTime::now());
            contents.assets.insert(name.to_owned(), Arc::new(asset));
        });
        Ok(())
    }

    /// Deletes a device with its status and health; says whether there was one.
    pub fn delete_device(&self, name: &str) -> bool {
        let mut reports = self.reports();
        reports.devices.remove(name);
        reports.device_health.remove(name);
        reports
            .interests
            .retain(|found, _| found.asset.is_some() || found.endpoint.device != name);
        drop(reports);
        self.change(|contents| contents.devices.remove(name).is_some())
    }

    /// Deletes an asset with its status and health; says whether there was one.
    pub fn delete_asset(&self, name: &str) -> bool {
        let mut reports = self.reports();
        reports.assets.remove(name);
        reports.asset_health.remove(name);
        reports
            .interests
            .retain(|found, _| found.asset.as_deref() != Some(name));
        drop(reports);
        self.change(|contents| contents.assets.remove(name).is_some())
    }

    /// Sets a secret for [`Registry::secret`], such as `cam1/password`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is absolute or holds `..`.
    pub fn put_secret(&self, name: &str, secret: Secret) -> Result<(), Error> {
        check_secret_name(name)?;
        self.reports().secrets.insert(name.to_owned(), secret);
        self.change(|_| ());
        Ok(())
    }

    /// The health of a device's endpoints, by name.
    pub fn device_health(&self, device: &str) -> BTreeMap<String, RuntimeHealth> {
        let reports = self.reports();
        reports
            .device_health
            .get(device)
            .cloned()
            .unwrap_or_default()
    }

    /// The health of an asset's elements, by path: `events/GROUP/NAME`, `actions/GROUP/NAME`, `datasets/NAME`, `streams/NAME`.
    pub fn asset_health(&self, asset: &str) -> BTreeMap<String, RuntimeHealth> {
        let reports = self.reports();
        reports.asset_health.get(asset).cloned().unwrap_or_default()
    }

    /// The discovered device of that name.
    pub fn discovered_device(&self, name: &str) -> Option<DiscoveredDevice> {
        let reports = self.reports();
        let found = reports.discovered_devices.get(name);
        found.map(|(_, device)| device.clone())
    }

    /// The discovered asset of that name.
    pub fn discovered_asset(&self, name: &str) -> Option<DiscoveredAsset> {
        let reports = self.reports();
        let found = reports.discovered_assets.get(name);
        found.map(|(_, asset)| asset.clone())
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        let reports = self.0.reports.lock();
        reports.unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        let mut change = Some(change);
        let mut result = None;
        self.0.state.send_modify(|state| {
            let mut contents = Contents::clone(&state.contents);
            result = change.take().map(|change| change(&mut contents));
            let secrets = SecretDigests::read(&contents, &self.0.digest, |name| {
                self.reports().secrets.get(name).cloned()
            });
            let contents = Arc::new(contents);
            *state = Arc::new(State { contents, secrets });
        });
        result.expect("send_modify calls its closure")
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    fn watch(&self, endpoint_type: &str) -> BoxStream<'static, Arc<Desired>> {
        let (namespace, endpoint_type) = (self.0.namespace.clone(), endpoint_type.to_owned());
        follow(self.clone(), self.0.state.subscribe(), move |state| {
            Arc::new(
                state
                    .contents
                    .desired(&namespace, &endpoint_type, &state.secrets),
            )
        })
    }

    async fn report_device_status(&self, device: &str, status: DeviceStatus) -> Result<(), Error> {
        check_device_name(device)?;
        let mut reports = self.reports();
        let stored = reports.devices.entry(device.to_owned()).or_default();
        stored::merge_device(stored, status);
        Ok(())
    }

    async fn report_asset_status(&self, asset: &str, status: AssetStatus) -> Result<(), Error> {
        check_asset_name(asset)?;
        self.reports().assets.insert(asset.to_owned(), status);
        Ok(())
    }

    async fn report_health(&self, endpoint: &EndpointRef, health: Health) -> Result<(), Error> {
        check_device_name(&endpoint.device)?;
        check_endpoint_name(&endpoint.endpoint)?;
        let mut reports = self.reports();
        let (stored, part, health) = match health {
            Health::Endpoint(health) => (
                reports
                    .device_health
                    .entry(endpoint.device.clone())
                    .or_default(),
                endpoint.endpoint.clone(),
                health,
            ),
            Health::Asset {
                asset,
                component,
                health,
            } => {
                check_asset_name(&asset)?;
                let part = stored::part(&component);
                (reports.asset_health.entry(asset).or_default(), part, health)
            }
        };
        stored::merge_health(stored, part, health);
        Ok(())
    }

    async fn report_discovered_device(
        &self,
        name: &str,
        device: DiscoveredDevice,
    ) -> Result<DiscoveryRef, Error> {
        check_device_name(name)?;
        note(&mut self.reports().discovered_devices, name, device)
    }

    async fn report_discovered_asset(
        &self,
        endpoint: &EndpointRef,
        name: &str,
        asset: DiscoveredAsset,
    ) -> Result<DiscoveryRef, Error> {
        check_asset_name(name)?;
        endpoint.check_owns(name, &asset)?;
        note(&mut self.reports().discovered_assets, name, asset)
    }

    async fn secret(&self, name: &str) -> Result<Secret, Error> {
        check_secret_name(name)?;
        let secret = self.reports().secrets.get(name).cloned();
        secret.ok_or_else(|| Error::NotFound {
            what: format!("secret {name:?}"),
        })
    }
}

#[async_trait]
impl RegistryStore for MemoryRegistry {
    fn contents(&self) -> BoxStream<'static, Arc<Contents>> {
        follow(self.clone(), self.0.state.subscribe(), |state| {
            state.contents.clone()
        })
    }

    async fn device_status(&self, device: &str) -> Result<Option<DeviceStatus>, Error> {
        Ok(self.reports().devices.get(device).cloned())
    }

    async fn report_endpoint_status(
        &self,
        endpoint: &EndpointRef,
        status: DeviceStatus,
    ) -> Result<(), Error> {
        check_device_name(&endpoint.device)?;
        check_endpoint_name(&endpoint.endpoint)?;
        let mut reports = self.reports();
        let stored = reports.devices.entry(endpoint.device.clone()).or_default();
        stored::replace_endpoint(stored, &endpoint.endpoint, status);
        Ok(())
    }

    async fn asset_status(&self, asset: &str) -> Result<Option<AssetStatus>, Error> {
        Ok(self.reports().assets.get(asset).cloned())
    }

    async fn interests(&self) -> Result<BTreeMap<Interest, String>, Error> {
        Ok(self.reports().interests.clone())
    }

    async fn keep_interest(&self, interest: &Interest, knows: &str) -> Result<(), Error> {
        let mut reports = self.reports();
        reports.interests.insert(interest.clone(), knows.to_owned());
        Ok(())
    }

    async fn forget_interest(&self, interest: &Interest) -> Result<(), Error> {
        self.reports().interests.remove(interest);
        Ok(())
    }
}

/// Takes in what was discovered under a name.
fn note<T: PartialEq>(
    known: &mut BTreeMap<String, (DiscoveryRef, T)>,
    name: &str,
    found: T,
) -> Result<DiscoveryRef, Error> {
    let discovery = match known.get(name) {
        Some((discovery, known)) if *known == found => discovery.clone(),
        Some((discovery, _)) => discovery.next(),
        None => {
            check_room(known.len(), name)?;
            DiscoveryRef::first()
        }
    };
    known.insert(name.to_owned(), (discovery.clone(), found));
    Ok(discovery)
}
