//! What Microsoft's client has read, spelled as the contract spells it: every field of theirs is taken apart here, so that one
//! that is new does not compile, and one that was defaulted is missing.

use std::collections::HashMap;

use azure_iot_operations_services::azure_device_registry::models::{
    ActionType, Asset, Authentication, Dataset, DatasetDataPoint, DatasetDestination,
    DatasetTarget, DestinationConfiguration, Device, DeviceEndpoints, DeviceRef, Event, EventGroup,
    EventStreamDestination, EventStreamTarget, InboundEndpoint, ManagementGroup,
    ManagementGroupAction, OutboundEndpoint, OutboundEndpoints, QoS, Retain, Stream, TrustSettings,
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

pub fn device(device: Device) -> Value {
    let Device {
        attributes,
        discovered_device_ref,
        enabled,
        endpoints,
        external_device_id,
        last_transition_time,
        manufacturer,
        model,
        operating_system,
        operating_system_version,
        uuid,
        version,
    } = device;
    let endpoints = endpoints.map(|DeviceEndpoints { inbound, outbound }| {
        let outbound = outbound.map(
            |OutboundEndpoints {
                 assigned,
                 unassigned,
             }| {
                json!({"assigned": map(assigned, outbound_endpoint), "unassigned": map(unassigned, outbound_endpoint)})
            },
        );
        json!({"inbound": map(inbound, inbound_endpoint), "outbound": outbound})
    });
    given(json!({
        "attributes": attributes,
        "discoveredDeviceRef": discovered_device_ref,
        "enabled": enabled,
        "endpoints": endpoints,
        "externalDeviceId": external_device_id,
        "lastTransitionTime": last_transition_time.map(time),
        "manufacturer": manufacturer,
        "model": model,
        "operatingSystem": operating_system,
        "operatingSystemVersion": operating_system_version,
        "uuid": uuid,
        "version": version,
    }))
}

pub fn asset(asset: Asset) -> Value {
    let Asset {
        asset_type_refs,
        attributes,
        datasets,
        default_datasets_configuration,
        default_datasets_destinations,
        default_events_configuration,
        default_events_destinations,
        default_management_groups_configuration,
        default_streams_configuration,
        default_streams_destinations,
        description,
        device_ref,
        discovered_asset_refs,
        display_name,
        documentation_uri,
        enabled,
        event_groups,
        external_asset_id,
        hardware_revision,
        last_transition_time,
        management_groups,
        manufacturer,
        manufacturer_uri,
        model,
        product_code,
        serial_number,
        software_revision,
        streams,
        uuid,
        version,
    } = asset;
    let DeviceRef {
        device_name,
        endpoint_name,
    } = device_ref;
    given(json!({
        "assetTypeRefs": asset_type_refs,
        "attributes": attributes,
        "datasets": list(datasets, dataset),
        "defaultDatasetsConfiguration": default_datasets_configuration,
        "defaultDatasetsDestinations": list(default_datasets_destinations, of_dataset),
        "defaultEventsConfiguration": default_events_configuration,
        "defaultEventsDestinations": list(default_events_destinations, destination),
        "defaultManagementGroupsConfiguration": default_management_groups_configuration,
        "defaultStreamsConfiguration": default_streams_configuration,
        "defaultStreamsDestinations": list(default_streams_destinations, destination),
        "description": description,
        "deviceRef": {"deviceName": device_name, "endpointName": endpoint_name},
        "discoveredAssetRefs": discovered_asset_refs,
        "displayName": display_name,
        "documentationUri": documentation_uri,
        "enabled": enabled,
        "eventGroups": list(event_groups, event_group),
        "externalAssetId": external_asset_id,
        "hardwareRevision": hardware_revision,
        "lastTransitionTime": last_transition_time.map(time),
        "managementGroups": list(management_groups, management_group),
        "manufacturer": manufacturer,
        "manufacturerUri": manufacturer_uri,
        "model": model,
        "productCode": product_code,
        "serialNumber": serial_number,
        "softwareRevision": software_revision,
        "streams": list(streams, stream),
        "uuid": uuid,
        "version": version,
    }))
}

fn inbound_endpoint(endpoint: InboundEndpoint) -> Value {
    let InboundEndpoint {
        additional_configuration,
        address,
        authentication,
        endpoint_type,
        trust_settings,
        version,
    } = endpoint;
    let authentication = match authentication {
        Authentication::Anonymous => json!({"method": "Anonymous"}),
        Authentication::Certificate {
            certificate_secret_name,
            intermediate_certificates_secret_name,
            key_secret_name,
        } => json!({"method": "Certificate", "x509Credentials": {
            "certificateSecretName": certificate_secret_name,
            "intermediateCertificatesSecretName": intermediate_certificates_secret_name,
            "keySecretName": key_secret_name,
        }}),
        Authentication::UsernamePassword {
            password_secret_name,
            username_secret_name,
        } => json!({"method": "UsernamePassword", "usernamePasswordCredentials": {
            "passwordSecretName": password_secret_name,
            "usernameSecretName": username_secret_name,
        }}),
    };
    json!({
        "additionalConfiguration": additional_configuration,
        "address": address,
        "authentication": authentication,
        "endpointType": endpoint_type,
        "trustSettings": trust_settings.map(|TrustSettings { trust_list }| json!({"trustList": trust_list})),
        "version": version,
    })
}

fn outbound_endpoint(endpoint: OutboundEndpoint) -> Value {
    let OutboundEndpoint {
        address,
        endpoint_type,
    } = endpoint;
    json!({"address": address, "endpointType": endpoint_type})
}

fn dataset(dataset: Dataset) -> Value {
    let Dataset {
        dataset_configuration,
        data_points,
        data_source,
        destinations,
        name,
        type_ref,
    } = dataset;
    json!({
        "datasetConfiguration": dataset_configuration,
        "dataPoints": list(data_points, |DatasetDataPoint { data_point_configuration, data_source, name, type_ref }| json!({
            "dataPointConfiguration": data_point_configuration,
            "dataSource": data_source,
            "name": name,
            "typeRef": type_ref,
        })),
        "dataSource": data_source,
        "destinations": list(destinations, of_dataset),
        "name": name,
        "typeRef": type_ref,
    })
}

fn event_group(group: EventGroup) -> Value {
    let EventGroup {
        data_source,
        default_destinations,
        event_group_configuration,
        events,
        name,
        type_ref,
    } = group;
    json!({
        "dataSource": data_source,
        "defaultDestinations": list(default_destinations, destination),
        "eventGroupConfiguration": event_group_configuration,
        "events": list(events, |Event { data_source, destinations, event_configuration, name, type_ref }| json!({
            "dataSource": data_source,
            "destinations": list(destinations, destination),
            "eventConfiguration": event_configuration,
            "name": name,
            "typeRef": type_ref,
        })),
        "name": name,
        "typeRef": type_ref,
    })
}

fn management_group(group: ManagementGroup) -> Value {
    let ManagementGroup {
        actions,
        data_source,
        default_timeout_in_seconds,
        default_topic,
        management_group_configuration,
        name,
        type_ref,
    } = group;
    json!({
        "actions": list(actions, action),
        "dataSource": data_source,
        "defaultTimeoutInSeconds": default_timeout_in_seconds,
        "defaultTopic": default_topic,
        "managementGroupConfiguration": management_group_configuration,
        "name": name,
        "typeRef": type_ref,
    })
}

fn action(action: ManagementGroupAction) -> Value {
    let ManagementGroupAction {
        action_configuration,
        action_type,
        name,
        target_uri,
        timeout_in_seconds,
        topic,
        type_ref,
    } = action;
    json!({
        "actionConfiguration": action_configuration,
        "actionType": match action_type {
            ActionType::Call => "Call",
            ActionType::Read => "Read",
            ActionType::Write => "Write",
        },
        "name": name,
        "targetUri": target_uri,
        "timeoutInSeconds": timeout_in_seconds,
        "topic": topic,
        "typeRef": type_ref,
    })
}

fn stream(stream: Stream) -> Value {
    let Stream {
        destinations,
        name,
        stream_configuration,
        type_ref,
    } = stream;
    json!({
        "destinations": list(destinations, destination),
        "name": name,
        "streamConfiguration": stream_configuration,
        "typeRef": type_ref,
    })
}

fn of_dataset(destination: DatasetDestination) -> Value {
    let DatasetDestination {
        configuration,
        target,
    } = destination;
    let target = match target {
        DatasetTarget::BrokerStateStore => "BrokerStateStore",
        DatasetTarget::Mqtt => "Mqtt",
        DatasetTarget::Storage => "Storage",
    };
    json!({"configuration": settings(configuration), "target": target})
}

fn destination(destination: EventStreamDestination) -> Value {
    let EventStreamDestination {
        configuration,
        target,
    } = destination;
    let target = match target {
        EventStreamTarget::Mqtt => "Mqtt",
        EventStreamTarget::Storage => "Storage",
    };
    json!({"configuration": settings(configuration), "target": target})
}

fn settings(configuration: DestinationConfiguration) -> Value {
    let DestinationConfiguration {
        key,
        path,
        qos,
        retain,
        topic,
        ttl,
    } = configuration;
    let qos = qos.map(|qos| match qos {
        QoS::AtMostOnce => "Qos0",
        QoS::AtLeastOnce => "Qos1",
    });
    let retain = retain.map(|retain| match retain {
        Retain::Keep => "Keep",
        Retain::Never => "Never",
    });
    json!({"key": key, "path": path, "qos": qos, "retain": retain, "topic": topic, "ttl": ttl})
}

fn list<T>(items: Vec<T>, spelled: impl Fn(T) -> Value) -> Value {
    items.into_iter().map(spelled).collect()
}

fn map<T>(items: HashMap<String, T>, spelled: impl Fn(T) -> Value) -> Value {
    let items = items.into_iter();
    items
        .map(|(name, item)| (name, spelled(item)))
        .collect::<Map<_, _>>()
        .into()
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Without what is null or empty: the contract leaves that out.
fn given(value: Value) -> Value {
    let is_given = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, given(value)));
            fields
                .filter(|(_, value)| is_given(value))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.into_iter().map(given).collect(),
        value => value,
    }
}
