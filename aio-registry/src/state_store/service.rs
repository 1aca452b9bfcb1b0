use std::sync::Arc;

use super::headers::{FENCING_TOKEN_HERE, StateStoreSession, VERSION_HERE};
use super::resp::{Answer, Command};
use super::{SetOptions, StateStore, TOPIC, refused};
use crate::mrpc::{Executor, ExecutorOptions, HandlerError, HybridTime, Request, Response};
use crate::{Error, Mqtt};

const OCTETS: &str = "application/octet-stream";

/// A state store on a broker that has none. Works until it is dropped.
///
/// It takes `GET`, `SET` (with `NX`, `NEX`, `PX`), `DEL` and `VDEL`, fencing tokens in `__ft`; nobody is notified of changes.
#[derive(Debug)]
pub struct StateStoreService(Executor);

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
        let mqtt = Arc::new(StateStoreSession(mqtt));
        let executor =
            Executor::start(mqtt, options, move |request| answer(store.clone(), request));
        Ok(Self(executor.await?))
    }

    /// Unsubscribes, and answers the requests that have arrived.
    ///
    /// # Errors
    /// Those of [`Executor::close`].
    pub async fn close(self) -> Result<(), Error> {
        self.0.close().await
    }
}

async fn answer(store: Arc<dyn StateStore>, request: Request) -> Result<Response, HandlerError> {
    let mut user_properties = Vec::new();
    let answer = match execute(&*store, &request, &mut user_properties).await {
        Ok(answer) => answer,
        Err(Error::Service { message, .. }) => Answer::Error(message),
        Err(error) if error.is_transient() => {
            return Err(HandlerError::Unavailable(error.to_string()));
        }
        Err(error) => Answer::Error(error.to_string()),
    };
    Ok(Response {
        payload: answer.write().into(),
        content_type: Some(OCTETS.into()),
        payload_format_utf8: Some(false),
        user_properties,
    })
}

async fn execute(
    store: &dyn StateStore,
    request: &Request,
    user_properties: &mut Vec<(String, String)>,
) -> Result<Answer, Error> {
    let mut user = request.user_properties.iter();
    let token = user.find(|(name, _)| name == FENCING_TOKEN_HERE);
    let token = token.map(|(_, token)| token.parse::<HybridTime>());
    let fencing_token = token
        .transpose()
        .map_err(|_| refused("malformed fencing token"))?;
    match Command::read(&request.payload)? {
        Command::Get { key } => Ok(match store.get(&key).await? {
            None => Answer::Nothing,
            Some(stored) => {
                let version = stored.version.map(|version| version.to_string());
                user_properties.extend(version.map(|version| (VERSION_HERE.to_owned(), version)));
                Answer::Value(stored.value)
            }
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
            let set = store.set(&key, value, options).await?;
            Ok(if set { Answer::Ok } else { Answer::Number(-1) })
        }
        Command::Del { key, only_if } => {
            let conditional = only_if.is_some();
            let deleted = store.del(&key, only_if, fencing_token).await?;
            // VDEL tells a key that is not there from one with another value.
            let number = match deleted {
                true => 1,
                false if conditional && store.get(&key).await?.is_some() => -1,
                false => 0,
            };
            Ok(Answer::Number(number))
        }
    }
}
