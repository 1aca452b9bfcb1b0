//! Access units of every codec, from GStreamer's RTSP server, compared with the files that it plays.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use interop::{FFMPEG, GSTREAMER, Process, free_port, gstreamer_mounts, installed};
use media_pipeline::{
    AccessUnit, Codec, Parameters, RtspOptions, RtspSource, RtspTransport, Source as _, Tracks,
    check_jpeg,
};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);
const PICTURE: &[&str] = &["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"];
const SOUND: &[&str] = &["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];

/// Runs ffmpeg in a folder.
fn ffmpeg(folder: &Path, arguments: &[&[&str]]) {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]);
    command.args(arguments.concat());
    let done = command.current_dir(folder).status().unwrap();
    assert!(done.success(), "{command:?}");
}

fn serve(mounts: &[(&str, String)]) -> (Process, u16) {
    let port = free_port();
    let mounts: Vec<_> = mounts.iter().map(|(p, l)| (*p, l.as_str())).collect();
    (gstreamer_mounts(port, &mounts), port)
}

/// Reads until each of `tracks` tracks has delivered `units` units, or the stream ends.
async fn read(port: u16, path: &str, tracks: usize, units: usize) -> Vec<AccessUnit> {
    read_over(RtspTransport::Tcp, port, path, tracks, units).await
}

async fn read_over(
    transport: RtspTransport,
    port: u16,
    path: &str,
    tracks: usize,
    units: usize,
) -> Vec<AccessUnit> {
    let url = format!("rtsp://127.0.0.1:{port}{path}").parse().unwrap();
    let mut options = RtspOptions::new(url);
    options.tracks = Tracks::All;
    options.transport = transport;
    let source = RtspSource::new(options).unwrap();
    let mut read = Vec::new();
    let mut counts = std::collections::BTreeMap::<u16, usize>::new();
    let reading = async {
        let mut session = source.connect().await.unwrap();
        while counts.len() < tracks || counts.values().any(|&count| count < units) {
            let Some(unit) = session.next().await.unwrap() else {
                break;
            };
            *counts.entry(unit.track).or_default() += 1;
            read.push(unit);
        }
        session.close().await;
    };
    timeout(DEADLINE, reading).await.unwrap();
    read
}

fn of(units: &[AccessUnit], codec: Codec) -> Vec<&AccessUnit> {
    units.iter().filter(|unit| unit.codec == codec).collect()
}

/// The NAL units of an Annex B stream without those that `dropped` names by their first byte.
fn nals(data: &[u8], dropped: impl Fn(u8) -> bool) -> Vec<Vec<u8>> {
    let mut nals = Vec::new();
    let mut starts: Vec<usize> = Vec::new();
    for i in 0..data.len().saturating_sub(2) {
        if data[i..i + 3] == [0, 0, 1] {
            starts.push(i + 3);
        }
    }
    for (i, &start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).map_or(data.len(), |next| next - 3);
        let nal = &data[start..end];
        let length = nal.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1);
        if !dropped(nal[0]) {
            nals.push(nal[..length].to_vec());
        }
    }
    nals
}

/// The coded pictures.
fn h264_slices(data: &[u8]) -> Vec<Vec<u8>> {
    nals(data, |header| header & 0x1f > 5)
}

fn h265_slices(data: &[u8]) -> Vec<Vec<u8>> {
    nals(data, |header| header >> 1 & 0x3f > 31)
}

fn joined(units: &[&AccessUnit]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.data.to_vec()).collect()
}

/// Seconds from the first to the last unit.
fn span(units: &[&AccessUnit]) -> f64 {
    let times = units.iter().map(|unit| unit.pts.as_secs_f64());
    times.clone().fold(0.0, f64::max) - times.fold(f64::MAX, f64::min)
}

#[tokio::test]
async fn h264_with_b_frames_and_aac_arrive_as_they_are_in_the_file() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let video = [
        "-t", "3", "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25",
    ];
    let pixels = ["-pix_fmt", "yuv420p", "-c:a", "aac", "av.mp4"];
    ffmpeg(folder.path(), &[PICTURE, SOUND, &video, &pixels]);
    ffmpeg(
        folder.path(),
        &[&[
            "-i",
            "av.mp4",
            "-c",
            "copy",
            "-bsf:v",
            "h264_mp4toannexb",
            "-an",
            "v.h264",
        ]],
    );
    ffmpeg(
        folder.path(),
        &[&[
            "-i", "av.mp4", "-c", "copy", "-map", "0:a", "-f", "data", "a.raw",
        ]],
    );
    let launch = format!(
        "filesrc location={} ! qtdemux name=d d.video_0 ! queue ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 \
         d.audio_0 ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97",
        folder.path().join("av.mp4").display()
    );
    let (_server, port) = serve(&[("/av", launch)]);
    for transport in [RtspTransport::Tcp, RtspTransport::Udp] {
        let units = read_over(transport, port, "/av", 2, 70).await;
        let (video, audio) = (of(&units, Codec::H264), of(&units, Codec::Aac));
        let written = h264_slices(&std::fs::read(folder.path().join("v.h264")).unwrap());
        let got = h264_slices(&joined(&video));
        assert!(got[..] == written[..got.len()]);
        let keys = video.iter().filter(|unit| unit.random_access).count();
        assert!((2..=3).contains(&keys), "{keys} key frames");
        let Some(Parameters::Video(size)) = video[0].parameters.as_deref() else {
            panic!("{:?}", video[0].parameters)
        };
        assert_eq!((size.width, size.height, size.sets.len()), (320, 180, 2));

        let written = std::fs::read(folder.path().join("a.raw")).unwrap();
        let got = joined(&audio);
        let begin = written.windows(64).position(|window| window == &got[..64]);
        let begin = begin.expect("the first frame is one of the file");
        assert!(got[..] == written[begin..begin + got.len()]);
        let Some(Parameters::Audio(sound)) = audio[0].parameters.as_deref() else {
            panic!("{:?}", audio[0].parameters)
        };
        assert_eq!((sound.sample_rate, sound.channels), (48_000, 1));
        assert!(sound.config.len() >= 2 && audio.iter().all(|unit| unit.random_access));
        let frame = span(&audio) / (audio.len() - 1) as f64;
        assert!(
            (frame - 1024.0 / 48_000.0).abs() < 1e-3,
            "{frame} s a frame"
        );
        let apart = video[0].pts.abs_diff(audio[0].pts);
        assert!(
            apart < Duration::from_millis(200),
            "picture and sound are {apart:?} apart"
        );
    }
}

#[tokio::test]
async fn every_irap_picture_of_an_open_group_is_a_random_access_point() {
    if !installed(&[GSTREAMER, FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x265 = "keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=3:log-level=none";
    let video = [
        "-t",
        "3",
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        x265,
        "v.mp4",
    ];
    ffmpeg(folder.path(), &[PICTURE, &video]);
    ffmpeg(
        folder.path(),
        &[&[
            "-i",
            "v.mp4",
            "-c",
            "copy",
            "-bsf:v",
            "hevc_mp4toannexb",
            "v.h265",
        ]],
    );
    let launch = format!(
        "filesrc location={} ! qtdemux ! h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1",
        folder.path().join("v.mp4").display()
    );
    let (_server, port) = serve(&[("/h265", launch)]);
    let units = read(port, "/h265", 1, 70).await;
    let file = std::fs::read(folder.path().join("v.h265")).unwrap();
    let units = of(&units, Codec::H265);
    let got = h265_slices(&joined(&units));
    assert!(got[..] == h265_slices(&file)[..got.len()]);
    let irap = |data: &[u8]| nals(data, |header| !(16..=23).contains(&(header >> 1 & 0x3f))).len();
    let cra = |data: &[u8]| nals(data, |header| header >> 1 & 0x3f != 21).len();
    let data = joined(&units);
    assert!(cra(&data) >= 5, "the file has open groups");
    let keys: Vec<_> = units.iter().filter(|unit| unit.random_access).collect();
    assert_eq!(keys.len(), irap(&data));
    for key in keys {
        let sets = nals(&key.data, |header| {
            !(32..=34).contains(&(header >> 1 & 0x3f))
        });
        let Some(Parameters::Video(known)) = key.parameters.as_deref() else {
            panic!("{:?}", key.parameters)
        };
        assert_eq!((known.width, known.height), (320, 180));
        assert_eq!(
            sets,
            known
                .sets
                .iter()
                .map(|set| set.to_vec())
                .collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn jpeg_pictures_arrive_whole() {
    if !installed(&[GSTREAMER]) {
        return;
    }
    let launch = "videotestsrc is-live=true ! video/x-raw,format=I420,width=640,height=360,framerate=10/1 ! jpegenc ! \
                  rtpjpegpay name=pay0 pt=26";
    let (_server, port) = serve(&[("/jpeg", launch.into())]);
    let units = read(port, "/jpeg", 1, 5).await;
    for unit in of(&units, Codec::Jpeg) {
        assert_eq!(check_jpeg(&unit.data).unwrap(), (640, 360));
        let parameters = unit.parameters.as_deref().and_then(Parameters::video);
        assert_eq!(parameters.map(|p| (p.width, p.height)), Some((640, 360)));
    }
}

#[tokio::test]
async fn g711_arrives_beside_the_picture_with_its_time() {
    if !installed(&[GSTREAMER]) {
        return;
    }
    let launch = |codec: &str| {
        format!(
            "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=180,framerate=15/1 ! \
             x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96 config-interval=-1 \
             audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! {codec}"
        )
    };
    let (_server, port) = serve(&[
        ("/mulaw", launch("mulawenc ! rtppcmupay name=pay1 pt=0")),
        ("/alaw", launch("alawenc ! rtppcmapay name=pay1 pt=8")),
    ]);
    for (path, codec) in [("/mulaw", Codec::Pcmu), ("/alaw", Codec::Pcma)] {
        let units = read(port, path, 2, 30).await;
        let audio = of(&units, codec);
        let Some(Parameters::Audio(sound)) = audio[0].parameters.as_deref() else {
            panic!("{:?}", audio[0].parameters)
        };
        assert_eq!((sound.sample_rate, sound.channels), (8_000, 1));
        let before_last: usize = audio[..audio.len() - 1]
            .iter()
            .map(|unit| unit.data.len())
            .sum();
        let seconds = before_last as f64 / 8_000.0;
        assert!(
            (span(&audio) - seconds).abs() < 0.01,
            "{} s, not {seconds}",
            span(&audio)
        );
        assert!(of(&units, Codec::H264).len() >= 30);
    }
}

#[tokio::test]
async fn only_the_picture_is_asked_for_unless_more_is_wanted() {
    if !installed(&[GSTREAMER]) {
        return;
    }
    let launch = "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=180,framerate=15/1 ! \
                  x264enc tune=zerolatency key-int-max=15 ! rtph264pay name=pay0 pt=96 config-interval=-1 \
                  audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay1 pt=0";
    let (_server, port) = serve(&[("/av", launch.into())]);
    let url = format!("rtsp://127.0.0.1:{port}/av").parse().unwrap();
    let source = RtspSource::new(RtspOptions::new(url)).unwrap();
    let mut session = timeout(DEADLINE, source.connect()).await.unwrap().unwrap();
    for _ in 0..30 {
        let unit = timeout(DEADLINE, session.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(unit.codec, Codec::H264);
    }
    session.close().await;
}

#[test]
fn nal_units_are_told_apart() {
    let data = [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 2, 0, 0, 0, 1, 0x41, 3];
    assert_eq!(h264_slices(&data), [vec![0x65, 2], vec![0x41, 3]]);
}
