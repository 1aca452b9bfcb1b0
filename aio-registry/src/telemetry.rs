//! Telemetry: messages with the properties and the CloudEvents attributes that Azure IoT Operations expects.

mod cloud_event;
mod receiver;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

pub use cloud_event::{CloudEvent, CloudEventSource, ElementKind};
pub use receiver::{ReceivedTelemetry, TelemetryReceiver, TelemetryReceiverOptions};

use crate::mrpc::{HybridClock, of_application};
use crate::{Mqtt, Properties, Publish, PublishError, Qos};

/// A telemetry message.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// The topic.
    pub topic: String,
    /// The content.
    pub payload: Bytes,
    /// Its media type.
    pub content_type: String,
    /// Whether it is marked as UTF-8 text (`Some(true)`), as bytes, or not at all, which is the default.
    pub payload_format_utf8: Option<bool>,
    /// The quality of service; by default [`Qos::AtLeastOnce`].
    pub qos: Qos,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// How long it is worth delivering; 10 s.
    pub expiry: Option<Duration>,
    /// What it is about.
    pub cloud_event: Option<CloudEvent>,
    /// Further user properties. Those with the names of the protocol's own are left out, and beside a
    /// [`cloud_event`](Self::cloud_event) those with the names of its attributes.
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
            payload_format_utf8: None,
            qos: Qos::AtLeastOnce,
            retain: false,
            expiry: Some(Duration::from_secs(10)),
            cloud_event: None,
            user_properties: Vec::new(),
        }
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
    /// [`PublishError::Invalid`] `cloud_event`, when an attribute or the content type is not one of CloudEvents; those of
    /// [`Mqtt::publish`].
    pub async fn send(&self, telemetry: Telemetry) -> Result<(), PublishError> {
        let mut user = Vec::with_capacity(12 + telemetry.user_properties.len());
        let is_event = telemetry.cloud_event.is_some();
        if let Some(event) = telemetry.cloud_event {
            event
                .write(&telemetry.topic, &telemetry.content_type, &mut user)
                .map_err(|reason| PublishError::Invalid {
                    what: "cloud_event",
                    reason,
                })?;
        }
        user.push(("__ts".to_owned(), self.clock.tick().to_string()));
        user.push(("__protVer".to_owned(), "1.0".to_owned()));
        user.push(("__srcId".to_owned(), self.mqtt.client_id().to_owned()));
        let mut further = of_application(telemetry.user_properties);
        if is_event {
            further.retain(|(name, _)| !cloud_event::ATTRIBUTES.contains(&name.as_str()));
        }
        user.extend(further);
        let properties = Properties {
            content_type: Some(telemetry.content_type),
            payload_format_utf8: telemetry.payload_format_utf8,
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
