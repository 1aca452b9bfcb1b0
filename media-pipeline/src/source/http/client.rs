//! GET over HTTP/1.1 from one camera: one request at a time, authentication, redirects on the same host, caps.

use std::error::Error as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use url::Url;

use super::query::without_credentials;
use crate::dial::Dialer;
use crate::guard::{AuthBudget, Authenticator, short};
use crate::{Cap, Error};

/// More headers than these are not read.
const MOST_HEADERS: usize = 100;
/// Challenges and redirects on the way to one answer.
const MOST_REQUESTS: usize = 8;
/// An answer that is of no use is read so far, to use its connection again.
const MOST_DISCARDED: usize = 64 << 10;
/// Longer waits that a camera asks for are cut to this.
const LONGEST_REST: Duration = Duration::from_secs(600);

pub(in crate::source) struct Client {
    pub(in crate::source) url: Url,
    pub(in crate::source) label: String,
    pub(in crate::source) dialer: Arc<Dialer>,
    pub(in crate::source) connect_timeout: Duration,
    /// Sent with each request.
    pub(in crate::source) headers: HeaderMap,
    /// Largest header of an answer in bytes.
    pub(in crate::source) header: usize,
    pub(in crate::source) auth: Option<Authenticator>,
    pub(in crate::source) budget: Arc<dyn AuthBudget>,
    /// Whether the camera has taken the credentials as they are sent now.
    pub(in crate::source) accepted: bool,
    /// Credentials that stand in the query are tried alone first: together with others the camera would refuse them.
    pub(in crate::source) in_query: bool,
    /// How long the camera asked to be left alone with its last answer.
    pub(in crate::source) retry_after: Option<Duration>,
    pub(in crate::source) idle: Option<Connection>,
}

/// Where a connection leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    secure: bool,
    port: u16,
}

/// An open connection. Dropping it closes it.
pub(in crate::source) struct Connection {
    origin: Origin,
    sender: http1::SendRequest<Empty<Bytes>>,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A successful answer whose body is still to come.
pub(in crate::source) struct Answer {
    /// Where it came from.
    pub(in crate::source) url: Url,
    /// Empty where the camera tells none.
    pub(in crate::source) content_type: String,
    incoming: Incoming,
    connection: Connection,
    label: String,
}

impl Answer {
    /// The next piece of the body; `None` at its end. Cancel-safe.
    pub(in crate::source) async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    pub(in crate::source) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Error>> {
        loop {
            match ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                None => return Poll::Ready(Ok(None)),
                Some(Err(error)) => return Poll::Ready(Err(broken(&self.label, &error))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Ok(Some(data)));
                    }
                }
            }
        }
    }

    /// The whole body of at most `limit` bytes, and the connection for the next request.
    async fn whole(mut self, limit: usize) -> Result<(Bytes, Connection), Error> {
        let too_large = |label: &str| Error::CapExceeded {
            url: label.to_owned(),
            cap: Cap::Jpeg,
            limit,
        };
        if self.incoming.size_hint().lower() > limit as u64 {
            return Err(too_large(&self.label));
        }
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            if body.len() + piece.len() > limit {
                return Err(too_large(&self.label));
            }
            body.extend_from_slice(&piece);
        }
        Ok((body.into(), self.connection))
    }
}

impl Client {
    /// Asks for the address, or where on the same host it leads, with credentials where they are asked for.
    pub(in crate::source) async fn get(&mut self) -> Result<Answer, Error> {
        self.retry_after = None;
        let mut url = self.url.clone();
        let mut challenged = false;
        for _ in 0..MOST_REQUESTS {
            if !self.in_query {
                url = without_credentials(&url);
            }
            let target = target(&url);
            let authorization = match &mut self.auth {
                Some(auth) if !self.in_query => auth.authorization("GET", &target, b""),
                _ => None,
            };
            let authorized = authorization.is_some();
            let (response, connection) = self.send(&url, &target, authorization).await?;
            let (parts, incoming) = response.into_parts();
            let content_type = parts.headers.get(CONTENT_TYPE);
            let answer = Answer {
                url: url.clone(),
                content_type: content_type.map_or(String::new(), text),
                incoming,
                connection,
                label: self.label.clone(),
            };
            if parts.status.is_success() {
                self.proved(authorized);
                return Ok(answer);
            }
            if let Ok((_, connection)) = answer.whole(MOST_DISCARDED).await {
                self.idle = Some(connection);
            }
            match (parts.status, parts.headers.get(LOCATION)) {
                (StatusCode::UNAUTHORIZED, _) => {
                    self.challenged(&parts.headers, authorized, &mut challenged)?;
                }
                (status, Some(location)) if status.is_redirection() => {
                    url = self.redirected(&url, status, &text(location))?;
                    challenged = false;
                }
                (status, _) => {
                    self.retry_after = rest(status, &parts.headers);
                    return Err(self.refused(status, None));
                }
            }
        }
        Err(self.misbehaved("it leads from one address to the next without end"))
    }

    /// The body of an answer, of at most `limit` bytes. Its connection is kept.
    pub(in crate::source) async fn whole(
        &mut self,
        answer: Answer,
        limit: usize,
    ) -> Result<Bytes, Error> {
        let (body, connection) = answer.whole(limit).await?;
        self.idle = Some(connection);
        Ok(body)
    }

    async fn send(
        &mut self,
        url: &Url,
        target: &str,
        authorization: Option<String>,
    ) -> Result<(Response<Incoming>, Connection), Error> {
        let secure = url.scheme() == "https";
        let port = url.port_or_known_default().unwrap_or(80);
        let origin = Origin { secure, port };
        let host = url.host_str().unwrap_or_default();
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let mut request = Request::get(target).header(HOST, host);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Empty::new());
        let mut request = request.map_err(|e| Error::Url {
            url: self.label.clone(),
            reason: e.to_string(),
        })?;
        request.headers_mut().extend(self.headers.clone());
        if let Some(mut connection) = self.idle.take().filter(|it| it.origin == origin)
            && connection.sender.ready().await.is_ok()
        {
            match connection.sender.send_request(request.clone()).await {
                Ok(response) => return Ok((response, connection)),
                // Cameras close idle connections in silence; to ask twice does no harm.
                Err(error) => {
                    tracing::debug!(stream = %self.label, %error, "the connection was closed meanwhile");
                }
            }
        }
        let mut connection = self.connect(origin).await?;
        match connection.sender.send_request(request).await {
            Ok(response) => Ok((response, connection)),
            Err(error) if error.is_parse_too_large() => Err(Error::CapExceeded {
                url: self.label.clone(),
                cap: Cap::Header,
                limit: self.header,
            }),
            Err(error) => Err(broken(&self.label, &error)),
        }
    }

    async fn connect(&self, origin: Origin) -> Result<Connection, Error> {
        let limit = self.connect_timeout;
        let dialed = self.dialer.dial(origin.port, origin.secure, limit).await?;
        let (sender, connection) = http1::Builder::new()
            // Some embedded servers compare header names letter by letter.
            .title_case_headers(true)
            .max_headers(MOST_HEADERS)
            .max_header_size(self.header)
            .ignore_invalid_headers_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .handshake(TokioIo::new(dialed.wire))
            .await
            .map_err(|e| broken(&self.label, &e))?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to a camera ended");
            }
        });
        Ok(Connection {
            origin,
            sender,
            driver: driver.abort_handle(),
        })
    }

    /// The camera delivered.
    fn proved(&mut self, authorized: bool) {
        if authorized && !self.accepted {
            self.accepted = true;
            self.budget.accepted();
            if let Some(auth) = &self.auth {
                auth.accepted();
            }
        }
    }

    /// Prepares the answer to a challenge. `before` says whether there was one already on the way to this answer.
    fn challenged(
        &mut self,
        headers: &HeaderMap,
        authorized: bool,
        before: &mut bool,
    ) -> Result<(), Error> {
        let unauthorized = |reason: String| Error::Unauthorized {
            url: self.label.clone(),
            reason,
        };
        self.in_query = false;
        let Some(auth) = &mut self.auth else {
            return Err(unauthorized(
                "the camera asks for a user name and password; set credentials".into(),
            ));
        };
        let challenges: Vec<_> = headers.get_all(WWW_AUTHENTICATE).iter().map(text).collect();
        let challenges = || challenges.iter().map(String::as_str);
        // An answer with an old nonce may be refused once; with a fresh one, a second 401 means no.
        if std::mem::replace(before, true) && authorized {
            self.budget.refused();
            if !self.accepted && auth.falls_back(challenges()) {
                tracing::debug!(stream = %self.label, "the camera refuses SHA-256, trying MD5");
                return Ok(());
            }
            self.accepted = false;
            return Err(unauthorized(
                "the camera refuses the user name or password".into(),
            ));
        }
        auth.challenged(challenges()).map_err(unauthorized)
    }

    /// Where a redirect leads: to the same host and port, or from HTTP to HTTPS on the same host.
    fn redirected(&self, from: &Url, status: StatusCode, location: &str) -> Result<Url, Error> {
        let to = from.join(location).ok().filter(|to| {
            let port = |url: &Url| url.port_or_known_default();
            to.host() == from.host()
                && match (from.scheme(), to.scheme()) {
                    ("http", "https") => true,
                    (one, other) => one == other && port(from) == port(to),
                }
        });
        let mut to = to.ok_or_else(|| self.refused(status, Some(location)))?;
        let _ = to.set_username("");
        let _ = to.set_password(None);
        Ok(to)
    }

    fn refused(&self, status: StatusCode, location: Option<&str>) -> Error {
        let reason = status.canonical_reason().unwrap_or_default();
        Error::Refused {
            url: self.label.clone(),
            method: "GET".into(),
            status: status.as_u16(),
            reason: match location {
                None => reason.into(),
                Some(to) => format!(
                    "{reason} (a redirect to {}, which is not followed)",
                    short(to)
                ),
            },
        }
    }

    fn misbehaved(&self, reason: &str) -> Error {
        Error::Misbehaved {
            url: self.label.clone(),
            reason: reason.into(),
        }
    }
}

/// How long a camera wants to be left alone: what it says, or a second.
fn rest(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if !matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        return None;
    }
    let said = headers.get(RETRY_AFTER).map(text);
    let seconds = said.and_then(|text| text.trim().parse().ok()).unwrap_or(1);
    Some(Duration::from_secs(seconds).clamp(Duration::from_secs(1), LONGEST_REST))
}

fn broken(label: &str, error: &hyper::Error) -> Error {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return Error::Network {
                url: label.to_owned(),
                action: "the connection broke".into(),
                source: Some(Arc::new(std::io::Error::new(io.kind(), io.to_string()))),
            };
        }
        cause = inner.source();
    }
    if error.is_parse() {
        return Error::Misbehaved {
            url: label.to_owned(),
            reason: format!("what it speaks is not HTTP: {error}"),
        };
    }
    Error::Network {
        url: label.to_owned(),
        action: "the camera closed the connection".into(),
        source: None,
    }
}

/// Path and query.
pub(in crate::source) fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

fn text(value: &http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
