//! Telemetry between this project and Microsoft's crates, over Mosquitto, in both directions.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aio_registry::{
    CloudEvent, MqttOptions, MqttSession, Telemetry, TelemetryReceiver, TelemetryReceiverOptions,
    TelemetrySender,
};
use aio_sdk::{Broker, Json, session};
use azure_iot_operations_protocol::application::ApplicationContextBuilder;
use azure_iot_operations_protocol::telemetry::{receiver, sender};
use futures::StreamExt;
use tokio::time::timeout;

const PATTERN: &str = "data/{asset}/motion";
const SOON: Duration = Duration::from_secs(60);

async fn ours(broker: &Broker, client_id: &str) -> Arc<MqttSession> {
    let url = format!("mqtt://127.0.0.1:{}", broker.port).parse().unwrap();
    let session = MqttSession::connect(MqttOptions::new(url, client_id))
        .await
        .unwrap();
    session.connected(SOON).await.unwrap();
    Arc::new(session)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_receiver_reads_what_our_sender_sends() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let options = receiver::OptionsBuilder::default()
        .topic_pattern(PATTERN)
        .build()
        .unwrap();
    let context = ApplicationContextBuilder::default().build().unwrap();
    let client = session(broker.port, "receiver");
    let mut theirs = receiver::Receiver::<Json>::new(context, client, options).unwrap();
    let sender = TelemetrySender::new(ours(&broker, "sender").await);
    let mut telemetry = Telemetry::new("data/cam1/motion", "application/json", "{\"moves\":true}");
    telemetry.cloud_event = Some(CloudEvent {
        data_schema: Some("aio-sr://namespace/motion:1".into()),
        time: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_251_709)),
        ..CloudEvent::new("ms-aio:cam1/tns1:RuleEngine/CellMotionDetector/Motion")
    });
    telemetry.user_properties = vec![("mine".into(), "x".into())];
    // It subscribes when it is read from, which is why messages are sent until one arrives.
    let sending = async {
        loop {
            sender.send(telemetry.clone()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let received = tokio::select! {
        received = timeout(SOON, theirs.recv()) => received.unwrap().unwrap().unwrap(),
        () = sending => unreachable!("it sends until something arrives"),
    };
    let (message, _ack) = received;
    assert_eq!(message.payload.0, "{\"moves\":true}");
    assert_eq!(message.sender_id.as_deref(), Some("sender"));
    assert_eq!(message.topic_tokens["asset"], "cam1");
    assert!(message.timestamp.is_some());
    let event = receiver::cloud_event_from_telemetry(&message).unwrap();
    let shown = event.to_string();
    for part in [
        "ms-aio:cam1/tns1:RuleEngine/CellMotionDetector/Motion",
        "ms.aio.telemetry",
        "data/cam1/motion",
        "aio-sr://namespace/motion:1",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let mine = message
        .custom_user_data
        .iter()
        .find(|(name, _)| name == "mine");
    assert_eq!(mine.map(|(_, value)| value.as_str()), Some("x"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_receiver_reads_what_microsofts_sender_sends() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let options = TelemetryReceiverOptions::new(PATTERN);
    let mut receiver = TelemetryReceiver::start(ours(&broker, "receiver").await, options)
        .await
        .unwrap();
    let options = sender::OptionsBuilder::default()
        .topic_pattern("data/cam1/motion")
        .build()
        .unwrap();
    let context = ApplicationContextBuilder::default().build().unwrap();
    let client = session(broker.port, "sender");
    let theirs = sender::Sender::<Json>::new(context, client, options).unwrap();
    let event = sender::CloudEventBuilder::default()
        .source("ms-aio:cam1")
        .event_type("Event")
        .build()
        .unwrap();
    let message = sender::MessageBuilder::default()
        .payload(Json("{\"moves\":true}".into()))
        .unwrap()
        .cloud_event(event)
        .custom_user_data(vec![("mine".into(), "x".into())])
        .build()
        .unwrap();
    timeout(SOON, theirs.send(message)).await.unwrap().unwrap();
    let received = timeout(SOON, receiver.next()).await.unwrap().unwrap();
    assert_eq!(received.message.payload, "{\"moves\":true}");
    assert_eq!(received.tokens["asset"], "cam1");
    assert_eq!(received.sender_id.as_deref(), Some("sender"));
    assert!(received.sent_at.is_some());
    let event = received.cloud_event.as_ref().unwrap();
    assert_eq!(event.source, "ms-aio:cam1");
    assert_eq!(event.event_type, "Event");
    assert_eq!(event.subject.as_deref(), Some("data/cam1/motion"));
    assert!(event.time.is_some());
    let mine = ("mine".to_owned(), "x".to_owned());
    assert!(received.user_properties().contains(&mine));
}
