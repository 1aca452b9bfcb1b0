//! `clip-to-fs`: one clip after the other, each a file.

use std::str::FromStr as _;
use std::time::Duration;

use connector_sdk::{Error, ErrorKind, Sink, StreamSpec};
use futures::StreamExt as _;
use media_pipeline::{ClipEnd, ClipOptions, Container, Hub, HubStatus};
use serde::Deserialize;

use crate::connector::failed;
use crate::storage::Storage;

#[derive(Clone, Debug)]
pub(crate) struct ClipToFs {
    container: Container,
    duration: Duration,
    path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    #[serde(rename = "taskType")]
    _task_type: String,
    #[serde(rename = "autostart")]
    _autostart: Option<bool>,
    format: Option<String>,
    duration: Option<u64>,
    path: Option<String>,
}

impl ClipToFs {
    pub(crate) fn of(stream: &StreamSpec) -> Result<Self, Error> {
        let settings: Settings = stream.configuration()?;
        let format = settings.format.as_deref().unwrap_or("mkv");
        let container = Container::from_str(format).map_err(|_| {
            Error::configuration(format!(
                "streamConfiguration.format: {format:?} is not one of avi, mp4, mkv, mts, mjpeg, mpg, mpeg, flv, webm"
            ))
        })?;
        let duration = match settings.duration.unwrap_or(60) {
            0 => {
                return Err(Error::configuration(
                    "streamConfiguration.duration: 0 is not a length in seconds",
                ));
            }
            seconds => Duration::from_secs(seconds),
        };
        Ok(Self {
            container,
            duration,
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
        let mut options = ClipOptions::new(folder);
        options.container = self.container;
        options.duration = self.duration;
        let mut clips = hub.clips(options).map_err(failed)?;
        let mut changes = hub.watch_status();
        loop {
            let clip = tokio::select! {
                clip = clips.next() => clip,
                status = changes.next() => {
                    match status {
                        Some(HubStatus::Streaming { .. }) => sink.running(),
                        Some(HubStatus::Backoff { error, .. }) => sink.failed(&failed(error)),
                        _ => {}
                    }
                    continue;
                }
            };
            match clip {
                None => return Ok(()),
                Some(Ok(clip)) => {
                    tracing::info!(
                        asset = %stream.asset, path = %clip.path.display(), end = ?clip.end, "clip recorded"
                    );
                    if clip.end == ClipEnd::Storage {
                        sink.failed(&Error::unavailable(format!(
                            "the clip {} ended early: the disk is full, or writing failed",
                            clip.path.display()
                        )));
                    } else {
                        sink.running();
                    }
                }
                Some(Err(error)) if error.is_transient() => sink.failed(&failed(error)),
                Some(Err(error @ media_pipeline::Error::Container { .. })) => {
                    let message = format!("streamConfiguration.format: {error}");
                    return Err(Error::new(ErrorKind::Unsupported, message));
                }
                Some(Err(error)) => return Err(failed(error)),
            }
        }
    }
}
