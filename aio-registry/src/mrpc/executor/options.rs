use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::mrpc::JSON;

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

/// How an [`Executor`](super::Executor) works.
#[derive(Clone, Debug)]
pub struct ExecutorOptions {
    /// What it is called in logs and errors; by default the pattern.
    pub name: String,
    /// The topics requests arrive on, such as `azure-iot-operations/asset-operations/{asset}/{group}/{action}`.
    pub pattern: String,
    /// Levels that come before the pattern.
    pub namespace: Option<String>,
    /// Values of tokens of the pattern, where not every value is to be served.
    pub tokens: BTreeMap<String, String>,
    /// Shares requests with the other executors of this group (`$share`).
    pub service_group: Option<String>,
    /// How strictly requests are read.
    pub policy: RequestPolicy,
    /// The content types of requests it takes, or none to take any; `application/json`. One that names none is taken.
    pub content_types: Vec<String>,
    /// How long a request without an expiry may take; 30 s.
    pub default_timeout: Duration,
    /// The longest any request may take, whatever it asks for; 10 minutes. When it is over, the answer is 408. When the
    /// request's own expiry is over, nobody waits any more and there is no answer.
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
        let pattern = pattern.into();
        Self {
            name: pattern.clone(),
            pattern,
            namespace: None,
            tokens: BTreeMap::new(),
            service_group: None,
            policy: RequestPolicy::Contract,
            content_types: vec![JSON.to_owned()],
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
            content_types: Vec::new(),
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
    /// Whether it is marked as UTF-8 text or as bytes, when it is.
    pub payload_format_utf8: Option<bool>,
    /// User properties that are not the protocol's.
    pub user_properties: Vec<(String, String)>,
    /// Who asks (`__srcId`), when it was given. Not authenticated.
    pub source: Option<String>,
    /// Until when it is to be answered; the handler is dropped then.
    pub deadline: std::time::Instant,
}

/// Why a request could not be answered. Errors of the application, such as a camera that refuses, are a
/// [`Response`](crate::mrpc::Response).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// The payload cannot be understood: 400.
    #[error("the payload is refused: {0}")]
    InvalidPayload(String),
    /// It is in a format that is not understood, though its content type is one of the options: 415.
    #[error("the content type is refused: {0}")]
    UnsupportedContentType(String),
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
