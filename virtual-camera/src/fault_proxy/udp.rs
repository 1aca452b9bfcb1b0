//! Datagrams through the proxy.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::line::{Fate, Line};
use super::{LinkCounters, LinkFaults, Shared, Way};

const MAX_DATAGRAM: usize = 64 * 1024;
const MAX_CLIENTS: usize = 256;
/// A client that neither sends nor gets anything is forgotten after this time.
const IDLE: Duration = Duration::from_secs(120);
/// Datagrams on their way in one direction; what is more is lost.
const MAX_WAITING: usize = 4096;
/// How long a datagram that is to be overtaken waits for the one that overtakes it.
const HELD: Duration = Duration::from_millis(100);

/// Serves until it is dropped.
pub(super) async fn serve(shared: Arc<Shared>, socket: Arc<UdpSocket>) {
    let mut clients: HashMap<SocketAddr, mpsc::Sender<BytesMut>> = HashMap::new();
    let mut carriers = JoinSet::new();
    let mut buffer = vec![0; MAX_DATAGRAM];
    let mut number = 0;
    loop {
        let (length, peer) = tokio::select! {
            received = socket.recv_from(&mut buffer) => match received {
                Ok(received) => received,
                // About an answer to somebody who is gone; the socket goes on.
                Err(_) => continue,
            },
            Some(ended) = carriers.join_next() => {
                if let Ok(peer) = ended {
                    // Somebody who came back meanwhile has another one.
                    clients.remove(&peer).filter(|client| !client.is_closed())
                        .map(|client| clients.insert(peer, client));
                }
                continue;
            }
        };
        let lost = || shared.count_on(Way::ToServer, |counters| counters.dropped += 1);
        let known = clients.get(&peer).is_some_and(|client| !client.is_closed());
        if shared.faults.borrow().refuse || (!known && clients.len() >= MAX_CLIENTS) {
            lost();
            continue;
        }
        if !known {
            number += 1;
            let (client, from_client) = mpsc::channel(MAX_WAITING);
            let reset = shared.lock_connections().clone();
            let (shared, socket) = (shared.clone(), socket.clone());
            carriers.spawn(async move {
                let carried = carry(&shared, &socket, peer, number, from_client, &reset).await;
                if let Err(error) = carried {
                    tracing::warn!(%peer, %error, "the fault proxy has no socket for a UDP client");
                }
                peer
            });
            clients.insert(peer, client);
        }
        let sent = clients[&peer].try_send(BytesMut::from(&buffer[..length]));
        if let Err(TrySendError::Full(_) | TrySendError::Closed(_)) = sent {
            lost();
        }
    }
}

/// Carries what one client sends, and what it is sent, until it is idle.
async fn carry(
    shared: &Shared,
    socket: &UdpSocket,
    peer: SocketAddr,
    number: u64,
    mut from_client: mpsc::Receiver<BytesMut>,
    reset: &CancellationToken,
) -> io::Result<()> {
    let target = shared.target();
    let any: SocketAddr = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let upstream = UdpSocket::bind(any).await?;
    upstream.connect(target).await?;
    shared.count(|counters| counters.connections += 1);
    let mut there = Journey::new(Line::new(shared.seed, number, Way::ToServer));
    let mut back = Journey::new(Line::new(shared.seed, number, Way::ToClient));
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let idle = now() + IDLE;
        let arrivals = there.next_arrival().into_iter().chain(back.next_arrival());
        let arrival = arrivals.min().unwrap_or(idle);
        let (journey, way, datagram) = tokio::select! {
            datagram = from_client.recv() => match datagram {
                Some(datagram) => (&mut there, Way::ToServer, Some(datagram)),
                None => return Ok(()),
            },
            received = upstream.recv(&mut buffer) => match received {
                Ok(length) => (&mut back, Way::ToClient, Some(BytesMut::from(&buffer[..length]))),
                // The server is not there, which UDP does not tell.
                Err(_) => continue,
            },
            () = tokio::time::sleep_until(arrival.into()) => (&mut there, Way::ToServer, None),
            () = reset.cancelled() => {
                shared.count(|counters| counters.reset += 1);
                return Ok(());
            }
        };
        let arrived = now();
        match datagram {
            Some(datagram) => {
                let (faults, refuse) = {
                    let faults = shared.faults.borrow();
                    (way.of(&faults).clone(), faults.refuse)
                };
                shared.count_on(way, |counters| match refuse {
                    true => counters.dropped += 1,
                    false => journey.begin(&faults, arrived, datagram, counters),
                });
            }
            None if arrived >= idle => return Ok(()),
            None => {}
        }
        for datagram in there.arrivals(arrived) {
            let sent = upstream.send(&datagram).await;
            count_sent(shared, Way::ToServer, sent);
        }
        for datagram in back.arrivals(arrived) {
            let sent = socket.send_to(&datagram, peer).await;
            count_sent(shared, Way::ToClient, sent);
        }
    }
}

fn count_sent(shared: &Shared, way: Way, sent: io::Result<usize>) {
    shared.count_on(way, |counters| match sent {
        Ok(length) => {
            counters.datagrams += 1;
            counters.bytes += length as u64;
        }
        Err(_) => counters.dropped += 1,
    });
}

/// The runtime's clock, so that a test with a paused clock rules over it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Datagrams on their way in one direction. Time is passed in.
struct Journey {
    line: Line,
    /// By arrival, and among those that arrive together in their order.
    waiting: BinaryHeap<Reverse<(Instant, u64, Bytes)>>,
    begun: u64,
    /// One that is to be overtaken, and when it goes on without that.
    held: Option<(Instant, Bytes)>,
}

impl Journey {
    fn new(line: Line) -> Self {
        Self {
            line,
            waiting: BinaryHeap::new(),
            begun: 0,
            held: None,
        }
    }

    fn begin(
        &mut self,
        faults: &LinkFaults,
        now: Instant,
        mut datagram: BytesMut,
        counters: &mut LinkCounters,
    ) {
        let (fate, corrupted) = self.line.datagram(faults, now, &mut datagram);
        counters.corrupted += corrupted;
        let datagram = datagram.freeze();
        let (at, copies) = match fate {
            Fate::Arrives { at, copies } => (at, copies),
            Fate::Waits { at } if self.held.is_none() => {
                counters.reordered += 1;
                self.held = Some((at + HELD, datagram));
                return;
            }
            Fate::Waits { at } => (at, 1),
            Fate::Lost => return counters.dropped += 1,
        };
        if self.waiting.len() >= MAX_WAITING {
            return counters.dropped += 1;
        }
        counters.duplicated += copies as u64 - 1;
        for _ in 0..copies {
            self.push(at, datagram.clone());
        }
        if let Some((_, overtaken)) = self.held.take() {
            self.push(at, overtaken);
        }
    }

    fn push(&mut self, at: Instant, datagram: Bytes) {
        self.begun += 1;
        self.waiting.push(Reverse((at, self.begun, datagram)));
    }

    fn next_arrival(&self) -> Option<Instant> {
        let waiting = self.waiting.peek().map(|Reverse((at, ..))| *at);
        let held = self.held.as_ref().map(|(at, _)| *at);
        waiting.into_iter().chain(held).min()
    }

    /// Takes out what has arrived, in the order in which it did.
    fn arrivals(&mut self, now: Instant) -> Vec<Bytes> {
        if let Some((at, alone)) = self.held.take_if(|(at, _)| *at <= now) {
            self.push(at, alone);
        }
        let mut arrived = Vec::new();
        while let Some(next) = self.waiting.peek_mut() {
            if next.0.0 > now {
                break;
            }
            let Reverse((_, _, datagram)) = std::collections::binary_heap::PeekMut::pop(next);
            arrived.push(datagram);
        }
        arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journey() -> Journey {
        Journey::new(Line::new(3, 1, Way::ToServer))
    }

    /// Begins the journey of datagrams of one byte each, at one moment, and says in what order they have arrived later.
    fn order(journey: &mut Journey, faults: &LinkFaults, datagrams: &[u8]) -> Vec<u8> {
        let now = Instant::now();
        let mut counters = LinkCounters::default();
        for byte in datagrams {
            journey.begin(faults, now, BytesMut::from(&[*byte][..]), &mut counters);
        }
        let arrived = journey.arrivals(now + Duration::from_secs(60));
        arrived.iter().map(|datagram| datagram[0]).collect()
    }

    #[test]
    fn datagrams_arrive_in_order_without_faults() {
        let faults = LinkFaults::default();
        assert_eq!(order(&mut journey(), &faults, b"abcdef"), b"abcdef");
    }

    #[test]
    fn a_datagram_is_overtaken_by_the_next_or_comes_late() {
        let faults = LinkFaults {
            reorder: 1.0,
            ..Default::default()
        };
        assert_eq!(order(&mut journey(), &faults, b"abcde"), b"badce");

        let (now, mut late) = (Instant::now(), journey());
        let mut counters = LinkCounters::default();
        late.begin(&faults, now, BytesMut::from(&b"a"[..]), &mut counters);
        assert_eq!(late.next_arrival(), Some(now + HELD));
        assert!(late.arrivals(now).is_empty());
        assert_eq!(late.arrivals(now + HELD).len(), 1);
        assert_eq!(counters.reordered, 1);
    }

    #[test]
    fn duplicates_follow_each_other() {
        let faults = LinkFaults {
            duplicate: 1.0,
            ..Default::default()
        };
        assert_eq!(order(&mut journey(), &faults, b"abc"), b"aabbcc");
    }

    #[test]
    fn jitter_shuffles_and_loses_nothing() {
        let faults = LinkFaults {
            jitter: Duration::from_secs(1),
            ..Default::default()
        };
        let sent: Vec<u8> = (0..100).collect();
        let mut arrived = order(&mut journey(), &faults, &sent);
        assert_ne!(arrived, sent);
        arrived.sort_unstable();
        assert_eq!(arrived, sent);
    }

    #[test]
    fn what_waits_is_bounded() {
        let faults = LinkFaults {
            latency: Duration::from_secs(60),
            ..Default::default()
        };
        let (now, mut journey) = (Instant::now(), journey());
        let mut counters = LinkCounters::default();
        for _ in 0..MAX_WAITING + 10 {
            journey.begin(&faults, now, BytesMut::from(&b"a"[..]), &mut counters);
        }
        assert_eq!(counters.dropped, 10);
        assert_eq!(
            journey.arrivals(now + 2 * faults.latency).len(),
            MAX_WAITING
        );
    }
}
