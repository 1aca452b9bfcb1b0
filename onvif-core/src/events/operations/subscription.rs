use std::time::{Duration, SystemTime};

use quick_xml::escape::escape;

use crate::events::filter::Filter;
use crate::events::notification::Notification;
use crate::operation::{AccessClass, Effect, Operation, Service};
use crate::xml::{Decode, DecodeError, Element, EncodeError, date};
use crate::{operation, soap_reply};

/// When a subscription ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// After this time.
    After(Duration),
    /// At this moment of the camera's clock. For cameras that refuse durations.
    At(SystemTime),
}

impl Termination {
    pub(super) fn text(&self) -> String {
        match self {
            Self::After(duration) => date::format_duration(*duration),
            Self::At(time) => date::format_date_time(*time),
        }
    }
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

/// Asks the camera to send notifications to an address (WS-BaseNotification).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// Where to send them.
    pub consumer: url::Url,
    /// What to report.
    pub filter: Filter,
    /// When the subscription ends unless it is renewed.
    pub initial_termination_time: Termination,
}

impl Operation for Subscribe {
    type Response = SubscribeResponse;
    const SERVICE: Service = Service::Events;
    const NAME: &'static str = "Subscribe";
    const ACTION: &'static str =
        "http://docs.oasis-open.org/wsn/bw-2/NotificationProducer/SubscribeRequest";
    const ACCESS: AccessClass = AccessClass::Unspecified;
    const EFFECT: Effect = Effect::Write;

    fn body(&self) -> Result<String, EncodeError> {
        let mut body = format!(
            "<wsnt:Subscribe><wsnt:ConsumerReference><wsa:Address>{}</wsa:Address></wsnt:ConsumerReference>",
            escape(self.consumer.as_str()),
        );
        if !self.filter.is_all() {
            body.push_str(&format!(
                "<wsnt:Filter>{}</wsnt:Filter>",
                self.filter.content()
            ));
        }
        body.push_str(&format!(
            "<wsnt:InitialTerminationTime>{}</wsnt:InitialTerminationTime></wsnt:Subscribe>",
            self.initial_termination_time.text()
        ));
        Ok(body)
    }
}

soap_reply! {
    /// The reply to [`Subscribe`].
    pub struct SubscribeResponse in "wsnt" {
        /// Where to renew and to unsubscribe.
        reference: Option<SubscriptionReference> = "SubscriptionReference",
        /// What the camera's clock says.
        current_time: Option<SystemTime> = "CurrentTime",
        /// When the subscription ends.
        termination_time: Option<SystemTime> = "TerminationTime",
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
    /// Stops a subscription for a while; messages queue or are dropped, as the device likes.
    pub struct PauseSubscription in "wsnt" {} -> ();
    Events, "http://docs.oasis-open.org/wsn/bw-2/PausableSubscriptionManager/PauseSubscriptionRequest", Unspecified, Write
}

operation! {
    /// Lets a paused subscription go on.
    pub struct ResumeSubscription in "wsnt" {} -> ();
    Events, "http://docs.oasis-open.org/wsn/bw-2/PausableSubscriptionManager/ResumeSubscriptionRequest", Unspecified, Write
}

/// Asks for the last message of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetCurrentMessage {
    /// The topic, such as `tns1:VideoSource/MotionAlarm`.
    pub topic: String,
}

impl Operation for GetCurrentMessage {
    type Response = GetCurrentMessageResponse;
    const SERVICE: Service = Service::Events;
    const NAME: &'static str = "GetCurrentMessage";
    const ACTION: &'static str =
        "http://docs.oasis-open.org/wsn/bw-2/NotificationProducer/GetCurrentMessageRequest";
    const ACCESS: AccessClass = AccessClass::Unspecified;
    const EFFECT: Effect = Effect::Read;

    fn body(&self) -> Result<String, EncodeError> {
        Ok(format!(
            "<wsnt:GetCurrentMessage><wsnt:Topic \
             Dialect=\"http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete\">{}</wsnt:Topic></wsnt:GetCurrentMessage>",
            escape(&self.topic)
        ))
    }
}

/// The reply to [`GetCurrentMessage`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetCurrentMessageResponse {
    /// The message, without topic; `None` when there was none yet.
    pub notification: Option<Notification>,
}

impl Decode for GetCurrentMessageResponse {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut response = Self::default();
        while let Some(mut child) = element.child()? {
            if child.local_name() == "Message" {
                response.notification = Some(Notification::from_message(&mut child)?);
            }
        }
        Ok(response)
    }
}

/// What a camera posts to the address given with [`Subscribe`]. Received, never sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notify {
    /// The notifications, in order. Their `received` is not set yet.
    pub notifications: Vec<Notification>,
}

impl Decode for Notify {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut notify = Self::default();
        while let Some(mut child) = element.child()? {
            if child.local_name() == "NotificationMessage" {
                notify.notifications.push(Notification::decode(&mut child)?);
            }
        }
        Ok(notify)
    }
}

impl Decode for SubscriptionReference {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut reference = Self::default();
        while let Some(mut child) = element.child()? {
            match child.local_name() {
                "Address" => reference.address = child.text()?.into_owned(),
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

/// How much longer a subscription lives, by the camera's own clock.
pub(in crate::events) fn granted(
    current: Option<SystemTime>,
    termination: Option<SystemTime>,
) -> Option<Duration> {
    termination?.duration_since(current?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::operations::CreatePullPointSubscriptionResponse;
    use crate::xml::Reader;

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
