//! A registry in memory whose wishes a test changes, and a connector that does as its endpoint's address says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aio_registry::model::{
    Action, Asset, AssetStatus, Component, Dataset, Destination, Device, DeviceRef, DeviceStatus,
    DiscoveredAsset, DiscoveredDevice, Health, InboundEndpoint, ManagementGroup, Stream,
};
use aio_registry::{
    Desired, DesiredEndpoint, DiscoveryRef, EndpointRef, Error as RegistryError, MemoryBroker,
    NamedAsset, Registry, Secret,
};
use async_trait::async_trait;
use bytes::Bytes;
use connector_sdk::{
    Command, Connector, Data, DatasetSpec, Discovery, Endpoint, Error, Runtime, RuntimeOptions,
    Sink, StreamSpec,
};
use futures::stream::BoxStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub const NAMESPACE: &str = "azure-iot-operations";

/// What connectors reported, readable at any time and awaitable.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    pub devices: BTreeMap<String, DeviceStatus>,
    pub assets: BTreeMap<String, AssetStatus>,
    /// How often the status of each asset was reported.
    pub asset_reports: BTreeMap<String, usize>,
    pub health: Vec<(EndpointRef, Health)>,
    pub discovered_assets: BTreeMap<String, DiscoveredAsset>,
}

impl Reports {
    pub fn endpoint_error(&self, device: &str, endpoint: &str) -> Option<String> {
        let endpoints = self.devices.get(device)?.endpoints.as_ref()?;
        endpoints
            .inbound
            .get(endpoint)?
            .error
            .as_ref()?
            .message
            .clone()
    }

    /// The device is reported, without an error at this endpoint.
    pub fn endpoint_ok(&self, device: &str, endpoint: &str) -> bool {
        self.devices.contains_key(device) && self.endpoint_error(device, endpoint).is_none()
    }

    pub fn stream_error(&self, asset: &str, stream: &str) -> Option<String> {
        let streams = &self.assets.get(asset)?.streams;
        let status = streams.iter().find(|status| status.name == stream)?;
        status.error.as_ref()?.message.clone()
    }

    pub fn action_error(&self, asset: &str, action: &str) -> Option<String> {
        let groups = &self.assets.get(asset)?.management_groups;
        let status = groups
            .iter()
            .flat_map(|group| &group.actions)
            .find(|status| status.name == action)?;
        status.error.as_ref()?.message.clone()
    }

    pub fn is_available(&self, wanted: &Component) -> bool {
        let latest = self
            .health
            .iter()
            .rev()
            .find_map(|(_, health)| match health {
                Health::Asset {
                    component, health, ..
                } if component == wanted => Some(health.status),
                _ => None,
            });
        latest == Some(aio_registry::model::HealthStatus::Available)
    }
}

pub struct TestRegistry {
    desired: watch::Sender<Arc<Desired>>,
    reports: watch::Sender<Reports>,
}

impl TestRegistry {
    /// A secret of the endpoint changes.
    pub fn change_secret(&self) {
        self.desired.send_replace(desired_with(1, Vec::new()));
    }
}

#[async_trait]
impl Registry for TestRegistry {
    fn watch(&self, _endpoint_type: &str) -> BoxStream<'static, Arc<Desired>> {
        let mut desired = self.desired.subscribe();
        desired.mark_changed();
        Box::pin(futures::stream::unfold(desired, |mut desired| async {
            if desired.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let next = Arc::clone(&desired.borrow_and_update());
            Some((next, desired))
        }))
    }

    async fn report_device_status(
        &self,
        device: &str,
        status: DeviceStatus,
    ) -> Result<(), RegistryError> {
        self.reports.send_modify(|reports| {
            reports.devices.insert(device.to_owned(), status);
        });
        Ok(())
    }

    async fn report_asset_status(
        &self,
        asset: &str,
        status: AssetStatus,
    ) -> Result<(), RegistryError> {
        self.reports.send_modify(|reports| {
            reports.assets.insert(asset.to_owned(), status);
            *reports.asset_reports.entry(asset.to_owned()).or_default() += 1;
        });
        Ok(())
    }

    async fn report_health(
        &self,
        endpoint: &EndpointRef,
        health: Health,
    ) -> Result<(), RegistryError> {
        self.reports
            .send_modify(|reports| reports.health.push((endpoint.clone(), health)));
        Ok(())
    }

    async fn report_discovered_device(
        &self,
        _name: &str,
        _device: DiscoveredDevice,
    ) -> Result<DiscoveryRef, RegistryError> {
        Ok(discovery())
    }

    async fn report_discovered_asset(
        &self,
        _endpoint: &EndpointRef,
        name: &str,
        asset: DiscoveredAsset,
    ) -> Result<DiscoveryRef, RegistryError> {
        self.reports.send_modify(|reports| {
            reports.discovered_assets.insert(name.to_owned(), asset);
        });
        Ok(discovery())
    }

    async fn secret(&self, name: &str) -> Result<Secret, RegistryError> {
        Ok(Secret::new(name))
    }
}

fn discovery() -> DiscoveryRef {
    DiscoveryRef {
        discovery_id: "d-1".into(),
        version: 1,
    }
}

pub type DuringConnect = Box<dyn FnOnce() + Send>;

/// What the test's devices do, changed and counted from outside.
#[derive(Default)]
pub struct Script {
    /// The error of the next connects; none when empty.
    pub connect: Mutex<Option<fn() -> Error>>,
    pub check: Mutex<Option<fn() -> Error>>,
    pub connects: AtomicUsize,
    pub closes: AtomicUsize,
    pub close_panics: AtomicBool,
    /// Is called once by the next connect, which then lets other tasks run so many times.
    pub during_connect: Mutex<Option<(DuringConnect, usize)>>,
    /// How often each stream was started.
    pub starts: Mutex<BTreeMap<String, usize>>,
}

pub struct TestConnector(pub Arc<Script>);

pub struct TestDevice(Arc<Script>);

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(default)]
    every_seconds: Option<u64>,
    #[serde(default)]
    panic: bool,
}

#[async_trait]
impl Connector for TestConnector {
    type Device = TestDevice;

    fn endpoint_type(&self) -> &str {
        "Test.Device"
    }

    async fn connect(&self, _endpoint: &Endpoint) -> Result<TestDevice, Error> {
        self.0.connects.fetch_add(1, Ordering::Relaxed);
        let error = *self.0.connect.lock().unwrap();
        let during = self.0.during_connect.lock().unwrap().take();
        if let Some((call, yields)) = during {
            call();
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
        }
        match error {
            Some(error) => Err(error()),
            None => Ok(TestDevice(Arc::clone(&self.0))),
        }
    }
}

#[async_trait]
impl connector_sdk::Device for TestDevice {
    async fn check(&self) -> Result<(), Error> {
        self.0
            .check
            .lock()
            .unwrap()
            .map_or(Ok(()), |error| Err(error()))
    }

    async fn discover(&self) -> Result<Discovery, Error> {
        Ok(Discovery {
            assets: vec![("found".to_owned(), DiscoveredAsset::default())],
            devices: Vec::new(),
        })
    }

    async fn run_stream(&self, stream: &StreamSpec, sink: &Sink) -> Result<(), Error> {
        *self
            .0
            .starts
            .lock()
            .unwrap()
            .entry(stream.stream.name.clone())
            .or_default() += 1;
        let settings: Settings = stream.configuration()?;
        assert!(!settings.panic, "as it was told");
        loop {
            sink.send(Data::new("text/plain", stream.stream.name.clone()))
                .await?;
            tokio::time::sleep(Duration::from_secs(settings.every_seconds.unwrap_or(1))).await;
        }
    }

    async fn run_dataset(&self, dataset: &DatasetSpec, sink: &Sink) -> Result<(), Error> {
        sink.send(Data::json(
            &serde_json::json!({ "name": dataset.dataset.name }),
        )?)
        .await?;
        std::future::pending().await
    }

    fn commands(&self) -> &[&str] {
        &["Echo", "Fail", "Hang"]
    }

    async fn invoke(&self, command: &Command) -> Result<Bytes, Error> {
        match command.name.as_str() {
            "Echo" => {
                let value: serde_json::Value = command.json()?;
                Ok(value.to_string().into())
            }
            "Fail" => Err(Error::device("the motor is stuck")),
            _ => std::future::pending().await,
        }
    }

    async fn close(&self) {
        self.0.closes.fetch_add(1, Ordering::Relaxed);
        assert!(
            !self.0.close_panics.load(Ordering::Relaxed),
            "as it was told"
        );
    }
}

/// A runtime that runs, and what a test needs around it.
pub struct Bench {
    pub registry: Arc<TestRegistry>,
    pub broker: MemoryBroker,
    pub script: Arc<Script>,
    stop: Option<oneshot::Sender<()>>,
    runtime: JoinHandle<()>,
}

impl Bench {
    pub fn start(assets: Vec<Arc<NamedAsset>>) -> Self {
        Self::start_with(Arc::default(), assets)
    }

    pub fn start_with(script: Arc<Script>, assets: Vec<Arc<NamedAsset>>) -> Self {
        let registry = Arc::new(TestRegistry {
            desired: watch::Sender::new(desired(assets)),
            reports: watch::Sender::new(Reports::default()),
        });
        let broker = MemoryBroker::new();
        let runtime = Runtime::new(
            TestConnector(Arc::clone(&script)),
            registry.clone(),
            Arc::new(broker.client("test-connector")),
            RuntimeOptions::default(),
        );
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::spawn(runtime.run_until(async {
            let _ = stopped.await;
        }));
        Self {
            registry,
            broker,
            script,
            stop: Some(stop),
            runtime,
        }
    }

    pub fn want(&self, assets: Vec<Arc<NamedAsset>>) {
        self.registry.desired.send_replace(desired(assets));
    }

    pub fn want_nothing(&self) {
        self.registry.desired.send_replace(Arc::new(Desired {
            namespace: NAMESPACE.to_owned(),
            endpoints: Vec::new(),
        }));
    }

    /// Waits (on the paused clock) until the reports are as wanted.
    pub async fn until(&self, wanted: impl FnMut(&Reports) -> bool) -> Reports {
        let mut reports = self.registry.reports.subscribe();
        let found = timeout(Duration::from_secs(3600), reports.wait_for(wanted)).await;
        match found {
            Ok(Ok(reports)) => reports.clone(),
            _ => panic!("never reported: {:#?}", self.registry.reports.borrow()),
        }
    }

    pub async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        timeout(Duration::from_secs(60), self.runtime)
            .await
            .unwrap()
            .unwrap();
    }
}

fn desired(assets: Vec<Arc<NamedAsset>>) -> Arc<Desired> {
    desired_with(0, assets)
}

fn desired_with(secrets_version: u64, assets: Vec<Arc<NamedAsset>>) -> Arc<Desired> {
    Arc::new(Desired {
        namespace: NAMESPACE.to_owned(),
        endpoints: vec![Arc::new(DesiredEndpoint {
            endpoint: EndpointRef::new("device", "endpoint"),
            device: Arc::new(Device {
                version: Some(1),
                ..Device::default()
            }),
            spec: Arc::new(InboundEndpoint {
                address: "test://device".to_owned(),
                endpoint_type: "Test.Device".to_owned(),
                ..InboundEndpoint::default()
            }),
            secrets_version,
            assets,
        })],
    })
}

pub fn asset(name: &str, asset: Asset) -> Arc<NamedAsset> {
    Arc::new(NamedAsset {
        name: name.to_owned(),
        asset: Arc::new(Asset {
            device_ref: DeviceRef::new("device", "endpoint"),
            ..asset
        }),
    })
}

pub fn streams(streams: &[(&str, &str)]) -> Asset {
    Asset {
        streams: streams
            .iter()
            .map(|(name, configuration)| Stream {
                name: (*name).to_owned(),
                stream_configuration: Some((*configuration).to_owned()),
                destinations: vec![Destination::mqtt(format!("out/{name}"))],
                ..Stream::default()
            })
            .collect(),
        ..Asset::default()
    }
}

pub fn dataset(name: &str) -> Asset {
    Asset {
        datasets: vec![Dataset {
            name: name.to_owned(),
            ..Dataset::default()
        }],
        ..Asset::default()
    }
}

pub fn actions(actions: &[(&str, &str)]) -> Asset {
    Asset {
        management_groups: vec![ManagementGroup {
            name: "Test".to_owned(),
            actions: actions
                .iter()
                .map(|(name, topic)| Action {
                    name: (*name).to_owned(),
                    target_uri: format!("test://{name}"),
                    topic: Some((*topic).to_owned()),
                    ..Action::default()
                })
                .collect(),
            ..ManagementGroup::default()
        }],
        ..Asset::default()
    }
}
