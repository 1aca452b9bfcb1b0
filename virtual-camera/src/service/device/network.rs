//! The interface, protocols, gateways and zero configuration. Nothing of it changes how this program is reached.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::settings::{bad_value, boolean, optional_boolean, prefixed, prohibited, read_address};
use crate::service::Call;
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::xml::{Element, Node, TDS, TT, element};

const INTERFACE: &str = "eth0";
const MTU: std::ops::RangeInclusive<u32> = 576..=9000;

#[derive(Debug)]
pub(crate) struct Network {
    enabled: bool,
    mtu: u32,
    ipv4: Ip,
    ipv6: Ip,
    accept_router_advert: bool,
    /// Protocols that were changed: whether in use, and the port.
    protocols: BTreeMap<String, (bool, u16)>,
    gateways: Vec<IpAddr>,
    zero_configuration: bool,
}

/// One version of IP. Without addresses of its own, IPv4 has that of the server.
#[derive(Debug)]
struct Ip {
    enabled: bool,
    manual: Vec<(IpAddr, u8)>,
    dhcp: String,
}

impl Default for Network {
    fn default() -> Self {
        let ip = |enabled, dhcp: &str| Ip {
            enabled,
            manual: Vec::new(),
            dhcp: dhcp.to_owned(),
        };
        Self {
            enabled: true,
            mtu: 1500,
            ipv4: ip(true, "false"),
            ipv6: ip(false, "Off"),
            accept_router_advert: false,
            protocols: BTreeMap::new(),
            gateways: Vec::new(),
            zero_configuration: false,
        }
    }
}

pub(super) fn get_interfaces(call: &Call<'_>) -> Element {
    let camera = call.camera;
    let network = &lock(&camera.device).network;
    let [.., a, b, c, d, e] = *camera.uuid.as_bytes();
    let hardware = format!("02:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}");
    let own = [(IpAddr::V4(own_address(camera)), 24)];
    let manual = |addresses: &[(IpAddr, u8)]| {
        let written = addresses.iter().map(|(address, length)| {
            element(TT, "Manual")
                .leaf(TT, "Address", address)
                .leaf(TT, "PrefixLength", length)
        });
        written.collect::<Vec<_>>()
    };
    let ipv4 = match network.ipv4.manual.as_slice() {
        [] => manual(&own),
        set => manual(set),
    };
    let ipv4 = element(TT, "Config")
        .children(ipv4)
        .leaf(TT, "DHCP", &network.ipv4.dhcp);
    let ipv6 = element(TT, "Config")
        .leaf(TT, "AcceptRouterAdvert", network.accept_router_advert)
        .leaf(TT, "DHCP", &network.ipv6.dhcp)
        .children(manual(&network.ipv6.manual));
    let interface = element(TDS, "NetworkInterfaces")
        .attribute("token", INTERFACE)
        .leaf(TT, "Enabled", network.enabled)
        .child(
            element(TT, "Info")
                .leaf(TT, "Name", INTERFACE)
                .leaf(TT, "HwAddress", hardware)
                .leaf(TT, "MTU", network.mtu),
        )
        .child(
            element(TT, "IPv4")
                .leaf(TT, "Enabled", network.ipv4.enabled)
                .child(ipv4),
        )
        .child(
            element(TT, "IPv6")
                .leaf(TT, "Enabled", network.ipv6.enabled)
                .child(ipv6),
        );
    call.response("GetNetworkInterfacesResponse")
        .child(interface)
}

pub(super) fn set_interfaces(call: &Call<'_>) -> Result<Element, Fault> {
    known_interface(call)?;
    let wanted = call.request.child("NetworkInterface");
    let wanted = wanted.ok_or_else(|| Fault::missing("NetworkInterface"))?;
    let mtu = match wanted.text_of("MTU") {
        Some(text) => {
            let mtu = text.parse().ok().filter(|mtu| MTU.contains(mtu));
            Some(mtu.ok_or_else(|| Fault::invalid_value("InvalidMtuValue", "a wrong MTU"))?)
        }
        None => None,
    };
    let enabled = optional_boolean(wanted, "Enabled")?;
    let ipv4 = wanted.child("IPv4").map(|ip| IpChange::read(ip, true));
    let ipv4 = ipv4.transpose()?;
    let ipv6 = wanted.child("IPv6").map(|ip| IpChange::read(ip, false));
    let ipv6 = ipv6.transpose()?;
    let router = wanted.child("IPv6");
    let router = router.map(|ip| optional_boolean(ip, "AcceptRouterAdvert"));

    let network = &mut lock(&call.camera.device).network;
    if let Some(Some(router)) = router.transpose()? {
        network.accept_router_advert = router;
    }
    network.enabled = enabled.unwrap_or(network.enabled);
    network.mtu = mtu.unwrap_or(network.mtu);
    for (ip, change) in [(&mut network.ipv4, ipv4), (&mut network.ipv6, ipv6)] {
        if let Some(change) = change {
            change.apply(ip);
        }
    }
    let response = call.response("SetNetworkInterfacesResponse");
    Ok(response.leaf(TDS, "RebootNeeded", false))
}

struct IpChange {
    enabled: Option<bool>,
    manual: Vec<(IpAddr, u8)>,
    dhcp: Option<String>,
}

impl IpChange {
    fn read(node: &Node, v4: bool) -> Result<Self, Fault> {
        let dhcp = if v4 {
            optional_boolean(node, "DHCP")?.map(|dhcp| dhcp.to_string())
        } else {
            match node.text_of("DHCP") {
                Some(mode) if !["Auto", "Stateful", "Stateless", "Off"].contains(&mode) => {
                    return Err(bad_value(format!("DHCP cannot be {mode}")));
                }
                mode => mode.map(str::to_owned),
            }
        };
        let manual = node.all("Manual").map(|address| prefixed(address, v4));
        Ok(Self {
            enabled: optional_boolean(node, "Enabled")?,
            manual: manual.collect::<Result<_, _>>()?,
            dhcp,
        })
    }

    fn apply(self, ip: &mut Ip) {
        ip.enabled = self.enabled.unwrap_or(ip.enabled);
        if !self.manual.is_empty() {
            ip.manual = self.manual;
        }
        if let Some(dhcp) = self.dhcp {
            ip.dhcp = dhcp;
        }
    }
}

pub(super) fn get_protocols(call: &Call<'_>) -> Element {
    let protocols = protocols(call.camera).map(|(name, (enabled, port))| {
        element(TDS, "NetworkProtocols")
            .leaf(TT, "Name", name)
            .leaf(TT, "Enabled", enabled)
            .leaf(TT, "Port", port)
    });
    call.response("GetNetworkProtocolsResponse")
        .children(protocols)
}

fn protocols(camera: &Camera) -> [(&'static str, (bool, u16)); 2] {
    let network = &lock(&camera.device).network;
    let ports = [camera.http.port(), camera.rtsp.local_addr().port()];
    let http = match camera.scheme() {
        "https" => "HTTPS",
        _ => "HTTP",
    };
    let now = |name, port| *network.protocols.get(name).unwrap_or(&(true, port));
    [(http, now(http, ports[0])), ("RTSP", now("RTSP", ports[1]))]
}

pub(super) fn set_protocols(call: &Call<'_>) -> Result<Element, Fault> {
    let mut wanted: BTreeMap<_, _> = protocols(call.camera).into_iter().collect();
    let given: Vec<_> = call.request.all("NetworkProtocols").collect();
    if given.is_empty() {
        return Err(Fault::missing("NetworkProtocols"));
    }
    for protocol in given {
        let name = protocol
            .text_of("Name")
            .ok_or_else(|| Fault::missing("Name"))?;
        let Some(name) = wanted.keys().copied().find(|known| *known == name) else {
            let reason = format!("there is no {name} here");
            return Err(Fault::invalid_value("ServiceNotSupported", reason));
        };
        let enabled = boolean(protocol, "Enabled")?;
        let port = match protocol.text_of("Port") {
            Some(port) => port.parse().ok().filter(|port| *port > 0),
            None => wanted.get(name).map(|(_, port)| *port),
        };
        let port: u16 = port.ok_or_else(|| bad_value("Port is no TCP port"))?;
        wanted.insert(name, (enabled, port));
    }
    if let [(_, http), (_, rtsp)] = wanted.iter().collect::<Vec<_>>()[..]
        && http.1 == rtsp.1
    {
        let reason = format!("two protocols on port {}", http.1);
        return Err(prohibited("PortAlreadyInUse", reason));
    }
    let wanted = wanted.into_iter();
    lock(&call.camera.device).network.protocols = wanted
        .map(|(name, state)| (name.to_owned(), state))
        .collect();
    Ok(call.response("SetNetworkProtocolsResponse"))
}

pub(super) fn get_gateway(call: &Call<'_>) -> Element {
    let gateways = lock(&call.camera.device).network.gateways.clone();
    let (ipv4, ipv6): (Vec<_>, Vec<_>) = gateways.into_iter().partition(IpAddr::is_ipv4);
    let leaves = |name, addresses: Vec<IpAddr>| {
        let addresses = addresses.into_iter();
        addresses.map(move |address| element(TT, name).text(address))
    };
    call.response("GetNetworkDefaultGatewayResponse").child(
        element(TDS, "NetworkGateway")
            .children(leaves("IPv4Address", ipv4))
            .children(leaves("IPv6Address", ipv6)),
    )
}

pub(super) fn set_gateway(call: &Call<'_>) -> Result<Element, Fault> {
    let read = |name, v4| {
        let given = call.request.all(name);
        given.map(move |address| read_address(address.text(), v4))
    };
    let gateways = read("IPv4Address", true).chain(read("IPv6Address", false));
    let gateways = gateways.collect::<Result<Vec<_>, _>>()?;
    if gateways.is_empty() {
        let reason = "neither IPv4Address nor IPv6Address is given";
        return Err(Fault::invalid_value("InvalidGatewayAddress", reason));
    }
    lock(&call.camera.device).network.gateways = gateways;
    Ok(call.response("SetNetworkDefaultGatewayResponse"))
}

pub(super) fn get_zero_configuration(call: &Call<'_>) -> Element {
    let enabled = lock(&call.camera.device).network.zero_configuration;
    // RFC 3927: from 169.254.1.0 to 169.254.254.255.
    let [.., a, b] = *call.camera.uuid.as_bytes();
    let address = Ipv4Addr::new(169, 254, a.clamp(1, 254), b);
    let address = enabled.then(|| element(TT, "Addresses").text(address));
    call.response("GetZeroConfigurationResponse").child(
        element(TDS, "ZeroConfiguration")
            .leaf(TT, "InterfaceToken", INTERFACE)
            .leaf(TT, "Enabled", enabled)
            .children(address),
    )
}

pub(super) fn set_zero_configuration(call: &Call<'_>) -> Result<Element, Fault> {
    known_interface(call)?;
    let enabled = boolean(call.request, "Enabled")?;
    lock(&call.camera.device).network.zero_configuration = enabled;
    Ok(call.response("SetZeroConfigurationResponse"))
}

fn known_interface(call: &Call<'_>) -> Result<(), Fault> {
    match call.argument("InterfaceToken")? {
        INTERFACE => Ok(()),
        other => {
            let reason = format!("there is no interface {other}");
            Err(Fault::invalid_value("InvalidNetworkInterface", reason))
        }
    }
}

fn own_address(camera: &Camera) -> Ipv4Addr {
    match camera.http.ip() {
        IpAddr::V4(address) if !address.is_unspecified() => address,
        _ => Ipv4Addr::LOCALHOST,
    }
}
