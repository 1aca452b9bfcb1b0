//! Write an Azure IoT Operations connector in under a hundred lines: two traits, and the runtime that owns the loops.
//!
//! A connector reaches devices of one endpoint type, sends what their assets ask for to MQTT, and answers commands. This
//! crate does what all connectors have in common: it watches the registry, connects and connects again, starts and ends
//! what assets ask for as they change, publishes with the properties of the contract, reports status and health, and
//! registers what devices offer. It is no protocol client: that is what you bring.
//!
//! # Quick start
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use aio_registry::{FileOptions, FileRegistry, MemoryBroker, Mqtt, Qos, model};
//! use connector_sdk::{Connector, Data, DatasetSpec, Device, Endpoint, Error, Runtime, RuntimeOptions, Sink};
//! use futures::StreamExt;
//!
//! struct Thermometers;
//! struct Thermometer;
//!
//! #[async_trait::async_trait]
//! impl Connector for Thermometers {
//!     type Device = Thermometer;
//!     fn endpoint_type(&self) -> &str {
//!         "Example.Thermometer"
//!     }
//!     async fn connect(&self, _endpoint: &Endpoint) -> Result<Thermometer, Error> {
//!         Ok(Thermometer) // dial endpoint.address()? here
//!     }
//! }
//!
//! #[async_trait::async_trait]
//! impl Device for Thermometer {
//!     async fn run_dataset(&self, _dataset: &DatasetSpec, sink: &Sink) -> Result<(), Error> {
//!         loop {
//!             sink.send(Data::json(&serde_json::json!({ "celsius": 21.5 }))?).await?;
//!             tokio::time::sleep(Duration::from_secs(1)).await;
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let registry = FileRegistry::open(folder, FileOptions::default()).await?;
//! registry.put_device("attic", &serde_json::from_str(
//!     r#"{"endpoints":{"inbound":{"ep":{"endpointType":"Example.Thermometer","address":"tcp://attic"}}}}"#,
//! )?).await?;
//! registry.put_asset("attic-climate", &serde_json::from_str(
//!     r#"{"deviceRef":{"deviceName":"attic","endpointName":"ep"},"datasets":[{"name":"climate"}]}"#,
//! )?).await?;
//!
//! let broker = MemoryBroker::new(); // or an MqttSession to a real one
//! let reader = broker.client("reader");
//! let mut readings = reader.subscribe("azure-iot-operations/data/#", Qos::AtLeastOnce).await?;
//!
//! let mqtt = Arc::new(broker.client("thermometers"));
//! let runtime = Runtime::new(Thermometers, Arc::new(registry), mqtt, RuntimeOptions::default());
//! runtime.run_until(async {
//!     let reading = readings.next().await.expect("a reading");
//!     assert_eq!(reading.topic, "azure-iot-operations/data/attic-climate/climate");
//!     assert_eq!(reading.payload, r#"{"celsius":21.5}"#);
//! }).await;
//! # Ok(())
//! # }
//! ```
//!
//! # Main types
//!
//! - [`Connector`] and [`Device`]: what you implement; every method but two has a default
//! - [`Endpoint`], [`DatasetSpec`], [`EventSpec`], [`StreamSpec`], [`Command`]: what is asked of you
//! - [`Sink`]: where data goes; [`Sink::send`] returns when the broker has it
//! - [`Error`]: its kind decides when the runtime tries again
//! - [`Runtime`]: runs it; with the feature `cli`, `cli::run` is the whole `main` of a connector
#[cfg(feature = "cli")]
pub mod cli;
mod connector;
mod error;
mod retry;
mod runtime;
mod sink;
mod spec;

pub use aio_registry::{EndpointRef, Secret, model};
pub use connector::{Connector, Device};
pub use error::{Error, ErrorKind};
pub use retry::RetryOptions;
pub use runtime::{Runtime, RuntimeOptions};
pub use sink::{Data, Sink};
pub use spec::{Command, Credentials, DatasetSpec, Discovery, Endpoint, EventSpec, StreamSpec};
