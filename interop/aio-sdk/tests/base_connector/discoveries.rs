//! What Microsoft's connector discovers.

use serde_json::json;

use crate::specifications::{available, folder, mqtt};
use crate::stage::becomes;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_microsofts_connector_discovers_can_be_imported() {
    let Some((store, _folder, stage)) = folder().await else {
        return;
    };
    let mut connector = stage.discovering_connector();
    for name in ["cam1-media", "cam1-found"] {
        let reply = connector.notified(name, "discovered").await;
        assert_eq!(reply["version"], 1);
        assert!(reply["id"].as_str().is_some_and(|id| !id.is_empty()));
    }
    let found = store.discovered_device("cam1-media").await.unwrap();
    let expected = json!({
        "attributes": {"place": "gate"},
        "endpoints": {"inbound": {"profile-1": {
            "address": "rtsp://10.0.0.5/stream1",
            "endpointType": "Microsoft.Media",
            "additionalConfiguration": "{}",
            "supportedAuthenticationMethods": ["UsernamePassword"],
            "version": "1.0",
        }}},
        "externalDeviceId": "urn:uuid:1",
        "manufacturer": "Contoso",
        "model": "C1",
        "operatingSystem": "Linux",
        "operatingSystemVersion": "6",
    });
    assert_eq!(serde_json::to_value(found.unwrap()).unwrap(), expected);
    let found = store.discovered_asset("cam1-found").await.unwrap();
    let expected = json!({
        "assetTypeRefs": ["camera"],
        "attributes": {"place": "gate"},
        "defaultEventsConfiguration": "{}",
        "description": "found",
        "deviceRef": {"deviceName": "cam1", "endpointName": "onvif_0"},
        "displayName": "Camera 1",
        "eventGroups": [{
            "name": "video-source",
            "dataSource": "tns1:VideoSource",
            "events": [{
                "name": "motion",
                "dataSource": "tns1:VideoSource/MotionAlarm",
                "eventConfiguration": "{}",
                "typeRef": "motion-type",
            }],
        }],
        "hardwareRevision": "2",
        "manufacturer": "Contoso",
        "model": "C1",
        "serialNumber": "0815",
    });
    assert_eq!(serde_json::to_value(found.unwrap()).unwrap(), expected);

    store
        .import_asset("cam1-found", |asset| {
            let topic = mqtt("azure-iot-operations/data/cam1-found/motion");
            asset.default_events_destinations = serde_json::from_value(topic).unwrap();
        })
        .await
        .unwrap();
    let seen = connector.notified("cam1-found", "created").await;
    assert_eq!(seen["displayName"], "Camera 1");
    let event = "cam1-found/events/video-source/motion";
    let seen = connector.notified(event, "created").await;
    assert_eq!(seen["dataSource"], "tns1:VideoSource/MotionAlarm");
    // What is imported gets its first version.
    let health = json!({"events/video-source/motion": available(1)});
    becomes(health, async || {
        store.asset_health("cam1-found").await.unwrap()
    })
    .await;
}
