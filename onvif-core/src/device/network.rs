use crate::{operation, soap_reply};

operation! {
    /// Asks for the network interfaces.
    pub struct GetNetworkInterfaces in "tds" {} -> GetNetworkInterfacesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetNetworkInterfaces", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetNetworkInterfaces`].
    pub struct GetNetworkInterfacesResponse in "tds" {
        /// The interfaces.
        interfaces: Vec<NetworkInterface> = "NetworkInterfaces",
    }
}

soap_reply! {
    /// A network interface.
    pub struct NetworkInterface in "tt" [
        /// Its token.
        token: Option<String> = "token",
    ] {
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Name and hardware address.
        info: Option<NetworkInterfaceInfo> = "Info",
        /// IPv4.
        ipv4: Option<Ipv4> = "IPv4",
        /// IPv6.
        ipv6: Option<Ipv6> = "IPv6",
    }
}

soap_reply! {
    /// Name and hardware address.
    pub struct NetworkInterfaceInfo in "tt" {
        /// Name, such as `eth0`.
        name: Option<String> = "Name",
        /// Hardware (MAC) address, as the camera writes it.
        hw_address: Option<String> = "HwAddress",
        /// Largest packet in bytes.
        mtu: Option<u32> = "MTU",
    }
}

soap_reply! {
    /// IPv4 of an interface.
    pub struct Ipv4 in "tt" {
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Addresses.
        config: Option<Ipv4Configuration> = "Config",
    }
}

soap_reply! {
    /// IPv4 addresses.
    pub struct Ipv4Configuration in "tt" {
        /// Set by hand.
        manual: Vec<PrefixedAddress> = "Manual",
        /// Link-local.
        link_local: Option<PrefixedAddress> = "LinkLocal",
        /// From DHCP.
        from_dhcp: Option<PrefixedAddress> = "FromDHCP",
        /// Whether DHCP is used.
        dhcp: Option<bool> = "DHCP",
    }
}

soap_reply! {
    /// IPv6 of an interface.
    pub struct Ipv6 in "tt" {
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Addresses.
        config: Option<Ipv6Configuration> = "Config",
    }
}

soap_reply! {
    /// IPv6 addresses.
    pub struct Ipv6Configuration in "tt" {
        /// Set by hand.
        manual: Vec<PrefixedAddress> = "Manual",
        /// Link-local.
        link_local: Vec<PrefixedAddress> = "LinkLocal",
        /// From DHCP.
        from_dhcp: Vec<PrefixedAddress> = "FromDHCP",
    }
}

soap_reply! {
    /// An address with the length of its network prefix.
    pub struct PrefixedAddress in "tt" {
        /// The address.
        address: Option<String> = "Address",
        /// Length of the prefix in bits.
        prefix_length: Option<u32> = "PrefixLength",
    }
}
