use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use super::expiry::Expiries;
use super::notifications::Notifications;
use super::resp::{Answer, Command};
use super::{FENCING_TOKEN, OCTETS, SetOptions, StateStore, TOPIC, refused};
use crate::mrpc::{
    Executor, ExecutorOptions, HandlerError, HybridClock, HybridTime, Request, Response,
};
use crate::{Error, Mqtt};

/// A state store on a broker that has none. Works until it is dropped.
///
/// It takes `GET`, `SET` (with `NX`, `NEX`, `PX`), `DEL` and `VDEL`, fencing tokens in `__ft`, and `KEYNOTIFY`. Who asks for
/// notifications (`__srcId`) is told of changes that requests make, and of keys that expire, until it says stop; when the
/// service stops, it is forgotten.
#[derive(Debug)]
pub struct StateStoreService {
    executor: Executor,
    _stop: DropGuard,
}

impl StateStoreService {
    /// Subscribes and serves. There is to be one on a broker.
    ///
    /// # Errors
    /// Those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, store: Arc<dyn StateStore>) -> Result<Self, Error> {
        let mut options = ExecutorOptions::contract(TOPIC);
        options.content_types = vec![OCTETS.to_owned()];
        // Requests on the same key are to be answered in their order.
        options.concurrency = 1;
        let state = Arc::new(State {
            store,
            notifications: Notifications::new(mqtt.clone()),
            expiries: Expiries::default(),
            turn: Mutex::default(),
            clock: HybridClock::new(),
        });
        let stop = CancellationToken::new();
        let expiring = state.clone();
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(expiring.tell_expired()).await });
        let executor = Executor::start(mqtt, options, move |request| {
            let state = state.clone();
            async move { state.answer(request).await }
        });
        Ok(Self {
            executor: executor.await?,
            _stop: stop.drop_guard(),
        })
    }

    /// Unsubscribes, and answers the requests that have arrived.
    ///
    /// # Errors
    /// Those of [`Executor::close`].
    pub async fn close(self) -> Result<(), Error> {
        self.executor.close().await
    }
}

struct State {
    store: Arc<dyn StateStore>,
    notifications: Notifications,
    expiries: Expiries,
    /// Held from a change until it is told, so that it is told in order.
    turn: Mutex<()>,
    clock: HybridClock,
}

impl State {
    async fn answer(&self, request: Request) -> Result<Response, HandlerError> {
        let (answer, version) = match self.execute(&request).await {
            Ok(answered) => answered,
            Err(Error::Service { message, .. }) => (Answer::Error(message), None),
            Err(error) if error.is_transient() => {
                return Err(HandlerError::Unavailable(error.to_string()));
            }
            Err(error) => (Answer::Error(error.to_string()), None),
        };
        Ok(Response {
            payload: answer.write().into(),
            content_type: Some(OCTETS.into()),
            payload_format_utf8: Some(false),
            user_properties: Vec::new(),
            sent_at: version,
        })
    }

    /// The answer, and the version of the key that it is about, when there is one.
    async fn execute(&self, request: &Request) -> Result<(Answer, Option<HybridTime>), Error> {
        let mut user = request.user_properties.iter();
        let token = user.find(|(name, _)| name == FENCING_TOKEN);
        let token = token.map(|(_, token)| token.parse::<HybridTime>());
        let fencing_token = token
            .transpose()
            .map_err(|_| refused("malformed timestamp"))?;
        let store = &*self.store;
        match Command::read(&request.payload)? {
            Command::Get { key } => Ok(match store.get(&key).await? {
                None => (Answer::Nothing, None),
                Some(stored) => (Answer::Value(stored.value), stored.version),
            }),
            Command::Set {
                key,
                value,
                condition,
                expiry,
            } => {
                let options = SetOptions {
                    condition,
                    expiry,
                    fencing_token,
                };
                let turn = self.turn.lock().await;
                let set = store.set(&key, value.clone(), options).await?;
                // A lock takes the version as its fencing token.
                let version = store.get(&key).await?.and_then(|stored| stored.version);
                if !set {
                    return Ok((Answer::Number(-1), version));
                }
                let version = version.unwrap_or_else(|| self.clock.tick());
                self.changed(&turn, &key, Some((&value, expiry)), &version)
                    .await;
                Ok((Answer::Ok, Some(version)))
            }
            Command::Del { key, only_if } => {
                let conditional = only_if.is_some();
                let turn = self.turn.lock().await;
                if store.del(&key, only_if, fencing_token).await? {
                    let version = self.clock.tick();
                    self.changed(&turn, &key, None, &version).await;
                    return Ok((Answer::Number(1), Some(version)));
                }
                // VDEL tells a key that is not there from one with another value.
                let other = conditional && store.get(&key).await?.is_some();
                Ok((Answer::Number(if other { -1 } else { 0 }), None))
            }
            Command::KeyNotify { key, stop } => {
                let client = request.source.as_deref();
                let client = client.ok_or_else(|| refused("not authorized"))?;
                if stop {
                    let known = self.notifications.stop(client, &key);
                    return Ok((if known { Answer::Ok } else { Answer::Number(0) }, None));
                }
                self.notifications.observe(client, &key)?;
                Ok((Answer::Ok, None))
            }
        }
    }

    async fn changed(
        &self,
        _turn: &MutexGuard<'_, ()>,
        key: &[u8],
        now: Option<(&Bytes, Option<Duration>)>,
        version: &HybridTime,
    ) {
        // That a key goes is later than that it came, whose version is of the store's own clock.
        let _ = self.clock.observe(version);
        let expiry = now.and_then(|(_, expiry)| expiry);
        self.expiries.set(key, expiry, Instant::now());
        let value = now.map(|(value, _)| value);
        self.notifications.tell(key, value, version).await;
    }

    /// Tells of keys that expire for as long as it is polled.
    async fn tell_expired(&self) {
        loop {
            let key = self.expiries.next().await;
            let turn = self.turn.lock().await;
            match self.store.get(&key).await {
                Ok(None) => self.changed(&turn, &key, None, &self.clock.tick()).await,
                // It was set again.
                Ok(Some(_)) => {}
                Err(error) => warn!(%error, "whether a key has expired is not known"),
            }
        }
    }
}
