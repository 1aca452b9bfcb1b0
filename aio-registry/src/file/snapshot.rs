//! All manifests of a folder taken together. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::manifest::{FileContent, Identity, Kind, Problem, Spec};
use crate::model::{Asset, Device, InboundEndpoint};
use crate::{Desired, DesiredEndpoint, EndpointRef, NamedAsset};

/// What the folder says.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub devices: BTreeMap<String, Arc<Device>>,
    pub assets: BTreeMap<String, Arc<Asset>>,
    /// Where each was read, for the next snapshot and for deleting.
    pub files: BTreeMap<Identity, String>,
    /// What is wrong, by file.
    pub problems: BTreeMap<String, Vec<Problem>>,
    /// A digest of each secret that an endpoint names; none for one that cannot be read.
    pub secrets: SecretDigests,
}

pub(super) type SecretDigests = BTreeMap<String, Option<u64>>;

impl Snapshot {
    /// Takes the files together, in order of their names. What is bad now but was good in `before`, in the same file, stays
    /// as it was: a file that is half written must not take cameras out of service.
    pub(super) fn of(
        files: &BTreeMap<String, FileContent>,
        before: &Self,
        max_manifests: usize,
    ) -> Self {
        let mut snapshot = Self::default();
        let mut count = 0;
        for (file, content) in files {
            let mut problems = content.problems.clone();
            for (identity, spec) in &content.specs {
                count += 1;
                if count > max_manifests {
                    let message = format!(
                        "there are more than {max_manifests} manifests; this one is left out"
                    );
                    problems.push(Problem {
                        identity: Some(identity.clone()),
                        code: "TooManyManifests",
                        message,
                    });
                } else if let Some(first) = snapshot.files.get(identity) {
                    let message = format!(
                        "{} {} is in {first} already; that one holds",
                        identity.0.as_str(),
                        identity.1
                    );
                    problems.push(Problem {
                        identity: None,
                        code: "DuplicateName",
                        message,
                    });
                } else {
                    snapshot.insert(identity.clone(), spec.clone(), file);
                }
            }
            if !problems.is_empty() {
                snapshot.problems.insert(file.clone(), problems);
            }
        }
        snapshot.keep_last_good(before);
        snapshot.check_references();
        snapshot
    }

    fn insert(&mut self, identity: Identity, spec: Spec, file: &str) {
        match spec {
            Spec::Device(device) => self.devices.insert(identity.1.clone(), device).map(drop),
            Spec::Asset(asset) => self.assets.insert(identity.1.clone(), asset).map(drop),
        };
        self.files.insert(identity, file.to_owned());
    }

    fn keep_last_good(&mut self, before: &Self) {
        for (identity, file) in &before.files {
            let Some(problems) = self.problems.get(file) else {
                continue;
            };
            let hurt = problems.iter().any(|problem| {
                problem
                    .identity
                    .as_ref()
                    .is_none_or(|hurt| hurt == identity)
            });
            let left_out = problems
                .iter()
                .any(|problem| problem.code == "TooManyManifests");
            if self.files.contains_key(identity) || !hurt || left_out {
                continue;
            }
            let spec = match identity.0 {
                Kind::Device => before.devices.get(&identity.1).cloned().map(Spec::Device),
                Kind::Asset => before.assets.get(&identity.1).cloned().map(Spec::Asset),
            };
            if let Some(spec) = spec {
                self.insert(identity.clone(), spec, file);
            }
        }
    }

    fn check_references(&mut self) {
        for (name, asset) in &self.assets {
            let reference = &asset.device_ref;
            let (code, message) = match self.devices.get(&reference.device_name) {
                None => (
                    "DeviceNotFound",
                    format!(
                        "spec.deviceRef.deviceName: there is no device {:?}",
                        reference.device_name
                    ),
                ),
                Some(device) if device.inbound(&reference.endpoint_name).is_none() => (
                    "EndpointNotFound",
                    format!(
                        "spec.deviceRef.endpointName: device {:?} has no inbound endpoint {:?}",
                        reference.device_name, reference.endpoint_name
                    ),
                ),
                Some(_) => continue,
            };
            let identity = (Kind::Asset, name.clone());
            let file = self.files.get(&identity).cloned().unwrap_or_default();
            self.problems.entry(file).or_default().push(Problem {
                identity: Some(identity),
                code,
                message,
            });
        }
    }

    /// The names of the secrets that endpoints refer to.
    pub(super) fn secret_names(&self) -> BTreeSet<&str> {
        let endpoints = self.devices.values().flat_map(|device| &device.endpoints);
        endpoints
            .flat_map(|endpoints| endpoints.inbound.values())
            .flat_map(secret_names)
            .collect()
    }

    fn secrets_version(&self, endpoint: &InboundEndpoint) -> u64 {
        let mut hasher = DefaultHasher::new();
        for name in secret_names(endpoint) {
            self.secrets.get(name).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// What a connector of one type is to serve.
    pub(super) fn desired(&self, namespace: &str, endpoint_type: &str) -> Desired {
        let mut assets = BTreeMap::<(&str, &str), Vec<Arc<NamedAsset>>>::new();
        for (name, asset) in self.assets.iter().filter(|(_, asset)| asset.is_enabled()) {
            let key = (
                asset.device_ref.device_name.as_str(),
                asset.device_ref.endpoint_name.as_str(),
            );
            assets.entry(key).or_default().push(Arc::new(NamedAsset {
                name: name.clone(),
                asset: asset.clone(),
            }));
        }
        let mut endpoints = Vec::new();
        for (device_name, device) in self
            .devices
            .iter()
            .filter(|(_, device)| device.is_enabled())
        {
            let inbound = device
                .endpoints
                .iter()
                .flat_map(|endpoints| &endpoints.inbound);
            for (name, spec) in
                inbound.filter(|(_, spec)| spec.endpoint_type.eq_ignore_ascii_case(endpoint_type))
            {
                endpoints.push(Arc::new(DesiredEndpoint {
                    endpoint: EndpointRef::new(device_name, name),
                    device: device.clone(),
                    spec: Arc::new(spec.clone()),
                    secrets_version: self.secrets_version(spec),
                    assets: assets
                        .remove(&(device_name.as_str(), name.as_str()))
                        .unwrap_or_default(),
                }));
            }
        }
        Desired {
            namespace: namespace.to_owned(),
            endpoints,
        }
    }

    /// The first problem of everyone who has one.
    pub(super) fn problems_by_identity(&self) -> BTreeMap<Identity, (&'static str, String)> {
        let mut found = BTreeMap::new();
        for (file, problems) in &self.problems {
            for problem in problems {
                if let Some(identity) = &problem.identity {
                    found
                        .entry(identity.clone())
                        .or_insert_with(|| (problem.code, format!("{file}: {}", problem.message)));
                }
            }
        }
        found
    }

    /// Everyone a manifest speaks of, good or bad.
    pub(super) fn identities(&self) -> BTreeSet<Identity> {
        let bad = self
            .problems
            .values()
            .flatten()
            .filter_map(|problem| problem.identity.clone());
        self.files.keys().cloned().chain(bad).collect()
    }
}

fn secret_names(endpoint: &InboundEndpoint) -> impl Iterator<Item = &str> {
    endpoint
        .authentication
        .iter()
        .flat_map(|authentication| authentication.secret_names())
}
