//! What clients can change about the device, and a factory reset restores.

use std::net::IpAddr;

use super::clock::ClockSettings;
use super::io::Io;
use super::ip_filter::IpFilter;
use super::naming::Naming;
use super::network::Network;
use super::system::GeoLocation;
use crate::soap::Fault;
use crate::xml::{Node, TER};

#[derive(Debug)]
pub(crate) struct Settings {
    pub clock: ClockSettings,
    pub discoverable: bool,
    /// Those that can be changed.
    pub scopes: Vec<String>,
    pub naming: Naming,
    pub network: Network,
    pub ip_filter: IpFilter,
    pub io: Io,
    pub location: Option<GeoLocation>,
}

impl Settings {
    /// As the maker sets them, for a camera of this name.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            clock: ClockSettings::default(),
            discoverable: true,
            scopes: super::scopes::configurable(name),
            naming: Naming::new(name),
            network: Network::default(),
            ip_filter: IpFilter::default(),
            io: Io::default(),
            location: None,
        }
    }

    /// Resets everything; where `soft`, all but what is needed to reach the camera.
    pub(crate) fn reset(&mut self, name: &str, soft: bool) {
        let before = std::mem::replace(self, Self::new(name));
        if soft {
            self.naming = before.naming;
            self.network = before.network;
            self.ip_filter = before.ip_filter;
        }
    }
}

/// A required `xs:boolean`.
pub(super) fn boolean(node: &Node, name: &str) -> Result<bool, Fault> {
    optional_boolean(node, name)?.ok_or_else(|| Fault::missing(name))
}

/// An `xs:boolean` that may be absent.
pub(super) fn optional_boolean(node: &Node, name: &str) -> Result<Option<bool>, Fault> {
    match node.text_of(name) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(bad_value(format!("{name} is neither true nor false"))),
    }
}

/// `Sender / ter:InvalidArgVal`.
pub(super) fn bad_value(reason: impl Into<String>) -> Fault {
    Fault::sender(&[(TER, "InvalidArgVal")], reason)
}

/// `Sender / ter:OperationProhibited / ter:SUBCODE`.
pub(super) fn prohibited(subcode: &'static str, reason: impl Into<String>) -> Fault {
    let subcodes = [(TER, "OperationProhibited"), (TER, subcode)];
    Fault::sender(&subcodes, reason)
}

/// `Receiver / ter:Action / ter:SUBCODE`: more than the camera can hold.
pub(super) fn too_many(subcode: &'static str, reason: impl Into<String>) -> Fault {
    Fault::receiver(&[(TER, "Action"), (TER, subcode)], reason)
}

/// The address in the child `name`, which must be one of IPv4 (`v4`) or of IPv6.
pub(super) fn address(node: &Node, name: &str, v4: bool) -> Result<IpAddr, Fault> {
    let text = node.text_of(name).ok_or_else(|| Fault::missing(name))?;
    read_address(text, v4)
}

pub(super) fn read_address(text: &str, v4: bool) -> Result<IpAddr, Fault> {
    let read = text.parse().ok().filter(|ip: &IpAddr| ip.is_ipv4() == v4);
    let subcode = if v4 {
        "InvalidIPv4Address"
    } else {
        "InvalidIPv6Address"
    };
    read.ok_or_else(|| Fault::invalid_value(subcode, format!("{text} is no such address")))
}

/// `Address` and `PrefixLength`.
pub(super) fn prefixed(node: &Node, v4: bool) -> Result<(IpAddr, u8), Fault> {
    let ip = address(node, "Address", v4)?;
    let length = node.text_of("PrefixLength");
    let length = length.ok_or_else(|| Fault::missing("PrefixLength"))?;
    let most = if v4 { 32 } else { 128 };
    match length.parse() {
        Ok(length) if length <= most => Ok((ip, length)),
        _ => Err(bad_value(format!("{length} is no length of a prefix"))),
    }
}
