//! `discover`: the cameras of the network.

use std::fmt::{self, Display, Formatter};
use std::io::{self, IsTerminal, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use futures::StreamExt;
use onvif_core::discovery::{
    Announcement, Discovered, Discovery, DiscoveryOptions, Subnet, SweepProgress,
};
use serde::Serialize;
use tokio::time::MissedTickBehavior;

use crate::interrupt::interrupted;
use crate::output::{Output, Plain, or_dash};

/// The port of WS-Discovery.
const PORT: u16 = 3702;
/// Progress is of interest when a sweep takes longer than a glance.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

#[derive(Args)]
pub struct DiscoverArgs {
    /// Ask this address in place of the whole network; may be given several times.
    #[arg(long = "address", value_name = "IP[:PORT]", value_parser = address)]
    addresses: Vec<SocketAddr>,

    /// Ask every address of this subnet in place of the whole network, as behind a router; may be given several times.
    #[arg(long = "cidr", value_name = "IP/BITS")]
    subnets: Vec<Subnet>,

    /// Ask on this network interface only, by name or address; may be given several times.
    #[arg(long = "interface", value_name = "NAME")]
    interfaces: Vec<String>,

    /// Only cameras with this scope, such as onvif://www.onvif.org/location/hall; may be given several times.
    #[arg(long = "scope", value_name = "URI")]
    scopes: Vec<String>,

    /// Ask nothing; show cameras as they join and leave the network, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["addresses", "subnets"])]
    watch: bool,
}

pub async fn run(args: &DiscoverArgs, timeout: Option<Duration>, output: Output) -> Result<()> {
    let mut options = DiscoveryOptions::default();
    let unicast = !(args.addresses.is_empty() && args.subnets.is_empty());
    // A named interface says that multicast is meant as well.
    options.multicast = !unicast || !args.interfaces.is_empty();
    options.interfaces = args.interfaces.clone();
    options.scopes = args.scopes.clone();
    if let Some(timeout) = timeout {
        options.duration = timeout;
    }
    let seconds = options.duration.as_secs_f64();
    let mut discovery = Discovery::new(options);
    if args.watch {
        return watch(discovery, output).await;
    }
    for address in &args.addresses {
        discovery = discovery.probe_address(*address);
    }
    for subnet in &args.subnets {
        discovery = discovery.sweep(*subnet);
    }
    let mut cameras = discovery.start().await?;
    let mut ticks = tokio::time::interval(PROGRESS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    let mut count = 0_usize;
    loop {
        tokio::select! {
            camera = cameras.next() => match camera {
                Some(camera) => {
                    count += 1;
                    clear_progress();
                    output.print(&Found::from(camera))?;
                }
                None => break,
            },
            _ = ticks.tick() => show_progress(cameras.progress(), count),
        }
    }
    clear_progress();
    if count == 0 {
        eprintln!(
            "No camera answered within {seconds} s. Multicast does not cross routers: ask a camera behind one with \
             --address, or its subnet with --cidr."
        );
    }
    Ok(())
}

async fn watch(discovery: Discovery, output: Output) -> Result<()> {
    let mut announcements = discovery.watch().await?;
    let mut interrupted = std::pin::pin!(interrupted()?);
    eprintln!("Listening for cameras that join or leave the network. Ctrl-C ends.");
    loop {
        tokio::select! {
            announcement = announcements.next() => match announcement {
                Some(announcement) => {
                    if let Some(said) = Said::from(announcement) {
                        output.print(&said)?;
                    }
                }
                None => return Ok(()),
            },
            () = &mut interrupted => return Ok(()),
        }
    }
}

/// How far a sweep is, on a terminal; standard output stays free of it.
fn show_progress(progress: SweepProgress, found: usize) {
    let mut terminal = io::stderr();
    if terminal.is_terminal() && progress.asked < progress.total {
        let SweepProgress { asked, total, .. } = progress;
        // Whoever closed standard error does not want to know.
        let _ = write!(
            terminal,
            "\r{asked} of {total} addresses asked, {found} found "
        );
        let _ = terminal.flush();
    }
}

fn clear_progress() {
    let mut terminal = io::stderr();
    if terminal.is_terminal() {
        let _ = write!(terminal, "\r\x1b[K");
    }
}

/// One line of `--watch`.
#[derive(Serialize)]
#[serde(tag = "announcement", rename_all = "camelCase")]
enum Said {
    Hello(Found),
    #[serde(rename_all = "camelCase")]
    Bye {
        endpoint_reference: String,
        from: SocketAddr,
    },
}

impl Said {
    fn from(announcement: Announcement) -> Option<Self> {
        match announcement {
            Announcement::Hello(camera) => Some(Self::Hello(camera.into())),
            Announcement::Bye {
                endpoint_reference,
                from,
                ..
            } => Some(Self::Bye {
                endpoint_reference,
                from,
            }),
            _ => None,
        }
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello(found) => write!(f, "hello  {found}"),
            Self::Bye {
                endpoint_reference,
                from,
            } => write!(f, "bye    {} {}", from.ip(), Plain(endpoint_reference)),
        }
    }
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

    #[test]
    fn an_announcement_is_one_object_of_json() {
        let bye = Said::Bye {
            endpoint_reference: "urn:uuid:1\x1b[2J".to_owned(),
            from: "192.0.2.7:3702".parse().unwrap(),
        };
        assert_eq!(
            serde_json::to_value(&bye).unwrap(),
            serde_json::json!({"announcement": "bye", "endpointReference": "urn:uuid:1\u{1b}[2J", "from": "192.0.2.7:3702"})
        );
        assert_eq!(bye.to_string(), "bye    192.0.2.7 urn:uuid:1\u{fffd}[2J");
    }
}
