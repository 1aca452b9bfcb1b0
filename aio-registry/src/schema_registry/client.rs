use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::{GET, Key, PATTERN, PUT, Reply, Schema, SchemaSpec};
use crate::adr::wire;
use crate::mrpc::{Invocation, Invoker, InvokerOptions};
use crate::{Error, Mqtt};

/// A schema registry takes its time, the one in the cloud behind it the more.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Puts schemas into the schema registry, and gets them. Waits up to 90 s for an answer.
#[derive(Clone)]
pub struct SchemaRegistryClient(Invoker);

impl std::fmt::Debug for SchemaRegistryClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SchemaRegistryClient")
    }
}

impl SchemaRegistryClient {
    /// Subscribes to answers.
    ///
    /// # Errors
    /// Those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>) -> Result<Self, Error> {
        let mut options = InvokerOptions::new(PATTERN);
        options.timeout = TIMEOUT;
        Ok(Self(Invoker::start(mqtt, options).await?))
    }

    /// Puts a schema, and returns it with the name the registry gave it. The same schema may be put again.
    ///
    /// # Errors
    /// [`Error::Service`] `400` when the registry does not take it; those of [`Invoker::request`].
    pub async fn put(&self, schema: &SchemaSpec) -> Result<Schema, Error> {
        self.call(PUT, schema).await
    }

    /// The schema of that name and version, or `None` when there is none.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn get(&self, name: &str, version: &str) -> Result<Option<Schema>, Error> {
        let key = Key {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        match self.call(GET, &key).await {
            Ok(schema) => Ok(Some(schema)),
            Err(Error::Service { code, .. }) if code == "404" => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn call(&self, method: &str, body: &impl Serialize) -> Result<Schema, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Invalid {
            what: "the schema".into(),
            reason: error.to_string(),
        })?;
        let invocation = Invocation {
            tokens: [("commandName".to_owned(), method.to_owned())].into(),
            payload: Bytes::from(body),
            ..Invocation::default()
        };
        let answer = self.0.request(invocation).await?;
        let operation = || format!("{method} at the schema registry");
        wire::read_answer(method, operation, &answer.payload).map(|reply: Reply| reply.schema)
    }
}
