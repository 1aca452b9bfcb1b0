//! A small HTTP listener for cameras that push notifications (WS-BaseNotification).

mod server;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use url::{Host, Url};

use super::notification::Notification;
use crate::error::Error;
use crate::random;

/// Settings of a [`PushListener`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushOptions {
    /// Host and port at which cameras reach the listener, such as `192.0.2.1:8090`, where that is not
    /// its own address: behind NAT, in a container.
    pub advertised: Option<String>,
    /// Who may push.
    pub peers: PeerPolicy,
    /// Largest notification, in bytes; 1 MiB.
    pub body_limit: usize,
    /// Messages of one camera that may wait; 64. What is beyond is refused, and becomes a gap.
    pub queue: usize,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self {
            advertised: None,
            peers: PeerPolicy::default(),
            body_limit: 1 << 20,
            queue: 64,
        }
    }
}

/// From which addresses notifications are taken. The secret path is needed in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerPolicy {
    /// Only from the address of the camera that was subscribed to.
    #[default]
    Camera,
    /// From anywhere: where cameras are behind address translation.
    Anyone,
}

/// Receives what cameras push: plain HTTP, one secret and short path for each subscription (some
/// firmware crashes on long addresses). Clones share it; it stops listening when the last one, and the
/// last stream that uses it, is dropped.
///
/// Prefer pull points: they need no way from the camera to here.
#[derive(Clone, Debug)]
pub struct PushListener {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    options: PushOptions,
    routes: Routes,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Routes = Arc<Mutex<HashMap<String, Route>>>;

#[derive(Clone, Debug)]
struct Route {
    /// Empty where anyone may push.
    peers: Vec<IpAddr>,
    queue: mpsc::Sender<Vec<Notification>>,
    overflowed: Arc<AtomicBool>,
}

impl PushListener {
    /// Listens at `address`; port 0 is any free one.
    ///
    /// # Errors
    /// [`Error::Caller`] when the address cannot be used.
    pub async fn bind(address: SocketAddr, options: PushOptions) -> Result<Self, Error> {
        let refused =
            |error| Error::Caller(format!("cannot listen for events at {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let routes = Routes::default();
        let server = tokio::spawn(server::serve(listener, routes.clone(), options.body_limit));
        let inner = Inner {
            address,
            options,
            routes,
            server,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.inner.address
    }

    /// A new address for one camera.
    pub(super) async fn register(&self, camera: &Url) -> Result<PushQueue, Error> {
        let host = camera.host_str().unwrap_or_default();
        let port = camera.port_or_known_default().unwrap_or(80);
        let of_camera = match camera.host() {
            Some(Host::Ipv4(ip)) => vec![SocketAddr::new(ip.into(), port)],
            Some(Host::Ipv6(ip)) => vec![SocketAddr::new(ip.into(), port)],
            _ => tokio::net::lookup_host((host, port))
                .await
                .map_err(|error| {
                    Error::Caller(format!("the address of {host} is not known: {error}"))
                })?
                .collect(),
        };
        let advertised = match &self.inner.options.advertised {
            Some(advertised) => advertised.clone(),
            None => self.seen_from(&of_camera).await?.to_string(),
        };
        // 72 bits, and no longer than needed: some cameras crash on long addresses.
        let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random::bytes::<9>());
        let address = Url::parse(&format!("http://{advertised}/{secret}")).map_err(|error| {
            Error::Caller(format!("cameras cannot reach `{advertised}`: {error}"))
        })?;
        let (queue, notifications) = mpsc::channel(self.inner.options.queue.max(1));
        let overflowed = Arc::new(AtomicBool::new(false));
        let peers = match self.inner.options.peers {
            PeerPolicy::Camera => of_camera
                .iter()
                .map(|address| address.ip().to_canonical())
                .collect(),
            PeerPolicy::Anyone => Vec::new(),
        };
        let route = Route {
            peers,
            queue,
            overflowed: overflowed.clone(),
        };
        lock(&self.inner.routes).insert(secret.clone(), route);
        Ok(PushQueue {
            listener: self.clone(),
            secret,
            address,
            notifications,
            overflowed,
        })
    }

    /// Our address as the camera sees it: that of the interface which leads there.
    async fn seen_from(&self, camera: &[SocketAddr]) -> Result<SocketAddr, Error> {
        let local = self.inner.address;
        if !local.ip().is_unspecified() {
            return Ok(local);
        }
        for target in camera {
            let any: SocketAddr = match target {
                SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
                SocketAddr::V6(_) => ([0u16; 8], 0).into(),
            };
            // Nothing is sent: connecting a datagram socket only chooses the route.
            if let Ok(socket) = UdpSocket::bind(any).await
                && socket.connect(target).await.is_ok()
                && let Ok(source) = socket.local_addr()
            {
                return Ok(SocketAddr::new(source.ip(), local.port()));
            }
        }
        Err(Error::Caller(
            "no interface leads to the camera; set the address it can push to in `advertised`"
                .into(),
        ))
    }
}

/// What one camera pushes.
pub(super) struct PushQueue {
    listener: PushListener,
    secret: String,
    address: Url,
    notifications: mpsc::Receiver<Vec<Notification>>,
    overflowed: Arc<AtomicBool>,
}

impl PushQueue {
    /// Where the camera shall push.
    pub(super) fn address(&self) -> &Url {
        &self.address
    }

    /// Waits for the next message; also tells whether one was refused since the last call.
    pub(super) async fn next(&mut self, timeout: Duration) -> (Vec<Notification>, bool) {
        let next = tokio::time::timeout(timeout, self.notifications.recv()).await;
        let overflowed = self.overflowed.swap(false, Ordering::Relaxed);
        (next.ok().flatten().unwrap_or_default(), overflowed)
    }
}

impl Drop for PushQueue {
    fn drop(&mut self) {
        lock(&self.listener.inner.routes).remove(&self.secret);
    }
}

fn lock(routes: &Routes) -> std::sync::MutexGuard<'_, HashMap<String, Route>> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}
