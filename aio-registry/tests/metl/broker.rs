//! A broker in memory that does what a case says: it speaks MQTT 5 over a pipe, so that the session under test is the real one.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use rumqttc::v5::mqttbytes::Error as CodecError;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectReturnCode, Packet, PingResp, PubAck, PubAckReason, Publish, SubAck,
    SubscribeReasonCode, UnsubAck, UnsubAckReason,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{Notify, mpsc};

use crate::case::{AckKind, PushAcks};

/// What the broker has seen.
#[derive(Default)]
pub struct Log {
    pub subscribed: Vec<String>,
    pub published: Vec<Publish>,
    pub acknowledged: Vec<u16>,
    /// SUBSCRIBE, UNSUBSCRIBE and PUBLISH packets.
    pub requests: usize,
}

#[derive(Clone)]
pub struct Broker {
    shared: Arc<Shared>,
    dialled: mpsc::UnboundedSender<DuplexStream>,
}

struct Shared {
    log: Mutex<Log>,
    push_acks: Mutex<PushAcks>,
    outbox: Mutex<VecDeque<Publish>>,
    deliver: Notify,
    disconnect: Notify,
}

impl Broker {
    pub fn start(push_acks: PushAcks) -> Self {
        let shared = Arc::new(Shared {
            log: Mutex::default(),
            push_acks: Mutex::new(push_acks),
            outbox: Mutex::default(),
            deliver: Notify::new(),
            disconnect: Notify::new(),
        });
        let (dialled, mut streams) = mpsc::unbounded_channel();
        let serving = shared.clone();
        tokio::spawn(async move {
            let mut session_present = false;
            while let Some(stream) = streams.recv().await {
                tokio::select! {
                    _ = serving.serve(stream, session_present) => {}
                    () = serving.disconnect.notified() => {}
                }
                session_present = true;
            }
        });
        Self { shared, dialled }
    }

    /// A connection to this broker.
    pub fn dial(&self) -> io::Result<DuplexStream> {
        let (near, far) = duplex(1 << 20);
        let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
        self.dialled.send(far).map_err(gone)?;
        Ok(near)
    }

    pub fn log<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(&self.shared.log.lock().unwrap())
    }

    /// Sends a message to the client, once it is connected.
    pub fn deliver(&self, message: Publish) {
        self.shared.outbox.lock().unwrap().push_back(message);
        self.shared.deliver.notify_one();
    }

    /// Cuts the connection.
    pub fn disconnect(&self) {
        self.shared.disconnect.notify_one();
    }
}

impl Shared {
    /// Serves one connection until it ends, which is `None`.
    async fn serve(&self, mut stream: DuplexStream, session_present: bool) -> Option<()> {
        let mut buffer = BytesMut::new();
        let Packet::Connect(..) = read(&mut stream, &mut buffer).await? else {
            panic!("the client did not begin with CONNECT")
        };
        let accepted = Packet::ConnAck(ConnAck {
            session_present,
            code: ConnectReturnCode::Success,
            properties: None,
        });
        write(&mut stream, accepted).await?;
        self.deliver.notify_one();
        loop {
            tokio::select! {
                packet = read(&mut stream, &mut buffer) => {
                    if let Some(answer) = self.answer(packet?) {
                        write(&mut stream, answer).await?;
                    }
                }
                () = self.deliver.notified() => loop {
                    let Some(message) = self.outbox.lock().unwrap().pop_front() else {
                        break;
                    };
                    write(&mut stream, Packet::Publish(message)).await?;
                },
            }
        }
    }

    fn answer(&self, packet: Packet) -> Option<Packet> {
        let mut log = self.log.lock().unwrap();
        let mut acks = self.push_acks.lock().unwrap();
        match packet {
            Packet::Publish(publish) => {
                log.requests += 1;
                let (qos, packet_id) = (publish.qos, publish.pkid);
                log.published.push(publish);
                if qos == QoS::AtMostOnce {
                    return None;
                }
                let mut answer = PubAck::new(packet_id, None);
                if !succeeds(&mut acks.publish)? {
                    answer.reason = PubAckReason::UnspecifiedError;
                }
                Some(Packet::PubAck(answer))
            }
            Packet::Subscribe(subscribe) => {
                log.requests += 1;
                let filters = subscribe.filters.iter().map(|filter| filter.path.clone());
                log.subscribed.extend(filters);
                let code = if succeeds(&mut acks.subscribe)? {
                    SubscribeReasonCode::Success(QoS::AtLeastOnce)
                } else {
                    SubscribeReasonCode::Unspecified
                };
                Some(Packet::SubAck(SubAck {
                    pkid: subscribe.pkid,
                    return_codes: vec![code; subscribe.filters.len()],
                    properties: None,
                }))
            }
            Packet::Unsubscribe(unsubscribe) => {
                log.requests += 1;
                let reason = if succeeds(&mut acks.unsubscribe)? {
                    UnsubAckReason::Success
                } else {
                    UnsubAckReason::UnspecifiedError
                };
                Some(Packet::UnsubAck(UnsubAck {
                    pkid: unsubscribe.pkid,
                    reasons: vec![reason; unsubscribe.filters.len()],
                    properties: None,
                }))
            }
            Packet::PubAck(puback) => {
                log.acknowledged.push(puback.pkid);
                None
            }
            Packet::PingReq(_) => Some(Packet::PingResp(PingResp)),
            _ => None,
        }
    }
}

/// The next answer of a queue; `None` when there is to be none.
fn succeeds(queue: &mut Vec<AckKind>) -> Option<bool> {
    if queue.is_empty() {
        return Some(true);
    }
    match queue.remove(0) {
        AckKind::Success => Some(true),
        AckKind::Fail => Some(false),
        AckKind::Drop => None,
    }
}

async fn read(stream: &mut DuplexStream, buffer: &mut BytesMut) -> Option<Packet> {
    loop {
        // A DISCONNECT without a reason, which the codec writes but does not read.
        if buffer.starts_with(&[0xe0, 0]) {
            return None;
        }
        match Packet::read(buffer, None) {
            Ok(packet) => return Some(packet),
            Err(CodecError::InsufficientBytes(_)) => {}
            Err(error) => panic!("the client sent what is no packet: {error}"),
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

async fn write(stream: &mut DuplexStream, packet: Packet) -> Option<()> {
    let mut buffer = BytesMut::new();
    packet.write(&mut buffer, None).unwrap();
    stream.write_all(&buffer).await.ok()
}
