//! The streams of the virtual camera, as its clients find them. The camera shares no code with these tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod client;
mod codecs;
mod endless;
mod events;
mod key_frames;
mod multicast;
mod truth;
mod tunnels;
