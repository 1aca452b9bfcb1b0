use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{OtherFields, open_enum, time};

/// What a connector is to read from, and offer on, one endpoint of a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// The endpoint the asset is reached by.
    pub device_ref: DeviceRef,
    /// Whether it is to be served; absent means yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The registry's identifier, stable over renames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Counts the changes of the specification; statuses and health refer to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// When the specification last changed.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_transition_time: Option<SystemTime>,
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
    pub datasets: Vec<Dataset>,
    /// What happens by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_groups: Vec<EventGroup>,
    /// What can be asked of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub management_groups: Vec<ManagementGroup>,
    /// What flows continuously.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<Stream>,
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
    /// The discovered assets this one was imported from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discovered_asset_refs: Vec<String>,
    /// The types the asset conforms to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_type_refs: Vec<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl Asset {
    /// Whether it is to be served: unless it says `enabled: false`.
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// Where a dataset of this asset goes: its own destinations, else the asset's defaults.
    pub fn dataset_destinations<'a>(&'a self, dataset: &'a Dataset) -> &'a [Destination] {
        first_given([&dataset.destinations, &self.default_datasets_destinations])
    }

    /// Where an event of this asset goes: its own destinations, else its group's, else the asset's defaults.
    pub fn event_destinations<'a>(
        &'a self,
        group: &'a EventGroup,
        event: &'a Event,
    ) -> &'a [Destination] {
        first_given([
            &event.destinations,
            &group.default_destinations,
            &self.default_events_destinations,
        ])
    }

    /// Where a stream of this asset goes: its own destinations, else the asset's defaults.
    pub fn stream_destinations<'a>(&'a self, stream: &'a Stream) -> &'a [Destination] {
        first_given([&stream.destinations, &self.default_streams_destinations])
    }
}

/// The endpoint of a device that an asset is reached by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRef {
    /// The device's name.
    pub device_name: String,
    /// The name of its inbound endpoint.
    pub endpoint_name: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl DeviceRef {
    /// The endpoint of that name on the device of that name.
    pub fn new(device: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            device_name: device.into(),
            endpoint_name: endpoint.into(),
            other: OtherFields::default(),
        }
    }
}

/// Values that are read together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
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
    pub data_points: Vec<DataPoint>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// One value of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataPoint {
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
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Events that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventGroup {
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
    pub events: Vec<Event>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// One kind of event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
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
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Actions that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagementGroup {
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
    pub actions: Vec<Action>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Something a client can ask of the asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
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
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Data that flows continuously, such as video.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
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
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl ManagementGroup {
    /// The topic requests for an action arrive on: the action's own, else the group's default.
    pub fn action_topic<'a>(&'a self, action: &'a Action) -> Option<&'a str> {
        action.topic.as_deref().or(self.default_topic.as_deref())
    }

    /// How long an action may take: its own timeout, else the group's default.
    pub fn action_timeout(&self, action: &Action) -> Option<Duration> {
        action
            .timeout_in_seconds
            .or(self.default_timeout_in_seconds)
            .map(Duration::from_secs)
    }
}

open_enum! {
    /// What kind of request an action is.
    #[derive(Default)]
    ActionType {
        /// Invoke with a JSON input.
        #[default]
        Call = "Call",
        /// Read a value.
        Read = "Read",
        /// Write a value.
        Write = "Write",
    }
}

open_enum! {
    /// What kind of place data goes to.
    Target {
        /// An MQTT topic.
        Mqtt = "Mqtt",
        /// A path, or the address of a media server.
        Storage = "Storage",
        /// A key of the broker's state store; for datasets only.
        BrokerStateStore = "BrokerStateStore",
    }
}

/// Where data goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// The kind of place.
    pub target: Target,
    /// The place.
    pub configuration: DestinationConfiguration,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl Destination {
    /// An MQTT topic with the broker's defaults.
    pub fn mqtt(topic: impl Into<String>) -> Self {
        let configuration = DestinationConfiguration {
            topic: Some(topic.into()),
            ..Default::default()
        };
        Self {
            target: Target::Mqtt,
            configuration,
            other: OtherFields::default(),
        }
    }

    /// A path below the connector's storage, or the address of a media server.
    pub fn storage(path: impl Into<String>) -> Self {
        let configuration = DestinationConfiguration {
            path: Some(path.into()),
            ..Default::default()
        };
        Self {
            target: Target::Storage,
            configuration,
            other: OtherFields::default(),
        }
    }
}

/// The settings of a [`Destination`]; which ones apply follows from its target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationConfiguration {
    /// The topic, for [`Target::Mqtt`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The quality of service; absent means [`Qos::AtLeastOnce`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qos: Option<Qos>,
    /// Whether the broker keeps the last message; absent means no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain: Option<Retain>,
    /// How long a message is worth delivering, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// The path or address, for [`Target::Storage`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The key, for [`Target::BrokerStateStore`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// MQTT's quality of service. AIO uses no other than these two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Qos {
    /// Sent once, not acknowledged.
    #[serde(rename = "Qos0")]
    AtMostOnce,
    /// Acknowledged, and sent again until it is.
    #[default]
    #[serde(rename = "Qos1")]
    AtLeastOnce,
}

/// Whether the broker keeps the last message of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Retain {
    /// It does.
    Keep,
    /// It does not.
    #[default]
    Never,
}

fn first_given<const N: usize>(choices: [&Vec<Destination>; N]) -> &[Destination] {
    choices
        .into_iter()
        .find(|choice| !choice.is_empty())
        .map(Vec::as_slice)
        .unwrap_or_default()
}
