//! `snapshot-to-fs`: each picture a file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use connector_sdk::{Error, Sink, StreamSpec};
use futures::StreamExt as _;
use jiff::Timestamp;
use media_pipeline::{Hub, Rate, Snapshot, SnapshotOptions};
use serde::Deserialize;

use crate::connector::failed;
use crate::storage::Storage;
use crate::task::{Format, rate};

/// What the disk keeps free, as clips do.
const MIN_FREE: u64 = 256 << 20;

#[derive(Clone, Debug)]
pub(crate) struct SnapshotToFs {
    rate: Rate,
    pub(crate) options: SnapshotOptions,
    path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    #[serde(rename = "taskType")]
    _task_type: String,
    #[serde(rename = "autostart")]
    _autostart: Option<bool>,
    format: Option<Format>,
    snapshots_per_second: Option<f64>,
    path: Option<String>,
}

impl SnapshotToFs {
    pub(crate) fn of(stream: &StreamSpec) -> Result<Self, Error> {
        let settings: Settings = stream.configuration()?;
        Ok(Self {
            rate: rate(settings.snapshots_per_second)?,
            options: SnapshotOptions {
                format: settings.format.unwrap_or(Format::Png).into(),
                ..SnapshotOptions::default()
            },
            path: settings.path,
        })
    }

    pub(crate) async fn run(
        self,
        hub: &Hub,
        storage: &Storage,
        stream: &StreamSpec,
        sink: &Sink,
    ) -> Result<(), Error> {
        let folder = storage.folder(self.path.as_deref(), stream, sink).await?;
        let mut snapshots = hub.snapshots(self.rate, self.options).map_err(failed)?;
        while let Some(snapshot) = snapshots.next().await {
            let snapshot = match snapshot {
                Ok(snapshot) => snapshot,
                Err(error) if error.is_transient() => {
                    sink.failed(&failed(error));
                    continue;
                }
                Err(error) => return Err(failed(error)),
            };
            let folder = folder.clone();
            let saved = tokio::task::spawn_blocking(move || save(&folder, &snapshot, MIN_FREE));
            match saved.await {
                Ok(Ok(_)) => sink.running(),
                Ok(Err(error)) => {
                    // The disk may have room again for the next one.
                    tracing::warn!(asset = %stream.asset, stream = %stream.stream.name, %error, "snapshot lost");
                    sink.failed(&Error::unavailable("the snapshot is not stored").because(error));
                }
                Err(error) => {
                    return Err(Error::unavailable("the snapshot was not stored").because(error));
                }
            }
        }
        Ok(())
    }
}

/// Writes a picture under a name with its time, which it has when it is whole.
fn save(folder: &Path, snapshot: &Snapshot, min_free: u64) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let free = fs4::available_space(folder)?;
    if free < min_free {
        return Err(io::Error::new(
            io::ErrorKind::StorageFull,
            format!(
                "{}: {free} bytes are free, {min_free} are to be left free",
                folder.display()
            ),
        ));
    }
    let name = name(snapshot.captured.time);
    let ending = snapshot.format.name();
    let hidden = folder.join(format!(".{name}.{ending}.part"));
    let written = File::create(&hidden).and_then(|mut file| {
        file.write_all(&snapshot.data)?;
        file.sync_all()
    });
    let path = (1..)
        .map(|number| match number {
            1 => folder.join(format!("{name}.{ending}")),
            _ => folder.join(format!("{name}-{number}.{ending}")),
        })
        .find(|path| !path.exists());
    let path = path.unwrap_or_else(|| hidden.clone());
    match written.and_then(|()| fs::rename(&hidden, &path)) {
        Ok(()) => Ok(path),
        Err(error) => {
            let _ = fs::remove_file(&hidden);
            Err(error)
        }
    }
}

/// Such as `20261121T213415.250Z`.
fn name(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or_default();
    time.strftime("%Y%m%dT%H%M%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn names_tell_the_time_in_utc() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_250);
        assert_eq!(name(time), "20270115T080000.250Z");
    }
}
