//! Which requests are being handled, and how those that were are answered again. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use crate::{Ack, Publish};

/// What tells a request from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Without it, a client that uses one correlation for all it asks would get the answer to another command.
    pub(super) request_topic: String,
    pub(super) response_topic: String,
    pub(super) correlation_data: Bytes,
}

impl Key {
    fn size(&self) -> usize {
        self.request_topic.len() + self.response_topic.len() + self.correlation_data.len()
    }
}

#[derive(Debug)]
pub(super) struct Cache {
    entries: HashMap<Key, Entry>,
    /// Answered ones, oldest first.
    order: VecDeque<Key>,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
}

#[derive(Debug)]
enum Entry {
    /// With the acknowledgements of the same request that came again: they wait for the response as well.
    Running(Vec<Ack>),
    Answered {
        response: Arc<Publish>,
        size: usize,
        expires: Instant,
    },
}

/// What is known of a request.
#[derive(Debug)]
pub(super) enum Seen {
    /// Nothing; it is now noted as running.
    New,
    /// It is being handled.
    Running,
    /// It was answered so, and is until then.
    Answered(Arc<Publish>, Instant),
}

impl Cache {
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            max_entries,
            max_bytes,
        }
    }

    pub(super) fn look_up(&mut self, key: &Key, ack: &Ack, now: Instant) -> Seen {
        match self.entries.get_mut(key) {
            Some(Entry::Running(again)) => {
                again.push(ack.clone());
                return Seen::Running;
            }
            Some(Entry::Answered {
                response, expires, ..
            }) if *expires > now => return Seen::Answered(response.clone(), *expires),
            Some(Entry::Answered { .. }) => {
                self.order.retain(|other| other != key);
                self.remove(key);
            }
            None => {}
        }
        self.entries.insert(key.clone(), Entry::Running(Vec::new()));
        Seen::New
    }

    /// Notes a response; the acknowledgements that have waited for it.
    pub(super) fn answered(
        &mut self,
        key: Key,
        response: Arc<Publish>,
        expires: Instant,
    ) -> Vec<Ack> {
        let user = response
            .properties
            .user
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>();
        let size = response.payload.len() + response.topic.len() + key.size() + user;
        self.bytes += size;
        let before = self.entries.insert(
            key.clone(),
            Entry::Answered {
                response,
                size,
                expires,
            },
        );
        self.order.push_back(key);
        while self.order.len() > self.max_entries || self.bytes > self.max_bytes {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.remove(&oldest);
        }
        match before {
            Some(Entry::Running(again)) => again,
            _ => Vec::new(),
        }
    }

    /// Forgets a request that was not answered.
    pub(super) fn forget(&mut self, key: &Key) {
        if matches!(self.entries.get(key), Some(Entry::Running(_))) {
            self.entries.remove(key);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(Entry::Answered { size, .. }) = self.entries.remove(key) {
            self.bytes -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(text: &str) -> Key {
        Key {
            request_topic: "q".into(),
            response_topic: "r".into(),
            correlation_data: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    #[test]
    fn forgets_the_oldest_by_entries_and_by_bytes_and_the_expired() {
        let now = Instant::now();
        let later = now + Duration::from_secs(10);
        let response = |bytes| Arc::new(Publish::new("r", vec![0; bytes]));
        let mut cache = Cache::new(2, 1000);
        for name in ["a", "b", "c"] {
            assert!(matches!(
                cache.look_up(&key(name), &Ack::none(), now),
                Seen::New
            ));
            assert!(matches!(
                cache.look_up(&key(name), &Ack::none(), now),
                Seen::Running
            ));
            cache.answered(key(name), response(10), later);
        }
        assert!(matches!(
            cache.look_up(&key("a"), &Ack::none(), now),
            Seen::New
        ));
        assert!(matches!(
            cache.look_up(&key("c"), &Ack::none(), now),
            Seen::Answered(..)
        ));
        assert!(matches!(
            cache.look_up(&key("c"), &Ack::none(), later),
            Seen::New
        ));
        cache.answered(key("c"), response(2000), later);
        assert_eq!((cache.bytes, cache.order.len()), (0, 0));
    }
}
