use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{self, FutureExt};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::io::DuplexStream;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use super::connection::{self, Connection, Dial, Reader, Writer};
use super::core::{Core, Limits};
use super::credentials::Credentials;
use super::{Ack, Mqtt, MqttOptions, Publish, PublishError, Subscription, packet};
use crate::{Error, Qos, topic};

const NOT_READ: &str = "a subscription is not read from, and holds all it can";
/// Messages at QoS 0 a slow reader may leave waiting, beyond those at QoS 1.
const QOS0_QUEUE: usize = 256;
/// A connection that lived this long, or on which a message was acknowledged, was a good one: the next pause is short again.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);

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
struct Shared {
    options: MqttOptions,
    core: Mutex<Core>,
    /// There may be something to write.
    wake: Notify,
    /// Something was acknowledged or the like; for `disconnect`.
    progress: Notify,
    /// Bytes that may be queued.
    memory: Arc<Semaphore>,
    state: watch::Sender<SessionState>,
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
        check(&options)?;
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
    fn core(&self) -> MutexGuard<'_, Core> {
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

fn check(options: &MqttOptions) -> Result<(), Error> {
    let invalid = |what: &str, reason: &str| {
        Err(Error::Invalid {
            what: what.into(),
            reason: reason.into(),
        })
    };
    if options.client_id.is_empty()
        || options.client_id.len() > 65_535
        || options.client_id.contains(['+', '#', '/', '\0'])
    {
        return invalid(
            "client_id",
            "it is empty, too long, or holds + # / or NUL, and so cannot be a level of a topic",
        );
    }
    if options.inflight == 0 || options.max_packet_size < 1024 || options.queue_bytes < 1024 {
        return invalid(
            "MQTT options",
            "inflight is at least 1, max_packet_size and queue_bytes are at least 1,024",
        );
    }
    if options.queue_bytes > Semaphore::MAX_PERMITS || options.keep_alive < Duration::from_secs(1) {
        return invalid(
            "MQTT options",
            "queue_bytes is too large, or keep_alive is less than a second",
        );
    }
    if options.username.is_none() && options.password.is_some() {
        return invalid("username", "there is a password but no user name");
    }
    if options.token_file.is_some() && options.username.is_some() {
        return invalid(
            "token_file",
            "there is a user name as well, and a client logs in by one of them",
        );
    }
    if options.client_certificate.is_some() && options.broker.scheme() != "mqtts" {
        return invalid(
            "client_certificate",
            "it needs mqtts, and the broker's address has mqtt",
        );
    }
    if let Some(will) = options.will.clone() {
        packet::will(will).map_err(|error| Error::Invalid {
            what: "will".into(),
            reason: error.to_string(),
        })?;
    }
    Ok(())
}

async fn run(shared: Arc<Shared>, dial: Dial, stop: CancellationToken) {
    let mut failures = 0;
    let mut clean_start = shared.options.clean_start;
    while !stop.is_cancelled() {
        shared.state.send_replace(SessionState::Connecting);
        let opening = open(&shared.options, &dial, clean_start);
        let Some(opened) = stop.run_until_cancelled(opening).await else {
            break;
        };
        let error = match opened {
            Err(error) => error,
            Ok((connection, credentials)) => {
                // Only the first connection of a process may start anew; later ones resume it.
                clean_start = false;
                let since = Instant::now();
                let end = serve(&shared, connection, &credentials, &stop).await;
                let progressed = shared.core().disconnected(matches!(end, End::Lost(_)));
                shared.progress.notify_waiters();
                if progressed || since.elapsed() >= GOOD_CONNECTION {
                    failures = 0;
                }
                match end {
                    End::Stopped => break,
                    End::Renewed => {
                        info!(
                            "the credentials have changed; connecting to the MQTT broker with the new ones"
                        );
                        continue;
                    }
                    End::Lost(error) => error,
                }
            }
        };
        let retry_in = pause(failures, rand::random());
        failures = failures.saturating_add(1);
        warn!(broker = %shared.options.broker.host_str().unwrap_or_default(), error, ?retry_in, "not connected to the MQTT broker");
        shared
            .state
            .send_replace(SessionState::Disconnected { error, retry_in });
        if stop.run_until_cancelled(sleep(retry_in)).await.is_none() {
            break;
        }
    }
    shared.memory.close();
    shared.core().abandon();
    shared.state.send_replace(SessionState::Closed);
    shared.progress.notify_waiters();
}

async fn open(
    options: &MqttOptions,
    dial: &Dial,
    clean_start: bool,
) -> Result<(Connection, Credentials), String> {
    let opening = async {
        let read = Credentials::read(options).await;
        let credentials = read.map_err(|error| error.to_string())?;
        let connection = Connection::open(dial, options, credentials.clone(), clean_start).await?;
        Ok((connection, credentials))
    };
    timeout(options.connect_timeout, opening)
        .await
        .unwrap_or_else(|_| {
            Err(format!(
                "no connection within {:?}",
                options.connect_timeout
            ))
        })
}

/// Full jitter: a random share of a ceiling that doubles from 0.5 s to 30 s; never less than 50 ms.
fn pause(failures: u32, random: f64) -> Duration {
    let ceiling = 0.5 * 2f64.powi(failures.min(10) as i32);
    Duration::from_secs_f64((ceiling.min(30.0) * random).max(0.05))
}

/// Why a connection ended.
enum End {
    Lost(String),
    /// There are new credentials.
    Renewed,
    /// The session is to stop.
    Stopped,
}

/// Keeps a connection going until it is lost, its credentials have changed or the session is to stop.
async fn serve(
    shared: &Arc<Shared>,
    connection: Connection,
    credentials: &Credentials,
    stop: &CancellationToken,
) -> End {
    let Connection {
        connack,
        mut reader,
        mut writer,
    } = connection;
    let granted = connack.properties.as_ref();
    let limits = Limits {
        receive_maximum: granted
            .and_then(|granted| granted.receive_max)
            .unwrap_or(u16::MAX)
            .max(1),
        max_packet_size: granted.and_then(|granted| granted.max_packet_size),
    };
    let keep_alive = match granted.and_then(|granted| granted.server_keep_alive) {
        Some(seconds) if seconds > 0 => Duration::from_secs(seconds.into()),
        _ => shared.options.keep_alive,
    };
    info!(
        client_id = shared.options.client_id,
        session_present = connack.session_present,
        "connected to the MQTT broker"
    );
    shared.core().connected(connack.session_present, limits);
    shared.state.send_replace(SessionState::Connected);
    let goodbye = tokio::select! {
        Err(error) = read(shared, &mut reader, keep_alive) => return End::Lost(error),
        Err(error) = write(shared, &mut writer, keep_alive) => return End::Lost(error),
        () = credentials.changed(&shared.options) => End::Renewed,
        () = stop.cancelled() => End::Stopped,
    };
    // Without a goodbye the broker finds out by itself.
    let _ = timeout(Duration::from_secs(1), writer.disconnect()).await;
    goodbye
}

async fn read(
    shared: &Arc<Shared>,
    reader: &mut Reader,
    keep_alive: Duration,
) -> Result<std::convert::Infallible, String> {
    loop {
        // The broker answers a ping in every interval, so silence over two of them means that it is gone.
        let packet = timeout(keep_alive * 2, reader.read()).await;
        let packet =
            packet.map_err(|_| format!("the broker was silent for {:?}", keep_alive * 2))??;
        let delivery = shared.core().receive(packet, |number| {
            acknowledgement(Arc::downgrade(shared), number)
        });
        // Dropping a message that nobody wants acknowledges it, which takes the lock again.
        if delivery?.overflow {
            return Err(NOT_READ.into());
        }
        shared.wake.notify_one();
        shared.progress.notify_waiters();
    }
}

fn acknowledgement(shared: Weak<Shared>, number: u64) -> Ack {
    Ack::new(move || {
        if let Some(shared) = shared.upgrade() {
            shared.core().acknowledge(number);
            shared.wake.notify_one();
        }
    })
}

fn deliver_surplus(shared: &Arc<Shared>) -> Result<(), String> {
    loop {
        let ack = |number| acknowledgement(Arc::downgrade(shared), number);
        let delivery = shared.core().next_surplus(ack)?;
        let Some(delivery) = delivery else {
            return Ok(());
        };
        if delivery.overflow {
            return Err(NOT_READ.into());
        }
    }
}

async fn write(
    shared: &Arc<Shared>,
    writer: &mut Writer,
    keep_alive: Duration,
) -> Result<std::convert::Infallible, String> {
    let mut pings = interval_at(Instant::now() + keep_alive * 3 / 4, keep_alive * 3 / 4);
    loop {
        deliver_surplus(shared)?;
        while !writer.is_full() {
            let Some(packet) = shared.core().next_packet() else {
                break;
            };
            writer.add(&packet)?;
        }
        if !writer.is_empty() {
            let written = timeout(keep_alive * 2, writer.flush()).await;
            written.map_err(|_| format!("the broker took nothing for {:?}", keep_alive * 2))??;
            shared.progress.notify_waiters();
            continue;
        }
        tokio::select! {
            () = shared.wake.notified() => {}
            _ = pings.tick() => writer.ping().await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_are_never_nothing() {
        assert_eq!(pause(0, 1.0), Duration::from_millis(500));
        assert_eq!(pause(3, 0.5), Duration::from_secs(2));
        assert_eq!(pause(40, 1.0), Duration::from_secs(30));
        assert_eq!(pause(40, 0.0), Duration::from_millis(50));
    }
}
