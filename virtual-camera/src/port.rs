//! A TCP port that can be shut for a while, and moved to another address, while somebody accepts from it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

const BACKLOG: u32 = 1024;
/// What the operating system refuses now it may grant then.
const RETRY: Duration = Duration::from_millis(50);

/// Where connections come in.
#[derive(Debug)]
pub(crate) struct Port {
    wanted: watch::Receiver<Wanted>,
    moved: Arc<Mutex<Option<TcpListener>>>,
    socket: Socket,
}

/// Shuts and moves a [`Port`].
#[derive(Debug)]
pub(crate) struct PortHandle {
    wanted: watch::Sender<Wanted>,
    /// Listens at the new address until the port takes it.
    moved: Arc<Mutex<Option<TcpListener>>>,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    address: SocketAddr,
    open: bool,
}

#[derive(Debug)]
enum Socket {
    Listening(TcpListener),
    /// Has the port without listening: whoever connects is refused.
    Held(TcpSocket),
    Lost,
}

impl Port {
    /// Listens on an address; port 0 is any free port.
    pub(crate) fn open(address: SocketAddr) -> io::Result<(Self, PortHandle)> {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        let (sender, wanted) = watch::channel(Wanted {
            address,
            open: true,
        });
        let moved = Arc::new(Mutex::new(None));
        let port = Self {
            wanted,
            moved: moved.clone(),
            socket: Socket::Listening(listener),
        };
        let handle = PortHandle {
            wanted: sender,
            moved,
        };
        Ok((port, handle))
    }

    /// The next connection. Cancelled, it loses none.
    pub(crate) async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            let wanted = *self.wanted.borrow_and_update();
            let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(listener) = { moved }.take() {
                self.socket = Socket::Listening(listener);
            }
            match (&self.socket, wanted.open) {
                (Socket::Listening(listener), true) => tokio::select! {
                    accepted = listener.accept() => return accepted,
                    () = changed(&mut self.wanted) => {}
                },
                (Socket::Held(_), false) => changed(&mut self.wanted).await,
                (_, true) => self.listen_again(wanted.address).await,
                (_, false) => {
                    // The port is not free before this one is closed.
                    self.socket = Socket::Lost;
                    match hold(wanted.address) {
                        Ok(held) => self.socket = Socket::Held(held),
                        Err(_) => tokio::time::sleep(RETRY).await,
                    }
                }
            }
        }
    }

    async fn listen_again(&mut self, address: SocketAddr) {
        let listening = match std::mem::replace(&mut self.socket, Socket::Lost) {
            Socket::Held(held) => held.listen(BACKLOG),
            Socket::Listening(listener) => Ok(listener),
            Socket::Lost => listen(address),
        };
        match listening {
            Ok(listener) => self.socket = Socket::Listening(listener),
            Err(error) => {
                tracing::warn!(%address, %error, "cannot listen again; trying on");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

impl PortHandle {
    /// Where connections come in.
    pub(crate) fn address(&self) -> SocketAddr {
        self.wanted.borrow().address
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.address().ip()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address().port()
    }

    /// Refuses connections, or lets them in again.
    pub(crate) fn set_open(&self, open: bool) {
        self.wanted.send_if_modified(|wanted| {
            let before = std::mem::replace(&mut wanted.open, open);
            before != open
        });
    }

    /// Listens at this new place, and no longer at the old one.
    pub(crate) fn move_to(&self, listener: TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        *moved = Some(listener);
        drop(moved);
        self.wanted.send_modify(|wanted| wanted.address = address);
        Ok(())
    }
}

/// Waits for a change; for ever, where nobody can make one any more.
async fn changed(wanted: &mut watch::Receiver<Wanted>) {
    if wanted.changed().await.is_err() {
        std::future::pending().await
    }
}

/// A new place to be.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    hold(address)?.listen(BACKLOG)
}

fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Connections that are open do not keep the port from being listened on again.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    const DEADLINE: Duration = Duration::from_secs(20);

    /// Accepts all that comes.
    fn serve(mut port: Port) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            while let Ok((stream, _)) = port.accept().await {
                drop(stream);
            }
        })
    }

    async fn until_refused(address: SocketAddr) {
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        let refused = async {
            while !TcpStream::connect(address).await.is_err_and(refused) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, refused).await.unwrap();
    }

    async fn until_served(address: SocketAddr) {
        let served = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, served).await.unwrap();
    }

    #[tokio::test]
    async fn refuses_while_it_is_shut_and_keeps_its_port() {
        let (port, handle) = Port::open(LOCAL).unwrap();
        let serving = serve(port);
        let address = handle.address();
        for _ in 0..3 {
            until_served(address).await;
            handle.set_open(false);
            until_refused(address).await;
            // Somebody who asks for no exception does not get it.
            assert!(TcpSocket::new_v4().unwrap().bind(address).is_err());
            handle.set_open(true);
        }
        until_served(address).await;
        serving.abort();
    }

    #[tokio::test]
    async fn moves_also_while_it_is_shut() {
        let (port, handle) = Port::open(LOCAL).unwrap();
        let serving = serve(port);
        let first = handle.address();
        handle.move_to(listen(LOCAL).unwrap()).unwrap();
        let second = handle.address();
        until_refused(first).await;
        until_served(second).await;

        handle.set_open(false);
        until_refused(second).await;
        handle.move_to(listen(LOCAL).unwrap()).unwrap();
        until_refused(handle.address()).await;
        handle.set_open(true);
        until_served(handle.address()).await;
        until_refused(second).await;
        serving.abort();
    }
}
