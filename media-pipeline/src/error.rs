use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{Codec, Container};

/// What went wrong, and whose fault it is.
///
/// Cheap to clone: a hub hands the same error to all who wait for its stream.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be used for a stream; the caller must change it.
    #[error("cannot use the stream URL {url}: {reason}")]
    Url {
        /// The URL, without credentials.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An option has a value outside its range; the caller must change it.
    #[error("{option} {reason}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// The camera refused the user name or password, or asks for one and none is set.
    #[error("{url}: {reason}")]
    Unauthorized {
        /// The stream, without credentials.
        url: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The credentials failed too often: nothing is sent to the camera until the time is over, so that the
    /// account is not locked.
    #[error("{url}: the camera refused the credentials before; not trying again for {retry_in:?}")]
    HeldBack {
        /// The stream, without credentials.
        url: String,
        /// Time left until the next attempt is permitted.
        retry_in: Duration,
    },
    /// The camera answered a request with an RTSP error status.
    #[error("{url}: the camera answered {method} with {status} {reason}")]
    Refused {
        /// The stream, without credentials.
        url: String,
        /// Method of the request.
        method: String,
        /// Status code.
        status: u16,
        /// The camera's reason phrase, shortened.
        reason: String,
    },
    /// The camera sent more than a cap permits; the session was cut.
    #[error("{url}: the camera sent {cap} of more than {limit} bytes; the session was cut")]
    CapExceeded {
        /// The stream, without credentials.
        url: String,
        /// Which cap.
        cap: Cap,
        /// The cap in bytes.
        limit: usize,
    },
    /// The camera does not keep to the protocol.
    #[error("{url}: {reason}")]
    Misbehaved {
        /// The stream, without credentials.
        url: String,
        /// What the camera did.
        reason: String,
    },
    /// The camera cannot be reached, or the connection broke.
    #[error("{url}: {action}")]
    Network {
        /// The stream, without credentials.
        url: String,
        /// What was being done.
        action: String,
        /// The system's error, where there is one.
        #[source]
        source: Option<Arc<io::Error>>,
    },
    /// The connection stands but nothing arrives on it.
    #[error("{url}: nothing arrived for {after:?}")]
    Stalled {
        /// The stream, without credentials.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// No picture came in time for a snapshot; the stream may still be connecting or have rare key frames.
    #[error("no picture within {after:?}{}", trouble(last))]
    NoPicture {
        /// How long was waited.
        after: Duration,
        /// Why the stream was not running at that time, where known.
        #[source]
        last: Option<Arc<Error>>,
    },
    /// The stream can be read, but this crate cannot make pictures of it.
    #[error("cannot decode {codec}: {reason}")]
    Unsupported {
        /// The codec of the stream.
        codec: Codec,
        /// What is missing, and what to do.
        reason: String,
    },
    /// The stream has no video that this crate can read.
    #[error("{url}: no usable video stream (the camera offers {offered})")]
    NoVideo {
        /// The stream, without credentials.
        url: String,
        /// The media and encodings that the camera offers.
        offered: String,
    },
    /// A picture could not be decoded.
    #[error("cannot decode the picture: {reason}")]
    Decode {
        /// What the decoder says.
        reason: String,
    },
    /// A picture could not be encoded.
    #[error("cannot encode the picture: {reason}")]
    Encode {
        /// What the encoder says.
        reason: String,
    },
    /// The container of a clip cannot hold a track as it is coded; the caller must choose another one.
    #[error(
        "{container} files cannot hold {codec}{how} without decoding and encoding it again; these can: {fitting}"
    )]
    Container {
        /// The container.
        container: Container,
        /// Codec of the track.
        codec: Codec,
        /// What it is about the track, if not the codec as such.
        how: &'static str,
        /// The containers that can hold it.
        fitting: String,
    },
    /// A clip cannot be written.
    #[error("{}: {action}", path.display())]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's error.
        #[source]
        source: Arc<io::Error>,
    },
    /// The file system has less room than is to be left free.
    #[error("{}: {free} bytes are free, {floor} are to be left free; nothing is recorded until there is more room", path.display())]
    DiskFull {
        /// The folder of the clips.
        path: PathBuf,
        /// What is free.
        free: u64,
        /// What is to be left free.
        floor: u64,
    },
    /// The hub was closed.
    #[error("the stream was closed")]
    Closed,
}

fn trouble(last: &Option<Arc<Error>>) -> &'static str {
    if last.is_some() {
        "; the stream is not running"
    } else {
        ""
    }
}

/// Whose fault an [`Error`] is, for deciding what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller passed something unusable.
    Caller,
    /// The camera refused the credentials.
    Unauthorized,
    /// The camera refused the request.
    Refused,
    /// The camera broke the protocol or a cap.
    Misbehaved,
    /// The network failed.
    Network,
    /// Data stopped arriving, or did not arrive in time.
    Stalled,
    /// This crate cannot do it.
    Unsupported,
    /// A picture could not be decoded or encoded.
    Picture,
    /// A file could not be written.
    Storage,
    /// The owner closed the stream.
    Closed,
}

/// A bound on what a camera may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cap {
    /// Header of an RTSP or HTTP message, or of a part of one.
    Header,
    /// Body of an RTSP message.
    Body,
    /// One access unit (a picture and what belongs to it).
    AccessUnit,
    /// A JPEG picture.
    Jpeg,
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cap::Header => "a header",
            Cap::Body => "a body",
            Cap::AccessUnit => "an access unit",
            Cap::Jpeg => "a JPEG picture",
        })
    }
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Url { .. } | Error::Option { .. } | Error::Container { .. } => ErrorKind::Caller,
            Error::Storage { .. } | Error::DiskFull { .. } => ErrorKind::Storage,
            Error::Unauthorized { .. } | Error::HeldBack { .. } => ErrorKind::Unauthorized,
            Error::Refused { .. } => ErrorKind::Refused,
            Error::CapExceeded { .. } | Error::Misbehaved { .. } => ErrorKind::Misbehaved,
            Error::Network { .. } => ErrorKind::Network,
            Error::Stalled { .. } => ErrorKind::Stalled,
            Error::NoPicture { last, .. } => last.as_ref().map_or(ErrorKind::Stalled, |e| e.kind()),
            Error::Unsupported { .. } | Error::NoVideo { .. } => ErrorKind::Unsupported,
            Error::Decode { .. } | Error::Encode { .. } => ErrorKind::Picture,
            Error::Closed => ErrorKind::Closed,
        }
    }

    /// Whether the same call may succeed later without anyone changing the configuration.
    ///
    /// A hub reconnects in any case; this only decides how eagerly.
    pub fn is_transient(&self) -> bool {
        match self {
            // 5xx: the camera is out of sessions or starting up. 429: it was asked too often. 454: it forgot the session.
            Error::Refused { status, .. } => *status >= 500 || matches!(status, 429 | 453 | 454),
            _ => matches!(
                self.kind(),
                ErrorKind::Network
                    | ErrorKind::Stalled
                    | ErrorKind::Misbehaved
                    | ErrorKind::Picture
                    | ErrorKind::Storage
            ),
        }
    }
}
