//! The media connector: `Microsoft.Media` endpoints to MQTT.
//!
//! Each endpoint is one camera stream, read once however many tasks an asset runs on it. The `streamConfiguration` of an
//! asset's stream names the task: `snapshot-to-mqtt`, `snapshot-to-fs`, `clip-to-fs`, `stream-to-rtsp` or `stream-to-rtsps`,
//! with the options of the contract. What cannot be served says so in the status, by the name of the option.

mod clip_to_fs;
mod connector;
mod snapshot_to_fs;
mod source;
mod storage;
mod stream_to_rtsp;
mod task;

pub use connector::{MediaConnector, MediaDevice};
