//! TCP connections through the proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::line::{End, Gate, Line};
use super::{Shared, Way};
use crate::port::{Port, PortHandle};

/// Pieces of at most 16 KiB that are on their way in one direction; the sender waits for room beyond them.
const QUEUE: usize = 256;
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long a connection that was cut waits for both sides to hang up.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// What the operating system refuses now it may grant then.
const RETRY: Duration = Duration::from_millis(50);

/// Serves until it is dropped.
pub(super) async fn serve(shared: Arc<Shared>, mut port: Port, handle: PortHandle) {
    let mut faults = shared.faults.subscribe();
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        handle.set_open(!faults.borrow_and_update().refuse);
        tokio::select! {
            accepted = port.accept() => match accepted {
                Ok((client, _)) => {
                    number += 1;
                    connections.spawn(connect(shared.clone(), client, number));
                }
                Err(error) => {
                    tracing::debug!(%error, "the fault proxy did not get a connection");
                    tokio::time::sleep(RETRY).await;
                }
            },
            Some(_) = connections.join_next() => {}
            // The sender is in `shared`.
            _ = faults.changed() => {}
        }
    }
}

async fn connect(shared: Arc<Shared>, client: TcpStream, number: u64) {
    let reset = shared.lock_connections().clone();
    let target = shared.target();
    let connecting = tokio::time::timeout(CONNECT_DEADLINE, TcpStream::connect(target));
    let Ok(Ok(server)) = connecting.await else {
        tracing::debug!(%target, "the server behind the fault proxy cannot be reached");
        shared.count(|counters| counters.unreachable += 1);
        return reset_on_close(&client);
    };
    shared.count(|counters| counters.connections += 1);
    relay(&shared, client, server, number, &reset).await;
}

/// Carries both directions until they end.
async fn relay(
    shared: &Shared,
    mut client: TcpStream,
    mut server: TcpStream,
    number: u64,
    reset: &CancellationToken,
) {
    // Pieces are to arrive as they were cut. Without it they do so a little later.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let there = carry(shared, Way::ToServer, number, from_client, to_server);
        let back = carry(shared, Way::ToClient, number, from_server, to_client);
        tokio::select! {
            both = async { tokio::try_join!(there, back) } => both.err(),
            () = reset.cancelled() => Some(Ending::Fault(End::Reset)),
        }
    };
    match ended {
        None => {}
        Some(Ending::Fault(End::Cut)) => {
            shared.count(|counters| counters.cut += 1);
            let closed = futures::future::join(close(&mut client), close(&mut server));
            let _ = tokio::time::timeout(CLOSE_DEADLINE, closed).await;
        }
        Some(ending) => {
            if ending == Ending::Fault(End::Reset) {
                shared.count(|counters| counters.reset += 1);
            }
            reset_on_close(&client);
            reset_on_close(&server);
        }
    }
}

/// Why a connection ended that was not closed from both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Fault(End),
    /// A side broke it off; the other is to see that too.
    Broken,
}

/// Says that nothing follows, and takes what still comes: a socket that is closed with bytes unread resets.
async fn close(stream: &mut TcpStream) {
    let mut rest = [0; 4096];
    let _ = stream.shutdown().await;
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}

fn reset_on_close(stream: &TcpStream) {
    // Fails only where the connection is gone, which is as good.
    let _ = stream.set_zero_linger();
}

/// What is on its way.
enum Sent {
    Piece { at: Instant, bytes: Bytes },
    End { at: Instant },
    Fault(End),
}

/// Carries one direction to its end.
async fn carry(
    shared: &Shared,
    way: Way,
    connection: u64,
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
) -> Result<(), Ending> {
    let line = Line::new(shared.seed, connection, way);
    let (queue, queued) = mpsc::channel(QUEUE);
    tokio::try_join!(
        take(shared, way, line, from, queue),
        deliver(shared, way, queued, to)
    )?;
    Ok(())
}

async fn take(
    shared: &Shared,
    way: Way,
    mut line: Line,
    mut from: impl AsyncRead + Unpin,
    queue: mpsc::Sender<Sent>,
) -> Result<(), Ending> {
    let mut faults = shared.faults.subscribe();
    let mut stalled = false;
    loop {
        let link = way.of(&faults.borrow_and_update()).clone();
        let gate = line.gate(&link);
        if gate == Gate::Stalled && !stalled {
            shared.count_on(way, |counters| counters.stalled += 1);
        }
        stalled = gate == Gate::Stalled;
        let room = match gate {
            Gate::Open(room) => room,
            Gate::Stalled => {
                // The sender is in `shared`.
                let _ = faults.changed().await;
                continue;
            }
            Gate::Ended(end) => {
                // Where nobody delivers any more, the connection is ending already.
                let _ = queue.send(Sent::Fault(end)).await;
                return Ok(());
            }
        };
        let mut bytes = BytesMut::with_capacity(room);
        let mut limited = (&mut bytes).limit(room);
        let read = tokio::select! {
            read = from.read_buf(&mut limited) => read.map_err(|_| Ending::Broken)?,
            _ = faults.changed() => continue,
        };
        let now = Instant::now().into_std();
        let (at, corrupted) = line.stream(&link, now, &mut bytes);
        shared.count_on(way, |counters| counters.corrupted += corrupted);
        let at = at.into();
        let sent = match read {
            0 => Sent::End { at },
            _ => Sent::Piece {
                at,
                bytes: bytes.freeze(),
            },
        };
        if queue.send(sent).await.is_err() || read == 0 {
            return Ok(());
        }
    }
}

async fn deliver(
    shared: &Shared,
    way: Way,
    mut queued: mpsc::Receiver<Sent>,
    mut to: impl AsyncWrite + Unpin,
) -> Result<(), Ending> {
    while let Some(sent) = queued.recv().await {
        match sent {
            Sent::Piece { at, bytes } => {
                tokio::time::sleep_until(at).await;
                to.write_all(&bytes).await.map_err(|_| Ending::Broken)?;
                shared.count_on(way, |counters| counters.bytes += bytes.len() as u64);
            }
            Sent::End { at } => {
                tokio::time::sleep_until(at).await;
                to.shutdown().await.map_err(|_| Ending::Broken)?;
            }
            Sent::Fault(end) => return Err(Ending::Fault(end)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::super::{Drip, FaultProxyOptions, Faults, LinkFaults};
    use super::*;

    fn shared(to_client: LinkFaults) -> Arc<Shared> {
        let options = FaultProxyOptions {
            faults: Faults {
                to_client,
                ..Default::default()
            },
            ..Default::default()
        };
        Arc::new(Shared::new(([127, 0, 0, 1], 9).into(), options))
    }

    /// A direction to the client, in memory: where the server writes and the client reads.
    fn carried(
        shared: &Arc<Shared>,
    ) -> (
        DuplexStream,
        DuplexStream,
        tokio::task::JoinHandle<Result<(), Ending>>,
    ) {
        let (server, from) = duplex(1024);
        let (to, client) = duplex(1024);
        let shared = shared.clone();
        let carrying =
            tokio::spawn(async move { carry(&shared, Way::ToClient, 1, from, to).await });
        (server, client, carrying)
    }

    #[tokio::test(start_paused = true)]
    async fn latency_delays_without_making_the_line_narrow() {
        let shared = shared(LinkFaults {
            latency: Duration::from_secs(3),
            ..Default::default()
        });
        let (mut server, mut client, carrying) = carried(&shared);
        let start = Instant::now();
        let sending = async {
            for _ in 0..3 {
                server.write_all(&[7; 1000]).await.unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            drop(server);
        };
        let reading = async {
            let mut arrivals = Vec::new();
            let mut piece = [0; 1000];
            while client.read_exact(&mut piece).await.is_ok() {
                arrivals.push(start.elapsed().as_secs());
            }
            (arrivals, start.elapsed().as_secs())
        };
        let ((), arrived) = tokio::join!(sending, reading);
        assert_eq!(arrived, (vec![3, 4, 5], 6));
        assert_eq!(carrying.await.unwrap(), Ok(()));
        assert_eq!(shared.lock_counters().to_client.bytes, 3000);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_drip_until_the_drip_is_lifted() {
        let shared = shared(LinkFaults {
            drip: Some(Drip {
                bytes: 1,
                every: Duration::from_secs(1),
            }),
            ..Default::default()
        });
        let (mut server, mut client, _carrying) = carried(&shared);
        let start = Instant::now();
        server.write_all(&[7; 600]).await.unwrap();
        let mut some = [0; 5];
        client.read_exact(&mut some).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 5);
        shared.faults.send_replace(Faults::default());
        let mut rest = [0; 595];
        client.read_exact(&mut rest).await.unwrap();
        // What was on its way when it was lifted dripped on.
        assert!(start.elapsed() <= Duration::from_secs(300));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_back_by_a_stall_comes_after_it() {
        let shared = shared(LinkFaults {
            stall_after: Some(4),
            ..Default::default()
        });
        let (mut server, mut client, _carrying) = carried(&shared);
        server.write_all(b"herethere").await.unwrap();
        let mut here = [0; 4];
        client.read_exact(&mut here).await.unwrap();
        let mut there = [0; 5];
        let patience = Duration::from_secs(3600);
        let nothing = tokio::time::timeout(patience, client.read(&mut there)).await;
        assert!(nothing.is_err());
        assert_eq!(shared.lock_counters().to_client.stalled, 1);

        shared.faults.send_replace(Faults::default());
        client.read_exact(&mut there).await.unwrap();
        assert_eq!((&here, &there), (b"here", b"there"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_before_the_cut_arrives_before_it() {
        let shared = shared(LinkFaults {
            cut_after: Some(6),
            latency: Duration::from_secs(1),
            ..Default::default()
        });
        let (mut server, mut client, carrying) = carried(&shared);
        server.write_all(b"here there").await.unwrap();
        let mut received = String::new();
        client.read_to_string(&mut received).await.unwrap();
        assert_eq!(received, "here t");
        assert_eq!(carrying.await.unwrap(), Err(Ending::Fault(End::Cut)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_was_passed_already_takes_effect_at_once() {
        let shared = shared(LinkFaults::default());
        let (mut server, mut client, carrying) = carried(&shared);
        server.write_all(b"here").await.unwrap();
        client.read_exact(&mut [0; 4]).await.unwrap();
        shared.faults.send_replace(Faults {
            to_client: LinkFaults {
                reset_after: Some(0),
                ..Default::default()
            },
            ..Default::default()
        });
        assert_eq!(carrying.await.unwrap(), Err(Ending::Fault(End::Reset)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept() {
        let shared = shared(LinkFaults {
            rate: Some(1000),
            ..Default::default()
        });
        let (mut server, mut client, _carrying) = carried(&shared);
        let start = Instant::now();
        let writing = async { server.write_all(&[7; 5000]).await.unwrap() };
        let mut all = [0; 5000];
        let reading = async { client.read_exact(&mut all).await.unwrap() };
        tokio::join!(writing, reading);
        let took = start.elapsed();
        assert!((Duration::from_secs(5)..Duration::from_millis(5100)).contains(&took));
    }
}
