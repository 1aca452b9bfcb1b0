//! What is asked of a connector: immutable snapshots of the registry's specifications.

use std::sync::Arc;
use std::time::Duration;

use aio_registry::model;
use aio_registry::{EndpointRef, Secret};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use url::Url;

use crate::Error;

/// An endpoint to connect to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The device it belongs to, and its name.
    pub name: EndpointRef,
    /// What to present to the device.
    pub credentials: Credentials,
    /// The endpoint as the registry has it.
    pub spec: Arc<model::InboundEndpoint>,
    /// The device as the registry has it.
    pub device: Arc<model::Device>,
}

/// What to present to a device.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A user name and a password.
    UsernamePassword {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
}

impl Endpoint {
    /// The address of the endpoint.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if it is no URL, or holds credentials (they
    /// belong into secrets, where no log shows them).
    pub fn address(&self) -> Result<Url, Error> {
        let url = Url::parse(&self.spec.address).map_err(|error| {
            Error::configuration(format!(
                "address: {:?} is not a URL: {error}",
                redacted(&self.spec.address)
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::configuration(
                "address: it holds credentials; put them into authentication.usernamePasswordCredentials",
            ));
        }
        Ok(url)
    }

    /// The endpoint's `additionalConfiguration`; the default where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) names the field and the reason.
    pub fn configuration<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        parse(
            "additionalConfiguration",
            self.spec.additional_configuration.as_deref(),
            T::default,
        )
    }
}

/// A dataset of an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetSpec {
    /// The asset's name.
    pub asset: String,
    /// The dataset.
    pub dataset: model::Dataset,
}

/// An event of an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSpec {
    /// The asset's name.
    pub asset: String,
    /// The event group's name.
    pub group: String,
    /// The event.
    pub event: model::Event,
}

/// A stream of an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSpec {
    /// The asset's name.
    pub asset: String,
    /// The stream.
    pub stream: model::Stream,
}

impl DatasetSpec {
    /// The dataset's `datasetConfiguration`; the default where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) names the field and the reason.
    pub fn configuration<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        parse(
            "datasetConfiguration",
            self.dataset.dataset_configuration.as_deref(),
            T::default,
        )
    }
}

impl EventSpec {
    /// The event's `eventConfiguration`; the default where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) names the field and the reason.
    pub fn configuration<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        parse(
            "eventConfiguration",
            self.event.event_configuration.as_deref(),
            T::default,
        )
    }
}

impl StreamSpec {
    /// The stream's `streamConfiguration`; the default where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) names the field and the reason.
    pub fn configuration<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        parse(
            "streamConfiguration",
            self.stream.stream_configuration.as_deref(),
            T::default,
        )
    }
}

/// A command to carry out.
#[derive(Clone, Debug)]
pub struct Command {
    /// The command's name.
    pub name: String,
    /// The asset it was sent to.
    pub asset: String,
    /// The JSON document it came with; empty where there was none.
    pub payload: Bytes,
    /// How long the caller waits.
    pub timeout: Duration,
}

impl Command {
    /// The payload.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPayload`](crate::ErrorKind::InvalidPayload) names the field and the reason.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let reader = &mut serde_json::Deserializer::from_slice(&self.payload);
        serde_path_to_error::deserialize(reader)
            .map_err(|error| Error::invalid_payload(format!("{}: {error}", self.name)))
    }
}

/// What a device offers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discovery {
    /// Assets on the same endpoint, by name.
    pub assets: Vec<(String, model::DiscoveredAsset)>,
    /// Further devices that were found through this one, by name.
    pub devices: Vec<(String, model::DiscoveredDevice)>,
}

fn parse<T: DeserializeOwned>(
    field: &str,
    text: Option<&str>,
    default: impl FnOnce() -> T,
) -> Result<T, Error> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(default());
    };
    let reader = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        let at = if path == "." {
            String::new()
        } else {
            format!(".{path}")
        };
        Error::configuration(format!("{field}{at}: {}", error.inner()))
    })
}

/// An address without what may be a password.
fn redacted(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[derive(Debug, Default, serde::Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Settings {
        #[serde(default)]
        snapshots_per_second: f64,
    }

    fn stream(configuration: Option<&str>) -> StreamSpec {
        StreamSpec {
            asset: "cam".to_owned(),
            stream: model::Stream {
                name: "snap".to_owned(),
                stream_configuration: configuration.map(str::to_owned),
                ..model::Stream::default()
            },
        }
    }

    #[test]
    fn an_absent_or_empty_configuration_is_the_default() {
        for absent in [None, Some(""), Some(" "), Some("{}")] {
            let settings: Settings = stream(absent).configuration().unwrap();
            assert_eq!(settings, Settings::default(), "{absent:?}");
        }
    }

    #[test]
    fn a_wrong_configuration_names_the_field_and_the_reason() {
        let error = stream(Some(r#"{"snapshotsPerSecond":"often"}"#))
            .configuration::<Settings>()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let message = error.to_string();
        assert!(
            message.starts_with("streamConfiguration.snapshotsPerSecond: invalid type: string"),
            "{message}"
        );
    }

    #[test]
    fn an_address_with_credentials_is_refused_and_not_repeated() {
        let endpoint = |address: &str| Endpoint {
            name: EndpointRef {
                device: "cam".to_owned(),
                endpoint: "onvif".to_owned(),
            },
            credentials: Credentials::Anonymous,
            spec: Arc::new(model::InboundEndpoint {
                address: address.to_owned(),
                ..model::InboundEndpoint::default()
            }),
            device: Arc::new(model::Device::default()),
        };
        for address in ["http://u:secret@cam/", "not a url u:secret@cam"] {
            let error = endpoint(address).address().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert_eq!(
            endpoint("http://cam/x").address().unwrap().as_str(),
            "http://cam/x"
        );
    }
}
