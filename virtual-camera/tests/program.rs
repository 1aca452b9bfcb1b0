//! The program, as somebody runs it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

const DEADLINE: Duration = Duration::from_secs(30);

/// Ends with the test. What it prints stays open until then.
struct Running(Child, BufReader<ChildStdout>);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_virtual-camera"));
    command.args(arguments);
    command
}

/// Starts it, and waits for the address of the device on a line that begins like this.
fn start(arguments: &[&str], line: &str) -> (Running, Url) {
    let mut child = program(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut running = Running(child, out);
    let mut lines = running.1.by_ref().lines().map(Result::unwrap);
    let found = lines.find(|told| told.trim().starts_with(line)).unwrap();
    let address = found
        .split_whitespace()
        .find(|word| word.starts_with("http://"));
    let url = Url::parse(address.unwrap().trim_end_matches(';')).unwrap();
    (running, url)
}

fn send(method: &str, url: &Url, content_type: &str, body: &str) -> String {
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect((host, port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = format!(
        "{method} {} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        url.path(),
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn information(device: &Url) -> String {
    let body = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>\
        <tds:GetDeviceInformation xmlns:tds='http://www.onvif.org/ver10/device/wsdl'/></s:Body></s:Envelope>";
    send("POST", device, "application/soap+xml", body)
}

#[test]
fn cameras_of_a_family_run_and_are_changed() {
    let arguments = [
        "--cameras",
        "2",
        "--quirks",
        "tapo-c220",
        "--quirk",
        "max_subs=2",
    ];
    let ports = ["--port", "0", "--rtsp-port", "0"];
    let (_running, device) = start(&[&arguments[..], &ports[..]].concat(), "device");
    assert!(information(&device).contains("200 OK"));
    let quirks = device.join("/control/quirks").unwrap();
    let json = "application/json";
    let told = send("PATCH", &quirks, json, r#"{"no_renew":true}"#);
    for expected in [
        r#""pull_close_after_ms":10000"#,
        r#""max_subs":2"#,
        r#""no_renew":true"#,
    ] {
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn streams_are_added_by_flags() {
    let ports = ["--port", "0", "--rtsp-port", "0"];
    let streams = ["--stream", "yard=h265,aac", "--stream", "gate"];
    let mut child = program(&[&ports[..], &streams[..]].concat())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut running = Running(child, out);
    let lines = running.1.by_ref().lines().map(Result::unwrap);
    let told: Vec<_> = lines.take_while(|line| !line.starts_with("try")).collect();
    for path in ["/main", "/yard", "/gate"] {
        let stream = |line: &String| line.starts_with("  stream") && line.ends_with(path);
        assert!(told.iter().any(stream), "{path} in {told:?}");
    }
}

#[test]
fn a_camera_is_recorded_and_played_back() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("gate").to_string_lossy().into_owned();
    let ports = ["--port", "0", "--rtsp-port", "0"];
    let (_camera, device) = start(&ports, "device");
    let record = [
        "record",
        "--device",
        device.as_str(),
        "--out",
        &out,
        "--port",
        "0",
    ];
    let (_recorder, recorded) = start(&record, "point");
    let first = information(&recorded);
    assert!(first.contains("200 OK"), "{first}");
    let (_again, replayed) = start(&[&["replay", &out][..], &ports[..]].concat(), "device");
    let second = information(&replayed);
    let serial = |text: &str| text.split("SerialNumber>").nth(1).unwrap().to_owned();
    assert_eq!(serial(&first), serial(&second));
}

#[test]
fn what_is_wrong_is_told_in_words_and_in_the_line_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cameras.toml");
    fs::write(&config, "http_port = 0\n[[camera]]\nquirk = 3\n").unwrap();
    let config = config.to_string_lossy().into_owned();
    for (arguments, expected) in [
        (["--config", &config], "line 3"),
        (["--quirks", "no-such"], "--quirks list"),
        (["--quirk", "no_such"], "--quirk list"),
        (["--stream", "yard=mp3"], "h264, h265 or jpeg"),
    ] {
        let output = program(&arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && told.starts_with("error: "),
            "{told}"
        );
        assert!(told.contains(expected), "{told}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn cameras_move_to_other_addresses_by_themselves() {
    let ports = ["--port", "0", "--rtsp-port", "0"];
    let moves = ["--move-every", "1", "--move-to", "127.0.0.12,127.0.0.13"];
    let (_running, device) = start(&[&ports[..], &moves[..]].concat(), "device");
    let port = device.port().unwrap();
    for place in [[127, 0, 0, 12], [127, 0, 0, 13], [127, 0, 0, 12]] {
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::from(place), port)).is_err() {
            assert!(started.elapsed() < DEADLINE, "never at {place:?}");
            std::thread::yield_now();
        }
    }
}
