//! WS-Discovery by multicast, between two network namespaces: nothing leaves them, nothing else is in them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use interop::{installed, program, python, until};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(30);

/// A camera's network and a client's, joined by a cable. Gone when this is dropped.
struct Networks {
    camera: String,
    client: String,
}

impl Networks {
    /// `None`, with the reason printed, where namespaces are not permitted.
    fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let networks = Self {
            camera: format!("camera-{name}"),
            client: format!("client-{name}"),
        };
        if let Err(reason) = networks.set_up(&name) {
            let required = std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
            assert!(!required, "network namespaces are required here: {reason}");
            eprintln!("skipped: no network namespaces here: {reason}");
            return None;
        }
        Some(networks)
    }

    fn set_up(&self, name: &str) -> Result<(), String> {
        let (camera, client) = (&*self.camera, &*self.client);
        let (at_camera, at_client) = (format!("a{name}"), format!("b{name}"));
        ip(&["netns", "add", camera])?;
        ip(&["netns", "add", client])?;
        ip(&[
            "link", "add", &at_camera, "netns", camera, "type", "veth", "peer", "name", &at_client,
            "netns", client,
        ])?;
        for (namespace, link, host) in [(camera, &at_camera, 7), (client, &at_client, 9)] {
            let inside = |args: &[&str]| ip(&[&["-n", namespace][..], args].concat());
            inside(&["link", "set", link, "name", "eth0"])?;
            inside(&[
                "address",
                "add",
                &format!("192.0.2.{host}/24"),
                "dev",
                "eth0",
            ])?;
            inside(&["link", "set", "lo", "up"])?;
            inside(&["link", "set", "eth0", "up"])?;
        }
        Ok(())
    }

    /// Waits until both ends have an IPv6 address that is not being checked any more; false where there is none.
    fn has_ipv6(&self) -> bool {
        let addresses = |namespace: &str| {
            ip(&["-n", namespace, "-6", "address", "show", "dev", "eth0"]).unwrap()
        };
        if addresses(&self.client).is_empty() {
            eprintln!("skipped: no IPv6 here");
            return false;
        }
        until("IPv6 address", LIMIT, || {
            let both = [&self.camera, &self.client].map(|namespace| addresses(namespace));
            let ready = |text: &String| text.contains("fe80") && !text.contains("tentative");
            both.iter().all(ready).then_some(())
        });
        true
    }

    fn camera(&self, args: &[&str]) -> Running {
        let camera = Running::start(&self.camera, program("virtual-camera"), args);
        camera.line_with("try:");
        camera
    }

    /// A camera with a user, in whose network multicast finds its way.
    fn camera_of(&self, user: &str, password: &str) -> (Running, tempfile::NamedTempFile) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, password).unwrap();
        let path = file.path().to_str().unwrap();
        let of_user = ["--username", user, "--password-file", path];
        let camera = self.camera(&[&CAMERA[..], &of_user].concat());
        // These clients leave it to the routes where a probe goes.
        let route = ["route", "add", "239.255.255.250/32", "dev", "eth0"];
        ip(&[&["-n", &self.client][..], &route].concat()).unwrap();
        (camera, file)
    }

    /// What a command line prints in the client's network, whatever comes of it.
    fn shell(&self, line: &str) -> String {
        let limit = LIMIT.as_secs().to_string();
        let output = Command::new("ip")
            .args(["netns", "exec", &self.client])
            .args(["timeout", &limit, "sh", "-c", line])
            .stdin(Stdio::null())
            .output();
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    }

    fn discover(&self, args: &[&str]) -> Vec<Value> {
        let args = [&["discover", "--json"][..], args].concat();
        Running::start(&self.client, program("camctl"), &args).objects()
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for namespace in [&self.camera, &self.client] {
            let _ = ip(&["netns", "del", namespace]);
        }
    }
}

fn ip(args: &[&str]) -> Result<String, String> {
    let output = Command::new("ip").args(args).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!(
            "ip {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// A program in a namespace. It is killed when this is dropped.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(namespace: &str, program: PathBuf, args: &[&str]) -> Self {
        let mut child = Command::new("ip")
            .args(["netns", "exec", namespace])
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines
                .map(|line| send.send(line))
                .take_while(Result::is_ok)
                .for_each(drop);
        });
        Self { child, lines }
    }

    fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(LIMIT);
            let line = line.unwrap_or_else(|_| panic!("no line with {part:?}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// All lines to the end, as JSON.
    fn objects(self) -> Vec<Value> {
        let lines = std::iter::from_fn(|| self.lines.recv_timeout(LIMIT).ok());
        lines
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    }

    /// Ctrl-C.
    fn interrupt(&self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CAMERA: [&str; 4] = ["--listen", "0.0.0.0", "--discovery", "multicast"];

#[test]
fn every_camera_of_the_network_is_found_once_by_multicast() {
    let Some(networks) = Networks::new() else {
        return;
    };
    let _cameras = networks.camera(&[&CAMERA[..], &["--cameras", "3"]].concat());
    let mut found = networks.discover(&["--timeout", "3"]);
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
    let found = networks.discover(&["--timeout", "3", "--scope", of_name, "--interface", "eth0"]);
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
    let found = networks.discover(&["--timeout", "3"]);
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
    let found = networks.discover(&["--timeout", "3", "--cidr", "192.0.2.0/24"]);
    assert_eq!(found.len(), 1);
    // A second for 254 addresses, and three for answers. Those that nobody has are not waited for.
    assert!(started.elapsed() < Duration::from_secs(12));
    assert_eq!(found[0]["from"], "192.0.2.7:3702");
    assert!(
        networks
            .discover(&["--timeout", "1", "--cidr", "192.0.2.128/28"])
            .is_empty()
    );
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
    let _camera = networks.camera_of("admin", "secret");
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
    let _camera = networks.camera_of("admin", "secret");
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
