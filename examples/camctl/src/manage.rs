//! `services`, `time`, `users` and `network`: the device behind the camera.

use std::fmt::{self, Display, Formatter};

use anyhow::Result;
use clap::Subcommand;
use onvif_core::device::{GetSystemDateAndTime, NetworkInterface, PrefixedAddress};
use onvif_core::xml::date::format_date_time;
use onvif_core::{Camera, Error, ErrorKind};
use serde::Serialize;

use crate::output::{Output, Plain, or_dash, table};
use crate::secret::shown;

#[derive(Subcommand)]
pub enum TimeVerb {
    /// What the camera's clock says, and how it is set.
    Get,
    /// How far the camera's clock is ahead of this machine's, in milliseconds.
    Offset,
}

pub fn services(camera: &Camera, output: Output) -> Result<()> {
    let services = camera.services().iter().map(|(service, url)| Service {
        name: service.name(),
        url: shown(url),
    });
    output.print(&Services {
        services: services.collect(),
    })
}

#[derive(Serialize)]
struct Services {
    services: Vec<Service>,
}

#[derive(Serialize)]
struct Service {
    name: &'static str,
    url: String,
}

impl Display for Services {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows = self.services.iter();
        let rows = rows.map(|service| vec![service.name.to_owned(), service.url.clone()]);
        f.write_str(&table(&rows.collect::<Vec<_>>()))
    }
}

pub async fn time(verb: &TimeVerb, camera: &Camera, output: Output) -> Result<()> {
    if matches!(verb, TimeVerb::Offset) {
        return output.print(&Offset {
            clock_offset_ms: camera.clock_offset_ms(),
        });
    }
    let reply = camera.call(&GetSystemDateAndTime {}).await?;
    let utc = reply.utc();
    let clock = reply.system_date_and_time;
    let time_zone = clock.as_ref().and_then(|clock| clock.time_zone.clone());
    output.print(&Clock {
        utc: utc.map(format_date_time),
        clock_offset_ms: camera.clock_offset_ms(),
        set_by: clock
            .as_ref()
            .and_then(|clock| Some(clock.date_time_type.as_ref()?.to_string())),
        time_zone: time_zone.and_then(|zone| zone.tz),
        daylight_savings: clock.and_then(|clock| clock.daylight_savings),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offset {
    clock_offset_ms: Option<i64>,
}

impl Display for Offset {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.clock_offset_ms {
            Some(offset) => write!(f, "{offset}"),
            None => f.write_str("-"),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Clock {
    utc: Option<String>,
    clock_offset_ms: Option<i64>,
    set_by: Option<String>,
    time_zone: Option<String>,
    daylight_savings: Option<bool>,
}

impl Display for Clock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let offset = self.clock_offset_ms.map(|offset| format!("{offset} ms"));
        let summer = self
            .daylight_savings
            .map(|on| if on { "yes" } else { "no" });
        let rows = [
            ("time", self.utc.as_deref()),
            ("ahead of here", offset.as_deref()),
            ("set by", self.set_by.as_deref()),
            ("time zone", self.time_zone.as_deref()),
            ("summer time", summer),
        ];
        lines(f, &rows)
    }
}

/// Names and values, one a line.
fn lines(f: &mut Formatter<'_>, rows: &[(&str, Option<&str>)]) -> fmt::Result {
    for (number, (name, value)) in rows.iter().enumerate() {
        if number > 0 {
            writeln!(f)?;
        }
        write!(f, "{name:13}  {}", or_dash(*value))?;
    }
    Ok(())
}

pub async fn users(camera: &Camera, output: Output) -> Result<()> {
    let users = camera.device().users().await?.into_iter().map(|user| User {
        name: user.username,
        level: user.level.map(|level| level.to_string()),
    });
    output.print(&Users {
        users: users.collect(),
    })
}

#[derive(Serialize)]
struct Users {
    users: Vec<User>,
}

#[derive(Serialize)]
struct User {
    name: Option<String>,
    level: Option<String>,
}

impl Display for Users {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rows = vec![vec!["USER".to_owned(), "LEVEL".to_owned()]];
        rows.extend(self.users.iter().map(|user| {
            [&user.name, &user.level]
                .map(|text| or_dash(text.as_deref()).to_string())
                .to_vec()
        }));
        f.write_str(&table(&rows))
    }
}

pub async fn network(camera: &Camera, output: Output) -> Result<()> {
    let device = camera.device();
    let interfaces = device.network_interfaces().await?;
    // These are less common, and their absence must not hide the interfaces.
    let hostname = optional(device.hostname().await)?.flatten();
    let gateway = optional(device.default_gateway().await)?.flatten();
    let protocols = optional(device.network_protocols().await)?.unwrap_or_default();
    let gateways = gateway.map(|gateway| [gateway.ipv4, gateway.ipv6].concat());
    output.print(&Network {
        hostname,
        interfaces: interfaces.into_iter().map(Interface::from).collect(),
        gateways: gateways.unwrap_or_default(),
        protocols: protocols
            .into_iter()
            .map(|protocol| Protocol {
                name: protocol.name.map(|name| name.to_string()),
                enabled: protocol.enabled,
                ports: protocol.ports,
            })
            .collect(),
    })
}

/// What a camera may lack; other errors stay errors.
fn optional<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::Network | ErrorKind::Unauthorized) => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

#[derive(Serialize)]
struct Network {
    hostname: Option<String>,
    interfaces: Vec<Interface>,
    gateways: Vec<String>,
    protocols: Vec<Protocol>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Interface {
    token: Option<String>,
    name: Option<String>,
    enabled: Option<bool>,
    hardware_address: Option<String>,
    mtu: Option<u32>,
    addresses: Vec<String>,
    dhcp: Option<bool>,
}

#[derive(Serialize)]
struct Protocol {
    name: Option<String>,
    enabled: Option<bool>,
    ports: Vec<u32>,
}

impl From<NetworkInterface> for Interface {
    fn from(interface: NetworkInterface) -> Self {
        let ipv4 = interface.ipv4.and_then(|ipv4| ipv4.config);
        let ipv6 = interface.ipv6.and_then(|ipv6| ipv6.config);
        let dhcp = ipv4.as_ref().and_then(|config| config.dhcp);
        let mut all: Vec<PrefixedAddress> = Vec::new();
        if let Some(config) = ipv4 {
            all.extend(config.manual);
            all.extend(config.from_dhcp);
            all.extend(config.link_local);
        }
        if let Some(config) = ipv6 {
            all.extend(config.manual);
            all.extend(config.from_dhcp);
            all.extend(config.link_local);
        }
        let info = interface.info;
        Self {
            token: interface.token.map(|token| token.to_string()),
            name: info.as_ref().and_then(|info| info.name.clone()),
            enabled: interface.enabled,
            hardware_address: info.as_ref().and_then(|info| info.hw_address.clone()),
            mtu: info.and_then(|info| info.mtu),
            addresses: all.into_iter().filter_map(written).collect(),
            dhcp,
        }
    }
}

fn written(address: PrefixedAddress) -> Option<String> {
    let text = address.address?;
    Some(match address.prefix_length {
        Some(length) => format!("{text}/{length}"),
        None => text,
    })
}

impl Display for Network {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:13}  {}",
            "host name",
            or_dash(self.hostname.as_deref())
        )?;
        for interface in &self.interfaces {
            let name = interface.name.as_deref().or(interface.token.as_deref());
            write!(f, "\n{:13}  {}", "interface", or_dash(name))?;
            write!(f, "  {}", or_dash(interface.hardware_address.as_deref()))?;
            for address in &interface.addresses {
                write!(f, "  {}", Plain(address))?;
            }
            f.write_str(match interface.dhcp {
                Some(true) => "  (DHCP)",
                _ => "",
            })?;
        }
        for gateway in &self.gateways {
            write!(f, "\n{:13}  {}", "gateway", Plain(gateway))?;
        }
        for protocol in &self.protocols {
            let name = protocol.name.as_deref();
            let state = if protocol.enabled == Some(false) {
                "off"
            } else {
                "on"
            };
            let ports = protocol
                .ports
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>();
            write!(
                f,
                "\n{:13}  {}  {state}  {}",
                "protocol",
                or_dash(name),
                ports.join(", ")
            )?;
        }
        Ok(())
    }
}
