use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::files::{Refusal, SchemaFiles};
use super::{GET, Key, PATTERN, PUT, Schema, SchemaSpec};
use crate::adr::wire;
use crate::file::blocking;
use crate::mrpc::{Executor, ExecutorOptions, HandlerError, Request, Response};
use crate::{Error, Mqtt};

/// Where a [`SchemaRegistryService`] keeps schemas.
#[derive(Clone, Debug)]
pub struct SchemaRegistryOptions {
    /// The folder; it is made where it is missing. A schema is a file `NAME/VERSION.json`.
    pub folder: PathBuf,
    /// The name of the registry, which references to schemas carry; `schemas`.
    pub namespace: String,
    /// The most schemas, not counting their versions; 10,000.
    pub max_schemas: usize,
}

impl SchemaRegistryOptions {
    /// A folder, everything else by default.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            namespace: "schemas".into(),
            max_schemas: 10_000,
        }
    }
}

/// A schema registry that keeps schemas as files. Several may share a broker: each request goes to one of them. Works until
/// it is dropped.
///
/// The name of a schema follows from its content; a schema that is there already is given back as it is. It says `400` to
/// what it does not take, with the property, `404` to what it does not have, `500` when it cannot write.
#[derive(Debug)]
pub struct SchemaRegistryService(Executor);

impl SchemaRegistryService {
    /// Subscribes and serves.
    ///
    /// # Errors
    /// [`Error::Storage`] when the folder cannot be made; those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, options: SchemaRegistryOptions) -> Result<Self, Error> {
        let SchemaRegistryOptions {
            folder,
            namespace,
            max_schemas,
        } = options;
        let files = blocking(move || SchemaFiles::open(&folder, namespace)).await?;
        let files = Arc::new(files);
        let mut options = ExecutorOptions::contract(PATTERN);
        options.service_group = Some("schema-registry-edge".into());
        let executor = Executor::start(mqtt, options, move |request| {
            answer(files.clone(), max_schemas, request)
        });
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

async fn answer(
    files: Arc<SchemaFiles>,
    max_schemas: usize,
    request: Request,
) -> Result<Response, HandlerError> {
    let method = request.tokens.get("commandName").map_or("", String::as_str);
    let answer: Result<Schema, Refusal> = match method {
        PUT => {
            let spec: SchemaSpec =
                wire::read(&request.payload).map_err(HandlerError::InvalidPayload)?;
            unblocked(move || files.put(spec, max_schemas)).await
        }
        GET => {
            let key: Key = wire::read(&request.payload).map_err(HandlerError::InvalidPayload)?;
            unblocked(move || files.get(&key)).await
        }
        other => {
            let reason = format!("{other:?} is no method of the schema registry");
            return Err(HandlerError::InvalidPayload(reason));
        }
    };
    let body = match answer {
        Ok(schema) => json!({"schema": schema}),
        Err(refusal) => {
            let mut error = json!({"code": refusal.code, "message": refusal.message});
            if let Some(target) = refusal.target {
                error["target"] = json!(target);
            }
            json!({"error": error})
        }
    };
    Ok(Response::json(body.to_string()))
}

async fn unblocked(
    work: impl FnOnce() -> Result<Schema, Refusal> + Send + 'static,
) -> Result<Schema, Refusal> {
    blocking(move || Ok(work())).await?
}
