use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::Secret;

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
    /// Which certificate authorities to trust, for `mqtts`.
    pub tls_roots: TlsRoots,
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
    /// Those in a PEM file, and no others.
    File(PathBuf),
}

impl MqttOptions {
    /// A broker and a client identifier, everything else by default.
    pub fn new(broker: Url, client_id: impl Into<String>) -> Self {
        Self {
            broker,
            client_id: client_id.into(),
            username: None,
            password: None,
            tls_roots: TlsRoots::default(),
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

impl std::fmt::Debug for MqttOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An address with a password in it is refused later; it is not to be printed before.
        f.debug_struct("MqttOptions")
            .field("host", &self.broker.host_str())
            .field("port", &self.broker.port())
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password)
            .field("tls_roots", &self.tls_roots)
            .finish_non_exhaustive()
    }
}
