//! One session: a client, the way packets take to it, and the task that sends them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::now;
use super::packetizer::Packetizer;
use super::timeline::Timeline;
use crate::clip::Clip;

const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// A client that falls so far behind is taken to the next key frame.
const MAX_LAG_SECONDS: u64 = 2;

/// A set-up stream of one client. Dropped, it says goodbye.
#[derive(Debug)]
pub(super) struct Session {
    path: &'static str,
    media: Arc<Media>,
    player: Option<AbortOnDropHandle<()>>,
}

/// Where PLAY begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub frame: u64,
    pub sequence: u16,
    pub timestamp: u32,
}

/// The way packets take to the client.
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
}

/// The connection to the client has ended.
struct Gone;

#[derive(Debug)]
struct Media {
    clip: Arc<Clip>,
    timeline: Timeline,
    packetizer: Mutex<Packetizer>,
    outlet: Outlet,
}

impl Session {
    pub(super) fn new(
        path: &'static str,
        outlet: Outlet,
        clip: Arc<Clip>,
        timeline: Timeline,
    ) -> Self {
        let packetizer = Packetizer::new(rand::random(), rand::random(), rand::random());
        Self {
            path,
            media: Arc::new(Media {
                clip,
                timeline,
                packetizer: Mutex::new(packetizer),
                outlet,
            }),
            player: None,
        }
    }

    /// The stream that was set up.
    pub(super) fn path(&self) -> &'static str {
        self.path
    }

    /// The value of the `Transport` header that tells the client how packets come.
    pub(super) fn transport(&self) -> io::Result<String> {
        let ssrc = self.media.packetizer().ssrc();
        self.media.outlet.transport(ssrc)
    }

    pub(super) fn is_playing(&self) -> bool {
        self.player
            .as_ref()
            .is_some_and(|player| !player.is_finished())
    }

    /// What comes next: where a player that starts at `now` begins, or goes on if it plays.
    pub(super) fn position(&self, now: Instant) -> Start {
        let timeline = &self.media.timeline;
        let packetizer = self.media.packetizer();
        // One that plays has sent the current frame.
        let frame = timeline.frame_at(now) + u64::from(self.is_playing());
        Start {
            frame,
            sequence: packetizer.next_sequence(),
            timestamp: packetizer.timestamp(timeline.ticks_of_frame(frame)),
        }
    }

    /// Sends from `frame` on, unless it does already.
    pub(super) fn play(&mut self, frame: u64) {
        if !self.is_playing() {
            let media = self.media.clone();
            self.player = Some(AbortOnDropHandle::new(tokio::spawn(async move {
                // The connection is gone, and with it the session will be.
                let Gone = media.play(frame).await;
            })));
        }
    }

    /// Stops sending. The player has ended when the handle has.
    pub(super) fn pause(&mut self) -> Option<AbortOnDropHandle<()>> {
        let player = self.player.take()?;
        player.abort();
        Some(player)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.pause();
        self.media.say_bye();
    }
}

impl Media {
    /// Sends frames as they fall due, for ever.
    async fn play(&self, mut frame: u64) -> Gone {
        let frames = self.clip.access_units();
        let mut next_report = now();
        loop {
            tokio::time::sleep_until(self.timeline.due(frame).into()).await;
            if now() >= next_report {
                let report = self.report(Packetizer::report);
                if let Err(gone) = self.outlet.send_report(report).await {
                    return gone;
                }
                next_report = now() + REPORT_INTERVAL;
            }
            let packets = self.packetizer().access_unit(
                &frames[index(frame, frames.len())].nal_units,
                self.timeline.ticks_of_frame(frame),
            );
            if let Err(gone) = self.outlet.send_frame(&packets).await {
                return gone;
            }
            frame += 1;
            let current = self.timeline.frame_at(now());
            if current > frame + MAX_LAG_SECONDS * u64::from(self.clip.frame_rate) {
                tracing::debug!(behind = current - frame, "a slow RTSP client skips frames");
                while !frames[index(frame, frames.len())].is_key || frame < current {
                    frame += 1;
                }
            }
        }
    }

    fn report(&self, write: fn(&Packetizer, std::time::SystemTime, u32) -> Bytes) -> Bytes {
        let now = now();
        write(
            &self.packetizer(),
            self.timeline.wall_at(now),
            self.timeline.ticks_at(now),
        )
    }

    /// Ends the stream, if there was one.
    fn say_bye(&self) {
        if self.packetizer().is_unused() {
            return;
        }
        let bye = self.report(Packetizer::bye);
        // Where the client does not read, nothing is lost by not saying it.
        match &self.outlet {
            Outlet::Interleaved {
                rtcp, connection, ..
            } => drop(connection.try_send(interleave(*rtcp, [&bye]))),
            Outlet::Udp { rtcp, .. } => drop(rtcp.try_send(&bye)),
        }
    }

    fn packetizer(&self) -> MutexGuard<'_, Packetizer> {
        self.packetizer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// Sockets for RTP and RTCP with neighbouring ports, the first even (RFC 3550, 11), that send
    /// from `local` to the ports of `peer`.
    pub(super) async fn udp(local: IpAddr, peer: IpAddr, ports: (u16, u16)) -> io::Result<Self> {
        const ATTEMPTS: usize = 64;
        for _ in 0..ATTEMPTS {
            let rtp = UdpSocket::bind((local, 0)).await?;
            let port = rtp.local_addr()?.port();
            if port % 2 == 1 {
                continue;
            }
            let Ok(rtcp) = UdpSocket::bind((local, port + 1)).await else {
                continue;
            };
            rtp.connect((peer, ports.0)).await?;
            rtcp.connect((peer, ports.1)).await?;
            return Ok(Self::Udp { rtp, rtcp });
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    fn transport(&self, ssrc: u32) -> io::Result<String> {
        Ok(match self {
            Self::Interleaved { rtp, rtcp, .. } => {
                format!("RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp};ssrc={ssrc:08X}")
            }
            Self::Udp { rtp, rtcp } => {
                let port = |address: io::Result<SocketAddr>| address.map(|a| a.port());
                format!(
                    "RTP/AVP;unicast;client_port={}-{};server_port={}-{};ssrc={ssrc:08X}",
                    port(rtp.peer_addr())?,
                    port(rtcp.peer_addr())?,
                    port(rtp.local_addr())?,
                    port(rtcp.local_addr())?,
                )
            }
        })
    }

    async fn send_frame(&self, packets: &[Bytes]) -> Result<(), Gone> {
        match self {
            Self::Interleaved {
                rtp, connection, ..
            } => connection
                .send(interleave(*rtp, packets))
                .await
                .map_err(|_| Gone),
            Self::Udp { rtp, .. } => {
                for packet in packets {
                    send_datagram(rtp, packet).await;
                }
                Ok(())
            }
        }
    }

    async fn send_report(&self, report: Bytes) -> Result<(), Gone> {
        match self {
            Self::Interleaved {
                rtcp, connection, ..
            } => connection
                .send(interleave(*rtcp, [&report]))
                .await
                .map_err(|_| Gone),
            Self::Udp { rtcp, .. } => {
                send_datagram(rtcp, &report).await;
                Ok(())
            }
        }
    }
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
        let length = u16::try_from(packet.len()).expect("packets are shorter than an MTU");
        bytes.put_slice(&[b'$', channel]);
        bytes.put_u16(length);
        bytes.put_slice(packet);
    }
    bytes.freeze()
}

/// Where `frame` of the endless timeline lies in the clip.
fn index(frame: u64, frames: usize) -> usize {
    (frame % frames as u64) as usize
}
