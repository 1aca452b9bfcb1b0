//! The command line of a connector: `run` is the whole `main`.
//!
//! ```text
//! my-connector --registry DIR --broker mqtt[s]://host:port [--username U --password-file F] [--ca-file F]
//! ```

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::{FileOptions, FileRegistry, MqttOptions, MqttSession, Secret, TlsRoots};
use clap::{CommandFactory, FromArgMatches, Parser};
use tracing::info;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::{Connector, Runtime, RuntimeOptions};

#[derive(Parser)]
struct Args {
    /// The folder that holds the Device and Asset manifests; created where it is missing.
    #[arg(long, value_name = "DIR", env = "CONNECTOR_REGISTRY")]
    registry: PathBuf,

    /// The MQTT 5 broker: mqtt://host:port, or mqtts://host:port for TLS.
    #[arg(
        long,
        value_name = "URL",
        env = "CONNECTOR_BROKER",
        default_value = "mqtt://127.0.0.1:1883"
    )]
    broker: Url,

    /// The MQTT client identifier; unique at the broker. By default the connector's name.
    #[arg(long, value_name = "ID", env = "CONNECTOR_ID")]
    client_id: Option<String>,

    /// The user name at the broker.
    #[arg(long, requires = "password_file")]
    username: Option<String>,

    /// A file that holds the password at the broker.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// A PEM file with the certificate authorities to trust, in place of the system's.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// The namespace of the manifests; it begins the topics of commands.
    #[arg(long, value_name = "NAME", default_value = "azure-iot-operations")]
    namespace: String,
}

/// Reads the command line, runs the connector until it is told to stop (SIGINT, SIGTERM), and says how it went.
///
/// Logs go to standard error; `RUST_LOG` chooses what is logged (default `info`).
pub async fn run<C: Connector>(name: &'static str, about: &'static str, connector: C) -> ExitCode {
    let command = Args::command()
        .name(name)
        .bin_name(name)
        .about(about)
        .version(env!("CARGO_PKG_VERSION"));
    let args = Args::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match serve(name, args, connector).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn serve<C: Connector>(
    name: &str,
    args: Args,
    connector: C,
) -> Result<(), Box<dyn std::error::Error>> {
    let files = FileOptions {
        namespace: args.namespace,
        ..FileOptions::default()
    };
    let registry = FileRegistry::open(&args.registry, files).await?;
    let password = match &args.password_file {
        Some(file) => Some(read_secret(file).await?),
        None => None,
    };
    let mut options = MqttOptions::new(
        args.broker.clone(),
        args.client_id.unwrap_or_else(|| name.to_owned()),
    );
    options.username = args.username.map(Secret::new);
    options.password = password;
    if let Some(file) = args.ca_file {
        options.tls_roots = TlsRoots::File(file);
    }
    let session = MqttSession::connect(options).await?;
    info!(registry = %args.registry.display(), broker = %args.broker, "{name} runs");
    Runtime::new(
        connector,
        Arc::new(registry),
        Arc::new(session.clone()),
        RuntimeOptions::default(),
    )
    .run_until(stopped())
    .await;
    info!("{name} stops");
    session.disconnect(Duration::from_secs(5)).await;
    Ok(())
}

async fn read_secret(file: &Path) -> Result<Secret, String> {
    tokio::fs::read(file)
        .await
        .map(Secret::new)
        .map_err(|error| format!("cannot read the password file {}: {error}", file.display()))
}

/// Completes at SIGINT or SIGTERM.
async fn stopped() {
    let interrupt = async {
        // Where signals cannot be received, the process is ended by other means.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
