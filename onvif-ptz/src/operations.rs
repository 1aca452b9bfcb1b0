//! The operations of the PTZ service, and the types they carry.

mod configuration;
mod movement;
mod node;
mod preset;
mod status;
mod tour;

pub use configuration::*;
pub use movement::*;
pub use node::*;
pub use preset::*;
pub use status::*;
pub use tour::*;
