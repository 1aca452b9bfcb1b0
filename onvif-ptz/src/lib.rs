//! Pan, tilt and zoom of ONVIF cameras: moves that always stop, presets, status.
//!
//! It does not choose what to look at: no tracking, no tours. Everything goes through
//! [`onvif_core::Camera::call`].
//!
//! ```
//! use std::time::Duration;
//! use onvif_core::{Camera, Credentials};
//! use onvif_ptz::{CameraExt, PanTilt, Velocity};
//!
//! # async fn example() -> Result<(), onvif_core::Error> {
//! let camera = Camera::builder("http://192.0.2.7/onvif/device_service")
//!     .credentials(Credentials::new("user", "password"))
//!     .connect()
//!     .await?;
//! let profile = camera.media().profiles().await?.remove(0).token;
//! let motion = camera.ptz().continuous_move(&profile, Velocity::pan_tilt(0.5, 0.0), Duration::from_secs(2)).await?;
//! // Stops by itself after two seconds, when dropped, or now:
//! motion.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`PtzClient`]: nodes, status, moves, presets, home.
//! - [`Motion`]: a continuous move that always stops.
//! - [`Space2D`], [`Space1D`]: ranges, and clamping to them.

mod client;
mod motion;
mod operations;
mod vector;

pub use client::{CameraExt, PtzClient};
pub use motion::Motion;
pub use operations::*;
pub use vector::{FloatRange, PanTilt, Position, Space1D, Space2D, Velocity, Zoom};
