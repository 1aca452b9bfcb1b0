//! The little that it takes to talk SOAP and RTSP.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;
use virtual_camera::VirtualCamera;

pub const DEADLINE: Duration = Duration::from_secs(20);

/// A connection, over TCP or TLS.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

pub async fn connect(url: &Url) -> TcpStream {
    let port = url.port_or_known_default().unwrap();
    TcpStream::connect((url.host_str().unwrap(), port))
        .await
        .unwrap()
}

/// Asks a SOAP operation of a service (`media`, `media2`) of an open camera; the namespace goes with the service.
pub async fn soap(camera: &VirtualCamera, service: &str, operation: &str, content: &str) -> String {
    let namespace = match service {
        "media" => "http://www.onvif.org/ver10/media/wsdl",
        _ => "http://www.onvif.org/ver20/media/wsdl",
    };
    let body = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><{operation} xmlns=\"{namespace}\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\">{content}</{operation}></s:Body></s:Envelope>"
    );
    let url = camera.device_url();
    let mut stream = connect(&url).await;
    let path = format!("/onvif/{service}_service");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/soap+xml\r\n\
         Content-Length: {}\r\n\r\n",
        url.host_str().unwrap(),
        body.len()
    );
    stream
        .write_all([head, body].concat().as_bytes())
        .await
        .unwrap();
    let mut reply = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut reply))
        .await
        .unwrap()
        .unwrap();
    reply
}

/// The text of the first element with this name.
pub fn text<'a>(reply: &'a str, name: &str) -> &'a str {
    let (_, rest) = reply
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no {name} in {reply}"));
    rest.split_once('<').unwrap().0
}

/// The next RTSP or HTTP message without a body, or head of one; interleaved packets are passed over.
pub async fn head(wire: &mut (impl AsyncRead + Unpin)) -> String {
    timeout(DEADLINE, async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = wire.read_u8().await.unwrap();
            if head.is_empty() && byte == b'$' {
                let _channel = wire.read_u8().await.unwrap();
                let mut packet = vec![0; wire.read_u16().await.unwrap().into()];
                wire.read_exact(&mut packet).await.unwrap();
                continue;
            }
            head.push(byte);
        }
        String::from_utf8(head).unwrap()
    })
    .await
    .expect("a message comes in time")
}

/// The value of a header.
pub fn value<'a>(head: &'a str, name: &str) -> &'a str {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.unwrap_or_else(|| panic!("no {name} in {head}")).1
}

/// The next interleaved packet of a channel; those of others are passed over.
pub async fn packet(wire: &mut (impl AsyncRead + Unpin), channel: u8) -> Vec<u8> {
    timeout(DEADLINE, async {
        loop {
            let (of, packet) = interleaved(wire).await;
            if of == channel {
                return packet;
            }
        }
    })
    .await
    .expect("a packet comes in time")
}

/// Waits until each of these channels has brought a packet, in whatever order.
pub async fn packet_of_each(wire: &mut (impl AsyncRead + Unpin), channels: &[u8]) {
    let mut missing = channels.to_vec();
    timeout(DEADLINE, async {
        while !missing.is_empty() {
            let (of, _) = interleaved(wire).await;
            missing.retain(|channel| *channel != of);
        }
    })
    .await
    .expect("packets of each channel come in time");
}

async fn interleaved(wire: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    assert_eq!(wire.read_u8().await.unwrap(), b'$');
    let channel = wire.read_u8().await.unwrap();
    let mut packet = vec![0; wire.read_u16().await.unwrap().into()];
    wire.read_exact(&mut packet).await.unwrap();
    (channel, packet)
}

/// Asks for the description of a stream; gives back the head of the answer, and the description.
pub async fn describe(wire: &mut impl Wire, url: &Url) -> (String, String) {
    let request = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    wire.write_all(request.as_bytes()).await.unwrap();
    let head = head(wire).await;
    let mut body = vec![0; value(&head, "Content-Length").parse().unwrap()];
    wire.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// Sets up all tracks of a stream in channels 0-1, 2-3 and so on, and plays it.
pub async fn play(wire: &mut impl Wire, url: &Url, tracks: usize) {
    let mut session = String::new();
    for track in 0..tracks {
        let request = format!(
            "SETUP {url}/trackID={} RTSP/1.0\r\nCSeq: {}\r\n{session}Transport: RTP/AVP/TCP;unicast;interleaved={}-{}\r\n\r\n",
            track + 1,
            track + 2,
            2 * track,
            2 * track + 1
        );
        wire.write_all(request.as_bytes()).await.unwrap();
        let head = head(wire).await;
        assert!(head.starts_with("RTSP/1.0 200 "), "{head}");
        let id = value(&head, "Session").split(';').next().unwrap();
        session = format!("Session: {id}\r\n");
    }
    let request = format!("PLAY {url} RTSP/1.0\r\nCSeq: 9\r\n{session}\r\n");
    wire.write_all(request.as_bytes()).await.unwrap();
    let head = head(wire).await;
    assert!(head.starts_with("RTSP/1.0 200 "), "{head}");
}
