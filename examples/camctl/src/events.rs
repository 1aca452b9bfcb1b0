//! `events`: what the camera reports, as it reports it, and what it could report.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use futures::StreamExt;
use onvif_core::Camera;
use onvif_core::events::{
    EventItem, EventStream, Filter, ItemDescription, Items, Notification, Topic,
};
use onvif_core::xml::date::format_date_time;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::failure::Report;
use crate::interrupt::interrupted;
use crate::output::{Output, Plain, table};
use crate::seconds;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct EventsArgs {
    #[command(subcommand)]
    verb: Option<EventsVerb>,

    #[command(flatten)]
    tail: TailArgs,
}

#[derive(Subcommand)]
enum EventsVerb {
    /// Show events as they come, until Ctrl-C. This is the default.
    Tail(TailArgs),
    /// The topics that the camera knows, with their items.
    Properties,
    /// The JSON Schema of the events of a topic, or of all topics, one a line.
    Schema {
        /// The topic, such as tns1:VideoSource/MotionAlarm.
        topic: Option<String>,
    },
}

#[derive(Args)]
struct TailArgs {
    /// Only this topic, such as tns1:VideoSource/MotionAlarm; may be given several times. `//.` at the end includes
    /// what is below it.
    #[arg(long = "topic", value_name = "TOPIC")]
    topics: Vec<String>,

    /// End after so many notifications.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End after so long.
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds::parse)]
    duration: Option<Duration>,
}

pub async fn run(args: &EventsArgs, camera: &Camera, output: Output) -> Result<()> {
    match &args.verb {
        None => follow(&args.tail, camera, output).await,
        Some(EventsVerb::Tail(args)) => follow(args, camera, output).await,
        Some(EventsVerb::Properties) => {
            let properties = camera.events().properties().await?;
            let topics = properties.topic_set.topics;
            output.print(&Topics {
                topics: topics.into_iter().map(TopicInfo::from).collect(),
            })
        }
        Some(EventsVerb::Schema { topic }) => schema(topic.as_deref(), camera).await,
    }
}

/// A schema is JSON with and without `--json`.
async fn schema(topic: Option<&str>, camera: &Camera) -> Result<()> {
    let properties = camera.events().properties().await?;
    let topics = properties.topic_set.topics;
    let wanted = topics
        .iter()
        .filter(|known| topic.is_none_or(|topic| topic == known.path));
    let mut found = false;
    for topic in wanted {
        found = true;
        crate::output::line(&topic.json_schema())?;
    }
    match topic {
        Some(topic) if !found => {
            bail!("the camera has no topic {topic}; `camctl events properties` shows them")
        }
        _ => Ok(()),
    }
}

async fn follow(args: &TailArgs, camera: &Camera, output: Output) -> Result<()> {
    // From here on Ctrl-C must not end the process before the subscription has ended.
    let interrupted = interrupted().context("cannot catch Ctrl-C")?;
    let filter = args.topics.iter().fold(Filter::all(), Filter::or_topic);
    let mut events = camera.events().subscribe(filter);
    let ended = tokio::select! {
        ended = tail(&mut events, args.count, output) => ended,
        () = interrupted => Ok(()),
        () = passed(args.duration) => Ok(()),
    };
    events.end().await;
    ended
}

/// Writes what comes until there were `count` notifications.
async fn tail(events: &mut EventStream, count: Option<u64>, output: Output) -> Result<()> {
    let mut left = count;
    while left != Some(0) {
        match events.next().await {
            None => break,
            Some(Ok(item)) => {
                if matches!(item, EventItem::Notification(_)) {
                    left = left.map(|left| left - 1);
                }
                if let Some(item) = Item::of(item) {
                    output.print(&item)?;
                }
            }
            // The stream tries again when it is polled again.
            Some(Err(error)) if error.is_transient() => eprint!("{}", Report(&error.into())),
            Some(Err(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn passed(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}

#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum Item {
    Notification {
        topic: String,
        operation: Option<String>,
        source: Named,
        key: Named,
        data: Named,
        device_time: Option<String>,
        received: String,
    },
    Gap {
        since: Option<String>,
    },
}

impl Item {
    /// `None` for a kind of item that a later version of the library may have.
    fn of(item: EventItem) -> Option<Self> {
        match item {
            EventItem::Notification(notification) => Some(Self::from(notification)),
            EventItem::Gap { since } => Some(Self::Gap {
                since: since.map(format_date_time),
            }),
            _ => None,
        }
    }
}

impl From<Notification> for Item {
    fn from(notification: Notification) -> Self {
        Self::Notification {
            topic: notification.topic,
            operation: notification
                .operation
                .map(|operation| operation.as_str().to_owned()),
            source: Named::from(notification.source),
            key: Named::from(notification.key),
            data: Named::from(notification.data),
            device_time: notification.device_time.map(format_date_time),
            received: format_date_time(notification.received),
        }
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notification {
                topic,
                operation,
                source,
                key,
                data,
                device_time,
                received,
            } => {
                let time = device_time.as_ref().unwrap_or(received);
                let operation = operation.as_deref().unwrap_or("-");
                write!(f, "{time}  {}  {}", Plain(topic), Plain(operation))?;
                [source, key, data]
                    .into_iter()
                    .try_for_each(|items| items.fmt(f))
            }
            Self::Gap { since: Some(since) } => {
                write!(
                    f,
                    "-- the subscription was made anew: events since {since} may be missing"
                )
            }
            Self::Gap { since: None } => {
                f.write_str("-- the subscription was made anew: events may be missing")
            }
        }
    }
}

/// Items by name. A name that comes again gets a number, so that nothing is lost: `A`, `A#2`.
#[derive(Debug, PartialEq)]
struct Named(Vec<(String, String)>);

impl From<Items> for Named {
    fn from(items: Items) -> Self {
        let simple = items.simple.into_iter().map(|item| (item.name, item.value));
        let elements = items.elements.into_iter().map(|item| (item.name, item.xml));
        let mut named: Vec<(String, String)> = Vec::new();
        let mut seen = std::collections::HashMap::<String, usize>::new();
        for (name, value) in simple.chain(elements) {
            let times = seen.entry(name.clone()).or_default();
            *times += 1;
            let name = if *times == 1 {
                name
            } else {
                format!("{name}#{times}")
            };
            named.push((name, value));
        }
        Self(named)
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Display for Named {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(name, value)| write!(f, "  {}={}", Plain(name), Plain(value)))
    }
}

#[derive(Serialize)]
struct Topics {
    topics: Vec<TopicInfo>,
}

#[derive(Serialize)]
struct TopicInfo {
    topic: String,
    property: bool,
    source: Vec<ItemInfo>,
    key: Vec<ItemInfo>,
    data: Vec<ItemInfo>,
}

#[derive(Serialize)]
struct ItemInfo {
    name: String,
    #[serde(rename = "type")]
    value_type: Option<String>,
}

impl From<Topic> for TopicInfo {
    fn from(topic: Topic) -> Self {
        let items = |items: Vec<ItemDescription>| {
            let items = items.into_iter().map(|item| ItemInfo {
                name: item.name,
                value_type: item.value_type,
            });
            items.collect()
        };
        Self {
            topic: topic.path,
            property: topic.is_property == Some(true),
            source: items(topic.source),
            key: items(topic.key),
            data: items(topic.data),
        }
    }
}

impl Display for Topics {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.topics.is_empty() {
            return f.write_str("the camera names no topics");
        }
        let mut rows = vec![["TOPIC", "PROPERTY", "ITEMS"].map(str::to_owned).to_vec()];
        rows.extend(self.topics.iter().map(|topic| {
            let items = topic.source.iter().chain(&topic.key).chain(&topic.data);
            let items = items.map(|item| match &item.value_type {
                Some(value_type) => format!("{}: {value_type}", item.name),
                None => item.name.clone(),
            });
            let items = items.collect::<Vec<_>>().join(", ");
            let property = if topic.property { "yes" } else { "no" };
            vec![
                Plain(&topic.topic).to_string(),
                property.to_owned(),
                Plain(&items).to_string(),
            ]
        }));
        f.write_str(&table(&rows))
    }
}

#[cfg(test)]
mod tests {
    use onvif_core::events::SimpleItem;

    use super::*;

    #[test]
    fn an_item_whose_name_comes_again_is_not_lost() {
        let item = |name: &str, value: &str| SimpleItem {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let items = Items {
            simple: vec![item("A", "1"), item("B", "2"), item("A", "3")],
            elements: Vec::new(),
        };
        let json = serde_json::to_string(&Named::from(items)).unwrap();
        assert_eq!(json, r#"{"A":"1","B":"2","A#2":"3"}"#);
    }
}
