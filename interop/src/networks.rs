//! Two networks that nothing leaves, and nothing else is in.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::{program, until};

/// For whatever is waited for.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A camera's network and a client's, joined by a cable. Gone when this is dropped.
#[derive(Debug)]
pub struct Networks {
    /// The namespace of the camera, with 192.0.2.7.
    pub camera: String,
    /// The namespace of the client, with 192.0.2.9.
    pub client: String,
}

impl Networks {
    /// `None`, with the reason printed, where namespaces are not permitted.
    pub fn new() -> Option<Self> {
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
    pub fn has_ipv6(&self) -> bool {
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

    /// Cameras in their network.
    pub fn camera(&self, args: &[&str]) -> Running {
        let camera = Running::start(&self.camera, program("virtual-camera"), args);
        camera.line_with("try:");
        camera
    }

    /// Sends multicast of clients that leave it to the routes to the camera's network, and takes what comes from there.
    pub fn route_multicast(&self, group: &str) {
        let route = ["route", "add", group, "dev", "eth0"];
        ip(&[&["-n", &self.client][..], &route].concat()).unwrap();
    }

    /// What a command line prints in the client's network, whatever comes of it.
    pub fn shell(&self, line: &str) -> String {
        String::from_utf8_lossy(&self.output(line)).into_owned()
    }

    /// As [`shell`](Self::shell), in bytes.
    pub fn output(&self, line: &str) -> Vec<u8> {
        let limit = LIMIT.as_secs().to_string();
        let output = Command::new("ip")
            .args(["netns", "exec", &self.client])
            .args(["timeout", &limit, "sh", "-c", line])
            .stdin(Stdio::null())
            .output();
        output.unwrap().stdout
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for namespace in [&self.camera, &self.client] {
            let _ = ip(&["netns", "del", namespace]);
        }
    }
}

/// Runs `ip`, and gives back what it printed or said.
pub fn ip(args: &[&str]) -> Result<String, String> {
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
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// Starts a program of which the output is read.
    pub fn start(namespace: &str, program: PathBuf, args: &[&str]) -> Self {
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

    /// The next line with this in it.
    pub fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(LIMIT);
            let line = line.unwrap_or_else(|_| panic!("no line with {part:?}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// All lines to the end.
    pub fn lines(self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.recv_timeout(LIMIT).ok()).collect()
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
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
