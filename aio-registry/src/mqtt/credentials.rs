//! What a client shows and trusts: token, certificate and authorities, read from files that others renew.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::sleep;
use tracing::warn;

use super::{ClientCertificate, MqttOptions, TlsRoots};
use crate::{Error, Secret};

/// How often the files are looked at. Kubernetes renews a token long before it ends, and a mount some time after that.
const LOOK: Duration = Duration::from_secs(5);
/// The largest file that is read.
const MAX_FILE: u64 = 4 << 20;

/// Credentials as they were when they were read.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) token: Option<Secret>,
    pub(super) tls: Option<Arc<ClientConfig>>,
    files: Vec<Secret>,
}

impl Credentials {
    /// Reads the files the options name.
    ///
    /// # Errors
    /// [`Error::Storage`] for a file that cannot be read, [`Error::Invalid`] for one that does not hold what it is to hold.
    pub(super) async fn read(options: &MqttOptions) -> Result<Self, Error> {
        let sources = Sources::of(options);
        if !sources.secure && sources.token.is_none() {
            return Ok(Self {
                token: None,
                tls: None,
                files: Vec::new(),
            });
        }
        crate::file::blocking(move || sources.read()).await
    }

    /// Completes when the files hold something else than was read.
    pub(super) async fn changed(&self, options: &MqttOptions) {
        if self.files.is_empty() {
            return std::future::pending().await;
        }
        loop {
            sleep(LOOK).await;
            let sources = Sources::of(options);
            let now = crate::file::blocking(move || sources.contents()).await;
            // A file that is missing for a moment is being replaced.
            let changed = now.is_ok_and(|now| {
                let pairs = now.iter().zip(&self.files);
                now.len() != self.files.len()
                    || pairs.into_iter().any(|(a, b)| a.as_bytes() != b.as_bytes())
            });
            if changed {
                return;
            }
        }
    }
}

/// The files that credentials are read from.
struct Sources {
    secure: bool,
    token: Option<PathBuf>,
    roots: TlsRoots,
    certificate: Option<ClientCertificate>,
}

impl Sources {
    fn of(options: &MqttOptions) -> Self {
        Self {
            secure: options.broker.scheme() == "mqtts",
            token: options.token_file.clone(),
            roots: options.tls_roots.clone(),
            certificate: options.client_certificate.clone(),
        }
    }

    fn read(&self) -> Result<Credentials, Error> {
        Ok(Credentials {
            token: self.token.as_deref().map(read_token).transpose()?,
            tls: self.secure.then(|| self.tls()).transpose()?.map(Arc::new),
            files: self.contents()?,
        })
    }

    /// What all files hold.
    fn contents(&self) -> Result<Vec<Secret>, Error> {
        let mut paths = Vec::from_iter(self.token.clone());
        if self.secure {
            if let TlsRoots::File(path) = &self.roots {
                paths.extend(pem_files(path)?);
            }
            if let Some(certificate) = &self.certificate {
                paths.push(certificate.certificate_file.clone());
                paths.push(certificate.key_file.clone());
            }
        }
        paths.iter().map(|path| read_file(path)).collect()
    }

    fn tls(&self) -> Result<ClientConfig, Error> {
        let mut store = RootCertStore::empty();
        match &self.roots {
            TlsRoots::System => {
                let found = rustls_native_certs::load_native_certs();
                for error in &found.errors {
                    warn!(%error, "cannot read some certificate authorities of the system");
                }
                store.add_parsable_certificates(found.certs);
            }
            TlsRoots::File(path) => {
                for file in pem_files(path)? {
                    for certificate in read_certificates(&file)? {
                        store
                            .add(certificate)
                            .map_err(|error| invalid(&file, "certificate", &error))?;
                    }
                }
            }
        }
        if store.is_empty() {
            let reason = "there is no certificate authority in it to trust".into();
            return Err(Error::Invalid {
                what: format!("tls_roots {:?}", self.roots),
                reason,
            });
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Invalid {
                what: "TLS".into(),
                reason: error.to_string(),
            })?
            .with_root_certificates(store);
        let Some(ClientCertificate {
            certificate_file,
            key_file,
        }) = &self.certificate
        else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = read_certificates(certificate_file)?;
        let pem = read_file(key_file)?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| invalid(key_file, "private key (it must not be encrypted)", &error))?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| invalid(certificate_file, "client certificate", &error))
    }
}

fn read_token(path: &Path) -> Result<Secret, Error> {
    let token = read_file(path)?;
    let text = token.as_text()?;
    // It goes into a property of MQTT, which has a length of two bytes.
    if text.is_empty() || text.len() > usize::from(u16::MAX) {
        return Err(Error::Invalid {
            what: format!("the token in {}", path.display()),
            reason: "it is empty, or has more than 65,535 bytes".into(),
        });
    }
    Ok(Secret::from(text))
}

/// The file itself, or the files of the folder.
fn pem_files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |source| storage("read", path, source);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // Kubernetes keeps the versions of a mount in folders that begin with two dots.
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(read_file(path)?.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(path, "certificate", &error))
}

fn read_file(path: &Path) -> Result<Secret, Error> {
    use io::Read;
    let failed = |source| storage("read", path, source);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(Secret::new(bytes))
}

fn storage(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Storage {
        action,
        path: path.to_owned(),
        source,
    }
}

fn invalid(path: &Path, what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Invalid {
        what: format!("{what} in {}", path.display()),
        reason: error.to_string(),
    }
}
