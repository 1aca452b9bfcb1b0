use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Response;
use crate::{Error, Mqtt};

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
    /// The topics requests arrive on, such as `azure-iot-operations/asset-operations/{asset}/{group}/{action}`.
    pub pattern: String,
    /// Shares requests with the other executors of this group (`$share`).
    pub service_group: Option<String>,
    /// How strictly requests are read.
    pub policy: RequestPolicy,
    /// The content type of requests, or `None` to take any; `application/json`.
    pub content_type: Option<String>,
    /// How long a request without an expiry may take; 30 s.
    pub default_timeout: Duration,
    /// The longest any request may take, whatever it asks for; 10 minutes.
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
        Self {
            pattern: pattern.into(),
            service_group: None,
            policy: RequestPolicy::Contract,
            content_type: Some("application/json".into()),
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
            content_type: None,
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
    /// User properties that are not the protocol's.
    pub user_properties: Vec<(String, String)>,
    /// Who asks (`__srcId`), when it was given. Not authenticated.
    pub source: Option<String>,
    /// When the answer is no longer wanted; the handler is dropped then.
    pub deadline: std::time::Instant,
}

/// Why a request could not be answered. Errors of the application, such as a camera that refuses, are a [`Response`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// The payload cannot be understood: 400.
    #[error("the payload is refused: {0}")]
    InvalidPayload(String),
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
/// response without being handled twice. Requests that ask for an answer on a topic with wildcards, or beginning with `$`,
/// are dropped.
#[derive(Debug)]
pub struct Executor {}

impl Executor {
    /// Subscribes and answers.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad pattern; those of [`Mqtt::subscribe`].
    pub async fn start<H, F>(
        mqtt: Arc<dyn Mqtt>,
        options: ExecutorOptions,
        handler: H,
    ) -> Result<Self, Error>
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Response, HandlerError>> + Send + 'static,
    {
        unimplemented!()
    }
}
