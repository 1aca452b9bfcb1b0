//! Who wants to know of changes, and the events that tell them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use serde_json::json;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::adr::wire::{self, Preference};
use crate::model::{Asset, Device};
use crate::stamp::digest_of;
use crate::topic::TopicPattern;
use crate::{
    Contents, EndpointRef, Error, Interest, Mqtt, RegistryStore, Telemetry, TelemetrySender,
};

/// More interests than this are refused: a client must not fill the memory.
const MAX_INTERESTS: usize = 100_000;
/// More clients than this are not told of one device or asset, since they are kept in one document.
const MAX_CLIENTS: usize = 1_000;
/// A longer client identifier is refused.
const MAX_CLIENT_ID: usize = 256;
/// Events sent at once.
const CONCURRENCY: usize = 16;
/// When to try again to send events that the broker did not take.
const RETRY: Duration = Duration::from_secs(1);

/// What a client knows of: what was there when it asked, or what it was told last.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Nothing,
    /// What it was told by the service before this one.
    Digest(String),
    Device(Arc<Device>),
    Asset(Arc<Asset>),
}

impl Known {
    /// What the next service is to know; `None` of nothing.
    fn digest(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Digest(digest) => Some(digest.clone()),
            Self::Device(device) => Some(digest_of(&**device)),
            Self::Asset(asset) => Some(digest_of(&**asset)),
        }
    }

    fn is(&self, now: &Self) -> bool {
        match self {
            Self::Digest(digest) => now.digest().as_ref() == Some(digest),
            known => known == now,
        }
    }
}

pub(super) struct Notifications {
    client_id: String,
    sender: TelemetrySender,
    store: Arc<dyn RegistryStore>,
    /// Locked for as long as it takes to keep a change of it in the store.
    interests: Mutex<BTreeMap<Interest, Known>>,
}

impl Notifications {
    /// Takes over what the service before this one kept.
    pub(super) async fn open(
        mqtt: Arc<dyn Mqtt>,
        store: Arc<dyn RegistryStore>,
    ) -> Result<Self, Error> {
        let kept = store.interests().await?.into_iter().take(MAX_INTERESTS);
        let interests = kept.map(|(interest, knows)| (interest, Known::Digest(knows)));
        Ok(Self {
            client_id: mqtt.client_id().to_owned(),
            sender: TelemetrySender::new(mqtt),
            interests: Mutex::new(interests.collect()),
            store,
        })
    }

    /// Notes what a client wants to know. What it is not told is what there is now: it is to ask for that.
    pub(super) async fn set(
        &self,
        client: &str,
        endpoint: EndpointRef,
        asset: Option<String>,
        preference: Preference,
        contents: &Contents,
    ) -> Result<(), Error> {
        let interest = Interest {
            client: client.to_owned(),
            endpoint,
            asset,
        };
        let mut interests = self.interests.lock().await;
        if preference == Preference::Off {
            if interests.contains_key(&interest) {
                self.store.forget_interest(&interest).await?;
            }
            interests.remove(&interest);
            return Ok(());
        }
        let known = match interests.get(&interest) {
            Some(known) => known.clone(),
            None => {
                check_room(&interests, &interest)?;
                current(&interest, contents)
            }
        };
        // Also when it is known: what went and came again is not kept any more.
        if let Some(knows) = known.digest() {
            self.store.keep_interest(&interest, &knows).await?;
        }
        interests.insert(interest, known);
        Ok(())
    }

    /// Tells of changes until there are to be no more.
    pub(super) async fn send_updates(self: Arc<Self>, no_more: CancellationToken) {
        let mut changes = self.store.contents();
        let Some(mut contents) = changes.next().await else {
            return;
        };
        loop {
            let complete = self.send_changed(&contents).await;
            tokio::select! {
                () = no_more.cancelled() => return,
                Some(now) = changes.next() => contents = now,
                () = tokio::time::sleep(RETRY), if !complete => {}
            }
        }
    }

    /// Says whether everyone knows everything.
    async fn send_changed(&self, contents: &Contents) -> bool {
        let changed: Vec<_> = {
            let mut interests = self.interests.lock().await;
            let changed = interests.iter_mut().filter_map(|(interest, known)| {
                let now = current(interest, contents);
                // Of a deletion nobody is told. What comes in its place is news.
                if now == Known::Nothing || known.is(&now) {
                    *known = now;
                    return None;
                }
                Some((interest.clone(), now))
            });
            changed.collect()
        };
        let sent = stream::iter(changed).map(|(interest, now)| async move {
            match self.send(&interest, &now).await {
                Ok(()) => {
                    self.told(&interest, now).await;
                    true
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(error, client = interest.client, endpoint = %interest.endpoint, "an update event is not sent; it is tried again");
                    false
                }
            }
        });
        sent.buffer_unordered(CONCURRENCY)
            .fold(true, |all, sent| async move { all && sent })
            .await
    }

    /// Notes what a client knows now, unless it has lost interest meanwhile.
    async fn told(&self, interest: &Interest, now: Known) {
        let mut interests = self.interests.lock().await;
        let Some(known) = interests.get_mut(interest) else {
            return;
        };
        if let Some(knows) = now.digest()
            && let Err(error) = self.store.keep_interest(interest, &knows).await
        {
            let error = &error as &dyn std::error::Error;
            warn!(error, client = interest.client, endpoint = %interest.endpoint, "what a client was told is not kept; the next service tells it again");
        }
        *known = now;
    }

    async fn send(&self, interest: &Interest, now: &Known) -> Result<(), Error> {
        let (name, event) = match now {
            Known::Nothing | Known::Digest(_) => return Ok(()),
            Known::Device(device) => (
                wire::DEVICE_UPDATE,
                json!({"deviceName": interest.endpoint.device, "device": device.only(&interest.endpoint.endpoint)}),
            ),
            Known::Asset(asset) => (
                wire::ASSET_UPDATE,
                json!({"assetName": interest.asset, "asset": **asset}),
            ),
        };
        let tokens = [
            ("connectorClientId", &interest.client),
            ("deviceName", &interest.endpoint.device),
            ("inboundEndpointName", &interest.endpoint.endpoint),
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
}

fn check_room(interests: &BTreeMap<Interest, Known>, new: &Interest) -> Result<(), Error> {
    let same = |other: &&Interest| match (&other.asset, &new.asset) {
        (None, None) => other.endpoint.device == new.endpoint.device,
        (one, other) => one == other,
    };
    let reason = if new.client.len() > MAX_CLIENT_ID {
        format!("the client identifier has more than {MAX_CLIENT_ID} bytes")
    } else if interests.len() >= MAX_INTERESTS {
        format!("there are {MAX_INTERESTS} already")
    } else if interests.keys().filter(same).count() >= MAX_CLIENTS {
        format!("{MAX_CLIENTS} are told of the same already")
    } else {
        return Ok(());
    };
    Err(Error::Invalid {
        what: "the notification preference".into(),
        reason,
    })
}

fn current(interest: &Interest, contents: &Contents) -> Known {
    match &interest.asset {
        Some(asset) => contents
            .asset_at(&interest.endpoint, asset)
            .map_or(Known::Nothing, |asset| Known::Asset(asset.clone())),
        // Of a device without their endpoint, Microsoft's connectors expect not to be told.
        None => contents
            .devices
            .get(&interest.endpoint.device)
            .filter(|device| device.inbound(&interest.endpoint.endpoint).is_some())
            .map_or(Known::Nothing, |device| Known::Device(device.clone())),
    }
}
