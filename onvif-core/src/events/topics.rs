use serde_json::{Value, json};

use super::filter::Filter;
use crate::xml::{Decode, DecodeError, Element, namespace};

/// Topics of one camera at most, bytes of one path, and namespaces in it: what is beyond is left out.
const MAX_TOPICS: usize = 10_000;
const MAX_PATH: usize = 1024;
const MAX_NAMESPACES: usize = 8;

/// What a camera can report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventProperties {
    /// The topics.
    pub topic_set: TopicSet,
    /// Whether the topics never change.
    pub fixed_topic_set: Option<bool>,
    /// Dialects of topic filters.
    pub topic_expression_dialects: Vec<String>,
    /// Dialects of content filters.
    pub message_content_filter_dialects: Vec<String>,
}

/// All topics of a camera, in the order in which it lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicSet {
    /// The topics, subtopics after the topics they belong to.
    pub topics: Vec<Topic>,
}

impl TopicSet {
    /// The topic with that path.
    pub fn get(&self, path: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.path == path)
    }

    /// The topics as a tree. Nodes that only hold others have no topic.
    pub fn tree(&self) -> Vec<TopicNode<'_>> {
        let mut roots = Vec::new();
        for topic in &self.topics {
            let mut level: &mut Vec<TopicNode<'_>> = &mut roots;
            let mut segments = topic.path.split('/').peekable();
            while let Some(name) = segments.next() {
                let at = level
                    .iter()
                    .position(|node| node.name == name)
                    .unwrap_or_else(|| {
                        level.push(TopicNode {
                            name,
                            topic: None,
                            children: Vec::new(),
                        });
                        level.len() - 1
                    });
                if segments.peek().is_none() {
                    level[at].topic = Some(topic);
                }
                level = &mut level[at].children;
            }
        }
        roots
    }

    /// All topics below a path, without the one it names.
    pub fn below<'t>(&'t self, path: &'t str) -> impl Iterator<Item = &'t Topic> {
        self.topics.iter().filter(move |topic| {
            topic
                .path
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

/// A segment of a topic's path, with what is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicNode<'t> {
    /// The segment, with its prefix where the namespace changes.
    pub name: &'t str,
    /// The topic that ends here.
    pub topic: Option<&'t Topic>,
    /// The next segments.
    pub children: Vec<TopicNode<'t>>,
}

/// A topic that can be subscribed to, with its `MessageDescription` (ONVIF Core, "Topic structure").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topic {
    /// The whole path with its prefix, such as `tns1:VideoSource/MotionAlarm`.
    pub path: String,
    /// Namespaces of the prefixes in the path, except `tns1`.
    pub namespaces: Vec<(String, String)>,
    /// Whether it is a property: a state that can be asked for.
    pub is_property: Option<bool>,
    /// Items that tell where.
    pub source: Vec<ItemDescription>,
    /// Items that tell which instance.
    pub key: Vec<ItemDescription>,
    /// Items that tell what.
    pub data: Vec<ItemDescription>,
}

impl Topic {
    /// Selects this topic alone, with the prefixes of its path bound.
    pub fn filter(&self) -> Filter {
        self.namespaces
            .iter()
            .fold(Filter::topic(&self.path), |filter, (prefix, uri)| {
                filter.namespace(prefix, uri)
            })
    }

    /// A JSON Schema (2020-12) of the messages of this topic, in the shape of ONVIF's own JSON
    /// events: an object with `UtcTime`, `Operation`, `Source`, `Key` and `Data`. Items have the JSON
    /// type that fits their XML Schema type; XML items are strings.
    pub fn json_schema(&self) -> String {
        let part = |items: &[ItemDescription]| {
            let properties: serde_json::Map<_, _> = items
                .iter()
                .map(|item| (item.name.clone(), item.json_type()))
                .collect();
            json!({ "type": "object", "properties": properties })
        };
        let mut properties = serde_json::Map::new();
        properties.insert("Topic".into(), json!({ "const": self.path }));
        properties.insert(
            "UtcTime".into(),
            json!({ "type": "string", "format": "date-time" }),
        );
        if self.is_property == Some(true) {
            let operations = ["Initialized", "Changed", "Deleted"];
            properties.insert("Operation".into(), json!({ "enum": operations }));
        }
        for (name, items) in [
            ("Source", &self.source),
            ("Key", &self.key),
            ("Data", &self.data),
        ] {
            if !items.is_empty() {
                properties.insert(name.into(), part(items));
            }
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.path,
            "type": "object",
            "properties": properties,
        })
        .to_string()
    }
}

/// Name and type of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemDescription {
    /// Name.
    pub name: String,
    /// Type as the camera writes it, such as `xs:boolean` or `tt:ReferenceToken`.
    pub value_type: Option<String>,
    /// Whether the value is XML.
    pub is_element: bool,
}

impl ItemDescription {
    fn json_type(&self) -> Value {
        let name = self.value_type.as_deref().unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        let mut schema = match local.to_ascii_lowercase().as_str() {
            _ if self.is_element => {
                json!({ "type": "string", "contentMediaType": "application/xml" })
            }
            "boolean" | "bool" => json!({ "type": "boolean" }),
            "int" | "integer" | "long" | "short" | "byte" => json!({ "type": "integer" }),
            "unsignedint" | "unsignedlong" | "unsignedshort" | "unsignedbyte"
            | "nonnegativeinteger" => json!({ "type": "integer", "minimum": 0 }),
            "positiveinteger" => json!({ "type": "integer", "minimum": 1 }),
            "float" | "double" | "decimal" => json!({ "type": "number" }),
            "datetime" => json!({ "type": "string", "format": "date-time" }),
            "duration" => json!({ "type": "string", "format": "duration" }),
            "anyuri" => json!({ "type": "string", "format": "uri" }),
            "relaylogicalstate" => json!({ "enum": ["active", "inactive"] }),
            _ => json!({ "type": "string" }),
        };
        if !name.is_empty() {
            schema["description"] = name.into();
        }
        schema
    }
}

impl Decode for EventProperties {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut properties = Self::default();
        while let Some(mut child) = element.child()? {
            match child.local_name() {
                "FixedTopicSet" => {
                    properties.fixed_topic_set = crate::xml::FromText::from_text(&child.text()?)
                }
                "TopicExpressionDialect" => properties
                    .topic_expression_dialects
                    .push(child.text()?.into_owned()),
                "MessageContentFilterDialect" => properties
                    .message_content_filter_dialects
                    .push(child.text()?.into_owned()),
                "TopicSet" => {
                    while let Some(mut topic) = child.child()? {
                        read(&mut topic, "", &[], &mut properties.topic_set.topics)?;
                    }
                }
                _ => {}
            }
        }
        Ok(properties)
    }
}

/// Reads a topic with its subtopics. The reader's limit of nesting bounds the recursion.
fn read(
    element: &mut Element<'_, '_>,
    parent: &str,
    above: &[(String, String)],
    topics: &mut Vec<Topic>,
) -> Result<(), DecodeError> {
    let mut namespaces = above.to_vec();
    let name = match element.namespace() {
        Some(uri) if uri == namespace::uri("tns1") && parent.is_empty() => {
            format!("tns1:{}", element.local_name())
        }
        // Below the root a prefix is written only where the namespace changes.
        Some(uri) if uri == namespace::uri("tns1") => element.local_name().to_owned(),
        uri => match element.prefix() {
            Some(prefix) => {
                let known = namespaces.iter().any(|(known, _)| known == prefix);
                if let Some(uri) = uri.filter(|_| !known && namespaces.len() < MAX_NAMESPACES) {
                    namespaces.push((prefix.to_owned(), uri.to_owned()));
                }
                format!("{prefix}:{}", element.local_name())
            }
            None => element.local_name().to_owned(),
        },
    };
    let path = if parent.is_empty() {
        name
    } else {
        format!("{parent}/{name}")
    };
    if path.len() > MAX_PATH || topics.len() >= MAX_TOPICS {
        return Ok(());
    }
    let mut described = element
        .attribute("topic")
        .is_some_and(|value| matches!(value.trim(), "true" | "1"));
    // What the parents have is kept with every one of their children.
    let inherited = namespaces
        .iter()
        .map(|(prefix, uri)| prefix.len() + uri.len());
    element.charge(size_of::<Topic>() + path.len() + inherited.sum::<usize>())?;
    let at = topics.len();
    let mut topic = Topic {
        path: path.clone(),
        namespaces,
        ..Topic::default()
    };
    while let Some(mut child) = element.child()? {
        if child.local_name() == "MessageDescription" {
            described = true;
            describe(&mut child, &mut topic)?;
        } else {
            read(&mut child, &path, &topic.namespaces, topics)?;
        }
    }
    // Some cameras mark nothing: then the leaves are the topics.
    if described || topics.len() == at {
        topics.insert(at, topic);
    }
    Ok(())
}

fn describe(element: &mut Element<'_, '_>, topic: &mut Topic) -> Result<(), DecodeError> {
    topic.is_property = element
        .attribute("IsProperty")
        .and_then(|value| crate::xml::FromText::from_text(value.trim()));
    while let Some(mut part) = element.child()? {
        let list = match part.local_name() {
            "Source" => &mut topic.source,
            "Key" => &mut topic.key,
            "Data" => &mut topic.data,
            _ => continue,
        };
        while let Some(item) = part.child()? {
            let is_element = item.local_name() == "ElementItemDescription";
            if is_element || item.local_name() == "SimpleItemDescription" {
                list.push(ItemDescription {
                    name: item.attribute("Name").unwrap_or_default().into_owned(),
                    value_type: item.attribute("Type").map(|text| text.trim().to_owned()),
                    is_element,
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Reader;

    #[test]
    fn the_whole_tree_is_kept_with_types_and_vendor_prefixes() {
        let xml = "<tev:GetEventPropertiesResponse xmlns:tev='e' xmlns:n='http://www.onvif.org/ver10/topics' \
            xmlns:wstop='w' xmlns:ax='urn:axis'><wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet>\
            <n:VideoSource wstop:topic='true'><MotionAlarm wstop:topic='true'>\
            <tt:MessageDescription IsProperty='true'><tt:Source>\
            <tt:SimpleItemDescription Name='Source' Type='tt:ReferenceToken'/></tt:Source><tt:Data>\
            <tt:SimpleItemDescription Name='State' Type='xs:boolean'/></tt:Data></tt:MessageDescription>\
            </MotionAlarm></n:VideoSource><n:Device><ax:IO><ax:Port/></ax:IO></n:Device></wstop:TopicSet>\
            </tev:GetEventPropertiesResponse>";
        let properties =
            EventProperties::decode(&mut Reader::new(xml).unwrap().root().unwrap()).unwrap();
        let paths: Vec<_> = properties
            .topic_set
            .topics
            .iter()
            .map(|topic| topic.path.as_str())
            .collect();
        assert_eq!(
            paths,
            [
                "tns1:VideoSource",
                "tns1:VideoSource/MotionAlarm",
                "tns1:Device/ax:IO/ax:Port"
            ]
        );
        let motion = properties
            .topic_set
            .get("tns1:VideoSource/MotionAlarm")
            .unwrap();
        assert_eq!(motion.is_property, Some(true));
        assert_eq!(motion.data[0].value_type.as_deref(), Some("xs:boolean"));
        assert_eq!(properties.fixed_topic_set, Some(true));
        assert_eq!(properties.topic_set.below("tns1:VideoSource").count(), 1);
    }

    fn example() -> EventProperties {
        let xml = "<R xmlns:n='http://www.onvif.org/ver10/topics' xmlns:ax='urn:axis'><TopicSet>\
            <n:Device><Trigger><Relay topic='true'><MessageDescription IsProperty='true'>\
            <Source><SimpleItemDescription Name='RelayToken' Type='tt:ReferenceToken'/></Source>\
            <Data><SimpleItemDescription Name='LogicalState' Type='tt:RelayLogicalState'/>\
            <SimpleItemDescription Name='N' Type='xs:unsignedInt'/><SimpleItemDescription Name='F' Type='xsd:float'/>\
            <ElementItemDescription Name='X' Type='tt:Polygon'/></Data></MessageDescription>\
            <ax:More topic='true'/></Relay></Trigger></n:Device></TopicSet></R>";
        EventProperties::decode(&mut Reader::new(xml).unwrap().root().unwrap()).unwrap()
    }

    #[test]
    fn the_tree_has_topics_at_leaves_and_between() {
        let properties = example();
        let tree = properties.topic_set.tree();
        assert_eq!((tree.len(), tree[0].name), (1, "tns1:Device"));
        assert!(tree[0].topic.is_none());
        let relay = &tree[0].children[0].children[0];
        assert_eq!(relay.topic.unwrap().path, "tns1:Device/Trigger/Relay");
        assert_eq!(relay.children[0].name, "ax:More");
        assert_eq!(
            relay.children[0].topic.unwrap().filter(),
            Filter::topic("tns1:Device/Trigger/Relay/ax:More").namespace("ax", "urn:axis")
        );
    }

    #[test]
    fn a_hostile_topic_set_stays_small() {
        let long = "a".repeat(200);
        let xml = format!(
            "<R><TopicSet><{long}>{}</{long}>{}</TopicSet></R>",
            "<b/>".repeat(20_000),
            "<c/>".repeat(20_000)
        );
        let properties =
            EventProperties::decode(&mut Reader::new(&xml).unwrap().root().unwrap()).unwrap();
        assert_eq!(properties.topic_set.topics.len(), MAX_TOPICS);
    }

    #[test]
    fn a_description_becomes_a_json_schema() {
        let properties = example();
        let topic = properties
            .topic_set
            .get("tns1:Device/Trigger/Relay")
            .unwrap();
        let schema: Value = serde_json::from_str(&topic.json_schema()).unwrap();
        let data = &schema["properties"]["Data"]["properties"];
        assert_eq!(data["LogicalState"]["enum"][0], "active");
        assert_eq!(data["N"]["minimum"], 0);
        assert_eq!(data["F"]["type"], "number");
        assert_eq!(data["X"]["contentMediaType"], "application/xml");
        assert_eq!(schema["properties"]["Operation"]["enum"][1], "Changed");
        let source = &schema["properties"]["Source"]["properties"]["RelayToken"];
        assert_eq!(
            (&source["type"], &source["description"]),
            (&json!("string"), &json!("tt:ReferenceToken"))
        );
    }
}
