//! The server over real sockets, with a client written for it.

mod multicast;
mod playing;
mod publishing;
mod refusing;
mod tracks;
mod tunnels;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Deref;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio::time::timeout;
use url::Url;

use super::*;
use crate::clip::{Clip, Codec};
use crate::digest::DigestServer;
use crate::event::Event;
use crate::requests::Asked;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 42, 42);
const DEADLINE: Duration = Duration::from_secs(20);
const TCP: (&str, &str) = ("Transport", "RTP/AVP/TCP;unicast;interleaved=4-5");

/// The streams `/main` and `/sub` of H.264, and others of one or all of the codecs.
struct Repertoire {
    events: broadcast::Sender<Vec<Event>>,
}

impl Programme for Repertoire {
    fn stream(&self, url: &Url) -> Option<Stream> {
        let clips: &[Codec] = match url.path() {
            "/main" | "/sub" => &[Codec::H264],
            "/all" => &[
                Codec::H264,
                Codec::H265,
                Codec::Jpeg,
                Codec::Aac,
                Codec::Pcmu,
            ],
            "/metadata" => &[],
            _ => return None,
        };
        let clips = clips.iter().map(|codec| Track::Clip(Clip::of(*codec)));
        let metadata = ["/all", "/metadata"].contains(&url.path());
        Some(Stream {
            path: url.path().to_owned(),
            tracks: clips.chain(metadata.then_some(Track::Metadata)).collect(),
        })
    }

    fn events(&self) -> (Vec<Event>, broadcast::Receiver<Vec<Event>>) {
        (vec![Event::new("tns1:State")], self.events.subscribe())
    }

    fn note(&self, _asked: Asked<'_>) -> u64 {
        0
    }

    fn note_answer(&self, _number: u64, _status: u16) {}

    fn note_refusal(&self) {}

    fn document(&self, events: &[Event]) -> String {
        let topics = events.iter().map(|event| event.topic.as_str());
        topics.collect::<Vec<_>>().join(" ")
    }
}

/// A server, and what it shows.
struct Running {
    server: RtspServer,
    repertoire: Arc<Repertoire>,
}

impl Deref for Running {
    type Target = RtspServer;

    fn deref(&self) -> &RtspServer {
        &self.server
    }
}

async fn server(auth: Option<DigestServer>) -> Running {
    let server = RtspServer::start(RtspOptions {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        auth: auth.map(|auth| Door::digest(Arc::new(auth))),
        tls: None,
        multicast: Some(SocketAddrV4::new(GROUP, group_port())),
    })
    .await
    .unwrap();
    let repertoire = Arc::new(Repertoire {
        events: broadcast::Sender::new(8),
    });
    let programme: Weak<Repertoire> = Arc::downgrade(&repertoire);
    server.show(programme);
    Running { server, repertoire }
}

/// What a server sends.
enum Message {
    Answer(Answer),
    Packet(u8, Vec<u8>),
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.all(name)
            .next()
            .unwrap_or_else(|| panic!("no {name} in a {}", self.status))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn session(&self) -> &str {
        self.header("Session").strip_suffix(";timeout=60").unwrap()
    }

    /// The fields of a `key=value;key=value` header.
    fn fields(&self, name: &str) -> HashMap<&str, &str> {
        self.header(name)
            .split(';')
            .filter_map(|field| field.split_once('='))
            .collect()
    }
}

struct Client {
    stream: TcpStream,
    base: String,
    sequence: u32,
}

impl Client {
    async fn connect(server: &RtspServer) -> Self {
        let address = server.local_addr();
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            base: format!("rtsp://{address}"),
            sequence: 0,
        }
    }

    async fn write(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) {
        self.write_with_body(method, path, headers, "").await;
    }

    async fn write_with_body(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        self.sequence += 1;
        let url = format!("{}{path}", self.base);
        let mut request = format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\n", self.sequence);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body);
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    /// Sends a request and takes its answer, over packets that come before it.
    async fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.write(method, path, headers).await;
        let answer = self.answer().await;
        assert_eq!(answer.header("CSeq"), self.sequence.to_string());
        answer
    }

    async fn answer(&mut self) -> Answer {
        loop {
            if let Message::Answer(answer) = self.read().await.expect("an answer") {
                return answer;
            }
        }
    }

    async fn setup(&mut self, path: &str) -> String {
        let answer = self.ask("SETUP", path, &[TCP]).await;
        assert_eq!(answer.status, 200);
        answer.session().to_owned()
    }

    async fn setup_and_play(&mut self) -> (String, Answer) {
        let session = self.setup("/main/trackID=1").await;
        let answer = self.ask("PLAY", "/main", &[("Session", &session)]).await;
        assert_eq!(answer.status, 200);
        (session, answer)
    }

    /// The next message; `None` at the end of the connection.
    async fn read(&mut self) -> Option<Message> {
        timeout(DEADLINE, async {
            let first = self.stream.read_u8().await.ok()?;
            if first == b'$' {
                let channel = self.stream.read_u8().await.ok()?;
                let mut packet = vec![0; self.stream.read_u16().await.ok()?.into()];
                self.stream.read_exact(&mut packet).await.ok()?;
                return Some(Message::Packet(channel, packet));
            }
            let mut head = vec![first];
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await.ok()?);
            }
            let head = String::from_utf8(head).unwrap();
            let mut lines = head.trim_end().split("\r\n");
            let status = lines.next().unwrap().split(' ').nth(1).unwrap();
            let mut answer = Answer {
                status: status.parse().unwrap(),
                headers: lines
                    .map(|line| line.split_once(": ").unwrap())
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                body: String::new(),
            };
            let length = answer.all("Content-Length").next().unwrap_or("0");
            let mut body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut body).await.ok()?;
            answer.body = String::from_utf8(body).unwrap();
            Some(Message::Answer(answer))
        })
        .await
        .expect("the server sends something in time")
    }

    async fn packet(&mut self, wanted: u8) -> Vec<u8> {
        loop {
            match self.read().await.expect("a packet") {
                Message::Packet(channel, packet) if channel == wanted => return packet,
                Message::Packet(..) => {}
                Message::Answer(answer) => panic!("an answer of {}", answer.status),
            }
        }
    }

    /// Reads to the end of the connection and gives back the last packet of a channel.
    async fn last_packet(&mut self, wanted: u8) -> Option<Vec<u8>> {
        let mut last = None;
        while let Some(message) = self.read().await {
            if let Message::Packet(channel, packet) = message
                && channel == wanted
            {
                last = Some(packet);
            }
        }
        last
    }
}

fn sequence(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[2], packet[3]])
}

fn timestamp(packet: &[u8]) -> u32 {
    u32::from_be_bytes(packet[4..8].try_into().unwrap())
}

fn is_bye(packet: &[u8]) -> bool {
    packet.len() > 8 && packet[packet.len() - 8..packet.len() - 4] == [0x81, 203, 0, 1]
}

/// A port that is even, and free.
fn group_port() -> u16 {
    let free = || {
        std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
    };
    std::iter::repeat_with(|| free().unwrap().port())
        .find(|port| port % 2 == 0)
        .unwrap()
}

/// How many sessions play.
fn playing(server: &RtspServer) -> usize {
    let sessions = server.shared.sessions();
    sessions
        .iter()
        .filter(|session| session.is_playing())
        .count()
}

/// Waits until so many sessions play.
async fn until_playing(server: &RtspServer, sessions: usize) {
    timeout(DEADLINE, async {
        while playing(server) != sessions {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the number of playing sessions changes");
}
