//! The `streamConfiguration` of the contract: which task, and its settings.

use std::time::Duration;

use connector_sdk::{Error, StreamSpec};
use media_pipeline::{CaptureMethod, Rate, SnapshotOptions, StillFormat};
use serde::Deserialize;

use crate::clip_to_fs::ClipToFs;
use crate::snapshot_to_fs::SnapshotToFs;
use crate::stream_to_rtsp::StreamToRtsp;

/// A task that this connector runs.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// `autostart` is off.
    Idle,
    /// `snapshot-to-mqtt`.
    SnapshotToMqtt(Rate, SnapshotOptions),
    /// `snapshot-to-fs`.
    SnapshotToFs(SnapshotToFs),
    /// `clip-to-fs`.
    ClipToFs(ClipToFs),
    /// `stream-to-rtsp` and `stream-to-rtsps`.
    StreamToRtsp(StreamToRtsp),
}

/// The most snapshots a second that the contract allows.
const MOST_PER_SECOND: f64 = 60.0;

impl Task {
    pub(crate) fn of(stream: &StreamSpec) -> Result<Self, Error> {
        let Kind {
            task_type,
            autostart,
        } = stream.configuration()?;
        let task = match task_type.as_deref() {
            Some("snapshot-to-mqtt") => Self::snapshot_to_mqtt(stream)?,
            Some("snapshot-to-fs") => Self::SnapshotToFs(SnapshotToFs::of(stream)?),
            Some("clip-to-fs") => Self::ClipToFs(ClipToFs::of(stream)?),
            Some("stream-to-rtsp" | "stream-to-rtsps") => {
                Self::StreamToRtsp(StreamToRtsp::of(stream)?)
            }
            Some(other) => {
                return Err(Error::configuration(format!(
                    "streamConfiguration.taskType: there is no task {other:?}; the tasks are snapshot-to-mqtt, \
                     snapshot-to-fs, clip-to-fs, stream-to-rtsp and stream-to-rtsps"
                )));
            }
            None => {
                return Err(Error::configuration(
                    "streamConfiguration.taskType: missing",
                ));
            }
        };
        // What does not start is checked all the same.
        Ok(if autostart.unwrap_or(true) {
            task
        } else {
            Self::Idle
        })
    }

    /// The task, with snapshots from where the endpoint has them.
    pub(crate) fn captured_by(mut self, capture: CaptureMethod) -> Self {
        match &mut self {
            Self::SnapshotToMqtt(_, options) => options.capture = capture,
            Self::SnapshotToFs(task) => task.options.capture = capture,
            Self::Idle | Self::ClipToFs(_) | Self::StreamToRtsp(_) => {}
        }
        self
    }

    fn snapshot_to_mqtt(stream: &StreamSpec) -> Result<Self, Error> {
        let Snapshots {
            format,
            snapshots_per_second,
            ..
        } = stream.configuration()?;
        let rate = rate(snapshots_per_second)?;
        let options = SnapshotOptions {
            format: format.unwrap_or_default().into(),
            ..SnapshotOptions::default()
        };
        Ok(Self::SnapshotToMqtt(rate, options))
    }
}

/// 0 means every frame of the source; nothing means one a second.
pub(crate) fn rate(per_second: Option<f64>) -> Result<Rate, Error> {
    match per_second {
        None => Ok(Rate::Every(Duration::from_secs(1))),
        Some(0.0) => Ok(Rate::EveryFrame),
        Some(rate) if rate > 0.0 && rate <= MOST_PER_SECOND => {
            let period =
                Duration::try_from_secs_f64(rate.recip()).map_err(|_| out_of_range(rate))?;
            Ok(Rate::Every(period))
        }
        Some(rate) => Err(out_of_range(rate)),
    }
}

fn out_of_range(rate: f64) -> Error {
    Error::configuration(format!(
        "streamConfiguration.snapshotsPerSecond: {rate} is not between 0 and {MOST_PER_SECOND}"
    ))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    task_type: Option<String>,
    autostart: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Snapshots {
    #[serde(rename = "taskType")]
    _task_type: String,
    #[serde(rename = "autostart")]
    _autostart: Option<bool>,
    format: Option<Format>,
    snapshots_per_second: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Png,
    Bmp,
    Jpg,
    #[default]
    Jpeg,
    Tif,
    Tiff,
}

impl From<Format> for StillFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Png => Self::Png,
            Format::Bmp => Self::Bmp,
            Format::Jpg | Format::Jpeg => Self::Jpeg,
            Format::Tif | Format::Tiff => Self::Tiff,
        }
    }
}

#[cfg(test)]
mod tests {
    use connector_sdk::{ErrorKind, model::Stream};

    use super::*;

    fn task(configuration: &str) -> Result<Task, Error> {
        Task::of(&StreamSpec {
            asset: "cam".to_owned(),
            stream: Stream {
                name: "snap".to_owned(),
                stream_configuration: Some(configuration.to_owned()),
                ..Stream::default()
            },
        })
    }

    fn rate_of(configuration: &str) -> Rate {
        match task(configuration) {
            Ok(Task::SnapshotToMqtt(rate, _)) => rate,
            other => panic!("{configuration}: {other:?}"),
        }
    }

    #[test]
    fn the_rate_is_one_a_second_unless_it_is_given() {
        let second = Duration::from_secs(1);
        assert_eq!(
            rate_of(r#"{"taskType":"snapshot-to-mqtt"}"#),
            Rate::Every(second)
        );
        assert_eq!(
            rate_of(r#"{"taskType":"snapshot-to-mqtt","snapshotsPerSecond":0.25}"#),
            Rate::Every(4 * second)
        );
        assert_eq!(
            rate_of(r#"{"taskType":"snapshot-to-mqtt","snapshotsPerSecond":0}"#),
            Rate::EveryFrame
        );
    }

    #[test]
    fn formats_have_the_names_of_the_contract() {
        for (name, wanted) in [
            ("png", StillFormat::Png),
            ("bmp", StillFormat::Bmp),
            ("jpg", StillFormat::Jpeg),
            ("jpeg", StillFormat::Jpeg),
            ("tif", StillFormat::Tiff),
            ("tiff", StillFormat::Tiff),
        ] {
            let configuration = format!(r#"{{"taskType":"snapshot-to-mqtt","format":"{name}"}}"#);
            let Ok(Task::SnapshotToMqtt(_, options)) = task(&configuration) else {
                panic!("{configuration}");
            };
            assert_eq!(options.format, wanted, "{name}");
        }
    }

    #[test]
    fn without_autostart_nothing_runs() {
        for name in [
            "snapshot-to-mqtt",
            "snapshot-to-fs",
            "clip-to-fs",
            "stream-to-rtsp",
            "stream-to-rtsps",
        ] {
            let idle = task(&format!(r#"{{"taskType":"{name}","autostart":false}}"#));
            assert!(matches!(idle, Ok(Task::Idle)), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_served_names_field_and_reason() {
        use ErrorKind::Configuration;
        for (configuration, kind, message) in [
            ("{}", Configuration, "streamConfiguration.taskType: missing"),
            ("", Configuration, "streamConfiguration.taskType: missing"),
            ("[", Configuration, "streamConfiguration: EOF while parsing"),
            (
                r#"{"taskType":"clip-to-fs","format":"mov"}"#,
                Configuration,
                "streamConfiguration.format: \"mov\" is not one of avi, mp4, mkv",
            ),
            (
                r#"{"taskType":"clip-to-fs","duration":0}"#,
                Configuration,
                "streamConfiguration.duration: 0 is not a length",
            ),
            (
                r#"{"taskType":"clip-to-fs","duration":1.5}"#,
                Configuration,
                "streamConfiguration.duration: invalid type",
            ),
            (
                r#"{"taskType":"snapshot-to-fs","duration":5}"#,
                Configuration,
                "streamConfiguration.duration: unknown field",
            ),
            (
                r#"{"taskType":"mqtt-to-snapshot"}"#,
                Configuration,
                "streamConfiguration.taskType: there is no task",
            ),
            (
                r#"{"taskType":"snapshot-to-mqtt","format":"gif"}"#,
                Configuration,
                "streamConfiguration.format: unknown variant `gif`",
            ),
            (
                r#"{"taskType":"snapshot-to-mqtt","snapshotsPerSecond":"1"}"#,
                Configuration,
                "streamConfiguration.snapshotsPerSecond: invalid type: string",
            ),
            (
                r#"{"taskType":"snapshot-to-mqtt","snapshotsPerSecond":-1}"#,
                Configuration,
                "streamConfiguration.snapshotsPerSecond: -1 is not between 0 and 60",
            ),
            (
                r#"{"taskType":"snapshot-to-mqtt","snapshotsPerSecond":1e-300}"#,
                Configuration,
                "streamConfiguration.snapshotsPerSecond: ",
            ),
            (
                r#"{"taskType":"snapshot-to-mqtt","duration":5}"#,
                Configuration,
                "streamConfiguration.duration: unknown field `duration`",
            ),
        ] {
            let error = task(configuration).unwrap_err();
            assert_eq!(error.kind(), kind, "{configuration}");
            assert!(
                error.to_string().starts_with(message),
                "{configuration}: {error}"
            );
        }
    }
}
