//! Clips of a scripted stream: where they begin and end, and what becomes of their files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use media_pipeline::{
    AccessUnit, AudioParameters, ClipEnd, ClipOptions, Codec, Container, Error, ErrorKind, Hub,
    HubOptions, Parameters, Source, SourceSession, TimeOrigin, VideoParameters, WallClock,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);
/// Of x264: Baseline, 64 by 48 pixels.
const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x04, 0x7b, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
    0x03, 0x01, 0x40, 0xf1, 0x22, 0x64, 0x80,
];
const PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];

struct Script(Mutex<Option<mpsc::UnboundedReceiver<AccessUnit>>>);
struct Session(mpsc::UnboundedReceiver<AccessUnit>);

#[async_trait]
impl Source for Script {
    fn label(&self) -> String {
        "script".into()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        let units = self.0.lock().unwrap().take();
        match units {
            Some(units) => Ok(Box::new(Session(units))),
            None => std::future::pending().await,
        }
    }
}

#[async_trait]
impl SourceSession for Session {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        match self.0.recv().await {
            Some(unit) => Ok(Some(unit)),
            None => std::future::pending().await,
        }
    }

    async fn close(self: Box<Self>) {}
}

struct Camera {
    hub: Hub,
    sender: mpsc::UnboundedSender<AccessUnit>,
    parameters: Arc<Parameters>,
    folder: tempfile::TempDir,
}

impl Camera {
    fn new(history: Duration) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let source = Arc::new(Script(Mutex::new(Some(receiver))));
        let options = HubOptions {
            history,
            ..HubOptions::default()
        };
        let sets = vec![Bytes::from_static(SPS), Bytes::from_static(PPS)];
        let video = VideoParameters::from_sets(Codec::H264, sets).unwrap();
        Self {
            hub: Hub::new(source, options),
            sender,
            parameters: Arc::new(Parameters::Video(video)),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn options(&self) -> ClipOptions {
        let mut options = ClipOptions::new(self.folder.path());
        options.duration = Duration::from_secs(2);
        options.min_free = 0;
        options
    }

    /// A picture of a tenth of a second; each tenth one is a key frame.
    fn picture(&self, number: u64) -> AccessUnit {
        let data: &[u8] = if number.is_multiple_of(10) {
            &[0, 0, 0, 1, 0x65, 0x88, 1, 2, 3]
        } else {
            &[0, 0, 0, 1, 0x41, 0x9a, 4, 5]
        };
        let pts = Duration::from_millis(number * 100);
        let mut unit = AccessUnit::new(Codec::H264, Bytes::from_static(data), pts, at(pts));
        unit.parameters = Some(self.parameters.clone());
        unit
    }

    fn send(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            self.sender.send(self.picture(number)).unwrap();
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    }
}

/// The host's clock and the stream's go alike.
fn at(pts: Duration) -> WallClock {
    WallClock {
        time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + pts,
        origin: TimeOrigin::Receipt,
    }
}

async fn next<T>(stream: &mut (impl futures::Stream<Item = T> + Unpin)) -> T {
    timeout(SOON, stream.next()).await.unwrap().unwrap()
}

/// How often a pattern is in a file.
fn count(path: &Path, pattern: &[u8]) -> usize {
    let data = fs::read(path).unwrap();
    data.windows(pattern.len())
        .filter(|window| *window == pattern)
        .count()
}

#[tokio::test]
async fn clips_follow_each_other_at_key_frames_without_a_gap() {
    let camera = Camera::new(Duration::ZERO);
    let mut clips = camera.hub.clips(camera.options()).unwrap();
    camera.send(3..61);
    for begin in [1_000, 3_000] {
        let clip = next(&mut clips).await.unwrap();
        assert_eq!(clip.started, at(Duration::from_millis(begin)));
        assert_eq!((clip.duration, clip.frames), (Duration::from_secs(2), 20));
        assert_eq!((clip.end, clip.codecs.len()), (ClipEnd::Complete, 1));
        assert_eq!(clip.bytes, fs::metadata(&clip.path).unwrap().len());
    }
    let names = ["20270115T080001Z.mp4", "20270115T080003Z.mp4"];
    let found = camera.files();
    for name in names {
        assert!(
            found.contains(&camera.folder.path().join(name)),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn a_clip_begins_before_what_caused_it() {
    let camera = Camera::new(Duration::from_secs(5));
    let mut watching = camera.hub.subscribe();
    camera.send(0..45);
    for _ in 0..45 {
        next(&mut watching).await;
    }
    let mut options = camera.options();
    options.before = Duration::from_secs(2);
    camera.send(45..90);
    let clip = timeout(SOON, camera.hub.clip(&options))
        .await
        .unwrap()
        .unwrap();
    let before = Duration::from_millis(4_400).abs_diff(
        clip.started
            .time
            .duration_since(at(Duration::ZERO).time)
            .unwrap(),
    );
    assert!(
        before >= Duration::from_secs(2) && clip.started.time >= at(Duration::ZERO).time,
        "{before:?}"
    );
    assert_eq!(
        (clip.duration, clip.requested),
        (Duration::from_secs(4), Duration::from_secs(2))
    );
}

#[tokio::test]
async fn other_parameters_begin_another_clip() {
    let mut camera = Camera::new(Duration::ZERO);
    let mut clips = camera.hub.clips(camera.options()).unwrap();
    camera.send(0..10);
    let mut other = SPS.to_vec();
    other[3] = 0x0b;
    let sets = vec![Bytes::from(other), Bytes::from_static(PPS)];
    let video = VideoParameters::from_sets(Codec::H264, sets).unwrap();
    camera.parameters = Arc::new(Parameters::Video(video));
    camera.send(10..31);
    let clip = next(&mut clips).await.unwrap();
    assert_eq!((clip.end, clip.frames), (ClipEnd::Changed, 10));
    let clip = next(&mut clips).await.unwrap();
    assert_eq!((clip.end, clip.frames), (ClipEnd::Complete, 20));
}

#[tokio::test]
async fn a_loss_within_a_session_leaves_a_gap_and_another_session_begins_another_clip() {
    let camera = Camera::new(Duration::ZERO);
    let mut options = camera.options();
    options.duration = Duration::from_secs(4);
    let mut clips = camera.hub.clips(options).unwrap();
    camera.send(0..15);
    let mut damaged = camera.picture(15);
    damaged.loss = 2;
    camera.sender.send(damaged).unwrap();
    camera.send(16..35);
    // A new session: time begins anew, the host's clock goes on.
    for number in 0..45 {
        let mut unit = camera.picture(number);
        unit.loss = u32::from(number == 0);
        unit.wall = at(unit.pts + Duration::from_secs(9));
        camera.sender.send(unit).unwrap();
    }
    let clip = next(&mut clips).await.unwrap();
    assert_eq!((clip.end, clip.frames), (ClipEnd::Interrupted, 30));
    assert_eq!(clip.duration, Duration::from_millis(3_500));
    let clip = next(&mut clips).await.unwrap();
    assert_eq!((clip.end, clip.frames), (ClipEnd::Complete, 40));
    assert_eq!(clip.started, at(Duration::from_secs(9)));
}

#[tokio::test]
async fn sound_goes_into_the_clip_in_whose_time_it_is() {
    let camera = Camera::new(Duration::ZERO);
    let mut options = camera.options();
    options.container = Container::Mkv;
    let mut clips = camera.hub.clips(options).unwrap();
    let sound = Arc::new(Parameters::Audio(AudioParameters::new(
        8_000,
        1,
        Bytes::new(),
    )));
    for number in 0..45 {
        // It comes half a second before its picture.
        let ahead = number + 5;
        let pts = Duration::from_millis(ahead * 100);
        let data = format!("SOUND{ahead}.").into_bytes();
        let mut unit = AccessUnit::new(Codec::Pcmu, data.into(), pts, at(pts));
        unit.track = 1;
        unit.parameters = Some(sound.clone());
        camera.sender.send(unit).unwrap();
        camera.sender.send(camera.picture(number)).unwrap();
    }
    let (first, second) = (
        next(&mut clips).await.unwrap(),
        next(&mut clips).await.unwrap(),
    );
    assert_eq!(first.codecs, [Codec::H264, Codec::Pcmu]);
    for (clip, number, there) in [
        (&first, 19, true),
        (&first, 20, false),
        (&second, 20, true),
        (&second, 39, true),
        (&second, 40, false),
    ] {
        let pattern = format!("SOUND{number}.");
        assert_eq!(
            count(&clip.path, pattern.as_bytes()) == 1,
            there,
            "{pattern}"
        );
    }
}

#[tokio::test]
async fn what_is_written_so_far_is_whole_fragments() {
    let camera = Camera::new(Duration::ZERO);
    let mut options = camera.options();
    options.duration = Duration::from_secs(3600);
    let mut clips = camera.hub.clips(options).unwrap();
    camera.send(0..45);
    let hidden = camera.folder.path().join(".20270115T080000Z.mp4.part");
    let written = async {
        // The fourth second waits for its end.
        while !hidden.exists() || count(&hidden, b"moof") < 4 {
            tokio::select! {
                _ = clips.next() => panic!("the clip is not over"),
                () = tokio::task::yield_now() => {}
            }
        }
    };
    timeout(SOON, written).await.unwrap();
    let data = fs::read(&hidden).unwrap();
    assert_eq!(
        boxes(&data),
        [
            "ftyp", "moov", "moof", "mdat", "moof", "mdat", "moof", "mdat", "moof", "mdat"
        ]
    );

    // Whoever stops recording gets the file.
    drop(clips);
    let done = camera.folder.path().join("20270115T080000Z.mp4");
    let named = async {
        while !done.exists() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, named).await.unwrap();
    assert_eq!(camera.files(), [done]);
}

/// The names of the boxes, which have to fill the file.
fn boxes(mut data: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    while !data.is_empty() {
        let length = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
        names.push(String::from_utf8(data[4..8].to_vec()).unwrap());
        data = &data[length..];
    }
    names
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_nothing() {
    let camera = Camera::new(Duration::ZERO);
    let mut options = camera.options();
    options.min_free = u64::MAX;
    let mut clips = camera.hub.clips(options).unwrap();
    camera.send(0..45);
    let error = next(&mut clips).await.unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    assert_eq!(
        (error.kind(), error.is_transient()),
        (ErrorKind::Storage, true)
    );
    assert_eq!(camera.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_said() {
    let camera = Camera::new(Duration::ZERO);
    let mut options = camera.options();
    options.folder = camera.folder.path().join("file/below");
    fs::write(camera.folder.path().join("file"), "").unwrap();
    camera.send(0..45);
    let error = timeout(SOON, camera.hub.clip(&options))
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, Error::Storage { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_clip_is_closed_when_nothing_comes_any_more() {
    let camera = Camera::new(Duration::ZERO);
    camera.send(0..15);
    let clip = camera.hub.clip(&camera.options()).await.unwrap();
    assert_eq!((clip.end, clip.frames), (ClipEnd::Interrupted, 15));
    assert_eq!(clip.duration, Duration::from_millis(1_500));
    let error = camera.hub.clip(&camera.options()).await.unwrap_err();
    assert!(matches!(error, Error::NoPicture { .. }), "{error}");
}

#[tokio::test]
async fn old_clips_make_room_for_new_ones() {
    let camera = Camera::new(Duration::ZERO);
    let mut options = camera.options();
    options.duration = Duration::from_secs(1);
    options.retention.max_bytes = Some(1);
    let mut clips = camera.hub.clips(options).unwrap();
    camera.send(0..25);
    next(&mut clips).await.unwrap();
    let clip = next(&mut clips).await.unwrap();
    drop(clips);
    let files = camera.files();
    assert!(files.contains(&clip.path), "{files:?}");
    assert!(
        !files.contains(&camera.folder.path().join("20270115T080000Z.mp4")),
        "{files:?}"
    );
}

#[tokio::test]
async fn two_clips_of_one_second_have_two_names() {
    let camera = Camera::new(Duration::ZERO);
    let options = camera.options();
    camera.send(0..30);
    let (a, b) = tokio::join!(camera.hub.clip(&options), camera.hub.clip(&options));
    let mut names =
        [a.unwrap().path, b.unwrap().path].map(|path| path.file_name().unwrap().to_owned());
    names.sort();
    assert_eq!(names, ["20270115T080000Z-2.mp4", "20270115T080000Z.mp4"]);
}

#[tokio::test]
async fn options_out_of_range_are_refused_at_once() {
    let camera = Camera::new(Duration::ZERO);
    let mut options = camera.options();
    options.duration = Duration::ZERO;
    assert!(matches!(
        camera.hub.clip(&options).await,
        Err(Error::Option {
            option: "duration",
            ..
        })
    ));
    let mut options = camera.options();
    options.name = "../%Y".into();
    assert!(matches!(
        camera.hub.clips(options),
        Err(Error::Option { option: "name", .. })
    ));
}
