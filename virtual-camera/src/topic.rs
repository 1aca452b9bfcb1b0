//! The camera's topics, and the topic expressions that select them.

use crate::content_filter::ContentFilter;
use crate::event::{Event, Operation};
use crate::xml::{Node, Ns, TNS1};

/// Alternatives in one expression, expressions in one filter.
const MAX_ALTERNATIVES: usize = 64;

/// The namespace of a maker's own topics.
pub(crate) const VENDOR: Ns = Ns {
    prefix: "tnsvendor",
    uri: "http://www.vendor.example/2026/topics",
};

/// A topic this camera raises; each is a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    MotionAlarm,
    CellMotion,
    DigitalInput,
}

impl Topic {
    pub(crate) const ALL: [Topic; 3] = [Topic::MotionAlarm, Topic::CellMotion, Topic::DigitalInput];

    /// The path below the namespace `tns1`.
    pub(crate) fn path(self) -> &'static [&'static str] {
        match self {
            Topic::MotionAlarm => &["VideoSource", "MotionAlarm"],
            Topic::CellMotion => &["RuleEngine", "CellMotionDetector", "Motion"],
            Topic::DigitalInput => &["Device", "Trigger", "DigitalInput"],
        }
    }

    /// Names and values of the source items.
    pub(crate) fn source(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Topic::MotionAlarm => &[("Source", "video_source")],
            Topic::CellMotion => &[
                ("VideoSourceConfigurationToken", "video_source_config"),
                ("VideoAnalyticsConfigurationToken", "analytics_config"),
                ("Rule", "MyMotionDetectorRule"),
            ],
            Topic::DigitalInput => &[("InputToken", "input_1")],
        }
    }

    /// Name of the one data item, an `xs:boolean`.
    pub(crate) fn data(self) -> &'static str {
        match self {
            Topic::MotionAlarm => "State",
            Topic::CellMotion => "IsMotion",
            Topic::DigitalInput => "LogicalState",
        }
    }
}

/// Further properties, as they are when the camera starts.
pub(crate) fn at_the_start() -> Vec<Event> {
    let relays = ["relay_1", "relay_2"].map(|token| {
        Event::new("tns1:Device/Trigger/Relay")
            .property(Operation::Initialized)
            .source("RelayToken", token)
            .data("LogicalState", "inactive")
    });
    relays.into()
}

/// A topic in the topic set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described {
    /// The path below the namespace `tns1`.
    pub path: &'static [&'static str],
    pub is_property: bool,
    /// Names and types of items.
    pub source: &'static [(&'static str, &'static str)],
    pub data: &'static [(&'static str, &'static str)],
}

const VIDEO: &[(&str, &str)] = &[("Source", "tt:ReferenceToken")];
const STATE: &[(&str, &str)] = &[("State", "xs:boolean")];

/// All that this camera can report: its own topics, and those that [`Event`](crate::Event)s are for.
pub(crate) const DESCRIBED: &[Described] = &[
    Described {
        path: &["VideoSource", "MotionAlarm"],
        is_property: true,
        source: VIDEO,
        data: STATE,
    },
    Described {
        path: &["VideoSource", "GlobalSceneChange", "ImagingService"],
        is_property: true,
        source: VIDEO,
        data: STATE,
    },
    Described {
        path: &["VideoSource", "ImageTooDark", "ImagingService"],
        is_property: true,
        source: VIDEO,
        data: STATE,
    },
    Described {
        path: &["RuleEngine", "CellMotionDetector", "Motion"],
        is_property: true,
        source: &[
            ("VideoSourceConfigurationToken", "tt:ReferenceToken"),
            ("VideoAnalyticsConfigurationToken", "tt:ReferenceToken"),
            ("Rule", "xs:string"),
        ],
        data: &[("IsMotion", "xs:boolean")],
    },
    Described {
        path: &["RuleEngine", "MotionRegionDetector", "Motion"],
        is_property: true,
        source: &[
            ("VideoSource", "tt:ReferenceToken"),
            ("RuleName", "xs:string"),
        ],
        data: STATE,
    },
    Described {
        path: &["Device", "Trigger", "DigitalInput"],
        is_property: true,
        source: &[("InputToken", "tt:ReferenceToken")],
        data: &[("LogicalState", "xs:boolean")],
    },
    Described {
        path: &["Device", "Trigger", "Relay"],
        is_property: true,
        source: &[("RelayToken", "tt:ReferenceToken")],
        data: &[("LogicalState", "tt:RelayLogicalState")],
    },
    Described {
        path: &["Device", "HardwareFailure", "StorageFailure"],
        is_property: true,
        source: &[("Token", "tt:ReferenceToken")],
        data: &[("Failed", "xs:boolean")],
    },
    Described {
        path: &["Monitoring", "ProcessorUsage"],
        is_property: true,
        source: &[("Token", "tt:ReferenceToken")],
        data: &[("Value", "xs:float")],
    },
    Described {
        path: &["Media", "ProfileChanged"],
        is_property: false,
        source: &[],
        data: &[("Token", "tt:ReferenceToken")],
    },
    Described {
        path: &["Media", "ConfigurationChanged"],
        is_property: false,
        source: &[],
        data: &[("Token", "tt:ReferenceToken"), ("Type", "xs:string")],
    },
];

/// What a subscription wants: none of its expressions, or one of each, and all of its items.
#[derive(Clone, Debug)]
pub(crate) struct TopicFilter {
    /// All of these must match; each matches where one of its alternatives does.
    expressions: Vec<Vec<Alternative>>,
    /// All of these must hold.
    contents: Vec<ContentFilter>,
}

/// Why a filter was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FilterError {
    UnknownDialect,
    Invalid,
    /// The condition on items.
    InvalidContent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Alternative {
    path: Vec<String>,
    and_below: bool,
}

impl TopicFilter {
    pub(crate) const CONCRETE: &str = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete";
    pub(crate) const CONCRETE_SET: &str =
        "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";

    pub(crate) const ITEM_FILTER: &str =
        "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter";

    pub(crate) fn everything() -> Self {
        Self {
            expressions: Vec::new(),
            contents: Vec::new(),
        }
    }

    /// Whether nothing is left out.
    pub(crate) fn is_everything(&self) -> bool {
        self.expressions.is_empty() && self.contents.is_empty()
    }

    /// Reads the `TopicExpression` and `MessageContent` elements of a `wsnt:Filter`.
    pub(crate) fn read(filter: &Node) -> Result<Self, FilterError> {
        let mut expressions = Vec::new();
        for expression in filter.all("TopicExpression") {
            let dialect = expression.attribute("Dialect");
            if !dialect.is_none_or(|d| [Self::CONCRETE, Self::CONCRETE_SET].contains(&d)) {
                return Err(FilterError::UnknownDialect);
            }
            let alternatives: Result<Vec<_>, _> = expression
                .text()
                .split('|')
                .take(MAX_ALTERNATIVES)
                .map(|alternative| Alternative::read(alternative.trim(), expression))
                .collect();
            expressions.push(alternatives?);
        }
        if expressions.len() > MAX_ALTERNATIVES {
            return Err(FilterError::Invalid);
        }
        let mut contents = Vec::new();
        for content in filter.all("MessageContent").take(MAX_ALTERNATIVES) {
            if content.attribute("Dialect") != Some(Self::ITEM_FILTER) {
                return Err(FilterError::InvalidContent);
            }
            let content = ContentFilter::read(content.text());
            contents.push(content.ok_or(FilterError::InvalidContent)?);
        }
        Ok(Self {
            expressions,
            contents,
        })
    }

    /// Whether an event with this path, below `tns1` and without its prefixes, and these items is wanted.
    pub(crate) fn matches<'i>(
        &self,
        path: &[&str],
        items: impl Iterator<Item = (&'i str, &'i str)> + Clone,
    ) -> bool {
        let mut expressions = self.expressions.iter();
        expressions.all(|alternatives| alternatives.iter().any(|a| a.matches(path)))
            && self
                .contents
                .iter()
                .all(|content| content.matches(items.clone()))
    }
}

impl Alternative {
    fn read(text: &str, scope: &Node) -> Result<Self, FilterError> {
        let (text, and_below) = match text.strip_suffix("//.") {
            Some(above) => (above, true),
            None => (text, false),
        };
        let mut path = Vec::new();
        for segment in text.split('/') {
            let name = match segment.split_once(':') {
                Some((prefix, name)) if scope.namespace_of(prefix) == Some(TNS1.uri) => name,
                Some((prefix, name)) if scope.namespace_of(prefix) == Some(VENDOR.uri) => name,
                // A topic of somebody else's namespace is a valid question; the answer is "never".
                Some((prefix, _)) if scope.namespace_of(prefix).is_some() => segment,
                Some(_) => return Err(FilterError::Invalid),
                None => segment,
            };
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Err(FilterError::Invalid);
            }
            path.push(name.to_owned());
        }
        Ok(Self { path, and_below })
    }

    fn matches(&self, topic: &[&str]) -> bool {
        if self.and_below {
            topic.len() >= self.path.len() && self.path == topic[..self.path.len()]
        } else {
            self.path == topic
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    fn filter(expression: &str) -> Result<TopicFilter, FilterError> {
        let filter = format!(
            "<Filter xmlns:t='{}' xmlns:v='urn:vendor'><TopicExpression Dialect='{}'>{expression}</TopicExpression></Filter>",
            TNS1.uri,
            TopicFilter::CONCRETE_SET,
        );
        TopicFilter::read(&read(filter.as_bytes()).unwrap())
    }

    fn matches(filter: &TopicFilter, topic: Topic) -> bool {
        let items = [("Source", "video_source"), ("State", "true")];
        filter.matches(topic.path(), items.into_iter())
    }

    #[test]
    fn items_must_all_be_there() {
        let read = |condition: &str| {
            let filter = format!(
                "<F><MessageContent Dialect='{}'>{condition}</MessageContent></F>",
                TopicFilter::ITEM_FILTER
            );
            TopicFilter::read(&read(filter.as_bytes()).unwrap())
        };
        let source = r#"boolean(//tt:SimpleItem[@Name="Source" and @Value="video_source"])"#;
        let state = "boolean(//tt:SimpleItem[@Name='State' and @Value='false'])";
        assert!(matches(&read(source).unwrap(), Topic::MotionAlarm));
        let both = read(&format!("{source} and {state}")).unwrap();
        assert!(!matches(&both, Topic::MotionAlarm));
        assert_eq!(read("count(//x)").unwrap_err(), FilterError::InvalidContent);
    }

    #[test]
    fn every_topic_of_the_camera_is_described_with_its_items() {
        for topic in Topic::ALL {
            let described = DESCRIBED.iter().find(|known| known.path == topic.path());
            let described = described.unwrap();
            let names = |items: &[(&'static str, &str)]| -> Vec<_> {
                items.iter().map(|(name, _)| *name).collect()
            };
            assert_eq!(names(described.source), names(topic.source()));
            assert_eq!(names(described.data), [topic.data()]);
        }
    }

    #[test]
    fn a_concrete_expression_selects_one_topic() {
        let filter = filter("t:VideoSource/MotionAlarm").unwrap();
        assert!(matches(&filter, Topic::MotionAlarm));
        assert!(!matches(&filter, Topic::CellMotion));
    }

    #[test]
    fn a_set_selects_everything_below_and_either_side() {
        let filter = filter(" t:RuleEngine//. | t:Device/t:Trigger/DigitalInput ").unwrap();
        assert!(matches(&filter, Topic::CellMotion));
        assert!(matches(&filter, Topic::DigitalInput));
        assert!(!matches(&filter, Topic::MotionAlarm));
    }

    #[test]
    fn a_parent_without_the_suffix_selects_nothing() {
        assert!(!matches(
            &filter("t:VideoSource").unwrap(),
            Topic::MotionAlarm
        ));
        assert!(!matches(
            &filter("v:VideoSource//.").unwrap(),
            Topic::MotionAlarm
        ));
    }

    #[test]
    fn nonsense_and_foreign_dialects_are_refused() {
        for expression in [
            "",
            "|",
            "x:VideoSource",
            "t:VideoSource//MotionAlarm",
            "a b",
        ] {
            assert_eq!(
                filter(expression).unwrap_err(),
                FilterError::Invalid,
                "{expression}"
            );
        }
        let xpath =
            read(b"<F><TopicExpression Dialect='urn:xpath'>x</TopicExpression></F>").unwrap();
        assert_eq!(
            TopicFilter::read(&xpath).unwrap_err(),
            FilterError::UnknownDialect
        );
    }
}
