//! Events: which ones an asset wants, and the JSON they are published as.

use std::collections::BTreeMap;
use std::time::SystemTime;

use connector_sdk::{Error, EventSpec};
use onvif_core::events::{EventProperties, Notification, PropertyOperation, SimpleItem};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The topics an event wants: those of its data source, or of its filter, or all.
///
/// Compared level by level without prefixes, which cameras choose as they like; `//.` at the end means the topic and all
/// below it, `|` separates alternatives (ONVIF Core, 9.6.3).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TopicFilter(Vec<Alternative>);

#[derive(Clone, Debug, PartialEq)]
struct Alternative {
    levels: Vec<String>,
    below: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Settings {
    #[serde(default)]
    filter: Option<String>,
}

impl TopicFilter {
    pub(crate) fn of(event: &EventSpec) -> Result<Self, Error> {
        let Settings { filter } = event.configuration()?;
        let given = |text: &Option<String>| {
            text.as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let Some(expression) = given(&event.event.data_source).or_else(|| given(&filter)) else {
            return Ok(Self(Vec::new()));
        };
        expression
            .split('|')
            .map(|alternative| Alternative::parse(alternative.trim()))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| {
                Error::configuration(format!(
                    "dataSource: {expression:?} is no topic expression such as tns1:RuleEngine/CellMotionDetector/Motion"
                ))
            })
    }

    pub(crate) fn matches(&self, topic: &str) -> bool {
        let levels = levels(topic);
        self.0.is_empty()
            || self.0.iter().any(|wanted| {
                if wanted.below {
                    levels.starts_with(&wanted.levels)
                } else {
                    levels == wanted.levels
                }
            })
    }
}

impl Alternative {
    fn parse(text: &str) -> Option<Self> {
        let (path, below) = match text.strip_suffix("//.") {
            Some(path) => (path, true),
            None => (text, false),
        };
        let levels = levels(path);
        let valid = !levels.is_empty()
            && levels
                .iter()
                .all(|level| !level.is_empty() && !level.contains(['*', ' ']));
        valid.then_some(Self { levels, below })
    }
}

/// The levels of a topic without their prefixes. Some cameras end it with `/.` or `//.`.
fn levels(topic: &str) -> Vec<String> {
    topic
        .trim()
        .trim_end_matches(['/', '.'])
        .split('/')
        .map(|level| {
            level
                .rsplit_once(':')
                .map_or(level, |(_, local)| local)
                .to_owned()
        })
        .collect()
}

/// The types of data items, by topic and name, as the camera describes its messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct DataTypes(BTreeMap<(Vec<String>, String), String>);

impl DataTypes {
    pub(crate) fn of(properties: &EventProperties) -> Self {
        let mut types = BTreeMap::new();
        for topic in &properties.topic_set.topics {
            for item in &topic.data {
                let Some(given) = &item.value_type else {
                    continue;
                };
                let local = given
                    .rsplit_once(':')
                    .map_or(given.as_str(), |(_, local)| local);
                types.insert((levels(&topic.path), item.name.clone()), local.to_owned());
            }
        }
        Self(types)
    }

    /// The value as JSON: by the type the camera gave; without one, `true` and `false` are booleans and all else is text.
    fn value(&self, topic: &[String], item: &SimpleItem) -> Value {
        let text = item.value.trim();
        let key = (topic.to_vec(), item.name.clone());
        let typed = match self.0.get(&key).map(String::as_str) {
            Some("boolean") => boolean(text),
            Some(
                "int" | "integer" | "long" | "short" | "unsignedInt" | "nonNegativeInteger"
                | "positiveInteger",
            ) => text.parse::<i64>().ok().map(Value::from),
            Some("float" | "double" | "decimal") => text
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .map(Value::from),
            Some(_) => None,
            None => text.parse::<bool>().ok().map(Value::from),
        };
        typed.unwrap_or_else(|| Value::from(item.value.clone()))
    }
}

/// `xs:boolean`.
fn boolean(text: &str) -> Option<Value> {
    match text {
        "true" | "1" => Some(true.into()),
        "false" | "0" => Some(false.into()),
        _ => None,
    }
}

/// The JSON form of ONVIF's own MQTT messages (ONVIF Core, JSON event payload) with the topic added:
/// `{"Topic":…,"UtcTime":…,"Operation":"Changed","Source":{…},"Key":{…},"Data":{…}}`.
pub(crate) fn json(notification: &Notification, types: &DataTypes) -> Value {
    let topic = levels(&notification.topic);
    let text = |items: &[SimpleItem]| -> Map<String, Value> {
        items
            .iter()
            .map(|item| (item.name.clone(), item.value.clone().into()))
            .collect()
    };
    let data: Map<String, Value> = notification
        .data
        .simple
        .iter()
        .map(|item| (item.name.clone(), types.value(&topic, item)))
        .collect();
    let mut event = Map::new();
    event.insert("Topic".to_owned(), notification.topic.clone().into());
    if let Some(time) = notification.device_time.and_then(rfc3339) {
        event.insert("UtcTime".to_owned(), time.into());
    }
    if let Some(operation) = operation(notification) {
        event.insert("Operation".to_owned(), operation.into());
    }
    event.insert(
        "Source".to_owned(),
        text(&notification.source.simple).into(),
    );
    event.insert("Key".to_owned(), text(&notification.key.simple).into());
    event.insert("Data".to_owned(), data.into());
    event.into()
}

fn operation(notification: &Notification) -> Option<String> {
    match &notification.operation {
        Some(PropertyOperation::Other(_)) | None => None,
        Some(operation) => Some(operation.to_string()),
    }
}

pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    jiff::Timestamp::try_from(time)
        .ok()
        .map(|time| time.to_string())
}
