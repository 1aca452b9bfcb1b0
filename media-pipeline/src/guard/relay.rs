//! One session between retina, the client, and the camera.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use url::Url;

use super::auth::{AuthBudget, Authenticator};
use super::framing::{AccessUnitMeter, Caps, Frame, Framer, Message, Violation};
use super::keepalive::Keepalive;
use super::pictures::{Losses, PayloadTypes, Pictures};
use super::repair::{channel, repair};
use super::rewrite::{Addresses, Foreign};
use super::source_filter::SourceFilter;
use super::udp::Watch;
use super::{Verdict, udp};
use crate::{Error, RtspTransport};

/// How much is read from the camera at once. All of it goes to retina before more is read.
const AT_ONCE: usize = 64 << 10;
/// How long retina may take to connect, and the last bytes to be written.
const LOCAL_PATIENCE: Duration = Duration::from_secs(5);
/// The answer to a request of a session that is over.
const SESSION_NOT_FOUND: u16 = 454;
/// Requests without an answer; retina sends one at a time.
const MAX_PENDING: usize = 8;

/// One session. `client` is retina.
pub(super) struct Relay {
    /// The stream's address.
    pub(super) url: Url,
    pub(super) addresses: Addresses,
    pub(super) auth: Option<Authenticator>,
    pub(super) budget: Arc<dyn AuthBudget>,
    /// Whether the camera has accepted the credentials in this session.
    pub(super) accepted: bool,
    pub(super) verdict: Arc<Mutex<Verdict>>,
    pub(super) label: String,
    pub(super) local_ip: IpAddr,
    pub(super) access_unit: usize,
    pub(super) transport: RtspTransport,
    /// Receivers of tracks that come over UDP, and what they receive.
    pub(super) udp: JoinSet<udp::End>,
    pub(super) packets: (mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>),
    pub(super) idle: Duration,
    pub(super) meter: AccessUnitMeter,
    /// The tracks that come through the connection, by the channel of their RTP packets.
    pub(super) sources: HashMap<u8, (SourceFilter, Pictures)>,
    pub(super) losses: Losses,
    pub(super) jpeg: PayloadTypes,
    pub(super) keepalive: Keepalive,
    /// The camera has agreed to send.
    pub(super) playing: bool,
    /// Something came that shows that the stream lives; answers do not, once it plays.
    pub(super) heard: bool,
    pub(super) next_cseq: u32,
    pub(super) pending: VecDeque<Pending>,
    pub(super) to_camera: BytesMut,
    pub(super) to_client: BytesMut,
}

/// A request on its way, kept to be sent again with an answer to a challenge.
pub(super) struct Pending {
    cseq: u32,
    client_cseq: String,
    method: String,
    uri: String,
    request: Message,
    /// That of a SETUP for UDP.
    udp: Option<udp::Setup>,
    /// Whether it carried credentials at all.
    authorized: bool,
    /// Whether it was already sent again because of a challenge.
    repeated: bool,
}

impl Relay {
    pub(super) async fn run<S: AsyncRead + AsyncWrite>(
        mut self,
        listener: TcpListener,
        camera: S,
        caps: Caps,
    ) {
        let client = match timeout(LOCAL_PATIENCE, listener.accept()).await {
            Ok(Ok((client, _))) => client,
            _ => return,
        };
        drop(listener);
        if let Err(error) = self.relay(client, camera, caps).await {
            tracing::debug!(stream = %self.label, %error, "session cut");
            self.verdict
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .cut
                .get_or_insert(error);
        }
    }

    /// Both connections are closed when this returns; the verdict must be in place before retina sees that.
    async fn relay<S>(
        &mut self,
        client: tokio::net::TcpStream,
        camera: S,
        caps: Caps,
    ) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite,
    {
        let verdict = self.verdict.clone();
        let (mut client_read, mut client_write) = client.into_split();
        let (mut camera_read, mut camera_write) = tokio::io::split(camera);
        let (mut from_client, mut from_camera) = (BytesMut::new(), BytesMut::new());
        let (mut client_framer, mut camera_framer) = (Framer::new(caps), Framer::new(caps));
        let mut heard = Instant::now();
        // Since when something waits for retina.
        let mut waits = heard;
        let mut silence = pin!(sleep_until(heard + self.idle));
        let result = loop {
            let read_camera = self.to_client.is_empty();
            if read_camera {
                // Gives back what it shares with the buffer of the camera.
                self.to_client = BytesMut::new();
            }
            tokio::select! {
                read = read(&mut camera_read, &mut from_camera, AT_ONCE), if read_camera => match read {
                    Ok(0) => break Err(self.closed(None)),
                    Err(e) => break Err(self.closed(Some(e))),
                    Ok(_) => {
                        self.heard = !self.playing;
                        if let Err(e) = self.camera_sent(&mut camera_framer, &mut from_camera).await {
                            break Err(e);
                        }
                        waits = Instant::now();
                        if std::mem::take(&mut self.heard) {
                            heard = waits;
                        }
                        match client_write.try_write(&self.to_client) {
                            Ok(written) => self.to_client.advance(written),
                            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                            Err(_) => break Ok(()),
                        }
                    }
                },
                read = read(&mut client_read, &mut from_client, 1 << 10) => match read {
                    Ok(0) | Err(_) => break Ok(()),
                    Ok(_) => {
                        if let Err(e) = self.client_sent(&mut client_framer, &mut from_client) {
                            break Err(e);
                        }
                    }
                },
                written = client_write.write_buf(&mut self.to_client), if !self.to_client.is_empty() => {
                    if written.is_err() {
                        break Ok(());
                    }
                    // As long as retina takes nothing the camera is not heard.
                    heard += waits.elapsed();
                    waits = Instant::now();
                }
                written = camera_write.write_buf(&mut self.to_camera), if !self.to_camera.is_empty() => {
                    if let Err(e) = written {
                        break Err(self.closed(Some(e)));
                    }
                }
                () = &mut silence, if read_camera && self.udp.is_empty() => {
                    let ends = heard + self.idle;
                    if ends <= Instant::now() {
                        break Err(self.stalled());
                    }
                    silence.as_mut().reset(ends);
                }
                Some(packet) = self.packets.1.recv(), if read_camera && self.playing => {
                    self.to_client.extend_from_slice(&packet);
                    while self.to_client.len() < AT_ONCE
                        && let Ok(packet) = self.packets.1.try_recv()
                    {
                        self.to_client.extend_from_slice(&packet);
                    }
                }
                Some(Ok(end)) = self.udp.join_next() => break Err(match end {
                    udp::End::Violation(violation) => self.violated(violation),
                    udp::End::Silent => self.stalled(),
                    udp::End::Failed(error) => self.broken("cannot receive over UDP", error),
                }),
            }
        };
        match &result {
            Err(error) => {
                verdict
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .cut
                    .get_or_insert_with(|| error.clone());
                // What the camera said before it closed still belongs to retina.
                let _ = timeout(
                    LOCAL_PATIENCE,
                    client_write.write_all_buf(&mut self.to_client),
                )
                .await;
            }
            Ok(()) => {
                let _ = timeout(
                    LOCAL_PATIENCE,
                    camera_write.write_all_buf(&mut self.to_camera),
                )
                .await;
                let _ = timeout(LOCAL_PATIENCE, camera_write.shutdown()).await;
            }
        }
        result
    }

    async fn camera_sent(
        &mut self,
        framer: &mut Framer,
        buffer: &mut BytesMut,
    ) -> Result<(), Error> {
        loop {
            let (mut passed, mut counted) = (0, Ok(()));
            while let Some(packet) = framer.packet(&buffer[passed..])
                && self.admits(packet[1], &packet[4..])
            {
                self.heard = true;
                counted = self.meter.count(packet[1], &packet[4..]);
                if counted.is_err() {
                    break;
                }
                passed += packet.len();
            }
            if passed > 0 {
                // The bytes stay where they are.
                self.to_client.unsplit(buffer.split_to(passed));
            }
            counted.map_err(|v| self.violated(v))?;
            match framer.next(buffer).map_err(|v| self.violated(v))? {
                None => return Ok(()),
                // Not one that is admitted.
                Some(Frame::Interleaved(_)) => {}
                Some(Frame::Message(message)) if message.line.starts_with("RTSP/") => {
                    self.response(message).await?
                }
                Some(Frame::Message(request)) => self.refuse_request(&request),
            }
        }
    }

    /// Whether an interleaved packet is one of this session. Others come before PLAY, from channels that were not set up, or
    /// from other sources.
    fn admits(&mut self, channel: u8, packet: &[u8]) -> bool {
        if !self.playing {
            return false;
        }
        match self.sources.get_mut(&channel) {
            Some((source, pictures)) => source.admits(packet) && pictures.admits(packet),
            // RTCP has the next channel.
            None => channel
                .checked_sub(1)
                .is_some_and(|rtp| self.sources.contains_key(&rtp)),
        }
    }

    fn client_sent(&mut self, framer: &mut Framer, buffer: &mut BytesMut) -> Result<(), Error> {
        while let Some(frame) = framer.next(buffer).map_err(|v| self.violated(v))? {
            match frame {
                Frame::Interleaved(packet) if self.transport == RtspTransport::Tcp => {
                    self.to_camera.extend_from_slice(&packet);
                }
                Frame::Interleaved(_) => {}
                Frame::Message(message) => self.request(message)?,
            }
        }
        Ok(())
    }

    /// Passes a request of retina on, under the camera's own URL.
    fn request(&mut self, mut request: Message) -> Result<(), Error> {
        let mut parts = request.line.split(' ');
        let (method, url) = (
            parts.next().unwrap_or_default().to_owned(),
            parts.next().unwrap_or_default(),
        );
        let uri = self.addresses.to_camera(url).ok_or_else(|| {
            self.misbehaved(format!(
                "the session would go on at another address ({method} {url})"
            ))
        })?;
        let method = match self.playing && Keepalive::is_one(&method) {
            true => self.keepalive.method().to_owned(),
            false => method,
        };
        let client_cseq = request.header("CSeq").unwrap_or_default().to_owned();
        request.line = format!("{method} {uri} RTSP/1.0");
        request.remove("Authorization");
        let udp = udp::Setup::prepare(&mut request, self.transport, self.local_ip)
            .map_err(|e| self.broken("cannot open UDP ports", e))?;
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
        }
        self.send(Pending {
            cseq: 0,
            client_cseq,
            method,
            uri,
            request,
            udp,
            authorized: false,
            repeated: false,
        });
        Ok(())
    }

    fn send(&mut self, mut pending: Pending) {
        pending.cseq = self.next_cseq;
        self.next_cseq = self.next_cseq.wrapping_add(1);
        let request = &mut pending.request;
        request.set("CSeq", pending.cseq.to_string());
        request.remove("Authorization");
        let authorization = self
            .auth
            .as_mut()
            .and_then(|auth| auth.authorization(&pending.method, &pending.uri, &request.body));
        pending.authorized = authorization.is_some();
        if let Some(value) = authorization {
            request.set("Authorization", value);
        }
        request.write(&mut self.to_camera);
        self.pending.push_back(pending);
    }

    /// Sends a request once more, as one of another kind.
    fn send_as(&mut self, method: &str, mut pending: Pending) {
        pending.method = method.to_owned();
        pending.request.line = format!("{method} {} RTSP/1.0", pending.uri);
        self.send(Pending {
            repeated: false,
            ..pending
        });
    }

    /// Passes a response on to retina, unless it is a challenge that can be answered.
    async fn response(&mut self, mut response: Message) -> Result<(), Error> {
        let cseq = response
            .header("CSeq")
            .and_then(|cseq| cseq.trim().parse::<u32>().ok());
        let at = match cseq {
            Some(cseq) => self.pending.iter().position(|pending| pending.cseq == cseq),
            // Some cameras leave the number out; what they mean is clear as long as one request is open.
            None => (self.pending.len() == 1).then_some(0),
        };
        let Some(pending) = at.and_then(|at| self.pending.remove(at)) else {
            // Without a request it belongs to nobody; retina would end the session over it.
            tracing::debug!(stream = %self.label, line = %response.line, "dropped a response without a request");
            return Ok(());
        };
        let (status, reason) = status(&response.line);
        if status == 401 {
            return self.challenged(pending, &response);
        }
        if pending.authorized && !self.accepted {
            self.accepted = true;
            self.budget.accepted();
            if let Some(auth) = &self.auth {
                auth.accepted();
            }
        }
        if self.playing && Keepalive::is_one(&pending.method) {
            if status == SESSION_NOT_FOUND {
                return Err(self.misbehaved("the camera ended the session".into()));
            }
            let public = response.header("Public");
            let next = self.keepalive.answered(&pending.method, status, public);
            if let Some(method) = next {
                self.send_as(method, pending);
                return Ok(());
            }
        }
        if !(200..300).contains(&status) {
            self.refused(
                &pending.method,
                status,
                &reason,
                response.header("Location"),
            );
        }
        self.addresses
            .localize(&mut response)
            .map_err(|Foreign(url)| {
                self.misbehaved(format!(
                    "the camera refers to another host ({})",
                    short(&url)
                ))
            })?;
        let announced = repair(&pending.request, &mut response);
        if status < 300 {
            self.playing |= pending.method == "PLAY";
            if pending.method == "DESCRIBE" {
                self.jpeg = PayloadTypes::of(&response.body);
            }
            if pending.method == "SETUP"
                && let Some(channel) = channel(&response)
            {
                let pictures = Pictures::new(self.jpeg, self.losses.clone());
                self.sources
                    .insert(channel, (SourceFilter::new(announced), pictures));
            }
        }
        if let Some(udp) = pending.udp
            && status < 300
        {
            udp.start(
                &mut response,
                [self.addresses.ip, self.local_ip],
                Watch {
                    meter: AccessUnitMeter::new(self.access_unit),
                    silence: self.idle,
                    source: SourceFilter::new(announced),
                    pictures: Pictures::new(self.jpeg, self.losses.clone()),
                    label: self.label.clone(),
                },
                self.packets.0.clone(),
                &mut self.udp,
            )
            .await
            .map_err(|e| self.broken("cannot receive over UDP", e))?;
        }
        response.set("CSeq", pending.client_cseq);
        response.write(&mut self.to_client);
        Ok(())
    }

    fn challenged(&mut self, pending: Pending, response: &Message) -> Result<(), Error> {
        let unauthorized = |reason: String| Error::Unauthorized {
            url: self.label.clone(),
            reason,
        };
        let Some(auth) = &mut self.auth else {
            return Err(unauthorized(
                "the camera asks for a user name and password; set credentials".into(),
            ));
        };
        // A request with an old nonce may be asked again once; with a fresh one, a second 401 means no.
        if pending.repeated {
            self.budget.refused();
            if !self.accepted && auth.falls_back(response.all("WWW-Authenticate")) {
                tracing::debug!(stream = %self.label, "the camera refuses SHA-256, trying MD5");
                self.send(pending);
                return Ok(());
            }
            return Err(unauthorized(
                "the camera refuses the user name or password".into(),
            ));
        }
        auth.challenged(response.all("WWW-Authenticate"))
            .map_err(unauthorized)?;
        self.send(Pending {
            repeated: true,
            ..pending
        });
        Ok(())
    }

    /// Remembers why retina is about to fail.
    fn refused(&mut self, method: &str, status: u16, reason: &str, location: Option<&str>) {
        let reason = match location {
            Some(location) => format!(
                "{} (a redirect to {}, which is not followed)",
                short(reason),
                short(location)
            ),
            None => short(reason),
        };
        let error = Error::Refused {
            url: self.label.clone(),
            method: method.to_owned(),
            status,
            reason,
        };
        let redirect = match (status, location) {
            (301 | 302 | 303 | 305 | 307 | 308, Some(location)) if method == "DESCRIBE" => {
                self.addresses.redirected(&self.url, location)
            }
            _ => None,
        };
        let mut verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        if method == "DESCRIBE" {
            // Without a description there is no session; that the camera then hangs up tells nothing more.
            verdict.cut.get_or_insert_with(|| error.clone());
        }
        verdict.refusal = Some(error);
        verdict.redirect = redirect;
    }

    /// Cameras may send requests of their own; none is of use here.
    fn refuse_request(&mut self, request: &Message) {
        let mut headers = Vec::new();
        headers.extend(
            request
                .header("CSeq")
                .map(|cseq| ("CSeq".to_owned(), cseq.to_owned())),
        );
        let answer = Message {
            line: "RTSP/1.0 501 Not Implemented".into(),
            headers,
            body: Default::default(),
        };
        if self.to_camera.len() < AT_ONCE {
            answer.write(&mut self.to_camera);
        }
    }

    fn stalled(&self) -> Error {
        Error::Stalled {
            url: self.label.clone(),
            after: self.idle,
        }
    }

    fn broken(&self, action: &str, source: std::io::Error) -> Error {
        Error::Network {
            url: self.label.clone(),
            action: action.to_owned(),
            source: Some(Arc::new(source)),
        }
    }

    fn closed(&self, source: Option<std::io::Error>) -> Error {
        Error::Network {
            url: self.label.clone(),
            action: "the camera closed the connection".into(),
            source: source.map(Arc::new),
        }
    }

    fn violated(&self, violation: Violation) -> Error {
        match violation {
            Violation::Cap { cap, limit } => Error::CapExceeded {
                url: self.label.clone(),
                cap,
                limit,
            },
            Violation::Garbled(what) => self.misbehaved(what.to_owned()),
        }
    }

    fn misbehaved(&self, reason: String) -> Error {
        Error::Misbehaved {
            url: self.label.clone(),
            reason,
        }
    }
}

/// Reads into a buffer that takes memory only while something is in it: sessions wait most of their time.
async fn read<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut BytesMut,
    at_once: usize,
) -> io::Result<usize> {
    poll_fn(|cx| {
        if buffer.capacity() - buffer.len() < at_once / 4 {
            // Not `reserve`, which doubles what it cannot reclaim: there is but the begin of a packet to be moved.
            let mut larger = BytesMut::with_capacity(buffer.len() + at_once);
            larger.extend_from_slice(buffer);
            *buffer = larger;
        }
        let read = pin!(reader.read_buf(buffer)).poll(cx);
        if buffer.is_empty() {
            *buffer = BytesMut::new();
        }
        read
    })
    .await
}

fn status(line: &str) -> (u16, String) {
    let mut parts = line.splitn(3, ' ').skip(1);
    let status = parts
        .next()
        .and_then(|status| status.trim().parse().ok())
        .unwrap_or(0);
    (status, parts.next().unwrap_or_default().trim().to_owned())
}

/// Text of a camera for a message: one line, not long.
pub(crate) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_buffer_takes_memory_only_while_something_is_in_it() {
        let (mut camera, mut wire) = tokio::io::duplex(16);
        let mut buffer = BytesMut::new();
        assert!(
            read(&mut wire, &mut buffer, AT_ONCE)
                .now_or_never()
                .is_none()
        );
        assert_eq!(buffer.capacity(), 0);
        camera.write_all(b"$\x00\x00\x03").await.unwrap();
        assert_eq!(read(&mut wire, &mut buffer, AT_ONCE).await.unwrap(), 4);
        assert!(
            read(&mut wire, &mut buffer, AT_ONCE)
                .now_or_never()
                .is_none()
        );
        assert_eq!(&buffer[..], b"$\x00\x00\x03");
        buffer.advance(4);
        assert!(
            read(&mut wire, &mut buffer, AT_ONCE)
                .now_or_never()
                .is_none()
        );
        assert_eq!(buffer.capacity(), 0);
        drop(camera);
        assert_eq!(read(&mut wire, &mut buffer, AT_ONCE).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_buffer_does_not_grow_with_what_it_has_held() {
        let (mut camera, mut wire) = tokio::io::duplex(1 << 20);
        let mut buffer = BytesMut::new();
        for _ in 0..100 {
            camera.write_all(&[7; 2000]).await.unwrap();
            read(&mut wire, &mut buffer, AT_ONCE).await.unwrap();
            // A small packet goes on to the client, and most of a large one stays.
            let passed = buffer.len() - 1400;
            drop(buffer.split_to(passed));
            assert!(buffer.capacity() <= 1400 + AT_ONCE);
        }
    }
}
