//! What an operator would write: the device, and what to import from what was discovered.

use std::collections::BTreeMap;

use aio_registry::model::{
    Asset, Authentication, Destination, Device, DeviceEndpoints, DeviceRef, InboundEndpoint, Qos,
    Retain, Stream,
};
use serde_json::json;
use url::Url;

/// The names of what this program registers.
pub const DEVICE: &str = "gate";
pub const ENDPOINT: &str = "onvif";
pub const ASSET: &str = "gate-onvif";
pub const MEDIA_DEVICE: &str = "gate-media";
pub const MEDIA_ASSET: &str = "gate-video";
pub const USERNAME_SECRET: &str = "gate/username";
pub const PASSWORD_SECRET: &str = "gate/password";

pub const EVENT_TOPIC: &str = "azure-iot-operations/data/gate-onvif/events";
pub const SNAPSHOT_TOPIC: &str = "azure-iot-operations/data/gate-video/snapshot";

/// How an endpoint authenticates: with the camera's secrets, if it has any.
pub fn authentication(with_password: bool) -> Authentication {
    if with_password {
        Authentication::username_password(USERNAME_SECRET, PASSWORD_SECRET)
    } else {
        Authentication::anonymous()
    }
}

/// A device with one ONVIF endpoint.
pub fn device(address: &Url, authentication: Authentication) -> Device {
    let endpoint = InboundEndpoint {
        address: address.to_string(),
        endpoint_type: "Microsoft.Onvif".to_owned(),
        authentication: Some(authentication),
        ..InboundEndpoint::default()
    };
    Device {
        enabled: Some(true),
        endpoints: Some(DeviceEndpoints {
            inbound: BTreeMap::from([(ENDPOINT.to_owned(), endpoint)]),
            ..DeviceEndpoints::default()
        }),
        ..Device::default()
    }
}

/// Sends every event of the asset to one topic, so that one subscription shows all.
pub fn send_events_to(asset: &mut Asset, topic: &str) {
    asset.enabled = Some(true);
    for group in &mut asset.event_groups {
        for event in &mut group.events {
            event.destinations = vec![mqtt(topic, Retain::Never)];
        }
    }
}

/// An asset that takes two snapshots a second of one stream.
pub fn snapshots_of(endpoint: &str) -> Asset {
    let configuration =
        json!({ "taskType": "snapshot-to-mqtt", "format": "jpeg", "snapshotsPerSecond": 2 });
    Asset {
        enabled: Some(true),
        device_ref: DeviceRef::new(MEDIA_DEVICE, endpoint),
        streams: vec![Stream {
            name: "snapshot".to_owned(),
            stream_configuration: Some(configuration.to_string()),
            destinations: vec![mqtt(SNAPSHOT_TOPIC, Retain::Never)],
            ..Stream::default()
        }],
        ..Asset::default()
    }
}

fn mqtt(topic: &str, retain: Retain) -> Destination {
    let mut destination = Destination::mqtt(topic);
    destination.configuration.qos = Some(Qos::AtLeastOnce);
    destination.configuration.retain = Some(retain);
    destination.configuration.ttl = Some(60);
    destination
}
