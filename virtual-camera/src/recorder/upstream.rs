//! The camera behind a recorder.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING,
    WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{Request, StatusCode};
use http_auth::{PasswordClient, PasswordParams};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::ServerName;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::RecorderOptions;
use crate::auth::username_token;
use crate::clock::write_timestamp;
use crate::soap;
use crate::xml::{TDS, read};

const MAX_ANSWER: usize = 4 << 20;
/// Longer than any pull that a client asks for.
const DEADLINE: Duration = Duration::from_secs(150);
const WSSE: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const WSU: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const DIGEST: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";

/// What the camera answered.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.body
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

/// A port of the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Port {
    number: u16,
    over_tls: bool,
}

impl Port {
    /// That of an address, where it is one of HTTP.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let is_http = ["http", "https"].contains(&url.scheme()) && url.has_host();
        is_http.then_some(Self {
            number: url.port_or_known_default()?,
            over_tls: url.scheme() == "https",
        })
    }
}

pub(super) struct Upstream {
    device: Url,
    /// Who the camera has to be over TLS, and how it proves that.
    tls: Option<(ServerName<'static>, TlsConnector)>,
    credentials: Option<(String, String)>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("device", &self.device.as_str())
            .finish_non_exhaustive()
    }
}

impl Upstream {
    /// The camera of these options, or what is wrong with them.
    pub(super) fn new(options: &RecorderOptions) -> Result<Self, String> {
        let name = match options.device.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address).into()),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address).into()),
            None => None,
        };
        let connector = options.certificates.connector();
        let tls = match options.device.scheme() {
            "https" => name.zip(Some(connector?)),
            // It may name addresses over HTTPS nevertheless.
            _ => name.zip(connector.ok()),
        };
        Ok(Self {
            device: options.device.clone(),
            tls,
            credentials: options.credentials.clone(),
        })
    }

    /// Whether it can be asked there.
    pub(super) fn reaches(&self, port: Port) -> bool {
        !port.over_tls || self.tls.is_some()
    }

    /// Passes a request on, once more with our credentials where it has none and needs some.
    pub(super) async fn ask(&self, parts: &Parts, port: Port, body: &Bytes) -> io::Result<Answer> {
        let answer = self.send(parts, port, body.clone(), None).await?;
        let Some((user, password)) = &self.credentials else {
            return Ok(answer);
        };
        let request = soap::Request::read(body).ok();
        let has_token = request.is_some_and(|request| username_token(&request.header).is_some());
        if has_token || parts.headers.contains_key(AUTHORIZATION) || !super::is_refusal(&answer) {
            return Ok(answer);
        }
        let challenges = answer.headers.get_all(WWW_AUTHENTICATE).iter();
        let challenges: Vec<_> = challenges.filter_map(|value| value.to_str().ok()).collect();
        if let Ok(mut client) = PasswordClient::try_from(challenges.join(", ").as_str()) {
            let uri = parts.uri.path_and_query().map_or("/", |uri| uri.as_str());
            let response = client.respond(&PasswordParams {
                username: user,
                password,
                uri,
                method: parts.method.as_str(),
                body: Some(body),
            });
            let response = response.map_err(io::Error::other)?;
            return self.send(parts, port, body.clone(), Some(response)).await;
        }
        let time = self.time().await;
        let token = token(user, password, &rand::random(), time);
        match with_header(body, &token) {
            Some(body) => self.send(parts, port, body.into(), None).await,
            None => Ok(answer),
        }
    }

    /// The camera's clock; ours, where it does not tell.
    async fn time(&self) -> Timestamp {
        let asked = format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>\
             <tds:GetSystemDateAndTime xmlns:tds=\"{}\"/></s:Body></s:Envelope>",
            TDS.uri
        );
        let request = Request::post(self.device.path())
            .header("content-type", "application/soap+xml; charset=utf-8")
            .body(());
        let told = async {
            let (parts, ()) = request.ok()?.into_parts();
            let port = Port::of(&self.device)?;
            let answer = self.send(&parts, port, asked.into(), None).await.ok()?;
            shown_time(&answer.body)
        };
        told.await.unwrap_or_else(Timestamp::now)
    }

    async fn send(
        &self,
        parts: &Parts,
        port: Port,
        body: Bytes,
        authorization: Option<String>,
    ) -> io::Result<Answer> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = parts.method.clone();
        let uri = parts.uri.path_and_query().map_or("/", |uri| uri.as_str());
        *request.uri_mut() = uri.parse().map_err(io::Error::other)?;
        let headers = request.headers_mut();
        headers.clone_from(&parts.headers);
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let host = self.device.host_str().unwrap_or_default();
        let host = format!("{host}:{}", port.number);
        headers.insert(
            HOST,
            HeaderValue::try_from(&host).map_err(io::Error::other)?,
        );
        if let Some(authorization) = authorization {
            let value = HeaderValue::try_from(authorization).map_err(io::Error::other)?;
            headers.insert(AUTHORIZATION, value);
        }
        let answered = async {
            let stream = TcpStream::connect(&host).await?;
            if !port.over_tls {
                return exchange(stream, request).await;
            }
            let Some((name, connector)) = &self.tls else {
                return Err(io::Error::other("no certificate is trusted"));
            };
            let stream = connector.connect(name.clone(), stream).await?;
            exchange(stream, request).await
        };
        let answered = tokio::time::timeout(DEADLINE, answered);
        answered.await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> io::Result<Answer> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    let answered = async {
        let (parts, body) = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?
            .into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.map_err(io::Error::other)?.to_bytes(),
        })
    };
    let mut answered = std::pin::pin!(answered);
    tokio::select! {
        answer = &mut answered => answer,
        // The connection may end before its last answer was taken.
        _ = connection => answered.await,
    }
}

/// `UTCDateTime` of an answer.
fn shown_time(document: &[u8]) -> Option<Timestamp> {
    let document = read(document).ok()?;
    let response = document.child("Body")?.children.first()?;
    let utc = response.child("SystemDateAndTime")?.child("UTCDateTime")?;
    let (date, time) = (utc.child("Date")?, utc.child("Time")?);
    let number = |node: &crate::xml::Node, name| node.text_of(name)?.parse::<i16>().ok();
    let small = |node, name| number(node, name)?.try_into().ok();
    let shown = DateTime::new(
        number(date, "Year")?,
        small(date, "Month")?,
        small(date, "Day")?,
        small(time, "Hour")?,
        small(time, "Minute")?,
        small(time, "Second")?,
        0,
    );
    Some(shown.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A `Security` header (WS-Security UsernameToken Profile 1.0, section 3.1).
fn token(user: &str, password: &str, nonce: &[u8; 16], time: Timestamp) -> String {
    let created = write_timestamp(time);
    let digest = Sha1::new()
        .chain_update(nonce)
        .chain_update(&created)
        .chain_update(password)
        .finalize();
    let user = quick_xml::escape::escape(user);
    format!(
        "<wsse:Security xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\"><wsse:UsernameToken><wsse:Username>{user}</wsse:Username>\
         <wsse:Password Type=\"{DIGEST}\">{}</wsse:Password><wsse:Nonce>{}</wsse:Nonce>\
         <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>",
        BASE64_STANDARD.encode(digest),
        BASE64_STANDARD.encode(nonce),
    )
}

/// The envelope with one more header block.
fn with_header(envelope: &[u8], block: &str) -> Option<String> {
    let text = std::str::from_utf8(envelope).ok()?;
    let body = tag(text, "Body")?;
    let Some(header) = tag(text, "Header").filter(|header| header.start < body.start) else {
        let prefix = body.prefix;
        let header = format!("<{prefix}Header>{block}</{prefix}Header>");
        return Some(format!(
            "{}{header}{}",
            &text[..body.start],
            &text[body.start..]
        ));
    };
    let (before, after) = text.split_at(header.end);
    Some(match before.strip_suffix("/>") {
        Some(open) => format!("{open}>{block}</{}Header>{after}", header.prefix),
        None => format!("{before}{block}{after}"),
    })
}

/// A start tag: where it is, and its prefix with the colon.
struct Tag<'t> {
    start: usize,
    end: usize,
    prefix: &'t str,
}

fn tag<'t>(text: &'t str, name: &str) -> Option<Tag<'t>> {
    let tags = text.match_indices('<').map(|(start, _)| start);
    tags.filter_map(|start| {
        let inner = &text[start + 1..];
        let end = inner.find(['>', '/', ' ', '\t', '\r', '\n'])?;
        let (prefix, local) = match inner[..end].rfind(':') {
            Some(colon) => inner[..end].split_at(colon + 1),
            None => ("", &inner[..end]),
        };
        let closes = inner.find('>')?;
        (local == name).then_some(Tag {
            start,
            end: start + 1 + closes + 1,
            prefix,
        })
    })
    .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_block_is_added_to_any_envelope() {
        let expected = "<s:Envelope><s:Header>X</s:Header><s:Body/></s:Envelope>";
        for envelope in [
            "<s:Envelope><s:Body/></s:Envelope>",
            "<s:Envelope><s:Header/><s:Body/></s:Envelope>",
            "<s:Envelope><s:Header></s:Header><s:Body/></s:Envelope>",
        ] {
            assert_eq!(with_header(envelope.as_bytes(), "X").unwrap(), expected);
        }
        let own = with_header(b"<Envelope><Body></Body></Envelope>", "X");
        assert_eq!(
            own.unwrap(),
            "<Envelope><Header>X</Header><Body></Body></Envelope>"
        );
        assert_eq!(with_header(b"<html></html>", "X"), None);
    }

    #[test]
    fn the_time_of_a_camera_is_read() {
        let shown = b"<E><Body><R><SystemDateAndTime><UTCDateTime><Time><Hour>3</Hour><Minute>4</Minute>\
            <Second>5</Second></Time><Date><Year>2026</Year><Month>1</Month><Day>2</Day></Date></UTCDateTime>\
            </SystemDateAndTime></R></Body></E>";
        let time = shown_time(shown).unwrap();
        assert_eq!(write_timestamp(time), "2026-01-02T03:04:05.000Z");
        assert_eq!(shown_time(b"<E/>"), None);
    }
}
