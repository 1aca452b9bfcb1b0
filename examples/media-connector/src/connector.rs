use std::sync::Arc;

use async_trait::async_trait;
use connector_sdk::{Connector, Credentials, Data, Device, Endpoint, Error, Sink, StreamSpec};
use futures::StreamExt;
use media_pipeline::{Hub, HubOptions, HubStatus, RtspOptions, RtspSource, Source};

use crate::task::Task;

/// Serves endpoints of type `Microsoft.Media`: `rtsp://` addresses, anonymous or with user name and password.
#[derive(Clone, Debug, Default)]
pub struct MediaConnector {}

impl MediaConnector {
    /// A connector.
    pub fn new() -> Self {
        Self::default()
    }
}

/// One camera stream.
#[derive(Debug)]
pub struct MediaDevice {
    hub: Hub,
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
        let source = Arc::new(RtspSource::new(options).map_err(failed)?);
        // The status of the endpoint says whether the stream is there, before any asset wants it.
        let session = source.connect().await.map_err(failed)?;
        session.close().await;
        Ok(MediaDevice {
            hub: Hub::new(source, HubOptions::default()),
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

    async fn run_stream(&self, stream: &StreamSpec, sink: &Sink) -> Result<(), Error> {
        let (rate, options) = match Task::of(stream)? {
            Task::Idle => return Ok(()),
            Task::SnapshotToMqtt(rate, options) => (rate, options),
        };
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
fn failed(error: media_pipeline::Error) -> Error {
    use connector_sdk::ErrorKind as To;
    use media_pipeline::ErrorKind as From;
    let kind = match error.kind() {
        From::Caller => To::Configuration,
        From::Unauthorized => To::Unauthorized,
        From::Unsupported => To::Unsupported,
        From::Network => To::Unavailable,
        _ => To::Device,
    };
    Error::new(kind, &error).because(error)
}
