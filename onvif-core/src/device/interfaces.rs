use super::{DeviceClient, Dot11Configuration, PrefixedAddress};
use crate::error::Error;
use crate::{operation, soap_enum, soap_reply, soap_token, soap_type};

impl DeviceClient<'_> {
    /// The network interfaces with their addresses.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetNetworkInterfaces")]
    pub async fn network_interfaces(&self) -> Result<Vec<NetworkInterface>, Error> {
        Ok(self.camera.call(&GetNetworkInterfaces {}).await?.interfaces)
    }

    /// Changes a network interface; what is `None` stays. Returns whether the camera wants a
    /// [`reboot`](Self::reboot) before the change takes effect. A change of address may cost the answer to this very call.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetNetworkInterfaces")]
    pub async fn set_network_interface(
        &self,
        interface: &NetworkInterfaceToken,
        settings: NetworkInterfaceSettings,
    ) -> Result<bool, Error> {
        let request = SetNetworkInterfaces {
            interface_token: interface.clone(),
            interface: settings,
        };
        let reply = self.camera.call(&request).await?;
        Ok(reply.reboot_needed.unwrap_or(false))
    }
}

soap_token! {
    /// Names a network interface.
    pub struct NetworkInterfaceToken;
}

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
        token: Option<NetworkInterfaceToken> = "token",
    ] {
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Name and hardware address.
        info: Option<NetworkInterfaceInfo> = "Info",
        /// Speed, set and in force.
        link: Option<NetworkInterfaceLink> = "Link",
        /// IPv4.
        ipv4: Option<Ipv4> = "IPv4",
        /// IPv6.
        ipv6: Option<Ipv6> = "IPv6",
        /// Kind of interface and Wi-Fi.
        extension: Option<NetworkInterfaceExtension> = "Extension",
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
    /// The link of an interface.
    pub struct NetworkInterfaceLink in "tt" {
        /// As set.
        admin_settings: Option<LinkSettings> = "AdminSettings",
        /// As in force.
        oper_settings: Option<LinkSettings> = "OperSettings",
        /// Kind of interface by number of IANA's `ifType`: 6 is Ethernet, 71 is Wi-Fi.
        interface_type: Option<u32> = "InterfaceType",
    }
}

soap_type! {
    /// Speed of a link.
    #[doc(alias = "NetworkInterfaceConnectionSetting")]
    pub struct LinkSettings in "tt" {
        /// Whether both ends settle the rest.
        auto_negotiation: Option<bool> = "AutoNegotiation",
        /// Speed in Mbit/s.
        speed: Option<u32> = "Speed",
        /// Both ways at once, or in turn.
        duplex: Option<Duplex> = "Duplex",
    }
}

soap_enum! {
    /// Whether a link carries both ways at once.
    pub enum Duplex {
        /// Both at once.
        Full = "Full",
        /// In turn.
        Half = "Half",
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
        /// Whether addresses are made from router advertisements.
        accept_router_advert: Option<bool> = "AcceptRouterAdvert",
        /// How DHCPv6 is used.
        dhcp: Option<Ipv6Dhcp> = "DHCP",
        /// Set by hand.
        manual: Vec<PrefixedAddress> = "Manual",
        /// Link-local.
        link_local: Vec<PrefixedAddress> = "LinkLocal",
        /// From DHCP.
        from_dhcp: Vec<PrefixedAddress> = "FromDHCP",
        /// From router advertisements.
        from_ra: Vec<PrefixedAddress> = "FromRA",
    }
}

soap_enum! {
    /// How DHCPv6 is used.
    pub enum Ipv6Dhcp {
        /// As the router advertises.
        Auto = "Auto",
        /// For addresses and the rest.
        Stateful = "Stateful",
        /// For all but addresses.
        Stateless = "Stateless",
        /// Not at all.
        Off = "Off",
    }
}

soap_reply! {
    /// What later versions added to an interface.
    pub struct NetworkInterfaceExtension in "tt" {
        /// Kind of interface by number of IANA's `ifType`: 6 is Ethernet, 71 is Wi-Fi.
        interface_type: Option<u32> = "InterfaceType",
        /// Wi-Fi networks it is set up for.
        dot11: Vec<Dot11Configuration> = "Dot11",
    }
}

operation! {
    /// Changes a network interface.
    pub struct SetNetworkInterfaces in "tds" {
        /// Which.
        interface_token: NetworkInterfaceToken = "InterfaceToken",
        /// The changes.
        interface: NetworkInterfaceSettings = "NetworkInterface",
    } -> SetNetworkInterfacesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/SetNetworkInterfaces", WriteSystem, Write
}

soap_reply! {
    /// The reply to [`SetNetworkInterfaces`].
    pub struct SetNetworkInterfacesResponse in "tds" {
        /// Whether the camera must be restarted first.
        reboot_needed: Option<bool> = "RebootNeeded",
    }
}

soap_type! {
    /// Changes to a network interface. What is `None` stays.
    #[doc(alias = "NetworkInterfaceSetConfiguration")]
    #[derive(Default)]
    pub struct NetworkInterfaceSettings in "tt" {
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Speed.
        link: Option<LinkSettings> = "Link",
        /// Largest packet in bytes.
        mtu: Option<u32> = "MTU",
        /// IPv4.
        ipv4: Option<Ipv4Settings> = "IPv4",
        /// IPv6.
        ipv6: Option<Ipv6Settings> = "IPv6",
        /// Wi-Fi.
        extension: Option<NetworkInterfaceSettingsExtension> = "Extension",
    }
}

soap_type! {
    /// Changes to IPv4. What is `None` stays.
    #[doc(alias = "IPv4NetworkInterfaceSetConfiguration")]
    #[derive(Default)]
    pub struct Ipv4Settings in "tt" {
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Addresses set by hand, instead of those before.
        manual: Vec<PrefixedAddress> = "Manual",
        /// Whether DHCP is used.
        dhcp: Option<bool> = "DHCP",
    }
}

soap_type! {
    /// Changes to IPv6. What is `None` stays.
    #[doc(alias = "IPv6NetworkInterfaceSetConfiguration")]
    #[derive(Default)]
    pub struct Ipv6Settings in "tt" {
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Whether addresses are made from router advertisements.
        accept_router_advert: Option<bool> = "AcceptRouterAdvert",
        /// Addresses set by hand, instead of those before.
        manual: Vec<PrefixedAddress> = "Manual",
        /// How DHCPv6 is used.
        dhcp: Option<Ipv6Dhcp> = "DHCP",
    }
}

soap_type! {
    /// Changes to Wi-Fi.
    pub struct NetworkInterfaceSettingsExtension in "tt" {
        /// Networks to join, instead of those before.
        dot11: Vec<Dot11Configuration> = "Dot11",
    }
}
