//! Faults of a broker that is killed, forgets, refuses or is slow.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aio_registry::{Error, Mqtt, MqttOptions, MqttSession, Publish, PublishError, Qos};
use bytes::BytesMut;
use futures::future::FutureExt;
use futures::stream::{self, StreamExt};
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectReturnCode, Packet, PubAck, PubAckReason, UnsubAck, UnsubAckReason,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::scripted::{Accept, Broker};
use super::{options, published, soon, url};

const MESSAGES: u32 = 100_000;
const KILLS: u32 = 100;

/// What reached the broker, over all its lives.
#[derive(Default)]
struct Arrived {
    times: HashMap<u32, u32>,
    acknowledged: u32,
    lives: u32,
}

/// Lives until it has acknowledged its share of the messages. Of those that arrive after that it takes some and
/// acknowledges none, as a broker does that is killed.
async fn live(mut stream: DuplexStream, arrived: &Mutex<Arrived>) -> Option<()> {
    let mut buffer = BytesMut::new();
    let session_present = {
        let mut arrived = arrived.lock().unwrap();
        arrived.lives += 1;
        // Every other time it has forgotten the session.
        arrived.lives.is_multiple_of(2)
    };
    let mut out = BytesMut::new();
    loop {
        let packet = loop {
            match Packet::read(&mut buffer, None) {
                Ok(packet) => break packet,
                Err(_) => {
                    if stream.read_buf(&mut buffer).await.ok()? == 0 {
                        return None;
                    }
                }
            }
        };
        match packet {
            Packet::Connect(..) => {
                let accepted = ConnAck {
                    session_present,
                    code: ConnectReturnCode::Success,
                    properties: None,
                };
                Packet::ConnAck(accepted).write(&mut out, None).unwrap();
            }
            Packet::Publish(publish) => {
                let number = std::str::from_utf8(&publish.payload)
                    .unwrap()
                    .parse()
                    .unwrap();
                let mut arrived = arrived.lock().unwrap();
                *arrived.times.entry(number).or_default() += 1;
                let share = MESSAGES / (KILLS + 1) * arrived.lives;
                if arrived.acknowledged >= share && arrived.lives <= KILLS {
                    // Some of what is on its way arrives before the end.
                    if number.is_multiple_of(37) {
                        return None;
                    }
                    continue;
                }
                arrived.acknowledged += 1;
                let puback = PubAck::new(publish.pkid, None);
                Packet::PubAck(puback).write(&mut out, None).unwrap();
            }
            _ => {}
        }
        stream.write_all_buf(&mut out).await.ok()?;
    }
}

#[tokio::test(start_paused = true)]
async fn loses_none_of_100_000_messages_to_a_broker_that_is_killed_100_times() {
    let (dialled, mut streams) = mpsc::unbounded_channel();
    let arrived = Arc::<Mutex<Arrived>>::default();
    let living = arrived.clone();
    tokio::spawn(async move {
        while let Some(stream) = streams.recv().await {
            live(stream, &living).await;
        }
    });
    let options = MqttOptions {
        publish_timeout: Duration::from_secs(3600),
        ..MqttOptions::new(url(1), "client")
    };
    let session = MqttSession::connect_over(options, move || {
        let (near, far) = duplex(64 << 10);
        let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
        dialled.send(far).map_err(gone)?;
        Ok(near)
    });
    let session = session.await.unwrap();
    let results = stream::iter(0..MESSAGES)
        .map(|number| session.publish(Publish::new("out", number.to_string())))
        .buffer_unordered(200);
    let failed = results.filter(|result| std::future::ready(result.is_err()));
    assert_eq!(failed.collect::<Vec<_>>().await, []);

    let arrived = arrived.lock().unwrap();
    let lost = (0..MESSAGES).filter(|number| !arrived.times.contains_key(number));
    assert_eq!(lost.count(), 0);
    let copies: u32 = arrived.times.values().sum();
    let duplicates = copies - MESSAGES;
    println!(
        "{MESSAGES} messages, {} connections: none lost, {duplicates} duplicates",
        arrived.lives
    );
    assert_eq!(arrived.lives, KILLS + 1);
    // No more than were on their way each time.
    assert!(duplicates <= KILLS * 100, "{duplicates}");
}

#[tokio::test]
async fn waits_while_the_queue_is_full_of_bytes() {
    let broker = Broker::bind().await;
    let options = MqttOptions {
        queue_bytes: 10_000,
        ..options(broker.port)
    };
    let session = MqttSession::connect(options).await.unwrap();
    let mut peer = soon(broker.accept(Accept::default())).await;
    let send = |size: usize| {
        let session = session.clone();
        tokio::spawn(async move { session.publish(Publish::new("a", vec![0; size])).await })
    };
    let first = send(6000);
    let on_its_way = published(&mut peer).await;
    let second = send(6000);
    tokio::task::yield_now().await;
    let third = send(100);
    peer.puback(on_its_way.pkid, PubAckReason::Success).await;
    soon(first).await.unwrap().unwrap();
    // Those that wait are served in their order, large ones as well.
    let next = published(&mut peer).await;
    assert_eq!(next.payload.len(), 6000);
    peer.puback(next.pkid, PubAckReason::Success).await;
    let last = published(&mut peer).await;
    assert_eq!(last.payload.len(), 100);
    peer.puback(last.pkid, PubAckReason::Success).await;
    soon(second).await.unwrap().unwrap();
    soon(third).await.unwrap().unwrap();
    let result = session.publish(Publish::new("a", vec![0; 20_000])).await;
    assert!(matches!(
        result,
        Err(PublishError::TooLarge { limit: 10_000, .. })
    ));
}

#[tokio::test]
async fn tells_whether_the_broker_ended_a_subscription() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let mut peer = soon(broker.accept(Accept::default())).await;
    for (reason, refused) in [
        (UnsubAckReason::Success, false),
        (UnsubAckReason::NoSubscriptionExisted, false),
        (UnsubAckReason::NotAuthorized, true),
    ] {
        let subscribing = session.subscribe("in", Qos::AtLeastOnce);
        let (subscription, _) = tokio::join!(subscribing, peer.suback());
        let mut subscription = subscription.unwrap();
        peer.publish("in", "before", 7).await;
        let answer = async {
            let packet_id = loop {
                match peer.read().await {
                    Some(Packet::Unsubscribe(unsubscribe)) => break unsubscribe.pkid,
                    Some(_) => {}
                    None => panic!("the connection ended"),
                }
            };
            peer.write(Packet::UnsubAck(UnsubAck {
                pkid: packet_id,
                reasons: vec![reason],
                properties: None,
            }))
            .await;
        };
        // What has arrived is read first, so that nothing is in between.
        let before = soon(subscription.next()).await.unwrap();
        assert_eq!(before.payload, "before");
        drop(before);
        let (closed, ()) = soon(async { tokio::join!(subscription.close(), answer) }).await;
        match closed {
            Ok(()) => assert!(!refused),
            Err(error) => assert!(
                refused && matches!(error, Error::UnsubscribeRefused { .. }),
                "{error}"
            ),
        }
        assert!(soon(subscription.next()).await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_ended_on_the_next_connection_when_there_is_none() {
    let (broker, dial) = Broker::memory();
    let session = MqttSession::connect_over(options(1), dial).await.unwrap();
    let mut peer = broker.accept(Accept::default()).await;
    let subscribing = session.subscribe("in", Qos::AtLeastOnce);
    let (subscription, _) = tokio::join!(subscribing, peer.suback());
    let mut subscription = subscription.unwrap();
    drop(peer);
    // A broker that has forgotten the session has forgotten the subscription.
    let forgetful = broker.accept(Accept::default());
    let (closed, _peer) = tokio::join!(subscription.close(), forgetful);
    closed.unwrap();
}

#[tokio::test]
async fn takes_more_messages_than_the_broker_may_send_one_after_the_other() {
    let broker = Broker::bind().await;
    let options = MqttOptions {
        inflight: 2,
        ..options(broker.port)
    };
    let session = MqttSession::connect(options).await.unwrap();
    let mut peer = soon(broker.accept(Accept::default())).await;
    let subscribing = session.subscribe("in", Qos::AtLeastOnce);
    let (subscription, _) = tokio::join!(subscribing, peer.suback());
    let mut subscription = subscription.unwrap();
    for packet_id in 1..=5 {
        peer.publish("in", &packet_id.to_string(), packet_id).await;
    }
    let first = soon(subscription.next()).await.unwrap();
    let second = soon(subscription.next()).await.unwrap();
    // The connection goes on: what it is asked for is done.
    let answer = async {
        let publish = published(&mut peer).await;
        peer.puback(publish.pkid, PubAckReason::Success).await;
    };
    let (sent, ()) =
        soon(async { tokio::join!(session.publish(Publish::new("a", "x")), answer) }).await;
    sent.unwrap();
    assert!(
        subscription.next().now_or_never().is_none(),
        "two are not acknowledged"
    );
    drop((first, second));
    for packet_id in 1..=2 {
        assert_eq!(peer.acked().await, packet_id);
    }
    for packet_id in 3..=5u16 {
        let message = soon(subscription.next()).await.unwrap();
        assert_eq!(message.payload, packet_id.to_string());
        drop(message);
        assert_eq!(peer.acked().await, packet_id);
    }
}
