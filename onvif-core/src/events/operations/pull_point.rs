use std::time::{Duration, SystemTime};

use super::subscription::{SubscriptionReference, Termination};
use crate::events::filter::Filter;
use crate::events::notification::Notification;
use crate::operation;
use crate::operation::{AccessClass, Effect, Operation, Service};
use crate::xml::{Decode, DecodeError, Element, EncodeError, IsoDuration, date, to_body};

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
            body.push_str(&format!(
                "<tev:Filter>{}</tev:Filter>",
                self.filter.content()
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

/// Waits for notifications.
#[derive(Clone, Debug, PartialEq)]
pub struct PullMessages {
    /// How long the camera may hold the request.
    pub timeout: IsoDuration,
    /// Notifications in the answer at most.
    pub message_limit: u32,
}

crate::__soap_write!(PullMessages, "tev:PullMessages", [] {
    timeout = "tev:Timeout", message_limit = "tev:MessageLimit"
});

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
    /// Asks for the state of all properties.
    pub struct SetSynchronizationPoint in "tev" {} -> ();
    Events, "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/SetSynchronizationPointRequest", ReadMedia, Write
}

/// Moves a pull point to a time in the past, for devices that store events
/// ([`persistent_storage`](super::EventCapabilities::persistent_storage)).
#[derive(Clone, Debug, PartialEq)]
pub struct Seek {
    /// The moment, as [`date::format_date_time`] writes it.
    utc_time: String,
    reverse: Option<bool>,
}

crate::__soap_write!(Seek, "tev:Seek", [] { utc_time = "tev:UtcTime", reverse = "tev:Reverse" });

impl Seek {
    /// To `time` by the camera's clock; with `reverse` the events before it follow, newest first.
    pub fn new(time: SystemTime, reverse: bool) -> Self {
        Self {
            utc_time: date::format_date_time(time),
            reverse: reverse.then_some(true),
        }
    }
}

impl Operation for Seek {
    type Response = ();
    const SERVICE: Service = Service::Events;
    const NAME: &'static str = "Seek";
    const ACTION: &'static str =
        "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/SeekRequest";
    const ACCESS: AccessClass = AccessClass::ReadMedia;
    const EFFECT: Effect = Effect::Write;

    fn body(&self) -> Result<String, EncodeError> {
        to_body(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_point_is_asked_for_with_filter_and_lifetime_in_seconds() {
        let body = CreatePullPointSubscription {
            filter: Filter::topic("tns1:A"),
            initial_termination_time: Termination::After(Duration::from_secs(600)),
        }
        .body()
        .unwrap();
        assert!(
            body.starts_with("<tev:CreatePullPointSubscription><tev:Filter><wsnt:TopicExpression ")
        );
        assert!(body.ends_with(
            "</tev:Filter><tev:InitialTerminationTime>PT600S</tev:InitialTerminationTime>\
             </tev:CreatePullPointSubscription>"
        ));
    }

    #[test]
    fn seeking_writes_the_direction_only_where_it_is_unusual() {
        let time = std::time::UNIX_EPOCH + Duration::from_millis(1_712_592_109_007);
        assert_eq!(
            Seek::new(time, false).body().unwrap(),
            "<tev:Seek><tev:UtcTime>2024-04-08T16:01:49.007Z</tev:UtcTime></tev:Seek>"
        );
        assert!(
            Seek::new(time, true)
                .body()
                .unwrap()
                .contains("<tev:Reverse>true</tev:Reverse>")
        );
    }
}
