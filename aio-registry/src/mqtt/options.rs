use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Semaphore;
use url::Url;

use super::{Publish, packet};
use crate::{Error, Secret};

/// How to connect to a broker.
#[derive(Clone)]
pub struct MqttOptions {
    /// `mqtt://host[:1883]` or `mqtts://host[:8883]`. User name and password do not belong here.
    pub broker: Url,
    /// The client identifier, unique at the broker and stable over restarts.
    pub client_id: String,
    /// The user name.
    pub username: Option<Secret>,
    /// The password.
    pub password: Option<Secret>,
    /// A Kubernetes service account token to log in with, by the authentication method `K8S-SAT` of Azure IoT Operations;
    /// no user name and password then. See [`MqttSession`](crate::MqttSession) on its renewal.
    pub token_file: Option<PathBuf>,
    /// Which certificate authorities to trust, for `mqtts`.
    pub tls_roots: TlsRoots,
    /// The certificate to show the broker, for `mqtts`.
    pub client_certificate: Option<ClientCertificate>,
    /// What the broker publishes for this client when it vanishes without a goodbye.
    pub will: Option<Publish>,
    /// User properties of CONNECT, such as `metriccategory`.
    pub user_properties: Vec<(String, String)>,
    /// Whether to forget the broker's state of an earlier run; `false`, so that nothing is lost over a restart.
    pub clean_start: bool,
    /// How long the broker keeps the session after the connection is lost; one hour.
    pub session_expiry: Duration,
    /// How often to show the broker that the client lives; 60 s.
    pub keep_alive: Duration,
    /// The largest packet to accept, in bytes; 16 MiB.
    pub max_packet_size: u32,
    /// Messages that may wait for an acknowledgement at once, in each direction; 100.
    pub inflight: u16,
    /// Bytes of messages that may wait to be acknowledged before `publish` waits; 64 MiB.
    pub queue_bytes: usize,
    /// How long `publish` waits for the acknowledgement, the broker being away or not; 30 s.
    pub publish_timeout: Duration,
    /// How long one attempt to connect may take; 10 s.
    pub connect_timeout: Duration,
}

/// Which certificate authorities to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsRoots {
    /// Those of the operating system.
    #[default]
    System,
    /// Those in a PEM file, or in all files of a folder, and no others.
    File(PathBuf),
}

/// A client's certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// A PEM file with the certificate, and the intermediate ones after it.
    pub certificate_file: PathBuf,
    /// A PEM file with the private key, not encrypted.
    pub key_file: PathBuf,
}

impl MqttOptions {
    /// A broker and a client identifier, everything else by default.
    pub fn new(broker: Url, client_id: impl Into<String>) -> Self {
        Self {
            broker,
            client_id: client_id.into(),
            username: None,
            password: None,
            token_file: None,
            tls_roots: TlsRoots::default(),
            client_certificate: None,
            will: None,
            user_properties: Vec::new(),
            clean_start: false,
            session_expiry: Duration::from_secs(3600),
            keep_alive: Duration::from_secs(60),
            max_packet_size: 16 << 20,
            inflight: 100,
            queue_bytes: 64 << 20,
            publish_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl MqttOptions {
    /// Whether they can work.
    pub(super) fn check(&self) -> Result<(), Error> {
        let invalid = |what: &str, reason: &str| {
            Err(Error::Invalid {
                what: what.into(),
                reason: reason.into(),
            })
        };
        if self.client_id.is_empty()
            || self.client_id.len() > 65_535
            || self.client_id.contains(['+', '#', '/', '\0'])
        {
            return invalid(
                "client_id",
                "it is empty, too long, or holds + # / or NUL, and so cannot be a level of a topic",
            );
        }
        if self.inflight == 0 || self.max_packet_size < 1024 || self.queue_bytes < 1024 {
            return invalid(
                "MQTT options",
                "inflight is at least 1, max_packet_size and queue_bytes are at least 1,024",
            );
        }
        if self.queue_bytes > Semaphore::MAX_PERMITS || self.keep_alive < Duration::from_secs(1) {
            return invalid(
                "MQTT options",
                "queue_bytes is too large, or keep_alive is less than a second",
            );
        }
        if self.username.is_none() && self.password.is_some() {
            return invalid("username", "there is a password but no user name");
        }
        if self.token_file.is_some() && self.username.is_some() {
            return invalid(
                "token_file",
                "there is a user name as well, and a client logs in by one of them",
            );
        }
        if self.client_certificate.is_some() && self.broker.scheme() != "mqtts" {
            return invalid(
                "client_certificate",
                "it needs mqtts, and the broker's address has mqtt",
            );
        }
        if let Some(will) = self.will.clone() {
            packet::will(will).map_err(|error| Error::Invalid {
                what: "will".into(),
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for MqttOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An address with a password in it is refused later; it is not to be printed before.
        f.debug_struct("MqttOptions")
            .field("host", &self.broker.host_str())
            .field("port", &self.broker.port())
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password)
            .field("token_file", &self.token_file)
            .field("tls_roots", &self.tls_roots)
            .field("client_certificate", &self.client_certificate)
            .finish_non_exhaustive()
    }
}
