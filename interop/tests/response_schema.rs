//! Every reply and every fault of the virtual camera is valid against ONVIF's schemas, by the Python package `xmlschema`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

macro_rules! drivers {
    ($($name:ident $path:literal)*) => {$(
        #[allow(dead_code, reason = "other tests use more of it")]
        #[path = $path]
        mod $name;
    )*};
}
drivers! {
    device_calls "../../examples/tests/conformance/device_calls.rs"
    driving "../../examples/tests/conformance/driving.rs"
    event_calls "../../examples/tests/conformance/event_calls.rs"
    further_calls "request_schema/further_calls.rs"
    media2_calls "../../examples/tests/conformance/media2_calls.rs"
    media_calls "../../examples/tests/conformance/media_calls.rs"
    ptz_calls "../../examples/tests/conformance/ptz_calls.rs"
    recording "../../examples/tests/conformance/recording.rs"
    scene_calls "../../examples/tests/conformance/scene_calls.rs"
    validator "request_schema/validator.rs"
}

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use interop::shared;
use onvif_core::media::OsdConfiguration;
use onvif_core::media::ver10::GetOsd;
use onvif_core::{Camera, Transport};
use recording::{Exchange, Recorder};
use validator::{Validator, operation};
use virtual_camera::VirtualCamera;

const LIMIT: Duration = Duration::from_secs(30);

/// Services as `operations.tsv` calls them, with path and namespace.
const SERVICES: [(&str, &str, &str); 8] = [
    ("device", "device", "http://www.onvif.org/ver10/device/wsdl"),
    ("media", "media", "http://www.onvif.org/ver10/media/wsdl"),
    ("media2", "media2", "http://www.onvif.org/ver20/media/wsdl"),
    ("ptz", "ptz", "http://www.onvif.org/ver20/ptz/wsdl"),
    (
        "imaging",
        "imaging",
        "http://www.onvif.org/ver20/imaging/wsdl",
    ),
    ("events", "event", "http://www.onvif.org/ver10/events/wsdl"),
    (
        "analytics",
        "analytics",
        "http://www.onvif.org/ver20/analytics/wsdl",
    ),
    (
        "deviceio",
        "deviceio",
        "http://www.onvif.org/ver10/deviceIO/wsdl",
    ),
];
/// The DeviceIO service has these with elements of the Device service.
const OF_DEVICE: [&str; 2] = ["GetRelayOutputs", "SetRelayOutputState"];
const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const NOTIFICATION: &str = "http://docs.oasis-open.org/wsn/b-2";

/// Served, but there is no serial port, and the one analytics module is fixed.
const ALWAYS_FAULTS: [&str; 6] = [
    "CreateAnalyticsModules",
    "DeleteAnalyticsModules",
    "GetSerialPortConfiguration",
    "SetSerialPortConfiguration",
    "GetSerialPortConfigurationOptions",
    "SendReceiveSerialCommand",
];

#[tokio::test]
async fn every_reply_of_the_virtual_camera_is_valid_against_the_schemas() {
    let (Some(validator), Some(operations)) =
        (Validator::new(), shared("data/onvif/operations.tsv"))
    else {
        return;
    };
    let operations = fs::read_to_string(operations).unwrap();
    let mut exchanges = driving::drive().await.exchanges;
    exchanges.extend(further_exchanges(&operations).await);
    exchanges.retain(|exchange| exchange.response.contains(":Body>"));

    let replies: BTreeSet<_> = exchanges.iter().map(|it| it.response.as_str()).collect();
    let report = validator.report(replies.iter().copied());
    let faults = replies.iter().filter(|xml| is_fault(xml)).count();
    let answered: BTreeSet<_> = exchanges
        .iter()
        .filter(|exchange| !is_fault(&exchange.response))
        .map(|exchange| called(&exchange.request))
        .collect();
    println!(
        "{} replies of {} operations and {faults} faults: {report}",
        replies.len() - faults,
        answered.len()
    );
    assert_eq!(report, format!("{} valid\n", replies.len()));

    let served = exchanges
        .iter()
        .filter(|exchange| !exchange.response.contains("ter:ActionNotSupported"))
        .map(|exchange| called(&exchange.request));
    let never: Vec<_> = served
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|call| !answered.contains(call) && !ALWAYS_FAULTS.contains(&call.1))
        .collect();
    assert!(never.is_empty(), "served but never answered: {never:?}");
}

/// Namespace and name of what a request calls.
fn called(request: &str) -> (String, &str) {
    let name = operation(request);
    let before = request
        .split(&format!(":{name}"))
        .next()
        .unwrap_or_default();
    let prefix = before.rsplit('<').next().unwrap_or_default();
    let declared = format!("xmlns:{prefix}=");
    let uri = request.split(declared.as_str()).nth(1).unwrap_or_default();
    let uri = uri.trim_start_matches(['"', '\'']);
    let uri = uri.split(['"', '\'']).next().unwrap_or_default();
    (uri.to_owned(), name)
}

fn is_fault(response: &str) -> bool {
    operation(response) == "Fault"
}

async fn further_exchanges(operations: &str) -> Vec<Exchange> {
    let target = VirtualCamera::builder().start().await.unwrap();
    let recorder = Arc::new(Recorder::new());
    let camera = Camera::builder(target.device_url())
        .transport(recorder.clone())
        .connect()
        .await
        .unwrap();
    further_calls::run(&camera).await;
    calls_about_what_is_there(&camera).await;
    for line in operations.lines().skip(1) {
        let mut cells = line.split('\t');
        let (service, name) = (cells.next().unwrap(), cells.next().unwrap());
        let (_, path, namespace) = *SERVICES
            .iter()
            .find(|(known, ..)| *known == service)
            .unwrap();
        let namespace = match service {
            "deviceio" if OF_DEVICE.contains(&name) => DEVICE,
            "events" if ["Subscribe", "Renew", "Unsubscribe"].contains(&name) => NOTIFICATION,
            _ => namespace,
        };
        let path = format!("/onvif/{path}_service");
        ask(&recorder, &target, &path, namespace, name).await;
    }
    target.stop().await;
    recorder.exchanges()
}

/// Calls that the tests of requests make with tokens of nothing.
async fn calls_about_what_is_there(camera: &Camera) {
    let media = camera.media();
    let source = media.video_source_configurations().await.unwrap();
    let text = OsdConfiguration::plain_text(&source[0].token, "UpperLeft", "Gate");
    let osd_token = media.create_osd(&text).await.unwrap();
    camera.call(&GetOsd { osd_token }).await.unwrap();

    let analytics = camera.analytics();
    let configuration = "analytics_config".into();
    let modules = analytics.modules(&configuration).await.unwrap();
    let modified = analytics.modify_modules(&configuration, &modules).await;
    modified.unwrap();
}

/// Asks without any arguments.
async fn ask(recorder: &Recorder, target: &VirtualCamera, path: &str, namespace: &str, name: &str) {
    let request = format!(
        r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:x="{namespace}"><s:Body><x:{name}/></s:Body></s:Envelope>"#
    );
    let request = http::Request::post(target.device_url().join(path).unwrap().as_str())
        .header("Content-Type", "application/soap+xml; charset=utf-8")
        .body(Bytes::from(request));
    recorder.send(request.unwrap(), LIMIT).await.unwrap();
}
