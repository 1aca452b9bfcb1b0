//! The connector for ONVIF: `Microsoft.Onvif` endpoints to MQTT.
//!
//! For each endpoint it registers what the camera offers (an asset with event groups and management actions, a device with an
//! endpoint per media stream), publishes the events that assets configure, and answers commands with the shapes of the PTZ
//! and media interfaces of Azure IoT Operations.

mod command;
mod connector;
mod discovery;
mod event;
mod feed;

pub use connector::{OnvifConnector, OnvifDevice};
