//! The runtime against a registry and a broker in memory, on a paused clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "runtime/support.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aio_registry::model::Component;
use aio_registry::mrpc::{Invoker, InvokerOptions, Status};
use aio_registry::{Mqtt, Qos};
use connector_sdk::Error;
use futures::StreamExt;
use support::{Bench, Script, actions, asset, dataset, streams};
use tokio::time::{Instant, timeout};

const SOON: Duration = Duration::from_secs(60);

fn stream(name: &str) -> Component {
    Component::Stream {
        name: name.to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_stream_produces_reaches_its_topic_with_the_contracts_properties() {
    let bench = Bench::start(vec![]);
    let reader = bench.broker.client("reader");
    let mut messages = reader.subscribe("out/#", Qos::AtLeastOnce).await.unwrap();
    bench.want(vec![asset("cam", streams(&[("snap", "{}")]))]);

    let message = timeout(SOON, messages.next()).await.unwrap().unwrap();
    assert_eq!(message.topic, "out/snap");
    assert_eq!(message.payload, "snap");
    assert_eq!(
        message.properties.content_type.as_deref(),
        Some("text/plain")
    );
    assert_eq!(message.properties.user("subject"), Some("cam/snap"));
    assert_eq!(message.properties.user("source"), Some("ms-aio:device"));
    assert_eq!(message.properties.user("type"), Some("Stream"));
    assert_eq!(
        message.properties.message_expiry,
        Some(Duration::from_secs(10))
    );

    let reports = bench
        .until(|reports| reports.is_available(&stream("snap")))
        .await;
    assert!(reports.endpoint_ok("device", "endpoint"));
    assert_eq!(reports.stream_error("cam", "snap"), None);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_element_without_a_destination_goes_to_the_default_topic() {
    let bench = Bench::start(vec![]);
    let reader = bench.broker.client("reader");
    let mut messages = reader.subscribe("#", Qos::AtLeastOnce).await.unwrap();
    bench.want(vec![asset("cam", dataset("weather"))]);
    let message = timeout(SOON, messages.next()).await.unwrap().unwrap();
    assert_eq!(message.topic, "azure-iot-operations/data/cam/weather");
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_configuration_gets_a_status_and_its_neighbours_run_on() {
    let bench = Bench::start(vec![asset(
        "cam",
        streams(&[
            ("bad", r#"{"everySeconds":"often"}"#),
            ("good", "{}"),
            ("panics", r#"{"panic":true}"#),
        ]),
    )]);
    let reports = bench
        .until(|reports| {
            reports.stream_error("cam", "bad").is_some()
                && reports.stream_error("cam", "panics").is_some()
                && reports.is_available(&stream("good"))
        })
        .await;
    let bad = reports.stream_error("cam", "bad").unwrap();
    assert!(
        bad.starts_with("streamConfiguration.everySeconds: invalid type"),
        "{bad}"
    );
    let panics = reports.stream_error("cam", "panics").unwrap();
    assert!(panics.contains("panicked: as it was told"), "{panics}");
    assert_eq!(reports.stream_error("cam", "good"), None);
    assert_eq!(
        bench.script.starts.lock().unwrap()["bad"],
        1,
        "not tried again"
    );
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_devices_of_a_type_do_not_have_gets_a_status_that_says_so() {
    let bench = Bench::start(vec![asset(
        "cam",
        aio_registry::model::Asset {
            event_groups: vec![aio_registry::model::EventGroup {
                name: "group".to_owned(),
                events: vec![aio_registry::model::Event {
                    name: "motion".to_owned(),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        },
    )]);
    let reports = bench
        .until(|reports| {
            reports
                .assets
                .get("cam")
                .is_some_and(|status| status.event_groups[0].events[0].error.is_some())
        })
        .await;
    let error = reports.assets["cam"].event_groups[0].events[0]
        .error
        .clone()
        .unwrap();
    assert_eq!(error.code.as_deref(), Some("Unsupported"));
    assert_eq!(
        error.message.as_deref(),
        Some("motion is not served: devices of this type have no events")
    );
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_stream_starts_anew_and_its_neighbour_does_not() {
    let bench = Bench::start(vec![asset("cam", streams(&[("a", "{}"), ("b", "{}")]))]);
    bench
        .until(|reports| reports.is_available(&stream("a")) && reports.is_available(&stream("b")))
        .await;
    bench.want(vec![asset(
        "cam",
        streams(&[("a", r#"{"everySeconds":7}"#), ("b", "{}"), ("c", "{}")]),
    )]);
    bench
        .until(|reports| reports.is_available(&stream("c")))
        .await;
    let starts = bench.script.starts.lock().unwrap().clone();
    assert_eq!((starts["a"], starts["b"], starts["c"]), (2, 1, 1));
    assert_eq!(bench.script.connects.load(Ordering::Relaxed), 1);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_did_not_change_is_not_reported_again() {
    let cam = || asset("cam", streams(&[("a", "{}")]));
    let bench = Bench::start(vec![cam()]);
    let before = bench
        .until(|reports| reports.is_available(&stream("a")))
        .await;
    bench.want(vec![cam(), asset("other", streams(&[("b", "{}")]))]);
    let after = bench
        .until(|reports| reports.is_available(&stream("b")))
        .await;
    assert_eq!(after.asset_reports["cam"], before.asset_reports["cam"]);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_absent_device_is_tried_again_until_it_is_there() {
    let script = Arc::new(Script::default());
    *script.connect.lock().unwrap() =
        Some(|| Error::unavailable("nothing listens at test://device"));
    let bench = Bench::start_with(Arc::clone(&script), vec![]);
    let reports = bench
        .until(|reports| reports.endpoint_error("device", "endpoint").is_some())
        .await;
    assert_eq!(
        reports.endpoint_error("device", "endpoint").unwrap(),
        "nothing listens at test://device"
    );
    *script.connect.lock().unwrap() = None;
    bench
        .until(|reports| reports.endpoint_ok("device", "endpoint"))
        .await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_not_tried_again_for_minutes() {
    let script = Arc::new(Script::default());
    *script.connect.lock().unwrap() =
        Some(|| Error::unauthorized("the camera refused the credentials"));
    let bench = Bench::start_with(Arc::clone(&script), vec![]);
    bench
        .until(|reports| reports.endpoint_error("device", "endpoint").is_some())
        .await;
    let refused = Instant::now();
    *script.connect.lock().unwrap() = None;
    bench
        .until(|reports| reports.endpoint_ok("device", "endpoint"))
        .await;
    assert!(
        refused.elapsed() >= Duration::from_secs(300),
        "{:?}",
        refused.elapsed()
    );
    assert_eq!(script.connects.load(Ordering::Relaxed), 2);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_tried_again_at_once_when_the_secret_changes() {
    for error in [
        || Error::unauthorized("refused"),
        || Error::configuration("cam1/password: there is none"),
    ] {
        let script = Arc::new(Script::default());
        *script.connect.lock().unwrap() = Some(error);
        let bench = Bench::start_with(Arc::clone(&script), vec![]);
        bench
            .until(|reports| reports.endpoint_error("device", "endpoint").is_some())
            .await;
        *script.connect.lock().unwrap() = None;
        let changed = Instant::now();
        bench.registry.change_secret();
        bench
            .until(|reports| reports.endpoint_ok("device", "endpoint"))
            .await;
        assert!(changed.elapsed() < Duration::from_secs(1));
        bench.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn assets_say_so_while_their_endpoint_is_not_served() {
    let script = Arc::new(Script::default());
    *script.connect.lock().unwrap() = Some(|| Error::unavailable("no route to the device"));
    let cam = asset("cam", streams(&[("snap", "{}")]));
    let bench = Bench::start_with(Arc::clone(&script), vec![cam]);
    let reports = bench
        .until(|reports| reports.stream_error("cam", "snap").is_some())
        .await;
    assert_eq!(
        reports.stream_error("cam", "snap").unwrap(),
        "the endpoint device/endpoint is not served: no route to the device"
    );
    *script.connect.lock().unwrap() = None;
    bench
        .until(|reports| {
            reports.stream_error("cam", "snap").is_none() && reports.is_available(&stream("snap"))
        })
        .await;
    *script.connect.lock().unwrap() = Some(|| Error::unavailable("no route to the device"));
    *script.check.lock().unwrap() = Some(|| Error::unavailable("no answer"));
    bench
        .until(|reports| {
            reports.stream_error("cam", "snap").is_some() && !reports.is_available(&stream("snap"))
        })
        .await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_changes_while_a_connect_fails_is_tried_as_it_is_now() {
    // The change meets the failure at some number of turns, and then by chance.
    for turns in (0..8).cycle().take(200) {
        let script = Arc::new(Script::default());
        *script.connect.lock().unwrap() = Some(|| Error::configuration("refused"));
        let bench = Bench::start_with(Arc::clone(&script), vec![]);
        let registry = Arc::clone(&bench.registry);
        let fixed = Arc::clone(&script);
        let change = Box::new(move || {
            *fixed.connect.lock().unwrap() = None;
            registry.change_secret();
        });
        *script.during_connect.lock().unwrap() = Some((change, turns));
        bench
            .until(|reports| reports.endpoint_ok("device", "endpoint"))
            .await;
        bench.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_a_device_is_closed_costs_no_more_than_that() {
    let script = Arc::new(Script::default());
    script.close_panics.store(true, Ordering::Relaxed);
    let bench = Bench::start_with(Arc::clone(&script), vec![]);
    bench
        .until(|reports| reports.endpoint_ok("device", "endpoint"))
        .await;
    bench.registry.change_secret();
    timeout(SOON, async {
        while script.connects.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_stops_answering_is_closed_and_connected_anew() {
    let bench = Bench::start(vec![asset("cam", streams(&[("a", "{}")]))]);
    bench
        .until(|reports| reports.is_available(&stream("a")))
        .await;
    *bench.script.check.lock().unwrap() = Some(|| Error::unavailable("no answer"));
    bench
        .until(|reports| reports.endpoint_error("device", "endpoint").is_some())
        .await;
    *bench.script.check.lock().unwrap() = None;
    bench
        .until(|reports| reports.endpoint_ok("device", "endpoint"))
        .await;
    assert_eq!(bench.script.closes.load(Ordering::Relaxed), 1);
    assert_eq!(bench.script.connects.load(Ordering::Relaxed), 2);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_leaves_the_registry_is_closed() {
    let bench = Bench::start(vec![asset("cam", streams(&[("a", "{}")]))]);
    bench
        .until(|reports| reports.is_available(&stream("a")))
        .await;
    bench.want_nothing();
    let closed = async {
        while bench.script.closes.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, closed).await.unwrap();
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn stopping_the_runtime_closes_its_devices() {
    let bench = Bench::start(vec![asset("cam", streams(&[("a", "{}")]))]);
    bench
        .until(|reports| reports.is_available(&stream("a")))
        .await;
    let script = Arc::clone(&bench.script);
    bench.stop().await;
    assert_eq!(script.closes.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_device_offers_is_reported_as_discovered() {
    let bench = Bench::start(vec![]);
    bench
        .until(|reports| reports.discovered_assets.contains_key("found"))
        .await;
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn both_generations_of_commands_are_answered() {
    let bench = Bench::start(vec![asset(
        "cam",
        actions(&[("Echo", "actions/echo"), ("Fly", "actions/fly")]),
    )]);
    let reports = bench
        .until(|reports| {
            reports.action_error("cam", "Fly").is_some()
                && reports.is_available(&Component::Action {
                    group: "Test".to_owned(),
                    name: "Echo".to_owned(),
                })
        })
        .await;
    assert_eq!(
        reports.action_error("cam", "Fly").unwrap(),
        r#"targetUri: "test://Fly" names no command of this device; it has Echo, Fail, Hang"#
    );

    let client = Arc::new(bench.broker.client("operator"));
    let classic = Invoker::start(
        client.clone(),
        InvokerOptions::new("azure-iot-operations/mrpc/{asset}/{command}"),
    )
    .await
    .unwrap();
    let ask = async |command: &str, payload: &'static str| {
        classic
            .invoke(&format!("azure-iot-operations/mrpc/cam/{command}"), payload)
            .await
    };
    let echo = ask("Echo", r#"{"x":1}"#).await.unwrap();
    assert_eq!(echo.payload, r#"{"Result":{"x":1}}"#);
    let failed = ask("Fail", "{}").await.unwrap();
    assert_eq!(
        failed.payload,
        r#"{"Error":{"Message":"the motor is stuck"}}"#
    );
    let unknown = ask("Fly", "{}").await.unwrap();
    assert_eq!(
        unknown.payload,
        r#"{"Error":{"Message":"there is no command \"Fly\"; this asset answers Echo, Fail, Hang"}}"#
    );
    let malformed = ask("Echo", "{").await.unwrap_err();
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
    assert!(ask("Hang", "{}").await.is_err(), "a deadline ends it");

    let action = Invoker::start(client, InvokerOptions::new("actions/echo"))
        .await
        .unwrap();
    let echo = action.invoke("actions/echo", r#"{"x":2}"#).await.unwrap();
    assert_eq!(
        echo.payload, r#"{"x":2}"#,
        "management actions answer the bare document"
    );
    bench.stop().await;
}
