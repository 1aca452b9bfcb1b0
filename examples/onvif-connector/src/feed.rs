//! One subscription at the camera for all events of all assets: cameras have few pull points to give.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use onvif_core::Camera;
use onvif_core::events::{EventItem, Filter, Notification, PropertyOperation, SimpleItem};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use crate::event::{DataTypes, TopicFilter};

/// Notifications that may wait for one element; then the camera is not pulled until it catches up.
const QUEUE: usize = 64;
/// Properties whose state is remembered for elements that come later.
const REMEMBERED: usize = 1024;

/// The events of a camera, subscribed to while anyone listens.
#[derive(Debug)]
pub(crate) struct EventFeed {
    camera: Camera,
    types: Arc<DataTypes>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    listeners: Vec<Listener>,
    /// The last state of each property, so that an element that starts later gets it as the first ones did.
    properties: BTreeMap<Property, Notification>,
    pump: Option<AbortOnDropHandle<()>>,
}

type Property = (String, Vec<(String, String)>);

#[derive(Clone, Debug)]
struct Listener {
    filter: TopicFilter,
    queue: mpsc::Sender<FeedItem>,
}

/// What a listener gets.
#[derive(Clone, Debug)]
pub(crate) enum FeedItem {
    Notification(Arc<Notification>),
    /// The subscription works (again).
    Running,
    /// The camera cannot be subscribed to at the moment; it goes on trying.
    Failed(Arc<onvif_core::Error>),
}

impl EventFeed {
    pub(crate) fn new(camera: Camera, types: DataTypes) -> Self {
        Self {
            camera,
            types: Arc::new(types),
            state: Arc::default(),
        }
    }

    pub(crate) fn types(&self) -> &DataTypes {
        &self.types
    }

    /// Starts to listen; ends when the receiver is dropped.
    pub(crate) fn listen(&self, filter: TopicFilter) -> mpsc::Receiver<FeedItem> {
        let (queue, items) = mpsc::channel(QUEUE);
        let mut state = lock(&self.state);
        let running = state.pump.as_ref().is_some_and(|pump| !pump.is_finished());
        if running {
            for notification in state
                .properties
                .values()
                .filter(|known| filter.matches(&known.topic))
            {
                let mut initial = notification.clone();
                initial.operation = Some(PropertyOperation::Initialized);
                // A new queue with room for fewer than all: what is beyond comes with its next change.
                let _ = queue.try_send(FeedItem::Notification(Arc::new(initial)));
            }
        }
        state.listeners.push(Listener { filter, queue });
        if !running {
            state.properties.clear();
            let pump = pump(self.camera.clone(), Arc::clone(&self.state));
            state.pump = Some(AbortOnDropHandle::new(tokio::spawn(pump)));
        }
        items
    }

    /// Ends the subscription.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.listeners.clear();
        state.pump = None;
    }
}

/// Reads the camera's events until nobody listens.
async fn pump(camera: Camera, state: Arc<Mutex<State>>) {
    let mut events = camera.events().subscribe(Filter::default());
    while let Some(item) = events.next().await {
        let item = match item {
            Ok(EventItem::Notification(notification)) => {
                remember(&mut lock(&state).properties, &notification);
                FeedItem::Notification(Arc::new(notification))
            }
            Ok(EventItem::Gap { .. }) => {
                warn!(camera = %camera.url(), "events may have been missed; the states of all properties follow");
                FeedItem::Running
            }
            Ok(EventItem::Resumed) => FeedItem::Running,
            Ok(_) => continue,
            Err(error) => FeedItem::Failed(Arc::new(error)),
        };
        let listeners = {
            let mut state = lock(&state);
            state
                .listeners
                .retain(|listener| !listener.queue.is_closed());
            if state.listeners.is_empty() {
                return;
            }
            state.listeners.clone()
        };
        for listener in listeners {
            let wanted = match &item {
                FeedItem::Notification(notification) => {
                    listener.filter.matches(&notification.topic)
                }
                _ => true,
            };
            if wanted {
                // Waiting here is the back-pressure: the camera keeps what is not pulled. A listener that left is no error.
                let _ = listener.queue.send(item.clone()).await;
            }
        }
    }
}

fn remember(properties: &mut BTreeMap<Property, Notification>, notification: &Notification) {
    let pairs = |items: &[SimpleItem]| -> Vec<(String, String)> {
        items
            .iter()
            .map(|item| (item.name.clone(), item.value.clone()))
            .collect()
    };
    let mut key = pairs(&notification.source.simple);
    key.extend(pairs(&notification.key.simple));
    let property = (notification.topic.clone(), key);
    match notification.operation {
        Some(PropertyOperation::Initialized | PropertyOperation::Changed)
            if properties.len() < REMEMBERED || properties.contains_key(&property) =>
        {
            properties.insert(property, notification.clone());
        }
        Some(PropertyOperation::Deleted) => {
            properties.remove(&property);
        }
        _ => {}
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
