//! The stamps of what a folder holds, and of which specification each is. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::manifest::Identity;
use crate::model::time;
use crate::stamp::Stamp;

/// Where they are kept.
pub(super) const PATH: &str = "status/versions.json";

/// By `device/NAME` and `asset/NAME`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Versions(BTreeMap<String, Entry>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    uuid: String,
    version: u64,
    #[serde(with = "time::rfc3339")]
    last_transition_time: SystemTime,
    /// Of the specification as it was read.
    digest: String,
}

impl Versions {
    /// Follows what was read: what is new gets a stamp, what is another gets the next, what is gone loses its own.
    pub(super) fn follow(
        &mut self,
        read: &BTreeMap<Identity, String>,
        known: &BTreeSet<Identity>,
        now: SystemTime,
    ) {
        let known: BTreeSet<_> = known.iter().map(key).collect();
        self.0.retain(|key, _| known.contains(key));
        for (identity, digest) in read {
            let key = key(identity);
            let stamp = match self.0.get(&key) {
                Some(entry) if entry.digest == *digest => continue,
                Some(entry) => entry.stamp().next(now),
                None => Stamp::first(now),
            };
            let entry = Entry {
                uuid: stamp.uuid,
                version: stamp.version,
                last_transition_time: stamp.last_transition_time,
                digest: digest.clone(),
            };
            self.0.insert(key, entry);
        }
    }

    /// Whether they are those of what was read.
    pub(super) fn are_of(
        &self,
        read: &BTreeMap<Identity, String>,
        known: &BTreeSet<Identity>,
    ) -> bool {
        let known: BTreeSet<_> = known.iter().map(key).collect();
        self.0.keys().all(|key| known.contains(key))
            && read.iter().all(|(identity, digest)| {
                let entry = self.0.get(&key(identity));
                entry.is_some_and(|entry| entry.digest == *digest)
            })
    }

    pub(super) fn stamp(&self, identity: &Identity) -> Option<Stamp> {
        self.0.get(&key(identity)).map(Entry::stamp)
    }
}

impl Entry {
    fn stamp(&self) -> Stamp {
        Stamp {
            uuid: self.uuid.clone(),
            version: self.version,
            last_transition_time: self.last_transition_time,
        }
    }
}

fn key((kind, name): &Identity) -> String {
    format!("{}/{name}", kind.folder())
}
