//! Everything that Microsoft's connector can serve.

use std::time::SystemTime;

use aio_registry::schema_registry::SchemaRegistryClient;
use aio_registry::state_store::{StateStore, StateStoreClient};
use aio_registry::{
    CloudEvent, CloudEventSource, ElementKind, ReceivedTelemetry, TelemetryReceiver,
};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::specifications::{
    asset, available, camera, device, folder, invoke, invoker, mqtt, with,
};
use crate::stage::{SOON, TIME, becomes};

const DATA: &str = "azure-iot-operations/data/{asset}/{element}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_connector_serves_what_a_folder_holds() {
    let Some((store, _folder, stage)) = folder().await else {
        return;
    };
    let snapshots = "azure-iot-operations/data/cam1-all/snapshots";
    let readings = "azure-iot-operations/data/cam1-all/readings";
    let destination = |topic: &str| mqtt(topic)[0].clone();
    let retained = with(
        destination(readings),
        "configuration",
        json!({"topic": readings, "qos": "Qos1", "retain": "Keep"}),
    );
    let whole = asset(json!({
        "deviceRef": {"deviceName": "cam1", "endpointName": "onvif_0"},
        "uuid": "a-1",
        "version": 5,
        "externalAssetId": "gate-camera",
        "displayName": "Camera 1",
        "attributes": {"floor": "1"},
        "manufacturer": "Contoso",
        "datasets": [
            {
                "name": "readings",
                "dataSource": "/sensors",
                "typeRef": "readings-type",
                "datasetConfiguration": "{\"interval\":1}",
                "dataPoints": [{"name": "temperature", "dataSource": "t"}],
                "destinations": [retained],
            },
            {
                "name": "state",
                "destinations": [{"target": "BrokerStateStore", "configuration": {"key": "cam1-state"}}],
            },
        ],
        "eventGroups": [{
            "name": "rules",
            "defaultDestinations": mqtt("azure-iot-operations/data/cam1-all/rules"),
            "events": [{
                "name": "motion",
                "dataSource": "tns1:RuleEngine/CellMotionDetector/Motion",
                "eventConfiguration": "{\"filter\":\"\"}",
                "destinations": mqtt("azure-iot-operations/data/cam1-all/motion"),
            }],
        }],
        "defaultStreamsDestinations": mqtt(snapshots),
        "streams": [{"name": "snap", "streamConfiguration": "{\"taskType\":\"snapshot-to-mqtt\"}"}],
        "managementGroups": [{
            "name": "ptz",
            "actions": [{
                "name": "stop",
                "actionType": "Call",
                "targetUri": "onvif://ptz/Stop",
                "topic": "azure-iot-operations/asset-operations/cam1-all/ptz/stop",
                "timeoutInSeconds": 7,
                "actionConfiguration": "{}",
            }],
        }],
    }));
    store.put_asset("cam1-all", &whole).await.unwrap();
    let mut data = stage.telemetry(DATA).await;
    let mut connector = stage.connector();

    let seen = connector.notified("cam1_onvif_0", "created").await;
    let expected = json!({
        "address": "http://10.0.0.5/onvif/device_service",
        "attributes": {"place": "gate"},
        "credentials": ["admin", "pa55word"],
        "endpointType": "Microsoft.Onvif",
        "configuration": "{\"fallbackToUsernameTokenAuth\":true}",
        "trustList": "cameras",
        "uuid": "d-1",
        "version": 3,
    });
    assert_eq!(seen, expected);
    let seen = connector.notified("cam1-all", "created").await;
    let expected = json!({
        "attributes": {"floor": "1"},
        "displayName": "Camera 1",
        "endpoint": "onvif_0",
        "manufacturer": "Contoso",
        "uuid": "a-1",
        "version": 5,
    });
    assert_eq!(seen, expected);
    for (name, expected) in [
        (
            "cam1-all/datasets/readings",
            json!({"dataSource": "/sensors", "configuration": "{\"interval\":1}", "dataPoints": ["temperature"]}),
        ),
        (
            "cam1-all/datasets/state",
            json!({"dataSource": null, "configuration": null, "dataPoints": []}),
        ),
        (
            "cam1-all/events/rules/motion",
            json!({"dataSource": "tns1:RuleEngine/CellMotionDetector/Motion", "configuration": "{\"filter\":\"\"}"}),
        ),
        (
            "cam1-all/streams/snap",
            json!({"configuration": "{\"taskType\":\"snapshot-to-mqtt\"}"}),
        ),
        (
            "cam1-all/actions/ptz/stop",
            json!({
                "configuration": "{}",
                "targetUri": "onvif://ptz/Stop",
                "timeout": 7,
                "topic": "azure-iot-operations/asset-operations/cam1-all/ptz/stop",
                "type": "Call",
            }),
        ),
    ] {
        assert_eq!(
            connector.notified(name, "created").await,
            expected,
            "{name}"
        );
    }

    let status = json!({
        "config": {"version": 3, "lastTransitionTime": TIME},
        "endpoints": {"inbound": {"onvif_0": {}}},
    });
    becomes(status, async || store.device_status("cam1").await.unwrap()).await;
    let reported = store.device_status("cam1").await.unwrap().unwrap();
    let reported = reported.config.unwrap().last_transition_time.unwrap();
    assert!(SystemTime::now().duration_since(reported).unwrap() < SOON);
    let health = json!({"onvif_0": available(3)});
    becomes(health, async || store.device_health("cam1").await.unwrap()).await;

    // Health is what comes last.
    let health = json!({
        "actions/ptz/stop": available(5),
        "datasets/readings": available(5),
        "datasets/state": available(5),
        "events/rules/motion": available(5),
        "streams/snap": available(5),
    });
    becomes(health, async || {
        store.asset_health("cam1-all").await.unwrap()
    })
    .await;
    let status = store.asset_status("cam1-all").await.unwrap();
    let status = serde_json::to_value(status.unwrap()).unwrap();
    let registry = SchemaRegistryClient::start(stage.session.clone())
        .await
        .unwrap();
    let mut schemas = Vec::new();
    for pointer in [
        "/datasets/0/messageSchemaReference",
        "/eventGroups/0/events/0/messageSchemaReference",
        "/managementGroups/0/actions/0/requestMessageSchemaReference",
        "/managementGroups/0/actions/0/responseMessageSchemaReference",
    ] {
        let reference = status.pointer(pointer).unwrap();
        let name = reference["schemaName"].as_str().unwrap();
        let schema = registry.get(name, "1").await.unwrap().unwrap();
        assert_eq!(
            serde_json::to_value(schema.reference()).unwrap(),
            *reference
        );
        assert_eq!(schema.spec.format.as_str(), "JsonSchema/draft-07");
        let content: Value = serde_json::from_str(&schema.spec.schema_content).unwrap();
        schemas.push((reference.clone(), content));
    }
    let [
        readings_schema,
        motion_schema,
        request_schema,
        response_schema,
    ] = &schemas[..]
    else {
        unreachable!("four were asked for")
    };
    let types = [
        &readings_schema.1["properties"]["temperature"]["type"],
        &motion_schema.1["properties"]["IsMotion"]["type"],
        &request_schema.1["title"],
        &response_schema.1["title"],
    ];
    assert_eq!(types, ["number", "boolean", "request", "response"]);
    let status = json!({
        "config": {"version": 5, "lastTransitionTime": TIME},
        "datasets": [
            {"name": "readings", "messageSchemaReference": readings_schema.0},
            {"name": "state", "messageSchemaReference": readings_schema.0},
        ],
        "eventGroups": [{
            "name": "rules",
            "events": [{"name": "motion", "messageSchemaReference": motion_schema.0}],
        }],
        "managementGroups": [{
            "name": "ptz",
            "actions": [{
                "name": "stop",
                "requestMessageSchemaReference": request_schema.0,
                "responseMessageSchemaReference": response_schema.0,
            }],
        }],
        "streams": [{"name": "snap"}],
    });
    becomes(status, async || {
        store.asset_status("cam1-all").await.unwrap()
    })
    .await;

    // The data has the attributes that this project's connectors give to theirs.
    let camera = device(camera(3));
    for _ in 0..3 {
        let message = received(&mut data).await;
        let (kind, element, data_source, type_ref, payload, schema) =
            match message.tokens["element"].as_str() {
                "readings" => (
                    ElementKind::Dataset,
                    "readings",
                    Some("/sensors"),
                    Some("readings-type"),
                    &b"{\"temperature\":21.5}"[..],
                    Some(&readings_schema.0),
                ),
                "motion" => (
                    ElementKind::Event,
                    "rules/motion",
                    Some("tns1:RuleEngine/CellMotionDetector/Motion"),
                    None,
                    &b"{\"IsMotion\":true}"[..],
                    Some(&motion_schema.0),
                ),
                "snapshots" => (
                    ElementKind::Stream,
                    "snap",
                    None,
                    None,
                    &[0xff, 0xd8, 0xff, 0xd9][..],
                    None,
                ),
                other => panic!("{other} is none of the destinations"),
            };
        assert_eq!(message.message.payload, payload, "{element}");
        assert_eq!(message.sender_id.as_deref(), Some("connector-00"));
        assert!(message.sent_at.is_some());
        let mine = ("mine".to_owned(), "x".to_owned());
        assert!(message.user_properties().contains(&mine));
        let source = CloudEventSource {
            device_name: "cam1",
            device: &camera,
            endpoint_name: "onvif_0",
            asset_name: "cam1-all",
            asset: &whole,
            kind,
            element,
            data_source,
            type_ref,
        };
        let theirs = message.cloud_event.unwrap();
        let time = theirs.time.unwrap();
        assert!(SystemTime::now().duration_since(time).unwrap() < SOON);
        let ours = CloudEvent {
            id: theirs.id.clone(),
            data_schema: schema.map(|schema| {
                let part = |name: &str| schema[name].as_str().unwrap();
                format!(
                    "aio-sr://{}/{}:{}",
                    part("schemaRegistryNamespace"),
                    part("schemaName"),
                    part("schemaVersion")
                )
            }),
            ..CloudEvent::for_connector(&source, time)
        };
        assert_eq!(theirs, ours);
    }
    let mut kept = stage.telemetry(readings).await;
    assert_eq!(
        received(&mut kept).await.message.payload,
        "{\"temperature\":21.5}"
    );
    let state = StateStoreClient::start(stage.session.clone(), SOON)
        .await
        .unwrap();
    let state = state.get(b"cam1-state").await.unwrap().unwrap();
    assert_eq!(state.value, "{\"temperature\":21.5}");

    let invoker = invoker(&stage).await;
    let topic = "azure-iot-operations/asset-operations/cam1-all/ptz/stop";
    let answer = invoke(&invoker, topic, "{\"PanTilt\":true}").await;
    assert_eq!(answer.payload, "{\"PanTilt\":true}");
    assert!(answer.application_error().is_none());
    let answer = invoke(&invoker, topic, "{\"fail\":true}").await;
    assert_eq!(answer.application_error(), Some("Failed"));
    let details = (
        "AppErrPayload".to_owned(),
        "{\"why\":\"asked to\"}".to_owned(),
    );
    assert!(answer.user_properties.contains(&details));
}

async fn received(telemetry: &mut TelemetryReceiver) -> ReceivedTelemetry {
    timeout(SOON, telemetry.next()).await.unwrap().unwrap()
}
