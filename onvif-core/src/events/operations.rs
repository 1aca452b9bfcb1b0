mod broker;
mod pull_point;
mod subscription;

pub use broker::{
    AddEventBroker, DeleteEventBroker, EventBroker, GetEventBrokers, GetEventBrokersResponse,
};
pub use pull_point::{
    CreatePullPointSubscription, CreatePullPointSubscriptionResponse, PullMessages,
    PullMessagesResponse, Seek, SetSynchronizationPoint,
};
pub(in crate::events) use subscription::granted;
pub use subscription::{
    GetCurrentMessage, GetCurrentMessageResponse, Notify, PauseSubscription, Renew, RenewResponse,
    ResumeSubscription, Subscribe, SubscribeResponse, SubscriptionReference, Termination,
    Unsubscribe,
};

use super::topics::EventProperties;
use crate::{operation, soap_reply};

/// Operations of the specification that a client has no use for: service, operation, reason.
pub const WAIVED: &[(&str, &str, &str)] = &[
    (
        "events",
        "CreatePullPoint",
        "pull points of plain WS-BaseNotification; ONVIF devices have CreatePullPointSubscription",
    ),
    (
        "events",
        "GetMessages",
        "of plain WS-BaseNotification; ONVIF devices have PullMessages",
    ),
    (
        "events",
        "DestroyPullPoint",
        "of plain WS-BaseNotification; ONVIF devices have Unsubscribe",
    ),
    (
        "events",
        "Notify",
        "sent by cameras and received by PushListener, never called",
    ),
];

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
        /// Subscriptions can be paused.
        pausable_subscriptions: Option<bool> = "WSPausableSubscriptionManagerInterfaceSupport",
        /// Policies of subscriptions, such as "changes only", are understood.
        subscription_policies: Option<bool> = "WSSubscriptionPolicySupport",
        /// Events are stored, so that a pull point can [`Seek`].
        persistent_storage: Option<bool> = "PersistentNotificationStorage",
        /// Protocols of event brokers, separated by blanks: `mqtt`, `mqtts`, `ws`, `wss`.
        event_broker_protocols: Option<String> = "EventBrokerProtocols",
        /// How many event brokers can be added.
        max_event_brokers: Option<u32> = "MaxEventBrokers",
        /// Metadata can be sent over MQTT as well.
        metadata_over_mqtt: Option<bool> = "MetadataOverMQTT",
    ] {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Operation, Service};

    fn bound<O: Operation>() -> (&'static str, &'static str) {
        assert_eq!(O::SERVICE, Service::Events);
        (O::NAME, O::ACTION)
    }

    #[test]
    fn every_operation_of_the_service_is_bound_or_waived_with_a_reason() {
        let event = "http://www.onvif.org/ver10/events/wsdl/";
        let base = "http://docs.oasis-open.org/wsn/bw-2/";
        let specified = [
            (event, "PullPointSubscription", "PullMessages"),
            (event, "PullPointSubscription", "Seek"),
            (event, "PullPointSubscription", "SetSynchronizationPoint"),
            (event, "EventPortType", "GetServiceCapabilities"),
            (event, "EventPortType", "CreatePullPointSubscription"),
            (event, "EventPortType", "GetEventProperties"),
            (event, "EventPortType", "AddEventBroker"),
            (event, "EventPortType", "DeleteEventBroker"),
            (event, "EventPortType", "GetEventBrokers"),
            (base, "SubscriptionManager", "Renew"),
            (base, "SubscriptionManager", "Unsubscribe"),
            (base, "NotificationProducer", "Subscribe"),
            (base, "NotificationProducer", "GetCurrentMessage"),
            (base, "PausableSubscriptionManager", "PauseSubscription"),
            (base, "PausableSubscriptionManager", "ResumeSubscription"),
            (base, "NotificationConsumer", "Notify"),
            (base, "PullPoint", "GetMessages"),
            (base, "PullPoint", "DestroyPullPoint"),
            (base, "CreatePullPoint", "CreatePullPoint"),
        ];
        let bound = [
            bound::<PullMessages>(),
            bound::<Seek>(),
            bound::<SetSynchronizationPoint>(),
            bound::<GetServiceCapabilities>(),
            bound::<CreatePullPointSubscription>(),
            bound::<GetEventProperties>(),
            bound::<AddEventBroker>(),
            bound::<DeleteEventBroker>(),
            bound::<GetEventBrokers>(),
            bound::<Renew>(),
            bound::<Unsubscribe>(),
            bound::<Subscribe>(),
            bound::<GetCurrentMessage>(),
            bound::<PauseSubscription>(),
            bound::<ResumeSubscription>(),
        ];
        for (namespace, port, name) in specified {
            let action = format!("{namespace}{port}/{name}Request");
            let waived = WAIVED.iter().any(|(_, waived, _)| *waived == name);
            assert!(
                bound.contains(&(name, action.as_str())) != waived,
                "{name} {action}"
            );
        }
    }
}
