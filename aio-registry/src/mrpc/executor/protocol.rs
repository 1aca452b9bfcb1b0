//! Requests and responses as messages. Pure, but for the clocks.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Request, RequestPolicy, Service};
use crate::mrpc::{HybridTime, JSON, Response, Status, accepts, header};
use crate::topic::{self, shown};
use crate::{Message, Properties, Publish, Qos};

/// Where an answer goes, and until when it is wanted.
pub(super) struct Reply {
    pub(super) topic: String,
    pub(super) correlation: Option<Bytes>,
    /// When the handler is to have answered: the executor's time is over, or the request's.
    pub(super) deadline: Instant,
    /// When nobody waits for the answer any more, as far as that is known.
    pub(super) expires: Option<Instant>,
    /// The version the request was made in, when it is one that is not supported.
    pub(super) version: Option<String>,
}

impl Reply {
    pub(super) fn is_expired(&self) -> bool {
        self.expires
            .is_some_and(|expires| expires <= Instant::now())
    }
}

/// An answer that the protocol gives, not the application.
pub(super) struct Refusal {
    pub(super) status: Status,
    pub(super) message: String,
    pub(super) property: Option<(&'static str, Option<String>)>,
    /// Whether the handler said so.
    pub(super) application: bool,
}

impl Refusal {
    pub(super) fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            property: None,
            application: false,
        }
    }

    pub(super) fn missing(mut self, name: &'static str) -> Self {
        self.property = Some((name, None));
        self
    }

    pub(super) fn about(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.property = Some((name, Some(value.into())));
        self
    }
}

impl Service {
    /// Where the answer to a request goes; `None` when nobody can be answered.
    pub(super) fn reply(&self, message: &Message) -> Option<Reply> {
        let properties = &message.properties;
        let topic = properties.response_topic.clone().filter(|topic| {
            topic::is_strict(topic)
                || (self.options.policy == RequestPolicy::Tolerant
                    && !topic.starts_with('$')
                    && topic::check_topic(topic).is_ok())
        })?;
        let now = Instant::now();
        let expiry = properties.message_expiry;
        let timeout = expiry
            .unwrap_or(self.options.default_timeout)
            .min(self.options.max_timeout);
        let version = properties.user(header::PROTOCOL_VERSION_KEY);
        Some(Reply {
            topic,
            correlation: properties.correlation_data.clone(),
            deadline: now + timeout,
            expires: expiry.map(|expiry| now + expiry),
            version: version
                .filter(|version| !header::is_supported(Some(version)))
                .map(str::to_owned),
        })
    }

    /// What the protocol has to say about a request before anyone handles it.
    pub(super) fn check(&self, message: Message, reply: &Reply) -> Result<Request, Refusal> {
        let contract = self.options.policy == RequestPolicy::Contract;
        let bad = |text: &str| Refusal::new(Status::BadRequest, text);
        let properties = message.properties;
        match &properties.correlation_data {
            None if contract => {
                return Err(bad("Correlation data missing").missing(header::CORRELATION_DATA));
            }
            Some(data) if contract && data.len() != 16 => {
                let refusal = bad("Correlation data is not 16 bytes long");
                let data = String::from_utf8_lossy(data);
                return Err(refusal.about(header::CORRELATION_DATA, shown(&data)));
            }
            _ => {}
        }
        if contract && properties.message_expiry.is_none() {
            return Err(bad("Message expiry interval missing").missing(header::MESSAGE_EXPIRY));
        }
        if let Some(version) = &reply.version {
            return Err(Refusal::new(
                Status::UnsupportedVersion,
                format!("protocol version {version:.20} is not supported"),
            ));
        }
        if let Some(text) = properties.user(header::TIMESTAMP) {
            let time = text
                .parse::<HybridTime>()
                .map_err(|error| bad(&error.to_string()).about(header::TIMESTAMP, shown(text)))?;
            self.clock.observe(&time).map_err(|error| {
                Refusal::new(Status::Unavailable, error.to_string())
                    .about(header::TIMESTAMP, shown(text))
            })?;
        }
        let expected = &self.options.content_types;
        if !accepts(expected, properties.content_type.as_deref()) {
            let refusal = Refusal::new(
                Status::UnsupportedContentType,
                format!("content type is to be {}", expected.join(" or ")),
            );
            let given = properties.content_type.unwrap_or_default();
            return Err(refusal.about(header::CONTENT_TYPE, shown(&given)));
        }
        if message.payload.len() > self.options.max_request_bytes {
            return Err(bad(&format!(
                "the payload has more than {} bytes",
                self.options.max_request_bytes
            )));
        }
        let tokens = self
            .pattern
            .tokens(&message.topic)
            .ok_or_else(|| bad("the topic is none that is served"))?;
        Ok(Request {
            topic: message.topic,
            tokens,
            payload: message.payload,
            content_type: properties.content_type,
            payload_format_utf8: properties.payload_format_utf8,
            source: properties
                .user
                .iter()
                .find(|(name, _)| name == header::SOURCE)
                .map(|(_, value)| value.clone()),
            user_properties: header::of_application(properties.user),
            deadline: reply.deadline.into_std(),
        })
    }

    /// The message that answers.
    pub(super) fn response(&self, reply: &Reply, result: Result<Response, Refusal>) -> Publish {
        let (status, application) = match &result {
            Ok(response) if response.payload.is_empty() => (Status::NoContent, false),
            Ok(_) => (Status::Ok, false),
            Err(refusal) => (refusal.status, refusal.application),
        };
        let sent_at = result.as_ref().ok();
        let sent_at = sent_at.and_then(|response| response.sent_at.clone());
        let sent_at = sent_at.unwrap_or_else(|| self.clock.tick());
        let mut user = vec![
            (
                header::APPLICATION_ERROR.to_owned(),
                application.to_string(),
            ),
            (header::STATUS.to_owned(), status.code().to_string()),
            (
                header::PROTOCOL_VERSION_KEY.to_owned(),
                header::PROTOCOL_VERSION.to_owned(),
            ),
            (header::SOURCE.to_owned(), self.mqtt.client_id().to_owned()),
            (header::TIMESTAMP.to_owned(), sent_at.to_string()),
        ];
        let (payload, content_type, is_text) = match result {
            Ok(response) => {
                user.extend(header::of_application(response.user_properties));
                let content_type = response.content_type.unwrap_or_else(|| JSON.to_owned());
                let is_text = (content_type == JSON).then_some(true);
                (
                    response.payload,
                    content_type,
                    response.payload_format_utf8.or(is_text),
                )
            }
            Err(refusal) => {
                user.push((header::STATUS_MESSAGE.to_owned(), shown(&refusal.message)));
                if let Some((name, value)) = refusal.property {
                    user.push((header::PROPERTY_NAME.to_owned(), name.to_owned()));
                    user.extend(value.map(|value| (header::PROPERTY_VALUE.to_owned(), value)));
                }
                if let Some(version) = &reply.version
                    && status == Status::UnsupportedVersion
                {
                    user.push((
                        header::SUPPORTED_VERSIONS.to_owned(),
                        header::MAJOR_VERSION.to_owned(),
                    ));
                    user.push((header::REQUEST_VERSION.to_owned(), shown(version)));
                }
                (Bytes::new(), String::new(), None)
            }
        };
        if self.options.high_priority {
            user.push((header::HIGH_PRIORITY.to_owned(), String::new()));
        }
        Publish {
            topic: reply.topic.clone(),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: Properties {
                payload_format_utf8: is_text,
                content_type: Some(content_type),
                message_expiry: Some(
                    reply
                        .expires
                        .unwrap_or(reply.deadline)
                        .saturating_duration_since(Instant::now())
                        .max(Duration::from_secs(1)),
                ),
                response_topic: None,
                correlation_data: reply.correlation.clone(),
                user,
            },
            payload,
        }
    }
}
