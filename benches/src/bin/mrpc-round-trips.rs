//! Round trips of the RPC protocol per second, and the latency it adds to MQTT, on Mosquitto. Another executor can be put
//! beside ours: the invoker is the same for both.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aio_registry::mrpc::{Executor, ExecutorOptions, Invoker, InvokerOptions, Request, Response};
use aio_registry::{Mqtt, MqttOptions, MqttSession, Publish, Qos, Subscription};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use futures::stream::{self, StreamExt, TryStreamExt};
use tempfile::TempDir;
use tokio::time::timeout;
use wait4::Wait4 as _;

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
    /// What this program starts itself with, so that whoever answers is a process of its own, as the peer is.
    #[arg(long, hide = true, num_args = 2, value_names = ["PORT", "TOPIC"])]
    answer: Option<Vec<String>>,
}

/// Who answers takes turns this often, so that none has the quieter machine.
const TURNS: u32 = 5;

/// The topic that is answered by plain MQTT.
const PLAIN: &str = "plain/echo";

/// What was measured of one that answers.
#[derive(Default)]
struct Measured {
    /// How long each round trip took, with one request at a time.
    times: Vec<Duration>,
    /// How long as many took with many at once.
    many: Duration,
    /// All round trips, those to get warm included.
    all: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some([port, topic]) = arguments.answer.as_deref() {
        return answer(port.parse()?, topic, arguments.concurrency).await;
    }
    let broker = Broker::start()?;
    let client = session(broker.port, "invoker").await?;
    let myself = std::env::current_exe()?;
    let concurrency = arguments.concurrency.to_string();
    let ours = ["--concurrency", &concurrency, "--answer"];
    let mut rivals = vec![
        Rival::start("MQTT alone", &myself, &ours, broker.port, PLAIN)?,
        Rival::start("this executor", &myself, &ours, broker.port, "ours/echo")?,
    ];
    if let Some(program) = &arguments.peer {
        let name = "the peer's executor";
        rivals.push(Rival::start(
            name,
            program,
            &[],
            broker.port,
            "theirs/echo",
        )?);
    }
    let mut requesters = Vec::new();
    for rival in &rivals {
        requesters.push(Requester::start(&client, rival.topic).await?);
    }
    // The first turn is to get warm.
    for turn in 0..=TURNS {
        for (rival, requester) in rivals.iter_mut().zip(&mut requesters) {
            if turn == 1 {
                rival.measured = Measured {
                    all: rival.measured.all,
                    ..Measured::default()
                };
            }
            requester.measure(&arguments, &mut rival.measured).await?;
        }
    }

    println!(
        "{} round trips each, {} at once for the rate",
        rivals[0].measured.times.len(),
        arguments.concurrency
    );
    println!("| | median | 99 % | added to MQTT | per second | CPU time each |");
    println!("|---|---|---|---|---|---|");
    for rival in &mut rivals {
        rival.measured.times.sort();
    }
    let plain = rivals[0].measured.at(50);
    let mut results = Vec::new();
    for rival in rivals {
        let (name, measured) = (rival.name, rival.measured);
        let cpu = rival.process.cpu_time()? / measured.all;
        let median = measured.at(50);
        println!(
            "| {name} | {median:.0?} | {:.0?} | {:.0?} | {:.0} | {cpu:.0?} |",
            measured.at(99),
            median.saturating_sub(plain),
            measured.rate()
        );
        results.push((median, measured.rate(), cpu));
    }
    if let [_, ours, theirs] = results[..] {
        println!(
            "ours to the peer's: {:.2} of the latency, {:.2} of the added latency, {:.2} of the rate, {:.2} of the CPU time",
            ratio(ours.0, theirs.0),
            ratio(ours.0.saturating_sub(plain), theirs.0.saturating_sub(plain)),
            ours.1 / theirs.1,
            ratio(ours.2, theirs.2)
        );
    }
    Ok(())
}

impl Measured {
    /// As many of 100 round trips take no longer. They are in order.
    fn at(&self, percent: usize) -> Duration {
        self.times[(self.times.len() - 1) * percent / 100]
    }

    /// Round trips per second, with many at once.
    fn rate(&self) -> f64 {
        self.times.len() as f64 / self.many.as_secs_f64()
    }
}

fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

/// Answers what comes on the topic with its payload.
async fn answer(port: u16, topic: &str, concurrency: usize) -> Result<()> {
    let mqtt = session(port, &topic.replace('/', "-")).await?;
    if topic == PLAIN {
        let mut requests = mqtt.subscribe(topic, Qos::AtLeastOnce).await?;
        while let Some(message) = requests.next().await {
            let mqtt = mqtt.clone();
            tokio::spawn(async move {
                // Whoever waits for it notices that it is missing.
                let answer = Publish::new("plain/answer", message.payload);
                let _ = mqtt.publish(answer).await;
            });
        }
        return Ok(());
    }
    let options = ExecutorOptions {
        concurrency,
        ..ExecutorOptions::contract(topic)
    };
    let echo = |request: Request| async move { Ok(Response::json(request.payload)) };
    let _executor = Executor::start(mqtt, options, echo).await?;
    std::future::pending().await
}

/// Who answers, in a process of its own.
struct Rival {
    name: &'static str,
    topic: &'static str,
    process: Process,
    measured: Measured,
}

impl Rival {
    fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        port: u16,
        topic: &'static str,
    ) -> Result<Self> {
        let process = Command::new(program)
            .args(arguments)
            .args([&port.to_string(), topic])
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            name,
            topic,
            process: Process(Some(process)),
            measured: Measured::default(),
        })
    }
}

/// Who asks.
enum Requester {
    /// A message, and a message back, without any protocol above MQTT.
    Plain(Arc<MqttSession>, Subscription),
    Invoker(Invoker, &'static str),
}

impl Requester {
    /// Returns when there is an answer: who has just been started subscribes late.
    async fn start(client: &Arc<MqttSession>, topic: &'static str) -> Result<Self> {
        let requester = async {
            if topic == PLAIN {
                let mut answers = client.subscribe("plain/answer", Qos::AtLeastOnce).await?;
                loop {
                    client.publish(Publish::new(topic, "{}")).await?;
                    if timeout(Duration::from_secs(2), answers.next())
                        .await
                        .is_ok()
                    {
                        return Ok(Self::Plain(client.clone(), answers));
                    }
                }
            }
            let options = InvokerOptions {
                timeout: Duration::from_secs(2),
                ..InvokerOptions::new(topic)
            };
            let invoker = Invoker::start(client.clone(), options).await?;
            while invoker.invoke(topic, "{}").await.is_err() {}
            Ok(Self::Invoker(invoker, topic))
        };
        timeout(Duration::from_secs(60), requester)
            .await
            .context("nobody answers")?
    }

    /// Takes a turn.
    async fn measure(&mut self, arguments: &Arguments, measured: &mut Measured) -> Result<()> {
        let requests = (arguments.requests / TURNS).max(1);
        for _ in 0..requests {
            let start = Instant::now();
            match self {
                Self::Plain(client, answers) => {
                    client.publish(Publish::new(PLAIN, "{}")).await?;
                    answers.next().await.context("the session ended")?;
                }
                Self::Invoker(invoker, topic) => drop(invoker.invoke(topic, "{}").await?),
            }
            measured.times.push(start.elapsed());
        }
        let start = Instant::now();
        match self {
            Self::Plain(client, answers) => {
                let sending = stream::iter(0..requests)
                    .map(|_| client.publish(Publish::new(PLAIN, "{}")))
                    .buffer_unordered(arguments.concurrency)
                    .try_collect::<Vec<_>>();
                let receiving = answers.take(requests as usize).count();
                let (sent, received) = tokio::join!(sending, receiving);
                sent?;
                ensure!(received == requests as usize, "the session ended");
            }
            Self::Invoker(invoker, topic) => {
                stream::iter(0..requests)
                    .map(|_| invoker.invoke(topic, "{}"))
                    .buffer_unordered(arguments.concurrency)
                    .try_collect::<Vec<_>>()
                    .await?;
            }
        }
        measured.many += start.elapsed();
        measured.all += 2 * requests;
        Ok(())
    }
}

async fn session(port: u16, client_id: &str) -> Result<Arc<MqttSession>> {
    let url = format!("mqtt://127.0.0.1:{port}").parse()?;
    let session = MqttSession::connect(MqttOptions::new(url, client_id)).await?;
    session.connected(Duration::from_secs(10)).await?;
    Ok(Arc::new(session))
}

/// Ended when dropped.
struct Process(Option<Child>);

impl Process {
    /// Ends it; user and system time that it has taken.
    fn cpu_time(mut self) -> Result<Duration> {
        let mut child = self.0.take().context("it has been waited for")?;
        child.kill()?;
        let usage = child.wait4()?.rusage;
        Ok(usage.utime + usage.stime)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
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
        let process = command
            .spawn()
            .context("cannot start mosquitto; install it")?;
        let process = Process(Some(process));
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
