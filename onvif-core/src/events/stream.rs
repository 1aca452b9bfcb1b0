use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use futures::Stream;
use futures::stream::BoxStream;

use super::lifecycle::{Action, Failure, Form, Lifecycle};
use super::operations::{
    CreatePullPointSubscription, PullMessages, Renew, SetSynchronizationPoint, Termination,
    Unsubscribe, granted,
};
use super::{EventOptions, Filter, Notification};
use crate::camera::{Camera, Endpoint};
use crate::error::{Error, ErrorKind};
use crate::operation::Service;
use crate::transport::TransportError;

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
}

/// The notifications of a camera. It renews its subscription, makes it anew after any loss, and
/// marks the loss with a [`Gap`](EventItem::Gap). An error tells that the subscription could not be
/// made; the stream tries again when it is polled again, after a pause that grows to five minutes.
/// It ends only when the camera has no events.
///
/// Nothing happens unless the stream is polled: a slow consumer slows down the pulling, and the
/// camera queues. Dropping it ends the subscription in the background; [`end`](Self::end) waits
/// for that.
pub struct EventStream {
    items: BoxStream<'static, Result<EventItem, Error>>,
    camera: Camera,
    subscription: Arc<Mutex<Option<Endpoint>>>,
}

impl EventStream {
    pub(super) fn new(camera: Camera, filter: Filter, options: EventOptions) -> Self {
        let subscription = Arc::new(Mutex::new(None));
        let driver = Driver {
            life: Lifecycle::new(options.clone(), !filter.is_all()),
            camera: camera.clone(),
            subscription: subscription.clone(),
            filter,
            options,
            queue: VecDeque::new(),
            last_answer: None,
            device_port: false,
            ended: false,
        };
        let items = futures::stream::unfold(driver, |mut driver| async move {
            let item = driver.next().await?;
            Some((item, driver))
        });
        Self {
            items: Box::pin(items),
            camera,
            subscription,
        }
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

    /// Forgets the subscription, and returns what tells the camera so.
    fn farewell(&mut self) -> Option<impl Future<Output = ()> + Send + use<>> {
        // A pull in flight would hold a connection slot.
        self.items = Box::pin(futures::stream::empty());
        let endpoint = self
            .subscription
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        let camera = self.camera.clone();
        Some(async move {
            let farewell = camera.call_at(&endpoint, &Unsubscribe {});
            if let Ok(Err(error)) = tokio::time::timeout(FAREWELL, farewell).await {
                tracing::debug!(%error, "the subscription is left to expire");
            }
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

struct Driver {
    camera: Camera,
    filter: Filter,
    options: EventOptions,
    life: Lifecycle,
    subscription: Arc<Mutex<Option<Endpoint>>>,
    queue: VecDeque<EventItem>,
    last_answer: Option<SystemTime>,
    /// The port in the subscription's address is dead; the device's own is used.
    device_port: bool,
    ended: bool,
}

impl Driver {
    async fn next(&mut self) -> Option<Result<EventItem, Error>> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(Ok(item));
            }
            if self.ended {
                return None;
            }
            match self.life.next(now()) {
                Action::Wait(until) => tokio::time::sleep_until(until.into()).await,
                Action::ReportGap => {
                    return Some(Ok(EventItem::Gap {
                        since: self.last_answer,
                    }));
                }
                Action::Create(form) => {
                    if let Err(error) = self.create(form).await {
                        return Some(Err(error));
                    }
                }
                Action::Pull(timeout) => self.pull(timeout).await,
                Action::Renew(form) => self.renew(form).await,
                Action::Synchronize => {
                    if let Some(endpoint) = self.endpoint()
                        && let Err(error) = self
                            .camera
                            .call_at(&endpoint, &SetSynchronizationPoint {})
                            .await
                    {
                        tracing::debug!(%error, "the camera does not tell the state of its properties");
                    }
                }
            }
        }
    }

    async fn create(&mut self, form: Form) -> Result<(), Error> {
        // The old one may still take one of the few places a camera has.
        if let Some(old) = self.set_endpoint(None) {
            let _ =
                tokio::time::timeout(FAREWELL, self.camera.call_at(&old, &Unsubscribe {})).await;
        }
        let request = CreatePullPointSubscription {
            filter: if form.unfiltered {
                Filter::all()
            } else {
                self.filter.clone()
            },
            initial_termination_time: self.termination(form),
        };
        let error = match self.camera.call(&request).await {
            Ok(reply) => match self.locate(&reply.reference.address) {
                Ok(url) => {
                    let reference_parameters = reply.reference.reference_parameters;
                    self.set_endpoint(Some(Endpoint {
                        url,
                        reference_parameters,
                    }));
                    self.life
                        .created(now(), granted(reply.current_time, reply.termination_time));
                    return Ok(());
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        if matches!(error, Error::Unsupported { .. }) {
            self.ended = true;
            return Err(error);
        }
        if self
            .life
            .create_failed(now(), failure(&error), rand::random())
        {
            tracing::debug!(%error, "the camera refused this kind of subscription; trying another");
            return Ok(());
        }
        if error.kind() == ErrorKind::Unsupported {
            self.ended = true;
        }
        Err(error)
    }

    async fn pull(&mut self, timeout: Duration) {
        let Some(endpoint) = self.endpoint() else {
            return self.life.renew_failed(now(), Failure::Lost);
        };
        let started = now();
        let request = PullMessages {
            timeout: timeout.into(),
            message_limit: self.options.message_limit,
        };
        match self.camera.call_at(&endpoint, &request).await {
            Ok(reply) => {
                let received = SystemTime::now();
                self.last_answer = Some(received);
                let left = granted(reply.current_time, reply.termination_time);
                self.life
                    .pulled(started, now(), reply.notifications.len(), left);
                let offset = self.camera.clock_offset_ms();
                self.queue
                    .extend(reply.notifications.into_iter().map(|notification| {
                        EventItem::Notification(notification.stamp(received, offset))
                    }));
            }
            Err(error) => {
                let connect = matches!(
                    &error,
                    Error::Network {
                        source: TransportError::Connect(_),
                        ..
                    }
                );
                if connect && !self.device_port && endpoint.url.port() != self.camera.url().port() {
                    tracing::debug!(%error, "the port of the subscription is dead; using the device's own");
                    self.device_port = true;
                    let url = self.with_device_port(endpoint.url);
                    self.set_endpoint(Some(Endpoint { url, ..endpoint }));
                    return;
                }
                let failure = failure(&error);
                if failure != Failure::Closed {
                    tracing::warn!(%error, "the event subscription is lost; making it anew");
                }
                self.life
                    .pull_failed(started, now(), failure, rand::random());
            }
        }
    }

    async fn renew(&mut self, form: Form) {
        let Some(endpoint) = self.endpoint() else {
            return self.life.renew_failed(now(), Failure::Lost);
        };
        match self
            .camera
            .call_at(&endpoint, &Renew::from(self.termination(form)))
            .await
        {
            Ok(reply) => {
                let current = reply
                    .current_time
                    .or_else(|| Some(self.camera.device_time()));
                self.life
                    .renewed(now(), granted(current, reply.termination_time));
            }
            Err(error) => {
                tracing::debug!(%error, "the camera does not renew the subscription");
                self.life.renew_failed(now(), failure(&error));
            }
        }
    }

    fn termination(&self, form: Form) -> Termination {
        if form.absolute {
            Termination::At(self.camera.device_time() + self.options.lifetime)
        } else {
            Termination::After(self.options.lifetime)
        }
    }

    fn locate(&self, address: &str) -> Result<url::Url, Error> {
        match address.trim() {
            // Without an address the events service itself is the place.
            "" => self
                .camera
                .services()
                .get(Service::Events)
                .cloned()
                .ok_or_else(|| Error::Unsupported {
                    host: self.camera.host(),
                    what: "events".to_owned(),
                }),
            address => {
                let url = self.camera.resolve("subscription", address)?;
                Ok(if self.device_port {
                    self.with_device_port(url)
                } else {
                    url
                })
            }
        }
    }

    fn with_device_port(&self, mut url: url::Url) -> url::Url {
        // Fails only for URLs without a host, which the URI policy does not let through.
        let _ = url.set_port(self.camera.url().port());
        url
    }

    fn endpoint(&self) -> Option<Endpoint> {
        self.subscription
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_endpoint(&self, endpoint: Option<Endpoint>) -> Option<Endpoint> {
        std::mem::replace(
            &mut *self
                .subscription
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
            endpoint,
        )
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Network {
            source: TransportError::Closed(_) | TransportError::Timeout(_),
            ..
        } => Failure::Closed,
        Error::Network { .. } => Failure::Network,
        Error::AuthenticationPaused { source, .. } => Failure::Unauthorized(source.retry_after),
        Error::Unauthorized { .. } => Failure::Unauthorized(Duration::from_secs(300)),
        Error::Refused { fault, .. } if fault.needs_resubscribe() => Failure::Lost,
        Error::NotSoap { status: 404, .. } => Failure::Lost,
        _ => Failure::Refused,
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
