//! The harness as a whole, with a small clip, where ffmpeg and GStreamer's RTSP server are installed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Whether the clip can be made and played; the program itself says what else is missing.
fn equipped() -> bool {
    let probes = [
        ("ffmpeg", "-version", ""),
        (
            "/usr/bin/python3",
            "-c",
            "import gi; gi.require_version('GstRtspServer','1.0'); from gi.repository import GstRtspServer",
        ),
    ];
    for (program, option, script) in probes {
        let mut command = Command::new(program);
        command.arg(option);
        if !script.is_empty() {
            command.arg(script);
        }
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            println!("skipped: {program} {option} {script} fails");
            assert!(
                std::env::var_os("REQUIRE_SHARED").is_none(),
                "{program} {option} {script} fails"
            );
            return false;
        }
    }
    true
}

fn run(arguments: &[&str]) -> Option<Value> {
    if !equipped() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("results.json");
    let output = Command::new(env!("CARGO_BIN_EXE_frame-extraction"))
        .args(arguments)
        .args(["--width", "320", "--height", "180"])
        .arg("--out")
        .arg(folder.path())
        .arg("--json")
        .arg(&json)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(serde_json::from_slice(&fs::read(json).unwrap()).unwrap())
}

#[test]
fn every_installed_tool_gives_pictures_of_every_stream() {
    let Some(report) = run(&[
        "snapshots",
        "--seconds",
        "4",
        "--rounds",
        "1",
        "--streams",
        "2",
    ]) else {
        return;
    };
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows[0]["tool"], "media-pipeline");
    assert!(rows.len() >= 3, "{report:#}");
    for row in rows {
        assert!(row["pictures"].as_f64().unwrap() >= 4.0, "{row:#}");
        assert!(row["cpu_seconds"].as_f64().unwrap() > 0.0, "{row:#}");
        assert!(row["peak_rss_mb"].as_f64().unwrap() > 1.0, "{row:#}");
    }
}

#[test]
fn every_installed_tool_joins_a_running_stream() {
    let Some(report) = run(&["first-picture", "--joins", "1"]) else {
        return;
    };
    for row in report["rows"].as_array().unwrap() {
        assert_eq!(row["failures"], 0, "{row:#}");
        assert!(row["median_seconds"].as_f64().unwrap() < 25.0, "{row:#}");
    }
}
