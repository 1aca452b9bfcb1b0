use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use super::TransportError;
use super::pin::{PinStore, SpkiPin};

/// How far the certificate of a camera is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsPolicy {
    /// Chain, dates and host name, against the system's roots and those given.
    #[default]
    Verify,
    /// Chain and dates, but any host name: for cameras reached by another address than the one in
    /// their certificate.
    AcceptInvalidHostnames,
    /// The key must be this one; names, dates and issuer do not matter.
    Pinned(SpkiPin),
    /// The first key seen is pinned, in the [`PinStore`], and no other is accepted from then on.
    TrustOnFirstUse,
    /// Nothing. Anybody on the path can read the password.
    AcceptInvalidCertificates,
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// It is no longer valid.
    #[error("has expired; renew it on the camera, or pin its key")]
    Expired,
    /// It is not valid yet, usually because the camera's clock was wrong when it made it.
    #[error("is not valid yet; check the clocks, or pin its key")]
    NotYetValid,
    /// It is for another host.
    #[error(
        "is for another host than the one asked; use the name in it, accept any host name, or pin its key"
    )]
    OtherHost,
    /// Nobody trusted has signed it, as with all that cameras make themselves.
    #[error("is signed by nobody trusted; add its issuer to the trust list, or pin its key")]
    UnknownIssuer,
    /// The key is not the pinned one.
    #[error(
        "has another key than the pinned one; if the camera was reset or its certificate renewed, pin `{seen}`"
    )]
    Changed {
        /// The key it has.
        seen: SpkiPin,
    },
    /// Something else.
    #[error("cannot be used: {0}")]
    Other(String),
}

/// The certificate and key with which a client proves who it is. The key never shows in `Debug`.
#[derive(Clone)]
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl ClientCertificate {
    /// Reads a certificate, followed by its intermediates, and its key, both in PEM.
    ///
    /// # Errors
    /// [`TransportError::Tls`] when there is no certificate or no key.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TransportError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
            .filter_map(Result::ok)
            .collect();
        if chain.is_empty() {
            return Err(TransportError::Tls(
                "the client certificate holds no certificate in PEM".into(),
            ));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            TransportError::Tls("the key of the client certificate is no key in PEM".into())
        })?;
        Ok(Self {
            chain,
            key: Arc::new(key),
        })
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// TLS settings of an [`HttpTransport`](super::HttpTransport).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsOptions {
    /// How far certificates are checked.
    pub policy: TlsPolicy,
    /// Root certificates to trust besides the system's, in PEM; may be empty.
    pub extra_roots: Vec<u8>,
    /// Shown to cameras that ask for one.
    pub client_certificate: Option<ClientCertificate>,
    /// Where [`TlsPolicy::TrustOnFirstUse`] keeps the keys it has seen.
    pub pins: PinStore,
}

/// TLS for one transport.
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    config: ClientConfig,
    policy: TlsPolicy,
    pins: PinStore,
}

impl Tls {
    pub(super) fn new(options: TlsOptions) -> Result<Self, TransportError> {
        let tls = |error: Error| TransportError::Tls(error.to_string());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(tls)?;
        let chain = match options.policy {
            TlsPolicy::Verify | TlsPolicy::AcceptInvalidHostnames => {
                Some(roots(&options.extra_roots)?)
            }
            TlsPolicy::AcceptInvalidCertificates => {
                tracing::warn!(
                    "certificates of cameras are not checked: passwords can be read on the way"
                );
                None
            }
            TlsPolicy::Pinned(_) | TlsPolicy::TrustOnFirstUse => None,
        };
        let builder = match (chain, options.policy) {
            (Some(roots), TlsPolicy::AcceptInvalidHostnames) if !roots.is_empty() => {
                let chain = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                    .build()
                    .map_err(|error| TransportError::Tls(error.to_string()))?;
                let verifier = Verifier {
                    provider: provider.clone(),
                    accept: Accept::AnyName(chain),
                };
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
            }
            (Some(roots), _) => builder.with_root_certificates(roots),
            (None, policy) => {
                let accept = match policy {
                    TlsPolicy::Pinned(pin) => Accept::Key(pin),
                    _ => Accept::Anything,
                };
                let verifier = Verifier {
                    provider: provider.clone(),
                    accept,
                };
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let config = match options.client_certificate {
            Some(client) => builder
                .with_client_auth_cert(client.chain, client.key.clone_key())
                .map_err(tls)?,
            None => builder.with_no_client_auth(),
        };
        Ok(Self {
            provider,
            config,
            policy: options.policy,
            pins: options.pins,
        })
    }

    /// The configuration for a connection to `authority`, a host with its port.
    pub(super) fn config(&self, authority: &str) -> Arc<ClientConfig> {
        let mut config = self.config.clone();
        if self.policy == TlsPolicy::TrustOnFirstUse
            && let Some(pin) = self.pins.get(authority)
        {
            config
                .dangerous()
                .set_certificate_verifier(Arc::new(Verifier {
                    provider: self.provider.clone(),
                    accept: Accept::Key(pin),
                }));
        }
        Arc::new(config)
    }

    /// Notes the key of a handshake that succeeded. A key that was pinned meanwhile by another
    /// connection wins over this one.
    pub(super) fn seen(
        &self,
        authority: &str,
        certificates: Option<&[CertificateDer<'_>]>,
    ) -> Result<(), TransportError> {
        if self.policy != TlsPolicy::TrustOnFirstUse {
            return Ok(());
        }
        let seen = certificates
            .and_then(<[_]>::first)
            .ok_or_else(|| TransportError::Tls("the camera shows no certificate".into()))
            .and_then(|certificate| SpkiPin::of(certificate).map_err(|error| explain(&error)))?;
        if self.pins.pin_first(authority, seen) == seen {
            Ok(())
        } else {
            Err(TransportError::Certificate(CertificateProblem::Changed {
                seen,
            }))
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// What a failed handshake means.
pub(super) fn explain(error: &Error) -> TransportError {
    let Error::InvalidCertificate(certificate) = error else {
        return TransportError::Tls(error.to_string());
    };
    TransportError::Certificate(match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateProblem::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::OtherHost
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer,
        CertificateError::Other(OtherError(other)) => match other.downcast_ref::<OtherKey>() {
            Some(OtherKey(seen)) => CertificateProblem::Changed { seen: *seen },
            // A certificate that a camera made for itself is no authority, and yet signs itself.
            None if other.to_string().contains("CaUsedAsEndEntity") => {
                CertificateProblem::UnknownIssuer
            }
            None => CertificateProblem::Other(other.to_string()),
        },
        other => CertificateProblem::Other(other.to_string()),
    })
}

/// The system's roots, read once, and those in `extra`.
fn roots(extra: &[u8]) -> Result<Arc<RootCertStore>, TransportError> {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    let mut roots = SYSTEM
        .get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        })
        .clone();
    if !extra.is_empty() {
        let before = roots.len();
        let certificates = CertificateDer::pem_slice_iter(extra).filter_map(Result::ok);
        roots.add_parsable_certificates(certificates);
        if roots.len() == before {
            return Err(TransportError::Tls(
                "the extra roots hold no certificate in PEM".into(),
            ));
        }
    }
    Ok(Arc::new(roots))
}

#[derive(Debug, thiserror::Error)]
#[error("another key than the pinned one: {0}")]
struct OtherKey(SpkiPin);

/// What a [`Verifier`] accepts.
#[derive(Debug)]
enum Accept {
    /// A good chain, for any name.
    AnyName(Arc<WebPkiServerVerifier>),
    /// This key.
    Key(SpkiPin),
    Anything,
}

#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    accept: Accept,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.accept {
            Accept::Anything => Ok(ServerCertVerified::assertion()),
            Accept::Key(pin) => {
                let seen = SpkiPin::of(end_entity)?;
                if seen == *pin {
                    return Ok(ServerCertVerified::assertion());
                }
                Err(CertificateError::Other(OtherError(Arc::new(OtherKey(seen)))).into())
            }
            Accept::AnyName(chain) => {
                match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
                    // The name is checked last, after the chain and the dates.
                    Err(Error::InvalidCertificate(
                        CertificateError::NotValidForName
                        | CertificateError::NotValidForNameContext { .. },
                    )) => Ok(ServerCertVerified::assertion()),
                    other => other,
                }
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
