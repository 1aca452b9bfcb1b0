use std::fmt;

use crate::xml::{Decode, DecodeError, Element};

/// A SOAP fault, as far as the camera filled it in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The code, without prefix: `Sender`, `Receiver`.
    pub code: String,
    /// The subcodes from outer to inner, without prefix: `NotAuthorized`, `InvalidArgVal`.
    pub subcodes: Vec<FaultCode>,
    /// The reason in words. Never decide by it: it differs between firmware versions.
    pub reason: String,
    /// The detail: its text, or the names and texts of its elements.
    pub detail: Option<String>,
}

crate::soap_enum! {
    /// A fault subcode that this crate acts on (ONVIF Core, "Generic faults").
    pub enum FaultCode {
        /// The operation needs authentication, or other rights.
        NotAuthorized = "NotAuthorized",
        /// The same, from WS-Security.
        FailedAuthentication = "FailedAuthentication",
        /// The same, from WS-Security.
        InvalidSecurity = "InvalidSecurity",
        /// The same, from WS-Security.
        InvalidSecurityToken = "InvalidSecurityToken",
        /// The device does not have the operation.
        ActionNotSupported = "ActionNotSupported",
        /// The device has the operation, but not this use of it.
        OptionNotSupported = "OptionNotSupported",
        /// An argument is invalid.
        InvalidArgVal = "InvalidArgVal",
        /// An argument is missing or too many.
        InvalidArgs = "InvalidArgs",
        /// The requested move is outside the range.
        InvalidPosition = "InvalidPosition",
        /// No such profile.
        NoProfile = "NoProfile",
        /// No such entity.
        NoEntity = "NoEntity",
        /// No such token.
        NoToken = "NoToken",
        /// The resource, such as a subscription, does not exist.
        ResourceUnknown = "ResourceUnknownFault",
        /// The device ran out of memory.
        OutOfMemory = "OutofMemory",
        /// Too many of something, such as subscriptions.
        CapacityViolated = "CapacityViolated",
    }
}

impl Fault {
    /// Whether the camera asks for (other) credentials.
    pub fn is_auth(&self) -> bool {
        self.has(&[
            FaultCode::NotAuthorized,
            FaultCode::FailedAuthentication,
            FaultCode::InvalidSecurity,
            FaultCode::InvalidSecurityToken,
        ])
    }

    /// Whether the camera does not have the operation.
    pub fn is_unsupported(&self) -> bool {
        self.has(&[FaultCode::ActionNotSupported, FaultCode::OptionNotSupported])
            || self.subcodes.iter().any(|code| {
                matches!(
                    code.as_str(),
                    "OptionalActionNotImplemented" | "NoSuchService"
                )
            })
    }

    /// Whether a subscription is gone and has to be made anew.
    pub fn needs_resubscribe(&self) -> bool {
        self.subcodes.iter().any(|code| {
            *code == FaultCode::ResourceUnknown || code.as_str().starts_with("ResourceUn")
        }) || self
            .detail
            .as_deref()
            .is_some_and(|detail| detail.contains("ResourceUnknown"))
    }

    /// Whether the camera may answer differently later.
    pub fn is_transient(&self) -> bool {
        !self.is_auth()
            && !self.is_unsupported()
            && (self.code == "Receiver" || self.code == "Server")
            && (self.subcodes.is_empty()
                || self.has(&[FaultCode::OutOfMemory, FaultCode::CapacityViolated]))
    }

    fn has(&self, codes: &[FaultCode]) -> bool {
        self.subcodes.iter().any(|code| codes.contains(code))
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
                "Code" => code(&mut part, &mut fault)?,
                "Reason" => {
                    while let Some(mut text) = part.child()? {
                        let text = text.text()?;
                        if fault.reason.is_empty() {
                            fault.reason = shorten(text);
                        }
                    }
                }
                "Detail" | "detail" => {
                    fault.detail = Some(shorten(words(&mut part)?)).filter(|text| !text.is_empty())
                }
                // SOAP 1.1
                "faultcode" => {
                    let text = part.text()?;
                    match local(&text) {
                        code @ ("Client" | "Server" | "VersionMismatch" | "MustUnderstand") => {
                            fault.code = code.into()
                        }
                        code => fault.subcodes.push(code.into()),
                    }
                }
                "faultstring" => fault.reason = shorten(part.text()?),
                _ => {}
            }
        }
        // Some devices put the subcode into Detail only.
        if fault.subcodes.is_empty()
            && let Some(detail) = &fault.detail
        {
            let known = detail
                .split(|c: char| c.is_whitespace() || c == ':')
                .map(FaultCode::from);
            fault
                .subcodes
                .extend(known.filter(|code| !matches!(code, FaultCode::Other(_))));
        }
        Ok(fault)
    }
}

/// Reads `Code` with its nested `Subcode`s. Nesting ends where the reader's depth limit does.
fn code(element: &mut Element<'_, '_>, fault: &mut Fault) -> Result<(), DecodeError> {
    while let Some(mut part) = element.child()? {
        match part.local_name() {
            "Value" => {
                let text = part.text()?;
                if fault.code.is_empty() {
                    fault.code = local(&text).to_owned();
                } else if fault.subcodes.len() < 8 {
                    fault.subcodes.push(local(&text).into());
                }
            }
            "Subcode" => code(&mut part, fault)?,
            _ => {}
        }
    }
    Ok(())
}

/// All words of an element, with the names of its children: `NotAuthorized`, `Text reason`.
fn words(element: &mut Element<'_, '_>) -> Result<String, DecodeError> {
    let raw = element.raw()?;
    let mut words = String::new();
    for piece in raw.split('<') {
        let (tag, text) = piece.split_once('>').unwrap_or(("", piece));
        let name = tag.split([' ', '/']).next().map(local).unwrap_or_default();
        for word in [name, text.trim()] {
            if !word.is_empty() && !word.starts_with(['!', '?']) {
                if !words.is_empty() {
                    words.push(' ');
                }
                words.push_str(word);
            }
        }
    }
    Ok(words)
}

fn local(name: &str) -> &str {
    name.trim().rsplit(':').next().unwrap_or_default()
}

fn shorten(text: String) -> String {
    if text.len() <= 512 {
        text
    } else {
        text.chars().take(512).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Reader;

    fn fault(xml: &str) -> Fault {
        Fault::decode(&mut Reader::new(xml).unwrap().root().unwrap()).unwrap()
    }

    #[test]
    fn nested_subcodes_are_kept_in_order_with_undeclared_prefixes() {
        let fault = fault(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value> ter:InvalidArgVal </s:Value>\
             <s:Subcode><s:Value>ter:NoProfile</s:Value></s:Subcode></s:Subcode></s:Code>\
             <s:Reason><s:Text>no such profile</s:Text></s:Reason></s:Fault>",
        );
        assert_eq!(fault.code, "Sender");
        assert_eq!(
            fault.subcodes,
            [FaultCode::InvalidArgVal, FaultCode::NoProfile]
        );
        assert_eq!(
            fault.to_string(),
            "Sender/InvalidArgVal/NoProfile: no such profile"
        );
    }

    #[test]
    fn authentication_is_seen_by_subcode_in_code_detail_and_soap_1_1() {
        for xml in [
            "<Fault><Code><Value>Sender</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code></Fault>",
            "<Fault><Code><Value>Sender</Value></Code><Detail><Text>ter:NotAuthorized</Text></Detail></Fault>",
            "<Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring></Fault>",
        ] {
            assert!(fault(xml).is_auth(), "{xml}");
        }
        assert!(!fault("<Fault><Reason><Text>Unauthorized</Text></Reason></Fault>").is_auth());
    }

    #[test]
    fn a_lost_subscription_is_recognised() {
        assert!(
            fault("<Fault><Code><Value>Receiver</Value><Subcode><Value>wsrf-rw:ResourceUnknownFault</Value></Subcode></Code></Fault>")
                .needs_resubscribe()
        );
    }
}
