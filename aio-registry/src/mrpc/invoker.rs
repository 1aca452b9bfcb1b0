use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::StreamExt;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::debug;
use uuid::Uuid;

use super::{HybridClock, HybridTime, JSON, Response, Status, header};
use crate::topic::{self, TopicPattern};
use crate::{Error, Message, Mqtt, Properties, Publish, Qos, Subscription};

/// How an [`Invoker`] works.
#[derive(Clone, Debug)]
pub struct InvokerOptions {
    /// The topics requests go to, such as `azure-iot-operations/mrpc/{asset}/{command}`.
    pub pattern: String,
    /// What comes before the request's topic in the response topic; `None` means `clients/CLIENT-ID`.
    pub response_prefix: Option<String>,
    /// How long to wait for an answer; 10 s.
    pub timeout: Duration,
    /// The content type of requests; `application/json`.
    pub content_type: String,
    /// Whether requests pass the broker's back-pressure (`$high_priority`); yes. Some brokers refuse it.
    pub high_priority: bool,
}

impl InvokerOptions {
    /// Topics, everything else by default.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            response_prefix: None,
            timeout: Duration::from_secs(10),
            content_type: "application/json".into(),
            high_priority: true,
        }
    }
}

/// Sends requests and waits for their answers. Clones share the subscription to responses.
#[derive(Clone)]
pub struct Invoker {
    mqtt: Arc<dyn Mqtt>,
    options: Arc<InvokerOptions>,
    pattern: Arc<TopicPattern>,
    prefix: Arc<str>,
    clock: HybridClock,
    waiting: Arc<Waiting>,
    _stop: Arc<DropGuard>,
}

/// Requests that wait for an answer, by correlation data.
#[derive(Default)]
struct Waiting(Mutex<HashMap<Bytes, Waiter>>);

struct Waiter {
    response_topic: String,
    answer: oneshot::Sender<Message>,
}

impl Invoker {
    /// Subscribes to responses.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad pattern; those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, options: InvokerOptions) -> Result<Self, Error> {
        let pattern = TopicPattern::parse(&options.pattern)?;
        let prefix = options
            .response_prefix
            .clone()
            .unwrap_or_else(|| format!("clients/{}", mqtt.client_id()));
        topic::check_topic(&prefix)?;
        let responses = mqtt
            .subscribe(&format!("{prefix}/{}", pattern.filter()), Qos::AtLeastOnce)
            .await?;
        let waiting = Arc::<Waiting>::default();
        let stop = CancellationToken::new();
        let (stopped, receivers) = (stop.clone(), waiting.clone());
        tokio::spawn(async move {
            stopped
                .run_until_cancelled(receivers.receive(responses))
                .await
        });
        Ok(Self {
            mqtt,
            options: Arc::new(options),
            pattern: Arc::new(pattern),
            prefix: prefix.into(),
            clock: HybridClock::new(),
            waiting,
            _stop: Arc::new(stop.drop_guard()),
        })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the topic is none of the pattern, [`Error::Publish`], [`Error::Timeout`],
    /// [`Error::Remote`] when the answer is an error, [`Error::Protocol`] when it is no answer. An error of the application
    /// is a [`Response`] (see [`Response::application_error`]).
    pub async fn invoke(
        &self,
        topic: &str,
        payload: impl Into<Bytes> + Send,
    ) -> Result<Response, Error> {
        if self.pattern.tokens(topic).is_none() {
            let reason = format!("it is none of {}", self.options.pattern);
            return Err(Error::Invalid {
                what: format!("request topic {topic:?}"),
                reason,
            });
        }
        let response_topic = format!("{}/{topic}", self.prefix);
        let correlation = Bytes::copy_from_slice(Uuid::new_v4().as_bytes());
        let (answer, answered) = oneshot::channel();
        let waiter = Waiter {
            response_topic: response_topic.clone(),
            answer,
        };
        self.waiting.lock().insert(correlation.clone(), waiter);
        let _forget = Forget {
            waiting: &self.waiting,
            correlation: correlation.clone(),
        };
        let request = self.request(topic, payload.into(), response_topic, correlation);
        let after = self.options.timeout;
        let exchange = async {
            let publish = self.mqtt.publish(request).await;
            publish.map_err(|source| Error::Publish {
                topic: topic.to_owned(),
                source,
            })?;
            answered.await.map_err(|_| Error::Closed)
        };
        let message = timeout(after, exchange)
            .await
            .map_err(|_| Error::Timeout {
                what: format!("request to {topic}"),
                after,
            })??;
        self.read(topic, message)
    }

    fn request(
        &self,
        topic: &str,
        payload: Bytes,
        response_topic: String,
        correlation: Bytes,
    ) -> Publish {
        let client_id = self.mqtt.client_id();
        let mut user = vec![
            (header::SOURCE.to_owned(), client_id.to_owned()),
            (header::TIMESTAMP.to_owned(), self.clock.tick().to_string()),
            (
                header::PROTOCOL_VERSION_KEY.to_owned(),
                header::PROTOCOL_VERSION.to_owned(),
            ),
            (header::PARTITION.to_owned(), client_id.to_owned()),
        ];
        if self.options.high_priority {
            user.push((header::HIGH_PRIORITY.to_owned(), String::new()));
        }
        let properties = Properties {
            content_type: Some(self.options.content_type.clone()),
            payload_format_utf8: Some(self.options.content_type == JSON),
            message_expiry: Some(self.options.timeout),
            response_topic: Some(response_topic),
            correlation_data: Some(correlation),
            user,
        };
        Publish {
            payload,
            properties,
            ..Publish::new(topic, Bytes::new())
        }
    }

    fn read(&self, topic: &str, message: Message) -> Result<Response, Error> {
        let properties = &message.properties;
        let broken = |reason: &str| Error::Protocol {
            what: format!("the answer of {topic}"),
            reason: reason.into(),
        };
        if !header::is_supported(properties.user(header::PROTOCOL_VERSION_KEY)) {
            return Err(broken("its protocol version is not 1"));
        }
        if let Some(time) = properties.user(header::TIMESTAMP) {
            self.clock.observe(&time.parse::<HybridTime>()?)?;
        }
        let code = properties
            .user(header::STATUS)
            .ok_or_else(|| broken("it has no __stat"))?;
        let status = Status::from_code(
            code.parse()
                .map_err(|_| broken("its __stat is no number"))?,
        );
        match status {
            Status::NoContent if !message.payload.is_empty() => {
                Err(broken("it has a payload and says that it has none"))
            }
            Status::Ok | Status::NoContent => Ok(Response {
                content_type: message.properties.content_type,
                payload: message.payload,
                user_properties: header::of_application(message.properties.user),
            }),
            status => Err(Error::Remote {
                topic: topic.to_owned(),
                status,
                message: properties
                    .user(header::STATUS_MESSAGE)
                    .unwrap_or_default()
                    .chars()
                    .take(500)
                    .collect(),
                property: properties
                    .user(header::PROPERTY_NAME)
                    .map(|name| name.chars().take(100).collect()),
            }),
        }
    }
}

impl std::fmt::Debug for Invoker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invoker")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<Bytes, Waiter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn receive(&self, mut responses: Subscription) {
        while let Some(message) = responses.next().await {
            let waiter = message
                .properties
                .correlation_data
                .as_ref()
                .and_then(|correlation| {
                    let mut waiting = self.lock();
                    let expected = waiting
                        .get(correlation)
                        .is_some_and(|waiter| waiter.response_topic == message.topic);
                    expected.then(|| waiting.remove(correlation)).flatten()
                });
            match waiter {
                // Whoever asked may have given up in this moment.
                Some(waiter) => drop(waiter.answer.send(message)),
                None => debug!(topic = message.topic, "an answer that nobody waits for"),
            }
        }
        self.lock().clear();
    }
}

/// Stops waiting for an answer.
struct Forget<'a> {
    waiting: &'a Waiting,
    correlation: Bytes,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.correlation);
    }
}
