//! Every request that the conformance tests record is valid against ONVIF's schemas, by the Python package `xmlschema`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

macro_rules! drivers {
    ($($name:ident $path:literal)*) => {$(
        #[allow(dead_code, reason = "the conformance tests use more of it")]
        #[path = $path]
        mod $name;
    )*};
}
drivers! {
    device_calls "../../examples/tests/conformance/device_calls.rs"
    driving "../../examples/tests/conformance/driving.rs"
    event_calls "../../examples/tests/conformance/event_calls.rs"
    media2_calls "../../examples/tests/conformance/media2_calls.rs"
    media_calls "../../examples/tests/conformance/media_calls.rs"
    ptz_calls "../../examples/tests/conformance/ptz_calls.rs"
    recording "../../examples/tests/conformance/recording.rs"
    scene_calls "../../examples/tests/conformance/scene_calls.rs"
}

#[path = "request_schema/further_calls.rs"]
mod further_calls;
#[path = "request_schema/validator.rs"]
mod validator;

use std::collections::BTreeSet;
use std::sync::Arc;

use onvif_core::Camera;
use recording::{Exchange, Recorder};
use validator::{Validator, operation};
use virtual_camera::VirtualCamera;

#[tokio::test]
async fn every_recorded_request_is_valid_against_the_schemas() {
    let Some(validator) = Validator::new() else {
        return;
    };
    let mut exchanges = driving::drive().await.exchanges;
    exchanges.extend(further_exchanges().await);
    let requests: BTreeSet<_> = exchanges
        .iter()
        .filter(|exchange| exchange.method == "POST")
        .map(|exchange| exchange.request.clone())
        .collect();
    let report = validator.report(requests.iter().map(String::as_str));
    let operations: BTreeSet<_> = requests.iter().map(|xml| operation(xml)).collect();
    println!("requests of {} operations: {report}", operations.len());
    assert!(
        operations.len() > 200,
        "only {} operations",
        operations.len()
    );
    assert_eq!(report, format!("{} valid\n", requests.len()));
}

#[test]
fn a_request_out_of_order_is_not_valid() {
    let Some(validator) = Validator::new() else {
        return;
    };
    let request = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
        xmlns:trt="http://www.onvif.org/ver10/media/wsdl"><s:Body><trt:CreateProfile><trt:Token>a</trt:Token>
        <trt:Name>a</trt:Name></trt:CreateProfile></s:Body></s:Envelope>"#;
    let report = validator.report([request]);
    assert!(report.starts_with("invalid CreateProfile: "), "{report}");
    assert!(report.ends_with("\n0 valid\n"), "{report}");
}

async fn further_exchanges() -> Vec<Exchange> {
    let target = VirtualCamera::builder().start().await.unwrap();
    let recorder = Arc::new(Recorder::new());
    let camera = Camera::builder(target.device_url())
        .transport(recorder.clone())
        .connect()
        .await
        .unwrap();
    further_calls::run(&camera).await;
    target.stop().await;
    recorder.exchanges()
}
