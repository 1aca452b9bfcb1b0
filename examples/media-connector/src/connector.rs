use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use connector_sdk::model::Target;
use connector_sdk::{Connector, Credentials, Data, Device, Endpoint, Error, Sink, StreamSpec};
use futures::StreamExt;
use media_pipeline::{Hub, HubOptions, HubStatus, RtspOptions, RtspSource, Source, Tracks};

use crate::storage::Storage;
use crate::task::Task;

/// Serves endpoints of type `Microsoft.Media`: `rtsp://` addresses, anonymous or with user name and password.
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
}

#[async_trait]
impl Connector for MediaConnector {
    type Device = MediaDevice;

    fn endpoint_type(&self) -> &str {
        "Microsoft.Media"
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<MediaDevice, Error> {
        let mut options = RtspOptions::new(endpoint.address()?);
        if let Credentials::UsernamePassword { username, password } = &endpoint.credentials {
            let password = password.as_text().map_err(|error| {
                Error::configuration("the password is not UTF-8").because(error)
            })?;
            options.credentials = Some(media_pipeline::Credentials::new(username, password));
        }
        // Clips and streams have sound.
        options.tracks = Tracks::VideoAndAudio;
        let source = Arc::new(RtspSource::new(options).map_err(failed)?);
        // The status of the endpoint says whether the stream is there, before any asset wants it.
        let session = source.connect().await.map_err(failed)?;
        session.close().await;
        Ok(MediaDevice {
            hub: Hub::new(source, HubOptions::default()),
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
        let (rate, options) = match Task::of(stream)? {
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
        let content_type = options.format.media_type();
        let mut snapshots = self.hub.snapshots(rate, options).map_err(failed)?;
        while let Some(snapshot) = snapshots.next().await {
            match snapshot {
                Ok(snapshot) => {
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
