//! The Event service (`ver10/events/wsdl`) and the manager of a pull-point subscription.

mod broker;

use std::time::{Duration, Instant};

use http::StatusCode;
use uuid::Uuid;

use super::{Call, Service, flags};
use crate::clock::{Clock, read_duration, read_timestamp};
use crate::event::Event;
use crate::soap::{self, Fault};
use crate::state::{Camera, lock};
use crate::subscription::{MAX_SUBSCRIPTIONS, Terms, TooMany, Unknown};
use crate::topic::{DESCRIBED, Described, FilterError, TopicFilter, VENDOR};
use crate::xml::{
    Element, NONE, Node, Ns, Rendering, TER, TEV, TNS1, TT, WSA, WSNT, WSTOP, XS, element,
};

const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest wait of one `PullMessages`; a longer one is cut to it.
const MAX_PULL: Duration = Duration::from_secs(120);
const MAX_MESSAGES: usize = 100;
/// The header that tells subscriptions apart where they share an address.
const ID_HEADER: Ns = Ns {
    prefix: "sub",
    uri: "http://www.vendor.example/2026/subscription",
};

pub(super) fn answer(call: &Call<'_>, operation: &str) -> Result<Element, Fault> {
    match operation {
        "GetEventProperties" => Ok(event_properties(call)),
        "CreatePullPointSubscription" => create(call, None),
        "Subscribe" => subscribe(call),
        "AddEventBroker" => broker::add(call),
        "DeleteEventBroker" => broker::delete(call),
        "GetEventBrokers" => Ok(broker::list(call)),
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
        ("SetSynchronizationPoint", true) if camera.quirks().no_syncpoint => {
            Err(Fault::not_supported(operation))
        }
        ("Renew", false) if camera.quirks().no_renew => {
            Err(Fault::not_authorized(StatusCode::BAD_REQUEST, None))
        }
        ("Seek", true) => {
            let time = read_timestamp(call.argument("UtcTime")?)
                .ok_or_else(|| Fault::sender(&[(TER, "InvalidArgVal")], "UtcTime is no time"))?;
            let ago = lock(&camera.clock).now().duration_since(time);
            let start = Instant::now();
            let from = match Duration::try_from(ago) {
                Ok(ago) => start.checked_sub(ago).unwrap_or(start - MAX_LIFETIME),
                Err(_) => start,
            };
            let reverse = call.request.text_of("Reverse") == Some("true");
            let mut state = camera.events.lock();
            let past = state.past(from, reverse);
            let sought = state.subscriptions.rewind(id, start, past);
            drop(state);
            sought.map_err(unknown)?;
            camera.events.changed.notify_waiters();
            Ok(call.response("SeekResponse"))
        }
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
            let ends = ends.map_err(|Unknown| {
                Fault::unknown_subscription(camera.quirks().write_time(clock.now()))
            })?;
            Ok(call
                .response("RenewResponse")
                .leaf(
                    WSNT,
                    "TerminationTime",
                    camera.quirks().write_time(clock.at(ends)),
                )
                .leaf(WSNT, "CurrentTime", camera.quirks().write_time(clock.now())))
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

/// Whose request this is: with a header that names one, a subscription's.
pub(crate) fn addressed(service: Service, header: &Node) -> Service {
    match header.text_of("SubscriptionId") {
        Some(id) if service == Service::Events => Service::Subscription(id.to_owned()),
        _ => service,
    }
}

/// Refuses a request for its WS-Addressing headers, or for their absence.
pub(crate) fn check_addressing(
    camera: &Camera,
    service: &Service,
    header: &Node,
) -> Result<(), Fault> {
    let has = |name| header.text_of(name).is_some();
    let path = service.path();
    let name = path
        .trim_start_matches("/onvif/")
        .trim_end_matches("_service");
    let rejected = &camera.quirks().reject_wsa_on;
    if rejected.iter().any(|rejected| rejected == name) && has("Action") {
        return Err(Fault::sender(
            &[(TER, "InvalidArgs")],
            "WS-Addressing is not understood",
        ));
    }
    let of_events = matches!(service, Service::Events | Service::Subscription(_));
    let complete = ["Action", "To", "MessageID"].into_iter().all(has);
    if of_events && camera.quirks().require_wsa && !complete {
        return Err(Fault::sender(
            &[(WSA, "MessageAddressingHeaderRequired")],
            "",
        ));
    }
    Ok(())
}

/// How long the camera lets a request wait before it hangs up.
pub(crate) fn hang_up_after(camera: &Camera, operation: &str) -> Option<Duration> {
    let after = camera.quirks().pull_close_after_ms?;
    (operation == "PullMessages").then(|| Duration::from_millis(after))
}

/// What is pushed to a consumer.
pub(crate) fn notify(camera: &Camera, manager: &str, events: &[Event]) -> String {
    let clock = lock(&camera.clock);
    let messages = events.iter().map(|event| {
        let reference =
            element(WSNT, "SubscriptionReference").address_leaf(WSA, "Address", manager);
        notification(event, &clock, camera).child(reference)
    });
    let header = vec![
        element(WSA, "Action")
            .text("http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify"),
    ];
    soap::envelope(header, element(WSNT, "Notify").children(messages)).render(Rendering::default())
}

pub(super) fn capabilities(camera: &Camera) -> Element {
    let denied = camera.quirks().caps_lie_pullpoint;
    let pull_points = camera.quirks().max_subs.unwrap_or(MAX_SUBSCRIPTIONS);
    flags(
        TEV,
        "Capabilities",
        &[
            ("WSSubscriptionPolicySupport", false),
            ("WSPausableSubscriptionManagerInterfaceSupport", false),
            ("WSPullPointSupport", !denied),
            ("PersistentNotificationStorage", true),
        ],
    )
    .attribute("MaxNotificationProducers", MAX_SUBSCRIPTIONS)
    .attribute("MaxPullPoints", if denied { 0 } else { pull_points })
    .attribute("EventBrokerProtocols", "mqtt mqtts")
    .attribute("MaxEventBrokers", broker::MAX)
}

fn subscribe(call: &Call<'_>) -> Result<Element, Fault> {
    let camera = call.camera;
    let reference = call.request.child("ConsumerReference");
    let address = reference.and_then(|reference| reference.text_of("Address"));
    let address = address.ok_or_else(|| Fault::missing("ConsumerReference"))?;
    let longest = camera.quirks().crash_on_long_url;
    if longest.is_some_and(|longest| address.len() > longest) {
        camera.reboot();
        return Err(Fault::receiver(&[(TER, "Action")], "internal error"));
    }
    let consumer = url::Url::parse(address).ok();
    let consumer = consumer
        .filter(|url| url.scheme() == "http" && url.has_host())
        .ok_or_else(|| {
            Fault::sender(
                &[(TER, "InvalidArgVal")],
                "the consumer's address is no URL",
            )
        })?;
    create(call, Some(consumer))
}

fn create(call: &Call<'_>, consumer: Option<url::Url>) -> Result<Element, Fault> {
    let camera = call.camera;
    let has_term = call.request.text_of("InitialTerminationTime").is_some();
    if camera.quirks().require_init_term && !has_term {
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
    if camera.quirks().no_filter && !filter.is_everything() {
        return Err(refuse_filter(FilterError::UnknownDialect, camera));
    }
    let id = Uuid::new_v4().simple().to_string();
    let start = Instant::now();
    let (name, ns) = match consumer {
        Some(_) => ("SubscribeResponse", WSNT),
        None => ("CreatePullPointSubscriptionResponse", TEV),
    };
    let terms = Terms {
        filter,
        lifetime,
        keep_alive: !has_term && !camera.quirks().pull_no_extend,
        consumer,
    };
    let limit = camera.quirks().max_subs.unwrap_or(MAX_SUBSCRIPTIONS);
    let mut state = camera.events.lock();
    let properties = state.properties(start);
    let created = state
        .subscriptions
        .create(id.clone(), terms, limit, start, properties);
    drop(state);
    let ends = created.map_err(|TooMany| Fault::too_many_subscriptions(now(camera)))?;
    camera.events.changed.notify_waiters();
    let clock = lock(&camera.clock);
    Ok(call
        .response(name)
        .child(reference(call, ns, id))
        .leaf(WSNT, "CurrentTime", camera.quirks().write_time(clock.now()))
        .leaf(
            WSNT,
            "TerminationTime",
            camera.quirks().write_time(clock.at(ends)),
        ))
}

/// Where a client finds a subscription.
fn reference(call: &Call<'_>, ns: Ns, id: String) -> Element {
    let quirks = call.camera.quirks();
    let reference = element(ns, "SubscriptionReference");
    if quirks.subscription_header {
        let address = call.service_url(&Service::Events);
        return reference
            .address_leaf(WSA, "Address", address)
            .child(element(WSA, "ReferenceParameters").leaf(ID_HEADER, "SubscriptionId", id));
    }
    let path = Service::Subscription(id).path();
    reference.address_leaf(WSA, "Address", call.url(&path))
}

async fn pull(call: &Call<'_>, id: &str) -> Result<Element, Fault> {
    let camera = call.camera;
    if camera.quirks().pull_fault_always {
        return Err(Fault::receiver(&[(TER, "Action")], "internal error"));
    }
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

    camera.storm();
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
            instant >= until || camera.quirks().pull_immediate || camera.stopping.is_cancelled();
        if !messages.is_empty() || stop {
            let clock = lock(&camera.clock);
            return Ok(call
                .response("PullMessagesResponse")
                .leaf(TEV, "CurrentTime", camera.quirks().write_time(clock.now()))
                .leaf(
                    TEV,
                    "TerminationTime",
                    camera.quirks().write_time(clock.at(ends)),
                )
                .children(
                    messages
                        .iter()
                        .map(|message| notification(message, &clock, camera)),
                ));
        }
        tokio::select! {
            () = changed => {}
            () = camera.stopping.cancelled() => {}
            () = tokio::time::sleep_until(until.min(ends).into()) => {}
        }
    }
}

pub(crate) fn notification(event: &Event, clock: &Clock, camera: &Camera) -> Element {
    let mut content =
        element(TT, "Message").attribute("UtcTime", camera.quirks().write_time(clock.at(event.at)));
    if let Some(operation) = event.operation {
        content = content.attribute("PropertyOperation", operation.name());
    }
    for (name, items) in [
        ("Source", &event.source),
        ("Key", &event.key),
        ("Data", &event.data),
    ] {
        if !items.is_empty() {
            let items = items.iter().map(|(name, value)| simple_item(name, value));
            content = content.child(element(TT, name).children(items));
        }
    }
    let topic = format_args!("{}{}", event.topic, camera.quirks().topic_suffix).to_string();
    element(WSNT, "NotificationMessage")
        .child(
            element(WSNT, "Topic")
                .attribute("Dialect", TopicFilter::CONCRETE_SET)
                .mentions(TNS1)
                .mentions(VENDOR)
                .address(topic),
        )
        .child(element(WSNT, "Message").child(content))
}

fn simple_item(name: &str, value: &str) -> Element {
    element(TT, "SimpleItem")
        .attribute("Name", name)
        .attribute("Value", value)
}

fn event_properties(call: &Call<'_>) -> Element {
    let topics = topic_tree(DESCRIBED, 0);
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

/// The topics as nested elements, the roots in the topic namespace and the rest in none. All of them
/// share the first `depth` segments of their paths.
fn topic_tree(topics: &[Described], depth: usize) -> Vec<Element> {
    let names = topics.iter().filter_map(|topic| topic.path.get(depth));
    let mut names: Vec<&'static str> = names.copied().collect();
    names.dedup();
    let levels = names.into_iter().map(|name| {
        let below: Vec<_> = topics
            .iter()
            .filter(|topic| topic.path.get(depth) == Some(&name))
            .copied()
            .collect();
        let mut level = element(if depth == 0 { TNS1 } else { NONE }, name);
        if let Some(topic) = below.iter().find(|topic| topic.path.len() == depth + 1) {
            level = level
                .attribute_in(WSTOP, "topic", true)
                .child(description(topic));
        }
        level.children(topic_tree(&below, depth + 1))
    });
    levels.collect()
}

fn description(topic: &Described) -> Element {
    let items = |name, items: &[(&'static str, &'static str)]| {
        let items = items.iter().map(|(name, kind)| {
            element(TT, "SimpleItemDescription")
                .mentions(XS)
                .attribute("Name", name)
                .attribute("Type", kind)
        });
        element(TT, name).children(items)
    };
    element(TT, "MessageDescription")
        .attribute("IsProperty", topic.is_property)
        .child(items("Source", topic.source))
        .child(items("Data", topic.data))
}

/// How long a subscription shall live: relative, or until a time of the camera's clock.
fn lifetime(call: &Call<'_>, argument: &str, fault: &'static str) -> Result<Duration, Fault> {
    let Some(text) = call.request.text_of(argument) else {
        return Ok(DEFAULT_LIFETIME);
    };
    let clock_now = lock(&call.camera.clock).now();
    let quirks = call.camera.quirks();
    let minutes = quirks.minutes_as_seconds.then(|| text.replace('M', "S"));
    let relative = read_duration(minutes.as_deref().unwrap_or(text));
    let relative = relative.filter(|_| !quirks.reject_relative);
    let relative = relative.map(|asked| quirks.fixed_term_s.map_or(asked, Duration::from_secs));
    let lifetime = relative.or_else(|| {
        let left = read_timestamp(text)?.duration_since(clock_now);
        Duration::try_from(left).ok()
    });
    let lifetime = lifetime.filter(|lifetime| !lifetime.is_zero());
    let lifetime = lifetime.ok_or_else(|| {
        Fault::notification(fault, "not a time to come", quirks.write_time(clock_now))
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
        FilterError::InvalidContent => Fault::notification(
            "InvalidMessageContentExpressionFault",
            "the condition on items is invalid",
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
    camera.quirks().write_time(lock(&camera.clock).now())
}
