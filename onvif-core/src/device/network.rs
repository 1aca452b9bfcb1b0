use super::{DeviceClient, NetworkInterfaceToken};
use crate::error::Error;
use crate::{operation, soap_enum, soap_reply, soap_type};

impl DeviceClient<'_> {
    /// The protocols the camera serves, with their ports.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetNetworkProtocols")]
    pub async fn network_protocols(&self) -> Result<Vec<NetworkProtocol>, Error> {
        Ok(self.camera.call(&GetNetworkProtocols {}).await?.protocols)
    }

    /// Changes protocols; those not named stay. Switching off what this client talks through ends the conversation.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:ServiceNotSupported` for a protocol the camera lacks.
    #[doc(alias = "SetNetworkProtocols")]
    pub async fn set_network_protocols(
        &self,
        protocols: impl Into<Vec<NetworkProtocol>>,
    ) -> Result<(), Error> {
        let protocols = protocols.into();
        self.camera.call(&SetNetworkProtocols { protocols }).await
    }

    /// The default gateways.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetNetworkDefaultGateway")]
    pub async fn default_gateway(&self) -> Result<Option<NetworkGateway>, Error> {
        Ok(self
            .camera
            .call(&GetNetworkDefaultGateway {})
            .await?
            .gateway)
    }

    /// Replaces the default gateways.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call); [`Error::Caller`] when no address is given.
    #[doc(alias = "SetNetworkDefaultGateway")]
    pub async fn set_default_gateway(&self, gateway: NetworkGateway) -> Result<(), Error> {
        let NetworkGateway { ipv4, ipv6 } = gateway;
        if ipv4.is_empty() && ipv6.is_empty() {
            return Err(Error::Caller(
                "a default gateway needs an IPv4 or an IPv6 address".into(),
            ));
        }
        let request = SetNetworkDefaultGateway { ipv4, ipv6 };
        self.camera.call(&request).await
    }

    /// Whether the camera gives itself a link-local address, and which it has.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetZeroConfiguration")]
    pub async fn zero_configuration(&self) -> Result<Option<ZeroConfiguration>, Error> {
        let reply = self.camera.call(&GetZeroConfiguration {}).await?;
        Ok(reply.zero_configuration)
    }

    /// Has the camera give itself a link-local address on an interface, or not.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:InvalidNetworkInterface` for an unknown interface.
    #[doc(alias = "SetZeroConfiguration")]
    pub async fn set_zero_configuration(
        &self,
        interface: &NetworkInterfaceToken,
        enabled: bool,
    ) -> Result<(), Error> {
        let request = SetZeroConfiguration {
            interface_token: interface.clone(),
            enabled,
        };
        self.camera.call(&request).await
    }
}

operation! {
    /// Asks for the protocols that are served.
    pub struct GetNetworkProtocols in "tds" {} -> GetNetworkProtocolsResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetNetworkProtocols", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetNetworkProtocols`].
    pub struct GetNetworkProtocolsResponse in "tds" {
        /// The protocols.
        protocols: Vec<NetworkProtocol> = "NetworkProtocols",
    }
}

soap_type! {
    /// A protocol that a camera serves.
    pub struct NetworkProtocol in "tt" {
        /// Which.
        name: Option<NetworkProtocolType> = "Name",
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// TCP ports.
        ports: Vec<u32> = "Port",
    }
}

soap_enum! {
    /// A protocol.
    pub enum NetworkProtocolType {
        /// HTTP.
        Http = "HTTP",
        /// HTTP with TLS.
        Https = "HTTPS",
        /// RTSP.
        Rtsp = "RTSP",
    }
}

operation! {
    /// Changes protocols that are served.
    pub struct SetNetworkProtocols in "tds" {
        /// The protocols to change.
        protocols: Vec<NetworkProtocol> = "NetworkProtocols",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetNetworkProtocols", WriteSystem, Write
}

operation! {
    /// Asks for the default gateways.
    pub struct GetNetworkDefaultGateway in "tds" {} -> GetNetworkDefaultGatewayResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetNetworkDefaultGateway", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetNetworkDefaultGateway`].
    pub struct GetNetworkDefaultGatewayResponse in "tds" {
        /// The gateways.
        gateway: Option<NetworkGateway> = "NetworkGateway",
    }
}

soap_type! {
    /// Default gateways.
    #[derive(Default, Eq)]
    pub struct NetworkGateway in "tt" {
        /// IPv4 addresses.
        ipv4: Vec<String> = "IPv4Address",
        /// IPv6 addresses.
        ipv6: Vec<String> = "IPv6Address",
    }
}

operation! {
    /// Replaces the default gateways.
    pub struct SetNetworkDefaultGateway in "tds" {
        /// IPv4 addresses.
        ipv4: Vec<String> = "IPv4Address",
        /// IPv6 addresses.
        ipv6: Vec<String> = "IPv6Address",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetNetworkDefaultGateway", WriteSystem, Write
}

operation! {
    /// Asks for the link-local address.
    pub struct GetZeroConfiguration in "tds" {} -> GetZeroConfigurationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetZeroConfiguration", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetZeroConfiguration`].
    pub struct GetZeroConfigurationResponse in "tds" {
        /// The first interface, with the others in its extension.
        zero_configuration: Option<ZeroConfiguration> = "ZeroConfiguration",
    }
}

soap_reply! {
    /// Link-local addressing (RFC 3927) of a camera.
    #[doc(alias = "NetworkZeroConfiguration")]
    pub struct ZeroConfiguration in "tt" {
        /// Interface.
        interface_token: Option<NetworkInterfaceToken> = "InterfaceToken",
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Addresses; empty until one is taken.
        addresses: Vec<String> = "Addresses",
        /// Further interfaces.
        extension: Option<ZeroConfigurationExtension> = "Extension",
    }
}

soap_reply! {
    /// Link-local addressing of further interfaces.
    pub struct ZeroConfigurationExtension in "tt" {
        /// One for each.
        additional: Vec<AdditionalZeroConfiguration> = "Additional",
    }
}

soap_reply! {
    /// Link-local addressing of a further interface.
    pub struct AdditionalZeroConfiguration in "tt" {
        /// Interface.
        interface_token: Option<NetworkInterfaceToken> = "InterfaceToken",
        /// Whether it is in use.
        enabled: Option<bool> = "Enabled",
        /// Addresses; empty until one is taken.
        addresses: Vec<String> = "Addresses",
    }
}

operation! {
    /// Has the camera give itself a link-local address, or not.
    pub struct SetZeroConfiguration in "tds" {
        /// Interface.
        interface_token: NetworkInterfaceToken = "InterfaceToken",
        /// Whether it shall.
        enabled: bool = "Enabled",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetZeroConfiguration", WriteSystem, Write
}
