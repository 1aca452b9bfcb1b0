//! Telemetry as Azure IoT Operations expects it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aio_registry::model::{Asset, Device};
use aio_registry::{
    CloudEvent, CloudEventSource, ElementKind, Error, MemoryBroker, Mqtt, Publish, Qos,
    ReceivedTelemetry, Telemetry, TelemetrySender,
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
async fn reads_telemetry_of_others_and_refuses_what_it_cannot() {
    let client = MemoryBroker::new().client("c");
    let mut messages = client.subscribe("#", Qos::AtMostOnce).await.unwrap();
    let table: [(&[(&str, &str)], bool); 5] = [
        (&[], true),
        (&[("__protVer", "1.3")], true),
        (&[("__protVer", "2.0")], false),
        (&[("__ts", "yesterday")], false),
        (
            &[
                ("specversion", "1.0"),
                ("id", "1"),
                ("source", "s"),
                ("type", "t"),
                ("time", "noon"),
            ],
            false,
        ),
    ];
    for (user, good) in table {
        let mut publish = Publish::new("t", "x");
        publish.properties.user = user
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        client.publish(publish).await.unwrap();
        let parsed = ReceivedTelemetry::parse(messages.next().await.unwrap());
        match parsed {
            Ok(_) => assert!(good, "{user:?}"),
            Err(error) => assert!(
                !good && matches!(error, Error::Protocol { .. }),
                "{user:?}: {error}"
            ),
        }
    }
}
