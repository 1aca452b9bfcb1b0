//! Each of the small programs does what it says, against a camera in software.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

#[path = "../quickstart/src/broker.rs"]
mod broker;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use aio_registry::model::Qos;
use aio_registry::{Mqtt, MqttOptions, MqttSession};
use futures::StreamExt;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use virtual_camera::{Discovery, VirtualCamera};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn discover_finds_a_camera_at_an_address() {
    let bench = Bench::start().await;
    let address = bench.camera.discovery_address().unwrap().to_string();
    let said = bench.run("discover", &[&address]).await;
    let url = bench.camera.device_url();
    assert_eq!(said, format!("gate, virtual-camera\n  {url}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn inspect_shows_identity_services_and_streams() {
    let bench = Bench::start().await;
    let said = bench.run_on("inspect", bench.camera.device_url()).await;
    let stream = format!("profile main: {}", bench.camera.stream_url(0));
    let lines = [
        "model:  Virtual Camera",
        "serial: SN-7",
        &stream,
        "  H264, 1280 x 720",
    ];
    for line in lines {
        assert!(said.lines().any(|said| said == line), "`{line}` in {said}");
    }
    let events = format!(
        "events: {}",
        bench.camera.device_url().origin().ascii_serialization()
    );
    assert!(said.contains(&events), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_writes_a_picture_of_the_stream() {
    let bench = Bench::start().await;
    let said = bench.run_on("snapshot", bench.camera.stream_url(0)).await;
    let file = bench.folder.path().join("snapshot.jpg");
    let size = std::fs::metadata(&file).unwrap().len();
    assert_eq!(said, format!("snapshot.jpg: 1280 x 720, {size} bytes\n"));
    let picture = image::open(&file).unwrap();
    assert_eq!((picture.width(), picture.height()), (1280, 720));
}

#[tokio::test(flavor = "multi_thread")]
async fn clip_records_ten_seconds_and_what_was_before() {
    let bench = Bench::start().await;
    let said = bench.run_on("clip", bench.camera.stream_url(0)).await;
    let (path, facts) = said.trim_end().split_once(": ").unwrap();
    let clip = std::fs::read(bench.folder.path().join(path)).unwrap();
    assert_eq!(&clip[4..8], b"ftyp");
    let facts: Vec<&str> = facts.split(", ").collect();
    let seconds: f64 = facts[0].trim_end_matches(" s").parse().unwrap();
    // It begins and ends at key frames, which come every two seconds.
    assert!((10.0..=18.0).contains(&seconds), "{said}");
    let pictures: f64 = facts[1].trim_end_matches(" pictures").parse().unwrap();
    assert!((pictures - 15.0 * seconds).abs() <= 2.0, "{said}");
    assert_eq!(facts[2], format!("{} bytes", clip.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_looks_at_three_pictures() {
    let bench = Bench::start().await;
    let said = bench.run_on("frames", bench.camera.stream_url(0)).await;
    assert_eq!(said.lines().count(), 3, "{said}");
    for line in said.lines() {
        assert!(line.starts_with("640 x 360 at "), "{line}");
        let (_, colour) = line.rsplit_once(": ").unwrap();
        let colour: [u8; 3] = serde_json::from_str(colour).unwrap();
        assert!(
            colour.iter().all(|mean| (16..=235).contains(mean)),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_shows_the_state_and_two_changes_and_ends_its_subscription() {
    let bench = Bench::start().await;
    let mut program = bench.launch_on("events", bench.camera.device_url());
    for _ in 0..5 {
        assert!(program.line().await.contains(" Initialized: "));
    }
    bench.camera.set_motion(true);
    let motion = program.line().await;
    assert!(motion.starts_with("tns1:VideoSource/MotionAlarm Changed: "));
    assert!(motion.ends_with(" State=true"), "{motion}");
    let motion = program.line().await;
    assert!(motion.starts_with("tns1:RuleEngine/CellMotionDetector/Motion Changed: "));
    assert_eq!(program.end().await.lines().count(), 7);
    assert_eq!(bench.camera.observed().subscriptions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_shows_a_gap_where_the_camera_restarted() {
    let bench = Bench::start().await;
    let mut program = bench.launch_on("events", bench.camera.device_url());
    for _ in 0..5 {
        assert!(program.line().await.contains(" Initialized: "));
    }
    bench.camera.reboot();
    let gap = program.line().await;
    assert!(gap.starts_with("gap: something may be missing"), "{gap}");
    assert!(program.line().await.contains(" Initialized: "));
    program.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ptz_patrol_looks_right_and_left_and_returns_home() {
    let bench = Bench::start().await;
    let mut program = bench.launch_on("ptz_patrol", bench.camera.device_url());
    let pan = || bench.camera.ptz_position().pan;
    until(|| pan() > 0.3).await;
    let right = program.line().await;
    assert!(right.starts_with("right: pan 0."), "{right}");
    until(|| pan() < -0.3).await;
    assert_eq!(program.line().await, "left: pan -0.50, tilt 0.20");
    assert_eq!(program.line().await, "home: pan 0.00, tilt 0.00");
    program.end().await;
    assert!(pan().abs() < 1e-6 && !bench.camera.is_moving());
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_connector_publishes_what_it_fetches() {
    let bench = Bench::start().await;
    let broker = broker::start().unwrap();
    let session = MqttSession::connect(MqttOptions::new(broker.clone(), "reader"))
        .await
        .unwrap();
    session.connected(broker::START_LIMIT).await.unwrap();
    let mut messages = session
        .subscribe("factory/gate/observed", Qos::AtLeastOnce)
        .await
        .unwrap();
    let registry = bench.folder.path().join("registry");
    std::fs::create_dir(&registry).unwrap();
    let root = bench.camera.device_url().join("/").unwrap();
    std::fs::write(registry.join("gate.yaml"), manifests(root.as_str())).unwrap();

    let registry = ["--registry", registry.to_str().unwrap()];
    let args = [&registry[..], &["--broker", broker.as_str()]].concat();
    let _connector = bench.launch("custom_connector", &args);
    for _ in 0..2 {
        let message = timeout(LIMIT, messages.next()).await.unwrap().unwrap();
        let observed: Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(observed["authentication_failures"], 0);
    }
    session.disconnect(Duration::from_secs(2)).await;
}

#[test]
fn no_program_is_longer_than_sixty_lines() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let programs = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let lengths = programs.map(|program| {
        let text = std::fs::read_to_string(program.path()).unwrap();
        (program.file_name(), text.lines().count())
    });
    let lengths: Vec<_> = lengths.collect();
    assert_eq!(lengths.len(), 8, "each has a test here: {lengths:?}");
    for (name, lines) in lengths {
        assert!(lines <= 60, "{name:?} has {lines} lines");
    }
}

fn manifests(address: &str) -> String {
    format!(
        "
apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: Device
metadata: {{name: gate, namespace: azure-iot-operations}}
spec:
  enabled: true
  endpoints:
    inbound:
      rest: {{endpointType: Example.Rest, address: \"{address}\"}}
---
apiVersion: namespaces.deviceregistry.microsoft.com/v1
kind: Asset
metadata: {{name: gate-observed, namespace: azure-iot-operations}}
spec:
  enabled: true
  deviceRef: {{deviceName: gate, endpointName: rest}}
  datasets:
    - name: observed
      dataSource: /control/observed
      destinations: [{{target: Mqtt, configuration: {{topic: factory/gate/observed, qos: Qos1}}}}]
"
    )
}

/// A camera, and a folder that programs run in.
struct Bench {
    camera: VirtualCamera,
    folder: TempDir,
}

impl Bench {
    async fn start() -> Self {
        let camera = VirtualCamera::builder()
            .credentials("admin", "p@ss:w#?%0X")
            .name("gate")
            .serial("SN-7")
            .discovery(Discovery::Unicast(0))
            .start()
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password.txt"), "p@ss:w#?%0X\n").unwrap();
        Self { camera, folder }
    }

    fn launch(&self, name: &str, args: &[&str]) -> Running {
        // `cargo test` has built the programs: this test is at target/<profile>/deps/<test>.
        let deps = std::env::current_exe().unwrap();
        let target = deps.parent().unwrap().parent().unwrap();
        let program = target.join("examples").join(name);
        let program = program.with_extension(std::env::consts::EXE_EXTENSION);
        let mut child = Command::new(program)
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("SNAPSHOT")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{name}: {error}; `cargo test` alone builds it, `cargo test --test` does not"
                )
            });
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (line, lines) = mpsc::unbounded_channel();
        Running {
            child,
            lines,
            stdout: spawn_blocking(move || read_lines(stdout, &line)),
            stderr: spawn_blocking(move || read_all(stderr)),
        }
    }

    /// Starts a program as its documentation says: URL, user, password file.
    fn launch_on(&self, name: &str, url: url::Url) -> Running {
        self.launch(name, &[url.as_str(), "admin", "password.txt"])
    }

    async fn run(&self, name: &str, args: &[&str]) -> String {
        self.launch(name, args).end().await
    }

    async fn run_on(&self, name: &str, url: url::Url) -> String {
        self.launch_on(name, url).end().await
    }
}

/// A running program. It is killed when this is dropped.
struct Running {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Running {
    /// The next line it writes.
    async fn line(&mut self) -> String {
        let line = timeout(LIMIT, self.lines.recv()).await.unwrap();
        line.expect("the program writes another line")
    }

    /// Waits until it has ended well, and returns all that it wrote.
    async fn end(mut self) -> String {
        let stdout = timeout(LIMIT, &mut self.stdout).await.unwrap().unwrap();
        let stderr = timeout(LIMIT, &mut self.stderr).await.unwrap().unwrap();
        // Both pipes are closed, so it has ended.
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {stderr}");
        stdout
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(stdout: ChildStdout, line: &mpsc::UnboundedSender<String>) -> String {
    let mut all = String::new();
    for text in BufReader::new(stdout).lines() {
        let text = text.unwrap();
        all.push_str(&text);
        all.push('\n');
        // Nobody may be reading lines.
        let _ = line.send(text);
    }
    all
}

fn read_all(mut stderr: ChildStderr) -> String {
    let mut all = String::new();
    stderr.read_to_string(&mut all).unwrap();
    all
}

/// Looks again until it is so: the camera in software tells nobody when it moves.
async fn until(is_so: impl Fn() -> bool) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            ticks.tick().await;
        }
    };
    timeout(LIMIT, looking).await.unwrap();
}
