//! Telemetry: messages with the properties and the CloudEvents attributes that Azure IoT Operations expects.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use uuid::Uuid;

use crate::model::time::{from_rfc3339, to_rfc3339};
use crate::model::{Asset, Device};
use crate::mrpc::{HybridClock, HybridTime, is_supported};
use crate::{Error, Message, Mqtt, Properties, Publish, PublishError, Qos};

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
    ///
    /// The external name of the device or asset is used where it says more than the registry's uuid.
    pub fn for_connector(source: &CloudEventSource<'_>, time: SystemTime) -> Self {
        let (device, asset) = (source.device, source.asset);
        let external = |name: &Option<String>, uuid: &Option<String>| {
            name.clone().filter(|name| uuid.as_ref() != Some(name))
        };
        let device_name = external(&device.external_device_id, &device.uuid)
            .unwrap_or_else(|| source.device_name.to_owned());
        let asset_name = external(&asset.external_asset_id, &asset.uuid)
            .unwrap_or_else(|| source.asset_name.to_owned());
        let kind = match source.kind {
            ElementKind::Dataset => "DataSet",
            ElementKind::Event => "Event",
            ElementKind::Stream => "Stream",
        };
        let followed_by = |text: Option<&str>| {
            text.filter(|text| !text.is_empty())
                .map(|text| format!("/{text}"))
                .unwrap_or_default()
        };
        let data_source = source
            .data_source
            .map(|path| path.strip_prefix('/').unwrap_or(path));
        Self {
            device_ref: Some(match &device.uuid {
                Some(uuid) => format!("ms-aio:{uuid}/{}", source.endpoint_name),
                None => format!("ms-aio:{}", source.endpoint_name),
            }),
            asset_ref: asset.uuid.as_ref().map(|uuid| format!("ms-aio:{uuid}")),
            id: Uuid::new_v4().to_string(),
            source: format!("ms-aio:{device_name}{}", followed_by(data_source)),
            event_type: format!("{kind}{}", followed_by(source.type_ref)),
            subject: Some(format!("{asset_name}/{}", source.element)),
            time: Some(time),
            data_schema: None,
        }
    }

    fn write(self, user: &mut Vec<(String, String)>) {
        let attributes = [
            ("aiodeviceref", self.device_ref),
            ("aioassetref", self.asset_ref),
            ("id", Some(self.id)),
            ("source", Some(self.source)),
            ("specversion", Some("1.0".to_owned())),
            ("type", Some(self.event_type)),
            ("subject", self.subject),
            ("time", self.time.and_then(to_rfc3339)),
            ("dataschema", self.data_schema),
        ];
        user.extend(
            attributes
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
    }

    /// The attributes of a message that is a CloudEvents 1.0 event; `None` for any other.
    fn read(properties: &Properties) -> Result<Option<Self>, Error> {
        let text = |name| properties.user(name).map(str::to_owned);
        let (Some("1.0"), Some(id), Some(source), Some(event_type)) = (
            properties.user("specversion"),
            text("id"),
            text("source"),
            text("type"),
        ) else {
            return Ok(None);
        };
        let time = text("time").map(|time| from_rfc3339(&time)).transpose();
        Ok(Some(Self {
            device_ref: text("aiodeviceref"),
            asset_ref: text("aioassetref"),
            id,
            source,
            event_type,
            subject: text("subject"),
            time: time.map_err(|reason| Error::Protocol {
                what: "the attribute time of a CloudEvent".into(),
                reason,
            })?,
            data_schema: text("dataschema"),
        }))
    }
}

/// Sends telemetry.
#[derive(Clone)]
pub struct TelemetrySender {
    mqtt: Arc<dyn Mqtt>,
    clock: HybridClock,
}

impl std::fmt::Debug for TelemetrySender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TelemetrySender")
            .field("client_id", &self.mqtt.client_id())
            .finish_non_exhaustive()
    }
}

impl TelemetrySender {
    /// A sender on a session.
    pub fn new(mqtt: Arc<dyn Mqtt>) -> Self {
        Self {
            mqtt,
            clock: HybridClock::new(),
        }
    }

    /// Publishes, and returns when the broker has acknowledged (at QoS 1).
    ///
    /// # Errors
    /// Those of [`Mqtt::publish`].
    pub async fn send(&self, telemetry: Telemetry) -> Result<(), PublishError> {
        let mut user = Vec::with_capacity(12 + telemetry.user_properties.len());
        if let Some(event) = telemetry.cloud_event {
            event.write(&mut user);
        }
        user.push(("__ts".to_owned(), self.clock.tick().to_string()));
        user.push(("__protVer".to_owned(), "1.0".to_owned()));
        user.push(("__srcId".to_owned(), self.mqtt.client_id().to_owned()));
        user.extend(telemetry.user_properties);
        let properties = Properties {
            content_type: Some(telemetry.content_type),
            payload_format_utf8: None,
            message_expiry: telemetry.expiry,
            response_topic: None,
            correlation_data: Some(Bytes::copy_from_slice(Uuid::new_v4().as_bytes())),
            user,
        };
        let Telemetry {
            topic,
            payload,
            qos,
            retain,
            ..
        } = telemetry;
        self.mqtt
            .publish(Publish {
                topic,
                payload,
                qos,
                retain,
                properties,
            })
            .await
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
        let properties = &message.properties;
        if !is_supported(properties.user("__protVer")) {
            let what = format!("telemetry on {}", message.topic);
            return Err(Error::Protocol {
                what,
                reason: "its protocol version is not 1".into(),
            });
        }
        Ok(Self {
            cloud_event: CloudEvent::read(properties)?,
            sender_id: properties.user("__srcId").map(str::to_owned),
            sent_at: properties.user("__ts").map(str::parse).transpose()?,
            message,
        })
    }
}
