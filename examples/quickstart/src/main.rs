//! From nothing to a picture: an MQTT broker, a registry in a folder, a camera in software and both connectors, in one
//! process. Each part can be replaced by a real one.

mod broker;
mod camera;
mod folder;
mod manifests;
mod progress;
mod steps;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::{FileOptions, FileRegistry, Mqtt, MqttOptions, MqttSession};
use anyhow::{Context, Result};
use clap::Parser;
use connector_sdk::{Connector, Runtime, RuntimeOptions};
use media_connector::MediaConnector;
use onvif_connector::OnvifConnector;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::camera::CameraUnderTest;
use crate::folder::Folder;
use crate::progress::Progress;
use crate::steps::Steps;

/// From nothing to a picture: broker, registry, camera and both connectors in one process.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// A real camera in place of the built-in one: `http://host/onvif/device_service`
    #[arg(long, value_name = "URL")]
    camera: Option<Url>,

    /// The user name at the real camera.
    #[arg(long, requires = "camera", requires = "password_file")]
    username: Option<String>,

    /// A file that holds the password at the real camera.
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,

    /// A broker in place of the built-in one: `mqtt[s]://host:port`
    #[arg(long, value_name = "URL")]
    broker: Option<Url>,

    /// Where the registry and the snapshots go.
    #[arg(long, value_name = "DIR", default_value = "quickstart-output")]
    out: PathBuf,

    /// Keep everything running afterwards, until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    // Steps are the output; logs are for when one of them fails.
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| EnvFilter::new("error,rumqttd=off")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nquickstart failed: {error:#}");
            eprintln!("RUST_LOG=info shows what the connectors did.");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    let mut progress = Progress::new();
    let folder = Folder::create(&args.out)?;

    let embedded = args.broker.is_none();
    let broker = match args.broker {
        Some(broker) => broker,
        None => broker::start()?,
    };
    let operator = session(&broker, "quickstart").await?;
    let whose = if embedded { "embedded" } else { "yours" };
    progress.done("MQTT 5 broker", format!("{broker} ({whose})"));

    let camera = match args.camera {
        Some(url) => CameraUnderTest::real(url, args.username, args.password_file.as_deref())?,
        None => CameraUnderTest::built_in().await?,
    };
    progress.done("Camera", camera.describe());

    let registry = FileRegistry::open(&folder.registry, FileOptions::default()).await?;
    progress.done("Registry folder", folder.registry.display().to_string());

    let mut connectors = Connectors::default();
    connectors
        .start(OnvifConnector::new(), "onvif-connector", &registry, &broker)
        .await?;
    connectors
        .start(MediaConnector::new(), "media-connector", &registry, &broker)
        .await?;
    progress.done("Connectors", "onvif-connector, media-connector");

    let steps = Steps {
        registry: &registry,
        mqtt: Arc::new(operator.clone()),
        camera: &camera,
        folder: &folder,
    };
    steps.run(&mut progress).await?;
    println!("\n{}", progress.table());

    if args.stay {
        stay(&broker).await;
    }
    connectors.stop().await;
    camera.stop().await;
    operator.disconnect(Duration::from_secs(2)).await;
    Ok(())
}

/// The runtimes of the connectors, each with its own session, as if they were processes of their own.
#[derive(Default)]
struct Connectors {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Connectors {
    async fn start<C: Connector>(
        &mut self,
        connector: C,
        client_id: &str,
        registry: &FileRegistry,
        broker: &Url,
    ) -> Result<()> {
        let session = session(broker, client_id).await?;
        let mut stop = self.stop.subscribe();
        let runtime = Runtime::new(
            connector,
            Arc::new(registry.clone()),
            Arc::new(session.clone()),
            RuntimeOptions::default(),
        );
        self.running.spawn(async move {
            runtime
                .run_until(async {
                    // An error means that the sender is gone: stop as well.
                    let _ = stop.wait_for(|stop| *stop).await;
                })
                .await;
            session.disconnect(Duration::from_secs(2)).await;
        });
        Ok(())
    }

    async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.running.join_next().await.is_some() {}
    }
}

async fn session(broker: &Url, client_id: &str) -> Result<MqttSession> {
    let session = MqttSession::connect(MqttOptions::new(broker.clone(), client_id)).await?;
    session
        .connected(broker::START_LIMIT)
        .await
        .with_context(|| format!("no connection to the broker {broker}"))?;
    tracing::debug!(client_id = session.client_id(), "connected");
    Ok(session)
}

async fn stay(broker: &Url) {
    let host = broker.host_str().unwrap_or("localhost");
    let port = broker.port().unwrap_or(1883);
    let client = format!("-V 5 -h {host} -p {port}");
    println!("Everything keeps running until Ctrl-C. In another terminal, try:");
    println!(
        "  mosquitto_sub {client} -t '{}' -v",
        manifests::EVENT_TOPIC
    );
    println!(
        "  mosquitto_sub {client} -t '{}' -C 1 -N -F %p > snapshot.jpg",
        manifests::SNAPSHOT_TOPIC
    );
    println!(
        "  mosquitto_rr {client} -t 'azure-iot-operations/mrpc/{}/GetProfiles' -e clients/me/profiles -n",
        manifests::ASSET
    );
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
