//! Where access units come from.

mod file;
mod http;
mod label;
mod rtsp;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
mod v4l2;

use async_trait::async_trait;

pub use file::{FileOptions, FileSource, Pace};
pub(crate) use http::{Fetched, Rest};
pub use http::{HttpOptions, HttpSource};
pub(crate) use label::label;
pub use rtsp::{RtspOptions, RtspSource, RtspTransport, Tracks};
#[cfg(all(feature = "v4l2", target_os = "linux"))]
pub use v4l2::{V4l2Coding, V4l2Options, V4l2Source};

use crate::{AccessUnit, Error};

/// A stream that can be connected to, again and again.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// Names the stream in logs and errors; without secrets.
    fn label(&self) -> String;

    /// Opens a session. May be cancelled by dropping the future.
    ///
    /// # Errors
    /// Why there is no session; the caller decides about another attempt.
    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error>;
}

/// A connected stream.
#[async_trait]
pub trait SourceSession: Send {
    /// The next access unit in decoding order; `None` when the stream has ended. Cancel-safe: dropping the future
    /// loses nothing.
    ///
    /// # Errors
    /// Why the session ended; it must not be used any more.
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error>;

    /// Ends the session and gives the camera's resources back, in bounded time.
    async fn close(self: Box<Self>);
}
