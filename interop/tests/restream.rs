//! Streams that are published to media servers of others: what they receive is what the file holds, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use interop::{
    FFMPEG, GSTREAMER, Process, free_port, gstreamer_records, gstreamer_with, installed,
};
use media_pipeline::{
    Credentials, FileOptions, FileSource, Hub, HubOptions, Restream, RestreamOptions, RtspOptions,
    RtspSource, Tracks,
};
use tokio::time::{interval, timeout};

const DEADLINE: Duration = Duration::from_secs(60);

/// What is published: ffmpeg's options, and the names of its format and of GStreamer's elements.
struct Published {
    encode: &'static [&'static str],
    format: &'static [&'static str],
    depay: &'static str,
    /// Takes the coded pictures out of a byte stream.
    pictures: fn(&[u8]) -> Vec<Vec<u8>>,
}

const H264: Published = Published {
    encode: &[
        "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25",
    ],
    format: &["-bsf:v", "h264_mp4toannexb", "-f", "h264"],
    depay: "rtph264depay name=depay0 ! video/x-h264,stream-format=byte-stream",
    pictures: |data| slices(data, |header| matches!(header & 0x1f, 1..=5)),
};
const H265: Published = Published {
    encode: &[
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-tag:v",
        "hvc1",
        "-x265-params",
        "keyint=25:min-keyint=25:bframes=2:log-level=none",
    ],
    format: &["-bsf:v", "hevc_mp4toannexb", "-f", "hevc"],
    depay: "rtph265depay name=depay0 ! video/x-h265,stream-format=byte-stream",
    pictures: |data| slices(data, |header| header >> 1 & 0x3f < 32),
};
/// Three seconds of picture and sound in a file.
fn make(folder: &Path, published: &Published) -> std::path::PathBuf {
    let file = folder.join("published.mp4");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]);
    command.args(["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25"]);
    command.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]);
    command.args(["-t", "3", "-pix_fmt", "yuv420p"]);
    command
        .args(published.encode)
        .args(["-c:a", "aac"])
        .arg(&file);
    assert!(command.status().unwrap().success(), "{command:?}");
    file
}

/// Plays a file in real time, for ever, and publishes it.
fn publish(file: &Path, mut options: RestreamOptions) -> Restream {
    let delay = Duration::from_millis(50);
    options.first_delay = delay;
    options.longest_delay = delay;
    let hub = HubOptions {
        first_delay: delay,
        longest_delay: delay,
        ..HubOptions::default()
    };
    let source = FileSource::new(FileOptions::new(file)).unwrap();
    Hub::new(Arc::new(source), hub).restream(options).unwrap()
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let waiting = async {
        let mut ticks = interval(Duration::from_millis(50));
        while !is() {
            ticks.tick().await;
        }
    };
    timeout(DEADLINE, waiting)
        .await
        .unwrap_or_else(|_| panic!("not {what} in time"));
}

fn ffmpeg(file: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-i"]).arg(file);
    let output = command.args(arguments).arg("-").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "", "{command:?}");
    output.stdout
}

fn video(file: &Path, published: &Published) -> Vec<u8> {
    ffmpeg(
        file,
        &[&["-map", "0:v", "-c", "copy"], published.format].concat(),
    )
}

fn sound(file: &Path) -> Vec<u8> {
    ffmpeg(file, &["-map", "0:a", "-c", "copy", "-f", "adts"])
}

/// The coded pictures of a byte stream.
fn slices(data: &[u8], is_slice: impl Fn(u8) -> bool) -> Vec<Vec<u8>> {
    let starts: Vec<_> = (0..data.len().saturating_sub(2))
        .filter(|&i| data[i..i + 3] == [0, 0, 1])
        .collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    let nals = starts.iter().zip(ends).map(|(&start, end)| {
        let nal = &data[start + 3..end];
        nal[..nal.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1)].to_vec()
    });
    nals.filter(|nal| is_slice(nal[0])).collect()
}

/// What is coded of JPEG pictures: RTP leaves the headers to the receiver.
fn scans(data: &[u8]) -> Vec<Vec<u8>> {
    let find = |from: usize, marker: u8| {
        let found =
            (from..data.len().saturating_sub(1)).find(|&i| data[i..i + 2] == [0xff, marker]);
        found.map(|at| at + 2)
    };
    let mut scans = Vec::new();
    let mut at = 0;
    while let Some(header) = find(at, 0xda)
        && let Some(end) = find(header, 0xd9)
    {
        let length = usize::from(u16::from_be_bytes([data[header], data[header + 1]]));
        scans.push(data[header + length..end].to_vec());
        at = end;
    }
    scans
}

fn url(scheme: &str, port: u16) -> RestreamOptions {
    let url = format!("{scheme}://127.0.0.1:{port}/live/gate");
    RestreamOptions::new(url.parse().unwrap())
}

/// GStreamer's server writes video as a byte stream and sound as bare frames.
async fn gstreamer_receives(published: &Published, secure: bool) {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = make(folder.path(), published);
    let (pictures, frames) = (folder.path().join("video"), folder.path().join("audio"));
    let sink = "filesink sync=false async=false buffer-mode=unbuffered location";
    let launch = format!(
        "{} ! {sink}={} rtpmp4gdepay name=depay1 ! {sink}={}",
        published.depay,
        pictures.display(),
        frames.display()
    );
    let port = free_port();
    let mount = ("/live/gate", launch.as_str());
    let mut options = url("rtsp", port);
    let _server = if secure {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(["127.0.0.1".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let paths = (folder.path().join("tls.pem"), folder.path().join("tls.key"));
        fs::write(&paths.0, certificate.pem()).unwrap();
        fs::write(&paths.1, key.serialize_pem()).unwrap();
        options = url("rtsps", port);
        options.tls.extra_roots = certificate.pem().into();
        options.credentials = Some(Credentials::new("publisher", "s3cret"));
        let tls = Some((paths.0.as_path(), paths.1.as_path()));
        gstreamer_records(port, mount, Some(("publisher", "s3cret")), tls)
    } else {
        gstreamer_records(port, mount, None, None)
    };
    let restream = publish(&file, options);
    let sent = (published.pictures)(&video(&file, published));
    let received = || (published.pictures)(&fs::read(&pictures).unwrap_or_default());
    // One more, which shows that the last of the file is whole.
    until("received", || received().len() > sent.len()).await;
    assert!(
        received().starts_with(&sent),
        "the pictures are not what was published"
    );

    let bare: Vec<u8> = adts_frames(&sound(&file)).concat();
    let heard = || fs::read(&frames).unwrap_or_default();
    until("heard", || heard().len() >= bare.len()).await;
    assert!(
        heard().starts_with(&bare),
        "the sound is not what was published"
    );
    let counters = restream.counters();
    assert_eq!((counters.sessions, counters.lost), (1, 0), "{counters:?}");
    restream.close().await;
}

/// The frames without their headers of seven bytes.
fn adts_frames(mut data: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let [_, _, _, a, b, c, _, ..] = *data {
        let length = usize::from(a & 3) << 11 | usize::from(b) << 3 | usize::from(c >> 5);
        frames.push(data[7..length].to_vec());
        data = &data[length..];
    }
    frames
}

/// ffmpeg as a server writes video and sound into files of their own, and ends when the session is ended.
async fn ffmpeg_receives(published: &Published) {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = make(folder.path(), published);
    let (pictures, frames) = (folder.path().join("video"), folder.path().join("audio"));
    let port = free_port();
    let mut command = Command::new("ffmpeg");
    command.args([
        "-nostdin",
        "-v",
        "error",
        "-y",
        "-rtsp_flags",
        "listen",
        "-i",
    ]);
    command.arg(format!("rtsp://127.0.0.1:{port}/live/gate"));
    let format = published.format.last().unwrap();
    command
        .args(["-map", "0:v", "-c", "copy", "-f", format])
        .arg(&pictures);
    command
        .args(["-map", "0:a", "-c", "copy", "-f", "adts"])
        .arg(&frames);
    let mut server = Process::start(&mut command);
    let restream = publish(&file, url("rtsp", port));
    until("published twice", || restream.counters().gaps > 0).await;
    restream.close().await;
    until("told of the end", || server.has_ended()).await;

    let sent = (published.pictures)(&video(&file, published));
    let received = (published.pictures)(&fs::read(&pictures).unwrap());
    assert!(
        received.len() >= sent.len(),
        "{} of {}",
        received.len(),
        sent.len()
    );
    assert!(
        received.starts_with(&sent),
        "the pictures are not what was published"
    );
    let sent = adts_frames(&sound(&file));
    let received = adts_frames(&fs::read(&frames).unwrap());
    assert!(
        received.starts_with(&sent),
        "{} of {}",
        received.len(),
        sent.len()
    );
}

#[tokio::test]
async fn gstreamer_receives_h264_with_b_frames_and_aac() {
    gstreamer_receives(&H264, false).await;
}

#[tokio::test]
async fn gstreamer_receives_h265_and_aac() {
    gstreamer_receives(&H265, false).await;
}

#[tokio::test]
async fn gstreamer_receives_jpeg() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let played = folder.path().join("played");
    fs::create_dir(&played).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-f", "lavfi", "-i"]);
    command.args(["testsrc2=size=640x360:rate=25", "-frames:v", "30"]);
    command.args(["-pix_fmt", "yuvj420p", "-huffman", "default"]);
    let made = command.arg(played.join("%02d.jpg")).status().unwrap();
    assert!(made.success());
    let mut files: Vec<_> = fs::read_dir(&played)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let sent: Vec<_> = files
        .iter()
        .flat_map(|file| scans(&fs::read(file).unwrap()))
        .collect();
    assert_eq!(sent.len(), 30);

    let received = folder.path().join("received");
    let launch = format!(
        "rtpjpegdepay name=depay0 ! filesink sync=false async=false buffer-mode=unbuffered location={}",
        received.display()
    );
    let port = free_port();
    let _server = gstreamer_records(port, ("/live/gate", &launch), None, None);
    let restream = publish(&played, url("rtsp", port));
    let came = || scans(&fs::read(&received).unwrap_or_default());
    until("received", || came().len() > sent.len()).await;
    assert!(
        came().starts_with(&sent),
        "the pictures are not what was published"
    );
    restream.close().await;
}

/// From the session with a camera to the session with a media server, both GStreamer's.
#[tokio::test]
async fn what_comes_from_a_camera_is_what_a_media_server_receives() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    for (published, parse, pay) in [
        (&H264, "h264parse", "rtph264pay"),
        (&H265, "h265parse", "rtph265pay"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = make(folder.path(), published);
        let (pictures, frames) = (folder.path().join("video"), folder.path().join("audio"));
        let camera = format!(
            "filesrc location={} ! qtdemux name=d d.video_0 ! queue ! {parse} ! {pay} name=pay0 pt=96 config-interval=-1 \
             d.audio_0 ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97",
            file.display()
        );
        let sink = "filesink sync=false async=false buffer-mode=unbuffered location";
        let server = format!(
            "{} ! {sink}={} rtpmp4gdepay name=depay1 ! {sink}={}",
            published.depay,
            pictures.display(),
            frames.display()
        );
        let port = free_port();
        let arguments = [
            "--mount",
            "/camera",
            &camera,
            "--record",
            "/live/gate",
            &server,
        ];
        let _server = gstreamer_with(port, 320, 180, &arguments);
        let camera = format!("rtsp://127.0.0.1:{port}/camera").parse().unwrap();
        let mut source = RtspOptions::new(camera);
        source.tracks = Tracks::VideoAndAudio;
        let source = RtspSource::new(source).unwrap();
        let hub = Hub::new(Arc::new(source), HubOptions::default());
        let restream = hub.restream(url("rtsp", port)).unwrap();
        let sent = (published.pictures)(&video(&file, published));
        let received = || (published.pictures)(&fs::read(&pictures).unwrap_or_default());
        // The camera begins anew after its last picture.
        until("received", || received().len() > sent.len()).await;
        // It begins with the group that is on when all tracks are known.
        let received = received();
        let begin = sent.iter().position(|picture| *picture == received[0]);
        let rounds = sent
            .iter()
            .cycle()
            .skip(begin.expect("a picture of the file"));
        assert!(
            rounds.zip(&received[..sent.len()]).all(|(a, b)| a == b),
            "the pictures are not those of the camera"
        );
        let bare = adts_frames(&sound(&file)).concat();
        let heard = fs::read(&frames).unwrap();
        let begin = bare.windows(64).position(|window| window == &heard[..64]);
        let rest = &bare[begin.expect("a frame of the file")..];
        // The camera ends with its last picture, whatever there is of sound.
        assert!(heard.starts_with(&rest[..rest.len() * 2 / 3]), "the sound");
        assert_eq!(restream.counters().lost, 0, "{:?}", restream.counters());
        restream.close().await;
    }
}

#[tokio::test]
async fn gstreamer_receives_over_tls_with_digest() {
    gstreamer_receives(&H264, true).await;
}

#[tokio::test]
async fn ffmpeg_receives_h264_with_b_frames_and_aac() {
    ffmpeg_receives(&H264).await;
}

#[tokio::test]
async fn ffmpeg_receives_h265_and_aac() {
    ffmpeg_receives(&H265).await;
}
