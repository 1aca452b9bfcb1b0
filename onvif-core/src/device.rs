//! Device management: who the camera is, what it has, its network and its users.
//!
//! [`DeviceClient`] has what people use. Everything else of the service is an operation for
//! [`Camera::call`], such as those for certificates, IEEE 802.1X and Wi-Fi.

mod address;
mod capabilities;
mod categories;
mod certificates;
mod clock;
mod dot1x;
mod geo_location;
mod interfaces;
mod ip_filter;
mod naming;
mod network;
mod password_policy;
mod relay;
mod scopes;
mod storage;
mod system;
mod users;
mod wireless;

pub use address::*;
pub use capabilities::*;
pub use categories::*;
pub use certificates::*;
pub use clock::*;
pub use dot1x::*;
pub use geo_location::*;
pub use interfaces::*;
pub use ip_filter::*;
pub use naming::*;
pub use network::*;
pub use password_policy::*;
pub use relay::*;
pub use scopes::*;
pub use storage::*;
pub use system::*;
pub use users::*;
pub use wireless::*;

use crate::camera::Camera;
use crate::operation::OperationInfo;
use crate::operations;

/// Device management of one camera (ONVIF Core, "Device management").
#[derive(Clone, Copy, Debug)]
pub struct DeviceClient<'c> {
    camera: &'c Camera,
}

impl<'c> DeviceClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
    }
}

/// The operations of the service that can be called.
#[inline]
pub fn operations() -> &'static [OperationInfo] {
    const {
        operations! {
            GetServices GetServiceCapabilities GetCapabilities GetWsdlUrl
            GetDeviceInformation GetEndpointReference SystemReboot SetSystemFactoryDefault
            GetSystemLog GetSystemSupportInformation GetSystemUris
            StartFirmwareUpgrade UpgradeFirmware StartSystemRestore
            GetSystemDateAndTime SetSystemDateAndTime
            GetScopes SetScopes AddScopes RemoveScopes
            GetDiscoveryMode SetDiscoveryMode GetRemoteDiscoveryMode SetRemoteDiscoveryMode
            GetDpAddresses SetDpAddresses
            GetUsers CreateUsers DeleteUsers SetUser GetUserRoles SetUserRole DeleteUserRole
            GetRemoteUser SetRemoteUser
            GetPasswordComplexityOptions GetPasswordComplexityConfiguration SetPasswordComplexityConfiguration
            GetPasswordHistoryConfiguration SetPasswordHistoryConfiguration
            GetAuthFailureWarningOptions GetAuthFailureWarningConfiguration SetAuthFailureWarningConfiguration
            SetHashingAlgorithm
            GetHostname SetHostname SetHostnameFromDhcp GetDns SetDns GetNtp SetNtp GetDynamicDns SetDynamicDns
            GetNetworkInterfaces SetNetworkInterfaces GetNetworkProtocols SetNetworkProtocols
            GetNetworkDefaultGateway SetNetworkDefaultGateway GetZeroConfiguration SetZeroConfiguration
            GetIpAddressFilter SetIpAddressFilter AddIpAddressFilter RemoveIpAddressFilter
            GetAccessPolicy SetAccessPolicy
            CreateCertificate GetCertificates GetCertificatesStatus SetCertificatesStatus DeleteCertificates
            GetPkcs10Request LoadCertificates GetClientCertificateMode SetClientCertificateMode
            GetCaCertificates LoadCaCertificates LoadCertificateWithPrivateKey GetCertificateInformation
            CreateDot1XConfiguration SetDot1XConfiguration GetDot1XConfiguration GetDot1XConfigurations
            DeleteDot1XConfiguration
            GetDot11Capabilities GetDot11Status ScanAvailableDot11Networks
            GetRelayOutputs SetRelayOutputSettings SetRelayOutputState SendAuxiliaryCommand
            GetStorageConfigurations CreateStorageConfiguration GetStorageConfiguration
            SetStorageConfiguration DeleteStorageConfiguration
            GetGeoLocation SetGeoLocation DeleteGeoLocation
        }
    }
}
