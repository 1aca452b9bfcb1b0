//! What is written beside the manifests: statuses with health. Pure.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::manifest::{API_VERSION, Kind, Metadata};
use super::text::read_yaml;
use crate::model::{
    AssetStatus, Component, ConfigError, ConfigStatus, DeviceStatus, DeviceStatusEndpoints,
    RuntimeHealth,
};
use crate::{EndpointRef, Error, Interest};

/// A status document: what Kubernetes holds, and the health of the parts.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored<S> {
    api_version: String,
    kind: String,
    metadata: Metadata,
    /// What was reported, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<S>,
    /// By endpoint, or by path of the element: `events/GROUP/NAME`, `streams/NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub health: BTreeMap<String, RuntimeHealth>,
    /// Who is to be told of changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interests: Vec<StoredInterest>,
}

/// That a client is to be told of changes of the device or asset that the document is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredInterest {
    pub client: String,
    pub device: String,
    pub endpoint: String,
    /// A digest of what it knows.
    pub knows: String,
}

/// Statuses of devices and assets have a part for the whole.
pub(super) trait Status: Default + PartialEq + Serialize + DeserializeOwned + Send {
    const KIND: Kind;

    fn config(&mut self) -> &mut Option<ConfigStatus>;
}

impl Status for DeviceStatus {
    const KIND: Kind = Kind::Device;

    fn config(&mut self) -> &mut Option<ConfigStatus> {
        &mut self.config
    }
}

impl Status for AssetStatus {
    const KIND: Kind = Kind::Asset;

    fn config(&mut self) -> &mut Option<ConfigStatus> {
        &mut self.config
    }
}

impl<S: Status> Stored<S> {
    pub(super) fn new(name: &str, namespace: &str) -> Self {
        Self {
            api_version: API_VERSION.into(),
            kind: S::KIND.as_str().into(),
            metadata: Metadata {
                name: name.into(),
                namespace: Some(namespace.into()),
            },
            status: None,
            health: BTreeMap::new(),
            interests: Vec::new(),
        }
    }

    /// Reads a stored document; `None` when it is not one any more, as after an edit by hand.
    pub(super) fn parse(text: &str) -> Option<Self> {
        read_yaml(text).ok()
    }

    /// Takes a health report in.
    pub(super) fn merge_health(&mut self, part: String, report: RuntimeHealth) {
        merge_health(&mut self.health, part, report);
    }

    /// Takes a connector's report in. It knows nothing of what is wrong with the manifest: that stays noted.
    pub(super) fn report(&mut self, change: impl FnOnce(&mut S)) {
        let marked = self.is_marked();
        let status = self.status.get_or_insert_default();
        let mark = status.config().take_if(|_| marked);
        let mark = mark.and_then(|config| config.error);
        change(status);
        let config = status.config();
        if mark.is_some() && config.as_ref().is_none_or(|config| config.error.is_none()) {
            config.get_or_insert_default().error = mark;
        }
    }

    /// Notes what is wrong with the manifest, or takes such a note back.
    pub(super) fn mark(&mut self, problem: Option<(&str, &str)>) {
        let marked = self.is_marked();
        match (problem, &mut self.status) {
            (Some((code, message)), status) => {
                let config = status.get_or_insert_default().config();
                config.get_or_insert_default().error = Some(ConfigError::new(code, message));
            }
            (None, Some(status)) if marked => {
                let config = status.config();
                if let Some(status) = config {
                    status.error = None;
                }
                if *config == Some(ConfigStatus::default()) {
                    *config = None;
                }
            }
            (None, _) => {}
        }
    }

    /// Whether the error of the whole is one that [`mark`](Self::mark) wrote.
    pub(super) fn is_marked(&mut self) -> bool {
        let config = self
            .status
            .as_mut()
            .and_then(|status| status.config().as_ref());
        let error = config.and_then(|config| config.error.as_ref());
        error
            .and_then(|error| error.code.as_deref())
            .is_some_and(|code| MARKS.contains(&code))
    }

    /// Notes that a client is to be told of changes, and what it knows; `None`: that it is not to be told.
    pub(super) fn note_interest(&mut self, interest: &Interest, knows: Option<&str>) {
        let Interest {
            client, endpoint, ..
        } = interest;
        self.interests.retain(|stored| {
            let stored = (&stored.client, &stored.device, &stored.endpoint);
            stored != (client, &endpoint.device, &endpoint.endpoint)
        });
        self.interests.extend(knows.map(|knows| StoredInterest {
            client: client.clone(),
            device: endpoint.device.clone(),
            endpoint: endpoint.endpoint.clone(),
            knows: knows.to_owned(),
        }));
    }

    /// Whom the document of that name says to tell.
    pub(super) fn interests_in(self, name: String) -> impl Iterator<Item = (Interest, String)> {
        let asset = (S::KIND == Kind::Asset).then_some(name);
        self.interests.into_iter().map(move |stored| {
            let interest = Interest {
                client: stored.client,
                endpoint: EndpointRef::new(stored.device, stored.endpoint),
                asset: asset.clone(),
            };
            (interest, stored.knows)
        })
    }
}

/// The codes of problems with manifests.
const MARKS: [&str; 5] = [
    super::manifest::UNREADABLE,
    super::manifest::INVALID,
    "TooManyManifests",
    "DeviceNotFound",
    "EndpointNotFound",
];

/// Merges a connector's report into what others reported of the same device.
pub(crate) fn merge_device(stored: &mut DeviceStatus, report: DeviceStatus) {
    if report.config.is_some() {
        stored.config = report.config;
    }
    if let Some(endpoints) = report.endpoints {
        let stored = stored.endpoints.get_or_insert_default();
        stored.inbound.extend(endpoints.inbound);
        stored.other = endpoints.other;
    }
    if !report.other.is_empty() {
        stored.other = report.other;
    }
}

/// Takes in what a report says of a device and of one of its endpoints, in the place of what is stored.
pub(crate) fn replace_endpoint(stored: &mut DeviceStatus, endpoint: &str, report: DeviceStatus) {
    stored.config = report.config;
    stored.other = report.other;
    let reported = report.endpoints.unwrap_or_default();
    let endpoints = stored.endpoints.get_or_insert_default();
    endpoints.inbound.remove(endpoint);
    let mut inbound = reported.inbound;
    endpoints.inbound.extend(inbound.remove_entry(endpoint));
    endpoints.other = reported.other;
    if *endpoints == DeviceStatusEndpoints::default() {
        stored.endpoints = None;
    }
}

/// Takes a report in, unless it is of an older version, or older, than the stored one.
pub(crate) fn merge_health(
    stored: &mut BTreeMap<String, RuntimeHealth>,
    part: String,
    report: RuntimeHealth,
) {
    let older = stored.get(&part).is_some_and(|stored| {
        report.version < stored.version || report.last_update_time < stored.last_update_time
    });
    if !older {
        stored.insert(part, report);
    }
}

/// The part of a status document that a health report is about.
pub(crate) fn part(component: &Component) -> String {
    match component {
        Component::Dataset { name } => format!("datasets/{name}"),
        Component::Event { group, name } => format!("events/{group}/{name}"),
        Component::Action { group, name } => format!("actions/{group}/{name}"),
        Component::Stream { name } => format!("streams/{name}"),
    }
}

pub(super) fn to_yaml(document: &impl Serialize) -> Result<String, Error> {
    serde_saphyr::to_string(document).map_err(|error| Error::Invalid {
        what: "the document".into(),
        reason: format!("it cannot be written as YAML: {error}"),
    })
}
