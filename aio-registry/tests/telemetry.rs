//! Telemetry as Azure IoT Operations expects it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aio_registry::model::{Asset, Device};
use aio_registry::{
    Ack, CloudEvent, CloudEventSource, ElementKind, MemoryBroker, Message, Mqtt, Properties,
    Publish, PublishError, Qos, ReceivedTelemetry, Telemetry, TelemetryReceiver,
    TelemetryReceiverOptions, TelemetrySender,
};
use futures::StreamExt;

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_251_709)
}

fn event(device: &Device, asset: &Asset) -> CloudEvent {
    let source = CloudEventSource {
        device_name: "cam1",
        device,
        endpoint_name: "onvif",
        asset_name: "cam-asset",
        asset,
        kind: ElementKind::Event,
        element: "eg/motion",
        data_source: Some("tns1:RuleEngine/CellMotionDetector/Motion"),
        type_ref: None,
    };
    CloudEvent::for_connector(&source, time())
}

#[tokio::test]
async fn sends_the_properties_in_the_order_of_the_contract() {
    let broker = MemoryBroker::new();
    let client = Arc::new(broker.client("connector-0"));
    let mut messages = client.subscribe("data/#", Qos::AtLeastOnce).await.unwrap();
    let device = Device {
        uuid: Some("d-1".into()),
        ..Device::default()
    };
    let asset = Asset {
        uuid: Some("a-1".into()),
        ..Asset::default()
    };
    let mut telemetry = Telemetry::new("data/cam-asset/motion", "application/json", "{}");
    telemetry.cloud_event = Some(CloudEvent {
        data_schema: Some("aio-sr://ns/name:1".into()),
        ..event(&device, &asset)
    });
    telemetry.user_properties = ["mine", "id", "__srcId"]
        .map(|name| (name.to_owned(), "x".to_owned()))
        .into();
    let sent = telemetry.cloud_event.clone();
    TelemetrySender::new(client).send(telemetry).await.unwrap();
    let message = messages.next().await.unwrap();
    let names: Vec<_> = message
        .properties
        .user
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let expected = [
        "aiodeviceref",
        "aioassetref",
        "id",
        "source",
        "specversion",
        "type",
        "subject",
        "time",
        "dataschema",
        "__ts",
        "__protVer",
        "__srcId",
        "mine",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        message.properties.user("time"),
        Some("2026-11-21T09:01:49Z")
    );
    assert_eq!(
        message
            .properties
            .correlation_data
            .as_ref()
            .map(|data| data.len()),
        Some(16)
    );
    assert_eq!(message.properties.payload_format_utf8, None);
    assert_eq!(
        message.properties.message_expiry,
        Some(Duration::from_secs(10))
    );
    let received = ReceivedTelemetry::parse(message).unwrap();
    assert_eq!(received.cloud_event, sent);
    assert_eq!(received.sender_id.as_deref(), Some("connector-0"));
    assert!(received.sent_at.is_some());
}

#[test]
fn names_device_and_asset_as_the_registry_does() {
    let known = event(
        &Device {
            uuid: Some("d-1".into()),
            external_device_id: Some("d-1".into()),
            ..Device::default()
        },
        &Asset {
            uuid: Some("a-1".into()),
            external_asset_id: Some("pump 7".into()),
            ..Asset::default()
        },
    );
    assert_eq!(known.device_ref.as_deref(), Some("ms-aio:d-1/onvif"));
    assert_eq!(known.asset_ref.as_deref(), Some("ms-aio:a-1"));
    assert_eq!(
        known.source,
        "ms-aio:cam1/tns1:RuleEngine/CellMotionDetector/Motion"
    );
    assert_eq!(known.subject.as_deref(), Some("pump 7/eg/motion"));
    assert_eq!(known.event_type, "Event");
    let local = event(
        &Device {
            external_device_id: Some("serial-9".into()),
            ..Device::default()
        },
        &Asset::default(),
    );
    assert_eq!(local.device_ref.as_deref(), Some("ms-aio:onvif"));
    assert_eq!(local.asset_ref, None);
    assert_eq!(
        local.source,
        "ms-aio:serial-9/tns1:RuleEngine/CellMotionDetector/Motion"
    );
}

#[tokio::test]
async fn receives_what_keeps_the_protocol_and_drops_the_rest() {
    let broker = MemoryBroker::new();
    let client = broker.client("c");
    let options = TelemetryReceiverOptions {
        content_types: vec!["application/json".into()],
        ..TelemetryReceiverOptions::new("data/{asset}")
    };
    let mut receiver = TelemetryReceiver::start(Arc::new(client.clone()), options)
        .await
        .unwrap();
    type Headers = &'static [(&'static str, &'static str)];
    let table: [(Option<&str>, Headers, bool); 7] = [
        (None, &[], true),
        (Some("application/json"), &[("__protVer", "1.3")], true),
        (Some("text/plain"), &[], false),
        (None, &[("__protVer", "2.0")], false),
        (None, &[("__ts", "yesterday")], false),
        (None, &[("__ts", "900000000000000:00000:n")], true),
        (None, &[("mine", "x"), ("__srcId", "me")], true),
    ];
    for (index, (content_type, user, _)) in table.iter().enumerate() {
        let mut publish = Publish::new("data/cam1", index.to_string());
        publish.properties.content_type = content_type.map(str::to_owned);
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        publish.properties.user = user.iter().map(owned).collect();
        client.publish(publish).await.unwrap();
    }
    for (index, (_, _, good)) in table.iter().enumerate() {
        if *good {
            let received = receiver.next().await.unwrap();
            assert_eq!(received.message.payload, index.to_string());
            assert_eq!(received.tokens["asset"], "cam1");
            if index == 6 {
                assert_eq!(received.sender_id.as_deref(), Some("me"));
                assert_eq!(received.user_properties(), [("mine".into(), "x".into())]);
            }
        }
    }
    assert_eq!(
        broker.unacknowledged(),
        0,
        "what is dropped is acknowledged"
    );
    receiver.close().await.unwrap();
    client
        .publish(Publish::new("data/cam1", "late"))
        .await
        .unwrap();
    assert!(receiver.next().await.is_none());
}

#[tokio::test]
async fn telemetry_with_an_attribute_that_is_none_is_no_cloud_event() {
    let good = [
        ("specversion", "1.0"),
        ("id", "1"),
        ("source", "s"),
        ("type", "t"),
        ("subject", "x"),
        ("time", "2026-11-21T09:01:49Z"),
        ("dataschema", "a:b"),
    ];
    let parse = |attributes: &[(&str, &str)]| {
        let mut message = Message {
            topic: "t".into(),
            payload: "x".into(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: Properties::default(),
            ack: Ack::none(),
        };
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        message.properties.user = attributes.iter().map(owned).collect();
        ReceivedTelemetry::parse(message).unwrap().cloud_event
    };
    assert!(parse(&good).is_some());
    for (name, bad) in [
        ("specversion", "2.0"),
        ("id", ""),
        ("source", "::::"),
        ("type", ""),
        ("subject", ""),
        ("time", "noon"),
        ("dataschema", "relative"),
    ] {
        let changed = good.map(|(key, value)| (key, if key == name { bad } else { value }));
        assert!(parse(&changed).is_none(), "{name}");
    }
    for required in ["specversion", "id", "source", "type"] {
        let fewer: Vec<_> = good
            .into_iter()
            .filter(|(key, _)| *key != required)
            .collect();
        assert!(parse(&fewer).is_none(), "{required}");
    }
}

#[tokio::test]
async fn refuses_to_send_what_is_no_cloud_event() {
    let sender = TelemetrySender::new(Arc::new(MemoryBroker::new().client("c")));
    type Change = fn(&mut Telemetry, &mut CloudEvent);
    let table: [Change; 6] = [
        |_, event| event.source = "::::".into(),
        |_, event| event.id = String::new(),
        |_, event| event.event_type = String::new(),
        |_, event| event.subject = Some(String::new()),
        |_, event| event.data_schema = Some("relative".into()),
        |telemetry, _| telemetry.content_type = "json".into(),
    ];
    for (index, change) in table.into_iter().enumerate() {
        let mut telemetry = Telemetry::new("t", "application/json", "1");
        let mut event = CloudEvent::new("ms-aio:cam1");
        change(&mut telemetry, &mut event);
        telemetry.cloud_event = Some(event);
        let error = sender.send(telemetry).await.unwrap_err();
        assert!(
            matches!(
                error,
                PublishError::Invalid {
                    what: "cloud_event",
                    ..
                }
            ),
            "{index}: {error}"
        );
    }
}
