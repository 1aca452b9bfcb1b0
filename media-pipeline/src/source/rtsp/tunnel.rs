//! RTSP through HTTP, as QuickTime began it and ONVIF took it over (Streaming Specification, 5.1.1.4): what the camera sends is
//! the endless answer to a GET, and what is sent to it the body of a POST, in Base64. A cookie of our making joins the two.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{ACCEPT, CACHE_CONTROL, HeaderMap, HeaderName, PRAGMA};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex,
};
use url::Url;

use super::RtspSource;
use crate::Error;
use crate::dial::{Dialed, Dialer, Wire};
use crate::guard::Authenticator;
use crate::source::Source as _;
use crate::source::http::client::{Answer, Client, target};
use crate::source::http::query::has_credentials;

const MEDIA_TYPE: &str = "application/x-rtsp-tunnelled";
const COOKIE: HeaderName = HeaderName::from_static("x-sessioncookie");
/// What a POST announces. None is ever so long, but servers that count would end one that was.
const POST_LENGTH: usize = 32_767;
/// Room for requests on their way.
const REQUESTS: usize = 16 << 10;

impl RtspSource {
    /// Opens both ways of a tunnel.
    pub(super) async fn tunnel(&self, url: &Url) -> Result<Dialed, Error> {
        let options = &self.options;
        let cookie = format!("{:016x}", rand::random::<u64>());
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.insert(COOKIE, cookie);
        }
        let credentials = options.credentials.clone();
        let mut client = Client {
            url: url.clone(),
            label: self.label(),
            dialer: self.dialer.clone(),
            headers,
            connect_timeout: options.connect_timeout,
            header: options.caps.header,
            // Most cameras want credentials inside of the tunnel alone, some for it as well.
            auth: credentials.map(|credentials| {
                Authenticator::new(credentials, self.allow_basic, self.md5_works.clone())
            }),
            budget: self.budget.clone(),
            accepted: false,
            in_query: has_credentials(url),
            retry_after: None,
            idle: None,
        };
        let answer = client.get().await?;
        let authorization = match &mut client.auth {
            Some(auth) => auth.authorization("POST", &target(&answer.url), b""),
            None => None,
        };
        let mut post = Post {
            head: head(&answer.url, &cookie, authorization.as_deref()),
            url: answer.url.clone(),
            dialer: self.dialer.clone(),
            limit: options.connect_timeout,
            most: POST_LENGTH,
            sent: 0,
            wire: None,
        };
        let local_ip = post.open().await?;
        let (requests, taken) = duplex(REQUESTS);
        tokio::spawn(async move {
            if let Err(error) = post.run(taken).await {
                tracing::debug!(%error, "the way to the camera is closed");
            }
        });
        Ok(Dialed {
            wire: Box::new(Tunnel {
                answer,
                rest: Bytes::new(),
                requests,
            }),
            ip: self.dialer.ip().unwrap_or(local_ip),
            local_ip,
        })
    }
}

/// The head of a POST.
fn head(url: &Url, cookie: &str, authorization: Option<&str>) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    let authorization = authorization.map(|it| format!("Authorization: {it}\r\n"));
    format!(
        "POST {} HTTP/1.1\r\nHost: {host}{}\r\nX-Sessioncookie: {cookie}\r\nContent-Type: {MEDIA_TYPE}\r\n\
         Pragma: no-cache\r\nCache-Control: no-cache\r\nContent-Length: {POST_LENGTH}\r\n\
         Expires: Sun, 9 Jan 1972 00:00:00 GMT\r\n{}\r\n",
        target(url),
        port.unwrap_or_default(),
        authorization.unwrap_or_default(),
    )
}

/// The way to the camera: one POST after the other.
struct Post {
    url: Url,
    head: String,
    dialer: Arc<Dialer>,
    limit: Duration,
    /// Most bytes of a body, and those of this one that were sent.
    most: usize,
    sent: usize,
    wire: Option<Wire>,
}

impl Post {
    /// Begins a POST; returns our address.
    async fn open(&mut self) -> Result<std::net::IpAddr, Error> {
        let port = self.url.port_or_known_default().unwrap_or(80);
        let secure = self.url.scheme() == "https";
        let Dialed {
            mut wire, local_ip, ..
        } = self.dialer.dial(port, secure, self.limit).await?;
        let begun = async {
            wire.write_all(self.head.as_bytes()).await?;
            wire.flush().await
        };
        begun.await.map_err(|e| Error::Network {
            url: super::label(&self.url),
            action: "cannot open the tunnel".into(),
            source: Some(Arc::new(e)),
        })?;
        self.sent = 0;
        self.wire = Some(wire);
        Ok(local_ip)
    }

    async fn run(&mut self, mut requests: DuplexStream) -> Result<(), Error> {
        let mut plain = vec![0; REQUESTS];
        loop {
            let read = requests.read(&mut plain).await.unwrap_or(0);
            if read == 0 {
                break;
            }
            let encoded = BASE64.encode(&plain[..read]);
            if self.sent + encoded.len() > self.most || !self.send(&encoded).await {
                self.open().await?;
                self.send(&encoded).await;
            }
        }
        if let Some(mut wire) = self.wire.take() {
            let _ = wire.shutdown().await;
        }
        Ok(())
    }

    async fn send(&mut self, encoded: &str) -> bool {
        let Some(wire) = &mut self.wire else {
            return false;
        };
        self.sent += encoded.len();
        wire.write_all(encoded.as_bytes()).await.is_ok() && wire.flush().await.is_ok()
    }
}

/// Both ways as one connection.
struct Tunnel {
    answer: Answer,
    /// Of the answer, what was not read yet.
    rest: Bytes,
    requests: DuplexStream,
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.answer.poll_piece(cx)).map_err(io::Error::other)? {
                Some(piece) => self.rest = piece,
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.requests).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.requests).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.requests).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::TlsOptions;

    #[tokio::test]
    async fn a_post_that_has_sent_what_it_announced_is_followed_by_another() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/live", listener.local_addr().unwrap());
        let url = Url::parse(&url).unwrap();
        let mut post = Post {
            head: head(&url, "cookie", None),
            dialer: Arc::new(Dialer::new(
                "127.0.0.1",
                "cam".into(),
                TlsOptions::default(),
            )),
            url,
            limit: Duration::from_secs(5),
            most: 20,
            sent: 0,
            wire: None,
        };
        let server = async {
            let mut bodies = Vec::new();
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).await.unwrap();
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                assert!(
                    head.starts_with("POST /live HTTP/1.1\r\n") && head.contains(": cookie\r\n")
                );
                bodies.push(body.to_owned());
            }
            bodies
        };
        let client = async {
            post.open().await.unwrap();
            let (mut requests, taken) = duplex(6);
            let run = post.run(taken);
            let write = async move {
                // Two of these fit into a body.
                for _ in 0..3 {
                    requests.write_all(b"sixsix").await.unwrap();
                    requests.flush().await.unwrap();
                }
            };
            tokio::join!(run, write).0.unwrap();
        };
        let (bodies, ()) = tokio::join!(server, client);
        assert_eq!(bodies, ["c2l4c2l4c2l4c2l4", "c2l4c2l4"]);
    }
}
