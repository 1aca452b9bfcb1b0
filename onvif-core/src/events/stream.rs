mod driver;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use driver::{Driver, Source};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};

use super::metadata::{MetadataDecoder, MetadataItem};
use super::operations::{SubscriptionReference, Unsubscribe};
use super::push::PushListener;
use super::{EventOptions, Filter, Notification};
use crate::camera::{Camera, Endpoint};
use crate::error::Error;

/// How long ending a subscription may take when the stream is dropped.
const FAREWELL: Duration = Duration::from_secs(2);

/// What an [`EventStream`] yields.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all items are notifications"
)]
pub enum EventItem {
    /// The camera reports something.
    Notification(Notification),
    /// The subscription was lost and made anew: something may have been missed. The state of all
    /// properties follows, if the camera can tell it.
    Gap {
        /// When the last answer came before the loss, by our clock; `None` when none had come.
        since: Option<SystemTime>,
    },
    /// After an error: events flow again. Nothing was missed unless a [`Gap`](Self::Gap) follows.
    Resumed,
}

/// The notifications of a camera. It renews its subscription, makes it anew after any loss, and
/// marks the loss with a [`Gap`](EventItem::Gap). An error tells that no events can be had at the
/// moment; the stream tries again when it is polled again, after a pause: up to ten seconds while the
/// camera cannot be reached, up to five minutes while it refuses. It ends only when the camera has no
/// events.
///
/// Notifications come at least once: where a subscription takes over from another, the same
/// notification may come from both.
///
/// Nothing happens unless the stream is polled: a slow consumer slows down the pulling, and the
/// camera queues. Dropping it ends the subscription in the background; [`end`](Self::end) waits
/// for that.
pub struct EventStream {
    items: BoxStream<'static, Result<EventItem, Error>>,
    camera: Camera,
    subscriptions: Subscriptions,
}

/// The subscriptions that the camera holds for one stream; the last one is used.
type Subscriptions = Arc<Mutex<Vec<Endpoint>>>;

impl EventStream {
    pub(super) fn pull(camera: Camera, filter: Filter, options: EventOptions) -> Self {
        Self::new(camera, filter, options, Source::PullPoint)
    }

    pub(super) fn push(
        camera: Camera,
        filter: Filter,
        options: EventOptions,
        listener: PushListener,
    ) -> Self {
        Self::new(camera, filter, options, Source::push(listener))
    }

    fn new(camera: Camera, filter: Filter, options: EventOptions, source: Source) -> Self {
        let subscriptions = Subscriptions::default();
        let driver = Driver::new(
            camera.clone(),
            filter,
            options,
            source,
            subscriptions.clone(),
        );
        let items = futures_util::stream::unfold(driver, |mut driver| async move {
            let item = driver.next().await?;
            Some((item, driver))
        });
        Self {
            items: Box::pin(items),
            camera,
            subscriptions,
        }
    }

    /// The events in the metadata stream of a camera: `payloads` are those of its RTP packets, in
    /// order. No subscription is made. The stream ends when `payloads` does. For what video analytics
    /// sees, use a [`MetadataDecoder`].
    pub fn from_metadata(
        camera: &Camera,
        payloads: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Self {
        let of_clock = camera.clone();
        let mut decoder = MetadataDecoder::default();
        let items = payloads.flat_map(move |payload| {
            decoder.set_clock_offset(of_clock.clock_offset_ms());
            let lost = decoder.lost();
            let received = SystemTime::now();
            let mut items: Vec<_> = decoder
                .push(&payload, received)
                .into_iter()
                .filter_map(|item| match item {
                    MetadataItem::Notification(notification) => {
                        Some(Ok(EventItem::Notification(*notification)))
                    }
                    MetadataItem::Frame(_) => None,
                })
                .collect();
            if decoder.lost() > lost {
                items.insert(0, Ok(EventItem::Gap { since: None }));
            }
            futures_util::stream::iter(items)
        });
        Self {
            items: Box::pin(items),
            camera: camera.clone(),
            subscriptions: Subscriptions::default(),
        }
    }

    /// The subscriptions that the camera holds for this stream now; usually one. A program that may
    /// crash keeps them and hands them to [`EventsClient::unsubscribe`](super::EventsClient::unsubscribe)
    /// when it starts again: cameras have few places to give.
    pub fn subscriptions(&self) -> Vec<SubscriptionReference> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|endpoint| SubscriptionReference {
                address: endpoint.url.to_string(),
                reference_parameters: endpoint.reference_parameters.clone(),
            })
            .collect()
    }

    /// Ends the subscription, and returns when the camera has confirmed it, or after two seconds.
    /// A program that is about to exit waits here, because dropping the stream does not.
    #[doc(alias = "Unsubscribe")]
    pub async fn end(mut self) {
        if let Some(farewell) = self.farewell() {
            // On its own, so that it is sent even where nobody waits to the end.
            let _ = tokio::spawn(farewell).await;
        }
    }

    /// Forgets the subscriptions, and returns what tells the camera so.
    fn farewell(&mut self) -> Option<impl Future<Output = ()> + Send + use<>> {
        // A pull in flight would hold a connection slot.
        self.items = Box::pin(futures_util::stream::empty());
        let endpoints = std::mem::take(
            &mut *self
                .subscriptions
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        if endpoints.is_empty() {
            return None;
        }
        let camera = self.camera.clone();
        Some(async move {
            let farewell = async {
                for endpoint in &endpoints {
                    if let Err(error) = camera.call_at(endpoint, &Unsubscribe {}).await {
                        tracing::debug!(%error, "the subscription is left to expire");
                    }
                }
            };
            // What is not told by then expires by itself.
            let _ = tokio::time::timeout(FAREWELL, farewell).await;
        })
    }
}

impl Stream for EventStream {
    type Item = Result<EventItem, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream")
            .field("camera", &self.camera)
            .finish_non_exhaustive()
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        if let (Some(farewell), Ok(runtime)) =
            (self.farewell(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(farewell);
        }
    }
}
