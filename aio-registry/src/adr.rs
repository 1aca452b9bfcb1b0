mod allocation;
mod client;
mod follower;
mod health;
pub(crate) mod wire;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, interval_at, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

pub use self::allocation::AllocationWriter;
use self::client::Client;
use self::follower::Follower;
use self::health::HealthReports;
use crate::file::folder::read_secret;
use crate::file::{blocking, stored};
use crate::model::{
    AssetStatus, DeviceStatus, DiscoveredAsset, DiscoveredDevice, Health, check_asset_name,
    check_device_name, check_endpoint_name,
};
use crate::registry::{Contents, SecretDigests, follow};
use crate::topic::{TopicPattern, check_label};
use crate::{
    Desired, DiscoveryRef, EndpointRef, Error, Mqtt, Registry, Secret, Telemetry,
    TelemetryReceiver, TelemetryReceiverOptions, TelemetrySender,
};

/// Health is not reported more often than this without news.
const MIN_HEALTH_INTERVAL: Duration = Duration::from_secs(60);

/// How an [`AdrRegistry`] works.
#[derive(Clone, Debug)]
pub struct AdrOptions {
    /// The namespace everything is in (`CONNECTOR_NAMESPACE`); `azure-iot-operations`.
    pub namespace: String,
    /// The folder that says which endpoints and assets are this connector's (`ADR_RESOURCES_NAME_MOUNT_PATH`);
    /// `/etc/akri/config/adr_resources_names`.
    pub allocations: PathBuf,
    /// The folder with the secrets of endpoints (`DEVICE_ENDPOINT_CREDENTIALS_MOUNT_PATH`);
    /// `/etc/akri/secrets/device_endpoint_auth`. Without one there are no secrets.
    pub secrets: Option<PathBuf>,
    /// How long the registry may take for an answer; 10 s.
    pub timeout: Duration,
    /// How long after a change the allocation is read, so that it is read once; 200 ms.
    pub debounce: Duration,
    /// How often to look for changes of files that are not announced; 5 s.
    pub poll: Duration,
    /// How often to ask for everything anew, should an update event have been lost; 5 minutes.
    pub resync: Duration,
    /// How often health is reported again when nothing has changed; 10 minutes, at least 1.
    pub health_interval: Duration,
}

impl Default for AdrOptions {
    fn default() -> Self {
        Self {
            namespace: "azure-iot-operations".into(),
            allocations: "/etc/akri/config/adr_resources_names".into(),
            secrets: Some("/etc/akri/secrets/device_endpoint_auth".into()),
            timeout: Duration::from_secs(10),
            debounce: Duration::from_millis(200),
            poll: Duration::from_secs(5),
            resync: Duration::from_secs(300),
            health_interval: Duration::from_secs(600),
        }
    }
}

impl AdrOptions {
    /// The options of a pod that Akri's operator started, from its environment.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when `ADR_RESOURCES_NAME_MOUNT_PATH` is not set.
    pub fn from_environment() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let name = "ADR_RESOURCES_NAME_MOUNT_PATH";
        let defaults = Self::default();
        Ok(Self {
            allocations: variable(name)
                .ok_or_else(|| {
                    let reason = "it is the folder that says which endpoints are this connector's";
                    crate::topic::option_error(name, None, reason)
                })?
                .into(),
            secrets: variable("DEVICE_ENDPOINT_CREDENTIALS_MOUNT_PATH").map(PathBuf::from),
            namespace: variable("CONNECTOR_NAMESPACE").unwrap_or(defaults.namespace),
            ..defaults
        })
    }
}

/// The Azure Device Registry, or a [`RegistryService`](crate::RegistryService), over MQTT. Clones share it.
///
/// Which endpoints are this connector's, a folder says: in a cluster Akri's operator writes it, elsewhere
/// [`AllocationWriter`]. What they are is asked of the registry, and asked again when it tells of an update, when a request
/// failed (with back-off), and every [`AdrOptions::resync`]. A registry that cannot be reached takes nothing out of service.
///
/// A status is sent whole, as the contract has it: a report of a device is merged into the stored status first, unless that
/// speaks of an older version.
///
/// Health is reported when it changes, and again every [`AdrOptions::health_interval`] with the time of the latest report,
/// until the specification changes: then not before there is a report for the new version.
#[derive(Clone)]
pub struct AdrRegistry {
    shared: Arc<Shared>,
    _stop: Arc<DropGuard>,
}

struct Shared {
    options: AdrOptions,
    client: Client,
    sender: TelemetrySender,
    client_id: String,
    state: watch::Sender<Arc<State>>,
    health: Mutex<HealthReports>,
    /// Reading, merging and writing the status of a device is done by one at a time.
    status: [tokio::sync::Mutex<()>; 32],
    digest: RandomState,
}

/// What is known of the registry.
#[derive(Debug, Default, PartialEq)]
struct State {
    contents: Contents,
    /// The endpoints that are ours.
    endpoints: BTreeSet<EndpointRef>,
    secrets: SecretDigests,
}

impl std::fmt::Debug for AdrRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdrRegistry")
            .field("client_id", &self.shared.client_id)
            .finish_non_exhaustive()
    }
}

impl AdrRegistry {
    /// Subscribes, and asks for everything that is allocated. Returns when all of it was answered, or when
    /// [`AdrOptions::timeout`] is over; what is missing then is asked for again.
    ///
    /// # Errors
    /// [`Error::Storage`] when the allocation cannot be read; those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, options: AdrOptions) -> Result<Self, Error> {
        let folder = options.allocations.clone();
        let allocation = blocking(move || allocation::read(&folder)).await?;
        let updates = |name: &str| {
            let mut options = TelemetryReceiverOptions::new(wire::TELEMETRY);
            options.tokens = [
                ("connectorClientId".into(), mqtt.client_id().into()),
                ("telemetryName".into(), name.into()),
            ]
            .into();
            TelemetryReceiver::start(mqtt.clone(), options)
        };
        let updates = [
            updates(wire::DEVICE_UPDATE).await?,
            updates(wire::ASSET_UPDATE).await?,
        ];
        let shared = Arc::new(Shared {
            client: Client::start(&mqtt, options.timeout).await?,
            client_id: mqtt.client_id().to_owned(),
            sender: TelemetrySender::new(mqtt),
            state: watch::channel(Arc::default()).0,
            health: Mutex::default(),
            status: Default::default(),
            digest: RandomState::new(),
            options,
        });
        let stop = CancellationToken::new();
        let (first, asked) = oneshot::channel();
        let follower = Follower::new(shared.clone(), first).run(allocation, updates);
        tokio::spawn(stop.clone().run_until_cancelled_owned(follower));
        let again = report_health_again(shared.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(again));
        let _ = timeout(shared.options.timeout, asked).await;
        Ok(Self {
            shared,
            _stop: Arc::new(stop.drop_guard()),
        })
    }

    /// The status of a device as the registry has it; empty when nothing was reported.
    ///
    /// # Errors
    /// [`Error::Service`] when the registry says no; those of [`Invoker::request`](crate::mrpc::Invoker::request).
    pub async fn device_status(&self, endpoint: &EndpointRef) -> Result<DeviceStatus, Error> {
        self.shared.client.device_status(endpoint).await
    }

    /// The status of an asset at an endpoint as the registry has it; empty when nothing was reported.
    ///
    /// # Errors
    /// As [`device_status`](Self::device_status).
    pub async fn asset_status(
        &self,
        endpoint: &EndpointRef,
        asset: &str,
    ) -> Result<AssetStatus, Error> {
        self.shared.client.asset_status(endpoint, asset).await
    }
}

#[async_trait]
impl Registry for AdrRegistry {
    fn watch(&self, endpoint_type: &str) -> BoxStream<'static, Arc<Desired>> {
        let namespace = self.shared.options.namespace.clone();
        let endpoint_type = endpoint_type.to_owned();
        follow(self.clone(), self.shared.state.subscribe(), move |state| {
            let (contents, secrets) = (&state.contents, &state.secrets);
            let mut desired = contents.desired(&namespace, &endpoint_type, secrets);
            desired
                .endpoints
                .retain(|found| state.endpoints.contains(&found.endpoint));
            Arc::new(desired)
        })
    }

    async fn report_device_status(&self, device: &str, status: DeviceStatus) -> Result<(), Error> {
        check_device_name(device)?;
        let shared = &self.shared;
        let endpoints = shared.endpoints_of(device, &status)?;
        let stripe = shared.digest.hash_one(device) as usize % shared.status.len();
        let _alone = shared.status[stripe].lock().await;
        let version = shared.state.borrow().contents.devices.get(device).cloned();
        let version = version.and_then(|device| device.version);
        // The registry takes the status of one endpoint at a time.
        for endpoint in endpoints {
            let mut stored = shared.client.device_status(&endpoint).await?;
            let spoken_of = stored.config.as_ref().and_then(|config| config.version);
            if spoken_of.is_some() && spoken_of < version {
                stored = DeviceStatus::default();
            }
            stored::merge_device(&mut stored, status.clone());
            if let Some(endpoints) = &mut stored.endpoints {
                endpoints
                    .inbound
                    .retain(|name, _| *name == endpoint.endpoint);
            }
            let update = shared.client.update_device_status(&endpoint, stored);
            update.await?;
        }
        Ok(())
    }

    async fn report_asset_status(&self, asset: &str, status: AssetStatus) -> Result<(), Error> {
        check_asset_name(asset)?;
        let known = self
            .shared
            .state
            .borrow()
            .contents
            .assets
            .get(asset)
            .cloned();
        let known = known.ok_or_else(|| Error::NotFound {
            what: format!("asset {asset:?} among those of this connector"),
        })?;
        let reference = &known.device_ref;
        let endpoint = EndpointRef::new(&reference.device_name, &reference.endpoint_name);
        self.shared
            .client
            .update_asset_status(&endpoint, asset, status)
            .await
    }

    async fn report_health(&self, endpoint: &EndpointRef, health: Health) -> Result<(), Error> {
        check_device_name(&endpoint.device)?;
        check_endpoint_name(&endpoint.endpoint)?;
        if let Health::Asset { asset, .. } = &health {
            check_asset_name(asset)?;
        }
        let state = self.shared.state.borrow().clone();
        let news = self
            .shared
            .health()
            .note(endpoint, &health, &state.contents);
        if news {
            self.shared.send_health(endpoint, &health).await?;
        }
        Ok(())
    }

    async fn report_discovered_device(
        &self,
        name: &str,
        device: DiscoveredDevice,
    ) -> Result<DiscoveryRef, Error> {
        check_device_name(name)?;
        let endpoints = device.endpoints.iter();
        let mut inbound = endpoints.flat_map(|endpoints| endpoints.inbound.values());
        let endpoint_type = inbound.next().map(|inbound| inbound.endpoint_type.clone());
        let endpoint_type = endpoint_type.ok_or_else(|| Error::Invalid {
            what: format!("discovered device {name:?}"),
            reason: "it has no inbound endpoint, whose type the registry is to know".into(),
        })?;
        check_label(&endpoint_type)?;
        let found = self
            .shared
            .client
            .discovered_device(&endpoint_type, name, device);
        found.await
    }

    async fn report_discovered_asset(
        &self,
        endpoint: &EndpointRef,
        name: &str,
        asset: DiscoveredAsset,
    ) -> Result<DiscoveryRef, Error> {
        check_asset_name(name)?;
        endpoint.check_owns(name, &asset)?;
        let found = self.shared.client.discovered_asset(endpoint, name, asset);
        found.await
    }

    async fn secret(&self, name: &str) -> Result<Secret, Error> {
        let folder = self.shared.options.secrets.clone();
        let folder = folder.ok_or_else(|| Error::NotFound {
            what: format!("secret {name:?}: no folder of secrets is set"),
        })?;
        let name = name.to_owned();
        blocking(move || read_secret(&folder, &name)).await
    }
}

impl Shared {
    fn health(&self) -> MutexGuard<'_, HealthReports> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The endpoints of ours to speak of a device through: those that the status names, else any.
    fn endpoints_of(&self, device: &str, status: &DeviceStatus) -> Result<Vec<EndpointRef>, Error> {
        let state = self.state.borrow();
        let named = status.endpoints.iter();
        let named = named.flat_map(|endpoints| endpoints.inbound.keys());
        let named = named.map(|endpoint| EndpointRef::new(device, endpoint));
        let mut found: Vec<_> = named
            .filter(|endpoint| state.endpoints.contains(endpoint))
            .collect();
        if found.is_empty() {
            let mut any = state.endpoints.iter();
            found.extend(any.find(|endpoint| endpoint.device == device).cloned());
        }
        if found.is_empty() {
            return Err(Error::NotFound {
                what: format!("device {device:?} among those of this connector"),
            });
        }
        Ok(found)
    }

    async fn send_health(&self, endpoint: &EndpointRef, health: &Health) -> Result<(), Error> {
        let (name, body) = wire::health_event(health);
        let tokens = [
            ("connectorClientId", self.client_id.as_str()),
            ("deviceName", &endpoint.device),
            ("inboundEndpointName", &endpoint.endpoint),
            ("telemetryName", name),
        ];
        let tokens = tokens.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let topic = TopicPattern::parse(wire::TELEMETRY)?
            .with(&tokens.into())?
            .topic()?;
        let mut telemetry = Telemetry::new(topic.clone(), "application/json", body.to_string());
        telemetry.payload_format_utf8 = Some(true);
        let sent = self.sender.send(telemetry).await;
        sent.map_err(|source| Error::Publish { topic, source })?;
        self.health().sent(endpoint, health);
        Ok(())
    }
}

async fn report_health_again(shared: Arc<Shared>) {
    let period = shared.options.health_interval.max(MIN_HEALTH_INTERVAL);
    let mut ticks = interval_at(Instant::now() + period, period);
    loop {
        ticks.tick().await;
        let reports = shared.health().regular();
        for (endpoint, health) in reports {
            if let Err(error) = shared.send_health(&endpoint, &health).await {
                let error = &error as &dyn std::error::Error;
                warn!(error, %endpoint, "health is not reported; it is reported again in {period:?}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_told_its_folders_by_its_environment() {
        let options = AdrOptions::from_variables(|name| match name {
            "ADR_RESOURCES_NAME_MOUNT_PATH" => Some("/names".into()),
            "CONNECTOR_NAMESPACE" => Some("ns".into()),
            _ => None,
        })
        .unwrap();
        assert_eq!(options.allocations, PathBuf::from("/names"));
        assert_eq!((options.namespace.as_str(), options.secrets), ("ns", None));
        let missing = AdrOptions::from_variables(|_| None).unwrap_err();
        assert!(
            missing
                .to_string()
                .contains("ADR_RESOURCES_NAME_MOUNT_PATH")
        );
    }
}
