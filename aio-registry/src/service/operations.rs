//! The methods of the registry.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::json;
use tracing::debug;

use super::notifications::Notifications;
use crate::adr::wire::{self, ServiceError};
use crate::model::{
    Asset, Device, DeviceStatus, check_asset_name, check_device_name, check_endpoint_name,
};
use crate::mrpc::{HandlerError, Request, Response};
use crate::{Contents, EndpointRef, Error, ErrorKind, RegistryStore};

pub(super) struct Operations {
    store: Arc<dyn RegistryStore>,
    notifications: Arc<Notifications>,
}

/// Why there is no result: the body is none of the contract, or the registry says no.
enum Refusal {
    Body(String),
    Registry(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Registry(error)
    }
}

impl Operations {
    pub(super) fn new(store: Arc<dyn RegistryStore>, notifications: Arc<Notifications>) -> Self {
        Self {
            store,
            notifications,
        }
    }

    /// Answers a method of an endpoint.
    pub(super) async fn answer(&self, request: Request) -> Result<Response, HandlerError> {
        let method = token(&request, "commandName");
        respond(method, self.call(method, &request).await)
    }

    async fn call(&self, method: &str, request: &Request) -> Result<String, Refusal> {
        let client = token(request, "connectorClientId");
        let endpoint = EndpointRef::new(
            token(request, "deviceName"),
            token(request, "inboundEndpointName"),
        );
        check_device_name(&endpoint.device)?;
        check_endpoint_name(&endpoint.endpoint)?;
        let contents = super::now(&*self.store).await?;
        let body = &request.payload;
        match method {
            wire::GET_DEVICE => written(&json!({"device": device(&contents, &endpoint)?})),
            wire::GET_DEVICE_STATUS => {
                device(&contents, &endpoint)?;
                let status = self.endpoint_status(&endpoint).await?;
                written(&json!({"deviceStatus": status}))
            }
            wire::GET_ASSET => {
                let wire::AssetName { asset_name } = read(body)?;
                written(&json!({"asset": asset(&contents, &endpoint, &asset_name)?}))
            }
            wire::GET_ASSET_STATUS => {
                let wire::AssetName { asset_name } = read(body)?;
                asset(&contents, &endpoint, &asset_name)?;
                let status = self.store.asset_status(&asset_name).await?;
                written(&json!({"assetStatus": status.unwrap_or_default()}))
            }
            wire::UPDATE_DEVICE_STATUS => {
                let update: wire::DeviceStatusUpdate = read(body)?;
                device(&contents, &endpoint)?;
                let status = update.device_status_update;
                self.store.report_endpoint_status(&endpoint, status).await?;
                let status = self.endpoint_status(&endpoint).await?;
                written(&json!({"updatedDeviceStatus": status}))
            }
            wire::UPDATE_ASSET_STATUS => {
                let update: wire::AssetStatusUpdate = read(body)?;
                let update = update.asset_status_update;
                let name = &update.asset_name;
                asset(&contents, &endpoint, name)?;
                self.store
                    .report_asset_status(name, update.asset_status)
                    .await?;
                let status = self.store.asset_status(name).await?;
                written(&json!({"updatedAssetStatus": status.unwrap_or_default()}))
            }
            wire::NOTIFY_OF_DEVICE => {
                let wish: wire::DevicePreference = read(body)?;
                let preference = wish.notification_preference_request;
                self.notifications
                    .set(client, endpoint, None, preference, &contents)
                    .await?;
                accepted()
            }
            wire::NOTIFY_OF_ASSET => {
                let wish: wire::AssetPreference = read(body)?;
                let wish = wish.notification_preference_request;
                check_asset_name(&wish.asset_name)?;
                let (asset, preference) = (wish.asset_name, wish.notification_preference);
                self.notifications
                    .set(client, endpoint, Some(asset), preference, &contents)
                    .await?;
                accepted()
            }
            wire::DISCOVERED_ASSET => {
                let found: wire::DiscoveredAssetRequest = read(body)?;
                let found = found.discovered_asset_request;
                let (name, asset) = (found.discovered_asset_name, found.discovered_asset);
                check_asset_name(&name)?;
                device(&contents, &endpoint)?;
                let reply = self.store.report_discovered_asset(&endpoint, &name, asset);
                let reply = reply.await?;
                written(&wire::DiscoveredAssetReply {
                    discovered_asset_response: reply,
                })
            }
            other => Err(unknown(other)),
        }
    }

    /// Answers a discovery of a device.
    pub(super) async fn answer_discovery(
        &self,
        request: Request,
    ) -> Result<Response, HandlerError> {
        let method = token(&request, "commandName");
        let answer = async {
            if method != wire::DISCOVERED_DEVICE {
                return Err(unknown(method));
            }
            let found: wire::DiscoveredDeviceRequest = read(&request.payload)?;
            let found = found.discovered_device_request;
            let (name, device) = (found.discovered_device_name, found.discovered_device);
            check_device_name(&name)?;
            let endpoints = device.endpoints.iter();
            for name in endpoints.flat_map(|endpoints| endpoints.inbound.keys()) {
                check_endpoint_name(name)?;
            }
            let reply = self.store.report_discovered_device(&name, device).await?;
            written(&wire::DiscoveredDeviceReply {
                discovered_device_response: reply,
            })
        };
        respond(method, answer.await)
    }

    /// The status of a device, with that of the one endpoint alone.
    async fn endpoint_status(&self, endpoint: &EndpointRef) -> Result<DeviceStatus, Error> {
        let status = self.store.device_status(&endpoint.device).await?;
        let mut status = status.unwrap_or_default();
        if let Some(endpoints) = &mut status.endpoints {
            endpoints
                .inbound
                .retain(|name, _| *name == endpoint.endpoint);
        }
        Ok(status)
    }
}

fn token<'a>(request: &'a Request, name: &str) -> &'a str {
    request.tokens.get(name).map_or("", String::as_str)
}

fn device(contents: &Contents, endpoint: &EndpointRef) -> Result<Device, Error> {
    let device = contents.device_at(endpoint);
    device.ok_or_else(|| Error::NotFound {
        what: format!("endpoint {endpoint}"),
    })
}

fn asset<'a>(
    contents: &'a Contents,
    endpoint: &EndpointRef,
    name: &str,
) -> Result<&'a Asset, Error> {
    check_asset_name(name)?;
    let asset = contents.asset_at(endpoint, name).map(Arc::as_ref);
    asset.ok_or_else(|| Error::NotFound {
        what: format!("asset {name:?} at endpoint {endpoint}"),
    })
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    wire::read(body).map_err(Refusal::Body)
}

fn written(body: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(body).map_err(|error| {
        Refusal::Registry(Error::Protocol {
            what: "the registry's answer".into(),
            reason: error.to_string(),
        })
    })
}

fn accepted() -> Result<String, Refusal> {
    written(&wire::PreferenceReply {
        response_payload: "Accepted".into(),
    })
}

fn unknown(method: &str) -> Refusal {
    Refusal::Body(format!("{method:?} is no method of the registry"))
}

fn respond(method: &str, answer: Result<String, Refusal>) -> Result<Response, HandlerError> {
    match answer {
        Ok(body) => Ok(Response::json(body)),
        Err(Refusal::Body(reason)) => Err(HandlerError::InvalidPayload(reason)),
        Err(Refusal::Registry(error)) => {
            debug!(method, %error, "refused");
            let error = ServiceError {
                code: code(&error).into(),
                message: error.to_string(),
                timestamp: SystemTime::now(),
            };
            Ok(Response::json(
                json!({format!("{method}Error"): error}).to_string(),
            ))
        }
    }
}

fn code(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Caller => "BadRequest",
        ErrorKind::State => "KubeError",
        ErrorKind::Peer => "SerializationError",
        _ => "InternalError",
    }
}
