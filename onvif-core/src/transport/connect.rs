//! From a host to a connection that HTTP can be spoken on.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::TransportError;
use super::tls::{Tls, explain};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: usize = 32 << 10;

type Resolver = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync;

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) tls: bool,
    /// IPv6 addresses without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    pub(super) fn of(uri: &::http::Uri) -> Result<Self, TransportError> {
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(TransportError::Protocol("the URI is not HTTP".into())),
        };
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        if host.is_empty() {
            return Err(TransportError::Protocol("the URI has no host".into()));
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
        })
    }
}

/// An open connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) origin: Origin,
    pub(super) sender: http1::SendRequest<Full<Bytes>>,
    /// When it was used last.
    pub(super) idle_since: Instant,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Opens connections. The address of a host is looked up once and kept until it fails, so that no
/// change of the name in between leads credentials elsewhere.
pub(super) struct Connector {
    tls: Tls,
    addresses: Mutex<HashMap<String, IpAddr>>,
    resolver: Box<Resolver>,
}

impl Connector {
    pub(super) fn new(tls: Tls) -> Self {
        Self::with_resolver(
            tls,
            Box::new(|host| {
                Box::pin(async move {
                    let found = tokio::net::lookup_host((host, 0)).await?;
                    Ok(found.map(|address| address.ip()).collect())
                })
            }),
        )
    }

    fn with_resolver(tls: Tls, resolver: Box<Resolver>) -> Self {
        Self {
            tls,
            addresses: Mutex::default(),
            resolver,
        }
    }

    pub(super) async fn connect(&self, origin: &Origin) -> Result<Connection, TransportError> {
        let tcp = self.tcp(origin).await?;
        // A request is one small write; waiting to fill a packet only costs time.
        let _ = tcp.set_nodelay(true);
        if !origin.tls {
            return handshake(origin, tcp).await;
        }
        let authority = match origin.host.contains(':') {
            true => format!("[{}]:{}", origin.host, origin.port),
            false => format!("{}:{}", origin.host, origin.port),
        };
        let name = ServerName::try_from(origin.host.clone())
            .map_err(|_| TransportError::Tls(format!("`{}` is no host name", origin.host)))?;
        let connector = TlsConnector::from(self.tls.config(&authority));
        let tls = match timeout(CONNECT_TIMEOUT, connector.connect(name, tcp)).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return Err(tls_error(&error)),
            Err(_) => {
                return Err(TransportError::Connect(format!(
                    "no TLS handshake within {} s",
                    CONNECT_TIMEOUT.as_secs()
                )));
            }
        };
        self.tls
            .seen(&authority, tls.get_ref().1.peer_certificates())?;
        handshake(origin, tls).await
    }

    async fn tcp(&self, origin: &Origin) -> Result<TcpStream, TransportError> {
        let mut failure = TransportError::Connect("the host has no address".into());
        let address: Option<IpAddr> = origin.host.parse().ok();
        let pinned = address.or_else(|| self.addresses().get(&origin.host).copied());
        if let Some(ip) = pinned {
            match open(SocketAddr::new(ip, origin.port)).await {
                Ok(tcp) => return Ok(tcp),
                Err(error) if address.is_some() => return Err(error),
                Err(error) => {
                    tracing::debug!(host = origin.host, %ip, %error, "looking the host up again");
                    failure = error;
                }
            }
        }
        let found = (self.resolver)(origin.host.clone())
            .await
            .map_err(|error| TransportError::Connect(error.to_string()))?;
        // The pinned address has just failed.
        for ip in found.into_iter().filter(|ip| Some(*ip) != pinned).take(8) {
            match open(SocketAddr::new(ip, origin.port)).await {
                Ok(tcp) => {
                    self.addresses().insert(origin.host.clone(), ip);
                    return Ok(tcp);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<String, IpAddr>> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

async fn open(address: SocketAddr) -> Result<TcpStream, TransportError> {
    match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(tcp)) => Ok(tcp),
        Ok(Err(error)) => Err(TransportError::Connect(error.to_string())),
        Err(_) => Err(TransportError::Connect(format!(
            "no answer within {} s",
            CONNECT_TIMEOUT.as_secs()
        ))),
    }
}

async fn handshake(
    origin: &Origin,
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Connection, TransportError> {
    let (sender, connection) = http1::Builder::new()
        // Head and body in one write: Bosch cameras fail requests that come in two.
        .writev(false)
        // Some embedded servers compare header names letter by letter.
        .title_case_headers(true)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .ignore_invalid_headers_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| TransportError::Protocol(error.to_string()))?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to a camera ended");
        }
    });
    Ok(Connection {
        origin: origin.clone(),
        sender,
        idle_since: Instant::now(),
        driver: driver.abort_handle(),
    })
}

fn tls_error(error: &io::Error) -> TransportError {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(error) => explain(error),
        None => TransportError::Tls(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;
    use crate::transport::tls::TlsOptions;

    const CAMERA: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
    const TWIN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

    /// Answers CAMERA first, and TWIN ever after.
    fn rebinding(asked: Arc<AtomicUsize>) -> Connector {
        let resolver = move |_: String| -> BoxFuture<'static, _> {
            let ip = match asked.fetch_add(1, Ordering::SeqCst) {
                0 => CAMERA,
                _ => TWIN,
            };
            Box::pin(async move { Ok(vec![IpAddr::V4(ip)]) })
        };
        Connector::with_resolver(Tls::new(TlsOptions::default()).unwrap(), Box::new(resolver))
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_leads_nowhere_else_while_the_first_answers() {
        let camera = TcpListener::bind((CAMERA, 0)).await.unwrap();
        let port = camera.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let connector = rebinding(asked.clone());
        let origin = Origin {
            tls: false,
            host: "cam.test".into(),
            port,
        };
        for _ in 0..5 {
            let connected = connector.tcp(&origin).await.unwrap();
            assert_eq!(connected.peer_addr().unwrap().ip(), IpAddr::V4(CAMERA));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);

        drop(camera);
        let moved = TcpListener::bind((TWIN, port)).await.unwrap();
        let connected = connector.tcp(&origin).await.unwrap();
        assert_eq!(connected.peer_addr().unwrap(), moved.local_addr().unwrap());
    }

    #[test]
    fn an_origin_has_the_port_of_its_scheme() {
        let origin = |uri: &'static str| Origin::of(&::http::Uri::from_static(uri));
        assert_eq!(origin("https://cam/a").unwrap().port, 443);
        assert_eq!(origin("http://[::1]/a").unwrap().host, "::1");
        assert!(origin("/a").is_err());
        assert!(origin("rtsp://cam/a").is_err());
    }
}
