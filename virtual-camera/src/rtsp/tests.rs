//! The server over real sockets, with a client written for it.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use http_auth::{PasswordClient, PasswordParams};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::*;
use crate::digest::Algorithm;

const DEADLINE: Duration = Duration::from_secs(20);
const TCP: (&str, &str) = ("Transport", "RTP/AVP/TCP;unicast;interleaved=4-5");

async fn server(auth: Option<DigestServer>) -> RtspServer {
    RtspServer::start(RtspOptions {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        auth: auth.map(Arc::new),
        clip: Clip::built_in(),
    })
    .await
    .unwrap()
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
        self.sequence += 1;
        let url = format!("{}{path}", self.base);
        let mut request = format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\n", self.sequence);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    /// Sends a request and takes its answer, over packets that come before it.
    async fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.write(method, path, headers).await;
        loop {
            if let Message::Answer(answer) = self.read().await.expect("an answer") {
                assert_eq!(answer.header("CSeq"), self.sequence.to_string());
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

/// Waits until so many sessions play.
async fn until_playing(server: &RtspServer, sessions: usize) {
    timeout(DEADLINE, async {
        while server.sessions() != sessions {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the number of playing sessions changes");
}

#[tokio::test]
async fn tells_what_it_can_and_describes_both_streams() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let options = client.ask("OPTIONS", "/main", &[]).await;
    assert!(options.header("Public").contains("GET_PARAMETER"));
    for path in ["/main", "/sub"] {
        let answer = client.ask("DESCRIBE", path, &[]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("Content-Type"), "application/sdp");
        let base = format!("{}{path}/", client.base);
        assert_eq!(answer.header("Content-Base"), base);
        assert!(answer.body.contains("a=control:trackID=1\r\n"));
    }
}

#[tokio::test]
async fn plays_interleaved_from_the_place_it_announces() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let setup = client.ask("SETUP", "/main/trackID=1", &[TCP]).await;
    assert_eq!(setup.fields("Transport")["interleaved"], "4-5");
    let session = setup.session().to_owned();
    let play = client.ask("PLAY", "/main/", &[("Session", &session)]).await;
    assert_eq!(play.header("Range"), "npt=now-");
    let info = play.fields("RTP-Info");
    assert_eq!(info["url"], format!("{}/main/trackID=1", client.base));

    // A report comes first and speaks of the same clock.
    let report = client.packet(5).await;
    assert_eq!(report[1], 200);
    let first = client.packet(4).await;
    assert_eq!(sequence(&first).to_string(), info["seq"]);
    assert_eq!(timestamp(&first).to_string(), info["rtptime"]);
    assert_eq!(first[8..12], report[4..8]);
    let ssrc = u32::from_str_radix(setup.fields("Transport")["ssrc"], 16).unwrap();
    assert_eq!(first[8..12], ssrc.to_be_bytes());
    until_playing(&server, 1).await;

    let mut previous = first;
    for _ in 0..40 {
        let packet = client.packet(4).await;
        assert_eq!(sequence(&packet), sequence(&previous).wrapping_add(1));
        let ends = previous[1] & 0x80 != 0;
        let step = timestamp(&packet).wrapping_sub(timestamp(&previous));
        assert_eq!(step, if ends { 6_000 } else { 0 });
        previous = packet;
    }
}

#[tokio::test]
async fn plays_over_udp_and_says_bye() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let rtp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let rtcp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let [rtp_port, rtcp_port] = [&rtp, &rtcp].map(|socket| socket.local_addr().unwrap().port());
    let transport = format!("RTP/AVP;unicast;client_port={rtp_port}-{rtcp_port}");
    let setup = client
        .ask("SETUP", "/sub", &[("Transport", &transport)])
        .await;
    let session = setup.session().to_owned();
    let play = client.ask("PLAY", "/sub", &[("Session", &session)]).await;

    let mut packet = [0; 2048];
    let (length, from) = timeout(DEADLINE, rtp.recv_from(&mut packet))
        .await
        .unwrap()
        .unwrap();
    assert!(length > 12);
    assert_eq!(
        sequence(&packet).to_string(),
        play.fields("RTP-Info")["seq"]
    );
    let server_ports = setup.fields("Transport")["server_port"];
    assert!(server_ports.starts_with(&format!("{}-", from.port())));
    assert_eq!(from.port() % 2, 0);

    let teardown = client
        .ask("TEARDOWN", "/sub", &[("Session", &session)])
        .await;
    assert_eq!(teardown.status, 200);
    assert_eq!(server.sessions(), 0);
    let length = timeout(DEADLINE, rtcp.recv(&mut packet))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(packet[1], 200);
    assert!(!is_bye(&packet[..length]));
    let length = timeout(DEADLINE, rtcp.recv(&mut packet))
        .await
        .unwrap()
        .unwrap();
    assert!(is_bye(&packet[..length]));
}

#[tokio::test]
async fn shows_all_clients_the_same_live_picture() {
    let server = server(None).await;
    let mut clients = [
        Client::connect(&server).await,
        Client::connect(&server).await,
    ];
    // The wall clock of a report less its RTP time since PLAY is the same for everyone.
    let mut offsets = Vec::new();
    for client in &mut clients {
        let (_, play) = client.setup_and_play().await;
        let rtptime: u32 = play.fields("RTP-Info")["rtptime"].parse().unwrap();
        let report = client.packet(5).await;
        let word = |at: usize| u32::from_be_bytes(report[at..at + 4].try_into().unwrap());
        let wall = f64::from(word(8)) + f64::from(word(12)) / 4_294_967_296.0;
        let since = f64::from(word(16).wrapping_sub(rtptime)) / 90_000.0;
        offsets.push((wall - since) * 15.0);
    }
    // The frames they joined at are a whole number of frames apart.
    let frames = offsets[1] - offsets[0];
    assert!(frames >= -0.01, "{frames}");
    assert!((frames - frames.round()).abs() < 0.01, "{frames}");
}

#[tokio::test]
async fn pauses_and_goes_on_with_the_next_sequence_number() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let (session, _) = client.setup_and_play().await;
    let mut last = sequence(&client.packet(4).await);
    client
        .write("PAUSE", "/main", &[("Session", &session)])
        .await;
    let answer = loop {
        match client.read().await.unwrap() {
            Message::Packet(4, packet) => last = sequence(&packet),
            Message::Packet(..) => {}
            Message::Answer(answer) => break answer,
        }
    };
    assert_eq!(answer.status, 200);
    assert_eq!(server.sessions(), 0);
    let again = client.ask("PAUSE", "/main", &[("Session", &session)]).await;
    assert_eq!(again.status, 455);

    let play = client.ask("PLAY", "/main", &[("Session", &session)]).await;
    let first = client.packet(4).await;
    assert_eq!(sequence(&first).to_string(), play.fields("RTP-Info")["seq"]);
    assert_eq!(sequence(&first), last.wrapping_add(1));
}

#[tokio::test]
async fn refuses_with_the_status_of_the_reason() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let session = client.setup("/main").await;
    let session = ("Session", session.as_str());
    let transport = |value| ("Transport", value);
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);
    let cases: &[Case<'_>] = &[
        ("DESCRIBE", "/other", &[], 404),
        ("DESCRIBE", "/main", &[("Accept", "text/html")], 406),
        ("DESCRIBE", "/main", &[("Require", "onvif-replay")], 551),
        ("SETUP", "/main", &[], 400),
        ("SETUP", "/main", &[transport("RTP/AVP;multicast")], 461),
        (
            "SETUP",
            "/main",
            &[transport("RTP/SAVP;client_port=6-7")],
            461,
        ),
        (
            "SETUP",
            "/main",
            &[transport("RTP/AVP;client_port=6-7;destination=192.0.2.1")],
            463,
        ),
        ("SETUP", "/sub", &[TCP, session], 459),
        ("SETUP", "/main", &[TCP, ("Session", "none")], 454),
        ("PLAY", "/main", &[], 454),
        ("PLAY", "/sub", &[session], 454),
        ("PLAY", "/main", &[session, ("Range", "npt=10-20")], 457),
        ("PAUSE", "/main", &[session], 455),
        ("TEARDOWN", "/main", &[("Session", "none")], 454),
        ("GET_PARAMETER", "/main", &[("Session", "none")], 454),
        ("ANNOUNCE", "/main", &[], 405),
        ("DANCE", "/main", &[], 501),
    ];
    for (method, path, headers, status) in cases {
        let answer = client.ask(method, path, headers).await;
        assert_eq!(answer.status, *status, "{method} {path} {headers:?}");
    }
    // The session and the connection have survived all of it.
    let answer = client.ask("SETUP", "/main", &[TCP, session]).await;
    assert_eq!(answer.status, 200);
    let session = answer.session().to_owned();
    let session = ("Session", session.as_str());
    assert_eq!(client.ask("PLAY", "/main", &[session]).await.status, 200);
    let answer = client.ask("SETUP", "/main", &[TCP, session]).await;
    assert_eq!(answer.status, 455);
}

#[tokio::test]
async fn gives_a_second_session_of_a_connection_other_channels() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    client.setup("/main").await;
    let answer = client.ask("SETUP", "/sub", &[TCP]).await;
    assert_eq!(answer.fields("Transport")["interleaved"], "0-1");
}

#[tokio::test]
async fn lets_in_who_answers_any_of_its_challenges() {
    let auth = DigestServer::new(
        "camera",
        "admin",
        "secret",
        &[Algorithm::Md5, Algorithm::Sha256],
    );
    let server = server(Some(auth)).await;
    let mut client = Client::connect(&server).await;
    assert_eq!(client.ask("OPTIONS", "/main", &[]).await.status, 200);
    let refused = client.ask("DESCRIBE", "/main", &[]).await;
    assert_eq!(refused.status, 401);
    let challenges: Vec<_> = refused.all("WWW-Authenticate").collect();
    assert_eq!(challenges.len(), 2);
    assert!(challenges[0].contains("SHA-256") && challenges[1].contains("MD5"));

    for challenge in challenges {
        let mut credentials = PasswordClient::builder()
            .challenges(challenge)
            .build()
            .unwrap();
        let mut session: Option<String> = None;
        for (method, path) in [
            ("DESCRIBE", "/main"),
            ("SETUP", "/main/trackID=1"),
            ("PLAY", "/main/"),
        ] {
            let authorization = credentials
                .respond(&PasswordParams {
                    username: "admin",
                    password: "secret",
                    uri: &format!("{}{path}", client.base),
                    method,
                    body: None,
                })
                .unwrap();
            let mut headers = vec![TCP];
            if let Some(session) = &session {
                headers.push(("Session", session));
            }
            assert_eq!(client.ask(method, path, &headers).await.status, 401);
            headers.push(("Authorization", &authorization));
            let answer = client.ask(method, path, &headers).await;
            assert_eq!(answer.status, 200, "{method}");
            // The same answer again is a replay.
            let replayed = client.ask(method, path, &headers).await;
            assert!(replayed.header("WWW-Authenticate").ends_with("stale=true"));
            session = session.or(answer.all("Session").next().map(str::to_owned));
        }
    }
    server.set_auth(None);
    assert_eq!(client.ask("DESCRIBE", "/main", &[]).await.status, 200);
}

#[tokio::test]
async fn a_bad_request_costs_only_its_connection() {
    let server = server(None).await;
    let mut good = Client::connect(&server).await;
    good.setup_and_play().await;
    for (request, status) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], 400),
        (
            b"OPTIONS * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
            413,
        ),
        (&[b'a'; 20 << 10], 400),
    ] {
        let mut bad = Client::connect(&server).await;
        bad.stream.write_all(request).await.unwrap();
        let Some(Message::Answer(answer)) = bad.read().await else {
            panic!("no answer");
        };
        assert_eq!(answer.status, status);
        assert!(bad.read().await.is_none());
    }
    good.packet(4).await;
    assert_eq!(server.sessions(), 1);
}

#[tokio::test]
async fn ends_a_session_that_is_not_kept_alive() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    let kept = client.setup("/main").await;
    let lost = client.setup("/sub").await;
    for method in ["GET_PARAMETER", "SET_PARAMETER", "OPTIONS"] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(40)).await;
        tokio::time::resume();
        let answer = client.ask(method, "/main", &[("Session", &kept)]).await;
        assert_eq!(answer.status, 200, "{method}");
    }
    let answer = client.ask("PLAY", "/sub", &[("Session", &lost)]).await;
    assert_eq!(answer.status, 454);
}

#[tokio::test]
async fn closes_a_connection_that_nobody_uses() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    client.ask("OPTIONS", "/main", &[]).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    assert!(client.read().await.is_none());
}

#[tokio::test]
async fn sessions_end_with_the_connection_they_go_through() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    client.setup_and_play().await;
    until_playing(&server, 1).await;
    drop(client);
    until_playing(&server, 0).await;
}

#[tokio::test]
async fn refuses_one_session_too_many() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    for _ in 0..64 {
        client.setup("/main").await;
    }
    assert_eq!(client.ask("SETUP", "/main", &[TCP]).await.status, 453);
}

#[tokio::test]
async fn closes_all_sessions_and_serves_new_ones() {
    let server = server(None).await;
    let mut client = Client::connect(&server).await;
    client.setup_and_play().await;
    client.packet(4).await;
    server.close_sessions();
    assert_eq!(server.sessions(), 0);
    assert!(is_bye(&client.last_packet(5).await.unwrap()));

    let mut client = Client::connect(&server).await;
    client.setup_and_play().await;
    until_playing(&server, 1).await;
}

#[tokio::test]
async fn stops_when_it_is_dropped() {
    let server = server(None).await;
    let address = server.local_addr();
    let mut client = Client::connect(&server).await;
    client.setup_and_play().await;
    client.packet(4).await;
    drop(server);
    assert!(is_bye(&client.last_packet(5).await.unwrap()));
    timeout(DEADLINE, async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the server stops listening");
}
