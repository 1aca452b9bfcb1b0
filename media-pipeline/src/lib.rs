//! Reads camera streams and makes snapshots, frames, clips and access units of them, without a C codec.
//!
//! It is not a media server and not a player: it decodes single pictures, not video, and leaves discovery of
//! cameras and their stream addresses to others.
//!
//! A [`Source`] says where a stream comes from: [`RtspSource`] and [`HttpSource`] are for cameras, [`FileSource`] is for
//! files. A [`Hub`] reads it once, over one session that heals itself, for any number of consumers: [`Hub::snapshot`] for a
//! [`Snapshot`] of now, [`Hub::snapshots`] for one in each period, [`Hub::frames`] for pictures in planes or pixels, and
//! [`Hub::subscribe`] for every [`AccessUnit`] as the camera coded it; [`Hub::clip`] and [`Hub::clips`] put them into files,
//! each a [`Clip`], and [`Hub::restream`] gives them to a media server. A [`DecodePool`] bounds what decoding may take of the
//! machine.
//!
//! ```
//! use std::sync::Arc;
//! use media_pipeline::{Credentials, Hub, HubOptions, RtspOptions, RtspSource, SnapshotOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let camera = virtual_camera::VirtualCamera::builder().credentials("admin", "secret").start().await?;
//! # let url = camera.stream_url(0).to_string();
//! let mut options = RtspOptions::new(url.parse()?);
//! options.credentials = Some(Credentials::new("admin", "secret"));
//! let hub = Hub::new(Arc::new(RtspSource::new(options)?), HubOptions::default());
//!
//! let snapshot = hub.snapshot(&SnapshotOptions::default()).await?;
//! println!("{} x {} pixels, {} bytes of JPEG", snapshot.width, snapshot.height, snapshot.data.len());
//! # camera.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Everything a camera sends is taken as hostile: see [`Caps`], [`AuthBudget`], [`TlsPolicy`] and
//! [`ForeignUrlPolicy`].

mod access_unit;
mod backoff;
mod clip;
mod clock;
mod colour;
mod decode;
mod dial;
mod encode;
mod error;
mod guard;
mod h264;
mod h265;
mod hub;
mod huffman;
#[cfg(test)]
mod mutated;
mod parameter_sets;
mod reshape;
mod restream;
mod snapshot;
mod source;
mod still;
mod tls;

pub use access_unit::{
    AccessUnit, AudioParameters, Codec, Media, Parameters, TimeOrigin, VideoParameters, WallClock,
};
pub use clip::{Clip, ClipEnd, ClipOptions, Container, Retention};
pub use colour::{Colour, Matrix, Range};
#[cfg(feature = "ffmpeg")]
pub use decode::FfmpegDecoder;
#[cfg(feature = "openh264")]
pub use decode::OpenH264Decoder;
pub use decode::{
    DecodePool, H264Decoder, H265Decoder, JpegDecoder, MAX_SIDE, Picture, Plane, VideoDecoder,
    decoder_for,
};
#[cfg(feature = "turbojpeg")]
pub use encode::TurboJpegEncoder;
pub use encode::{StillEncoder, StillFormat, encoder_for};
pub use error::{Cap, Error, ErrorKind};
pub use guard::{AuthBudget, Caps, Credentials, FailureBudget, ForeignUrlPolicy};
pub use hub::{
    Frame, Frames, Hub, HubItem, HubOptions, HubStatus, RgbFrame, Subscription, WhenFull,
};
pub use reshape::Crop;
pub use restream::{Restream, RestreamCounters, RestreamOptions, RestreamStatus};
pub use snapshot::{CaptureMethod, Moment, Rate, Snapshot, SnapshotOptions};
pub use source::{
    FileOptions, FileSource, HttpOptions, HttpSource, Pace, RtspOptions, RtspSource, RtspTransport,
    Source, SourceSession, Tracks,
};
#[cfg(all(feature = "v4l2", target_os = "linux"))]
pub use source::{V4l2Coding, V4l2Options, V4l2Source};
pub use still::{MAX_JPEG, check_jpeg};
pub use tls::{InvalidPin, SpkiPin, TlsOptions, TlsPolicy};
