//! Errors of this crate in the words of the vectors.

use std::collections::BTreeMap;

use aio_registry::mrpc::Status;
use aio_registry::{Error, PublishError};
use jiff::SignedDuration;

use crate::case::Catch;

/// An error as the vectors describe one.
#[derive(Debug, Default)]
pub struct Caught {
    kind: &'static str,
    /// Whether nothing was sent before it.
    shallow: bool,
    remote: bool,
    message: String,
    supplemental: BTreeMap<&'static str, String>,
}

impl Caught {
    fn new(kind: &'static str) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    pub fn shallow(self, shallow: bool) -> Self {
        Self { shallow, ..self }
    }

    /// What a serializer of the application says, which this crate has none of.
    pub fn invalid_payload() -> Self {
        Self::new("invalid payload")
    }

    /// What a serializer of the application says of a format it does not take.
    pub fn invalid_content_type(content_type: Option<&str>) -> Self {
        Self::header("Content Type", Some(content_type.unwrap_or_default()))
    }

    /// What an attribute is that the application cannot even make.
    pub fn invalid_cloud_event(message: String) -> Self {
        let caught = Self::new("invalid configuration");
        Self {
            message,
            ..caught.with("property-name", Some("cloud_event"))
        }
    }

    fn with(mut self, name: &'static str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.supplemental.insert(name, value.to_owned());
        }
        self
    }

    /// The names that options have in the vectors differ between commands and telemetry.
    pub fn of_command(error: &Error) -> Self {
        Self::of(error, "requesttopicpattern")
    }

    pub fn of_telemetry(error: &Error) -> Self {
        Self::of(error, "topicpattern")
    }

    fn of(error: &Error, pattern: &str) -> Self {
        let caught = match error {
            Error::InvalidOption { option, value, .. } => {
                let option = match option.as_str() {
                    "pattern" => pattern,
                    "namespace" => "topicnamespace",
                    "name" => "commandname",
                    "response_prefix" => "responsetopicprefix",
                    "response_suffix" => "responsetopicsuffix",
                    "response_pattern" => "responsetopicpattern",
                    "timeout" => "commandtimeout",
                    "max_timeout" => "executiontimeout",
                    other => other,
                };
                Self::new("invalid configuration")
                    .with("property-name", Some(option))
                    .with("property-value", value.as_deref())
            }
            Error::Invalid { .. } => Self::new("invalid configuration"),
            Error::Publish { source, .. } => Self::of_publish(source),
            Error::Closed => Self::new("mqtt error"),
            Error::SubscribeRefused { owner, .. } | Error::UnsubscribeRefused { owner, .. } => {
                Self::new("mqtt error").with("command-name", owner.as_deref())
            }
            Error::Timeout { after, .. } => {
                let after = SignedDuration::try_from(*after).unwrap_or_default();
                Self::new("timeout").with("timeout-value", Some(&after.to_string()))
            }
            Error::UnsupportedVersion {
                version, supported, ..
            } => Self::new("unsupported version")
                .with("protocol-version", Some(version))
                .with("supported-protocols", Some(supported)),
            Error::Header { name, value, .. } => Self::header(name, value.as_deref()),
            Error::Clock { .. } => Self::new("invalid state"),
            Error::Protocol { .. } => Self::invalid_payload(),
            Error::Remote {
                status,
                application,
                property,
                value,
                ..
            } => Self::remote(*status, *application, property.as_deref(), value.as_deref()),
            other => panic!("an error that no command and no telemetry can have: {other}"),
        };
        Self {
            remote: matches!(
                error,
                Error::Remote { .. } | Error::UnsupportedVersion { remote: true, .. }
            ),
            message: match error {
                Error::Remote { message, .. } | Error::UnsupportedVersion { message, .. } => {
                    message.clone()
                }
                other => other.to_string(),
            },
            ..caught
        }
    }

    pub fn of_publish(error: &PublishError) -> Self {
        let caught = match error {
            PublishError::Invalid { what, .. } => {
                Self::new("invalid configuration").with("property-name", Some(what))
            }
            PublishError::Timeout { .. } => Self::new("timeout"),
            _ => Self::new("mqtt error"),
        };
        Self {
            message: error.to_string(),
            ..caught
        }
    }

    fn header(name: &str, value: Option<&str>) -> Self {
        let kind = match value {
            Some(_) => "invalid header",
            None => "missing header",
        };
        Self::new(kind)
            .with("header-name", Some(name))
            .with("header-value", value)
    }

    fn remote(
        status: Status,
        application: bool,
        property: Option<&str>,
        value: Option<&str>,
    ) -> Self {
        let of = |kind| {
            Self::new(kind)
                .with("property-name", property)
                .with("property-value", value)
        };
        match (status, property) {
            (Status::BadRequest, None) => Self::invalid_payload(),
            (Status::BadRequest | Status::UnsupportedContentType, Some(name)) => {
                Self::header(name, value)
            }
            (Status::UnsupportedContentType, None) => Self::new("invalid header"),
            (Status::Timeout, name) => Self::new("timeout")
                .with("timeout-name", name)
                .with("timeout-value", value),
            (Status::Internal, _) if application => of("execution error"),
            (Status::Internal, Some(_)) => of("internal logic error"),
            (Status::Unavailable, _) => of("invalid state"),
            _ => of("unknown error"),
        }
    }

    /// Compares with what a case expects.
    pub fn check(&self, catch: &Catch) -> Result<(), String> {
        let wrong = |what: &str, expected: &str, found: &str| {
            Err(format!(
                "the error's {what} is {found:?} and not {expected:?}: {}",
                self.message
            ))
        };
        if self.kind != catch.error_kind {
            return wrong("kind", &catch.error_kind, self.kind);
        }
        for (what, expected, found) in [
            ("is-shallow", catch.is_shallow, self.shallow),
            ("is-remote", catch.is_remote, self.remote),
        ] {
            if let Some(expected) = expected.filter(|expected| *expected != found) {
                return wrong(what, &expected.to_string(), &found.to_string());
            }
        }
        if let Some(message) = &catch.message
            && *message != self.message
        {
            return wrong("message", message, &self.message);
        }
        for (name, expected) in &catch.supplemental {
            let found = self.supplemental.get(name.as_str()).map(String::as_str);
            let Some(expected) = expected else {
                match found {
                    Some(found) => return wrong(name, "none", found),
                    None => continue,
                }
            };
            let found = found.unwrap_or_default();
            let equal = match name.as_str() {
                // Names are spelled as each language spells them.
                "property-name" | "timeout-name" => plain(found) == plain(expected),
                // PT60S is PT1M.
                "timeout-value" => duration(found)? == duration(expected)?,
                "header-name"
                | "header-value"
                | "property-value"
                | "command-name"
                | "protocol-version"
                | "supported-protocols" => found == expected,
                other => return Err(format!("an error has no {other:?}")),
            };
            if !equal {
                return wrong(name, expected, found);
            }
        }
        Ok(())
    }
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let duration = text.parse();
    duration.map_err(|error| format!("{text:?} is no duration: {error}"))
}

/// A name without what languages spell differently.
fn plain(name: &str) -> String {
    let separator = |letter: &char| !['_', '-', ' ', '.'].contains(letter);
    name.chars()
        .filter(separator)
        .collect::<String>()
        .to_lowercase()
}
