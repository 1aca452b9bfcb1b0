//! ONVIF cameras from Rust: WS-Discovery, authentication, and typed Device, Media, Imaging and Events clients.
//!
//! It is not a media library: it tells where a stream is and fetches snapshots, but plays nothing.
//! Pan, tilt and zoom are in `onvif-ptz`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use onvif_core::media::StreamTransport;
//! use onvif_core::{Camera, Credentials};
//!
//! // A camera in software; with a real one its address is `http://<host>/onvif/device_service`.
//! let target = virtual_camera::VirtualCamera::builder().credentials("admin", "secret").start().await?;
//!
//! let camera = Camera::builder(target.device_url())
//!     .credentials(Credentials::new("admin", "secret"))
//!     .connect()
//!     .await?;
//! let information = camera.device().information().await?;
//! println!("{:?} {:?}", information.manufacturer, information.model);
//!
//! for profile in camera.media().profiles().await? {
//!     let stream = camera.media().stream_uri(&profile.token, StreamTransport::Rtsp).await?;
//!     println!("{}: {stream}", profile.token);
//! }
//! # target.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Camera`] is connected with a [`CameraBuilder`], and calls any [`Operation`].
//! - [`device::DeviceClient`], [`media::MediaClient`], [`imaging::ImagingClient`] and
//!   [`events::EventsClient`] are the services, as a Rust user looks for them.
//! - [`device_io::DeviceIoClient`] has relays, digital inputs and serial ports.
//! - [`analytics::AnalyticsClient`] sets the rules and modules that make events of what a camera sees.
//! - [`events::EventStream`] is what the camera reports; it heals itself. [`events::Meaning`] says what a
//!   notification means, [`events::PropertyStates`] what holds now.
//! - [`events::PushListener`] and [`events::MetadataDecoder`] are other ways for events to come.
//! - [`discovery::Discovery`] finds cameras.
//! - [`UriPolicy`], [`TlsPolicy`] and [`AuthenticationPolicy`] say how much to put up with.
//! - [`AuthBudget`] keeps wrong credentials from locking an account.
//! - [`Error`] says whose fault it is.

pub mod analytics;
mod auth;
mod camera;
pub mod device;
pub mod device_io;
pub mod discovery;
mod error;
pub mod events;
pub mod imaging;
pub mod media;
mod operation;
mod random;
pub mod schema;
mod soap;
mod transport;
mod uri;
pub mod xml;

pub use auth::{AuthBudget, AuthOutcome, AuthenticationPaused, AuthenticationPolicy, Credentials};
pub use camera::{Camera, CameraBuilder, Services};
pub use error::{Error, ErrorKind};
pub use operation::{AccessClass, Effect, Operation, OperationInfo, Service};
pub use soap::{Fault, FaultCode, decode_response};
pub use transport::{
    BodyLimit, CertificateProblem, ClientCertificate, FreshConnection, HttpTransport, InvalidPin,
    PinStore, SpkiPin, TlsOptions, TlsPolicy, Transport, TransportError,
};
pub use uri::{UriError, UriPolicy};

// For what the macros write.
#[doc(hidden)]
pub use yaserde as __yaserde;
