//! All manifests of a folder taken together. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::manifest::{FileContent, Identity, Kind, Problem, Spec, UNKNOWN_FIELD};
use super::versions::Versions;
use crate::Desired;
use crate::registry::{Contents, SecretDigests};

/// The code of a secret that is missing. The endpoint is served all the same, so that its connector says so too.
const SECRET_NOT_FOUND: &str = "SecretNotFound";

/// What the folder says.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub contents: Arc<Contents>,
    /// Where each was read, for the next snapshot and for deleting.
    pub files: BTreeMap<Identity, String>,
    /// A digest of each as it was read.
    pub digests: BTreeMap<Identity, String>,
    /// The first line of each in its file.
    lines: BTreeMap<Identity, usize>,
    /// The line that names a secret, by file and secret.
    secret_lines: BTreeMap<(String, String), usize>,
    /// What is wrong, by file.
    pub problems: BTreeMap<String, Vec<Problem>>,
    /// A digest of each secret that an endpoint names; none for one that cannot be read.
    pub secrets: SecretDigests,
}

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
            for (secret, line) in &content.secret_lines {
                let key = (file.clone(), secret.clone());
                snapshot.secret_lines.insert(key, *line);
            }
            let specs = content.specs.iter().zip(&content.lines);
            for (((identity, spec), line), digest) in specs.zip(&content.digests) {
                count += 1;
                if count > max_manifests {
                    let message = format!(
                        "line {line}: there are more than {max_manifests} manifests; this one is left out"
                    );
                    problems.push(Problem {
                        identity: Some(identity.clone()),
                        code: "TooManyManifests",
                        message,
                    });
                } else if let Some(first) = snapshot.files.get(identity) {
                    let message = format!(
                        "line {line}: metadata.name: {} {} is in {first} already; that one holds",
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
                    snapshot.lines.insert(identity.clone(), *line);
                    snapshot.digests.insert(identity.clone(), digest.clone());
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
        let contents = Arc::make_mut(&mut self.contents);
        let name = identity.1.clone();
        match spec {
            Spec::Device(device) => contents.devices.insert(name, device).map(drop),
            Spec::Asset(asset) => contents.assets.insert(name, asset).map(drop),
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
                Kind::Device => before
                    .contents
                    .devices
                    .get(&identity.1)
                    .cloned()
                    .map(Spec::Device),
                Kind::Asset => before
                    .contents
                    .assets
                    .get(&identity.1)
                    .cloned()
                    .map(Spec::Asset),
            };
            if let Some(spec) = spec {
                self.insert(identity.clone(), spec, file);
                let digest = before.digests.get_key_value(identity);
                self.digests
                    .extend(digest.map(|(identity, digest)| (identity.clone(), digest.clone())));
            }
        }
    }

    /// Stamps everything with its identifier and version.
    pub(super) fn stamp(&mut self, versions: &Versions) {
        let contents = Arc::make_mut(&mut self.contents);
        for identity @ (kind, name) in self.files.keys() {
            let Some(stamp) = versions.stamp(identity) else {
                continue;
            };
            match kind {
                Kind::Device => {
                    let device = contents.devices.get_mut(name);
                    device.map(|device| stamp.fill(Arc::make_mut(device)))
                }
                Kind::Asset => {
                    let asset = contents.assets.get_mut(name);
                    asset.map(|asset| stamp.fill(Arc::make_mut(asset)))
                }
            };
        }
    }

    fn check_references(&mut self) {
        for (name, asset) in &self.contents.assets {
            let reference = &asset.device_ref;
            let (code, message) = match self.contents.devices.get(&reference.device_name) {
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
            let message = match self.lines.get(&identity) {
                Some(line) => format!("line {line}: {message}"),
                None => message,
            };
            let file = self.files.get(&identity).cloned().unwrap_or_default();
            self.problems.entry(file).or_default().push(Problem {
                identity: Some(identity),
                code,
                message,
            });
        }
    }

    /// Notes which secrets there are, and which are missing.
    pub(super) fn set_secrets(&mut self, secrets: SecretDigests) {
        let missing = self.contents.missing_secrets(&secrets);
        for (device, endpoint, secret) in missing {
            let identity = (Kind::Device, device);
            let file = self.files.get(&identity).cloned().unwrap_or_default();
            let message = format!(
                "spec.endpoints.inbound.{endpoint}.authentication: the secret {secret:?} cannot be read: there is no file secrets/{secret}, or it is too large"
            );
            let message = match self.secret_lines.get(&(file.clone(), secret)) {
                Some(line) => format!("line {line}: {message}"),
                None => message,
            };
            self.problems.entry(file).or_default().push(Problem {
                identity: Some(identity),
                code: SECRET_NOT_FOUND,
                message,
            });
        }
        self.secrets = secrets;
    }

    /// What a connector of one type is to serve.
    pub(super) fn desired(&self, namespace: &str, endpoint_type: &str) -> Desired {
        self.contents
            .desired(namespace, endpoint_type, &self.secrets)
    }

    /// The first problem of everyone who has one.
    pub(super) fn problems_by_identity(&self) -> BTreeMap<Identity, (&'static str, String)> {
        let mut found = BTreeMap::new();
        for (file, problems) in &self.problems {
            for problem in problems {
                if let Some(identity) = &problem.identity
                    && ![UNKNOWN_FIELD, SECRET_NOT_FOUND].contains(&problem.code)
                {
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
