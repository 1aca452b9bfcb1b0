//! The media connector: `Microsoft.Media` endpoints to MQTT.
//!
//! Each endpoint is one camera stream, read once however many tasks an asset runs on it. The `streamConfiguration` of an
//! asset's stream names the task; this version runs `snapshot-to-mqtt`, and says so in the status of any other.

mod connector;
mod source;
mod task;

pub use connector::{MediaConnector, MediaDevice};
