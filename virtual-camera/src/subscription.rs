//! Subscriptions: what is subscribed, queued and expired. Pure; the clock is an argument.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::event::Event;
use crate::topic::TopicFilter;

/// As many as the capability `MaxPullPoints` says.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 10;
/// Beyond it the oldest notification of a subscription is dropped.
const MAX_QUEUED: usize = 256;

/// Why a subscription was not made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// There is no such subscription (any more).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

/// The live subscriptions of one camera.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    live: BTreeMap<String, Subscription>,
}

#[derive(Debug)]
struct Subscription {
    filter: TopicFilter,
    ends: Instant,
    lifetime: Duration,
    keep_alive: bool,
    consumer: Option<url::Url>,
    queue: VecDeque<Event>,
}

/// How a subscription is to be kept.
#[derive(Debug)]
pub(crate) struct Terms {
    pub filter: TopicFilter,
    pub lifetime: Duration,
    /// Pulling prolongs it, as where the client asked for no lifetime.
    pub keep_alive: bool,
    /// Where to push; pulled where there is none.
    pub consumer: Option<url::Url>,
}

/// Notifications on their way to a consumer.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub id: String,
    pub consumer: url::Url,
    pub events: Vec<Event>,
}

impl Subscriptions {
    /// Adds a subscription that starts with the current properties.
    pub(crate) fn create(
        &mut self,
        id: String,
        terms: Terms,
        limit: usize,
        now: Instant,
        properties: Vec<Event>,
    ) -> Result<Instant, TooMany> {
        self.expire(now);
        if self.live.len() >= limit {
            return Err(TooMany);
        }
        let ends = now + terms.lifetime;
        let mut subscription = Subscription {
            filter: terms.filter,
            ends,
            lifetime: terms.lifetime,
            keep_alive: terms.keep_alive,
            consumer: terms.consumer,
            queue: VecDeque::new(),
        };
        subscription.offer(properties);
        self.live.insert(id, subscription);
        Ok(ends)
    }

    /// Queues an event wherever it was asked for.
    pub(crate) fn publish(&mut self, event: &Event) {
        for subscription in self.live.values_mut() {
            subscription.offer([event.clone()]);
        }
    }

    /// Queues the current properties once more for one subscription.
    pub(crate) fn replay(
        &mut self,
        id: &str,
        now: Instant,
        properties: Vec<Event>,
    ) -> Result<(), Unknown> {
        self.find(id, now)?.offer(properties);
        Ok(())
    }

    /// Queues these events of the past, and no others.
    pub(crate) fn rewind(
        &mut self,
        id: &str,
        now: Instant,
        past: Vec<Event>,
    ) -> Result<(), Unknown> {
        let subscription = self.find(id, now)?;
        subscription.queue.clear();
        subscription.offer(past);
        Ok(())
    }

    /// Takes all that is to be pushed.
    pub(crate) fn deliveries(&mut self, now: Instant) -> Vec<Delivery> {
        self.expire(now);
        let waiting = self.live.iter_mut().filter_map(|(id, subscription)| {
            let consumer = subscription.consumer.clone()?;
            let events: Vec<_> = subscription.queue.drain(..).collect();
            (!events.is_empty()).then(|| Delivery {
                id: id.clone(),
                consumer,
                events,
            })
        });
        waiting.collect()
    }

    /// Takes up to `limit` notifications; also says when the subscription ends.
    pub(crate) fn pull(
        &mut self,
        id: &str,
        now: Instant,
        limit: usize,
    ) -> Result<(Vec<Event>, Instant), Unknown> {
        let subscription = self.find(id, now)?;
        if subscription.keep_alive {
            subscription.ends = now + subscription.lifetime;
        }
        let count = limit.min(subscription.queue.len());
        let taken = subscription.queue.drain(..count).collect();
        Ok((taken, subscription.ends))
    }

    pub(crate) fn renew(
        &mut self,
        id: &str,
        now: Instant,
        lifetime: Duration,
    ) -> Result<Instant, Unknown> {
        let subscription = self.find(id, now)?;
        subscription.ends = now + lifetime;
        Ok(subscription.ends)
    }

    pub(crate) fn remove(&mut self, id: &str, now: Instant) -> Result<(), Unknown> {
        self.find(id, now)?;
        self.live.remove(id);
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.live.clear();
    }

    pub(crate) fn count(&mut self, now: Instant) -> usize {
        self.expire(now);
        self.live.len()
    }

    fn find(&mut self, id: &str, now: Instant) -> Result<&mut Subscription, Unknown> {
        self.expire(now);
        self.live.get_mut(id).ok_or(Unknown)
    }

    fn expire(&mut self, now: Instant) {
        self.live.retain(|_, subscription| subscription.ends > now);
    }
}

impl Subscription {
    fn offer(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            if !self.filter.matches(&event.path(), event.items()) {
                continue;
            }
            if self.queue.len() == MAX_QUEUED {
                self.queue.pop_front();
            }
            self.queue.push_back(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Operation;
    use crate::topic::Topic;

    const MINUTE: Duration = Duration::from_secs(60);

    fn motion(at: Instant, value: bool) -> Event {
        Event {
            at,
            ..Topic::MotionAlarm.event(Operation::Changed, value)
        }
    }

    fn terms(keep_alive: bool) -> Terms {
        Terms {
            filter: TopicFilter::everything(),
            lifetime: MINUTE,
            keep_alive,
            consumer: None,
        }
    }

    fn with_one(now: Instant) -> Subscriptions {
        let mut subscriptions = Subscriptions::default();
        subscriptions
            .create("a".into(), terms(false), 1, now, Vec::new())
            .unwrap();
        subscriptions
    }

    #[test]
    fn without_a_lifetime_pulling_extends_a_subscription() {
        let now = Instant::now();
        let mut subscriptions = Subscriptions::default();
        let created = subscriptions.create("a".into(), terms(true), 1, now, Vec::new());
        created.unwrap();
        let (_, ends) = subscriptions.pull("a", now + MINUTE / 2, 1).unwrap();
        assert_eq!(ends, now + MINUTE * 3 / 2);
    }

    #[test]
    fn a_subscription_ends_at_its_time_and_pulling_does_not_extend_it() {
        let now = Instant::now();
        let mut subscriptions = with_one(now);

        assert!(subscriptions.pull("a", now + MINUTE / 2, 1).is_ok());
        assert_eq!(
            subscriptions.pull("a", now + MINUTE, 1).unwrap_err(),
            Unknown
        );
        assert_eq!(subscriptions.count(now + MINUTE), 0);
    }

    #[test]
    fn renewing_moves_the_end() {
        let now = Instant::now();
        let mut subscriptions = with_one(now);

        let ends = subscriptions.renew("a", now + MINUTE / 2, MINUTE).unwrap();
        assert_eq!(ends, now + MINUTE * 3 / 2);
        assert!(subscriptions.pull("a", now + MINUTE, 1).is_ok());
    }

    #[test]
    fn the_limit_leaves_the_rest_in_the_queue() {
        let now = Instant::now();
        let mut subscriptions = with_one(now);
        for value in [true, false, true] {
            subscriptions.publish(&motion(now, value));
        }

        assert_eq!(subscriptions.pull("a", now, 2).unwrap().0.len(), 2);
        assert_eq!(
            subscriptions.pull("a", now, 2).unwrap().0,
            [motion(now, true)]
        );
    }

    #[test]
    fn a_full_queue_drops_the_oldest() {
        let now = Instant::now();
        let mut subscriptions = with_one(now);
        subscriptions.publish(&motion(now, false));
        for _ in 0..MAX_QUEUED {
            subscriptions.publish(&motion(now, true));
        }

        let (taken, _) = subscriptions.pull("a", now, usize::MAX).unwrap();
        assert_eq!(taken.len(), MAX_QUEUED);
        assert!(taken.iter().all(|event| event.data[0].1 == "true"));
    }

    #[test]
    fn there_are_only_so_many_subscriptions() {
        let now = Instant::now();
        let mut subscriptions = Subscriptions::default();
        let mut create = |id: usize, now| {
            subscriptions.create(
                id.to_string(),
                terms(false),
                MAX_SUBSCRIPTIONS,
                now,
                Vec::new(),
            )
        };
        for id in 0..MAX_SUBSCRIPTIONS {
            create(id, now).unwrap();
        }

        assert_eq!(create(99, now), Err(TooMany));
        assert!(create(99, now + MINUTE).is_ok());
    }
}
