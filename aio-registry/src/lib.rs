//! The Azure Device Registry over MQTT, both sides of it, a folder that takes its place on a laptop, and the MQTT 5 session,
//! RPC protocol and telemetry that Azure IoT Operations speaks.
//!
//! It knows no cameras, runs no connector (that is `connector-sdk`), and needs no Azure: everything works with a folder of
//! YAML files and any MQTT 5 broker.
//!
//! # Quick start
//! A connector asks a [`Registry`] what to serve and tells what became of it:
//! ```
//! use aio_registry::model::{Authentication, Device, DeviceStatus, EndpointStatus, InboundEndpoint};
//! use aio_registry::{FileOptions, FileRegistry, Registry};
//! use futures::StreamExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let folder = temporary.path();
//! let registry = FileRegistry::open(folder, FileOptions::default()).await?;
//!
//! // An operator writes this as cam1.device.yaml, or does it by code.
//! let mut device = Device::default();
//! device.endpoints.get_or_insert_default().inbound.insert(
//!     "onvif".into(),
//!     InboundEndpoint {
//!         address: "http://10.0.0.5/onvif/device_service".into(),
//!         endpoint_type: "Microsoft.Onvif".into(),
//!         authentication: Some(Authentication::username_password("cam1/username", "cam1/password")),
//!         ..InboundEndpoint::default()
//!     },
//! );
//! registry.put_device("cam1", &device).await?;
//!
//! // The connector sees the whole desired state, at once and after every change.
//! let mut desired = registry.watch("Microsoft.Onvif");
//! let desired = desired.next().await.expect("the stream never ends");
//! assert_eq!(desired.endpoints[0].spec.address, "http://10.0.0.5/onvif/device_service");
//!
//! // What became of it stands in status/device/cam1.yaml.
//! let mut status = DeviceStatus::default();
//! status.endpoints.get_or_insert_default().inbound.insert("onvif".into(), EndpointStatus::default());
//! registry.report_device_status("cam1", status).await?;
//! # Ok(())
//! # }
//! ```
//! Commands arrive by [`mrpc`], here over a broker in memory:
//! ```
//! use std::sync::Arc;
//!
//! use aio_registry::MemoryBroker;
//! use aio_registry::mrpc::{Executor, ExecutorOptions, Invoker, InvokerOptions, Request, Response};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), aio_registry::Error> {
//! let topics = "azure-iot-operations/asset-operations/{asset}/{group}/{action}";
//! let broker = MemoryBroker::new();
//! let _executor = Executor::start(
//!     Arc::new(broker.client("connector")),
//!     ExecutorOptions::commands(topics),
//!     |request: Request| async move { Ok(Response::json(format!(r#"{{"did":"{}"}}"#, request.tokens["action"]))) },
//! )
//! .await?;
//!
//! let invoker = Invoker::start(Arc::new(broker.client("operator")), InvokerOptions::new(topics)).await?;
//! let answer = invoker.invoke("azure-iot-operations/asset-operations/cam1/PTZ/Stop", "{}").await?;
//! assert_eq!(answer.payload, r#"{"did":"Stop"}"#);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//! - [`Registry`]: the trait; [`FileRegistry`]: a folder of manifests; [`AdrRegistry`]: the Device Registry over MQTT;
//!   [`MemoryRegistry`]; [`model`]: devices, assets, statuses, health
//! - [`RegistryService`] serves any [`RegistryStore`] over MQTT; [`AllocationWriter`] says which endpoints are whose
//! - [`schema_registry`] and [`state_store`]: clients, and services where the broker has none
//! - [`Mqtt`]: the seam to MQTT 5; [`MqttSession`]: a session with a broker; [`MemoryBroker`]: a broker for tests
//! - [`mrpc::Executor`] answers requests, [`mrpc::Invoker`] sends them
//! - [`TelemetrySender`] and [`CloudEvent`]: what a connector publishes; [`TelemetryReceiver`] reads it
//! - [`topic`]: names made safe for topics
//! - [`Error`] and [`PublishError`]: whose fault it was, and whether to try again

mod adr;
mod error;
mod file;
mod memory;
pub mod model;
mod mqtt;
pub mod mrpc;
mod registry;
pub mod schema_registry;
mod secret;
mod service;
mod stamp;
pub mod state_store;
mod telemetry;
pub mod topic;

pub use adr::{AdrOptions, AdrRegistry, AllocationWriter};
pub use error::{Error, ErrorKind};
pub use file::{Applied, Change, FileOptions, FileRegistry, ManifestProblem};
pub use memory::MemoryRegistry;
pub use model::Qos;
pub use mqtt::{
    Ack, ClientCertificate, MemoryBroker, MemoryClient, Message, Mqtt, MqttOptions, MqttSession,
    Properties, Publish, PublishError, SessionState, Subscription, TlsRoots,
};
pub use registry::{
    Contents, Desired, DesiredEndpoint, DiscoveryRef, EndpointRef, Interest, NamedAsset, Registry,
    RegistryStore,
};
pub use secret::Secret;
pub use service::RegistryService;
pub use telemetry::{
    CloudEvent, CloudEventSource, ElementKind, ReceivedTelemetry, Telemetry, TelemetryReceiver,
    TelemetryReceiverOptions, TelemetrySender,
};
