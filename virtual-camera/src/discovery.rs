//! WS-Discovery (April 2005, as ONVIF uses it): answers Probe and Resolve, says Hello and Bye, for one camera or for many.

mod message;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::message::{Announcement, Question, Sequence};
use crate::builder::Discovery;
use crate::error::Error;
use crate::server::advertised_host;
use crate::service::Service;
use crate::state::Camera;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xc);
const PORT: u16 = 3702;
const MAX_DATAGRAM: usize = 64 * 1024;
/// `APP_MAX_DELAY`: what is sent to or because of many is spread over this time, in milliseconds.
const MAX_DELAY: u64 = 500;
/// Questions to a camera whose answers wait to be sent; what is asked beyond them is asked again.
const MAX_WAITING: usize = 256;
/// As above, where many cameras answer each question.
const MAX_WAITING_OF_MANY: usize = 4;

/// Starts to answer until `stopping` is cancelled, and returns where.
pub(crate) async fn start(
    cameras: Vec<Arc<Camera>>,
    stopping: CancellationToken,
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
    // They share the socket, so that only all of them together can be deaf.
    let deaf = cameras.iter().all(|camera| camera.quirks().no_multicast);
    let responder = Responder {
        cameras,
        stopping,
        instance: SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.as_secs()),
        sent: AtomicU32::new(0),
    };
    match discovery {
        Discovery::Off => Ok(None),
        Discovery::Unicast(port) => {
            let asked = SocketAddr::new(listen, port);
            let socket = UdpSocket::bind(asked).await.map_err(failed(asked))?;
            let address = socket.local_addr().map_err(failed(asked))?;
            let task = tokio::spawn(async move { responder.answer_all(&socket, 0).await });
            Ok(Some((address, task)))
        }
        Discovery::Multicast => {
            let group = SocketAddr::from((GROUP, PORT));
            let v4 = group_socket(Domain::IPV4, Ipv4Addr::UNSPECIFIED.into(), deaf);
            let v4 = v4.map_err(failed(group))?;
            let v6 = group_socket(Domain::IPV6, Ipv6Addr::UNSPECIFIED.into(), deaf)
                .inspect_err(|error| tracing::debug!(%error, "no IPv6 here"))
                .ok();
            let task = tokio::spawn(async move { responder.serve(&v4, v6.as_ref(), deaf).await });
            Ok(Some((group, task)))
        }
    }
}

/// Speaks for its cameras.
struct Responder {
    cameras: Vec<Arc<Camera>>,
    stopping: CancellationToken,
    instance: u64,
    sent: AtomicU32,
}

/// One way to reach the group, and our address there.
struct Link<'s> {
    socket: &'s UdpSocket,
    local: IpAddr,
    /// What IPv6 calls the interface.
    index: u32,
}

impl Responder {
    /// Says Hello, answers until it is stopped, says Bye.
    async fn serve(&self, v4: &UdpSocket, v6: Option<&UdpSocket>, deaf: bool) {
        let links = match deaf {
            true => Vec::new(),
            false => join_everywhere(v4, v6),
        };
        let hello = join_all(self.cameras.iter().map(|camera| async {
            pause(0, MAX_DELAY).await;
            loop {
                self.announce(camera, &links, Announcement::Hello).await;
                camera.presence.arrived.notified().await;
            }
        }));
        let of_v6 = async {
            match v6 {
                Some(socket) => self.answer_all(socket, MAX_DELAY).await,
                None => self.stopping.cancelled().await,
            }
        };
        tokio::select! {
            _ = futures::future::join3(hello, self.answer_all(v4, MAX_DELAY), of_v6) => {}
            () = self.stopping.cancelled() => {}
        }
        let cameras = self.cameras.iter();
        let byes = cameras.map(|camera| self.announce(camera, &links, Announcement::Bye));
        join_all(byes).await;
    }

    /// Answers until it is stopped, each camera after up to `delay` milliseconds.
    async fn answer_all(&self, socket: &UdpSocket, delay: u64) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        let mut waiting = FuturesUnordered::new();
        let most = MAX_WAITING.max(MAX_WAITING_OF_MANY * self.cameras.len());
        loop {
            let received = tokio::select! {
                received = socket.recv_from(&mut buffer) => received,
                Some(()) = waiting.next() => continue,
                () = self.stopping.cancelled() => return,
            };
            // An error here is about an answer to somebody who is gone; the socket goes on.
            let Ok((length, peer)) = received else {
                continue;
            };
            if waiting.len() + self.cameras.len() > most {
                continue;
            }
            let Some(question) = Question::read(&buffer[..length]) else {
                tracing::debug!(%peer, length, "nothing to answer in a discovery datagram");
                continue;
            };
            let question = Arc::new(question);
            let local = local_address_towards(peer);
            let there = self
                .cameras
                .iter()
                .filter(|camera| !camera.presence.is_away());
            for camera in there {
                let question = question.clone();
                waiting.push(async move {
                    pause(0, delay).await;
                    let addresses = device_addresses(camera, local);
                    let sequence = self.sequence(camera);
                    let answer = message::answer(camera, &addresses, sequence, &question);
                    if let Some(answer) = answer {
                        send(camera, socket, &answer, peer).await;
                    }
                });
            }
        }
    }

    /// Tells everybody on every link, twice, because UDP gets lost.
    async fn announce(&self, camera: &Camera, links: &[Link<'_>], announcement: Announcement) {
        if camera.quirks().no_multicast {
            return;
        }
        let datagrams: Vec<_> = links
            .iter()
            .map(|link| {
                let addresses = device_addresses(camera, Some(link.local));
                message::announce(camera, &addresses, self.sequence(camera), announcement)
            })
            .collect();
        for round in 0..2 {
            if round > 0 {
                pause(50, 250).await;
            }
            for (link, datagram) in links.iter().zip(&datagrams) {
                if let Err(error) = link.send(datagram).await {
                    let address = link.local;
                    tracing::debug!(%address, %error, "an announcement was not sent");
                }
            }
        }
    }

    fn sequence(&self, camera: &Camera) -> Sequence {
        Sequence {
            // One that restarted counts anew, which the instance tells.
            instance: self.instance + camera.presence.restarts(),
            number: self.sent.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Link<'_> {
    async fn send(&self, datagram: &str) -> io::Result<usize> {
        let socket = SockRef::from(self.socket);
        let group = match self.local {
            IpAddr::V4(local) => {
                socket.set_multicast_if_v4(&local)?;
                SocketAddr::from((GROUP, PORT))
            }
            IpAddr::V6(_) => {
                socket.set_multicast_if_v6(self.index)?;
                SocketAddrV6::new(GROUP_V6, PORT, 0, self.index).into()
            }
        };
        self.socket.send_to(datagram.as_bytes(), group).await
    }
}

async fn send(camera: &Camera, socket: &UdpSocket, answer: &str, peer: SocketAddr) {
    let mut datagrams = Vec::new();
    if camera.quirks().probe_garbage {
        let half = answer.len() / 2;
        datagrams.extend([&b"\xff\x00<<"[..], b"", &answer.as_bytes()[..half]]);
    }
    datagrams.push(answer.as_bytes());
    for datagram in datagrams {
        if let Err(error) = socket.send_to(datagram, peer).await {
            tracing::debug!(%peer, %error, "a discovery answer was not sent");
        }
    }
}

async fn pause(shortest: u64, longest: u64) {
    if longest > 0 {
        let pause = rand::random_range(shortest..=longest);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// With `deaf`, not even groups that others on this machine joined are heard.
fn group_socket(domain: Domain, any: IpAddr, deaf: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(true)?;
    }
    // Others on this machine listen there as well: a second camera, a client.
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    #[cfg(target_os = "linux")]
    match domain {
        Domain::IPV6 => socket.set_multicast_all_v6(!deaf)?,
        _ => socket.set_multicast_all_v4(!deaf)?,
    }
    // Elsewhere, groups are heard only where they are joined.
    #[cfg(not(target_os = "linux"))]
    let _ = deaf;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(any, PORT).into())?;
    UdpSocket::from_std(socket.into())
}

/// Joins the groups on every interface that lets us, and returns the ways to reach them.
fn join_everywhere<'s>(v4: &'s UdpSocket, v6: Option<&'s UdpSocket>) -> Vec<Link<'s>> {
    let mut links: Vec<Link<'s>> = Vec::new();
    for interface in interfaces() {
        let (local, index) = (interface.ip(), interface.index.unwrap_or(0));
        let link = match (local, v6) {
            (IpAddr::V4(address), _) if v4.join_multicast_v4(GROUP, address).is_ok() => Link {
                socket: v4,
                local,
                index,
            },
            (IpAddr::V6(_), Some(v6)) if v6.join_multicast_v6(&GROUP_V6, index).is_ok() => Link {
                socket: v6,
                local,
                index,
            },
            // Without IPv6; or joined already, because the interface has several addresses.
            _ => continue,
        };
        links.push(link);
    }
    links
}

fn interfaces() -> Vec<if_addrs::Interface> {
    if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the network interfaces are unknown; discovery does not work");
        Vec::new()
    })
}

/// The addresses of the Device service as seen from a network, in one text.
fn device_addresses(camera: &Camera, local: Option<IpAddr>) -> String {
    let local = local.map(|local| match (local, camera.http.address()) {
        // Asked over IPv6, but the services are not there.
        (IpAddr::V6(_), SocketAddr::V4(_)) => first_ipv4(),
        (local, _) => local.to_canonical(),
    });
    let local = local.map(|ip| match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    });
    let host = advertised_host(camera, local.as_deref());
    let (port, path) = (camera.http.port(), Service::Device.path());
    let address = format!("{}://{host}:{port}{path}", camera.scheme());
    match camera.quirks().multi_xaddrs {
        true => format!(
            "http://[fe80::1%25eth0]:{port}{path} http://169.254.77.7:{port}{path}\n https://{host}{path} {address}"
        ),
        false => address,
    }
}

fn first_ipv4() -> IpAddr {
    let addresses = interfaces().into_iter().map(|interface| interface.ip());
    let mut outer = addresses.filter(|ip| ip.is_ipv4() && !ip.is_loopback());
    outer.next().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// Our address on the way to a peer. Connecting a UDP socket sends nothing.
fn local_address_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
