//! Round trips of the RPC protocol per second, and the latency it adds to MQTT, on Mosquitto. Another executor can be put
//! beside ours: the invoker is the same for both.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aio_registry::mrpc::{Executor, ExecutorOptions, Invoker, InvokerOptions, Request, Response};
use aio_registry::{Mqtt, MqttOptions, MqttSession, Publish, Qos};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use futures::stream::{self, StreamExt, TryStreamExt};
use tempfile::TempDir;
use tokio::time::timeout;

/// Measures round trips of the RPC protocol on a Mosquitto of its own.
#[derive(Parser)]
struct Arguments {
    /// Round trips of each measurement.
    #[arg(long, default_value_t = 5000)]
    requests: u32,
    /// Requests at once, where the rate is measured.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// A program that answers requests with their payload, started as PROGRAM PORT TOPIC.
    #[arg(long)]
    peer: Option<PathBuf>,
}

/// What was measured of one executor.
struct Measured {
    /// Half of the round trips take no longer, with one request at a time.
    median: Duration,
    /// 99 of 100 take no longer.
    p99: Duration,
    /// Round trips per second, with many at once.
    rate: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let broker = Broker::start()?;
    let client = session(broker.port, "invoker").await?;

    let plain = plain(&broker, &client, &arguments).await?;
    let serving: Arc<dyn Mqtt> = session(broker.port, "executor").await?;
    let options = ExecutorOptions {
        concurrency: arguments.concurrency,
        ..ExecutorOptions::contract("ours/{command}")
    };
    let echo = |request: Request| async move { Ok(Response::json(request.payload)) };
    let _executor = Executor::start(serving, options, echo).await?;
    let ours = measure(&client, "ours/echo", &arguments).await?;

    println!(
        "{} round trips each, {} at once for the rate",
        arguments.requests, arguments.concurrency
    );
    println!("| | median | 99 % | added to MQTT | per second |");
    println!("|---|---|---|---|---|");
    row("MQTT alone", &plain, &plain);
    row("this executor", &ours, &plain);
    let Some(program) = &arguments.peer else {
        return Ok(());
    };
    let _peer = Process(
        Command::new(program)
            .args([&broker.port.to_string(), "theirs/echo"])
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?,
    );
    let theirs = measure(&client, "theirs/echo", &arguments).await?;
    row("the peer's executor", &theirs, &plain);
    println!(
        "ours to the peer's: {:.2} of the latency, {:.2} of the added latency, {:.2} of the rate",
        ratio(ours.median, theirs.median),
        ratio(
            ours.median.saturating_sub(plain.median),
            theirs.median.saturating_sub(plain.median)
        ),
        ours.rate / theirs.rate
    );
    Ok(())
}

fn row(name: &str, measured: &Measured, plain: &Measured) {
    println!(
        "| {name} | {:.0?} | {:.0?} | {:.0?} | {:.0} |",
        measured.median,
        measured.p99,
        measured.median.saturating_sub(plain.median),
        measured.rate
    );
}

fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

/// A message to an echo and back, without any protocol above MQTT.
async fn plain(
    broker: &Broker,
    client: &Arc<MqttSession>,
    arguments: &Arguments,
) -> Result<Measured> {
    let echo = session(broker.port, "echo").await?;
    let mut requests = echo.subscribe("plain/request", Qos::AtLeastOnce).await?;
    tokio::spawn(async move {
        while let Some(message) = requests.next().await {
            let echo = echo.clone();
            tokio::spawn(async move {
                // Whoever waits for it notices that it is missing.
                let _ = echo
                    .publish(Publish::new("plain/answer", message.payload))
                    .await;
            });
        }
    });
    let mut answers = client.subscribe("plain/answer", Qos::AtLeastOnce).await?;
    let mut times = Vec::new();
    for _ in 0..arguments.requests {
        let start = Instant::now();
        client.publish(Publish::new("plain/request", "{}")).await?;
        answers.next().await.context("the session ended")?;
        times.push(start.elapsed());
    }
    let start = Instant::now();
    let sending = stream::iter(0..arguments.requests)
        .map(|_| client.publish(Publish::new("plain/request", "{}")))
        .buffer_unordered(arguments.concurrency)
        .try_collect::<Vec<_>>();
    let all = arguments.requests as usize;
    let receiving = answers.by_ref().take(all).count();
    let (sent, received) = tokio::join!(sending, receiving);
    sent?;
    ensure!(received == all, "the session ended");
    Ok(measured(times, start.elapsed()))
}

async fn measure(
    client: &Arc<MqttSession>,
    topic: &'static str,
    arguments: &Arguments,
) -> Result<Measured> {
    let options = InvokerOptions {
        timeout: Duration::from_secs(2),
        ..InvokerOptions::new(topic)
    };
    let invoker = Invoker::start(client.clone(), options).await?;
    // An executor that has just been started subscribes late.
    let there = async { while invoker.invoke(topic, "{}").await.is_err() {} };
    timeout(Duration::from_secs(60), there)
        .await
        .context("nobody answers")?;
    for _ in 0..arguments.requests / 10 {
        invoker.invoke(topic, "{}").await?;
    }
    let mut times = Vec::new();
    for _ in 0..arguments.requests {
        let start = Instant::now();
        invoker.invoke(topic, "{}").await?;
        times.push(start.elapsed());
    }
    let start = Instant::now();
    stream::iter(0..arguments.requests)
        .map(|_| invoker.invoke(topic, "{}"))
        .buffer_unordered(arguments.concurrency)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(measured(times, start.elapsed()))
}

fn measured(mut times: Vec<Duration>, all: Duration) -> Measured {
    times.sort();
    Measured {
        median: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
        rate: times.len() as f64 / all.as_secs_f64(),
    }
}

async fn session(port: u16, client_id: &str) -> Result<Arc<MqttSession>> {
    let url = format!("mqtt://127.0.0.1:{port}").parse()?;
    let session = MqttSession::connect(MqttOptions::new(url, client_id)).await?;
    session.connected(Duration::from_secs(10)).await?;
    Ok(Arc::new(session))
}

/// Ended when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Broker {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Broker {
    fn start() -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let folder = tempfile::tempdir()?;
        let configuration = folder.path().join("mosquitto.conf");
        // Without the last line Nagle's algorithm may hold small packets back.
        let text = format!(
            "user root\npersistence false\nlistener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        );
        fs::write(&configuration, text)?;
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(configuration);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Process(
            command
                .spawn()
                .context("cannot start mosquitto; install it")?,
        );
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            ensure!(Instant::now() < deadline, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self {
            port,
            _process: process,
            _folder: folder,
        })
    }
}
