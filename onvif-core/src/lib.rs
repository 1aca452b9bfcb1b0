//! ONVIF cameras from Rust: WS-Discovery, authentication, and typed Device, Media, Imaging and Events clients.

mod auth;
mod camera;
mod device;
pub mod discovery;
mod error;
pub mod events;
mod imaging;
pub mod media;
mod operation;
mod soap;
mod transport;
mod uri;
pub mod xml;

pub use auth::{AuthBudget, AuthOutcome, AuthenticationPaused, AuthenticationPolicy, Credentials};
pub use camera::{Camera, CameraBuilder, Services};
pub use device::*;
pub use error::{Error, ErrorKind};
pub use imaging::*;
pub use operation::{AccessClass, Effect, Operation, Service};
pub use soap::{Fault, FaultCode};
pub use transport::{
    BodyLimit, FreshConnection, HttpTransport, TlsPolicy, Transport, TransportError,
};
pub use uri::{UriError, UriPolicy};
