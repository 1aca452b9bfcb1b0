//! What is compared: this project and the tools a user would pick instead, with the command lines they would write.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

/// A way to get pictures out of an RTSP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Tool {
    /// `media-pipeline`, in a process of its own.
    #[serde(rename = "media-pipeline")]
    Ours,
    /// ffmpeg that decodes everything.
    #[serde(rename = "ffmpeg, every frame")]
    Ffmpeg,
    /// ffmpeg told to decode key frames only (first picture: and not to analyse the stream first).
    #[serde(rename = "ffmpeg, key frames")]
    FfmpegKeyFrames,
    /// GStreamer that decodes everything.
    #[serde(rename = "GStreamer, every frame")]
    Gstreamer,
    /// GStreamer whose decoder is given key frames only.
    #[serde(rename = "GStreamer, key frames")]
    GstreamerKeyFrames,
    /// OpenCV in a Python loop that reads every frame.
    #[serde(rename = "OpenCV, every frame")]
    OpenCv,
    /// OpenCV in a Python loop that decodes every frame and converts only those that are due.
    #[serde(rename = "OpenCV, grab")]
    OpenCvGrab,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ours,
        Self::Ffmpeg,
        Self::FfmpegKeyFrames,
        Self::Gstreamer,
        Self::GstreamerKeyFrames,
        Self::OpenCv,
        Self::OpenCvGrab,
    ];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "media-pipeline",
            Self::Ffmpeg => "ffmpeg, every frame",
            Self::FfmpegKeyFrames => "ffmpeg, key frames",
            Self::Gstreamer => "GStreamer, every frame",
            Self::GstreamerKeyFrames => "GStreamer, key frames",
            Self::OpenCv => "OpenCV, every frame",
            Self::OpenCvGrab => "OpenCV, grab",
        }
    }

    /// Whether it decodes key frames only, and so can show nothing in between.
    pub fn only_key_frames(self) -> bool {
        matches!(
            self,
            Self::Ours | Self::FfmpegKeyFrames | Self::GstreamerKeyFrames
        )
    }

    /// How to install it, if it is not there.
    pub fn missing(self) -> Option<&'static str> {
        let (probe, hint): (&[&str], _) = match self {
            Self::Ours => return None,
            Self::Ffmpeg | Self::FfmpegKeyFrames => {
                (&["ffmpeg", "-version"], "apt-get install ffmpeg")
            }
            Self::Gstreamer | Self::GstreamerKeyFrames => (
                &["gst-inspect-1.0", "--exists", "avdec_h264"],
                "apt-get install gstreamer1.0-tools gstreamer1.0-libav gstreamer1.0-plugins-good gstreamer1.0-plugins-bad",
            ),
            Self::OpenCv | Self::OpenCvGrab => (
                &["python3", "-c", "import cv2"],
                "pip install opencv-python-headless",
            ),
        };
        (!succeeds(probe)).then_some(hint)
    }

    /// Writes one JPEG a second of `streams` streams for `seconds` into `FOLDER/NUMBER/`. Ours is one process,
    /// the others one per stream.
    ///
    /// # Errors
    /// If this program does not know where it is.
    pub fn snapshots(
        self,
        url: &str,
        seconds: u64,
        folder: &Path,
        streams: usize,
    ) -> anyhow::Result<Vec<Command>> {
        if self == Self::Ours {
            let mut command = worker("snapshots", url)?;
            command.arg(seconds.to_string()).arg(folder);
            command.arg(streams.to_string()).arg("1");
            return Ok(vec![command]);
        }
        let peer = |stream: usize| self.peer(url, seconds, &folder.join(stream.to_string()));
        Ok((0..streams).map(peer).collect())
    }

    fn peer(self, url: &str, seconds: u64, folder: &Path) -> Command {
        let folder = folder.display();
        let every = "max-threads=1 ! videorate drop-only=true ! video/x-raw,framerate=1/1";
        let ffmpeg = |only: &str, filter: &str| {
            command(
                &format!(
                    "ffmpeg -nostdin -v error -threads 1 -rtsp_transport tcp {only} -i {url} -t {seconds} {filter} -q:v 5"
                ),
                &format!("{folder}/%05d.jpg"),
            )
        };
        let gstreamer = |decoder: &str| {
            command(
                &format!(
                    "gst-launch-1.0 -q rtspsrc location={url} protocols=tcp latency=0 ! rtph264depay ! h264parse ! {decoder} \
                 ! jpegenc quality=80 ! multifilesink"
                ),
                &format!("location={folder}/%05d.jpg"),
            )
        };
        match self {
            Self::Ffmpeg => ffmpeg("", "-vf fps=1"),
            Self::FfmpegKeyFrames => ffmpeg("-skip_frame nokey", "-fps_mode vfr"),
            Self::Gstreamer => gstreamer(&format!("avdec_h264 {every}")),
            Self::GstreamerKeyFrames => {
                gstreamer("identity drop-buffer-flags=delta-unit ! avdec_h264 max-threads=1")
            }
            Self::Ours | Self::OpenCv | Self::OpenCvGrab => {
                let grab = self == Self::OpenCvGrab;
                let mut python = opencv(if grab { "grab" } else { "snapshots" }, url);
                python.arg(seconds.to_string()).arg(folder.to_string());
                python
            }
        }
    }

    /// Whether it ends by itself after the seconds it was given; a tool that does not is stopped.
    pub fn ends(self) -> bool {
        !matches!(self, Self::Gstreamer | Self::GstreamerKeyFrames)
    }

    /// Writes the first picture to a file and ends; `None` for tools that are not compared in this.
    ///
    /// # Errors
    /// If this program does not know where it is.
    pub fn first_picture(self, url: &str, file: &Path) -> anyhow::Result<Option<Command>> {
        let file = file.display().to_string();
        let ffmpeg = |options: &str| {
            command(
                &format!(
                    "ffmpeg -y -nostdin -v error -rtsp_transport tcp {options} -i {url} -frames:v 1 -q:v 5"
                ),
                &file,
            )
        };
        Ok(Some(match self {
            Self::Ours => {
                let mut command = worker("first", url)?;
                command.arg(&file);
                command
            }
            Self::Ffmpeg => ffmpeg(""),
            Self::FfmpegKeyFrames => ffmpeg(
                "-fflags nobuffer -flags low_delay -probesize 32 -analyzeduration 0 -skip_frame nokey -threads 1",
            ),
            Self::GstreamerKeyFrames => command(
                &format!(
                    "gst-launch-1.0 -q rtspsrc location={url} protocols=tcp latency=0 ! rtph264depay wait-for-keyframe=true \
                     ! h264parse ! avdec_h264 max-threads=1 ! jpegenc snapshot=true ! filesink"
                ),
                &format!("location={file}"),
            ),
            Self::OpenCv => {
                let mut python = opencv("first", url);
                python.arg(&file);
                python
            }
            Self::Gstreamer | Self::OpenCvGrab => return Ok(None),
        }))
    }

    /// Someone who watches the stream meanwhile.
    pub(crate) fn viewer(url: &str) -> Command {
        command(
            &format!("ffmpeg -nostdin -v quiet -rtsp_transport tcp -i {url} -c copy -f null"),
            "-",
        )
    }

    /// Its name without spaces.
    pub(crate) fn slug(self) -> String {
        self.name().replace([',', ' '], "")
    }

    /// How long it may take for so many seconds of stream.
    pub fn limit(self, seconds: u64) -> Duration {
        let patience = if self.ends() { 30 } else { 0 };
        Duration::from_secs(seconds + patience)
    }
}

/// The versions of what is installed, one line each.
pub fn installed() -> Vec<String> {
    let ours = concat!("media-pipeline ", env!("CARGO_PKG_VERSION"));
    let peers = [
        &["ffmpeg", "-version"][..],
        &["gst-launch-1.0", "--version"],
        &[
            "python3",
            "-c",
            "import cv2; print('OpenCV', cv2.__version__)",
        ],
    ];
    let first_line = |command: &[&str]| {
        let output = quiet(command).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().next()?;
        // ffmpeg goes on with its copyright.
        Some(line.split(" Copyright").next()?.to_owned())
    };
    let peers = peers.into_iter().filter_map(first_line);
    [ours.to_owned()].into_iter().chain(peers).collect()
}

/// A command line without spaces in its words, and a last argument that may have some.
pub(crate) fn command(line: &str, last: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).arg(last);
    command
}

pub(crate) fn worker(what: &str, url: &str) -> anyhow::Result<Command> {
    let program = env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(program);
    command.args(["worker", what, url]);
    Ok(command)
}

fn opencv(what: &str, url: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("opencv_peer.py"));
    command.args([what, url]);
    command
}

fn quiet(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn succeeds(words: &[&str]) -> bool {
    let status = quiet(words).stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<String> {
        let word = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
        [word(command.get_program())]
            .into_iter()
            .chain(command.get_args().map(word))
            .collect()
    }

    #[test]
    fn a_folder_with_spaces_stays_one_argument() {
        let folder = Path::new("/tmp/my results");
        for tool in [Tool::Ffmpeg, Tool::GstreamerKeyFrames] {
            let commands = tool
                .snapshots("rtsp://127.0.0.1/x", 3, folder, 1)
                .expect("commands");
            let last = words(&commands[0]).pop().expect("arguments");
            assert!(last.ends_with("/tmp/my results/0/%05d.jpg"), "{last}");
        }
    }

    #[test]
    fn ours_serves_all_streams_in_one_process_and_the_others_in_one_each() {
        for tool in Tool::ALL {
            let commands = tool
                .snapshots("rtsp://127.0.0.1/x", 3, Path::new("/tmp"), 4)
                .expect("commands");
            let expected = if tool == Tool::Ours { 1 } else { 4 };
            assert_eq!(commands.len(), expected, "{}", tool.name());
        }
    }
}
