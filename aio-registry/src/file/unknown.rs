//! Fields of manifests that this crate does not know: kept, and told. Pure.

use crate::model::{Asset, Destination, Device, OtherFields};

/// The paths of the fields of a device that are not known.
pub(super) fn of_device(device: &Device) -> Vec<String> {
    let mut found = Found::default();
    found.note("", &device.other);
    let Some(endpoints) = &device.endpoints else {
        return found.0;
    };
    found.note("endpoints.", &endpoints.other);
    for (name, endpoint) in &endpoints.inbound {
        let at = format!("endpoints.inbound.{name}.");
        found.note(&at, &endpoint.other);
        if let Some(trust) = &endpoint.trust_settings {
            found.note(&format!("{at}trustSettings."), &trust.other);
        }
        let Some(login) = &endpoint.authentication else {
            continue;
        };
        let at = format!("{at}authentication.");
        found.note(&at, &login.other);
        if let Some(names) = &login.username_password_credentials {
            found.note(&format!("{at}usernamePasswordCredentials."), &names.other);
        }
        if let Some(names) = &login.x509_credentials {
            found.note(&format!("{at}x509Credentials."), &names.other);
        }
    }
    if let Some(outbound) = &endpoints.outbound {
        found.note("endpoints.outbound.", &outbound.other);
        for (name, endpoint) in &outbound.assigned {
            found.note(
                &format!("endpoints.outbound.assigned.{name}."),
                &endpoint.other,
            );
        }
        for (name, endpoint) in &outbound.unassigned {
            found.note(
                &format!("endpoints.outbound.unassigned.{name}."),
                &endpoint.other,
            );
        }
    }
    found.0
}

/// The paths of the fields of an asset that are not known.
pub(super) fn of_asset(asset: &Asset) -> Vec<String> {
    let mut found = Found::default();
    found.note("", &asset.other);
    found.note("deviceRef.", &asset.device_ref.other);
    found.destinations(
        "defaultDatasetsDestinations",
        &asset.default_datasets_destinations,
    );
    found.destinations(
        "defaultEventsDestinations",
        &asset.default_events_destinations,
    );
    found.destinations(
        "defaultStreamsDestinations",
        &asset.default_streams_destinations,
    );
    for (index, dataset) in asset.datasets.iter().enumerate() {
        let at = format!("datasets[{index}].");
        found.note(&at, &dataset.other);
        found.destinations(&format!("{at}destinations"), &dataset.destinations);
        for (index, point) in dataset.data_points.iter().enumerate() {
            found.note(&format!("{at}dataPoints[{index}]."), &point.other);
        }
    }
    for (index, group) in asset.event_groups.iter().enumerate() {
        let at = format!("eventGroups[{index}].");
        found.note(&at, &group.other);
        found.destinations(
            &format!("{at}defaultDestinations"),
            &group.default_destinations,
        );
        for (index, event) in group.events.iter().enumerate() {
            let at = format!("{at}events[{index}].");
            found.note(&at, &event.other);
            found.destinations(&format!("{at}destinations"), &event.destinations);
        }
    }
    for (index, group) in asset.management_groups.iter().enumerate() {
        let at = format!("managementGroups[{index}].");
        found.note(&at, &group.other);
        for (index, action) in group.actions.iter().enumerate() {
            found.note(&format!("{at}actions[{index}]."), &action.other);
        }
    }
    for (index, stream) in asset.streams.iter().enumerate() {
        let at = format!("streams[{index}].");
        found.note(&at, &stream.other);
        found.destinations(&format!("{at}destinations"), &stream.destinations);
    }
    found.0
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn note(&mut self, at: &str, other: &OtherFields) {
        self.0
            .extend(other.names().map(|name| format!("{at}{name}")));
    }

    fn destinations(&mut self, at: &str, destinations: &[Destination]) {
        for (index, destination) in destinations.iter().enumerate() {
            self.note(&format!("{at}[{index}]."), &destination.other);
            let configuration = &destination.configuration.other;
            self.note(&format!("{at}[{index}].configuration."), configuration);
        }
    }
}
