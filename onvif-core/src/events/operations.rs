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
use crate::operation::OperationInfo;
use crate::{operation, operations, soap_reply};

/// The operations of the Events service, and those of WS-BaseNotification that it takes over. What a client has no use for
/// is left out.
#[inline]
pub fn operations() -> &'static [OperationInfo] {
    const {
        operations! {
            AddEventBroker CreatePullPointSubscription DeleteEventBroker GetCurrentMessage GetEventBrokers GetEventProperties
            GetServiceCapabilities PauseSubscription PullMessages Renew ResumeSubscription Seek SetSynchronizationPoint Subscribe
            Unsubscribe
        }
    }
}

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
