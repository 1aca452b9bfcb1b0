use std::net::IpAddr;

use crate::{soap_enum, soap_type};

soap_type! {
    /// An IP address, in the form the schema gives it.
    #[derive(Eq)]
    pub struct IpAddress in "tt" {
        /// Which of the two it is.
        kind: Option<IpType> = "Type",
        /// An IPv4 address.
        ipv4: Option<String> = "IPv4Address",
        /// An IPv6 address.
        ipv6: Option<String> = "IPv6Address",
    }
}

impl IpAddress {
    /// The address; `None` where the camera gives none that can be read.
    pub fn ip(&self) -> Option<IpAddr> {
        let read = |text: &Option<String>| text.as_ref()?.parse().ok();
        match self.kind {
            Some(IpType::Ipv6) => read(&self.ipv6),
            _ => read(&self.ipv4).or_else(|| read(&self.ipv6)),
        }
    }
}

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> Self {
        let text = address.to_string();
        let (kind, ipv4, ipv6) = match address {
            IpAddr::V4(_) => (IpType::Ipv4, Some(text), None),
            IpAddr::V6(_) => (IpType::Ipv6, None, Some(text)),
        };
        Self {
            kind: Some(kind),
            ipv4,
            ipv6,
        }
    }
}

soap_enum! {
    /// Which version of IP.
    pub enum IpType {
        /// IPv4.
        Ipv4 = "IPv4",
        /// IPv6.
        Ipv6 = "IPv6",
    }
}

soap_type! {
    /// A host on the network, by address or by name.
    #[derive(Eq)]
    pub struct NetworkHost in "tt" {
        /// Which of the three it is.
        kind: Option<NetworkHostType> = "Type",
        /// An IPv4 address.
        ipv4: Option<String> = "IPv4Address",
        /// An IPv6 address.
        ipv6: Option<String> = "IPv6Address",
        /// A name.
        dns_name: Option<String> = "DNSname",
    }
}

impl NetworkHost {
    /// A host by name.
    pub fn dns(name: impl Into<String>) -> Self {
        Self {
            kind: Some(NetworkHostType::Dns),
            ipv4: None,
            ipv6: None,
            dns_name: Some(name.into()),
        }
    }

    /// Its name or address, as the camera writes it.
    pub fn as_str(&self) -> Option<&str> {
        match self.kind {
            Some(NetworkHostType::Ipv4) => self.ipv4.as_deref(),
            Some(NetworkHostType::Ipv6) => self.ipv6.as_deref(),
            Some(NetworkHostType::Dns) => self.dns_name.as_deref(),
            _ => None,
        }
        .or(self.dns_name.as_deref())
        .or(self.ipv4.as_deref())
        .or(self.ipv6.as_deref())
    }
}

impl From<IpAddr> for NetworkHost {
    fn from(address: IpAddr) -> Self {
        let text = address.to_string();
        let (kind, ipv4, ipv6) = match address {
            IpAddr::V4(_) => (NetworkHostType::Ipv4, Some(text), None),
            IpAddr::V6(_) => (NetworkHostType::Ipv6, None, Some(text)),
        };
        Self {
            kind: Some(kind),
            ipv4,
            ipv6,
            dns_name: None,
        }
    }
}

soap_enum! {
    /// How a [`NetworkHost`] is named.
    pub enum NetworkHostType {
        /// By IPv4 address.
        Ipv4 = "IPv4",
        /// By IPv6 address.
        Ipv6 = "IPv6",
        /// By name.
        Dns = "DNS",
    }
}

soap_type! {
    /// An address with the length of its network prefix.
    #[derive(Eq)]
    pub struct PrefixedAddress in "tt" {
        /// The address.
        address: Option<String> = "Address",
        /// Length of the prefix in bits: 0 to 32 for IPv4, 0 to 128 for IPv6.
        prefix_length: Option<u32> = "PrefixLength",
    }
}

impl PrefixedAddress {
    /// An address and the length of its network prefix in bits.
    pub fn new(address: impl Into<IpAddr>, prefix_length: u32) -> Self {
        Self {
            address: Some(address.into().to_string()),
            prefix_length: Some(prefix_length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_both_ways() {
        for text in ["192.0.2.7", "2001:db8::7"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(IpAddress::from(address).ip(), Some(address));
            assert_eq!(NetworkHost::from(address).as_str(), Some(text));
        }
        assert_eq!(NetworkHost::dns("pool").as_str(), Some("pool"));
    }
}
