//! Files as sources, and clips of them played again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use media_pipeline::{
    AccessUnit, ClipOptions, Codec, Container, Error, FileOptions, FileSource, Hub, HubOptions,
    Pace, Source as _,
};
use tokio::time::{Instant, timeout};

const SOON: Duration = Duration::from_secs(60);

/// Of x264: Baseline, 64 by 48 pixels.
const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x04, 0x7b, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
    0x03, 0x01, 0x40, 0xf1, 0x22, 0x64, 0x80,
];
const PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];

/// A byte stream of so many pictures; each tenth one is a key frame.
fn stream(pictures: u8) -> Vec<u8> {
    let mut data = Vec::new();
    let mut nal = |nal: &[u8]| {
        data.extend_from_slice(&[0, 0, 0, 1]);
        data.extend_from_slice(nal);
    };
    for number in 0..pictures {
        if number % 10 == 0 {
            nal(SPS);
            nal(PPS);
            nal(&[0x65, 0x88, number, 1]);
        } else {
            nal(&[0x41, 0x9a, number, 1]);
        }
    }
    data
}

fn fast(path: &Path) -> FileOptions {
    let mut options = FileOptions::new(path);
    options.pace = Pace::Fast;
    options
}

async fn play(options: FileOptions, most: usize) -> Vec<AccessUnit> {
    let source = FileSource::new(options).unwrap();
    let mut session = source.connect().await.unwrap();
    let mut units = Vec::new();
    while units.len() < most
        && let Some(unit) = timeout(SOON, session.next()).await.unwrap().unwrap()
    {
        units.push(unit);
    }
    session.close().await;
    units
}

fn write(folder: &Path, name: &str, data: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, data).unwrap();
    path
}

#[tokio::test]
async fn a_byte_stream_is_played_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.h264", &stream(25));
    let units = play(fast(&path), usize::MAX).await;
    assert_eq!(units.len(), 25);
    let all: Vec<u8> = units.iter().flat_map(|unit| unit.data.to_vec()).collect();
    assert_eq!(all, stream(25));
    for (number, unit) in units.iter().enumerate() {
        assert_eq!(unit.pts, Duration::from_millis(40) * number as u32);
        assert_eq!(unit.random_access, number % 10 == 0);
        let video = unit.parameters.as_deref().and_then(|p| p.video()).unwrap();
        assert_eq!((video.width, video.height), (64, 48));
    }
}

#[tokio::test]
async fn at_the_end_it_begins_again_and_the_times_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.264", &stream(25));
    let mut options = fast(&path);
    options.repeat = true;
    let units = play(options, 60).await;
    assert_eq!(
        (units[0].data.clone(), units[50].pts),
        (units[25].data.clone(), Duration::from_secs(2))
    );
}

#[tokio::test(start_paused = true)]
async fn in_real_time_pictures_come_when_they_are_due() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.h264", &stream(26));
    let start = Instant::now();
    assert_eq!(play(FileOptions::new(&path), usize::MAX).await.len(), 26);
    assert_eq!(start.elapsed().as_millis(), 1_000);
}

#[tokio::test]
async fn a_folder_of_jpeg_pictures_is_played_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let still = Path::new(env!("CARGO_MANIFEST_DIR")).join("../virtual-camera/assets/still.jpg");
    let jpeg = fs::read(still).unwrap();
    for name in ["b.jpg", "a.JPEG", "notes.txt"] {
        write(folder.path(), name, &jpeg);
    }
    write(folder.path(), "broken.jpg", b"not a picture");
    let units = play(fast(folder.path()), usize::MAX).await;
    assert_eq!(units.len(), 2);
    assert!(
        units
            .iter()
            .all(|unit| unit.codec == Codec::Jpeg && unit.data == jpeg)
    );
}

#[tokio::test]
async fn a_clip_played_again_is_what_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.h264", &stream(40));
    let played = play(fast(&path), usize::MAX).await;
    let mut options = FileOptions::new(&path);
    options.frame_rate = 200.0;
    options.repeat = true;
    let hub = Hub::new(
        Arc::new(FileSource::new(options).unwrap()),
        HubOptions::default(),
    );
    for container in [Container::Mp4, Container::PlainMp4, Container::Mkv] {
        let mut options = ClipOptions::new(folder.path().join(format!("{container:?}")));
        options.duration = Duration::from_millis(140);
        options.container = container;
        options.min_free = 0;
        let clip = timeout(SOON, hub.clip(&options)).await.unwrap().unwrap();
        assert_eq!(
            (clip.frames, clip.duration),
            (30, Duration::from_millis(150))
        );
        let again = play(fast(&clip.path), usize::MAX).await;
        assert_eq!(again.len(), 30);
        let first = played
            .iter()
            .position(|unit| unit.data == again[0].data)
            .unwrap();
        for (number, unit) in again.iter().enumerate() {
            assert_eq!(unit.data, played[(first + number) % played.len()].data);
            assert_eq!(unit.pts.as_millis(), 5 * number as u128);
            assert_eq!(unit.parameters, played[0].parameters);
        }
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_or_damaged_plays_as_far_as_it_goes() {
    for container in [Container::Mp4, Container::Mkv] {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "a.h264", &stream(40));
        let mut options = FileOptions::new(&path);
        options.frame_rate = 20.0;
        options.repeat = true;
        let hub = Hub::new(
            Arc::new(FileSource::new(options).unwrap()),
            HubOptions::default(),
        );
        let mut options = ClipOptions::new(folder.path());
        options.duration = Duration::from_secs(2);
        options.container = container;
        options.min_free = 0;
        let clip = timeout(SOON, hub.clip(&options)).await.unwrap().unwrap();
        let name = |what: &str| format!("{what}.{}", clip.path.extension().unwrap().display());
        let whole = fs::read(&clip.path).unwrap();
        let of_whole = play(fast(&clip.path), usize::MAX).await.len();
        let mut least = of_whole;
        for length in (0..whole.len()).rev().step_by(7) {
            let path = write(folder.path(), &name("cut"), &whole[..length]);
            let source = FileSource::new(fast(&path)).unwrap();
            let mut session = source.connect().await.unwrap();
            let mut units = 0;
            while let Ok(Some(_)) = timeout(SOON, session.next()).await.unwrap() {
                units += 1;
            }
            assert!(units <= least, "{units} of {length} bytes");
            least = units;
        }
        assert_eq!((of_whole, least), (40, 0));
        for at in (0..whole.len()).step_by(5) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let path = write(folder.path(), &name("damaged"), &damaged);
            let source = FileSource::new(fast(&path)).unwrap();
            let mut session = source.connect().await.unwrap();
            while let Ok(Some(unit)) = timeout(SOON, session.next()).await.unwrap() {
                assert!(unit.data.len() < whole.len() + 100);
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_played_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.avi", "nothing"] {
        let error = FileSource::new(FileOptions::new(folder.path().join(name))).unwrap_err();
        assert!(
            matches!(error, Error::Option { option: "path", .. }),
            "{error}"
        );
    }
    let missing = FileSource::new(FileOptions::new(folder.path().join("a.mp4"))).unwrap();
    let error = missing.connect().await.unwrap().next().await.unwrap_err();
    assert!(matches!(error, Error::Storage { .. }), "{error}");
    let empty = write(folder.path(), "empty.h264", b"");
    let mut options = fast(&empty);
    options.repeat = true;
    assert_eq!(play(options, 1).await.len(), 0);
}
