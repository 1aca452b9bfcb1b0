//! MQTT topics: checks, matching, and names made safe for one level.

use std::collections::BTreeMap;

use crate::Error;

/// Checks a topic to publish to: not empty, no wildcard, no NUL, at most 65,535 bytes.
///
/// # Errors
/// [`Error::Invalid`] says which rule it breaks.
pub fn check_topic(topic: &str) -> Result<(), Error> {
    unimplemented!()
}

/// Checks a topic filter: `+` and `#` only as whole levels, `#` only last, a `$share/` prefix with group and filter.
///
/// # Errors
/// [`Error::Invalid`] says which rule it breaks.
pub fn check_filter(filter: &str) -> Result<(), Error> {
    unimplemented!()
}

/// Checks a label, one level of a topic: not empty, printable ASCII except space `"` `+` `#` `{` `}` `/`, no leading `$`.
///
/// # Errors
/// [`Error::Invalid`] says which rule it breaks.
pub fn check_label(label: &str) -> Result<(), Error> {
    unimplemented!()
}

/// Makes any text one safe level of a topic: everything but ASCII letters, digits, `-`, `_` and `.` becomes `%XX`. Different
/// texts give different levels; [`unescape_level`] gives the text back.
pub fn escape_level(text: &str) -> String {
    unimplemented!()
}

/// The text that [`escape_level`] made the level of, or `None` when it made no such level.
pub fn unescape_level(level: &str) -> Option<String> {
    unimplemented!()
}

/// Whether a topic filter, which may be a `$share/<group>/` one, matches a topic (MQTT 5, 4.7).
pub fn matches(filter: &str, topic: &str) -> bool {
    unimplemented!()
}

/// A topic with tokens, such as `azure-iot-operations/asset-operations/{asset}/{group}/{action}`. A token fills one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPattern {
    levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Text(String),
    Token(String),
}

impl TopicPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a level is empty or no label, or a token occurs twice.
    pub fn parse(pattern: &str) -> Result<Self, Error> {
        unimplemented!()
    }

    /// The same pattern with the given tokens filled in; tokens that are not given stay.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a value is no label (see [`check_label`]).
    pub fn with(&self, tokens: &BTreeMap<String, String>) -> Result<Self, Error> {
        unimplemented!()
    }

    /// The filter that matches every topic of the pattern: tokens become `+`.
    pub fn filter(&self) -> String {
        unimplemented!()
    }

    /// The values of the tokens in a topic, or `None` when it is not one of the pattern.
    pub fn tokens(&self, topic: &str) -> Option<BTreeMap<String, String>> {
        unimplemented!()
    }

    /// The topic, once every token is filled in.
    ///
    /// # Errors
    /// [`Error::Invalid`] names a token that is not.
    pub fn topic(&self) -> Result<String, Error> {
        unimplemented!()
    }
}
