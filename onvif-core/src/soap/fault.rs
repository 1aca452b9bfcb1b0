mod code;

use std::fmt;

pub use code::FaultCode;

use crate::xml::{Decode, DecodeError, Element};

const MAX_SUBCODES: usize = 8;
const MAX_TEXT: usize = 512;

/// A SOAP fault, as far as the camera filled it in (ONVIF Core, "Error handling").
///
/// Faults of SOAP 1.1 are read too: their `Client` is `Sender`, their `Server` is `Receiver`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The code, without prefix: `Sender`, `Receiver`. Empty when the camera gave none.
    pub code: String,
    /// The subcodes from outer to inner: `InvalidArgVal`, `NoProfile`. 8 at most.
    pub subcodes: Vec<FaultCode>,
    /// The reason in words. Never decide by it: it differs between firmware versions.
    pub reason: String,
    /// The detail: names and texts of its elements, in order.
    pub detail: Option<String>,
}

impl Fault {
    /// Whether the camera asks for (other) credentials, or finds the time in them too old.
    pub fn is_auth(&self) -> bool {
        self.has(&[
            FaultCode::NotAuthorized,
            FaultCode::FailedAuthentication,
            FaultCode::InvalidSecurity,
            FaultCode::InvalidSecurityToken,
            FaultCode::UnsupportedSecurityToken,
            FaultCode::MessageExpired,
        ])
    }

    /// Whether the camera does not have the operation or the function that it is about.
    pub fn is_unsupported(&self) -> bool {
        self.has(&[
            FaultCode::ActionNotSupported,
            FaultCode::UnknownAction,
            FaultCode::OptionNotSupported,
            FaultCode::OptionalActionNotImplemented,
            FaultCode::NoSuchService,
            FaultCode::PtzNotSupported,
            FaultCode::AudioNotSupported,
            FaultCode::AudioOutputNotSupported,
            FaultCode::AudioDecodingNotSupported,
            FaultCode::VideoAnalyticsNotSupported,
            FaultCode::Ipv6NotSupported,
            FaultCode::ServiceNotSupported,
            FaultCode::EapMethodNotSupported,
            FaultCode::GeoMoveNotSupported,
            FaultCode::NoImagingForSource,
        ])
    }

    /// Whether a subscription is gone and has to be made anew.
    pub fn needs_resubscribe(&self) -> bool {
        const GONE: [FaultCode; 4] = [
            FaultCode::ResourceUnknown,
            FaultCode::ResourceUnavailable,
            FaultCode::UnableToRenew,
            FaultCode::DestinationUnreachable,
        ];
        // gSOAP devices name the typed fault in the detail only, below a generic subcode.
        self.has(&GONE) || self.detail_codes().any(|code| GONE.contains(&code))
    }

    /// Whether the camera may answer differently later, without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        if self.is_auth() || self.is_unsupported() {
            return false;
        }
        self.has(&[
            FaultCode::OutOfMemory,
            FaultCode::CriticalError,
            FaultCode::CapacityViolated,
            FaultCode::SubscribeCreationFailed,
            FaultCode::UnableToCreatePullPoint,
            FaultCode::UnableToGetMessages,
            FaultCode::MovingPtz,
            FaultCode::EndpointUnavailable,
        ]) || (self.code == "Receiver"
            && matches!(self.subcodes.last(), None | Some(FaultCode::Action)))
    }

    fn has(&self, codes: &[FaultCode]) -> bool {
        self.subcodes.iter().any(|code| codes.contains(code))
    }

    /// Codes among the words of the detail.
    fn detail_codes(&self) -> impl Iterator<Item = FaultCode> {
        let words = self.detail.as_deref().unwrap_or_default();
        words
            .split(|c: char| c.is_whitespace() || matches!(c, ':' | '/' | ',' | ';'))
            .filter_map(FaultCode::known)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.code.is_empty() {
            "Fault"
        } else {
            &self.code
        })?;
        for code in &self.subcodes {
            write!(f, "/{code}")?;
        }
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        match &self.detail {
            Some(detail) if *detail != self.reason => write!(f, " ({detail})"),
            _ => Ok(()),
        }
    }
}

impl Decode for Fault {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut fault = Self::default();
        while let Some(mut part) = element.child()? {
            match part.local_name() {
                "Code" => fault.read_code(&mut part)?,
                "Reason" => fault.read_reason(&mut part)?,
                "Detail" | "detail" => {
                    let mut text = String::new();
                    words(&mut part, &mut text)?;
                    fault.detail = Some(text).filter(|text| !text.is_empty());
                }
                // SOAP 1.1
                "faultcode" => {
                    let text = part.text()?;
                    fault.add_code(&text, &part);
                }
                "faultstring" => fault.reason = shorten(part.text()?.into_owned()),
                _ => {}
            }
        }
        // Some devices put the subcode into Detail only.
        if fault.subcodes.is_empty() {
            let found = fault
                .detail_codes()
                .filter(|code| *code != FaultCode::Action);
            fault.subcodes = found.take(MAX_SUBCODES).collect();
        }
        Ok(fault)
    }
}

impl Fault {
    /// Reads `Code` with its nested `Subcode`s. Nesting ends where the reader's depth limit does.
    fn read_code(&mut self, element: &mut Element<'_, '_>) -> Result<(), DecodeError> {
        let mut text = String::new();
        let mut has_value = false;
        while let Some(mut part) = element.child_after(&mut text)? {
            match part.local_name() {
                "Value" => {
                    has_value = true;
                    let value = part.text()?;
                    self.add_code(&value, &part);
                }
                "Subcode" => {
                    // A code that stands in the element itself comes before those inside.
                    if !has_value {
                        has_value = true;
                        self.add_code(&std::mem::take(&mut text), &part);
                    }
                    self.read_code(&mut part)?;
                }
                _ => {}
            }
        }
        if !has_value {
            self.add_code(&text, element);
        }
        Ok(())
    }

    /// Takes one qualified name; SOAP 1.1 joins several with dots.
    fn add_code(&mut self, text: &str, at: &Element<'_, '_>) {
        for name in text
            .split('.')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            let (prefix, local) = name.rsplit_once(':').unwrap_or(("", name));
            let code = match local {
                "Client" | "Sender" => Some("Sender"),
                "Server" | "Receiver" => Some("Receiver"),
                "VersionMismatch" | "MustUnderstand" | "DataEncodingUnknown" => Some(local),
                _ => None,
            };
            match code {
                Some(code) if self.code.is_empty() => self.code = code.to_owned(),
                _ if self.subcodes.len() < MAX_SUBCODES => {
                    let namespace = match prefix {
                        "" => None,
                        prefix => at.namespace_of(prefix),
                    };
                    let name = name.chars().take(MAX_TEXT).collect::<String>();
                    self.subcodes
                        .push(FaultCode::from_qualified(&name, namespace));
                }
                _ => {}
            }
        }
    }

    fn read_reason(&mut self, element: &mut Element<'_, '_>) -> Result<(), DecodeError> {
        let mut bare = String::new();
        while let Some(mut text) = element.child_after(&mut bare)? {
            let text = text.text()?.into_owned();
            if self.reason.is_empty() {
                self.reason = shorten(text);
            }
        }
        if self.reason.is_empty() {
            self.reason = shorten(bare.trim().to_owned());
        }
        Ok(())
    }
}

/// Names of the descendants and their texts, in order: `Text NotAuthorized`.
fn words(element: &mut Element<'_, '_>, all: &mut String) -> Result<(), DecodeError> {
    let mut text = String::new();
    while let Some(mut child) = element.child_after(&mut text)? {
        push(all, &std::mem::take(&mut text));
        push(all, child.local_name());
        words(&mut child, all)?;
    }
    push(all, &text);
    Ok(())
}

fn push(all: &mut String, text: &str) {
    for word in text.split_whitespace() {
        if all.len() + word.len() >= MAX_TEXT {
            return;
        }
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(word);
    }
}

fn shorten(text: String) -> String {
    if text.len() <= MAX_TEXT {
        text
    } else {
        text.chars().take(MAX_TEXT).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Reader;

    fn fault(xml: &str) -> Fault {
        Fault::decode(&mut Reader::new(xml).unwrap().root().unwrap()).unwrap()
    }

    fn with_subcode(code: &str, subcode: &str) -> Fault {
        fault(&format!(
            "<Fault><Code><Value>s:{code}</Value><Subcode><Value>{subcode}</Value></Subcode></Code></Fault>"
        ))
    }

    #[test]
    fn nested_subcodes_are_kept_in_order_with_undeclared_prefixes() {
        let fault = fault(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value> ter:InvalidArgVal </s:Value>\
             <s:Subcode><s:Value>ter:NoProfile</s:Value><s:Subcode><s:Value>tns:Odd</s:Value></s:Subcode>\
             </s:Subcode></s:Subcode></s:Code>\
             <s:Reason><s:Text>no such profile</s:Text></s:Reason></s:Fault>",
        );
        assert_eq!(fault.code, "Sender");
        assert_eq!(
            fault.subcodes,
            [
                FaultCode::InvalidArgVal,
                FaultCode::NoProfile,
                FaultCode::Other("Odd".into())
            ]
        );
        assert_eq!(
            fault.to_string(),
            "Sender/InvalidArgVal/NoProfile/Odd: no such profile"
        );
        assert!(!fault.is_retryable() && !fault.is_unsupported() && !fault.is_auth());
    }

    #[test]
    fn a_vendors_code_is_not_taken_for_one_of_onvif() {
        let fault = fault(
            "<Fault xmlns:v='urn:vendor' xmlns:t='http://www.onvif.org/ver10/error'><Code><Value>Sender</Value>\
             <Subcode><Value>t:Action</Value><Subcode><Value>v:NotAuthorized</Value></Subcode></Subcode></Code></Fault>",
        );
        assert_eq!(
            fault.subcodes,
            [
                FaultCode::Action,
                FaultCode::Other("v:NotAuthorized".into())
            ]
        );
        assert!(!fault.is_auth());
    }

    #[test]
    fn authentication_is_seen_by_subcode_in_code_detail_and_soap_1_1() {
        for xml in [
            "<Fault><Code><Value>Sender</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code></Fault>",
            "<Fault><Code><Value>Sender</Value></Code><Detail><Text>ter:NotAuthorized</Text></Detail></Fault>",
            "<Fault><Code><Value>ter:NotAuthorized</Value></Code></Fault>",
            "<Fault><Code>s:Sender<Subcode>ter:NotAuthorized</Subcode></Code></Fault>",
            "<Fault><Code>NotAuthorized</Code></Fault>",
            "<Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring></Fault>",
            "<Fault><faultcode>SOAP-ENV:Client.NotAuthorized</faultcode></Fault>",
            "<Fault><faultcode>s:Client</faultcode><detail><e>InvalidSecurityToken</e></detail></Fault>",
        ] {
            assert!(fault(xml).is_auth(), "{xml}");
        }
        assert!(!fault("<Fault><Reason><Text>Unauthorized</Text></Reason></Fault>").is_auth());
        let old =
            fault("<Fault><faultcode>s:Server</faultcode><faultstring>busy</faultstring></Fault>");
        assert_eq!(
            (old.code.as_str(), old.reason.as_str()),
            ("Receiver", "busy")
        );
        assert!(old.is_retryable());
    }

    #[test]
    fn a_lost_subscription_is_recognised() {
        for code in [
            "wsrf-rw:ResourceUnknownFault",
            "ResourceUnknown",
            "wsrf-r:ResourceUnavailableFault",
            "wsnt:UnableToRenewFault",
        ] {
            assert!(with_subcode("Receiver", code).needs_resubscribe(), "{code}");
        }
        let fault = fault(
            "<Fault><Code><Value>Sender</Value><Subcode><Value>ter:Action</Value></Subcode></Code><Detail>\
             <wsrf-rw:ResourceUnknownFault><Timestamp>now</Timestamp></wsrf-rw:ResourceUnknownFault></Detail></Fault>",
        );
        assert!(fault.needs_resubscribe());
        assert_eq!(
            fault.detail.as_deref(),
            Some("ResourceUnknownFault Timestamp now")
        );
        assert!(!with_subcode("Sender", "wsnt:InvalidFilterFault").needs_resubscribe());
    }

    #[test]
    fn what_is_worth_repeating_is_told_from_what_is_not() {
        for (code, subcode) in [
            ("Receiver", "ter:OutofMemory"),
            ("Receiver", "ter:Action"),
            ("Sender", "wsnt:SubscribeCreationFailedFault"),
            ("Sender", "ter:MovingPTZ"),
        ] {
            assert!(with_subcode(code, subcode).is_retryable(), "{subcode}");
        }
        for (code, subcode) in [
            ("Receiver", "ter:ActionNotSupported"),
            ("Sender", "ter:InvalidArgVal"),
            ("Receiver", "ter:NotAuthorized"),
            ("Receiver", "ter:MaxNVTProfiles"),
        ] {
            assert!(!with_subcode(code, subcode).is_retryable(), "{subcode}");
        }
        assert!(with_subcode("Receiver", "ter:NoSuchService").is_unsupported());
        assert!(with_subcode("Receiver", "OptionalActionNotImplemented").is_unsupported());
    }

    #[test]
    fn a_fault_without_end_is_cut() {
        let long = "x".repeat(100_000);
        let codes = "<Subcode><Value>ter:A</Value>".repeat(20) + &"</Subcode>".repeat(20);
        let fault = fault(&format!(
            "<Fault><Code><Value>Sender</Value>{codes}</Code><Reason><Text>{long}</Text></Reason>\
             <Detail>{long} {}</Detail></Fault>",
            "word ".repeat(1000)
        ));
        assert_eq!(fault.subcodes.len(), MAX_SUBCODES);
        assert_eq!(fault.reason.len(), MAX_TEXT);
        assert!(fault.detail.is_none_or(|detail| detail.len() <= MAX_TEXT));
    }
}
