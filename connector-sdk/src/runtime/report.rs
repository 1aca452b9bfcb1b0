//! Statuses and health: the latest state is told to the registry, again until it takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use aio_registry::model::{
    ActionStatus, Asset, AssetStatus, Component, ConfigError, ConfigStatus, DeviceStatus,
    DeviceStatusEndpoints, ElementStatus, EndpointStatus, EventGroupStatus, Health, HealthStatus,
    ManagementGroupStatus, RuntimeHealth,
};
use aio_registry::{DesiredEndpoint, EndpointRef, NamedAsset, Registry};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use crate::retry::Retry;
use crate::{Error, ErrorKind, RetryOptions};

/// How an endpoint or an element is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum State {
    /// Not known yet: it starts.
    #[default]
    Starting,
    Running,
    /// Not served: code and message.
    Failed(&'static str, String),
}

impl State {
    pub(crate) fn failed(error: &Error) -> Self {
        Self::Failed(error.kind().code(), error.report())
    }

    /// Of what is reached by an endpoint that is not.
    pub(crate) fn not_reached(endpoint: &EndpointRef, error: &Error) -> Self {
        let message = format!("the endpoint {endpoint} is not served: {}", error.report());
        Self::Failed(error.kind().code(), message)
    }

    fn config_error(&self) -> Option<ConfigError> {
        match self {
            Self::Failed(code, message) => Some(ConfigError::new(*code, message)),
            Self::Starting | Self::Running => None,
        }
    }

    fn health(&self, version: u64, now: SystemTime) -> Option<RuntimeHealth> {
        let (status, reason_code, message) = match self {
            Self::Starting => return None,
            Self::Running => (HealthStatus::Available, None, None),
            Self::Failed(code, message) => (
                HealthStatus::Unavailable,
                Some((*code).to_owned()),
                Some(message.clone()),
            ),
        };
        Some(RuntimeHealth {
            version,
            status,
            last_update_time: now,
            message,
            reason_code,
            other: Default::default(),
        })
    }
}

/// Reports one endpoint.
#[derive(Debug)]
pub(crate) struct EndpointReport {
    state: watch::Sender<(Option<u64>, State)>,
    _task: AbortOnDropHandle<()>,
}

impl EndpointReport {
    pub(crate) fn start(
        registry: Arc<dyn Registry>,
        endpoint: EndpointRef,
        retry: RetryOptions,
    ) -> Self {
        let (state, mut changes) = watch::channel((None, State::Starting));
        let task = tokio::spawn(async move {
            let mut retry = Retry::new(retry);
            while changes.changed().await.is_ok() {
                loop {
                    let (version, state) = changes.borrow_and_update().clone();
                    match report_endpoint(&*registry, &endpoint, version, &state).await {
                        Ok(()) => break,
                        Err(error) => {
                            warn!(%endpoint, %error, "the registry did not take a status")
                        }
                    }
                    pause(&mut retry, &mut changes).await;
                }
                retry.reset();
            }
        });
        Self {
            state,
            _task: AbortOnDropHandle::new(task),
        }
    }

    pub(crate) fn set(&self, desired: &DesiredEndpoint, state: State) {
        let next = (desired.device.version, state);
        self.state.send_if_modified(|current| {
            let changed = *current != next;
            *current = next;
            changed
        });
    }
}

async fn report_endpoint(
    registry: &dyn Registry,
    endpoint: &EndpointRef,
    version: Option<u64>,
    state: &State,
) -> Result<(), aio_registry::Error> {
    let now = SystemTime::now();
    let inbound = EndpointStatus {
        error: state.config_error(),
        ..EndpointStatus::default()
    };
    let status = DeviceStatus {
        config: Some(ConfigStatus {
            version,
            last_transition_time: Some(now),
            ..ConfigStatus::default()
        }),
        endpoints: Some(DeviceStatusEndpoints {
            inbound: BTreeMap::from([(endpoint.endpoint.clone(), inbound)]),
            ..DeviceStatusEndpoints::default()
        }),
        ..DeviceStatus::default()
    };
    registry
        .report_device_status(&endpoint.device, status)
        .await?;
    match state.health(version.unwrap_or_default(), now) {
        Some(health) => {
            registry
                .report_health(endpoint, Health::Endpoint(health))
                .await
        }
        None => Ok(()),
    }
}

/// Reports one asset and its elements.
#[derive(Debug)]
pub(crate) struct AssetReport {
    state: watch::Sender<AssetState>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Clone, Debug, PartialEq)]
struct AssetState {
    asset: Arc<NamedAsset>,
    elements: BTreeMap<Component, State>,
}

impl AssetReport {
    pub(crate) fn start(
        registry: Arc<dyn Registry>,
        endpoint: EndpointRef,
        asset: Arc<NamedAsset>,
        retry: RetryOptions,
    ) -> Self {
        let (state, mut changes) = watch::channel(AssetState {
            asset,
            elements: BTreeMap::new(),
        });
        changes.mark_changed();
        let task = tokio::spawn(async move {
            let mut retry = Retry::new(retry);
            let mut told = BTreeMap::new();
            while changes.changed().await.is_ok() {
                loop {
                    let state = changes.borrow_and_update().clone();
                    match report_asset(&*registry, &endpoint, &state, &mut told).await {
                        Ok(()) => break,
                        Err(error) => {
                            warn!(asset = %state.asset.name, %error, "the registry did not take a status");
                        }
                    }
                    pause(&mut retry, &mut changes).await;
                }
                retry.reset();
            }
        });
        Self {
            state,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Takes up a new specification; elements that it no longer has are forgotten.
    pub(crate) fn plan(&self, asset: Arc<NamedAsset>) {
        let components = components(&asset.asset);
        self.state.send_if_modified(|state| {
            if state.asset == asset {
                return false;
            }
            state.asset = asset;
            state
                .elements
                .retain(|component, _| components.contains(component));
            true
        });
    }

    /// The same for all elements.
    pub(crate) fn set_all(&self, next: &State) {
        self.state.send_if_modified(|state| {
            let all: BTreeMap<_, _> = components(&state.asset.asset)
                .into_iter()
                .map(|component| (component, next.clone()))
                .collect();
            let changed = state.elements != all;
            state.elements = all;
            changed
        });
    }

    pub(crate) fn set(&self, component: &Component, next: State) {
        self.state.send_if_modified(|state| {
            let current = state.elements.entry(component.clone()).or_default();
            let changed = *current != next;
            *current = next;
            changed
        });
    }
}

async fn report_asset(
    registry: &dyn Registry,
    endpoint: &EndpointRef,
    state: &AssetState,
    told: &mut BTreeMap<Component, State>,
) -> Result<(), aio_registry::Error> {
    let now = SystemTime::now();
    let name = &state.asset.name;
    registry
        .report_asset_status(name, asset_status(&state.asset.asset, &state.elements, now))
        .await?;
    let version = state.asset.asset.version.unwrap_or_default();
    for (component, element) in &state.elements {
        if told.get(component) == Some(element) {
            continue;
        }
        if let Some(health) = element.health(version, now) {
            let health = Health::Asset {
                asset: name.clone(),
                component: component.clone(),
                health,
            };
            registry.report_health(endpoint, health).await?;
        }
        told.insert(component.clone(), element.clone());
    }
    Ok(())
}

fn components(asset: &Asset) -> BTreeSet<Component> {
    let datasets = asset.datasets.iter().map(|dataset| Component::Dataset {
        name: dataset.name.clone(),
    });
    let streams = asset.streams.iter().map(|stream| Component::Stream {
        name: stream.name.clone(),
    });
    let events = asset.event_groups.iter().flat_map(|group| {
        group.events.iter().map(|event| Component::Event {
            group: group.name.clone(),
            name: event.name.clone(),
        })
    });
    let actions = asset.management_groups.iter().flat_map(|group| {
        group.actions.iter().map(|action| Component::Action {
            group: group.name.clone(),
            name: action.name.clone(),
        })
    });
    datasets
        .chain(streams)
        .chain(events)
        .chain(actions)
        .collect()
}

/// The whole status, in the order of the specification.
fn asset_status(
    asset: &Asset,
    elements: &BTreeMap<Component, State>,
    now: SystemTime,
) -> AssetStatus {
    let error = |component: Component| elements.get(&component).and_then(State::config_error);
    let element = |name: &str, component: Component| ElementStatus {
        name: name.to_owned(),
        error: error(component),
        ..ElementStatus::default()
    };
    AssetStatus {
        config: Some(ConfigStatus {
            version: asset.version,
            last_transition_time: Some(now),
            ..ConfigStatus::default()
        }),
        datasets: asset
            .datasets
            .iter()
            .map(|dataset| {
                let name = dataset.name.clone();
                element(&dataset.name, Component::Dataset { name })
            })
            .collect(),
        event_groups: asset
            .event_groups
            .iter()
            .map(|group| EventGroupStatus {
                name: group.name.clone(),
                events: group
                    .events
                    .iter()
                    .map(|event| {
                        let (group, name) = (group.name.clone(), event.name.clone());
                        element(&event.name, Component::Event { group, name })
                    })
                    .collect(),
                ..EventGroupStatus::default()
            })
            .collect(),
        management_groups: asset
            .management_groups
            .iter()
            .map(|group| ManagementGroupStatus {
                name: group.name.clone(),
                actions: group
                    .actions
                    .iter()
                    .map(|action| ActionStatus {
                        name: action.name.clone(),
                        error: error(Component::Action {
                            group: group.name.clone(),
                            name: action.name.clone(),
                        }),
                        ..ActionStatus::default()
                    })
                    .collect(),
                ..ManagementGroupStatus::default()
            })
            .collect(),
        streams: asset
            .streams
            .iter()
            .map(|stream| {
                let name = stream.name.clone();
                element(&stream.name, Component::Stream { name })
            })
            .collect(),
        ..AssetStatus::default()
    }
}

/// Waits before the registry is asked again, unless there is something new to tell.
async fn pause<T>(retry: &mut Retry, changes: &mut watch::Receiver<T>) {
    let wait = retry
        .after(ErrorKind::Unavailable, rand::random())
        .unwrap_or_default();
    let _ = tokio::time::timeout(wait, changes.changed()).await;
    changes.mark_changed();
}
