//! What went wrong, whose fault it is, and so what the runtime does about it.

use std::error::Error as StdError;
use std::fmt::Display;

/// An error of a connector.
///
/// Its [kind](Error::kind) decides what the runtime does next. Its message ends up in the status of the device or
/// asset: it says what an operator can do, and never holds a secret.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Whose fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The specification of the endpoint, asset or element cannot be served as it stands: the operator's to change.
    /// Not tried again before it changes.
    Configuration,
    /// The device refused the credentials. Tried again only after minutes, so that no account is locked.
    Unauthorized,
    /// The device or the connector does not have what is asked for. Not tried again before the specification changes.
    Unsupported,
    /// The device or the network between is not there. Tried again for ever, with backoff.
    Unavailable,
    /// The device answered against its protocol, or refused the request. Tried again for ever, with backoff.
    Device,
    /// The payload of a command is not what the command takes: the caller's fault.
    InvalidPayload,
    /// The broker did not take a message. Tried again for ever, with backoff.
    NotDelivered,
    /// The connector itself failed, which is a bug. The element is started anew, with backoff.
    Internal,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(message: impl Display) -> Self {
            Self::new(ErrorKind::$kind, message)
        }
    )*};
}

impl Error {
    /// An error of this kind. The message is one sentence without a full stop.
    pub fn new(kind: ErrorKind, message: impl Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            source: None,
        }
    }

    constructors! {
        /// The specification cannot be served as it stands.
        configuration => Configuration;
        /// The device refused the credentials.
        unauthorized => Unauthorized;
        /// The device or the connector does not have what is asked for.
        unsupported => Unsupported;
        /// The device or the network between is not there.
        unavailable => Unavailable;
        /// The device answered against its protocol, or refused the request.
        device => Device;
        /// The payload of a command is not what the command takes.
        invalid_payload => InvalidPayload;
    }

    /// Chains the cause.
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: Some(cause.into()),
            ..self
        }
    }

    /// Whose fault the error is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same thing may succeed later, with nothing changed by an operator.
    pub fn is_transient(&self) -> bool {
        !matches!(
            self.kind,
            ErrorKind::Configuration | ErrorKind::Unsupported | ErrorKind::InvalidPayload
        )
    }

    /// The message with those of its causes, for a status or a log line.
    pub fn report(&self) -> String {
        let mut report = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many errors repeat their cause in their own message.
            if !report.contains(&text) {
                report.push_str(": ");
                report.push_str(&text);
            }
            cause = error.source();
        }
        report
    }
}

impl ErrorKind {
    /// The code that stands in a status and in a health report.
    pub fn code(self) -> &'static str {
        match self {
            Self::Configuration => "InvalidConfiguration",
            Self::Unauthorized => "Unauthorized",
            Self::Unsupported => "Unsupported",
            Self::Unavailable => "Unavailable",
            Self::Device => "DeviceError",
            Self::InvalidPayload => "InvalidPayload",
            Self::NotDelivered => "NotDelivered",
            Self::Internal => "InternalError",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_each_cause_once() {
        let error = Error::unavailable("camera 10.0.0.5 does not answer: connection refused")
            .because(std::io::Error::other("connection refused"));
        assert_eq!(
            error.report(),
            "camera 10.0.0.5 does not answer: connection refused"
        );
        let error =
            Error::unavailable("no camera").because(std::io::Error::other("connection refused"));
        assert_eq!(error.report(), "no camera: connection refused");
    }

    #[test]
    fn what_an_operator_must_change_is_not_transient() {
        assert!(!Error::configuration("taskType is missing").is_transient());
        assert!(!Error::unsupported("no datasets").is_transient());
        assert!(Error::unavailable("no route").is_transient());
        assert!(Error::unauthorized("refused").is_transient());
    }
}
