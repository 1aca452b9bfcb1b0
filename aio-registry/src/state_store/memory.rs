use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use super::{SetCondition, SetOptions, StateStore, StoredValue, refused};
use crate::Error;
use crate::mrpc::{HybridClock, HybridTime};

/// Bytes of keys and values by default.
const MAX_BYTES: usize = 64 << 20;
/// What an entry needs beside its key and value.
const ENTRY_BYTES: usize = 128;

/// A state store in memory. Clones share it. It holds 64 MiB and refuses more; nothing outlives the process. The fencing
/// token of a key is forgotten with the key.
#[derive(Clone, Debug)]
pub struct MemoryStateStore(Arc<Mutex<Entries>>);

#[derive(Debug)]
struct Entries {
    entries: BTreeMap<Bytes, Entry>,
    bytes: usize,
    max_bytes: usize,
    clock: HybridClock,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    version: HybridTime,
    expires: Option<Instant>,
    fencing_token: Option<HybridTime>,
}

impl Default for MemoryStateStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStateStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_limit(MAX_BYTES)
    }

    /// An empty store that holds that many bytes of keys and values.
    pub fn with_limit(max_bytes: usize) -> Self {
        Self(Arc::new(Mutex::new(Entries {
            entries: BTreeMap::new(),
            bytes: 0,
            max_bytes,
            clock: HybridClock::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StateStore for MemoryStateStore {
    async fn get(&self, key: &[u8]) -> Result<Option<StoredValue>, Error> {
        let mut entries = self.lock();
        entries.expire(key);
        Ok(entries.entries.get(key).map(|entry| StoredValue {
            value: entry.value.clone(),
            version: Some(entry.version.clone()),
        }))
    }

    async fn set(&self, key: &[u8], value: Bytes, options: SetOptions) -> Result<bool, Error> {
        let mut entries = self.lock();
        entries.expire(key);
        entries.check_token(key, options.fencing_token.as_ref())?;
        let known = entries.entries.get(key);
        let holds = match (options.condition, known) {
            (SetCondition::Always, _) | (_, None) => true,
            (SetCondition::Absent, Some(_)) => false,
            (SetCondition::AbsentOrEqual, Some(known)) => known.value == value,
        };
        if !holds {
            return Ok(false);
        }
        let freed = known.map_or(0, |known| size(key, &known.value));
        if entries.bytes - freed + size(key, &value) > entries.max_bytes {
            entries.expire_all();
        }
        let freed = entries.entries.get(key);
        let freed = freed.map_or(0, |known| size(key, &known.value));
        let bytes = entries.bytes - freed + size(key, &value);
        if bytes > entries.max_bytes {
            return Err(refused("the quota has been exceeded"));
        }
        entries.bytes = bytes;
        let entry = Entry {
            version: entries.clock.tick(),
            expires: options
                .expiry
                .and_then(|expiry| Instant::now().checked_add(expiry)),
            fencing_token: options.fencing_token,
            // A part of a packet would keep the packet.
            value: Bytes::copy_from_slice(&value),
        };
        entries.entries.insert(Bytes::copy_from_slice(key), entry);
        Ok(true)
    }

    async fn del(
        &self,
        key: &[u8],
        only_if: Option<Bytes>,
        fencing_token: Option<HybridTime>,
    ) -> Result<bool, Error> {
        let mut entries = self.lock();
        entries.expire(key);
        entries.check_token(key, fencing_token.as_ref())?;
        let known = entries.entries.get(key);
        let holds = known.is_some_and(|known| only_if.is_none_or(|value| value == known.value));
        if holds {
            entries.remove(key);
        }
        Ok(holds)
    }
}

impl Entries {
    fn check_token(&self, key: &[u8], given: Option<&HybridTime>) -> Result<(), Error> {
        if let Some(given) = given {
            // A token from the future would lock everyone out.
            self.clock.observe(given).map_err(|_| {
                refused("the request fencing token timestamp is too far in the future; ensure that the client and broker system clocks are synchronized")
            })?;
        }
        let protects = self
            .entries
            .get(key)
            .and_then(|entry| entry.fencing_token.as_ref());
        match (protects, given) {
            (Some(_), None) => Err(refused("a fencing token is required for this request")),
            (Some(protects), Some(given)) if given < protects => Err(refused(
                "the request fencing token is a lower version than the fencing token protecting the resource",
            )),
            _ => Ok(()),
        }
    }

    fn expire(&mut self, key: &[u8]) {
        let expires = self.entries.get(key).and_then(|entry| entry.expires);
        if expires.is_some_and(|expires| expires <= Instant::now()) {
            self.remove(key);
        }
    }

    fn expire_all(&mut self) {
        let now = Instant::now();
        self.entries.retain(|key, entry| {
            let expired = entry.expires.is_some_and(|expires| expires <= now);
            if expired {
                self.bytes -= size(key, &entry.value);
            }
            !expired
        });
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= size(key, &entry.value);
        }
    }
}

fn size(key: &[u8], value: &[u8]) -> usize {
    key.len() + value.len() + ENTRY_BYTES
}
