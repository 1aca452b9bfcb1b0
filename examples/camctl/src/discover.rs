//! `discover`: the cameras of the network.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use futures::StreamExt;
use onvif_core::discovery::{Discovered, Discovery, DiscoveryOptions};
use serde::Serialize;

use crate::output::{Output, Plain, or_dash};

/// The port of WS-Discovery.
const PORT: u16 = 3702;

#[derive(Args)]
pub struct DiscoverArgs {
    /// Ask this address in place of the whole network; may be given several times.
    #[arg(long = "address", value_name = "IP[:PORT]", value_parser = address)]
    addresses: Vec<SocketAddr>,
}

pub async fn run(args: &DiscoverArgs, timeout: Option<Duration>, output: Output) -> Result<()> {
    let mut options = DiscoveryOptions::default();
    options.multicast = args.addresses.is_empty();
    if let Some(timeout) = timeout {
        options.duration = timeout;
    }
    let seconds = options.duration.as_secs_f64();
    let mut discovery = Discovery::new(options);
    for address in &args.addresses {
        discovery = discovery.probe_address(*address);
    }
    let mut cameras = discovery.start().await?;
    let mut count = 0_usize;
    while let Some(camera) = cameras.next().await {
        count += 1;
        output.print(&Found::from(camera))?;
    }
    if count == 0 {
        eprintln!(
            "No camera answered within {seconds} s. Multicast does not cross routers: ask a camera behind one with --address."
        );
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    endpoint_reference: String,
    name: Option<String>,
    hardware: Option<String>,
    location: Option<String>,
    xaddrs: Vec<String>,
    types: Vec<String>,
    scopes: Vec<String>,
    from: SocketAddr,
}

impl From<Discovered> for Found {
    fn from(camera: Discovered) -> Self {
        Self {
            name: camera.name(),
            hardware: camera.hardware(),
            location: camera.location(),
            endpoint_reference: camera.endpoint_reference,
            xaddrs: camera.xaddrs.iter().map(ToString::to_string).collect(),
            types: camera.types,
            scopes: camera.scopes,
            from: camera.from,
        }
    }
}

impl Display for Found {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = or_dash(self.name.as_deref());
        let hardware = or_dash(self.hardware.as_deref());
        // The first address is the one that is most likely to work from here.
        let address = or_dash(self.xaddrs.first().map(String::as_str));
        let identity = Plain(&self.endpoint_reference);
        write!(f, "{name:20}  {hardware:20}  {address}  {identity}")
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse::<SocketAddr>();
    let alone = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT));
    with_port
        .or(alone)
        .map_err(|_| "give an IP address such as 192.0.2.7 or [2001:db8::7]:3702".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_port_gets_the_usual_one() {
        assert_eq!(address("192.0.2.7").unwrap().to_string(), "192.0.2.7:3702");
        assert_eq!(
            address("2001:db8::7").unwrap().to_string(),
            "[2001:db8::7]:3702"
        );
        assert_eq!(address("192.0.2.7:1").unwrap().to_string(), "192.0.2.7:1");
        assert!(address("gate").is_err());
    }
}
