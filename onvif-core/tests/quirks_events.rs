//! Each quirk of event services, one at a time: what a subscriber sees of it is events.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use futures::StreamExt;
use onvif_core::events::{
    Edge, EventBroker, EventItem, EventOptions, EventStream, Filter, Meaning, MeaningKind,
    Notification, PropertyOptions, PropertyStates, PropertyUpdate,
};
use onvif_core::{Camera, Credentials, Error};
use virtual_camera::{AuthScheme, Event, Operation, Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);
const MOTION: &str = "tns1:VideoSource/MotionAlarm";

async fn start(quirks: Quirks) -> (VirtualCamera, Camera) {
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .auth(AuthScheme::Digest)
        .quirks(quirks)
        .start()
        .await
        .unwrap();
    let camera = connect(&target).await;
    (target, camera)
}

async fn connect(target: &VirtualCamera) -> Camera {
    let camera = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "secret"))
        .timeout(Duration::from_secs(2))
        .connect()
        .await
        .unwrap();
    // From here on it is known how the camera authenticates, so that every request counts once.
    camera.events().properties().await.unwrap();
    camera
}

fn options() -> EventOptions {
    let mut options = EventOptions::default();
    options.pull_timeout = Duration::from_secs(1);
    options
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("it takes too long")
}

async fn item(events: &mut EventStream) -> Result<EventItem, Error> {
    within(events.next()).await.expect("the stream ended")
}

/// The next notification that `wanted` accepts; nothing else may come, except what is no notification.
async fn next(
    events: &mut EventStream,
    wanted: impl Fn(&Notification) -> bool,
) -> (Notification, Vec<EventItem>) {
    let mut before = Vec::new();
    loop {
        match item(events).await {
            Ok(EventItem::Notification(notification)) if wanted(&notification) => {
                return (notification, before);
            }
            Ok(EventItem::Notification(_)) => {}
            Ok(other) => before.push(other),
            Err(error) => panic!("{error}"),
        }
    }
}

fn is(topic: &str, value: &str) -> impl Fn(&Notification) -> bool {
    move |notification| {
        notification.topic == topic
            && notification
                .data
                .simple
                .iter()
                .any(|item| item.value == value)
    }
}

/// Subscribes, and sees motion begin and end.
async fn motion(target: &VirtualCamera, camera: &Camera) -> EventStream {
    let mut events = camera
        .events()
        .subscribe_with(Filter::topic(MOTION), options());
    next(&mut events, is(MOTION, "false")).await;
    target.set_motion(true);
    next(&mut events, is(MOTION, "true")).await;
    target.set_motion(false);
    next(&mut events, is(MOTION, "false")).await;
    events
}

async fn until(condition: impl Fn() -> bool) {
    within(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn c12_event_requests_carry_addressing_headers() {
    let (target, camera) = start(Quirks {
        require_wsa: true,
        ..Quirks::default()
    })
    .await;
    motion(&target, &camera).await.end().await;
    assert_eq!(target.observed().subscriptions, 0);
}

#[tokio::test]
async fn c13_other_requests_carry_none() {
    let (target, camera) = start(Quirks {
        reject_wsa_on: ["device", "media", "media2", "ptz", "imaging"]
            .map(str::to_owned)
            .to_vec(),
        ..Quirks::default()
    })
    .await;
    assert!(camera.device().information().await.is_ok());
    assert!(!camera.media().profiles().await.unwrap().is_empty());
    motion(&target, &camera).await;
}

#[tokio::test]
async fn c20_a_subscription_at_a_dead_port_is_used_at_the_cameras_own_and_that_is_remembered() {
    // One port that refuses, one that is silent.
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let ports = [&refusing, &silent].map(|listener| listener.local_addr().unwrap().port());
    drop(refusing);
    let asked = || std::iter::from_fn(|| silent.accept().ok()).count();
    for port in ports {
        let (target, camera) = start(Quirks {
            subscription_port: Some(port),
            ..Quirks::default()
        })
        .await;
        motion(&target, &camera).await.end().await;
        asked();
        motion(&target, &camera).await.end().await;
        assert_eq!(asked(), 0);
        assert_eq!(target.observed().subscriptions, 0);
    }
}

#[tokio::test]
async fn c23_pull_points_that_the_capabilities_deny_are_tried() {
    let (target, camera) = start(Quirks {
        caps_lie_pullpoint: true,
        ..Quirks::default()
    })
    .await;
    let capabilities = camera.events().service_capabilities().await.unwrap();
    assert_eq!(capabilities.unwrap().pull_point_support, Some(false));
    motion(&target, &camera).await;
}

#[tokio::test]
async fn c24_the_lifetime_is_always_asked_for() {
    let (target, camera) = start(Quirks {
        require_init_term: true,
        ..Quirks::default()
    })
    .await;
    motion(&target, &camera).await;
    assert_eq!(target.observed().count("CreatePullPointSubscription"), 1);
}

#[tokio::test]
async fn c25_the_lifetime_is_asked_for_in_seconds() {
    let (target, camera) = start(Quirks {
        minutes_as_seconds: true,
        ..Quirks::default()
    })
    .await;
    motion(&target, &camera).await;
    assert_eq!(target.observed().count("Renew"), 0);
}

#[tokio::test]
async fn c25_what_the_camera_grants_counts_and_a_moment_is_tried_where_that_is_short() {
    let (target, camera) = start(Quirks {
        fixed_term_s: Some(2),
        ..Quirks::default()
    })
    .await;
    let mut events = motion(&target, &camera).await;
    within(async {
        tokio::select! {
            _ = events.next() => panic!("nothing happens"),
            () = until(|| target.observed().count("PullMessages") > 5) => {}
        }
    })
    .await;
    // As a moment it was granted in full.
    assert_eq!(target.observed().count("Renew"), 1);
    assert_eq!(target.observed().count("CreatePullPointSubscription"), 1);
}

#[tokio::test]
async fn c26_a_moment_is_asked_for_where_durations_are_refused_and_that_is_remembered() {
    for clock_offset in [0, -86_400 * 365] {
        let (target, camera) = start(Quirks {
            reject_relative: true,
            clock_offset,
            ..Quirks::default()
        })
        .await;
        motion(&target, &camera).await.end().await;
        motion(&target, &camera).await.end().await;
        assert_eq!(target.observed().count("CreatePullPointSubscription"), 3);
    }
}

#[tokio::test]
async fn c27_a_subscription_that_pulling_does_not_prolong_is_renewed() {
    let (target, camera) = start(Quirks {
        pull_no_extend: true,
        ..Quirks::default()
    })
    .await;
    let mut brief = options();
    brief.lifetime = Duration::from_secs(2);
    let mut events = camera.events().subscribe_with(Filter::topic(MOTION), brief);
    next(&mut events, is(MOTION, "false")).await;
    let renewed = until(|| target.observed().count("Renew") >= 2);
    tokio::select! {
        item = events.next() => panic!("{item:?}"),
        () = renewed => {}
    }
    assert_eq!(target.observed().count("CreatePullPointSubscription"), 1);
}

#[tokio::test]
async fn c28_a_subscription_that_cannot_be_renewed_is_replaced_without_a_gap() {
    let (target, camera) = start(Quirks {
        no_renew: true,
        no_syncpoint: true,
        ..Quirks::default()
    })
    .await;
    let mut brief = options();
    brief.lifetime = Duration::from_secs(2);
    let mut events = camera.events().subscribe_with(Filter::topic(MOTION), brief);
    next(&mut events, is(MOTION, "false")).await;
    let mut tried = None;
    for value in ["true", "false", "true"] {
        target.set_motion(value == "true");
        let made = target.observed().count("CreatePullPointSubscription");
        let (_, others) = next(&mut events, is(MOTION, value)).await;
        assert!(others.is_empty(), "{others:?}");
        // The states that the next subscription begins with.
        let (_, others) = next(&mut events, is(MOTION, value)).await;
        assert!(others.is_empty(), "{others:?}");
        assert_eq!(
            target.observed().count("CreatePullPointSubscription"),
            made + 1
        );
        // It is not asked again.
        tried.get_or_insert(target.observed().count("Renew"));
    }
    assert_eq!(target.observed().count("Renew"), tried.unwrap());
    events.end().await;
    assert_eq!(target.observed().subscriptions, 0);
}

#[tokio::test]
async fn c29_a_pull_that_the_camera_closes_is_an_empty_one_and_the_next_is_shorter() {
    let (target, camera) = start(Quirks {
        pull_close_after_ms: Some(3_100),
        ..Quirks::default()
    })
    .await;
    let mut long = options();
    long.pull_timeout = Duration::from_secs(10);
    let mut events = camera.events().subscribe_with(Filter::topic(MOTION), long);
    next(&mut events, is(MOTION, "false")).await;
    // One that is closed, and two that are not.
    let pulled = until(|| target.observed().count("PullMessages") >= 5);
    tokio::select! {
        item = events.next() => panic!("{item:?}"),
        () = pulled => {}
    }
    target.set_motion(true);
    next(&mut events, is(MOTION, "true")).await;
    let observed = target.observed();
    assert_eq!(observed.count("CreatePullPointSubscription"), 1);
    assert_eq!(observed.count("Unsubscribe"), 0);
}

#[tokio::test]
async fn c30_pulls_that_return_at_once_are_not_a_storm() {
    let (target, camera) = start(Quirks {
        pull_immediate: true,
        ..Quirks::default()
    })
    .await;
    let mut events = motion(&target, &camera).await;
    let before = target.observed().count("PullMessages");
    let watched = tokio::time::timeout(Duration::from_secs(3), events.next());
    assert!(watched.await.is_err());
    let pulls = target.observed().count("PullMessages") - before;
    assert!((2..=5).contains(&pulls), "{pulls}");
}

#[tokio::test]
async fn c31_pulls_that_always_fail_are_told_and_not_a_storm() {
    let (target, camera) = start(Quirks {
        pull_fault_always: true,
        ..Quirks::default()
    })
    .await;
    let mut events = camera.events().subscribe_with(Filter::all(), options());
    let mut errors = 0;
    let watch = async {
        while let Some(item) = events.next().await {
            errors += u32::from(item.is_err());
        }
    };
    let watched = tokio::time::timeout(Duration::from_secs(3), watch).await;
    assert!(watched.is_err() && errors > 0);
    let made = target.observed().count("CreatePullPointSubscription");
    assert!(made <= 5, "{made}");
}

#[tokio::test]
async fn c32_a_camera_with_one_place_gives_it_again_and_again() {
    let (target, camera) = start(Quirks {
        max_subs: Some(1),
        ..Quirks::default()
    })
    .await;
    for _ in 0..3 {
        let events = motion(&target, &camera).await;
        assert_eq!(target.observed().subscriptions, 1);
        drop(events);
        until(|| target.observed().subscriptions == 0).await;
    }
}

#[tokio::test]
async fn c32_a_subscription_that_a_crash_left_behind_is_ended_after_the_restart() {
    for subscription_header in [false, true] {
        let (target, camera) = start(Quirks {
            max_subs: Some(1),
            subscription_header,
            ..Quirks::default()
        })
        .await;
        let events = motion(&target, &camera).await;
        let kept = events.subscriptions();
        assert_eq!(kept.len(), 1);
        // The process is gone: nothing is dropped.
        std::mem::forget(events);

        let camera = connect(&target).await;
        let mut refused = camera.events().subscribe(Filter::all());
        let error = item(&mut refused).await.unwrap_err();
        assert!(error.fault().is_some(), "{error}");
        camera.events().unsubscribe(&kept[0]).await.unwrap();
        motion(&target, &camera).await;
        // It is gone by now, which is what was wanted.
        camera.events().unsubscribe(&kept[0]).await.unwrap();
    }
}

#[tokio::test]
async fn c33_a_forgotten_subscription_is_made_anew_with_a_gap() {
    for (sub_forget_404, no_syncpoint) in [(false, false), (true, true)] {
        let (target, camera) = start(Quirks {
            sub_forget_404,
            no_syncpoint,
            ..Quirks::default()
        })
        .await;
        let mut events = motion(&target, &camera).await;
        target.forget_subscriptions();
        target.set_motion(true);
        let (_, others) = next(&mut events, is(MOTION, "true")).await;
        assert!(matches!(others[..], [EventItem::Gap { since: Some(_) }]));
    }
}

#[tokio::test]
async fn c33_events_flow_again_after_the_camera_was_away() {
    let (target, camera) = start(Quirks::default()).await;
    let mut events = motion(&target, &camera).await;
    let port = target.device_url().port().unwrap();
    target.stop().await;
    assert!(item(&mut events).await.is_err());

    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .auth(AuthScheme::Digest)
        .http_port(port)
        .start()
        .await
        .unwrap();
    let mut seen = Vec::new();
    loop {
        match item(&mut events).await {
            Ok(EventItem::Notification(_)) => break,
            Ok(other) => seen.push(other),
            Err(_) => {}
        }
    }
    assert!(seen.contains(&EventItem::Resumed), "{seen:?}");
    assert!(matches!(seen.last(), Some(EventItem::Gap { .. })));
    target.set_motion(true);
    next(&mut events, is(MOTION, "true")).await;
}

#[tokio::test]
async fn c34_motion_whose_end_is_not_told_is_cleared_when_asked_to() {
    let (target, camera) = start(Quirks {
        no_off_event: true,
        ..Quirks::default()
    })
    .await;
    let mut events = camera
        .events()
        .subscribe_with(Filter::topic(MOTION), options());
    next(&mut events, is(MOTION, "false")).await;
    target.set_motion(true);
    let (began, _) = next(&mut events, is(MOTION, "true")).await;
    let mut clear = PropertyOptions::default();
    clear.auto_clear = Some(Duration::from_secs(60));
    let mut states = PropertyStates::new(clear);
    assert_eq!(states.apply(&began), PropertyUpdate::New);
    target.set_motion(false);
    let later = SystemTime::now() + Duration::from_secs(61);
    let cleared = states.clear_overdue(later);
    assert_eq!(Meaning::of(&cleared[0]).unwrap().edge, Edge::Inactive);
}

#[tokio::test]
async fn c34_a_message_without_data_is_a_state_that_is_not_known() {
    let (target, camera) = start(Quirks {
        empty_message: true,
        ..Quirks::default()
    })
    .await;
    let mut events = camera
        .events()
        .subscribe_with(Filter::topic(MOTION), options());
    next(&mut events, is(MOTION, "false")).await;
    target.set_motion(true);
    target.set_motion(false);
    next(&mut events, is(MOTION, "true")).await;
    let (empty, _) = next(&mut events, |notification| notification.data.is_empty()).await;
    let meaning = Meaning::of(&empty).unwrap();
    assert_eq!(
        (meaning.kind, meaning.edge),
        (MeaningKind::Motion, Edge::Unknown)
    );
    assert_eq!(meaning.source.as_deref(), Some("video_source"));
}

#[tokio::test]
async fn c35_topics_are_trimmed_and_those_of_makers_have_a_meaning_or_pass_as_they_are() {
    for topic_suffix in ["//.", "/.", "/"] {
        let (target, camera) = start(Quirks {
            topic_suffix: topic_suffix.to_owned(),
            vendor_topics: true,
            ..Quirks::default()
        })
        .await;
        let mut events = camera.events().subscribe_with(Filter::all(), options());
        next(&mut events, is(MOTION, "false")).await;
        target.set_motion(true);
        let person = "tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent";
        let (notification, _) = next(&mut events, is(person, "true")).await;
        let meaning = Meaning::of(&notification).unwrap();
        assert_eq!(
            (meaning.kind, meaning.edge),
            (MeaningKind::Person, Edge::Active)
        );
        let unknown = "tns1:RuleEngine/tnsvendor:Whatever";
        let (notification, _) = next(&mut events, is(unknown, "true")).await;
        assert_eq!(Meaning::of(&notification), None);
        assert_eq!(notification.data.get("Status"), Some("true"));
    }
}

#[tokio::test]
async fn c36_ever_new_source_tokens_do_not_fill_the_memory() {
    let (target, camera) = start(Quirks {
        unstable_source_token: true,
        ..Quirks::default()
    })
    .await;
    let mut events = camera
        .events()
        .subscribe_with(Filter::topic(MOTION), options());
    next(&mut events, is(MOTION, "false")).await;
    let mut few = PropertyOptions::default();
    few.instances = 4;
    let mut states = PropertyStates::new(few);
    for number in 0..30 {
        let active = number % 2 == 0;
        target.set_motion(active);
        let (notification, _) = next(&mut events, is(MOTION, &active.to_string())).await;
        states.apply(&notification);
        assert!(states.len() <= 4);
    }
    assert_eq!(states.len(), 1);
}

#[tokio::test]
async fn a_filter_that_the_camera_refuses_is_applied_here() {
    let (target, camera) = start(Quirks {
        no_filter: true,
        ..Quirks::default()
    })
    .await;
    let mut events = camera
        .events()
        .subscribe_with(Filter::topic(MOTION), options());
    target.set_digital_input(true);
    target.set_motion(true);
    let Ok(EventItem::Notification(first)) = item(&mut events).await else {
        panic!("no notification")
    };
    assert_eq!(first.topic, MOTION);
}

#[tokio::test]
async fn items_select_notifications_at_the_camera() {
    let (target, camera) = start(Quirks::default()).await;
    let input = Filter::all().with_item("InputToken", "input_1");
    let mut events = camera.events().subscribe_with(input, options());
    let topic = "tns1:Device/Trigger/DigitalInput";
    let Ok(EventItem::Notification(first)) = item(&mut events).await else {
        panic!("no notification")
    };
    assert_eq!(first.topic, topic);
    target.set_motion(true);
    target.set_digital_input(true);
    let Ok(EventItem::Notification(second)) = item(&mut events).await else {
        panic!("no notification")
    };
    assert_eq!(second.topic, topic);
}

#[tokio::test]
async fn subscriptions_that_share_an_address_are_told_apart_by_their_header() {
    let (target, camera) = start(Quirks {
        subscription_header: true,
        ..Quirks::default()
    })
    .await;
    motion(&target, &camera).await.end().await;
    assert_eq!(target.observed().subscriptions, 0);
}

#[tokio::test]
async fn events_of_the_past_come_first_where_the_camera_stores_them() {
    let (target, camera) = start(Quirks {
        clock_offset: 3_600,
        ..Quirks::default()
    })
    .await;
    target.report(
        Event::new("tns1:RuleEngine/MyRuleDetector/Visitor")
            .property(Operation::Changed)
            .data("State", "true"),
    );
    let mut past = options();
    past.replay_from = Some(SystemTime::now() - Duration::from_secs(60));
    let mut events = camera.events().subscribe_with(Filter::all(), past);
    let Ok(EventItem::Notification(first)) = item(&mut events).await else {
        panic!("no notification")
    };
    let meaning = Meaning::of(&first).unwrap();
    assert_eq!(
        (meaning.kind, meaning.edge),
        (MeaningKind::Visitor, Edge::Active)
    );
    // The camera is an hour ahead; by our clock it happened just now.
    let limit = first.host_time.unwrap() + Duration::from_secs(30);
    assert!(SystemTime::now() < limit);
    assert!(first.device_time.unwrap() > SystemTime::now() + Duration::from_secs(3_000));
}

#[tokio::test]
async fn several_streams_of_one_camera_take_turns() {
    let (target, camera) = start(Quirks::default()).await;
    // Each would hold the camera for half a minute.
    let subscribe = || camera.events().subscribe(Filter::topic(MOTION));
    let mut streams = [subscribe(), subscribe(), subscribe()];
    for value in ["false", "true", "false"] {
        target.set_motion(value == "true");
        let seen = streams
            .iter_mut()
            .map(|events| next(events, is(MOTION, value)));
        futures::future::join_all(seen).await;
    }
    assert_eq!(target.observed().subscriptions, 3);
}

#[tokio::test]
async fn brokers_are_added_listed_and_deleted() {
    let (_target, camera) = start(Quirks::default()).await;
    let events = camera.events();
    let mut broker = EventBroker::new("mqtts://broker:8883", "site/gate");
    broker.username = Some("u".into());
    broker.password = Some("p".into());
    broker.qos = Some(1);
    events.add_broker(broker).await.unwrap();
    let listed = events.brokers().await.unwrap();
    assert_eq!((listed.len(), listed[0].qos), (1, Some(1)));
    assert_eq!(listed[0].topic_prefix, "site/gate");
    events.delete_broker("mqtts://broker:8883").await.unwrap();
    assert!(events.brokers().await.unwrap().is_empty());
    assert!(events.delete_broker("mqtts://broker:8883").await.is_err());
}
