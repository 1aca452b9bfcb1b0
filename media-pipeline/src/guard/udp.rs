//! Receives the tracks that come over UDP, one to one or as a group, and hands them to the relay in order, as if they were
//! interleaved with the RTSP connection. So retina's sockets stay on the loopback address, nothing is lost between it and
//! the guard, and what holds for TCP holds here too.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::framing::{AccessUnitMeter, Message, Violation};
use super::pictures::Pictures;
use super::reorder::Reorder;
use super::source_filter::SourceFilter;
use crate::RtspTransport;

/// Room for the burst of a large key frame; the system's default holds less than one.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Datagrams that are read before others get their turn.
const BURST: usize = 64;

/// A SETUP for UDP on its way.
pub(super) struct Setup {
    /// For RTP and RTCP; the ports of a group are the camera's to choose.
    sockets: Option<[UdpSocket; 2]>,
    /// Where retina expects the track, as it wrote it, and its number.
    interleaved: String,
    channel: u8,
}

/// What the RTP packets of a camera have to stand.
pub(super) struct Watch {
    pub(super) meter: AccessUnitMeter,
    pub(super) silence: Duration,
    pub(super) source: SourceFilter,
    pub(super) pictures: Pictures,
    /// Names the stream in logs.
    pub(super) label: String,
}

/// Why receiving ended.
pub(super) enum End {
    Violation(Violation),
    Silent,
    Failed(io::Error),
}

impl Setup {
    /// Puts ports of our own, or a group, into a SETUP request; `None` if it is not one, or packets are to come by TCP.
    pub(super) fn prepare(
        request: &mut Message,
        transport: RtspTransport,
        local_ip: IpAddr,
    ) -> io::Result<Option<Self>> {
        let interleaved = request.header("Transport");
        let interleaved = interleaved.and_then(|it| parameter(it, "interleaved"));
        let Some(interleaved) = interleaved.map(str::to_owned) else {
            return Ok(None);
        };
        let Some(channel) = first(&interleaved).and_then(|channel| u8::try_from(channel).ok())
        else {
            return Ok(None);
        };
        let sockets = match transport {
            RtspTransport::Tcp => return Ok(None),
            RtspTransport::Multicast => {
                request.set("Transport", "RTP/AVP;multicast".into());
                None
            }
            RtspTransport::Udp => {
                let sockets = bind_pair(local_ip)?;
                let port = sockets[0].local_addr()?.port();
                let ports = format!("{port}-{}", u32::from(port) + 1);
                let transport = format!("RTP/AVP;unicast;client_port={ports}");
                request.set("Transport", transport);
                Some(sockets)
            }
        };
        Ok(Some(Self {
            sockets,
            interleaved,
            channel,
        }))
    }

    /// Takes the camera's ports from its answer, puts retina's channels in their place and begins to receive. Data is
    /// accepted from the camera's address alone, whatever source it names.
    pub(super) async fn start(
        self,
        response: &mut Message,
        [camera, local]: [IpAddr; 2],
        watch: Watch,
        packets: mpsc::Sender<Bytes>,
        tasks: &mut JoinSet<End>,
    ) -> io::Result<()> {
        let transport = response.header("Transport").unwrap_or_default();
        if parameter(transport, "interleaved").is_some() {
            // It sends by TCP whatever was asked for.
            return Ok(());
        }
        let [rtp, rtcp] = match self.sockets {
            Some(sockets) => {
                let server = parameter(transport, "server_port").and_then(first);
                if let Some(port) = server {
                    open_firewalls(&sockets, camera, port).await;
                }
                sockets
            }
            None => join(transport, local)?,
        };
        let transport = format!("RTP/AVP/TCP;unicast;interleaved={}", self.interleaved);
        response.set("Transport", transport);
        let receiver = Receiver {
            camera: camera.to_canonical(),
            channel: self.channel,
            watch,
            packets,
            order: Reorder::default(),
            heard: Instant::now(),
        };
        tasks.spawn(receiver.run(rtp, rtcp));
        Ok(())
    }
}

/// Receives one track.
struct Receiver {
    camera: IpAddr,
    channel: u8,
    watch: Watch,
    packets: mpsc::Sender<Bytes>,
    order: Reorder,
    heard: Instant,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let tally = self.order.tally;
        let channel = self.channel;
        tracing::debug!(stream = %self.watch.label, channel, ?tally, "no longer received over UDP");
    }
}

impl Receiver {
    async fn run(mut self, rtp: UdpSocket, rtcp: UdpSocket) -> End {
        let mut datagram = vec![0; 65_536];
        loop {
            let silent = self.heard + self.watch.silence;
            let overdue = self.order.deadline().unwrap_or(silent).min(silent);
            let readable = tokio::select! {
                readable = rtp.readable() => readable.map(|()| Some(true)),
                readable = rtcp.readable() => readable.map(|()| Some(false)),
                () = sleep_until(overdue) => Ok(None),
            };
            let received = match readable {
                Ok(Some(true)) => self.rtp(&rtp, &mut datagram),
                Ok(Some(false)) => self.rtcp(&rtcp, &mut datagram).await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            match received {
                Ok(()) => {}
                // The other side has not opened its port yet, or closed it; the RTSP connection decides what that means.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock
                            | io::ErrorKind::ConnectionRefused
                            | io::ErrorKind::ConnectionReset
                    ) => {}
                Err(error) => return End::Failed(error),
            }
            let now = Instant::now();
            while let Some(packet) = self.order.pop(now) {
                if let Err(violation) = self.watch.meter.count(0, &packet) {
                    return End::Violation(violation);
                }
                if self.watch.pictures.admits(&packet) {
                    self.pass(self.channel, &packet).await;
                }
            }
            if now >= self.heard + self.watch.silence {
                return End::Silent;
            }
        }
    }

    fn rtp(&mut self, socket: &UdpSocket, datagram: &mut [u8]) -> io::Result<()> {
        for _ in 0..BURST {
            let (length, from) = socket.try_recv_from(datagram)?;
            let packet = &datagram[..length];
            if from.ip().to_canonical() == self.camera && self.watch.source.admits(packet) {
                self.heard = Instant::now();
                self.order.push(Bytes::copy_from_slice(packet), self.heard);
            }
        }
        Ok(())
    }

    async fn rtcp(&mut self, socket: &UdpSocket, datagram: &mut [u8]) -> io::Result<()> {
        let (length, from) = socket.try_recv_from(datagram)?;
        if from.ip().to_canonical() == self.camera {
            self.pass(self.channel.wrapping_add(1), &datagram[..length])
                .await;
        }
        Ok(())
    }

    /// Hands a packet on, framed for a channel (RFC 2326 section 10.12).
    async fn pass(&self, channel: u8, packet: &[u8]) {
        let Ok(length) = u16::try_from(packet.len()) else {
            return;
        };
        let mut framed = BytesMut::with_capacity(4 + packet.len());
        framed.put_u8(b'$');
        framed.put_u8(channel);
        framed.put_u16(length);
        framed.extend_from_slice(packet);
        // Without a relay this task is about to be ended.
        let _ = self.packets.send(framed.freeze()).await;
    }
}

/// Lets firewalls on the way know that answers are expected: empty packets of RTP and RTCP, as other clients send them.
async fn open_firewalls([rtp, rtcp]: &[UdpSocket; 2], camera: IpAddr, port: u16) {
    let _ = rtp
        .send_to(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], (camera, port))
        .await;
    if let Some(port) = port.checked_add(1) {
        let _ = rtcp
            .send_to(&[0x80, 201, 0, 1, 0, 0, 0, 0], (camera, port))
            .await;
    }
}

/// Joins the group that a camera names.
fn join(transport: &str, local: IpAddr) -> io::Result<[UdpSocket; 2]> {
    let group = parameter(transport, "destination").and_then(|group| group.parse::<IpAddr>().ok());
    let group = group
        .filter(IpAddr::is_multicast)
        .ok_or_else(|| io::Error::other("the camera names no group to receive from"))?;
    let port = parameter(transport, "port").and_then(first);
    let port = port
        .filter(|port| (1024..u16::MAX).contains(port))
        .ok_or_else(|| io::Error::other("the camera names no ports of its group"))?;
    let open = |port| {
        let socket = socket(group)?;
        // Others of this host may receive from the group too.
        socket.set_reuse_address(true)?;
        let any: IpAddr = match group {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // Bound to the group, a socket gets nothing of other groups at its port. Windows does not have it.
        let address = if cfg!(unix) { group } else { any };
        socket.bind(&SocketAddr::new(address, port).into())?;
        match (group, local) {
            (IpAddr::V4(group), IpAddr::V4(local)) => socket.join_multicast_v4(&group, &local)?,
            (IpAddr::V4(group), _) => socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)?,
            (IpAddr::V6(group), _) => socket.join_multicast_v6(&group, 0)?,
        }
        UdpSocket::from_std(socket.into())
    };
    Ok([open(port)?, open(port + 1)?])
}

/// An even port and the next.
fn bind_pair(ip: IpAddr) -> io::Result<[UdpSocket; 2]> {
    const ATTEMPTS: usize = 32;
    let bind = |port| {
        let socket = socket(ip)?;
        socket.bind(&SocketAddr::new(ip, port).into())?;
        UdpSocket::from_std(socket.into())
    };
    let mut last = io::Error::other("no pair of free ports");
    for _ in 0..ATTEMPTS {
        let first = bind(0)?;
        let port = first.local_addr()?.port();
        if port % 2 != 0 {
            continue;
        }
        match bind(port + 1) {
            Ok(second) => return Ok([first, second]),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn socket(ip: IpAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(SocketAddr::new(ip, 0));
    let socket = Socket::new(domain, Type::DGRAM, None)?;
    // The system may grant less; then large bursts can be lost.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The value of a parameter of a Transport header (RFC 2326 section 12.39).
fn parameter<'a>(transport: &'a str, name: &str) -> Option<&'a str> {
    transport.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then_some(value.trim())
    })
}

/// The first number of a range.
fn first(range: &str) -> Option<u16> {
    range.split('-').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(transport: RtspTransport) -> (Message, Option<Setup>) {
        let mut request = Message {
            line: "SETUP x RTSP/1.0".into(),
            headers: vec![(
                "Transport".into(),
                "RTP/AVP/TCP;unicast;interleaved=2-3".into(),
            )],
            body: Default::default(),
        };
        let setup = Setup::prepare(&mut request, transport, Ipv4Addr::LOCALHOST.into());
        (request, setup.unwrap())
    }

    #[tokio::test]
    async fn what_is_asked_for_is_what_was_chosen() {
        let (request, none) = setup(RtspTransport::Tcp);
        assert!(none.is_none() && request.header("Transport").unwrap().contains("interleaved"));
        let (request, group) = setup(RtspTransport::Multicast);
        assert_eq!(request.header("Transport"), Some("RTP/AVP;multicast"));
        assert_eq!(group.unwrap().channel, 2);
        let (request, pair) = setup(RtspTransport::Udp);
        let pair = pair.unwrap().sockets.unwrap();
        let ports = pair.map(|socket| socket.local_addr().unwrap().port());
        assert_eq!((ports[0] % 2, ports[1]), (0, ports[0] + 1));
        let expected = format!("RTP/AVP;unicast;client_port={}-{}", ports[0], ports[1]);
        assert_eq!(request.header("Transport"), Some(expected.as_str()));
    }

    #[tokio::test]
    async fn only_groups_are_joined() {
        let local = Ipv4Addr::LOCALHOST.into();
        for transport in [
            "RTP/AVP;multicast;port=6000-6001",
            "RTP/AVP;multicast;destination=192.0.2.1;port=6000-6001",
            "RTP/AVP;multicast;destination=239.1.2.3",
            "RTP/AVP;multicast;destination=239.1.2.3;port=80-81",
            "RTP/AVP;multicast;destination=239.1.2.3;port=65535",
        ] {
            assert!(join(transport, local).is_err(), "{transport}");
        }
    }

    #[test]
    fn transport_parameters_are_read() {
        let transport = "RTP/AVP/UDP;unicast;client_port=4000-4001;server_port=6000-6001;ssrc=1A";
        let port = parameter(transport, "Server_Port").and_then(first);
        assert_eq!(port, Some(6000));
        assert_eq!(parameter(transport, "source"), None);
    }
}
