//! A proxy between a client and a server that imitates bad networks.

mod counters;
mod faults;
mod line;
mod tcp;
mod udp;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::counters::{FaultCounters, LinkCounters};
pub use self::faults::{Drip, Faults, LinkFaults};
pub(crate) use self::line::{Fate, Line};
use crate::error::Error;
use crate::port::Port;

/// How a [`FaultProxy`] is to be.
#[derive(Clone, Debug)]
pub struct FaultProxyOptions {
    /// Where to listen; a free port of 127.0.0.1 by default.
    pub listen: SocketAddr,
    /// Chance is drawn from this number: the same bytes in the same order meet with the same faults.
    pub seed: u64,
    /// What goes wrong from the start.
    pub faults: Faults,
}

impl Default for FaultProxyOptions {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            seed: 0,
            faults: Faults::default(),
        }
    }
}

/// Stands between clients and one server, TCP or UDP, and makes go wrong what [`Faults`] say. Dropped, it stops, and what
/// it carried is cut.
///
/// It knows nothing of what it carries, and works with any server, not only with a virtual camera.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::{TcpListener, TcpStream};
/// use virtual_camera::{FaultProxy, FaultProxyOptions, Faults, LinkFaults};
///
/// let server = TcpListener::bind("127.0.0.1:0").await?;
/// let proxy = FaultProxy::tcp(server.local_addr()?, FaultProxyOptions::default()).await?;
/// proxy.set_faults(Faults {
///     to_client: LinkFaults { cut_after: Some(5), ..Default::default() },
///     ..Default::default()
/// });
///
/// let mut client = TcpStream::connect(proxy.local_addr()).await?;
/// let (mut served, _) = server.accept().await?;
/// served.write_all(b"a long answer").await?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "a lon");
/// assert_eq!(proxy.counters().cut, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a proxy that is dropped stops"]
pub struct FaultProxy {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
    _stop: DropGuard,
}

impl FaultProxy {
    /// Takes TCP connections and carries each to `target`.
    ///
    /// # Errors
    /// [`Error::Listen`] where the address to listen on cannot be had.
    pub async fn tcp(target: SocketAddr, options: FaultProxyOptions) -> Result<Self, Error> {
        let failed = listen_failed("the fault proxy (TCP)", options.listen);
        let (port, handle) = Port::open(options.listen).map_err(failed)?;
        let local_addr = handle.address();
        let shared = Arc::new(Shared::new(target, options));
        let (stop, stopped) = stop();
        let serving = tcp::serve(shared.clone(), port, handle);
        tokio::spawn(stopped.run_until_cancelled_owned(serving));
        Ok(Self {
            shared,
            local_addr,
            _stop: stop,
        })
    }

    /// Takes datagrams and carries them to `target`, and the answers back to whoever asked: each client has a socket
    /// of its own towards the target, for two minutes after its last datagram. There are up to 256 of them.
    ///
    /// # Errors
    /// [`Error::Listen`] where the address to listen on cannot be had.
    pub async fn udp(target: SocketAddr, options: FaultProxyOptions) -> Result<Self, Error> {
        let failed = listen_failed("the fault proxy (UDP)", options.listen);
        let socket = UdpSocket::bind(options.listen).await.map_err(&failed)?;
        let local_addr = socket.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared::new(target, options));
        let (stop, stopped) = stop();
        let serving = udp::serve(shared.clone(), Arc::new(socket));
        tokio::spawn(stopped.run_until_cancelled_owned(serving));
        Ok(Self {
            shared,
            local_addr,
            _stop: stop,
        })
    }

    /// Where the proxy listens: what clients are to take for the server.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What goes wrong now.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.shared.faults.borrow().clone()
    }

    /// Makes something else go wrong from now on, for the connections there are as well. What is on its way already
    /// arrives as it would have. A port that is to refuse connections, or to take them again, does so a moment later.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.faults.send_replace(faults);
    }

    /// Carries new connections and new UDP clients to another server: one that moved, or that had to know the address of
    /// the proxy before it started.
    pub fn set_target(&self, target: SocketAddr) {
        *self.shared.lock_target() = target;
    }

    /// Resets the TCP connections there are, and forgets the UDP clients there are. New ones are served.
    pub fn reset_connections(&self) {
        let mut connections = self.shared.lock_connections();
        connections.cancel();
        *connections = CancellationToken::new();
    }

    /// What the proxy did so far.
    #[must_use]
    pub fn counters(&self) -> FaultCounters {
        self.shared.lock_counters().clone()
    }
}

fn listen_failed(purpose: &'static str, address: SocketAddr) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Listen {
        purpose,
        address,
        source,
    }
}

fn stop() -> (DropGuard, CancellationToken) {
    let stopped = CancellationToken::new();
    (stopped.clone().drop_guard(), stopped)
}

/// What all connections of a proxy have in common.
#[derive(Debug)]
struct Shared {
    target: Mutex<SocketAddr>,
    seed: u64,
    faults: watch::Sender<Faults>,
    counters: Mutex<FaultCounters>,
    /// Cancelled to reset the connections there are.
    connections: Mutex<CancellationToken>,
}

impl Shared {
    fn new(target: SocketAddr, options: FaultProxyOptions) -> Self {
        Self {
            target: Mutex::new(target),
            seed: options.seed,
            faults: watch::Sender::new(options.faults),
            counters: Mutex::default(),
            connections: Mutex::default(),
        }
    }

    fn count(&self, change: impl FnOnce(&mut FaultCounters)) {
        change(&mut self.lock_counters());
    }

    fn count_on(&self, way: Way, change: impl FnOnce(&mut LinkCounters)) {
        self.count(|counters| match way {
            Way::ToServer => change(&mut counters.to_server),
            Way::ToClient => change(&mut counters.to_client),
        });
    }

    fn lock_counters(&self) -> std::sync::MutexGuard<'_, FaultCounters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn target(&self) -> SocketAddr {
        *self.lock_target()
    }

    fn lock_target(&self) -> std::sync::MutexGuard<'_, SocketAddr> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_connections(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        let connections = self.connections.lock();
        connections.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where bytes are going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToServer,
    ToClient,
}

impl Way {
    fn of(self, faults: &Faults) -> &LinkFaults {
        match self {
            Self::ToServer => &faults.to_server,
            Self::ToClient => &faults.to_client,
        }
    }
}
