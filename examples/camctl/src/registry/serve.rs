//! `registry serve`: the folder on a broker.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aio_registry::schema_registry::{SchemaRegistryOptions, SchemaRegistryService};
use aio_registry::state_store::{MemoryStateStore, StateStoreService};
use aio_registry::{
    AllocationWriter, FileRegistry, Mqtt, MqttOptions, MqttSession, RegistryService, Secret,
};
use anyhow::{Context, Result};
use clap::Args;
use url::Url;

use crate::interrupt::interrupted;
use crate::output::line;

/// How long the broker may take to let go.
const GOODBYE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct ServeArgs {
    /// The broker, such as `mqtt://localhost:1883` or `mqtts://broker:8883`.
    #[arg(long, value_name = "URL")]
    broker: Url,

    /// The client identifier at the broker.
    #[arg(long, default_value = "camctl-registry", value_name = "ID")]
    client_id: String,

    /// The user at the broker.
    #[arg(long, requires = "broker_password_file", value_name = "NAME")]
    broker_username: Option<String>,

    /// A file with the user's password at the broker.
    #[arg(long, requires = "broker_username", value_name = "FILE")]
    broker_password_file: Option<PathBuf>,

    /// Keep a folder that tells connectors which endpoints are theirs, as the Akri operator does
    /// (`ADR_RESOURCES_NAME_MOUNT_PATH`).
    #[arg(long, value_name = "DIR")]
    allocations: Option<PathBuf>,

    /// The types of endpoints to allocate.
    #[arg(long, value_name = "TYPE", default_values = ["Microsoft.Onvif", "Microsoft.Media"])]
    endpoint_type: Vec<String>,

    /// Serve a schema registry too, from `schemas` in the folder.
    #[arg(long)]
    schema_registry: bool,

    /// Serve a state store too, in memory.
    #[arg(long)]
    state_store: bool,
}

pub async fn run(args: &ServeArgs, registry: FileRegistry, folder: &Path) -> Result<()> {
    let interrupted = interrupted()?;
    let mut options = MqttOptions::new(args.broker.clone(), &args.client_id);
    if let Some(file) = &args.broker_password_file {
        let password = std::fs::read(file);
        let password = password.with_context(|| format!("cannot read {}", file.display()))?;
        options.password = Some(Secret::from(Secret::new(password).as_text()?));
        options.username = args.broker_username.as_deref().map(Secret::from);
    }
    let session = Arc::new(MqttSession::connect(options).await?);
    let mqtt: Arc<dyn Mqtt> = session.clone();
    let registry = Arc::new(registry);
    let service = RegistryService::start(mqtt.clone(), registry.clone()).await?;
    let _allocations = match &args.allocations {
        Some(folder) => {
            let types = args.endpoint_type.iter().map(String::as_str);
            Some(AllocationWriter::start(folder, registry, types).await?)
        }
        None => None,
    };
    let schemas = match args.schema_registry {
        true => {
            let options = SchemaRegistryOptions::new(folder.join("schemas"));
            Some(SchemaRegistryService::start(mqtt.clone(), options).await?)
        }
        false => None,
    };
    let state_store = match args.state_store {
        true => {
            let store = Arc::new(MemoryStateStore::new());
            Some(StateStoreService::start(mqtt, store).await?)
        }
        false => None,
    };
    // Scripts wait for this line.
    line(&format!(
        "serving {} at {}",
        folder.display(),
        args.broker.host_str().unwrap_or_default()
    ))?;
    interrupted.await;
    service.close().await?;
    if let Some(schemas) = schemas {
        schemas.close().await?;
    }
    if let Some(state_store) = state_store {
        state_store.close().await?;
    }
    session.disconnect(GOODBYE).await;
    Ok(())
}
