//! Health telemetry that connectors send.

use std::sync::Arc;

use futures::stream::{SelectAll, StreamExt, select_all};
use tracing::warn;

use crate::adr::wire;
use crate::model::Health;
use crate::{
    Contents, EndpointRef, Error, Mqtt, ReceivedTelemetry, RegistryStore, TelemetryReceiver,
    TelemetryReceiverOptions,
};

pub(super) async fn subscribe(mqtt: &Arc<dyn Mqtt>) -> Result<SelectAll<TelemetryReceiver>, Error> {
    let mut receivers = Vec::new();
    for name in wire::HEALTH_EVENTS {
        let mut options = TelemetryReceiverOptions::new(wire::TELEMETRY);
        options.tokens = [("telemetryName".into(), name.into())].into();
        receivers.push(TelemetryReceiver::start(mqtt.clone(), options).await?);
    }
    Ok(select_all(receivers))
}

pub(super) async fn take_in(
    mut telemetry: SelectAll<TelemetryReceiver>,
    store: Arc<dyn RegistryStore>,
) {
    while let Some(received) = telemetry.next().await {
        if let Err(reason) = report(&received, &*store).await {
            let topic = &received.message.topic;
            warn!(topic, reason, "a health report is dropped");
        }
    }
}

async fn report(received: &ReceivedTelemetry, store: &dyn RegistryStore) -> Result<(), String> {
    let token = |name: &str| received.tokens.get(name).map(String::as_str);
    let (Some(device), Some(endpoint), Some(name)) = (
        token("deviceName"),
        token("inboundEndpointName"),
        token("telemetryName"),
    ) else {
        return Err("its topic names no endpoint".into());
    };
    let endpoint = EndpointRef::new(device, endpoint);
    let contents = super::now(store).await.map_err(|error| error.to_string())?;
    for health in wire::read_health(name, &received.message.payload)? {
        check_known(&contents, &endpoint, &health)?;
        let reported = store.report_health(&endpoint, health).await;
        reported.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Nobody fills the registry with reports about what does not exist.
fn check_known(contents: &Contents, endpoint: &EndpointRef, health: &Health) -> Result<(), String> {
    let device = contents.devices.get(&endpoint.device);
    if device.is_none_or(|device| device.inbound(&endpoint.endpoint).is_none()) {
        return Err(format!("there is no endpoint {endpoint}"));
    }
    match health {
        Health::Asset { asset, .. } if contents.asset_at(endpoint, asset).is_none() => {
            Err(format!("there is no asset {asset:?} at {endpoint}"))
        }
        _ => Ok(()),
    }
}
