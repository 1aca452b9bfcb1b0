use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::StreamExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, warn};

use super::cache::{Cache, Key, Seen};
use super::{HybridClock, HybridTime, JSON, Response, Status, header};
use crate::topic::{self, TopicPattern};
use crate::{Error, Message, Mqtt, Properties, Publish, Qos, Subscription};

/// How strictly requests are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestPolicy {
    /// By the contract: 16 bytes of correlation data and a message expiry are required, else 400. For registry traffic.
    #[default]
    Contract,
    /// Without an expiry the default timeout holds; correlation data of any length, or none, is sent back as it came. For
    /// commands from general clients such as `mosquitto_rr`.
    Tolerant,
}

/// How an [`Executor`] works.
#[derive(Clone, Debug)]
pub struct ExecutorOptions {
    /// The topics requests arrive on, such as `azure-iot-operations/asset-operations/{asset}/{group}/{action}`.
    pub pattern: String,
    /// Shares requests with the other executors of this group (`$share`).
    pub service_group: Option<String>,
    /// How strictly requests are read.
    pub policy: RequestPolicy,
    /// The content type of requests, or `None` to take any; `application/json`.
    pub content_type: Option<String>,
    /// How long a request without an expiry may take; 30 s.
    pub default_timeout: Duration,
    /// The longest any request may take, whatever it asks for; 10 minutes.
    pub max_timeout: Duration,
    /// The largest request, in bytes; 1 MiB.
    pub max_request_bytes: usize,
    /// Requests handled at once; 16.
    pub concurrency: usize,
    /// Requests that may wait for their turn before further ones are answered 503; 256.
    pub backlog: usize,
    /// Responses remembered for requests that come twice; 1,000.
    pub cache_entries: usize,
    /// Bytes of responses remembered; 4 MiB.
    pub cache_bytes: usize,
    /// Whether responses pass the broker's back-pressure (`$high_priority`); yes. Some brokers refuse it.
    pub high_priority: bool,
}

impl ExecutorOptions {
    /// For requests by the contract.
    pub fn contract(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            service_group: None,
            policy: RequestPolicy::Contract,
            content_type: Some("application/json".into()),
            default_timeout: Duration::from_secs(30),
            max_timeout: Duration::from_secs(600),
            max_request_bytes: 1 << 20,
            concurrency: 16,
            backlog: 256,
            cache_entries: 1_000,
            cache_bytes: 4 << 20,
            high_priority: true,
        }
    }

    /// For a connector's commands, from any client: [`RequestPolicy::Tolerant`], any content type.
    pub fn commands(pattern: impl Into<String>) -> Self {
        Self {
            policy: RequestPolicy::Tolerant,
            content_type: None,
            ..Self::contract(pattern)
        }
    }
}

/// A request to handle.
#[derive(Clone, Debug)]
pub struct Request {
    /// The topic it arrived on.
    pub topic: String,
    /// The values of the pattern's tokens in the topic.
    pub tokens: BTreeMap<String, String>,
    /// The content.
    pub payload: Bytes,
    /// Its media type, when it was given.
    pub content_type: Option<String>,
    /// User properties that are not the protocol's.
    pub user_properties: Vec<(String, String)>,
    /// Who asks (`__srcId`), when it was given. Not authenticated.
    pub source: Option<String>,
    /// When the answer is no longer wanted; the handler is dropped then.
    pub deadline: std::time::Instant,
}

/// Why a request could not be answered. Errors of the application, such as a camera that refuses, are a [`Response`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// The payload cannot be understood: 400.
    #[error("the payload is refused: {0}")]
    InvalidPayload(String),
    /// What was called took too long: 408.
    #[error("timed out: {0}")]
    Timeout(String),
    /// It cannot be done now: 503.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// It failed: 500.
    #[error("failed: {0}")]
    Failed(String),
}

/// Answers requests until it is dropped.
///
/// A request is acknowledged once its response was, so that a crash loses none; a request that comes twice gets the same
/// response without being handled twice. Requests that ask for an answer on no topic, on one with wildcards or on one that
/// begins with `$` are dropped. A response that the broker does not take is dropped with a warning.
#[derive(Debug)]
pub struct Executor {
    _stop: DropGuard,
}

impl Executor {
    /// Subscribes and answers.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad pattern; those of [`Mqtt::subscribe`].
    pub async fn start<H, F>(
        mqtt: Arc<dyn Mqtt>,
        options: ExecutorOptions,
        handler: H,
    ) -> Result<Self, Error>
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Response, HandlerError>> + Send + 'static,
    {
        let pattern = TopicPattern::parse(&options.pattern)?;
        let filter = match &options.service_group {
            Some(group) => {
                topic::check_label(group)?;
                format!("$share/{group}/{}", pattern.filter())
            }
            None => pattern.filter(),
        };
        let requests = mqtt.subscribe(&filter, Qos::AtLeastOnce).await?;
        let service = Arc::new(Service {
            cache: Mutex::new(Cache::new(options.cache_entries, options.cache_bytes)),
            turns: Semaphore::new(options.concurrency.max(1)),
            waiting: AtomicUsize::new(0),
            clock: HybridClock::new(),
            mqtt,
            pattern,
            options,
            handler: Box::new(move |request| Box::pin(handler(request))),
        });
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            // The tasks of requests stop with their set.
            let mut tasks = JoinSet::new();
            stopped
                .run_until_cancelled(service.run(requests, &mut tasks))
                .await;
        });
        Ok(Self {
            _stop: stop.drop_guard(),
        })
    }
}

type Handler =
    Box<dyn Fn(Request) -> BoxFuture<'static, Result<Response, HandlerError>> + Send + Sync>;

struct Service {
    mqtt: Arc<dyn Mqtt>,
    options: ExecutorOptions,
    pattern: TopicPattern,
    handler: Handler,
    clock: HybridClock,
    cache: Mutex<Cache>,
    turns: Semaphore,
    waiting: AtomicUsize,
}

/// Where an answer goes, and until when it is wanted.
struct Reply {
    topic: String,
    correlation: Option<Bytes>,
    deadline: Instant,
    /// The version the request was made in, when it is one that is not supported.
    version: Option<String>,
}

/// An answer that the protocol gives, not the application.
struct Refusal {
    status: Status,
    message: String,
    property: Option<(&'static str, String)>,
    /// Whether the handler said so.
    application: bool,
}

impl Refusal {
    fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            property: None,
            application: false,
        }
    }

    fn about(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.property = Some((name, value.into()));
        self
    }
}

impl Service {
    async fn run(self: &Arc<Self>, mut requests: Subscription, tasks: &mut JoinSet<()>) {
        loop {
            tokio::select! {
                Some(_) = tasks.join_next() => {}
                message = requests.next() => match message {
                    Some(message) => self.accept(message, tasks),
                    None => break,
                },
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Decides in the order of arrival what becomes of a request, and leaves the waiting to a task.
    fn accept(self: &Arc<Self>, message: Message, tasks: &mut JoinSet<()>) {
        let Some(reply) = self.reply(&message) else {
            debug!(
                topic = message.topic,
                "a request without a response topic to answer on is dropped"
            );
            return;
        };
        let key = message
            .properties
            .correlation_data
            .clone()
            .filter(|data| !data.is_empty())
            .map(|correlation_data| Key {
                request_topic: message.topic.clone(),
                response_topic: reply.topic.clone(),
                correlation_data,
            });
        let seen = key
            .as_ref()
            .map(|key| self.cache().look_up(key, Instant::now()));
        match seen {
            Some(Seen::Running) => debug!(
                topic = message.topic,
                "a request that is being handled came again"
            ),
            Some(Seen::Answered(response)) => {
                let service = self.clone();
                tasks.spawn(async move {
                    service.publish((*response).clone()).await;
                    drop(message.ack);
                });
            }
            _ => {
                let service = self.clone();
                let forget = Forget {
                    service: self.clone(),
                    key: key.clone(),
                };
                tasks.spawn(async move {
                    let _forget = forget;
                    service.answer(message, reply, key).await;
                });
            }
        }
    }

    fn reply(&self, message: &Message) -> Option<Reply> {
        let properties = &message.properties;
        let topic = properties
            .response_topic
            .clone()
            .filter(|topic| !topic.starts_with('$') && topic::check_topic(topic).is_ok())?;
        let timeout = properties
            .message_expiry
            .unwrap_or(self.options.default_timeout)
            .min(self.options.max_timeout);
        let version = properties.user(header::PROTOCOL_VERSION_KEY);
        Some(Reply {
            topic,
            correlation: properties.correlation_data.clone(),
            deadline: Instant::now() + timeout,
            version: version
                .filter(|version| !header::is_supported(Some(version)))
                .map(str::to_owned),
        })
    }

    async fn answer(&self, message: Message, reply: Reply, key: Option<Key>) {
        let ack = message.ack.clone();
        let result = match self.check(message, &reply) {
            Ok(request) => self.handle(request, reply.deadline).await,
            Err(refusal) => Err(refusal),
        };
        let response = self.response(&reply, result);
        if let Some(key) = key {
            // Longer than the invoker waits, as the broker may deliver a request late again.
            self.cache().answered(
                key,
                Arc::new(response.clone()),
                reply.deadline + Duration::from_secs(60),
            );
        }
        self.publish(response).await;
        drop(ack);
    }

    /// What the protocol has to say about a request before anyone handles it.
    fn check(&self, message: Message, reply: &Reply) -> Result<Request, Refusal> {
        let contract = self.options.policy == RequestPolicy::Contract;
        let bad = |text: &str| Refusal::new(Status::BadRequest, text);
        if let Some(version) = &reply.version {
            return Err(Refusal::new(
                Status::UnsupportedVersion,
                format!("protocol version {version:.20} is not supported"),
            ));
        }
        let properties = message.properties;
        match &properties.correlation_data {
            None if contract => {
                return Err(bad("Correlation data missing").about("Correlation Data", ""));
            }
            Some(data) if contract && data.len() != 16 => {
                let refusal = bad("Correlation data is not 16 bytes long");
                return Err(refusal.about("Correlation Data", data.len().to_string()));
            }
            _ => {}
        }
        if contract && properties.message_expiry.is_none() {
            return Err(bad("Message expiry interval missing").about("Message Expiry", ""));
        }
        if let (Some(expected), Some(given)) =
            (&self.options.content_type, &properties.content_type)
            && expected != given
        {
            let refusal = Refusal::new(
                Status::UnsupportedContentType,
                format!("content type is to be {expected}"),
            );
            return Err(refusal.about("Content Type", given.chars().take(200).collect::<String>()));
        }
        if let Some(text) = properties.user(header::TIMESTAMP) {
            let time = text
                .parse::<HybridTime>()
                .map_err(|error| bad(&error.to_string()).about("__ts", short(text)))?;
            self.clock.observe(&time).map_err(|error| {
                Refusal::new(Status::Unavailable, error.to_string()).about("__ts", short(text))
            })?;
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
            source: properties
                .user
                .iter()
                .find(|(name, _)| name == header::SOURCE)
                .map(|(_, value)| value.clone()),
            user_properties: header::of_application(properties.user),
            deadline: reply.deadline.into_std(),
        })
    }

    async fn handle(&self, request: Request, deadline: Instant) -> Result<Response, Refusal> {
        let late = || Refusal::new(Status::Timeout, "the request was not answered in time");
        if self.waiting.fetch_add(1, Ordering::SeqCst)
            >= self.options.backlog + self.options.concurrency
        {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(Refusal::new(
                Status::Unavailable,
                "too many requests are waiting",
            ));
        }
        let _waiting = Leave(&self.waiting);
        let turn = timeout_at(deadline, self.turns.acquire()).await;
        let _turn = turn
            .map_err(|_| late())?
            .map_err(|_| Refusal::new(Status::Unavailable, "the executor is closed"))?;
        let handled = AssertUnwindSafe((self.handler)(request)).catch_unwind();
        let result = timeout_at(deadline, handled).await.map_err(|_| late())?;
        let result = result.map_err(|_| {
            warn!(
                pattern = self.options.pattern,
                "the handler of a request panicked"
            );
            Refusal {
                application: true,
                ..Refusal::new(Status::Internal, "the handler failed")
            }
        })?;
        result.map_err(|error| match error {
            HandlerError::InvalidPayload(message) => Refusal::new(Status::BadRequest, message),
            HandlerError::Timeout(message) => Refusal::new(Status::Timeout, message),
            HandlerError::Unavailable(message) => Refusal::new(Status::Unavailable, message),
            HandlerError::Failed(message) => Refusal {
                application: true,
                ..Refusal::new(Status::Internal, message)
            },
        })
    }

    fn response(&self, reply: &Reply, result: Result<Response, Refusal>) -> Publish {
        let (status, application) = match &result {
            Ok(response) if response.payload.is_empty() => (Status::NoContent, false),
            Ok(_) => (Status::Ok, false),
            Err(refusal) => (refusal.status, refusal.application),
        };
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
            (header::TIMESTAMP.to_owned(), self.clock.tick().to_string()),
        ];
        let (payload, content_type) = match result {
            Ok(response) => {
                user.extend(header::of_application(response.user_properties));
                (
                    response.payload,
                    response.content_type.unwrap_or_else(|| JSON.to_owned()),
                )
            }
            Err(refusal) => {
                user.push((header::STATUS_MESSAGE.to_owned(), short(&refusal.message)));
                if let Some((name, value)) = refusal.property {
                    user.push((header::PROPERTY_NAME.to_owned(), name.to_owned()));
                    user.push((header::PROPERTY_VALUE.to_owned(), value));
                }
                if let Some(version) = &reply.version {
                    user.push((header::SUPPORTED_VERSIONS.to_owned(), "1".to_owned()));
                    user.push((header::REQUEST_VERSION.to_owned(), short(version)));
                }
                (Bytes::new(), String::new())
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
                payload_format_utf8: (content_type == JSON).then_some(true),
                content_type: Some(content_type),
                message_expiry: Some(
                    reply
                        .deadline
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

    async fn publish(&self, response: Publish) {
        let topic = response.topic.clone();
        if let Err(error) = self.mqtt.publish(response).await {
            warn!(topic, %error, "a response could not be sent");
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets a request whose handling ended without an answer.
struct Forget {
    service: Arc<Service>,
    key: Option<Key>,
}

impl Drop for Forget {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.service.cache().forget(key);
        }
    }
}

struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A text from outside in a size that is fit for a header.
fn short(text: &str) -> String {
    text.chars().take(500).collect()
}
