use url::Url;

use super::DeviceClient;
use crate::error::Error;
use crate::schema::Words;
use crate::{operation, soap_reply};

impl DeviceClient<'_> {
    /// The services of the camera with their versions, as it lists them now. Addresses are as reported; those that this
    /// client uses are in [`Camera::services`](crate::Camera::services).
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetServices")]
    pub async fn services(&self) -> Result<Vec<ServiceEntry>, Error> {
        let request = GetServices {
            include_capability: false,
        };
        Ok(self.camera.call(&request).await?.services)
    }

    /// What device management can do on this camera.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetServiceCapabilities")]
    pub async fn service_capabilities(&self) -> Result<Option<DeviceServiceCapabilities>, Error> {
        let reply = self.camera.call(&GetServiceCapabilities {}).await?;
        Ok(reply.capabilities)
    }

    /// Where the descriptions (WSDL) of the services are, as reported: on the maker's site or ONVIF's, or on the camera.
    /// Send it no credentials. `None` when the camera does not tell.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetWsdlUrl")]
    pub async fn wsdl_url(&self) -> Result<Option<Url>, Error> {
        let reported = self.camera.call(&GetWsdlUrl {}).await?.wsdl_url;
        Ok(reported.and_then(|url| Url::parse(&url).ok()))
    }
}

operation! {
    /// Asks for the services.
    pub struct GetServices in "tds" {
        /// Whether to include what each can do.
        include_capability: bool = "IncludeCapability",
    } -> GetServicesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetServices", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServices`].
    pub struct GetServicesResponse in "tds" {
        /// The services.
        services: Vec<ServiceEntry> = "Service",
    }
}

soap_reply! {
    /// One service as the camera lists it.
    #[doc(alias = "Service")]
    pub struct ServiceEntry in "tds" {
        /// Namespace, which tells the service.
        namespace: Option<String> = "Namespace",
        /// Address, as reported.
        xaddr: Option<String> = "XAddr",
        /// Version of the service.
        version: Option<OnvifVersion> = "Version",
    }
}

soap_reply! {
    /// A version, such as 20.12 for that of December 2020.
    #[derive(Copy, Eq)]
    pub struct OnvifVersion in "tt" {
        /// Before the dot.
        major: Option<u32> = "Major",
        /// After the dot.
        minor: Option<u32> = "Minor",
    }
}

operation! {
    /// Asks where the descriptions of the services are.
    pub struct GetWsdlUrl in "tds" {} -> GetWsdlUrlResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetWsdlUrl", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetWsdlUrl`].
    pub struct GetWsdlUrlResponse in "tds" {
        /// The address, as reported.
        wsdl_url: Option<String> = "WsdlUrl",
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
    /// What device management can do. What is `None` is not told, which mostly means no.
    pub struct DeviceServiceCapabilities in "tds" {
        /// Network.
        network: Option<NetworkCapabilities> = "Network",
        /// Security.
        security: Option<SecurityCapabilities> = "Security",
        /// System.
        system: Option<SystemCapabilities> = "System",
        /// The rest.
        misc: Option<MiscCapabilities> = "Misc",
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
        /// Registering the camera's name with DNS.
        dynamic_dns: Option<bool> = "DynDNS",
        /// Wi-Fi.
        dot11_configuration: Option<bool> = "Dot11Configuration",
        /// How many configurations of IEEE 802.1X there may be.
        dot1x_configurations: Option<u32> = "Dot1XConfigurations",
        /// Taking the host name from DHCP.
        hostname_from_dhcp: Option<bool> = "HostnameFromDHCP",
        /// How many NTP servers can be set.
        ntp: Option<u32> = "NTP",
        /// DHCPv6 with addresses.
        dhcpv6: Option<bool> = "DHCPv6",
    ] {}
}

soap_reply! {
    /// Security capabilities.
    pub struct SecurityCapabilities in "tds" [
        /// TLS 1.0 is supported.
        tls1_0: Option<bool> = "TLS1.0",
        /// TLS 1.1 is supported.
        tls1_1: Option<bool> = "TLS1.1",
        /// TLS 1.2 is supported.
        tls1_2: Option<bool> = "TLS1.2",
        /// Makes keys by itself.
        onboard_key_generation: Option<bool> = "OnboardKeyGeneration",
        /// An access policy can be loaded.
        access_policy_config: Option<bool> = "AccessPolicyConfig",
        /// Follows the access policy of the specification.
        default_access_policy: Option<bool> = "DefaultAccessPolicy",
        /// IEEE 802.1X.
        dot1x: Option<bool> = "Dot1X",
        /// Logs in elsewhere as a remote user.
        remote_user_handling: Option<bool> = "RemoteUserHandling",
        /// WS-Security with X.509 tokens.
        x509_token: Option<bool> = "X.509Token",
        /// WS-Security with SAML tokens.
        saml_token: Option<bool> = "SAMLToken",
        /// WS-Security with Kerberos tokens.
        kerberos_token: Option<bool> = "KerberosToken",
        /// WS-UsernameToken is supported.
        username_token: Option<bool> = "UsernameToken",
        /// HTTP Digest is supported.
        http_digest: Option<bool> = "HttpDigest",
        /// WS-Security with REL tokens.
        rel_token: Option<bool> = "RELToken",
        /// JSON web tokens.
        json_web_token: Option<bool> = "JsonWebToken",
        /// Methods of EAP by their numbers at IANA.
        supported_eap_methods: Option<Words> = "SupportedEAPMethods",
        /// How many users there may be.
        max_users: Option<u32> = "MaxUsers",
        /// How long a user name may be.
        max_user_name_length: Option<u32> = "MaxUserNameLength",
        /// How long a password may be.
        max_password_length: Option<u32> = "MaxPasswordLength",
        /// Which rules of security can be set, such as `PasswordComplexity`.
        security_policies: Option<Words> = "SecurityPolicies",
        /// How many old passwords can be remembered for each user.
        max_password_history: Option<u32> = "MaxPasswordHistory",
        /// Hash functions of HTTP Digest.
        hashing_algorithms: Option<Words> = "HashingAlgorithms",
        /// How many roles of users can be created.
        max_user_roles: Option<u32> = "MaxUserRoles",
    ] {}
}

soap_reply! {
    /// System capabilities.
    pub struct SystemCapabilities in "tds" [
        /// Answers WS-Discovery resolve requests.
        discovery_resolve: Option<bool> = "DiscoveryResolve",
        /// Says goodbye.
        discovery_bye: Option<bool> = "DiscoveryBye",
        /// Says hello to discovery proxies.
        remote_discovery: Option<bool> = "RemoteDiscovery",
        /// Backup in MIME attachments.
        system_backup: Option<bool> = "SystemBackup",
        /// Logs in MIME attachments.
        system_logging: Option<bool> = "SystemLogging",
        /// Fetches firmware by itself.
        cloud_firmware_upgrade: Option<bool> = "CloudFirmwareUpgrade",
        /// Firmware can be updated over HTTP.
        http_firmware_upgrade: Option<bool> = "HttpFirmwareUpgrade",
        /// Backup over HTTP.
        http_system_backup: Option<bool> = "HttpSystemBackup",
        /// Logs over HTTP.
        http_system_logging: Option<bool> = "HttpSystemLogging",
        /// Support information over HTTP.
        http_support_information: Option<bool> = "HttpSupportInformation",
        /// Storage can be configured.
        storage_configuration: Option<bool> = "StorageConfiguration",
        /// How many places to store recordings there may be.
        max_storage_configurations: Option<u32> = "MaxStorageConfigurations",
        /// Storage settings can be renewed from a server.
        storage_configuration_renewal: Option<bool> = "StorageConfigurationRenewal",
        /// How many locations can be set.
        geo_location_entries: Option<u32> = "GeoLocationEntries",
        /// What the camera finds out about its location by itself.
        auto_geo: Option<Words> = "AutoGeo",
        /// Kinds of storage.
        storage_types_supported: Option<Words> = "StorageTypesSupported",
        /// The camera does not answer WS-Discovery.
        discovery_not_supported: Option<bool> = "DiscoveryNotSupported",
        /// The network cannot be configured.
        network_config_not_supported: Option<bool> = "NetworkConfigNotSupported",
        /// Users cannot be configured.
        user_config_not_supported: Option<bool> = "UserConfigNotSupported",
        /// Further specifications that the camera follows.
        addons: Option<Words> = "Addons",
        /// Kind of device, such as `Camera`.
        hardware_type: Option<String> = "HardwareType",
    ] {}
}

soap_reply! {
    /// What fits nowhere else.
    pub struct MiscCapabilities in "tds" [
        /// Auxiliary commands, such as `tt:Wiper|On`.
        auxiliary_commands: Option<Words> = "AuxiliaryCommands",
    ] {}
}
