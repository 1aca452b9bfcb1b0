use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::collector::Collector;
use super::probe::{SHAPES, probe};
use super::{Discovered, DiscoveryOptions};
use crate::camera::message_id;

const GROUP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 255, 250)), 3702);
/// UDP gets lost; the specification wants one repetition.
const REPEAT_AFTER: Duration = Duration::from_millis(250);

pub(super) async fn search(
    options: DiscoveryOptions,
    addresses: Vec<SocketAddr>,
) -> io::Result<BoxStream<'static, Discovered>> {
    let mut sockets = Vec::new();
    if options.multicast {
        for interface in interfaces() {
            match multicast(interface) {
                Ok(socket) => sockets.push((Arc::new(socket), vec![GROUP])),
                Err(error) => tracing::debug!(%interface, %error, "cannot ask on this interface"),
            }
        }
    }
    let (v4, v6): (Vec<_>, Vec<_>) = addresses.into_iter().partition(SocketAddr::is_ipv4);
    for (targets, any) in [
        (v4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        (v6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    ] {
        if !targets.is_empty() {
            sockets.push((Arc::new(UdpSocket::bind((any, 0)).await?), targets));
        }
    }
    if sockets.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NetworkUnreachable,
            "no network interface can be used",
        ));
    }
    let probes: Vec<(String, String)> = SHAPES
        .iter()
        .map(|types| {
            let id = message_id();
            (probe(&id, *types), id)
        })
        .collect();
    let collector = Collector::new(probes.iter().map(|(_, id)| id.clone()));
    let listeners = sockets
        .iter()
        .map(|(socket, _)| datagrams(socket.clone()))
        .collect::<Vec<_>>();
    let asking = stream::once(ask(sockets, probes)).filter_map(|()| async { None });
    let datagrams = stream::select(asking, stream::select_all(listeners));
    let end = tokio::time::sleep_until(Instant::now() + options.duration);
    let datagrams = datagrams.take_until(end);
    Ok(datagrams
        .scan(collector, |collector, (datagram, from)| {
            let found: VecDeque<_> = collector.receive(&datagram, from).into();
            futures::future::ready(Some(stream::iter(found)))
        })
        .flatten()
        .boxed())
}

async fn ask(sockets: Vec<(Arc<UdpSocket>, Vec<SocketAddr>)>, probes: Vec<(String, String)>) {
    for round in 0..2 {
        if round > 0 {
            tokio::time::sleep(REPEAT_AFTER).await;
        }
        for (socket, targets) in &sockets {
            for target in targets {
                for (probe, _) in &probes {
                    if let Err(error) = socket.send_to(probe.as_bytes(), target).await {
                        tracing::debug!(%target, %error, "cannot send a probe");
                    }
                }
            }
        }
    }
}

fn datagrams(socket: Arc<UdpSocket>) -> BoxStream<'static, (Vec<u8>, SocketAddr)> {
    stream::unfold(
        (socket, vec![0; 65_536]),
        |(socket, mut buffer)| async move {
            let mut errors = 0;
            loop {
                match socket.recv_from(&mut buffer).await {
                    Ok((length, from)) => {
                        return Some(((buffer[..length].to_vec(), from), (socket, buffer)));
                    }
                    // A port that nobody listens on is reported here, and says nothing about others.
                    Err(_) if errors < 16 => errors += 1,
                    Err(error) => {
                        tracing::debug!(%error, "no longer listening for answers");
                        return None;
                    }
                }
            }
        },
    )
    .boxed()
}

fn multicast(interface: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&interface)?;
    // Cameras on the same link are meant; nobody else is to be bothered.
    socket.set_multicast_ttl_v4(1)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(IpAddr::V4(interface), 0).into())?;
    UdpSocket::from_std(socket.into())
}

/// The IPv4 addresses of this host, one for each interface that can be told without privileges.
fn interfaces() -> Vec<Ipv4Addr> {
    let mut found = vec![];
    // `/proc/net/fib_trie` lists local addresses on Linux; the address of the default route is
    // what every system can tell.
    if let Ok(table) = std::fs::read_to_string("/proc/net/fib_trie") {
        let mut last = None;
        for line in table.lines() {
            if let Some(address) = line.trim().strip_prefix("|-- ") {
                last = address.parse::<Ipv4Addr>().ok();
            } else if line.contains("/32 host LOCAL")
                && let Some(address) = last.filter(|address| !address.is_loopback())
                && !found.contains(&address)
            {
                found.push(address);
            }
        }
    }
    if found.is_empty()
        && let Ok(socket) = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        && socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).is_ok()
        && let Ok(SocketAddr::V4(local)) = socket.local_addr()
        && !local.ip().is_unspecified()
    {
        found.push(*local.ip());
    }
    if found.is_empty() {
        found.push(Ipv4Addr::LOCALHOST);
    }
    found
}
