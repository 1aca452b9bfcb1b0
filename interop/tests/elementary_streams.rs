//! Whole elementary streams on their way from a file through GStreamer's RTSP server into clips and on to a media server:
//! parameter sets, delimiters and supplemental information as well as pictures, byte for byte.
//!
//! GStreamer's server sends every NAL unit of these files as it is, as long as its payloader is not told to repeat parameter
//! sets (`config-interval`). RTP carries no start codes: every receiver puts its own, of four bytes. So all is compared with
//! what ffmpeg receives from the same server, byte for byte, and that with the file, NAL unit for NAL unit. JPEG pictures
//! lose their headers in RTP (RFC 2435); they are compared on the way from a file, and in `clips.rs` without headers.
//!
//! What is not byte for byte, by intent: key frames whose parameter sets are only in the description get them, those that
//! repeat them within one access unit have them once, and those that repeat them between key frames, unchanged, have them at
//! key frames alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use interop::{FFMPEG, GSTREAMER, free_port, gstreamer_with, installed};
use media_pipeline::{
    Clip, ClipOptions, Container, FileOptions, FileSource, Hub, HubOptions, RestreamOptions,
    RtspOptions, RtspSource, Tracks,
};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{interval, timeout};

const DEADLINE: Duration = Duration::from_secs(60);
const PICTURE: &str = "-f lavfi -i testsrc2=size=320x180:rate=25";
const SOUND: &str = "-f lavfi -i sine=frequency=440:sample_rate=48000";
/// Key frames are a second apart; what is played lasts five.
const LASTS: &str = "-t 5 -pix_fmt yuv420p -g 25 -keyint_min 25 -sc_threshold 0";

/// A byte stream with everything that there is beside pictures.
struct Stream {
    encode: &'static str,
    /// ffmpeg's name of the format.
    format: &'static str,
    /// Types of NAL units that are parameter sets, for ffmpeg.
    sets: &'static str,
    kind: fn(u8) -> u8,
    delimiter: u8,
    pay: &'static str,
    depay: &'static str,
}

const H264: Stream = Stream {
    encode: "-c:v libx264 -preset veryfast -bf 2 -b:v 300k -maxrate 300k -bufsize 300k \
             -x264opts aud=1:slices=2:pic-struct=1:nal-hrd=vbr",
    format: "h264",
    sets: "7-8",
    kind: |header| header & 0x1f,
    delimiter: 9,
    pay: "h264parse ! queue ! rtph264pay name=pay0 pt=96",
    depay: "rtph264depay name=depay0 ! video/x-h264,stream-format=byte-stream",
};
const H264_WITHOUT_B: Stream = Stream {
    encode: "-c:v libx264 -preset veryfast -bf 0 -x264opts aud=1:slices=2:pic-struct=1",
    ..H264
};
/// The transport and program streams of MPEG need delimiters, and get them (ISO 13818-1 section 2.14.1).
const H264_WITHOUT_DELIMITERS: Stream = Stream {
    encode: "-c:v libx264 -preset veryfast -bf 2",
    ..H264
};
const H265: Stream = Stream {
    encode: "-c:v libx265 -preset ultrafast -x265-params \
             keyint=25:min-keyint=25:scenecut=0:open-gop=0:bframes=2:log-level=none:aud=1:repeat-headers=1:\
             hrd=1:vbv-maxrate=300:vbv-bufsize=300",
    format: "hevc",
    sets: "32-34",
    kind: |header| header >> 1 & 0x3f,
    delimiter: 35,
    pay: "h265parse ! queue ! rtph265pay name=pay0 pt=96",
    depay: "rtph265depay name=depay0 ! video/x-h265,stream-format=byte-stream",
};
/// Key frames after the first are clean random access pictures, whose leading pictures refer to those before.
const H265_OPEN: Stream = Stream {
    encode: "-c:v libx265 -preset ultrafast -x265-params \
             keyint=25:min-keyint=25:scenecut=0:open-gop=1:bframes=3:log-level=none:aud=1:repeat-headers=1",
    ..H265
};

/// Runs ffmpeg; returns what it writes to its output. It has nothing to complain about.
fn ffmpeg(arguments: &str, file: &Path, rest: &str) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]);
    command.args(arguments.split_whitespace()).arg(file);
    let output = command.args(rest.split_whitespace()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}

/// The video of a file as it is, after a step of ffmpeg's.
fn video(file: &Path, stream: &Stream, filter: &str) -> Vec<u8> {
    let input = if file.extension().is_some_and(|kind| kind == "raw") {
        format!("-f {} -i", stream.format)
    } else {
        "-i".to_owned()
    };
    let format = stream.format;
    let rest = format!("-map 0:v -c copy {filter} -f {format} -");
    ffmpeg(&input, file, &rest)
}

/// The NAL units of a byte stream.
fn nals(data: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<_> = (0..data.len().saturating_sub(2))
        .filter(|&i| data[i..i + 3] == [0, 0, 1])
        .collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    let nals = starts.iter().zip(ends).map(|(&start, end)| {
        let nal = &data[start + 3..end];
        &nal[..nal.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1)]
    });
    nals.collect()
}

fn kinds(data: &[u8], stream: &Stream) -> Vec<u8> {
    nals(data).iter().map(|nal| (stream.kind)(nal[0])).collect()
}

/// The distinct parameter sets.
fn sets(data: &[u8], stream: &Stream) -> Vec<Vec<u8>> {
    let (first, last) = stream.sets.split_once('-').unwrap();
    let range = first.parse().unwrap()..=last.parse().unwrap();
    let sets = nals(data).into_iter();
    let sets = sets.filter(|nal| range.contains(&(stream.kind)(nal[0])));
    let mut sets: Vec<_> = sets.map(<[u8]>::to_vec).collect();
    sets.sort();
    sets.dedup();
    sets
}

/// Where `part` begins in the whole; both are compared byte for byte.
fn position(part: &[u8], whole: &[u8]) -> Option<usize> {
    let last = whole.len().checked_sub(part.len())?;
    (0..=last).find(|&at| !part.is_empty() && whole[at..].starts_with(part))
}

/// The same picture parameter set under number 1 instead of 0, whose code is two bits longer.
fn second_set(pps: &[u8]) -> Vec<u8> {
    let bits = pps[1..]
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let mut bits: Vec<_> = [0, 1, 0].into_iter().chain(bits.skip(1)).collect();
    let stop = bits.iter().rposition(|&bit| bit == 1).unwrap();
    bits.truncate(stop + 1);
    bits.resize(bits.len().next_multiple_of(8), 0);
    let bytes = bits.chunks(8);
    let bytes = bytes.map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit));
    [pps[0]].into_iter().chain(bytes).collect()
}

/// Plays files as a camera, and has a media server write what is published to it.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
    _process: interop::Process,
}

impl Server {
    fn start(stream: &Stream) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("played.ts");
        let encode = format!("{PICTURE} {SOUND} {LASTS} {} -c:a aac", stream.encode);
        ffmpeg(&encode, &file, "");
        let played = format!(
            "filesrc location={} ! tsdemux name=d d. ! {} d. ! aacparse ! queue ! rtpmp4gpay name=pay1 pt=97",
            file.display(),
            stream.pay,
        );
        Self::play(folder, &played, stream)
    }

    /// Plays what the pipeline makes of files in the folder.
    fn play(folder: tempfile::TempDir, played: &str, stream: &Stream) -> Self {
        let sink = "filesink sync=false async=false buffer-mode=unbuffered location";
        let written = format!(
            "{} ! {sink}={}",
            stream.depay,
            folder.path().join("published").display()
        );
        let port = free_port();
        let arguments = ["--mount", "/played", played, "--record", "/live", &written];
        let process = gstreamer_with(port, 320, 180, &arguments);
        Self {
            folder,
            port,
            _process: process,
        }
    }

    fn hub(&self, tracks: Tracks) -> Hub {
        let url = format!("rtsp://127.0.0.1:{}/played", self.port);
        let mut options = RtspOptions::new(url.parse().unwrap());
        options.tracks = tracks;
        let source = RtspSource::new(options).unwrap();
        Hub::new(Arc::new(source), HubOptions::default())
    }

    /// What ffmpeg receives, which is what the file holds.
    fn sent(&self, stream: &'static Stream) -> JoinHandle<Vec<u8>> {
        let folder = self.folder.path().to_owned();
        let url = format!("rtsp://127.0.0.1:{}/played", self.port);
        spawn_blocking(move || {
            let file = folder.join("received.raw");
            let format = stream.format;
            let input = format!("-rtsp_transport tcp -i {url} -map 0:v -c copy -f {format}");
            ffmpeg(&input, &file, "");
            let received = fs::read(file).unwrap();
            let raw = fs::read(folder.join("played.h264"));
            let played = raw.unwrap_or_else(|_| video(&folder.join("played.ts"), stream, ""));
            assert_eq!(kinds(&received, stream), kinds(&played, stream));
            assert!(nals(&received) == nals(&played));
            received
        })
    }
}

async fn record(hub: &Hub, folder: &Path, containers: &[Container]) -> Vec<Clip> {
    let clips = containers.iter().map(|&container| {
        let mut options = ClipOptions::new(folder.join(format!("{container:?}")));
        options.duration = Duration::from_millis(1_900);
        options.container = container;
        options.min_free = 0;
        let hub = hub.clone();
        async move { hub.clip(&options).await.unwrap() }
    });
    timeout(DEADLINE, futures::future::join_all(clips))
        .await
        .unwrap()
}

/// MP4, Matroska and FLV hold parameter sets in their headers (ISO 14496-15, for `avc1` and `hvc1` nowhere else). ffmpeg puts
/// them back, not where they were: they are compared as what they are, and all else after the same steps of ffmpeg's.
fn assert_holds(clip: &Clip, sent: &[u8], raw: &Path, stream: &Stream) {
    let label = clip.path.display();
    if matches!(
        clip.container,
        Container::Avi | Container::Mts | Container::Mpeg
    ) {
        let (mut recorded, mut sent) = (video(&clip.path, stream, ""), sent.to_vec());
        if !kinds(&sent, stream).contains(&stream.delimiter) {
            let without = format!("-bsf:v filter_units=remove_types={}", stream.delimiter);
            recorded = video(&clip.path, stream, &without);
            sent = video(raw, stream, &without);
        }
        let at = position(&recorded, &sent);
        assert!(
            at.is_some(),
            "{label}: {:?} of {:?}",
            &kinds(&recorded, stream)[..20],
            &kinds(&sent, stream)[..20]
        );
        return;
    }
    let back = format!("-bsf:v {}_mp4toannexb", stream.format);
    let recorded = video(&clip.path, stream, &back);
    assert!(
        sets(&recorded, stream) == sets(sent, stream),
        "{label}: parameter sets"
    );
    let without = format!("{back},filter_units=remove_types={}", stream.sets);
    let recorded = video(&clip.path, stream, &without);
    let sent = video(raw, stream, &without);
    assert!(
        position(&recorded, &sent).is_some(),
        "{label}: {:?} of {:?}",
        &kinds(&recorded, stream)[..20],
        &kinds(&sent, stream)[..20]
    );
}

async fn assert_recorded(stream: &'static Stream, containers: &[Container]) {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let server = Server::start(stream);
    let folder = server.folder.path();
    let sent = server.sent(stream);
    let clips = record(&server.hub(Tracks::All), folder, containers).await;
    let sent = sent.await.unwrap();
    let sound = ffmpeg(
        "-i",
        &folder.join("played.ts"),
        "-map 0:a -c copy -f adts -",
    );
    for clip in clips {
        assert_holds(&clip, &sent, &folder.join("received.raw"), stream);
        let heard = ffmpeg("-i", &clip.path, "-map 0:a -c copy -f adts -");
        assert!(heard.len() > 4_000 && position(&heard, &sound).is_some());
    }
}

#[tokio::test]
async fn clips_of_h264_hold_what_was_sent() {
    let containers = [
        Container::Mp4,
        Container::PlainMp4,
        Container::Mkv,
        Container::Mts,
        Container::Mpeg,
        Container::Flv,
    ];
    assert_recorded(&H264, &containers).await;
}

#[tokio::test]
async fn clips_of_h264_without_b_frames_hold_what_was_sent_as_avi_too() {
    assert_recorded(&H264_WITHOUT_B, &[Container::Avi, Container::Mts]).await;
}

#[tokio::test]
async fn clips_of_h265_hold_what_was_sent() {
    let containers = [
        Container::Mp4,
        Container::PlainMp4,
        Container::Mkv,
        Container::Mts,
        Container::Mpeg,
    ];
    assert_recorded(&H265, &containers).await;
    assert_recorded(&H265_OPEN, &[Container::Mp4, Container::Mts]).await;
}

/// As of encoders that weight predictions: each PPS for some of the pictures.
#[tokio::test]
async fn clips_of_h264_with_two_picture_parameter_sets_hold_both() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let stream: &'static Stream = &H264_WITHOUT_B;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.h264");
    let encode = format!("{PICTURE} {LASTS} {} -f h264", stream.encode);
    ffmpeg(&encode, &file, "");
    let mut played = Vec::new();
    for nal in nals(&fs::read(&file).unwrap()) {
        played.extend([&[0, 0, 0, 1], nal].concat());
        if (stream.kind)(nal[0]) == 8 {
            played.extend([&[0, 0, 0, 1], &second_set(nal)[..]].concat());
        }
    }
    fs::write(&file, played).unwrap();
    let launch = format!(
        "filesrc location={} ! h264parse ! video/x-h264,framerate=25/1 ! rtph264pay name=pay0 pt=96",
        file.display()
    );
    let server = Server::play(folder, &launch, stream);
    let sent = server.sent(stream);
    let folder = server.folder.path();
    let containers = [Container::Mp4, Container::Mkv, Container::Mts];
    let clips = record(&server.hub(Tracks::Video), folder, &containers).await;
    let sent = sent.await.unwrap();
    assert_eq!(sets(&sent, stream).len(), 3);
    for clip in clips {
        assert_holds(&clip, &sent, &folder.join("received.raw"), stream);
    }
}

/// Files have no way in between: their start codes stay, too.
#[tokio::test]
async fn clips_of_files_hold_what_is_in_the_files() {
    if !installed(&[FFMPEG]) {
        return;
    }
    for (stream, containers) in [
        (&H264, &[Container::Mp4, Container::Mkv, Container::Mts][..]),
        (&H264_WITHOUT_B, &[Container::Avi, Container::Mpeg]),
        (
            &H264_WITHOUT_DELIMITERS,
            &[Container::Mp4, Container::Mts, Container::Mpeg],
        ),
        (&H265, &[Container::Mp4, Container::Mkv, Container::Mts]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("played.{}", stream.format);
        let (file, raw) = (folder.path().join(name), folder.path().join("played.raw"));
        let encode = format!("{PICTURE} {LASTS} {} -f {}", stream.encode, stream.format);
        ffmpeg(&encode, &file, "");
        fs::copy(&file, &raw).unwrap();
        let source = FileSource::new(FileOptions::new(&file)).unwrap();
        let hub = Hub::new(Arc::new(source), HubOptions::default());
        for clip in record(&hub, folder.path(), containers).await {
            assert_holds(&clip, &fs::read(&raw).unwrap(), &raw, stream);
        }
    }
}

#[tokio::test]
async fn clips_of_jpeg_files_hold_the_files() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let played = folder.path().join("played");
    fs::create_dir(&played).unwrap();
    let encode = format!("{PICTURE} -frames:v 75 -pix_fmt yuvj420p -c:v mjpeg -q:v 5");
    ffmpeg(&encode, &played.join("%03d.jpg"), "");
    let files = (1..=75).map(|number| fs::read(played.join(format!("{number:03}.jpg"))).unwrap());
    let whole = files.collect::<Vec<_>>().concat();
    let source = FileSource::new(FileOptions::new(&played)).unwrap();
    let hub = Hub::new(Arc::new(source), HubOptions::default());
    let containers = [
        Container::Mp4,
        Container::PlainMp4,
        Container::Mkv,
        Container::Avi,
        Container::Mjpeg,
    ];
    for clip in record(&hub, folder.path(), &containers).await {
        let recorded = if clip.container == Container::Mjpeg {
            fs::read(&clip.path).unwrap()
        } else {
            ffmpeg("-i", &clip.path, "-c copy -f mjpeg -")
        };
        assert!(
            position(&recorded, &whole).is_some(),
            "{}",
            clip.path.display()
        );
    }
}

async fn assert_published(stream: &'static Stream) {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let server = Server::start(stream);
    let sent = server.sent(stream);
    let url = format!("rtsp://127.0.0.1:{}/live", server.port);
    let mut options = RestreamOptions::new(url.parse().unwrap());
    options.audio = false;
    let restream = server.hub(Tracks::Video).restream(options).unwrap();
    let sent = sent.await.unwrap();
    let file = server.folder.path().join("published");
    let waiting = async {
        let mut ticks = interval(Duration::from_millis(50));
        // About four of the five seconds.
        while fs::metadata(&file).map_or(0, |file| file.len()) < sent.len() as u64 * 4 / 5 {
            ticks.tick().await;
        }
    };
    timeout(DEADLINE, waiting).await.unwrap();
    restream.close().await;
    let published = fs::read(&file).unwrap();
    // GStreamer's receiver begins with the parameter sets of the announcement.
    let begin = (0..published.len()).find(|&at| {
        published[at..].starts_with(&[0, 0, 0, 1])
            && (stream.kind)(published[at + 4]) == stream.delimiter
    });
    let begin = begin.expect("a delimiter");
    let announced = nals(&published[..begin]).len();
    assert!((2..=3).contains(&announced), "{announced}");
    // It may write on after the first round of what is played.
    let rest = &published[begin..];
    let rest = &rest[..rest.len().min(sent.len() * 3 / 5)];
    let at = position(&rest[..1_000], &sent).expect("a group of pictures that was sent");
    let both = rest.len().min(sent.len() - at);
    assert!(both > sent.len() / 2 && rest[..both] == sent[at..at + both]);
}

#[tokio::test]
async fn a_media_server_receives_h264_as_it_was_sent() {
    assert_published(&H264).await;
}

#[tokio::test]
async fn a_media_server_receives_h265_as_it_was_sent() {
    assert_published(&H265).await;
    assert_published(&H265_OPEN).await;
}
