use std::net::IpAddr;

use super::{DeviceClient, PrefixedAddress};
use crate::error::Error;
use crate::{operation, soap_enum, soap_reply, soap_type};

impl DeviceClient<'_> {
    /// From which addresses the camera may be reached.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetIPAddressFilter")]
    pub async fn ip_filter(&self) -> Result<Option<IpAddressFilter>, Error> {
        Ok(self.camera.call(&GetIpAddressFilter {}).await?.filter)
    }

    /// Replaces the filter. One that leaves this client out ends the conversation.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:IPFilterListIsFull` where it is too long.
    #[doc(alias = "SetIPAddressFilter")]
    pub async fn set_ip_filter(&self, filter: IpAddressFilter) -> Result<(), Error> {
        self.camera.call(&SetIpAddressFilter { filter }).await
    }

    /// Adds addresses to the filter. The kind must be the one in force.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:IPFilterListIsFull` where it is too long.
    #[doc(alias = "AddIPAddressFilter")]
    pub async fn add_ip_filter(&self, filter: IpAddressFilter) -> Result<(), Error> {
        self.camera.call(&AddIpAddressFilter { filter }).await
    }

    /// Takes addresses out of the filter. The kind must be the one in force.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:NoIPv4Address` or `ter:NoIPv6Address` for one that is not in it.
    #[doc(alias = "RemoveIPAddressFilter")]
    pub async fn remove_ip_filter(&self, filter: IpAddressFilter) -> Result<(), Error> {
        self.camera.call(&RemoveIpAddressFilter { filter }).await
    }
}

operation! {
    /// Asks for the IP address filter.
    pub struct GetIpAddressFilter as "GetIPAddressFilter" in "tds" {} -> GetIpAddressFilterResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetIPAddressFilter", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetIpAddressFilter`].
    pub struct GetIpAddressFilterResponse in "tds" {
        /// The filter.
        filter: Option<IpAddressFilter> = "IPAddressFilter",
    }
}

soap_type! {
    /// From which addresses a camera may be reached.
    pub struct IpAddressFilter in "tt" {
        /// Whether the listed addresses are let in or kept out.
        kind: Option<IpAddressFilterType> = "Type",
        /// IPv4 networks.
        ipv4: Vec<PrefixedAddress> = "IPv4Address",
        /// IPv6 networks.
        ipv6: Vec<PrefixedAddress> = "IPv6Address",
    }
}

impl IpAddressFilter {
    /// Only these networks, given as address and length of the prefix, may reach the camera.
    pub fn allow(networks: impl IntoIterator<Item = (IpAddr, u32)>) -> Self {
        Self::new(IpAddressFilterType::Allow, networks)
    }

    /// All but these networks, given as address and length of the prefix, may reach the camera.
    pub fn deny(networks: impl IntoIterator<Item = (IpAddr, u32)>) -> Self {
        Self::new(IpAddressFilterType::Deny, networks)
    }

    fn new(kind: IpAddressFilterType, networks: impl IntoIterator<Item = (IpAddr, u32)>) -> Self {
        let (ipv4, ipv6): (Vec<_>, Vec<_>) = networks
            .into_iter()
            .partition(|(address, _)| address.is_ipv4());
        let prefixed = |networks: Vec<(IpAddr, u32)>| {
            let networks = networks.into_iter();
            networks
                .map(|(address, length)| PrefixedAddress::new(address, length))
                .collect()
        };
        Self {
            kind: Some(kind),
            ipv4: prefixed(ipv4),
            ipv6: prefixed(ipv6),
        }
    }
}

soap_enum! {
    /// What happens to the addresses of a filter.
    pub enum IpAddressFilterType {
        /// Only they are let in.
        Allow = "Allow",
        /// They are kept out.
        Deny = "Deny",
    }
}

operation! {
    /// Replaces the IP address filter.
    pub struct SetIpAddressFilter as "SetIPAddressFilter" in "tds" {
        /// The new one.
        filter: IpAddressFilter = "IPAddressFilter",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetIPAddressFilter", WriteSystem, Write
}

operation! {
    /// Adds addresses to the filter.
    pub struct AddIpAddressFilter as "AddIPAddressFilter" in "tds" {
        /// The addresses, with the kind in force.
        filter: IpAddressFilter = "IPAddressFilter",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/AddIPAddressFilter", WriteSystem, Write
}

operation! {
    /// Takes addresses out of the filter.
    pub struct RemoveIpAddressFilter as "RemoveIPAddressFilter" in "tds" {
        /// The addresses, with the kind in force.
        filter: IpAddressFilter = "IPAddressFilter",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/RemoveIPAddressFilter", WriteSystem, Write
}
