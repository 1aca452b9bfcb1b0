//! The camera's topics, and the topic expressions that select them.

use crate::xml::{Node, TNS1};

/// Alternatives in one expression, expressions in one filter.
const MAX_ALTERNATIVES: usize = 64;

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

    /// Names, types and values of the source items.
    pub(crate) fn source(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Topic::MotionAlarm => &[("Source", "tt:ReferenceToken", "video_source")],
            Topic::CellMotion => &[
                (
                    "VideoSourceConfigurationToken",
                    "tt:ReferenceToken",
                    "video_source_config",
                ),
                (
                    "VideoAnalyticsConfigurationToken",
                    "tt:ReferenceToken",
                    "analytics_config",
                ),
                ("Rule", "xs:string", "MyMotionDetectorRule"),
            ],
            Topic::DigitalInput => &[("InputToken", "tt:ReferenceToken", "input_1")],
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

/// Which topics a subscription wants: none of its expressions, or one of each.
#[derive(Clone, Debug)]
pub(crate) struct TopicFilter {
    /// All of these must match; each matches where one of its alternatives does.
    expressions: Vec<Vec<Alternative>>,
}

/// Why a filter was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FilterError {
    UnknownDialect,
    Invalid,
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

    pub(crate) fn everything() -> Self {
        Self {
            expressions: Vec::new(),
        }
    }

    /// Reads the `TopicExpression` elements of a `wsnt:Filter`.
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
        Ok(Self { expressions })
    }

    pub(crate) fn matches(&self, topic: Topic) -> bool {
        let mut expressions = self.expressions.iter();
        expressions.all(|alternatives| alternatives.iter().any(|a| a.matches(topic)))
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

    fn matches(&self, topic: Topic) -> bool {
        let topic = topic.path();
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

    #[test]
    fn a_concrete_expression_selects_one_topic() {
        let filter = filter("t:VideoSource/MotionAlarm").unwrap();
        assert!(filter.matches(Topic::MotionAlarm));
        assert!(!filter.matches(Topic::CellMotion));
    }

    #[test]
    fn a_set_selects_everything_below_and_either_side() {
        let filter = filter(" t:RuleEngine//. | t:Device/t:Trigger/DigitalInput ").unwrap();
        assert!(filter.matches(Topic::CellMotion));
        assert!(filter.matches(Topic::DigitalInput));
        assert!(!filter.matches(Topic::MotionAlarm));
    }

    #[test]
    fn a_parent_without_the_suffix_selects_nothing() {
        assert!(!filter("t:VideoSource").unwrap().matches(Topic::MotionAlarm));
        assert!(
            !filter("v:VideoSource//.")
                .unwrap()
                .matches(Topic::MotionAlarm)
        );
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
