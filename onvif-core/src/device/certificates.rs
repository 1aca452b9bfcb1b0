use super::DeviceClient;
use crate::error::Error;
use crate::schema::{Binary, IsoDateTime, Secret};
use crate::{operation, soap_reply, soap_type};

impl DeviceClient<'_> {
    /// The certificates of the camera. Newer cameras have them in the Security service instead, and refuse this.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCertificates")]
    pub async fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        Ok(self.camera.call(&GetCertificates {}).await?.certificates)
    }

    /// Which certificates the camera uses for TLS.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetCertificatesStatus")]
    pub async fn certificates_status(&self) -> Result<Vec<CertificateStatus>, Error> {
        Ok(self.camera.call(&GetCertificatesStatus {}).await?.status)
    }
}

operation! {
    /// Makes a key, and a certificate that it signs itself.
    #[derive(Default)]
    pub struct CreateCertificate in "tds" {
        /// How to name it; the camera chooses otherwise.
        certificate_id: Option<String> = "CertificateID",
        /// Distinguished name of the subject.
        subject: Option<String> = "Subject",
        /// From when on it is valid; the camera chooses otherwise.
        valid_not_before: Option<IsoDateTime> = "ValidNotBefore",
        /// Until when it is valid; the camera chooses otherwise.
        valid_not_after: Option<IsoDateTime> = "ValidNotAfter",
    } -> CreateCertificateResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/CreateCertificate", Unspecified, Write
}

soap_reply! {
    /// The reply to [`CreateCertificate`].
    pub struct CreateCertificateResponse in "tds" {
        /// The certificate.
        certificate: Option<Certificate> = "NvtCertificate",
    }
}

operation! {
    /// Asks for the certificates of the camera.
    pub struct GetCertificates in "tds" {} -> GetCertificatesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetCertificates", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetCertificates`].
    pub struct GetCertificatesResponse in "tds" {
        /// The certificates.
        certificates: Vec<Certificate> = "NvtCertificate",
    }
}

soap_type! {
    /// A certificate.
    pub struct Certificate in "tt" {
        /// Its name on the camera.
        certificate_id: Option<String> = "CertificateID",
        /// The certificate itself (X.509, DER).
        certificate: Option<BinaryData> = "Certificate",
    }
}

soap_type! {
    /// Bytes in an element of their own.
    pub struct BinaryData in "tt" {
        /// The bytes.
        data: Option<Binary> = "Data",
    }
}

operation! {
    /// Asks which certificates are in use for TLS.
    pub struct GetCertificatesStatus in "tds" {} -> GetCertificatesStatusResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetCertificatesStatus", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetCertificatesStatus`].
    pub struct GetCertificatesStatusResponse in "tds" {
        /// One for each certificate.
        status: Vec<CertificateStatus> = "CertificateStatus",
    }
}

soap_type! {
    /// Whether a certificate is in use for TLS.
    pub struct CertificateStatus in "tt" {
        /// The certificate.
        certificate_id: Option<String> = "CertificateID",
        /// Whether it is in use.
        enabled: Option<bool> = "Status",
    }
}

operation! {
    /// Chooses the certificates for TLS.
    pub struct SetCertificatesStatus in "tds" {
        /// Those to change.
        status: Vec<CertificateStatus> = "CertificateStatus",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetCertificatesStatus", Unspecified, Write
}

operation! {
    /// Deletes certificates, with their keys.
    pub struct DeleteCertificates in "tds" {
        /// Which.
        certificate_ids: Vec<String> = "CertificateID",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/DeleteCertificates", Unspecified, Write
}

operation! {
    /// Asks for a request to sign a certificate (PKCS #10).
    pub struct GetPkcs10Request in "tds" {
        /// The certificate whose key to use.
        certificate_id: String = "CertificateID",
        /// Distinguished name of the subject.
        subject: Option<String> = "Subject",
        /// Attributes of the request (DER).
        attributes: Option<BinaryData> = "Attributes",
    } -> GetPkcs10RequestResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetPkcs10Request", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetPkcs10Request`].
    pub struct GetPkcs10RequestResponse in "tds" {
        /// The request (DER).
        request: Option<BinaryData> = "Pkcs10Request",
    }
}

operation! {
    /// Loads certificates for keys that the camera has.
    pub struct LoadCertificates in "tds" {
        /// The certificates, under the names of those they replace.
        certificates: Vec<Certificate> = "NVTCertificate",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/LoadCertificates", Unspecified, Write
}

operation! {
    /// Asks whether clients must show a certificate.
    pub struct GetClientCertificateMode in "tds" {} -> GetClientCertificateModeResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetClientCertificateMode", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetClientCertificateMode`].
    pub struct GetClientCertificateModeResponse in "tds" {
        /// Whether they must.
        enabled: Option<bool> = "Enabled",
    }
}

operation! {
    /// Has clients show a certificate, or not.
    pub struct SetClientCertificateMode in "tds" {
        /// Whether they must.
        enabled: bool = "Enabled",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetClientCertificateMode", Unspecified, Write
}

operation! {
    /// Asks for the certificates of authorities that the camera trusts.
    pub struct GetCaCertificates as "GetCACertificates" in "tds" {} -> GetCaCertificatesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetCACertificates", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetCaCertificates`].
    pub struct GetCaCertificatesResponse in "tds" {
        /// The certificates.
        certificates: Vec<Certificate> = "CACertificate",
    }
}

operation! {
    /// Loads certificates of authorities to trust.
    pub struct LoadCaCertificates as "LoadCACertificates" in "tds" {
        /// The certificates.
        certificates: Vec<Certificate> = "CACertificate",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/LoadCACertificates", Unspecified, Write
}

operation! {
    /// Loads certificates with their keys.
    pub struct LoadCertificateWithPrivateKey in "tds" {
        /// The certificates and keys.
        certificates: Vec<CertificateWithPrivateKey> = "CertificateWithPrivateKey",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/LoadCertificateWithPrivateKey", Unspecified, Write
}

soap_type! {
    /// A certificate and its key.
    pub struct CertificateWithPrivateKey in "tt" {
        /// How to name it; the camera chooses otherwise.
        certificate_id: Option<String> = "CertificateID",
        /// The certificate (X.509, DER).
        certificate: Option<BinaryData> = "Certificate",
        /// Its key.
        private_key: Option<PrivateKey> = "PrivateKey",
    }
}

soap_type! {
    /// A private key.
    pub struct PrivateKey in "tt" {
        /// The key (PKCS #8, DER) in base64.
        data: Option<Secret> = "Data",
    }
}

operation! {
    /// Asks what a certificate says.
    pub struct GetCertificateInformation in "tds" {
        /// Which.
        certificate_id: String = "CertificateID",
    } -> GetCertificateInformationResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetCertificateInformation", Unspecified, Read
}

soap_reply! {
    /// The reply to [`GetCertificateInformation`].
    pub struct GetCertificateInformationResponse in "tds" {
        /// What it says.
        information: Option<CertificateInformation> = "CertificateInformation",
    }
}

soap_reply! {
    /// What a certificate says.
    pub struct CertificateInformation in "tt" {
        /// Its name on the camera.
        certificate_id: Option<String> = "CertificateID",
        /// Distinguished name of who signed it.
        issuer: Option<String> = "IssuerDN",
        /// Distinguished name of whom it is about.
        subject: Option<String> = "SubjectDN",
        /// What its key may be used for.
        key_usage: Option<String> = "KeyUsage",
        /// What its key may be used for, in more detail.
        extended_key_usage: Option<String> = "ExtendedKeyUsage",
        /// Length of the key in bits.
        key_length: Option<u32> = "KeyLength",
        /// Version of X.509.
        version: Option<String> = "Version",
        /// Serial number.
        serial_number: Option<String> = "SerialNum",
        /// How it is signed.
        signature_algorithm: Option<String> = "SignatureAlgorithm",
        /// When it is valid.
        validity: Option<DateTimeRange> = "Validity",
    }
}

soap_reply! {
    /// A span of time.
    pub struct DateTimeRange in "tt" {
        /// Its beginning.
        from: Option<IsoDateTime> = "From",
        /// Its end.
        until: Option<IsoDateTime> = "Until",
    }
}

operation! {
    /// Asks who may do what.
    pub struct GetAccessPolicy in "tds" {} -> GetAccessPolicyResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetAccessPolicy", ReadSystemSecret, Read
}

soap_reply! {
    /// The reply to [`GetAccessPolicy`].
    pub struct GetAccessPolicyResponse in "tds" {
        /// The policy, in the maker's format.
        policy_file: Option<BinaryData> = "PolicyFile",
    }
}

operation! {
    /// Sets who may do what.
    pub struct SetAccessPolicy in "tds" {
        /// The policy, in the maker's format.
        policy_file: BinaryData = "PolicyFile",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetAccessPolicy", WriteSystem, Write
}
