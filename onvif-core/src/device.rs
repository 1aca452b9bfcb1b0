//! Device management: who the camera is, what it has, its network and its users.

mod capabilities;
mod clock;
mod network;

use std::time::SystemTime;

pub use capabilities::{
    Capabilities, CapabilityAddress, CapabilityCategory, CapabilityExtension, GetCapabilities,
    GetCapabilitiesResponse, GetServices, GetServicesResponse, ServiceEntry,
};
pub use clock::{
    Date, DateTime, GetSystemDateAndTime, GetSystemDateAndTimeResponse, SystemDateAndTime, Time,
    TimeZone,
};
pub use network::{
    GetNetworkInterfaces, GetNetworkInterfacesResponse, Ipv4, Ipv4Configuration, Ipv6,
    Ipv6Configuration, NetworkInterface, NetworkInterfaceInfo, PrefixedAddress,
};

use crate::camera::Camera;
use crate::error::Error;
use crate::{operation, soap_enum, soap_reply};

/// Device management of one camera (ONVIF Core, "Device management").
#[derive(Clone, Copy, Debug)]
pub struct DeviceClient<'c> {
    camera: &'c Camera,
}

impl<'c> DeviceClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
    }

    /// Maker, model, firmware, serial number.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetDeviceInformation")]
    pub async fn information(&self) -> Result<DeviceInformation, Error> {
        self.camera.call(&GetDeviceInformation {}).await
    }

    /// The scopes of the camera: name, hardware, location, profiles.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetScopes")]
    pub async fn scopes(&self) -> Result<Vec<Scope>, Error> {
        Ok(self.camera.call(&GetScopes {}).await?.scopes)
    }

    /// The host name, when the camera has one.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetHostname")]
    pub async fn hostname(&self) -> Result<Option<String>, Error> {
        Ok(self
            .camera
            .call(&GetHostname {})
            .await?
            .information
            .and_then(|information| information.name))
    }

    /// What the camera's clock says, in UTC; `None` when it does not tell. The specification calls
    /// the field UTC; some firmware puts local time there.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetSystemDateAndTime")]
    pub async fn system_date_and_time(&self) -> Result<Option<SystemTime>, Error> {
        Ok(self.camera.call(&GetSystemDateAndTime {}).await?.utc())
    }

    /// The network interfaces with their addresses.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetNetworkInterfaces")]
    pub async fn network_interfaces(&self) -> Result<Vec<NetworkInterface>, Error> {
        Ok(self.camera.call(&GetNetworkInterfaces {}).await?.interfaces)
    }

    /// What device management can do on this camera.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetServiceCapabilities")]
    pub async fn service_capabilities(&self) -> Result<Option<DeviceServiceCapabilities>, Error> {
        Ok(self
            .camera
            .call(&GetServiceCapabilities {})
            .await?
            .capabilities)
    }

    /// The ONVIF users, without their passwords.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetUsers")]
    pub async fn users(&self) -> Result<Vec<User>, Error> {
        Ok(self.camera.call(&GetUsers {}).await?.users)
    }

    /// Restarts the camera. Returns what it says about it.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "SystemReboot")]
    pub async fn reboot(&self) -> Result<Option<String>, Error> {
        Ok(self.camera.call(&SystemReboot {}).await?.message)
    }
}

operation! {
    /// Asks for maker, model, firmware and serial number.
    pub struct GetDeviceInformation in "tds" {} -> DeviceInformation;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDeviceInformation", ReadSystem, Read
}

soap_reply! {
    /// Who made the camera, and which it is.
    pub struct DeviceInformation in "tds" {
        /// Maker.
        manufacturer: Option<String> = "Manufacturer",
        /// Model.
        model: Option<String> = "Model",
        /// Version of the firmware.
        firmware_version: Option<String> = "FirmwareVersion",
        /// Serial number. Not always unique: some makers give all units the same.
        serial_number: Option<String> = "SerialNumber",
        /// Hardware identifier.
        hardware_id: Option<String> = "HardwareId",
    }
}

operation! {
    /// Asks for the scopes.
    pub struct GetScopes in "tds" {} -> GetScopesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetScopes", ReadSystem, Read
}

soap_reply! {
    /// The scopes of a camera.
    pub struct GetScopesResponse in "tds" {
        /// The scopes.
        scopes: Vec<Scope> = "Scopes",
    }
}

soap_reply! {
    /// One scope.
    pub struct Scope in "tt" {
        /// Whether it can be changed.
        definition: Option<ScopeDefinition> = "ScopeDef",
        /// The scope, such as `onvif://www.onvif.org/name/Lobby`.
        item: Option<String> = "ScopeItem",
    }
}

soap_enum! {
    /// Whether a scope can be changed.
    pub enum ScopeDefinition {
        /// Set by the maker.
        Fixed = "Fixed",
        /// Can be changed.
        Configurable = "Configurable",
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
    /// Asks what device management can do.
    pub struct GetServiceCapabilities in "tds" {} -> GetServiceCapabilitiesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetServiceCapabilities", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServiceCapabilities`].
    pub struct GetServiceCapabilitiesResponse in "tds" {
        /// The capabilities.
        capabilities: Option<DeviceServiceCapabilities> = "Capabilities",
    }
}

soap_reply! {
    /// What device management can do.
    pub struct DeviceServiceCapabilities in "tds" {
        /// Network.
        network: Option<NetworkCapabilities> = "Network",
        /// Security.
        security: Option<SecurityCapabilities> = "Security",
        /// System.
        system: Option<SystemCapabilities> = "System",
    }
}

soap_reply! {
    /// Network capabilities.
    pub struct NetworkCapabilities in "tds" [
        /// Filtering by address.
        ip_filter: Option<bool> = "IPFilter",
        /// Zero configuration.
        zero_configuration: Option<bool> = "ZeroConfiguration",
        /// IPv6.
        ip_version6: Option<bool> = "IPVersion6",
        /// How many NTP servers can be set.
        ntp: Option<u32> = "NTP",
    ] {}
}

soap_reply! {
    /// Security capabilities.
    pub struct SecurityCapabilities in "tds" [
        /// WS-UsernameToken is supported.
        username_token: Option<bool> = "UsernameToken",
        /// HTTP Digest is supported.
        http_digest: Option<bool> = "HttpDigest",
        /// TLS 1.2 is supported.
        tls1_2: Option<bool> = "TLS1.2",
        /// How many users there may be.
        max_users: Option<u32> = "MaxUsers",
        /// How long a user name may be.
        max_user_name_length: Option<u32> = "MaxUserNameLength",
        /// How long a password may be.
        max_password_length: Option<u32> = "MaxPasswordLength",
    ] {}
}

soap_reply! {
    /// System capabilities.
    pub struct SystemCapabilities in "tds" [
        /// Answers WS-Discovery resolve requests.
        discovery_resolve: Option<bool> = "DiscoveryResolve",
        /// Says goodbye.
        discovery_bye: Option<bool> = "DiscoveryBye",
        /// Firmware can be updated over HTTP.
        http_firmware_upgrade: Option<bool> = "HttpFirmwareUpgrade",
    ] {}
}

operation! {
    /// Asks for the users.
    pub struct GetUsers in "tds" {} -> GetUsersResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetUsers", ReadSystemSecret, Read
}

soap_reply! {
    /// The reply to [`GetUsers`].
    pub struct GetUsersResponse in "tds" {
        /// The users.
        users: Vec<User> = "User",
    }
}

soap_reply! {
    /// An ONVIF user.
    pub struct User in "tt" {
        /// Name.
        username: Option<String> = "Username",
        /// Rights.
        level: Option<UserLevel> = "UserLevel",
    }
}

soap_enum! {
    /// The rights of a user.
    pub enum UserLevel {
        /// Everything.
        Administrator = "Administrator",
        /// Everything but the system.
        Operator = "Operator",
        /// Reading.
        User = "User",
        /// What needs no user.
        Anonymous = "Anonymous",
        /// More than the specification knows.
        Extended = "Extended",
    }
}

operation! {
    /// Restarts the camera.
    pub struct SystemReboot in "tds" {} -> SystemRebootResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/SystemReboot", Unrecoverable, Write
}

soap_reply! {
    /// The reply to [`SystemReboot`].
    pub struct SystemRebootResponse in "tds" {
        /// What the camera says about it.
        message: Option<String> = "Message",
    }
}
