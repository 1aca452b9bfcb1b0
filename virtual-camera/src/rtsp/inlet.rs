//! Packets of publishers that come by UDP.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio_util::task::AbortOnDropHandle;

use super::outlet::udp_pair;
use super::publication::Tape;
use super::{Shared, now};

/// A pair of sockets that packets of one track come to. Dropped, they are closed.
pub(super) struct UdpInlet {
    /// For RTP and RTCP.
    pub ports: (u16, u16),
    _receiver: AbortOnDropHandle<()>,
}

impl UdpInlet {
    /// Takes what comes from `peer` onto the tape, and keeps the session alive by it.
    ///
    /// # Errors
    /// When no ports are free.
    pub(super) fn open(
        (local, peer): (IpAddr, IpAddr),
        tape: &Arc<Tape>,
        shared: Weak<Shared>,
        session: String,
    ) -> io::Result<Self> {
        let (rtp, rtcp) = udp_pair(local)?;
        let ports = (rtp.local_addr()?.port(), rtcp.local_addr()?.port());
        let (rtp, rtcp) = (UdpSocket::from_std(rtp)?, UdpSocket::from_std(rtcp)?);
        let tape = tape.clone();
        let receiver = tokio::spawn(async move {
            let mut reports = vec![0; 2048];
            let mut packets = vec![0; 1 << 16];
            loop {
                let (is_report, received) = tokio::select! {
                    packet = receive(&rtp, &mut packets, peer) => (false, packet),
                    report = receive(&rtcp, &mut reports, peer) => (true, report),
                };
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                if let Some(packet) = received
                    && shared.sessions().get(&session, now()).is_some()
                {
                    tape.push(now(), is_report, packet);
                }
            }
        });
        Ok(Self {
            ports,
            _receiver: AbortOnDropHandle::new(receiver),
        })
    }
}

/// The next datagram; `None` where it is of somebody else, or the one before it was not taken by who it was for.
async fn receive(socket: &UdpSocket, buffer: &mut [u8], peer: IpAddr) -> Option<Bytes> {
    let (length, from) = socket.recv_from(buffer).await.ok()?;
    (from.ip().to_canonical() == peer).then(|| Bytes::copy_from_slice(&buffer[..length]))
}
