//! The quickstart as a user runs it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

#[test]
fn everything_works_from_nothing_to_ten_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .arg("--out")
        .arg(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{printed}\n{complained}");

    for step in [
        "Camera discovered",
        "Device registered",
        "Discovered asset imported",
        "Media device imported",
        "Event received over MQTT",
        "PTZ command over MQTT",
        "Snapshots received over MQTT",
    ] {
        assert!(
            printed.contains(&format!("ok  {step}: ")),
            "{step} in\n{printed}"
        );
    }
    assert!(printed.contains("pan 0.00 to 0.20"), "{printed}");
    let pictures: Vec<&str> = printed
        .lines()
        .filter(|line| line.ends_with(".jpg"))
        .collect();
    assert_eq!(pictures.len(), 10, "{printed}");
    for path in pictures {
        let picture = image::open(path).unwrap();
        assert_eq!((picture.width(), picture.height()), (1280, 720), "{path}");
    }
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // Port 9 (discard) is closed on machines of this century.
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .args(["--broker", "mqtt://127.0.0.1:9", "--out"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(
        complained.contains("no connection to the broker mqtt://127.0.0.1:9"),
        "{complained}"
    );
}
