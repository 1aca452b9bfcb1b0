//! Pull points: what is subscribed, queued and expired. Pure; the clock is an argument.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::topic::{Topic, TopicFilter};

/// As many as the capability `MaxPullPoints` says.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 10;
/// Beyond it the oldest notification of a subscription is dropped.
const MAX_QUEUED: usize = 256;

/// What happened to a property (Core Specification, "Property events").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PropertyOperation {
    Initialized,
    Changed,
}

/// A property event: the topic decides its source and data items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    pub topic: Topic,
    pub operation: PropertyOperation,
    pub value: bool,
    /// When it happened, on the monotonic clock; the camera's own clock may be wrong or be set.
    pub at: Instant,
}

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
    queue: VecDeque<Notification>,
}

impl Subscriptions {
    /// Adds a subscription that starts with the current properties.
    pub(crate) fn create(
        &mut self,
        id: String,
        filter: TopicFilter,
        now: Instant,
        lifetime: Duration,
        properties: Vec<Notification>,
    ) -> Result<Instant, TooMany> {
        self.expire(now);
        if self.live.len() >= MAX_SUBSCRIPTIONS {
            return Err(TooMany);
        }
        let ends = now + lifetime;
        let mut subscription = Subscription {
            filter,
            ends,
            queue: VecDeque::new(),
        };
        subscription.offer(properties);
        self.live.insert(id, subscription);
        Ok(ends)
    }

    /// Queues a notification wherever it was asked for.
    pub(crate) fn publish(&mut self, notification: &Notification) {
        for subscription in self.live.values_mut() {
            subscription.offer([notification.clone()]);
        }
    }

    /// Queues the current properties once more for one subscription.
    pub(crate) fn replay(
        &mut self,
        id: &str,
        now: Instant,
        properties: Vec<Notification>,
    ) -> Result<(), Unknown> {
        self.find(id, now)?.offer(properties);
        Ok(())
    }

    /// Takes up to `limit` notifications; also says when the subscription ends.
    pub(crate) fn pull(
        &mut self,
        id: &str,
        now: Instant,
        limit: usize,
    ) -> Result<(Vec<Notification>, Instant), Unknown> {
        let subscription = self.find(id, now)?;
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
    fn offer(&mut self, notifications: impl IntoIterator<Item = Notification>) {
        for notification in notifications {
            if !self.filter.matches(notification.topic) {
                continue;
            }
            if self.queue.len() == MAX_QUEUED {
                self.queue.pop_front();
            }
            self.queue.push_back(notification);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn motion(at: Instant, value: bool) -> Notification {
        Notification {
            topic: Topic::MotionAlarm,
            operation: PropertyOperation::Changed,
            value,
            at,
        }
    }

    fn with_one(now: Instant) -> Subscriptions {
        let mut subscriptions = Subscriptions::default();
        subscriptions
            .create(
                "a".into(),
                TopicFilter::everything(),
                now,
                MINUTE,
                Vec::new(),
            )
            .unwrap();
        subscriptions
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
        assert!(taken.iter().all(|notification| notification.value));
    }

    #[test]
    fn there_are_only_so_many_subscriptions() {
        let now = Instant::now();
        let mut subscriptions = Subscriptions::default();
        let mut create = |id: usize, now| {
            subscriptions.create(
                id.to_string(),
                TopicFilter::everything(),
                now,
                MINUTE,
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
