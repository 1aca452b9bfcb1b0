//! What a discovered device or asset is when an operator imports it.

use super::{
    Action, Asset, DataPoint, Dataset, Device, DeviceEndpoints, DiscoveredAction, DiscoveredAsset,
    DiscoveredDataPoint, DiscoveredDataset, DiscoveredDevice, DiscoveredEndpoints, DiscoveredEvent,
    DiscoveredEventGroup, DiscoveredInboundEndpoint, DiscoveredManagementGroup, DiscoveredStream,
    Event, EventGroup, InboundEndpoint, ManagementGroup, Stream,
};

impl From<DiscoveredDevice> for Device {
    fn from(found: DiscoveredDevice) -> Self {
        Self {
            attributes: found.attributes,
            external_device_id: found.external_device_id,
            manufacturer: found.manufacturer,
            model: found.model,
            operating_system: found.operating_system,
            operating_system_version: found.operating_system_version,
            other: found.other,
            endpoints: found.endpoints.map(Into::into),
            discovered_device_ref: None,
            enabled: None,
            last_transition_time: None,
            uuid: None,
            version: None,
        }
    }
}

impl From<DiscoveredEndpoints> for DeviceEndpoints {
    fn from(found: DiscoveredEndpoints) -> Self {
        let inbound = found
            .inbound
            .into_iter()
            .map(|(name, endpoint)| (name, endpoint.into()))
            .collect();
        Self {
            inbound,
            outbound: found.outbound,
            other: found.other,
        }
    }
}

/// How to log in is for the one who imports it to say; it is anonymous until then.
impl From<DiscoveredInboundEndpoint> for InboundEndpoint {
    fn from(found: DiscoveredInboundEndpoint) -> Self {
        Self {
            address: found.address,
            endpoint_type: found.endpoint_type,
            version: found.version,
            additional_configuration: found.additional_configuration,
            authentication: None,
            trust_settings: None,
            other: found.other,
        }
    }
}

impl From<DiscoveredAsset> for Asset {
    fn from(found: DiscoveredAsset) -> Self {
        Self {
            device_ref: found.device_ref,
            display_name: found.display_name,
            description: found.description,
            documentation_uri: found.documentation_uri,
            external_asset_id: found.external_asset_id,
            attributes: found.attributes,
            manufacturer: found.manufacturer,
            manufacturer_uri: found.manufacturer_uri,
            model: found.model,
            product_code: found.product_code,
            serial_number: found.serial_number,
            hardware_revision: found.hardware_revision,
            software_revision: found.software_revision,
            default_datasets_configuration: found.default_datasets_configuration,
            default_events_configuration: found.default_events_configuration,
            default_management_groups_configuration: found.default_management_groups_configuration,
            default_streams_configuration: found.default_streams_configuration,
            default_datasets_destinations: found.default_datasets_destinations,
            default_events_destinations: found.default_events_destinations,
            default_streams_destinations: found.default_streams_destinations,
            asset_type_refs: found.asset_type_refs,
            datasets: found.datasets.into_iter().map(Into::into).collect(),
            event_groups: found.event_groups.into_iter().map(Into::into).collect(),
            management_groups: found
                .management_groups
                .into_iter()
                .map(Into::into)
                .collect(),
            streams: found.streams.into_iter().map(Into::into).collect(),
            other: found.other,
            enabled: None,
            uuid: None,
            version: None,
            last_transition_time: None,
            discovered_asset_refs: Vec::new(),
        }
    }
}

impl From<DiscoveredDataset> for Dataset {
    fn from(found: DiscoveredDataset) -> Self {
        Self {
            name: found.name,
            data_source: found.data_source,
            type_ref: found.type_ref,
            dataset_configuration: found.dataset_configuration,
            destinations: found.destinations,
            data_points: found.data_points.into_iter().map(Into::into).collect(),
            other: found.other,
        }
    }
}

impl From<DiscoveredDataPoint> for DataPoint {
    fn from(found: DiscoveredDataPoint) -> Self {
        Self {
            name: found.name,
            data_source: found.data_source,
            data_point_configuration: found.data_point_configuration,
            type_ref: found.type_ref,
            other: found.other,
        }
    }
}

impl From<DiscoveredEventGroup> for EventGroup {
    fn from(found: DiscoveredEventGroup) -> Self {
        Self {
            name: found.name,
            data_source: found.data_source,
            type_ref: found.type_ref,
            event_group_configuration: found.event_group_configuration,
            default_destinations: found.default_destinations,
            events: found.events.into_iter().map(Into::into).collect(),
            other: found.other,
        }
    }
}

impl From<DiscoveredEvent> for Event {
    fn from(found: DiscoveredEvent) -> Self {
        Self {
            name: found.name,
            data_source: found.data_source,
            type_ref: found.type_ref,
            event_configuration: found.event_configuration,
            destinations: found.destinations,
            other: found.other,
        }
    }
}

impl From<DiscoveredManagementGroup> for ManagementGroup {
    fn from(found: DiscoveredManagementGroup) -> Self {
        Self {
            name: found.name,
            data_source: found.data_source,
            type_ref: found.type_ref,
            management_group_configuration: found.management_group_configuration,
            default_topic: found.default_topic,
            default_timeout_in_seconds: found.default_timeout_in_seconds,
            actions: found.actions.into_iter().map(Into::into).collect(),
            other: found.other,
        }
    }
}

impl From<DiscoveredAction> for Action {
    fn from(found: DiscoveredAction) -> Self {
        Self {
            name: found.name,
            action_type: found.action_type,
            target_uri: found.target_uri,
            topic: found.topic,
            timeout_in_seconds: found.timeout_in_seconds,
            action_configuration: found.action_configuration,
            type_ref: found.type_ref,
            other: found.other,
        }
    }
}

impl From<DiscoveredStream> for Stream {
    fn from(found: DiscoveredStream) -> Self {
        Self {
            name: found.name,
            type_ref: found.type_ref,
            stream_configuration: found.stream_configuration,
            destinations: found.destinations,
            other: found.other,
        }
    }
}
