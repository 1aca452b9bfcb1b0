//! Does what the [`Lifecycle`] decides.

use std::collections::{BTreeSet, VecDeque};
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

use url::Url;

use super::{EventItem, FAREWELL, Subscriptions};
use crate::camera::{Camera, Endpoint};
use crate::error::{Error, ErrorKind};
use crate::events::lifecycle::{Action, Failure, Form, Lifecycle};
use crate::events::meaning::Meaning;
use crate::events::operations::{
    CreatePullPointSubscription, PullMessages, Renew, Seek, SetSynchronizationPoint, Subscribe,
    SubscriptionReference, Termination, Unsubscribe, granted,
};
use crate::events::push::{PushListener, PushQueue};
use crate::events::{EventOptions, Filter, Notification};
use crate::operation::Service;
use crate::random;

/// Topics without a meaning that are named in the log, so that a hostile camera cannot fill it.
const MAX_UNKNOWN: usize = 32;
/// The first pull at a port that may be dead: an answer comes at once, because states are told.
const PROBE: Duration = Duration::from_secs(1);

/// The longest pull while other streams of the same camera wait for their turn.
const TURN: Duration = Duration::from_secs(1);

/// Where notifications come from.
pub(super) enum Source {
    PullPoint,
    Push {
        listener: PushListener,
        queue: Option<PushQueue>,
    },
}

impl Source {
    pub(super) fn push(listener: PushListener) -> Self {
        Self::Push {
            listener,
            queue: None,
        }
    }
}

pub(super) struct Driver {
    camera: Camera,
    filter: Filter,
    options: EventOptions,
    source: Source,
    life: Lifecycle,
    subscriptions: Subscriptions,
    queue: VecDeque<EventItem>,
    last_answer: Option<SystemTime>,
    /// The port in the subscription's address is dead; the device's own is used.
    device_port: bool,
    /// Whether the subscription's address has ever answered.
    answered: bool,
    /// The camera refused the filter, so it is applied here.
    select_here: bool,
    /// An error was told since events last flowed.
    troubled: bool,
    unknown: BTreeSet<String>,
    ended: bool,
}

impl Driver {
    pub(super) fn new(
        camera: Camera,
        filter: Filter,
        options: EventOptions,
        source: Source,
        subscriptions: Subscriptions,
    ) -> Self {
        let learned = camera.learned();
        if let Source::PullPoint = source {
            camera.learn(|learned| learned.streams += 1);
        }
        Self {
            life: Lifecycle::new(options.clone(), !filter.is_all(), learned),
            device_port: learned.device_port,
            camera,
            filter,
            options,
            source,
            subscriptions,
            queue: VecDeque::new(),
            last_answer: None,
            answered: false,
            select_here: false,
            troubled: false,
            unknown: BTreeSet::new(),
            ended: false,
        }
    }

    pub(super) async fn next(&mut self) -> Option<Result<EventItem, Error>> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(Ok(item));
            }
            if self.ended {
                return None;
            }
            let done = match self.life.next(now()) {
                Action::Wait(until) => {
                    tokio::time::sleep_until(until.into()).await;
                    Ok(())
                }
                Action::ReportGap => {
                    let since = self.last_answer;
                    return Some(Ok(EventItem::Gap { since }));
                }
                Action::Create(form) => self.create(form).await,
                Action::Replace(form) => {
                    self.replace(form).await;
                    Ok(())
                }
                Action::Pull(timeout) => self.pull(timeout).await,
                Action::Renew(form) => {
                    self.renew(form).await;
                    Ok(())
                }
                Action::Synchronize => {
                    self.synchronize().await;
                    Ok(())
                }
            };
            self.camera
                .learn(|learned| learned.update(self.life.learned()));
            if let Err(error) = done {
                self.troubled = true;
                return Some(Err(error));
            }
        }
    }

    async fn create(&mut self, form: Form) -> Result<(), Error> {
        // The old one may still take one of the few places a camera has.
        for old in self.endpoints() {
            self.retire(&old).await;
        }
        let error = match self.subscribe(form).await {
            Ok(granted) => {
                let first = self.last_answer.is_none();
                self.life.created(now(), granted);
                self.flows();
                if let Some(time) = self.options.replay_from.filter(|_| first) {
                    self.seek(time).await;
                }
                return Ok(());
            }
            Err(error) => error,
        };
        if matches!(error, Error::Unsupported { .. }) {
            self.ended = true;
            return Err(error);
        }
        if self
            .life
            .create_failed(now(), Failure::of(&error), random::fraction())
        {
            tracing::debug!(%error, "the camera refused this kind of subscription; trying another");
            return Ok(());
        }
        if error.kind() == ErrorKind::Unsupported {
            self.ended = true;
        }
        Err(error)
    }

    /// Makes a subscription, empties the old one, and ends that.
    async fn replace(&mut self, form: Form) {
        let old = self.endpoints();
        match self.subscribe(form).await {
            Ok(granted) => {
                self.life.replaced(now(), granted);
                for old in old {
                    if let Source::PullPoint = self.source {
                        let rest = self.request(Duration::ZERO);
                        if let Ok(reply) = self.camera.call_at(&old, &rest).await {
                            self.take(reply.notifications, SystemTime::now());
                        }
                    }
                    self.retire(&old).await;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the camera neither renews a subscription nor gives a second one");
                self.life.replace_failed();
            }
        }
    }

    /// Makes one more subscription; returns the lifetime that the camera granted.
    async fn subscribe(&mut self, form: Form) -> Result<Option<Duration>, Error> {
        let filter = if form.unfiltered {
            Filter::all()
        } else {
            self.filter.clone()
        };
        let initial_termination_time = self.termination(form);
        let (reference, current, end) = match &mut self.source {
            Source::PullPoint => {
                let request = CreatePullPointSubscription {
                    filter,
                    initial_termination_time,
                };
                let reply = self.camera.call(&request).await?;
                (reply.reference, reply.current_time, reply.termination_time)
            }
            Source::Push { listener, queue } => {
                let queue = match queue {
                    Some(queue) => queue,
                    None => queue.insert(listener.register(self.camera.url()).await?),
                };
                let request = Subscribe {
                    consumer: queue.address().clone(),
                    filter,
                    initial_termination_time,
                };
                let reply = self.camera.call(&request).await?;
                (
                    reply.reference.unwrap_or_default(),
                    reply.current_time,
                    reply.termination_time,
                )
            }
        };
        let url = self.locate(&reference)?;
        self.lock().push(Endpoint {
            url,
            reference_parameters: reference.reference_parameters,
        });
        self.answered = false;
        self.select_here = form.unfiltered && !self.filter.is_all();
        // Some give the end alone; their clock is known.
        let current = current.or_else(|| Some(self.camera.device_time()));
        Ok(granted(current, end))
    }

    async fn pull(&mut self, timeout: Duration) -> Result<(), Error> {
        let started = now();
        if let Source::Push {
            queue: Some(queue), ..
        } = &mut self.source
        {
            let (notifications, overflowed) = queue.next(timeout).await;
            if overflowed {
                let since = self.last_answer;
                self.queue.push_back(EventItem::Gap { since });
            }
            self.life.pulled(started, now(), notifications.len(), None);
            self.take(notifications, SystemTime::now());
            return Ok(());
        }
        let Some(endpoint) = self.endpoint() else {
            self.life.renew_failed(now(), Failure::Lost);
            return Ok(());
        };
        let elsewhere =
            endpoint.url.port_or_known_default() != self.camera.url().port_or_known_default();
        let timeout = match elsewhere && !self.answered {
            true => timeout.min(PROBE),
            false if self.camera.learned().streams > 1 => timeout.min(TURN),
            false => timeout,
        };
        match self.camera.call_at(&endpoint, &self.request(timeout)).await {
            Ok(reply) => {
                self.answered = true;
                if self.device_port {
                    self.camera.learn(|learned| learned.device_port = true);
                }
                let left = granted(reply.current_time, reply.termination_time);
                self.life
                    .pulled(started, now(), reply.notifications.len(), left);
                self.flows();
                self.take(reply.notifications, SystemTime::now());
                Ok(())
            }
            Err(error) => {
                let failure = Failure::of(&error);
                if matches!(
                    failure,
                    Failure::Network | Failure::Silent | Failure::Closed
                ) && elsewhere
                    && !self.answered
                    && !self.device_port
                {
                    tracing::debug!(%error, "the port of the subscription is dead; using the device's own");
                    self.device_port = true;
                    let url = self.with_device_port(endpoint.url.clone());
                    if let Some(last) = self.lock().last_mut() {
                        last.url = url;
                    }
                    self.life.pull_again(now());
                    return Ok(());
                }
                if self.device_port && !self.answered {
                    // It does not work there either; look again where the camera says.
                    self.device_port = false;
                }
                if self
                    .life
                    .pull_failed(started, now(), failure, random::fraction())
                {
                    if !self.troubled {
                        tracing::warn!(%error, "events cannot be pulled; trying again until they can");
                    }
                    return Err(error);
                }
                tracing::debug!(%error, "a pull failed");
                Ok(())
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
                self.life.renew_failed(now(), Failure::of(&error));
            }
        }
    }

    /// After a gap: what a storing device kept, and the state of all properties.
    async fn synchronize(&mut self) {
        if let (Some(_), Some(since)) = (self.options.replay_from, self.last_answer) {
            self.seek(since).await;
        }
        if let Some(endpoint) = self.endpoint()
            && let Err(error) = self
                .camera
                .call_at(&endpoint, &SetSynchronizationPoint {})
                .await
        {
            tracing::debug!(%error, "the camera does not tell the state of its properties");
        }
    }

    async fn seek(&mut self, time: SystemTime) {
        let Some(endpoint) = self.endpoint() else {
            return;
        };
        let time = shifted(time, self.camera.clock_offset_ms());
        if let Err(error) = self
            .camera
            .call_at(&endpoint, &Seek::new(time, false))
            .await
        {
            tracing::debug!(%error, "the camera has no events of the past");
        }
    }

    /// Queues what came.
    fn take(&mut self, notifications: Vec<Notification>, received: SystemTime) {
        self.last_answer = Some(received);
        let offset = self.camera.clock_offset_ms();
        for notification in notifications {
            if self.select_here && !self.filter.matches(&notification) {
                continue;
            }
            if notification.topic.len() < 256
                && Meaning::of(&notification).is_none()
                && self.unknown.len() < MAX_UNKNOWN
                && self.unknown.insert(notification.topic.clone())
            {
                tracing::warn!(
                    camera = %self.camera.url(),
                    topic = notification.topic,
                    "the meaning of this topic is not known; its notifications are passed on as they are"
                );
            }
            let notification = notification.stamp(received, offset);
            self.queue.push_back(EventItem::Notification(notification));
        }
    }

    fn flows(&mut self) {
        if std::mem::take(&mut self.troubled) {
            self.queue.push_back(EventItem::Resumed);
        }
    }

    /// Ends a subscription at the camera.
    async fn retire(&self, old: &Endpoint) {
        let _ = tokio::time::timeout(FAREWELL, self.camera.call_at(old, &Unsubscribe {})).await;
        self.lock().retain(|endpoint| endpoint != old);
    }

    fn request(&self, timeout: Duration) -> PullMessages {
        PullMessages {
            timeout: timeout.into(),
            message_limit: self.options.message_limit,
        }
    }

    fn termination(&self, form: Form) -> Termination {
        if form.absolute {
            Termination::At(self.camera.device_time() + self.options.lifetime)
        } else {
            Termination::After(self.options.lifetime)
        }
    }

    fn locate(&self, reference: &SubscriptionReference) -> Result<Url, Error> {
        match reference.address.trim() {
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

    fn with_device_port(&self, mut url: Url) -> Url {
        // Fails only for URLs without a host, which the URI policy does not let through.
        let _ = url.set_port(self.camera.url().port());
        url
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Endpoint>> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn endpoint(&self) -> Option<Endpoint> {
        self.lock().last().cloned()
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.lock().clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Source::PullPoint = self.source {
            self.camera.learn(|learned| learned.streams -= 1);
        }
    }
}

/// A moment of our clock by a clock that is ahead of it.
fn shifted(time: SystemTime, ahead_ms: Option<i64>) -> SystemTime {
    let offset = ahead_ms.unwrap_or(0);
    let by = Duration::from_millis(offset.unsigned_abs());
    let shifted = match offset {
        ..0 => time.checked_sub(by),
        _ => time.checked_add(by),
    };
    shifted.unwrap_or(time)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
