use crate::schema::{ReferenceToken, Secret};
use crate::{operation, soap_reply, soap_type};

operation! {
    /// Creates a configuration of IEEE 802.1X.
    pub struct CreateDot1XConfiguration in "tds" {
        /// The configuration; its token is the client's choice.
        configuration: Dot1XConfiguration = "Dot1XConfiguration",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/CreateDot1XConfiguration", Unspecified, Write
}

operation! {
    /// Changes a configuration of IEEE 802.1X.
    pub struct SetDot1XConfiguration in "tds" {
        /// The configuration; its token tells which.
        configuration: Dot1XConfiguration = "Dot1XConfiguration",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetDot1XConfiguration", Unspecified, Write
}

operation! {
    /// Asks for one configuration of IEEE 802.1X.
    pub struct GetDot1XConfiguration in "tds" {
        /// Which.
        token: ReferenceToken = "Dot1XConfigurationToken",
    } -> GetDot1XConfigurationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDot1XConfiguration", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetDot1XConfiguration`].
    pub struct GetDot1XConfigurationResponse in "tds" {
        /// The configuration, without its password.
        configuration: Option<Dot1XConfiguration> = "Dot1XConfiguration",
    }
}

operation! {
    /// Asks for all configurations of IEEE 802.1X.
    pub struct GetDot1XConfigurations in "tds" {} -> GetDot1XConfigurationsResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetDot1XConfigurations", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetDot1XConfigurations`].
    pub struct GetDot1XConfigurationsResponse in "tds" {
        /// The configurations, without their passwords.
        configurations: Vec<Dot1XConfiguration> = "Dot1XConfiguration",
    }
}

operation! {
    /// Deletes configurations of IEEE 802.1X.
    pub struct DeleteDot1XConfiguration in "tds" {
        /// Which; none means all.
        tokens: Vec<ReferenceToken> = "Dot1XConfigurationToken",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/DeleteDot1XConfiguration", Unspecified, Write
}

soap_type! {
    /// How a camera proves to the network who it is (IEEE 802.1X).
    pub struct Dot1XConfiguration in "tt" {
        /// Its token.
        token: Option<ReferenceToken> = "Dot1XConfigurationToken",
        /// Name of the camera towards the server.
        identity: Option<String> = "Identity",
        /// Name that is sent in the clear, where the true one is protected.
        anonymous_id: Option<String> = "AnonymousID",
        /// Method by its number at IANA: 13 is EAP-TLS, 21 EAP-TTLS, 25 PEAP.
        eap_method: Option<i32> = "EAPMethod",
        /// Certificates that vouch for the server.
        ca_certificate_ids: Vec<String> = "CACertificateID",
        /// What the method needs.
        method: Option<EapMethodConfiguration> = "EAPMethodConfiguration",
    }
}

soap_type! {
    /// What a method of EAP needs.
    pub struct EapMethodConfiguration in "tt" {
        /// For methods with a certificate of the camera.
        tls: Option<TlsConfiguration> = "TLSConfiguration",
        /// For methods with a password. Cameras do not report it.
        password: Option<Secret> = "Password",
    }
}

soap_type! {
    /// With which certificate a camera proves who it is.
    pub struct TlsConfiguration in "tt" {
        /// The certificate.
        certificate_id: Option<String> = "CertificateID",
    }
}
