use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{OtherFields, time};

/// Whether something works right now. A status says whether a specification was understood, health whether it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeHealth {
    /// The version of the device or asset specification it refers to.
    pub version: u64,
    /// Whether it works.
    pub status: HealthStatus,
    /// When this was seen.
    #[serde(with = "time::rfc3339")]
    pub last_update_time: SystemTime,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// A word for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Whether something works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HealthStatus {
    /// It works.
    Available,
    /// It does not.
    Unavailable,
}

/// A health report: of an endpoint, or of one element of an asset.
#[derive(Clone, Debug, PartialEq)]
pub enum Health {
    /// Of the endpoint itself.
    Endpoint(RuntimeHealth),
    /// Of an element of an asset on the endpoint.
    Asset {
        /// The asset's name.
        asset: String,
        /// The element.
        component: Component,
        /// How it is.
        health: RuntimeHealth,
    },
}

/// An element of an asset that has its own health.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// A dataset.
    Dataset {
        /// The dataset's name.
        name: String,
    },
    /// An event.
    Event {
        /// The group's name.
        group: String,
        /// The event's name.
        name: String,
    },
    /// An action.
    Action {
        /// The group's name.
        group: String,
        /// The action's name.
        name: String,
    },
    /// A stream.
    Stream {
        /// The stream's name.
        name: String,
    },
}
