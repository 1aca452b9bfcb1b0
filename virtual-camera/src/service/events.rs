//! The Event service (`ver10/events/wsdl`) and the manager of a pull-point subscription.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Call, Service, flags};
use crate::clock::{Clock, read_duration, read_timestamp, write_timestamp};
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::subscription::{MAX_SUBSCRIPTIONS, Notification, PropertyOperation, TooMany, Unknown};
use crate::topic::{FilterError, Topic, TopicFilter};
use crate::xml::{Element, NONE, TER, TEV, TNS1, TT, WSA, WSNT, WSTOP, XS, element};

const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest wait of one `PullMessages`; a longer one is cut to it.
const MAX_PULL: Duration = Duration::from_secs(120);
const MAX_MESSAGES: usize = 100;

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    match operation {
        "GetEventProperties" => Ok(event_properties(call)),
        "CreatePullPointSubscription" => create(call),
        _ => Err(Fault::not_supported(operation)),
    }
}

/// Operations on one subscription.
pub(super) async fn answer_subscription(
    call: &Call<'_>,
    operation: &str,
    id: &str,
) -> Result<Element, Fault> {
    let camera = call.camera;
    let unknown = |Unknown| Fault::unknown_subscription(now(camera));
    // Pulling and the synchronization point are ONVIF's, the rest is WS-BaseNotification's.
    match (operation, call.request.namespace == TEV.uri) {
        ("PullMessages", true) => pull(call, id).await,
        ("SetSynchronizationPoint", true) => {
            let now = Instant::now();
            let mut state = camera.events.lock();
            let properties = state.properties(now);
            let replayed = state.subscriptions.replay(id, now, properties);
            drop(state);
            replayed.map_err(unknown)?;
            camera.events.changed.notify_waiters();
            Ok(call.response("SetSynchronizationPointResponse"))
        }
        ("Renew", false) => {
            let lifetime = lifetime(call, "TerminationTime", "UnacceptableTerminationTimeFault")?;
            let mut state = camera.events.lock();
            let ends = state.subscriptions.renew(id, Instant::now(), lifetime);
            drop(state);
            let clock = lock(&camera.clock);
            let ends =
                ends.map_err(|Unknown| Fault::unknown_subscription(write_timestamp(clock.now())))?;
            Ok(call
                .response("RenewResponse")
                .leaf(WSNT, "TerminationTime", write_timestamp(clock.at(ends)))
                .leaf(WSNT, "CurrentTime", write_timestamp(clock.now())))
        }
        ("Unsubscribe", false) => {
            let removed = camera
                .events
                .lock()
                .subscriptions
                .remove(id, Instant::now());
            removed.map_err(unknown)?;
            camera.events.changed.notify_waiters();
            Ok(call.response("UnsubscribeResponse"))
        }
        _ => Err(Fault::not_supported(operation)),
    }
}

pub(super) fn capabilities() -> Element {
    flags(
        TEV,
        "Capabilities",
        &[
            ("WSSubscriptionPolicySupport", false),
            ("WSPausableSubscriptionManagerInterfaceSupport", false),
            ("PersistentNotificationStorage", false),
        ],
    )
    .attribute("MaxNotificationProducers", 0)
    .attribute("MaxPullPoints", MAX_SUBSCRIPTIONS)
}

fn create(call: &Call<'_>) -> Result<Element, Fault> {
    let camera = call.camera;
    let has_term = call.request.text_of("InitialTerminationTime").is_some();
    if camera.quirks.require_init_term && !has_term {
        return Err(Fault::receiver(&[(TER, "Action")], "internal error"));
    }
    let lifetime = lifetime(
        call,
        "InitialTerminationTime",
        "UnacceptableInitialTerminationTimeFault",
    )?;
    let filter = match call.request.child("Filter") {
        Some(filter) => TopicFilter::read(filter).map_err(|error| refuse_filter(error, camera))?,
        None => TopicFilter::everything(),
    };
    let id = Uuid::new_v4().simple().to_string();
    let start = Instant::now();
    let mut state = camera.events.lock();
    let properties = state.properties(start);
    let created = state
        .subscriptions
        .create(id.clone(), filter, start, lifetime, properties);
    drop(state);
    let ends = created.map_err(|TooMany| Fault::too_many_subscriptions(now(camera)))?;
    let clock = lock(&camera.clock);
    let manager = Service::Subscription(id);
    Ok(call
        .response("CreatePullPointSubscriptionResponse")
        .child(element(TEV, "SubscriptionReference").address_leaf(
            WSA,
            "Address",
            call.url(&manager.path()),
        ))
        .leaf(WSNT, "CurrentTime", write_timestamp(clock.now()))
        .leaf(WSNT, "TerminationTime", write_timestamp(clock.at(ends))))
}

async fn pull(call: &Call<'_>, id: &str) -> Result<Element, Fault> {
    let camera = call.camera;
    let limit = call.argument("MessageLimit")?.parse().ok();
    let limit: usize = limit.filter(|limit| *limit > 0).ok_or_else(|| {
        Fault::sender(
            &[(TER, "InvalidArgVal")],
            "MessageLimit is not a positive number",
        )
    })?;
    let timeout = read_duration(call.argument("Timeout")?)
        .ok_or_else(|| Fault::sender(&[(TER, "InvalidArgVal")], "Timeout is not a duration"))?;
    let until = Instant::now() + timeout.min(MAX_PULL);

    loop {
        // Asked for before looking, so that a change in between is not missed.
        let changed = camera.events.changed.notified();
        let mut changed = std::pin::pin!(changed);
        changed.as_mut().enable();

        let instant = Instant::now();
        let pulled = camera
            .events
            .lock()
            .subscriptions
            .pull(id, instant, limit.min(MAX_MESSAGES));
        let (messages, ends) =
            pulled.map_err(|Unknown| Fault::unknown_subscription(now(camera)))?;
        let stop =
            instant >= until || camera.quirks.pull_immediate || camera.stopping.is_cancelled();
        if !messages.is_empty() || stop {
            let clock = lock(&camera.clock);
            return Ok(call
                .response("PullMessagesResponse")
                .leaf(TEV, "CurrentTime", write_timestamp(clock.now()))
                .leaf(TEV, "TerminationTime", write_timestamp(clock.at(ends)))
                .children(messages.iter().map(|message| notification(message, &clock))));
        }
        tokio::select! {
            () = changed => {}
            () = camera.stopping.cancelled() => {}
            () = tokio::time::sleep_until(until.min(ends).into()) => {}
        }
    }
}

fn notification(message: &Notification, clock: &Clock) -> Element {
    let topic = message.topic;
    let source = topic
        .source()
        .iter()
        .fold(element(TT, "Source"), |e, (name, _, value)| {
            e.child(simple_item(name, value))
        });
    let data = element(TT, "Data").child(simple_item(topic.data(), &message.value.to_string()));
    let operation = match message.operation {
        PropertyOperation::Initialized => "Initialized",
        PropertyOperation::Changed => "Changed",
    };
    let content = element(TT, "Message")
        .attribute("UtcTime", write_timestamp(clock.at(message.at)))
        .attribute("PropertyOperation", operation)
        .child(source)
        .child(data);
    let path = topic.path().join("/");
    element(WSNT, "NotificationMessage")
        .child(
            element(WSNT, "Topic")
                .attribute("Dialect", TopicFilter::CONCRETE_SET)
                .mentions(TNS1)
                .address(format_args!("{}:{path}", TNS1.prefix)),
        )
        .child(element(WSNT, "Message").child(content))
}

fn simple_item(name: &str, value: &str) -> Element {
    element(TT, "SimpleItem")
        .attribute("Name", name)
        .attribute("Value", value)
}

fn event_properties(call: &Call<'_>) -> Element {
    let topics = Topic::ALL.into_iter().map(topic_tree);
    call.response("GetEventPropertiesResponse")
        .leaf(
            TEV,
            "TopicNamespaceLocation",
            "http://www.onvif.org/onvif/ver10/topics/topicns.xml",
        )
        .leaf(WSNT, "FixedTopicSet", true)
        .child(element(WSTOP, "TopicSet").children(topics))
        .leaf(WSNT, "TopicExpressionDialect", TopicFilter::CONCRETE)
        .leaf(WSNT, "TopicExpressionDialect", TopicFilter::CONCRETE_SET)
        .leaf(
            TEV,
            "MessageContentFilterDialect",
            "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter",
        )
        .leaf(
            TEV,
            "MessageContentSchemaLocation",
            "http://www.onvif.org/onvif/ver10/schema/onvif.xsd",
        )
}

/// The topic as nested elements, the root in the topic namespace and the rest in none.
fn topic_tree(topic: Topic) -> Element {
    let item = |name: &str, kind: &str| {
        element(TT, "SimpleItemDescription")
            .mentions(XS)
            .attribute("Name", name)
            .attribute("Type", kind)
    };
    let source = topic
        .source()
        .iter()
        .map(|(name, kind, _)| item(name, kind));
    let description = element(TT, "MessageDescription")
        .attribute("IsProperty", true)
        .child(element(TT, "Source").children(source))
        .child(element(TT, "Data").child(item(topic.data(), "xs:boolean")));
    let path = topic.path();
    let mut tree = description;
    for (depth, name) in path.iter().enumerate().rev() {
        let mut level = element(if depth == 0 { TNS1 } else { NONE }, name);
        if depth + 1 == path.len() {
            level = level.attribute_in(WSTOP, "topic", true);
        }
        tree = level.child(tree);
    }
    tree
}

/// How long a subscription shall live: relative, or until a time of the camera's clock.
fn lifetime(call: &Call<'_>, argument: &str, fault: &'static str) -> Result<Duration, Fault> {
    let Some(text) = call.request.text_of(argument) else {
        return Ok(DEFAULT_LIFETIME);
    };
    let clock_now = lock(&call.camera.clock).now();
    let lifetime = read_duration(text).or_else(|| {
        let left = read_timestamp(text)?.duration_since(clock_now);
        Duration::try_from(left).ok()
    });
    let lifetime = lifetime.filter(|lifetime| !lifetime.is_zero());
    let lifetime = lifetime.ok_or_else(|| {
        Fault::notification(fault, "not a time to come", write_timestamp(clock_now))
    })?;
    Ok(lifetime.min(MAX_LIFETIME))
}

fn refuse_filter(error: FilterError, camera: &Camera) -> Fault {
    match error {
        FilterError::UnknownDialect => Fault::notification(
            "TopicExpressionDialectUnknownFault",
            "the dialect of the topic expression is unknown",
            now(camera),
        ),
        FilterError::Invalid => Fault::notification(
            "InvalidTopicExpressionFault",
            "the topic expression is invalid",
            now(camera),
        ),
    }
}

fn now(camera: &Camera) -> String {
    write_timestamp(lock(&camera.clock).now())
}
