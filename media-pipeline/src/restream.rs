//! Publishes a stream to a media server, as it is coded.

mod lineup;
mod payload;
mod rtp;
mod run;
mod sdp;
mod session;
mod timeline;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::Stream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use crate::dial::Dialer;
use crate::source::label;
use crate::{AuthBudget, Caps, Codec, Credentials, Error, FailureBudget, Hub, TlsOptions};

/// Where a stream is published, and how.
#[derive(Clone)]
pub struct RestreamOptions {
    /// The path at the media server, `rtsp://host[:port]/path`, or `rtsps` for TLS. Credentials in it are refused: they
    /// belong into `credentials`.
    pub url: Url,
    /// User name and password, where the server asks for them.
    pub credentials: Option<Credentials>,
    /// Permits Basic authentication without TLS, which sends the password readable for the network. Off by default.
    pub allow_basic: bool,
    /// Certificates to trust, for `rtsps`.
    pub tls: TlsOptions,
    /// Sound, where the session has it ([`RtspOptions::tracks`](crate::RtspOptions::tracks)). It delays the start by up to two
    /// seconds, because everything has to be announced before anything is sent.
    pub audio: bool,
    /// Most media time that waits for a server which is slow. What is more is lost, in whole groups of pictures, and
    /// counted. 10 seconds by default.
    pub waiting: Duration,
    /// Time for connecting and announcing. 10 seconds by default.
    pub connect_timeout: Duration,
    /// A server that takes nothing for so long is left. 10 seconds by default.
    pub patience: Duration,
    /// Bound of the delay before the first attempt after a failure; it doubles with each.
    pub first_delay: Duration,
    /// Bound of the longest delay between attempts.
    pub longest_delay: Duration,
    /// Bounds on what the server may send.
    pub caps: Caps,
    /// Shared with everything else that logs in to the same server; one of its own by default.
    pub budget: Option<Arc<dyn AuthBudget>>,
    /// Seed of the jitter; a random one by default.
    pub seed: Option<u64>,
}

impl RestreamOptions {
    /// The defaults for a path at a media server: with sound, and reconnected like a hub.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            credentials: None,
            allow_basic: false,
            tls: TlsOptions::default(),
            audio: true,
            waiting: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(10),
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(60),
            caps: Caps::default(),
            budget: None,
            seed: None,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |reason: &str| {
            Err(Error::Url {
                url: label(&self.url),
                reason: reason.into(),
            })
        };
        if !self.url.username().is_empty() || self.url.password().is_some() {
            return refuse("it holds credentials; pass them separately, URLs end up in logs");
        }
        if !matches!(self.url.scheme(), "rtsp" | "rtsps") {
            return refuse("only the schemes rtsp and rtsps are supported");
        }
        if self.url.host_str().is_none_or(str::is_empty) {
            return refuse("it names no host");
        }
        for (option, value) in [
            ("waiting", self.waiting),
            ("connect_timeout", self.connect_timeout),
            ("patience", self.patience),
        ] {
            if value.is_zero() {
                return Err(Error::Option {
                    option,
                    reason: "must be longer than zero".into(),
                });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RestreamOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestreamOptions")
            .field("url", &label(&self.url))
            .field("credentials", &self.credentials)
            .field("audio", &self.audio)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

/// What a [`Restream`] is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RestreamStatus {
    /// The stream delivers nothing that could be published; [`Hub::status`] says why.
    Waiting,
    /// A session with the media server is being opened.
    Connecting,
    /// The media server takes the stream.
    Publishing {
        /// Codecs of the tracks, video first.
        codecs: Vec<Codec>,
    },
    /// The session failed; the next attempt follows.
    Backoff {
        /// Why.
        error: Error,
        /// Delay from the failure to the next attempt.
        retry_in: Duration,
    },
    /// It was closed.
    Ended,
}

/// What was published so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestreamCounters {
    /// Sessions with the media server that came about.
    pub sessions: u64,
    /// Access units that were sent, or are about to be.
    pub units: u64,
    /// Their RTP packets.
    pub packets: u64,
    /// The bytes of these, and of reports, with their framing.
    pub bytes: u64,
    /// How often something was missing while a session stood: the server was too slow, or the stream was interrupted.
    pub gaps: u64,
    /// Access units that are known to be missing there.
    pub lost: u64,
}

/// A stream that is being published. Dropping it ends the session with the media server in the background.
#[derive(Debug)]
#[must_use = "dropping it ends the publishing"]
pub struct Restream {
    status: watch::Receiver<RestreamStatus>,
    counts: Arc<Counts>,
    stop: DropGuard,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    sessions: AtomicU64,
    units: AtomicU64,
    packets: AtomicU64,
    bytes: AtomicU64,
    gaps: AtomicU64,
    lost: AtomicU64,
}

impl Hub {
    /// Publishes the stream to a media server (RTSP ANNOUNCE and RECORD, RTP interleaved with the connection): video and sound
    /// as they are coded, with the times of the source, and real time in sender reports. Goes on for ever, through failures of
    /// the server and of the stream.
    ///
    /// # Errors
    /// [`Error::Url`] and [`Error::Option`] for options out of range.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn restream(&self, options: RestreamOptions) -> Result<Restream, Error> {
        options.check()?;
        let host = options.url.host_str().unwrap_or_default();
        let dialer = Dialer::new(host, label(&options.url), options.tls.clone());
        if options.url.scheme() == "rtsps" {
            // What is wrong with certificates that are given is known now.
            dialer.tls()?;
        }
        let (status, watched) = watch::channel(RestreamStatus::Waiting);
        let stop = CancellationToken::new();
        let counts = Arc::<Counts>::default();
        let publisher = run::Publisher {
            hub: self.clone(),
            budget: options
                .budget
                .clone()
                .unwrap_or_else(|| Arc::new(FailureBudget::default())),
            options,
            dialer,
            md5_works: Arc::default(),
            status,
            counts: counts.clone(),
            stop: stop.clone(),
        };
        Ok(Restream {
            status: watched,
            counts,
            stop: stop.drop_guard(),
            task: tokio::spawn(publisher.run()),
        })
    }
}

impl Restream {
    /// What it is doing now.
    pub fn status(&self) -> RestreamStatus {
        self.status.borrow().clone()
    }

    /// The status now and each change of it; the latest wins. Ends with the restream.
    pub fn watch_status(&self) -> impl Stream<Item = RestreamStatus> + Send + Unpin + use<> {
        let mut status = self.status.clone();
        status.mark_changed();
        Box::pin(futures::stream::unfold(status, |mut status| async move {
            status.changed().await.ok()?;
            let now = status.borrow_and_update().clone();
            Some((now, status))
        }))
    }

    /// What was published so far.
    pub fn counters(&self) -> RestreamCounters {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        RestreamCounters {
            sessions: of(&self.counts.sessions),
            units: of(&self.counts.units),
            packets: of(&self.counts.packets),
            bytes: of(&self.counts.bytes),
            gaps: of(&self.counts.gaps),
            lost: of(&self.counts.lost),
        }
    }

    /// Ends the session and waits until the media server knows it, two seconds at most.
    pub async fn close(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}
