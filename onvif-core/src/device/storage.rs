use super::DeviceClient;
use crate::error::Error;
use crate::schema::{ReferenceToken, Secret};
use crate::{operation, soap_reply, soap_type};

impl DeviceClient<'_> {
    /// Where the camera can store recordings.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetStorageConfigurations")]
    pub async fn storage_configurations(&self) -> Result<Vec<StorageConfiguration>, Error> {
        let reply = self.camera.call(&GetStorageConfigurations {}).await?;
        Ok(reply.configurations)
    }
}

operation! {
    /// Asks for all places to store recordings.
    pub struct GetStorageConfigurations in "tds" {} -> GetStorageConfigurationsResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetStorageConfigurations", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetStorageConfigurations`].
    pub struct GetStorageConfigurationsResponse in "tds" {
        /// The places.
        configurations: Vec<StorageConfiguration> = "StorageConfigurations",
    }
}

operation! {
    /// Adds a place to store recordings.
    pub struct CreateStorageConfiguration in "tds" {
        /// The place.
        configuration: StorageConfigurationData = "StorageConfiguration",
    } -> CreateStorageConfigurationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/CreateStorageConfiguration", Actuate, Write
}

soap_reply! {
    /// The reply to [`CreateStorageConfiguration`].
    pub struct CreateStorageConfigurationResponse in "tds" {
        /// The token it got.
        token: Option<ReferenceToken> = "Token",
    }
}

operation! {
    /// Asks for one place to store recordings.
    pub struct GetStorageConfiguration in "tds" {
        /// Which.
        token: ReferenceToken = "Token",
    } -> GetStorageConfigurationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetStorageConfiguration", ReadMedia, Read
}

soap_reply! {
    /// The reply to [`GetStorageConfiguration`].
    pub struct GetStorageConfigurationResponse in "tds" {
        /// The place.
        configuration: Option<StorageConfiguration> = "StorageConfiguration",
    }
}

operation! {
    /// Changes a place to store recordings.
    pub struct SetStorageConfiguration in "tds" {
        /// The place; its token tells which.
        configuration: StorageConfiguration = "StorageConfiguration",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetStorageConfiguration", Actuate, Write
}

operation! {
    /// Deletes a place to store recordings. What is stored there stays.
    pub struct DeleteStorageConfiguration in "tds" {
        /// Which.
        token: ReferenceToken = "Token",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/DeleteStorageConfiguration", Actuate, Write
}

soap_type! {
    /// A place to store recordings.
    pub struct StorageConfiguration in "tds" [
        /// Its token.
        token: ReferenceToken = "token",
    ] {
        /// What and where it is.
        data: Option<StorageConfigurationData> = "Data",
    }
}

soap_type! {
    /// What and where a place to store recordings is.
    pub struct StorageConfigurationData in "tds" [
        /// Kind of storage, such as `NFS`, `CIFS`, `CDMI`, `FTP` or `ObjectStorageS3`.
        kind: Option<String> = "type",
        /// Region of the provider, for storage in a cloud.
        region: Option<String> = "Region",
    ] {
        /// Where it appears in the camera's file system.
        local_path: Option<String> = "LocalPath",
        /// Where it is on the network.
        storage_uri: Option<String> = "StorageUri",
        /// As whom the camera logs in there.
        user: Option<UserCredential> = "User",
        /// How the server's certificate is checked.
        cert_path_validation_policy_id: Option<String> = "CertPathValidationPolicyID",
        /// From where the camera renews all this.
        renewal: Option<StorageConfigurationRenewal> = "ConfigurationRenewal",
    }
}

soap_type! {
    /// As whom a camera logs in to storage.
    pub struct UserCredential in "tds" {
        /// Name.
        username: Option<String> = "UserName",
        /// Password; cameras do not report it.
        password: Option<Secret> = "Password",
        /// Token, where that is the way to log in; cameras do not report it.
        token: Option<Secret> = "Token",
    }
}

soap_type! {
    /// From where a camera renews the settings of its storage.
    pub struct StorageConfigurationRenewal in "tds" {
        /// Address to ask.
        endpoint: Option<String> = "RenewalEndpoint",
        /// Authorization server that gives the camera access to it.
        authorization_server: Option<ReferenceToken> = "AuthorizationServer",
        /// How that address' certificate is checked.
        cert_path_validation_policy_id: Option<String> = "CertPathValidationPolicyID",
        /// Why the last renewal failed; read only.
        error: Option<String> = "Error",
    }
}
