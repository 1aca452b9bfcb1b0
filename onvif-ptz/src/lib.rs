//! Pan, tilt and zoom of ONVIF cameras: moves that always stop, presets, status.
//!
//! It does not choose what to look at: no tracking of its own. Everything goes through
//! [`onvif_core::Camera::call`].
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use onvif_core::{Camera, Credentials};
//! use onvif_ptz::{CameraExt, Velocity};
//!
//! // A camera in software; with a real one its address is `http://<host>/onvif/device_service`.
//! let target = virtual_camera::VirtualCamera::builder().credentials("admin", "secret").start().await?;
//!
//! let camera = Camera::builder(target.device_url())
//!     .credentials(Credentials::new("admin", "secret"))
//!     .connect()
//!     .await?;
//! let profile = camera.media().profiles().await?.remove(0).token;
//!
//! let motion = camera.ptz().continuous_move(&profile, Velocity::pan_tilt(0.5, 0.0), Duration::from_secs(2)).await?;
//! // It would stop after two seconds, or when dropped; this stops it now.
//! motion.stop().await?;
//! # target.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! - [`PtzClient`]: nodes, configurations, moves, presets, tours, home, status.
//! - [`Motion`]: a continuous move that always stops.
//! - [`Rest`], [`WaitOptions`]: waiting until a camera has arrived, also one that lies about it.
//! - [`Limits`], [`Ability`]: what a camera can do, and the nearest thing to a wish that it can.
//! - [`pan_tilt`], [`mod@zoom`]: the spaces of ONVIF; [`Space2D`], [`Space1D`]: their ranges.
//! - [`TimedMoveOptions`]: distances for cameras that only move continuously.

mod client;
mod idle;
mod lane;
mod limits;
mod motion;
mod operations;
mod space;
mod timed;
mod vector;

pub use client::{CameraExt, PtzClient, TrackingStart};
pub use idle::{Rest, WaitOptions};
pub use limits::{Ability, Limits};
pub use motion::Motion;
pub use operations::*;
pub use space::{FloatRange, Space1D, Space2D, pan_tilt, zoom};
pub use timed::TimedMoveOptions;
pub use vector::{GeoLocation, PanTilt, Position, Velocity, Zoom};
