//! The MQTT session of `aio-registry` with a Mosquitto that ends and comes back again and again, is killed, forgets and refuses.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aio_registry::{Mqtt, MqttOptions, MqttSession, Publish, PublishError, Qos, SessionState};
use futures::stream::{self, StreamExt};
use interop::{MOSQUITTO, free_port, installed, wait_for_port};
use tokio::sync::Notify;
use tokio::time::timeout;

const MESSAGES: u32 = 100_000;
const RESTARTS: u32 = 100;
const SOON: Duration = Duration::from_secs(60);

/// Mosquitto that keeps sessions and messages on disk. It writes them when it is told to end, and not when it is killed:
/// killed it forgets what it has acknowledged, which no client can make good.
struct Broker {
    child: Child,
}

impl Broker {
    /// One that keeps its sessions in a folder.
    fn start(folder: &Path, port: u16) -> Self {
        let settings = format!(
            "persistence true\npersistence_location {}/\nmax_queued_messages 0\nmax_queued_bytes 0",
            folder.display()
        );
        Self::start_with(folder, port, &settings)
    }

    fn start_with(folder: &Path, port: u16, settings: &str) -> Self {
        let configuration = folder.join("mosquitto.conf");
        let text =
            format!("user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n{settings}\n");
        fs::write(&configuration, text).unwrap();
        let child = Command::new("mosquitto")
            .arg("-c")
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_port(port);
        Self { child }
    }

    fn end(mut self) {
        self.signal("-TERM");
        self.child.wait().unwrap();
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(told.success());
    }

    /// Whether something was sent to it that it has not read.
    fn has_unread(&self, port: u16) -> bool {
        let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
        let own = format!(":{port:04X}");
        sockets.lines().any(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let unread = fields.get(4).and_then(|queues| queues.split_once(':'));
            let connected = fields.get(3) == Some(&"01");
            connected
                && fields[1].ends_with(&own)
                && unread.is_some_and(|(_, unread)| unread.contains(|digit| digit != '0'))
        })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn session(port: u16, client_id: &str) -> MqttSession {
    let broker = format!("mqtt://127.0.0.1:{port}").parse().unwrap();
    let options = MqttOptions {
        publish_timeout: Duration::from_secs(240),
        ..MqttOptions::new(broker, client_id)
    };
    MqttSession::connect(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loses_none_of_100_000_messages_while_mosquitto_restarts_100_times() {
    if !installed(&[MOSQUITTO]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let port = free_port();
    let started = Instant::now();
    let mut broker = Broker::start(&path, port);

    let reader = session(port, "reader").await;
    let mut messages = reader
        .subscribe("faults/+", Qos::AtLeastOnce)
        .await
        .unwrap();
    let reading = tokio::spawn(async move {
        let mut times = vec![0u32; MESSAGES as usize];
        let mut missing = MESSAGES;
        while missing > 0 {
            let message = timeout(Duration::from_secs(120), messages.next()).await;
            let Ok(Some(message)) = message else {
                break;
            };
            let number: usize = std::str::from_utf8(&message.payload)
                .unwrap()
                .parse()
                .unwrap();
            missing -= u32::from(times[number] == 0);
            times[number] += 1;
        }
        times
    });

    let acknowledged = Arc::new(AtomicU32::new(0));
    let progress = Arc::new(Notify::new());
    let (count, seen) = (acknowledged.clone(), progress.clone());
    let killing = tokio::task::spawn(async move {
        for restart in 1..=RESTARTS {
            while count.load(Ordering::SeqCst) < MESSAGES / (RESTARTS + 1) * restart {
                seen.notified().await;
            }
            let (path, old) = (path.clone(), broker);
            let again = tokio::task::spawn_blocking(move || {
                old.end();
                Broker::start(&path, port)
            });
            broker = again.await.unwrap();
        }
        broker
    });

    let writer = session(port, "writer").await;
    let publishing = stream::iter(0..MESSAGES).map(|number| {
        let (writer, acknowledged, progress) = (&writer, &acknowledged, &progress);
        async move {
            let sent = writer
                .publish(Publish::new("faults/x", number.to_string()))
                .await;
            acknowledged.fetch_add(1, Ordering::SeqCst);
            progress.notify_one();
            sent
        }
    });
    let failed = publishing
        .buffer_unordered(200)
        .filter(|sent| std::future::ready(sent.is_err()));
    assert_eq!(failed.collect::<Vec<_>>().await, []);
    let _broker = killing.await.unwrap();

    let times = reading.await.unwrap();
    let lost = times.iter().filter(|times| **times == 0).count();
    let duplicates = times
        .iter()
        .map(|times| times.saturating_sub(1))
        .sum::<u32>();
    println!(
        "{MESSAGES} messages, {RESTARTS} restarts of Mosquitto: {lost} lost, {duplicates} duplicates, {:?}",
        started.elapsed()
    );
    assert_eq!(lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_mosquitto_left_unacknowledged_is_sent_to_one_that_knows_no_session() {
    if !installed(&[MOSQUITTO]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let settings = "persistence false";
    let broker = Broker::start_with(folder.path(), port, settings);
    let session = session(port, "client").await;
    let mut messages = session
        .subscribe("faults/+", Qos::AtLeastOnce)
        .await
        .unwrap();

    // It reads nothing more, and so acknowledges nothing.
    broker.signal("-STOP");
    let publishing = tokio::spawn(async move {
        let results = stream::iter(0..100)
            .map(|number| session.publish(Publish::new("faults/x", number.to_string())))
            .buffered(100);
        results.collect::<Vec<_>>().await
    });
    let sent = async {
        while !broker.has_unread(port) {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, sent).await.unwrap();
    // By SIGKILL.
    drop(broker);

    let _broker = Broker::start_with(folder.path(), port, settings);
    // Subscribed again before anything was sent again, and sent again once and in order.
    for number in 0..100 {
        let message = timeout(SOON, messages.next()).await.unwrap().unwrap();
        assert_eq!(message.payload, number.to_string());
    }
    let results = timeout(SOON, publishing).await.unwrap().unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_mosquitto_refuses_is_refused_and_the_session_goes_on() {
    if !installed(&[MOSQUITTO]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let rules = folder.path().join("rules");
    fs::write(&rules, "topic readwrite open/#\n").unwrap();
    let settings = format!(
        "persistence false\nacl_file {}\nmax_packet_size 1000",
        rules.display()
    );
    let _broker = Broker::start_with(folder.path(), port, &settings);
    let session = session(port, "client").await;
    session.connected(SOON).await.unwrap();
    let send = async |topic: &str, size: usize| {
        let sending = session.publish(Publish::new(topic, vec![b'x'; size]));
        timeout(SOON, sending).await.unwrap()
    };
    // That nobody hears is no error.
    assert_eq!(send("open/x", 1).await, Ok(()));
    let refused = send("closed/x", 1).await.unwrap_err();
    assert!(
        matches!(refused, PublishError::Refused { code: 0x87, .. }),
        "{refused:?}"
    );
    assert!(!refused.is_transient());
    // Mosquitto ends the connection on what is too large: it never gets that.
    let mut messages = session.subscribe("open/+", Qos::AtLeastOnce).await.unwrap();
    let refused = send("open/x", 1001).await.unwrap_err();
    assert!(
        matches!(refused, PublishError::TooLarge { limit: 1000, .. }),
        "{refused:?}"
    );
    assert_eq!(session.state(), SessionState::Connected);
    assert_eq!(send("open/x", 900).await, Ok(()));
    let message = timeout(SOON, messages.next()).await.unwrap().unwrap();
    assert_eq!(message.payload.len(), 900);
}
