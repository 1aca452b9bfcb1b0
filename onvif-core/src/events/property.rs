//! The state of the properties of one camera, from its notifications.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use super::meaning::{Edge, Meaning};
use super::notification::{Items, Notification, PropertyOperation, SimpleItem};

/// How [`PropertyStates`] keeps its memory small and its states honest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropertyOptions {
    /// Properties remembered at most; 1024.
    pub capacity: usize,
    /// Instances of one topic; 64. A topic with more has an unstable source token, as some firmware
    /// makes up a new one for each event: then all its instances count as one.
    pub instances: usize,
    /// When a state that began is taken as over without word from the camera; never by default.
    /// For cameras that forget to report the end of motion.
    pub auto_clear: Option<Duration>,
}

impl Default for PropertyOptions {
    fn default() -> Self {
        Self {
            capacity: 1024,
            instances: 64,
            auto_clear: None,
        }
    }
}

/// What a notification did to the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PropertyUpdate {
    /// A property that was not known.
    New,
    /// Another value.
    Changed,
    /// The value that was known: nothing new.
    Same,
    /// The property is gone.
    Deleted,
    /// No property, or a property that was not known is gone.
    NotAProperty,
    /// There is no room for it; it is not remembered.
    Full,
}

/// The state of one property.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PropertyState {
    /// The notification that told it last.
    pub last: Notification,
    /// When it got this value, by our clock.
    pub since: SystemTime,
    /// Whether something may have been missed since: true after a gap until the camera tells again.
    pub stale: bool,
}

/// The states of the properties of a camera (ONVIF Core, "Properties"), bounded in number. Pure: feed
/// it the items of an [`EventStream`](super::EventStream).
#[derive(Clone, Debug, Default)]
pub struct PropertyStates {
    options: PropertyOptions,
    states: BTreeMap<Key, PropertyState>,
    /// Topics whose instances cannot be told apart.
    unstable: BTreeSet<String>,
}

/// Bytes of text in one property; larger ones are not remembered.
const MAX_SIZE: usize = 16 << 10;

type Key = (String, Vec<(String, String)>);

impl PropertyStates {
    /// No states yet.
    pub fn new(options: PropertyOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Takes a notification.
    pub fn apply(&mut self, notification: &Notification) -> PropertyUpdate {
        let deleted = match &notification.operation {
            Some(PropertyOperation::Deleted) => true,
            Some(PropertyOperation::Initialized | PropertyOperation::Changed) => false,
            Some(PropertyOperation::Other(_)) | None => return PropertyUpdate::NotAProperty,
        };
        if size(notification) > MAX_SIZE {
            return PropertyUpdate::Full;
        }
        let key = self.key(notification);
        if deleted {
            return match self.states.remove(&key) {
                Some(_) => PropertyUpdate::Deleted,
                None => PropertyUpdate::NotAProperty,
            };
        }
        let since = notification.host_time.unwrap_or(notification.received);
        if let Some(known) = self.states.get_mut(&key) {
            let same = known.last.data == notification.data;
            known.stale = false;
            known.since = if same { known.since } else { since };
            known.last = notification.clone();
            return if same {
                PropertyUpdate::Same
            } else {
                PropertyUpdate::Changed
            };
        }
        let key = self.settle(key);
        if self.states.len() >= self.options.capacity && !self.states.contains_key(&key) {
            tracing::debug!(topic = key.0, "too many properties to remember this one");
            return PropertyUpdate::Full;
        }
        let state = PropertyState {
            last: notification.clone(),
            since,
            stale: false,
        };
        match self.states.insert(key, state) {
            None => PropertyUpdate::New,
            Some(old) if old.last.data == notification.data => PropertyUpdate::Same,
            Some(_) => PropertyUpdate::Changed,
        }
    }

    /// Something may have been missed: every state is stale until the camera tells it again.
    pub fn gap(&mut self) {
        for state in self.states.values_mut() {
            state.stale = true;
        }
    }

    /// The camera told all its states after a gap; those it did not tell are gone. They are returned.
    pub fn synchronized(&mut self) -> Vec<PropertyState> {
        let (stale, fresh) = std::mem::take(&mut self.states)
            .into_iter()
            .partition(|(_, state)| state.stale);
        self.states = fresh;
        BTreeMap::into_values(stale).collect()
    }

    /// Ends the states that began longer ago than
    /// [`auto_clear`](PropertyOptions::auto_clear) and have not been told again since. Each comes back
    /// as the notification that the camera owes, with its value turned.
    pub fn clear_overdue(&mut self, now: SystemTime) -> Vec<Notification> {
        let Some(limit) = self.options.auto_clear else {
            return Vec::new();
        };
        let mut cleared = Vec::new();
        for state in self.states.values_mut() {
            let told = state.last.received;
            let overdue = now.duration_since(told).is_ok_and(|age| age >= limit);
            if !overdue || Meaning::of(&state.last).is_none_or(|m| m.edge != Edge::Active) {
                continue;
            }
            turn(&mut state.last.data);
            state.last.operation = Some(PropertyOperation::Changed);
            state.last.device_time = None;
            state.last.host_time = None;
            state.last.received = now;
            state.since = now;
            cleared.push(state.last.clone());
        }
        cleared
    }

    /// All states, by topic.
    pub fn iter(&self) -> impl Iterator<Item = &PropertyState> {
        self.states.values()
    }

    /// How many properties are known.
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether no property is known.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    fn key(&self, notification: &Notification) -> Key {
        let topic = notification.topic.clone();
        if self.unstable.contains(&topic) {
            return (topic, Vec::new());
        }
        let items =
            |items: &Items| -> Vec<(String, String)> { items.simple.iter().map(pair).collect() };
        let mut instance = items(&notification.source);
        instance.extend(items(&notification.key));
        (topic, instance)
    }

    /// The key under which a new property is kept, once its topic is known to be stable or not.
    fn settle(&mut self, key: Key) -> Key {
        let of_topic = |states: &BTreeMap<Key, PropertyState>| -> Vec<Key> {
            states
                .range((key.0.clone(), Vec::new())..)
                .take_while(|((topic, _), _)| *topic == key.0)
                .map(|(key, _)| key.clone())
                .collect()
        };
        let known = of_topic(&self.states);
        if known.len() < self.options.instances || key.1.is_empty() {
            return key;
        }
        tracing::warn!(
            topic = key.0,
            instances = known.len(),
            "the camera makes up ever new sources for this topic; they count as one from now on"
        );
        for key in known {
            self.states.remove(&key);
        }
        if self.unstable.len() >= self.options.capacity {
            self.unstable.clear();
        }
        self.unstable.insert(key.0.clone());
        (key.0, Vec::new())
    }
}

fn size(notification: &Notification) -> usize {
    let lists = [&notification.source, &notification.key, &notification.data];
    let of_items = lists.into_iter().map(|items| {
        let simple = items
            .simple
            .iter()
            .map(|item| item.name.len() + item.value.len());
        let elements = items
            .elements
            .iter()
            .map(|item| item.name.len() + item.xml.len());
        simple.sum::<usize>() + elements.sum::<usize>()
    });
    notification.topic.len() + of_items.sum::<usize>()
}

fn pair(item: &SimpleItem) -> (String, String) {
    (item.name.clone(), item.value.clone())
}

/// Turns the values that say "active".
fn turn(data: &mut Items) {
    for item in &mut data.simple {
        let turned = match item.value.to_ascii_lowercase().as_str() {
            "true" => "false",
            "1" => "0",
            "active" => "inactive",
            "on" => "off",
            _ => continue,
        };
        item.value = turned.to_owned();
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn motion(source: &str, value: &str, at: u64) -> Notification {
        let item = |name: &str, value: &str| Items {
            simple: vec![SimpleItem {
                name: name.to_owned(),
                value: value.to_owned(),
            }],
            elements: Vec::new(),
        };
        let mut notification = Notification::new("tns1:VideoSource/MotionAlarm");
        notification.operation = Some(PropertyOperation::Changed);
        notification.source = item("Source", source);
        notification.data = item("State", value);
        notification.received = UNIX_EPOCH + Duration::from_secs(at);
        notification
    }

    #[test]
    fn a_value_that_is_told_again_is_nothing_new() {
        let mut states = PropertyStates::default();
        assert_eq!(states.apply(&motion("a", "true", 1)), PropertyUpdate::New);
        assert_eq!(states.apply(&motion("a", "true", 2)), PropertyUpdate::Same);
        assert_eq!(states.apply(&motion("b", "true", 3)), PropertyUpdate::New);
        assert_eq!(
            states.apply(&motion("a", "false", 4)),
            PropertyUpdate::Changed
        );
        let since: Vec<_> = states.iter().map(|state| state.since).collect();
        assert_eq!(since, [4, 3].map(|at| UNIX_EPOCH + Duration::from_secs(at)));
        let mut deleted = motion("a", "false", 5);
        deleted.operation = Some(PropertyOperation::Deleted);
        assert_eq!(states.apply(&deleted), PropertyUpdate::Deleted);
        assert_eq!(states.apply(&deleted), PropertyUpdate::NotAProperty);
        deleted.operation = None;
        assert_eq!(states.apply(&deleted), PropertyUpdate::NotAProperty);
        assert_eq!(states.len(), 1);
    }

    #[test]
    fn states_are_stale_after_a_gap_until_the_camera_tells_them_again() {
        let mut states = PropertyStates::default();
        states.apply(&motion("a", "true", 1));
        states.apply(&motion("b", "true", 1));
        states.gap();
        assert!(states.iter().all(|state| state.stale));
        assert_eq!(
            states.apply(&motion("a", "false", 2)),
            PropertyUpdate::Changed
        );
        let gone = states.synchronized();
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].last.source.get("Source"), Some("b"));
        assert_eq!(states.iter().filter(|state| !state.stale).count(), 1);
    }

    #[test]
    fn ever_new_sources_count_as_one_property() {
        let options = PropertyOptions {
            instances: 8,
            ..PropertyOptions::default()
        };
        let mut states = PropertyStates::new(options);
        for number in 0..8 {
            let update = states.apply(&motion(&number.to_string(), "true", number));
            assert_eq!(update, PropertyUpdate::New);
        }
        for number in 8..5_000 {
            states.apply(&motion(&number.to_string(), "true", number));
            assert_eq!(states.len(), 1);
        }
        assert_eq!(
            states.apply(&motion("x", "false", 1)),
            PropertyUpdate::Changed
        );
    }

    #[test]
    fn there_is_a_limit_to_what_is_remembered() {
        let options = PropertyOptions {
            capacity: 2,
            ..PropertyOptions::default()
        };
        let mut states = PropertyStates::new(options);
        for (number, expected) in [
            (1, PropertyUpdate::New),
            (2, PropertyUpdate::New),
            (3, PropertyUpdate::Full),
        ] {
            let mut notification = motion("a", "true", 1);
            notification.topic = format!("tns1:T{number}");
            assert_eq!(states.apply(&notification), expected);
        }
        assert_eq!(states.len(), 2);
        let huge = motion("a", &"x".repeat(MAX_SIZE), 1);
        assert_eq!(PropertyStates::default().apply(&huge), PropertyUpdate::Full);
    }

    #[test]
    fn motion_that_never_ends_is_cleared_when_asked_to() {
        let options = PropertyOptions {
            auto_clear: Some(Duration::from_secs(60)),
            ..PropertyOptions::default()
        };
        let mut states = PropertyStates::new(options);
        states.apply(&motion("a", "true", 100));
        states.apply(&motion("b", "false", 100));
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(states.clear_overdue(at(159)).is_empty());
        let cleared = states.clear_overdue(at(160));
        assert_eq!(cleared.len(), 1);
        assert_eq!(cleared[0].data.get("State"), Some("false"));
        assert!(states.clear_overdue(at(400)).is_empty());
        assert_eq!(
            states.apply(&motion("a", "true", 500)),
            PropertyUpdate::Changed
        );
    }
}
