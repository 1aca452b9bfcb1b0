//! The camera as a client sees it, over real sockets.

mod authentication;
mod client;
mod control;
mod device;
mod discovery;
mod events;
mod media;
mod ptz;
mod quirks;
