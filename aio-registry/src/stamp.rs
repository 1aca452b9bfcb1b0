//! What a registry itself says of a specification: its identifier, its version, and when it last changed. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};
use serde::Serialize;
use uuid::Uuid;

use crate::model::{Asset, Device};

/// A specification that carries a stamp.
pub(crate) trait Stamped: Clone + PartialEq {
    fn fields(&mut self) -> Fields<'_>;
}

pub(crate) struct Fields<'a> {
    uuid: &'a mut Option<String>,
    version: &'a mut Option<u64>,
    last_transition_time: &'a mut Option<SystemTime>,
}

impl Stamped for Device {
    fn fields(&mut self) -> Fields<'_> {
        Fields {
            uuid: &mut self.uuid,
            version: &mut self.version,
            last_transition_time: &mut self.last_transition_time,
        }
    }
}

impl Stamped for Asset {
    fn fields(&mut self) -> Fields<'_> {
        Fields {
            uuid: &mut self.uuid,
            version: &mut self.version,
            last_transition_time: &mut self.last_transition_time,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stamp {
    pub uuid: String,
    pub version: u64,
    pub last_transition_time: SystemTime,
}

impl Stamp {
    /// Of something new.
    pub(crate) fn first(now: SystemTime) -> Self {
        Self {
            uuid: Uuid::new_v4().to_string(),
            version: 1,
            last_transition_time: whole_seconds(now),
        }
    }

    /// Of the same thing, changed.
    pub(crate) fn next(&self, now: SystemTime) -> Self {
        Self {
            uuid: self.uuid.clone(),
            version: self.version.saturating_add(1),
            last_transition_time: whole_seconds(now),
        }
    }

    /// Fills in what a specification leaves open. What it says itself holds.
    pub(crate) fn fill(&self, spec: &mut impl Stamped) {
        let fields = spec.fields();
        fields.uuid.get_or_insert_with(|| self.uuid.clone());
        fields.version.get_or_insert(self.version);
        let time = self.last_transition_time;
        fields.last_transition_time.get_or_insert(time);
    }
}

/// A specification in the place of a known one, with its stamp.
pub(crate) fn succeed<T: Stamped>(known: Option<&T>, mut spec: T, now: SystemTime) -> T {
    let stamp = match known {
        None => Stamp::first(now),
        Some(known) if is_same(known, &spec) => return known.clone(),
        Some(known) => {
            let first = Stamp::first(now);
            let mut known = known.clone();
            let fields = known.fields();
            let known = Stamp {
                uuid: fields.uuid.take().unwrap_or(first.uuid),
                version: fields.version.unwrap_or_default(),
                ..first
            };
            known.next(now)
        }
    };
    stamp.fill(&mut spec);
    spec
}

/// Whether a specification says nothing that a known one, with its stamp, does not.
pub(crate) fn is_same<T: Stamped>(known: &T, spec: &T) -> bool {
    let (mut known_fields, mut spec) = (known.clone(), spec.clone());
    let (known_fields, fields) = (known_fields.fields(), spec.fields());
    if fields.uuid.is_none() {
        *fields.uuid = known_fields.uuid.take();
    }
    *fields.version = fields.version.or(*known_fields.version);
    let time = fields.last_transition_time;
    *time = time.or(*known_fields.last_transition_time);
    spec == *known
}

/// A digest of a specification that is the same whenever it says the same.
pub(crate) fn digest_of(spec: &impl Serialize) -> String {
    // What was read can be written.
    let text = serde_json::to_vec(spec).unwrap_or_default();
    let digest = digest(&SHA256, &text);
    let digest = digest.as_ref().iter().take(16);
    digest.map(|byte| format!("{byte:02x}")).collect()
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(model: &str) -> Device {
        Device {
            model: Some(model.into()),
            ..Device::default()
        }
    }

    #[test]
    fn a_specification_keeps_its_identifier_and_counts_its_changes() {
        let now = UNIX_EPOCH + Duration::from_millis(1_500);
        let first = succeed(None, device("a"), now);
        assert_eq!(first.version, Some(1));
        assert_eq!(
            first.last_transition_time,
            Some(UNIX_EPOCH + Duration::from_secs(1))
        );
        let same = succeed(Some(&first), device("a"), now + Duration::from_secs(9));
        assert_eq!(same, first);
        let changed = succeed(Some(&first), device("b"), now);
        assert_eq!(changed.version, Some(2));
        assert_eq!(changed.uuid, first.uuid);
        let another = succeed(None, device("a"), now);
        assert_ne!(another.uuid, first.uuid);
    }

    #[test]
    fn what_a_specification_says_of_itself_holds() {
        let given = Device {
            uuid: Some("mine".into()),
            version: Some(7),
            ..device("a")
        };
        let first = succeed(None, given.clone(), UNIX_EPOCH);
        assert_eq!(
            (first.uuid.as_deref(), first.version),
            (Some("mine"), Some(7))
        );
        assert!(is_same(&first, &given));
        let changed = succeed(Some(&first), device("b"), UNIX_EPOCH);
        assert_eq!(
            (changed.uuid.as_deref(), changed.version),
            (Some("mine"), Some(8))
        );
    }
}
