//! HTTPS with a certificate that the camera makes itself, as cameras do.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// The certificate of a camera that speaks HTTPS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Certificate {
    /// Signed by itself, for `localhost` and the address it listens on.
    #[default]
    SelfSigned,
    /// As `SelfSigned`, but expired long ago.
    Expired,
    /// As `SelfSigned`, but for `another.example`.
    OtherHost,
}

/// What it takes to accept TLS. Clones share it.
#[derive(Clone)]
pub(crate) struct Tls {
    pub acceptor: TlsAcceptor,
    pub certificate_pem: Arc<str>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Makes a new key and a certificate for it. With `client_roots` (PEM), clients have to show a certificate.
    pub(crate) fn new(
        certificate: Certificate,
        listen: IpAddr,
        client_roots: Option<&[u8]>,
    ) -> Result<Self, String> {
        let names = match certificate {
            Certificate::OtherHost => vec!["another.example".to_owned()],
            _ => vec!["localhost".to_owned(), listen.to_string()],
        };
        let text = |error: rcgen::Error| error.to_string();
        let mut params = CertificateParams::new(names).map_err(text)?;
        if certificate == Certificate::Expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().map_err(text)?;
        let certificate = params.self_signed(&key).map_err(text)?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match client_roots {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                let given = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
                roots.add_parsable_certificates(given);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                    .build()
                    .map_err(|error| error.to_string())?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let secret = PrivateKeyDer::try_from(key.serialize_der())?;
        let config = builder
            .with_single_cert(vec![certificate.der().clone()], secret)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate_pem: certificate.pem().into(),
        })
    }
}
