mod session;
mod tracks;
mod tunnel;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use retina::client::{
    Described, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions, Session,
    SessionGroup, SessionIdPolicy, SessionOptions, SetupOptions, TcpTransportOptions,
    TeardownPolicy, Transport, UnknownRtcpSsrcPolicy,
};
use retina::codec::{FrameFormat, ParameterSetInsertion, aac, h26x};
use tokio::time::timeout;
use url::Url;

use session::{RtspSession, Track};

use super::label::label;
use super::{Source, SourceSession};
use crate::dial::{Dialed, Dialer};
use crate::guard::{
    AuthBudget, Caps, Credentials, FailureBudget, ForeignUrlPolicy, Guard, GuardOptions,
};
use crate::{Error, Media, TlsOptions, parameter_sets};

/// How to reach an RTSP stream.
#[derive(Clone)]
pub struct RtspOptions {
    /// The stream, and how it is reached: `rtsp://host[:port]/path`, over TLS with `rtsps://…`, or tunnelled through HTTP or
    /// HTTPS with `http://…` or `https://…`. Credentials in it are refused: they belong into `credentials`.
    pub url: Url,
    /// User name and password, where the camera asks for them.
    pub credentials: Option<Credentials>,
    /// Permits Basic authentication without TLS and to cameras whose certificate is not checked, where the network can
    /// read the password. Off by default.
    pub allow_basic: bool,
    /// Certificates, for `rtsps` and `https`.
    pub tls: TlsOptions,
    /// How RTP travels.
    pub transport: RtspTransport,
    /// Which tracks are asked for.
    pub tracks: Tracks,
    /// Bounds on what the camera may send.
    pub caps: Caps,
    /// What to do with URLs of the camera that name another host.
    pub foreign_urls: ForeignUrlPolicy,
    /// Time for the whole way to the first packet: resolve, connect, authenticate, start. 10 seconds by default.
    pub connect_timeout: Duration,
    /// Longest silence on the connection. 10 seconds by default.
    pub idle_timeout: Duration,
    /// Shared with everything else that logs in to the same camera; one of its own by default.
    pub budget: Option<Arc<dyn AuthBudget>>,
}

impl RtspOptions {
    /// The defaults for a stream.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            credentials: None,
            allow_basic: false,
            tls: TlsOptions::default(),
            transport: RtspTransport::default(),
            tracks: Tracks::default(),
            caps: Caps::default(),
            foreign_urls: ForeignUrlPolicy::default(),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(10),
            budget: None,
        }
    }
}

impl fmt::Debug for RtspOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtspOptions")
            .field("url", &label(&self.url))
            .field("credentials", &self.credentials)
            .field("transport", &self.transport)
            .field("tracks", &self.tracks)
            .field("caps", &self.caps)
            .finish_non_exhaustive()
    }
}

/// How RTP packets travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RtspTransport {
    /// Interleaved with the RTSP connection: nothing is lost, nothing has to be opened in firewalls.
    #[default]
    Tcp,
    /// Datagrams beside the RTSP connection, for cameras that offer nothing else, in a local network. Packets out of order are put
    /// back, those that come twice left out. A lost one is waited for a tenth of a second; it costs the pictures up to the
    /// next key frame, and is counted in [`AccessUnit::loss`](crate::AccessUnit::loss). The caps hold as with TCP. The receive
    /// buffer is 4 MiB, or as much as the system grants (`net.core.rmem_max` on Linux).
    ///
    /// The camera gets no receiver reports; those that need them end the session, and another begins.
    Udp,
    /// Datagrams to a group of many, which the camera names; as with `Udp` otherwise. Accepted from the camera's own address
    /// alone. The network has to carry them here.
    Multicast,
}

/// Which tracks of a presentation a session asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tracks {
    /// The first video track: all that pictures need.
    #[default]
    Video,
    /// The first video track and all audio tracks, for clips.
    VideoAndAudio,
    /// The first video track, and all audio and metadata tracks with a codec of [`Codec`](crate::Codec). There need not be
    /// video.
    All,
}

/// An RTSP stream (RFC 2326): the tracks of a presentation that [`Tracks`] names.
pub struct RtspSource {
    options: RtspOptions,
    allow_basic: bool,
    dialer: Arc<Dialer>,
    budget: Arc<dyn AuthBudget>,
    /// Whether the camera is known to refuse what is stronger than MD5.
    md5_works: Arc<AtomicBool>,
    group: Arc<SessionGroup>,
}

impl RtspSource {
    /// A source for the stream; nothing is sent before [`connect`](Source::connect).
    ///
    /// # Errors
    /// [`Error::Url`] if the URL has another scheme, no host, or holds credentials, [`Error::Option`] for a transport that TLS
    /// and tunnels do not have, and extra roots without a certificate.
    pub fn new(options: RtspOptions) -> Result<Self, Error> {
        let refuse = |url: &Url, reason: &str| {
            Err(Error::Url {
                url: label(url),
                reason: reason.into(),
            })
        };
        let url = &options.url;
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                url,
                "it holds credentials; pass them separately, URLs end up in logs",
            );
        }
        if !matches!(url.scheme(), "rtsp" | "rtsps" | "http" | "https") {
            return refuse(
                url,
                "only the schemes rtsp, rtsps, http and https are supported",
            );
        }
        if url.host_str().is_none_or(str::is_empty) {
            return refuse(url, "it names no host");
        }
        let budget = options
            .budget
            .clone()
            .unwrap_or_else(|| Arc::new(FailureBudget::default()));
        let host = url.host_str().unwrap_or_default();
        let dialer = Dialer::new(host, label(url), options.tls.clone());
        let proved = matches!(url.scheme(), "rtsps" | "https") && dialer.tls()?.proves;
        let source = Self {
            allow_basic: options.allow_basic || proved,
            options,
            dialer: Arc::new(dialer),
            budget,
            md5_works: Arc::default(),
            group: Arc::default(),
        };
        if source.carries(source.options.url.scheme()) {
            return Ok(source);
        }
        Err(Error::Option {
            option: "transport",
            reason: "must be Tcp with TLS or a tunnel: datagrams would go beside it".into(),
        })
    }

    async fn open(&self) -> Result<Box<dyn SourceSession>, Error> {
        // A session that the camera still holds counts against its limit.
        let stale = self.group.stale_sessions();
        if stale.num_sessions > 0 {
            let patience = self.options.connect_timeout / 2;
            let _ = timeout(patience, self.group.await_stale_sessions(&stale)).await;
        }
        let options = &self.options;
        let (guard, mut session) = self.describe().await?;
        let failed = |e: retina::Error| self.explain(&guard, STARTING, &e);
        let chosen = tracks::choose(session.streams(), options.tracks);
        if chosen.is_empty() {
            return Err(Error::NoVideo {
                url: self.label(),
                offered: tracks::offered(session.streams()),
            });
        }
        let has_video = chosen
            .iter()
            .any(|(_, codec)| codec.media() == Media::Video);
        let mut tracks = Vec::with_capacity(chosen.len());
        for (index, codec) in chosen {
            // However packets come to the guard, from there they are interleaved.
            let setup = SetupOptions::default()
                .transport(Transport::Tcp(TcpTransportOptions::default()))
                .frame_format(FRAMES);
            match session.setup(index, setup).await {
                Ok(()) => {
                    let stream = &session.streams()[index];
                    let kind = stream.rtp_payload_type();
                    let described = parameter_sets::described(codec, session.sdp(), kind);
                    tracks.push(Track::new(index, codec, stream.clock_rate_hz(), described));
                }
                // Many cameras describe sound that they do not have.
                Err(error)
                    if has_video && codec.media() != Media::Video && guard.reason().is_none() =>
                {
                    tracing::warn!(stream = %self.label(), %codec, %error, "the camera refuses a track, going on without it");
                }
                Err(error) => return Err(failed(error)),
            }
        }
        let play = PlayOptions::default()
            .initial_timestamp(InitialTimestampPolicy::Permissive)
            // Servers announce numbers that the first packet does not have, and retina would end the session over it.
            .initial_seq(InitialSequenceNumberPolicy::Ignore)
            .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::DropPackets);
        let demuxed = session
            .play(play)
            .await
            .map_err(failed)?
            .demuxed()
            .map_err(failed)?;
        Ok(Box::new(RtspSession::new(
            demuxed,
            guard,
            self.group.clone(),
            self.label(),
            tracks,
        )))
    }

    /// Asks for the description, where the camera says that it is.
    async fn describe(&self) -> Result<(Guard, Session<Described>), Error> {
        const MOST_REDIRECTS: usize = 3;
        let options = &self.options;
        let mut url = options.url.clone();
        for left in (0..=MOST_REDIRECTS).rev() {
            let camera = self.dial(&url).await?;
            let guard = Guard::start(
                camera.wire,
                GuardOptions {
                    url: url.clone(),
                    label: self.label(),
                    ip: camera.ip,
                    local_ip: camera.local_ip,
                    credentials: options.credentials.clone(),
                    allow_basic: self.allow_basic,
                    md5_works: self.md5_works.clone(),
                    caps: options.caps,
                    idle: options.idle_timeout,
                    budget: self.budget.clone(),
                    foreign: options.foreign_urls,
                    transport: options.transport,
                },
            )
            .await?;
            let session_options = SessionOptions::default()
                .session_group(self.group.clone())
                .session_id(SessionIdPolicy::UseFirst)
                .teardown(match options.transport {
                    RtspTransport::Tcp => TeardownPolicy::Auto,
                    // Without it the camera would go on sending.
                    _ => TeardownPolicy::Always,
                })
                .user_agent(concat!("media-pipeline/", env!("CARGO_PKG_VERSION")).to_owned());
            match Session::describe(guard.url.clone(), session_options).await {
                Ok(session) => return Ok((guard, session)),
                Err(error) => match guard.redirect() {
                    Some(to) if left > 0 && self.carries(to.scheme()) => url = to,
                    _ => return Err(self.explain(&guard, STARTING, &error)),
                },
            }
        }
        Err(Error::Closed)
    }

    /// Whether the transport is one for this scheme: beside TLS and tunnels there are no datagrams.
    fn carries(&self, scheme: &str) -> bool {
        scheme == "rtsp" || self.options.transport == RtspTransport::Tcp
    }

    async fn dial(&self, url: &Url) -> Result<Dialed, Error> {
        let (port, secure) = match url.scheme() {
            "rtsp" => (554, false),
            "rtsps" => (322, true),
            _ => return self.tunnel(url).await,
        };
        let (port, limit) = (url.port().unwrap_or(port), self.options.connect_timeout);
        self.dialer.dial(port, secure, limit).await
    }

    fn explain(&self, guard: &Guard, action: &str, error: &retina::Error) -> Error {
        explain(guard, &self.label(), action, error)
    }
}

impl fmt::Debug for RtspSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RtspSource").field(&self.options).finish()
    }
}

#[async_trait]
impl Source for RtspSource {
    fn label(&self) -> String {
        label(&self.options.url)
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        if self.options.credentials.is_some() {
            self.budget.permit().map_err(|retry_in| Error::HeldBack {
                url: self.label(),
                retry_in,
            })?;
        }
        let limit = self.options.connect_timeout;
        timeout(limit, self.open()).await.unwrap_or_else(|_| {
            Err(Error::Stalled {
                url: self.label(),
                after: limit,
            })
        })
    }
}

const STARTING: &str = "the session could not be started";

/// How retina is to frame what it reads; see [`AccessUnit::data`](crate::AccessUnit::data).
const FRAMES: FrameFormat = FrameFormat {
    h26x_framing: h26x::Framing::AnnexB,
    // It knows one of each kind, and puts them before delimiters.
    parameter_set_insertion: ParameterSetInsertion::Never,
    aac_framing: aac::Framing::Raw,
};

/// retina's errors are text. The guard knows better what happened, except where retina refused what passed the guard.
fn explain(guard: &Guard, label: &str, action: &str, error: &retina::Error) -> Error {
    guard.reason().unwrap_or_else(|| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Error::Misbehaved {
            url: label.to_owned(),
            reason: format!("{action}: {first}"),
        }
    })
}
