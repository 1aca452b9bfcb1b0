//! Telemetry: messages with the properties and the CloudEvents attributes that Azure IoT Operations expects.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::model::{Asset, Device};
use crate::mrpc::HybridTime;
use crate::{Error, Message, Mqtt, PublishError, Qos};

/// A telemetry message.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// The topic.
    pub topic: String,
    /// The content.
    pub payload: Bytes,
    /// Its media type.
    pub content_type: String,
    /// The quality of service; by default [`Qos::AtLeastOnce`].
    pub qos: Qos,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// How long it is worth delivering; 10 s.
    pub expiry: Option<Duration>,
    /// What it is about.
    pub cloud_event: Option<CloudEvent>,
    /// Further user properties.
    pub user_properties: Vec<(String, String)>,
}

impl Telemetry {
    /// A message at QoS 1 that expires after 10 s.
    pub fn new(
        topic: impl Into<String>,
        content_type: impl Into<String>,
        payload: impl Into<Bytes>,
    ) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            content_type: content_type.into(),
            qos: Qos::AtLeastOnce,
            retain: false,
            expiry: Some(Duration::from_secs(10)),
            cloud_event: None,
            user_properties: Vec::new(),
        }
    }
}

/// Attributes of a CloudEvents 1.0 event. The content type is the message's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEvent {
    /// The device it comes from, as `ms-aio:UUID/ENDPOINT`.
    pub device_ref: Option<String>,
    /// The asset it belongs to, as `ms-aio:UUID`.
    pub asset_ref: Option<String>,
    /// Tells it from every other event of the source; a message that is sent again keeps it.
    pub id: String,
    /// Where it comes from, such as `ms-aio:cam1/tns1:RuleEngine/CellMotionDetector/Motion`.
    pub source: String,
    /// What kind it is, such as `Event`.
    pub event_type: String,
    /// What it is about, such as `cam-asset/rules/motion`.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<SystemTime>,
    /// The schema of the payload, such as `aio-sr://namespace/name:1`.
    pub data_schema: Option<String>,
}

/// Which kind of element data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementKind {
    /// A dataset.
    Dataset,
    /// An event.
    Event,
    /// A stream.
    Stream,
}

/// Where a connector's data comes from, for [`CloudEvent::for_connector`].
#[derive(Clone, Copy, Debug)]
pub struct CloudEventSource<'a> {
    /// The device's name.
    pub device_name: &'a str,
    /// The device.
    pub device: &'a Device,
    /// The endpoint's name.
    pub endpoint_name: &'a str,
    /// The asset's name.
    pub asset_name: &'a str,
    /// The asset.
    pub asset: &'a Asset,
    /// The kind of element.
    pub kind: ElementKind,
    /// Dataset or stream name, or `group/event`.
    pub element: &'a str,
    /// The element's data source.
    pub data_source: Option<&'a str>,
    /// The element's type.
    pub type_ref: Option<&'a str>,
}

impl CloudEvent {
    /// The attributes of data from a connector, with a random id.
    pub fn for_connector(source: &CloudEventSource<'_>, time: SystemTime) -> Self {
        unimplemented!()
    }
}

/// Sends telemetry.
#[derive(Clone)]
pub struct TelemetrySender {
    mqtt: Arc<dyn Mqtt>,
}

impl TelemetrySender {
    /// A sender on a session.
    pub fn new(mqtt: Arc<dyn Mqtt>) -> Self {
        Self { mqtt }
    }

    /// Publishes, and returns when the broker has acknowledged (at QoS 1).
    ///
    /// # Errors
    /// Those of [`Mqtt::publish`].
    pub async fn send(&self, telemetry: Telemetry) -> Result<(), PublishError> {
        unimplemented!()
    }
}

/// Telemetry that arrived.
#[derive(Clone, Debug)]
pub struct ReceivedTelemetry {
    /// The message.
    pub message: Message,
    /// What it is about, when it says so.
    pub cloud_event: Option<CloudEvent>,
    /// Who sent it, when it says so. Not authenticated.
    pub sender_id: Option<String>,
    /// The sender's clock, when it says so.
    pub sent_at: Option<HybridTime>,
}

impl ReceivedTelemetry {
    /// Reads the properties of a message.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the protocol's version is not 1, or `__ts` or `time` cannot be read.
    pub fn parse(message: Message) -> Result<Self, Error> {
        unimplemented!()
    }
}
