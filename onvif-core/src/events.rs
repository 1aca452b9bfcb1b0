//! Events: what a camera can report, and a stream of what it reports that heals itself.

mod lifecycle;
mod notification;
mod operations;
mod stream;
mod topics;

use std::time::Duration;

pub use notification::{ElementItem, Items, Notification, PropertyOperation, SimpleItem};
pub use operations::{
    CreatePullPointSubscription, CreatePullPointSubscriptionResponse, EventCapabilities,
    GetEventProperties, GetServiceCapabilities, GetServiceCapabilitiesResponse, PullMessages,
    PullMessagesResponse, Renew, RenewResponse, SetSynchronizationPoint, SubscriptionReference,
    Termination, Unsubscribe,
};
pub use stream::{EventItem, EventStream};
pub use topics::{EventProperties, ItemDescription, Topic, TopicSet};

use crate::camera::Camera;
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

    /// Subscribes to what `filter` selects. The subscription is made when the stream is first
    /// polled, and ended when the stream is dropped.
    #[doc(alias = "CreatePullPointSubscription")]
    #[doc(alias = "PullMessages")]
    pub fn subscribe(&self, filter: Filter) -> EventStream {
        self.subscribe_with(filter, EventOptions::default())
    }

    /// As [`subscribe`](Self::subscribe), with options.
    pub fn subscribe_with(&self, filter: Filter, options: EventOptions) -> EventStream {
        EventStream::new(self.camera.clone(), filter, options)
    }
}

/// Which notifications a subscription wants. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    topics: Vec<String>,
    namespaces: Vec<(String, String)>,
}

impl Filter {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// One topic, such as `tns1:VideoSource/MotionAlarm`, or a subtree with `tns1:VideoSource//.`.
    pub fn topic(topic: impl Into<String>) -> Self {
        Self::default().or_topic(topic)
    }

    /// One more topic.
    #[must_use]
    pub fn or_topic(mut self, topic: impl Into<String>) -> Self {
        self.topics.push(topic.into());
        self
    }

    /// Declares the prefix of a maker's topics. `tns1` is always declared.
    #[must_use]
    pub fn namespace(mut self, prefix: impl Into<String>, uri: impl Into<String>) -> Self {
        self.namespaces.push((prefix.into(), uri.into()));
        self
    }

    /// Whether everything is wanted.
    pub fn is_all(&self) -> bool {
        self.topics.is_empty()
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
}

impl Default for EventOptions {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(600),
            pull_timeout: Duration::from_secs(30),
            message_limit: 100,
        }
    }
}
