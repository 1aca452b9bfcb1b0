use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::tls::{self, TlsPolicy};
use super::{BodyLimit, FreshConnection, Transport, TransportError};

const DEFAULT_LIMIT: usize = 4 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// HTTP/1.1 over TCP or TLS: no redirects, no proxy, no compression, no `Expect`, no chunks.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    pooled: reqwest::Client,
    fresh: reqwest::Client,
}

impl HttpTransport {
    /// A transport that checks certificates according to `policy`, against the system's roots and
    /// those in `extra_roots` (PEM).
    ///
    /// # Errors
    /// [`TransportError::Tls`] when `extra_roots` holds no certificate.
    pub fn new(policy: TlsPolicy, extra_roots: &[u8]) -> Result<Self, TransportError> {
        let tls = tls::client_config(policy, extra_roots)?;
        let client = |idle: usize| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_max_idle_per_host(idle)
                // Cameras close idle connections early, many without saying so.
                .pool_idle_timeout(Duration::from_secs(4))
                .build()
                .map_err(|error| TransportError::Tls(chain(&error)))
        };
        Ok(Self {
            pooled: client(2)?,
            fresh: client(0)?,
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(
        &self,
        request: ::http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<::http::Response<Bytes>, TransportError> {
        let limit = request
            .extensions()
            .get::<BodyLimit>()
            .map_or(DEFAULT_LIMIT, |limit| limit.0);
        let client = match request.extensions().get::<FreshConnection>() {
            Some(_) => &self.fresh,
            None => &self.pooled,
        };
        let request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::Protocol(chain(&error)))?;
        tokio::time::timeout(deadline, exchange(client, request, limit))
            .await
            .unwrap_or(Err(TransportError::Timeout(deadline)))
    }
}

async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
    limit: usize,
) -> Result<::http::Response<Bytes>, TransportError> {
    let mut response = client.execute(request).await.map_err(classify)?;
    let mut builder = ::http::Response::builder().status(response.status());
    if let Some(headers) = builder.headers_mut() {
        *headers = response.headers().clone();
    }
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(TransportError::TooLarge(limit));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(classify)? {
        if body.len() + chunk.len() > limit {
            return Err(TransportError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    builder
        .body(body.freeze())
        .map_err(|error| TransportError::Protocol(error.to_string()))
}

fn classify(error: reqwest::Error) -> TransportError {
    let text = chain(&error);
    let tls = sources(&error)
        .any(|source| source.is::<rustls::Error>() || io_cause::<rustls::Error>(source));
    let closed = sources(&error).any(|source| {
        source.downcast_ref::<std::io::Error>().is_some_and(|io| {
            use std::io::ErrorKind::{
                BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof,
            };
            matches!(
                io.kind(),
                ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof
            )
        })
    });
    if tls {
        TransportError::Tls(text)
    } else if error.is_connect() {
        TransportError::Connect(text)
    } else if error.is_timeout() {
        TransportError::Timeout(CONNECT_TIMEOUT)
    } else if closed
        || text.contains("connection closed")
        || text.contains("IncompleteMessage")
        || text.contains("end of file")
    {
        TransportError::Closed(text)
    } else {
        TransportError::Protocol(text)
    }
}

fn io_cause<T: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref)
        .is_some_and(|inner| inner.is::<T>())
}

fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let current = next?;
        next = current.source();
        Some(current)
    })
}

/// The message with its causes, without the URL: that may carry what is secret.
fn chain(error: &reqwest::Error) -> String {
    sources(error)
        .map(ToString::to_string)
        .last()
        .unwrap_or_else(|| {
            if error.is_timeout() {
                "timed out".to_owned()
            } else {
                "the request failed".to_owned()
            }
        })
}
