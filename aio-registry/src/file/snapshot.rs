//! All manifests of a folder taken together. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::manifest::{FileContent, Identity, Kind, Lines, Problem, Spec, UNKNOWN_FIELD};
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
    /// Where each says what it says in its file.
    lines: BTreeMap<Identity, Lines>,
    /// The lines of the fields that name secrets, by device and field.
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
            let specs = content.specs.iter().zip(&content.lines);
            for (((identity, spec), lines), digest) in specs.zip(&content.digests) {
                count += 1;
                let line = lines.name;
                if count > max_manifests {
                    let message = format!(
                        "line {line}: metadata.name: {} is left out; there are more than {max_manifests} manifests",
                        identity.1
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
                    snapshot.lines.insert(identity.clone(), *lines);
                    if identity.0 == Kind::Device {
                        let from = (identity.1.clone(), String::new());
                        let of_device = content.secret_lines.range(from..);
                        let of_device = of_device.take_while(|((name, _), _)| *name == identity.1);
                        let of_device = of_device.map(|(key, line)| (key.clone(), *line));
                        snapshot.secret_lines.extend(of_device);
                    }
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
            let identity = (Kind::Asset, name.clone());
            let lines = self.lines.get(&identity);
            let (code, line, message) = match self.contents.devices.get(&reference.device_name) {
                None => (
                    "DeviceNotFound",
                    lines.map(|lines| lines.device),
                    format!(
                        "spec.deviceRef.deviceName: there is no device {:?}",
                        reference.device_name
                    ),
                ),
                Some(device) if device.inbound(&reference.endpoint_name).is_none() => (
                    "EndpointNotFound",
                    lines.map(|lines| lines.endpoint),
                    format!(
                        "spec.deviceRef.endpointName: device {:?} has no inbound endpoint {:?}",
                        reference.device_name, reference.endpoint_name
                    ),
                ),
                Some(_) => continue,
            };
            let message = at_line(line, message);
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
        for [device, field, secret] in missing {
            let message = format!(
                "{field}: the secret {secret:?} cannot be read: there is no file secrets/{secret}, or it is too large"
            );
            let line = self.secret_lines.get(&(device.clone(), field));
            let message = at_line(line.copied(), message);
            let identity = (Kind::Device, device);
            let file = self.files.get(&identity).cloned().unwrap_or_default();
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

/// A manifest that is in force from an earlier reading has no lines any more.
fn at_line(line: Option<usize>, message: String) -> String {
    match line {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}
