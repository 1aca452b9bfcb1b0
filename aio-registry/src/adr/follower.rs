//! Keeps what the connector is to serve as the registry and the allocation have it.
//!
//! Level-triggered: whatever happens only marks what is to be asked for again, and the answer is what counts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use serde::Deserialize;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tracing::{debug, info, warn};

use super::allocation::{self, Allocation};
use super::wire::{self, Preference};
use super::{Shared, State};
use crate::file::blocking;
use crate::file::folder::read_secret;
use crate::model::{Asset, Device};
use crate::registry::SecretDigests;
use crate::{Contents, EndpointRef, Error, ReceivedTelemetry, TelemetryReceiver};

/// Requests in flight.
const CONCURRENCY: usize = 16;
/// How long changes are gathered while there are more to come.
const GATHER: Duration = Duration::from_millis(100);
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LAST: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Device(EndpointRef),
    Asset(EndpointRef, String),
}

enum Value {
    Device(Arc<Device>),
    Asset(Arc<Asset>),
}

#[derive(Default)]
struct Entry {
    /// Whether it is allocated to us.
    wanted: bool,
    /// Whether a request is in flight. There is never a second one.
    busy: bool,
    /// Whether the service was asked to tell of changes.
    announced: bool,
    /// When to ask, if it is to be asked.
    due: Option<Instant>,
    failures: u32,
    value: Option<Value>,
}

enum Outcome {
    Asked(Result<Value, Error>),
    /// The service was told that changes are of no interest any more, if it listened.
    Left,
}

pub(super) struct Follower {
    shared: Arc<Shared>,
    entries: BTreeMap<Key, Entry>,
    in_flight: FuturesUnordered<BoxFuture<'static, (Key, Outcome)>>,
    /// Since when there are changes that are not published.
    unpublished: Option<Instant>,
    /// Told when everything was asked for once.
    first: Option<oneshot::Sender<()>>,
}

impl Follower {
    pub(super) fn new(shared: Arc<Shared>, first: oneshot::Sender<()>) -> Self {
        Self {
            shared,
            entries: BTreeMap::new(),
            in_flight: FuturesUnordered::new(),
            unpublished: None,
            first: Some(first),
        }
    }

    pub(super) async fn run(
        mut self,
        first: Allocation,
        [mut devices, mut assets]: [TelemetryReceiver; 2],
    ) {
        let options = self.shared.options.clone();
        let changed = Arc::new(Notify::new());
        let folder = options.allocations.clone();
        let watcher = crate::file::watcher::watch_folder(&folder, changed.clone());
        if let Err(error) = &watcher {
            info!(%error, "changes of the allocation are not announced here; it is read every {:?}", options.poll);
        }
        self.allocate(first);
        let mut poll = ticks(options.poll);
        let mut resync = ticks(options.resync);
        loop {
            self.start_due();
            let next = self.entries.values().filter(|entry| !entry.busy);
            let next = next.filter_map(|entry| entry.due).min();
            let room = self.in_flight.len() < CONCURRENCY;
            if self.in_flight.is_empty() {
                self.publish().await;
                if let Some(first) = self.first.take() {
                    let _ = first.send(());
                }
            }
            let publish = self.unpublished.map(|since| since + GATHER);
            let wake = |at: Option<Instant>| async move {
                match at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some((key, outcome)) = self.in_flight.next() => self.take(key, outcome),
                () = wake(next.filter(|_| room)) => {}
                () = wake(publish) => self.publish().await,
                Some(event) = devices.next() => self.device_changed(&event),
                Some(event) = assets.next() => self.asset_changed(&event),
                () = changed.notified() => {
                    tokio::time::sleep(options.debounce).await;
                    self.read_allocation(&folder).await;
                }
                _ = poll.tick() => {
                    self.read_allocation(&folder).await;
                    self.unpublished.get_or_insert_with(Instant::now);
                }
                _ = resync.tick() => self.ask_for_everything(),
            }
        }
    }

    async fn read_allocation(&mut self, folder: &Path) {
        let path = folder.to_owned();
        match blocking(move || allocation::read(&path)).await {
            Ok(allocation) => self.allocate(allocation),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(
                    error,
                    "cannot read the allocation; what it was stays in force"
                );
            }
        }
    }

    /// Takes up what is new, and leaves what is gone.
    fn allocate(&mut self, allocation: Allocation) {
        let mut wanted = BTreeSet::new();
        for (endpoint, assets) in allocation {
            let of = |asset| Key::Asset(endpoint.clone(), asset);
            wanted.extend(assets.into_iter().map(of));
            wanted.insert(Key::Device(endpoint));
        }
        let now = Instant::now();
        for (key, entry) in &mut self.entries {
            if entry.wanted && !wanted.contains(key) {
                *entry = Entry {
                    busy: entry.busy,
                    // A request in flight may have announced it.
                    announced: entry.announced || entry.busy,
                    due: Some(now),
                    ..Entry::default()
                };
                self.unpublished.get_or_insert(now);
            }
        }
        for key in wanted {
            let entry = self.entries.entry(key).or_default();
            if !entry.wanted {
                entry.wanted = true;
                entry.announced = false;
                entry.due = Some(now);
            }
        }
    }

    fn ask_for_everything(&mut self) {
        let now = Instant::now();
        for entry in self.entries.values_mut().filter(|entry| entry.wanted) {
            // A service that was started anew knows nothing of us.
            entry.announced = false;
            entry.due = Some(now);
        }
    }

    fn start_due(&mut self) {
        let now = Instant::now();
        let mut gone = Vec::new();
        for (key, entry) in &mut self.entries {
            if self.in_flight.len() >= CONCURRENCY {
                break;
            }
            if entry.busy || entry.due.is_none_or(|due| due > now) {
                continue;
            }
            entry.due = None;
            if !entry.wanted && !entry.announced {
                gone.push(key.clone());
                continue;
            }
            entry.busy = true;
            let (shared, key) = (self.shared.clone(), key.clone());
            self.in_flight.push(if entry.wanted {
                Box::pin(ask(shared, key, entry.announced))
            } else {
                Box::pin(leave(shared, key))
            });
        }
        for key in gone {
            self.entries.remove(&key);
        }
    }

    fn take(&mut self, key: Key, outcome: Outcome) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        let now = Instant::now();
        entry.busy = false;
        match outcome {
            Outcome::Left => {
                entry.announced = false;
                entry.due = Some(now);
            }
            // It is left next.
            Outcome::Asked(_) if !entry.wanted => {}
            Outcome::Asked(Ok(value)) => {
                if entry.failures > 0 {
                    info!(?key, "the registry has it now");
                }
                entry.failures = 0;
                entry.announced = true;
                entry.value = Some(value);
                self.unpublished.get_or_insert(now);
            }
            Outcome::Asked(Err(error)) => {
                if entry.failures == 0 {
                    let error = &error as &dyn std::error::Error;
                    warn!(
                        ?key,
                        error, "the registry does not give it; it is asked again"
                    );
                } else {
                    debug!(?key, %error, failures = entry.failures, "the registry does not give it");
                }
                let after = RETRY_FIRST * 2_u32.pow(entry.failures.min(8));
                entry.failures += 1;
                entry.announced = false;
                let retry = now + after.min(RETRY_LAST);
                entry.due = Some(entry.due.map_or(retry, |due| due.min(retry)));
                if says_no(&error) {
                    entry.value = None;
                    self.unpublished.get_or_insert(now);
                }
            }
        }
    }

    fn device_changed(&mut self, event: &ReceivedTelemetry) {
        if let Some(endpoint) = endpoint(event) {
            self.changed(Key::Device(endpoint));
        }
    }

    fn asset_changed(&mut self, event: &ReceivedTelemetry) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Event {
            asset_update_event: wire::AssetName,
        }
        match wire::read::<Event>(&event.message.payload) {
            Ok(body) => {
                if let Some(endpoint) = endpoint(event) {
                    self.changed(Key::Asset(endpoint, body.asset_update_event.asset_name));
                }
            }
            Err(reason) => {
                let topic = &event.message.topic;
                warn!(topic, reason, "an update event cannot be read");
            }
        }
    }

    fn changed(&mut self, key: Key) {
        if let Some(entry) = self.entries.get_mut(&key)
            && entry.wanted
        {
            entry.due = Some(Instant::now());
        }
    }

    async fn publish(&mut self) {
        if self.unpublished.take().is_none() {
            return;
        }
        let mut contents = Contents::default();
        let mut endpoints = BTreeSet::new();
        for (key, entry) in &self.entries {
            match (key, &entry.value) {
                (Key::Device(endpoint), Some(Value::Device(device))) => {
                    endpoints.insert(endpoint.clone());
                    let name = endpoint.device.clone();
                    let known = contents.devices.entry(name);
                    known
                        .and_modify(|known| join(known, device))
                        .or_insert_with(|| device.clone());
                }
                (Key::Asset(_, name), Some(Value::Asset(asset))) => {
                    contents.assets.insert(name.clone(), asset.clone());
                }
                _ => {}
            }
        }
        self.shared.health().follow(&contents);
        let shared = self.shared.clone();
        let state = blocking(move || {
            let secrets = SecretDigests::read(&contents, &shared.digest, |name| {
                read_secret(shared.options.secrets.as_ref()?, name).ok()
            });
            Ok(State {
                contents,
                endpoints,
                secrets,
            })
        });
        if let Ok(state) = state.await {
            self.shared.state.send_if_modified(|known| {
                let changed = **known != state;
                if changed {
                    *known = Arc::new(state);
                }
                changed
            });
        }
    }
}

/// Takes in what the registry told of a device at another of its endpoints: each answer holds one endpoint alone.
fn join(known: &mut Arc<Device>, other: &Arc<Device>) {
    let (newer, older) = match known.version < other.version {
        true => (other, &*known),
        false => (&*known, other),
    };
    let mut joined = Device::clone(newer);
    let endpoints = older.endpoints.iter();
    for (name, endpoint) in endpoints.flat_map(|endpoints| &endpoints.inbound) {
        let inbound = &mut joined.endpoints.get_or_insert_default().inbound;
        let known = inbound.entry(name.clone());
        known.or_insert_with(|| endpoint.clone());
    }
    *known = Arc::new(joined);
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let period = period.max(Duration::from_millis(10));
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn endpoint(event: &ReceivedTelemetry) -> Option<EndpointRef> {
    let device = event.tokens.get("deviceName")?;
    Some(EndpointRef::new(
        device,
        event.tokens.get("inboundEndpointName")?,
    ))
}

/// Whether the service says that we have no such thing (any more). One that cannot be reached, or is in trouble, takes no
/// camera out of service.
fn says_no(error: &Error) -> bool {
    match error {
        Error::Service { code, .. } => code != "InternalError",
        Error::Protocol { .. } => true,
        _ => false,
    }
}

/// Asks to be told of changes first, and for what there is then: a change in between is told.
async fn ask(shared: Arc<Shared>, key: Key, announced: bool) -> (Key, Outcome) {
    let client = &shared.client;
    let answer = async {
        match &key {
            Key::Device(endpoint) => {
                if !announced {
                    client.notify_of_device(endpoint, Preference::On).await?;
                }
                let device = client.device(endpoint).await?;
                Ok(Value::Device(Arc::new(device)))
            }
            Key::Asset(endpoint, name) => {
                if !announced {
                    client
                        .notify_of_asset(endpoint, name, Preference::On)
                        .await?;
                }
                let asset = client.asset(endpoint, name).await?;
                Ok(Value::Asset(Arc::new(asset)))
            }
        }
    };
    let answer = answer.await;
    (key, Outcome::Asked(answer))
}

async fn leave(shared: Arc<Shared>, key: Key) -> (Key, Outcome) {
    let client = &shared.client;
    let told = match &key {
        Key::Device(endpoint) => client.notify_of_device(endpoint, Preference::Off).await,
        Key::Asset(endpoint, name) => {
            client
                .notify_of_asset(endpoint, name, Preference::Off)
                .await
        }
    };
    if let Err(error) = told {
        debug!(?key, %error, "the registry goes on telling of it");
    }
    (key, Outcome::Left)
}
