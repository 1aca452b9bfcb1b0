//! When keys expire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

#[derive(Default)]
pub(super) struct Expiries {
    keys: Mutex<Keys>,
    changed: Notify,
}

#[derive(Default)]
struct Keys {
    by_key: BTreeMap<Bytes, Instant>,
    by_time: BTreeSet<(Instant, Bytes)>,
}

impl Expiries {
    /// Notes when a key expires, or that it does not.
    pub(super) fn set(&self, key: &[u8], expiry: Option<Duration>, now: Instant) {
        let mut keys = self.lock();
        if let Some((key, before)) = keys.by_key.remove_entry(key) {
            keys.by_time.remove(&(before, key));
        }
        if let Some(at) = expiry.and_then(|expiry| now.checked_add(expiry)) {
            let key = Bytes::copy_from_slice(key);
            keys.by_time.insert((at, key.clone()));
            keys.by_key.insert(key, at);
            self.changed.notify_one();
        }
    }

    /// The next key whose time is over. Cancel-safe.
    pub(super) async fn next(&self) -> Bytes {
        loop {
            let first = self.lock().by_time.first().map(|(at, _)| *at);
            match first {
                Some(at) if at <= Instant::now() => {
                    let mut keys = self.lock();
                    if let Some((_, key)) = keys.by_time.pop_first() {
                        keys.by_key.remove(&key);
                        return key;
                    }
                }
                Some(at) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
