use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::StreamExt;
use jiff::SignedDuration;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, warn};

use super::cache::{Cache, Key, Seen};
use super::{HybridClock, HybridTime, JSON, Response, Status, header};
use crate::topic::{self, TopicPattern, option_error};
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
    /// What it is called in logs and errors; by default the pattern.
    pub name: String,
    /// The topics requests arrive on, such as `azure-iot-operations/asset-operations/{asset}/{group}/{action}`.
    pub pattern: String,
    /// Levels that come before the pattern.
    pub namespace: Option<String>,
    /// Values of tokens of the pattern, where not every value is to be served.
    pub tokens: BTreeMap<String, String>,
    /// Shares requests with the other executors of this group (`$share`).
    pub service_group: Option<String>,
    /// How strictly requests are read.
    pub policy: RequestPolicy,
    /// The content types of requests it takes, or none to take any; `application/json`. One that names none is taken.
    pub content_types: Vec<String>,
    /// How long a request without an expiry may take; 30 s.
    pub default_timeout: Duration,
    /// The longest any request may take, whatever it asks for; 10 minutes. When it is over, the answer is 408. When the
    /// request's own expiry is over, nobody waits any more and there is no answer.
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
        let pattern = pattern.into();
        Self {
            name: pattern.clone(),
            pattern,
            namespace: None,
            tokens: BTreeMap::new(),
            service_group: None,
            policy: RequestPolicy::Contract,
            content_types: vec![JSON.to_owned()],
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
            content_types: Vec::new(),
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
    /// Whether it is marked as UTF-8 text or as bytes, when it is.
    pub payload_format_utf8: Option<bool>,
    /// User properties that are not the protocol's.
    pub user_properties: Vec<(String, String)>,
    /// Who asks (`__srcId`), when it was given. Not authenticated.
    pub source: Option<String>,
    /// Until when it is to be answered; the handler is dropped then.
    pub deadline: std::time::Instant,
}

/// Why a request could not be answered. Errors of the application, such as a camera that refuses, are a [`Response`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// The payload cannot be understood: 400.
    #[error("the payload is refused: {0}")]
    InvalidPayload(String),
    /// It is in a format that is not understood, though its content type is one of the options: 415.
    #[error("the content type is refused: {0}")]
    UnsupportedContentType(String),
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
///
/// Dropping it stops it at once; [`close`](Self::close) lets it finish.
#[derive(Debug)]
pub struct Executor {
    name: String,
    close: oneshot::Sender<oneshot::Sender<Result<(), Error>>>,
    _stop: DropGuard,
}

impl Executor {
    /// Subscribes and answers.
    ///
    /// # Errors
    /// [`Error::InvalidOption`]; those of [`Mqtt::subscribe`].
    pub async fn start<H, F>(
        mqtt: Arc<dyn Mqtt>,
        options: ExecutorOptions,
        handler: H,
    ) -> Result<Self, Error>
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Response, HandlerError>> + Send + 'static,
    {
        if options.max_timeout.is_zero() {
            let reason = "no request could be answered in no time";
            return Err(option_error("max_timeout", Some("0"), reason));
        }
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
        let requests = mqtt.subscribe(&filter, Qos::AtLeastOnce).await?;
        let name = options.name.clone();
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
        let (close, closing) = oneshot::channel();
        tokio::spawn(async move {
            // The tasks of requests stop with their set.
            let mut tasks = JoinSet::new();
            stopped
                .run_until_cancelled(service.run(requests, closing, &mut tasks))
                .await;
        });
        Ok(Self {
            name,
            close,
            _stop: stop.drop_guard(),
        })
    }

    /// Unsubscribes, and answers the requests that have arrived.
    ///
    /// # Errors
    /// [`Error::UnsubscribeRefused`], [`Error::Timeout`], [`Error::Closed`], when the broker does not agree. The requests
    /// were answered all the same.
    pub async fn close(self) -> Result<(), Error> {
        let (done, closed) = oneshot::channel();
        // The session may have ended, and the service with it.
        let _ = self.close.send(done);
        match closed.await.unwrap_or(Err(Error::Closed)) {
            Err(Error::UnsubscribeRefused { filter, reason, .. }) => {
                Err(Error::UnsubscribeRefused {
                    filter,
                    owner: Some(self.name),
                    reason,
                })
            }
            other => other,
        }
    }
}

type Handler =
    Box<dyn Fn(Request) -> BoxFuture<'static, Result<Response, HandlerError>> + Send + Sync>;

struct Service {
    mqtt: Arc<dyn Mqtt>,
    options: ExecutorOptions,
    /// With the tokens that are given left open, so that their values are read from the topic as well.
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
    /// When the handler is to have answered: the executor's time is over, or the request's.
    deadline: Instant,
    /// When nobody waits for the answer any more, as far as that is known.
    expires: Option<Instant>,
    /// The version the request was made in, when it is one that is not supported.
    version: Option<String>,
}

impl Reply {
    fn is_expired(&self) -> bool {
        self.expires
            .is_some_and(|expires| expires <= Instant::now())
    }
}

/// An answer that the protocol gives, not the application.
struct Refusal {
    status: Status,
    message: String,
    property: Option<(&'static str, Option<String>)>,
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

    fn missing(mut self, name: &'static str) -> Self {
        self.property = Some((name, None));
        self
    }

    fn about(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.property = Some((name, Some(value.into())));
        self
    }
}

impl Service {
    async fn run(
        self: &Arc<Self>,
        mut requests: Subscription,
        mut closing: oneshot::Receiver<oneshot::Sender<Result<(), Error>>>,
        tasks: &mut JoinSet<()>,
    ) {
        let mut closed = None;
        loop {
            tokio::select! {
                Some(_) = tasks.join_next() => {}
                message = requests.next() => match message {
                    Some(message) => self.accept(message, tasks),
                    None => break,
                },
                Ok(done) = &mut closing, if !closing.is_terminated() => {
                    closed = Some((done, requests.close().await));
                }
            }
        }
        while tasks.join_next().await.is_some() {}
        if let Some((done, result)) = closed {
            let _ = done.send(result);
        }
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
            .map(|key| self.cache().look_up(key, &message.ack, Instant::now()));
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

    async fn answer(&self, message: Message, reply: Reply, key: Option<Key>) {
        let ack = message.ack.clone();
        let result = match self.check(message, &reply) {
            Ok(request) => self.handle(request, reply.deadline).await,
            Err(refusal) => Err(refusal),
        };
        if reply.is_expired() {
            debug!(
                executor = self.options.name,
                "a request expired before it was answered"
            );
            return;
        }
        let response = self.response(&reply, result);
        let mut again = Vec::new();
        if let Some(key) = key {
            // Longer than the invoker waits, as the broker may deliver a request late again.
            again = self.cache().answered(
                key,
                Arc::new(response.clone()),
                reply.expires.unwrap_or(reply.deadline) + Duration::from_secs(60),
            );
        }
        self.publish(response).await;
        drop((ack, again));
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
                return Err(bad("Correlation data missing").missing(header::CORRELATION_DATA));
            }
            Some(data) if contract && data.len() != 16 => {
                let refusal = bad("Correlation data is not 16 bytes long");
                return Err(refusal.about(header::CORRELATION_DATA, data.len().to_string()));
            }
            _ => {}
        }
        if contract && properties.message_expiry.is_none() {
            return Err(bad("Message expiry interval missing").missing(header::MESSAGE_EXPIRY));
        }
        let expected = &self.options.content_types;
        if let Some(given) = &properties.content_type
            && !expected.is_empty()
            && !expected.contains(given)
        {
            let refusal = Refusal::new(
                Status::UnsupportedContentType,
                format!("content type is to be {}", expected.join(" or ")),
            );
            return Err(refusal.about(header::CONTENT_TYPE, short(given)));
        }
        if let Some(text) = properties.user(header::TIMESTAMP) {
            let time = text
                .parse::<HybridTime>()
                .map_err(|error| bad(&error.to_string()).about(header::TIMESTAMP, short(text)))?;
            self.clock.observe(&time).map_err(|error| {
                Refusal::new(Status::Unavailable, error.to_string())
                    .about(header::TIMESTAMP, short(text))
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

    async fn handle(&self, request: Request, deadline: Instant) -> Result<Response, Refusal> {
        // When it is the request's time that is over, this is not sent.
        let late = || {
            let limit = SignedDuration::try_from(self.options.max_timeout);
            Refusal::new(Status::Timeout, "the request was not answered in time").about(
                "ExecutionTimeout",
                limit.unwrap_or(SignedDuration::MAX).to_string(),
            )
        };
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
        let content_type = request.content_type.clone().unwrap_or_default();
        let handled = AssertUnwindSafe((self.handler)(request)).catch_unwind();
        let result = timeout_at(deadline, handled).await.map_err(|_| late())?;
        let result = result.map_err(|_| {
            warn!(
                executor = self.options.name,
                "the handler of a request panicked"
            );
            Refusal {
                application: true,
                ..Refusal::new(Status::Internal, "the handler failed")
            }
        })?;
        result.map_err(|error| match error {
            HandlerError::InvalidPayload(message) => Refusal::new(Status::BadRequest, message),
            HandlerError::UnsupportedContentType(message) => {
                Refusal::new(Status::UnsupportedContentType, message)
                    .about(header::CONTENT_TYPE, short(&content_type))
            }
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
                user.push((header::STATUS_MESSAGE.to_owned(), short(&refusal.message)));
                if let Some((name, value)) = refusal.property {
                    user.push((header::PROPERTY_NAME.to_owned(), name.to_owned()));
                    user.extend(value.map(|value| (header::PROPERTY_VALUE.to_owned(), value)));
                }
                if let Some(version) = &reply.version {
                    user.push((
                        header::SUPPORTED_VERSIONS.to_owned(),
                        header::MAJOR_VERSION.to_owned(),
                    ));
                    user.push((header::REQUEST_VERSION.to_owned(), short(version)));
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
