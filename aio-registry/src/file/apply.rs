use std::collections::BTreeSet;

use super::FileRegistry;
use super::manifest::{self, Kind, Spec};
use crate::Error;
use crate::stamp::is_same;

/// What became of a manifest that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// `Device` or `Asset`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
}

/// What a manifest does when it is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// There was none of that name.
    Created,
    /// It takes the place of another specification.
    Changed,
    /// It is as it was.
    Unchanged,
}

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestProblem {
    /// The file.
    pub file: String,
    /// A word for programs, such as `ManifestInvalid` or `DeviceNotFound`.
    pub code: &'static str,
    /// Line, field and reason.
    pub message: String,
}

impl FileRegistry {
    /// Takes manifests over from a text: one or more YAML documents, or a JSON document when the file is named so. All of
    /// them, or none: what is wrong with any of them is the error. With `dry_run` nothing is written.
    ///
    /// # Errors
    /// [`Error::Invalid`] names every problem with line and field, or a manifest that stands in a file edited by hand;
    /// [`Error::Storage`].
    pub async fn apply(
        &self,
        file: &str,
        text: &str,
        dry_run: bool,
    ) -> Result<Vec<Applied>, Error> {
        let options = &self.shared.options;
        let content = manifest::parse(text, file.ends_with(".json"), &options.namespace);
        let problems = content.problems.into_iter();
        let problems = problems.filter(|found| found.code != manifest::UNKNOWN_FIELD);
        let mut problems: Vec<_> = problems.map(|found| found.message).collect();
        let mut seen = BTreeSet::new();
        for (((kind, name), _), lines) in content.specs.iter().zip(&content.lines) {
            if !seen.insert((kind, name)) {
                let (line, kind) = (lines.name, kind.as_str());
                problems.push(format!(
                    "line {line}: metadata.name: {kind} {name:?} is in it twice"
                ));
            }
        }
        if !problems.is_empty() {
            return Err(Error::Invalid {
                what: file.to_owned(),
                reason: problems.join("; "),
            });
        }
        let mut applied = Vec::new();
        for (identity, spec) in content.specs {
            let snapshot = self.shared.snapshot.borrow().clone();
            let (kind, name) = &identity;
            let known = match (kind, &spec) {
                (Kind::Device, Spec::Device(new)) => {
                    let known = snapshot.contents.devices.get(name);
                    known.map(|known| is_same(&**known, &**new))
                }
                (_, Spec::Asset(new)) => {
                    let known = snapshot.contents.assets.get(name);
                    known.map(|known| is_same(&**known, &**new))
                }
                _ => None,
            };
            let change = match known {
                None => Change::Created,
                Some(false) => Change::Changed,
                Some(true) => Change::Unchanged,
            };
            if !dry_run && change != Change::Unchanged {
                match spec {
                    Spec::Device(spec) => self.put_device(name, &spec).await?,
                    Spec::Asset(spec) => self.put_asset(name, &spec).await?,
                }
            }
            applied.push(Applied {
                kind: kind.as_str(),
                name: identity.1,
                change,
            });
        }
        Ok(applied)
    }

    /// What is wrong with the manifests, in the order of their files.
    pub fn problems(&self) -> Vec<ManifestProblem> {
        let snapshot = self.shared.snapshot.borrow().clone();
        let problems = snapshot.problems.iter().flat_map(|(file, problems)| {
            problems.iter().map(|problem| ManifestProblem {
                file: file.clone(),
                code: problem.code,
                message: problem.message.clone(),
            })
        });
        problems.collect()
    }
}
