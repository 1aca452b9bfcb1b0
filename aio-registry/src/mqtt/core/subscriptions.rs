//! What the broker is to send, as long as there is a reader for it.

use rumqttc::v5::mqttbytes::v5::{
    Filter, Packet, RetainForwardRule, SubAck, Subscribe, SubscribeReasonCode, UnsubAck,
    UnsubAckReason, Unsubscribe,
};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use super::{Core, Ended, Subscribed};
use crate::mqtt::{Message, packet};
use crate::{Error, Qos};

impl Core {
    pub(in crate::mqtt) fn subscribe(
        &mut self,
        filter: &str,
        qos: Qos,
        queue: mpsc::Sender<Message>,
        waiting: oneshot::Sender<Result<(), Error>>,
    ) -> u64 {
        let id = self.id();
        self.subscriptions.insert(
            id,
            Subscribed {
                filter: filter.to_owned(),
                qos,
                queue,
                waiting: Some(waiting),
            },
        );
        for ended in self.stale.remove(filter).unwrap_or_default() {
            let _ = ended.send(Ok(()));
        }
        if self.connection.is_some() {
            self.send_subscribe(id);
        }
        id
    }

    pub(in crate::mqtt) fn unsubscribe(&mut self, id: u64, ended: Ended) {
        let Some(gone) = self.subscriptions.remove(&id) else {
            // The broker had refused it, or the session is closed.
            let _ = ended.send(Ok(()));
            return;
        };
        if self
            .subscriptions
            .values()
            .any(|other| other.filter == gone.filter)
        {
            let _ = ended.send(Ok(()));
            return;
        }
        self.stale.entry(gone.filter).or_default().push(ended);
        if self.connection.is_some() {
            self.send_unsubscribe();
        }
    }

    pub(super) fn subscribed(&mut self, suback: &SubAck) {
        let Some(ids) = self.subscribing.remove(&suback.pkid) else {
            return;
        };
        let granted = suback
            .return_codes
            .first()
            .copied()
            .unwrap_or(SubscribeReasonCode::Unspecified);
        for id in ids {
            let Some(subscribed) = self.subscriptions.get_mut(&id) else {
                continue;
            };
            let waiting = subscribed.waiting.take();
            let result = match granted {
                SubscribeReasonCode::Success(_) => Ok(()),
                code => {
                    let filter = subscribed.filter.clone();
                    if waiting.is_none() {
                        warn!(filter, ?code, "the broker refused to renew a subscription");
                    }
                    self.subscriptions.remove(&id);
                    Err(Error::SubscribeRefused {
                        filter,
                        owner: None,
                        reason: format!("{code:?}"),
                    })
                }
            };
            if let Some(waiting) = waiting {
                let _ = waiting.send(result);
            }
        }
    }

    pub(super) fn unsubscribed(&mut self, unsuback: &UnsubAck) {
        let Some((filter, waiting)) = self.unsubscribing.remove(&unsuback.pkid) else {
            return;
        };
        let reason = unsuback.reasons.first();
        let refused = reason.filter(|reason| {
            !matches!(
                reason,
                UnsubAckReason::Success | UnsubAckReason::NoSubscriptionExisted
            )
        });
        if let Some(reason) = refused {
            warn!(filter, ?reason, "the broker refused to end a subscription");
        }
        for ended in waiting {
            let _ = ended.send(match refused {
                None => Ok(()),
                Some(reason) => Err(Error::UnsubscribeRefused {
                    filter: filter.clone(),
                    owner: None,
                    reason: format!("{reason:?}"),
                }),
            });
        }
    }

    pub(super) fn send_subscribe(&mut self, id: u64) {
        let packet_id = self.packet_id();
        let Some(subscribed) = self.subscriptions.get(&id) else {
            return;
        };
        let mut filter = Filter::new(&subscribed.filter, packet::qos(subscribed.qos));
        // A renewed subscription is not to bring the retained messages again.
        if subscribed.waiting.is_none() {
            filter.retain_forward_rule = RetainForwardRule::OnNewSubscribe;
        }
        let mut packet = Subscribe::new(filter, None);
        packet.pkid = packet_id;
        self.subscribing.insert(packet_id, vec![id]);
        self.control.push_back(Packet::Subscribe(packet));
    }

    pub(super) fn send_unsubscribe(&mut self) {
        while let Some((filter, waiting)) = self.stale.pop_first() {
            let mut packet = Unsubscribe::new(filter.as_str(), None);
            packet.pkid = self.packet_id();
            self.unsubscribing.insert(packet.pkid, (filter, waiting));
            self.control.push_back(Packet::Unsubscribe(packet));
        }
    }
}
