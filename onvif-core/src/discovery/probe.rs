use crate::xml::namespace::{ADDRESSING_2004, DISCOVERY, NETWORK, uri};

/// The shapes of a probe. Some cameras answer only one of them.
pub(super) const SHAPES: [Option<&str>; 3] =
    [Some("dn:NetworkVideoTransmitter"), Some("tds:Device"), None];

/// A probe as one line: some cameras refuse line breaks.
pub(super) fn probe(message_id: &str, types: Option<&str>) -> String {
    let types = types
        .map(|types| format!("<d:Types>{types}</d:Types>"))
        .unwrap_or_default();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"{}\" xmlns:a=\"{ADDRESSING_2004}\" \
         xmlns:d=\"{DISCOVERY}\" xmlns:dn=\"{NETWORK}\" xmlns:tds=\"{}\"><s:Header>\
         <a:Action s:mustUnderstand=\"1\">{DISCOVERY}/Probe</a:Action><a:MessageID>{message_id}</a:MessageID>\
         <a:ReplyTo><a:Address>{ADDRESSING_2004}/role/anonymous</a:Address></a:ReplyTo>\
         <a:To s:mustUnderstand=\"1\">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>\
         <s:Body><d:Probe>{types}</d:Probe></s:Body></s:Envelope>",
        uri("s"),
        uri("tds"),
    )
}
