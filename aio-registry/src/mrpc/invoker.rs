use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::StreamExt;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::debug;
use uuid::Uuid;

use super::{HybridClock, HybridTime, JSON, Response, Status, accepts, header};
use crate::topic::{TopicPattern, option_error, shown};
use crate::{Ack, Error, Message, Mqtt, Properties, Publish, Qos, Subscription};

/// How an [`Invoker`] works.
#[derive(Clone, Debug)]
pub struct InvokerOptions {
    /// What it is called in logs and errors; by default the pattern.
    pub name: String,
    /// The topics requests go to, such as `azure-iot-operations/mrpc/{asset}/{command}`.
    pub pattern: String,
    /// Levels that come before the topics of requests and responses.
    pub namespace: Option<String>,
    /// Values of tokens that are the same in all requests. `invokerClientId` is the client identifier unless given.
    pub tokens: BTreeMap<String, String>,
    /// What comes before the request's topic in the response topic; it may hold tokens. `None` means `clients/CLIENT-ID`, or
    /// nothing when there is a suffix.
    pub response_prefix: Option<String>,
    /// What comes after the request's topic in the response topic; it may hold tokens.
    pub response_suffix: Option<String>,
    /// The response topic, instead of prefix, request topic and suffix; it may hold tokens.
    pub response_pattern: Option<String>,
    /// How long to wait for an answer, and how long the request lives: rounded up to whole seconds; 10 s.
    pub timeout: Duration,
    /// The content type of requests; `application/json`.
    pub content_type: String,
    /// Whether requests are marked as UTF-8 text or as bytes; `None` means: as text when they are JSON, else as bytes.
    pub payload_format_utf8: Option<bool>,
    /// The content types of answers it takes, or none to take any; none. One that names none is taken.
    pub response_content_types: Vec<String>,
    /// Whether requests pass the broker's back-pressure (`$high_priority`); yes. Some brokers refuse it.
    pub high_priority: bool,
}

impl InvokerOptions {
    /// Topics, everything else by default.
    pub fn new(pattern: impl Into<String>) -> Self {
        let pattern = pattern.into();
        Self {
            name: pattern.clone(),
            pattern,
            namespace: None,
            tokens: BTreeMap::new(),
            response_prefix: None,
            response_suffix: None,
            response_pattern: None,
            timeout: Duration::from_secs(10),
            content_type: JSON.into(),
            payload_format_utf8: None,
            response_content_types: Vec::new(),
            high_priority: true,
        }
    }
}

/// One request of an [`Invoker`].
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// Values of the tokens that the options leave open.
    pub tokens: BTreeMap<String, String>,
    /// The content.
    pub payload: Bytes,
    /// How long to wait for an answer; `None` means as long as the options say.
    pub timeout: Option<Duration>,
    /// User properties of the application.
    pub user_properties: Vec<(String, String)>,
}

/// Sends requests and waits for their answers. Clones share the subscription to responses.
#[derive(Clone)]
pub struct Invoker {
    mqtt: Arc<dyn Mqtt>,
    options: Arc<InvokerOptions>,
    requests: Arc<TopicPattern>,
    responses: Arc<TopicPattern>,
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
    /// [`Error::InvalidOption`]; those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, mut options: InvokerOptions) -> Result<Self, Error> {
        let own = || mqtt.client_id().to_owned();
        let client_id = options.tokens.entry("invokerClientId".into());
        client_id.or_insert_with(own);
        let mut requests = TopicPattern::parse(&options.pattern)?.with(&options.tokens)?;
        if options.name.is_empty() {
            return Err(option_error("name", None, "it is empty"));
        }
        let mut responses = responses(&requests, &options, mqtt.client_id())?;
        if let Some(namespace) = &options.namespace {
            requests = requests.in_namespace(namespace)?;
            responses = responses.in_namespace(namespace)?;
        }
        let messages = mqtt
            .subscribe(&responses.filter(), Qos::AtLeastOnce)
            .await
            .map_err(|error| error.owned_by(&options.name))?;
        let waiting = Arc::<Waiting>::default();
        let stop = CancellationToken::new();
        let (stopped, receivers) = (stop.clone(), waiting.clone());
        tokio::spawn(async move {
            stopped
                .run_until_cancelled(receivers.receive(messages))
                .await
        });
        Ok(Self {
            mqtt,
            options: Arc::new(options),
            requests: Arc::new(requests),
            responses: Arc::new(responses),
            clock: HybridClock::new(),
            waiting,
            _stop: Arc::new(stop.drop_guard()),
        })
    }

    /// Sends a request to a topic of the pattern, and waits for the answer.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the topic is none of the pattern; those of [`request`](Self::request).
    pub async fn invoke(
        &self,
        topic: &str,
        payload: impl Into<Bytes> + Send,
    ) -> Result<Response, Error> {
        let Some(tokens) = self.requests.tokens(topic) else {
            let reason = format!("it is none of {}", self.requests.filter());
            return Err(Error::Invalid {
                what: format!("request topic {topic:?}"),
                reason,
            });
        };
        self.request(Invocation {
            tokens,
            payload: payload.into(),
            ..Invocation::default()
        })
        .await
    }

    /// Sends a request, and waits for the answer.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] names a token that is missing or bad, or `timeout`; [`Error::Publish`]; [`Error::Timeout`];
    /// [`Error::Remote`] and [`Error::UnsupportedVersion`] when the answer is an error; [`Error::Header`], [`Error::Clock`]
    /// and [`Error::Protocol`] when it is no answer. An error of the application is a [`Response`] (see
    /// [`Response::application_error`]).
    pub async fn request(&self, invocation: Invocation) -> Result<Response, Error> {
        let after = invocation.timeout.unwrap_or(self.options.timeout);
        if after.is_zero() {
            let reason = "no answer could come in no time";
            return Err(option_error("timeout", Some("0"), reason));
        }
        // As long as the request lives on its way, which is counted in seconds.
        let after = match after.subsec_nanos() {
            0 => after,
            _ => Duration::from_secs(after.as_secs().saturating_add(1)),
        };
        let topic = self.requests.with(&invocation.tokens)?.topic()?;
        let response_topic = self.responses.with(&invocation.tokens)?.topic()?;
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
        let properties = Properties {
            content_type: Some(self.options.content_type.clone()),
            payload_format_utf8: self
                .options
                .payload_format_utf8
                .or(Some(self.options.content_type == JSON)),
            message_expiry: Some(after),
            response_topic: Some(response_topic),
            correlation_data: Some(correlation),
            user: self.headers(invocation.user_properties),
        };
        let request = Publish {
            payload: invocation.payload,
            properties,
            ..Publish::new(topic.clone(), Bytes::new())
        };
        let exchange = async {
            let publish = self.mqtt.publish(request).await;
            publish.map_err(|source| Error::Publish {
                topic: topic.clone(),
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
        self.read(&topic, message)
    }

    fn headers(&self, application: Vec<(String, String)>) -> Vec<(String, String)> {
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
        user.extend(header::of_application(application));
        if self.options.high_priority {
            user.push((header::HIGH_PRIORITY.to_owned(), String::new()));
        }
        user
    }

    fn read(&self, topic: &str, message: Message) -> Result<Response, Error> {
        let properties = message.properties;
        let what = || format!("the answer of {topic}");
        let bad = |name: &str, value: Option<&str>, reason: &str| Error::Header {
            what: what(),
            name: name.into(),
            value: value.map(shown),
            reason: reason.into(),
        };
        let version = properties.user(header::PROTOCOL_VERSION_KEY);
        if let Some(version) = version.filter(|version| !header::is_supported(Some(version))) {
            return Err(Error::UnsupportedVersion {
                topic: topic.to_owned(),
                version: shown(version),
                supported: header::MAJOR_VERSION.into(),
                remote: false,
                message: String::new(),
            });
        }
        let code = properties
            .user(header::STATUS)
            .ok_or_else(|| bad(header::STATUS, None, "it is missing"))?;
        let status = code
            .parse()
            .map_err(|_| bad(header::STATUS, Some(code), "it is no number"))?;
        let mut sent_at = None;
        if let Some(time) = properties.user(header::TIMESTAMP) {
            let time = time
                .parse::<HybridTime>()
                .map_err(|error| bad(header::TIMESTAMP, Some(time), &error.to_string()))?;
            self.clock.observe(&time)?;
            sent_at = Some(time);
        }
        match Status::from_code(status) {
            Status::NoContent if !message.payload.is_empty() => Err(Error::Protocol {
                what: what(),
                reason: "it has a payload and says that it has none".into(),
            }),
            Status::Ok if message.payload.is_empty() => Err(Error::Protocol {
                what: what(),
                reason: "it has no payload and says that it has one".into(),
            }),
            Status::Ok | Status::NoContent => {
                let expected = &self.options.response_content_types;
                let given = properties.content_type.as_deref();
                if !accepts(expected, given) {
                    let reason = format!("it is to be {}", expected.join(" or "));
                    return Err(bad(header::CONTENT_TYPE, given, &reason));
                }
                Ok(Response {
                    content_type: properties.content_type,
                    payload_format_utf8: properties.payload_format_utf8,
                    payload: message.payload,
                    user_properties: header::of_application(properties.user),
                    sent_at,
                })
            }
            status => Err(remote(topic, status, &properties)),
        }
    }
}

/// The pattern of response topics, without the namespace.
fn responses(
    requests: &TopicPattern,
    options: &InvokerOptions,
    client_id: &str,
) -> Result<TopicPattern, Error> {
    let parse =
        |option, text: &str| TopicPattern::parse_option(option, text)?.with(&options.tokens);
    if let Some(pattern) = &options.response_pattern {
        return parse("response_pattern", pattern);
    }
    let mut responses = requests.clone();
    if let Some(suffix) = &options.response_suffix {
        responses = responses.join(&parse("response_suffix", suffix)?);
    }
    let default = || format!("clients/{client_id}");
    let prefix = options.response_prefix.clone();
    match prefix.or_else(|| options.response_suffix.is_none().then(default)) {
        Some(prefix) => Ok(parse("response_prefix", &prefix)?.join(&responses)),
        None => Ok(responses),
    }
}

/// The error that an answer is.
fn remote(topic: &str, status: Status, properties: &Properties) -> Error {
    let text = |name| properties.user(name).map(shown);
    let message = text(header::STATUS_MESSAGE).unwrap_or_default();
    if status == Status::UnsupportedVersion {
        let versions = text(header::SUPPORTED_VERSIONS).unwrap_or_default();
        let supported = versions
            .split_whitespace()
            .filter(|version| version.parse::<u16>().is_ok());
        return Error::UnsupportedVersion {
            topic: topic.to_owned(),
            version: text(header::REQUEST_VERSION).unwrap_or_default(),
            supported: supported.collect::<Vec<_>>().join(" "),
            remote: true,
            message,
        };
    }
    Error::Remote {
        topic: topic.to_owned(),
        status,
        application: properties
            .user(header::APPLICATION_ERROR)
            .is_some_and(|text| text.eq_ignore_ascii_case("true")),
        message,
        property: text(header::PROPERTY_NAME),
        value: text(header::PROPERTY_VALUE),
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
        while let Some(mut message) = responses.next().await {
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
                Some(waiter) => {
                    // Whoever asked may have given up in this moment, or be slow to look: others' acknowledgements come
                    // after this one.
                    message.ack = Ack::none();
                    drop(waiter.answer.send(message));
                }
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
