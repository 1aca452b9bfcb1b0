//! The network interfaces of this host.

use std::net::{IpAddr, Ipv4Addr};

use if_addrs::{IfAddr, get_if_addrs};

use super::DiscoveryError;
use super::rank::Network;

/// One address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) name: String,
    /// What IPv6 calls the interface.
    pub(super) index: Option<u32>,
    pub(super) network: Network,
}

/// All interfaces; none when the system does not tell.
pub(super) fn all() -> Vec<Interface> {
    let interfaces = get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the network interfaces are unknown; only the default one is used");
        Vec::new()
    });
    let interfaces = interfaces.into_iter().map(|interface| Interface {
        network: match interface.addr {
            IfAddr::V4(ref v4) => Network {
                address: v4.ip.into(),
                prefix: v4.prefixlen,
            },
            IfAddr::V6(ref v6) => Network {
                address: v6.ip.into(),
                prefix: v6.prefixlen,
            },
        },
        index: interface.index,
        name: interface.name,
    });
    interfaces.collect()
}

/// Those that multicast goes out on: the wanted ones, by name or address; else all but loopback,
/// which stays only when there is nothing else.
pub(super) fn chosen(
    all: &[Interface],
    wanted: &[String],
) -> Result<Vec<Interface>, DiscoveryError> {
    let is = |interface: &Interface, name: &str| {
        interface.name == name || name.parse() == Ok(interface.network.address)
    };
    for name in wanted {
        if !all.iter().any(|interface| is(interface, name)) {
            return Err(DiscoveryError::NoSuchInterface(name.clone()));
        }
    }
    let is_loopback = |interface: &&Interface| interface.network.address.is_loopback();
    let chosen: Vec<_> = if !wanted.is_empty() {
        let wanted = |interface: &&Interface| wanted.iter().any(|name| is(interface, name));
        all.iter().filter(wanted).cloned().collect()
    } else if all.iter().all(|interface| is_loopback(&interface)) {
        all.to_vec()
    } else {
        let outer = all.iter().filter(|interface| !is_loopback(interface));
        outer.cloned().collect()
    };
    Ok(match chosen.is_empty() {
        true => vec![Interface {
            name: "default".to_owned(),
            index: None,
            network: Network {
                address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                prefix: 32,
            },
        }],
        false => chosen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, address: &str) -> Interface {
        Interface {
            name: name.to_owned(),
            index: Some(1),
            network: Network {
                address: address.parse().unwrap(),
                prefix: 24,
            },
        }
    }

    #[test]
    fn loopback_is_used_only_where_there_is_nothing_else() {
        let lo = interface("lo", "127.0.0.1");
        let eth = interface("eth0", "192.0.2.9");
        assert_eq!(chosen(&[lo.clone(), eth.clone()], &[]).unwrap(), [eth]);
        assert_eq!(chosen(std::slice::from_ref(&lo), &[]).unwrap(), [lo]);
        assert_eq!(chosen(&[], &[]).unwrap()[0].name, "default");
    }

    #[test]
    fn interfaces_are_chosen_by_name_or_address() {
        let all = [
            interface("lo", "127.0.0.1"),
            interface("eth0", "192.0.2.9"),
            interface("eth0", "fe80::9"),
            interface("eth1", "198.51.100.9"),
        ];
        let names = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(|&name| name.to_owned()).collect();
            chosen(&all, &wanted).map(|chosen| chosen.len())
        };
        assert_eq!(names(&["eth0"]).unwrap(), 2);
        assert_eq!(names(&["198.51.100.9"]).unwrap(), 1);
        assert_eq!(names(&["lo", "eth1"]).unwrap(), 2);
        let error = names(&["eth0", "wlan7"]).unwrap_err();
        assert!(error.to_string().contains("`wlan7`"));
    }
}
