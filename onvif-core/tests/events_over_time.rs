//! Subscriptions over hours and days, with a paused clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use onvif_core::events::{EventItem, EventStream, Filter};
use onvif_core::xml::date::format_date_time;
use onvif_core::{Camera, Transport, TransportError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How the camera answers now.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Well,
    /// Nobody answers.
    Away,
    /// Every pull is refused.
    Refusing,
}

struct State {
    mood: Mood,
    /// Whether the camera knows the subscription.
    subscribed: bool,
    ends: Instant,
    pending: u32,
    counts: BTreeMap<String, u32>,
}

/// A camera on the paused clock: its time is that of the test.
#[derive(Clone)]
struct Simulated {
    started: Instant,
    changed: Arc<Notify>,
    state: Arc<Mutex<State>>,
}

impl Simulated {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            started: now,
            changed: Arc::default(),
            state: Arc::new(Mutex::new(State {
                mood: Mood::Well,
                subscribed: false,
                ends: now,
                pending: 0,
                counts: BTreeMap::new(),
            })),
        }
    }

    async fn subscribe(&self) -> EventStream {
        let camera = Camera::builder("http://192.0.2.7")
            .transport(Arc::new(self.clone()))
            .connect()
            .await
            .unwrap();
        camera.events().subscribe(Filter::all())
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_one();
    }

    fn count(&self, operation: &str) -> u32 {
        let state = self.state.lock().unwrap();
        state.counts.get(operation).copied().unwrap_or(0)
    }

    fn time(&self, at: Instant) -> String {
        format_date_time(
            std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + (at - self.started),
        )
    }

    fn times(&self, ends: Instant) -> String {
        format!(
            "<wsnt:CurrentTime>{}</wsnt:CurrentTime><wsnt:TerminationTime>{}</wsnt:TerminationTime>",
            self.time(Instant::now()),
            self.time(ends)
        )
    }
}

#[async_trait]
impl Transport for Simulated {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let (_, rest) = body.split_once("<s:Body><").unwrap();
        let name = rest.split([' ', '>', '/']).next().unwrap();
        let name = name.split_once(':').unwrap().1.to_owned();
        // A turn on the wire.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mood = {
            let mut state = self.state.lock().unwrap();
            *state.counts.entry(name.clone()).or_default() += 1;
            state.mood
        };
        if mood == Mood::Away {
            return Err(TransportError::Connect("no route".into()));
        }
        let lifetime = Duration::from_secs(600);
        let lost = {
            let mut state = self.state.lock().unwrap();
            if Instant::now() >= state.ends {
                state.subscribed = false;
            }
            matches!(name.as_str(), "PullMessages" | "Renew") && !state.subscribed
        };
        let fault = |code: &str| {
            format!(
                "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code></s:Fault>"
            )
        };
        let reply = match name.as_str() {
            _ if lost => fault("wsrf-rw:ResourceUnknownFault"),
            "GetServices" => "<tds:R><tds:Service><tds:Namespace>http://www.onvif.org/ver10/events/wsdl</tds:Namespace>\
                <tds:XAddr>http://192.0.2.7/events</tds:XAddr></tds:Service></tds:R>"
                .to_owned(),
            "CreatePullPointSubscription" => {
                let ends = Instant::now() + lifetime;
                self.set(|state| (state.subscribed, state.ends) = (true, ends));
                format!(
                    "<tev:R><tev:SubscriptionReference><wsa:Address>http://192.0.2.7/sub</wsa:Address>\
                     </tev:SubscriptionReference>{}</tev:R>",
                    self.times(ends)
                )
            }
            "Renew" => {
                let ends = Instant::now() + lifetime;
                self.set(|state| state.ends = ends);
                format!("<wsnt:R>{}</wsnt:R>", self.times(ends))
            }
            "PullMessages" if mood == Mood::Refusing => fault("ter:Action"),
            "PullMessages" => {
                let hold = Instant::now() + Duration::from_secs(30);
                let pending = loop {
                    let pending = std::mem::take(&mut self.state.lock().unwrap().pending);
                    let held = tokio::time::timeout_at(hold, self.changed.notified());
                    if pending > 0 || held.await.is_err() {
                        break pending;
                    }
                };
                let ends = self.state.lock().unwrap().ends;
                let message =
                    "<wsnt:NotificationMessage><wsnt:Topic>tns1:A</wsnt:Topic></wsnt:NotificationMessage>";
                format!("<tev:R>{}{}</tev:R>", self.times(ends), message.repeat(pending as usize))
            }
            _ => "<x:R/>".to_owned(),
        };
        let envelope = format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>{reply}</s:Body></s:Envelope>"
        );
        Ok(Response::new(Bytes::from(envelope)))
    }
}

/// What the stream yields for so long: notifications, gaps, errors.
async fn watch(events: &mut EventStream, seconds: u64) -> (u32, u32, u32) {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut seen = (0, 0, 0);
    while let Ok(Some(item)) = tokio::time::timeout_at(end, events.next()).await {
        match item {
            Ok(EventItem::Notification(_)) => seen.0 += 1,
            Ok(EventItem::Gap { .. }) => seen.1 += 1,
            Ok(_) => {}
            Err(_) => seen.2 += 1,
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn quiet_days_are_one_subscription_that_is_renewed_in_time() {
    let target = Simulated::new();
    let mut events = target.subscribe().await;
    let days = 2 * 86_400;
    assert_eq!(watch(&mut events, days).await, (0, 0, 0));
    assert_eq!(target.count("CreatePullPointSubscription"), 1);
    let renewals = u64::from(target.count("Renew"));
    assert!((days / 600..=days / 450).contains(&renewals), "{renewals}");
    // Half a minute each, and shorter ones before a renewal.
    let pulls = u64::from(target.count("PullMessages"));
    assert!(pulls <= days / 30 * 11 / 10, "{pulls}");
}

#[tokio::test(start_paused = true)]
async fn what_the_camera_kept_while_it_was_unreachable_arrives_without_a_gap() {
    let target = Simulated::new();
    let mut events = target.subscribe().await;
    watch(&mut events, 40).await;
    target.set(|state| state.mood = Mood::Away);
    let (_, _, errors) = watch(&mut events, 60).await;
    assert!((4..60).contains(&errors), "{errors}");
    target.set(|state| (state.mood, state.pending) = (Mood::Well, 3));
    assert_eq!(watch(&mut events, 11).await, (3, 0, 0));
    assert_eq!(target.count("CreatePullPointSubscription"), 1);
}

#[tokio::test(start_paused = true)]
async fn events_flow_within_ten_seconds_after_a_reboot_of_a_minute() {
    for _ in 0..20 {
        let target = Simulated::new();
        let mut events = target.subscribe().await;
        watch(&mut events, 40).await;
        target.set(|state| (state.mood, state.subscribed) = (Mood::Away, false));
        watch(&mut events, 60).await;
        target.set(|state| (state.mood, state.pending) = (Mood::Well, 1));
        assert_eq!(watch(&mut events, 11).await, (1, 1, 0));
        assert_eq!(target.count("SetSynchronizationPoint"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_refuses_every_pull_is_asked_less_and_less() {
    let target = Simulated::new();
    let mut events = target.subscribe().await;
    target.set(|state| state.mood = Mood::Refusing);
    watch(&mut events, 86_400).await;
    let made = target.count("CreatePullPointSubscription");
    // Five minutes at most, two and a half on average.
    assert!((288..1_000).contains(&made), "{made} in a day");
    let (left, made) = (
        target.count("Unsubscribe"),
        target.count("CreatePullPointSubscription"),
    );
    assert!(left + 1 >= made, "{left} of {made} are ended");
    target.set(|state| (state.mood, state.pending) = (Mood::Well, 1));
    let (notifications, gaps, _) = watch(&mut events, 301).await;
    assert_eq!((notifications, gaps), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_events_a_second_are_pulled_in_batches() {
    let target = Simulated::new();
    let mut events = target.subscribe().await;
    watch(&mut events, 1).await;
    let before = target.count("PullMessages");
    for _ in 0..10 {
        target.set(|state| state.pending = 1_000);
        assert_eq!(watch(&mut events, 2).await.0, 1_000);
    }
    assert!(target.count("PullMessages") - before <= 30);
}
