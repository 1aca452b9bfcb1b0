//! What is written beside the manifests: statuses with health. Pure.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::manifest::{API_VERSION, Kind, Metadata};
use super::text::read_yaml;
use crate::Error;
use crate::model::{
    AssetStatus, Component, ConfigError, ConfigStatus, DeviceStatus, DeviceStatusEndpoints,
    RuntimeHealth,
};

/// A status document: what Kubernetes holds, and the health of the parts.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored<S> {
    api_version: String,
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    pub status: S,
    /// By endpoint, or by path of the element: `events/GROUP/NAME`, `streams/NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub health: BTreeMap<String, RuntimeHealth>,
}

/// Statuses of devices and assets have a part for the whole.
pub(super) trait Status: Default + Serialize + DeserializeOwned + Send {
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
            status: S::default(),
            health: BTreeMap::new(),
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
        let mark = self.status.config().take_if(|_| marked);
        let mark = mark.and_then(|config| config.error);
        change(&mut self.status);
        let config = self.status.config();
        if mark.is_some() && config.as_ref().is_none_or(|config| config.error.is_none()) {
            config.get_or_insert_default().error = mark;
        }
    }

    /// Notes what is wrong with the manifest, or takes such a note back.
    pub(super) fn mark(&mut self, problem: Option<(&str, &str)>) {
        let config = self.status.config();
        match problem {
            Some((code, message)) => {
                config.get_or_insert_default().error = Some(ConfigError::new(code, message));
            }
            None if self.is_marked() => {
                let config = self.status.config();
                if let Some(status) = config {
                    status.error = None;
                }
                if *config == Some(ConfigStatus::default()) {
                    *config = None;
                }
            }
            None => {}
        }
    }

    /// Whether the error of the whole is one that [`mark`](Self::mark) wrote.
    pub(super) fn is_marked(&mut self) -> bool {
        let error = self
            .status
            .config()
            .as_ref()
            .and_then(|config| config.error.as_ref());
        error
            .and_then(|error| error.code.as_deref())
            .is_some_and(|code| MARKS.contains(&code))
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
