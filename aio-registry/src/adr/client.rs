//! The methods of the registry, called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{self, Preference};
use crate::model::{Asset, AssetStatus, Device, DeviceStatus, DiscoveredAsset, DiscoveredDevice};
use crate::mrpc::{Invocation, Invoker, InvokerOptions};
use crate::{DiscoveryRef, EndpointRef, Error, Mqtt};

pub(super) struct Client {
    resources: Invoker,
    discovery: Invoker,
}

impl Client {
    pub(super) async fn start(mqtt: &Arc<dyn Mqtt>, timeout: Duration) -> Result<Self, Error> {
        let options = |pattern: &str, client: &str| InvokerOptions {
            tokens: [(client.to_owned(), mqtt.client_id().to_owned())].into(),
            timeout,
            ..InvokerOptions::new(pattern)
        };
        let resources = options(wire::REQUESTS, "connectorClientId");
        let discovery = options(wire::DISCOVERY, "discoveryClientId");
        Ok(Self {
            resources: Invoker::start(mqtt.clone(), resources).await?,
            discovery: Invoker::start(mqtt.clone(), discovery).await?,
        })
    }

    pub(super) async fn device(&self, endpoint: &EndpointRef) -> Result<Device, Error> {
        let reply = self.call(endpoint, wire::GET_DEVICE, Bytes::new());
        reply.await.map(|reply: wire::DeviceReply| reply.device)
    }

    pub(super) async fn device_status(
        &self,
        endpoint: &EndpointRef,
    ) -> Result<DeviceStatus, Error> {
        let reply = self.call(endpoint, wire::GET_DEVICE_STATUS, Bytes::new());
        reply
            .await
            .map(|reply: wire::DeviceStatusReply| reply.device_status)
    }

    pub(super) async fn asset(&self, endpoint: &EndpointRef, asset: &str) -> Result<Asset, Error> {
        let body = written(&wire::AssetName {
            asset_name: asset.to_owned(),
        })?;
        let reply: wire::AssetReply = self.call(endpoint, wire::GET_ASSET, body).await?;
        let reference = &reply.asset.device_ref;
        if reference.device_name != endpoint.device || reference.endpoint_name != endpoint.endpoint
        {
            return Err(Error::Protocol {
                what: format!("the answer to getAsset {asset}"),
                reason: format!(
                    "it was asked for at {endpoint}, and its deviceRef is {}/{}",
                    reference.device_name, reference.endpoint_name
                ),
            });
        }
        Ok(reply.asset)
    }

    pub(super) async fn asset_status(
        &self,
        endpoint: &EndpointRef,
        asset: &str,
    ) -> Result<AssetStatus, Error> {
        let body = written(&wire::AssetName {
            asset_name: asset.to_owned(),
        })?;
        let reply = self.call(endpoint, wire::GET_ASSET_STATUS, body);
        reply
            .await
            .map(|reply: wire::AssetStatusReply| reply.asset_status)
    }

    pub(super) async fn update_device_status(
        &self,
        endpoint: &EndpointRef,
        status: DeviceStatus,
    ) -> Result<(), Error> {
        let body = written(&wire::DeviceStatusUpdate {
            device_status_update: status,
        })?;
        let reply = self.call(endpoint, wire::UPDATE_DEVICE_STATUS, body);
        reply.await.map(|_: wire::UpdatedDeviceStatus| ())
    }

    pub(super) async fn update_asset_status(
        &self,
        endpoint: &EndpointRef,
        asset: &str,
        status: AssetStatus,
    ) -> Result<(), Error> {
        let body = written(&wire::AssetStatusUpdate {
            asset_status_update: wire::NamedAssetStatus {
                asset_name: asset.to_owned(),
                asset_status: status,
            },
        })?;
        let reply = self.call(endpoint, wire::UPDATE_ASSET_STATUS, body);
        reply.await.map(|_: wire::UpdatedAssetStatus| ())
    }

    pub(super) async fn notify_of_device(
        &self,
        endpoint: &EndpointRef,
        preference: Preference,
    ) -> Result<(), Error> {
        let body = written(&wire::DevicePreference {
            notification_preference_request: preference,
        })?;
        let reply = self.call(endpoint, wire::NOTIFY_OF_DEVICE, body);
        reply.await.map(|_: wire::PreferenceReply| ())
    }

    pub(super) async fn notify_of_asset(
        &self,
        endpoint: &EndpointRef,
        asset: &str,
        preference: Preference,
    ) -> Result<(), Error> {
        let body = written(&wire::AssetPreference {
            notification_preference_request: wire::NamedPreference {
                asset_name: asset.to_owned(),
                notification_preference: preference,
            },
        })?;
        let reply = self.call(endpoint, wire::NOTIFY_OF_ASSET, body);
        reply.await.map(|_: wire::PreferenceReply| ())
    }

    pub(super) async fn discovered_asset(
        &self,
        endpoint: &EndpointRef,
        name: &str,
        asset: DiscoveredAsset,
    ) -> Result<DiscoveryRef, Error> {
        let body = written(&wire::DiscoveredAssetRequest {
            discovered_asset_request: wire::NamedDiscoveredAsset {
                discovered_asset_name: name.to_owned(),
                discovered_asset: asset,
            },
        })?;
        let reply = self.call(endpoint, wire::DISCOVERED_ASSET, body);
        reply
            .await
            .map(|reply: wire::DiscoveredAssetReply| reply.discovered_asset_response)
    }

    pub(super) async fn discovered_device(
        &self,
        endpoint_type: &str,
        name: &str,
        device: DiscoveredDevice,
    ) -> Result<DiscoveryRef, Error> {
        let payload = written(&wire::DiscoveredDeviceRequest {
            discovered_device_request: wire::NamedDiscoveredDevice {
                discovered_device_name: name.to_owned(),
                discovered_device: device,
            },
        })?;
        let method = wire::DISCOVERED_DEVICE;
        let tokens = [
            ("inboundEndpointType", endpoint_type),
            ("commandName", method),
        ];
        let answer = invoke(&self.discovery, tokens, payload).await?;
        let operation = || format!("{method} {name}");
        wire::read_answer(method, operation, &answer)
            .map(|reply: wire::DiscoveredDeviceReply| reply.discovered_device_response)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        endpoint: &EndpointRef,
        method: &'static str,
        body: Bytes,
    ) -> Result<T, Error> {
        let tokens = [
            ("deviceName", endpoint.device.as_str()),
            ("inboundEndpointName", endpoint.endpoint.as_str()),
            ("commandName", method),
        ];
        let answer = invoke(&self.resources, tokens, body).await?;
        wire::read_answer(method, || format!("{method} at {endpoint}"), &answer)
    }
}

async fn invoke<const N: usize>(
    invoker: &Invoker,
    tokens: [(&str, &str); N],
    payload: Bytes,
) -> Result<Bytes, Error> {
    let tokens = tokens.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let invocation = Invocation {
        tokens: BTreeMap::from(tokens),
        payload,
        ..Invocation::default()
    };
    invoker
        .request(invocation)
        .await
        .map(|answer| answer.payload)
}

fn written(body: &impl Serialize) -> Result<Bytes, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::Invalid {
        what: "the report".into(),
        reason: error.to_string(),
    })?;
    Ok(body.into())
}
