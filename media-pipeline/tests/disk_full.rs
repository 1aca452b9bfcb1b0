//! Clips on a disk that gets full: they stop with a reason, what is there plays, everything else goes on, and so do they when there
//! is room again. The disk is a small tmpfs, which only root can mount; elsewhere the tests say that they were skipped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use media_pipeline::{
    AccessUnit, Clip, ClipEnd, ClipOptions, Codec, Error, ErrorKind, FileOptions, FileSource, Hub,
    HubOptions, Pace, Rate, SnapshotOptions, Source, SourceSession, WallClock, check_jpeg,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(60);
const PICTURE: usize = 40_000;

/// A file system of so many KiB, unmounted when it is dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            other => {
                eprintln!("skipped: a tmpfs cannot be mounted: {other:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

struct Script(Mutex<Option<mpsc::UnboundedReceiver<AccessUnit>>>);
struct Session(mpsc::UnboundedReceiver<AccessUnit>);

#[async_trait]
impl Source for Script {
    fn label(&self) -> String {
        "script".into()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        let units = self.0.lock().unwrap().take();
        Ok(Box::new(Session(units.unwrap())))
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

/// A JPEG picture, as far as containers look, every tenth of a second.
fn picture(number: u64) -> AccessUnit {
    let mut data = vec![
        0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 48, 0, 64, 1, 1, 0x11, 0,
    ];
    data.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    data.resize(PICTURE, 7);
    data.extend([0xff, 0xd9]);
    let pts = Duration::from_millis(number * 100);
    AccessUnit::new(Codec::Jpeg, data.into(), pts, WallClock::now())
}

async fn frames(clip: &Clip) -> u64 {
    let mut options = FileOptions::new(&clip.path);
    options.pace = Pace::Fast;
    let mut session = FileSource::new(options).unwrap().connect().await.unwrap();
    let mut frames = 0;
    while let Some(unit) = session.next().await.unwrap() {
        assert!(check_jpeg(&unit.data).is_ok());
        frames += 1;
    }
    frames
}

/// Records on a disk with `min_free` bytes kept free until clips fail, and then again with room.
async fn fills_up(disk: &Disk, min_free: u64) -> Error {
    let (sender, receiver) = mpsc::unbounded_channel();
    let script = Arc::new(Script(Mutex::new(Some(receiver))));
    let hub = Hub::new(script, HubOptions::default());
    let mut options = ClipOptions::new(disk.path());
    options.duration = Duration::from_secs(2);
    options.min_free = min_free;
    let mut clips = hub.clips(options).unwrap();
    let mut snapshots = hub
        .snapshots(Rate::EachKeyFrame, SnapshotOptions::default())
        .unwrap();
    let mut numbers = 0..;
    let mut record = async |pictures: usize| {
        for number in numbers.by_ref().take(pictures) {
            sender.send(picture(number)).unwrap();
        }
        timeout(SOON, clips.next()).await.unwrap().unwrap()
    };

    let mut made: Vec<Clip> = Vec::new();
    let error = loop {
        match record(25).await {
            Ok(clip) => made.push(clip),
            Err(error) => break error,
        }
        assert!(made.len() < 10, "it never gets full");
    };
    assert!(made.len() > 1, "{made:?}");
    let free = fs4::available_space(disk.path()).unwrap();
    assert!(free + 2 * PICTURE as u64 * 10 > min_free, "{free}");
    assert!(made.iter().any(|clip| clip.end == ClipEnd::Complete));
    for clip in &made {
        assert_eq!(frames(clip).await, clip.frames, "{}", clip.path.display());
    }
    let mut names: Vec<_> = made.iter().map(|clip| clip.path.clone()).collect();
    names.sort();
    assert_eq!(disk.files(), names, "nothing half done is left");

    // The clips are full of what was; pictures are of now.
    timeout(SOON, snapshots.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    for clip in made {
        std::fs::remove_file(clip.path).unwrap();
    }
    let recovered = async {
        loop {
            if let Ok(clip) = record(25).await {
                return clip;
            }
        }
    };
    let clip = timeout(SOON, recovered).await.unwrap();
    assert!(frames(&clip).await > 0);
    error
}

#[tokio::test]
async fn a_disk_without_room_ends_clips_with_a_reason_until_there_is_room() {
    let Some(disk) = Disk::mount(2_600) else {
        return;
    };
    let error = fills_up(&disk, 0).await;
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.is_transient());
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("No space left"), "{error}: {cause}");
}

#[tokio::test]
async fn the_floor_of_free_space_is_kept() {
    let Some(disk) = Disk::mount(4_000) else {
        return;
    };
    let error = fills_up(&disk, 1 << 20).await;
    assert!(
        matches!(error, Error::DiskFull { floor: 1_048_576, free, .. } if free < 1 << 20),
        "{error:?}"
    );
}
