//! Cameras that do the same evil again at each connection: the hub tries again and again, and memory stays flat.
//!
//! Alone in its process, because it measures that.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use media_pipeline::{ErrorKind, Hub, HubOptions, HubStatus, RtspOptions, RtspSource};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(120);
const SESSIONS: u32 = 20;
/// What a session may take for a moment is an access unit of 8 MiB, twice.
const GROWTH: u64 = 32 << 20;

const SDP: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n\
    a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42C01E;\
    sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==\r\na=control:trackID=0\r\n";

#[derive(Clone, Copy, Debug)]
enum Evil {
    Header,
    Body,
    Fragments,
    Redirect,
}

/// A camera that does this to every client, and how many there were.
async fn camera(evil: Evil) -> (SocketAddr, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clients = Arc::<AtomicU32>::default();
    let counted = clients.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(evil, address, BufReader::new(stream)));
        }
    });
    (address, clients)
}

/// Until the client is gone.
async fn serve(evil: Evil, address: SocketAddr, mut peer: BufReader<TcpStream>) -> Option<()> {
    loop {
        let (mut line, mut sequence) = (String::new(), String::new());
        peer.read_line(&mut line)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        let method = line.split(' ').next().unwrap_or_default().to_owned();
        while line != "\r\n" {
            line.clear();
            peer.read_line(&mut line)
                .await
                .ok()
                .filter(|read| *read > 0)?;
            if let Some(number) = line.strip_prefix("CSeq: ") {
                sequence = number.trim().to_owned();
            }
        }
        let status = match evil {
            Evil::Redirect => "302 Moved",
            _ => "200 OK",
        };
        let body = if method == "DESCRIBE" { SDP } else { "" };
        let (length, endless) = match evil {
            Evil::Header => (body.len() as u64, "Server: "),
            Evil::Body => (4_000_000_000, "\r\n"),
            _ => (body.len() as u64, ""),
        };
        let answer = format!(
            "RTSP/1.0 {status}\r\nCSeq: {sequence}\r\nSession: 1\r\nContent-Type: application/sdp\r\n\
             Location: rtsp://{address}/live\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\
             Content-Length: {length}\r\n{endless}"
        );
        peer.get_mut().write_all(answer.as_bytes()).await.ok()?;
        if !endless.is_empty() {
            loop {
                peer.get_mut().write_all(&[b'x'; 65_536]).await.ok()?;
            }
        }
        let rest = format!("\r\n{body}");
        peer.get_mut().write_all(rest.as_bytes()).await.ok()?;
        if method == "PLAY" {
            for number in 0u16.. {
                let first = if number == 0 { 0x85 } else { 0x05 };
                let [high, low] = number.to_be_bytes();
                let mut packet = vec![b'$', 0, 0xea, 0x6c, 0x80, 96, high, low];
                packet.extend([0, 0, 0, 9, 0, 0, 0, 1, 0x7c, first]);
                packet.resize(4 + 0xea6c, 0xaa);
                peer.get_mut().write_all(&packet).await.ok()?;
            }
        }
    }
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn memory_stays_flat_however_often_a_camera_does_it() {
    for (evil, kind) in [
        (Evil::Fragments, ErrorKind::Misbehaved),
        (Evil::Header, ErrorKind::Misbehaved),
        (Evil::Body, ErrorKind::Misbehaved),
        (Evil::Redirect, ErrorKind::Refused),
    ] {
        let (address, clients) = camera(evil).await;
        let url = format!("rtsp://{address}/live").parse().unwrap();
        let mut options = RtspOptions::new(url);
        options.idle_timeout = Duration::from_secs(5);
        let delay = Duration::from_millis(20);
        let delays = HubOptions {
            first_delay: delay,
            longest_delay: delay,
            ..HubOptions::default()
        };
        let hub = Hub::new(Arc::new(RtspSource::new(options).unwrap()), delays);
        let _consumer = hub.subscribe();
        let mut changes = hub.watch_status();
        let mut grown = None;
        let failing = async {
            let mut failures = 0;
            while failures < SESSIONS {
                let HubStatus::Backoff { error, .. } = changes.next().await.unwrap() else {
                    continue;
                };
                assert_eq!(error.kind(), kind, "{evil:?}: {error}");
                failures += 1;
                // What the first ones took is there to be used again.
                if failures == 3 {
                    grown = Some(resident());
                }
            }
        };
        timeout(SOON, failing).await.unwrap();
        let growth = resident().saturating_sub(grown.unwrap());
        println!(
            "{evil:?}: {} KiB more after {SESSIONS} sessions",
            growth >> 10
        );
        assert!(growth < GROWTH, "{evil:?}: {} MiB", growth >> 20);
        // A redirect that never ends is given up, whether or not it is followed for a while.
        let clients = clients.load(Ordering::Relaxed);
        assert!(
            (SESSIONS..SESSIONS * 10).contains(&clients),
            "{evil:?}: {clients}"
        );
    }
}
