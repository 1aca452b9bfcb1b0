//! Which of several addresses of a camera is likely to work from here. Pure.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

/// One network that this host is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) address: IpAddr,
    pub(super) prefix: u8,
}

impl Network {
    fn contains(&self, other: IpAddr) -> bool {
        let (bits, difference) = match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (32, u128::from(a.to_bits() ^ b.to_bits())),
            (IpAddr::V6(a), IpAddr::V6(b)) => (128, a.to_bits() ^ b.to_bits()),
            _ => return false,
        };
        let host = u32::saturating_sub(bits, self.prefix.into());
        host >= 128 || difference >> host == 0
    }
}

/// Orders addresses by how likely they work for a host that is in `networks` and got the answer
/// from `from`. None is left out: what does not work here may work elsewhere.
pub(super) fn rank(xaddrs: &mut [Url], from: IpAddr, networks: &[Network]) {
    let from = from.to_canonical();
    xaddrs.sort_by_key(|url| (reachability(url, from, networks), url.scheme() == "https"));
}

/// The address that stands in a URL, IPv4 where it is written as IPv6.
pub(super) fn ip_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip).to_canonical()),
        Host::Domain(_) => None,
    }
}

fn reachability(url: &Url, from: IpAddr, networks: &[Network]) -> u8 {
    let Some(ip) = ip_of(url) else {
        return 4;
    };
    let on_link = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => is_link_local(ip),
    };
    match ip {
        // A URL cannot say on which link it is, so this one is last even if it answered.
        IpAddr::V6(ip) if is_link_local(ip) => 6,
        ip if ip == from => 0,
        ip if ip.is_loopback() || ip.is_unspecified() => 7,
        ip if on_link(ip) => 5,
        ip if networks.iter().any(|network| network.contains(ip)) => 1,
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 3,
    }
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(from: &str, xaddrs: &[&str]) -> Vec<String> {
        let networks =
            [("192.0.2.9", 24), ("2001:db8:1::9", 64)].map(|(address, prefix)| Network {
                address: address.parse().unwrap(),
                prefix,
            });
        let mut urls: Vec<Url> = xaddrs.iter().map(|url| url.parse().unwrap()).collect();
        rank(&mut urls, from.parse().unwrap(), &networks);
        urls.iter().map(|url| url.to_string()).collect()
    }

    #[test]
    fn addresses_are_ordered_by_reachability() {
        let expected = [
            "http://192.0.2.7/",
            "http://192.0.2.8/",
            "http://[2001:db8:1::7]/",
            "https://192.0.2.8/",
            "http://198.51.100.7/",
            "http://[2001:db8:2::7]/",
            "http://gate.example/",
            "http://169.254.7.7/",
            "http://[fe80::7]/",
            "http://127.0.0.1/",
        ];
        let mut shuffled = expected;
        shuffled.reverse();
        shuffled.swap(7, 8);
        assert_eq!(ranked("192.0.2.7", &shuffled), expected);
    }

    #[test]
    fn the_host_that_answered_comes_first() {
        assert_eq!(
            ranked("169.254.7.7", &["http://192.0.2.7/", "http://169.254.7.7/"])[0],
            "http://169.254.7.7/"
        );
        assert_eq!(
            ranked(
                "::ffff:198.51.100.7",
                &["http://192.0.2.7/", "http://198.51.100.7/"]
            )[0],
            "http://198.51.100.7/"
        );
        assert_eq!(
            ranked("fe80::7", &["http://[fe80::7]/", "http://192.0.2.7/"])[0],
            "http://192.0.2.7/"
        );
        assert_eq!(
            ranked("127.0.0.1", &["http://192.0.2.7/", "http://127.0.0.1/"])[0],
            "http://127.0.0.1/"
        );
    }

    #[test]
    fn a_network_of_any_length_contains_its_addresses() {
        let network = |address: &str, prefix| Network {
            address: address.parse().unwrap(),
            prefix,
        };
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(network("10.0.0.1", 0).contains(ip("192.0.2.1")));
        assert!(network("::1", 0).contains(ip("2001:db8::1")));
        assert!(network("10.0.0.1", 32).contains(ip("10.0.0.1")));
        assert!(!network("10.0.0.1", 32).contains(ip("10.0.0.2")));
        assert!(!network("10.0.0.1", 8).contains(ip("::1")));
    }
}
