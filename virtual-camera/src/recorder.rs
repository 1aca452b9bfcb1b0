//! A proxy before a real camera that keeps what it says.

mod redact;
mod trust;
mod upstream;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::{Host, Url};

pub use self::trust::CertificatePolicy;
use self::upstream::{Answer, Port, Upstream};
use crate::error::Error;
use crate::replay::{Entry, INDEX, folder};
use crate::soap;
use crate::state::lock;

const MAX_BODY: usize = 1 << 20;
/// Exchanges beyond this many are passed on and not kept.
const MAX_EXCHANGES: usize = 10_000;
/// Other ports of the camera that it can name.
const MAX_FRONTS: usize = 16;

/// How a [`Recorder`] is to be. `Debug` leaves the password out.
#[derive(Clone)]
pub struct RecorderOptions {
    /// Address of the camera's Device service, `http` or `https`.
    pub device: Url,
    /// The folder of the recording, which is made where it does not exist.
    pub out: PathBuf,
    /// Where clients connect instead; any free port on loopback by default.
    pub listen: SocketAddr,
    /// User and password for requests that come without; `None` by default. They are not kept.
    pub credentials: Option<(String, String)>,
    /// Which certificates are taken over HTTPS; none by default.
    pub certificates: CertificatePolicy,
    /// Blanks serial numbers and hardware addresses in what is kept; off by default. Passwords, digests and nonces are
    /// blanked always.
    pub blank_serials: bool,
}

impl RecorderOptions {
    /// The defaults for a camera and a folder.
    #[must_use]
    pub fn new(device: Url, out: impl Into<PathBuf>) -> Self {
        Self {
            device,
            out: out.into(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            credentials: None,
            certificates: CertificatePolicy::default(),
            blank_serials: false,
        }
    }
}

impl fmt::Debug for RecorderOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderOptions")
            .field("device", &self.device.as_str())
            .field("out", &self.out)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// Stands before a camera: what clients ask here it asks there, and keeps both in a folder that
/// [`Builder::replay`](crate::Builder::replay) plays back. Addresses in answers lead here again; streams and snapshots are the
/// camera's own. Refused credentials are not kept. Clients speak HTTP with it, whatever it speaks with the camera. Dropped, it
/// stops.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use virtual_camera::{Recorder, RecorderOptions, VirtualCamera};
///
/// # let folder = tempfile::tempdir()?;
/// # let out = folder.path();
/// let camera = VirtualCamera::builder().start().await?; // or a real one
/// let recorder = Recorder::start(RecorderOptions::new(camera.device_url(), out)).await?;
/// println!("point a client at {}", recorder.device_url());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    device_url: Url,
    _stop: DropGuard,
}

#[derive(Debug)]
struct Shared {
    options: RecorderOptions,
    upstream: Upstream,
    kept: Mutex<Vec<Entry>>,
    count: AtomicUsize,
    /// Where we listen for each port of the camera.
    fronts: std::sync::Mutex<HashMap<Port, SocketAddr>>,
    stop: CancellationToken,
}

impl Recorder {
    /// Listens and serves.
    ///
    /// # Errors
    /// [`Error::Recording`] where the camera's address is not `http` or `https`, no certificate is trusted over HTTPS, or the
    /// folder holds a recording already or cannot be written; [`Error::Listen`] where the port is taken.
    pub async fn start(options: RecorderOptions) -> Result<Self, Error> {
        let folder = options.out.clone();
        let failed = |reason: String| Error::Recording {
            folder: folder.clone(),
            reason,
        };
        let port = Port::of(&options.device);
        let port =
            port.ok_or_else(|| failed("the camera's address is not http://HOST/…".to_owned()))?;
        let upstream = Upstream::new(&options).map_err(failed)?;
        if options.out.join(INDEX).exists() {
            return Err(failed("the folder holds a recording already".to_owned()));
        }
        let made = tokio::fs::create_dir_all(&options.out).await;
        made.map_err(|error| failed(error.to_string()))?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            upstream,
            kept: Mutex::default(),
            count: AtomicUsize::new(0),
            fronts: std::sync::Mutex::default(),
            stop: stop.clone(),
            options,
        });
        let listen = shared.options.listen;
        let local = shared.listen(port, listen);
        let local = local.map_err(|source| Error::Listen {
            purpose: "recording",
            address: listen,
            source,
        })?;
        let mut device_url = shared.options.device.clone();
        let host = match local.ip().is_unspecified() {
            true => Ipv4Addr::LOCALHOST.into(),
            false => local.ip(),
        };
        let set = device_url
            .set_scheme("http")
            .and(device_url.set_ip_host(host))
            .and(device_url.set_port(Some(local.port())));
        set.map_err(|()| failed("the camera's address cannot be changed".to_owned()))?;
        Ok(Self {
            shared,
            device_url,
            _stop: stop.drop_guard(),
        })
    }

    /// Address of the Device service for clients.
    #[must_use]
    pub fn device_url(&self) -> Url {
        self.device_url.clone()
    }

    /// How many exchanges were kept. All of them are in the folder.
    #[must_use]
    pub fn recorded(&self) -> usize {
        self.shared.count.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// Stands before a port of the camera.
    fn listen(self: &Arc<Self>, port: Port, listen: SocketAddr) -> io::Result<SocketAddr> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let local = listener.local_addr()?;
        lock(&self.fronts).insert(port, local);
        let front = (self.clone(), port);
        let router = Router::new().fallback(any(pass_on)).with_state(front);
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let served = axum::serve(listener, router);
            tokio::select! {
                served = served => if let Err(error) = served {
                    tracing::warn!(%error, "the recorder ended");
                },
                () = stop.cancelled() => {}
            }
        });
        Ok(local)
    }

    /// The document with addresses that lead here.
    fn with_own_addresses(self: &Arc<Self>, document: &str, host: &str) -> String {
        let own = self.options.device.host().map(|host| host.to_owned());
        let mut written = String::with_capacity(document.len());
        let mut rest = document;
        let next = |rest: &str| {
            let found = ["http://", "https://"].map(|scheme| rest.find(scheme));
            found.into_iter().flatten().min()
        };
        while let Some(at) = next(rest) {
            let (before, url) = rest.split_at(at);
            let end = url.find(['<', '"', '\'', ' ', '\t', '\r', '\n']);
            let (url, after) = url.split_at(end.unwrap_or(url.len()));
            written.push_str(before);
            let parsed = Url::parse(url).ok();
            let is_own = |url: &Url| url.host().map(|host| host.to_owned()) == own;
            let port = parsed.filter(is_own).and_then(|url| Port::of(&url));
            let port = port.filter(|port| self.upstream.reaches(*port));
            match self.front(port) {
                Some(front) => {
                    let (_, path) = url.split_once("://").unwrap_or_default();
                    let path = path.find(['/', '?']).map_or("", |at| &path[at..]);
                    written.push_str(&format!("http://{host}:{}{path}", front.port()));
                }
                None => written.push_str(url),
            }
            rest = after;
        }
        written + rest
    }

    fn front(self: &Arc<Self>, port: Option<Port>) -> Option<SocketAddr> {
        let port = port?;
        let (known, count) = {
            let fronts = lock(&self.fronts);
            (fronts.get(&port).copied(), fronts.len())
        };
        known.or_else(|| {
            let listen = SocketAddr::new(self.options.listen.ip(), 0);
            let more = count < MAX_FRONTS;
            more.then(|| self.listen(port, listen).ok())?
        })
    }

    /// Keeps an exchange of SOAP messages.
    async fn keep(&self, asked: &[u8], answer: &Answer) -> io::Result<()> {
        let Ok(request) = soap::Request::read(asked) else {
            return Ok(());
        };
        if is_refusal(answer) {
            return Ok(());
        }
        let serials = self.options.blank_serials;
        let redacted = (
            redact::document(asked, serials),
            redact::document(&answer.body, serials),
        );
        let (Some(asked), Some(answered)) = redacted else {
            tracing::warn!(
                operation = request.body.name,
                "what is no XML is not recorded"
            );
            return Ok(());
        };
        let mut kept = self.kept.lock().await;
        if kept.len() >= MAX_EXCHANGES {
            return Ok(());
        }
        let service = folder(&request.body.namespace);
        let same = kept
            .iter()
            .filter(|entry| entry.operation == request.body.name);
        let number = same.count() + 1;
        // Names of elements can hold anything but these.
        let operation: String = request
            .body
            .name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let file = |kind| PathBuf::from(service).join(format!("{operation}.{number}.{kind}.xml"));
        let entry = Entry {
            namespace: request.body.namespace,
            operation: request.body.name,
            status: answer.status.as_u16(),
            request: file("request"),
            response: file("response"),
        };
        let out = &self.options.out;
        tokio::fs::create_dir_all(out.join(service)).await?;
        tokio::fs::write(out.join(&entry.request), asked).await?;
        tokio::fs::write(out.join(&entry.response), answered).await?;
        kept.push(entry);
        let index = serde_json::to_vec_pretty(&*kept)?;
        tokio::fs::write(out.join(INDEX), index).await?;
        self.count.store(kept.len(), Ordering::Relaxed);
        Ok(())
    }
}

/// Whether an answer is about credentials and nothing else.
fn is_refusal(answer: &Answer) -> bool {
    let fault = !answer.status.is_success() || answer.mentions(":Fault>");
    answer.status == StatusCode::UNAUTHORIZED || (fault && answer.mentions("NotAuthorized"))
}

async fn pass_on(State((shared, port)): State<(Arc<Shared>, Port)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let answer = match shared.upstream.ask(&parts, port, &body).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, "the camera does not answer");
            return StatusCode::BAD_GATEWAY.into_response();
        }
    };
    if parts.method == Method::POST
        && let Err(error) = shared.keep(&body, &answer).await
    {
        tracing::warn!(%error, "an exchange was not recorded");
    }
    let host = parts.headers.get(http::header::HOST);
    let host = host
        .and_then(|host| host.to_str().ok())
        .unwrap_or("127.0.0.1");
    let host = match Url::parse(&format!("http://{host}")).ok() {
        Some(url) => url.host().map(|host: Host<&str>| host.to_string()),
        None => None,
    };
    let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
    let body = match std::str::from_utf8(&answer.body) {
        Ok(text) if parts.method == Method::POST => {
            Bytes::from(shared.with_own_addresses(text, &host))
        }
        _ => answer.body,
    };
    let mut response = (answer.status, Body::from(body)).into_response();
    let told = [
        CONTENT_TYPE,
        WWW_AUTHENTICATE,
        HeaderName::from_static("authentication-info"),
    ];
    response.headers_mut().clear();
    for name in told {
        for value in answer.headers.get_all(&name) {
            response.headers_mut().append(&name, value.clone());
        }
    }
    response
}
