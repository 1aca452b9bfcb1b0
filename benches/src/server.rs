//! The camera's side: GStreamer's RTSP server.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::{Clip, Running};

/// GStreamer's RTSP server on a free port of loopback, playing a clip for ever; it is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    url: String,
    _process: Running,
}

impl Server {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// If Python or GStreamer's RTSP server is missing.
    pub fn start(clip: &Clip) -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rtsp_server.py");
        // The system's Python: the bindings of GStreamer are not in virtual environments.
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(&clip.path)
            .arg(Clip::RATE.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run /usr/bin/python3; install it with: apt-get install python3")?;
        // Kept in the process: the server ends when it closes, also if this program is killed.
        let output = child.stdout.take().expect("piped above");
        let process = Running::from(child);
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port)?;
        let Ok(port) = port.trim().parse::<u16>() else {
            bail!(
                "GStreamer's RTSP server did not start; install it with: apt-get install python3-gi \
                 gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
            );
        };
        Ok(Self {
            url: format!("rtsp://127.0.0.1:{port}/camera"),
            _process: process,
        })
    }

    /// Where the stream is.
    pub fn url(&self) -> &str {
        &self.url
    }
}
