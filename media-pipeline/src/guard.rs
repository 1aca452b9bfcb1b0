//! The wire guard: a relay inside the process between retina and a camera.
//!
//! retina has no bound on what it buffers, speaks plain RTSP over TCP to whatever host it is told, and describes its errors
//! only in text. So each session gets a listener on the loopback address for exactly one connection. retina is given its
//! address; the guard holds the connection to the camera and with it the request URLs, the authentication, the caps and
//! the reason when a session is cut.

mod auth;
mod framing;
mod keepalive;
mod pictures;
mod relay;
mod reorder;
mod repair;
mod rewrite;
mod source_filter;
mod udp;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

pub(crate) use auth::Authenticator;
pub use auth::{AuthBudget, Credentials, FailureBudget};
use framing::AccessUnitMeter;
pub use framing::Caps;
pub(crate) use framing::{Frame, Framer, Message, Violation};
use keepalive::Keepalive;
pub(crate) use pictures::Losses;
use pictures::PayloadTypes;
use relay::Relay;
pub(crate) use relay::short;
use rewrite::Addresses;
pub use rewrite::ForeignUrlPolicy;

use crate::{Error, RtspTransport};

/// Packets of UDP that wait for retina.
const PACKETS: usize = 512;

/// What a guard has to know of its session.
pub(crate) struct GuardOptions {
    /// The camera's URL, without credentials.
    pub(crate) url: Url,
    /// The stream's name in errors and logs.
    pub(crate) label: String,
    /// The camera's address, as resolved.
    pub(crate) ip: IpAddr,
    /// Our address on the connection to the camera.
    pub(crate) local_ip: IpAddr,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) allow_basic: bool,
    /// Whether the camera is known to refuse what is stronger than MD5.
    pub(crate) md5_works: Arc<AtomicBool>,
    pub(crate) caps: Caps,
    /// Longest silence of the camera.
    pub(crate) idle: Duration,
    pub(crate) budget: Arc<dyn AuthBudget>,
    pub(crate) foreign: ForeignUrlPolicy,
    /// How packets come from the camera; to retina they are interleaved in any case.
    pub(crate) transport: RtspTransport,
}

/// A running guard.
pub(crate) struct Guard {
    /// The URL under which retina finds the camera's stream.
    pub(crate) url: Url,
    /// Lost packets of JPEG pictures, which retina does not count with the right ones.
    pub(crate) losses: Losses,
    verdict: Arc<Mutex<Verdict>>,
}

#[derive(Default)]
struct Verdict {
    cut: Option<Error>,
    refusal: Option<Error>,
    /// Where the camera sent us with that, if it may be followed.
    redirect: Option<Url>,
}

impl Guard {
    /// Starts a guard over a connection to the camera. It ends when either side closes.
    pub(crate) async fn start<S>(camera: S, options: GuardOptions) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let label = options.label;
        let local_failure = |e: std::io::Error| Error::Network {
            url: label.clone(),
            action: "cannot listen on the loopback address".into(),
            source: Some(Arc::new(e)),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(&local_failure)?;
        let port = listener.local_addr().map_err(&local_failure)?.port();
        // The token keeps other processes of this host from using the camera's session: without it nothing is relayed.
        let local = format!("rtsp://127.0.0.1:{port}/{:032x}", rand::random::<u128>());
        let (camera_origin, path) = origin_and_path(&options.url);
        let url = Url::parse(&format!("{local}{path}")).map_err(|e| Error::Url {
            url: label.clone(),
            reason: e.to_string(),
        })?;
        let verdict = Arc::new(Mutex::new(Verdict::default()));
        let losses = Losses::default();
        let relay = Relay {
            addresses: Addresses {
                camera: camera_origin,
                host: options.url.host_str().unwrap_or_default().to_owned(),
                ip: options.ip,
                local,
                foreign: options.foreign,
            },
            auth: options.credentials.map(|credentials| {
                Authenticator::new(credentials, options.allow_basic, options.md5_works)
            }),
            url: options.url,
            budget: options.budget,
            accepted: false,
            verdict: verdict.clone(),
            label,
            local_ip: options.local_ip,
            access_unit: options.caps.access_unit,
            transport: options.transport,
            udp: JoinSet::new(),
            packets: mpsc::channel(PACKETS),
            idle: options.idle,
            meter: AccessUnitMeter::new(options.caps.access_unit),
            sources: HashMap::new(),
            losses: losses.clone(),
            jpeg: PayloadTypes::default(),
            keepalive: Keepalive::default(),
            playing: false,
            heard: false,
            next_cseq: 1,
            pending: VecDeque::new(),
            to_camera: BytesMut::new(),
            to_client: BytesMut::new(),
        };
        tokio::spawn(relay.run(listener, camera, options.caps));
        Ok(Self {
            url,
            losses,
            verdict,
        })
    }

    /// Why the session failed, as far as the guard knows.
    pub(crate) fn reason(&self) -> Option<Error> {
        let verdict = self.verdict();
        verdict.cut.clone().or_else(|| verdict.refusal.clone())
    }

    /// Where the session is to be tried instead.
    pub(crate) fn redirect(&self) -> Option<Url> {
        self.verdict().redirect.clone()
    }

    fn verdict(&self) -> MutexGuard<'_, Verdict> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `rtsp://host[:port]`, also for what is sent through a tunnel, or `rtsps://…`, and the rest of a URL.
fn origin_and_path(url: &Url) -> (String, String) {
    let host = url.host_str().unwrap_or_default();
    let scheme = match url.scheme() {
        "rtsps" => "rtsps",
        _ => "rtsp",
    };
    let origin = match url.port() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    };
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    (origin, format!("{}{query}", url.path()))
}
