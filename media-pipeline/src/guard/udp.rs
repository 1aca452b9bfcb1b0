//! Relays one track that comes over UDP, so that retina's sockets stay on the loopback address and the cap on access
//! units holds here too.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::framing::{AccessUnitMeter, Message, Violation};
use super::source_filter::SourceFilter;

/// Room for the burst of a large key frame; the system's default holds less than one.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Packets that are passed on before the receiver gets its turn: its buffer has the system's default size.
const BURST: u32 = 16;

/// Sockets towards the camera and towards retina, RTP and RTCP each.
pub(super) struct Relay {
    camera: [UdpSocket; 2],
    client: [UdpSocket; 2],
    /// retina's port for RTP; RTCP is the next.
    client_port: u16,
}

/// What the RTP packets of a camera have to stand.
pub(super) struct Watch {
    pub(super) meter: AccessUnitMeter,
    pub(super) silence: Duration,
    pub(super) source: SourceFilter,
}

/// Why a relay ended.
pub(super) enum End {
    Violation(Violation),
    Silent,
    Failed(io::Error),
}

impl Relay {
    /// Puts ports of our own into a SETUP request for UDP; `None` if it is not one.
    pub(super) fn prepare(request: &mut Message, local_ip: IpAddr) -> io::Result<Option<Self>> {
        let Some(transport) = request.header("Transport") else {
            return Ok(None);
        };
        let Some(client_port) = parameter(transport, "client_port").and_then(first_port) else {
            return Ok(None);
        };
        let relay = Self {
            camera: bind_pair(local_ip)?,
            client: bind_pair(Ipv4Addr::LOCALHOST.into())?,
            client_port,
        };
        let port = relay.camera[0].local_addr()?.port();
        let transport = with_parameter(
            transport,
            "client_port",
            &format!("{port}-{}", u32::from(port) + 1),
        );
        request.set("Transport", transport);
        Ok(Some(relay))
    }

    /// Takes the camera's ports from its answer, puts ours in their place and starts to forward. Data is accepted from
    /// the camera's address alone, whatever source it names.
    pub(super) async fn start(
        self,
        response: &mut Message,
        camera_ip: IpAddr,
        watch: Watch,
        tasks: &mut JoinSet<End>,
    ) -> io::Result<()> {
        let transport = response.header("Transport").unwrap_or_default();
        let server_port = parameter(transport, "server_port")
            .and_then(first_port)
            .ok_or_else(|| io::Error::other("the camera names no ports for UDP"))?;
        let ours = self.client[0].local_addr()?.port();
        let transport = with_parameter(
            transport,
            "server_port",
            &format!("{ours}-{}", u32::from(ours) + 1),
        );
        let transport = with_parameter(&transport, "source", "127.0.0.1");
        let transport = with_parameter(
            &transport,
            "client_port",
            &format!("{}-{}", self.client_port, u32::from(self.client_port) + 1),
        );
        response.set("Transport", transport);
        let mut watch = Some(watch);
        for ((camera, client), offset) in self.camera.into_iter().zip(self.client).zip(0..) {
            let port = |base: u16| {
                base.checked_add(offset)
                    .ok_or_else(|| io::Error::other("a port is out of range"))
            };
            camera
                .connect(SocketAddr::new(camera_ip, port(server_port)?))
                .await?;
            client
                .connect(SocketAddr::new(
                    Ipv4Addr::LOCALHOST.into(),
                    port(self.client_port)?,
                ))
                .await?;
            let (camera, client) = (Arc::new(camera), Arc::new(client));
            // The first pair is that of RTP.
            tasks.spawn(forward(camera.clone(), client.clone(), watch.take()));
            tasks.spawn(forward(client, camera, None));
        }
        Ok(())
    }
}

/// Forwards datagrams; the RTP of the camera is measured and must not fall silent.
async fn forward(from: Arc<UdpSocket>, to: Arc<UdpSocket>, mut watch: Option<Watch>) -> End {
    let mut datagram = vec![0; 65_536];
    let mut burst = 0;
    loop {
        let received = match &watch {
            Some(watch) => match timeout(watch.silence, from.recv(&mut datagram)).await {
                Ok(received) => received,
                Err(_) => return End::Silent,
            },
            None => from.recv(&mut datagram).await,
        };
        let packet = match received {
            Ok(length) => &datagram[..length],
            // The other side has not opened its port yet, or closed it; the RTSP connection decides what that means.
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(e) => return End::Failed(e),
        };
        if let Some(watch) = &mut watch {
            if !watch.source.admits(packet) {
                continue;
            }
            if let Err(violation) = watch.meter.count(0, packet) {
                return End::Violation(violation);
            }
        }
        let _ = to.send(packet).await;
        burst += 1;
        if burst % BURST == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// An even port and the next.
fn bind_pair(ip: IpAddr) -> io::Result<[UdpSocket; 2]> {
    const ATTEMPTS: usize = 32;
    let mut last = io::Error::other("no pair of free ports");
    for _ in 0..ATTEMPTS {
        let first = bind(ip, 0)?;
        let port = first.local_addr()?.port();
        if port % 2 != 0 {
            continue;
        }
        match bind(ip, port + 1) {
            Ok(second) => return Ok([first, second]),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn bind(ip: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(SocketAddr::new(ip, port)),
        Type::DGRAM,
        None,
    )?;
    // The system may grant less; then large bursts can be lost.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(ip, port).into())?;
    UdpSocket::from_std(socket.into())
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

fn with_parameter(transport: &str, name: &str, value: &str) -> String {
    let parts: Vec<String> = transport
        .split(';')
        .map(|part| match part.split_once('=') {
            Some((key, _)) if key.trim().eq_ignore_ascii_case(name) => {
                format!("{}={value}", key.trim())
            }
            _ => part.to_owned(),
        })
        .collect();
    parts.join(";")
}

fn first_port(range: &str) -> Option<u16> {
    range.split('-').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transport_parameters_are_read_and_replaced() {
        let transport = "RTP/AVP/UDP;unicast;client_port=4000-4001;server_port=6000-6001;ssrc=1A";
        assert_eq!(
            parameter(transport, "Server_Port").and_then(first_port),
            Some(6000)
        );
        assert_eq!(parameter(transport, "source"), None);
        assert_eq!(
            with_parameter(transport, "client_port", "8-9"),
            "RTP/AVP/UDP;unicast;client_port=8-9;server_port=6000-6001;ssrc=1A"
        );
        assert_eq!(with_parameter(transport, "source", "127.0.0.1"), transport);
    }

    #[tokio::test]
    async fn a_pair_of_ports_is_even_and_odd() {
        let [rtp, rtcp] = bind_pair(Ipv4Addr::LOCALHOST.into()).unwrap();
        let (rtp, rtcp) = (
            rtp.local_addr().unwrap().port(),
            rtcp.local_addr().unwrap().port(),
        );
        assert_eq!((rtp % 2, rtcp), (0, rtp + 1));
    }
}
