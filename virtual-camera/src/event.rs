//! What the camera reports.

use std::time::Instant;

use crate::topic::Topic;

/// Something for [`VirtualCamera::report`](crate::VirtualCamera::report): any topic, any items.
///
/// ```
/// use virtual_camera::{Event, Operation};
///
/// let visitor = Event::new("tns1:RuleEngine/MyRuleDetector/Visitor")
///     .property(Operation::Changed)
///     .source("Source", "video_source")
///     .data("State", "true");
/// # let _ = visitor;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub(crate) topic: String,
    pub(crate) operation: Option<Operation>,
    pub(crate) source: Vec<(String, String)>,
    pub(crate) key: Vec<(String, String)>,
    pub(crate) data: Vec<(String, String)>,
    /// When it happened, on the monotonic clock; the camera's own clock may be wrong or be set.
    pub(crate) at: Instant,
}

/// What happened to a property (Core Specification, "Property events").
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub enum Operation {
    /// Its state is told.
    Initialized,
    /// It changed.
    Changed,
    /// It no longer exists.
    Deleted,
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Initialized => "Initialized",
            Self::Changed => "Changed",
            Self::Deleted => "Deleted",
        }
    }
}

impl Event {
    /// An event of a topic, which is written as it stands here. The prefixes `tns1` and `tnsvendor` are
    /// declared; others are not.
    pub fn new(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            operation: None,
            source: Vec::new(),
            key: Vec::new(),
            data: Vec::new(),
            at: Instant::now(),
        }
    }

    /// It is about a property: its state is told again at synchronization points.
    #[must_use]
    pub fn property(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Adds an item that tells where.
    #[must_use]
    pub fn source(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.source.push((name.into(), value.into()));
        self
    }

    /// Adds an item that tells which instance.
    #[must_use]
    pub fn key(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.key.push((name.into(), value.into()));
        self
    }

    /// Adds an item that tells what.
    #[must_use]
    pub fn data(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.data.push((name.into(), value.into()));
        self
    }

    /// The segments of the topic without prefixes.
    pub(crate) fn path(&self) -> Vec<&str> {
        let segments = self.topic.split('/');
        segments
            .map(|segment| segment.rsplit(':').next().unwrap_or(segment))
            .collect()
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        [&self.source, &self.key, &self.data]
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether both are about the same property.
    pub(crate) fn same_property(&self, other: &Self) -> bool {
        self.topic == other.topic && self.source == other.source && self.key == other.key
    }
}

impl Topic {
    /// An event of one of the camera's own topics.
    pub(crate) fn event(self, operation: Operation, value: bool) -> Event {
        let own = |text: &&str| (*text).to_owned();
        let source = self.source().iter();
        Event {
            source: source
                .map(|(name, value)| (own(name), own(value)))
                .collect(),
            ..Event::new(format!("tns1:{}", self.path().join("/")))
                .property(operation)
                .data(self.data(), value.to_string())
        }
    }
}
