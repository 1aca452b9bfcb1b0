//! The RPC protocol of Azure IoT Operations over MQTT 5 (mRPC): requests, responses, statuses.

mod cache;
mod executor;
mod header;
mod hlc;
mod invoker;
mod status;

use bytes::Bytes;

pub use executor::{Executor, ExecutorOptions, HandlerError, Request, RequestPolicy};
pub use hlc::{HybridClock, HybridTime};
pub use invoker::{Invocation, Invoker, InvokerOptions};
pub use status::Status;

pub(crate) use header::{
    MAJOR_VERSION, PROTOCOL_VERSION, PROTOCOL_VERSION_KEY, SOURCE, TIMESTAMP, accepts,
    is_supported, of_application,
};

/// The content type of requests and responses that say nothing else.
const JSON: &str = "application/json";

/// The answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The content; empty is sent as status 204.
    pub payload: Bytes,
    /// Its media type; `None` means `application/json`.
    pub content_type: Option<String>,
    /// Whether it is marked as UTF-8 text (`Some(true)`), as bytes, or not at all; `None` means: as text when it is JSON.
    pub payload_format_utf8: Option<bool>,
    /// User properties of the application.
    pub user_properties: Vec<(String, String)>,
    /// The time it carries (`__ts`), by the clock of who answers; `None` in an answer to send means now.
    pub sent_at: Option<HybridTime>,
}

impl Response {
    /// A JSON answer.
    pub fn json(payload: impl Into<Bytes>) -> Self {
        Self {
            payload: payload.into(),
            ..Self::default()
        }
    }

    /// Marks it as an error of the application: a code for programs and, as a JSON text, what there is to say about it.
    pub fn with_application_error(
        mut self,
        code: impl Into<String>,
        details: Option<String>,
    ) -> Self {
        self.user_properties
            .push(("AppErrCode".into(), code.into()));
        if let Some(details) = details {
            self.user_properties.push(("AppErrPayload".into(), details));
        }
        self
    }

    /// The code of the application's error, when it is one.
    pub fn application_error(&self) -> Option<&str> {
        self.user_properties
            .iter()
            .find(|(name, code)| name == "AppErrCode" && !code.is_empty())
            .map(|(_, code)| code.as_str())
    }
}
