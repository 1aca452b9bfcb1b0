//! WS-Discovery (April 2005, as ONVIF uses it): answers Probe and Resolve, says Hello and Bye.

mod message;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use self::message::Announcement;
use crate::builder::Discovery;
use crate::error::Error;
use crate::server::advertised_host;
use crate::service::Service;
use crate::state::Camera;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const PORT: u16 = 3702;
const MAX_DATAGRAM: usize = 64 * 1024;

/// Starts to answer, and returns where.
pub(crate) async fn start(
    camera: &Arc<Camera>,
    discovery: Discovery,
    listen: IpAddr,
) -> Result<Option<(SocketAddr, JoinHandle<()>)>, Error> {
    let failed = |address| {
        move |source| Error::Listen {
            purpose: "WS-Discovery",
            address,
            source,
        }
    };
    let camera = camera.clone();
    match discovery {
        Discovery::Off => Ok(None),
        Discovery::Unicast(port) => {
            let asked = SocketAddr::new(listen, port);
            let socket = UdpSocket::bind(asked).await.map_err(failed(asked))?;
            let address = socket.local_addr().map_err(failed(asked))?;
            let task = tokio::spawn(async move { answer_all(&camera, &socket).await });
            Ok(Some((address, task)))
        }
        Discovery::Multicast => {
            let group = SocketAddr::from((GROUP, PORT));
            let socket = multicast_socket().map_err(failed(group))?;
            let task = tokio::spawn(async move {
                let interfaces = join_everywhere(&socket);
                announce(&camera, &socket, &interfaces, Announcement::Hello).await;
                answer_all(&camera, &socket).await;
                announce(&camera, &socket, &interfaces, Announcement::Bye).await;
            });
            Ok(Some((group, task)))
        }
    }
}

/// Answers until the camera stops.
async fn answer_all(camera: &Camera, socket: &UdpSocket) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = camera.stopping.cancelled() => return,
        };
        // An error here is about an answer to somebody who is gone; the socket goes on.
        let Ok((length, peer)) = received else {
            continue;
        };
        let address = device_address(camera, local_address_towards(peer));
        let Some(answer) = message::answer(camera, &address, &buffer[..length]) else {
            tracing::debug!(%peer, length, "nothing to answer in a discovery datagram");
            continue;
        };
        if let Err(error) = socket.send_to(answer.as_bytes(), peer).await {
            tracing::debug!(%peer, %error, "a discovery answer was not sent");
        }
    }
}

async fn announce(
    camera: &Camera,
    socket: &UdpSocket,
    interfaces: &[Ipv4Addr],
    announcement: Announcement,
) {
    for interface in interfaces {
        let address = device_address(camera, Some(IpAddr::V4(*interface)));
        let datagram = message::announce(camera, &address, announcement);
        let sent = match SockRef::from(socket).set_multicast_if_v4(interface) {
            Ok(()) => socket.send_to(datagram.as_bytes(), (GROUP, PORT)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            tracing::debug!(%interface, %error, "an announcement was not sent");
        }
    }
}

fn multicast_socket() -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // Others on this machine listen there as well: a second camera, a client.
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
    UdpSocket::from_std(socket.into())
}

/// Joins the group on every IPv4 interface that lets us, and returns their addresses.
fn join_everywhere(socket: &UdpSocket) -> Vec<Ipv4Addr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the network interfaces are unknown; discovery does not work");
        Vec::new()
    });
    let addresses = interfaces
        .iter()
        .filter_map(|interface| match interface.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        });
    let joined = addresses.filter(|address| socket.join_multicast_v4(GROUP, *address).is_ok());
    joined.collect()
}

/// The address of the Device service as seen from a network.
fn device_address(camera: &Camera, local: Option<IpAddr>) -> String {
    let local = local.map(|ip| match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    });
    let host = advertised_host(camera, local.as_deref());
    let port = camera.http.port();
    format!("http://{host}:{port}{}", Service::Device.path())
}

/// Our address on the way to a peer. Connecting a UDP socket sends nothing.
fn local_address_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
