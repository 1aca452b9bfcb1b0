//! Why a camera did not start, or was not set up.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a camera did not start, or was not set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address could not be listened on.
    #[error(
        "cannot listen on {address} for {purpose}; choose another address, or port 0 for any free one"
    )]
    Listen {
        /// What the socket is for.
        purpose: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// HTTPS could not be set up.
    #[error("cannot serve HTTPS: {reason}; check the root certificates for clients")]
    Tls {
        /// What is wrong.
        reason: String,
    },
    /// A stream cannot be added, or streams cannot be sent to a group.
    #[error("the stream {name} cannot be served: {reason}")]
    Stream {
        /// The name of the stream, or the address of the group.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// There are not enough ports for a fleet.
    #[error(
        "there are not {count} ports from {first} on; choose a lower first port, or 0 for any free ones"
    )]
    Ports {
        /// The first port.
        first: u16,
        /// How many cameras there are.
        count: usize,
    },
    /// The configuration of a fleet cannot be used.
    #[error("the configuration is wrong: {reason}")]
    Config {
        /// What is wrong, and in which line.
        reason: String,
    },
    /// What a camera said cannot be played back, or cannot be recorded.
    #[error("the recording in {} cannot be used: {reason}", folder.display())]
    Recording {
        /// Where it is.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no such quirk, or it does not take this value.
    #[error("a quirk is wrong: {name} {reason}; `Quirks::all` and `--quirk list` name them")]
    Quirk {
        /// The field of [`Quirks`](crate::Quirks).
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such preset of quirks.
    #[error("there is no preset {name}; `Quirks::presets` and `--quirks list` name them")]
    Preset {
        /// The name asked for.
        name: String,
    },
}

/// Whose fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked for an address that cannot be had.
    Caller,
    /// The machine or its network is short of something.
    Network,
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        let Self::Listen { source, .. } = self else {
            return ErrorKind::Caller;
        };
        match source.kind() {
            io::ErrorKind::AddrInUse
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::PermissionDenied => ErrorKind::Caller,
            _ => ErrorKind::Network,
        }
    }

    /// Whether trying again later can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let Self::Listen { source, .. } = self else {
            return false;
        };
        source.kind() != io::ErrorKind::PermissionDenied
    }
}
