use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Response;
use crate::{Error, Mqtt};

/// How an [`Invoker`] works.
#[derive(Clone, Debug)]
pub struct InvokerOptions {
    /// The topics requests go to, such as `azure-iot-operations/mrpc/{asset}/{command}`.
    pub pattern: String,
    /// What comes before the request's topic in the response topic; `None` means `clients/CLIENT-ID`.
    pub response_prefix: Option<String>,
    /// How long to wait for an answer; 10 s.
    pub timeout: Duration,
    /// The content type of requests; `application/json`.
    pub content_type: String,
    /// Whether requests pass the broker's back-pressure (`$high_priority`); yes. Some brokers refuse it.
    pub high_priority: bool,
}

impl InvokerOptions {
    /// Topics, everything else by default.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            response_prefix: None,
            timeout: Duration::from_secs(10),
            content_type: "application/json".into(),
            high_priority: true,
        }
    }
}

/// Sends requests and waits for their answers. Clones share the subscription to responses.
#[derive(Clone, Debug)]
pub struct Invoker {}

impl Invoker {
    /// Subscribes to responses.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad pattern; those of [`Mqtt::subscribe`].
    pub async fn start(mqtt: Arc<dyn Mqtt>, options: InvokerOptions) -> Result<Self, Error> {
        unimplemented!()
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the topic is none of the pattern, [`Error::Publish`], [`Error::Timeout`],
    /// [`Error::Remote`] when the answer is an error, [`Error::Protocol`] when it is no answer. An error of the application
    /// is a [`Response`] (see [`Response::application_error`]).
    pub async fn invoke(
        &self,
        topic: &str,
        payload: impl Into<Bytes> + Send,
    ) -> Result<Response, Error> {
        unimplemented!()
    }
}
