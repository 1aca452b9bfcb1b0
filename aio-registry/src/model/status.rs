use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{OtherFields, time};

/// What became of a [`Device`](super::Device): one part for the whole, one for every inbound endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceStatus {
    /// The device as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigStatus>,
    /// Its endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<DeviceStatusEndpoints>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// The endpoints of a [`DeviceStatus`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceStatusEndpoints {
    /// Inbound endpoints, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inbound: BTreeMap<String, EndpointStatus>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// What became of an inbound endpoint; without an error it is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointStatus {
    /// Why it is not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ConfigError>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Which version of a specification was taken up, and with what result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigStatus {
    /// The version of the specification it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// When this state was entered.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_transition_time: Option<SystemTime>,
    /// Why it was not taken up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ConfigError>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Why a specification, or a part of it, is not served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigError {
    /// A word for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What it consists of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<ErrorDetail>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// A detail of a [`ConfigError`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetail {
    /// A word for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to look for in logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Further information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// What became of an [`Asset`](super::Asset): one part for the whole, one for every element.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetStatus {
    /// The asset as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigStatus>,
    /// Its datasets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<ElementStatus>,
    /// Its events, by group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_groups: Vec<EventGroupStatus>,
    /// Its actions, by group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub management_groups: Vec<ManagementGroupStatus>,
    /// Its streams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<ElementStatus>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// The events of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventGroupStatus {
    /// The group's name.
    pub name: String,
    /// Its events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ElementStatus>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// The actions of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagementGroupStatus {
    /// The group's name.
    pub name: String,
    /// Its actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionStatus>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// What became of a dataset, an event or a stream; without an error it is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ElementStatus {
    /// Its name.
    pub name: String,
    /// Why it is not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ConfigError>,
    /// The schema of its messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_schema_reference: Option<MessageSchemaReference>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// What became of an action; without an error it is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionStatus {
    /// Its name.
    pub name: String,
    /// Why it is not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ConfigError>,
    /// The schema of its requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_message_schema_reference: Option<MessageSchemaReference>,
    /// The schema of its responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_message_schema_reference: Option<MessageSchemaReference>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl ConfigError {
    /// An error with a word for programs and a sentence for people.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: Some(code.into()),
            message: Some(message.into()),
            ..Self::default()
        }
    }
}

/// A schema in the schema registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageSchemaReference {
    /// The schema registry's namespace.
    pub schema_registry_namespace: String,
    /// The schema's name.
    pub schema_name: String,
    /// The schema's version.
    pub schema_version: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}
