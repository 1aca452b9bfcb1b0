//! What each request does, and the answer to it (RFC 2326, 10).

mod record;
mod setup;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use rtsp_types::headers::{
    ACCEPT, ALLOW, AUTHORIZATION, CONTENT_BASE, CONTENT_TYPE, CSEQ, PUBLIC, RANGE, REQUIRE,
    RTP_INFO, SESSION, UNSUPPORTED, WWW_AUTHENTICATE,
};
use rtsp_types::{Method, Request, StatusCode, Url, Version};
use tokio::sync::mpsc;
use url::Position;

use self::record::Inlet;
use super::connection::Ends;
use super::deviation;
use super::endless;
use super::framing::Received;
use super::publication::Publication;
use super::sdp;
use super::sender::Start;
use super::session::Session;
use super::sessions::SESSION_TIMEOUT;
use super::track::{Programme, Stream, control, split_control};
use super::{Shared, now};
use crate::quirks::Quirks;
use crate::requests::{Asked, SeenCredentials};
use crate::xml::Node;

/// How long packets come before the answer to PLAY, where they do.
const EARLY: Duration = Duration::from_millis(200);

pub(super) type Response = rtsp_types::Response<Vec<u8>>;

const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN, ANNOUNCE, RECORD";

/// Answers the requests of one connection.
pub(super) struct Handler {
    shared: Arc<Shared>,
    local: IpAddr,
    peer: IpAddr,
    queue: mpsc::Sender<Bytes>,
    /// The tracks set up here.
    tracks: Vec<SetUp>,
    /// What this client announced to publish.
    announced: Option<Arc<Publication>>,
    /// Where interleaved packets of this client go.
    inlets: Vec<Inlet>,
    /// A session to start once the answer to PLAY is under way, and where its tracks begin.
    starting: Option<(String, Vec<(usize, Start)>)>,
}

/// A track of a session.
struct SetUp {
    session: String,
    index: usize,
    /// Its channels, where it goes through this connection.
    channels: Option<(u8, u8)>,
}

/// A response with this status and nothing else.
pub(super) fn refusal(status: StatusCode) -> Response {
    rtsp_types::Response::builder(Version::V1_0, status).build(Vec::new())
}

/// The bytes of a response.
pub(super) fn encode(response: &Response) -> Bytes {
    let mut bytes = Vec::new();
    response
        .write(&mut bytes)
        .expect("writing to memory does not fail");
    bytes.into()
}

impl Handler {
    /// `queue` is where interleaved packets go.
    pub(super) fn new(shared: Arc<Shared>, ends: Ends, queue: mpsc::Sender<Bytes>) -> Self {
        Self {
            shared,
            local: ends.local.ip().to_canonical(),
            peer: ends.peer.ip().to_canonical(),
            queue,
            tracks: Vec::new(),
            announced: None,
            inlets: Vec::new(),
            starting: None,
        }
    }

    /// Does what the request asks and says what came of it.
    pub(super) async fn answer(&mut self, received: &Received) -> Response {
        let number = self.note(received);
        let response = self.act(received).await;
        if let Some((programme, number)) = self.shared.programme().zip(number) {
            programme.note_answer(number, response.status().into());
        }
        response
    }

    /// Notes a request, with who asks.
    fn note(&self, received: &Received) -> Option<u64> {
        let url = received.request.request_uri();
        let authorization = received.request.header(&AUTHORIZATION);
        let authorization = authorization.map(|value| value.as_str());
        Some(self.shared.programme()?.note(Asked {
            at: Duration::ZERO,
            peer: self.peer,
            host: url.map_or("", |url| &url[Position::BeforeHost..Position::AfterPort]),
            path: url.map_or(&received.target, |url| url.path()),
            operation: received.request.method().into(),
            credentials: SeenCredentials::of(authorization, &Node::default(), ""),
        }))
    }

    async fn act(&mut self, received: &Received) -> Response {
        let sequence = received
            .request
            .header(&CSEQ)
            .and_then(|value| value.as_str().parse::<u32>().ok());
        let Some(sequence) = sequence else {
            return refusal(StatusCode::BadRequest);
        };
        let quirks = self.shared.quirks();
        self.shared.sessions().set_terms(deviation::terms(&quirks));
        let method = received.request.method();
        let answered = if deviation::refuses(&quirks, method) {
            Err(refusal(StatusCode::MethodNotAllowed))
        } else if let Some(redirection) = endless::redirection(&quirks, received) {
            Err(redirection)
        } else {
            self.dispatch(received).await
        };
        let (Ok(response) | Err(response)) = answered;
        let mut response = deviation::deviate(&quirks, method, response);
        response.insert_header(CSEQ, sequence.to_string());
        if quirks.early_data && self.starting.is_some() {
            self.answered();
            tokio::time::sleep(EARLY).await;
        }
        response
    }

    pub(super) fn quirks(&self) -> Quirks {
        self.shared.quirks()
    }

    /// To be called when the answer is queued: what PLAY starts must not come before it.
    pub(super) fn answered(&mut self) {
        if let Some((id, from)) = self.starting.take()
            && let Some(session) = self.shared.sessions().get(&id, now())
        {
            tracing::info!(peer = %self.peer, path = session.path(), "an RTSP client plays");
            session.play(&from);
        }
    }

    /// Whether a session set up here lives.
    pub(super) fn has_session(&self, now: Instant) -> bool {
        let table = self.shared.sessions();
        let mut tracks = self.tracks.iter();
        tracks.any(|track| table.is_live(&track.session, now))
    }

    /// Ends the sessions that cannot outlive the connection. Those over UDP can.
    pub(super) fn end_sessions(&mut self) {
        if self.shared.quirks().stale_rtsp_sessions {
            return;
        }
        for track in self.tracks.drain(..) {
            if track.channels.is_some() {
                self.shared.sessions().remove(&track.session);
            }
        }
    }

    async fn dispatch(&mut self, received: &Received) -> Result<Response, Response> {
        let request = &received.request;
        if request.version() != Version::V1_0 {
            return Err(refusal(StatusCode::RTSPVersionNotSupported));
        }
        if let Some(required) = request.header(&REQUIRE) {
            let mut response = refusal(StatusCode::OptionNotSupported);
            let required = required.as_str().replace(char::is_control, "");
            response.insert_header(UNSUPPORTED, required);
            return Err(response);
        }
        match request.method() {
            Method::Options => self.options(request),
            Method::Describe => self.describe(received),
            Method::Setup if self.is_announced(request) => self.set_up_recording(received),
            Method::Setup => self.setup(received),
            Method::Announce => self.announce(received),
            Method::Record => self.record(received),
            Method::Play => self.play(received),
            Method::Pause => self.pause(request).await,
            Method::GetParameter | Method::SetParameter => self.parameters(request),
            Method::Teardown => self.teardown(request).await,
            Method::Redirect | Method::PlayNotify => {
                let mut response = refusal(StatusCode::MethodNotAllowed);
                response.insert_header(ALLOW, METHODS);
                Err(response)
            }
            Method::Extension(_) => Err(refusal(StatusCode::NotImplemented)),
        }
    }

    fn options(&self, request: &Request<Vec<u8>>) -> Result<Response, Response> {
        let mut response = match request.header(&SESSION) {
            Some(_) => self.touch(request)?,
            None => refusal(StatusCode::Ok),
        };
        response.insert_header(PUBLIC, METHODS);
        Ok(response)
    }

    fn describe(&self, received: &Received) -> Result<Response, Response> {
        let (url, stream, _) = self.stream(&received.request)?;
        self.authorize(received)?;
        if let Some(accept) = received.request.header(&ACCEPT)
            && !["application/sdp", "application/*", "*/*"]
                .iter()
                .any(|kind| accept.as_str().contains(kind))
        {
            return Err(refusal(StatusCode::NotAcceptable));
        }
        let description = sdp::describe(&stream.tracks, self.local);
        Ok(rtsp_types::Response::builder(Version::V1_0, StatusCode::Ok)
            .header(CONTENT_TYPE, "application/sdp")
            .header(CONTENT_BASE, format!("{}/", stream_url(url, &stream.path)))
            .build(description.into_bytes()))
    }

    fn play(&mut self, received: &Received) -> Result<Response, Response> {
        let request = &received.request;
        let (url, stream, _) = self.stream(request)?;
        self.authorize(received)?;
        if let Some(range) = request.header(&RANGE)
            && !starts_now(range.as_str())
        {
            return Err(refusal(StatusCode::InvalidRange));
        }
        let (id, from) = self.with_session(request, |id, session| {
            if session.path() != stream.path {
                Err(refusal(StatusCode::SessionNotFound))
            } else if session.publication().is_some() {
                Err(refusal(StatusCode::MethodNotValidInThisState))
            } else {
                Ok((id.to_owned(), session.positions(now())))
            }
        })?;
        let mut response = ok_in_session(&id);
        response.insert_header(RANGE, "npt=now-");
        let url = stream_url(url, &stream.path);
        let info = from.iter().filter_map(|(index, start)| {
            let (sequence, timestamp) = start.first?;
            let control = control(*index);
            Some(format!(
                "url={url}/{control};seq={sequence};rtptime={timestamp}"
            ))
        });
        let info: Vec<_> = info.collect();
        if !info.is_empty() {
            response.insert_header(RTP_INFO, info.join(","));
        }
        self.starting = Some((id, from));
        Ok(response)
    }

    async fn pause(&self, request: &Request<Vec<u8>>) -> Result<Response, Response> {
        let (id, players) = self.with_session(request, |id, session| {
            let (count, players) = session.pause();
            if count == 0 {
                return Err(refusal(StatusCode::MethodNotValidInThisState));
            }
            Ok((id.to_owned(), players))
        })?;
        // They were aborted, which is what they say.
        let _ = join_all(players).await;
        Ok(ok_in_session(&id))
    }

    async fn teardown(&mut self, request: &Request<Vec<u8>>) -> Result<Response, Response> {
        let (id, players) = self.with_session(request, |id, session| {
            Ok((id.to_owned(), session.pause().1))
        })?;
        let _ = join_all(players).await;
        self.forget(&id);
        Ok(refusal(StatusCode::Ok))
    }

    /// There are no parameters: both methods keep a session alive and do nothing else.
    fn parameters(&self, request: &Request<Vec<u8>>) -> Result<Response, Response> {
        let response = match request.header(&SESSION) {
            Some(_) => self.touch(request)?,
            None => refusal(StatusCode::Ok),
        };
        if request.body().iter().all(u8::is_ascii_whitespace) {
            Ok(response)
        } else {
            Err(refusal(StatusCode::ParameterNotUnderstood))
        }
    }

    fn touch(&self, request: &Request<Vec<u8>>) -> Result<Response, Response> {
        if !deviation::keeps_alive(&self.shared.quirks(), request.method()) {
            let id = session_id(request).unwrap_or_default();
            let mut sessions = self.shared.sessions();
            let session = sessions.peek(id, now());
            return session
                .map(|_| ok_in_session(id))
                .ok_or_else(|| refusal(StatusCode::SessionNotFound));
        }
        self.with_session(request, |id, _| Ok(ok_in_session(id)))
    }

    /// Does something with the session that the request names, and keeps it alive.
    fn with_session<T>(
        &self,
        request: &Request<Vec<u8>>,
        act: impl FnOnce(&str, &mut Session) -> Result<T, Response>,
    ) -> Result<T, Response> {
        let id = session_id(request);
        let mut sessions = self.shared.sessions();
        match id.and_then(|id| Some((id, sessions.get(id, now())?))) {
            Some((id, session)) => act(id, session),
            None => Err(refusal(StatusCode::SessionNotFound)),
        }
    }

    fn forget(&mut self, id: &str) {
        self.tracks.retain(|track| track.session != id);
        self.inlets.retain(|inlet| inlet.session != id);
        self.shared.sessions().remove(id);
    }

    fn programme(&self) -> Result<Arc<dyn Programme>, Response> {
        let programme = self.shared.programme();
        programme.ok_or_else(|| refusal(StatusCode::ServiceUnavailable))
    }

    /// The stream that a request is about, and the number of the track, where it is about one.
    fn stream<'a>(
        &self,
        request: &'a Request<Vec<u8>>,
    ) -> Result<(&'a Url, Stream, Option<usize>), Response> {
        let url = request
            .request_uri()
            .ok_or_else(|| refusal(StatusCode::BadRequest))?;
        let (path, track) = split_control(url.path());
        let mut address = url.clone();
        address.set_path(path);
        let stream = self.programme()?.stream(&address).or_else(|| {
            let publications = self.shared.publications();
            Some(publications.at(path)?.stream())
        });
        let stream = stream.ok_or_else(|| refusal(StatusCode::NotFound))?;
        Ok((url, stream, track))
    }

    fn authorize(&self, received: &Received) -> Result<(), Response> {
        let Some(auth) = self.shared.auth() else {
            return Ok(());
        };
        let method: &str = received.request.method().into();
        let given = received.request.header(&AUTHORIZATION);
        let given = given.map(|value| value.as_str());
        let Err(denied) = auth.check(method, &received.target, given) else {
            return Ok(());
        };
        if denied.wrong
            && let Some(programme) = self.shared.programme()
        {
            programme.note_refusal();
        }
        let mut response = refusal(StatusCode::Unauthorized);
        // `rtsp-types` holds a header once, and would put all challenges on one line, of which
        // many clients read but the first.
        let separator = format!("\r\n{WWW_AUTHENTICATE}: ");
        response.insert_header(WWW_AUTHENTICATE, denied.challenges.join(&separator));
        Err(response)
    }
}

fn session_id(request: &Request<Vec<u8>>) -> Option<&str> {
    let value = request.header(&SESSION)?;
    Some(value.as_str().split(';').next().unwrap_or_default().trim())
}

fn ok_in_session(id: &str) -> Response {
    let mut response = refusal(StatusCode::Ok);
    let timeout = SESSION_TIMEOUT.as_secs();
    response.insert_header(SESSION, format!("{id};timeout={timeout}"));
    response
}

/// The URL of a stream, at the host that the client knows the camera by.
fn stream_url(requested: &Url, path: &str) -> Url {
    let mut url = requested.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    // These fail for a URL without a host, which has no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Whether a `Range` asks for what a live stream has: from now, or from the start, which is now.
fn starts_now(range: &str) -> bool {
    range
        .trim()
        .strip_prefix("npt=")
        .and_then(|range| range.split_once('-'))
        .is_some_and(|(start, _)| {
            let start = start.trim();
            start == "now" || start.is_empty() || start.parse::<f64>() == Ok(0.0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_no_credentials_of_the_url() {
        let url = Url::parse("rtsp://user:secret@h:8554/main/trackID=1?x#y").unwrap();
        assert_eq!(stream_url(&url, "/main").as_str(), "rtsp://h:8554/main");
    }

    #[test]
    fn plays_from_now_and_from_nowhere_else() {
        for range in ["npt=now-", "npt=0-", "npt=0.000-", " npt=0.000000-"] {
            assert!(starts_now(range), "{range}");
        }
        for range in ["npt=10-20", "clock=20260101T000000Z-", "npt", ""] {
            assert!(!starts_now(range), "{range}");
        }
    }
}
