//! Clips of what GStreamer's RTSP server plays, judged by ffprobe and compared with the files that were played.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use interop::{FFMPEG, GSTREAMER, free_port, gstreamer_mounts, installed};
use media_pipeline::{
    Clip, ClipEnd, ClipOptions, Codec, Container, Error, FileOptions, FileSource, Hub, HubOptions,
    Pace, RtspOptions, RtspSource, Source as _, Tracks,
};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);
const PICTURE: &[&str] = &["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"];
const SOUND: &[&str] = &["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];

/// Key frames are a second apart; what is played lasts five.
const LASTS: &[&str] = &[
    "-t",
    "5",
    "-g",
    "25",
    "-keyint_min",
    "25",
    "-sc_threshold",
    "0",
];

/// What is played: name of the file's ending, ffmpeg's options, GStreamer's elements.
struct Played {
    video: Codec,
    encode: &'static [&'static str],
    pay: &'static str,
}

const H264: Played = Played {
    video: Codec::H264,
    encode: &[
        "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-pix_fmt", "yuv420p",
    ],
    pay: "h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1",
};
const H264_B: Played = Played {
    video: Codec::H264,
    encode: &[
        "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p",
    ],
    pay: "h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1",
};
const H265: Played = Played {
    video: Codec::H265,
    encode: &[
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "keyint=25:min-keyint=25:scenecut=0:open-gop=0:bframes=2:log-level=none",
        "-pix_fmt",
        "yuv420p",
    ],
    pay: "h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1",
};
const H265_OPEN: Played = Played {
    encode: &[
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "keyint=25:min-keyint=25:scenecut=0:open-gop=1:bframes=3:log-level=none",
        "-pix_fmt",
        "yuv420p",
    ],
    ..H265
};
const H264_INTERLACED: Played = Played {
    encode: &[
        "-vf",
        "pad=320:192",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-flags",
        "+ildct+ilme",
        "-x264opts",
        "tff=1",
        "-pix_fmt",
        "yuv420p",
    ],
    ..H264_B
};
const JPEG: Played = Played {
    video: Codec::Jpeg,
    encode: &[
        "-c:v", "mjpeg", "-q:v", "5", "-huffman", "default", "-pix_fmt", "yuvj420p",
    ],
    pay: "jpegparse ! rtpjpegpay name=pay0 pt=26",
};

#[derive(Clone, Copy, PartialEq)]
enum Sound {
    Aac,
    Mulaw,
    Alaw,
}

/// Plays a file with this video and sound, and records two seconds of it in each container at once.
async fn record(
    folder: &Path,
    played: &Played,
    sound: Sound,
    containers: &[Container],
) -> Vec<Result<Clip, Error>> {
    let (encode, pay): (&[&str], _) = match sound {
        Sound::Aac => (&["-c:a", "aac"], "aacparse ! rtpmp4gpay name=pay1 pt=97"),
        Sound::Mulaw => (
            &["-c:a", "pcm_mulaw", "-ar", "8000"],
            "rtppcmupay name=pay1 pt=0",
        ),
        Sound::Alaw => (
            &["-c:a", "pcm_alaw", "-ar", "8000"],
            "rtppcmapay name=pay1 pt=8",
        ),
    };
    let file = folder.join("played.mkv");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]);
    command.args([PICTURE, SOUND, LASTS, played.encode, encode].concat());
    assert!(command.arg(&file).status().unwrap().success());
    let launch = format!(
        "filesrc location={} ! matroskademux name=d d.video_0 ! queue ! {} d.audio_0 ! queue ! {pay}",
        file.display(),
        played.pay
    );
    let port = free_port();
    let _server = gstreamer_mounts(port, &[("/played", &launch)]);
    let mut source = RtspOptions::new(format!("rtsp://127.0.0.1:{port}/played").parse().unwrap());
    source.tracks = Tracks::All;
    let hub = Hub::new(
        Arc::new(RtspSource::new(source).unwrap()),
        HubOptions::default(),
    );
    let clips = containers.iter().map(|&container| {
        let mut options = ClipOptions::new(folder.join(format!("{container:?}")));
        options.duration = Duration::from_millis(1_900);
        options.container = container;
        options.min_free = 0;
        let hub = hub.clone();
        async move { hub.clip(&options).await }
    });
    timeout(DEADLINE, futures::future::join_all(clips))
        .await
        .unwrap()
}

/// What ffprobe says of a file: its duration, and the kind and number of packets of each stream. Nothing that it warns of
/// is accepted.
fn probe(clip: &Clip) -> (Option<f64>, Vec<(String, u64)>) {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "warning", "-of", "json", "-count_packets"]);
    command.args([
        "-show_entries",
        "format=duration:stream=codec_type,nb_read_packets",
    ]);
    if clip.container == Container::Mjpeg {
        // Pictures alone do not tell that they are many.
        command.args(["-f", "mjpeg"]);
    }
    let output = command.arg(&clip.path).output().unwrap();
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(warnings, "", "{}", clip.path.display());
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse().ok());
    let duration = number(&said["format"]["duration"]);
    let streams = said["streams"].as_array().unwrap().iter().map(|stream| {
        let kind = stream["codec_type"].as_str().unwrap().to_owned();
        (
            kind,
            number(&stream["nb_read_packets"]).unwrap_or(0.0) as u64,
        )
    });
    (duration, streams.collect())
}

/// The coded pictures in a file, as ffmpeg takes them out again.
fn pictures(path: &Path, codec: Codec) -> Vec<Vec<u8>> {
    let format: &[&str] = match codec {
        Codec::H264 => &["-bsf:v", "h264_mp4toannexb", "-f", "h264"],
        Codec::H265 => &["-bsf:v", "hevc_mp4toannexb", "-f", "hevc"],
        _ => &["-f", "mjpeg"],
    };
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-i"]).arg(path);
    command
        .args(["-map", "0:v", "-c", "copy"])
        .args(format)
        .arg("-");
    split(&command.output().unwrap().stdout, codec)
}

/// The pictures, or the slices of them, of an elementary stream.
fn split(data: &[u8], codec: Codec) -> Vec<Vec<u8>> {
    let slice = |nal: &[u8]| match codec {
        Codec::H264 => matches!(nal[0] & 0x1f, 1..=5),
        _ => nal[0] >> 1 & 0x3f < 32,
    };
    if codec == Codec::Jpeg {
        let starts: Vec<_> = (0..data.len() - 2)
            .filter(|&i| data[i..i + 3] == [0xff, 0xd8, 0xff])
            .collect();
        let ends = starts.iter().skip(1).copied().chain([data.len()]);
        return starts
            .iter()
            .zip(ends)
            .map(|(&start, end)| data[start..end].to_vec())
            .collect();
    }
    let starts: Vec<_> = (0..data.len() - 2)
        .filter(|&i| data[i..i + 3] == [0, 0, 1])
        .map(|i| i + 3)
        .collect();
    let ends = starts
        .iter()
        .skip(1)
        .map(|start| start - 3)
        .chain([data.len()]);
    let nals = starts.iter().zip(ends).map(|(&start, end)| {
        let nal = &data[start..end];
        nal[..nal.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1)].to_vec()
    });
    nals.filter(|nal| slice(nal)).collect()
}

/// The frames of sound in a file, without what containers put before them, one after the other.
fn sound_of(path: &Path, sound: Sound) -> Vec<u8> {
    let format = match sound {
        Sound::Aac => "adts",
        Sound::Mulaw => "mulaw",
        Sound::Alaw => "alaw",
    };
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-i"]).arg(path);
    command.args(["-map", "0:a", "-c", "copy", "-f", format, "-"]);
    let data = command.output().unwrap().stdout;
    if sound != Sound::Aac {
        return data;
    }
    let (mut frames, mut rest) = (Vec::new(), &data[..]);
    while let [_, protection, _, a, b, c, _, ..] = *rest {
        let length = usize::from(a & 3) << 11 | usize::from(b) << 3 | usize::from(c >> 5);
        let header = if protection & 1 == 1 { 7 } else { 9 };
        frames.extend_from_slice(&rest[header..length]);
        rest = &rest[length..];
    }
    frames
}

/// Pictures without their headers: the packets of RFC 2435 leave these to the receiver.
fn scan(picture: &[u8]) -> &[u8] {
    let start = picture.windows(2).position(|pair| pair == [0xff, 0xda]);
    let rest = &picture[start.unwrap()..];
    let end = rest.windows(2).rposition(|pair| pair == [0xff, 0xd9]);
    let header = 2 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
    &rest[header..end.unwrap()]
}

/// Whether what was recorded is a part of what was played, without a gap.
fn is_part<T: PartialEq>(recorded: &[T], played: &[T]) -> bool {
    let last = played.len().saturating_sub(recorded.len());
    !recorded.is_empty() && (0..=last).any(|at| played[at..].starts_with(recorded))
}

/// Checks a clip of two seconds: what ffprobe says of it, and that it holds what was played.
fn assert_plays(source: &[Vec<u8>], clip: &Clip, played: &Played, sounds: bool) {
    let path = clip.path.as_path();
    assert_eq!(
        (clip.end, clip.codecs[0]),
        (ClipEnd::Complete, played.video)
    );
    assert_eq!(clip.requested, Duration::from_millis(1_900));
    assert_eq!(clip.bytes, std::fs::metadata(path).unwrap().len());
    assert_eq!(
        clip.codecs.len(),
        1 + usize::from(sounds),
        "{:?}",
        clip.codecs
    );
    let seconds = clip.duration.as_secs_f64();
    assert!((1.9..2.2).contains(&seconds), "{seconds} s");
    // Demultiplexer and parser round times.
    let counted = clip.frames as f64 / 25.0;
    assert!((counted - seconds).abs() < 0.05, "{counted} s of {seconds}");

    let (duration, streams) = probe(clip);
    let of = |kind: &str| {
        streams
            .iter()
            .find(|(found, _)| found == kind)
            .map(|(_, packets)| *packets)
    };
    assert_eq!(of("video"), Some(clip.frames), "{}", path.display());
    assert_eq!(
        of("audio").is_some_and(|packets| packets > 0),
        sounds,
        "{streams:?}"
    );
    if clip.container != Container::Mjpeg {
        let duration = duration.unwrap();
        assert!(
            (duration - seconds).abs() < 0.1,
            "{}: {duration} s, not {seconds}",
            path.display()
        );
    }
    let decoded = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-vsync", "vfr", "-f", "null", "-"])
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&decoded.stderr).into_owned();
    assert_eq!(complaints, "", "{}", path.display());

    let recorded = pictures(path, played.video);
    if played.video == Codec::Jpeg {
        assert_eq!(recorded.len() as u64, clip.frames);
        let recorded: Vec<_> = recorded.iter().map(|picture| scan(picture)).collect();
        let source: Vec<_> = source.iter().map(|picture| scan(picture)).collect();
        assert!(
            is_part(&recorded, &source),
            "{} is not what was played",
            path.display()
        );
        return;
    }
    assert!(
        is_part(&recorded, source),
        "{} is not what was played",
        path.display()
    );
}

/// What a file source reads of a clip is what ffmpeg takes out of it.
async fn assert_can_be_played_again(clip: &Clip, played: &Played) {
    let mut options = FileOptions::new(&clip.path);
    options.pace = Pace::Fast;
    let mut session = FileSource::new(options).unwrap().connect().await.unwrap();
    let (mut video, mut sound) = (Vec::new(), Vec::new());
    while let Some(unit) = timeout(DEADLINE, session.next()).await.unwrap().unwrap() {
        assert!(unit.pts < clip.duration, "{:?}", unit.pts);
        if unit.codec == played.video {
            video.push(unit);
        } else {
            sound.push(unit);
        }
    }
    assert_eq!(video.len() as u64, clip.frames);
    assert_eq!(sound.is_empty(), clip.codecs.len() == 1);
    let data: Vec<u8> = video.iter().flat_map(|unit| unit.data.to_vec()).collect();
    assert!(split(&data, played.video) == pictures(&clip.path, played.video));
}

/// `silent` are those that cannot hold the sound.
async fn assert_records(
    played: &Played,
    sound: Sound,
    containers: &[Container],
    silent: &[Container],
) {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clips = record(folder.path(), played, sound, &[containers, silent].concat()).await;
    let source = pictures(&folder.path().join("played.mkv"), played.video);
    let heard = sound_of(&folder.path().join("played.mkv"), sound);
    for clip in clips {
        let clip = clip.unwrap();
        let sounds = !silent.contains(&clip.container);
        assert_plays(&source, &clip, played, sounds);
        if sounds {
            let recorded = sound_of(&clip.path, sound);
            assert!(recorded.len() > 4_000, "{} of sound", recorded.len());
            assert!(
                is_part(&recorded, &heard),
                "the sound of {} is not what was played",
                clip.path.display()
            );
        }
        if matches!(
            clip.container,
            Container::Mp4 | Container::PlainMp4 | Container::Mkv
        ) {
            assert_can_be_played_again(&clip, played).await;
        }
        let files = std::fs::read_dir(clip.path.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 1, "nothing else is left behind");
    }
}

#[tokio::test]
async fn h264_with_b_frames_and_aac_is_recorded() {
    let containers = [
        Container::Mp4,
        Container::PlainMp4,
        Container::Mkv,
        Container::Mts,
        Container::Mpeg,
        Container::Flv,
    ];
    assert_records(&H264_B, Sound::Aac, &containers, &[]).await;
}

#[tokio::test]
async fn h264_without_b_frames_and_aac_is_recorded_as_avi_too() {
    assert_records(&H264, Sound::Aac, &[Container::Avi, Container::Mp4], &[]).await;
}

#[tokio::test]
async fn h265_and_aac_are_recorded() {
    let containers = [
        Container::Mp4,
        Container::PlainMp4,
        Container::Mkv,
        Container::Mts,
        Container::Mpeg,
    ];
    assert_records(&H265, Sound::Aac, &containers, &[]).await;
}

#[tokio::test]
async fn jpeg_is_recorded() {
    let with_sound = [
        Container::Mkv,
        Container::Avi,
        Container::PlainMp4,
        Container::Mp4,
    ];
    assert_records(&JPEG, Sound::Aac, &with_sound, &[Container::Mjpeg]).await;
}

#[tokio::test]
async fn g711_is_recorded_where_it_fits_and_left_out_elsewhere() {
    let fitting = [Container::Mkv, Container::Avi, Container::Flv];
    let silent = [Container::Mp4, Container::Mts, Container::Mpeg];
    assert_records(&H264, Sound::Mulaw, &fitting, &silent).await;
    assert_records(&H264, Sound::Alaw, &fitting, &silent).await;
}

#[tokio::test]
async fn interlaced_h264_is_recorded() {
    let containers = [Container::Mp4, Container::Mkv, Container::Mts];
    assert_records(&H264_INTERLACED, Sound::Aac, &containers, &[]).await;
}

/// The first clips of a file that is played, one after the other.
async fn follow(launch: &str, options: ClipOptions, count: usize) -> Vec<Clip> {
    let port = free_port();
    let _server = gstreamer_mounts(port, &[("/played", launch)]);
    let url = format!("rtsp://127.0.0.1:{port}/played").parse().unwrap();
    let source = RtspSource::new(RtspOptions::new(url)).unwrap();
    let hub = Hub::new(Arc::new(source), HubOptions::default());
    let clips = hub.clips(options).unwrap().take(count);
    let clips: Vec<_> = timeout(DEADLINE, clips.collect()).await.unwrap();
    let clips: Vec<Clip> = clips.into_iter().map(Result::unwrap).collect();
    for clip in &clips {
        let (_, streams) = probe(clip);
        assert_eq!(streams, [("video".to_owned(), clip.frames)]);
    }
    clips
}

/// Clips after the first begin at a key frame whose leading pictures refer to what came before.
#[tokio::test]
async fn clips_of_open_groups_follow_each_other_without_a_gap_and_play() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.mp4");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]);
    command.args([PICTURE, LASTS, H265_OPEN.encode].concat());
    assert!(command.arg(&file).status().unwrap().success());
    let launch = format!(
        "filesrc location={} ! qtdemux ! {}",
        file.display(),
        H265.pay
    );
    for container in [Container::Mp4, Container::Mkv] {
        let mut options = ClipOptions::new(folder.path().join(format!("{container:?}")));
        options.duration = Duration::from_millis(900);
        options.container = container;
        options.min_free = 0;
        let clips = follow(&launch, options, 3).await;
        let recorded = clips
            .iter()
            .flat_map(|clip| pictures(&clip.path, Codec::H265));
        let recorded: Vec<_> = recorded.collect();
        assert!(
            pictures(&file, Codec::H265).starts_with(&recorded),
            "{container:?}"
        );
        for clip in &clips {
            let seconds = clip.duration.as_secs_f64();
            let (said, _) = probe(clip);
            let apart = (said.unwrap() - seconds).abs();
            assert!(apart < 0.2, "{container:?}: {said:?} s, not {seconds}");
        }
    }
}

#[tokio::test]
async fn another_size_begins_another_clip() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (part, file) = (
        folder.path().join("part.h264"),
        folder.path().join("sizes.h264"),
    );
    let (sizes, mut whole) = (["640x360", "1280x720", "352x288"], Vec::new());
    for size in sizes {
        let picture = format!("testsrc2=size={size}:rate=25");
        let mut command = Command::new("ffmpeg");
        command.args([
            "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &picture,
        ]);
        command.args(["-t", "1"]).args(H264.encode).arg(&part);
        assert!(command.status().unwrap().success());
        whole.extend(std::fs::read(&part).unwrap());
    }
    std::fs::write(&file, &whole).unwrap();
    let pay =
        "h264parse ! video/x-h264,framerate=25/1 ! rtph264pay name=pay0 pt=96 config-interval=-1";
    let launch = format!("filesrc location={} ! {pay}", file.display());
    let mut options = ClipOptions::new(folder.path().join("clips"));
    options.duration = Duration::from_secs(30);
    options.min_free = 0;
    let clips = follow(&launch, options, 3).await;
    for (clip, size) in clips.iter().zip(sizes) {
        let mut command = Command::new("ffprobe");
        command.args(["-v", "error", "-show_entries", "stream=width,height"]);
        let output = command
            .args(["-of", "csv=p=0:s=x"])
            .arg(&clip.path)
            .output();
        assert_eq!(
            String::from_utf8(output.unwrap().stdout).unwrap().trim(),
            size
        );
    }
    let recorded = clips
        .iter()
        .flat_map(|clip| pictures(&clip.path, Codec::H264));
    let recorded: Vec<_> = recorded.collect();
    assert!(
        recorded == split(&whole, Codec::H264),
        "the clips are not what was played"
    );
}

#[tokio::test]
async fn a_container_that_does_not_fit_says_which_do() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (played, container, said) in [
        (&H265, Container::Flv, "flv files cannot hold H.265"),
        (
            &H264_B,
            Container::Avi,
            "avi files cannot hold H.264 with B-frames",
        ),
        (
            &H264,
            Container::Webm,
            "these can: mp4, mkv, avi, mts, mpg, flv",
        ),
    ] {
        let clips = record(folder.path(), played, Sound::Aac, &[container]).await;
        let error = clips[0].as_ref().unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}
