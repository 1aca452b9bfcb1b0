//! Everything one camera is and remembers, shared by its services.

use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::{Credentials, Gate};
use crate::clip::Clip;
use crate::clock::Clock;
use crate::event::{Event, Operation};
use crate::media::Media;
use crate::motion::{Ptz, PtzPathPoint, PtzPosition};
use crate::observed::Observed;
use crate::port::PortHandle;
use crate::presence::Presence;
use crate::quirks::{LiveQuirks, Quirks};
use crate::replay::Replay;
use crate::requests::{Asked, RequestLog};
use crate::rtsp::RtspServer;
use crate::service::imaging::Imaging;
use crate::service::profiles::initial;
use crate::service::{device, ptz};
use crate::stream_spec::StreamSpec;
use crate::subscription::Subscriptions;
use crate::topic::Topic;

pub(crate) const MANUFACTURER: &str = "onvif-aio";
pub(crate) const MODEL: &str = "Virtual Camera";
pub(crate) const HARDWARE: &str = "virtual-camera";

#[derive(Debug)]
pub(crate) struct Camera {
    pub name: String,
    /// As it was asked for; else it is made from the UUID.
    pub serial: Option<String>,
    pub uuid: Uuid,
    pub quirks: LiveQuirks,
    pub http: PortHandle,
    /// The certificate, where HTTP is over TLS.
    pub certificate_pem: Option<Arc<str>>,
    pub rtsp: RtspServer,
    pub clip: Arc<Clip>,
    /// The streams it was made with beside `main` and `sub`.
    pub streams: Vec<StreamSpec>,
    pub multicast: Option<SocketAddrV4>,
    pub gate: Mutex<Gate>,
    pub clock: Mutex<Clock>,
    pub device: Mutex<device::Settings>,
    pub ptz: Mutex<Ptz>,
    pub ptz_settings: Mutex<ptz::Settings>,
    pub imaging: Mutex<Imaging>,
    pub media: Mutex<Media>,
    pub events: Events,
    pub observed: Mutex<Observed>,
    pub requests: Mutex<RequestLog>,
    /// When it started; what tests look at is timed from there.
    pub started: Instant,
    /// When the last SOAP requests came, within a second.
    pub recent: Mutex<VecDeque<Instant>>,
    /// It answers nobody any more.
    pub crashed: AtomicBool,
    pub presence: Presence,
    /// What it answers with instead of its own state.
    pub replay: Option<Replay>,
    /// Cancelled when the camera stops.
    pub stopping: CancellationToken,
}

/// Properties and who subscribed to them.
#[derive(Debug, Default)]
pub(crate) struct Events {
    state: Mutex<EventState>,
    /// Woken whenever a queue or the set of subscriptions changed.
    pub changed: Notify,
}

#[derive(Debug)]
pub(crate) struct EventState {
    pub subscriptions: Subscriptions,
    /// Metadata streams.
    pub streams: broadcast::Sender<Vec<Event>>,
    pub brokers: Vec<Broker>,
    motion: bool,
    digital_input: bool,
    /// Properties that only [`Camera::report`] knows.
    reported: Vec<Event>,
    history: VecDeque<Event>,
    /// Source tokens that were made up so far.
    made_up: u64,
}

/// An MQTT broker the camera would publish to.
#[derive(Clone, Debug)]
pub(crate) struct Broker {
    pub address: String,
    pub topic_prefix: String,
    pub user: Option<String>,
    pub qos: u8,
}

/// Events that can be sought, and properties that are remembered.
const MAX_REMEMBERED: usize = 256;
/// Events that a metadata stream may be behind.
const MAX_BEHIND: usize = 64;

impl Default for EventState {
    fn default() -> Self {
        Self {
            subscriptions: Subscriptions::default(),
            streams: broadcast::Sender::new(MAX_BEHIND),
            brokers: Vec::new(),
            motion: false,
            digital_input: false,
            reported: Vec::new(),
            history: VecDeque::new(),
            made_up: 0,
        }
    }
}

impl Camera {
    /// What it does wrong now.
    pub(crate) fn quirks(&self) -> Arc<Quirks> {
        self.quirks.now()
    }

    /// Changes what it does wrong. What was made with the old quirks is made anew only where they differ.
    pub(crate) fn set_quirks(&self, quirks: Quirks) {
        let before = self.quirks.set(quirks);
        let now = self.quirks();
        if before.clock_offset != now.clock_offset {
            *lock(&self.clock) = Clock::new(now.clock_offset);
        }
        let profiles = |quirks: &Quirks| (quirks.channels(), quirks.odd_tokens);
        if profiles(&before) != profiles(&now) {
            *lock(&self.media) = initial(&self.clip, &now, &self.streams, self.multicast);
        }
        if now.crash_above_rps.is_none() {
            self.crashed.store(false, Ordering::Relaxed);
        }
        let mut gate = lock(&self.gate);
        gate.set_rules(&now);
        self.rtsp.set_auth(gate.rtsp());
        drop(gate);
        // Whoever waits for an event may have to be answered at once now.
        self.events.changed.notify_waiters();
    }

    pub(crate) fn serial(&self) -> String {
        match &self.serial {
            Some(serial) => serial.clone(),
            None if self.quirks().same_serial => "VC00000000".to_owned(),
            None => format!("VC{:08X}", self.uuid.as_fields().0),
        }
    }

    /// What the camera takes for UTC: in replies, and when it checks tokens.
    pub(crate) fn shown_time(&self) -> Timestamp {
        let summer = if self.quirks().dst_bug { 3600 } else { 0 };
        let ahead = SignedDuration::from_secs(i64::from(self.quirks().utc_is_local) + summer);
        let now = lock(&self.clock).now();
        now.saturating_add(ahead).unwrap_or(now)
    }

    /// The scheme of its HTTP addresses.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.certificate_pem.is_some() {
            "https"
        } else {
            "http"
        }
    }

    /// Position of the head now.
    pub(crate) fn position(&self) -> PtzPosition {
        lock(&self.ptz).position(Instant::now())
    }

    /// Notes a SOAP request; whether it is answered, which it is not after too many within a second.
    pub(crate) fn withstands(&self) -> bool {
        if let Some(limit) = self.quirks().crash_above_rps {
            let now = Instant::now();
            let mut recent = lock(&self.recent);
            recent.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
            recent.push_back(now);
            if recent.len() > limit {
                self.crashed.store(true, Ordering::Relaxed);
            }
        }
        !self.crashed.load(Ordering::Relaxed)
    }

    /// Changes the user of SOAP, snapshot and RTSP.
    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        let gate = lock(&self.gate);
        gate.accounts().configure(credentials);
        self.rtsp.set_auth(gate.rtsp());
    }

    /// Forgets what a restart forgets: subscriptions, sessions, movement.
    pub(crate) fn reboot(&self) {
        tracing::info!(camera = self.name, "rebooting");
        self.count_restart();
        self.events.lock().subscriptions.clear();
        self.events.changed.notify_waiters();
        self.rtsp.close_sessions();
        lock(&self.ptz).stop(Instant::now(), true, true);
    }

    pub(crate) fn observed(&self) -> Observed {
        let mut observed = lock(&self.observed).clone();
        observed.subscriptions = self.events.lock().subscriptions.count(Instant::now());
        observed.rtsp_sessions = self.rtsp.sessions();
        observed
    }

    /// Notes a request, and returns its number.
    pub(crate) fn asked(&self, mut asked: Asked<'_>) -> u64 {
        asked.at = self.started.elapsed();
        if let Some(seen) = &asked.credentials {
            let peer = asked.peer.to_canonical();
            lock(&self.observed).record_credentials(peer, asked.host, seen);
        }
        lock(&self.requests).asked(asked)
    }

    pub(crate) fn ptz_path(&self) -> Vec<PtzPathPoint> {
        let path = lock(&self.ptz).path(Instant::now());
        let since = |at: Instant| at.saturating_duration_since(self.started);
        let points = path.into_iter();
        points
            .map(|(at, position)| PtzPathPoint {
                at: since(at),
                position,
            })
            .collect()
    }

    pub(crate) fn reset_observed(&self) {
        *lock(&self.observed) = Observed::default();
        lock(&self.requests).clear();
        lock(&self.ptz).forget_path();
    }
}

impl Events {
    /// With these properties besides its own.
    pub(crate) fn new(reported: Vec<Event>) -> Self {
        let events = Self::default();
        events.lock().reported = reported;
        events
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, EventState> {
        lock(&self.state)
    }
}

impl Camera {
    /// Sets a property and tells subscribers, if it changed.
    pub(crate) fn set_property(&self, topics: &[Topic], value: bool) {
        let mut state = self.events.lock();
        for &topic in topics {
            if state.value(topic) != value && (value || !self.quirks().no_off_event) {
                state.publish(topic.event(Operation::Changed, value), &self.quirks());
            }
        }
        for &topic in topics {
            match topic {
                Topic::MotionAlarm | Topic::CellMotion => state.motion = value,
                Topic::DigitalInput => state.digital_input = value,
            }
        }
        drop(state);
        self.events.changed.notify_waiters();
    }

    /// Tells subscribers an event; the state of a property is remembered.
    pub(crate) fn report(&self, event: Event) {
        let mut state = self.events.lock();
        state.reported.retain(|known| !known.same_property(&event));
        let known = matches!(
            event.operation,
            Some(Operation::Initialized | Operation::Changed)
        );
        if known && state.reported.len() < MAX_REMEMBERED {
            state.reported.push(event.clone());
        }
        state.publish(event, &self.quirks());
        drop(state);
        self.events.changed.notify_waiters();
    }
}

impl EventState {
    fn value(&self, topic: Topic) -> bool {
        match topic {
            Topic::MotionAlarm | Topic::CellMotion => self.motion,
            Topic::DigitalInput => self.digital_input,
        }
    }

    /// The state of every property, as a synchronization point reports it.
    pub(crate) fn properties(&self, at: Instant) -> Vec<Event> {
        let own = Topic::ALL
            .into_iter()
            .map(|topic| topic.event(Operation::Initialized, self.value(topic)));
        let reported = self.reported.iter().map(|event| Event {
            operation: Some(Operation::Initialized),
            ..event.clone()
        });
        own.chain(reported)
            .map(|event| Event { at, ..event })
            .collect()
    }

    /// What happened since an instant, oldest first; before it and newest first, if `reverse`.
    pub(crate) fn past(&self, from: Instant, reverse: bool) -> Vec<Event> {
        let past = self.history.iter();
        if reverse {
            past.rev()
                .filter(|event| event.at <= from)
                .cloned()
                .collect()
        } else {
            past.filter(|event| event.at >= from).cloned().collect()
        }
    }

    fn publish(&mut self, mut event: Event, quirks: &Quirks) {
        let over = event.data.iter().any(|(_, value)| value == "false");
        if quirks.empty_message && over {
            event.data.clear();
        }
        if quirks.unstable_source_token {
            self.made_up += 1;
            for (_, value) in &mut event.source {
                *value = format!("{value}_{}", self.made_up);
            }
        }
        if quirks.vendor_topics && event.topic == "tns1:VideoSource/MotionAlarm" {
            let (_, value) = &event.data[0];
            for (topic, item) in [
                (
                    "tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent",
                    "IsPeople",
                ),
                ("tns1:RuleEngine/tnsvendor:Whatever", "Status"),
            ] {
                let mut vendor = Event::new(topic).property(Operation::Changed);
                vendor.source.clone_from(&event.source);
                self.remember(vendor.data(item, value));
            }
        }
        self.remember(event);
    }

    fn remember(&mut self, event: Event) {
        self.subscriptions.publish(&event);
        if self.streams.receiver_count() > 0 {
            let _ = self.streams.send(vec![event.clone()]);
        }
        if self.history.len() == MAX_REMEMBERED {
            self.history.pop_front();
        }
        self.history.push_back(event);
    }
}

/// Locks what cannot be left half-changed: a panic elsewhere does not spoil it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
