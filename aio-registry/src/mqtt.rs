//! The seam to MQTT 5, a session over the network behind it, and a broker in memory for tests.

mod connection;
mod core;
mod credentials;
mod environment;
mod memory;
mod options;
mod packet;
mod running;
mod session;
mod subscription;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use memory::{MemoryBroker, MemoryClient};
pub use options::{ClientCertificate, MqttOptions, TlsRoots};
pub use session::{MqttSession, SessionState};
pub use subscription::{Ack, Message, Subscription};

use crate::{Error, ErrorKind, Qos};

/// An MQTT 5 client: what this crate asks of one, so that another stack can take its place.
#[async_trait]
pub trait Mqtt: Send + Sync + 'static {
    /// The client identifier of the session.
    fn client_id(&self) -> &str;

    /// Publishes a message. Returns when the broker has acknowledged it (QoS 1), or when it was handed to the connection (QoS 0).
    ///
    /// Waits while the queue is full or the broker is away, up to the session's publish timeout. Dropping the future
    /// takes the message back unless it was sent.
    ///
    /// # Errors
    /// [`PublishError`] says why the broker does not have the message, or may not have it.
    async fn publish(&self, message: Publish) -> Result<(), PublishError>;

    /// Subscribes to a topic filter. Messages come until the subscription is dropped, which unsubscribes; over a lost
    /// connection the subscription is renewed.
    ///
    /// At QoS 1 the broker is asked for no more messages than the queue holds. At QoS 0 a reader that is too slow loses messages.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad filter, [`Error::SubscribeRefused`], [`Error::Timeout`], [`Error::Closed`].
    async fn subscribe(&self, filter: &str, qos: Qos) -> Result<Subscription, Error>;
}

/// A message to publish.
#[derive(Clone, Debug, Default)]
pub struct Publish {
    /// The topic, without wildcards.
    pub topic: String,
    /// The content.
    pub payload: Bytes,
    /// The quality of service; by default [`Qos::AtLeastOnce`].
    pub qos: Qos,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// MQTT 5 properties.
    pub properties: Properties,
}

impl Publish {
    /// A message at QoS 1 without properties.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            ..Self::default()
        }
    }
}

/// The MQTT 5 properties of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// The media type of the payload.
    pub content_type: Option<String>,
    /// Payload Format Indicator: `Some(true)` for UTF-8 text, `Some(false)` for bytes.
    pub payload_format_utf8: Option<bool>,
    /// How long the message is worth delivering; whole seconds on the wire.
    pub message_expiry: Option<Duration>,
    /// Where an answer is to go.
    pub response_topic: Option<String>,
    /// What an answer is to carry to be told from others.
    pub correlation_data: Option<Bytes>,
    /// User properties, in order; a name may occur more than once. Texts with control characters are refused.
    pub user: Vec<(String, String)>,
}

impl Properties {
    /// The first user property of that name.
    pub fn user(&self, name: &str) -> Option<&str> {
        self.user
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Why a message was not published, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A part of the message is not one that MQTT or CloudEvents allows. It was not sent.
    #[error("the {what} of the message is refused: {reason}")]
    Invalid {
        /// The part: `topic`, `properties` or `cloud_event`.
        what: &'static str,
        /// The rule it breaks.
        reason: String,
    },
    /// The message is larger than the broker accepts, or than the queue may hold. It was not sent.
    #[error("the message has {size} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// Bytes of the packet.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The broker did not acknowledge it in time. It may still arrive when it was sent already.
    #[error("the broker did not acknowledge it within {after:?}{}", .disconnected.as_ref().map(|reason| format!("; not connected: {reason}")).unwrap_or_default())]
    Timeout {
        /// How long was waited.
        after: Duration,
        /// Why there is no connection, when there is none.
        disconnected: Option<String>,
    },
    /// The broker refused it.
    #[error("the broker refused it: {reason} (0x{code:02x})")]
    Refused {
        /// The reason code of the PUBACK.
        code: u8,
        /// The reason code in words.
        reason: String,
    },
    /// The connection was lost again and again while this message waited longest. Brokers that take no message of this size
    /// close the connection without a word.
    #[error(
        "the connection was lost {times} times while it was sent; the broker may not accept a message like this one"
    )]
    ConnectionLost {
        /// How many times in a row.
        times: u8,
    },
    /// The session was closed.
    #[error("the MQTT session was closed")]
    Closed,
}

impl PublishError {
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::TooLarge { .. } => ErrorKind::Caller,
            Self::Timeout { .. } | Self::ConnectionLost { .. } | Self::Closed => ErrorKind::Network,
            Self::Refused { .. } => ErrorKind::Refused,
        }
    }

    /// Whether the same message may be accepted later: after a timeout, or when the broker was over its quota (0x97), had
    /// lost count of packets (0x91) or did not say what is wrong (0x80, 0x83). Not when it said that the topic (0x90), the
    /// payload (0x99) or the client (0x87) is not right.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Timeout { .. }
                | Self::Refused {
                    code: 0x80 | 0x83 | 0x91 | 0x97,
                    ..
                }
        )
    }
}
