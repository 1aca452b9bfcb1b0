//! A connector of your own: each dataset is a JSON document that is fetched over HTTP every second and published to MQTT.
//!
//! A device has an endpoint of type `Example.Rest` with an `http://` address; a dataset's `dataSource` is the path.
//! `cargo run --example custom_connector -- --registry registry --broker mqtt://127.0.0.1:1883`

use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use connector_sdk::{Connector, Data, DatasetSpec, Device, Endpoint, Error, Sink};

struct Rest;

struct RestDevice {
    base: url::Url,
    client: reqwest::Client,
}

#[async_trait]
impl Connector for Rest {
    type Device = RestDevice;

    fn endpoint_type(&self) -> &str {
        "Example.Rest"
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<RestDevice, Error> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10));
        let client = client.build().map_err(unavailable)?;
        let base = endpoint.address()?;
        client.get(base.clone()).send().await.map_err(unavailable)?;
        Ok(RestDevice { base, client })
    }
}

#[async_trait]
impl Device for RestDevice {
    async fn run_dataset(&self, dataset: &DatasetSpec, sink: &Sink) -> Result<(), Error> {
        let path = dataset.dataset.data_source.as_deref().unwrap_or_default();
        let url = self.base.join(path).map_err(Error::configuration)?;
        loop {
            let answer = self.client.get(url.clone()).send().await;
            let answer = answer.and_then(|answer| answer.error_for_status());
            let body = answer.map_err(unavailable)?.bytes().await;
            let body = body.map_err(unavailable)?;
            sink.send(Data::new("application/json", body)).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

fn unavailable(error: reqwest::Error) -> Error {
    Error::unavailable("the device does not answer").because(error)
}

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default(); // for https:// addresses
    connector_sdk::cli::run("custom-connector", "JSON over HTTP to MQTT", Rest).await
}
