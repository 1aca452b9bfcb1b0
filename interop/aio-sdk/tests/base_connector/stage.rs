//! Mosquitto, our services on it, and Microsoft's connector with the mounts that we write for it.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aio_registry::schema_registry::{SchemaRegistryOptions, SchemaRegistryService};
use aio_registry::state_store::{MemoryStateStore, StateStoreService};
use aio_registry::{
    AllocationWriter, MqttOptions, MqttSession, RegistryService, RegistryStore, TelemetryReceiver,
    TelemetryReceiverOptions,
};
use aio_sdk::Broker;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{interval, timeout};

/// Machines are slow, and Microsoft's connector waits for changes of files to settle.
pub const SOON: Duration = Duration::from_secs(60);

/// Everything but the connector.
pub struct Stage {
    pub session: Arc<MqttSession>,
    /// The mount with the secrets of endpoints.
    pub secrets: PathBuf,
    mounts: TempDir,
    _broker: Broker,
    registry: Option<RegistryService>,
    _schemas: SchemaRegistryService,
    _state: StateStoreService,
    _allocations: AllocationWriter,
}

impl Stage {
    /// Serves a registry on a Mosquitto of its own; `None` where there is no Mosquitto.
    pub async fn set(store: Arc<dyn RegistryStore>) -> Option<Self> {
        let broker = Broker::start()?;
        let url = format!("mqtt://127.0.0.1:{}", broker.port).parse().unwrap();
        let session = MqttSession::connect(MqttOptions::new(url, "services"))
            .await
            .unwrap();
        session.connected(SOON).await.unwrap();
        let session = Arc::new(session);
        let mounts = tempfile::tempdir().unwrap();
        let path = mounts.path();
        let secrets = path.join("secrets");
        fs::create_dir(&secrets).unwrap();
        fs::create_dir(path.join("configuration")).unwrap();
        let configuration = json!({
            "host": format!("127.0.0.1:{}", broker.port),
            "keepAliveSeconds": 60,
            "maxInflightMessages": 100,
            "protocol": "mqtt",
            "sessionExpirySeconds": 600,
            "tls": {"mode": "Disabled"},
        });
        let file = path.join("configuration/MQTT_CONNECTION_CONFIGURATION");
        fs::write(file, configuration.to_string()).unwrap();
        let schemas = SchemaRegistryOptions::new(path.join("schemas"));
        let state = Arc::new(MemoryStateStore::new());
        Some(Self {
            registry: Some(serve(&session, store.clone()).await),
            _schemas: SchemaRegistryService::start(session.clone(), schemas)
                .await
                .unwrap(),
            _state: StateStoreService::start(session.clone(), state)
                .await
                .unwrap(),
            _allocations: AllocationWriter::start(path.join("names"), store, ["Microsoft.Onvif"])
                .await
                .unwrap(),
            session,
            secrets,
            mounts,
            _broker: broker,
        })
    }

    /// Stops serving the registry. The mounts go on following the store that the stage was set with.
    pub async fn stop_registry(&mut self) {
        self.registry.take().unwrap().close().await.unwrap();
    }

    /// Serves a registry again.
    pub async fn serve_registry(&mut self, store: Arc<dyn RegistryStore>) {
        self.registry = Some(serve(&self.session, store).await);
    }

    /// What arrives on the topics of a pattern from now on.
    pub async fn telemetry(&self, pattern: &str) -> TelemetryReceiver {
        let options = TelemetryReceiverOptions::new(pattern);
        TelemetryReceiver::start(self.session.clone(), options)
            .await
            .unwrap()
    }

    /// Starts Microsoft's connector as Akri's operator does.
    pub fn connector(&self) -> Connector {
        self.spawn(Command::new(env!("CARGO_BIN_EXE_base-connector")))
    }

    /// Starts Microsoft's connector, which reports that it discovered a device, and an asset at every endpoint.
    pub fn discovering_connector(&self) -> Connector {
        let mut command = Command::new(env!("CARGO_BIN_EXE_base-connector"));
        command.env("DISCOVER", "1");
        self.spawn(command)
    }

    fn spawn(&self, mut command: Command) -> Connector {
        let path = self.mounts.path();
        let mut child = command
            .env("AZURE_EXTENSION_RESOURCEID", "/subscriptions/none")
            .env("CONNECTOR_ID", "connector-0")
            .env("CONNECTOR_NAMESPACE", "azure-iot-operations")
            .env(
                "CONNECTOR_CONFIGURATION_MOUNT_PATH",
                path.join("configuration"),
            )
            .env("ADR_RESOURCES_NAME_MOUNT_PATH", path.join("names"))
            .env("DEVICE_ENDPOINT_CREDENTIALS_MOUNT_PATH", &self.secrets)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Connector {
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            unread: Vec::new(),
            _child: child,
        }
    }
}

async fn serve(session: &Arc<MqttSession>, store: Arc<dyn RegistryStore>) -> RegistryService {
    RegistryService::start(session.clone(), store)
        .await
        .unwrap()
}

/// Microsoft's connector, in a process of its own.
pub struct Connector {
    lines: Lines<BufReader<ChildStdout>>,
    /// Notifications that nobody asked for yet: those of different clients come in any order.
    unread: Vec<(String, String, Value)>,
    _child: Child,
}

impl Connector {
    /// Waits for a notification of a device's endpoint (`DEVICE_ENDPOINT`), an asset or an element (`ASSET/events/GROUP/NAME`);
    /// gives the specification that the connector has then.
    pub async fn notified(&mut self, name: &str, notification: &str) -> Value {
        let wanted = |(of, what, _): &(String, String, Value)| of == name && what == notification;
        loop {
            if let Some(index) = self.unread.iter().position(wanted) {
                return self.unread.remove(index).2;
            }
            let line = timeout(SOON, self.lines.next_line()).await;
            let line = line.unwrap_or_else(|_| {
                panic!(
                    "{name} is not {notification}; unread: {:?}",
                    self.unread
                        .iter()
                        .map(|(name, what, _)| format!("{name} {what}"))
                        .collect::<Vec<_>>()
                )
            });
            let line = line.unwrap().expect("Microsoft's connector works");
            eprintln!("connector: {line}");
            self.unread.push(serde_json::from_str(&line).unwrap());
        }
    }
}

/// What stands for times in what is compared.
pub const TIME: &str = "a time";

/// Waits until something is as expected. What is compared is its JSON, any time in it [`TIME`], elements in order of name.
pub async fn becomes<T: serde::Serialize>(expected: Value, mut ask: impl AsyncFnMut() -> T) {
    let deadline = Instant::now() + SOON;
    let mut turns = interval(Duration::from_millis(20));
    loop {
        turns.tick().await;
        let now = comparable(serde_json::to_value(ask().await).unwrap());
        if now == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{now:#} is not {expected:#}");
    }
}

fn comparable(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| match name.as_str() {
                "lastTransitionTime" | "lastUpdateTime" => (name, json!(TIME)),
                _ => (name, comparable(value)),
            })
            .collect(),
        Value::Array(values) => {
            let mut values: Vec<_> = values.into_iter().map(comparable).collect();
            values.sort_by_key(|value| value["name"].to_string());
            Value::Array(values)
        }
        other => other,
    }
}
