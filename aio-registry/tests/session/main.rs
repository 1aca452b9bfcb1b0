//! The session over real sockets: against a broker that follows a script, and against `rumqttd`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod credentials;
mod faults;
mod scripted;
mod texts;

use std::time::Duration;

use aio_registry::{
    Error, Message, Mqtt, MqttOptions, MqttSession, Properties, Publish, PublishError, Qos,
    SessionState,
};
use futures::StreamExt;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use scripted::{Accept, Broker, Peer};
use tokio::time::timeout;
use url::Url;

const SOON: Duration = Duration::from_secs(20);

fn options(port: u16) -> MqttOptions {
    MqttOptions {
        publish_timeout: SOON,
        ..MqttOptions::new(url(port), "client")
    }
}

fn url(port: u16) -> Url {
    Url::parse(&format!("mqtt://127.0.0.1:{port}")).unwrap()
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(SOON, what).await.expect("it happens soon")
}

async fn published(peer: &mut Peer) -> rumqttc::v5::mqttbytes::v5::Publish {
    match peer.read().await {
        Some(Packet::Publish(publish)) => publish,
        other => panic!("no PUBLISH but {other:?}"),
    }
}

#[tokio::test]
async fn connects_with_the_limits_of_the_options_and_says_goodbye() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let mut peer = soon(broker.accept(Accept::default())).await;
    let properties = peer.connect.properties.clone().unwrap();
    assert!(!peer.connect.clean_start);
    assert_eq!(peer.connect.client_id, "client");
    assert_eq!(properties.session_expiry_interval, Some(3600));
    assert_eq!(properties.receive_maximum, Some(100));
    assert_eq!(properties.max_packet_size, Some(16 << 20));
    soon(session.connected(SOON)).await.unwrap();
    let (_, goodbye) = tokio::join!(session.disconnect(SOON), peer.read());
    assert!(goodbye.is_none());
    assert_eq!(session.state(), SessionState::Closed);
    assert_eq!(
        session.publish(Publish::new("a", "x")).await,
        Err(PublishError::Closed)
    );
}

#[tokio::test]
async fn publish_returns_what_the_broker_answered() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let mut peer = soon(broker.accept(Accept::default())).await;
    for (reason, expected) in [
        (PubAckReason::Success, None),
        (PubAckReason::NoMatchingSubscribers, None),
        (PubAckReason::UnspecifiedError, Some((0x80, true))),
        (
            PubAckReason::ImplementationSpecificError,
            Some((0x83, true)),
        ),
        (PubAckReason::NotAuthorized, Some((0x87, false))),
        (PubAckReason::TopicNameInvalid, Some((0x90, false))),
        (PubAckReason::PacketIdentifierInUse, Some((0x91, true))),
        (PubAckReason::QuotaExceeded, Some((0x97, true))),
        (PubAckReason::PayloadFormatInvalid, Some((0x99, false))),
    ] {
        let answer = async {
            let publish = published(&mut peer).await;
            peer.puback(publish.pkid, reason).await;
        };
        let (result, ()) =
            soon(async { tokio::join!(session.publish(Publish::new("a", "x")), answer) }).await;
        match expected {
            None => assert_eq!(result, Ok(())),
            Some((code, transient)) => {
                let error = result.unwrap_err();
                assert!(
                    matches!(error, PublishError::Refused { code: found, .. } if found == code),
                    "{error:?}"
                );
                assert_eq!(error.is_transient(), transient);
            }
        }
    }
}

#[tokio::test]
async fn sends_again_and_subscribes_again_when_the_broker_lost_the_session() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let mut peer = soon(broker.accept(Accept::default())).await;
    let subscribing = async {
        soon(session.subscribe("in/#", Qos::AtLeastOnce))
            .await
            .unwrap()
    };
    let (mut subscription, _) = tokio::join!(subscribing, peer.suback());
    let publishing = {
        let session = session.clone();
        tokio::spawn(async move { session.publish(Publish::new("out", "1")).await })
    };
    assert!(!published(&mut peer).await.dup);
    drop(peer);

    let mut peer = soon(broker.accept(Accept {
        session_present: false,
        ..Accept::default()
    }))
    .await;
    assert!(!peer.connect.clean_start);
    assert_eq!(peer.suback().await, "in/#");
    let again = published(&mut peer).await;
    assert!(!again.dup, "to a new session it is a new message");
    drop(peer);

    let mut peer = soon(broker.accept(Accept {
        session_present: true,
        ..Accept::default()
    }))
    .await;
    let again = published(&mut peer).await;
    assert!(again.dup, "to a session that goes on it is a repetition");
    peer.puback(again.pkid, PubAckReason::Success).await;
    assert_eq!(soon(publishing).await.unwrap(), Ok(()));
    peer.publish("in/x", "back", 1).await;
    assert_eq!(soon(subscription.next()).await.unwrap().payload, "back");
}

#[tokio::test]
async fn acknowledges_in_the_order_of_arrival_and_only_on_the_same_connection() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let mut peer = soon(broker.accept(Accept::default())).await;
    let subscribing = async {
        soon(session.subscribe("in", Qos::AtLeastOnce))
            .await
            .unwrap()
    };
    let (mut subscription, _) = tokio::join!(subscribing, peer.suback());
    for packet_id in [11, 12, 13] {
        peer.publish("in", "x", packet_id).await;
    }
    // Nobody wants this one; it waits for its turn all the same.
    peer.publish("elsewhere", "x", 14).await;
    let mut messages: Vec<Message> = soon(subscription.by_ref().take(3).collect()).await;
    let third = messages.pop().unwrap();
    drop(messages.pop());
    drop(messages.pop());
    assert_eq!(peer.acked().await, 11);
    assert_eq!(peer.acked().await, 12);
    drop(peer);

    let mut peer = soon(broker.accept(Accept {
        session_present: true,
        ..Accept::default()
    }))
    .await;
    drop(third);
    peer.publish("in", "x", 21).await;
    drop(soon(subscription.next()).await);
    assert_eq!(
        peer.acked().await,
        21,
        "13 and 14 were of the connection before"
    );
}

#[tokio::test]
async fn keeps_within_the_receive_maximum_of_the_broker() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let mut peer = soon(broker.accept(Accept {
        receive_maximum: Some(2),
        ..Accept::default()
    }))
    .await;
    let publishing: Vec<_> = (0..5)
        .map(|index| {
            let session = session.clone();
            tokio::spawn(async move { session.publish(Publish::new("a", index.to_string())).await })
        })
        .collect();
    let first = published(&mut peer).await;
    let second = published(&mut peer).await;
    assert!(
        timeout(Duration::from_millis(100), peer.read())
            .await
            .is_err(),
        "two are on their way"
    );
    // Out of order, as brokers may.
    peer.puback(second.pkid, PubAckReason::Success).await;
    let third = published(&mut peer).await;
    assert_ne!(third.pkid, first.pkid);
    peer.puback(first.pkid, PubAckReason::Success).await;
    peer.puback(third.pkid, PubAckReason::Success).await;
    for _ in 0..2 {
        let publish = published(&mut peer).await;
        peer.puback(publish.pkid, PubAckReason::Success).await;
    }
    for task in publishing {
        assert_eq!(soon(task).await.unwrap(), Ok(()));
    }
}

#[tokio::test]
async fn refuses_a_message_the_broker_does_not_take_before_it_is_sent() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let early = {
        let session = session.clone();
        tokio::spawn(async move { session.publish(Publish::new("a", vec![0; 2000])).await })
    };
    let mut peer = soon(broker.accept(Accept {
        max_packet_size: Some(1000),
        ..Accept::default()
    }))
    .await;
    assert!(matches!(
        soon(early).await.unwrap(),
        Err(PublishError::TooLarge { limit: 1000, .. })
    ));
    let result = soon(session.publish(Publish::new("a", vec![0; 2000]))).await;
    assert!(
        matches!(result, Err(PublishError::TooLarge { limit: 1000, .. })),
        "{result:?}"
    );
    let answer = async {
        let publish = published(&mut peer).await;
        peer.puback(publish.pkid, PubAckReason::Success).await;
    };
    let (result, ()) =
        soon(async { tokio::join!(session.publish(Publish::new("a", vec![0; 900])), answer) })
            .await;
    assert_eq!(result, Ok(()));
}

#[tokio::test]
async fn gives_a_message_up_that_breaks_every_connection() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let publishing =
        tokio::spawn(async move { session.publish(Publish::new("a", "poison")).await });
    for _ in 0..3 {
        let mut peer = soon(broker.accept(Accept {
            session_present: true,
            ..Accept::default()
        }))
        .await;
        published(&mut peer).await;
    }
    assert_eq!(
        soon(publishing).await.unwrap(),
        Err(PublishError::ConnectionLost { times: 3 })
    );
}

#[tokio::test]
async fn says_why_there_is_no_connection() {
    let broker = Broker::bind().await;
    let options = MqttOptions {
        publish_timeout: Duration::from_millis(500),
        ..options(broker.port)
    };
    let options = MqttOptions {
        username: Some("user".into()),
        password: Some("s3cret".into()),
        ..options
    };
    assert!(!format!("{options:?}").contains("s3cret"));
    let session = MqttSession::connect(options).await.unwrap();
    let mut states = session.states();
    broker.refuse_login().await;
    let error = loop {
        if let SessionState::Disconnected { error, .. } = soon(states.next()).await.unwrap() {
            break error;
        }
    };
    assert!(
        error.contains("user name or password") && !error.contains("s3cret"),
        "{error}"
    );
    let error = session.publish(Publish::new("a", "x")).await.unwrap_err();
    assert!(
        matches!(
            &error,
            PublishError::Timeout {
                disconnected: Some(_),
                ..
            }
        ) && error.is_transient(),
        "{error:?}"
    );
}

#[tokio::test]
async fn refuses_options_that_cannot_work() {
    for address in ["http://host", "mqtt://user:secret@host", "mqtt:///path"] {
        let result =
            MqttSession::connect(MqttOptions::new(Url::parse(address).unwrap(), "client")).await;
        let error = result.unwrap_err();
        assert!(
            matches!(error, Error::Invalid { .. }) && !error.to_string().contains("secret"),
            "{address}: {error}"
        );
    }
    for client_id in ["", "a/b", "a+"] {
        assert!(
            MqttSession::connect(MqttOptions::new(url(1), client_id))
                .await
                .is_err(),
            "{client_id:?}"
        );
    }
}

/// Starts an embedded `rumqttd` on a port that was free a moment ago.
fn rumqttd() -> u16 {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let config = serde_json::json!({
        "id": 0,
        "router": {
            "id": 0, "max_connections": 100, "max_outgoing_packet_count": 200,
            "max_segment_size": 104_857_600, "max_segment_count": 10
        },
        "v5": {"1": {
            "name": "v5-1", "listen": format!("127.0.0.1:{port}"), "next_connection_delay_ms": 1,
            "connections": {
                "connection_timeout_ms": 60_000, "max_payload_size": 20_000_000, "max_inflight_count": 100,
                "dynamic_filters": true, "auth": {"conn": "s3cret"}
            }
        }}
    });
    let config = serde_json::from_value(config).unwrap();
    std::thread::spawn(move || rumqttd::Broker::new(config).start().expect("rumqttd runs"));
    port
}

#[tokio::test]
async fn carries_a_large_message_with_all_properties_through_rumqttd() {
    let options = MqttOptions {
        username: Some("conn".into()),
        password: Some("s3cret".into()),
        ..options(rumqttd())
    };
    let session = MqttSession::connect(options).await.unwrap();
    session.connected(SOON).await.unwrap();
    let mut subscription = soon(session.subscribe("data/+/snap", Qos::AtLeastOnce))
        .await
        .unwrap();
    let properties = Properties {
        content_type: Some("image/jpeg".into()),
        payload_format_utf8: Some(false),
        message_expiry: Some(Duration::from_secs(60)),
        response_topic: Some("clients/client/r".into()),
        correlation_data: Some("0123456789abcdef".into()),
        user: vec![
            ("a".into(), "1".into()),
            ("b".into(), "2".into()),
            ("a".into(), "3".into()),
        ],
    };
    let picture = vec![0xd8; 300 << 10];
    let publish = Publish {
        properties: properties.clone(),
        ..Publish::new("data/cam1/snap", picture.clone())
    };
    soon(session.publish(publish)).await.unwrap();
    let message = soon(subscription.next()).await.unwrap();
    assert_eq!(message.payload, picture);
    assert_eq!(message.properties.user, properties.user);
    assert_eq!(message.properties.content_type, properties.content_type);
    assert_eq!(message.properties.response_topic, properties.response_topic);
    assert_eq!(
        message.properties.correlation_data,
        properties.correlation_data
    );
    // The acknowledgements of the others come after this one.
    drop(message);
    for index in 0..300 {
        soon(session.publish(Publish::new("data/cam1/snap", index.to_string())))
            .await
            .unwrap();
        assert_eq!(
            soon(subscription.next()).await.unwrap().payload,
            index.to_string()
        );
    }
}

#[tokio::test]
async fn says_that_the_login_may_be_wrong_when_rumqttd_hangs_up() {
    let options = MqttOptions {
        username: Some("conn".into()),
        password: Some("wrong".into()),
        ..options(rumqttd())
    };
    let session = MqttSession::connect(options).await.unwrap();
    let mut states = session.states();
    loop {
        match soon(states.next()).await.unwrap() {
            SessionState::Disconnected { error, .. } if error.contains("user name or password") => {
                break;
            }
            SessionState::Connected => panic!("connected with a wrong password"),
            _ => {}
        }
    }
}
