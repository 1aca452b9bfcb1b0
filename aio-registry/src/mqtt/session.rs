use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{self, FutureExt};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::io::DuplexStream;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use super::connection::{self, Dial};
use super::core::Core;
use super::credentials::Credentials;
use super::running::run;
use super::{Mqtt, MqttOptions, Publish, PublishError, Subscription, packet};
use crate::{Error, Qos, topic};

/// Messages at QoS 0 a slow reader may leave waiting, beyond those at QoS 1.
const QOS0_QUEUE: usize = 256;
/// A session with a broker over the network, which outlives connections: it connects in the background and again for ever,
/// with a growing, random pause of 0.5 to 30 s; renews subscriptions; and sends again what was not acknowledged.
///
/// Clones share the session. It is closed by [`disconnect`](Self::disconnect), or when the last clone is dropped.
///
/// The files of the options (token, certificates, key) are read before each connection, and looked at every 5 s: when they
/// have changed, the session says goodbye to the broker and comes back with the new ones, and nothing is lost. The pod of a
/// connector is given a new token that way.
///
/// With `clean_start` off the broker keeps messages for a client that is away. Those that arrive before they are subscribed
/// to in this process are acknowledged and dropped.
#[derive(Clone, Debug)]
pub struct MqttSession {
    shared: Arc<Shared>,
    stop: CancellationToken,
    _stop_on_drop: Arc<DropGuard>,
}

/// Whether a session is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// It is trying.
    Connecting,
    /// It is connected.
    Connected,
    /// It is not, and will try again.
    Disconnected {
        /// Why.
        error: String,
        /// When it will try again.
        retry_in: Duration,
    },
    /// It was closed and will not connect again.
    Closed,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: MqttOptions,
    pub(super) core: Mutex<Core>,
    /// There may be something to write.
    pub(super) wake: Notify,
    /// Something was acknowledged or the like; for `disconnect`.
    pub(super) progress: Notify,
    /// Bytes that may be queued.
    pub(super) memory: Arc<Semaphore>,
    pub(super) state: watch::Sender<SessionState>,
}

impl MqttSession {
    /// Starts a session. Returns at once; the connection is made in the background.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that cannot work, [`Error::Storage`] when a file of certificates, the key or the token
    /// cannot be read.
    pub async fn connect(options: MqttOptions) -> Result<Self, Error> {
        let dial = connection::network(&options)?;
        Self::start(options, dial).await
    }

    /// A session over streams in memory instead of the network, for tests with brokers of their own. `dial` makes the stream
    /// of each connection; the address in the options is not used.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    #[doc(hidden)]
    pub async fn connect_over(
        options: MqttOptions,
        dial: impl Fn() -> io::Result<DuplexStream> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let dial = move |_| {
            let stream = dial().map(|stream| Box::new(stream) as Box<dyn connection::Stream>);
            future::ready(stream.map_err(|error| error.to_string())).boxed()
        };
        Self::start(options, Box::new(dial)).await
    }

    async fn start(options: MqttOptions, dial: Dial) -> Result<Self, Error> {
        options.check()?;
        // Files that are missing or wrong are said now, and not again and again in the log.
        Credentials::read(&options).await?;
        let (state, _) = watch::channel(SessionState::Connecting);
        let shared = Arc::new(Shared {
            core: Mutex::new(Core::new(options.inflight, options.queue_bytes)),
            wake: Notify::new(),
            progress: Notify::new(),
            memory: Arc::new(Semaphore::new(options.queue_bytes)),
            state,
            options,
        });
        let stop = CancellationToken::new();
        tokio::spawn(run(shared.clone(), dial, stop.clone()));
        Ok(Self {
            shared,
            stop: stop.clone(),
            _stop_on_drop: Arc::new(stop.drop_guard()),
        })
    }

    /// The state it is in now.
    pub fn state(&self) -> SessionState {
        self.shared.state.borrow().clone()
    }

    /// The state now, and every change of it; ends when the session is closed.
    pub fn states(&self) -> BoxStream<'static, SessionState> {
        let start = Some((self.shared.state.subscribe(), true));
        stream::unfold(start, |next| async move {
            let (mut states, first) = next?;
            if !first {
                states.changed().await.ok()?;
            }
            let state = states.borrow_and_update().clone();
            let next = (state != SessionState::Closed).then_some((states, false));
            Some((state, next))
        })
        .boxed()
    }

    /// Waits until it is connected.
    ///
    /// # Errors
    /// [`Error::Timeout`] with the reason it is not, [`Error::Closed`].
    pub async fn connected(&self, timeout: Duration) -> Result<(), Error> {
        let mut states = self.shared.state.subscribe();
        let settled = states
            .wait_for(|state| matches!(state, SessionState::Connected | SessionState::Closed));
        match tokio::time::timeout(timeout, settled).await {
            Ok(Ok(state)) if *state == SessionState::Connected => Ok(()),
            Ok(_) => Err(Error::Closed),
            Err(_) => Err(self.shared.timed_out("MQTT connection", timeout)),
        }
    }

    /// Sends what is queued, takes leave of the broker and closes the session; waits no longer than `timeout`.
    pub async fn disconnect(&self, timeout: Duration) {
        self.shared.core().close();
        let drained = async {
            loop {
                let progress = self.shared.progress.notified();
                if self.shared.core().is_idle() || self.state() == SessionState::Closed {
                    return;
                }
                progress.await;
            }
        };
        let deadline = Instant::now() + timeout;
        if tokio::time::timeout_at(deadline, drained).await.is_err() {
            warn!("the MQTT session is closed with messages that were not acknowledged");
        }
        self.stop.cancel();
        let mut states = self.shared.state.subscribe();
        // The goodbye is short, and needs no longer than a moment even when the time is over.
        let goodbye = deadline.max(Instant::now() + Duration::from_secs(1));
        let _ = tokio::time::timeout_at(
            goodbye,
            states.wait_for(|state| *state == SessionState::Closed),
        )
        .await;
    }
}

#[async_trait]
impl Mqtt for MqttSession {
    fn client_id(&self) -> &str {
        &self.shared.options.client_id
    }

    async fn publish(&self, message: Publish) -> Result<(), PublishError> {
        let packet = packet::publish(message)?;
        let shared = &self.shared;
        let size = packet::size(&packet);
        let broker_limit = shared
            .core()
            .max_packet_size()
            .map_or(usize::MAX, |limit| limit as usize);
        let limit = shared.options.queue_bytes.min(broker_limit);
        if size > limit {
            return Err(PublishError::TooLarge { size, limit });
        }
        let permits = u32::try_from(size).map_err(|_| PublishError::TooLarge {
            size,
            limit: u32::MAX as usize,
        })?;
        let acknowledged = async {
            let permit = shared
                .memory
                .clone()
                .acquire_many_owned(permits)
                .await
                .map_err(|_| PublishError::Closed)?;
            let (done, result) = oneshot::channel();
            let id = shared.core().publish(packet, done, permit);
            let _withdraw = Withdraw { shared, id };
            shared.wake.notify_one();
            result.await.unwrap_or(Err(PublishError::Closed))
        };
        let after = shared.options.publish_timeout;
        match timeout(after, acknowledged).await {
            Ok(result) => result,
            Err(_) => Err(PublishError::Timeout {
                after,
                disconnected: shared.disconnected(),
            }),
        }
    }

    async fn subscribe(&self, filter: &str, qos: Qos) -> Result<Subscription, Error> {
        topic::check_filter(filter)?;
        let shared = &self.shared;
        let (queue, mut messages) =
            mpsc::channel(usize::from(shared.options.inflight) + QOS0_QUEUE);
        let (waiting, agreed) = oneshot::channel();
        let id = shared.core().subscribe(filter, qos, queue, waiting);
        shared.wake.notify_one();
        let weak = Arc::downgrade(shared);
        let after = shared.options.publish_timeout;
        let what = format!("end of the subscription to {filter}");
        // From here on dropping it unsubscribes, so that a future that is dropped leaves nothing behind.
        let messages = stream::poll_fn(move |context| messages.poll_recv(context));
        let subscription = Subscription::new(messages, move || {
            let (ended, agreed) = oneshot::channel();
            if let Some(shared) = weak.upgrade() {
                shared.core().unsubscribe(id, ended);
                shared.wake.notify_one();
            }
            async move {
                match timeout(after, agreed).await {
                    Ok(agreed) => agreed.unwrap_or(Err(Error::Closed)),
                    Err(_) => Err(Error::Timeout { what, after }),
                }
            }
            .boxed()
        });
        match timeout(after, agreed).await {
            Ok(Ok(Ok(()))) => Ok(subscription),
            Ok(Ok(Err(error))) => Err(error),
            Ok(Err(_)) => Err(Error::Closed),
            Err(_) => Err(shared.timed_out(&format!("subscription to {filter}"), after)),
        }
    }
}

/// Takes a message back that its publisher no longer waits for.
struct Withdraw<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        self.shared.core().withdraw(self.id);
    }
}

impl Shared {
    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why there is no connection, when there is none.
    fn disconnected(&self) -> Option<String> {
        match &*self.state.borrow() {
            SessionState::Disconnected { error, .. } => Some(error.clone()),
            SessionState::Connecting => Some("still connecting".into()),
            _ => None,
        }
    }

    fn timed_out(&self, what: &str, after: Duration) -> Error {
        let reason = self
            .disconnected()
            .map(|reason| format!(" (not connected: {reason})"))
            .unwrap_or_default();
        Error::Timeout {
            what: format!("{what}{reason}"),
            after,
        }
    }
}
