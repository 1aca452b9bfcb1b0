//! One session with a media server: ANNOUNCE, SETUP, RECORD (RFC 2326 sections 10.3, 10.4, 10.11), packets, TEARDOWN.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, sleep_until, timeout};

use super::rtp::Sender;
use super::sdp;
use crate::Error;
use crate::clip::Track;
use crate::dial::Wire;
use crate::guard::{AuthBudget, Authenticator, Caps, Frame, Framer, Message, Violation};

/// How long the end of a session may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// What a server says of the life of a session if it says nothing (RFC 2326 section 12.37).
const USUAL_LIFE: Duration = Duration::from_secs(60);
/// However long it says it is, a word now and then does no harm.
const LONGEST_LIFE: Duration = Duration::from_secs(3_600);
/// Answers to requests of the server wait for no more than this.
const HIGH_WATER: usize = 64 << 10;
const SESSION_NOT_FOUND: u16 = 454;

/// What a session has to know.
pub(super) struct Terms {
    /// The URL to publish to, without credentials.
    pub(super) url: String,
    /// The server's name in errors.
    pub(super) label: String,
    pub(super) auth: Option<Authenticator>,
    pub(super) budget: Arc<dyn AuthBudget>,
    pub(super) caps: Caps,
    /// How long the server may take nothing.
    pub(super) patience: Duration,
}

pub(super) struct Session {
    read: ReadHalf<Wire>,
    write: WriteHalf<Wire>,
    framer: Framer,
    input: BytesMut,
    output: BytesMut,
    /// What was written may still wait in the TLS layer.
    unflushed: bool,
    /// When the server took something last, or was given something after it had taken all.
    progress: Instant,
    terms: Terms,
    /// The server has accepted the credentials.
    accepted: bool,
    sequence: u32,
    id: Option<String>,
    keepalive: Keepalive,
}

struct Keepalive {
    method: &'static str,
    every: Duration,
    due: Instant,
}

impl Session {
    pub(super) fn new(wire: Wire, terms: Terms) -> Self {
        let (read, write) = split(wire);
        Self {
            read,
            write,
            framer: Framer::new(terms.caps),
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
            progress: Instant::now(),
            terms,
            accepted: false,
            sequence: 0,
            id: None,
            keepalive: Keepalive {
                method: "OPTIONS",
                every: USUAL_LIFE / 2,
                due: Instant::now(),
            },
        }
    }

    /// Announces the tracks and has the server record them. What fails or is dropped leaves a session that is to be
    /// [closed](Self::close).
    pub(super) async fn begin(
        &mut self,
        local: IpAddr,
        tracks: &[Track],
        senders: &mut [Sender],
    ) -> Result<(), Error> {
        let url = self.terms.url.clone();
        match self.request("OPTIONS", &url, &[], "").await {
            Ok(answer) => {
                let methods = answer.header("Public").unwrap_or_default();
                if methods.contains("GET_PARAMETER") {
                    self.keepalive.method = "GET_PARAMETER";
                }
            }
            // Whoever does not answer this one may answer the others.
            Err(Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        let description = sdp::describe(tracks, local, rand::random::<u32>().into());
        let kind = [("Content-Type", "application/sdp".to_owned())];
        self.request("ANNOUNCE", &url, &kind, &description).await?;
        for (index, sender) in senders.iter_mut().enumerate() {
            let channel = 2 * index as u8;
            let next = channel + 1;
            let transport = format!("RTP/AVP/TCP;unicast;interleaved={channel}-{next};mode=record");
            let track = format!("{}/{}", url.trim_end_matches('/'), sdp::control(index));
            let answer = self
                .request("SETUP", &track, &[("Transport", transport)], "")
                .await?;
            self.remember(&answer)?;
            let chosen = answer.header("Transport").and_then(interleaved);
            sender.set_channel(chosen.unwrap_or(channel));
        }
        let range = [("Range", "npt=0.000-".to_owned())];
        self.request("RECORD", &url, &range, "").await?;
        self.keepalive.due = Instant::now() + self.keepalive.every;
        Ok(())
    }

    /// Whether everything was sent that was given.
    pub(super) fn takes_more(&self) -> bool {
        self.output.is_empty() && !self.unflushed
    }

    /// What is written here is sent by [`turn`](Self::turn).
    pub(super) fn output(&mut self) -> &mut BytesMut {
        // What is added to what waits does not make the server any faster.
        if self.takes_more() {
            self.progress = Instant::now();
        }
        &mut self.output
    }

    /// Sends, receives and keeps the session alive, until one of these has happened. Cancel-safe.
    ///
    /// # Errors
    /// Why the session is over.
    pub(super) async fn turn(&mut self) -> Result<(), Error> {
        let stalls_at = self.progress + self.terms.patience;
        let waits = !self.takes_more();
        let due = self.keepalive.due;
        tokio::select! {
            exchanged = self.exchange() => {
                exchanged?;
                while let Some(message) = self.next_message()? {
                    self.told(&message)?;
                }
                Ok(())
            }
            () = sleep_until(stalls_at), if waits => Err(self.stalled()),
            () = sleep_until(due) => {
                let (url, method) = (self.terms.url.clone(), self.keepalive.method);
                self.put(method, &url, &[], "");
                self.keepalive.due = Instant::now() + self.keepalive.every;
                Ok(())
            }
        }
    }

    /// Ends the session: what is half sent is completed, and TEARDOWN says that no more comes.
    pub(super) async fn close(mut self) {
        let farewell = async {
            if self.id.is_some() {
                let url = self.terms.url.clone();
                self.request("TEARDOWN", &url, &[], "").await?;
            }
            self.write
                .shutdown()
                .await
                .map_err(|e| self.closed(Some(e)))
        };
        match timeout(FAREWELL, farewell).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the session did not end in order"),
            Err(_) => {
                tracing::debug!(server = %self.terms.label, "the server did not let the session end")
            }
        }
    }

    async fn request(
        &mut self,
        method: &str,
        uri: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Message, Error> {
        let mut repeated = false;
        loop {
            let authorized = self.put(method, uri, headers, body);
            let answer = self.answer().await?;
            let (status, reason) = status(&answer);
            if status == 401 {
                self.challenged(&answer, &mut repeated)?;
                continue;
            }
            if authorized && !std::mem::replace(&mut self.accepted, true) {
                self.terms.budget.accepted();
                if let Some(auth) = &self.terms.auth {
                    auth.accepted();
                }
            }
            if !(200..300).contains(&status) {
                let redirect = answer.header("Location").map(short);
                return Err(Error::Refused {
                    url: self.terms.label.clone(),
                    method: method.to_owned(),
                    status,
                    reason: match redirect {
                        Some(to) => format!("{reason} (a redirect to {to}, which is not followed)"),
                        None => reason,
                    },
                });
            }
            return Ok(answer);
        }
    }

    /// Queues a request. Whether it carries credentials.
    fn put(&mut self, method: &str, uri: &str, headers: &[(&str, String)], body: &str) -> bool {
        self.sequence = self.sequence.wrapping_add(1);
        let mut request = Message {
            line: format!("{method} {uri} RTSP/1.0"),
            headers: vec![("CSeq".into(), self.sequence.to_string())],
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        request.set(
            "User-Agent",
            concat!("media-pipeline/", env!("CARGO_PKG_VERSION")).into(),
        );
        if let Some(id) = &self.id {
            request.set("Session", id.clone());
        }
        for (name, value) in headers {
            request.set(name, value.clone());
        }
        if !body.is_empty() {
            request.set("Content-Length", body.len().to_string());
        }
        let auth = self.terms.auth.as_mut();
        let authorization = auth.and_then(|auth| auth.authorization(method, uri, body.as_bytes()));
        let authorized = authorization.is_some();
        if let Some(value) = authorization {
            request.set("Authorization", value);
        }
        request.write(self.output());
        authorized
    }

    /// The answer to the request that was queued last.
    async fn answer(&mut self) -> Result<Message, Error> {
        loop {
            while let Some(message) = self.next_message()? {
                if message.line.starts_with("RTSP/") && self.is_latest(&message) {
                    return Ok(message);
                }
            }
            self.exchange().await?;
        }
    }

    fn is_latest(&self, answer: &Message) -> bool {
        let number = answer.header("CSeq").map(|number| number.trim().parse());
        // Some servers leave the number out.
        number.is_none_or(|number| number == Ok(self.sequence))
    }

    /// The next message of the server; packets of it are of no use here.
    fn next_message(&mut self) -> Result<Option<Message>, Error> {
        loop {
            match self.framer.next(&mut self.input) {
                Ok(Some(Frame::Message(message))) => return Ok(Some(message)),
                Ok(Some(Frame::Interleaved(_))) => {}
                Ok(None) => return Ok(None),
                Err(Violation::Cap { cap, limit }) => {
                    return Err(Error::CapExceeded {
                        url: self.terms.label.clone(),
                        cap,
                        limit,
                    });
                }
                Err(Violation::Garbled(what)) => return Err(self.misbehaved(what)),
            }
        }
    }

    /// What the server says while it records.
    fn told(&mut self, message: &Message) -> Result<(), Error> {
        if !message.line.starts_with("RTSP/") {
            self.refuse(message);
            return Ok(());
        }
        match status(message).0 {
            SESSION_NOT_FOUND => Err(self.misbehaved("the server ended the session")),
            // The next keep-alive answers it.
            401 => self.challenged(message, &mut false),
            405 | 501 => {
                self.keepalive.method = "OPTIONS";
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Servers may send requests of their own; none is of use here.
    fn refuse(&mut self, request: &Message) {
        let number = request.header("CSeq").unwrap_or_default().to_owned();
        let answer = Message {
            line: "RTSP/1.0 501 Not Implemented".into(),
            headers: vec![("CSeq".into(), number)],
            body: Bytes::new(),
        };
        if self.output.len() < HIGH_WATER {
            answer.write(self.output());
        }
    }

    fn challenged(&mut self, answer: &Message, repeated: &mut bool) -> Result<(), Error> {
        let url = self.terms.label.clone();
        let unauthorized = |reason: String| Error::Unauthorized { url, reason };
        let Some(auth) = &mut self.terms.auth else {
            return Err(unauthorized(
                "the media server asks for a user name and password; set credentials".into(),
            ));
        };
        let challenges = || answer.all("WWW-Authenticate");
        // A request with an old nonce may be asked again once; with a fresh one, a second 401 means no.
        if std::mem::replace(repeated, true) {
            self.terms.budget.refused();
            if !self.accepted && auth.falls_back(challenges()) {
                return Ok(());
            }
            return Err(unauthorized(
                "the media server refuses the user name or password".into(),
            ));
        }
        auth.challenged(challenges()).map_err(unauthorized)
    }

    /// Takes the session's name and life out of an answer to SETUP.
    fn remember(&mut self, answer: &Message) -> Result<(), Error> {
        let Some(header) = answer.header("Session") else {
            return Err(self.misbehaved("the server opened no session"));
        };
        let mut parts = header.split(';').map(str::trim);
        self.id = parts.next().map(str::to_owned);
        let life = parts.find_map(|part| part.strip_prefix("timeout=")?.trim().parse().ok());
        let life = life.map_or(USUAL_LIFE, Duration::from_secs);
        self.keepalive.every = (life.min(LONGEST_LIFE) / 2).max(Duration::from_secs(1));
        Ok(())
    }

    /// Writes or reads some bytes. Cancel-safe.
    async fn exchange(&mut self) -> Result<(), Error> {
        let waits = !self.takes_more();
        self.input.reserve(4 << 10);
        let moved = tokio::select! {
            sent = send(&mut self.write, &mut self.output), if waits => match sent {
                Ok(bytes) => {
                    self.progress = Instant::now();
                    self.unflushed = bytes.is_some();
                    Ok(bytes.unwrap_or(1))
                }
                Err(error) => Err(error),
            },
            read = self.read.read_buf(&mut self.input) => read,
        };
        match moved {
            Ok(0) => Err(self.closed(None)),
            Ok(_) => Ok(()),
            Err(error) => Err(self.closed(Some(error))),
        }
    }

    fn closed(&self, source: Option<io::Error>) -> Error {
        Error::Network {
            url: self.terms.label.clone(),
            action: "the media server closed the connection".into(),
            source: source.map(Arc::new),
        }
    }

    fn stalled(&self) -> Error {
        Error::Unread {
            url: self.terms.label.clone(),
            after: self.terms.patience,
        }
    }

    fn misbehaved(&self, reason: &str) -> Error {
        Error::Misbehaved {
            url: self.terms.label.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// Writes some bytes, or flushes where there are none (`None`). Cancel-safe.
async fn send(write: &mut WriteHalf<Wire>, output: &mut BytesMut) -> io::Result<Option<usize>> {
    if output.is_empty() {
        write.flush().await.map(|()| None)
    } else {
        write.write_buf(output).await.map(Some)
    }
}

fn status(answer: &Message) -> (u16, String) {
    let mut parts = answer.line.splitn(3, ' ').skip(1);
    let status = parts.next().and_then(|status| status.trim().parse().ok());
    (status.unwrap_or(0), short(parts.next().unwrap_or_default()))
}

/// The channel of RTP that a server chose.
fn interleaved(transport: &str) -> Option<u8> {
    let parts = transport.split(';').map(str::trim);
    let channels = parts
        .filter_map(|part| part.strip_prefix("interleaved="))
        .next()?;
    let first: u8 = channels.split('-').next()?.trim().parse().ok()?;
    (first < u8::MAX).then_some(first)
}

/// Text of a server for a message: one line, not long.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}
