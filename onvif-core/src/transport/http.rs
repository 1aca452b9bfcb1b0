use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::connect::{Connection, Connector, Origin};
use super::pin::PinStore;
use super::tls::{Tls, TlsOptions, TlsPolicy};
use super::{BodyLimit, FreshConnection, Transport, TransportError};

const DEFAULT_LIMIT: usize = 4 << 20;
/// Some cameras stall or crash on more connections at a time.
const CONNECTIONS: usize = 2;
/// Cameras close idle connections early, many without saying so.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// After so many requests lost on idle connections, each request gets a connection of its own.
const MAX_LOST: u8 = 2;
/// Within this time an idle connection that was closed shows itself.
const CLOSED_AT_ONCE: Duration = Duration::from_secs(1);
/// How long the rest of an answer is waited for when the SOAP envelope is complete.
const REST_TIMEOUT: Duration = Duration::from_secs(1);

/// HTTP/1.1 over TCP or TLS: at most two connections to a host, each request in one write, no
/// redirects, no proxy, no compression, no `Expect`, no chunks. Clones share the connections.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    connector: Arc<Connector>,
    hosts: Arc<Mutex<HashMap<String, Arc<Host>>>>,
    connections: usize,
    pins: PinStore,
}

/// The connections to one host, whatever their port.
#[derive(Debug)]
struct Host {
    /// One for each connection in use.
    slots: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Connection>,
    /// Requests that were lost because an idle connection was closed in silence.
    lost: u8,
}

impl HttpTransport {
    /// A transport that checks certificates according to `policy`, against the system's roots and
    /// those in `extra_roots` (PEM).
    ///
    /// # Errors
    /// [`TransportError::Tls`] when `extra_roots` holds no certificate.
    pub fn new(policy: TlsPolicy, extra_roots: &[u8]) -> Result<Self, TransportError> {
        Self::with_tls(TlsOptions {
            policy,
            extra_roots: extra_roots.to_vec(),
            ..TlsOptions::default()
        })
    }

    /// A transport with these TLS settings.
    ///
    /// # Errors
    /// [`TransportError::Tls`] when `extra_roots` holds no certificate, or the key does not belong
    /// to the client certificate.
    pub fn with_tls(options: TlsOptions) -> Result<Self, TransportError> {
        let pins = options.pins.clone();
        Ok(Self {
            connector: Arc::new(Connector::new(Tls::new(options)?)),
            hosts: Arc::default(),
            connections: CONNECTIONS,
            pins,
        })
    }

    /// One connection to a host at a time, for cameras that stall on two.
    #[must_use]
    pub fn one_connection(mut self) -> Self {
        self.connections = 1;
        self.hosts = Arc::default();
        self
    }

    /// The keys seen with [`TlsPolicy::TrustOnFirstUse`].
    pub fn pins(&self) -> &PinStore {
        &self.pins
    }

    fn host(&self, origin: &Origin) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(origin.host.clone()).or_insert_with(|| {
            Arc::new(Host {
                slots: Semaphore::new(self.connections),
                state: Mutex::default(),
            })
        });
        host.clone()
    }

    async fn exchange(
        &self,
        request: ::http::Request<Bytes>,
        limit: usize,
    ) -> Result<::http::Response<Bytes>, TransportError> {
        let origin = Origin::of(request.uri())?;
        let fresh = request.extensions().get::<FreshConnection>().is_some();
        let host = self.host(&origin);
        let _slot = host.slots.acquire().await.ok();
        let keep = host.state().lost < MAX_LOST;
        let mut request = origin_form(request, keep)?;

        let mut reused = None;
        if fresh {
            // The others are as old as the one that failed.
            host.state().idle.clear();
        } else {
            while let Some(mut connection) = host.take(&origin) {
                if connection.sender.ready().await.is_ok() {
                    reused = Some(connection);
                    break;
                }
            }
        }
        if let Some(mut connection) = reused {
            let sent = Instant::now();
            match connection.sender.try_send_request(request).await {
                Ok(response) => {
                    return receive(response, limit, connection, keep.then_some(&*host)).await;
                }
                Err(mut error) => match error.take_message() {
                    // Not a byte of it was sent.
                    Some(unsent) => request = unsent,
                    None => {
                        let error = classify(error.error());
                        // Closed later, it was given up for another reason, such as a long poll.
                        let at_once = sent.elapsed() < CLOSED_AT_ONCE;
                        if at_once && matches!(error, TransportError::Closed(_)) {
                            host.lost_one(&origin);
                        }
                        return Err(error);
                    }
                },
            }
        }
        host.make_room(self.connections);
        let mut connection = self.connector.connect(&origin).await?;
        let response = connection
            .sender
            .try_send_request(request)
            .await
            .map_err(|error| classify(error.error()))?;
        receive(response, limit, connection, keep.then_some(&*host)).await
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
        timeout(deadline, self.exchange(request, limit))
            .await
            .unwrap_or(Err(TransportError::Timeout(deadline)))
    }
}

impl Host {
    /// An idle connection that may still be alive.
    fn take(&self, origin: &Origin) -> Option<Connection> {
        let mut state = self.state();
        state
            .idle
            .retain(|connection| connection.idle_since.elapsed() < IDLE_TIMEOUT);
        let found = state
            .idle
            .iter()
            .position(|connection| connection.origin == *origin)?;
        Some(state.idle.swap_remove(found))
    }

    /// Closes idle connections until one more may be opened.
    fn make_room(&self, connections: usize) {
        // The slot of the caller counts as in use.
        let allowed = self.slots.available_permits().min(connections);
        let mut state = self.state();
        while state.idle.len() > allowed {
            state.idle.remove(0);
        }
    }

    fn put(&self, mut connection: Connection) {
        connection.idle_since = Instant::now();
        let mut state = self.state();
        if state.lost < MAX_LOST {
            state.idle.push(connection);
        }
    }

    fn lost_one(&self, origin: &Origin) {
        let mut state = self.state();
        state.idle.clear();
        state.lost = state.lost.saturating_add(1);
        if state.lost == MAX_LOST {
            tracing::debug!(
                host = origin.host,
                "this camera closes idle connections in silence; they are no longer used again"
            );
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request as it stands on the wire: path alone, with `Host`.
fn origin_form(
    request: ::http::Request<Bytes>,
    keep: bool,
) -> Result<::http::Request<Full<Bytes>>, TransportError> {
    let invalid = |error: ::http::Error| TransportError::Protocol(error.to_string());
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    // Credentials are never part of a URI; should one get here, it goes no further.
    let host = authority.and_then(|text| text.rsplit('@').next());
    let host = ::http::HeaderValue::from_str(host.unwrap_or_default())
        .map_err(|error| invalid(error.into()))?;
    parts.headers.insert(::http::header::HOST, host);
    if !keep {
        let close = ::http::HeaderValue::from_static("close");
        parts.headers.insert(::http::header::CONNECTION, close);
    }
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = target
        .parse()
        .map_err(|error: ::http::uri::InvalidUri| invalid(error.into()))?;
    Ok(::http::Request::from_parts(parts, Full::new(body)))
}

/// Reads the answer to its end, and gives its connection back when it is good for another request.
async fn receive(
    response: ::http::Response<Incoming>,
    limit: usize,
    connection: Connection,
    kept_by: Option<&Host>,
) -> Result<::http::Response<Bytes>, TransportError> {
    let (parts, mut incoming) = response.into_parts();
    let announced = hyper::body::Body::size_hint(&incoming).lower();
    if announced > limit as u64 {
        return Err(TransportError::TooLarge(limit));
    }
    let mut body = Vec::new();
    let mut complete = true;
    loop {
        let complete_envelope = is_envelope(&body);
        let frame = if complete_envelope {
            match timeout(REST_TIMEOUT, incoming.frame()).await {
                Ok(frame) => frame,
                // Announced more than there is, and waits as we do.
                Err(_) => {
                    complete = false;
                    break;
                }
            }
        } else {
            incoming.frame().await
        };
        match frame {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                if body.len() + data.len() > limit {
                    return Err(TransportError::TooLarge(limit));
                }
                // Doubling would reserve twice the limit in the end.
                if body.capacity() < body.len() + data.len() {
                    let wanted = (2 * body.len()).clamp(body.len() + data.len(), limit);
                    body.reserve_exact(wanted - body.len());
                }
                body.extend_from_slice(&data);
            }
            Some(Err(_)) if complete_envelope => {
                complete = false;
                break;
            }
            Some(Err(error)) => return Err(classify(&error)),
            None => break,
        }
    }
    match kept_by {
        Some(host) if complete => host.put(connection),
        _ if complete => {}
        _ => tracing::debug!("the camera announced a longer answer than it sent"),
    }
    Ok(::http::Response::from_parts(parts, Bytes::from(body)))
}

/// Whether a SOAP envelope ends here.
fn is_envelope(body: &[u8]) -> bool {
    body.trim_ascii_end().ends_with(b"Envelope>")
}

fn classify(error: &hyper::Error) -> TransportError {
    let text = sources(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let io = sources(error).find_map(|source| source.downcast_ref::<std::io::Error>());
    if let Some(tls) = io
        .and_then(std::io::Error::get_ref)
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return super::tls::explain(tls);
    }
    if io.is_some() || error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        TransportError::Closed(text)
    } else {
        TransportError::Protocol(text)
    }
}

fn sources(error: &hyper::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let current = next?;
        next = current.source();
        Some(current)
    })
}
