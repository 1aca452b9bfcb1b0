use super::{DeviceClient, NetworkHost};
use crate::error::Error;
use crate::{operation, soap_enum, soap_reply};

impl DeviceClient<'_> {
    /// The scopes of the camera: name, hardware, location, profiles.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetScopes")]
    pub async fn scopes(&self) -> Result<Vec<Scope>, Error> {
        Ok(self.camera.call(&GetScopes {}).await?.scopes)
    }

    /// Replaces all configurable scopes.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): cameras refuse to overwrite fixed scopes.
    #[doc(alias = "SetScopes")]
    pub async fn set_scopes(
        &self,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), Error> {
        let scopes = texts(scopes);
        self.camera.call(&SetScopes { scopes }).await
    }

    /// Adds configurable scopes.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "AddScopes")]
    pub async fn add_scopes(
        &self,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), Error> {
        let scopes = texts(scopes);
        self.camera.call(&AddScopes { scopes }).await
    }

    /// Removes configurable scopes, and returns those that were removed.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): cameras refuse to remove fixed or unknown scopes.
    #[doc(alias = "RemoveScopes")]
    pub async fn remove_scopes(
        &self,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<String>, Error> {
        let scopes = texts(scopes);
        Ok(self.camera.call(&RemoveScopes { scopes }).await?.scopes)
    }

    /// Whether the camera answers WS-Discovery, where it tells.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetDiscoveryMode")]
    pub async fn discovery_mode(&self) -> Result<Option<DiscoveryMode>, Error> {
        Ok(self.camera.call(&GetDiscoveryMode {}).await?.discovery_mode)
    }

    /// Has the camera answer WS-Discovery, or not.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetDiscoveryMode")]
    pub async fn set_discovery_mode(&self, discovery_mode: DiscoveryMode) -> Result<(), Error> {
        self.camera.call(&SetDiscoveryMode { discovery_mode }).await
    }
}

fn texts(items: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
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
    /// Replaces all configurable scopes.
    pub struct SetScopes in "tds" {
        /// The new ones.
        scopes: Vec<String> = "Scopes",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetScopes", WriteSystem, Write
}

operation! {
    /// Adds configurable scopes.
    pub struct AddScopes in "tds" {
        /// The new ones.
        scopes: Vec<String> = "ScopeItem",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/AddScopes", WriteSystem, Write
}

operation! {
    /// Removes configurable scopes.
    pub struct RemoveScopes in "tds" {
        /// Which.
        scopes: Vec<String> = "ScopeItem",
    } -> RemoveScopesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/RemoveScopes", WriteSystem, Write
}

soap_reply! {
    /// The reply to [`RemoveScopes`].
    pub struct RemoveScopesResponse in "tds" {
        /// Those that were removed.
        scopes: Vec<String> = "ScopeItem",
    }
}

soap_enum! {
    /// Whether a camera answers WS-Discovery.
    pub enum DiscoveryMode {
        /// It does.
        Discoverable = "Discoverable",
        /// It stays silent.
        NonDiscoverable = "NonDiscoverable",
    }
}

operation! {
    /// Asks whether WS-Discovery is answered.
    pub struct GetDiscoveryMode in "tds" {} -> GetDiscoveryModeResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDiscoveryMode", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetDiscoveryMode`].
    pub struct GetDiscoveryModeResponse in "tds" {
        /// The mode on the local network.
        discovery_mode: Option<DiscoveryMode> = "DiscoveryMode",
    }
}

operation! {
    /// Has WS-Discovery answered, or not.
    pub struct SetDiscoveryMode in "tds" {
        /// The mode on the local network.
        discovery_mode: DiscoveryMode = "DiscoveryMode",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetDiscoveryMode", WriteSystem, Write
}

operation! {
    /// Asks whether the camera says hello to discovery proxies.
    pub struct GetRemoteDiscoveryMode in "tds" {} -> GetRemoteDiscoveryModeResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetRemoteDiscoveryMode", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetRemoteDiscoveryMode`].
    pub struct GetRemoteDiscoveryModeResponse in "tds" {
        /// The mode towards proxies.
        remote_discovery_mode: Option<DiscoveryMode> = "RemoteDiscoveryMode",
    }
}

operation! {
    /// Has the camera say hello to discovery proxies, or not.
    pub struct SetRemoteDiscoveryMode in "tds" {
        /// The mode towards proxies.
        remote_discovery_mode: DiscoveryMode = "RemoteDiscoveryMode",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetRemoteDiscoveryMode", Unspecified, Write
}

operation! {
    /// Asks for the discovery proxies.
    pub struct GetDpAddresses as "GetDPAddresses" in "tds" {} -> GetDpAddressesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDPAddresses", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetDpAddresses`].
    pub struct GetDpAddressesResponse in "tds" {
        /// The proxies.
        addresses: Vec<NetworkHost> = "DPAddress",
    }
}

operation! {
    /// Replaces the discovery proxies.
    pub struct SetDpAddresses as "SetDPAddresses" in "tds" {
        /// The new ones; none turns remote discovery off.
        addresses: Vec<NetworkHost> = "DPAddress",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetDPAddresses", Unspecified, Write
}
