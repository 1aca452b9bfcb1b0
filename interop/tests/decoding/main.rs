//! Every picture that is decoded is the one that ffmpeg decodes, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod streamed;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use interop::{FFMPEG, installed};
use md5::{Digest as _, Md5};
use media_pipeline::{
    AccessUnit, FileOptions, FileSource, Hub, HubOptions, Pace, Picture, SnapshotOptions,
    Source as _, VideoDecoder, decoder_for,
};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(120);

/// Makes a clip of pictures that move, with noise; `arguments` say how it is coded and where it goes.
fn make(folder: &Path, size: &str, frames: u32, arguments: &str) {
    let source = format!("testsrc2=size={size}:rate=25,noise=all_seed=7:c0s=8:c0f=t");
    let mut command = Command::new("ffmpeg");
    command.args([
        "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &source,
    ]);
    command.args(["-frames:v", &frames.to_string()]);
    if !arguments.contains("-pix_fmt") {
        command.args(["-pix_fmt", "yuv420p"]);
    }
    command.args(arguments.split_whitespace());
    let done = command.current_dir(folder).status().unwrap();
    assert!(done.success(), "{command:?}");
}

/// What ffmpeg says of the pictures of a file, in the order in which they are shown.
fn theirs(folder: &Path, file: &str) -> Vec<String> {
    let output = Command::new("ffmpeg")
        .args([
            "-nostdin",
            "-v",
            "error",
            "-i",
            file,
            "-vsync",
            "passthrough",
        ])
        .args(["-autoscale", "0", "-f", "framemd5", "-"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit(',').next().unwrap().trim().to_owned())
        .collect()
}

/// The access units of a file.
async fn units(folder: &Path, file: &str) -> Vec<AccessUnit> {
    let mut options = FileOptions::new(folder.join(file));
    options.pace = Pace::Fast;
    let source = FileSource::new(options).unwrap();
    let reading = async {
        let mut session = source.connect().await.unwrap();
        let mut units = Vec::new();
        while let Some(unit) = session.next().await.unwrap() {
            units.push(unit);
        }
        units
    };
    timeout(DEADLINE, reading).await.unwrap()
}

fn decode(decoder: &mut dyn VideoDecoder, unit: &AccessUnit) -> Option<Picture> {
    decoder.decode(unit).unwrap()
}

fn samples(picture: &Picture) -> Vec<u8> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let planes = [
        (&picture.y, width, height),
        (&picture.cb, half_width, half_height),
        (&picture.cr, half_width, half_height),
    ];
    let rows = planes.into_iter().flat_map(|(plane, width, height)| {
        plane
            .data
            .chunks(plane.stride)
            .take(height)
            .map(move |row| &row[..width])
    });
    rows.flatten().copied().collect()
}

fn digest(picture: &Picture) -> String {
    let digest = Md5::digest(samples(picture));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All pictures of units that follow each other, in the order in which they are shown.
fn ours(units: &[AccessUnit]) -> Vec<String> {
    let mut decoder = decoder_for(units[0].codec).unwrap();
    let mut pictures: Vec<_> = units
        .iter()
        .filter_map(|unit| Some((unit.pts, digest(&decode(&mut *decoder, unit)?))))
        .collect();
    pictures.sort_by_key(|(pts, _)| *pts);
    pictures.into_iter().map(|(_, digest)| digest).collect()
}

/// Compares the pictures of a file, all in order and then the key frames alone; returns its units.
async fn compare(folder: &Path, file: &str) -> Vec<AccessUnit> {
    let (theirs, units) = (theirs(folder, file), units(folder, file).await);
    let ours = ours(&units);
    assert_eq!(ours.len(), theirs.len(), "pictures of {file}");
    for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours, theirs, "picture {number} of {file}");
    }
    // One decoder for key frames that do not follow each other, as in a pool.
    let mut decoder = decoder_for(units[0].codec).unwrap();
    let keys = units.iter().filter(|unit| unit.random_access);
    let mut times: Vec<_> = units.iter().map(|unit| unit.pts).collect();
    times.sort();
    let mut count = 0;
    for key in keys {
        decoder.reset();
        let alone = digest(&decode(&mut *decoder, key).unwrap());
        let place = times.binary_search(&key.pts).unwrap();
        assert_eq!(alone, theirs[place], "key frame {place} of {file} alone");
        count += 1;
    }
    assert!(count >= 2, "{count} key frames in {file}");
    units
}

#[tokio::test]
async fn h264_of_all_profiles_of_cameras() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -preset veryfast -g 12 -keyint_min 12 -sc_threshold 0 -b:v 1500k";
    for (file, profile) in [
        ("baseline.mp4", "-profile:v baseline"),
        ("main.mp4", "-profile:v main -bf 0"),
        ("main_b_frames.mp4", "-profile:v main -bf 2"),
        ("high.mp4", "-profile:v high -bf 0 -preset medium"),
        (
            "high_b_pyramid.mp4",
            "-profile:v high -bf 3 -b_strategy 0 -x264-params b-pyramid=normal:ref=4:weightp=2",
        ),
        ("high_slices.mp4", "-profile:v high -bf 1 -slices 4"),
    ] {
        make(
            folder.path(),
            "642x358",
            36,
            &format!("{x264} {profile} {file}"),
        );
        compare(folder.path(), file).await;
    }
}

#[tokio::test]
async fn h264_of_4k() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -preset ultrafast -profile:v high -g 3 -b:v 16M 4k.mp4";
    make(folder.path(), "3840x2160", 6, x264);
    compare(folder.path(), "4k.mp4").await;
}

#[tokio::test]
async fn h264_of_interlaced_cameras() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -preset veryfast -flags +ildct+ilme -g 12 -keyint_min 12 -sc_threshold 0 -b:v 2M";
    for (file, more) in [
        ("top_first.mp4", "-x264opts tff=1 -bf 0"),
        ("bottom_first.mp4", "-x264opts bff=1 -bf 0 -profile:v main"),
        ("b_frames.mp4", "-x264opts tff=1 -bf 2"),
        ("cavlc.mp4", "-x264opts tff=1:cabac=0 -bf 0"),
    ] {
        make(
            folder.path(),
            "720x576",
            30,
            &format!("{x264} {more} {file}"),
        );
        compare(folder.path(), file).await;
    }
}

#[tokio::test]
async fn h264_whose_size_changes() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -preset veryfast -bf 0 -g 10 -keyint_min 10";
    let mut whole = Vec::new();
    for size in ["640x360", "1280x720", "352x288"] {
        make(folder.path(), size, 20, &format!("{x264} part.h264"));
        whole.extend(std::fs::read(folder.path().join("part.h264")).unwrap());
    }
    std::fs::write(folder.path().join("sizes.h264"), whole).unwrap();
    compare(folder.path(), "sizes.h264").await;
}

#[tokio::test]
async fn h265_of_open_and_closed_groups() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (file, arguments, parameters) in [
        ("open.mp4", "-preset ultrafast", "open-gop=1:bframes=3"),
        (
            "open_pyramid.mp4",
            "-preset medium",
            "open-gop=1:bframes=4:b-pyramid=1:ref=4",
        ),
        ("closed.mp4", "-preset veryfast", "open-gop=0:bframes=0"),
        (
            "tiles.mp4",
            "-preset fast",
            "open-gop=0:bframes=2:slices=3:wpp=1",
        ),
        (
            "lists.mp4",
            "-preset fast",
            "scaling-list=default:weightb=1:bframes=2",
        ),
    ] {
        let x265 = format!(
            "-c:v libx265 {arguments} -b:v 1M -x265-params keyint=12:min-keyint=12:scenecut=0:log-level=none:{parameters} {file}"
        );
        make(folder.path(), "642x358", 36, &x265);
        let units = compare(folder.path(), file).await;
        // Joined at a later key frame, what leads it and refers to before it is left out.
        let mut keys = units
            .iter()
            .enumerate()
            .filter(|(_, unit)| unit.random_access);
        let (start, key) = keys.nth(1).unwrap();
        let joined = ours(&units[start..]);
        let theirs = theirs(folder.path(), file);
        let shown = units.iter().filter(|unit| unit.pts >= key.pts).count();
        assert_eq!(
            joined,
            theirs[theirs.len() - shown..],
            "{file} from its second key frame"
        );
    }
}

#[tokio::test]
async fn h265_of_ten_bits_to_eight() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let x265 = "-pix_fmt yuv420p10le -c:v libx265 -preset veryfast -x265-params keyint=6:log-level=none ten.mp4";
    make(folder.path(), "320x180", 12, x265);
    let output = Command::new("ffmpeg")
        .args([
            "-nostdin", "-v", "error", "-i", "ten.mp4", "-f", "rawvideo", "-",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let theirs: Vec<u8> = output
        .stdout
        .chunks(2)
        .map(|sample| u16::from_le_bytes([sample[0], sample[1]]))
        .map(|sample| ((sample + 2) / 4).min(255) as u8)
        .collect();
    let mut units = units(folder.path(), "ten.mp4").await;
    let mut decoder = decoder_for(units[0].codec).unwrap();
    let mut pictures: Vec<_> = units
        .drain(..)
        .map(|unit| (unit.pts, samples(&decode(&mut *decoder, &unit).unwrap())))
        .collect();
    pictures.sort_by_key(|(pts, _)| *pts);
    let ours: Vec<u8> = pictures
        .into_iter()
        .flat_map(|(_, samples)| samples)
        .collect();
    assert_eq!(ours.len(), 12 * 320 * 180 * 3 / 2);
    assert!(ours == theirs);
}

#[tokio::test]
async fn the_time_of_capture_is_read_as_it_was_written() {
    if !installed(&[FFMPEG]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), "320x180", 50, "-c:v libx264 clip.mp4");
    let source = FileSource::new(FileOptions::new(folder.path().join("clip.mp4"))).unwrap();
    let hub = Hub::new(Arc::new(source), HubOptions::default());
    let snapshot = hub.snapshot(&SnapshotOptions::default()).await.unwrap();
    let file = folder.path().join("now.jpg");
    std::fs::write(&file, &snapshot.data).unwrap();
    let said = |command: &mut Command| String::from_utf8(command.output().unwrap().stdout).unwrap();
    let tags = "frame_tags=DateTimeOriginal,SubSecTimeOriginal,OffsetTimeOriginal";
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-show_entries", tags, "-of", "csv=p=0"]);
    let read = said(ffprobe.arg(&file));
    let since = snapshot.captured.time.duration_since(UNIX_EPOCH).unwrap();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let mut date = Command::new("date");
    date.args(["-u", "+%Y:%m:%d %H:%M:%S", "-d", &format!("@{seconds}")]);
    let date = said(&mut date);
    assert!(read.contains(date.trim()), "{read} is not {date}");
    assert!(
        read.contains(&format!("{millis:03}")),
        "{read} has no {millis} ms"
    );
}
