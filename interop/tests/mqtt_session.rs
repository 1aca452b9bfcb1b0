//! The MQTT session of `aio-registry` with a Mosquitto that ends and comes back again and again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aio_registry::{Mqtt, MqttOptions, MqttSession, Publish, Qos};
use futures::stream::{self, StreamExt};
use interop::{MOSQUITTO, free_port, installed, wait_for_port};
use tokio::sync::Notify;
use tokio::time::timeout;

const MESSAGES: u32 = 100_000;
const RESTARTS: u32 = 100;

/// Mosquitto that keeps sessions and messages on disk. It writes them when it is told to end, and not when it is killed:
/// killed it forgets what it has acknowledged, which no client can make good.
struct Broker {
    child: Child,
}

impl Broker {
    fn start(folder: &Path, port: u16) -> Self {
        let configuration = folder.join("mosquitto.conf");
        let text = format!(
            "user root\npersistence true\npersistence_location {}/\nlistener {port} 127.0.0.1\nallow_anonymous true\n\
             max_queued_messages 0\nmax_queued_bytes 0\n",
            folder.display()
        );
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
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap();
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
