//! Events: what a camera can report, and a stream of what it reports that heals itself.

mod filter;
pub(crate) mod lifecycle;
mod meaning;
mod metadata;
mod notification;
mod operations;
mod property;
mod push;
mod stream;
mod topics;

use std::time::{Duration, SystemTime};

pub use filter::{Filter, TopicDialect};
pub use meaning::{Edge, Meaning, MeaningKind};
pub use metadata::{
    AnalyticsFrame, AnalyticsObject, BoundingBox, ClassCandidate, MetadataDecoder, MetadataItem,
    Transformation,
};
pub use notification::{ElementItem, Items, Notification, PropertyOperation, SimpleItem};
pub use operations::{
    AddEventBroker, CreatePullPointSubscription, CreatePullPointSubscriptionResponse,
    DeleteEventBroker, EventBroker, EventCapabilities, GetCurrentMessage,
    GetCurrentMessageResponse, GetEventBrokers, GetEventBrokersResponse, GetEventProperties,
    GetServiceCapabilities, GetServiceCapabilitiesResponse, Notify, PauseSubscription,
    PullMessages, PullMessagesResponse, Renew, RenewResponse, ResumeSubscription, Seek,
    SetSynchronizationPoint, Subscribe, SubscribeResponse, SubscriptionReference, Termination,
    Unsubscribe, operations,
};
pub use property::{PropertyOptions, PropertyState, PropertyStates, PropertyUpdate};
pub use push::{PeerPolicy, PushListener, PushOptions};
pub use stream::{EventItem, EventStream};
pub use topics::{EventProperties, ItemDescription, Topic, TopicNode, TopicSet};

use crate::camera::{Camera, Endpoint};
use crate::error::Error;

/// Events of one camera (ONVIF Core, "Event handling").
#[derive(Clone, Copy, Debug)]
pub struct EventsClient<'c> {
    camera: &'c Camera,
}

impl<'c> EventsClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
    }

    /// The topics the camera can report, with names and types of their items.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetEventProperties")]
    pub async fn properties(&self) -> Result<EventProperties, Error> {
        self.camera.call(&GetEventProperties {}).await
    }

    /// What the event service can do. A hint: some cameras deny pull points that work.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetServiceCapabilities")]
    pub async fn service_capabilities(&self) -> Result<Option<EventCapabilities>, Error> {
        Ok(self
            .camera
            .call(&GetServiceCapabilities {})
            .await?
            .capabilities)
    }

    /// The last message of one topic, such as `tns1:VideoSource/MotionAlarm`; `None` when there was
    /// none yet. Few cameras tell.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetCurrentMessage")]
    pub async fn current_message(&self, topic: &str) -> Result<Option<Notification>, Error> {
        let topic = topic.to_owned();
        let reply = self
            .camera
            .call(&GetCurrentMessage {
                topic: topic.clone(),
            })
            .await?;
        Ok(reply.notification.map(|notification| {
            Notification {
                topic,
                ..notification
            }
            .stamp(SystemTime::now(), self.camera.clock_offset_ms())
        }))
    }

    /// The MQTT brokers to which the camera publishes its events by itself (Profile M).
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "GetEventBrokers")]
    pub async fn brokers(&self) -> Result<Vec<EventBroker>, Error> {
        let all = GetEventBrokers { address: None };
        Ok(self.camera.call(&all).await?.brokers)
    }

    /// Makes the camera publish its events to an MQTT broker, without a connector between.
    ///
    /// # Errors
    /// Those of [`Camera::call`]; [`Error::Refused`] when the camera has as many as it can.
    #[doc(alias = "AddEventBroker")]
    pub async fn add_broker(&self, broker: EventBroker) -> Result<(), Error> {
        self.camera.call(&AddEventBroker { broker }).await
    }

    /// Makes the camera forget the MQTT broker with this address.
    ///
    /// # Errors
    /// Those of [`Camera::call`].
    #[doc(alias = "DeleteEventBroker")]
    pub async fn delete_broker(&self, address: &str) -> Result<(), Error> {
        let address = address.to_owned();
        self.camera.call(&DeleteEventBroker { address }).await
    }

    /// Subscribes to what `filter` selects. The subscription is made when the stream is first
    /// polled, and ended when the stream is dropped.
    #[doc(alias = "CreatePullPointSubscription")]
    #[doc(alias = "PullMessages")]
    pub fn subscribe(&self, filter: Filter) -> EventStream {
        self.subscribe_with(filter, EventOptions::default())
    }

    /// As [`subscribe`](Self::subscribe), with options.
    pub fn subscribe_with(&self, filter: Filter, options: EventOptions) -> EventStream {
        EventStream::pull(self.camera.clone(), filter, options)
    }

    /// Subscribes to what `filter` selects, the camera pushing it to `listener`. For cameras without
    /// pull points; give the subscription a short lifetime, because a camera that forgot it is
    /// noticed when it is renewed.
    #[doc(alias = "Subscribe")]
    #[doc(alias = "Notify")]
    pub fn subscribe_push(
        &self,
        listener: &PushListener,
        filter: Filter,
        options: EventOptions,
    ) -> EventStream {
        EventStream::push(self.camera.clone(), filter, options, listener.clone())
    }

    /// Ends a subscription that was left behind, such as by a program that crashed: see
    /// [`EventStream::subscriptions`].
    ///
    /// # Errors
    /// Those of [`Camera::call`]; a subscription that is gone already is no error.
    #[doc(alias = "Unsubscribe")]
    pub async fn unsubscribe(&self, subscription: &SubscriptionReference) -> Result<(), Error> {
        let endpoint = Endpoint {
            url: self.camera.resolve("subscription", &subscription.address)?,
            reference_parameters: subscription.reference_parameters.clone(),
        };
        match self.camera.call_at(&endpoint, &Unsubscribe {}).await {
            Err(Error::Refused { fault, .. }) if fault.needs_resubscribe() => Ok(()),
            Err(Error::NotSoap { status: 404, .. }) => Ok(()),
            other => other,
        }
    }
}

/// How a subscription is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventOptions {
    /// Lifetime asked for; 10 minutes. What the camera grants counts.
    pub lifetime: Duration,
    /// How long the camera may hold a pull that has nothing to report; 30 s.
    pub pull_timeout: Duration,
    /// Notifications in one answer at most; 100.
    pub message_limit: u32,
    /// Start with events of the past, and fetch what a gap missed, from devices that
    /// [store events](EventCapabilities::persistent_storage); not by default.
    pub replay_from: Option<SystemTime>,
}

impl Default for EventOptions {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(600),
            pull_timeout: Duration::from_secs(30),
            message_limit: 100,
            replay_from: None,
        }
    }
}
