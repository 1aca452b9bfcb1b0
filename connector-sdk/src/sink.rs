//! Where data goes: the destinations of one element of an asset.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aio_registry::model::{
    Asset, Component, Destination, DestinationConfiguration, Device, Retain, Target,
};
use aio_registry::{
    CloudEvent, CloudEventSource, ElementKind, Mqtt, Registry, Secret, Telemetry, TelemetrySender,
    topic,
};
use bytes::Bytes;

use crate::{Error, ErrorKind};

/// How long a broker keeps a message for a consumer that is away, where the destination names no `ttl`.
const DEFAULT_TTL: Duration = Duration::from_secs(10);

/// Sends what one element of an asset produces to the destinations that the asset names for it.
///
/// Clones share their state.
#[derive(Clone, Debug)]
pub struct Sink {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    route: Route,
    topics: Vec<TopicDestination>,
    storage: Vec<String>,
    registry: RegistryOf,
    sender: SenderOf,
    progress: Box<dyn Progress>,
    sent: AtomicU64,
}

/// Is told whether an element works.
pub(crate) trait Progress: std::fmt::Debug + Send + Sync {
    fn running(&self);
    fn failed(&self, error: &Error);
}

/// A sender whose Debug says nothing.
struct SenderOf(TelemetrySender);

impl std::fmt::Debug for SenderOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TelemetrySender")
    }
}

/// A registry whose Debug says nothing.
struct RegistryOf(Arc<dyn Registry>);

impl std::fmt::Debug for RegistryOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}

/// What an element produced: one message.
#[derive(Clone, Debug)]
pub struct Data {
    /// The content.
    pub payload: Bytes,
    /// Its media type, such as `image/jpeg`.
    pub content_type: String,
    /// When it was true: of a picture, when it was taken; of an event, when it happened.
    pub time: SystemTime,
}

impl Data {
    /// Content of a media type, true now.
    pub fn new(content_type: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            payload: payload.into(),
            content_type: content_type.into(),
            time: SystemTime::now(),
        }
    }

    /// A JSON document, true now.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the value cannot be JSON (a map whose keys are no strings, say).
    pub fn json(value: &impl serde::Serialize) -> Result<Self, Error> {
        let payload = serde_json::to_vec(value).map_err(|error| {
            Error::new(ErrorKind::Internal, "the data cannot be written as JSON").because(error)
        })?;
        Ok(Self::new("application/json", payload))
    }

    /// The same, true at `time`.
    #[must_use]
    pub fn at(self, time: SystemTime) -> Self {
        Self { time, ..self }
    }
}

/// Where the data of one element comes from and goes to. Compared to see whether a change of the registry concerns it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    pub(crate) namespace: String,
    pub(crate) device_name: String,
    pub(crate) endpoint_name: String,
    pub(crate) device: Arc<Device>,
    pub(crate) asset_name: String,
    pub(crate) asset: Identity,
    pub(crate) component: Component,
    pub(crate) data_source: Option<String>,
    pub(crate) type_ref: Option<String>,
    pub(crate) destinations: Vec<Destination>,
}

/// What of an asset ends up in messages.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Identity {
    pub(crate) uuid: Option<String>,
    pub(crate) external_asset_id: Option<String>,
}

#[derive(Debug)]
struct TopicDestination {
    topic: String,
    qos: aio_registry::Qos,
    retain: bool,
    ttl: Duration,
}

impl Sink {
    /// # Errors
    /// [`ErrorKind::Configuration`] or [`ErrorKind::Unsupported`] names the destination that cannot be served.
    pub(crate) fn new(
        (mqtt, registry): (Arc<dyn Mqtt>, Arc<dyn Registry>),
        route: Route,
        served: &[Target],
        progress: Box<dyn Progress>,
    ) -> Result<Self, Error> {
        let (topics, storage) = destinations(&route, served)?;
        Ok(Self {
            shared: Arc::new(Shared {
                route,
                topics,
                storage,
                registry: RegistryOf(registry),
                sender: SenderOf(TelemetrySender::new(mqtt)),
                progress,
                sent: AtomicU64::new(0),
            }),
        })
    }

    /// Sends one message to each destination, and returns when the broker has acknowledged all of them (those of QoS 1).
    ///
    /// Awaiting it before the next reading is all the back-pressure there is: nothing is queued here. Dropping the future
    /// does not recall what was handed to the session already.
    ///
    /// # Errors
    /// [`ErrorKind::NotDelivered`] if a destination did not get it; the others did.
    pub async fn send(&self, data: Data) -> Result<(), Error> {
        let shared = &*self.shared;
        let mut outcome = Ok(());
        for destination in &shared.topics {
            let telemetry = Telemetry {
                qos: destination.qos,
                retain: destination.retain,
                expiry: Some(destination.ttl),
                cloud_event: Some(shared.route.cloud_event(data.time)),
                ..Telemetry::new(
                    destination.topic.clone(),
                    data.content_type.clone(),
                    data.payload.clone(),
                )
            };
            if let Err(error) = shared.sender.0.send(telemetry).await {
                outcome = Err(Error::new(
                    ErrorKind::NotDelivered,
                    format!("the message on {} was not delivered", destination.topic),
                )
                .because(error));
            }
        }
        if outcome.is_ok() {
            shared.sent.fetch_add(1, Ordering::Relaxed);
            self.running();
        }
        outcome
    }

    /// The kinds of the destinations that the asset names; none where the default topic is the only one.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let destinations = self.shared.route.destinations.iter();
        destinations.map(|destination| &destination.target)
    }

    /// The paths or addresses of the destinations of type `Storage`, for elements that store by themselves.
    pub fn storage(&self) -> &[String] {
        &self.shared.storage
    }

    /// The namespace of the registry, which paths and topics begin with.
    pub fn namespace(&self) -> &str {
        &self.shared.route.namespace
    }

    /// A secret that the element's configuration names, for a destination that asks for one.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] where it cannot be read: it may come.
    pub async fn secret(&self, name: &str) -> Result<Secret, Error> {
        let secret = self.shared.registry.0.secret(name).await;
        secret.map_err(|error| {
            Error::unavailable(format!("the secret {name:?} cannot be read")).because(error)
        })
    }

    /// Tells the runtime that the element works, before there is anything to send (an event that has not occurred yet).
    /// [`send`](Self::send) tells it by itself.
    pub fn running(&self) {
        self.shared.progress.running();
    }

    /// Tells the runtime that the element does not work at the moment, though the `run_` method goes on trying. The next
    /// [`send`](Self::send) or [`running`](Self::running) takes it back.
    pub fn failed(&self, error: &Error) {
        self.shared.progress.failed(error);
    }

    /// The messages that reached all destinations so far.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }
}

impl Route {
    fn element(&self) -> (ElementKind, String) {
        match &self.component {
            Component::Dataset { name } => (ElementKind::Dataset, name.clone()),
            Component::Event { group, name } => (ElementKind::Event, format!("{group}/{name}")),
            Component::Stream { name } => (ElementKind::Stream, name.clone()),
            // Actions produce no data.
            Component::Action { group, name } => (ElementKind::Event, format!("{group}/{name}")),
        }
    }

    fn cloud_event(&self, time: SystemTime) -> CloudEvent {
        let (kind, element) = self.element();
        let asset = Asset {
            uuid: self.asset.uuid.clone(),
            external_asset_id: self.asset.external_asset_id.clone(),
            ..Asset::default()
        };
        CloudEvent::for_connector(
            &CloudEventSource {
                device_name: &self.device_name,
                device: &self.device,
                endpoint_name: &self.endpoint_name,
                asset_name: &self.asset_name,
                asset: &asset,
                kind,
                element: &element,
                data_source: self.data_source.as_deref(),
                type_ref: self.type_ref.as_deref(),
            },
            time,
        )
    }

    /// The topic where no destination is named: `{namespace}/data/{asset}/{element}`.
    fn default_topic(&self) -> String {
        let name = match &self.component {
            Component::Dataset { name }
            | Component::Event { name, .. }
            | Component::Action { name, .. }
            | Component::Stream { name } => name,
        };
        format!(
            "{}/data/{}/{}",
            self.namespace,
            self.asset_name,
            topic::escape_level(name)
        )
    }
}

/// The topics and the stores.
fn destinations(
    route: &Route,
    served: &[Target],
) -> Result<(Vec<TopicDestination>, Vec<String>), Error> {
    if route.destinations.is_empty() {
        let topic = TopicDestination {
            topic: route.default_topic(),
            qos: aio_registry::Qos::default(),
            retain: false,
            ttl: DEFAULT_TTL,
        };
        return Ok((vec![topic], Vec::new()));
    }
    let (mut topics, mut storage) = (Vec::new(), Vec::new());
    for (index, destination) in route.destinations.iter().enumerate() {
        let configuration = &destination.configuration;
        match &destination.target {
            target if !served.contains(target) => {
                let served: Vec<_> = served.iter().map(ToString::to_string).collect();
                return Err(Error::unsupported(format!(
                    "destinations[{index}].target: {target} is not supported here; {} is",
                    served.join(" or ")
                )));
            }
            Target::Mqtt => topics.push(topic(index, configuration)?),
            _ => storage.push(configuration.path.clone().ok_or_else(|| {
                Error::configuration(format!("destinations[{index}].configuration.path: missing"))
            })?),
        }
    }
    Ok((topics, storage))
}

fn topic(
    index: usize,
    configuration: &DestinationConfiguration,
) -> Result<TopicDestination, Error> {
    let wrong = |reason: &dyn std::fmt::Display| {
        Error::configuration(format!(
            "destinations[{index}].configuration.topic: {reason}"
        ))
    };
    let topic = configuration.topic.clone();
    let topic = topic.ok_or_else(|| wrong(&"missing"))?;
    topic::check_topic(&topic).map_err(|error| wrong(&error))?;
    Ok(TopicDestination {
        topic,
        qos: configuration.qos.unwrap_or_default(),
        retain: configuration.retain == Some(Retain::Keep),
        ttl: configuration.ttl.map_or(DEFAULT_TTL, Duration::from_secs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(destinations: Vec<Destination>) -> Route {
        Route {
            namespace: "aio".into(),
            device_name: "cam".into(),
            endpoint_name: "stream".into(),
            device: Arc::default(),
            asset_name: "gate".into(),
            asset: Identity {
                uuid: None,
                external_asset_id: None,
            },
            component: Component::Stream {
                name: "clips".into(),
            },
            data_source: None,
            type_ref: None,
            destinations,
        }
    }

    #[test]
    fn destinations_go_where_devices_serve_them() {
        let both = || vec![Destination::mqtt("a/b"), Destination::storage("clips")];
        let served = [Target::Mqtt, Target::Storage];
        let (topics, storage) = destinations(&route(both()), &served).unwrap();
        assert_eq!((topics.len(), &topics[0].topic[..]), (1, "a/b"));
        assert_eq!(storage, ["clips"]);
        let (topics, storage) = destinations(&route(Vec::new()), &served).unwrap();
        assert_eq!(topics[0].topic, "aio/data/gate/clips");
        assert!(storage.is_empty());

        let error = destinations(&route(both()), &[Target::Mqtt]).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (
                ErrorKind::Unsupported,
                "destinations[1].target: Storage is not supported here; Mqtt is"
            )
        );
    }

    #[test]
    fn what_a_destination_lacks_is_named() {
        for (mut destination, message) in [
            (
                Destination::mqtt(""),
                "destinations[0].configuration.topic: missing",
            ),
            (
                Destination::storage(""),
                "destinations[0].configuration.path: missing",
            ),
        ] {
            destination.configuration.topic = None;
            destination.configuration.path = None;
            let served = [Target::Mqtt, Target::Storage];
            let error = destinations(&route(vec![destination]), &served).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
