use async_trait::async_trait;

use super::{Mqtt, Publish, PublishError, Subscription};
use crate::{Error, Qos};

/// A broker in memory, for tests: topic filters, `$share`, retained messages, delayed acknowledgements. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker {}

impl MemoryBroker {
    /// An empty broker.
    pub fn new() -> Self {
        Self::default()
    }

    /// A client of this broker.
    pub fn client(&self, client_id: impl Into<String>) -> MemoryClient {
        unimplemented!()
    }

    /// How many delivered QoS 1 messages are not acknowledged yet.
    pub fn unacknowledged(&self) -> usize {
        unimplemented!()
    }

    /// From now on, publishing to a topic that matches the filter is refused with that reason code.
    pub fn refuse_publish(&self, filter: impl Into<String>, code: u8) {
        unimplemented!()
    }
}

/// A client of a [`MemoryBroker`].
#[derive(Clone, Debug)]
pub struct MemoryClient {}

#[async_trait]
impl Mqtt for MemoryClient {
    fn client_id(&self) -> &str {
        unimplemented!()
    }

    async fn publish(&self, message: Publish) -> Result<(), PublishError> {
        unimplemented!()
    }

    async fn subscribe(&self, filter: &str, qos: Qos) -> Result<Subscription, Error> {
        unimplemented!()
    }
}
