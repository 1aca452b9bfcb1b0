use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{
    ActionType, AuthenticationMethod, Destination, DeviceRef, OtherFields, OutboundEndpoints, time,
};

/// A device a connector found; an operator imports it as a [`Device`](super::Device).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredDevice {
    /// Free words about the device.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Where it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<DiscoveredEndpoints>,
    /// The name another system knows it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_device_id: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    /// The version of its operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system_version: Option<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// The endpoints of a [`DiscoveredDevice`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredEndpoints {
    /// Endpoints a connector can read from, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inbound: BTreeMap<String, DiscoveredInboundEndpoint>,
    /// Endpoints the device writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<OutboundEndpoints>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// An endpoint a connector can read from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredInboundEndpoint {
    /// Where it is.
    pub address: String,
    /// Which connector serves it, such as `Microsoft.Media`.
    pub endpoint_type: String,
    /// The version of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The connector's own settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_configuration: Option<String>,
    /// The ways to log in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supported_authentication_methods: Vec<AuthenticationMethod>,
    /// When it was last found.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_updated_on: Option<SystemTime>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// An asset a connector found on an endpoint; an operator imports it as an [`Asset`](super::Asset).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredAsset {
    /// The endpoint the asset is reached by.
    pub device_ref: DeviceRef,
    /// The name people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its documentation is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_uri: Option<String>,
    /// The name another system knows it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_asset_id: Option<String>,
    /// Free words about the asset.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Where the manufacturer is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer_uri: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The manufacturer's code for the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
    /// The serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// The hardware's revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_revision: Option<String>,
    /// The firmware's or software's revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_revision: Option<String>,
    /// What is read regularly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DiscoveredDataset>,
    /// What happens by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_groups: Vec<DiscoveredEventGroup>,
    /// What can be asked of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub management_groups: Vec<DiscoveredManagementGroup>,
    /// What flows continuously.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<DiscoveredStream>,
    /// Settings of every dataset, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_datasets_configuration: Option<String>,
    /// Settings of every event, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_events_configuration: Option<String>,
    /// Settings of every management group, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_management_groups_configuration: Option<String>,
    /// Settings of every stream, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_streams_configuration: Option<String>,
    /// Where datasets go that name no destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_datasets_destinations: Vec<Destination>,
    /// Where events go that name no destination, nor their group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_events_destinations: Vec<Destination>,
    /// Where streams go that name no destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_streams_destinations: Vec<Destination>,
    /// The types the asset conforms to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_type_refs: Vec<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// A dataset found on an asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredDataset {
    /// Its name, unique in the asset.
    pub name: String,
    /// Where on the device it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source: Option<String>,
    /// The type of its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_ref: Option<String>,
    /// The connector's settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_configuration: Option<String>,
    /// Where it goes; empty for the defaults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// The values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_points: Vec<DiscoveredDataPoint>,
    /// When it was last found.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_updated_on: Option<SystemTime>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// One value of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredDataPoint {
    /// Its name, unique in the dataset.
    pub name: String,
    /// Where on the device it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source: Option<String>,
    /// The connector's settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_point_configuration: Option<String>,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_ref: Option<String>,
    /// When it was last found.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_updated_on: Option<SystemTime>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Events that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredEventGroup {
    /// Its name, unique in the asset.
    pub name: String,
    /// Where on the device its events come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source: Option<String>,
    /// The type of its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_ref: Option<String>,
    /// The connector's settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_group_configuration: Option<String>,
    /// Where events go that name no destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_destinations: Vec<Destination>,
    /// The events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<DiscoveredEvent>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// One kind of event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredEvent {
    /// Its name, unique in the group.
    pub name: String,
    /// What it is called on the device, such as `tns1:RuleEngine/CellMotionDetector/Motion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source: Option<String>,
    /// The type of its message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_ref: Option<String>,
    /// The connector's settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_configuration: Option<String>,
    /// Where it goes; empty for the group's or the asset's defaults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// When it was last found.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_updated_on: Option<SystemTime>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Actions that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredManagementGroup {
    /// Its name, unique in the asset.
    pub name: String,
    /// Where on the device they act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source: Option<String>,
    /// The type of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_ref: Option<String>,
    /// The connector's settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_group_configuration: Option<String>,
    /// The request topic of actions that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_topic: Option<String>,
    /// How long an action that names no timeout may take, in seconds.
    #[serde(
        alias = "defaultTimeOutInSeconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub default_timeout_in_seconds: Option<u64>,
    /// The actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<DiscoveredAction>,
    /// When it was last found.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_updated_on: Option<SystemTime>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Something a client can ask of the asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredAction {
    /// Its name, unique in the group.
    pub name: String,
    /// What kind of request it is.
    pub action_type: ActionType,
    /// What it calls on the device.
    pub target_uri: String,
    /// The MQTT topic requests arrive on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// How long it may take, in seconds.
    #[serde(alias = "timeOutInSeconds", skip_serializing_if = "Option::is_none")]
    pub timeout_in_seconds: Option<u64>,
    /// The connector's settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_configuration: Option<String>,
    /// The type of its input and output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_ref: Option<String>,
    /// When it was last found.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_updated_on: Option<SystemTime>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Data that flows continuously, such as video.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredStream {
    /// Its name, unique in the asset.
    pub name: String,
    /// The type of its data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_ref: Option<String>,
    /// The connector's settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_configuration: Option<String>,
    /// Where it goes; empty for the asset's defaults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// When it was last found.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_updated_on: Option<SystemTime>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}
