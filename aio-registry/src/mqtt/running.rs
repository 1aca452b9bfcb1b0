//! What a session does in the background: connections, one after the other, and packets both ways.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::connection::{Connection, Dial, Reader, Writer};
use super::core::Limits;
use super::credentials::Credentials;
use super::session::Shared;
use super::{Ack, MqttOptions, SessionState};

/// A connection that lived this long, or on which a message was acknowledged, was a good one: the next pause is short again.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);

const NOT_READ: &str = "a subscription is not read from, and holds all it can";

/// Connects again and again until the session is to stop.
pub(super) async fn run(shared: Arc<Shared>, dial: Dial, stop: CancellationToken) {
    let mut failures = 0;
    let mut clean_start = shared.options.clean_start;
    while !stop.is_cancelled() {
        shared.state.send_replace(SessionState::Connecting);
        let opening = open(&shared.options, &dial, clean_start);
        let Some(opened) = stop.run_until_cancelled(opening).await else {
            break;
        };
        let error = match opened {
            Err(error) => error,
            Ok((connection, credentials)) => {
                // Only the first connection of a process may start anew; later ones resume it.
                clean_start = false;
                let since = Instant::now();
                let end = serve(&shared, connection, &credentials, &stop).await;
                let progressed = shared.core().disconnected(matches!(end, End::Lost(_)));
                shared.progress.notify_waiters();
                if progressed || since.elapsed() >= GOOD_CONNECTION {
                    failures = 0;
                }
                match end {
                    End::Stopped => break,
                    End::Renewed => {
                        info!(
                            "the credentials have changed; connecting to the MQTT broker with the new ones"
                        );
                        continue;
                    }
                    End::Lost(error) => error,
                }
            }
        };
        let retry_in = pause(failures, rand::random());
        failures = failures.saturating_add(1);
        warn!(broker = %shared.options.broker.host_str().unwrap_or_default(), error, ?retry_in, "not connected to the MQTT broker");
        shared
            .state
            .send_replace(SessionState::Disconnected { error, retry_in });
        if stop.run_until_cancelled(sleep(retry_in)).await.is_none() {
            break;
        }
    }
    shared.memory.close();
    shared.core().abandon();
    shared.state.send_replace(SessionState::Closed);
    shared.progress.notify_waiters();
}

async fn open(
    options: &MqttOptions,
    dial: &Dial,
    clean_start: bool,
) -> Result<(Connection, Credentials), String> {
    let opening = async {
        let read = Credentials::read(options).await;
        let credentials = read.map_err(|error| error.to_string())?;
        let connection = Connection::open(dial, options, credentials.clone(), clean_start).await?;
        Ok((connection, credentials))
    };
    timeout(options.connect_timeout, opening)
        .await
        .unwrap_or_else(|_| {
            Err(format!(
                "no connection within {:?}",
                options.connect_timeout
            ))
        })
}

/// Full jitter: a random share of a ceiling that doubles from 0.5 s to 30 s; never less than 50 ms.
fn pause(failures: u32, random: f64) -> Duration {
    let ceiling = 0.5 * 2f64.powi(failures.min(10) as i32);
    Duration::from_secs_f64((ceiling.min(30.0) * random).max(0.05))
}

/// Why a connection ended.
enum End {
    Lost(String),
    /// There are new credentials.
    Renewed,
    /// The session is to stop.
    Stopped,
}

/// Keeps a connection going until it is lost, its credentials have changed or the session is to stop.
async fn serve(
    shared: &Arc<Shared>,
    connection: Connection,
    credentials: &Credentials,
    stop: &CancellationToken,
) -> End {
    let Connection {
        connack,
        mut reader,
        mut writer,
    } = connection;
    let granted = connack.properties.as_ref();
    let limits = Limits {
        receive_maximum: granted
            .and_then(|granted| granted.receive_max)
            .unwrap_or(u16::MAX)
            .max(1),
        max_packet_size: granted.and_then(|granted| granted.max_packet_size),
    };
    let keep_alive = match granted.and_then(|granted| granted.server_keep_alive) {
        Some(seconds) if seconds > 0 => Duration::from_secs(seconds.into()),
        _ => shared.options.keep_alive,
    };
    info!(
        client_id = shared.options.client_id,
        session_present = connack.session_present,
        "connected to the MQTT broker"
    );
    shared.core().connected(connack.session_present, limits);
    shared.state.send_replace(SessionState::Connected);
    let goodbye = tokio::select! {
        Err(error) = read(shared, &mut reader, keep_alive) => return End::Lost(error),
        Err(error) = write(shared, &mut writer, keep_alive) => return End::Lost(error),
        () = credentials.changed(&shared.options) => End::Renewed,
        () = stop.cancelled() => End::Stopped,
    };
    // Without a goodbye the broker finds out by itself.
    let _ = timeout(Duration::from_secs(1), writer.disconnect()).await;
    goodbye
}

async fn read(
    shared: &Arc<Shared>,
    reader: &mut Reader,
    keep_alive: Duration,
) -> Result<std::convert::Infallible, String> {
    loop {
        // The broker answers a ping in every interval, so silence over two of them means that it is gone.
        let packet = timeout(keep_alive * 2, reader.read()).await;
        let packet =
            packet.map_err(|_| format!("the broker was silent for {:?}", keep_alive * 2))??;
        let delivery = shared.core().receive(packet, |number| {
            acknowledgement(Arc::downgrade(shared), number)
        });
        // Dropping a message that nobody wants acknowledges it, which takes the lock again.
        if delivery?.overflow {
            return Err(NOT_READ.into());
        }
        shared.wake.notify_one();
        shared.progress.notify_waiters();
    }
}

fn acknowledgement(shared: Weak<Shared>, number: u64) -> Ack {
    Ack::new(move || {
        if let Some(shared) = shared.upgrade() {
            shared.core().acknowledge(number);
            shared.wake.notify_one();
        }
    })
}

fn deliver_surplus(shared: &Arc<Shared>) -> Result<(), String> {
    loop {
        let ack = |number| acknowledgement(Arc::downgrade(shared), number);
        let delivery = shared.core().next_surplus(ack)?;
        let Some(delivery) = delivery else {
            return Ok(());
        };
        if delivery.overflow {
            return Err(NOT_READ.into());
        }
    }
}

async fn write(
    shared: &Arc<Shared>,
    writer: &mut Writer,
    keep_alive: Duration,
) -> Result<std::convert::Infallible, String> {
    let mut pings = interval_at(Instant::now() + keep_alive * 3 / 4, keep_alive * 3 / 4);
    loop {
        deliver_surplus(shared)?;
        while !writer.is_full() {
            let Some(packet) = shared.core().next_packet() else {
                break;
            };
            writer.add(&packet)?;
        }
        if !writer.is_empty() {
            let written = timeout(keep_alive * 2, writer.flush()).await;
            written.map_err(|_| format!("the broker took nothing for {:?}", keep_alive * 2))??;
            shared.progress.notify_waiters();
            continue;
        }
        tokio::select! {
            () = shared.wake.notified() => {}
            _ = pings.tick() => writer.ping().await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_are_never_nothing() {
        assert_eq!(pause(0, 1.0), Duration::from_millis(500));
        assert_eq!(pause(3, 0.5), Duration::from_secs(2));
        assert_eq!(pause(40, 1.0), Duration::from_secs(30));
        assert_eq!(pause(40, 0.0), Duration::from_millis(50));
    }
}
