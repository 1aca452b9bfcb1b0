//! An RTSP server (RFC 2326) that shows clips as a camera shows what is before it: live, the same
//! for everyone, without end.

mod announcement;
mod authorization;
mod connection;
mod cues;
mod deviation;
mod distortion;
mod endless;
mod entrance;
mod framing;
mod groups;
mod handler;
mod inlet;
mod outlet;
mod packetizer;
mod payload;
mod publication;
mod sdp;
mod sender;
mod session;
mod sessions;
mod timeline;
mod track;
mod transport;
mod tunnel;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant, SystemTime};

use bytes::{Bytes, BytesMut};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

pub(crate) use self::authorization::Door;
pub use self::authorization::RtspAuth;
use self::connection::Ends;
use self::cues::{Cue, Cues};
use self::groups::Groups;
use self::publication::Publications;
use self::sender::Sender;
use self::session::Session;
use self::sessions::Sessions;
use self::timeline::Timeline;
pub(crate) use self::track::{Programme, Stream, Track};
use self::tunnel::Tunnels;
pub(crate) use self::tunnel::{CONTENT_TYPE as TUNNEL_CONTENT_TYPE, COOKIE as TUNNEL_COOKIE};
use crate::port::{Port, PortHandle};
use crate::quirks::Quirks;
use crate::recording::Recording;

/// Twice as many as sessions, so that a client that comes too late is told why it is not served.
const MAX_CONNECTIONS: usize = 128;
/// What a tunnel may have on its way.
const TUNNEL_BUFFER: usize = 64 << 10;
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);

/// How an [`RtspServer`] is to be.
pub(crate) struct RtspOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may see the streams; everyone, if `None`.
    pub auth: Option<Door>,
    /// Accepts TLS too, on the same port.
    pub tls: Option<TlsAcceptor>,
    /// Sends to this group too, from this port on.
    pub multicast: Option<SocketAddrV4>,
}

/// A running RTSP server. Dropped, it stops.
pub(crate) struct RtspServer {
    shared: Arc<Shared>,
    port: PortHandle,
    _stop: DropGuard,
}

impl RtspServer {
    /// Listens and serves what [`show`](Self::show) says.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) async fn start(options: RtspOptions) -> io::Result<Self> {
        let (listener, port) = Port::open(options.listen)?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            programme: OnceLock::new(),
            timeline: Timeline::new(now(), SystemTime::now()),
            auth: RwLock::new(options.auth.map(Arc::new)),
            tls: options.tls,
            groups: options.multicast.map(Groups::new),
            cues: Cues::default(),
            started: Mutex::default(),
            tunnels: Arc::default(),
            sessions: Mutex::default(),
            publications: Mutex::default(),
            connections: Mutex::new(stop.child_token()),
            stop: stop.clone(),
        });
        tokio::spawn(accept(listener, shared.clone()));
        Ok(Self {
            shared,
            port,
            _stop: stop.drop_guard(),
        })
    }

    /// Sets what is shown, once. It is shown for as long as somebody else keeps it.
    pub(crate) fn show(&self, programme: Weak<dyn Programme>) {
        let first = self.shared.programme.set(programme).is_ok();
        debug_assert!(first, "the programme is set once");
    }

    /// Sends all tracks of a stream to the group, without a client; does nothing where there is no group.
    ///
    /// # Errors
    /// When a track cannot be sent.
    pub(crate) fn start_multicast(&self, url: &Url) -> io::Result<()> {
        let shared = &self.shared;
        let Some((groups, programme)) = shared.groups.as_ref().zip(shared.programme()) else {
            return Ok(());
        };
        let Some(stream) = programme.stream(url) else {
            return Ok(());
        };
        let mut session = Session::new(stream.path.clone());
        for (index, track) in stream.tracks.into_iter().enumerate() {
            let programme = Arc::downgrade(&programme);
            let (timeline, quirks) = (shared.timeline, shared.quirks());
            let cue = shared.cue(&stream.path, &track);
            let make = |outlet| Sender::new(track, cue, programme, timeline, outlet, quirks);
            let local = self.local_addr().ip();
            let sender = groups.sender(local, &stream.path, index, make)?;
            session.set_up(index, sender);
        }
        let from = session.positions(now());
        session.play(&from);
        shared.started().insert(stream.path, session);
        Ok(())
    }

    /// Makes the next picture of a stream a key frame, for all who play it.
    pub(crate) fn send_key_frame(&self, url: &Url) {
        let Some(stream) = self.shared.programme().and_then(|it| it.stream(url)) else {
            return;
        };
        for track in &stream.tracks {
            if let Track::Clip(clip) = track {
                let next = self.shared.timeline.at(clip.pace).unit_at(now()) + 1;
                self.shared.cue(&stream.path, track).jump(next, clip);
            }
        }
    }

    /// Ends what [`start_multicast`](Self::start_multicast) began. Sessions of clients go on.
    pub(crate) fn stop_multicast(&self, url: &Url) {
        let stream = self.shared.programme().and_then(|it| it.stream(url));
        if let Some(stream) = stream {
            self.shared.started().remove(&stream.path);
        }
    }

    /// Opens a tunnel through an HTTP server, whose answer to its GET is what is read here. `None` when there are too
    /// many.
    pub(crate) fn open_tunnel(&self, cookie: &str, peer: SocketAddr) -> Option<DuplexStream> {
        let (opened, requests) = self.shared.tunnels.open(cookie)?;
        let (answers, write) = duplex(TUNNEL_BUFFER);
        let closing = self.shared.connections().clone();
        let shared = self.shared.clone();
        let local = self.local_addr();
        tokio::spawn(async move {
            let requests = (requests, BytesMut::new());
            connection::serve(shared, requests, write, Ends { local, peer }, closing).await;
            drop(opened);
        });
        Some(answers)
    }

    /// Takes the body of a POST of a tunnel; `false` where there is no such tunnel.
    pub(crate) async fn feed_tunnel<E>(
        &self,
        cookie: &str,
        body: impl futures::Stream<Item = Result<Bytes, E>>,
    ) -> bool {
        self.shared.tunnels.feed(cookie, body).await
    }

    /// Where the server listens.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.port.address()
    }

    /// What the server listens through.
    pub(crate) fn handle(&self) -> &PortHandle {
        &self.port
    }

    /// How many sessions there are, whether or not they play.
    pub(crate) fn sessions(&self) -> usize {
        self.shared.sessions().iter().count()
    }

    /// What was published.
    pub(crate) fn recordings(&self) -> Vec<Recording> {
        self.shared.publications().recordings()
    }

    /// Ends all sessions and connections, as a camera does that restarts. New ones are served.
    pub(crate) fn close_sessions(&self) {
        self.shared.sessions().clear();
        self.shared.started().clear();
        let mut connections = self.shared.connections();
        connections.cancel();
        *connections = self.shared.stop.child_token();
    }

    /// Sets who may see the streams. Sessions that play go on.
    pub(crate) fn set_auth(&self, auth: Option<Door>) {
        *self
            .shared
            .auth
            .write()
            .unwrap_or_else(PoisonError::into_inner) = auth.map(Arc::new);
    }
}

impl Drop for RtspServer {
    fn drop(&mut self) {
        self.shared.sessions().clear();
        self.shared.started().clear();
    }
}

impl fmt::Debug for RtspServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtspServer")
            .field("local_addr", &self.local_addr())
            .finish_non_exhaustive()
    }
}

/// What all connections have in common.
struct Shared {
    programme: OnceLock<Weak<dyn Programme>>,
    timeline: Timeline,
    auth: RwLock<Option<Arc<Door>>>,
    tls: Option<TlsAcceptor>,
    groups: Option<Groups>,
    cues: Cues,
    /// Multicast streams that go on without a client, by path.
    started: Mutex<BTreeMap<String, Session>>,
    tunnels: Arc<Tunnels>,
    sessions: Mutex<Sessions<Session>>,
    publications: Mutex<Publications>,
    /// Cancelled to close the connections there are.
    connections: Mutex<CancellationToken>,
    /// Cancelled to stop everything.
    stop: CancellationToken,
}

impl Shared {
    fn programme(&self) -> Option<Arc<dyn Programme>> {
        self.programme.get()?.upgrade()
    }

    fn quirks(&self) -> Quirks {
        let programme = self.programme();
        programme
            .map(|programme| programme.quirks())
            .unwrap_or_default()
    }

    /// The cue of a track, of which one without a clip makes no use.
    fn cue(&self, path: &str, track: &Track) -> Arc<Cue> {
        match track {
            Track::Clip(clip) => self.cues.of(path, clip.codec),
            Track::Metadata | Track::Tape(_) => Arc::default(),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publications(&self) -> MutexGuard<'_, Publications> {
        self.publications
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> MutexGuard<'_, CancellationToken> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn auth(&self) -> Option<Arc<Door>> {
        self.auth
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Takes connections and ends sessions that nobody uses, until the server stops.
async fn accept(mut listener: Port, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut expiry = tokio::time::interval(EXPIRY_INTERVAL);
    expiry.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = expiry.tick() => {
                let expired = shared.sessions().expire(now()).len();
                if expired > 0 {
                    tracing::info!(expired, "RTSP sessions ended that were not kept alive");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Ok(place) = places.clone().try_acquire_owned() else {
                        tracing::warn!(%peer, "an RTSP client is turned away: too many connections");
                        continue;
                    };
                    let closing = shared.connections().clone();
                    let shared = shared.clone();
                    tokio::spawn(async move {
                        entrance::serve(shared, stream, peer, closing).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take an RTSP connection; trying again");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// The runtime's clock, so that a test with a paused clock rules over sessions too.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
