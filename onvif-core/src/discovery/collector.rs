//! Turns datagrams into cameras. Pure: no sockets, no clock.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::Discovered;
use crate::uri::UriPolicy;
use crate::xml::{DecodeError, Element, FromText, Limits, Reader};
use url::Url;

const MAX_DATAGRAM: usize = 64 * 1024;
const MAX_DEVICES: usize = 4096;
const MAX_XADDRS: usize = 16;
const MAX_SCOPES: usize = 64;
/// Cameras behind one address: recorders answer for their channels, but not for thousands.
const MAX_PER_SOURCE: usize = 256;

pub(super) struct Collector {
    sent: HashSet<String>,
    seen: HashSet<String>,
    per_source: std::collections::HashMap<std::net::IpAddr, usize>,
}

impl Collector {
    /// Collects answers to the probes with these message identifiers.
    pub(super) fn new(sent: impl IntoIterator<Item = String>) -> Self {
        Self {
            sent: sent.into_iter().collect(),
            seen: HashSet::new(),
            per_source: Default::default(),
        }
    }

    /// The cameras in a datagram that were not seen before. What makes no sense is skipped.
    pub(super) fn receive(&mut self, datagram: &[u8], from: SocketAddr) -> Vec<Discovered> {
        if datagram.len() > MAX_DATAGRAM {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(datagram);
        let (relates_to, matches) = match read(&text, from) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%from, %error, "skipping an answer that cannot be read");
                return Vec::new();
            }
        };
        if !relates_to.is_some_and(|id| self.sent.contains(&id)) {
            return Vec::new();
        }
        matches
            .into_iter()
            .filter(|found| self.is_new(found))
            .collect()
    }

    fn is_new(&mut self, found: &Discovered) -> bool {
        if self.seen.len() >= MAX_DEVICES || found.endpoint_reference.len() > 512 {
            return false;
        }
        let count = self.per_source.entry(found.from.ip()).or_default();
        if *count >= MAX_PER_SOURCE || !self.seen.insert(found.endpoint_reference.clone()) {
            return false;
        }
        *count += 1;
        true
    }
}

fn read(text: &str, from: SocketAddr) -> Result<(Option<String>, Vec<Discovered>), DecodeError> {
    let limits = Limits {
        bytes: MAX_DATAGRAM * 3,
        elements: 4096,
        ..Limits::default()
    };
    let mut reader = Reader::with_limits(text, limits)?;
    let mut root = reader.root()?;
    let mut relates_to = None;
    let mut found = Vec::new();
    while let Some(mut part) = root.child()? {
        match part.local_name() {
            "Header" => {
                while let Some(mut header) = part.child()? {
                    if header.local_name() == "RelatesTo" {
                        relates_to = Some(header.text()?);
                    }
                }
            }
            "Body" => {
                while let Some(mut matches) = part.child()? {
                    if matches.local_name() != "ProbeMatches" {
                        continue;
                    }
                    while let Some(mut probe_match) = matches.child()? {
                        if probe_match.local_name() == "ProbeMatch" {
                            found.push(camera(&mut probe_match, from)?);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok((relates_to, found))
}

fn camera(element: &mut Element<'_, '_>, from: SocketAddr) -> Result<Discovered, DecodeError> {
    let mut found = Discovered {
        endpoint_reference: String::new(),
        xaddrs: Vec::new(),
        types: Vec::new(),
        scopes: Vec::new(),
        from,
        metadata_version: None,
    };
    while let Some(mut child) = element.child()? {
        match child.local_name() {
            "EndpointReference" => {
                while let Some(mut address) = child.child()? {
                    if address.local_name() == "Address" {
                        found.endpoint_reference = address.text()?;
                    }
                }
            }
            "Types" => {
                let text = child.text()?;
                let local = |name: &str| name.rsplit(':').next().unwrap_or(name).to_owned();
                found.types = text
                    .split_whitespace()
                    .take(MAX_SCOPES)
                    .map(local)
                    .collect();
            }
            "Scopes" => {
                found.scopes = child
                    .text()?
                    .split_whitespace()
                    .take(MAX_SCOPES)
                    .map(str::to_owned)
                    .collect();
            }
            "XAddrs" => {
                let text = child.text()?;
                found.xaddrs = text
                    .split_whitespace()
                    .take(MAX_XADDRS)
                    .filter_map(|uri| xaddr(uri, from))
                    .collect();
            }
            "MetadataVersion" => found.metadata_version = FromText::from_text(&child.text()?),
            _ => {}
        }
    }
    if found.endpoint_reference.is_empty() {
        // Without an identity the address has to do.
        found.endpoint_reference = found
            .xaddrs
            .first()
            .map_or_else(|| from.to_string(), ToString::to_string);
    }
    found.rank();
    Ok(found)
}

fn xaddr(uri: &str, from: SocketAddr) -> Option<Url> {
    let base = Url::parse(&format!("http://{from}/")).ok()?;
    let url = UriPolicy::AsReported.resolve(&base, uri).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from() -> SocketAddr {
        "192.0.2.7:3702".parse().unwrap()
    }

    fn answer(relates_to: &str, reference: &str, xaddrs: &str) -> String {
        format!(
            "<s:Envelope><s:Header><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>\
             <d:ProbeMatch><a:EndpointReference><a:Address>{reference}</a:Address></a:EndpointReference>\
             <d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>\
             <d:Scopes>onvif://www.onvif.org/name/Front%20Door onvif://www.onvif.org/hardware/X1</d:Scopes>\
             <d:XAddrs>{xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>\
             </d:ProbeMatches></s:Body></s:Envelope>"
        )
    }

    #[test]
    fn a_camera_is_found_once_with_its_nearest_address_first() {
        let mut collector = Collector::new(["urn:1".to_owned()]);
        let datagram = answer(
            "urn:1",
            "urn:uuid:a",
            "http://[fe80::1]/x http://169.254.1.1/x http://192.0.2.7/x",
        );
        let found = collector.receive(datagram.as_bytes(), from());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].xaddrs[0].as_str(), "http://192.0.2.7/x");
        assert_eq!(found[0].xaddrs.len(), 3);
        assert_eq!(found[0].name().as_deref(), Some("Front Door"));
        assert_eq!(found[0].hardware().as_deref(), Some("X1"));
        assert_eq!(found[0].location(), None);
        assert_eq!(found[0].types, ["NetworkVideoTransmitter", "Device"]);
        assert!(collector.receive(datagram.as_bytes(), from()).is_empty());
    }

    #[test]
    fn answers_to_other_probes_and_garbage_are_skipped() {
        let mut collector = Collector::new(["urn:1".to_owned()]);
        assert!(
            collector
                .receive(answer("urn:2", "urn:uuid:a", "").as_bytes(), from())
                .is_empty()
        );
        for garbage in [
            &b"\xff\xfe\x00"[..],
            b"<a>",
            b"",
            b"<!DOCTYPE a><a/>",
            &[b' '; 70_000],
        ] {
            assert!(collector.receive(garbage, from()).is_empty());
        }
        assert_eq!(
            collector
                .receive(answer("urn:1", "urn:uuid:a", "").as_bytes(), from())
                .len(),
            1
        );
    }

    #[test]
    fn a_flood_is_bounded_and_other_cameras_are_still_found() {
        let mut collector = Collector::new(["urn:1".to_owned()]);
        let found: usize = (0..1000)
            .map(|i| {
                collector
                    .receive(answer("urn:1", &format!("urn:{i}"), "").as_bytes(), from())
                    .len()
            })
            .sum();
        assert_eq!(found, MAX_PER_SOURCE);
        let other = "192.0.2.8:3702".parse().unwrap();
        assert_eq!(
            collector
                .receive(answer("urn:1", "urn:other", "").as_bytes(), other)
                .len(),
            1
        );
    }

    #[test]
    fn addresses_are_capped() {
        let many: String = (0..100).map(|i| format!("http://192.0.2.{i}/ ")).collect();
        let mut collector = Collector::new(["urn:1".to_owned()]);
        let found = collector.receive(answer("urn:1", "urn:a", &many).as_bytes(), from());
        assert_eq!(found[0].xaddrs.len(), MAX_XADDRS);
    }
}
