//! The two traits a connector is written against.

use aio_registry::model::Target;
use async_trait::async_trait;
use bytes::Bytes;

use crate::{Command, DatasetSpec, Discovery, Endpoint, Error, EventSpec, Sink, StreamSpec};

/// Knows how to reach devices of one endpoint type.
///
/// The runtime owns every loop: it watches the registry, calls [`connect`](Self::connect) for each endpoint of the
/// type, again with backoff after each failure and whenever the endpoint's specification changes, and reports what
/// came of it.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// A connected device.
    type Device: Device;

    /// The endpoint type in the registry that this connector serves, such as `Microsoft.Onvif`.
    fn endpoint_type(&self) -> &str;

    /// Connects to an endpoint and makes sure that the device is there and takes the credentials.
    ///
    /// The runtime drops the future when it takes longer than
    /// [`connect_timeout`](crate::RuntimeOptions::connect_timeout), or when the endpoint changes.
    ///
    /// # Errors
    /// The error stands in the status of the endpoint. Its [kind](crate::ErrorKind) decides when the runtime tries again.
    async fn connect(&self, endpoint: &Endpoint) -> Result<Self::Device, Error>;
}

/// A connected device: offers what it has, produces data, answers commands.
///
/// Each method has a default that says "not supported", so a connector writes only what its devices have. What an
/// asset asks for beyond that gets a status that says so. The runtime drops the futures of the `run_` methods when
/// their specification changes or the device is lost; several run at the same time.
#[async_trait]
pub trait Device: Send + Sync + 'static {
    /// Checks that the device is still there; called every
    /// [`check_interval`](crate::RuntimeOptions::check_interval).
    ///
    /// # Errors
    /// After the second failure in a row the runtime drops the device and connects anew.
    async fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// What the device offers, to be registered as discovered devices and assets that an operator can import.
    /// Called after each connect.
    ///
    /// # Errors
    /// Logged, and tried again after the next connect; the rest goes on.
    async fn discover(&self) -> Result<Discovery, Error> {
        Ok(Discovery::default())
    }

    /// Reads a dataset regularly and sends each reading to `sink`, for as long as it is asked for.
    ///
    /// # Errors
    /// The error stands in the status of the dataset; its kind decides whether the runtime calls again, with backoff.
    async fn run_dataset(&self, dataset: &DatasetSpec, sink: &Sink) -> Result<(), Error> {
        let _ = sink;
        Err(not_offered("datasets", &dataset.dataset.name))
    }

    /// Sends each occurrence of an event to `sink`, for as long as it is asked for.
    ///
    /// # Errors
    /// As for [`run_dataset`](Self::run_dataset).
    async fn run_event(&self, event: &EventSpec, sink: &Sink) -> Result<(), Error> {
        let _ = sink;
        Err(not_offered("events", &event.event.name))
    }

    /// Runs a stream and sends what it produces to `sink`, for as long as it is asked for.
    ///
    /// # Errors
    /// As for [`run_dataset`](Self::run_dataset).
    async fn run_stream(&self, stream: &StreamSpec, sink: &Sink) -> Result<(), Error> {
        let _ = sink;
        Err(not_offered("streams", &stream.stream.name))
    }

    /// The kinds of destinations that the elements of such devices serve. What names another gets a status that says so.
    /// The runtime sends to MQTT; an element stores by itself what goes to [`Sink::storage`].
    fn targets(&self) -> &[Target] {
        &[Target::Mqtt]
    }

    /// Ends what the device holds on the other side: a motion, a subscription, a session. Called before the device is
    /// dropped, with [`shutdown_timeout`](crate::RuntimeOptions::shutdown_timeout) as its limit.
    async fn close(&self) {}

    /// The names of the commands that [`invoke`](Self::invoke) answers.
    fn commands(&self) -> &[&str] {
        &[]
    }

    /// Carries out a command, one of [`commands`](Self::commands), and returns the JSON document of its answer.
    ///
    /// The runtime drops the future when the caller no longer waits; what must be undone then (a motion, say) has to
    /// be undone on drop.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPayload`](crate::ErrorKind::InvalidPayload) tells the caller that the request was
    /// malformed; any other error is answered as `{"Error":{"Message":…}}`.
    async fn invoke(&self, command: &Command) -> Result<Bytes, Error> {
        Err(Error::unsupported(format!(
            "the device does not answer {}",
            command.name
        )))
    }
}

fn not_offered(what: &str, name: &str) -> Error {
    Error::unsupported(format!(
        "{name} is not served: devices of this type have no {what}"
    ))
}
