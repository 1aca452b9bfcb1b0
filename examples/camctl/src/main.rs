//! ONVIF cameras from the command line.

fn main() {}
