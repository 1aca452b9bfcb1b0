use std::path::PathBuf;

use async_trait::async_trait;
use connector_sdk::model::Target;
use connector_sdk::{Connector, Data, Device, Endpoint, Error, Sink, StreamSpec};
use futures::StreamExt;
use media_pipeline::{CaptureMethod, Hub, HubStatus};

use crate::source::{self, Opened};
use crate::storage::Storage;
use crate::task::Task;

/// Serves endpoints of type `Microsoft.Media`, anonymous or with user name and password: `rtsp://` and `rtsps://` addresses,
/// and `http://` and `https://` addresses of JPEG pictures, one for each request or as a stream.
///
/// The `additionalConfiguration` of an endpoint is JSON with any of these:
///
/// | field | values | default |
/// |---|---|---|
/// | `transport` | `tcp`, `udp`, `multicast`, `http` (RTSP tunnelled through HTTP; HTTPS for `rtsps` and `https` addresses) | `tcp` |
/// | `snapshotUri` | the address of single JPEG pictures beside an RTSP stream | |
/// | `captureMethod` | where snapshots come from: `stream`, `snapshot-uri`, or `auto`, which is the snapshot URI for JPEG up to one a second, and the stream else and when that fails | `auto` |
/// | `allowBasic` | Basic authentication without TLS | `false` |
/// | `pinnedKey` | the key of the camera's certificate, `sha256/…` | |
/// | `acceptInvalidCertificates` | anybody's certificate will do | `false` |
#[derive(Clone, Debug, Default)]
pub struct MediaConnector {
    storage: Storage,
}

impl MediaConnector {
    /// A connector whose files go below `/tmp`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the files go below this folder, and nowhere else.
    #[must_use]
    pub fn storing_below(self, root: impl Into<PathBuf>) -> Self {
        Self {
            storage: Storage::below(root.into()),
        }
    }

    /// Permits assets to name absolute paths below this folder too.
    #[must_use]
    pub fn also_below(mut self, root: impl Into<PathBuf>) -> Self {
        self.storage.permit(root.into());
        self
    }
}

/// One camera stream.
#[derive(Debug)]
pub struct MediaDevice {
    hub: Hub,
    storage: Storage,
    capture: CaptureMethod,
}

#[async_trait]
impl Connector for MediaConnector {
    type Device = MediaDevice;

    fn endpoint_type(&self) -> &str {
        "Microsoft.Media"
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<MediaDevice, Error> {
        let Opened {
            source,
            hub,
            capture,
        } = source::open(endpoint)?;
        // The status of the endpoint says whether there are pictures, before any asset wants them.
        match &hub.snapshot_uri {
            Some(uri) if capture == CaptureMethod::SnapshotUri => {
                uri.snapshot().await.map_err(failed)?;
            }
            _ => source.connect().await.map_err(failed)?.close().await,
        }
        Ok(MediaDevice {
            hub: Hub::new(source, hub),
            capture,
            storage: self.storage.clone(),
        })
    }
}

#[async_trait]
impl Device for MediaDevice {
    async fn check(&self) -> Result<(), Error> {
        match self.hub.status() {
            HubStatus::Backoff { error, .. } => Err(failed(error)),
            _ => Ok(()),
        }
    }

    fn targets(&self) -> &[Target] {
        &[Target::Mqtt, Target::Storage]
    }

    async fn run_stream(&self, stream: &StreamSpec, sink: &Sink) -> Result<(), Error> {
        let storage = &self.storage;
        let (rate, options) = match Task::of(stream)?.captured_by(self.capture) {
            Task::Idle => return Ok(()),
            Task::SnapshotToMqtt(rate, options) => (rate, options),
            Task::SnapshotToFs(task) => return task.run(&self.hub, storage, stream, sink).await,
            Task::ClipToFs(task) => return task.run(&self.hub, storage, stream, sink).await,
            Task::StreamToRtsp(task) => return task.run(&self.hub, stream, sink).await,
        };
        if let Some(index) = sink.targets().position(|target| *target != Target::Mqtt) {
            return Err(Error::configuration(format!(
                "destinations[{index}].target: snapshot-to-mqtt sends to Mqtt alone"
            )));
        }
        let mut snapshots = self.hub.snapshots(rate, options).map_err(failed)?;
        while let Some(snapshot) = snapshots.next().await {
            match snapshot {
                Ok(snapshot) => {
                    let content_type = snapshot.format.media_type();
                    let data = Data::new(content_type, snapshot.data).at(snapshot.captured.time);
                    if let Err(error) = sink.send(data).await {
                        // The broker is away or refused this one: the next snapshot is newer anyway.
                        tracing::warn!(asset = %stream.asset, stream = %stream.stream.name, error = %error.report(), "snapshot lost");
                        sink.failed(&error);
                    }
                }
                Err(error) if error.is_transient() => sink.failed(&failed(error)),
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

/// Whose fault an error of the pipeline is, in the connector's terms.
pub(crate) fn failed(error: media_pipeline::Error) -> Error {
    use connector_sdk::ErrorKind as To;
    use media_pipeline::ErrorKind as From;
    let kind = match error.kind() {
        From::Caller => To::Configuration,
        From::Unauthorized => To::Unauthorized,
        From::Unsupported => To::Unsupported,
        From::Network | From::Storage => To::Unavailable,
        _ => To::Device,
    };
    Error::new(kind, &error).because(error)
}
