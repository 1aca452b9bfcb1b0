//! Azure IoT Operations device registry contract over MQTT 5, and the folder that replaces it on a laptop.

mod error;
mod file;
pub mod model;
mod mqtt;
pub mod mrpc;
mod registry;
mod secret;
mod telemetry;
pub mod topic;

pub use error::{Error, ErrorKind};
pub use file::{FileOptions, FileRegistry};
pub use model::Qos;
pub use mqtt::{
    Ack, MemoryBroker, MemoryClient, Message, Mqtt, MqttOptions, MqttSession, Properties, Publish,
    PublishError, SessionState, Subscription, TlsRoots,
};
pub use registry::{Desired, DesiredEndpoint, EndpointRef, NamedAsset, Registry};
pub use secret::Secret;
pub use telemetry::{
    CloudEvent, CloudEventSource, ElementKind, ReceivedTelemetry, Telemetry, TelemetrySender,
};
