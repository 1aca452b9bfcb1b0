use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::{Mqtt, MqttOptions, Publish, PublishError, Subscription};
use crate::{Error, Qos};

/// A session with a broker over the network, which outlives connections: it connects in the background and again for ever,
/// with a growing, random pause of 0.5 to 30 s; renews subscriptions; and sends again what was not acknowledged.
///
/// Clones share the session. It is closed by [`disconnect`](Self::disconnect), or when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct MqttSession {}

/// Whether a session is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// It is trying.
    Connecting,
    /// It is connected.
    Connected,
    /// It is not, and will try again.
    Disconnected {
        /// Why.
        error: String,
        /// When it will try again.
        retry_in: Duration,
    },
    /// It was closed and will not connect again.
    Closed,
}

impl MqttSession {
    /// Starts a session. Returns at once; the connection is made in the background.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that cannot work, [`Error::Storage`] when the file of certificate authorities cannot be read.
    pub async fn connect(options: MqttOptions) -> Result<Self, Error> {
        unimplemented!()
    }

    /// The state it is in now.
    pub fn state(&self) -> SessionState {
        unimplemented!()
    }

    /// The state now, and every change of it; ends when the session is closed.
    pub fn states(&self) -> BoxStream<'static, SessionState> {
        unimplemented!()
    }

    /// Waits until it is connected.
    ///
    /// # Errors
    /// [`Error::Timeout`] with the reason it is not, [`Error::Closed`].
    pub async fn connected(&self, timeout: Duration) -> Result<(), Error> {
        unimplemented!()
    }

    /// Sends what is queued, takes leave of the broker and closes the session; waits no longer than `timeout`.
    pub async fn disconnect(&self, timeout: Duration) {
        unimplemented!()
    }
}

#[async_trait]
impl Mqtt for MqttSession {
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
