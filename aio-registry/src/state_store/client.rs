use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use tracing::warn;

use super::notifications::{hex, topic};
use super::resp::{Answer, Command, read_notification};
use super::{FENCING_TOKEN, KeyChange, SetOptions, StateStore, StoredValue, TOPIC, refused};
use crate::mrpc::{HybridTime, Invocation, Invoker, InvokerOptions, Response};
use crate::{Error, Mqtt, Qos, ReceivedTelemetry};

/// The state store of a broker. Clones share the subscription to answers.
#[derive(Clone)]
pub struct StateStoreClient {
    mqtt: Arc<dyn Mqtt>,
    invoker: Invoker,
}

impl std::fmt::Debug for StateStoreClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateStoreClient")
    }
}

impl StateStoreClient {
    /// Subscribes to answers. Where nobody serves a state store, requests end with [`Error::Timeout`].
    ///
    /// # Errors
    /// Those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, timeout: Duration) -> Result<Self, Error> {
        let options = InvokerOptions {
            timeout,
            content_type: "application/octet-stream".into(),
            ..InvokerOptions::new(TOPIC)
        };
        Ok(Self {
            invoker: Invoker::start(mqtt.clone(), options).await?,
            mqtt,
        })
    }

    /// Tells of changes of a key from now on, until [`stop_observing`](Self::stop_observing).
    ///
    /// A store forgets who observes: that of Azure IoT Operations when the connection is lost, a
    /// [`StateStoreService`](super::StateStoreService) when it stops.
    ///
    /// # Errors
    /// As [`StateStore::get`]; those of [`Mqtt::subscribe`].
    pub async fn observe(&self, key: &[u8]) -> Result<BoxStream<'static, KeyChange>, Error> {
        let key = checked(key)?;
        let topic = topic(self.mqtt.client_id(), &hex(&key));
        let messages = self.mqtt.subscribe(&topic, Qos::AtLeastOnce).await?;
        let command = Command::KeyNotify { key, stop: false };
        match self.call(command, None).await?.0 {
            Answer::Ok => {}
            _ => return Err(no_answer()),
        }
        let changes = messages.filter_map(|message| async move {
            let topic = message.topic.clone();
            let value = read_notification(&message.payload);
            let read = ReceivedTelemetry::parse(message);
            let (Some(value), Ok(received)) = (value, read) else {
                warn!(topic, "a notification of the state store cannot be read");
                return None;
            };
            let version = received.sent_at;
            Some(KeyChange { value, version })
        });
        Ok(changes.boxed())
    }

    /// Ends [`observe`](Self::observe) of a key; says whether the store knew of it.
    ///
    /// # Errors
    /// As [`StateStore::get`].
    pub async fn stop_observing(&self, key: &[u8]) -> Result<bool, Error> {
        let key = checked(key)?;
        let command = Command::KeyNotify { key, stop: true };
        match self.call(command, None).await?.0 {
            Answer::Ok => Ok(true),
            Answer::Number(0) => Ok(false),
            _ => Err(no_answer()),
        }
    }

    async fn call(
        &self,
        command: Command,
        fencing_token: Option<HybridTime>,
    ) -> Result<(Answer, Response), Error> {
        let token = fencing_token.map(|token| (FENCING_TOKEN.to_owned(), token.to_string()));
        let invocation = Invocation {
            payload: command.write().into(),
            user_properties: token.into_iter().collect(),
            ..Invocation::default()
        };
        let response = self.invoker.request(invocation).await?;
        match Answer::read(&response.payload) {
            Some(Answer::Error(message)) => Err(refused(message)),
            Some(answer) => Ok((answer, response)),
            None => Err(no_answer()),
        }
    }
}

#[async_trait]
impl StateStore for StateStoreClient {
    async fn get(&self, key: &[u8]) -> Result<Option<StoredValue>, Error> {
        let key = checked(key)?;
        match self.call(Command::Get { key }, None).await? {
            (Answer::Nothing, _) => Ok(None),
            (Answer::Value(value), response) => Ok(Some(StoredValue {
                value,
                version: response.sent_at,
            })),
            _ => Err(no_answer()),
        }
    }

    async fn set(&self, key: &[u8], value: Bytes, options: SetOptions) -> Result<bool, Error> {
        if options.expiry.is_some_and(|expiry| expiry.as_millis() == 0) {
            return Err(Error::Invalid {
                what: "the expiry".into(),
                reason: "it is less than a millisecond".into(),
            });
        }
        let command = Command::Set {
            key: checked(key)?,
            value,
            condition: options.condition,
            expiry: options.expiry,
        };
        match self.call(command, options.fencing_token).await?.0 {
            Answer::Ok => Ok(true),
            Answer::Number(-1) => Ok(false),
            _ => Err(no_answer()),
        }
    }

    async fn del(
        &self,
        key: &[u8],
        only_if: Option<Bytes>,
        fencing_token: Option<HybridTime>,
    ) -> Result<bool, Error> {
        let key = checked(key)?;
        let command = Command::Del { key, only_if };
        match self.call(command, fencing_token).await?.0 {
            Answer::Number(count) => Ok(count > 0),
            _ => Err(no_answer()),
        }
    }
}

fn checked(key: &[u8]) -> Result<Bytes, Error> {
    if key.is_empty() {
        return Err(Error::Invalid {
            what: "the key".into(),
            reason: "it is empty".into(),
        });
    }
    Ok(Bytes::copy_from_slice(key))
}

fn no_answer() -> Error {
    Error::Protocol {
        what: "the answer of the state store".into(),
        reason: "it is none to what was asked".into(),
    }
}
