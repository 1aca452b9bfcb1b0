//! Host name, DNS, NTP and dynamic DNS.

use std::net::IpAddr;

use super::settings::{address, bad_value, boolean};
use crate::clock::read_duration;
use crate::service::Call;
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, TDS, TT, element};

pub(super) const MAX_SERVERS: usize = 4;

#[derive(Debug)]
pub(crate) struct Naming {
    hostname: String,
    hostname_from_dhcp: bool,
    dns_from_dhcp: bool,
    search_domains: Vec<String>,
    dns: Vec<IpAddr>,
    ntp_from_dhcp: bool,
    ntp: Vec<Host>,
    dynamic_dns: DynamicDns,
}

#[derive(Clone, Debug)]
enum Host {
    Address(IpAddr),
    Name(String),
}

#[derive(Debug)]
struct DynamicDns {
    kind: String,
    name: Option<String>,
    ttl: Option<String>,
}

impl Naming {
    pub(super) fn new(name: &str) -> Self {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        Self {
            hostname: name.replace(|c: char| !allowed(c), "-"),
            hostname_from_dhcp: false,
            dns_from_dhcp: false,
            search_domains: Vec::new(),
            dns: Vec::new(),
            ntp_from_dhcp: false,
            ntp: Vec::new(),
            dynamic_dns: DynamicDns {
                kind: "NoUpdate".to_owned(),
                name: None,
                ttl: None,
            },
        }
    }

    /// Whether there is anything to set the clock from.
    pub(super) fn has_ntp(&self) -> bool {
        self.ntp_from_dhcp || !self.ntp.is_empty()
    }
}

pub(super) fn get_hostname(call: &Call<'_>) -> Element {
    let naming = &lock(&call.camera.device).naming;
    call.response("GetHostnameResponse").child(
        element(TDS, "HostnameInformation")
            .leaf(TT, "FromDHCP", naming.hostname_from_dhcp)
            .leaf(TT, "Name", &naming.hostname),
    )
}

pub(super) fn set_hostname(call: &Call<'_>) -> Result<Element, Fault> {
    let name = call.argument("Name")?;
    if !is_name(name) {
        return Err(Fault::invalid_value("InvalidHostname", "not a hostname"));
    }
    let naming = &mut lock(&call.camera.device).naming;
    name.clone_into(&mut naming.hostname);
    naming.hostname_from_dhcp = false;
    Ok(call.response("SetHostnameResponse"))
}

pub(super) fn set_hostname_from_dhcp(call: &Call<'_>) -> Result<Element, Fault> {
    let from_dhcp = boolean(call.request, "FromDHCP")?;
    lock(&call.camera.device).naming.hostname_from_dhcp = from_dhcp;
    let response = call.response("SetHostnameFromDHCPResponse");
    Ok(response.leaf(TDS, "RebootNeeded", false))
}

pub(super) fn get_dns(call: &Call<'_>) -> Element {
    let naming = &lock(&call.camera.device).naming;
    let domains = naming.search_domains.iter();
    let domains = domains.map(|name| element(TT, "SearchDomain").text(name));
    let servers = naming.dns.iter().copied();
    call.response("GetDNSResponse").child(
        element(TDS, "DNSInformation")
            .leaf(TT, "FromDHCP", naming.dns_from_dhcp)
            .children(domains)
            .children(servers.map(|server| write_address("DNSManual", server))),
    )
}

pub(super) fn set_dns(call: &Call<'_>) -> Result<Element, Fault> {
    let from_dhcp = boolean(call.request, "FromDHCP")?;
    let domains = call.request.all("SearchDomain");
    let domains: Vec<_> = domains.map(|name| name.text().to_owned()).collect();
    if let Some(domain) = domains.iter().find(|name| !is_name(name)) {
        return Err(bad_value(format!("{domain} is no domain")));
    }
    let servers = call.request.all("DNSManual").map(read_ip);
    let servers = servers.collect::<Result<Vec<_>, _>>()?;
    limit(servers.len())?;
    let naming = &mut lock(&call.camera.device).naming;
    naming.dns_from_dhcp = from_dhcp;
    naming.search_domains = domains;
    naming.dns = servers;
    Ok(call.response("SetDNSResponse"))
}

pub(super) fn get_ntp(call: &Call<'_>) -> Element {
    let naming = &lock(&call.camera.device).naming;
    let servers = naming.ntp.iter().map(|host| match host {
        Host::Address(address) => write_address("NTPManual", *address),
        Host::Name(name) => element(TT, "NTPManual")
            .leaf(TT, "Type", "DNS")
            .leaf(TT, "DNSname", name),
    });
    call.response("GetNTPResponse").child(
        element(TDS, "NTPInformation")
            .leaf(TT, "FromDHCP", naming.ntp_from_dhcp)
            .children(servers),
    )
}

pub(super) fn set_ntp(call: &Call<'_>) -> Result<Element, Fault> {
    let from_dhcp = boolean(call.request, "FromDHCP")?;
    let servers = call.request.all("NTPManual").map(read_host);
    let servers = servers.collect::<Result<Vec<_>, _>>()?;
    limit(servers.len())?;
    let naming = &mut lock(&call.camera.device).naming;
    naming.ntp_from_dhcp = from_dhcp;
    naming.ntp = servers;
    Ok(call.response("SetNTPResponse"))
}

pub(super) fn get_dynamic_dns(call: &Call<'_>) -> Element {
    let dynamic = &lock(&call.camera.device).naming.dynamic_dns;
    let name = dynamic
        .name
        .iter()
        .map(|name| element(TT, "Name").text(name));
    let ttl = dynamic.ttl.iter().map(|ttl| element(TT, "TTL").text(ttl));
    call.response("GetDynamicDNSResponse").child(
        element(TDS, "DynamicDNSInformation")
            .leaf(TT, "Type", &dynamic.kind)
            .children(name)
            .children(ttl),
    )
}

pub(super) fn set_dynamic_dns(call: &Call<'_>) -> Result<Element, Fault> {
    let kind = call.argument("Type")?;
    if !["NoUpdate", "ClientUpdates", "ServerUpdates"].contains(&kind) {
        return Err(bad_value(format!("Type cannot be {kind}")));
    }
    let name = call.request.text_of("Name");
    if name.is_some_and(|name| !is_name(name)) {
        return Err(bad_value("Name is no name of a host"));
    }
    let ttl = call.request.text_of("TTL");
    if ttl.is_some_and(|ttl| read_duration(ttl).is_none()) {
        return Err(bad_value("TTL is no duration"));
    }
    lock(&call.camera.device).naming.dynamic_dns = DynamicDns {
        kind: kind.to_owned(),
        name: name.map(str::to_owned),
        ttl: ttl.map(str::to_owned),
    };
    Ok(call.response("SetDynamicDNSResponse"))
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn limit(servers: usize) -> Result<(), Fault> {
    match servers {
        0..=MAX_SERVERS => Ok(()),
        _ => Err(bad_value(format!("{servers} servers are too many"))),
    }
}

fn read_ip(node: &Node) -> Result<IpAddr, Fault> {
    match node.text_of("Type") {
        Some("IPv4") => address(node, "IPv4Address", true),
        Some("IPv6") => address(node, "IPv6Address", false),
        _ => Err(bad_value("Type is neither IPv4 nor IPv6")),
    }
}

fn read_host(node: &Node) -> Result<Host, Fault> {
    if node.text_of("Type") != Some("DNS") {
        return read_ip(node).map(Host::Address);
    }
    match node.text_of("DNSname") {
        Some(name) if is_name(name) => Ok(Host::Name(name.to_owned())),
        Some(_) => Err(Fault::invalid_value("InvalidDnsName", "not a name")),
        None => Err(Fault::missing("DNSname")),
    }
}

fn write_address(name: &'static str, address: IpAddr) -> Element {
    let (kind, field) = match address {
        IpAddr::V4(_) => ("IPv4", "IPv4Address"),
        IpAddr::V6(_) => ("IPv6", "IPv6Address"),
    };
    element(TT, name)
        .leaf(TT, "Type", kind)
        .leaf(TT, field, address)
}
