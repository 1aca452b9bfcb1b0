//! From nothing to a picture: broker, registry, camera and both connectors in one process.

fn main() {}
