//! What is reported of health, and when again. Pure.

use std::collections::BTreeMap;

use crate::model::{Component, Health, RuntimeHealth};
use crate::{Contents, EndpointRef};

/// Whose health it is: an endpoint's, or that of an element of an asset on it.
type Subject = (EndpointRef, Option<(String, Component)>);

/// The last report of everyone.
#[derive(Debug, Default)]
pub(super) struct HealthReports(BTreeMap<Subject, Last>);

#[derive(Debug)]
struct Last {
    health: RuntimeHealth,
    /// Whether it reached the broker.
    sent: bool,
    /// Whether its specification has changed since: it is not known to hold any more.
    paused: bool,
}

impl HealthReports {
    /// Notes a report; says whether it is to be sent now. One of an older version or time is ignored; one of the same state
    /// only refreshes the time of the next regular report.
    pub(super) fn note(
        &mut self,
        endpoint: &EndpointRef,
        health: &Health,
        contents: &Contents,
    ) -> bool {
        let (subject, health) = split(endpoint, health);
        if spec_version(&subject, contents).is_some_and(|version| health.version < version) {
            return false;
        }
        match self.0.get_mut(&subject) {
            Some(last)
                if health.version < last.health.version
                    || health.last_update_time < last.health.last_update_time =>
            {
                false
            }
            Some(last) => {
                let news = last.paused || !last.sent || !same_state(&last.health, health);
                *last = Last {
                    health: health.clone(),
                    sent: last.sent && !news,
                    paused: false,
                };
                news
            }
            None => {
                let last = Last {
                    health: health.clone(),
                    sent: false,
                    paused: false,
                };
                self.0.insert(subject, last);
                true
            }
        }
    }

    /// Notes that a report reached the broker.
    pub(super) fn sent(&mut self, endpoint: &EndpointRef, health: &Health) {
        let (subject, health) = split(endpoint, health);
        if let Some(last) = self.0.get_mut(&subject)
            && same_state(&last.health, health)
        {
            last.sent = true;
        }
    }

    /// Pauses what speaks of an older specification, and forgets what is gone.
    pub(super) fn follow(&mut self, contents: &Contents) {
        self.0.retain(|subject, last| {
            if let Some(version) = spec_version(subject, contents) {
                last.paused |= last.health.version < version;
            }
            let (endpoint, element) = subject;
            contents.devices.contains_key(&endpoint.device)
                && element
                    .as_ref()
                    .is_none_or(|(asset, _)| contents.asset_at(endpoint, asset).is_some())
        });
    }

    /// What is to be reported again.
    pub(super) fn regular(&self) -> Vec<(EndpointRef, Health)> {
        let current = self.0.iter().filter(|(_, last)| !last.paused);
        current
            .map(|((endpoint, element), last)| {
                let health = last.health.clone();
                let health = match element.clone() {
                    None => Health::Endpoint(health),
                    Some((asset, component)) => Health::Asset {
                        asset,
                        component,
                        health,
                    },
                };
                (endpoint.clone(), health)
            })
            .collect()
    }
}

fn split<'a>(endpoint: &EndpointRef, health: &'a Health) -> (Subject, &'a RuntimeHealth) {
    match health {
        Health::Endpoint(health) => ((endpoint.clone(), None), health),
        Health::Asset {
            asset,
            component,
            health,
        } => {
            let element = Some((asset.clone(), component.clone()));
            ((endpoint.clone(), element), health)
        }
    }
}

fn spec_version((endpoint, element): &Subject, contents: &Contents) -> Option<u64> {
    match element {
        None => contents.devices.get(&endpoint.device)?.version,
        Some((asset, _)) => contents.asset_at(endpoint, asset)?.version,
    }
}

fn same_state(one: &RuntimeHealth, other: &RuntimeHealth) -> bool {
    let state = |health: &RuntimeHealth| {
        let RuntimeHealth {
            version,
            status,
            message,
            reason_code,
            ..
        } = health;
        (*version, *status, message.clone(), reason_code.clone())
    };
    state(one) == state(other)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::model::{Device, HealthStatus, OtherFields};

    fn health(version: u64, seconds: u64, status: HealthStatus) -> Health {
        Health::Endpoint(RuntimeHealth {
            version,
            status,
            last_update_time: UNIX_EPOCH + Duration::from_secs(seconds),
            message: None,
            reason_code: None,
            other: OtherFields::default(),
        })
    }

    fn contents(version: u64) -> Contents {
        let device = Device {
            version: Some(version),
            ..Device::default()
        };
        Contents {
            devices: [("cam1".to_owned(), Arc::new(device))].into(),
            ..Contents::default()
        }
    }

    use HealthStatus::{Available, Unavailable};

    #[test]
    fn a_new_state_is_sent_and_the_same_only_refreshes_the_time() {
        let (endpoint, contents) = (EndpointRef::new("cam1", "onvif"), contents(1));
        let mut reports = HealthReports::default();
        assert!(reports.note(&endpoint, &health(1, 1, Available), &contents));
        reports.sent(&endpoint, &health(1, 1, Available));
        assert!(!reports.note(&endpoint, &health(1, 5, Available), &contents));
        assert_eq!(
            reports.regular(),
            [(endpoint.clone(), health(1, 5, Available))]
        );
        assert!(reports.note(&endpoint, &health(1, 6, Unavailable), &contents));
    }

    #[test]
    fn a_report_that_did_not_reach_the_broker_is_sent_when_it_is_made_again() {
        let (endpoint, contents) = (EndpointRef::new("cam1", "onvif"), contents(1));
        let mut reports = HealthReports::default();
        assert!(reports.note(&endpoint, &health(1, 1, Available), &contents));
        assert!(reports.note(&endpoint, &health(1, 2, Available), &contents));
    }

    #[test]
    fn an_older_version_or_time_is_ignored() {
        let (endpoint, contents) = (EndpointRef::new("cam1", "onvif"), contents(2));
        let mut reports = HealthReports::default();
        assert!(!reports.note(&endpoint, &health(1, 9, Available), &contents));
        assert!(reports.note(&endpoint, &health(2, 9, Available), &contents));
        assert!(!reports.note(&endpoint, &health(2, 8, Unavailable), &contents));
        assert_eq!(reports.regular(), [(endpoint, health(2, 9, Available))]);
    }

    #[test]
    fn reports_pause_when_the_specification_changes_until_there_is_one_for_it() {
        let endpoint = EndpointRef::new("cam1", "onvif");
        let mut reports = HealthReports::default();
        reports.note(&endpoint, &health(1, 1, Available), &contents(1));
        reports.follow(&contents(2));
        assert_eq!(reports.regular(), []);
        assert!(reports.note(&endpoint, &health(2, 2, Available), &contents(2)));
        assert_eq!(reports.regular().len(), 1);
        reports.follow(&Contents::default());
        assert_eq!(reports.regular(), []);
    }
}
