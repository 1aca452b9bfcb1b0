//! From a host to a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Error;
use crate::tls::{Tls, TlsOptions};

/// A connection, whatever is under it.
pub(crate) type Wire = Box<dyn Duplex>;

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Opens connections to one host. Its address is looked up once and kept until it fails, so that no change of the name in
/// between leads credentials elsewhere.
pub(crate) struct Dialer {
    label: String,
    /// IPv6 addresses without brackets.
    host: String,
    tls_options: TlsOptions,
    tls: OnceLock<Tls>,
    address: Mutex<Option<IpAddr>>,
}

/// An open connection.
pub(crate) struct Dialed {
    pub(crate) wire: Wire,
    /// The other side's address.
    pub(crate) ip: IpAddr,
    /// Our address.
    pub(crate) local_ip: IpAddr,
}

impl Dialer {
    /// `host` as it stands in a URL; `label` names the stream in errors.
    pub(crate) fn new(host: &str, label: String, tls_options: TlsOptions) -> Self {
        Self {
            label,
            host: host.trim_matches(['[', ']']).to_owned(),
            tls_options,
            tls: OnceLock::new(),
            address: Mutex::default(),
        }
    }

    /// TLS for this host.
    ///
    /// # Errors
    /// [`Error::Option`] where it cannot be set up.
    pub(crate) fn tls(&self) -> Result<&Tls, Error> {
        if self.tls.get().is_none() {
            let _ = self.tls.set(Tls::new(&self.tls_options, &self.label)?);
        }
        self.tls.get().ok_or(Error::Closed)
    }

    /// Opens a connection within `limit`.
    pub(crate) async fn dial(
        &self,
        port: u16,
        secure: bool,
        limit: Duration,
    ) -> Result<Dialed, Error> {
        let tls = match secure {
            true => Some(self.tls()?),
            false => None,
        };
        let host = &self.host;
        let stream = self
            .tcp(port, limit)
            .await
            .map_err(|e| self.network(format!("cannot connect to {host}:{port}"), e))?;
        let _ = stream.set_nodelay(true);
        let addresses = stream
            .peer_addr()
            .and_then(|peer| Ok((peer.ip(), stream.local_addr()?.ip())));
        let (ip, local_ip) =
            addresses.map_err(|e| self.network("the connection broke".into(), Some(e)))?;
        let wire: Wire = match tls {
            None => Box::new(stream),
            Some(tls) => {
                let agreed = timeout(limit, tls.connect(host, stream)).await;
                let agreed = agreed.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                Box::new(agreed.map_err(|e| {
                    self.network(format!("cannot agree on TLS with {host}:{port}"), Some(e))
                })?)
            }
        };
        Ok(Dialed { wire, ip, local_ip })
    }

    async fn tcp(&self, port: u16, limit: Duration) -> Result<TcpStream, Option<io::Error>> {
        let known = *self.address();
        if let Some(ip) = known {
            match connect(&[SocketAddr::new(ip, port)], limit).await {
                Ok(stream) => return Ok(stream),
                Err(error) if self.host.parse::<IpAddr>().is_ok() => return Err(error),
                Err(error) => {
                    tracing::debug!(stream = %self.label, %ip, ?error, "looking the host up again");
                    *self.address() = None;
                }
            }
        }
        let found = tokio::net::lookup_host((self.host.as_str(), port)).await;
        let found: Vec<_> = found.map_err(Some)?.take(MOST_ADDRESSES).collect();
        let stream = connect(&found, limit).await?;
        *self.address() = stream.peer_addr().ok().map(|peer| peer.ip());
        Ok(stream)
    }

    fn address(&self) -> std::sync::MutexGuard<'_, Option<IpAddr>> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn network(&self, action: String, source: Option<io::Error>) -> Error {
        Error::Network {
            url: self.label.clone(),
            action,
            source: source.map(Arc::new),
        }
    }
}

/// Most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Connects to the first address that answers. Each gets its share of `limit`, so that one that drops packets, as IPv6 does
/// in many camera networks, leaves time for the next.
async fn connect(
    addresses: &[SocketAddr],
    limit: Duration,
) -> Result<TcpStream, Option<io::Error>> {
    let share = limit / (addresses.len() as u32).saturating_add(1);
    let mut last = None;
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(e)) => last = Some(e),
            Err(_) => last = Some(io::ErrorKind::TimedOut.into()),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_address_that_drops_packets_leaves_time_for_the_next() {
        let full =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        full.listen(0).unwrap();
        let dropping = full.local_addr().unwrap().as_socket().unwrap();
        // Once its backlog is full, Linux drops what else arrives.
        let mut waiting = Vec::new();
        while let Ok(Ok(stream)) =
            timeout(Duration::from_millis(200), TcpStream::connect(dropping)).await
        {
            waiting.push(stream);
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let answering = listener.local_addr().unwrap();
        let limit = Duration::from_millis(900);
        let stream = timeout(limit, connect(&[dropping, answering], limit)).await;
        assert_eq!(stream.unwrap().unwrap().peer_addr().unwrap(), answering);
    }

    #[tokio::test]
    async fn an_address_is_kept_until_it_fails() {
        let limit = Duration::from_secs(5);
        let dialer = Dialer::new("localhost", "cam".into(), TlsOptions::default());
        let twin = TcpListener::bind(("127.0.0.2", 0)).await.unwrap();
        let port = twin.local_addr().unwrap().port();
        *dialer.address() = Some([127, 0, 0, 2].into());
        let kept = dialer.dial(port, false, limit).await.unwrap();
        assert_eq!(kept.ip, IpAddr::from([127, 0, 0, 2]));
        drop(twin);
        assert!(dialer.dial(port, false, limit).await.is_err());
        assert_eq!(*dialer.address(), None);
    }
}
