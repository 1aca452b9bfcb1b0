use std::net::IpAddr;
use std::time::Duration;

use super::{DeviceClient, IpAddress, NetworkHost};
use crate::error::Error;
use crate::xml::IsoDuration;
use crate::{operation, soap_enum, soap_reply};

impl DeviceClient<'_> {
    /// The host name, when the camera has one.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetHostname")]
    pub async fn hostname(&self) -> Result<Option<String>, Error> {
        let reply = self.camera.call(&GetHostname {}).await?;
        Ok(reply.information.and_then(|information| information.name))
    }

    /// Sets the host name; it no longer comes from DHCP.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:InvalidHostname` for a name that DNS does not allow.
    #[doc(alias = "SetHostname")]
    pub async fn set_hostname(&self, name: impl Into<String>) -> Result<(), Error> {
        let name = name.into();
        self.camera.call(&SetHostname { name }).await
    }

    /// Takes the host name from DHCP, or not. Returns whether the camera wants a [`reboot`](Self::reboot) first.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetHostnameFromDHCP")]
    pub async fn set_hostname_from_dhcp(&self, from_dhcp: bool) -> Result<bool, Error> {
        let reply = self.camera.call(&SetHostnameFromDhcp { from_dhcp }).await?;
        Ok(reply.reboot_needed.unwrap_or(false))
    }

    /// The name servers.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetDNS")]
    pub async fn dns(&self) -> Result<Option<DnsInformation>, Error> {
        Ok(self.camera.call(&GetDns {}).await?.information)
    }

    /// Sets name servers and search domains by hand. [`set_dns_from_dhcp`](Self::set_dns_from_dhcp) undoes it.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetDNS")]
    pub async fn set_dns(&self, servers: &[IpAddr], search_domains: &[&str]) -> Result<(), Error> {
        let request = SetDns {
            from_dhcp: false,
            search_domains: search_domains.iter().map(|&name| name.to_owned()).collect(),
            manual: servers.iter().copied().map(IpAddress::from).collect(),
        };
        self.camera.call(&request).await
    }

    /// Takes name servers and search domains from DHCP.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetDNS")]
    pub async fn set_dns_from_dhcp(&self) -> Result<(), Error> {
        let request = SetDns {
            from_dhcp: true,
            search_domains: Vec::new(),
            manual: Vec::new(),
        };
        self.camera.call(&request).await
    }

    /// The NTP servers.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetNTP")]
    pub async fn ntp(&self) -> Result<Option<NtpInformation>, Error> {
        Ok(self.camera.call(&GetNtp {}).await?.information)
    }

    /// Sets NTP servers by hand. The clock follows them only after
    /// [`SetSystemDateAndTime::ntp`](super::SetSystemDateAndTime::ntp).
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetNTP")]
    pub async fn set_ntp(&self, servers: impl Into<Vec<NetworkHost>>) -> Result<(), Error> {
        let request = SetNtp {
            from_dhcp: false,
            manual: servers.into(),
        };
        self.camera.call(&request).await
    }

    /// Takes NTP servers from DHCP.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetNTP")]
    pub async fn set_ntp_from_dhcp(&self) -> Result<(), Error> {
        let request = SetNtp {
            from_dhcp: true,
            manual: Vec::new(),
        };
        self.camera.call(&request).await
    }

    /// Whether and how the camera registers its name with DNS.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetDynamicDNS")]
    pub async fn dynamic_dns(&self) -> Result<Option<DynamicDnsInformation>, Error> {
        Ok(self.camera.call(&GetDynamicDns {}).await?.information)
    }

    /// Sets how the camera registers its name with DNS. `name` and `ttl` (whole seconds) matter to
    /// [`DynamicDnsType::ClientUpdates`].
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetDynamicDNS")]
    pub async fn set_dynamic_dns(
        &self,
        kind: DynamicDnsType,
        name: Option<&str>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        let request = SetDynamicDns {
            kind,
            name: name.map(str::to_owned),
            ttl: ttl.map(IsoDuration),
        };
        self.camera.call(&request).await
    }
}

operation! {
    /// Asks for the host name.
    pub struct GetHostname in "tds" {} -> GetHostnameResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetHostname", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetHostname`].
    pub struct GetHostnameResponse in "tds" {
        /// The name.
        information: Option<HostnameInformation> = "HostnameInformation",
    }
}

soap_reply! {
    /// The host name of a camera.
    pub struct HostnameInformation in "tt" {
        /// Whether the name comes from DHCP.
        from_dhcp: Option<bool> = "FromDHCP",
        /// The name.
        name: Option<String> = "Name",
    }
}

operation! {
    /// Sets the host name.
    pub struct SetHostname in "tds" {
        /// The name.
        name: String = "Name",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetHostname", WriteSystem, Write
}

operation! {
    /// Takes the host name from DHCP, or not.
    pub struct SetHostnameFromDhcp as "SetHostnameFromDHCP" in "tds" {
        /// Whether it shall.
        from_dhcp: bool = "FromDHCP",
    } -> SetHostnameFromDhcpResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/SetHostnameFromDHCP", WriteSystem, Write
}

soap_reply! {
    /// The reply to [`SetHostnameFromDhcp`].
    pub struct SetHostnameFromDhcpResponse in "tds" {
        /// Whether the camera must be restarted first.
        reboot_needed: Option<bool> = "RebootNeeded",
    }
}

operation! {
    /// Asks for the name servers.
    pub struct GetDns as "GetDNS" in "tds" {} -> GetDnsResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDNS", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetDns`].
    pub struct GetDnsResponse in "tds" {
        /// The name servers.
        information: Option<DnsInformation> = "DNSInformation",
    }
}

soap_reply! {
    /// The name servers of a camera.
    pub struct DnsInformation in "tt" {
        /// Whether they come from DHCP.
        from_dhcp: Option<bool> = "FromDHCP",
        /// Domains that are appended to short names.
        search_domains: Vec<String> = "SearchDomain",
        /// Servers that DHCP gave.
        dns_from_dhcp: Vec<IpAddress> = "DNSFromDHCP",
        /// Servers set by hand.
        manual: Vec<IpAddress> = "DNSManual",
    }
}

operation! {
    /// Sets the name servers.
    pub struct SetDns as "SetDNS" in "tds" {
        /// Whether they come from DHCP.
        from_dhcp: bool = "FromDHCP",
        /// Domains to append to short names.
        search_domains: Vec<String> = "SearchDomain",
        /// Servers, unless they come from DHCP.
        manual: Vec<IpAddress> = "DNSManual",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetDNS", WriteSystem, Write
}

operation! {
    /// Asks for the NTP servers.
    pub struct GetNtp as "GetNTP" in "tds" {} -> GetNtpResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetNTP", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetNtp`].
    pub struct GetNtpResponse in "tds" {
        /// The NTP servers.
        information: Option<NtpInformation> = "NTPInformation",
    }
}

soap_reply! {
    /// The NTP servers of a camera.
    pub struct NtpInformation in "tt" {
        /// Whether they come from DHCP.
        from_dhcp: Option<bool> = "FromDHCP",
        /// Servers that DHCP gave.
        ntp_from_dhcp: Vec<NetworkHost> = "NTPFromDHCP",
        /// Servers set by hand.
        manual: Vec<NetworkHost> = "NTPManual",
    }
}

operation! {
    /// Sets the NTP servers.
    pub struct SetNtp as "SetNTP" in "tds" {
        /// Whether they come from DHCP.
        from_dhcp: bool = "FromDHCP",
        /// Servers, unless they come from DHCP.
        manual: Vec<NetworkHost> = "NTPManual",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetNTP", WriteSystem, Write
}

operation! {
    /// Asks how the camera registers its name with DNS.
    pub struct GetDynamicDns as "GetDynamicDNS" in "tds" {} -> GetDynamicDnsResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDynamicDNS", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetDynamicDns`].
    pub struct GetDynamicDnsResponse in "tds" {
        /// How it does.
        information: Option<DynamicDnsInformation> = "DynamicDNSInformation",
    }
}

soap_reply! {
    /// How a camera registers its name with DNS.
    pub struct DynamicDnsInformation in "tt" {
        /// Who does it, if anybody.
        kind: Option<DynamicDnsType> = "Type",
        /// The name.
        name: Option<String> = "Name",
        /// How long others may remember the entry.
        ttl: Option<IsoDuration> = "TTL",
    }
}

soap_enum! {
    /// Who registers a camera's name with DNS.
    pub enum DynamicDnsType {
        /// Nobody.
        NoUpdate = "NoUpdate",
        /// The camera.
        ClientUpdates = "ClientUpdates",
        /// The DHCP server.
        ServerUpdates = "ServerUpdates",
    }
}

operation! {
    /// Sets how the camera registers its name with DNS.
    pub struct SetDynamicDns as "SetDynamicDNS" in "tds" {
        /// Who does it.
        kind: DynamicDnsType = "Type",
        /// The name.
        name: Option<String> = "Name",
        /// How long others may remember the entry.
        ttl: Option<IsoDuration> = "TTL",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetDynamicDNS", WriteSystem, Write
}
