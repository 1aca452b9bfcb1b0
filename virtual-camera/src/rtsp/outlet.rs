//! The ways packets take to a client.

use std::io;
use std::net::{self, IpAddr, SocketAddr, SocketAddrV4};

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// The way packets of one track take to the client.
#[derive(Debug)]
pub(super) enum Outlet {
    /// Through the RTSP connection, in these channels.
    Interleaved {
        rtp: u8,
        rtcp: u8,
        connection: mpsc::Sender<Bytes>,
    },
    /// From a pair of sockets that are connected to the client's.
    Udp { rtp: UdpSocket, rtcp: UdpSocket },
    /// From a pair of sockets that are connected to a group.
    Multicast {
        rtp: UdpSocket,
        rtcp: UdpSocket,
        group: SocketAddrV4,
    },
}

/// Routers do not carry packets any further.
const TTL: u32 = 1;

/// The connection to the client has ended.
pub(super) struct Gone;

impl Outlet {
    /// A pair of sockets that send from `local` to the ports of `peer`.
    pub(super) fn udp(local: IpAddr, peer: IpAddr, ports: (u16, u16)) -> io::Result<Self> {
        let (rtp, rtcp) = udp_pair(local)?;
        rtp.connect((peer, ports.0))?;
        rtcp.connect((peer, ports.1))?;
        let (rtp, rtcp) = (UdpSocket::from_std(rtp)?, UdpSocket::from_std(rtcp)?);
        Ok(Self::Udp { rtp, rtcp })
    }

    /// A pair of sockets that send from `local` to a group, whose port is that of RTP.
    pub(super) fn multicast(local: IpAddr, group: SocketAddrV4) -> io::Result<Self> {
        let IpAddr::V4(local) = local else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let (rtp, rtcp) = udp_pair(local.into())?;
        for (socket, port) in [(&rtp, group.port()), (&rtcp, group.port() + 1)] {
            socket2::SockRef::from(socket).set_multicast_if_v4(&local)?;
            socket.set_multicast_ttl_v4(TTL)?;
            socket.connect((*group.ip(), port))?;
        }
        let (rtp, rtcp) = (UdpSocket::from_std(rtp)?, UdpSocket::from_std(rtcp)?);
        Ok(Self::Multicast { rtp, rtcp, group })
    }

    /// The value of the `Transport` header that tells the client how packets come.
    pub(super) fn transport(&self, ssrc: Option<u32>) -> io::Result<String> {
        let ssrc = ssrc.map_or(String::new(), |ssrc| format!(";ssrc={ssrc:08X}"));
        Ok(match self {
            Self::Interleaved { rtp, rtcp, .. } => {
                format!("RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp}{ssrc}")
            }
            Self::Multicast { group, .. } => {
                let (address, port) = (group.ip(), group.port());
                let ports = format!("{port}-{}", port + 1);
                format!("RTP/AVP;multicast;destination={address};port={ports};ttl={TTL}{ssrc}")
            }
            Self::Udp { rtp, rtcp } => {
                let port = |address: io::Result<SocketAddr>| address.map(|a| a.port());
                format!(
                    "RTP/AVP;unicast;client_port={}-{};server_port={}-{}{ssrc}",
                    port(rtp.peer_addr())?,
                    port(rtcp.peer_addr())?,
                    port(rtp.local_addr())?,
                    port(rtcp.local_addr())?,
                )
            }
        })
    }

    /// Sends RTP packets.
    pub(super) async fn send_packets(&self, packets: &[Bytes]) -> Result<(), Gone> {
        match self {
            Self::Interleaved {
                rtp, connection, ..
            } => connection
                .send(interleave(*rtp, packets))
                .await
                .map_err(|_| Gone),
            Self::Udp { rtp, .. } | Self::Multicast { rtp, .. } => {
                for packet in packets {
                    send_datagram(rtp, packet).await;
                }
                Ok(())
            }
        }
    }

    /// Sends RTP packets of which some bytes get lost, so that what follows is not to be told apart. Datagrams stay whole.
    pub(super) async fn send_garbled(&self, packets: &[Bytes]) -> Result<(), Gone> {
        const LOST: usize = 7;
        match self {
            Self::Interleaved {
                rtp, connection, ..
            } => {
                let mut bytes = interleave(*rtp, packets);
                bytes.truncate(bytes.len().saturating_sub(LOST));
                connection.send(bytes).await.map_err(|_| Gone)
            }
            Self::Udp { .. } | Self::Multicast { .. } => self.send_packets(packets).await,
        }
    }

    /// Sends an RTCP packet.
    pub(super) async fn send_report(&self, report: Bytes) -> Result<(), Gone> {
        match self {
            Self::Interleaved {
                rtcp, connection, ..
            } => connection
                .send(interleave(*rtcp, [&report]))
                .await
                .map_err(|_| Gone),
            Self::Udp { rtcp, .. } | Self::Multicast { rtcp, .. } => {
                send_datagram(rtcp, &report).await;
                Ok(())
            }
        }
    }

    /// Sends a last RTCP packet at once or not at all: where the client does not read, nothing is lost by not saying it.
    pub(super) fn try_send_report(&self, report: &Bytes) {
        match self {
            Self::Interleaved {
                rtcp, connection, ..
            } => drop(connection.try_send(interleave(*rtcp, [report]))),
            Self::Udp { rtcp, .. } | Self::Multicast { rtcp, .. } => drop(rtcp.try_send(report)),
        }
    }
}

/// Sockets for RTP and RTCP with neighbouring ports, the first even (RFC 3550, 11).
pub(super) fn udp_pair(local: IpAddr) -> io::Result<(net::UdpSocket, net::UdpSocket)> {
    const ATTEMPTS: usize = 64;
    for _ in 0..ATTEMPTS {
        let rtp = net::UdpSocket::bind((local, 0))?;
        let port = rtp.local_addr()?.port();
        if port % 2 == 1 {
            continue;
        }
        if let Ok(rtcp) = net::UdpSocket::bind((local, port + 1)) {
            rtp.set_nonblocking(true)?;
            rtcp.set_nonblocking(true)?;
            return Ok((rtp, rtcp));
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// UDP promises nothing: a client whose port is closed loses packets until its session ends.
async fn send_datagram(socket: &UdpSocket, packet: &[u8]) {
    if let Err(error) = socket.send(packet).await {
        tracing::trace!(%error, "an RTP packet was lost");
    }
}

/// Packets with the frame that carries them in an RTSP connection (RFC 2326, 10.12).
fn interleave<'a>(channel: u8, packets: impl IntoIterator<Item = &'a Bytes>) -> Bytes {
    let mut bytes = BytesMut::new();
    for packet in packets {
        let length = u16::try_from(packet.len())
            .expect("a packet was of an MTU or came with a length of 16 bits");
        bytes.put_slice(&[b'$', channel]);
        bytes.put_u16(length);
        bytes.put_slice(packet);
    }
    bytes.freeze()
}
