use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{Stream, StreamExt};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};

use super::collector::Collector;
use super::interfaces::{self, Interface};
use super::message::{SHAPES, probe, resolve};
use super::reading::MAX_DATAGRAM;
use super::timing::{FIRST_PAUSE, transmissions};
use super::{Discovered, DiscoveryError, DiscoveryOptions, Subnet};
use crate::camera::message_id;
use crate::random;

pub(super) const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
pub(super) const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xc);
pub(super) const PORT: u16 = 3702;
/// Sent at once by a sweep that fell behind, so that answers are read in between.
const MAX_BURST: u32 = 32;
/// Sockets that a sweep opens at most beside the first.
const MAX_SPARE: usize = 63;

/// How many addresses of the subnets have been asked. See [`Discoveries::progress`](super::Discoveries::progress).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweepProgress {
    /// Addresses asked so far.
    pub asked: u32,
    /// All addresses of the subnets.
    pub total: u32,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    asked: AtomicU32,
    total: u32,
}

impl Counters {
    pub(super) fn read(&self) -> SweepProgress {
        SweepProgress {
            asked: self.asked.load(Ordering::Relaxed),
            total: self.total,
        }
    }
}

/// One search. It sends and receives only while its stream is polled.
pub(super) struct Search {
    collector: Collector,
    /// Where everything is sent that is for all.
    targets: Vec<(Arc<UdpSocket>, SocketAddr)>,
    received: SelectAll<BoxStream<'static, (Vec<u8>, SocketAddr)>>,
    /// What is sent to the targets; in order of time.
    outbox: VecDeque<Planned>,
    v4: Option<Arc<UdpSocket>>,
    v6: Option<Arc<UdpSocket>>,
    sweep: Option<Sweep>,
    progress: Arc<Counters>,
    repeats: u32,
    duration: Duration,
    /// When to stop, once the sweep is over.
    end: Instant,
    ready: VecDeque<Discovered>,
    over: bool,
}

struct Planned {
    at: Instant,
    datagram: Arc<str>,
    /// Somebody who is asked besides the targets.
    also: Option<(Arc<UdpSocket>, SocketAddr)>,
}

struct Sweep {
    addresses: Box<dyn Iterator<Item = IpAddr> + Send>,
    /// Sockets beside the first. What is sent to an address of the link that nobody has stays in the buffer of its socket until
    /// the system gives up looking for it, after seconds; with one socket, the whole sweep would wait for that.
    spare: Vec<Arc<UdpSocket>>,
    datagrams: Vec<Arc<str>>,
    pace: Duration,
    next: Instant,
}

impl Search {
    pub(super) async fn probe(
        options: DiscoveryOptions,
        addresses: Vec<SocketAddr>,
        subnets: Vec<Subnet>,
    ) -> Result<Self, DiscoveryError> {
        let messages = SHAPES.map(|types| {
            let id = message_id();
            (probe(&id, types, &options.scopes), id)
        });
        Self::start(options, addresses, subnets, &messages).await
    }

    pub(super) async fn resolve(
        options: DiscoveryOptions,
        addresses: Vec<SocketAddr>,
        subnets: Vec<Subnet>,
        endpoint_reference: &str,
    ) -> Result<Self, DiscoveryError> {
        let id = message_id();
        let message = resolve(&id, endpoint_reference.trim());
        Self::start(options, addresses, subnets, &[(message, id)]).await
    }

    async fn start(
        options: DiscoveryOptions,
        addresses: Vec<SocketAddr>,
        subnets: Vec<Subnet>,
        messages: &[(String, String)],
    ) -> Result<Self, DiscoveryError> {
        let all = interfaces::all();
        let mut sockets = Vec::new();
        let mut targets = Vec::new();
        if options.multicast {
            for (socket, group) in multicast_sockets(&all, &options)? {
                sockets.push(socket.clone());
                targets.push((socket, group));
            }
        }
        let swept = |v4| subnets.iter().any(|subnet| subnet.is_ipv4() == v4);
        let mut unicast = |v4: bool, any: IpAddr| {
            let asked = addresses.iter().filter(|address| address.is_ipv4() == v4);
            if asked.clone().next().is_none() && !swept(v4) {
                return Ok(None);
            }
            let socket = Arc::new(unicast_socket(any)?);
            sockets.push(socket.clone());
            targets.extend(asked.map(|address| (socket.clone(), *address)));
            Ok::<_, io::Error>(Some(socket))
        };
        let v4 = unicast(true, Ipv4Addr::UNSPECIFIED.into())?;
        let v6 = unicast(false, Ipv6Addr::UNSPECIFIED.into())?;
        if sockets.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NetworkUnreachable,
                "no network interface can be used, and no address is named",
            )
            .into());
        }
        let networks = all.iter().map(|interface| interface.network).collect();
        let mut collector = Collector::new(options.scopes, networks);
        let now = Instant::now();
        let datagrams: Vec<Arc<str>> = messages
            .iter()
            .map(|(datagram, id)| {
                collector.expect(id);
                datagram.as_str().into()
            })
            .collect();
        let total: u32 = subnets.iter().map(Subnet::len).fold(0, u32::saturating_add);
        let sweep = (total > 0).then(|| Sweep {
            addresses: Box::new(subnets.into_iter().flat_map(|subnet| subnet.hosts())),
            spare: Vec::new(),
            datagrams: datagrams.clone(),
            pace: Duration::from_secs(1) / options.addresses_per_second.max(1),
            next: now,
        });
        let mut search = Self {
            collector,
            targets,
            received: sockets.into_iter().map(datagrams_of).collect(),
            outbox: VecDeque::new(),
            v4,
            v6,
            sweep,
            progress: Arc::new(Counters {
                asked: AtomicU32::new(0),
                total,
            }),
            repeats: options.repeats,
            duration: options.duration,
            end: now + options.duration,
            ready: VecDeque::new(),
            over: false,
        };
        search.schedule(&datagrams, None);
        Ok(search)
    }

    pub(super) fn progress(&self) -> Arc<Counters> {
        self.progress.clone()
    }

    pub(super) fn into_stream(self) -> impl Stream<Item = Discovered> + Send {
        stream::unfold(self, |mut search| async move {
            let found = search.next().await?;
            Some((found, search))
        })
    }

    async fn next(&mut self) -> Option<Discovered> {
        loop {
            if let Some(found) = self.ready.pop_front() {
                return Some(found);
            }
            if self.over {
                return None;
            }
            let wake = self.send_due().await;
            if self.sweep.is_none() && Instant::now() >= self.end {
                self.ready.extend(self.collector.take_unresolved());
                self.over = true;
                continue;
            }
            tokio::select! {
                Some((datagram, from)) = self.received.next() => self.take(&datagram, from),
                () = sleep_until(wake) => {}
            }
        }
    }

    fn take(&mut self, datagram: &[u8], from: SocketAddr) {
        let received = self.collector.receive(datagram, from);
        self.ready.extend(received.found);
        for reference in received.unresolved {
            let id = message_id();
            self.collector.expect(&id);
            // One that a sweep found hears it only at its own address.
            let socket = if from.is_ipv4() { &self.v4 } else { &self.v6 };
            let also = socket.clone().map(|socket| (socket, from));
            self.schedule(&[resolve(&id, &reference).into()], also);
        }
    }

    /// Plans to send these to all targets, with repetitions.
    fn schedule(&mut self, datagrams: &[Arc<str>], also: Option<(Arc<UdpSocket>, SocketAddr)>) {
        let now = Instant::now();
        let (least, most) = FIRST_PAUSE;
        let pause = least + (most - least).mul_f64(random::fraction());
        for offset in transmissions(pause, self.repeats) {
            self.outbox.extend(datagrams.iter().map(|datagram| Planned {
                at: now + offset,
                datagram: datagram.clone(),
                also: also.clone(),
            }));
        }
        self.outbox
            .make_contiguous()
            .sort_by_key(|planned| planned.at);
    }

    /// Sends what is due, and returns when to come back.
    async fn send_due(&mut self) -> Instant {
        let now = Instant::now();
        while let Some(due) = self.outbox.front().filter(|planned| planned.at <= now) {
            for (socket, target) in &self.targets {
                send(socket, &due.datagram, *target).await;
            }
            if let Some((socket, target)) = &due.also {
                send(socket, &due.datagram, *target).await;
            }
            self.outbox.pop_front();
        }
        let wake = self.outbox.front().map_or(self.end, |planned| planned.at);
        let Some(sweep) = &mut self.sweep else {
            return wake;
        };
        let mut burst = 0;
        while sweep.next <= now && burst < MAX_BURST {
            let Some(address) = sweep.addresses.next() else {
                self.end = self.end.max(now + self.duration);
                self.sweep = None;
                return wake.min(self.end);
            };
            let socket = if address.is_ipv4() {
                &self.v4
            } else {
                &self.v6
            };
            if let Some(socket) = socket {
                let target = SocketAddr::new(address, PORT);
                for datagram in &sweep.datagrams {
                    let opened = send_now(socket, &mut sweep.spare, datagram, target).await;
                    self.received.extend(opened.map(datagrams_of));
                }
            }
            self.progress.asked.fetch_add(1, Ordering::Relaxed);
            sweep.next += sweep.pace;
            burst += 1;
        }
        // What was missed, as when nobody polled, is not made up for.
        sweep.next = sweep.next.max(now);
        // While a sweep goes on, the end does not count.
        if self.outbox.is_empty() {
            sweep.next
        } else {
            wake.min(sweep.next)
        }
    }
}

/// Sends from the first socket that has room, which is a new one if need be: it is given back too.
async fn send_now(
    first: &UdpSocket,
    spare: &mut Vec<Arc<UdpSocket>>,
    datagram: &str,
    target: SocketAddr,
) -> Option<Arc<UdpSocket>> {
    let any = match target {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let is_full = |socket: &UdpSocket| match socket.try_send_to(datagram.as_bytes(), target) {
        Ok(_) => false,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
        Err(error) => {
            tracing::debug!(%target, %error, "cannot send a probe");
            false
        }
    };
    let of_family = |socket: &&Arc<UdpSocket>| {
        let local = socket.local_addr();
        local.is_ok_and(|local| local.is_ipv4() == target.is_ipv4())
    };
    if !is_full(first)
        || spare
            .iter()
            .filter(of_family)
            .any(|socket| !is_full(socket))
    {
        return None;
    }
    let opened = match spare.len() < MAX_SPARE {
        true => unicast_socket(any).ok().map(Arc::new),
        false => None,
    };
    spare.extend(opened.clone());
    // A new one is not known to have room before it was waited for.
    send(opened.as_deref().unwrap_or(first), datagram, target).await;
    opened
}

async fn send(socket: &UdpSocket, datagram: &str, target: SocketAddr) {
    if let Err(error) = socket.send_to(datagram.as_bytes(), target).await {
        tracing::debug!(%target, %error, "cannot send a probe");
    }
}

/// What a socket receives; ends when it is broken.
pub(super) fn datagrams_of(socket: Arc<UdpSocket>) -> BoxStream<'static, (Vec<u8>, SocketAddr)> {
    stream::unfold(
        (socket, vec![0; MAX_DATAGRAM]),
        |(socket, mut buffer)| async move {
            let mut errors = 0;
            loop {
                match socket.recv_from(&mut buffer).await {
                    Ok((length, from)) => {
                        return Some(((buffer[..length].to_vec(), from), (socket, buffer)));
                    }
                    // A port that nobody listens on is reported here, and says nothing about others.
                    Err(_) if errors < 1024 => errors += 1,
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

fn unicast_socket(local: IpAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind((local, 0))?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// A socket for each IPv4 address, because a camera answers to the one it was asked from, and one
/// for IPv6 on each interface.
fn multicast_sockets(
    all: &[Interface],
    options: &DiscoveryOptions,
) -> Result<Vec<(Arc<UdpSocket>, SocketAddr)>, DiscoveryError> {
    let mut sockets = Vec::new();
    let mut with_v6 = Vec::new();
    for interface in interfaces::chosen(all, &options.interfaces)? {
        let opened = match (interface.network.address, interface.index) {
            (IpAddr::V4(address), _) => {
                multicast_v4(address).map(|socket| (socket, SocketAddr::from((GROUP_V4, PORT))))
            }
            (IpAddr::V6(_), Some(index)) if options.ipv6 && !with_v6.contains(&index) => {
                with_v6.push(index);
                let group = SocketAddrV6::new(GROUP_V6, PORT, 0, index);
                multicast_v6(index).map(|socket| (socket, group.into()))
            }
            (IpAddr::V6(_), _) => continue,
        };
        match opened {
            Ok((socket, group)) => sockets.push((Arc::new(socket), group)),
            Err(error) => {
                let address = interface.network.address;
                tracing::debug!(interface = interface.name, %address, %error, "cannot ask on this interface");
            }
        }
    }
    Ok(sockets)
}

fn multicast_v4(interface: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    if !interface.is_unspecified() {
        socket.set_multicast_if_v4(&interface)?;
    }
    // Cameras on the same link are meant; nobody else is to be bothered.
    socket.set_multicast_ttl_v4(1)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(interface.into(), 0).into())?;
    UdpSocket::from_std(socket.into())
}

fn multicast_v6(interface: u32) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_only_v6(true)?;
    socket.set_multicast_if_v6(interface)?;
    socket.set_multicast_hops_v6(1)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())?;
    UdpSocket::from_std(socket.into())
}
