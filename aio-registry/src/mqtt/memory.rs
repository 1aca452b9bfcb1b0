use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::future::{self, FutureExt};
use futures::stream;
use tokio::sync::mpsc;

use super::{Ack, Message, Mqtt, Publish, PublishError, Subscription, packet};
use crate::{Error, Qos, topic};

/// Messages one subscription holds before its publishers are made to wait.
const QUEUE: usize = 1024;

/// A broker in memory, for tests: topic filters, `$share`, retained messages, delayed acknowledgements. Clones share it.
///
/// Publishing waits while a subscriber's queue (1,024 messages) is full. Messages do not expire.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker {
    state: Arc<Mutex<State>>,
    unacknowledged: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    subscribers: BTreeMap<u64, Subscriber>,
    retained: BTreeMap<String, Publish>,
    /// Which member of a `$share` filter is next.
    turns: HashMap<String, usize>,
    refusals: Vec<(String, u8)>,
}

#[derive(Clone, Debug)]
struct Subscriber {
    filter: String,
    qos: Qos,
    queue: mpsc::Sender<Message>,
}

impl MemoryBroker {
    /// An empty broker.
    pub fn new() -> Self {
        Self::default()
    }

    /// A client of this broker.
    pub fn client(&self, client_id: impl Into<String>) -> MemoryClient {
        MemoryClient {
            broker: self.clone(),
            client_id: client_id.into(),
        }
    }

    /// How many delivered QoS 1 messages are not acknowledged yet.
    pub fn unacknowledged(&self) -> usize {
        self.unacknowledged.load(Ordering::SeqCst)
    }

    /// From now on, publishing to a topic that matches the filter is refused with that reason code.
    pub fn refuse_publish(&self, filter: impl Into<String>, code: u8) {
        self.lock().refusals.push((filter.into(), code));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn message(&self, publish: &Publish, qos: Qos, retain: bool) -> Message {
        let qos = if publish.qos == Qos::AtMostOnce {
            Qos::AtMostOnce
        } else {
            qos
        };
        let ack = match qos {
            Qos::AtMostOnce => Ack::none(),
            Qos::AtLeastOnce => {
                self.unacknowledged.fetch_add(1, Ordering::SeqCst);
                let count = self.unacknowledged.clone();
                Ack::new(move || {
                    count.fetch_sub(1, Ordering::SeqCst);
                })
            }
        };
        Message {
            topic: publish.topic.clone(),
            payload: publish.payload.clone(),
            qos,
            retain,
            properties: publish.properties.clone(),
            ack,
        }
    }
}

impl State {
    /// Everyone a message goes to: every plain subscriber, and one of each `$share` filter.
    fn receivers(&mut self, topic: &str) -> Vec<Subscriber> {
        let mut receivers = Vec::new();
        let mut shared = BTreeMap::<&str, Vec<&Subscriber>>::new();
        for subscriber in self
            .subscribers
            .values()
            .filter(|subscriber| topic::matches(&subscriber.filter, topic))
        {
            if topic::share_group(&subscriber.filter).is_some() {
                shared
                    .entry(&subscriber.filter)
                    .or_default()
                    .push(subscriber);
            } else {
                receivers.push(subscriber.clone());
            }
        }
        for (filter, members) in shared {
            let turn = self.turns.entry(filter.to_owned()).or_default();
            receivers.push(members[*turn % members.len()].clone());
            *turn = turn.wrapping_add(1);
        }
        receivers
    }
}

/// A client of a [`MemoryBroker`].
#[derive(Clone, Debug)]
pub struct MemoryClient {
    broker: MemoryBroker,
    client_id: String,
}

#[async_trait]
impl Mqtt for MemoryClient {
    fn client_id(&self) -> &str {
        &self.client_id
    }

    async fn publish(&self, message: Publish) -> Result<(), PublishError> {
        packet::check(&message)?;
        let receivers = {
            let mut state = self.broker.lock();
            if let Some((_, code)) = state
                .refusals
                .iter()
                .find(|(filter, _)| topic::matches(filter, &message.topic))
            {
                return Err(PublishError::Refused {
                    code: *code,
                    reason: "refused by the test".into(),
                });
            }
            if message.retain {
                if message.payload.is_empty() {
                    state.retained.remove(&message.topic);
                } else {
                    state
                        .retained
                        .insert(message.topic.clone(), message.clone());
                }
            }
            state.receivers(&message.topic)
        };
        for receiver in receivers {
            // A subscriber that is gone by now misses nothing.
            let _ = receiver
                .queue
                .send(self.broker.message(&message, receiver.qos, false))
                .await;
        }
        Ok(())
    }

    async fn subscribe(&self, filter: &str, qos: Qos) -> Result<Subscription, Error> {
        topic::check_filter(filter)?;
        let (queue, mut messages) = mpsc::channel(QUEUE);
        let mut state = self.broker.lock();
        if topic::share_group(filter).is_none() {
            let retained = state
                .retained
                .values()
                .filter(|message| topic::matches(filter, &message.topic));
            for message in retained.take(QUEUE) {
                queue
                    .try_send(self.broker.message(message, qos, true))
                    .expect("a new queue holds as many messages as it was made for");
            }
        }
        let id = state.next_id;
        state.next_id += 1;
        state.subscribers.insert(
            id,
            Subscriber {
                filter: filter.to_owned(),
                qos,
                queue,
            },
        );
        let broker = self.broker.clone();
        let messages = stream::poll_fn(move |context| messages.poll_recv(context));
        Ok(Subscription::new(messages, move || {
            broker.lock().subscribers.remove(&id);
            future::ready(Ok(())).boxed()
        }))
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::*;

    #[tokio::test]
    async fn delivers_to_every_subscriber_and_to_one_of_a_group() {
        let broker = MemoryBroker::new();
        let client = broker.client("c");
        let mut plain = client.subscribe("a/+", Qos::AtLeastOnce).await.unwrap();
        let mut one = client
            .subscribe("$share/g/a/#", Qos::AtLeastOnce)
            .await
            .unwrap();
        let mut two = client
            .subscribe("$share/g/a/#", Qos::AtLeastOnce)
            .await
            .unwrap();
        for payload in ["1", "2"] {
            client.publish(Publish::new("a/b", payload)).await.unwrap();
        }
        assert_eq!(plain.next().await.unwrap().payload, "1");
        assert_eq!(one.next().await.unwrap().payload, "1");
        assert_eq!(two.next().await.unwrap().payload, "2");
        assert!(one.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn keeps_retained_messages_for_later_subscribers() {
        let client = MemoryBroker::new().client("c");
        client
            .publish(Publish {
                retain: true,
                ..Publish::new("a", "kept")
            })
            .await
            .unwrap();
        let message = client
            .subscribe("a", Qos::AtMostOnce)
            .await
            .unwrap()
            .next()
            .await
            .unwrap();
        assert!(message.retain);
        assert_eq!(message.payload, "kept");
        client
            .publish(Publish {
                retain: true,
                ..Publish::new("a", "")
            })
            .await
            .unwrap();
        assert!(
            client
                .subscribe("a", Qos::AtMostOnce)
                .await
                .unwrap()
                .next()
                .now_or_never()
                .is_none()
        );
    }

    #[tokio::test]
    async fn counts_what_is_not_acknowledged_and_forgets_dropped_subscribers() {
        let broker = MemoryBroker::new();
        let client = broker.client("c");
        let mut subscription = client.subscribe("a", Qos::AtLeastOnce).await.unwrap();
        client.publish(Publish::new("a", "x")).await.unwrap();
        let message = subscription.next().await.unwrap();
        assert_eq!(broker.unacknowledged(), 1);
        drop(message);
        assert_eq!(broker.unacknowledged(), 0);
        drop(subscription);
        client.publish(Publish::new("a", "x")).await.unwrap();
        assert_eq!(broker.unacknowledged(), 0);
    }
}
