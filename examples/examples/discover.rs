//! Finds the cameras of the network, or those at one address, such as behind a router.
//!
//! `cargo run --example discover`, or `cargo run --example discover -- 192.0.2.7:3702`

use std::error::Error;

use futures::StreamExt;
use onvif_core::discovery::{Discovery, DiscoveryOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let mut options = DiscoveryOptions::default();
    options.multicast = address.is_none();
    let mut discovery = Discovery::new(options);
    if let Some(address) = address {
        discovery = discovery.probe_address(address.parse()?);
    }

    // Anybody on the network can answer: these are hints, not facts.
    let mut cameras = discovery.start().await?;
    while let Some(camera) = cameras.next().await {
        let name = camera.name().unwrap_or_else(|| "(no name)".to_owned());
        println!("{name}, {}", camera.hardware().unwrap_or_default());
        for xaddr in &camera.xaddrs {
            println!("  {xaddr}");
        }
    }
    Ok(())
}
