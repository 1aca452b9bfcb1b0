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
    /// An option, or the value of a topic's token, is not one that works.
    #[error("{option}{} is refused: {reason}", .value.as_ref().map(|value| format!(" {value:?}")).unwrap_or_default())]
    InvalidOption {
        /// The name of the option or token.
        option: String,
        /// What was given; `None` when nothing was.
        value: Option<String>,
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
    #[error(
        "the broker refused the subscription to {filter}{}: {reason}",
        of(owner)
    )]
    SubscribeRefused {
        /// The topic filter.
        filter: String,
        /// The name of the executor, invoker or receiver it is of.
        owner: Option<String>,
        /// The reason code in words.
        reason: String,
    },
    /// The broker refused to end a subscription.
    #[error(
        "the broker refused to end the subscription to {filter}{}: {reason}",
        of(owner)
    )]
    UnsubscribeRefused {
        /// The topic filter.
        filter: String,
        /// The name of the executor or receiver it is of.
        owner: Option<String>,
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
        /// Whether the application failed (`__apErr`), and not the protocol.
        application: bool,
        /// What the other side said.
        message: String,
        /// The header or property it complained about (`__propName`).
        property: Option<String>,
        /// The value it complained about (`__propVal`).
        value: Option<String>,
    },
    /// A service answered with an error of its own: the device registry, the schema registry or the state store.
    #[error("{operation} was refused with {code}: {message}")]
    Service {
        /// What was asked for.
        operation: String,
        /// The service's word or number for it, such as `BadRequest` or `404`.
        code: String,
        /// What the service said.
        message: String,
    },
    /// Either side of an RPC does not speak the protocol version of the other.
    #[error(
        "{topic}: protocol version {version:?} is not supported, but {supported:?}{}",
        detail(message)
    )]
    UnsupportedVersion {
        /// The request's topic.
        topic: String,
        /// The version that is not supported.
        version: String,
        /// The major versions that are, separated by spaces.
        supported: String,
        /// Whether the other side says so, or this one does.
        remote: bool,
        /// What the other side said.
        message: String,
    },
    /// A header of a message is missing or cannot be read.
    #[error("{what} has a bad header {name}{}: {reason}", .value.as_ref().map(|value| format!(" {value:?}")).unwrap_or_default())]
    Header {
        /// The message.
        what: String,
        /// The header.
        name: String,
        /// Its value; `None` when it is missing.
        value: Option<String>,
        /// The rule it breaks.
        reason: String,
    },
    /// The clocks of two machines differ too much.
    #[error(
        "the time {time} is more than 60 s ahead of the clock of this machine; synchronise the clocks"
    )]
    Clock {
        /// The time of the other machine, as `__ts` spells it.
        time: String,
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
            Self::Invalid { .. } | Self::InvalidOption { .. } => ErrorKind::Caller,
            Self::NotFound { .. } | Self::AlreadyExists { .. } => ErrorKind::State,
            Self::Storage { .. } => ErrorKind::Storage,
            Self::Publish { source, .. } => source.kind(),
            Self::Timeout { .. } | Self::Closed => ErrorKind::Network,
            Self::SubscribeRefused { .. }
            | Self::UnsubscribeRefused { .. }
            | Self::Remote { .. }
            | Self::Service { .. }
            | Self::UnsupportedVersion { .. } => ErrorKind::Refused,
            Self::Header { .. } | Self::Clock { .. } | Self::Protocol { .. } => ErrorKind::Peer,
        }
    }

    /// Says whose subscription the broker refused to begin or to end.
    pub(crate) fn owned_by(mut self, name: &str) -> Self {
        if let Self::SubscribeRefused { owner, .. } | Self::UnsubscribeRefused { owner, .. } =
            &mut self
        {
            *owner = Some(name.to_owned());
        }
        self
    }

    /// Whether the same call may succeed later with nothing changed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Storage { .. } => true,
            Self::Publish { source, .. } => source.is_transient(),
            Self::Remote { status, .. } => status.is_transient(),
            Self::Service { code, .. } => {
                matches!(code.as_str(), "InternalError" | "KubeError" | "500")
            }
            _ => false,
        }
    }
}

fn of(owner: &Option<String>) -> String {
    owner
        .as_ref()
        .map(|owner| format!(" of {owner}"))
        .unwrap_or_default()
}

fn detail(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}
