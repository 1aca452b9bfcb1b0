//! Telemetry that arrives.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::stream::{Stream, StreamExt};
use tracing::warn;

use super::CloudEvent;
use crate::mrpc::{
    HybridClock, HybridTime, MAJOR_VERSION, PROTOCOL_VERSION_KEY, accepts, is_supported,
    of_application,
};
use crate::topic::{self, TopicPattern, option_error};
use crate::{Error, Message, Mqtt, Qos, Subscription};

/// How a [`TelemetryReceiver`] works.
#[derive(Clone, Debug)]
pub struct TelemetryReceiverOptions {
    /// What it is called in logs and errors; by default the pattern.
    pub name: String,
    /// The topics telemetry arrives on, such as `azure-iot-operations/data/{asset}/{element}`.
    pub pattern: String,
    /// Levels that come before the pattern.
    pub namespace: Option<String>,
    /// Values of tokens of the pattern, where not every value is wanted.
    pub tokens: BTreeMap<String, String>,
    /// Shares the messages with the other receivers of this group (`$share`).
    pub service_group: Option<String>,
    /// The content types it takes, or none to take any; none. A message that names none is taken.
    pub content_types: Vec<String>,
}

impl TelemetryReceiverOptions {
    /// Topics, everything else by default.
    pub fn new(pattern: impl Into<String>) -> Self {
        let pattern = pattern.into();
        Self {
            name: pattern.clone(),
            pattern,
            namespace: None,
            tokens: BTreeMap::new(),
            service_group: None,
            content_types: Vec::new(),
        }
    }
}

/// Receives telemetry, a [`Stream`]. It ends when the session is closed; dropping it unsubscribes.
///
/// What breaks the protocol, or has another content type, is acknowledged and dropped with a warning.
pub struct TelemetryReceiver {
    options: TelemetryReceiverOptions,
    /// A session lives as long as its last clone.
    _mqtt: Arc<dyn Mqtt>,
    /// With the tokens that are given left open, so that their values are read from the topic as well.
    pattern: TopicPattern,
    clock: HybridClock,
    messages: Subscription,
}

impl TelemetryReceiver {
    /// Subscribes.
    ///
    /// # Errors
    /// [`Error::InvalidOption`]; those of [`Mqtt::subscribe`].
    pub async fn start(
        mqtt: Arc<dyn Mqtt>,
        options: TelemetryReceiverOptions,
    ) -> Result<Self, Error> {
        let mut pattern = TopicPattern::parse(&options.pattern)?;
        if options.name.is_empty() {
            return Err(option_error("name", None, "it is empty"));
        }
        if let Some(namespace) = &options.namespace {
            pattern = pattern.in_namespace(namespace)?;
        }
        let filter = pattern.with(&options.tokens)?.filter();
        let filter = match &options.service_group {
            Some(group) => {
                if topic::check_label(group).is_err() {
                    let reason = "it is no label of a topic";
                    return Err(option_error("service_group", Some(group), reason));
                }
                format!("$share/{group}/{filter}")
            }
            None => filter,
        };
        let messages = mqtt.subscribe(&filter, Qos::AtLeastOnce).await;
        Ok(Self {
            messages: messages.map_err(|error| error.owned_by(&options.name))?,
            clock: HybridClock::new(),
            _mqtt: mqtt,
            options,
            pattern,
        })
    }

    /// Unsubscribes. What has arrived can still be read; then the stream ends.
    ///
    /// # Errors
    /// [`Error::UnsubscribeRefused`], [`Error::Timeout`], [`Error::Closed`], when the broker does not agree.
    pub async fn close(&mut self) -> Result<(), Error> {
        let closed = self.messages.close().await;
        closed.map_err(|error| error.owned_by(&self.options.name))
    }

    fn read(&self, message: Message) -> Result<ReceivedTelemetry, Error> {
        let expected = &self.options.content_types;
        let given = message.properties.content_type.as_deref();
        if !accepts(expected, given) {
            return Err(Error::Header {
                what: format!("telemetry on {}", message.topic),
                name: "Content Type".into(),
                value: given.map(topic::shown),
                reason: format!("it is to be {}", expected.join(" or ")),
            });
        }
        let mut received = ReceivedTelemetry::parse(message)?;
        if let Some(time) = &received.sent_at
            && let Err(error) = self.clock.observe(time)
        {
            // Whoever is to use the data is better off with it, and can see `sent_at`.
            warn!(receiver = self.options.name, topic = received.message.topic, %error, "a sender's clock is wrong");
        }
        received.tokens = self
            .pattern
            .tokens(&received.message.topic)
            .unwrap_or_default();
        Ok(received)
    }
}

impl std::fmt::Debug for TelemetryReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TelemetryReceiver")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Stream for TelemetryReceiver {
    type Item = ReceivedTelemetry;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(message) = ready!(self.messages.poll_next_unpin(context)) else {
                return Poll::Ready(None);
            };
            match self.read(message) {
                Ok(received) => return Poll::Ready(Some(received)),
                Err(error) => {
                    warn!(receiver = self.options.name, %error, "telemetry is dropped");
                }
            }
        }
    }
}

/// Telemetry that arrived.
#[derive(Clone, Debug)]
pub struct ReceivedTelemetry {
    /// The message; it is acknowledged when this is dropped.
    pub message: Message,
    /// The values of the pattern's tokens in the topic; none when it was not received by a [`TelemetryReceiver`].
    pub tokens: BTreeMap<String, String>,
    /// What it is about, when it says so in full.
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
    /// [`Error::UnsupportedVersion`] when the protocol's version is not 1, [`Error::Header`] when `__ts` cannot be read.
    pub fn parse(message: Message) -> Result<Self, Error> {
        let properties = &message.properties;
        let version = properties.user(PROTOCOL_VERSION_KEY);
        if let Some(version) = version.filter(|version| !is_supported(Some(version))) {
            return Err(Error::UnsupportedVersion {
                topic: message.topic.clone(),
                version: topic::shown(version),
                supported: MAJOR_VERSION.into(),
                remote: false,
                message: String::new(),
            });
        }
        Ok(Self {
            cloud_event: CloudEvent::read(properties),
            sender_id: properties.user("__srcId").map(str::to_owned),
            sent_at: properties.user("__ts").map(str::parse).transpose()?,
            tokens: BTreeMap::new(),
            message,
        })
    }

    /// The user properties of the application: those that are neither the protocol's nor of CloudEvents are among them.
    pub fn user_properties(&self) -> Vec<(String, String)> {
        of_application(self.message.properties.user.clone())
    }
}
