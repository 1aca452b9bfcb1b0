//! What a camera offers, as the registry's discovered asset and device. Pure: the camera was asked before.

use std::collections::{BTreeMap, BTreeSet};

use connector_sdk::EndpointRef;
use connector_sdk::model::{
    AuthenticationMethod, DeviceRef, DiscoveredAction, DiscoveredAsset, DiscoveredDevice,
    DiscoveredEndpoints, DiscoveredEvent, DiscoveredEventGroup, DiscoveredInboundEndpoint,
    DiscoveredManagementGroup,
};
use url::Url;

use crate::command::Entry;

/// What a camera says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) manufacturer: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) firmware: Option<String>,
    pub(crate) serial_number: Option<String>,
    pub(crate) hardware: Option<String>,
}

/// A stream of a camera.
#[derive(Clone, Debug)]
pub(crate) struct MediaStream {
    pub(crate) profile: String,
    pub(crate) address: Url,
    /// What is known about it, such as `codec` and `width`.
    pub(crate) properties: BTreeMap<String, String>,
}

/// The names under which discovered things are registered: those of the device with a suffix.
pub(crate) fn asset_name(endpoint: &EndpointRef) -> String {
    registry_name(&format!("{}-{}", endpoint.device, endpoint.endpoint))
}

pub(crate) fn media_device_name(endpoint: &EndpointRef) -> String {
    registry_name(&format!("{}-media", endpoint.device))
}

/// An asset with an event group for each first level of the camera's topics, and its commands as actions.
pub(crate) fn discovered_asset(
    endpoint: &EndpointRef,
    identity: &Identity,
    topics: &[String],
    commands: &[&Entry],
) -> DiscoveredAsset {
    let mut event_groups: Vec<DiscoveredEventGroup> = Vec::new();
    let mut names = BTreeSet::new();
    for topic in topics {
        let levels: Vec<&str> = topic.split('/').map(without_prefix).collect();
        let group_name = levels[0];
        let event = DiscoveredEvent {
            name: unique(
                &mut names,
                levels
                    .get(1..)
                    .filter(|rest| !rest.is_empty())
                    .unwrap_or(&levels)
                    .join("-"),
            ),
            data_source: Some(topic.clone()),
            ..DiscoveredEvent::default()
        };
        match event_groups
            .iter_mut()
            .find(|group| group.name == group_name)
        {
            Some(group) => group.events.push(event),
            None => event_groups.push(DiscoveredEventGroup {
                name: group_name.to_owned(),
                events: vec![event],
                ..DiscoveredEventGroup::default()
            }),
        }
    }

    let mut management_groups: Vec<DiscoveredManagementGroup> = Vec::new();
    for command in commands {
        let action = DiscoveredAction {
            name: command.name.to_owned(),
            action_type: command.action_type(),
            target_uri: command.soap_action.to_owned(),
            ..DiscoveredAction::default()
        };
        match management_groups
            .iter_mut()
            .find(|group| group.name == command.group)
        {
            Some(group) => group.actions.push(action),
            None => management_groups.push(DiscoveredManagementGroup {
                name: command.group.to_owned(),
                default_timeout_in_seconds: Some(10),
                actions: vec![action],
                ..DiscoveredManagementGroup::default()
            }),
        }
    }

    DiscoveredAsset {
        device_ref: DeviceRef::new(&endpoint.device, &endpoint.endpoint),
        manufacturer: identity.manufacturer.clone(),
        model: identity.model.clone(),
        serial_number: identity.serial_number.clone(),
        hardware_revision: identity.hardware.clone(),
        software_revision: identity.firmware.clone(),
        event_groups,
        management_groups,
        ..DiscoveredAsset::default()
    }
}

/// A device with a `Microsoft.Media` endpoint for each stream. Profiles that share an address share an endpoint.
pub(crate) fn discovered_device(
    endpoint: &EndpointRef,
    identity: &Identity,
    streams: &[MediaStream],
) -> DiscoveredDevice {
    let mut inbound = BTreeMap::new();
    let mut attributes = BTreeMap::from([("onvifDevice".to_owned(), endpoint.device.clone())]);
    let mut names = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for stream in streams {
        if !addresses.insert(&stream.address) {
            continue;
        }
        let name = unique(
            &mut names,
            registry_name(&format!("profile-{}", stream.profile)),
        );
        for (property, value) in &stream.properties {
            attributes.insert(format!("{name}.{property}"), value.clone());
        }
        inbound.insert(
            name,
            DiscoveredInboundEndpoint {
                address: stream.address.to_string(),
                endpoint_type: "Microsoft.Media".to_owned(),
                supported_authentication_methods: vec![
                    AuthenticationMethod::UsernamePassword,
                    AuthenticationMethod::Anonymous,
                ],
                ..DiscoveredInboundEndpoint::default()
            },
        );
    }
    DiscoveredDevice {
        attributes,
        endpoints: Some(DiscoveredEndpoints {
            inbound,
            ..DiscoveredEndpoints::default()
        }),
        manufacturer: identity.manufacturer.clone(),
        model: identity.model.clone(),
        external_device_id: identity.serial_number.clone(),
        operating_system_version: identity.firmware.clone(),
        ..DiscoveredDevice::default()
    }
}

/// A name by the registry's rule: 3 to 63 lower case letters, digits and hyphens, a letter or digit at either end.
fn registry_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for character in text.chars() {
        match character.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => name.push(letter),
            _ if !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    name.truncate(58);
    let name = name.trim_matches('-');
    if name.len() < 3 {
        format!("onvif-{name}").trim_end_matches('-').to_owned()
    } else {
        name.to_owned()
    }
}

/// The name, with a number where it is taken.
fn unique(taken: &mut BTreeSet<String>, name: String) -> String {
    let mut candidate = name.clone();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}-{number}");
        number += 1;
    }
    candidate
}

fn without_prefix(level: &str) -> &str {
    level.rsplit_once(':').map_or(level, |(_, local)| local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    fn endpoint() -> EndpointRef {
        EndpointRef::new("Gate_1", "onvif")
    }

    #[test]
    fn topics_become_event_groups_by_their_first_level() {
        let topics = [
            "tns1:VideoSource/MotionAlarm",
            "tns1:RuleEngine/CellMotionDetector/Motion",
            "tns1:RuleEngine/tnsvendor:CellMotionDetector/Motion",
            "tns1:Monitoring",
        ]
        .map(str::to_owned);
        let asset = discovered_asset(&endpoint(), &Identity::default(), &topics, &[]);
        let names: Vec<(&str, Vec<&str>)> = asset
            .event_groups
            .iter()
            .map(|group| {
                let events = group
                    .events
                    .iter()
                    .map(|event| event.name.as_str())
                    .collect();
                (group.name.as_str(), events)
            })
            .collect();
        assert_eq!(
            names,
            [
                ("VideoSource", vec!["MotionAlarm"]),
                (
                    "RuleEngine",
                    vec!["CellMotionDetector-Motion", "CellMotionDetector-Motion-2"]
                ),
                ("Monitoring", vec!["Monitoring"]),
            ]
        );
        assert_eq!(
            asset.event_groups[1].events[0].data_source.as_deref(),
            Some("tns1:RuleEngine/CellMotionDetector/Motion")
        );
    }

    #[test]
    fn commands_become_actions_of_their_group() {
        let commands: Vec<&Entry> = command::TABLE.iter().collect();
        let asset = discovered_asset(&endpoint(), &Identity::default(), &[], &commands);
        let ptz = asset
            .management_groups
            .iter()
            .find(|group| group.name == "PTZ")
            .unwrap();
        let action = ptz
            .actions
            .iter()
            .find(|action| action.name == "RelativeMove")
            .unwrap();
        assert_eq!(
            action.target_uri,
            "http://www.onvif.org/ver20/ptz/wsdl/RelativeMove"
        );
    }

    #[test]
    fn each_stream_address_is_one_media_endpoint() {
        let stream = |profile: &str, address: &str| MediaStream {
            profile: profile.to_owned(),
            address: Url::parse(address).unwrap(),
            properties: BTreeMap::from([("codec".to_owned(), "H264".to_owned())]),
        };
        let device = discovered_device(
            &endpoint(),
            &Identity::default(),
            &[
                stream("Main Stream", "rtsp://10.0.0.5/main"),
                stream("copy", "rtsp://10.0.0.5/main"),
                stream("main stream", "rtsp://10.0.0.5/sub"),
            ],
        );
        let inbound = device.endpoints.unwrap().inbound;
        let names: Vec<&str> = inbound.keys().map(String::as_str).collect();
        assert_eq!(names, ["profile-main-stream", "profile-main-stream-2"]);
        assert_eq!(device.attributes["profile-main-stream.codec"], "H264");
    }

    #[test]
    fn names_keep_to_the_registrys_rule() {
        assert_eq!(asset_name(&endpoint()), "gate-1-onvif");
        assert_eq!(registry_name("Ü"), "onvif");
        assert_eq!(registry_name("--a--"), "onvif-a");
        assert!(registry_name(&"x".repeat(200)).len() <= 63);
    }
}
