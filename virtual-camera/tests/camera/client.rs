//! A client as small as can be, so that it hides nothing.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;
use virtual_camera::{Builder, Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);

pub const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
pub const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
pub const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";
pub const PTZ: &str = "http://www.onvif.org/ver20/ptz/wsdl";
pub const IMAGING: &str = "http://www.onvif.org/ver20/imaging/wsdl";
pub const DEVICE_IO: &str = "http://www.onvif.org/ver10/deviceIO/wsdl";
pub const EVENTS: &str = "http://www.onvif.org/ver10/events/wsdl";
pub const NOTIFICATION: &str = "http://docs.oasis-open.org/wsn/b-2";

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The text between the first `<element>` and what follows it.
    pub fn value(&self, element: &str) -> &str {
        self.values(element)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no {element} in {}", self.text()))
    }

    pub fn values(&self, element: &str) -> Vec<&str> {
        let start = format!("<{element}>");
        let parts = self.text().split(start.as_str()).skip(1);
        parts.map(|part| part.split('<').next().unwrap()).collect()
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn fault(self, status: u16, subcode: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        let values = self.values("env:Value");
        assert!(values.contains(&subcode), "{values:?}");
        self
    }
}

pub async fn open_camera() -> VirtualCamera {
    VirtualCamera::builder().start().await.unwrap()
}

pub async fn camera_with(quirks: Quirks) -> VirtualCamera {
    builder().quirks(quirks).start().await.unwrap()
}

pub fn builder() -> Builder {
    VirtualCamera::builder()
}

/// Sends one request on a connection of its own.
pub async fn send(method: &str, url: &Url, headers: &[(&str, &str)], body: &str) -> Reply {
    let sent = async {
        let host = url.host_str().unwrap();
        let port = url.port().unwrap();
        let mut head = format!(
            "{method} {} HTTP/1.1\r\nHost: {host}:{port}\r\n",
            url.path()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        ));
        let mut stream = TcpStream::connect((host, port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        received
    };
    let received = tokio::time::timeout(DEADLINE, sent)
        .await
        .expect("the camera is silent");
    let end = received.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    Reply {
        status: status.parse().unwrap(),
        headers: lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: received[end + 4..].to_vec(),
    }
}

/// An envelope with a header and `<OPERATION xmlns=NAMESPACE>CONTENT</OPERATION>`; the usual prefixes are declared.
pub fn envelope(header: &str, namespace: &str, operation: &str, content: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:tt='http://www.onvif.org/ver10/schema' \
         xmlns:tns1='http://www.onvif.org/ver10/topics' xmlns:wsnt='{NOTIFICATION}'><s:Header>{header}</s:Header>\
         <s:Body><{operation} xmlns='{namespace}'>{content}</{operation}></s:Body></s:Envelope>"
    )
}

/// Calls an operation without credentials.
pub async fn call(
    camera: &VirtualCamera,
    namespace: &str,
    operation: &str,
    content: &str,
) -> Reply {
    let body = envelope("", namespace, operation, content);
    send("POST", &service_url(camera, namespace), &[], &body).await
}

pub fn service_url(camera: &VirtualCamera, namespace: &str) -> Url {
    let path = match namespace {
        DEVICE => "device_service",
        MEDIA => "media_service",
        MEDIA2 => "media2_service",
        PTZ => "ptz_service",
        IMAGING => "imaging_service",
        EVENTS => "event_service",
        DEVICE_IO => "deviceio_service",
        other => panic!("no service {other}"),
    };
    camera.device_url().join(path).unwrap()
}

/// A `Security` header with a username token.
pub fn username_token(user: &str, password: &str, nonce: &str) -> String {
    let created = jiff::Timestamp::now().to_string();
    let digest = Sha1::new()
        .chain_update(nonce)
        .chain_update(&created)
        .chain_update(password)
        .finalize();
    format!(
        "<Security xmlns='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'>\
         <UsernameToken><Username>{user}</Username><Password>{}</Password><Nonce>{}</Nonce>\
         <Created>{created}</Created></UsernameToken></Security>",
        BASE64_STANDARD.encode(digest),
        BASE64_STANDARD.encode(nonce),
    )
}

/// Answers a SHA-256 Digest challenge.
pub fn digest(challenge: &str, method: &str, uri: &str, user: &str, password: &str) -> String {
    let field = |name: &str| {
        let value = challenge.split_once(&format!("{name}=\"")).unwrap().1;
        value.split('"').next().unwrap().to_owned()
    };
    assert!(challenge.contains("SHA-256"), "{challenge}");
    let hash = |text: String| -> String {
        Sha256::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let (realm, nonce) = (field("realm"), field("nonce"));
    let secret = hash(format!("{user}:{realm}:{password}"));
    let request = hash(format!("{method}:{uri}"));
    let response = hash(format!("{secret}:{nonce}:00000001:abcdef:auth:{request}"));
    format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=SHA-256, \
         qop=auth, nc=00000001, cnonce=\"abcdef\", response=\"{response}\""
    )
}
