//! Microsoft's client before our service.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::{
    FileOptions, FileRegistry, MemoryRegistry, Mqtt, MqttOptions, MqttSession, RegistryService,
    RegistryStore,
};
use aio_sdk::Broker;
use azure_iot_operations_protocol::application::ApplicationContextBuilder;
use azure_iot_operations_services::azure_device_registry::{
    Client, ClientOptionsBuilder, Error, ErrorKind,
};
use serde_json::Value;

pub const SOON: Duration = Duration::from_secs(60);
pub const CLIENT: &str = "connector-0";

pub struct World {
    pub broker: Broker,
    pub theirs: Client,
    pub service: RegistryService,
}

/// `None` where there is no Mosquitto.
pub async fn world(store: Arc<dyn RegistryStore>) -> Option<World> {
    let broker = Broker::start()?;
    Some(World {
        service: serve(&broker, store).await,
        theirs: client(&broker),
        broker,
    })
}

pub async fn serve(broker: &Broker, store: Arc<dyn RegistryStore>) -> RegistryService {
    let session: Arc<dyn Mqtt> = Arc::new(session(broker, "registry").await);
    RegistryService::start(session, store).await.unwrap()
}

pub async fn session(broker: &Broker, client_id: &str) -> MqttSession {
    let url = format!("mqtt://127.0.0.1:{}", broker.port).parse().unwrap();
    let session = MqttSession::connect(MqttOptions::new(url, client_id))
        .await
        .unwrap();
    session.connected(SOON).await.unwrap();
    session
}

pub fn client(broker: &Broker) -> Client {
    let context = ApplicationContextBuilder::default().build().unwrap();
    let session = aio_sdk::session(broker.port, CLIENT);
    let options = ClientOptionsBuilder::default().build().unwrap();
    Client::new(context, session, options).unwrap()
}

pub fn device() -> Value {
    serde_json::from_str(include_str!("device.json")).unwrap()
}

pub fn asset() -> Value {
    serde_json::from_str(include_str!("asset.json")).unwrap()
}

/// The device and the asset, with every field that there is, in each kind of registry.
pub fn in_memory() -> MemoryRegistry {
    let store = MemoryRegistry::new();
    store
        .put_device("cam1", serde_json::from_value(device()).unwrap())
        .unwrap();
    store
        .put_asset("asset-1", serde_json::from_value(asset()).unwrap())
        .unwrap();
    store
}

pub async fn in_folder(folder: &Path) -> FileRegistry {
    let store = FileRegistry::open(folder, FileOptions::default())
        .await
        .unwrap();
    let spec = serde_json::from_value(device()).unwrap();
    store.put_device("cam1", &spec).await.unwrap();
    let spec = serde_json::from_value(asset()).unwrap();
    store.put_asset("asset-1", &spec).await.unwrap();
    store
}

/// The code of the service's error. Its type has no public name.
pub fn code(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ServiceError(error) => {
            assert!(!error.message.is_empty());
            let age = chrono::Utc::now() - error.timestamp;
            assert!(age.num_seconds().abs() < 60, "{age}");
            format!("{:?}", error.code)
        }
        other => panic!("no error of the service: {other}"),
    }
}
