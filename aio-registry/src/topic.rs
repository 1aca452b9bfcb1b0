//! MQTT topics: checks, matching, and names made safe for one level.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::Error;

/// Checks a topic to publish to: not empty, no wildcard, no control character, at most 65,535 bytes.
///
/// # Errors
/// [`Error::Invalid`] says which rule it breaks.
pub fn check_topic(topic: &str) -> Result<(), Error> {
    if topic.is_empty() {
        return Err(invalid("topic", topic, "it is empty"));
    }
    if topic.contains(['+', '#']) || !is_text(topic) {
        return Err(invalid(
            "topic",
            topic,
            "it holds a wildcard (+ or #) or a control character",
        ));
    }
    check_length("topic", topic)
}

/// Checks a topic filter: `+` and `#` only as whole levels, `#` only last, a `$share/` prefix with group and filter.
///
/// # Errors
/// [`Error::Invalid`] says which rule it breaks.
pub fn check_filter(filter: &str) -> Result<(), Error> {
    let (group, rest) = split_share(filter);
    if group.is_some_and(|group| group.is_empty() || group.contains(['+', '#'])) {
        return Err(invalid(
            "topic filter",
            filter,
            "the group of $share/GROUP/FILTER is empty or holds a wildcard",
        ));
    }
    if rest.is_empty() || !is_text(filter) {
        return Err(invalid(
            "topic filter",
            filter,
            "it is empty or holds a control character",
        ));
    }
    let mut levels = rest.split('/').peekable();
    while let Some(level) = levels.next() {
        let wildcard = level.contains(['+', '#']);
        if wildcard && (level.len() > 1 || (level == "#" && levels.peek().is_some())) {
            return Err(invalid(
                "topic filter",
                filter,
                "+ and # stand for whole levels, and # comes last",
            ));
        }
    }
    check_length("topic filter", filter)
}

/// Checks a label, one level of a topic: not empty, printable ASCII except space `"` `+` `#` `{` `}` `/`, no leading `$`.
///
/// # Errors
/// [`Error::Invalid`] says which rule it breaks.
pub fn check_label(label: &str) -> Result<(), Error> {
    if !is_label(label) || label.starts_with('$') {
        let reason = format!("{LABEL}, and begins with no $");
        return Err(invalid("topic label", label, &reason));
    }
    check_length("topic label", label)
}

/// Makes any text one safe level of a topic: everything but ASCII letters, digits, `-`, `_` and `.` becomes `%XX`. Different
/// texts give different levels; [`unescape_level`] gives the text back.
pub fn escape_level(text: &str) -> String {
    let mut level = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            level.push(char::from(byte));
        } else {
            write!(level, "%{byte:02X}").expect("writing to a String does not fail");
        }
    }
    level
}

/// The text that [`escape_level`] made the level of, or `None` when it made no such level.
pub fn unescape_level(level: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(level.len());
    let mut rest = level.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(is_plain(byte).then_some(byte)?);
            continue;
        }
        let digits = rest.get(..2).filter(|digits| {
            digits
                .iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'))
        })?;
        let byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if is_plain(byte) {
            return None;
        }
        bytes.push(byte);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// Whether a topic filter, which may be a `$share/<group>/` one, matches a topic (MQTT 5, 4.7).
pub fn matches(filter: &str, topic: &str) -> bool {
    let (_, filter) = split_share(filter);
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut names = topic.split('/');
    for level in filter.split('/') {
        if level == "#" {
            return true;
        }
        match names.next() {
            Some(name) if level == "+" || level == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

/// A topic with tokens, such as `azure-iot-operations/asset-operations/{asset}/{group}/{action}`. A token fills one level;
/// where it occurs twice, both levels are the same.
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
    /// [`Error::InvalidOption`] `pattern`, when a level is empty or no label (see [`check_label`]; only the first may not
    /// begin with `$`).
    pub fn parse(pattern: &str) -> Result<Self, Error> {
        Self::parse_option("pattern", pattern)
    }

    /// Reads the pattern that an option of that name holds.
    pub(crate) fn parse_option(option: &str, pattern: &str) -> Result<Self, Error> {
        let refused = |reason: &str| option_error(option, Some(pattern), reason);
        if pattern.len() > usize::from(u16::MAX) {
            return Err(refused("it has more than 65,535 bytes"));
        }
        let mut levels = Vec::new();
        for level in pattern.split('/') {
            let token = level
                .strip_prefix('{')
                .and_then(|level| level.strip_suffix('}'));
            if !is_label(token.unwrap_or(level)) {
                return Err(refused(LABEL));
            }
            levels.push(match token {
                Some(token) => Level::Token(token.to_owned()),
                None if levels.is_empty() && level.starts_with('$') => {
                    return Err(refused("the first level begins with $"));
                }
                None => Level::Text(level.to_owned()),
            });
        }
        Ok(Self { levels })
    }

    /// The pattern below a namespace, one or more levels without tokens.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] `namespace`, when a level of it is empty, a token or no label.
    pub fn in_namespace(&self, namespace: &str) -> Result<Self, Error> {
        let space = Self::parse_option("namespace", namespace)?;
        if space
            .levels
            .iter()
            .any(|level| matches!(level, Level::Token(_)))
        {
            let reason = "a namespace holds no tokens";
            return Err(option_error("namespace", Some(namespace), reason));
        }
        Ok(space.join(self))
    }

    /// This pattern, and the other one below it.
    pub(crate) fn join(&self, below: &Self) -> Self {
        Self {
            levels: self.levels.iter().chain(&below.levels).cloned().collect(),
        }
    }

    /// The same pattern with the given tokens filled in; tokens that are not given stay.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] names a token whose value is no label (see [`check_label`]).
    pub fn with(&self, tokens: &BTreeMap<String, String>) -> Result<Self, Error> {
        let fill = |(index, level): (usize, &Level)| match level {
            Level::Token(name) if tokens.contains_key(name) => {
                let value = &tokens[name];
                if !is_label(value) || (index == 0 && value.starts_with('$')) {
                    return Err(option_error(name, Some(value), LABEL));
                }
                Ok(Level::Text(value.clone()))
            }
            other => Ok(other.clone()),
        };
        Ok(Self {
            levels: self
                .levels
                .iter()
                .enumerate()
                .map(fill)
                .collect::<Result<_, Error>>()?,
        })
    }

    /// The filter that matches every topic of the pattern: tokens become `+`.
    pub fn filter(&self) -> String {
        let levels = self.levels.iter().map(|level| match level {
            Level::Text(text) => text.as_str(),
            Level::Token(_) => "+",
        });
        levels.collect::<Vec<_>>().join("/")
    }

    /// The values of the tokens in a topic, or `None` when it is not one of the pattern.
    pub fn tokens(&self, topic: &str) -> Option<BTreeMap<String, String>> {
        let mut values = BTreeMap::<String, String>::new();
        let mut names = topic.split('/');
        for level in &self.levels {
            let name = names.next()?;
            match level {
                Level::Text(text) if text == name => {}
                Level::Text(_) => return None,
                Level::Token(token) => {
                    let earlier = values.insert(token.clone(), name.to_owned());
                    if earlier.is_some_and(|earlier| earlier != name) {
                        return None;
                    }
                }
            }
        }
        names.next().is_none().then_some(values)
    }

    /// The topic, once every token is filled in.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] names a token that is not.
    pub fn topic(&self) -> Result<String, Error> {
        let levels = self.levels.iter().map(|level| match level {
            Level::Text(text) => Ok(text.as_str()),
            Level::Token(token) => Err(option_error(
                token,
                None,
                "the topic has a token of this name, and it was given no value",
            )),
        });
        Ok(levels.collect::<Result<Vec<_>, Error>>()?.join("/"))
    }
}

const LABEL: &str = "a level is printable ASCII without space, \" + # { } /, and not empty";

fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"+#{}/".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Whether a topic consists of labels alone, as those of the contract do; MQTT allows more.
pub(crate) fn is_strict(topic: &str) -> bool {
    topic.len() <= usize::from(u16::MAX)
        && !topic.starts_with('$')
        && topic.split('/').all(is_label)
}

/// Whether MQTT allows a text (MQTT 5, 1.5.4). Mosquitto closes the connection of who sends one with other characters.
pub(crate) fn is_text(text: &str) -> bool {
    !text.chars().any(is_refused)
}

/// A text from outside in a size and with characters that are fit for a header or an error.
pub(crate) fn shown(text: &str) -> String {
    let allowed = |letter| if is_refused(letter) { ' ' } else { letter };
    text.chars().take(500).map(allowed).collect()
}

/// Control characters and those that Unicode keeps free.
fn is_refused(letter: char) -> bool {
    let code = u32::from(letter);
    letter.is_control() || (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

fn split_share(filter: &str) -> (Option<&str>, &str) {
    let Some(shared) = filter.strip_prefix("$share/") else {
        return (None, filter);
    };
    let (group, rest) = shared.split_once('/').unwrap_or((shared, ""));
    (Some(group), rest)
}

/// The group of a `$share/GROUP/FILTER`.
pub(crate) fn share_group(filter: &str) -> Option<&str> {
    split_share(filter).0
}

fn check_length(what: &str, text: &str) -> Result<(), Error> {
    if text.len() > usize::from(u16::MAX) {
        return Err(invalid(what, text, "it has more than 65,535 bytes"));
    }
    Ok(())
}

pub(crate) fn option_error(option: &str, value: Option<&str>, reason: &str) -> Error {
    Error::InvalidOption {
        option: option.to_owned(),
        value: value.map(|value| value.chars().take(200).collect()),
        reason: reason.to_owned(),
    }
}

fn invalid(what: &str, text: &str, reason: &str) -> Error {
    let shown: String = text.chars().take(120).collect();
    Error::Invalid {
        what: format!("{what} {shown:?}"),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_filters_as_mqtt_says() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/+", "a/b", true),
            ("a/+", "a/b/c", false),
            ("a/+", "a", false),
            ("a/#", "a/b/c", true),
            ("a/#", "a", true),
            ("#", "a", true),
            ("+/b", "/b", true),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$share/g/a/+", "a/b", true),
            ("$share/g/a/+", "g/a/b", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} and {topic}");
        }
    }

    #[test]
    fn refuses_topics_and_filters_that_could_inject() {
        for topic in ["", "a/+", "#", "a\0b", "a\nb", "a\u{85}b", "a\u{ffff}b"] {
            assert!(check_topic(topic).is_err(), "{topic:?}");
        }
        assert!(check_topic(&"a".repeat(65_536)).is_err());
        for filter in [
            "",
            "a/#/b",
            "a+/b",
            "a#",
            "$share//a",
            "$share/g",
            "$share/+/a",
            "a\0",
            "a\t/+",
        ] {
            assert!(check_filter(filter).is_err(), "{filter:?}");
        }
        for label in ["", "$a", "a b", "a/b", "a+", "#", "{a}", "a\"b", "a\0", "ä"] {
            assert!(check_label(label).is_err(), "{label:?}");
        }
    }

    #[test]
    fn escapes_any_text_so_that_it_comes_back() {
        for text in ["cam1", "", "a/b+c#$\0", "Tür 7%", "%41", "..", "📷"] {
            let level = escape_level(text);
            assert!(
                !level.contains(['/', '+', '#', '$', '\0', ' ']),
                "{level:?}"
            );
            assert_eq!(unescape_level(&level).as_deref(), Some(text));
        }
    }

    #[test]
    fn unescapes_nothing_that_was_not_escaped() {
        for level in ["%41", "%2f", "%", "%2", "a b", "%FF", "%+1"] {
            assert_eq!(unescape_level(level), None, "{level:?}");
        }
    }

    #[test]
    fn fills_and_reads_the_tokens_of_a_pattern() {
        let pattern = TopicPattern::parse("ns/ops/{asset}/{group}/{action}").unwrap();
        assert_eq!(pattern.filter(), "ns/ops/+/+/+");
        let tokens = pattern.tokens("ns/ops/cam1/PTZ/Stop").unwrap();
        assert_eq!(tokens["group"], "PTZ");
        assert_eq!(
            pattern.with(&tokens).unwrap().topic().unwrap(),
            "ns/ops/cam1/PTZ/Stop"
        );
        assert_eq!(pattern.tokens("ns/ops/cam1/PTZ"), None);
        assert!(pattern.topic().is_err());
        assert!(
            pattern
                .with(&BTreeMap::from([("asset".into(), "a/+".into())]))
                .is_err()
        );
        for bad in ["", "a//b", "/a", "$a/b", "a/{in/valid}", "a/{}", "a/b c"] {
            assert!(TopicPattern::parse(bad).is_err(), "{bad:?}");
        }
        assert!(TopicPattern::parse("a/$b").is_ok());
    }

    #[test]
    fn a_token_that_occurs_twice_is_the_same_in_both_places() {
        let pattern = TopicPattern::parse("{a}/x/{a}").unwrap();
        assert_eq!(pattern.filter(), "+/x/+");
        assert_eq!(pattern.tokens("1/x/1").unwrap()["a"], "1");
        assert_eq!(pattern.tokens("1/x/2"), None);
    }

    #[test]
    fn a_namespace_goes_before_the_pattern_and_holds_no_tokens() {
        let pattern = TopicPattern::parse("x/{a}").unwrap();
        assert_eq!(pattern.in_namespace("n/m").unwrap().filter(), "n/m/x/+");
        for bad in ["", "/n", "n/", "n/{a}", "$n", "n/+"] {
            assert!(
                matches!(pattern.in_namespace(bad), Err(Error::InvalidOption { option, .. }) if option == "namespace"),
                "{bad:?}"
            );
        }
    }
}
