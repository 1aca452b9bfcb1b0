use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::name;

/// Which clips are deleted when a new one is complete. Only files whose names the template of the options could have made,
/// with the ending of the container, are looked at; the new one stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The oldest beyond so many bytes in all.
    pub max_bytes: Option<u64>,
    /// Those that began longer ago.
    pub max_age: Option<Duration>,
}

/// A clip on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    path: PathBuf,
    began: SystemTime,
    bytes: u64,
}

impl Retention {
    /// Deletes what is over the bounds; returns what could not be deleted.
    pub(super) fn apply(
        &self,
        folder: &Path,
        template: &str,
        extension: &str,
        newest: &Path,
        now: SystemTime,
    ) -> Vec<(PathBuf, std::io::Error)> {
        if *self == Self::default() {
            return Vec::new();
        }
        let depth = Path::new(template).components().count();
        let mut clips = Vec::new();
        walk(folder, depth, &mut |path, bytes| {
            let below = path.strip_prefix(folder).unwrap_or(path);
            let ours = below.extension().is_some_and(|ending| ending == extension);
            if let Some(began) = name::time(template, below).filter(|_| ours && path != newest) {
                let path = path.to_owned();
                clips.push(Kept { path, began, bytes });
            }
        });
        let newest = fs::metadata(newest).map_or(0, |data| data.len());
        let expired = self.expired(clips, newest, now).into_iter();
        expired
            .filter_map(|clip| Some((clip.path.clone(), fs::remove_file(&clip.path).err()?)))
            .collect()
    }

    /// `newest` is the size of the clip that stays in any case.
    fn expired(&self, mut clips: Vec<Kept>, newest: u64, now: SystemTime) -> Vec<Kept> {
        clips.sort_by(|a, b| b.began.cmp(&a.began).then_with(|| b.path.cmp(&a.path)));
        let mut total = newest;
        clips.retain(|clip| {
            total = total.saturating_add(clip.bytes);
            let age = now.duration_since(clip.began).unwrap_or_default();
            self.max_bytes.is_some_and(|most| total > most)
                || self.max_age.is_some_and(|oldest| age > oldest)
        });
        clips
    }
}

/// Visits the files so many levels below a folder. Links are not followed.
fn walk(folder: &Path, depth: usize, visit: &mut dyn FnMut(&Path, u64)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(data) = entry.metadata() else {
            continue;
        };
        if data.is_dir() && depth > 1 {
            walk(&entry.path(), depth - 1, visit);
        } else if data.is_file() && depth == 1 {
            visit(&entry.path(), data.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(seconds: u64, bytes: u64) -> Kept {
        Kept {
            path: format!("{seconds}.mp4").into(),
            began: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            bytes,
        }
    }

    fn expired(retention: Retention) -> Vec<PathBuf> {
        let clips = vec![clip(200, 10), clip(100, 10), clip(300, 10)];
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(360);
        let expired = retention.expired(clips, 10, now);
        expired.into_iter().map(|clip| clip.path).collect()
    }

    #[test]
    fn the_oldest_go_when_all_are_too_large() {
        let retention = Retention {
            max_bytes: Some(25),
            ..Retention::default()
        };
        assert_eq!(
            expired(retention),
            [Path::new("200.mp4"), Path::new("100.mp4")]
        );
    }

    #[test]
    fn what_is_too_old_goes() {
        let retention = Retention {
            max_age: Some(Duration::from_secs(200)),
            ..Retention::default()
        };
        assert_eq!(expired(retention), [Path::new("100.mp4")]);
    }

    #[test]
    fn only_clips_that_the_template_named_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "20270115T080000Z.mp4",
            "20270115T080100Z.mp4",
            "20270115T080000Z.mkv",
            "holiday.mp4",
        ] {
            fs::write(folder.path().join(name), b"12345").unwrap();
        }
        let newest = folder.path().join("20270115T080100Z.mp4");
        let retention = Retention {
            max_bytes: Some(1),
            max_age: None,
        };
        let now = SystemTime::now();
        let failed = retention.apply(folder.path(), "%Y%m%dT%H%M%SZ", "mp4", &newest, now);
        assert!(failed.is_empty());
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                "20270115T080000Z.mkv",
                "20270115T080100Z.mp4",
                "holiday.mp4"
            ]
        );
    }
}
