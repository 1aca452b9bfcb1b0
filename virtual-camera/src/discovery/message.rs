//! The datagrams; pure.

use uuid::Uuid;

use crate::service::device::scopes;
use crate::soap::envelope;
use crate::state::{Camera, lock};
use crate::xml::{
    ADDRESSING_2004 as A, DISCOVERY as D, Element, NETWORK, Node, Rendering, TDS, element, read,
};

const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";
const TO_ALL: &str = "urn:schemas-xmlsoap-org:ws:2005:04:discovery";
const RFC_3986: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery/rfc3986";
const RFC_2396: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery/rfc2396";
const EXACT: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery/strcmp0";

/// What is sent without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announcement {
    Hello,
    Bye,
}

/// Puts messages in order: who started later has a higher instance (WS-Discovery, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) instance: u64,
    pub(super) number: u32,
}

/// A message that can be answered.
#[derive(Debug)]
pub(super) struct Question {
    id: String,
    /// A Probe or a Resolve.
    body: Node,
    has_newline: bool,
}

impl Question {
    /// `None` where the datagram asks for nothing, or is no message at all.
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        let message = read(datagram).ok()?;
        let id = message.child("Header")?.text_of("MessageID")?.to_owned();
        let body = message
            .children
            .into_iter()
            .find(|node| node.name == "Body")?;
        let body = body.children.into_iter().next()?;
        let known = body.is(D, "Probe") || body.is(D, "Resolve");
        known.then(|| Self {
            id,
            body,
            has_newline: datagram.contains(&b'\n'),
        })
    }
}

/// A camera's answer; `None` where somebody else is asked for.
pub(super) fn answer(
    camera: &Camera,
    addresses: &str,
    sequence: Sequence,
    question: &Question,
) -> Option<String> {
    let quirks = camera.quirks();
    if !lock(&camera.device).discoverable || (quirks.probe_reject_newline && question.has_newline) {
        return None;
    }
    let body = &question.body;
    let (action, matches) = if body.is(D, "Probe") {
        let types = body.text_of("Types");
        let found =
            asks_for_us(body, &scopes(camera)) && (types.is_some() || !quirks.probe_requires_types);
        let matches = element(D, "ProbeMatches");
        let details = found.then(|| details(camera, addresses, "ProbeMatch"))?;
        ("ProbeMatches", matches.child(details))
    } else {
        let asked = body.child("EndpointReference")?.text_of("Address")?;
        let matches = element(D, "ResolveMatches");
        let found = asked.eq_ignore_ascii_case(&camera.uuid.urn().to_string());
        let details = found.then(|| details(camera, addresses, "ResolveMatch"))?;
        ("ResolveMatches", matches.child(details))
    };
    let undeclared = quirks.probe_undeclared_prefix.then_some(NETWORK);
    let rendering = Rendering {
        undeclared: undeclared.as_slice(),
        ..Rendering::default()
    };
    let answer = datagram_with(action, ANONYMOUS, Some(&question.id), sequence, matches);
    Some(answer.render(rendering))
}

pub(super) fn announce(
    camera: &Camera,
    addresses: &str,
    sequence: Sequence,
    announcement: Announcement,
) -> String {
    let (action, body) = match announcement {
        Announcement::Hello => ("Hello", details(camera, addresses, "Hello")),
        Announcement::Bye => ("Bye", element(D, "Bye").child(endpoint(camera))),
    };
    datagram_with(action, TO_ALL, None, sequence, body).render(Rendering::default())
}

fn datagram_with(
    action: &str,
    to: &str,
    relates_to: Option<&str>,
    sequence: Sequence,
    body: Element,
) -> Element {
    let mut header = vec![
        element(A, "MessageID").text(Uuid::new_v4().urn()),
        element(A, "To").text(to),
        element(A, "Action").text(format_args!("{}/{action}", D.uri)),
        element(D, "AppSequence")
            .attribute("InstanceId", sequence.instance)
            .attribute("MessageNumber", sequence.number),
    ];
    header.extend(relates_to.map(|id| element(A, "RelatesTo").text(id)));
    envelope(header, body)
}

fn endpoint(camera: &Camera) -> Element {
    element(A, "EndpointReference").leaf(A, "Address", camera.uuid.urn())
}

fn details(camera: &Camera, addresses: &str, name: &'static str) -> Element {
    element(D, name)
        .mentions(NETWORK)
        .mentions(TDS)
        .child(endpoint(camera))
        .leaf(D, "Types", "dn:NetworkVideoTransmitter tds:Device")
        .leaf(D, "Scopes", scopes(camera).join(" "))
        .address_leaf(D, "XAddrs", addresses)
        .leaf(D, "MetadataVersion", 1)
}

/// Whether every type and every scope of a Probe is ours.
fn asks_for_us(probe: &Node, scopes: &[String]) -> bool {
    let types = probe.child("Types");
    let mut types = types.into_iter().flat_map(|types| {
        let names = types.text().split_whitespace();
        names.map(|name| {
            let (prefix, local) = name.split_once(':').unwrap_or(("", name));
            (types.namespace_of(prefix).unwrap_or_default(), local)
        })
    });
    let ours = [
        (NETWORK.uri, "NetworkVideoTransmitter"),
        (TDS.uri, "Device"),
    ];
    if !types.all(|asked| ours.contains(&asked)) {
        return false;
    }
    let Some(asked) = probe.child("Scopes") else {
        return true;
    };
    let matches: fn(&str, &str) -> bool = match asked.attribute("MatchBy") {
        None | Some("" | RFC_3986 | RFC_2396) => is_above,
        Some(EXACT) => |asked, ours| asked == ours,
        Some(_) => return false,
    };
    let mut asked = asked.text().split_whitespace();
    asked.all(|asked| scopes.iter().any(|ours| matches(asked, ours)))
}

/// Whether a scope is the other or an ancestor of it, segment by segment (WS-Discovery, section 5.1).
fn is_above(asked: &str, ours: &str) -> bool {
    let (Some(asked), Some(ours)) = (split(asked), split(ours)) else {
        return false;
    };
    asked.0 == ours.0 && ours.1.starts_with(&asked.1)
}

/// Scheme and authority, which have no case, and the segments of the path.
fn split(scope: &str) -> Option<(String, Vec<&str>)> {
    let (scheme, rest) = scope.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let root = format!("{scheme}://{authority}").to_ascii_lowercase();
    Some((root, path.split('/').filter(|s| !s.is_empty()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(content: &str) -> Node {
        let probe = format!(
            "<Probe xmlns='{}' xmlns:dn='{}' xmlns:x='urn:x'>{content}</Probe>",
            D.uri, NETWORK.uri
        );
        read(probe.as_bytes()).unwrap()
    }

    fn is_ours(content: &str) -> bool {
        let scopes = ["onvif://www.onvif.org/name/gate".to_owned()];
        asks_for_us(&probe(content), &scopes)
    }

    #[test]
    fn a_probe_matches_by_type() {
        assert!(is_ours(""));
        assert!(is_ours("<Types/>"));
        assert!(is_ours("<Types>dn:NetworkVideoTransmitter</Types>"));
        for other in [
            "x:NetworkVideoTransmitter",
            "dn:Printer",
            "undeclared:Device",
            "Device",
        ] {
            assert!(!is_ours(&format!("<Types>{other}</Types>")), "{other}");
        }
    }

    #[test]
    fn a_probe_matches_by_scope() {
        assert!(is_ours(
            "<Scopes>ONVIF://www.onvif.org/name onvif://www.onvif.org/</Scopes>"
        ));
        for other in [
            "onvif://www.onvif.org/nam",
            "onvif://www.onvif.org/name/gate/2",
            "nonsense",
        ] {
            assert!(!is_ours(&format!("<Scopes>{other}</Scopes>")), "{other}");
        }
        let exact = |scope| is_ours(&format!("<Scopes MatchBy='{EXACT}'>{scope}</Scopes>"));
        assert!(exact("onvif://www.onvif.org/name/gate"));
        assert!(!exact("onvif://www.onvif.org/name"));
    }
}
