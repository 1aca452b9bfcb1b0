//! The state store of the Azure IoT Operations broker: keys and values beside the topics.
//!
//! [`StateStore`] is the seam: [`StateStoreClient`] asks the broker, or a [`StateStoreService`] on a broker that has no state
//! store, such as Mosquitto; [`MemoryStateStore`] is what such a service keeps.

mod client;
mod expiry;
mod memory;
mod notifications;
mod resp;
mod service;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::client::StateStoreClient;
pub use self::memory::MemoryStateStore;
pub use self::service::StateStoreService;
use crate::Error;
use crate::mrpc::HybridTime;

const TOPIC: &str = "statestore/v1/FA9AE35F-2F64-47CD-9BFF-08E2B32A0FE8/command/invoke";
/// The user property that carries the fencing token of a request.
const FENCING_TOKEN: &str = "__ft";
const OCTETS: &str = "application/octet-stream";

/// Keys and values that are shared by all clients of a broker.
///
/// A fencing token keeps a client that lost a lock from writing what the lock protects: once a key was written with a token,
/// it is changed only with that token or a later one. A lock hands out the tokens; they are times of its clock.
#[async_trait]
pub trait StateStore: Send + Sync + 'static {
    /// The value of a key, or `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Service`] when the store says no; [`Error::Invalid`] for an empty key.
    async fn get(&self, key: &[u8]) -> Result<Option<StoredValue>, Error>;

    /// Sets the value of a key; says whether the condition held.
    ///
    /// # Errors
    /// As [`get`](Self::get); also when the fencing token is missing or too old, and when the store is full.
    async fn set(&self, key: &[u8], value: Bytes, options: SetOptions) -> Result<bool, Error>;

    /// Deletes a key, if it has the value that is given, when one is; says whether it did.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    async fn del(
        &self,
        key: &[u8],
        only_if: Option<Bytes>,
        fencing_token: Option<HybridTime>,
    ) -> Result<bool, Error>;
}

/// A value in a state store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredValue {
    /// The value.
    pub value: Bytes,
    /// When it was set, when the store says so.
    pub version: Option<HybridTime>,
}

/// A change of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The new value; `None` when the key was deleted.
    pub value: Option<Bytes>,
    /// When it changed, when the store says so.
    pub version: Option<HybridTime>,
}

/// How a value is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetOptions {
    /// On which condition.
    pub condition: SetCondition,
    /// After how long it is forgotten; whole milliseconds on the wire.
    pub expiry: Option<Duration>,
    /// The token of the lock that protects the key.
    pub fencing_token: Option<HybridTime>,
}

/// On which condition a value is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SetCondition {
    /// In any case.
    #[default]
    Always,
    /// If the key has no value (`NX`).
    Absent,
    /// If the key has no value, or this one already (`NEX`).
    AbsentOrEqual,
}

/// What the store says no with.
fn refused(message: impl Into<String>) -> Error {
    Error::Service {
        operation: "the request to the state store".into(),
        code: "ERR".into(),
        message: message.into(),
    }
}
