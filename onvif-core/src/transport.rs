//! The one seam to the network. Authentication and retry sit above it.

mod connect;
mod http;
mod pin;
mod tls;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::http::HttpTransport;
pub use pin::{InvalidPin, PinStore, SpkiPin};
pub use tls::{CertificateProblem, ClientCertificate, TlsOptions, TlsPolicy};

/// Sends one HTTP request and reads the whole answer.
///
/// An implementation follows no redirects, adds no credentials and repeats nothing that may have
/// reached the camera. It honours the
/// request extensions [`BodyLimit`] and [`FreshConnection`] where they are present.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request`; the answer, with its body, must be complete within `deadline`.
    async fn send(
        &self,
        request: ::http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<::http::Response<Bytes>, TransportError>;
}

/// Request extension: the largest body, in bytes, that is worth receiving. 4 MiB without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

/// Request extension: use a connection that carried no request before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshConnection;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection: host unknown, port closed, network down.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The camera's certificate is not trusted. Repeating does not help.
    #[error("TLS: the camera's certificate {0}")]
    Certificate(CertificateProblem),
    /// TLS could not be agreed on. Repeating does not help.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection was closed before the answer was complete.
    #[error("the camera closed the connection: {0}")]
    Closed(String),
    /// The deadline passed.
    #[error("no complete answer within {0:?}")]
    Timeout(Duration),
    /// The answer is larger than it may be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// What came is not HTTP, or the request cannot be sent at all.
    #[error("{0}")]
    Protocol(String),
}

impl TransportError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Closed(_) | Self::Timeout(_))
    }

    /// Whether the camera could be reached, and what it sent breaks the rules of HTTP or has no end.
    pub fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::Protocol(_))
    }
}
