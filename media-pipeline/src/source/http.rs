//! Pictures over HTTP: one for each request, or one after the other on a connection that stays.

pub(super) mod client;
mod mjpeg;
mod multipart;
pub(super) mod query;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use tokio::time::{Instant, sleep_until, timeout};
use url::Url;

use client::Client;
use mjpeg::MjpegSession;
use multipart::PartCaps;

use super::label::label;
use super::{Source, SourceSession};
use crate::backoff::Backoff;
use crate::dial::Dialer;
use crate::guard::{AuthBudget, Authenticator, Caps, Credentials, FailureBudget};
use crate::snapshot::pass_jpeg;
use crate::{
    AccessUnit, Codec, Error, MAX_JPEG, Parameters, Snapshot, TlsOptions, VideoParameters,
    WallClock,
};

/// How to get pictures over HTTP.
#[derive(Clone)]
pub struct HttpOptions {
    /// Where they are, `http://host[:port]/path` or `https`. Credentials before the host are refused: they belong into
    /// `credentials`. Those in a query, as some cameras want them, are tried alone first.
    pub url: Url,
    /// User name and password, where the camera asks for them.
    pub credentials: Option<Credentials>,
    /// Permits Basic authentication over plain HTTP and to cameras whose certificate is not checked, where the network
    /// can read the password. Off by default.
    pub allow_basic: bool,
    /// Certificates, for `https`.
    pub tls: TlsOptions,
    /// Bounds on what the camera may send: `header` for that of an answer and of each part, `access_unit` for a picture. They have
    /// at most [`MAX_JPEG`] bytes whatever it says.
    pub caps: Caps,
    /// How often a session asks for a picture where each takes a request. A second by default.
    pub period: Duration,
    /// Time for one request, from the look-up of the host to the last byte of the picture, or to the first of the stream. 10
    /// seconds by default.
    pub connect_timeout: Duration,
    /// Longest wait for the next picture of a stream. 10 seconds by default.
    pub idle_timeout: Duration,
    /// Shared with everything else that logs in to the same camera; one of its own by default.
    pub budget: Option<Arc<dyn AuthBudget>>,
}

impl HttpOptions {
    /// The defaults for an address.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            credentials: None,
            allow_basic: false,
            tls: TlsOptions::default(),
            caps: Caps {
                access_unit: MAX_JPEG,
                ..Caps::default()
            },
            period: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(10),
            budget: None,
        }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("url", &label(&self.url))
            .field("credentials", &self.credentials)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}

/// Pictures of a camera over HTTP or HTTPS: an address that answers with one JPEG picture (the snapshot URI of ONVIF), or with a
/// stream of them (`multipart/x-mixed-replace`, "MJPEG"). Which of the two it is shows in its answer.
///
/// Pictures pass untouched, after [`check_jpeg`](crate::check_jpeg). There is one request at a time, and after one that failed none for a while:
/// as long as the camera asks for with status 429 or 503, else with growing, jittered delays. Redirects are followed on the same
/// host and port, and from HTTP to HTTPS on the same host.
///
/// Clones share all of that.
#[derive(Clone)]
pub struct HttpSource {
    inner: Arc<Inner>,
}

struct Inner {
    options: HttpOptions,
    label: String,
    caps: PartCaps,
    started: Instant,
    budget: Arc<dyn AuthBudget>,
    exchange: tokio::sync::Mutex<Exchange>,
    /// Until when nothing is asked for, and why.
    resting: Mutex<Option<(Instant, Error)>>,
    latest: Mutex<Option<Fetched>>,
}

/// A picture, and how many there were before it.
#[derive(Clone)]
pub(crate) struct Fetched {
    pub(crate) number: u64,
    at: Instant,
    pub(crate) snapshot: Snapshot,
}

/// What to do while the camera is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Wait until that is over.
    Wait,
    /// Fail at once, with the reason.
    Fail,
}

/// What the one request at a time needs.
struct Exchange {
    client: Client,
    backoff: Backoff,
}

/// What an address turns out to be.
enum Opened {
    Picture(Snapshot),
    Stream(Box<MjpegSession>),
}

impl HttpSource {
    /// A source for the address; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Url`] if the URL is neither `http` nor `https`, has no host, or holds credentials before it, [`Error::Option`] if
    /// the extra roots hold no certificate.
    pub fn new(options: HttpOptions) -> Result<Self, Error> {
        let (url, label) = (&options.url, label(&options.url));
        let refuse = |reason: &str| {
            Err(Error::Url {
                url: label.clone(),
                reason: reason.into(),
            })
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it holds credentials; pass them separately, URLs end up in logs");
        }
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("only the schemes http and https are supported");
        }
        let Some(host) = url.host_str() else {
            return refuse("it names no host");
        };
        let dialer = Dialer::new(host, label.clone(), options.tls.clone());
        let proved = url.scheme() == "https" && dialer.tls()?.proves;
        let budget = options.budget.clone();
        let budget = budget.unwrap_or_else(|| Arc::new(FailureBudget::default()));
        let auth = options.credentials.clone().map(|credentials| {
            Authenticator::new(credentials, options.allow_basic || proved, Arc::default())
        });
        let client = Client {
            url: url.clone(),
            label: label.clone(),
            dialer: Arc::new(dialer),
            headers: HeaderMap::new(),
            connect_timeout: options.connect_timeout,
            header: options.caps.header,
            in_query: query::has_credentials(url),
            auth,
            budget: budget.clone(),
            accepted: false,
            retry_after: None,
            idle: None,
        };
        let inner = Inner {
            caps: PartCaps {
                header: options.caps.header,
                body: options.caps.access_unit.min(MAX_JPEG),
            },
            exchange: tokio::sync::Mutex::new(Exchange {
                client,
                backoff: Backoff::new(FIRST_REST, LONGEST_REST, rand::random()),
            }),
            resting: Mutex::default(),
            label,
            options,
            budget,
            started: Instant::now(),
            latest: Mutex::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// A picture of now, with one request; of a stream its first picture. While the camera is left alone after a failure, this
    /// waits.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let fetched = self.fetch(None, Duration::ZERO, Rest::Wait).await?;
        Ok(fetched.snapshot)
    }

    /// A picture that is not older than `max_age` and comes after number `used`. Those who wait at the same time share one.
    pub(crate) async fn fetch(
        &self,
        used: Option<u64>,
        max_age: Duration,
        rest: Rest,
    ) -> Result<Fetched, Error> {
        self.inner.fetch(used, max_age, rest).await
    }

    /// How the last request failed, if it did.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.inner.resting().clone().map(|(_, why)| why)
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpSource")
            .field(&self.inner.options)
            .finish()
    }
}

#[async_trait]
impl Source for HttpSource {
    fn label(&self) -> String {
        self.inner.label.clone()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        let mut exchange = self.inner.exchange.lock().await;
        self.inner.permit(Rest::Wait).await?;
        let first = match self.inner.open(&mut exchange).await? {
            Opened::Stream(session) => return Ok(session),
            Opened::Picture(snapshot) => self.inner.keep(snapshot),
        };
        let now = Instant::now();
        Ok(Box::new(PollSession {
            inner: self.inner.clone(),
            used: first.number,
            first: Some(first),
            started: now,
            due: now + self.inner.options.period,
            parameters: None,
        }))
    }
}

impl Inner {
    async fn fetch(
        &self,
        used: Option<u64>,
        max_age: Duration,
        rest: Rest,
    ) -> Result<Fetched, Error> {
        if let (Rest::Fail, Some((_, why))) = (rest, self.rest()) {
            return Err(why);
        }
        let mut exchange = self.exchange.lock().await;
        let latest = self.latest().clone();
        if let Some(fetched) = latest
            && used < Some(fetched.number)
            && fetched.at.elapsed() <= max_age
        {
            return Ok(fetched);
        }
        self.permit(rest).await?;
        match self.open(&mut exchange).await? {
            Opened::Picture(snapshot) => Ok(self.keep(snapshot)),
            Opened::Stream(mut session) => match session.next().await? {
                Some(unit) => {
                    let snapshot = pass_jpeg(unit)?;
                    Ok(self.keep(snapshot))
                }
                None => Err(self.misbehaved("the stream ended before its first picture")),
            },
        }
    }

    /// Whether a request may be made now; waits for it where that is wanted.
    async fn permit(&self, rest: Rest) -> Result<(), Error> {
        match (self.rest(), rest) {
            (Some((until, _)), Rest::Wait) => sleep_until(until).await,
            (Some((_, why)), Rest::Fail) => return Err(why),
            (None, _) => {}
        }
        if self.options.credentials.is_some() {
            self.budget.permit().map_err(|retry_in| Error::HeldBack {
                url: self.label.clone(),
                retry_in,
            })?;
        }
        Ok(())
    }

    /// Makes a request, and draws the conclusions for the next one.
    async fn open(&self, exchange: &mut Exchange) -> Result<Opened, Error> {
        let client = &mut exchange.client;
        let opening = async {
            let answer = client.get().await?;
            if is_stream(&answer.content_type) {
                return Ok(Opened::Stream(Box::new(MjpegSession::new(
                    answer,
                    self.label.clone(),
                    self.caps,
                    self.options.idle_timeout,
                ))));
            }
            let captured = WallClock::now();
            let data = client.whole(answer, self.caps.body).await?;
            self.checked(data, captured).map(Opened::Picture)
        };
        let limit = self.options.connect_timeout;
        let opened = timeout(limit, opening).await.unwrap_or_else(|_| {
            Err(Error::Stalled {
                url: self.label.clone(),
                after: limit,
            })
        });
        match &opened {
            Ok(_) => {
                exchange.backoff.reset();
                *self.resting() = None;
            }
            Err(error) => {
                let delay = match error.is_transient() {
                    true => exchange.backoff.delay(),
                    false => exchange.backoff.long_delay(),
                };
                let asked = exchange.client.retry_after.unwrap_or_default();
                *self.resting() = Some((Instant::now() + delay.max(asked), error.clone()));
            }
        }
        opened
    }

    fn checked(&self, data: Bytes, captured: WallClock) -> Result<Snapshot, Error> {
        let unit = AccessUnit::new(Codec::Jpeg, data, self.started.elapsed(), captured);
        pass_jpeg(unit).map_err(|error| self.misbehaved(&error.to_string()))
    }

    fn keep(&self, snapshot: Snapshot) -> Fetched {
        let mut latest = self.latest();
        let fetched = Fetched {
            number: latest.as_ref().map_or(0, |before| before.number + 1),
            at: Instant::now(),
            snapshot,
        };
        *latest = Some(fetched.clone());
        fetched
    }

    /// Until when the camera is left alone, and why.
    fn rest(&self) -> Option<(Instant, Error)> {
        let resting = self.resting().clone();
        resting.filter(|(until, _)| Instant::now() < *until)
    }

    fn resting(&self) -> MutexGuard<'_, Option<(Instant, Error)>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn latest(&self) -> MutexGuard<'_, Option<Fetched>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn misbehaved(&self, reason: &str) -> Error {
        Error::Misbehaved {
            url: self.label.clone(),
            reason: reason.into(),
        }
    }
}

/// Asks for a picture in each period.
struct PollSession {
    inner: Arc<Inner>,
    first: Option<Fetched>,
    used: u64,
    started: Instant,
    due: Instant,
    parameters: Option<Arc<Parameters>>,
}

#[async_trait]
impl SourceSession for PollSession {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        let fetched = match self.first.take() {
            Some(first) => first,
            None => {
                sleep_until(self.due).await;
                let used = Some(self.used);
                let period = self.inner.options.period;
                let fetched = self.inner.fetch(used, period / 2, Rest::Wait).await?;
                // What was missed is not made up for.
                self.due = Instant::now().max(self.due + period);
                self.used = fetched.number;
                fetched
            }
        };
        let Snapshot {
            data,
            width,
            height,
            captured,
            ..
        } = fetched.snapshot;
        let pts = fetched.at.saturating_duration_since(self.started);
        let mut unit = AccessUnit::new(Codec::Jpeg, data, pts, captured);
        unit.parameters = Some(parameters((width, height), &mut self.parameters));
        Ok(Some(unit))
    }

    async fn close(self: Box<Self>) {}
}

const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

fn is_stream(content_type: &str) -> bool {
    let start = content_type.trim_start().get(..10);
    start.is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

/// Those of a picture of this size; shared with the one before where that is the same.
fn parameters(size: (u32, u32), last: &mut Option<Arc<Parameters>>) -> Arc<Parameters> {
    let now = Parameters::Video(VideoParameters::of_jpeg(size.0, size.1));
    match last {
        Some(last) if **last == now => last.clone(),
        _ => last.insert(Arc::new(now)).clone(),
    }
}
