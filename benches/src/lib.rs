//! Benchmarks, side by side with the tools a user would pick instead.
//!
//! This is the harness behind the program `frame-extraction`; it is not a library for others, and needs Linux, ffmpeg
//! and GStreamer. The benches of single parts are criterion benches, in `benches/`.
//!
//! - [`snapshots`] compares the CPU time and memory of one JPEG a second; [`first_picture`] how long a cold start
//!   takes to the first one; [`warm`], [`many`], [`consumers`], [`demux`] and [`clips`] look at single abilities.
//! - [`targets`] says which of the project's aims the figures meet.
//! - [`Clip`] is made once; a [`Server`] plays it as a camera would, a [`Replay`] as fast as it is taken.
//! - [`Tool`] is what is compared, [`worker`] the part of it that is ours.
//! - [`Running`] is a measured process.

mod clip;
mod comparison;
mod parts;
mod plot;
mod process;
mod replay;
mod report;
mod rounds;
mod server;
mod targets;
mod tool;
pub mod worker;

pub use clip::{Clip, ClipSpec};
pub use comparison::{Comparison, Measured};
pub use parts::{clips, consumers, demux, many, warm};
pub use plot::plot;
pub use process::{Running, Usage};
pub use replay::{Replay, replay};
pub use report::{FirstPictureReport, FirstPictureRow, Setting, SnapshotReport, SnapshotRow};
pub use rounds::{first_picture, snapshots};
pub use server::Server;
pub use targets::{Target, targets};
pub use tool::{Tool, installed};
