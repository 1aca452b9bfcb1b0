use std::path::PathBuf;
use std::time::Duration;

use crate::PublishError;

/// What went wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name, option, topic or document is not one the contract allows.
    #[error("{what} is refused: {reason}")]
    Invalid {
        /// What was given.
        what: String,
        /// The rule it breaks.
        reason: String,
    },
    /// There is nothing of that name.
    #[error("there is no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// There is something of that name already, and it is not overwritten.
    #[error("{what} exists already; delete it first, or choose another name")]
    AlreadyExists {
        /// What was to be created.
        what: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {path}", path = path.display())]
    Storage {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A message could not be delivered to the broker.
    #[error("cannot publish to {topic}")]
    Publish {
        /// The topic.
        topic: String,
        /// Why it failed.
        source: PublishError,
    },
    /// The broker refused a subscription.
    #[error("the broker refused the subscription to {filter}: {reason}")]
    SubscribeRefused {
        /// The topic filter.
        filter: String,
        /// The reason code in words.
        reason: String,
    },
    /// Nothing came back in time.
    #[error("{what}: no answer within {after:?}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        after: Duration,
    },
    /// The session was closed.
    #[error("the MQTT session was closed")]
    Closed,
    /// The other side of an RPC answered with an error status.
    #[error("{topic} answered {status}{}", detail(message))]
    Remote {
        /// The request's topic.
        topic: String,
        /// What kind of error.
        status: crate::mrpc::Status,
        /// What the other side said.
        message: String,
        /// The header property it complained about.
        property: Option<String>,
    },
    /// The other side of an RPC or a telemetry sender broke the protocol.
    #[error("{what} breaks the protocol: {reason}")]
    Protocol {
        /// The message.
        what: String,
        /// The rule it breaks.
        reason: String,
    },
}

/// Whose fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's: an argument, a name, a document.
    Caller,
    /// Nobody's: it does not exist, or exists already.
    State,
    /// The machine's: disk or permissions.
    Storage,
    /// The network's or the broker's: trying again may help.
    Network,
    /// The broker or the peer said no.
    Refused,
    /// The peer broke the protocol.
    Peer,
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Caller,
            Self::NotFound { .. } | Self::AlreadyExists { .. } => ErrorKind::State,
            Self::Storage { .. } => ErrorKind::Storage,
            Self::Publish { source, .. } => source.kind(),
            Self::Timeout { .. } | Self::Closed => ErrorKind::Network,
            Self::SubscribeRefused { .. } | Self::Remote { .. } => ErrorKind::Refused,
            Self::Protocol { .. } => ErrorKind::Peer,
        }
    }

    /// Whether the same call may succeed later with nothing changed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Storage { .. } => true,
            Self::Publish { source, .. } => source.is_transient(),
            Self::Remote { status, .. } => status.is_transient(),
            _ => false,
        }
    }
}

fn detail(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}
