//! The camera as a client sees it, over real sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod authentication;
mod client;
mod control;
mod device;
mod discovery;
mod events;
mod http;
mod media;
mod ptz;
mod quirks;
mod settings;
mod truth;
mod users;
