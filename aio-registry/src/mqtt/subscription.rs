use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream, StreamExt};

use super::Properties;
use crate::{Error, Qos};

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Message {
    /// The topic it was published to.
    pub topic: String,
    /// The content.
    pub payload: Bytes,
    /// The quality of service it was delivered with.
    pub qos: Qos,
    /// Whether the broker had kept it from before the subscription.
    pub retain: bool,
    /// MQTT 5 properties.
    pub properties: Properties,
    /// Its acknowledgement: drop it when the message was dealt with.
    pub ack: Ack,
}

/// The acknowledgement of a [`Message`], which is sent to the broker when the last copy is dropped.
///
/// Holding it delays the acknowledgement, so that after a crash the broker delivers the message again; dropping it is always
/// safe, so that a message nobody cares for cannot stall the session. Acknowledgements leave in the order the messages
/// arrived, as MQTT requires: an old one that is held delays all younger ones. One that is dropped after the connection it
/// belongs to was lost does nothing: the broker delivers the message again.
#[derive(Clone, Debug)]
pub struct Ack {
    _on_drop: Option<Arc<AckOnDrop>>,
}

/// Calls back when dropped.
pub(super) struct AckOnDrop(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Ack {
    /// An acknowledgement nobody waits for: QoS 0, tests.
    pub fn none() -> Self {
        Self { _on_drop: None }
    }

    /// For another [`Mqtt`](super::Mqtt): calls `acknowledge` when the last copy is dropped.
    pub fn new(acknowledge: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self {
            _on_drop: Some(Arc::new(AckOnDrop(Some(Box::new(acknowledge))))),
        }
    }
}

impl Drop for AckOnDrop {
    fn drop(&mut self) {
        if let Some(acknowledge) = self.0.take() {
            acknowledge();
        }
    }
}

impl std::fmt::Debug for AckOnDrop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AckOnDrop")
    }
}

/// The messages of one topic filter, a [`Stream`]. It ends when the session is closed; dropping it unsubscribes.
pub struct Subscription {
    messages: BoxStream<'static, Message>,
    unsubscribe: Option<Unsubscribe>,
}

type Unsubscribe = Box<dyn FnOnce() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

impl Subscription {
    /// For another [`Mqtt`](super::Mqtt): the messages, and how to unsubscribe. That is called when the subscription is
    /// closed or dropped, and unsubscribes at once; the future it returns waits for the broker to agree.
    pub fn new(
        messages: impl Stream<Item = Message> + Send + 'static,
        unsubscribe: impl FnOnce() -> BoxFuture<'static, Result<(), Error>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            messages: messages.boxed(),
            unsubscribe: Some(Box::new(unsubscribe)),
        }
    }

    /// Unsubscribes and waits for the broker to agree. Messages that arrived before can still be read; then the stream ends.
    ///
    /// # Errors
    /// [`Error::UnsubscribeRefused`], [`Error::Timeout`], [`Error::Closed`].
    pub async fn close(&mut self) -> Result<(), Error> {
        match self.unsubscribe.take() {
            Some(unsubscribe) => unsubscribe().await,
            None => Ok(()),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(unsubscribe) = self.unsubscribe.take() {
            drop(unsubscribe());
        }
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.messages.poll_next_unpin(context)
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription")
    }
}
