use std::time::Duration;

use crate::auth::AuthenticationPaused;
use crate::media::PictureProblem;
use crate::soap::Fault;
use crate::transport::TransportError;
use crate::uri::UriError;
use crate::xml::{DecodeError, EncodeError};

/// What went wrong, and whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked for something that cannot be done.
    #[error("{0}")]
    Caller(String),
    /// The caller gave a value that XML cannot carry.
    #[error("{operation}: {source}")]
    Encode {
        /// The operation.
        operation: String,
        /// What cannot be written.
        source: EncodeError,
    },
    /// The camera understood the request and refused it.
    #[error("{operation}: the camera at {host} refused: {fault}")]
    Refused {
        /// The operation.
        operation: String,
        /// Host of the camera.
        host: String,
        /// What it said.
        fault: Box<Fault>,
    },
    /// The camera does not accept the credentials, or wants some and has none.
    #[error("{operation}: {}", unauthorized(host, user.as_deref()))]
    Unauthorized {
        /// The operation.
        operation: String,
        /// Host of the camera.
        host: String,
        /// The user that was refused; `None` when no credentials were given.
        user: Option<String>,
    },
    /// Credentials were refused a short while ago, so no attempt was made.
    #[error("{operation}: {source}")]
    AuthenticationPaused {
        /// The operation.
        operation: String,
        /// How long the pause lasts.
        source: AuthenticationPaused,
    },
    /// The camera answered with something that is not SOAP.
    #[error("{operation}: the answer of {host} is not SOAP (HTTP {status}): {snippet}")]
    NotSoap {
        /// The operation.
        operation: String,
        /// Host of the camera.
        host: String,
        /// HTTP status.
        status: u16,
        /// Why, and the beginning of the answer.
        snippet: String,
    },
    /// The camera answered with SOAP that cannot be used.
    #[error("{operation}: the answer of {host} cannot be used: {source}")]
    Malformed {
        /// The operation.
        operation: String,
        /// Host of the camera.
        host: String,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The camera handed out a URI that cannot or may not be used.
    #[error("{what}: {source}")]
    Uri {
        /// What the URI is for.
        what: String,
        /// What is wrong with it.
        source: UriError,
    },
    /// A snapshot URI delivered something that is no picture.
    #[error("the snapshot of {host} is no picture: {reason}")]
    NotAPicture {
        /// Host of the camera.
        host: String,
        /// What came instead.
        reason: PictureProblem,
    },
    /// The network, or the camera's TCP or TLS, failed.
    #[error("{operation}: {host}: {source}")]
    Network {
        /// The operation.
        operation: String,
        /// Host of the camera.
        host: String,
        /// What failed.
        source: TransportError,
    },
    /// The camera does not have what was asked for.
    #[error("the camera at {host} does not support {what}")]
    Unsupported {
        /// Host of the camera.
        host: String,
        /// What it lacks.
        what: String,
    },
}

/// Whose fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's: repeating cannot help.
    Caller,
    /// The camera refused the request with a fault.
    Refused,
    /// The credentials are wrong or missing.
    Unauthorized,
    /// The camera breaks the protocol.
    Misbehaved,
    /// The network or the connection failed.
    Network,
    /// The camera lacks the function.
    Unsupported,
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Caller(_) | Self::Encode { .. } => ErrorKind::Caller,
            Self::Refused { fault, .. } if fault.is_unsupported() => ErrorKind::Unsupported,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::Unauthorized { .. } | Self::AuthenticationPaused { .. } => {
                ErrorKind::Unauthorized
            }
            Self::NotSoap { .. }
            | Self::Malformed { .. }
            | Self::Uri { .. }
            | Self::NotAPicture { .. } => ErrorKind::Misbehaved,
            Self::Network { source, .. } if source.is_misbehaviour() => ErrorKind::Misbehaved,
            Self::Network { .. } => ErrorKind::Network,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Network { source, .. } => source.is_transient(),
            Self::NotSoap { status, .. } => *status >= 500 || *status == 429,
            Self::Refused { fault, .. } => fault.is_retryable(),
            _ => false,
        }
    }

    /// Whether a camera that was asked for a snapshot has none to give over HTTP, so that a picture
    /// has to come from its stream.
    pub fn needs_stream(&self) -> bool {
        match self {
            Self::Refused { fault, .. } => !fault.is_retryable(),
            Self::Unsupported { .. } | Self::NotAPicture { .. } | Self::Uri { .. } => true,
            _ => false,
        }
    }

    /// The fault, when the camera sent one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// How long to wait before credentials are tried again, when they are paused.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::AuthenticationPaused { source, .. } => Some(source.retry_after),
            _ => None,
        }
    }
}

fn unauthorized(host: &str, user: Option<&str>) -> String {
    match user {
        Some(user) => format!(
            "the camera at {host} does not accept the credentials of `{user}`; check the password, and that \
             the user exists as an ONVIF user on the camera and may do this"
        ),
        None => format!("the camera at {host} requires credentials and none were given"),
    }
}
