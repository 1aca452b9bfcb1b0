//! The state of an MQTT session over all its connections. Pure: packets in, packets out; no clock, no I/O.

mod arrivals;
mod subscriptions;

use std::collections::{BTreeMap, VecDeque};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAck, PubAckReason, Publish as PublishPacket};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::debug;

use arrivals::Delivery;

use super::packet;
use super::{Ack, Message, PublishError};
use crate::{Error, Qos};

/// After this many connections in a row that were lost with the same message waiting longest, it is given up: brokers that
/// take no larger packets close the connection, and would do so for ever.
const MAX_LOSSES: u8 = 3;

/// What an endpoint of `publish` waits for.
type Done = oneshot::Sender<Result<(), PublishError>>;
/// Who waits for the broker to end a subscription; nobody does when it was dropped.
type Ended = oneshot::Sender<Result<(), Error>>;

#[derive(Debug)]
pub(super) struct Core {
    next_id: u64,
    /// Messages not sent yet.
    queue: VecDeque<Queued>,
    /// Messages sent and not acknowledged, in the order they were sent first.
    inflight: BTreeMap<u64, Inflight>,
    /// Those of them that are to be sent again on this connection.
    resend: VecDeque<u64>,
    /// How many were sent on this connection and are not acknowledged.
    outstanding: usize,
    subscriptions: BTreeMap<u64, Subscribed>,
    /// SUBSCRIBE packets sent on this connection, by packet identifier.
    subscribing: BTreeMap<u16, Vec<u64>>,
    /// UNSUBSCRIBE packets sent on this connection, by packet identifier.
    unsubscribing: BTreeMap<u16, (String, Vec<Ended>)>,
    /// Filters to unsubscribe from once there is a connection, and who waits for it.
    stale: BTreeMap<String, Vec<Ended>>,
    /// Messages that arrived on this connection and are not acknowledged, in order.
    arrived: VecDeque<Arrived>,
    next_arrival: u64,
    /// Messages beyond those the broker may have on their way, which wait here until it may: Mosquitto 2.0 forgets the
    /// receive maximum of the sessions it restores when it starts. Closing the connection would go on for ever.
    surplus: VecDeque<PublishPacket>,
    surplus_bytes: usize,
    max_surplus_bytes: usize,
    /// Packets of the protocol that wait to be written.
    control: VecDeque<Packet>,
    next_packet_id: u16,
    connection: Option<Limits>,
    /// Whether a message was acknowledged on this connection, by either side.
    progressed: bool,
    inflight_limit: usize,
    receive_maximum: u16,
    closing: bool,
}

/// What the broker of this connection allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub receive_maximum: u16,
    pub max_packet_size: Option<u32>,
}

#[derive(Debug)]
struct Queued {
    id: u64,
    packet: PublishPacket,
    done: Done,
    permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Inflight {
    packet: PublishPacket,
    done: Done,
    sent: bool,
    losses: u8,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Subscribed {
    filter: String,
    qos: Qos,
    queue: mpsc::Sender<Message>,
    /// Who waits for the broker to agree; `None` once it has.
    waiting: Option<oneshot::Sender<Result<(), Error>>>,
}

#[derive(Debug)]
struct Arrived {
    number: u64,
    packet_id: u16,
    dealt_with: bool,
}

impl Core {
    pub(super) fn new(inflight: u16, max_surplus_bytes: usize) -> Self {
        Self {
            next_id: 0,
            queue: VecDeque::new(),
            inflight: BTreeMap::new(),
            resend: VecDeque::new(),
            outstanding: 0,
            subscriptions: BTreeMap::new(),
            subscribing: BTreeMap::new(),
            unsubscribing: BTreeMap::new(),
            stale: BTreeMap::new(),
            arrived: VecDeque::new(),
            next_arrival: 0,
            surplus: VecDeque::new(),
            surplus_bytes: 0,
            max_surplus_bytes,
            control: VecDeque::new(),
            next_packet_id: 0,
            connection: None,
            progressed: false,
            inflight_limit: usize::from(inflight),
            receive_maximum: inflight,
            closing: false,
        }
    }

    /// Takes a message in; `permit` is its share of the memory and is given back when it is done with.
    pub(super) fn publish(
        &mut self,
        packet: PublishPacket,
        done: Done,
        permit: OwnedSemaphorePermit,
    ) -> u64 {
        let id = self.id();
        if self.closing {
            // The receiver may be gone, which is all the same.
            let _ = done.send(Err(PublishError::Closed));
        } else {
            self.queue.push_back(Queued {
                id,
                packet,
                done,
                permit,
            });
        }
        id
    }

    /// Takes a message back that was not sent yet.
    pub(super) fn withdraw(&mut self, id: u64) {
        // Numbers ascend; most messages are not in the queue any more.
        if let Ok(index) = self.queue.binary_search_by_key(&id, |queued| queued.id) {
            self.queue.remove(index);
        }
    }

    pub(super) fn connected(&mut self, session_present: bool, limits: Limits) {
        self.connection = Some(limits);
        self.outstanding = 0;
        for inflight in self.inflight.values_mut() {
            inflight.sent = false;
            inflight.packet.dup = session_present;
        }
        self.resend = self.inflight.keys().copied().collect();
        if session_present {
            self.send_unsubscribe();
        } else {
            // The broker has forgotten them by itself.
            for ended in std::mem::take(&mut self.stale).into_values().flatten() {
                let _ = ended.send(Ok(()));
            }
        }
        let subscriptions = self.subscriptions.iter();
        let needed = subscriptions
            .filter(|(_, subscribed)| !session_present || subscribed.waiting.is_some());
        for id in needed.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.send_subscribe(id);
        }
    }

    /// `lost`: the connection broke, and was not ended by this side. Whether a message was acknowledged on it.
    pub(super) fn disconnected(&mut self, lost: bool) -> bool {
        self.connection = None;
        self.control.clear();
        self.subscribing.clear();
        for (filter, waiting) in std::mem::take(&mut self.unsubscribing).into_values() {
            let again = self
                .subscriptions
                .values()
                .any(|other| other.filter == filter);
            if !again {
                self.stale.entry(filter).or_default().extend(waiting);
            }
        }
        self.arrived.clear();
        self.surplus.clear();
        self.surplus_bytes = 0;
        if lost && let Some(oldest) = self.inflight.values_mut().find(|inflight| inflight.sent) {
            oldest.losses += 1;
        }
        let given_up =
            |inflight: &Inflight| inflight.losses >= MAX_LOSSES || inflight.done.is_closed();
        for (id, inflight) in std::mem::take(&mut self.inflight) {
            if given_up(&inflight) {
                let times = inflight.losses;
                let _ = inflight
                    .done
                    .send(Err(PublishError::ConnectionLost { times }));
            } else {
                self.inflight.insert(id, inflight);
            }
        }
        std::mem::take(&mut self.progressed)
    }

    /// Takes no more messages; what is queued is still sent.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Drops everything: whoever waits learns that the session is closed.
    pub(super) fn abandon(&mut self) {
        self.closing = true;
        self.connection = None;
        self.queue.clear();
        self.inflight.clear();
        self.subscriptions.clear();
        self.stale.clear();
        self.unsubscribing.clear();
        self.control.clear();
    }

    /// Whether nothing waits to be sent or acknowledged.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.inflight.is_empty() && self.control.is_empty()
    }

    /// The largest packet the broker takes, when that is known.
    pub(super) fn max_packet_size(&self) -> Option<u32> {
        self.connection.and_then(|limits| limits.max_packet_size)
    }

    /// The next packet to write on this connection.
    pub(super) fn next_packet(&mut self) -> Option<Packet> {
        let limits = self.connection?;
        if let Some(packet) = self.control.pop_front() {
            return Some(packet);
        }
        let room = self.inflight_limit.min(usize::from(limits.receive_maximum));
        while self.outstanding < room
            && let Some(id) = self.resend.pop_front()
        {
            let Some(inflight) = self.inflight.get_mut(&id) else {
                continue;
            };
            if let Some(error) = too_large(&inflight.packet, limits) {
                let refused = self.inflight.remove(&id).expect("it was found just now");
                let _ = refused.done.send(Err(error));
                continue;
            }
            inflight.sent = true;
            self.outstanding += 1;
            return Some(Packet::Publish(inflight.packet.clone()));
        }
        loop {
            // At QoS 0 no acknowledgement is waited for, but the order is kept.
            let blocked = self.outstanding >= room || !self.resend.is_empty();
            if blocked && self.queue.front()?.packet.qos != QoS::AtMostOnce {
                return None;
            }
            let queued = self.queue.pop_front()?;
            let Queued {
                id,
                mut packet,
                done,
                permit,
            } = queued;
            if done.is_closed() {
                continue;
            }
            if let Some(error) = too_large(&packet, limits) {
                let _ = done.send(Err(error));
                continue;
            }
            if packet.qos == QoS::AtMostOnce {
                let _ = done.send(Ok(()));
                return Some(Packet::Publish(packet));
            }
            packet.pkid = self.packet_id();
            self.outstanding += 1;
            let inflight = Inflight {
                packet: packet.clone(),
                done,
                sent: true,
                losses: 0,
                _permit: permit,
            };
            self.inflight.insert(id, inflight);
            return Some(Packet::Publish(packet));
        }
    }

    /// Takes in a packet from the broker. `ack` makes the acknowledgement of the message of that number.
    ///
    /// # Errors
    /// In words, when the broker breaks the protocol or ends the connection.
    pub(super) fn receive(
        &mut self,
        packet: Packet,
        ack: impl FnOnce(u64) -> Ack,
    ) -> Result<Delivery, String> {
        match packet {
            Packet::Publish(publish) if publish.qos == QoS::AtLeastOnce && !self.has_room() => {
                self.hold(publish)?;
            }
            Packet::Publish(publish) => return self.deliver(publish, ack),
            Packet::PubAck(puback) => self.published(&puback),
            Packet::SubAck(suback) => self.subscribed(&suback),
            Packet::UnsubAck(unsuback) => self.unsubscribed(&unsuback),
            Packet::PingResp(_) => {}
            Packet::Disconnect(disconnect) => {
                let reason = disconnect
                    .properties
                    .and_then(|properties| properties.reason_string)
                    .unwrap_or_default();
                return Err(format!(
                    "the broker ended the connection: {:?} {reason}",
                    disconnect.reason_code
                ));
            }
            other => {
                return Err(format!(
                    "the broker sent an unexpected packet: {}",
                    packet::name(&other)
                ));
            }
        }
        Ok(Delivery::default())
    }

    fn published(&mut self, puback: &PubAck) {
        let found = self
            .inflight
            .iter()
            .find(|(_, inflight)| inflight.sent && inflight.packet.pkid == puback.pkid);
        let Some(id) = found.map(|(id, _)| *id) else {
            debug!(
                packet_id = puback.pkid,
                "an acknowledgement of nothing that was sent"
            );
            return;
        };
        let inflight = self.inflight.remove(&id).expect("it was found just now");
        self.outstanding = self.outstanding.saturating_sub(1);
        self.progressed = true;
        for other in self.inflight.values_mut() {
            other.losses = 0;
        }
        let result = match puback.reason {
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
            reason => {
                let text = puback
                    .properties
                    .as_ref()
                    .and_then(|properties| properties.reason_string.as_deref());
                Err(packet::refused(reason, text))
            }
        };
        let _ = inflight.done.send(result);
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A packet identifier that is not in use.
    fn packet_id(&mut self) -> u16 {
        loop {
            self.next_packet_id = self.next_packet_id.checked_add(1).unwrap_or(1);
            let id = self.next_packet_id;
            let used = self.subscribing.contains_key(&id)
                || self.unsubscribing.contains_key(&id)
                || self
                    .inflight
                    .values()
                    .any(|inflight| inflight.packet.pkid == id);
            if !used {
                return id;
            }
        }
    }
}

fn too_large(publish: &PublishPacket, limits: Limits) -> Option<PublishError> {
    let limit = limits.max_packet_size? as usize;
    let size = packet::size(publish);
    (size > limit).then_some(PublishError::TooLarge { size, limit })
}
