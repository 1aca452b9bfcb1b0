//! What the broker has sent, and until when it is acknowledged.

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAck, Publish as PublishPacket};
use tokio::sync::mpsc::error::TrySendError;
use tracing::{debug, warn};

use super::{Arrived, Core, Subscribed};
use crate::mqtt::{Ack, Message, packet};
use crate::{Qos, topic};

/// Copies of a message that are of no more use. Dropping the last copy acknowledges the message, which takes the lock around
/// the core: they are dropped outside of it.
#[derive(Debug, Default)]
pub(in crate::mqtt) struct Delivery {
    copies: Vec<Message>,
    /// A reader had no room for it. The connection is to end, so that the broker delivers the message again.
    pub(in crate::mqtt) overflow: bool,
}

impl Core {
    /// A message was dealt with: it and all older ones that were, are acknowledged.
    pub(in crate::mqtt) fn acknowledge(&mut self, number: u64) {
        // Numbers of an earlier connection are not found: their packet identifiers mean nothing any more.
        if let Ok(index) = self
            .arrived
            .binary_search_by_key(&number, |arrived| arrived.number)
        {
            self.arrived[index].dealt_with = true;
        }
        while self
            .arrived
            .front()
            .is_some_and(|arrived| arrived.dealt_with)
            && let Some(arrived) = self.arrived.pop_front()
        {
            self.progressed = true;
            self.control
                .push_back(Packet::PubAck(PubAck::new(arrived.packet_id, None)));
        }
    }

    /// Keeps a message until the broker may have one more on its way.
    pub(super) fn hold(&mut self, publish: PublishPacket) -> Result<(), String> {
        self.surplus_bytes += publish.payload.len();
        if self.surplus_bytes > self.max_surplus_bytes {
            return Err("the broker sent far more unacknowledged messages than it may".into());
        }
        if self.surplus.is_empty() {
            debug!("the broker sends more unacknowledged messages than it may");
        }
        self.surplus.push_back(publish);
        Ok(())
    }

    /// Delivers a message that had to wait for its turn, if there is one and its turn has come.
    ///
    /// # Errors
    /// Those of `receive`.
    pub(in crate::mqtt) fn next_surplus(
        &mut self,
        ack: impl FnOnce(u64) -> Ack,
    ) -> Result<Option<Delivery>, String> {
        if self.arrived.len() >= usize::from(self.receive_maximum) {
            return Ok(None);
        }
        let Some(publish) = self.surplus.pop_front() else {
            return Ok(None);
        };
        self.surplus_bytes -= publish.payload.len();
        self.deliver(publish, ack).map(Some)
    }

    pub(super) fn has_room(&self) -> bool {
        self.surplus.is_empty() && self.arrived.len() < usize::from(self.receive_maximum)
    }

    pub(super) fn deliver(
        &mut self,
        publish: PublishPacket,
        ack: impl FnOnce(u64) -> Ack,
    ) -> Result<Delivery, String> {
        let packet_id = publish.pkid;
        let at_least_once = match publish.qos {
            QoS::AtMostOnce => false,
            QoS::AtLeastOnce => true,
            QoS::ExactlyOnce => {
                return Err("the broker delivered at QoS 2, which was not asked for".into());
            }
        };
        let topic = String::from_utf8(publish.topic.to_vec())
            .map_err(|_| "the broker sent a topic that is not UTF-8")?;
        if topic.is_empty() {
            return Err("the broker used a topic alias, which was not offered".into());
        }
        let ack = if at_least_once {
            let number = self.next_arrival;
            self.next_arrival += 1;
            self.arrived.push_back(Arrived {
                number,
                packet_id,
                dealt_with: false,
            });
            ack(number)
        } else {
            Ack::none()
        };
        let message = packet::message(publish, topic, ack);
        let mut rest = Delivery::default();
        for subscribed in self
            .subscriptions
            .values()
            .filter(|subscribed| topic::matches(&subscribed.filter, &message.topic))
        {
            match self.hand_over(subscribed, message.clone()) {
                Err(TrySendError::Full(copy)) => {
                    rest.overflow = true;
                    rest.copies.push(copy);
                }
                // The UNSUBSCRIBE of a reader that is gone is on its way.
                Err(TrySendError::Closed(copy)) => rest.copies.push(copy),
                Ok(()) => {}
            }
        }
        rest.copies.push(message);
        Ok(rest)
    }

    /// Queues a message, or gives it back. On one connection a queue has room for every message at QoS 1, as the broker sends
    /// no more of them before they are acknowledged; it may overflow when the connection is lost often and nobody reads.
    #[expect(
        clippy::result_large_err,
        reason = "the message that was not queued is what the caller wants back"
    )]
    fn hand_over(
        &self,
        subscribed: &Subscribed,
        message: Message,
    ) -> Result<(), TrySendError<Message>> {
        let reserved = usize::from(self.receive_maximum);
        if message.qos == Qos::AtMostOnce && subscribed.queue.capacity() <= reserved {
            warn!(
                filter = subscribed.filter,
                "the reader is too slow; a message at QoS 0 is dropped"
            );
            return Ok(());
        }
        subscribed.queue.try_send(message)
    }
}
