use std::time::Duration;

use url::Url;
use virtual_camera::{Event, Operation, VirtualCamera};

use crate::client::{EVENTS, NOTIFICATION, Reply, call, envelope, open_camera, send};

const MOTION_ONLY: &str = "<wsnt:TopicExpression Dialect='http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet'>\
    tns1:VideoSource//.</wsnt:TopicExpression>";

async fn create(camera: &VirtualCamera, filter: &str, time: &str) -> Reply {
    let content =
        format!("<Filter>{filter}</Filter><InitialTerminationTime>{time}</InitialTerminationTime>");
    call(camera, EVENTS, "CreatePullPointSubscription", &content).await
}

async fn subscribe(camera: &VirtualCamera, filter: &str, time: &str) -> Url {
    let reply = create(camera, filter, time).await.ok();
    Url::parse(reply.value("wsa:Address")).unwrap()
}

async fn ask(subscription: &Url, namespace: &str, operation: &str, content: &str) -> Reply {
    send(
        "POST",
        subscription,
        &[],
        &envelope("", namespace, operation, content),
    )
    .await
}

async fn pull(subscription: &Url, timeout: &str) -> Reply {
    let content = format!("<Timeout>{timeout}</Timeout><MessageLimit>10</MessageLimit>");
    ask(subscription, EVENTS, "PullMessages", &content).await
}

fn operations(reply: &Reply) -> Vec<&str> {
    let parts = reply.text().split("PropertyOperation=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap()).collect()
}

/// Returns when the camera has seen a second pull, which then waits: the first one took the properties.
async fn second_pull(camera: &VirtualCamera) {
    let seen = async {
        while camera.observed().count("PullMessages") < 2 {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), seen).await;
    waited.expect("there was no second pull");
}

#[tokio::test]
async fn a_new_subscription_starts_with_the_state_of_every_property() {
    let camera = open_camera().await;
    let subscription = subscribe(&camera, "", "PT60S").await;

    let first = pull(&subscription, "PT10S").await.ok();
    assert_eq!(operations(&first), ["Initialized"; 5]);
    for state in [
        "tns1:VideoSource/MotionAlarm<",
        "Name=\"RelayToken\" Value=\"relay_2\"",
    ] {
        assert!(first.text().contains(state), "{state}");
    }
    assert_eq!(camera.observed().subscriptions, 1);
}

#[tokio::test]
async fn a_long_poll_returns_when_motion_is_set() {
    let camera = open_camera().await;
    let subscription = subscribe(&camera, MOTION_ONLY, "PT60S").await;
    pull(&subscription, "PT10S").await.ok();

    let waiting = pull(&subscription, "PT10S");
    let motion = async {
        second_pull(&camera).await;
        camera.set_motion(true);
    };
    let (reply, ()) = tokio::join!(waiting, motion);
    let reply = reply.ok();
    assert_eq!(operations(&reply), ["Changed"]);
    assert!(reply.text().contains(">tns1:VideoSource/MotionAlarm<"));
    assert!(reply.text().contains("Name=\"State\" Value=\"true\""));
}

#[tokio::test]
async fn a_state_that_stays_is_not_reported() {
    let camera = open_camera().await;
    let subscription = subscribe(&camera, "", "PT60S").await;
    pull(&subscription, "PT10S").await.ok();

    camera.set_motion(false);
    camera.set_digital_input(true);
    let reply = pull(&subscription, "PT10S").await.ok();
    assert_eq!(
        reply.text().matches("<wsnt:NotificationMessage>").count(),
        1
    );
    assert!(reply.text().contains("DigitalInput"));
}

#[tokio::test]
async fn a_synchronization_point_replays_the_properties() {
    let camera = open_camera().await;
    let subscription = subscribe(&camera, MOTION_ONLY, "PT60S").await;
    pull(&subscription, "PT10S").await.ok();
    camera.set_motion(true);
    pull(&subscription, "PT10S").await.ok();

    ask(&subscription, EVENTS, "SetSynchronizationPoint", "")
        .await
        .ok();
    let reply = pull(&subscription, "PT10S").await.ok();
    assert_eq!(operations(&reply), ["Initialized"]);
    assert!(reply.text().contains("Value=\"true\""));
}

#[tokio::test]
async fn a_pull_without_events_returns_empty_after_its_timeout() {
    let camera = open_camera().await;
    let subscription = subscribe(&camera, MOTION_ONLY, "PT60S").await;
    pull(&subscription, "PT10S").await.ok();

    assert!(operations(&pull(&subscription, "PT0.01S").await.ok()).is_empty());
}

#[tokio::test]
async fn an_expired_subscription_is_unknown() {
    let camera = open_camera().await;
    let subscription = subscribe(&camera, MOTION_ONLY, "PT0.3S").await;
    pull(&subscription, "PT0S").await;

    // Waits for an event beyond the end of the subscription.
    pull(&subscription, "PT10S")
        .await
        .fault(400, "wsrf-rw:ResourceUnknownFault");
    assert_eq!(camera.observed().subscriptions, 0);
}

#[tokio::test]
async fn renewing_and_unsubscribing_work_at_the_subscriptions_address() {
    let camera = open_camera().await;
    let in_an_hour = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let subscription = subscribe(&camera, "", &in_an_hour).await;

    let renewed = "<TerminationTime>PT120S</TerminationTime>";
    let reply = ask(&subscription, NOTIFICATION, "Renew", renewed)
        .await
        .ok();
    let time = |name| reply.value(name).parse::<jiff::Timestamp>().unwrap();
    let left = time("wsnt:TerminationTime").duration_since(time("wsnt:CurrentTime"));
    assert!((left.as_secs_f64() - 120.0).abs() < 2.0, "{left}");
    ask(&subscription, NOTIFICATION, "Unsubscribe", "")
        .await
        .ok();
    ask(&subscription, NOTIFICATION, "Unsubscribe", "")
        .await
        .fault(400, "wsrf-rw:ResourceUnknownFault");
}

#[tokio::test]
async fn a_reboot_forgets_subscriptions_even_while_one_is_pulled() {
    let camera = open_camera().await;
    let subscription = subscribe(&camera, MOTION_ONLY, "PT60S").await;
    pull(&subscription, "PT10S").await.ok();

    let reboot = async {
        second_pull(&camera).await;
        camera.reboot();
    };
    let (reply, ()) = tokio::join!(pull(&subscription, "PT10S"), reboot);
    reply.fault(400, "wsrf-rw:ResourceUnknownFault");
}

#[tokio::test]
async fn a_stop_answers_a_pull_that_waits() {
    let camera = open_camera().await;
    let subscription = subscribe(&camera, MOTION_ONLY, "PT60S").await;
    pull(&subscription, "PT10S").await.ok();

    let stop = async {
        second_pull(&camera).await;
        camera.stop().await;
    };
    let (reply, ()) = tokio::join!(pull(&subscription, "PT60S"), stop);
    assert!(operations(&reply.ok()).is_empty());
}

#[tokio::test]
async fn there_are_ten_subscriptions_and_no_more() {
    let camera = open_camera().await;
    for _ in 0..10 {
        create(&camera, "", "PT60S").await.ok();
    }
    create(&camera, "", "PT60S")
        .await
        .fault(500, "wsnt:SubscribeCreationFailedFault");
}

#[tokio::test]
async fn bad_filters_and_times_are_refused() {
    let camera = open_camera().await;
    let bad = MOTION_ONLY.replace("tns1:VideoSource", "nobody:VideoSource");
    create(&camera, &bad, "PT60S")
        .await
        .fault(400, "wsnt:InvalidTopicExpressionFault");
    let foreign = MOTION_ONLY.replace("ConcreteSet", "XPath");
    create(&camera, &foreign, "PT60S")
        .await
        .fault(400, "wsnt:TopicExpressionDialectUnknownFault");
    for time in ["yesterday", "2001-01-01T00:00:00Z", "PT0S"] {
        create(&camera, "", time)
            .await
            .fault(400, "wsnt:UnacceptableInitialTerminationTimeFault");
    }
}

#[tokio::test]
async fn the_topic_set_describes_every_topic() {
    let camera = open_camera().await;
    let reply = call(&camera, EVENTS, "GetEventProperties", "").await.ok();
    assert_eq!(reply.text().matches("wstop:topic=\"true\"").count(), 11);
    assert_eq!(reply.text().matches("IsProperty=\"true\"").count(), 9);
    assert_eq!(reply.text().matches("<tns1:VideoSource>").count(), 1);
}

#[tokio::test]
async fn any_event_can_be_reported_and_properties_are_told_again() {
    let camera = open_camera().await;
    let relays = MOTION_ONLY.replace("VideoSource//.", "Device/Trigger/Relay");
    let subscription = subscribe(&camera, &relays, "PT60S").await;
    let relay = |state: &str| {
        Event::new("tns1:Device/Trigger/Relay")
            .property(Operation::Changed)
            .source("RelayToken", "relay_1")
            .data("LogicalState", state)
    };
    camera.report(relay("active"));
    camera.report(relay("inactive"));
    let reply = pull(&subscription, "PT10S").await.ok();
    assert_eq!(
        operations(&reply),
        ["Initialized", "Initialized", "Changed", "Changed"]
    );

    let later = subscribe(&camera, &relays, "PT60S").await;
    let reply = pull(&later, "PT10S").await.ok();
    assert_eq!(operations(&reply), ["Initialized"; 2]);
    assert!(!reply.text().contains("Value=\"active\""));
}

#[tokio::test]
async fn seeking_brings_the_past_back_in_either_direction() {
    let camera = open_camera().await;
    let before = jiff::Timestamp::now().to_string();
    camera.set_digital_input(true);
    camera.set_digital_input(false);
    let subscription = subscribe(&camera, "", "PT60S").await;
    let values = |reply: &Reply| -> Vec<bool> {
        let parts = reply.text().split("Name=\"LogicalState\" Value=\"").skip(1);
        parts.map(|part| part.starts_with("true")).collect()
    };
    let seek = format!("<UtcTime>{before}</UtcTime>");
    ask(&subscription, EVENTS, "Seek", &seek).await.ok();
    let reply = pull(&subscription, "PT10S").await.ok();
    assert_eq!(values(&reply), [true, false]);

    let now = jiff::Timestamp::now();
    let seek = format!("<UtcTime>{now}</UtcTime><Reverse>true</Reverse>");
    ask(&subscription, EVENTS, "Seek", &seek).await.ok();
    let reply = pull(&subscription, "PT10S").await.ok();
    assert_eq!(values(&reply), [false, true]);
    ask(&subscription, EVENTS, "Seek", "<UtcTime>soon</UtcTime>")
        .await
        .fault(400, "ter:InvalidArgVal");
}

#[tokio::test]
async fn only_items_that_were_asked_for_are_reported() {
    let camera = open_camera().await;
    let item = "<wsnt:MessageContent Dialect='http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter'>\
        boolean(//tt:SimpleItem[@Name='InputToken' and @Value='input_1'])</wsnt:MessageContent>";
    let subscription = subscribe(&camera, item, "PT60S").await;
    let reply = pull(&subscription, "PT10S").await.ok();
    assert_eq!(operations(&reply), ["Initialized"]);
    assert!(reply.text().contains("DigitalInput"));
    create(&camera, &item.replace("boolean", "count"), "PT60S")
        .await
        .fault(400, "wsnt:InvalidMessageContentExpressionFault");
}
