//! An ONVIF camera in software, for tests and demonstrations without hardware.
//!
//! It is not a camera: the picture is a built-in clip. It is not a simulator of one model either: it follows the
//! specification, and [`Quirks`] make it deviate the way real cameras do. It shares no code with the clients that are
//! tested against it.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use virtual_camera::VirtualCamera;
//!
//! let camera = VirtualCamera::builder()
//!     .credentials("admin", "secret")
//!     .name("gate")
//!     .start()
//!     .await?;
//!
//! println!("point a client at {}", camera.device_url());
//! camera.set_motion(true); // subscribers get tns1:VideoSource/MotionAlarm
//!
//! assert_eq!(camera.observed().authentication_failures, 0);
//! camera.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! - [`VirtualCamera`] is the running camera, [`Builder`] sets it up.
//! - [`Fleet`] is hundreds of them in one process.
//! - [`Recorder`] stands before a real camera and keeps what it says, for [`Builder::replay`] to play back.
//! - [`AuthScheme`], [`RtspAuth`] and [`Discovery`] choose how clients get in and how they find it.
//! - [`Observed`] and [`SeenRequest`] say what clients did; [`PtzPosition`] and [`PtzPathPoint`] where they made it look.
//! - [`StreamSpec`] is a stream for it to have beside `main` and `sub`, of a [`VideoCodec`] and an [`AudioCodec`].
//! - [`frame_number`] reads from a decoded picture which one it is.
//! - [`Recording`] is what clients published to it as a media server.
//! - [`Event`] is anything else for it to report.
//! - [`FaultProxy`] puts a bad network between a client and any server.
//! - [`Error`] is why it did not start.
//!
//! Over HTTP, on the machine it runs on, `POST /control/motion` with `{"active": true}` raises motion,
//! `GET /control/observed` returns [`Observed`] as JSON, and `PATCH /control/quirks` changes [`Quirks`]; the README
//! has all of it.

mod accounts;
mod auth;
mod builder;
mod camera;
mod clip;
mod clock;
mod config;
mod content_filter;
mod control;
mod digest;
mod discovery;
mod error;
mod event;
mod fault_proxy;
mod fleet;
mod mark;
mod media;
mod motion;
mod observed;
mod port;
mod presence;
mod push;
mod quirks;
mod recorder;
mod recording;
mod replay;
mod requests;
mod rtsp;
mod server;
mod service;
mod soap;
mod state;
mod stream_spec;
mod streams;
mod subscription;
mod switches;
mod topic;
mod xml;

pub use auth::AuthScheme;
pub use builder::{Builder, Discovery};
pub use camera::VirtualCamera;
pub use digest::DigestAlgorithm;
pub use error::{Error, ErrorKind};
pub use event::{Event, Operation};
pub use fault_proxy::{
    Drip, FaultCounters, FaultProxy, FaultProxyOptions, Faults, LinkCounters, LinkFaults,
};
pub use fleet::{Fleet, FleetBuilder};
pub use mark::frame_number;
pub use motion::{PtzPathPoint, PtzPosition};
pub use observed::{CredentialCount, Observed};
pub use quirks::{
    BadDateTime, BadSprop, HttpJunk, MjpegForm, PtzMode, PtzMoveStatus, Quirks, RtspEndless,
    RtspHeader, RtspKeepalive, SnapshotAuth, SnapshotFault, WssePrefix,
};
pub use recorder::{CertificatePolicy, Recorder, RecorderOptions};
pub use recording::{RecordedTrack, Recording};
pub use requests::{CredentialScheme, SeenCredentials, SeenRequest};
pub use rtsp::RtspAuth;
pub use server::Certificate;
pub use stream_spec::{AudioCodec, StreamSpec, VideoCodec};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
