//! SOAP 1.2 envelopes: written as text, read with the pull decoder.

mod fault;

use std::borrow::Cow;
use std::sync::LazyLock;

use quick_xml::escape::escape;

pub use fault::{Fault, FaultCode};

use crate::operation::Operation;
use crate::xml::{Decode, DecodeError, Element, Reader, namespace};

/// WS-Addressing of one request. Only event operations carry it: some cameras fail PTZ and media
/// requests that have it, others fail event requests that do not.
pub(crate) struct Addressing<'a> {
    pub(crate) action: &'a str,
    pub(crate) to: &'a str,
    pub(crate) message_id: String,
    /// Reference parameters as the camera wrote them, echoed as headers.
    pub(crate) reference_parameters: &'a str,
}

/// How every envelope starts.
static OPENING: LazyLock<String> = LazyLock::new(|| {
    let declarations = namespace::PREFIXES.iter();
    let declarations: String = declarations
        .map(|(prefix, uri)| format!(" xmlns:{prefix}=\"{uri}\""))
        .collect();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope{declarations}>")
});

/// Writes an envelope around `body`.
pub(crate) fn envelope(
    security: Option<&str>,
    addressing: Option<&Addressing<'_>>,
    body: &str,
) -> String {
    let mut xml = String::with_capacity(body.len() + 2048);
    xml.push_str(&OPENING);
    if security.is_some() || addressing.is_some() {
        xml.push_str("<s:Header>");
        if let Some(addressing) = addressing {
            xml.push_str(&format!(
                "<wsa:Action s:mustUnderstand=\"1\">{}</wsa:Action><wsa:MessageID>{}</wsa:MessageID>\
                 <wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></wsa:ReplyTo>\
                 <wsa:To s:mustUnderstand=\"1\">{}</wsa:To>",
                escape(addressing.action),
                addressing.message_id,
                escape(addressing.to),
            ));
            xml.push_str(addressing.reference_parameters);
        }
        xml.push_str(security.unwrap_or_default());
        xml.push_str("</s:Header>");
    }
    xml.push_str("<s:Body>");
    xml.push_str(body);
    xml.push_str("</s:Body></s:Envelope>");
    xml
}

/// What the body of an answer holds.
#[derive(Debug)]
pub(crate) enum Answer<T> {
    Reply(T),
    Fault(Fault),
}

/// Reads the answer to an operation from a whole envelope, without a camera: for captures and tests.
///
/// # Errors
/// When it is no envelope, or the reply lacks what it cannot do without. A fault is no error here.
pub fn decode_response<O: Operation>(
    envelope: &str,
) -> Result<Result<O::Response, Fault>, DecodeError> {
    Ok(match decode(envelope, O::NAME)? {
        Answer::Reply(reply) => Ok(reply),
        Answer::Fault(fault) => Err(fault),
    })
}

/// Text of a document. Broken UTF-8 is replaced: names in other encodings are common. So are NUL
/// characters, which some cameras send in place of spaces.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    // Checking alone is much faster than replacing, and nearly all text is good.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    match memchr::memchr(0, text.as_bytes()) {
        Some(_) => text.replace('\0', " ").into(),
        None => text,
    }
}

/// Reads an envelope to its end, whatever the HTTP status was.
pub(crate) fn decode<T: Decode + Send>(
    document: &str,
    expected: &str,
) -> Result<Answer<T>, DecodeError> {
    let mut reply = None;
    let fault = read(document, expected, &mut |content| {
        reply = Some(T::decode(content)?);
        Ok(())
    })?;
    match (fault, reply) {
        (Some(fault), _) => Ok(Answer::Fault(fault)),
        (None, Some(reply)) => Ok(Answer::Reply(reply)),
        (None, None) => Err(DecodeError::Missing("content of Body")),
    }
}

/// What takes a reply. It is no type parameter, so that there is one copy of what calls it, not one for each operation.
pub(crate) type TakeReply<'a> =
    dyn FnMut(&mut Element<'_, '_>) -> Result<(), DecodeError> + Send + 'a;

/// The same, with the reply handed to `take`. What comes back is the fault, if it is one.
pub(crate) fn read(
    document: &str,
    expected: &str,
    take: &mut TakeReply<'_>,
) -> Result<Option<Fault>, DecodeError> {
    let mut reader = Reader::new(document)?;
    let mut root = reader.root()?;
    // SOAP 1.1 envelopes are read like those of SOAP 1.2.
    if root.local_name() != "Envelope" {
        return Err(DecodeError::Missing("Envelope"));
    }
    let mut answer = None;
    while let Some(mut part) = root.child()? {
        if part.local_name() != "Body" || answer.is_some() {
            continue;
        }
        while let Some(mut content) = part.child()? {
            if answer.is_some() {
                continue;
            }
            answer = Some(match content.local_name() {
                "Fault" => Some(Fault::decode(&mut content)?),
                name => {
                    take(&mut content)?;
                    content.finish()?;
                    let is_named =
                        name == expected || name.strip_suffix("Response") == Some(expected);
                    if !is_named {
                        tracing::debug!(name, expected, "the camera named its reply unusually");
                    }
                    // Cheap cameras take one reply for another; what holds nothing strange will do.
                    if !is_named && content.has_unknown_child() {
                        return Err(DecodeError::Unexpected {
                            name: name.chars().take(64).collect(),
                        });
                    }
                    None
                }
            });
        }
    }
    answer.ok_or(DecodeError::Missing("content of Body"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addressing_headers_are_written_with_reference_parameters() {
        let xml = envelope(
            None,
            Some(&Addressing {
                action: "urn:a",
                to: "http://h/?a=1&b=2",
                message_id: "urn:uuid:1".into(),
                reference_parameters: "<x:Id xmlns:x=\"urn:x\">7</x:Id>",
            }),
            "<tds:A />",
        );
        assert!(xml.contains("<wsa:To s:mustUnderstand=\"1\">http://h/?a=1&amp;b=2</wsa:To><x:Id"));
        assert!(matches!(decode::<()>(&xml, "A"), Ok(Answer::Reply(()))));
    }

    #[test]
    fn a_reply_with_another_name_will_do_where_it_fits() {
        crate::soap_reply! {
            pub struct Expected in "tds" { name: Option<String> = "Name" }
        }
        let reply = |xml: &str| decode::<Expected>(&envelope(None, None, xml), "GetName");
        for fits in [
            "<tds:NameResponse><tds:Name>a</tds:Name></tds:NameResponse>",
            "<tds:X/>",
        ] {
            assert!(matches!(reply(fits), Ok(Answer::Reply(_))), "{fits}");
        }
        let other = reply("<tds:GetUserResponse><tds:User>a</tds:User></tds:GetUserResponse>");
        assert!(
            matches!(other, Err(DecodeError::Unexpected { name }) if name == "GetUserResponse")
        );
        let more = "<tds:GetNameResponse><tds:Name/><tds:New>1</tds:New></tds:GetNameResponse>";
        assert!(matches!(reply(more), Ok(Answer::Reply(_))));
    }

    #[test]
    fn an_envelope_that_breaks_off_is_an_error() {
        let xml = envelope(None, None, "<tds:A/>");
        assert!(decode::<()>(&xml[..xml.len() - 5], "A").is_err());
        assert!(decode::<()>("<s:Envelope><s:Body/></s:Envelope>", "A").is_err());
        assert!(decode::<()>("<html><body>x</body></html>", "A").is_err());
    }
}
