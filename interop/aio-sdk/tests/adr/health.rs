//! Health that Microsoft's client reports by telemetry, which nobody answers.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aio_registry::MemoryRegistry;
use aio_registry::model::{self, OtherFields};
use azure_iot_operations_services::azure_device_registry::models::{
    DatasetRuntimeHealthEvent, EventRuntimeHealthEvent, ManagementActionRuntimeHealthEvent,
    StreamRuntimeHealthEvent,
};
use azure_iot_operations_services::azure_device_registry::{HealthStatus, RuntimeHealth};
use tokio::time::timeout;

use crate::world::{SOON, World, in_memory, world};

fn health(seconds: i64) -> RuntimeHealth {
    RuntimeHealth {
        last_update_time: chrono::DateTime::from_timestamp(1_795_251_709 + seconds, 0).unwrap(),
        message: Some("no answer".into()),
        reason_code: Some("NoAnswer".into()),
        status: HealthStatus::Unavailable,
        version: 7,
    }
}

fn held(seconds: u64) -> model::RuntimeHealth {
    model::RuntimeHealth {
        version: 7,
        status: model::HealthStatus::Unavailable,
        last_update_time: UNIX_EPOCH + Duration::from_secs(1_795_251_709 + seconds),
        message: Some("no answer".into()),
        reason_code: Some("NoAnswer".into()),
        other: OtherFields::default(),
    }
}

async fn until(store: &MemoryRegistry, reached: impl Fn(&MemoryRegistry) -> bool) {
    let look = async {
        while !reached(store) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, look).await.expect("a report in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_of_every_kind_that_microsofts_client_reports_is_held() {
    let store = in_memory();
    let Some(World { theirs, .. }) = &world(Arc::new(store.clone())).await else {
        return;
    };
    let at = || ("cam1".to_owned(), "onvif_0".to_owned());
    let asset = || "asset-1".to_owned();
    let (device, endpoint) = at();
    let sent =
        theirs.report_device_endpoint_runtime_health_event(device, endpoint, health(0), SOON);
    sent.await.unwrap();
    until(&store, |store| !store.device_health("cam1").is_empty()).await;
    assert_eq!(store.device_health("cam1")["onvif_0"], held(0));

    let (device, endpoint) = at();
    let datasets = vec![DatasetRuntimeHealthEvent {
        dataset_name: "state".into(),
        runtime_health: health(1),
    }];
    let sent =
        theirs.report_dataset_runtime_health_events(device, endpoint, asset(), datasets, SOON);
    sent.await.unwrap();
    let (device, endpoint) = at();
    let event = |name: &str, seconds| EventRuntimeHealthEvent {
        event_group_name: "rules".into(),
        event_name: name.into(),
        runtime_health: health(seconds),
    };
    let events = vec![event("motion", 2), event("tamper", 3)];
    let sent = theirs.report_event_runtime_health_events(device, endpoint, asset(), events, SOON);
    sent.await.unwrap();
    let (device, endpoint) = at();
    let streams = vec![StreamRuntimeHealthEvent {
        stream_name: "snap".into(),
        runtime_health: health(4),
    }];
    let sent = theirs.report_stream_runtime_health_events(device, endpoint, asset(), streams, SOON);
    sent.await.unwrap();
    let (device, endpoint) = at();
    let actions = vec![ManagementActionRuntimeHealthEvent {
        management_group_name: "PTZ".into(),
        management_action_name: "Stop".into(),
        runtime_health: health(5),
    }];
    let sent = theirs.report_management_action_runtime_health_events(
        device,
        endpoint,
        asset(),
        actions,
        SOON,
    );
    sent.await.unwrap();
    until(&store, |store| store.asset_health("asset-1").len() == 5).await;
    let expected = [
        ("actions/PTZ/Stop", held(5)),
        ("datasets/state", held(1)),
        ("events/rules/motion", held(2)),
        ("events/rules/tamper", held(3)),
        ("streams/snap", held(4)),
    ];
    let expected = expected.map(|(part, health)| (part.to_owned(), health));
    assert_eq!(store.asset_health("asset-1"), expected.into());
}
