use crate::media::ProfileToken;
use crate::schema::ReferenceToken;
use crate::{operation, soap_reply, soap_type};

operation! {
    /// Asks which signalling servers the device is registered at.
    pub struct GetWebRtcConfigurations as "GetWebRTCConfigurations" in "tr2" {} -> GetWebRtcConfigurationsResponse;
    Media2, "http://www.onvif.org/ver20/media/wsdl/GetWebRTCConfigurations", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetWebRtcConfigurations`].
    pub struct GetWebRtcConfigurationsResponse in "tr2" {
        /// The servers.
        configurations: Vec<WebRtcConfiguration> = "WebRTCConfiguration",
    }
}

operation! {
    /// Replaces all signalling servers.
    pub struct SetWebRtcConfigurations as "SetWebRTCConfigurations" in "tr2" {
        /// The servers.
        configurations: Vec<WebRtcConfiguration> = "WebRTCConfiguration",
    } -> ();
    Media2, "http://www.onvif.org/ver20/media/wsdl/SetWebRTCConfigurations", WriteSystem, Write
}

soap_type! {
    /// A signalling server that the device is registered at.
    pub struct WebRtcConfiguration in "tr2" {
        /// Its address, a `wss` URI.
        signaling_server: String = "SignalingServer",
        /// How its certificate is checked.
        cert_path_validation_policy_id: Option<String> = "CertPathValidationPolicyID",
        /// Who hands out the access tokens for it.
        authorization_server: ReferenceToken = "AuthorizationServer",
        /// The profile that is sent where a viewer asks for none.
        default_profile: ProfileToken = "DefaultProfile",
        /// Whether the device connects at all.
        enabled: bool = "Enabled",
        /// Whether it is connected. What is sent is ignored.
        connected: Option<bool> = "Connected",
        /// Why it is not. What is sent is ignored.
        error: Option<String> = "Error",
    }
}
