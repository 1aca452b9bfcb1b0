mod options;
mod protocol;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::StreamExt;
use jiff::SignedDuration;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, warn};

pub use options::{ExecutorOptions, HandlerError, Request, RequestPolicy};
use protocol::{Refusal, Reply};

use super::cache::{Cache, Key, Seen};
use super::{HybridClock, Response, Status, header};
use crate::topic::{self, TopicPattern, option_error, shown};
use crate::{Error, Message, Mqtt, Publish, PublishError, Qos, Subscription};

/// Answers requests until it is dropped.
///
/// A request is acknowledged once its response was, so that a crash loses none; a request that comes twice gets the same
/// response without being handled twice. Requests that ask for an answer on no topic, on one with wildcards or on one that
/// begins with `$` are dropped, and so are those the broker had retained: a command is not to be repeated at each start. A
/// response that the broker does not take is dropped with a warning; one that cannot be sent at all becomes a 500.
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
        let name = options.name.clone();
        let requests = mqtt.subscribe(&filter, Qos::AtLeastOnce).await;
        let requests = requests.map_err(|error| error.owned_by(&name))?;
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
        let closed = closed.await.unwrap_or(Err(Error::Closed));
        closed.map_err(|error| error.owned_by(&self.name))
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

impl Service {
    async fn run(
        self: &Arc<Self>,
        mut requests: Subscription,
        mut closing: oneshot::Receiver<oneshot::Sender<Result<(), Error>>>,
        tasks: &mut JoinSet<()>,
    ) {
        let mut closed = None;
        // Those that are refused as too many have to wait for the broker as well.
        let most = 2 * (self.options.backlog + self.options.concurrency.max(1));
        loop {
            tokio::select! {
                Some(_) = tasks.join_next() => {}
                message = requests.next(), if tasks.len() < most => match message {
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
        if message.retain {
            warn!(
                topic = message.topic,
                "a request that the broker kept from earlier is dropped; requests are not to be retained"
            );
            return;
        }
        let reply = self.reply(&message).filter(|reply| !reply.is_expired());
        let Some(reply) = reply else {
            debug!(
                topic = message.topic,
                "a request without a response topic to answer on, or without time, is dropped"
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
            Some(Seen::Answered(response, expires)) => {
                let service = self.clone();
                tasks.spawn(async move {
                    let mut response = (*response).clone();
                    let left = expires.saturating_duration_since(Instant::now());
                    response.properties.message_expiry = Some(left);
                    service.publish(&reply, response).await;
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
        self.publish(&reply, response).await;
        drop((ack, again));
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
        let handled = AssertUnwindSafe(async { (self.handler)(request).await }).catch_unwind();
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
                    .about(header::CONTENT_TYPE, shown(&content_type))
            }
            HandlerError::Timeout(message) => Refusal::new(Status::Timeout, message),
            HandlerError::Unavailable(message) => Refusal::new(Status::Unavailable, message),
            HandlerError::Failed(message) => Refusal {
                application: true,
                ..Refusal::new(Status::Internal, message)
            },
        })
    }

    async fn publish(&self, reply: &Reply, response: Publish) {
        let mut published = self.mqtt.publish(response).await;
        if let Err(error @ (PublishError::Invalid { .. } | PublishError::TooLarge { .. })) =
            &published
        {
            // Who asks is told, and does not wait in vain.
            warn!(topic = reply.topic, %error, "a response cannot be sent; an error is sent instead");
            let refusal = Refusal {
                application: true,
                ..Refusal::new(
                    Status::Internal,
                    format!("the response cannot be sent: {error}"),
                )
            };
            published = self.mqtt.publish(self.response(reply, Err(refusal))).await;
        }
        if let Err(error) = published {
            warn!(topic = reply.topic, %error, "a response could not be sent");
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
