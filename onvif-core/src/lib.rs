//! ONVIF cameras from Rust: WS-Discovery, authentication, and typed Device, Media, Imaging and Events clients.
