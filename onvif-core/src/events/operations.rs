use std::time::{Duration, SystemTime};

use quick_xml::escape::escape;

use super::Filter;
use super::notification::Notification;
use super::topics::EventProperties;
use crate::operation::{AccessClass, Effect, Operation, Service};
use crate::xml::{Decode, DecodeError, Element, EncodeError, IsoDuration, date, to_body};
use crate::{operation, soap_reply};

operation! {
    /// Asks for the topics.
    pub struct GetEventProperties in "tev" {} -> EventProperties;
    Events, "http://www.onvif.org/ver10/events/wsdl/EventPortType/GetEventPropertiesRequest", ReadMedia, Read
}

operation! {
    /// Asks what the event service can do.
    pub struct GetServiceCapabilities in "tev" {} -> GetServiceCapabilitiesResponse;
    Events, "http://www.onvif.org/ver10/events/wsdl/EventPortType/GetServiceCapabilitiesRequest", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetServiceCapabilities`].
    pub struct GetServiceCapabilitiesResponse in "tev" {
        /// The capabilities.
        capabilities: Option<EventCapabilities> = "Capabilities",
    }
}

soap_reply! {
    /// What the event service can do.
    pub struct EventCapabilities in "tev" [
        /// Pull points are offered.
        pull_point_support: Option<bool> = "WSPullPointSupport",
        /// How many pull points there may be.
        max_pull_points: Option<u32> = "MaxPullPoints",
        /// How many push subscriptions there may be.
        max_notification_producers: Option<u32> = "MaxNotificationProducers",
    ] {}
}

/// When a subscription ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// After this time.
    After(Duration),
    /// At this moment of the camera's clock. For cameras that refuse durations.
    At(SystemTime),
}

impl Termination {
    fn text(&self) -> String {
        match self {
            Self::After(duration) => date::format_duration(*duration),
            Self::At(time) => date::format_date_time(*time),
        }
    }
}

/// Makes a pull point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePullPointSubscription {
    /// What to report.
    pub filter: Filter,
    /// When the subscription ends unless it is renewed. Always sent: some cameras fail without.
    pub initial_termination_time: Termination,
}

impl Operation for CreatePullPointSubscription {
    type Response = CreatePullPointSubscriptionResponse;
    const SERVICE: Service = Service::Events;
    const NAME: &'static str = "CreatePullPointSubscription";
    const ACTION: &'static str =
        "http://www.onvif.org/ver10/events/wsdl/EventPortType/CreatePullPointSubscriptionRequest";
    const ACCESS: AccessClass = AccessClass::ReadMedia;
    const EFFECT: Effect = Effect::Write;

    fn body(&self) -> Result<String, EncodeError> {
        let mut body = String::from("<tev:CreatePullPointSubscription>");
        if !self.filter.is_all() {
            // Prefixes are bound by hand, since they occur in content.
            body.push_str("<tev:Filter><wsnt:TopicExpression");
            for (prefix, uri) in &self.filter.namespaces {
                body.push_str(&format!(" xmlns:{}=\"{}\"", escape(prefix), escape(uri)));
            }
            body.push_str(&format!(
                " Dialect=\"http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet\">{}\
                 </wsnt:TopicExpression></tev:Filter>",
                escape(self.filter.topics.join("|")),
            ));
        }
        body.push_str(&format!(
            "<tev:InitialTerminationTime>{}</tev:InitialTerminationTime></tev:CreatePullPointSubscription>",
            self.initial_termination_time.text()
        ));
        Ok(body)
    }
}

/// The reply to [`CreatePullPointSubscription`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreatePullPointSubscriptionResponse {
    /// Where to pull.
    pub reference: SubscriptionReference,
    /// What the camera's clock says.
    pub current_time: Option<SystemTime>,
    /// When the subscription ends.
    pub termination_time: Option<SystemTime>,
}

/// Where to send what concerns a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionReference {
    /// The address as reported; empty when the camera gives none.
    pub address: String,
    /// Elements to echo as SOAP headers, complete with their namespaces. Axis cameras tell
    /// subscriptions apart by them.
    pub reference_parameters: String,
}

impl Decode for CreatePullPointSubscriptionResponse {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut response = Self::default();
        while let Some(mut child) = element.child()? {
            match child.local_name() {
                "SubscriptionReference" => {
                    response.reference = SubscriptionReference::decode(&mut child)?
                }
                "CurrentTime" => response.current_time = date::parse_date_time(&child.text()?),
                "TerminationTime" => {
                    response.termination_time = date::parse_date_time(&child.text()?)
                }
                _ => {}
            }
        }
        Ok(response)
    }
}

impl Decode for SubscriptionReference {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut reference = Self::default();
        while let Some(mut child) = element.child()? {
            match child.local_name() {
                "Address" => reference.address = child.text()?,
                "ReferenceParameters" | "ReferenceProperties" => {
                    while let Some(mut parameter) = child.child()? {
                        reference
                            .reference_parameters
                            .push_str(&standalone(&mut parameter)?);
                    }
                }
                _ => {}
            }
        }
        Ok(reference)
    }
}

/// The element as text that means the same anywhere.
fn standalone(element: &mut Element<'_, '_>) -> Result<String, DecodeError> {
    let prefix = element.prefix().map(str::to_owned);
    let name = match &prefix {
        Some(prefix) => format!("{prefix}:{}", element.local_name()),
        None => element.local_name().to_owned(),
    };
    let declaration = match &prefix {
        Some(prefix) => format!("xmlns:{prefix}"),
        None => "xmlns".to_owned(),
    };
    let mut xml = format!("<{name}");
    for (attribute, value) in element
        .attributes()
        .filter(|(attribute, _)| *attribute != declaration)
    {
        xml.push_str(&format!(" {attribute}=\"{}\"", escape(&*value)));
    }
    if let Some(uri) = element.namespace() {
        xml.push_str(&format!(" {declaration}=\"{}\"", escape(uri)));
    }
    xml.push_str(&format!(">{}</{name}>", element.raw()?));
    Ok(xml)
}

/// Waits for notifications.
#[derive(Clone, Debug, PartialEq, yaserde::YaSerialize)]
#[yaserde(prefix = "tev")]
pub struct PullMessages {
    /// How long the camera may hold the request.
    #[yaserde(prefix = "tev", rename = "Timeout")]
    pub timeout: IsoDuration,
    /// Notifications in the answer at most.
    #[yaserde(prefix = "tev", rename = "MessageLimit")]
    pub message_limit: u32,
}

impl Operation for PullMessages {
    type Response = PullMessagesResponse;
    const SERVICE: Service = Service::Events;
    const NAME: &'static str = "PullMessages";
    const ACTION: &'static str =
        "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest";
    const ACCESS: AccessClass = AccessClass::ReadMedia;
    // Messages that a lost answer carried are gone; the stream decides what follows.
    const EFFECT: Effect = Effect::Write;

    fn body(&self) -> Result<String, EncodeError> {
        to_body(self)
    }

    fn hold(&self) -> Duration {
        self.timeout.0
    }
}

/// The reply to [`PullMessages`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PullMessagesResponse {
    /// What the camera's clock says.
    pub current_time: Option<SystemTime>,
    /// When the subscription ends.
    pub termination_time: Option<SystemTime>,
    /// The notifications, in order. Their `received` is not set yet.
    pub notifications: Vec<Notification>,
}

impl Decode for PullMessagesResponse {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut response = Self::default();
        while let Some(mut child) = element.child()? {
            match child.local_name() {
                "CurrentTime" => response.current_time = date::parse_date_time(&child.text()?),
                "TerminationTime" => {
                    response.termination_time = date::parse_date_time(&child.text()?)
                }
                "NotificationMessage" => response
                    .notifications
                    .push(Notification::decode(&mut child)?),
                _ => {}
            }
        }
        Ok(response)
    }
}

operation! {
    /// Prolongs a subscription.
    pub struct Renew in "wsnt" {
        /// A duration or a moment.
        termination_time: String = "TerminationTime",
    } -> RenewResponse;
    Events, "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest", ReadMedia, Write
}

impl From<Termination> for Renew {
    fn from(termination: Termination) -> Self {
        Self {
            termination_time: termination.text(),
        }
    }
}

soap_reply! {
    /// The reply to [`Renew`].
    pub struct RenewResponse in "wsnt" {
        /// When the subscription ends.
        termination_time: Option<SystemTime> = "TerminationTime",
        /// What the camera's clock says.
        current_time: Option<SystemTime> = "CurrentTime",
    }
}

operation! {
    /// Ends a subscription.
    pub struct Unsubscribe in "wsnt" {} -> ();
    Events, "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest", ReadMedia, Write
}

operation! {
    /// Asks for the state of all properties.
    pub struct SetSynchronizationPoint in "tev" {} -> ();
    Events, "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/SetSynchronizationPointRequest", ReadMedia, Write
}

/// How much longer a subscription lives, by the camera's own clock.
pub(super) fn granted(
    current: Option<SystemTime>,
    termination: Option<SystemTime>,
) -> Option<Duration> {
    termination?.duration_since(current?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Reader;

    #[test]
    fn a_filter_binds_every_prefix_it_uses() {
        let body = CreatePullPointSubscription {
            filter: Filter::topic("tns1:A")
                .or_topic("v:B")
                .namespace("v", "urn:v"),
            initial_termination_time: Termination::After(Duration::from_secs(600)),
        }
        .body()
        .unwrap();
        assert_eq!(
            body,
            "<tev:CreatePullPointSubscription><tev:Filter><wsnt:TopicExpression xmlns:v=\"urn:v\" \
             Dialect=\"http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet\">tns1:A|v:B\
             </wsnt:TopicExpression></tev:Filter><tev:InitialTerminationTime>PT600S</tev:InitialTerminationTime>\
             </tev:CreatePullPointSubscription>"
        );
    }

    #[test]
    fn reference_parameters_keep_their_namespace() {
        let xml = "<r xmlns:d='urn:d'><SubscriptionReference><wsa:Address> http://h/s?Idx=1&amp;x=2 </wsa:Address>\
                   <wsa:ReferenceParameters><d:SubscriptionId a='1'>7</d:SubscriptionId></wsa:ReferenceParameters>\
                   </SubscriptionReference><wsnt:CurrentTime>2024-01-01T00:00:00Z</wsnt:CurrentTime>\
                   <wsnt:TerminationTime>2024-01-01T00:01:00Z</wsnt:TerminationTime></r>";
        let response = CreatePullPointSubscriptionResponse::decode(
            &mut Reader::new(xml).unwrap().root().unwrap(),
        )
        .unwrap();
        assert_eq!(response.reference.address, "http://h/s?Idx=1&x=2");
        assert_eq!(
            response.reference.reference_parameters,
            "<d:SubscriptionId a=\"1\" xmlns:d=\"urn:d\">7</d:SubscriptionId>"
        );
        assert_eq!(
            granted(response.current_time, response.termination_time),
            Some(Duration::from_secs(60))
        );
    }
}
