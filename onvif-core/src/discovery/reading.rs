//! What a datagram says. Pure.

use std::net::SocketAddr;

use url::Url;

use super::Discovered;
use super::rank::rank;
use crate::uri::UriPolicy;
use crate::xml::namespace::{NETWORK, uri};
use crate::xml::{DecodeError, Element, FromText, Limits, Reader};

/// UDP carries no more.
pub(super) const MAX_DATAGRAM: usize = 64 * 1024;
pub(super) const MAX_REFERENCE: usize = 512;
const MAX_MATCHES: usize = 256;
const MAX_XADDRS: usize = 16;
const MAX_SCOPES: usize = 64;
const MAX_SCOPE: usize = 1024;

/// Reads the cameras out of a datagram of WS-Discovery: ProbeMatches, ResolveMatches or Hello. For
/// programs with sockets of their own, for captures and tests; nothing is known about which probe it answers.
///
/// Undeclared prefixes and broken UTF-8 are put up with. Of a datagram that breaks off, what was complete is returned.
///
/// # Errors
/// When it is no XML that can be read, or holds more than a datagram can.
pub fn decode_datagram(datagram: &[u8], from: SocketAddr) -> Result<Vec<Discovered>, DecodeError> {
    let mut found = match read(datagram, from)?.content {
        Content::Matches(found) => found,
        Content::Hello(camera) => vec![*camera],
        Content::Bye(_) | Content::Nothing => Vec::new(),
    };
    found.retain(|camera| camera.camera);
    Ok(found
        .into_iter()
        .map(|mut found| {
            rank(&mut found.device.xaddrs, from.ip(), &[]);
            found.device
        })
        .collect())
}

/// A datagram, as far as it says something to us.
#[derive(Debug, Default)]
pub(super) struct Datagram {
    pub(super) message_id: Option<String>,
    pub(super) relates_to: Option<String>,
    pub(super) content: Content,
}

#[derive(Debug, Default)]
pub(super) enum Content {
    Matches(Vec<Found>),
    Hello(Box<Found>),
    /// The endpoint reference of who leaves.
    Bye(String),
    #[default]
    Nothing,
}

/// A device, and whether it is a camera at all: printers and computers answer probes too.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) device: Discovered,
    pub(super) camera: bool,
}

pub(super) fn read(datagram: &[u8], from: SocketAddr) -> Result<Datagram, DecodeError> {
    if datagram.len() > MAX_DATAGRAM {
        return Err(DecodeError::TooLarge {
            what: "bytes",
            limit: MAX_DATAGRAM,
        });
    }
    let text = String::from_utf8_lossy(datagram);
    let limits = Limits {
        // Each broken byte becomes a character of three.
        bytes: MAX_DATAGRAM * 3,
        elements: 4096,
        ..Limits::default()
    };
    let mut reader = Reader::with_limits(&text, limits)?;
    let mut root = reader.root()?;
    let mut read = Datagram::default();
    while let Some(mut part) = root.child()? {
        match part.local_name() {
            "Header" => {
                while let Some(mut header) = part.child()? {
                    match header.local_name() {
                        "RelatesTo" => read.relates_to = Some(header.text()?.into_owned()),
                        "MessageID" => read.message_id = Some(header.text()?.into_owned()),
                        _ => {}
                    }
                }
            }
            "Body" => {
                // What breaks off after a few complete matches was worth receiving.
                let result = body(&mut part, from, &mut read.content);
                return match (&read.content, result) {
                    (Content::Matches(found), Err(_)) if !found.is_empty() => Ok(read),
                    (_, result) => result.map(|()| read),
                };
            }
            _ => {}
        }
    }
    Ok(read)
}

fn body(
    element: &mut Element<'_, '_>,
    from: SocketAddr,
    content: &mut Content,
) -> Result<(), DecodeError> {
    while let Some(mut message) = element.child()? {
        match message.local_name() {
            "ProbeMatches" | "ResolveMatches" => {
                if !matches!(content, Content::Matches(_)) {
                    *content = Content::Matches(Vec::new());
                }
                while let Some(mut child) = message.child()? {
                    if let Content::Matches(found) = content
                        && found.len() < MAX_MATCHES
                        && matches!(child.local_name(), "ProbeMatch" | "ResolveMatch")
                    {
                        found.push(device(&mut child, from)?);
                    }
                }
            }
            "Hello" => *content = Content::Hello(Box::new(device(&mut message, from)?)),
            "Bye" => {
                let mut reference = String::new();
                while let Some(mut child) = message.child()? {
                    if child.local_name() == "EndpointReference" {
                        reference = address(&mut child)?;
                    }
                }
                *content = Content::Bye(reference);
            }
            _ => {}
        }
    }
    Ok(())
}

fn device(element: &mut Element<'_, '_>, from: SocketAddr) -> Result<Found, DecodeError> {
    let mut device = Discovered {
        endpoint_reference: String::new(),
        xaddrs: Vec::new(),
        types: Vec::new(),
        scopes: Vec::new(),
        from,
        metadata_version: None,
    };
    let mut has_onvif_type = false;
    while let Some(mut child) = element.child()? {
        match child.local_name() {
            "EndpointReference" => device.endpoint_reference = address(&mut child)?,
            "Types" => {
                let text = child.text()?;
                for name in text.split_whitespace().take(MAX_SCOPES) {
                    let (prefix, local) = name.rsplit_once(':').unwrap_or(("", name));
                    has_onvif_type |= is_onvif_type(child.namespace_of(prefix), local);
                    device.types.push(local.chars().take(MAX_SCOPE).collect());
                }
            }
            "Scopes" => {
                let text = child.text()?;
                let scopes = text
                    .split_whitespace()
                    .filter(|scope| scope.len() <= MAX_SCOPE);
                device.scopes = scopes.take(MAX_SCOPES).map(str::to_owned).collect();
            }
            "XAddrs" => {
                let text = child.text()?;
                let mut xaddrs: Vec<Url> = Vec::new();
                for uri in text.split_whitespace() {
                    if let Some(url) = xaddr(uri, from)
                        && !xaddrs.contains(&url)
                    {
                        xaddrs.push(url);
                    }
                    if xaddrs.len() == MAX_XADDRS {
                        break;
                    }
                }
                device.xaddrs = xaddrs;
            }
            "MetadataVersion" => device.metadata_version = FromText::from_text(&child.text()?),
            _ => {}
        }
    }
    if device.endpoint_reference.is_empty() {
        // Without an identity the address has to do.
        device.endpoint_reference = device
            .xaddrs
            .first()
            .map_or_else(|| from.to_string(), ToString::to_string);
    }
    let camera = device.types.is_empty()
        || has_onvif_type
        || device.has_scope("onvif://www.onvif.org")
        || device.xaddrs.iter().any(|url| url.path().contains("onvif"));
    Ok(Found { device, camera })
}

fn address(element: &mut Element<'_, '_>) -> Result<String, DecodeError> {
    let mut address = String::new();
    while let Some(mut child) = element.child()? {
        if child.local_name() == "Address" {
            address = child.text()?.into_owned();
        }
    }
    Ok(address)
}

/// `wsdp:Device`, which every Windows computer is, has a local name that cameras have too.
fn is_onvif_type(namespace: Option<&str>, local: &str) -> bool {
    match namespace {
        Some(namespace) => namespace == NETWORK || namespace == uri("tds"),
        None => matches!(local, "NetworkVideoTransmitter" | "Device"),
    }
}

fn xaddr(uri: &str, from: SocketAddr) -> Option<Url> {
    let base = Url::parse("http://0.0.0.0/").ok()?;
    // No URL can name the interface of an IPv6 address: `[fe80::1%25eth0]`. The answer tells it.
    let without_zone = match (uri.find("[fe80"), uri.find('%'), uri.find(']')) {
        (Some(open), Some(zone), Some(close)) if open < zone && zone < close => {
            format!("{}{}", &uri[..zone], &uri[close..])
        }
        _ => uri.to_owned(),
    };
    let mut url = UriPolicy::AsReported.resolve(&base, &without_zone).ok()?;
    // A path alone, or the address of nobody: the host is the one that answers.
    if matches!(url.host_str(), Some("0.0.0.0" | "[::]")) {
        url.set_ip_host(from.ip()).ok()?;
    }
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from() -> SocketAddr {
        "192.0.2.7:3702".parse().unwrap()
    }

    fn found(matches: &str) -> Vec<Discovered> {
        let datagram = format!(
            "<s:Envelope xmlns:wsdp='http://schemas.xmlsoap.org/ws/2006/02/devprof'><s:Header/><s:Body>\
             <d:ProbeMatches>{matches}</d:ProbeMatches></s:Body></s:Envelope>"
        );
        decode_datagram(datagram.as_bytes(), from()).unwrap()
    }

    #[test]
    fn every_usable_address_is_kept_with_the_nearest_first() {
        let found = found(
            "<d:ProbeMatch><d:XAddrs>\n http://[fe80::1%25eth0]/x http://169.254.1.1/x http://192.0.2.7/x\
             \t https://192.0.2.7/x http://192.0.2.7/x rtsp://192.0.2.7/ nonsense http://0.0.0.0:81/y \n</d:XAddrs></d:ProbeMatch>",
        );
        let xaddrs: Vec<_> = found[0].xaddrs.iter().map(Url::as_str).collect();
        assert_eq!(
            xaddrs,
            [
                "http://192.0.2.7/x",
                "http://192.0.2.7:81/y",
                "https://192.0.2.7/x",
                "http://169.254.1.1/x",
                "http://[fe80::1]/x"
            ]
        );
        assert!(found[0].answered_from(&found[0].xaddrs[0]));
        assert!(!found[0].answered_from(&found[0].xaddrs[3]));
        assert_eq!(found[0].endpoint_reference, "http://[fe80::1]/x");
    }

    #[test]
    fn what_is_no_camera_is_left_out() {
        for printer in [
            "<d:Types>wsdp:Device pub:Computer</d:Types>",
            "<d:Types>wsdp:Device wprt:PrintDeviceType</d:Types><d:XAddrs>http://192.0.2.7/wsd</d:XAddrs>",
        ] {
            assert!(
                found(&format!("<d:ProbeMatch>{printer}</d:ProbeMatch>")).is_empty(),
                "{printer}"
            );
        }
        for camera in [
            "",
            "<d:Types>dn:NetworkVideoTransmitter</d:Types>",
            "<d:Types>Device</d:Types>",
            "<d:Types>wsdp:Device</d:Types><d:Scopes>onvif://www.onvif.org/type/ptz</d:Scopes>",
            "<d:Types>x:Y</d:Types><d:XAddrs>http://192.0.2.7/onvif/device_service</d:XAddrs>",
        ] {
            assert_eq!(
                found(&format!("<d:ProbeMatch>{camera}</d:ProbeMatch>")).len(),
                1,
                "{camera}"
            );
        }
    }

    #[test]
    fn of_a_datagram_that_breaks_off_the_complete_part_counts() {
        let datagram = "<s:Envelope><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:1</a:Address>\
                        </a:EndpointReference></d:ProbeMatch><d:ProbeMatch><a:EndpointRef";
        let found = decode_datagram(datagram.as_bytes(), from()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].endpoint_reference, "urn:1");
    }

    #[test]
    fn garbage_is_an_error_and_other_messages_are_nothing() {
        for garbage in [
            &b"\xff\xfe\x00"[..],
            b"<a>",
            b"",
            b"<!DOCTYPE a><a/>",
            &[b' '; 70_000],
        ] {
            assert!(decode_datagram(garbage, from()).is_err());
        }
        let probe = b"<s:Envelope><s:Body><d:Probe/></s:Body></s:Envelope>";
        assert!(decode_datagram(probe, from()).unwrap().is_empty());
    }

    #[test]
    fn a_bye_names_who_leaves() {
        let bye = "<Envelope><Header><MessageID> urn:m </MessageID></Header><Body><Bye><EndpointReference>\
                   <Address>urn:uuid:1</Address></EndpointReference></Bye></Body></Envelope>";
        let read = read(bye.as_bytes(), from()).unwrap();
        assert_eq!(read.message_id.as_deref(), Some("urn:m"));
        assert!(matches!(read.content, Content::Bye(reference) if reference == "urn:uuid:1"));
    }
}
