//! Matroska files that ffmpeg writes, read by us and held against what ffmpeg makes of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use interop::{FFMPEG, installed};
use media_pipeline::{AccessUnit, Codec, FileOptions, FileSource, Media, Pace, Source as _};

const PICTURE: &str = "-f lavfi -i testsrc2=size=320x180:rate=25";
const SOUND: &str = "-f lavfi -i sine=frequency=440:sample_rate=48000";

/// Runs ffmpeg in a folder.
fn ffmpeg(folder: &Path, arguments: &str) {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]);
    command.args(arguments.split_whitespace());
    let done = command.current_dir(folder).status().unwrap();
    assert!(done.success(), "{command:?}");
}

async fn play(path: &Path) -> Vec<AccessUnit> {
    let mut options = FileOptions::new(path);
    options.pace = Pace::Fast;
    let mut session = FileSource::new(options).unwrap().connect().await.unwrap();
    let mut units = Vec::new();
    while let Some(unit) = session.next().await.unwrap() {
        units.push(unit);
    }
    units
}

fn of(units: &[AccessUnit], media: Media) -> Vec<&AccessUnit> {
    let chosen = units.iter().filter(|unit| unit.codec.media() == media);
    chosen.collect()
}

/// The units of both files are the same, but for the milliseconds of Matroska's clock.
async fn assert_same(folder: &Path, one: &str, other: &str, video: Codec) {
    let (one, other) = (
        play(&folder.join(one)).await,
        play(&folder.join(other)).await,
    );
    for media in [Media::Video, Media::Audio] {
        let (one, other) = (of(&one, media), of(&other, media));
        assert_eq!(one.len(), other.len(), "{media:?}");
        for (number, (a, b)) in one.iter().zip(&other).enumerate() {
            assert!(a.data == b.data, "{media:?} {number}");
            assert_eq!(a.random_access, b.random_access, "{media:?} {number}");
            assert_eq!(a.parameters, b.parameters, "{media:?} {number}");
            let (a, b) = (
                a.pts - one[0].pts.min(a.pts),
                b.pts - other[0].pts.min(b.pts),
            );
            assert!(
                a.abs_diff(b) <= Duration::from_millis(2),
                "{media:?} {number}: {a:?} {b:?}"
            );
        }
    }
    let video: Vec<_> = one.iter().filter(|unit| unit.codec == video).collect();
    assert_eq!(video.len(), 75);
}

#[tokio::test]
async fn h264_with_b_frames_and_aac_are_what_they_are_in_mp4() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let video = "-t 3 -pix_fmt yuv420p -c:v libx264 -preset veryfast -bf 2 -g 25 -c:a aac";
    ffmpeg(folder, &format!("{PICTURE} {SOUND} {video} a.mkv"));
    ffmpeg(folder, "-i a.mkv -c copy a.mp4");
    assert_same(folder, "a.mkv", "a.mp4", Codec::H264).await;
    // What is written to a pipe has no sizes and no index.
    let piped = Command::new("ffmpeg")
        .args([
            "-nostdin", "-v", "error", "-i", "a.mkv", "-c", "copy", "-f", "matroska", "-",
        ])
        .current_dir(folder)
        .stdout(File::create(folder.join("piped.mkv")).unwrap())
        .status();
    assert!(piped.unwrap().success());
    assert_same(folder, "piped.mkv", "a.mp4", Codec::H264).await;
}

#[tokio::test]
async fn h265_with_open_groups_is_what_it_is_in_mp4() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let x265 = "keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=3:log-level=none";
    let video = "-t 3 -pix_fmt yuv420p -c:v libx265 -preset ultrafast -x265-params";
    ffmpeg(folder, &format!("{PICTURE} {video} {x265} a.mkv"));
    ffmpeg(folder, "-i a.mkv -c copy a.mp4");
    assert_same(folder, "a.mkv", "a.mp4", Codec::H265).await;
}

#[tokio::test]
async fn pictures_of_jpeg_are_those_that_went_in() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ffmpeg(
        folder,
        &format!("{PICTURE} -t 3 -pix_fmt yuvj420p -c:v mjpeg -q:v 5 a.mkv"),
    );
    fs::create_dir(folder.join("pictures")).unwrap();
    ffmpeg(folder, "-i a.mkv -c copy pictures/%03d.jpg");
    assert_same(folder, "a.mkv", "pictures", Codec::Jpeg).await;
}
