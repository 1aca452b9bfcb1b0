//! FFmpeg and GStreamer as clients of the virtual camera: every codec over every transport that they have.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use futures::future::join_all;
use interop::{GSTREAMER, installed};
use onvif_core::events::{MetadataDecoder, MetadataItem};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use url::Url;
use virtual_camera::{
    AudioCodec, Builder, Certificate, Recording, StreamSpec, VideoCodec, VirtualCamera,
    frame_number,
};

const FFMPEG: (&str, &[&str]) = ("sh", &["-c", "command -v ffmpeg ffprobe timeout"]);
/// For tools, which are slow where many run at once.
const SECONDS: &str = "40";
const DEADLINE: Duration = Duration::from_secs(20);

/// `main` and `sub` of H.264, and these: their numbers count from two.
fn builder() -> Builder {
    VirtualCamera::builder()
        .stream(
            StreamSpec::new("h265")
                .video(VideoCodec::H265)
                .audio(AudioCodec::Aac),
        )
        .stream(
            StreamSpec::new("jpeg")
                .video(VideoCodec::Jpeg)
                .audio(AudioCodec::Pcmu),
        )
        .stream(StreamSpec::new("told").metadata())
}

/// Runs a tool to its end, and gives back what it printed; an error is what it said.
async fn run(tool: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let (command, output) = start(tool, arguments).await;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command}: {}: {said}", output.status))
}

/// Runs a tool to its end: the command in words, and what came of it.
async fn start(tool: &str, arguments: &[&str]) -> (String, Output) {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let mut command = Command::new("timeout");
    command.args([SECONDS, tool]).args(arguments);
    let output = spawn_blocking(move || {
        let output = command.stdin(Stdio::null()).output().unwrap();
        (format!("{command:?}"), output)
    });
    output.await.unwrap()
}

/// What ffprobe says of a stream, a line for each track.
async fn probe(transport: &str, url: &str) -> String {
    let entries = "stream=codec_name,width,height,sample_rate";
    let arguments = [
        "-v",
        "error",
        "-rtsp_transport",
        transport,
        "-show_entries",
        entries,
        "-of",
        "csv=p=0",
        url,
    ];
    let printed = run("ffprobe", &arguments).await.unwrap();
    String::from_utf8(printed).unwrap()
}

/// The numbers in pictures of gray pixels.
fn numbers(pictures: &[u8], (width, height): (usize, usize)) -> Vec<Option<u32>> {
    let pictures = pictures.chunks_exact(width * height);
    pictures
        .map(|picture| frame_number(picture, width, height))
        .collect()
}

/// Checks that pictures follow each other in the steps of their stream, after the first few, which may lack a key frame.
#[track_caller]
fn follow(numbers: &[Option<u32>], step: u32, what: &str) {
    let from = numbers
        .iter()
        .position(Option::is_some)
        .unwrap_or(numbers.len());
    assert!(numbers.len() - from >= 10, "{what}: too few of {numbers:?}");
    for pair in numbers[from..].windows(2) {
        let expected = pair[0].map(|number| (number + step) % 150);
        assert_eq!(pair[1], expected, "{what}: {numbers:?}");
    }
}

/// Has FFmpeg decode so many pictures of a stream.
async fn decode(transport: &str, url: &str, size: (usize, usize), count: &str) -> Vec<Option<u32>> {
    let arguments = [
        "-v",
        "error",
        "-rtsp_transport",
        transport,
        "-i",
        url,
        "-map",
        "0:v",
        "-frames:v",
        count,
        "-vsync",
        "passthrough",
        "-pix_fmt",
        "gray",
        "-f",
        "rawvideo",
        "-",
    ];
    let pictures = run("ffmpeg", &arguments).await.unwrap();
    numbers(&pictures, size)
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_plays_every_codec_over_every_transport() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let camera = builder().start().await.unwrap();
    // What FFmpeg makes of H.265 before the first key frame, after two seconds, is gray.
    let streams = [
        (0, (1280, 720), 1, "15"),
        (2, (640, 360), 1, "45"),
        (3, (384, 216), 3, "12"),
    ];
    let tunnel = camera.tunnel_url(0).port().unwrap();
    let runs = streams.into_iter().flat_map(|(index, size, step, count)| {
        let url = camera.stream_url(index);
        let mut through_http = url.clone();
        through_http.set_port(Some(tunnel)).unwrap();
        [
            ("tcp", url.clone()),
            ("udp", url.clone()),
            ("http", url),
            ("http", through_http),
        ]
        .map(|(transport, url)| async move {
            let numbers = decode(transport, url.as_str(), size, count).await;
            follow(&numbers, step, &format!("{transport} {url}"));
        })
    });
    join_all(runs).await;

    for transport in ["tcp", "udp", "http"] {
        join_all(PROBED.map(|(index, tracks)| {
            let url = camera.stream_url(index);
            async move { has_tracks(transport, &url, tracks).await }
        }))
        .await;
    }
}

/// Streams by their index, with what ffprobe says of their tracks.
const PROBED: [(usize, [&str; 2]); 3] = [
    (0, ["h264,1280,720", ""]),
    (2, ["hevc,640,360", "aac,16000"]),
    (3, ["mjpeg,384,216", "pcm_mulaw,8000"]),
];

async fn has_tracks(transport: &str, url: &Url, tracks: [&str; 2]) {
    let probed = probe(transport, url.as_str()).await;
    let has_all = tracks.iter().all(|track| probed.contains(track));
    assert!(has_all, "{transport} {url}: {probed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_gets_in_by_digest_and_over_tls() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let camera = builder()
        .credentials("admin", "secret")
        .https(Certificate::SelfSigned)
        .start()
        .await
        .unwrap();
    let with_user = |mut url: Url| {
        url.set_username("admin").unwrap();
        url.set_password(Some("secret")).unwrap();
        url
    };
    for (index, tracks) in PROBED {
        let plain = with_user(camera.stream_url(index));
        let secure = with_user(camera.secure_stream_url(index).unwrap());
        let mut tunnel = plain.clone();
        tunnel.set_port(camera.tunnel_url(index).port()).unwrap();
        let runs = [
            ("tcp", &plain),
            ("udp", &plain),
            ("http", &plain),
            ("tcp", &secure),
            ("https", &tunnel),
        ];
        let probes = runs.map(|(transport, url)| has_tracks(transport, url, tracks));
        join_all(probes).await;
    }

    let refused = run("ffprobe", &["-v", "error", camera.stream_url(0).as_str()]).await;
    assert!(refused.unwrap_err().contains("401"));
}

/// What GStreamer decodes of so many packets, or pictures, of a track.
async fn gstreamer(
    url: &str,
    options: &[&str],
    media: &str,
    decoder: &str,
    buffers: u32,
) -> Vec<u8> {
    let format = match media {
        "video" => "videoconvert ! video/x-raw,format=GRAY8",
        _ => "audioconvert ! audio/x-raw,format=S16LE",
    };
    let branch = format!("{decoder} ! {format} ! identity eos-after={buffers} ! fdsink fd=1");
    let player = concat!(env!("CARGO_MANIFEST_DIR"), "/rtsp_player.py");
    let user = ["user-id=admin", "user-pw=secret", "latency=200"];
    let arguments = [&[player, url, media, &branch][..], &user, options].concat();
    run("/usr/bin/python3", &arguments).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn gstreamer_plays_every_codec_over_every_transport() {
    if !installed(&[GSTREAMER]) {
        return;
    }
    let camera = builder()
        .credentials("admin", "secret")
        .https(Certificate::SelfSigned)
        .start()
        .await
        .unwrap();
    let play = async |index, protocols, media, decoder, count| {
        let url = camera.stream_url(index).to_string();
        let (url, options) = match protocols {
            "http" => (url.replace("rtsp:", "rtsph:"), vec![]),
            "tls" => (
                url.replace("rtsp:", "rtsps:"),
                vec!["protocols=tcp", "tls-validation-flags=0"],
            ),
            "udp" => (url, vec!["protocols=udp"]),
            _ => (url, vec!["protocols=tcp"]),
        };
        gstreamer(&url, &options, media, decoder, count).await
    };
    let videos = [
        (
            0,
            "rtph264depay ! h264parse ! avdec_h264",
            (1280, 720),
            1,
            46,
        ),
        (
            2,
            "rtph265depay ! h265parse ! avdec_h265",
            (640, 360),
            1,
            46,
        ),
        (3, "rtpjpegdepay ! jpegdec", (384, 216), 3, 12),
    ];
    // One codec after the other: a dozen of pipelines that start at once take longer than a camera waits for TLS.
    for (index, decoder, size, step, count) in videos {
        let runs = ["tcp", "udp", "http", "tls"].map(async |protocols| {
            let pictures = play(index, protocols, "video", decoder, count).await;
            let what = format!("{protocols} {decoder}");
            follow(&numbers(&pictures, size), step, &what);
        });
        join_all(runs).await;
    }
    for (index, decoder) in [
        (2, "rtpmp4gdepay ! aacparse ! avdec_aac"),
        (3, "rtppcmudepay ! mulawdec"),
    ] {
        let runs = ["tcp", "udp", "http", "tls"].map(async |protocols| {
            let samples = play(index, protocols, "audio", decoder, 20).await;
            // It is a tone, and no silence.
            let loud = samples
                .chunks_exact(2)
                .map(|sample| i16::from_le_bytes([sample[0], sample[1]]).unsigned_abs());
            assert!(loud.max().unwrap() > 3000, "{protocols} {decoder}");
        });
        join_all(runs).await;
    }
}

/// The recording of a path, when its publisher is gone.
async fn recorded(camera: &VirtualCamera, path: &str) -> Recording {
    let found = async {
        loop {
            let recordings = camera.recordings();
            if let Some(found) = recordings
                .into_iter()
                .find(|it| it.path == path && !it.is_live)
            {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, found).await.unwrap()
}

/// The NAL units of a byte stream.
fn nal_units(stream: &[u8]) -> Vec<&[u8]> {
    let codes = stream
        .windows(3)
        .enumerate()
        .filter(|(_, code)| *code == [0, 0, 1]);
    let starts: Vec<usize> = codes.map(|(at, _)| at + 3).collect();
    let ends = starts
        .iter()
        .skip(1)
        .map(|next| next - 3)
        .chain([stream.len()]);
    let units = starts
        .iter()
        .zip(ends)
        .map(|(start, end)| &stream[*start..end]);
    // The first zero of a long start code.
    units
        .map(|unit| unit.strip_suffix(&[0]).unwrap_or(unit))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_publishes_and_plays_what_it_published() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let camera = builder()
        .credentials("admin", "secret")
        .start()
        .await
        .unwrap();
    let port = camera.stream_url(0).port().unwrap();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../virtual-camera/assets/clip.h264");
    let clip = clip.to_str().unwrap();
    for transport in ["tcp", "udp"] {
        let url = format!("rtsp://admin:secret@127.0.0.1:{port}/in/{transport}");
        let arguments = [
            "-v",
            "error",
            "-re",
            "-r",
            "15",
            "-f",
            "h264",
            "-i",
            clip,
            "-c",
            "copy",
            "-t",
            "3",
            "-f",
            "rtsp",
            "-rtsp_transport",
            transport,
            &url,
        ];
        run("ffmpeg", &arguments).await.unwrap();
        let recording = recorded(&camera, &format!("/in/{transport}")).await;
        assert!(recording.sdp.contains("H264/90000"), "{}", recording.sdp);
        let [track] = &recording.tracks[..] else {
            panic!("not one track");
        };
        assert!(!track.reports.is_empty());
        let units = track.access_units();
        assert!((40..=46).contains(&units.len()), "{} pictures", units.len());
        // Byte for byte what was published.
        let (file, stream) = (std::fs::read(clip).unwrap(), units.concat());
        let (published, received) = (nal_units(&file), nal_units(&stream));
        assert!(received.len() >= units.len());
        assert_eq!(received, published[..received.len()]);

        let played = decode("tcp", &url, (1280, 720), "15").await;
        assert_eq!(played[0], Some(0));
        follow(&played, 1, transport);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_stream_is_read_as_notifications() {
    let camera = builder().start().await.unwrap();
    let url = camera.stream_url(4);
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap()))
        .await
        .unwrap();
    let setup = format!(
        "SETUP {url}/trackID=2 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n"
    );
    stream.write_all(setup.as_bytes()).await.unwrap();
    let mut head = vec![0; 4096];
    let length = stream.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    let session = head
        .split("Session: ")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let play = format!("PLAY {url} RTSP/1.0\r\nCSeq: 2\r\nSession: {session}\r\n\r\n");
    stream.write_all(play.as_bytes()).await.unwrap();

    let mut decoder = MetadataDecoder::default();
    let mut told = Vec::new();
    let reading = async {
        // Past the answer to PLAY.
        while stream.read_u8().await.unwrap() != b'$' {}
        let mut is_first = true;
        loop {
            if !is_first {
                assert_eq!(stream.read_u8().await.unwrap(), b'$');
            }
            is_first = false;
            let channel = stream.read_u8().await.unwrap();
            let mut packet = vec![0; stream.read_u16().await.unwrap().into()];
            stream.read_exact(&mut packet).await.unwrap();
            if channel != 0 {
                continue;
            }
            for item in decoder.push(&packet[12..], SystemTime::now()) {
                let MetadataItem::Notification(notification) = item else {
                    continue;
                };
                let first = told.is_empty();
                told.push(notification.topic.clone());
                if first {
                    camera.set_motion(true);
                }
            }
            if told
                .iter()
                .filter(|topic| topic.contains("MotionAlarm"))
                .count()
                == 2
            {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, reading).await.unwrap();
    // The state of three properties, and the change of one or more.
    assert!(told.len() >= 4 && decoder.lost() == 0, "{told:?}");
}
