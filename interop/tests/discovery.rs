//! WS-Discovery by multicast, between two network namespaces: nothing leaves them, nothing else is in them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use interop::networks::{LIMIT, Networks, Running, ip};
use interop::{installed, program, python, until};
use serde_json::Value;

const CAMERA: [&str; 4] = ["--listen", "0.0.0.0", "--discovery", "multicast"];

/// A camera with a user, in whose network multicast finds its way.
fn camera_of(
    networks: &Networks,
    user: &str,
    password: &str,
) -> (Running, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, password).unwrap();
    let path = file.path().to_str().unwrap();
    let of_user = ["--username", user, "--password-file", path];
    let camera = networks.camera(&[&CAMERA[..], &of_user].concat());
    networks.route_multicast("239.255.255.250/32");
    (camera, file)
}

/// What `camctl discover` finds.
fn discover(networks: &Networks, args: &[&str]) -> Vec<Value> {
    let args = [&["discover", "--json"][..], args].concat();
    let found = Running::start(&networks.client, program("camctl"), &args).lines();
    let found = found.iter().map(|line| serde_json::from_str(line));
    found.map(Result::unwrap).collect()
}

#[test]
fn every_camera_of_the_network_is_found_once_by_multicast() {
    let Some(networks) = Networks::new() else {
        return;
    };
    let _cameras = networks.camera(&[&CAMERA[..], &["--cameras", "3"]].concat());
    let mut found = discover(&networks, &["--timeout", "3"]);
    found.sort_by_key(|camera| camera["name"].as_str().unwrap().to_owned());
    let names: Vec<_> = found
        .iter()
        .map(|camera| camera["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["camera-1", "camera-2", "camera-3"]);
    for (camera, port) in found.iter().zip(8080..) {
        assert_eq!(
            camera["xaddrs"][0],
            format!("http://192.0.2.7:{port}/onvif/device_service")
        );
    }
    let of_name = "onvif://www.onvif.org/name/camera-2";
    let found = discover(
        &networks,
        &["--timeout", "3", "--scope", of_name, "--interface", "eth0"],
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["name"], "camera-2");
}

#[test]
fn a_camera_is_found_by_multicast_over_ipv6_alone() {
    let Some(networks) = Networks::new() else {
        return;
    };
    if !networks.has_ipv6() {
        return;
    }
    ip(&[
        "-n",
        &networks.client,
        "-4",
        "address",
        "flush",
        "dev",
        "eth0",
    ])
    .unwrap();
    let _camera = networks.camera(&["--listen", "::", "--discovery", "multicast"]);
    let found = discover(&networks, &["--timeout", "3"]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0]["from"].as_str().unwrap().starts_with("[fe80::"),
        "{found:?}"
    );
    assert!(
        found[0]["xaddrs"][0]
            .as_str()
            .unwrap()
            .starts_with("http://[fe80::")
    );
}

#[test]
fn a_sweep_of_the_subnet_finds_the_camera() {
    let Some(networks) = Networks::new() else {
        return;
    };
    let _camera = networks.camera(&CAMERA);
    let started = Instant::now();
    let found = discover(&networks, &["--timeout", "3", "--cidr", "192.0.2.0/24"]);
    assert_eq!(found.len(), 1);
    // A second for 254 addresses, and three for answers. Those that nobody has are not waited for.
    assert!(started.elapsed() < Duration::from_secs(12));
    assert_eq!(found[0]["from"], "192.0.2.7:3702");
    assert!(discover(&networks, &["--timeout", "1", "--cidr", "192.0.2.128/28"]).is_empty());
}

#[test]
fn cameras_are_seen_as_they_join_and_leave() {
    let Some(networks) = Networks::new() else {
        return;
    };
    let watch = Running::start(
        &networks.client,
        program("camctl"),
        &["discover", "--watch", "--json"],
    );
    // It listens once both its sockets are in the group.
    until("membership of the group", LIMIT, || {
        let groups = ip(&["-n", &networks.client, "maddress", "show", "dev", "eth0"]).unwrap();
        groups.contains("239.255.255.250").then_some(())
    });
    let camera = networks.camera(&CAMERA);
    let hello: Value = serde_json::from_str(&watch.line_with("hello")).unwrap();
    assert_eq!(hello["name"], "camera-1");
    assert_eq!(
        hello["xaddrs"][0],
        "http://192.0.2.7:8080/onvif/device_service"
    );
    camera.interrupt();
    let bye: Value = serde_json::from_str(&watch.line_with("bye")).unwrap();
    assert_eq!(bye["endpointReference"], hello["endpointReference"]);
    watch.interrupt();
}

#[test]
fn onvif_util_finds_the_camera_and_has_a_session_with_it() {
    if !installed(&[("sh", &["-c", "command -v onvif-util"])]) {
        return;
    }
    let Some(networks) = Networks::new() else {
        return;
    };
    let _camera = camera_of(&networks, "admin", "secret");
    let found = networks.shell("onvif-util -a");
    assert!(found.contains("Found 1 cameras"), "{found}");
    let line = found.lines().find(|line| line.starts_with("192.0.2.7 "));
    assert!(
        line.unwrap().ends_with("(camera-1 virtual-camera)"),
        "{found}"
    );

    let expected = [
        "name:   camera-1 virtual-camera",
        "Token 0: main",
        "rtsp://192.0.2.7:8554/main",
        "Resolution: 1280 x 720",
        "Brightness: 50",
    ];
    let commands = r"get profiles\nget rtsp\nget video\nget imaging\nquit\n";
    let line = format!("printf '{commands}' | onvif-util -u admin -p secret 192.0.2.7");
    // Its nonces are new but once a second: two requests in one millisecond have one token, and the second is refused.
    let printed = until("session without a replay", LIMIT * 2, || {
        let printed = networks.shell(&line);
        let refused = printed.contains("ter:NotAuthorized");
        println!("a session{}", if refused { " with a replay" } else { "" });
        (!refused).then_some(printed)
    });
    for expected in expected {
        assert!(printed.contains(expected), "no {expected:?} in {printed}");
    }
}

#[test]
fn onvif_python_finds_the_camera_and_asks_it() {
    let Some(python) = python("onvif-python", "onvif") else {
        return;
    };
    let Some(networks) = Networks::new() else {
        return;
    };
    let _camera = camera_of(&networks, "admin", "secret");
    let line = format!(
        "echo 1 | {} --discover --interface 192.0.2.9 --username admin --password secret --cache none \
         devicemgmt GetDeviceInformation",
        python.with_file_name("onvif").display(),
    );
    let printed = networks.shell(&line);
    for expected in [
        "192.0.2.7:8080",
        "[dn:NetworkVideoTransmitter]",
        "'Model': 'Virtual Camera'",
    ] {
        assert!(printed.contains(expected), "no {expected:?} in {printed}");
    }
}
