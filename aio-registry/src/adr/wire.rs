//! The topics and bodies of the Device Registry's RPCs and telemetry, for both sides. Pure.

use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::{
    Asset, AssetStatus, Component, Device, DeviceStatus, DiscoveredAsset, DiscoveredDevice, Health,
    RuntimeHealth, time,
};
use crate::{DiscoveryRef, Error};

pub(crate) const REQUESTS: &str =
    "akri/connector/resources/{connectorClientId}/{deviceName}/{inboundEndpointName}/{commandName}";
pub(crate) const DISCOVERY: &str =
    "akri/discovery/resources/{discoveryClientId}/{inboundEndpointType}/{commandName}";
pub(crate) const TELEMETRY: &str = "akri/connector/resources/telemetry/{connectorClientId}/{deviceName}/{inboundEndpointName}/{telemetryName}";

pub(crate) const GET_DEVICE: &str = "getDevice";
pub(crate) const GET_DEVICE_STATUS: &str = "getDeviceStatus";
pub(crate) const GET_ASSET: &str = "getAsset";
pub(crate) const GET_ASSET_STATUS: &str = "getAssetStatus";
pub(crate) const UPDATE_DEVICE_STATUS: &str = "updateDeviceStatus";
pub(crate) const UPDATE_ASSET_STATUS: &str = "updateAssetStatus";
pub(crate) const NOTIFY_OF_DEVICE: &str = "setNotificationPreferenceForDeviceUpdates";
pub(crate) const NOTIFY_OF_ASSET: &str = "setNotificationPreferenceForAssetUpdates";
pub(crate) const DISCOVERED_ASSET: &str = "createOrUpdateDiscoveredAsset";
pub(crate) const DISCOVERED_DEVICE: &str = "createOrUpdateDiscoveredDevice";

pub(crate) const DEVICE_UPDATE: &str = "deviceUpdateEvent";
pub(crate) const ASSET_UPDATE: &str = "assetUpdateEvent";

const ENDPOINT_HEALTH: &str = "deviceEndpointRuntimeHealthEvent";
const DATASET_HEALTH: &str = "datasetRuntimeHealthEvent";
const EVENT_HEALTH: &str = "eventRuntimeHealthEvent";
const ACTION_HEALTH: &str = "managementActionRuntimeHealthEvent";
const STREAM_HEALTH: &str = "streamRuntimeHealthEvent";

pub(crate) const HEALTH_EVENTS: [&str; 5] = [
    ENDPOINT_HEALTH,
    DATASET_HEALTH,
    EVENT_HEALTH,
    ACTION_HEALTH,
    STREAM_HEALTH,
];

/// Declares a body that is an object with one field.
macro_rules! body {
    ($name:ident { $field:ident: $type:ty }) => {
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            pub $field: $type,
        }
    };
}

body!(AssetName { asset_name: String });
body!(DeviceReply { device: Device });
body!(DeviceStatusReply {
    device_status: DeviceStatus
});
body!(AssetReply { asset: Asset });
body!(AssetStatusReply {
    asset_status: AssetStatus
});
body!(DeviceStatusUpdate {
    device_status_update: DeviceStatus
});
body!(UpdatedDeviceStatus {
    updated_device_status: DeviceStatus
});
body!(AssetStatusUpdate {
    asset_status_update: NamedAssetStatus
});
body!(UpdatedAssetStatus {
    updated_asset_status: AssetStatus
});
body!(DevicePreference {
    notification_preference_request: Preference
});
body!(AssetPreference {
    notification_preference_request: NamedPreference
});
body!(PreferenceReply {
    response_payload: String
});
body!(DiscoveredAssetRequest {
    discovered_asset_request: NamedDiscoveredAsset
});
body!(DiscoveredAssetReply {
    discovered_asset_response: DiscoveryRef
});
body!(DiscoveredDeviceRequest {
    discovered_device_request: NamedDiscoveredDevice
});
body!(DiscoveredDeviceReply {
    discovered_device_response: DiscoveryRef
});

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedAssetStatus {
    pub asset_name: String,
    pub asset_status: AssetStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Preference {
    On,
    Off,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedPreference {
    pub asset_name: String,
    pub notification_preference: Preference,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedDiscoveredAsset {
    pub discovered_asset_name: String,
    pub discovered_asset: DiscoveredAsset,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedDiscoveredDevice {
    pub discovered_device_name: String,
    pub discovered_device: DiscoveredDevice,
}

/// The error of the service, in the place of a result.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServiceError {
    pub code: String,
    pub message: String,
    #[serde(with = "time::rfc3339")]
    pub timestamp: SystemTime,
}

/// Reads a body, and says which field is bad.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        format!("{path}: {}", error.into_inner())
    })
}

/// Reads an answer: the result of a method, or the service's error.
pub(crate) fn read_answer<T: DeserializeOwned>(
    method: &str,
    operation: impl Fn() -> String,
    body: &[u8],
) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Lenient {
        #[serde(default)]
        code: serde_json::Value,
        #[serde(default)]
        message: String,
    }
    let refused = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body)
        .ok()
        .and_then(|mut fields| {
            // The schema registry's has no method in its name.
            let error = fields.remove(&format!("{method}Error"));
            error.or_else(|| fields.remove("error"))
        })
        .and_then(|error| serde_json::from_value::<Lenient>(error).ok());
    if let Some(error) = refused {
        let code = match error.code {
            serde_json::Value::String(code) => code,
            other => other.to_string(),
        };
        return Err(Error::Service {
            operation: operation(),
            code,
            message: error.message.chars().take(1_000).collect(),
        });
    }
    read(body).map_err(|reason| Error::Protocol {
        what: format!("the answer to {}", operation()),
        reason,
    })
}

/// The name and the body of the telemetry that reports a health.
pub(crate) fn health_event(health: &Health) -> (&'static str, serde_json::Value) {
    let (name, event) = match health {
        Health::Endpoint(health) => (ENDPOINT_HEALTH, json!({"runtimeHealth": health})),
        Health::Asset {
            asset,
            component,
            health,
        } => match component {
            Component::Dataset { name } => (
                DATASET_HEALTH,
                json!({"assetName": asset, "datasets": [{"datasetName": name, "runtimeHealth": health}]}),
            ),
            Component::Event { group, name } => (
                EVENT_HEALTH,
                json!({"assetName": asset, "events": [{"eventGroupName": group, "eventName": name, "runtimeHealth": health}]}),
            ),
            Component::Action { group, name } => (
                ACTION_HEALTH,
                json!({"assetName": asset, "managementActions": [
                    {"managementGroupName": group, "managementActionName": name, "runtimeHealth": health}]}),
            ),
            Component::Stream { name } => (
                STREAM_HEALTH,
                json!({"assetName": asset, "streams": [{"streamName": name, "runtimeHealth": health}]}),
            ),
        },
    };
    (name, json!({name: event}))
}

/// The health reports of a telemetry message of that name.
pub(crate) fn read_health(name: &str, body: &[u8]) -> Result<Vec<Health>, String> {
    let mut fields: serde_json::Map<String, serde_json::Value> = read(body)?;
    let event = fields
        .remove(name)
        .ok_or_else(|| format!("it has no field {name:?}"))?;
    let event: HealthEvent =
        serde_json::from_value(event).map_err(|error| format!("{name}: {error}"))?;
    if let Some(health) = event.runtime_health {
        return Ok(vec![Health::Endpoint(health)]);
    }
    let asset = event
        .asset_name
        .ok_or_else(|| format!("{name}: it has neither assetName nor runtimeHealth"))?;
    let elements = event.datasets.into_iter().map(Into::into);
    let elements = elements.chain(event.events.into_iter().map(Into::into));
    let elements = elements.chain(event.management_actions.into_iter().map(Into::into));
    let elements = elements.chain(event.streams.into_iter().map(Into::into));
    Ok(elements
        .map(|(component, health)| Health::Asset {
            asset: asset.clone(),
            component,
            health,
        })
        .collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HealthEvent {
    runtime_health: Option<RuntimeHealth>,
    asset_name: Option<String>,
    #[serde(default)]
    datasets: Vec<DatasetHealth>,
    #[serde(default)]
    events: Vec<EventHealth>,
    #[serde(default)]
    management_actions: Vec<ActionHealth>,
    #[serde(default)]
    streams: Vec<StreamHealth>,
}

/// Declares an element of a health event, and which component it is.
macro_rules! element {
    ($name:ident { $($field:ident),+ } => $component:expr) => {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct $name {
            $($field: String,)+
            runtime_health: RuntimeHealth,
        }

        impl From<$name> for (Component, RuntimeHealth) {
            fn from(element: $name) -> Self {
                let $name { $($field,)+ runtime_health } = element;
                let component = $component;
                (component($($field),+), runtime_health)
            }
        }
    };
}

element!(DatasetHealth { dataset_name } => |name| Component::Dataset { name });
element!(EventHealth { event_group_name, event_name } => |group, name| Component::Event { group, name });
element!(ActionHealth { management_group_name, management_action_name } => |group, name| Component::Action { group, name });
element!(StreamHealth { stream_name } => |name| Component::Stream { name });

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::model::{HealthStatus, OtherFields};

    fn health() -> RuntimeHealth {
        RuntimeHealth {
            version: 3,
            status: HealthStatus::Unavailable,
            last_update_time: UNIX_EPOCH + Duration::from_secs(1),
            message: Some("m".into()),
            reason_code: None,
            other: OtherFields::default(),
        }
    }

    #[test]
    fn health_of_every_kind_is_read_as_it_was_written() {
        let of = |component| Health::Asset {
            asset: "cam-asset".into(),
            component,
            health: health(),
        };
        let (group, name) = (String::from("g"), String::from("n"));
        let all = [
            Health::Endpoint(health()),
            of(Component::Dataset { name: name.clone() }),
            of(Component::Event {
                group: group.clone(),
                name: name.clone(),
            }),
            of(Component::Action {
                group,
                name: name.clone(),
            }),
            of(Component::Stream { name }),
        ];
        for (health, expected) in all.into_iter().zip(HEALTH_EVENTS) {
            let (name, body) = health_event(&health);
            assert_eq!(name, expected);
            let body = serde_json::to_vec(&body).unwrap();
            assert_eq!(read_health(name, &body).unwrap(), [health]);
        }
    }

    #[test]
    fn health_is_spelled_as_in_the_contract() {
        let (_, endpoint) = health_event(&Health::Endpoint(health()));
        assert_eq!(
            endpoint,
            json!({"deviceEndpointRuntimeHealthEvent": {"runtimeHealth": {
                "version": 3, "status": "Unavailable", "lastUpdateTime": "1970-01-01T00:00:01Z", "message": "m"}}})
        );
    }

    #[test]
    fn the_error_of_a_service_is_told_from_a_result() {
        let body = br#"{"getAssetError":{"code":"KubeError","message":"no","timestamp":"2026-11-21T09:01:49Z"}}"#;
        let answer = read_answer::<AssetReply>("getAsset", || "getAsset x".into(), body);
        assert_eq!(
            answer.unwrap_err().to_string(),
            "getAsset x was refused with KubeError: no"
        );
        let answer = read_answer::<AssetReply>("getAsset", || "getAsset x".into(), b"{}");
        assert!(matches!(answer, Err(Error::Protocol { .. })));
    }
}
