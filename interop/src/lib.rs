//! Starts and stops the counterparts that the tests of this crate run against.
#![allow(
    clippy::unwrap_used,
    reason = "everything here serves tests, where a panic is the report"
)]

#[cfg(target_os = "linux")]
pub mod networks;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

/// Whether every command is there. If not, says so, or fails where `REQUIRE_SHARED=1` asks for all counterparts.
pub fn installed(commands: &[(&str, &[&str])]) -> bool {
    for (command, probe) in commands {
        let found = Command::new(command)
            .args(*probe)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !found {
            missing(&format!("`{command} {probe:?}` fails"));
            return false;
        }
    }
    true
}

fn missing(what: &str) {
    let required = std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(!required, "required here: {what}");
    eprintln!("skipped: {what}");
}

/// Mosquitto's broker and clients.
pub const MOSQUITTO: (&str, &[&str]) = (
    "sh",
    &["-c", "command -v mosquitto mosquitto_sub mosquitto_rr"],
);

/// Python with GStreamer's RTSP server.
pub const GSTREAMER: (&str, &[&str]) = (
    "/usr/bin/python3",
    &[
        "-c",
        "import gi; gi.require_version('GstRtspServer','1.0'); from gi.repository import GstRtspServer",
    ],
);

/// ffmpeg and ffprobe.
pub const FFMPEG: (&str, &[&str]) = ("sh", &["-c", "command -v ffmpeg ffprobe"]);

/// lighttpd with TLS.
pub const LIGHTTPD: (&str, &[&str]) = (
    "sh",
    &[
        "-c",
        "command -v lighttpd && test -e /usr/lib/lighttpd/mod_openssl.so",
    ],
);

/// The Python of `target/venv-NAME`, which `.ci/run` makes, if it has this module. If not, says so, or fails where
/// `REQUIRE_SHARED=1` asks for all counterparts.
pub fn python(name: &str, module: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join(format!("target/venv-{name}/bin/python"));
    let import = format!("import {module}");
    installed(&[(python.to_str().unwrap(), &["-c", &import])]).then_some(python)
}

/// The Node.js of `target/venv-node`, which `.ci/run` makes, if it has this module. If not, says so, or fails where
/// `REQUIRE_SHARED=1` asks for all counterparts.
pub fn node(module: &str) -> Option<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let venv = root.join("target/venv-node");
    let modules = venv.join("node_modules");
    let node = venv.join("bin/node");
    let probe = format!(
        "NODE_PATH='{}' '{}' -e \"require('{module}')\"",
        modules.display(),
        node.display()
    );
    if !installed(&[("sh", &["-c", &probe])]) {
        return None;
    }
    let mut command = Command::new(node);
    command.env("NODE_PATH", modules);
    Some(command)
}

/// Reference data beside the repository. If it is not there, says so, or fails where `REQUIRE_SHARED=1`.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    missing(&format!("{} is not there", path.display()));
    None
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts it; its output is the test's.
    pub fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).spawn();
        Self {
            child: child.unwrap_or_else(|error| panic!("{command:?}: {error}")),
        }
    }

    /// Whether it came to its end by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Mosquitto on a port of loopback, open to all.
pub fn mosquitto(folder: &Path, port: u16) -> Process {
    let configuration = folder.join("mosquitto.conf");
    let text = format!(
        "user root\npersistence false\nlistener {port} 127.0.0.1\nallow_anonymous true\nmax_packet_size 20000000\n"
    );
    fs::write(&configuration, text).unwrap();
    let broker = Process::start(
        Command::new("mosquitto")
            .arg("-c")
            .arg(configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    wait_for_port(port);
    broker
}

/// lighttpd on a port of loopback, before what serves at `behind`.
pub fn lighttpd(
    folder: &Path,
    port: u16,
    behind: u16,
    modules: &[&str],
    settings: &str,
) -> Process {
    let configuration = folder.join("lighttpd.conf");
    let modules: String = modules.iter().map(|name| format!("{name:?}, ")).collect();
    let text = format!(
        r#"server.document-root = "/var/empty"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{}/lighttpd.log"
server.modules = ({modules}"mod_proxy")
proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => {behind} )) )
{settings}
"#,
        folder.display(),
    );
    fs::write(&configuration, text).unwrap();
    let mut command = Command::new("lighttpd");
    let front = Process::start(command.arg("-D").arg("-f").arg(configuration));
    wait_for_port(port);
    front
}

/// GStreamer's RTSP server with a live picture at `/cam`.
pub fn gstreamer(port: u16, width: u32, height: u32, user: Option<(&str, &str)>) -> Process {
    let user = user.map_or(Vec::new(), |(user, password)| vec![user, password]);
    gstreamer_with(port, width, height, &user)
}

/// GStreamer's RTSP server with further streams: path and pipeline of each. Every client gets them from the start.
pub fn gstreamer_mounts(port: u16, mounts: &[(&str, &str)]) -> Process {
    let mounts = mounts
        .iter()
        .flat_map(|(path, launch)| ["--mount", path, launch]);
    gstreamer_with(port, 320, 180, &mounts.collect::<Vec<_>>())
}

/// GStreamer's RTSP server as a media server: what is published to `path` goes into the pipeline `launch`. With certificate
/// and key it speaks TLS.
pub fn gstreamer_records(
    port: u16,
    (path, launch): (&str, &str),
    user: Option<(&str, &str)>,
    tls: Option<(&Path, &Path)>,
) -> Process {
    let mut arguments = user.map_or(Vec::new(), |(user, password)| vec![user, password]);
    arguments.extend(["--record", path, launch]);
    if let Some((certificate, key)) = tls {
        arguments.push("--tls");
        arguments.extend([certificate, key].map(|path| path.to_str().unwrap()));
    }
    gstreamer_with(port, 320, 180, &arguments)
}

/// GStreamer's RTSP server with a live picture at `/cam` and further arguments of `rtsp_server.py`.
pub fn gstreamer_with(port: u16, width: u32, height: u32, arguments: &[&str]) -> Process {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rtsp_server.py");
    let mut command = Command::new("/usr/bin/python3");
    command
        .arg(script)
        .args([port.to_string(), width.to_string(), height.to_string()])
        .args(arguments);
    let mut server = Process::start(command.stdout(Stdio::piped()));
    let mut ready = String::new();
    let output = server.child.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    server
}

/// Waits until a port of loopback takes connections.
pub fn wait_for_port(port: u16) {
    until(
        &format!("a listener at port {port}"),
        Duration::from_secs(10),
        || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok(),
    );
}

/// Asks again, because other processes tell nobody when they are ready, until there is an answer.
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < limit, "no {what} within {limit:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The path of one of this workspace's programs, built if it is not up to date. All are built in one go: one by one, cargo
/// would build what they have in common for each of them, with the features of each. With `PROGRAMS_BUILT=1`, those are taken that
/// `cargo test` has built for the tests of their own packages (as in `.ci/run`).
pub fn program(name: &str) -> PathBuf {
    static BUILD: Once = Once::new();
    BUILD.call_once(|| {
        if std::env::var_os("PROGRAMS_BUILT").is_some_and(|value| value == "1") {
            return;
        }
        let packages = [
            "camctl",
            "media-connector",
            "onvif-connector",
            "virtual-camera",
        ];
        let built = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet"])
            .args(packages.iter().flat_map(|package| ["-p", package]))
            .status()
            .unwrap();
        assert!(built.success(), "{packages:?} do not build");
    });
    // target/debug/deps/TEST -> target/debug
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join(name)
}

/// Writes the manifests of a folder registry.
pub fn write_registry(folder: &Path, manifests: &[(&str, &str)], secrets: &[(&str, &str)]) {
    fs::create_dir_all(folder).unwrap();
    for (name, text) in manifests {
        fs::write(folder.join(format!("{name}.yaml")), text).unwrap();
    }
    for (name, value) in secrets {
        let path = folder.join("secrets").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value).unwrap();
    }
}

/// Runs a client to its end and returns what it printed; `None` when it fails or takes longer than `limit`.
pub fn output(command: &mut Command, limit: Duration) -> Option<Vec<u8>> {
    let mut bounded = Command::new("timeout");
    bounded
        .arg(limit.as_secs().to_string())
        .arg(command.get_program())
        .args(command.get_args());
    let output = bounded
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    output.status.success().then_some(output.stdout)
}
