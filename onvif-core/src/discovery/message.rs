//! What is sent, as one line: some cameras refuse line breaks (TP-Link). Every prefix is declared,
//! also those that only content refers to. Pure.

use quick_xml::escape::escape;

use crate::xml::namespace::{ADDRESSING_2004, DISCOVERY, NETWORK, uri};

/// The shapes of a probe. Some cameras answer only one of them.
pub(super) const SHAPES: [Option<&str>; 3] =
    [Some("dn:NetworkVideoTransmitter"), Some("tds:Device"), None];

/// A probe (WS-Discovery, section 5.2). Scopes go with a type only, so that a camera that cannot
/// cope with them still answers the probe without either.
pub(super) fn probe(message_id: &str, types: Option<&str>, scopes: &[String]) -> String {
    let content = match types {
        Some(types) if scopes.is_empty() => format!("<d:Types>{types}</d:Types>"),
        Some(types) => format!(
            "<d:Types>{types}</d:Types><d:Scopes>{}</d:Scopes>",
            escape(scopes.join(" "))
        ),
        None => String::new(),
    };
    envelope("Probe", message_id, &content)
}

/// A request for the addresses of one camera (WS-Discovery, section 6.2).
pub(super) fn resolve(message_id: &str, endpoint_reference: &str) -> String {
    let content = format!(
        "<a:EndpointReference><a:Address>{}</a:Address></a:EndpointReference>",
        escape(endpoint_reference)
    );
    envelope("Resolve", message_id, &content)
}

fn envelope(name: &str, message_id: &str, content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"{}\" xmlns:a=\"{ADDRESSING_2004}\" \
         xmlns:d=\"{DISCOVERY}\" xmlns:dn=\"{NETWORK}\" xmlns:tds=\"{}\"><s:Header>\
         <a:Action s:mustUnderstand=\"1\">{DISCOVERY}/{name}</a:Action><a:MessageID>{message_id}</a:MessageID>\
         <a:ReplyTo><a:Address>{ADDRESSING_2004}/role/anonymous</a:Address></a:ReplyTo>\
         <a:To s:mustUnderstand=\"1\">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>\
         <s:Body><d:{name}>{content}</d:{name}></s:Body></s:Envelope>",
        uri("s"),
        uri("tds"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Reader;

    #[test]
    fn datagrams_are_one_line_of_xml_with_declared_prefixes() {
        let scopes = ["onvif://www.onvif.org/name/a&b".to_owned()];
        let mut datagrams: Vec<_> = SHAPES
            .iter()
            .map(|types| probe("urn:uuid:1", *types, &scopes))
            .collect();
        datagrams.push(resolve("urn:uuid:1", "urn:uuid:<2>"));
        for datagram in datagrams {
            assert!(!datagram.contains(['\n', '\r']));
            let mut reader = Reader::new(&datagram).unwrap();
            let mut root = reader.root().unwrap();
            while let Some(mut part) = root.child().unwrap() {
                for prefix in ["s", "a", "d", "dn", "tds"] {
                    assert!(part.namespace_of(prefix).is_some(), "{prefix}");
                }
                while let Some(block) = part.child().unwrap() {
                    assert!(block.namespace().is_some());
                }
            }
        }
    }

    #[test]
    fn scopes_are_asked_for_with_a_type() {
        let scopes = ["onvif://a".to_owned(), "onvif://b?c&d".to_owned()];
        assert!(
            probe("1", SHAPES[0], &scopes)
                .contains("<d:Scopes>onvif://a onvif://b?c&amp;d</d:Scopes>")
        );
        assert!(probe("1", None, &scopes).contains("<d:Probe></d:Probe>"));
        assert!(!probe("1", SHAPES[0], &[]).contains("Scopes"));
    }
}
