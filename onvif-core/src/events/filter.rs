use quick_xml::escape::escape;

use super::notification::Notification;

/// Which notifications a subscription wants. The default is all.
///
/// ```
/// use onvif_core::events::Filter;
///
/// // Motion of one source, and everything that the rules of the camera's analytics report.
/// let filter = Filter::topic("tns1:VideoSource/MotionAlarm").or_topic("tns1:RuleEngine//.");
/// assert!(!filter.is_all());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    topics: Vec<String>,
    namespaces: Vec<(String, String)>,
    items: Vec<(String, String)>,
    dialect: TopicDialect,
}

/// The language of the topic expressions of a [`Filter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopicDialect {
    /// ONVIF's: paths, alternatives with `|`, subtrees with `//.`. Every device has it.
    #[default]
    ConcreteSet,
    /// One path without wildcards, of WS-Topics. Every device has it; for firmware that knows no other.
    Concrete,
    /// XPath-like, of WS-Topics: `*` and `//`. Few devices have it.
    Full,
}

impl TopicDialect {
    fn uri(self) -> &'static str {
        match self {
            Self::ConcreteSet => "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet",
            Self::Concrete => "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete",
            Self::Full => "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Full",
        }
    }
}

const ITEM_FILTER: &str = "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter";

impl Filter {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// One topic, such as `tns1:VideoSource/MotionAlarm`, or a subtree with `tns1:VideoSource//.`.
    pub fn topic(topic: impl Into<String>) -> Self {
        Self::default().or_topic(topic)
    }

    /// One more topic.
    #[must_use]
    pub fn or_topic(mut self, topic: impl Into<String>) -> Self {
        self.topics.push(topic.into());
        self
    }

    /// Declares the prefix of a maker's topics. `tns1` is always declared.
    #[must_use]
    pub fn namespace(mut self, prefix: impl Into<String>, uri: impl Into<String>) -> Self {
        let (prefix, uri) = (prefix.into(), uri.into());
        self.namespaces.retain(|(known, _)| *known != prefix);
        self.namespaces.push((prefix, uri));
        self
    }

    /// Only messages with a simple item of this name and value, such as `VideoSourceToken` and
    /// `source_1` (ONVIF Core, "Message content filter"). Several must all be there.
    #[must_use]
    #[doc(alias = "MessageContent")]
    #[doc(alias = "ItemFilter")]
    pub fn with_item(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.items.push((name.into(), value.into()));
        self
    }

    /// The language of the topic expressions; ONVIF's `ConcreteSet` without this.
    #[must_use]
    pub fn dialect(mut self, dialect: TopicDialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Whether everything is wanted.
    pub fn is_all(&self) -> bool {
        self.topics.is_empty() && self.items.is_empty()
    }

    /// Whether the filter selects a notification: for cameras that refuse filters, what they send is
    /// selected here. Topics are compared without prefixes; an expression in the `Full` dialect is
    /// left to the camera and selects everything here.
    pub fn matches(&self, notification: &Notification) -> bool {
        let by_topic = self.topics.is_empty()
            || self.dialect == TopicDialect::Full
            || self
                .topics
                .iter()
                .flat_map(|topics| topics.split('|'))
                .any(|expression| selects(expression, &notification.topic));
        let lists = [&notification.source, &notification.key, &notification.data];
        by_topic
            && self.items.iter().all(|(name, value)| {
                lists
                    .iter()
                    .flat_map(|items| &items.simple)
                    .any(|item| item.name == *name && item.value == *value)
            })
    }

    /// The content of a `Filter` element; prefixes are bound here, since they occur in content.
    pub(super) fn content(&self) -> String {
        let mut xml = String::new();
        if !self.topics.is_empty() {
            xml.push_str("<wsnt:TopicExpression");
            for (prefix, uri) in &self.namespaces {
                xml.push_str(&format!(" xmlns:{}=\"{}\"", escape(prefix), escape(uri)));
            }
            xml.push_str(&format!(
                " Dialect=\"{}\">{}</wsnt:TopicExpression>",
                self.dialect.uri(),
                escape(self.topics.join("|")),
            ));
        }
        if !self.items.is_empty() {
            let conditions: Vec<_> = self
                .items
                .iter()
                .map(|(name, value)| {
                    format!(
                        "boolean(//tt:SimpleItem[@Name={} and @Value={}])",
                        literal(name),
                        literal(value)
                    )
                })
                .collect();
            xml.push_str(&format!(
                "<wsnt:MessageContent Dialect=\"{ITEM_FILTER}\">{}</wsnt:MessageContent>",
                escape(conditions.join(" and ")),
            ));
        }
        xml
    }
}

/// Whether one concrete expression selects a topic.
fn selects(expression: &str, topic: &str) -> bool {
    let expression = expression.trim();
    let (path, below) = match expression.strip_suffix("//.") {
        Some(path) => (path, true),
        None => (expression, false),
    };
    let mut topic = locals(topic);
    locals(path).all(|segment| topic.next() == Some(segment)) && (below || topic.next().is_none())
}

fn locals(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .map(|segment| segment.rsplit(':').next().unwrap_or(segment))
}

/// A string of XPath 1.0, which knows no escapes.
fn literal(text: &str) -> String {
    if !text.contains('"') {
        return format!("\"{text}\"");
    }
    if !text.contains('\'') {
        return format!("'{text}'");
    }
    let parts: Vec<_> = text.split('"').map(|part| format!("\"{part}\"")).collect();
    format!("concat({})", parts.join(",'\"',"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::notification::SimpleItem;

    fn notification(topic: &str, items: &[(&str, &str)]) -> Notification {
        let mut notification = Notification::new(topic);
        for (name, value) in items {
            notification.source.simple.push(SimpleItem {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            });
        }
        notification
    }

    #[test]
    fn a_filter_binds_every_prefix_it_uses() {
        let filter = Filter::topic("tns1:A")
            .or_topic("v:B")
            .namespace("v", "urn:v");
        assert_eq!(
            filter.content(),
            "<wsnt:TopicExpression xmlns:v=\"urn:v\" \
             Dialect=\"http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet\">tns1:A|v:B\
             </wsnt:TopicExpression>"
        );
    }

    #[test]
    fn items_become_a_condition_with_every_kind_of_quote() {
        let filter = Filter::all()
            .with_item("Rule", "a\"b")
            .with_item("T", "<'\">");
        assert_eq!(
            filter.content(),
            format!(
                "<wsnt:MessageContent Dialect=\"{ITEM_FILTER}\">\
                 boolean(//tt:SimpleItem[@Name=&quot;Rule&quot; and @Value=&apos;a&quot;b&apos;]) and \
                 boolean(//tt:SimpleItem[@Name=&quot;T&quot; and \
                 @Value=concat(&quot;&lt;&apos;&quot;,&apos;&quot;&apos;,&quot;&gt;&quot;)])</wsnt:MessageContent>"
            )
        );
    }

    #[test]
    fn what_the_camera_does_not_filter_is_filtered_here() {
        let filter = Filter::topic("tns1:VideoSource//. | tns1:Device/Trigger/Relay")
            .with_item("Source", "1");
        for (topic, source, expected) in [
            ("tns1:VideoSource/MotionAlarm", "1", true),
            ("tns1:VideoSource", "1", true),
            ("tns1:VideoSource/MotionAlarm", "2", false),
            ("tns1:VideoSources/MotionAlarm", "1", false),
            ("tns1:Device/Trigger/Relay", "1", true),
            ("tns1:Device/Trigger/Relay/More", "1", false),
            ("tns1:Device/Trigger", "1", false),
        ] {
            let notification = notification(topic, &[("Source", source)]);
            assert_eq!(filter.matches(&notification), expected, "{topic} {source}");
        }
        assert!(Filter::all().matches(&notification("x", &[])));
    }
}
