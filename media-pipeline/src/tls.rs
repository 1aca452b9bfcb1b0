//! TLS towards cameras, by rustls.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Error;

/// TLS settings, for `rtsps` and `https`.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// How far certificates are checked.
    pub policy: TlsPolicy,
    /// Root certificates to trust besides the system's, in PEM; may be empty.
    pub extra_roots: Vec<u8>,
}

/// How far the certificate of a camera is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsPolicy {
    /// Chain, dates and host name, against the system's roots and those given.
    #[default]
    Verify,
    /// The key must be this one; names, dates and issuer do not matter.
    Pinned(SpkiPin),
    /// Nothing. Anybody on the path can read and change what is sent.
    AcceptInvalidCertificates,
}

/// The SHA-256 of a certificate's public key (its `SubjectPublicKeyInfo`). Written as `sha256/` and 44 characters of
/// Base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpkiPin([u8; 32]);

/// A text that is no [`SpkiPin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pin is written as `sha256/` and the Base64 of 32 bytes")]
pub struct InvalidPin;

impl SpkiPin {
    /// The pin with these bytes.
    pub fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    fn of(certificate: &CertificateDer<'_>) -> Result<Self, rustls::Error> {
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &key).as_ref());
        Ok(Self(sha256))
    }
}

impl fmt::Display for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", BASE64.encode(self.0))
    }
}

impl fmt::Debug for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SpkiPin {
    type Err = InvalidPin;

    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        let text = text.trim().strip_prefix("sha256/").ok_or(InvalidPin)?;
        let bytes = BASE64.decode(text).map_err(|_| InvalidPin)?;
        bytes.try_into().map(Self).map_err(|_| InvalidPin)
    }
}

/// TLS for the connections of one source.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    /// Whether a certificate that passed proves who the other side is.
    pub(crate) proves: bool,
}

impl Tls {
    /// # Errors
    /// [`Error::Option`] when the extra roots hold no certificate.
    pub(crate) fn new(options: &TlsOptions, label: &str) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Option {
                option: "tls",
                reason: error.to_string(),
            })?;
        let only = |accept| Arc::new(Verifier { provider, accept });
        let config = match options.policy {
            TlsPolicy::Verify => builder.with_root_certificates(roots(&options.extra_roots)?),
            TlsPolicy::Pinned(pin) => builder
                .dangerous()
                .with_custom_certificate_verifier(only(Some(pin))),
            TlsPolicy::AcceptInvalidCertificates => {
                tracing::warn!(
                    stream = label,
                    "the certificate of this camera is not checked: its password and pictures can be read on the way"
                );
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(only(None))
            }
        };
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config.with_no_client_auth())),
            proves: options.policy != TlsPolicy::AcceptInvalidCertificates,
        })
    }

    /// The error says what is wrong with the certificate and what to do.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, std::io::Error> {
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        self.connector.connect(name, stream).await.map_err(explain)
    }
}

/// The system's roots, read once, and those in `extra`.
fn roots(extra: &[u8]) -> Result<RootCertStore, Error> {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    let system = SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    });
    let mut roots = system.clone();
    if !extra.is_empty() {
        let certificates = CertificateDer::pem_slice_iter(extra).filter_map(Result::ok);
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(Error::Option {
                option: "extra_roots",
                reason: "hold no certificate in PEM".into(),
            });
        }
    }
    Ok(roots)
}

/// What is wrong with a certificate, in place of rustls' words where there is something to do about it.
fn explain(error: std::io::Error) -> std::io::Error {
    let inner = error.get_ref().and_then(|e| e.downcast_ref());
    let Some(rustls::Error::InvalidCertificate(certificate)) = inner else {
        return error;
    };
    let what = match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired; renew it on the camera, or pin its key".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; check the clocks, or pin its key".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another host; use the name in it, or pin its key".into()
        }
        CertificateError::UnknownIssuer => UNTRUSTED.into(),
        CertificateError::Other(OtherError(other)) => {
            let other = other.to_string();
            // A certificate that a camera made for itself is no authority, and yet signs itself.
            match other.contains("CaUsedAsEndEntity") {
                true => UNTRUSTED.into(),
                false => other,
            }
        }
        other => other.to_string(),
    };
    std::io::Error::new(error.kind(), format!("the certificate {what}"))
}

const UNTRUSTED: &str =
    "is signed by nobody trusted; add its issuer to the extra roots, or pin its key";

#[derive(Debug, thiserror::Error)]
#[error("has another key than the pinned one; if the camera was reset or its key renewed, pin {0}")]
struct OtherKey(SpkiPin);

/// Accepts one key, or anything.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    accept: Option<SpkiPin>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(pin) = self.accept {
            let seen = SpkiPin::of(end_entity)?;
            if seen != pin {
                return Err(CertificateError::Other(OtherError(Arc::new(OtherKey(seen)))).into());
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_as_it_is_written() {
        let pin = SpkiPin::new([7; 32]);
        assert_eq!(pin.to_string().parse(), Ok(pin));
        for text in ["", "sha256/", "sha256/AAAA", "md5/AAAA", &"A".repeat(44)] {
            assert_eq!(text.parse::<SpkiPin>(), Err(InvalidPin), "{text}");
        }
    }

    #[test]
    fn extra_roots_without_a_certificate_are_refused() {
        let options = TlsOptions {
            extra_roots: b"not PEM".to_vec(),
            ..TlsOptions::default()
        };
        let error = Tls::new(&options, "cam").err().unwrap();
        assert!(
            error.to_string().starts_with("extra_roots hold no"),
            "{error}"
        );
    }
}
