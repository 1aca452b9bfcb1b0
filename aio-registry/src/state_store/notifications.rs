//! Who wants to know of which key, and how they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tracing::warn;
use uuid::Uuid;

use super::{OCTETS, refused, resp};
use crate::mrpc::{HybridTime, PROTOCOL_VERSION, PROTOCOL_VERSION_KEY, SOURCE, TIMESTAMP};
use crate::{Error, Mqtt, Properties, Publish};

/// What comes before the client and the key in the topic of a notification.
const PREFIX: &str = "clients/statestore/v1/FA9AE35F-2F64-47CD-9BFF-08E2B32A0FE8";
/// More wishes than this are refused: a client must not fill the memory.
const MAX_WISHES: usize = 10_000;
const EXPIRY: Duration = Duration::from_secs(10);

pub(super) struct Notifications {
    mqtt: Arc<dyn Mqtt>,
    /// The clients that want to know of a key.
    wishes: Mutex<BTreeMap<Bytes, BTreeSet<String>>>,
}

impl Notifications {
    pub(super) fn new(mqtt: Arc<dyn Mqtt>) -> Self {
        Self {
            mqtt,
            wishes: Mutex::default(),
        }
    }

    /// Notes that a client wants to know of a key.
    pub(super) fn observe(&self, client: &str, key: &[u8]) -> Result<(), Error> {
        let mut wishes = self.wishes();
        let known = wishes.get(key).is_some_and(|of| of.contains(client));
        if !known && wishes.values().map(BTreeSet::len).sum::<usize>() >= MAX_WISHES {
            return Err(refused("the quota has been exceeded"));
        }
        // A part of a packet would keep the packet.
        let of = wishes.entry(Bytes::copy_from_slice(key)).or_default();
        of.insert(client.to_owned());
        Ok(())
    }

    /// Notes that a client wants to know no more; says whether it did.
    pub(super) fn stop(&self, client: &str, key: &[u8]) -> bool {
        let mut wishes = self.wishes();
        let Some(of) = wishes.get_mut(key) else {
            return false;
        };
        let wanted = of.remove(client);
        if of.is_empty() {
            wishes.remove(key);
        }
        wanted
    }

    /// Tells of a key's new value, or that it is gone.
    pub(super) async fn tell(&self, key: &[u8], value: Option<&Bytes>, version: &HybridTime) {
        let clients = self.wishes().get(key).cloned().unwrap_or_default();
        for client in clients {
            let topic = topic(&client, &hex(key));
            let mut message = Publish::new(topic.clone(), resp::notification(value));
            message.properties = Properties {
                content_type: Some(OCTETS.into()),
                message_expiry: Some(EXPIRY),
                correlation_data: Some(Bytes::copy_from_slice(Uuid::new_v4().as_bytes())),
                user: vec![
                    (TIMESTAMP.into(), version.to_string()),
                    (PROTOCOL_VERSION_KEY.into(), PROTOCOL_VERSION.into()),
                    (SOURCE.into(), self.mqtt.client_id().into()),
                ],
                ..Properties::default()
            };
            if let Err(error) = self.mqtt.publish(message).await {
                warn!(topic, %error, "a change of a key is not told");
            }
        }
    }

    fn wishes(&self) -> MutexGuard<'_, BTreeMap<Bytes, BTreeSet<String>>> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The topic on which a client is told of a key, which is given in hexadecimal digits, or a filter for it.
pub(super) fn topic(client: &str, key: &str) -> String {
    format!("{PREFIX}/{}/command/notify/{key}", hex(client.as_bytes()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}
