//! A registry to test, and the operator behind it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::{
    Asset, AssetStatus, Device, DeviceRef, DeviceStatus, DiscoveredAsset, DiscoveredDevice,
    InboundEndpoint, RuntimeHealth,
};
use aio_registry::{
    AdrOptions, AdrRegistry, AllocationWriter, Desired, FileOptions, FileRegistry, MemoryBroker,
    MemoryRegistry, Registry, RegistryService, RegistryStore, Secret,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(60);

pub struct Stage {
    pub registry: Arc<dyn Registry>,
    store: Store,
    /// Where the registry over MQTT has its secrets.
    secrets: Option<std::path::PathBuf>,
    _service: Option<(RegistryService, AllocationWriter)>,
    _folder: Option<TempDir>,
}

/// What the operator writes to.
enum Store {
    File(FileRegistry),
    Memory(MemoryRegistry),
}

impl Stage {
    pub async fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = open(folder.path()).await;
        Self {
            registry: Arc::new(registry.clone()),
            store: Store::File(registry),
            secrets: None,
            _service: None,
            _folder: Some(folder),
        }
    }

    pub fn memory() -> Self {
        let registry = MemoryRegistry::new();
        Self {
            registry: Arc::new(registry.clone()),
            store: Store::Memory(registry),
            secrets: None,
            _service: None,
            _folder: None,
        }
    }

    /// Over MQTT, before a service of a registry in memory.
    pub async fn adr() -> Self {
        let store = MemoryRegistry::new();
        let served = Arc::new(store.clone());
        Self::over_mqtt(Store::Memory(store), served, tempfile::tempdir().unwrap()).await
    }

    /// Over MQTT, before a service of a folder.
    pub async fn adr_of_folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("registry")).await;
        let served = Arc::new(store.clone());
        Self::over_mqtt(Store::File(store), served, folder).await
    }

    async fn over_mqtt(store: Store, served: Arc<dyn RegistryStore>, folder: TempDir) -> Self {
        let broker = MemoryBroker::new();
        let names = folder.path().join("names");
        let types = ["Microsoft.Onvif", "Microsoft.Media"];
        let writer = AllocationWriter::start(&names, served.clone(), types)
            .await
            .unwrap();
        let service = RegistryService::start(Arc::new(broker.client("adr")), served)
            .await
            .unwrap();
        let secrets = folder.path().join("secrets");
        let options = AdrOptions {
            allocations: names,
            secrets: Some(secrets.clone()),
            debounce: Duration::from_millis(5),
            poll: Duration::from_millis(50),
            ..AdrOptions::default()
        };
        let registry = AdrRegistry::start(Arc::new(broker.client("connector-0")), options)
            .await
            .unwrap();
        Self {
            registry: Arc::new(registry),
            store,
            secrets: Some(secrets),
            _service: Some((service, writer)),
            _folder: Some(folder),
        }
    }

    pub async fn put_device(&self, name: &str, device: Device) {
        match &self.store {
            Store::File(store) => store.put_device(name, &device).await.unwrap(),
            Store::Memory(store) => store.put_device(name, device).unwrap(),
        }
    }

    pub async fn put_asset(&self, name: &str, asset: Asset) {
        match &self.store {
            Store::File(store) => store.put_asset(name, &asset).await.unwrap(),
            Store::Memory(store) => store.put_asset(name, asset).unwrap(),
        }
    }

    pub async fn delete_device(&self, name: &str) {
        match &self.store {
            Store::File(store) => store.delete_device(name).await.unwrap(),
            Store::Memory(store) => assert!(store.delete_device(name)),
        }
    }

    pub async fn delete_asset(&self, name: &str) {
        match &self.store {
            Store::File(store) => store.delete_asset(name).await.unwrap(),
            Store::Memory(store) => assert!(store.delete_asset(name)),
        }
    }

    pub async fn put_secret(&self, name: &str, secret: &str) {
        match (&self.secrets, &self.store) {
            (Some(folder), _) => {
                let path = folder.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, secret).unwrap();
            }
            (None, Store::File(store)) => {
                store.put_secret(name, &Secret::from(secret)).await.unwrap();
            }
            (None, Store::Memory(store)) => store.put_secret(name, Secret::from(secret)).unwrap(),
        }
    }

    pub async fn device_status(&self, name: &str) -> DeviceStatus {
        match &self.store {
            Store::File(store) => store.device_status(name).await.unwrap().unwrap(),
            Store::Memory(store) => {
                let status = RegistryStore::device_status(store, name);
                status.await.unwrap().unwrap()
            }
        }
    }

    pub async fn asset_status(&self, name: &str) -> AssetStatus {
        match &self.store {
            Store::File(store) => store.asset_status(name).await.unwrap().unwrap(),
            Store::Memory(store) => {
                let status = RegistryStore::asset_status(store, name);
                status.await.unwrap().unwrap()
            }
        }
    }

    pub async fn device_health(&self, name: &str) -> BTreeMap<String, RuntimeHealth> {
        match &self.store {
            Store::File(store) => store.device_health(name).await.unwrap(),
            Store::Memory(store) => store.device_health(name),
        }
    }

    pub async fn asset_health(&self, name: &str) -> BTreeMap<String, RuntimeHealth> {
        match &self.store {
            Store::File(store) => store.asset_health(name).await.unwrap(),
            Store::Memory(store) => store.asset_health(name),
        }
    }

    pub async fn discovered_device(&self, name: &str) -> Option<DiscoveredDevice> {
        match &self.store {
            Store::File(store) => store.discovered_device(name).await.unwrap(),
            Store::Memory(store) => store.discovered_device(name),
        }
    }

    pub async fn discovered_asset(&self, name: &str) -> Option<DiscoveredAsset> {
        match &self.store {
            Store::File(store) => store.discovered_asset(name).await.unwrap(),
            Store::Memory(store) => store.discovered_asset(name),
        }
    }

    /// Waits for what telemetry brings about: nobody answers it.
    pub async fn eventually(&self, reached: impl AsyncFn(&Self) -> bool) {
        let look = async {
            while !reached(self).await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, look)
            .await
            .expect("a state in time");
    }
}

async fn open(folder: &Path) -> FileRegistry {
    let options = FileOptions {
        debounce: Duration::from_millis(5),
        poll: Duration::from_millis(50),
        ..FileOptions::default()
    };
    FileRegistry::open(folder, options).await.unwrap()
}

/// A camera with an ONVIF and a media endpoint.
pub fn device(host: &str) -> Device {
    let mut device = Device::default();
    let endpoint = |kind: &str, address: String| InboundEndpoint {
        endpoint_type: kind.into(),
        address,
        ..InboundEndpoint::default()
    };
    let endpoints = device.endpoints.get_or_insert_default();
    endpoints.inbound.insert(
        "onvif_0".into(),
        endpoint(
            "Microsoft.Onvif",
            format!("http://10.0.0.{host}/onvif/device_service"),
        ),
    );
    endpoints.inbound.insert(
        "media".into(),
        endpoint("Microsoft.Media", format!("rtsp://10.0.0.{host}/1")),
    );
    device
}

pub fn asset(device: &str, text: &str) -> Asset {
    Asset {
        device_ref: DeviceRef::new(device, "onvif_0"),
        description: Some(text.into()),
        ..Asset::default()
    }
}

/// `DEVICE/ENDPOINT: ASSET=DESCRIPTION ..`, one of each endpoint.
pub fn described(desired: &Desired) -> Vec<String> {
    let endpoints = desired.endpoints.iter().map(|found| {
        let assets = found.assets.iter().map(|found| {
            let text = found.asset.description.as_deref().unwrap_or_default();
            format!(" {}={text}", found.name)
        });
        format!("{}:{}", found.endpoint, assets.collect::<String>())
    });
    endpoints.collect()
}

/// Waits for a state, of which a burst of changes may give several.
pub async fn until(
    desired: &mut BoxStream<'static, Arc<Desired>>,
    reached: impl Fn(&Desired) -> bool,
) -> Arc<Desired> {
    let mut last = None;
    let look = async {
        loop {
            let now = desired.next().await.expect("a stream without end");
            if reached(&now) {
                return now;
            }
            last = Some(now);
        }
    };
    let found = tokio::time::timeout(DEADLINE, look).await;
    found.unwrap_or_else(|_| {
        panic!(
            "not reached; the last was {:?}",
            last.as_deref().map(described)
        )
    })
}
