use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{OtherFields, open_enum, time};

/// A device with the endpoints a connector reaches it by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Free words about the device.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// The discovered device this one was imported from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovered_device_ref: Option<String>,
    /// Whether it is to be served; absent means yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Where it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<DeviceEndpoints>,
    /// The name another system knows it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_device_id: Option<String>,
    /// When the specification last changed.
    #[serde(
        default,
        with = "time::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_transition_time: Option<SystemTime>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    /// The version of its operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system_version: Option<String>,
    /// The registry's identifier, stable over renames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Counts the changes of the specification; statuses and health refer to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl Device {
    /// Whether it is to be served: unless it says `enabled: false`.
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// The inbound endpoint of that name.
    pub fn inbound(&self, name: &str) -> Option<&InboundEndpoint> {
        self.endpoints.as_ref()?.inbound.get(name)
    }

    /// The device with no other inbound endpoint than that one.
    pub(crate) fn only(&self, endpoint: &str) -> Self {
        let mut device = self.clone();
        if let Some(endpoints) = &mut device.endpoints {
            endpoints.inbound.retain(|name, _| name == endpoint);
        }
        device
    }
}

/// The endpoints of a [`Device`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceEndpoints {
    /// Endpoints a connector reads from, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inbound: BTreeMap<String, InboundEndpoint>,
    /// Endpoints the device writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<OutboundEndpoints>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// An endpoint a connector reads from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InboundEndpoint {
    /// Where it is, such as `http://10.0.0.5/onvif/device_service`.
    pub address: String,
    /// Which connector serves it, such as `Microsoft.Onvif`.
    pub endpoint_type: String,
    /// The version of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The connector's own settings, a JSON document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_configuration: Option<String>,
    /// How to log in; absent means anonymous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// Which certificates to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_settings: Option<TrustSettings>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

open_enum! {
    /// How a connector logs in to an endpoint.
    AuthenticationMethod {
        /// Not at all.
        Anonymous = "Anonymous",
        /// By an X.509 certificate.
        Certificate = "Certificate",
        /// By user name and password.
        UsernamePassword = "UsernamePassword",
    }
}

/// How to log in to an endpoint; it names secrets, it does not hold them (see [`Registry::secret`](crate::Registry::secret)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// The way.
    pub method: AuthenticationMethod,
    /// Names of the secrets for [`AuthenticationMethod::UsernamePassword`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_password_credentials: Option<UsernamePasswordCredentials>,
    /// Names of the secrets for [`AuthenticationMethod::Certificate`].
    #[serde(skip_serializing_if = "Option::is_none", rename = "x509Credentials")]
    pub x509_credentials: Option<X509Credentials>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl Authentication {
    /// User name and password from two secrets, such as `cam1/username` and `cam1/password`.
    pub fn username_password(
        username_secret: impl Into<String>,
        password_secret: impl Into<String>,
    ) -> Self {
        Self {
            method: AuthenticationMethod::UsernamePassword,
            username_password_credentials: Some(UsernamePasswordCredentials {
                username_secret_name: username_secret.into(),
                password_secret_name: password_secret.into(),
                other: OtherFields::default(),
            }),
            x509_credentials: None,
            other: OtherFields::default(),
        }
    }

    /// The names of all secrets it refers to, each with the field that does.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let passwords = self.username_password_credentials.iter().flat_map(|names| {
            let (user, password) = (&names.username_secret_name, &names.password_secret_name);
            [
                ("usernamePasswordCredentials.usernameSecretName", Some(user)),
                (
                    "usernamePasswordCredentials.passwordSecretName",
                    Some(password),
                ),
            ]
        });
        let certificates = self.x509_credentials.iter().flat_map(|names| {
            let more = names.intermediate_certificates_secret_name.as_ref();
            [
                (
                    "x509Credentials.certificateSecretName",
                    Some(&names.certificate_secret_name),
                ),
                ("x509Credentials.intermediateCertificatesSecretName", more),
                (
                    "x509Credentials.keySecretName",
                    names.key_secret_name.as_ref(),
                ),
            ]
        });
        let secrets = passwords.chain(certificates);
        secrets.filter_map(|(field, name)| Some((field, name?.as_str())))
    }

    /// No login.
    pub fn anonymous() -> Self {
        Self {
            method: AuthenticationMethod::Anonymous,
            username_password_credentials: None,
            x509_credentials: None,
            other: OtherFields::default(),
        }
    }
}

/// Names of the secrets that hold a user name and a password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsernamePasswordCredentials {
    /// The secret with the user name, such as `cam1/username`.
    pub username_secret_name: String,
    /// The secret with the password, such as `cam1/password`.
    pub password_secret_name: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Names of the secrets that hold a certificate and its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct X509Credentials {
    /// The secret with the certificate.
    pub certificate_secret_name: String,
    /// The secret with the intermediate certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intermediate_certificates_secret_name: Option<String>,
    /// The secret with the private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_secret_name: Option<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// Which certificates to trust when connecting to an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustSettings {
    /// The name of the trust list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_list: Option<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// The outbound endpoints of a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboundEndpoints {
    /// Endpoints in use, by name.
    #[serde(default)]
    pub assigned: BTreeMap<String, OutboundEndpoint>,
    /// Endpoints not in use, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unassigned: BTreeMap<String, OutboundEndpoint>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// An endpoint a device writes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboundEndpoint {
    /// Where it is.
    pub address: String,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_type: Option<String>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}
