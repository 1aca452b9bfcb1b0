use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Sweeping more addresses than these takes hours, and finds nothing that a smaller subnet would not.
const LARGEST: u32 = 16;

/// The addresses of a subnet, as in `192.0.2.0/24`. 65 536 at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subnet {
    first: IpAddr,
    prefix: u8,
}

/// Why a text is no subnet that can be swept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubnetError {
    /// It does not say a subnet.
    #[error("`{0}` is no subnet; give one such as 192.0.2.0/24")]
    Invalid(String),
    /// It holds too many addresses.
    #[error("`{0}` holds more than 65536 addresses; split it")]
    TooLarge(String),
}

impl Subnet {
    /// The subnet that `address` is in. `prefix` is its length in bits: 16 to 32 for IPv4, 112 to 128 for IPv6.
    ///
    /// # Errors
    /// When the prefix is out of range, or leaves more than 65 536 addresses.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, SubnetError> {
        let text = || format!("{address}/{prefix}");
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let host =
            u32::checked_sub(bits, prefix.into()).ok_or_else(|| SubnetError::Invalid(text()))?;
        if host > LARGEST {
            return Err(SubnetError::TooLarge(text()));
        }
        let first = match address {
            IpAddr::V4(ip) => Ipv4Addr::from(ip.to_bits() >> host << host).into(),
            IpAddr::V6(ip) => Ipv6Addr::from(ip.to_bits() >> host << host).into(),
        };
        Ok(Self { first, prefix })
    }

    /// Its addresses that a camera may have: not those that name the network and all of its hosts.
    pub fn hosts(&self) -> impl Iterator<Item = IpAddr> + Send + use<> {
        let (first, host) = (self.first, self.bits() - u32::from(self.prefix));
        let count = 1u32 << host;
        let reserved = u32::from(first.is_ipv4() && host >= 2);
        (reserved..count - reserved).map(move |number| match first {
            IpAddr::V4(ip) => Ipv4Addr::from(ip.to_bits() | number).into(),
            IpAddr::V6(ip) => Ipv6Addr::from(ip.to_bits() | u128::from(number)).into(),
        })
    }

    /// How many addresses [`hosts`](Self::hosts) yields.
    pub fn len(&self) -> u32 {
        let host = self.bits() - u32::from(self.prefix);
        let reserved = u32::from(self.is_ipv4() && host >= 2);
        (1 << host) - 2 * reserved
    }

    /// Never: the smallest subnet is one address.
    pub fn is_empty(&self) -> bool {
        false
    }

    pub(super) fn is_ipv4(&self) -> bool {
        self.first.is_ipv4()
    }

    fn bits(&self) -> u32 {
        if self.is_ipv4() { 32 } else { 128 }
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let invalid = || SubnetError::Invalid(text.chars().take(64).collect());
        let (address, prefix) = text.trim().split_once('/').ok_or_else(invalid)?;
        let address = address.parse().map_err(|_| invalid())?;
        Self::new(address, prefix.parse().map_err(|_| invalid())?)
    }
}

impl std::fmt::Display for Subnet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        let subnet: Subnet = text.parse().unwrap();
        let hosts: Vec<_> = subnet.hosts().map(|ip| ip.to_string()).collect();
        assert_eq!(hosts.len(), subnet.len() as usize);
        hosts
    }

    #[test]
    fn a_subnet_leaves_out_its_network_and_broadcast_addresses() {
        assert_eq!(hosts("192.0.2.77/30"), ["192.0.2.77", "192.0.2.78"]);
        assert_eq!(hosts("192.0.2.7/31"), ["192.0.2.6", "192.0.2.7"]);
        assert_eq!(hosts("192.0.2.7/32"), ["192.0.2.7"]);
        assert_eq!(hosts("2001:db8::6/127"), ["2001:db8::6", "2001:db8::7"]);
        assert_eq!(hosts("192.0.2.0/24").len(), 254);
        assert_eq!(hosts("10.1.0.0/16").len(), 65_534);
        assert_eq!(
            "192.0.2.77/24".parse::<Subnet>().unwrap().to_string(),
            "192.0.2.0/24"
        );
    }

    #[test]
    fn what_is_too_large_or_no_subnet_is_refused() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/64"] {
            assert!(
                matches!(text.parse::<Subnet>(), Err(SubnetError::TooLarge(_))),
                "{text}"
            );
        }
        for text in [
            "",
            "192.0.2.1",
            "192.0.2.0/33",
            "192.0.2/24",
            "gate/24",
            "::/129",
        ] {
            assert!(
                matches!(text.parse::<Subnet>(), Err(SubnetError::Invalid(_))),
                "{text}"
            );
        }
    }
}
