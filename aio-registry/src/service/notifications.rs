//! Who wants to know of changes, and the events that tell them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use serde_json::json;
use tracing::{debug, warn};

use crate::adr::wire::{self, Preference};
use crate::model::{Asset, Device};
use crate::topic::TopicPattern;
use crate::{Contents, EndpointRef, Error, Mqtt, RegistryStore, Telemetry, TelemetrySender};

/// More wishes than this are refused: a client must not fill the memory.
const MAX_WISHES: usize = 100_000;
/// Events sent at once.
const CONCURRENCY: usize = 16;
/// When to try again to send events that the broker did not take.
const RETRY: Duration = Duration::from_secs(1);

/// Who wants to know of what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    client: String,
    endpoint: EndpointRef,
    /// An asset, or the device itself.
    asset: Option<String>,
}

/// What a client knows of: that it was there when it asked, or what it was told last.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Nothing,
    Device(Arc<Device>),
    Asset(Arc<Asset>),
}

pub(super) struct Notifications {
    client_id: String,
    sender: TelemetrySender,
    wishes: Mutex<BTreeMap<Wish, Known>>,
}

impl Notifications {
    pub(super) fn new(mqtt: Arc<dyn Mqtt>) -> Self {
        Self {
            client_id: mqtt.client_id().to_owned(),
            sender: TelemetrySender::new(mqtt),
            wishes: Mutex::default(),
        }
    }

    /// Notes what a client wants to know. What it is not told is what there is now: it is to ask for that.
    pub(super) fn set(
        &self,
        client: &str,
        endpoint: &EndpointRef,
        asset: Option<&str>,
        preference: Preference,
        contents: &Contents,
    ) -> Result<(), Error> {
        let wish = Wish {
            client: client.to_owned(),
            endpoint: endpoint.clone(),
            asset: asset.map(str::to_owned),
        };
        let mut wishes = self.wishes();
        match preference {
            Preference::Off => drop(wishes.remove(&wish)),
            Preference::On if wishes.len() >= MAX_WISHES && !wishes.contains_key(&wish) => {
                return Err(Error::Invalid {
                    what: "the notification preference".into(),
                    reason: format!("there are {MAX_WISHES} already"),
                });
            }
            Preference::On => {
                let known = current(&wish, contents);
                wishes.entry(wish).or_insert(known);
            }
        }
        Ok(())
    }

    /// Tells of changes for as long as it is polled.
    pub(super) async fn send_updates(self: Arc<Self>, store: Arc<dyn RegistryStore>) {
        let mut changes = store.contents();
        let Some(mut contents) = changes.next().await else {
            return;
        };
        loop {
            let complete = self.send_changed(&contents).await;
            tokio::select! {
                Some(now) = changes.next() => contents = now,
                () = tokio::time::sleep(RETRY), if !complete => {}
            }
        }
    }

    /// Says whether everyone knows everything.
    async fn send_changed(&self, contents: &Contents) -> bool {
        let changed: Vec<_> = {
            let mut wishes = self.wishes();
            let changed = wishes.iter_mut().filter_map(|(wish, known)| {
                let now = current(wish, contents);
                if now == Known::Nothing {
                    // Of a deletion nobody is told. What comes in its place is news.
                    *known = Known::Nothing;
                    return None;
                }
                (*known != now).then(|| (wish.clone(), now))
            });
            changed.collect()
        };
        let sent = stream::iter(changed).map(|(wish, now)| async move {
            match self.send(&wish, &now).await {
                Ok(()) => {
                    if let Some(known) = self.wishes().get_mut(&wish) {
                        *known = now;
                    }
                    true
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(error, client = wish.client, endpoint = %wish.endpoint, "an update event is not sent; it is tried again");
                    false
                }
            }
        });
        sent.buffer_unordered(CONCURRENCY)
            .fold(true, |all, sent| async move { all && sent })
            .await
    }

    async fn send(&self, wish: &Wish, now: &Known) -> Result<(), Error> {
        let (name, event) = match now {
            Known::Nothing => return Ok(()),
            Known::Device(device) => (
                wire::DEVICE_UPDATE,
                json!({"deviceName": wish.endpoint.device, "device": **device}),
            ),
            Known::Asset(asset) => (
                wire::ASSET_UPDATE,
                json!({"assetName": wish.asset, "asset": **asset}),
            ),
        };
        let tokens = [
            ("connectorClientId", &wish.client),
            ("deviceName", &wish.endpoint.device),
            ("inboundEndpointName", &wish.endpoint.endpoint),
            ("telemetryName", &name.to_owned()),
        ];
        let tokens = tokens.map(|(name, value)| (name.to_owned(), value.clone()));
        let topic = TopicPattern::parse(wire::TELEMETRY)?
            .with(&tokens.into())?
            .topic()?;
        let body = json!({name: event}).to_string();
        let mut telemetry = Telemetry::new(topic.clone(), "application/json", body);
        telemetry.payload_format_utf8 = Some(true);
        debug!(topic, service = self.client_id, "update event");
        self.sender
            .send(telemetry)
            .await
            .map_err(|source| Error::Publish { topic, source })
    }

    fn wishes(&self) -> MutexGuard<'_, BTreeMap<Wish, Known>> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn current(wish: &Wish, contents: &Contents) -> Known {
    match &wish.asset {
        Some(asset) => contents
            .asset_at(&wish.endpoint, asset)
            .map_or(Known::Nothing, |asset| Known::Asset(asset.clone())),
        // Without the endpoint the device is nothing to who asked about the endpoint: Microsoft's connectors panic over it.
        None => contents
            .devices
            .get(&wish.endpoint.device)
            .filter(|device| device.inbound(&wish.endpoint.endpoint).is_some())
            .map_or(Known::Nothing, |device| Known::Device(device.clone())),
    }
}
