//! SOAP 1.2: requests, replies, faults.

use http::StatusCode;

use crate::xml::{
    ENV, Element, Node, Ns, ReadError, TER, WSA, WSNT, WSRF_BF, WSRF_R, WSRF_RW, element, read,
};

/// A request whose envelope was read.
#[derive(Debug)]
pub(crate) struct Request {
    pub header: Node,
    /// The one element of the Body, which names the operation.
    pub body: Node,
}

impl Request {
    /// Reads an envelope.
    pub(crate) fn read(document: &[u8]) -> Result<Self, Fault> {
        let envelope = read(document).map_err(|error| match error {
            ReadError::TooLarge(_) => Fault::sender(&[(TER, "InvalidArgs")], error.to_string()),
            _ => Fault::sender(&[(TER, "WellFormed")], error.to_string()),
        })?;
        if envelope.name != "Envelope" {
            return Err(malformed("the root is not a SOAP envelope"));
        }
        if envelope.namespace != ENV.uri {
            return Err(Fault {
                code: "VersionMismatch",
                ..Fault::receiver(&[], "only SOAP 1.2 is understood")
            });
        }
        let mut header = Node::default();
        let mut body = None;
        for child in envelope.children {
            match child.name.as_str() {
                "Header" if child.namespace == ENV.uri => header = child,
                "Body" if child.namespace == ENV.uri => body = child.children.into_iter().next(),
                _ => {}
            }
        }
        let body = body.ok_or_else(|| malformed("the Body holds no operation"))?;
        Ok(Self { header, body })
    }
}

/// Wraps the Body's element into an envelope. A request with WS-Addressing gets a reply with it.
pub(crate) fn reply(request_header: Option<&Node>, body: Element) -> Element {
    let mut header = Vec::new();
    if let Some(request) = request_header
        && let Some(id) = request.text_of("MessageID")
    {
        if let Some(action) = request.text_of("Action") {
            let action = action.strip_suffix("Request").unwrap_or(action);
            header.push(element(WSA, "Action").text(format_args!("{action}Response")));
        }
        header.push(element(WSA, "RelatesTo").text(id));
    }
    envelope(header, body)
}

/// An envelope with these header blocks.
pub(crate) fn envelope(header: Vec<Element>, body: Element) -> Element {
    let mut envelope = element(ENV, "Envelope");
    if !header.is_empty() {
        envelope = envelope.child(element(ENV, "Header").children(header));
    }
    envelope.child(element(ENV, "Body").child(body))
}

/// A SOAP fault with ONVIF's subcodes (Core Specification, "Error handling").
#[derive(Debug)]
pub(crate) struct Fault {
    code: &'static str,
    subcodes: Vec<(Ns, &'static str)>,
    reason: String,
    detail: Option<Box<Element>>,
    pub status: StatusCode,
}

impl Fault {
    /// The client's mistake.
    pub(crate) fn sender(subcodes: &[(Ns, &'static str)], reason: impl Into<String>) -> Self {
        Self {
            code: "Sender",
            subcodes: subcodes.to_vec(),
            reason: reason.into(),
            detail: None,
            status: StatusCode::BAD_REQUEST,
        }
    }

    /// The device cannot do it.
    pub(crate) fn receiver(subcodes: &[(Ns, &'static str)], reason: impl Into<String>) -> Self {
        Self {
            code: "Receiver",
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::sender(subcodes, reason)
        }
    }

    /// `Sender / ter:InvalidArgVal / ter:SUBCODE`.
    pub(crate) fn invalid_value(subcode: &'static str, reason: impl Into<String>) -> Self {
        Self::sender(&[(TER, "InvalidArgVal"), (TER, subcode)], reason)
    }

    /// An argument that the operation needs is missing.
    pub(crate) fn missing(argument: &str) -> Self {
        Self::sender(&[(TER, "InvalidArgs")], format!("{argument} is missing"))
    }

    /// `Receiver / ter:ActionNotSupported`.
    pub(crate) fn not_supported(operation: &str) -> Self {
        let reason = format!("{operation} is not supported");
        Self::receiver(&[(TER, "ActionNotSupported")], reason)
    }

    /// `Sender / ter:NotAuthorized`.
    pub(crate) fn not_authorized(status: StatusCode, reason: Option<&str>) -> Self {
        let usual = "the action needs authorization and the sender is not authorized";
        Self {
            status,
            ..Self::sender(&[(TER, "NotAuthorized")], reason.unwrap_or(usual))
        }
    }

    /// The subscription has expired, was ended, or never existed.
    pub(crate) fn unknown_subscription(now: String) -> Self {
        Self {
            detail: Some(base_fault(WSRF_R, "ResourceUnknownFault", now)),
            ..Self::sender(
                &[(WSRF_RW, "ResourceUnknownFault")],
                "there is no such subscription",
            )
        }
    }

    /// A fault of WS-BaseNotification, with its typed detail.
    pub(crate) fn notification(name: &'static str, reason: &str, now: String) -> Self {
        Self {
            detail: Some(base_fault(WSNT, name, now)),
            ..Self::sender(&[(WSNT, name)], reason)
        }
    }

    /// The device has as many subscriptions as it can hold.
    pub(crate) fn too_many_subscriptions(now: String) -> Self {
        let reason = "the maximum number of subscriptions is reached";
        Self {
            code: "Receiver",
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::notification("SubscribeCreationFailedFault", reason, now)
        }
    }

    /// The fault as the Body's element.
    pub(crate) fn element(&self) -> Element {
        let value = |ns: Ns, name: &str| {
            element(ENV, "Value")
                .mentions(ns)
                .text(format_args!("{}:{name}", ns.prefix))
        };
        let mut subcode: Option<Element> = None;
        for (ns, name) in self.subcodes.iter().rev() {
            let outer = element(ENV, "Subcode").child(value(*ns, name));
            subcode = Some(outer.children(subcode));
        }
        let reason = element(ENV, "Text")
            .attribute("xml:lang", "en")
            .text(&self.reason);
        element(ENV, "Fault")
            .child(
                element(ENV, "Code")
                    .child(value(ENV, self.code))
                    .children(subcode),
            )
            .child(element(ENV, "Reason").child(reason))
            .children(
                self.detail
                    .clone()
                    .map(|detail| element(ENV, "Detail").child(*detail)),
            )
    }
}

fn base_fault(ns: Ns, name: &'static str, now: String) -> Box<Element> {
    Box::new(element(ns, name).leaf(WSRF_BF, "Timestamp", now))
}

fn malformed(reason: &str) -> Fault {
    Fault::sender(&[(TER, "WellFormed")], reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Rendering;

    #[test]
    fn subcodes_are_nested_in_order() {
        let fault = Fault::invalid_value("NoProfile", "no profile <x>");
        let written = envelope(Vec::new(), fault.element()).render(Rendering::default());

        let root = read(written.as_bytes()).unwrap();
        let fault = root
            .child("Body")
            .and_then(|body| body.child("Fault"))
            .unwrap();
        let code = fault.child("Code").unwrap();
        assert_eq!(code.text_of("Value"), Some("env:Sender"));
        let outer = code.child("Subcode").unwrap();
        assert_eq!(outer.text_of("Value"), Some("ter:InvalidArgVal"));
        let inner = outer.child("Subcode").unwrap();
        assert_eq!(inner.text_of("Value"), Some("ter:NoProfile"));
    }

    #[test]
    fn a_request_with_an_id_gets_a_reply_that_relates_to_it() {
        let header =
            "<Header><MessageID>urn:1</MessageID><Action>urn:x/RenewRequest</Action></Header>";
        let header = read(header.as_bytes()).unwrap();
        let written = reply(Some(&header), element(WSNT, "RenewResponse"));

        let written = read(written.render(Rendering::default()).as_bytes()).unwrap();
        let header = written.child("Header").unwrap();
        assert_eq!(header.text_of("RelatesTo"), Some("urn:1"));
        assert_eq!(header.text_of("Action"), Some("urn:x/RenewResponse"));
    }

    #[test]
    fn an_envelope_without_an_operation_is_a_fault() {
        for document in [
            "<x/>",
            "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body/></e:Envelope>",
        ] {
            assert_eq!(
                Request::read(document.as_bytes()).unwrap_err().status,
                StatusCode::BAD_REQUEST
            );
        }
    }
}
