use crate::xml::{Decode, DecodeError, Element, namespace};

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

/// A topic that can be subscribed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topic {
    /// The whole path with its prefix, such as `tns1:VideoSource/MotionAlarm`.
    pub path: String,
    /// Whether it is a property: a state that can be asked for.
    pub is_property: Option<bool>,
    /// Items that tell where.
    pub source: Vec<ItemDescription>,
    /// Items that tell which instance.
    pub key: Vec<ItemDescription>,
    /// Items that tell what.
    pub data: Vec<ItemDescription>,
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

impl Decode for EventProperties {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut properties = Self::default();
        while let Some(mut child) = element.child()? {
            match child.local_name() {
                "FixedTopicSet" => {
                    properties.fixed_topic_set = crate::xml::FromText::from_text(&child.text()?)
                }
                "TopicExpressionDialect" => {
                    properties.topic_expression_dialects.push(child.text()?)
                }
                "MessageContentFilterDialect" => properties
                    .message_content_filter_dialects
                    .push(child.text()?),
                "TopicSet" => {
                    while let Some(mut topic) = child.child()? {
                        read(&mut topic, "", &mut properties.topic_set.topics)?;
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
    topics: &mut Vec<Topic>,
) -> Result<(), DecodeError> {
    let name = match element.namespace() {
        Some(uri) if uri == namespace::uri("tns1") && parent.is_empty() => {
            format!("tns1:{}", element.local_name())
        }
        // Below the root a prefix is written only where the namespace changes.
        Some(uri) if uri == namespace::uri("tns1") => element.local_name().to_owned(),
        _ => match element.prefix() {
            Some(prefix) => format!("{prefix}:{}", element.local_name()),
            None => element.local_name().to_owned(),
        },
    };
    let path = if parent.is_empty() {
        name
    } else {
        format!("{parent}/{name}")
    };
    let mut described = element
        .attribute("topic")
        .is_some_and(|value| matches!(value.trim(), "true" | "1"));
    let at = topics.len();
    let mut topic = Topic {
        path: path.clone(),
        ..Topic::default()
    };
    while let Some(mut child) = element.child()? {
        if child.local_name() == "MessageDescription" {
            described = true;
            describe(&mut child, &mut topic)?;
        } else {
            read(&mut child, &path, topics)?;
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
}
