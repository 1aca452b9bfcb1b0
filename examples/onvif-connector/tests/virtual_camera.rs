//! The connector for ONVIF between the virtual camera, a registry folder and a broker in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aio_registry::model::{
    Asset, Authentication, Destination, Device, DeviceEndpoints, DeviceRef, Event, EventGroup,
    InboundEndpoint,
};
use aio_registry::mrpc::{Invoker, InvokerOptions, Status};
use aio_registry::{FileOptions, FileRegistry, MemoryBroker, Mqtt, Qos, Secret, Subscription};
use connector_sdk::{Runtime, RuntimeOptions};
use futures::StreamExt;
use onvif_connector::OnvifConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use virtual_camera::VirtualCamera;

const LIMIT: Duration = Duration::from_secs(30);

struct Bench {
    camera: VirtualCamera,
    registry: FileRegistry,
    broker: MemoryBroker,
    stop: oneshot::Sender<()>,
    runtime: JoinHandle<()>,
    _folder: TempDir,
}

impl Bench {
    async fn start(password: &str) -> Self {
        let camera = VirtualCamera::builder()
            .credentials("admin", "p@ss:w#?%0X")
            .start()
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let registry = FileRegistry::open(folder.path(), FileOptions::default())
            .await
            .unwrap();
        registry
            .put_secret("gate/username", &Secret::new("admin"))
            .await
            .unwrap();
        registry
            .put_secret("gate/password", &Secret::new(password))
            .await
            .unwrap();
        registry.put_device("gate", &device(&camera)).await.unwrap();
        let broker = MemoryBroker::new();
        let runtime = Runtime::new(
            OnvifConnector::new(),
            Arc::new(registry.clone()),
            Arc::new(broker.client("onvif-connector")),
            RuntimeOptions::default(),
        );
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::spawn(runtime.run_until(async {
            let _ = stopped.await;
        }));
        Self {
            camera,
            registry,
            broker,
            stop,
            runtime,
            _folder: folder,
        }
    }

    async fn subscribe(&self, topic: &str) -> Subscription {
        self.broker
            .client("reader")
            .subscribe(topic, Qos::AtLeastOnce)
            .await
            .unwrap()
    }

    /// Asks again until there is an answer: a folder tells nobody when it changes.
    async fn until<T>(&self, mut ask: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let asking = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            loop {
                if let Some(answer) = ask(self).await {
                    return answer;
                }
                ticks.tick().await;
            }
        };
        timeout(LIMIT, asking).await.unwrap()
    }

    /// Sends a command as the PTZ demo does.
    async fn command(&self, name: &str, body: Value) -> Result<Value, aio_registry::Error> {
        let client = Arc::new(self.broker.client("operator"));
        let topics = InvokerOptions {
            // A request that comes before the connector has subscribed is lost.
            timeout: Duration::from_secs(2),
            ..InvokerOptions::new("azure-iot-operations/mrpc/gate-onvif/{command}")
        };
        let invoker = Invoker::start(client, topics).await.unwrap();
        let topic = format!("azure-iot-operations/mrpc/gate-onvif/{name}");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let response = invoker.invoke(&topic, body).await?;
        Ok(serde_json::from_slice(&response.payload).unwrap())
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(LIMIT, self.runtime).await.unwrap().unwrap();
        self.camera.stop().await;
    }
}

fn device(camera: &VirtualCamera) -> Device {
    let endpoint = InboundEndpoint {
        address: camera.device_url().to_string(),
        endpoint_type: "Microsoft.Onvif".to_owned(),
        authentication: Some(Authentication::username_password(
            "gate/username",
            "gate/password",
        )),
        ..InboundEndpoint::default()
    };
    Device {
        endpoints: Some(DeviceEndpoints {
            inbound: BTreeMap::from([("onvif".to_owned(), endpoint)]),
            ..DeviceEndpoints::default()
        }),
        ..Device::default()
    }
}

fn asset(events: &[(&str, Option<&str>)]) -> Asset {
    let events = events.iter().map(|(name, source)| Event {
        name: (*name).to_owned(),
        data_source: source.map(str::to_owned),
        destinations: vec![Destination::mqtt(format!("events/{name}"))],
        ..Event::default()
    });
    Asset {
        device_ref: DeviceRef::new("gate", "onvif"),
        event_groups: vec![EventGroup {
            name: "group".to_owned(),
            events: events.collect(),
            ..EventGroup::default()
        }],
        ..Asset::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_camera_offers_is_registered_as_discovered() {
    let bench = Bench::start("p@ss:w#?%0X").await;
    let asset = bench
        .until(async |bench| bench.registry.discovered_asset("gate-onvif").await.unwrap())
        .await;
    let sources: Vec<&str> = asset
        .event_groups
        .iter()
        .flat_map(|group| &group.events)
        .filter_map(|event| event.data_source.as_deref())
        .collect();
    assert!(
        sources.contains(&"tns1:VideoSource/MotionAlarm"),
        "{sources:?}"
    );
    assert!(
        sources.contains(&"tns1:RuleEngine/CellMotionDetector/Motion"),
        "{sources:?}"
    );
    let groups: Vec<&str> = asset
        .management_groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(groups, ["Device", "Media", "PTZ"]);
    assert!(asset.manufacturer.is_some() && asset.serial_number.is_some());

    let device = bench
        .until(async |bench| {
            bench
                .registry
                .discovered_device("gate-media")
                .await
                .unwrap()
        })
        .await;
    let inbound = device.endpoints.unwrap().inbound;
    assert_eq!(
        inbound["profile-main"].address,
        bench.camera.stream_url(0).to_string()
    );
    assert_eq!(inbound["profile-main"].endpoint_type, "Microsoft.Media");
    assert_eq!(device.attributes["profile-main.codec"], "H264");
    assert_eq!(device.attributes["profile-main.width"], "1280");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn motion_is_published_with_the_contracts_properties() {
    let bench = Bench::start("p@ss:w#?%0X").await;
    let mut motion = bench.subscribe("events/motion").await;
    let mut everything = bench.subscribe("events/everything").await;
    let wanted = asset(&[
        ("motion", Some("tns1:VideoSource/MotionAlarm")),
        ("everything", None),
    ]);
    bench
        .registry
        .put_asset("gate-events", &wanted)
        .await
        .unwrap();

    let first = timeout(LIMIT, motion.next()).await.unwrap().unwrap();
    let first: Value = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(first["Operation"], "Initialized", "the state at the start");
    assert_eq!(first["Data"]["State"], false);

    bench.camera.set_motion(true);
    let changed = timeout(LIMIT, motion.next()).await.unwrap().unwrap();
    assert_eq!(
        changed.properties.content_type.as_deref(),
        Some("application/json")
    );
    assert_eq!(changed.properties.user("type"), Some("Event"));
    assert_eq!(
        changed.properties.user("subject"),
        Some("gate-events/group/motion")
    );
    assert_eq!(
        changed.properties.user("source"),
        Some("ms-aio:gate/tns1:VideoSource/MotionAlarm")
    );
    let changed: Value = serde_json::from_slice(&changed.payload).unwrap();
    assert_eq!(changed["Topic"], "tns1:VideoSource/MotionAlarm");
    assert_eq!(changed["Operation"], "Changed");
    assert_eq!(
        changed["Data"],
        json!({ "State": true }),
        "typed as the camera describes it"
    );
    assert!(changed["UtcTime"].as_str().unwrap().ends_with('Z'));
    assert!(
        changed["Source"]
            .as_object()
            .is_some_and(|source| !source.is_empty())
    );

    // The one without a data source gets all topics.
    let mut topics = Vec::new();
    while !topics.contains(&"tns1:RuleEngine/CellMotionDetector/Motion".to_owned()) {
        let event = timeout(LIMIT, everything.next()).await.unwrap().unwrap();
        let event: Value = serde_json::from_slice(&event.payload).unwrap();
        topics.push(event["Topic"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        bench.camera.observed().subscriptions,
        1,
        "one pull point for all events"
    );
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ptz_demos_commands_move_the_camera() {
    let bench = Bench::start("p@ss:w#?%0X").await;
    bench
        .registry
        .put_asset("gate-onvif", &asset(&[]))
        .await
        .unwrap();
    let profiles = bench
        .until(async |bench| bench.command("GetProfiles", Value::Null).await.ok())
        .await;
    let main = &profiles["Result"]["Profiles"][0];
    assert_eq!(main["token"], "main");
    assert_eq!(
        main["VideoEncoderConfiguration"]["Resolution"],
        json!({ "Width": 1280, "Height": 720 })
    );
    assert!(main["PTZConfiguration"]["token"].is_string(), "{main}");

    let before = bench.camera.ptz_position();
    let translation =
        json!({ "ProfileToken": "main", "Translation": { "PanTilt": { "x": 0.25, "y": -0.125 } } });
    let moved = bench
        .command("RelativeMove", json!({ "RelativeMove": translation }))
        .await
        .unwrap();
    assert_eq!(moved, json!({ "Result": {} }));
    let status = bench
        .until(async |bench| {
            let status = bench
                .command(
                    "GetStatus",
                    json!({ "GetStatus": { "ProfileToken": "main" } }),
                )
                .await
                .unwrap();
            (status["Result"]["PTZStatus"]["MoveStatus"]["PanTilt"] == "IDLE").then_some(status)
        })
        .await;
    let pan_tilt = &status["Result"]["PTZStatus"]["Position"]["PanTilt"];
    assert!(
        (pan_tilt["x"].as_f64().unwrap() - before.pan - 0.25).abs() < 0.01,
        "{status}"
    );
    assert!(
        (pan_tilt["y"].as_f64().unwrap() - before.tilt + 0.125).abs() < 0.01,
        "{status}"
    );

    let turn = json!({ "ProfileToken": "main", "Velocity": { "PanTilt": { "x": -0.05, "y": 0.0 } }, "Timeout": "PT30S" });
    assert_eq!(
        bench.command("ContinuousMove", turn).await.unwrap(),
        json!({ "Result": {} })
    );
    assert!(bench.camera.is_moving());
    let stopped = bench
        .command(
            "Stop",
            json!({ "Stop": { "ProfileToken": "main", "PanTilt": true, "Zoom": true } }),
        )
        .await;
    assert_eq!(stopped.unwrap(), json!({ "Result": {} }));
    assert!(!bench.camera.is_moving());

    let malformed = bench
        .command(
            "RelativeMove",
            json!({ "RelativeMove": { "ProfileToken": 7 } }),
        )
        .await
        .unwrap_err();
    assert!(
        matches!(
            &malformed,
            aio_registry::Error::Remote {
                status: Status::BadRequest,
                ..
            }
        ),
        "{malformed:?}"
    );
    let refused = bench
        .command("GetStatus", json!({ "ProfileToken": "nobody" }))
        .await
        .unwrap();
    assert!(refused["Error"]["Message"].is_string(), "{refused}");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_moves_is_stopped_when_the_connector_stops() {
    let bench = Bench::start("p@ss:w#?%0X").await;
    bench
        .registry
        .put_asset("gate-onvif", &asset(&[("all", None)]))
        .await
        .unwrap();
    let turn = json!({ "ProfileToken": "main", "Velocity": { "PanTilt": { "x": 0.01, "y": 0.0 } }, "Timeout": "PT60S" });
    bench
        .until(async |bench| bench.command("ContinuousMove", turn.clone()).await.ok())
        .await;
    bench
        .until(async |bench| (bench.camera.observed().subscriptions == 1).then_some(()))
        .await;
    assert!(bench.camera.is_moving());
    let Bench {
        camera,
        runtime,
        stop,
        ..
    } = bench;
    stop.send(()).unwrap();
    timeout(LIMIT, runtime).await.unwrap().unwrap();
    assert!(!camera.is_moving());
    camera.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_one_clear_error_and_no_storm() {
    let bench = Bench::start("wrong").await;
    let error = bench
        .until(async |bench| {
            let mut endpoints = bench
                .registry
                .device_status("gate")
                .await
                .unwrap()?
                .endpoints?;
            endpoints.inbound.remove("onvif")?.error
        })
        .await;
    assert_eq!(error.code.as_deref(), Some("Unauthorized"), "{error:?}");
    assert!(
        !error.message.unwrap().contains("wrong"),
        "no secret in a status"
    );
    let observed = bench.camera.observed();
    assert!(observed.authentication_failures <= 2, "{observed:?}");
    bench.stop().await;
}
