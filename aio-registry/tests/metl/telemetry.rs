//! Receivers and senders under test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aio_registry::topic::TopicPattern;
use aio_registry::{
    CloudEvent, Error, Mqtt, Qos, Telemetry, TelemetryReceiver, TelemetryReceiverOptions,
    TelemetrySender,
};
use futures::StreamExt;
use tokio::sync::oneshot;

use crate::case::{self, Action, Case, SendTelemetry};
use crate::caught::Caught;
use crate::classes::{catch_of, judge};
use crate::world::{Outcome, Receiving, World, equal, metadata, source};

pub async fn receivers(world: &mut World, mqtt: Arc<dyn Mqtt>, case: &Case) -> Outcome {
    let list = &case.prologue.receivers;
    for (index, receiver) in list.iter().enumerate() {
        let pattern = receiver.telemetry_topic.clone().unwrap_or_default();
        let options = TelemetryReceiverOptions {
            name: "test".into(),
            namespace: receiver.topic_namespace.clone(),
            tokens: receiver.topic_token_map.clone(),
            content_types: receiver.serializer.accepted(),
            ..TelemetryReceiverOptions::new(pattern)
        };
        let mqtt = mqtt.clone();
        let started = world
            .call(async move {
                let started = TelemetryReceiver::start(mqtt, options).await;
                started.map_err(|error| Caught::of_telemetry(&error))
            })
            .await?;
        let Some(started) = judge(started, catch_of(case, list, index))? else {
            return Ok(());
        };
        let receiving = read(started, &receiver.serializer, world);
        world.receivers.push(receiving);
    }
    for action in &case.actions {
        world.common(action).await?;
    }
    world.check(case, false).await?;
    let epilogue = &case.epilogue;
    let counts: Vec<_> = world
        .receivers
        .iter()
        .map(|receiver| *receiver.count.lock().unwrap())
        .collect();
    equal("telemetries", epilogue.telemetry_count, counts.iter().sum())?;
    for (index, expected) in &epilogue.telemetry_counts {
        equal("telemetries", Some(Some(expected)), counts.get(*index))?;
    }
    let received = world.received.lock().unwrap().clone();
    for (index, expected) in epilogue.received_telemetries.iter().enumerate() {
        let found = received.get(index);
        let found = found.ok_or_else(|| format!("telemetry {index} was not received"))?;
        telemetry(found, expected).map_err(|error| format!("telemetry {index}: {error}"))?;
    }
    drop(received);
    if let Some(catch) = &epilogue.catch {
        let receivers = std::mem::take(&mut world.receivers);
        let closed = world
            .call(async move {
                for receiver in receivers {
                    let _ = receiver.close.send(());
                    let (_, closed) = receiver.reading.await.expect("reading does not panic");
                    closed.map_err(|error| Caught::of_telemetry(&error))?;
                }
                Ok(())
            })
            .await?;
        judge(closed, Some(catch))?;
    }
    Ok(())
}

/// The application behind a receiver.
fn read(
    mut receiver: TelemetryReceiver,
    serializer: &case::Serializer,
    world: &World,
) -> Receiving {
    let (fails, refuses_text) = (serializer.fail_deserialization, serializer.refuses_text());
    let count = Arc::<Mutex<usize>>::default();
    let (close, mut closing) = oneshot::channel();
    let (counting, received) = (count.clone(), world.received.clone());
    let reading = tokio::spawn(async move {
        loop {
            tokio::select! {
                telemetry = receiver.next() => {
                    let Some(mut telemetry) = telemetry else {
                        return (receiver, Err(Error::Closed));
                    };
                    let text = std::str::from_utf8(&telemetry.message.payload);
                    let is_text = telemetry.message.properties.payload_format_utf8 == Some(true);
                    if fails || text.is_err() || (refuses_text && is_text) {
                        continue;
                    }
                    *counting.lock().unwrap() += 1;
                    telemetry.message.ack = aio_registry::Ack::none();
                    received.lock().unwrap().push(telemetry);
                }
                _ = &mut closing => {
                    let closed = receiver.close().await;
                    return (receiver, closed);
                }
            }
        }
    });
    Receiving {
        close,
        reading,
        count,
    }
}

fn telemetry(found: &aio_registry::ReceivedTelemetry, expected: &case::Received) -> Outcome {
    let value = String::from_utf8_lossy(&found.message.payload).into_owned();
    let value = Some(value).filter(|value| !value.is_empty());
    equal("value", expected.telemetry_value.clone(), value)?;
    metadata(&expected.metadata, &found.user_properties())?;
    for (name, value) in &expected.topic_tokens {
        equal("token", Some(Some(value)), found.tokens.get(name))?;
    }
    let sender = expected.source_index.map(|index| index.map(source));
    equal("source", sender, found.sender_id.clone())?;
    let Some(expected) = &expected.cloud_event else {
        return Ok(());
    };
    let (expected, event) = match (expected, &found.cloud_event) {
        (None, None) => return Ok(()),
        (Some(expected), Some(event)) => (expected, event),
        (expected, event) => return Err(format!("CloudEvent {event:?}, and not {expected:?}")),
    };
    equal("source", expected.source.as_ref(), &event.source)?;
    equal("type", expected.r#type.as_ref(), &event.event_type)?;
    equal(
        "specversion",
        expected.spec_version.as_ref(),
        &event.spec_version,
    )?;
    equal("id", expected.id.as_ref(), &event.id)?;
    equal("subject", expected.subject.clone(), event.subject.clone())?;
    equal(
        "dataschema",
        expected.data_schema.clone(),
        event.data_schema.clone(),
    )?;
    let content_type = found.message.properties.content_type.clone();
    equal(
        "content type",
        expected.data_content_type.clone(),
        content_type,
    )?;
    let Some(expected) = &expected.time else {
        return Ok(());
    };
    let expected = expected.as_deref().map(time).transpose()?;
    equal("time", Some(expected), event.time)
}

fn time(text: &str) -> Outcome<std::time::SystemTime> {
    let time = text.parse::<jiff::Timestamp>();
    time.map(Into::into).map_err(|error| error.to_string())
}

pub async fn senders(world: &mut World, mqtt: Arc<dyn Mqtt>, case: &Case) -> Outcome {
    let mut patterns = Vec::new();
    let list = &case.prologue.senders;
    for (index, sender) in list.iter().enumerate() {
        let pattern = pattern(sender).map_err(|error| Caught::of_telemetry(&error).shallow(true));
        match (pattern, catch_of(case, list, index)) {
            (Ok(pattern), None) => patterns.push(pattern),
            // What is missing for a message can be seen when there is one.
            (Ok(pattern), Some(catch)) => {
                let message = Telemetry::new("", content_type(sender), "Test_Telemetry");
                let call = send(mqtt, pattern, BTreeMap::new(), message);
                let result = world.call(call).await?;
                return judge(result, Some(catch)).map(drop);
            }
            (pattern, catch) => return judge(pattern.map(drop), catch).map(drop),
        }
    }
    for action in &case.actions {
        match action {
            Action::SendTelemetry(message) => {
                let sender = &case.prologue.senders[0];
                let telemetry = outgoing(message, sender)?;
                let tokens = message.topic_token_map.clone();
                let (mqtt, pattern) = (mqtt.clone(), patterns[0].clone());
                let call = world.spawn(async { send(mqtt, pattern, tokens, telemetry?).await });
                world.sends.push_back(call);
            }
            Action::AwaitSend(expected) => {
                let call = world.sends.pop_front().ok_or("nothing was sent")?;
                let result = world.finish(call).await?;
                judge(result, expected.catch.as_ref())?;
            }
            Action::AwaitPublish(_) => drop(world.next_published().await?),
            other => world.common(other).await?,
        }
    }
    world.check(case, false).await
}

fn pattern(sender: &case::Sender) -> Result<TopicPattern, Error> {
    let pattern = TopicPattern::parse(sender.telemetry_topic.as_deref().unwrap_or_default())?;
    let pattern = pattern.with(&sender.topic_token_map)?;
    match &sender.topic_namespace {
        Some(namespace) => pattern.in_namespace(namespace),
        None => Ok(pattern),
    }
}

fn content_type(sender: &case::Sender) -> String {
    sender
        .serializer
        .out_content_type
        .clone()
        .unwrap_or_default()
}

/// The message to send, or the error of the application that makes it.
fn outgoing(message: &SendTelemetry, sender: &case::Sender) -> Outcome<Result<Telemetry, Caught>> {
    let payload = message.telemetry_value.clone().unwrap_or_default();
    let mut telemetry = Telemetry::new("", content_type(sender), payload);
    telemetry.payload_format_utf8 = sender.serializer.indicate_character_data;
    if let Some(timeout) = message.timeout {
        telemetry.expiry = Some(timeout.duration());
    }
    telemetry.qos = match message.qos {
        Some(0) => Qos::AtMostOnce,
        Some(1) | None => Qos::AtLeastOnce,
        Some(other) => return Err(format!("QoS {other}")),
    };
    telemetry.user_properties = message.metadata.clone().into_iter().collect();
    if let Some(given) = &message.cloud_event {
        let mut event = CloudEvent::new(given.source.clone());
        let texts = [
            (&mut event.event_type, &given.r#type),
            (&mut event.spec_version, &given.spec_version),
            (&mut event.id, &given.id),
        ];
        for (text, given) in texts {
            if let Some(given) = given {
                text.clone_from(given);
            }
        }
        event.subject.clone_from(&given.subject);
        event.data_schema.clone_from(&given.data_schema);
        // The crate takes a time and no text, so it is the application that cannot read it.
        match given.time.as_deref().map(time).transpose() {
            Ok(time) => event.time = time.or(event.time),
            Err(error) => return Ok(Err(Caught::invalid_cloud_event(error))),
        }
        telemetry.cloud_event = Some(event);
    }
    Ok(Ok(telemetry))
}

async fn send(
    mqtt: Arc<dyn Mqtt>,
    pattern: TopicPattern,
    tokens: BTreeMap<String, String>,
    mut telemetry: Telemetry,
) -> Result<(), Caught> {
    let topic = pattern.with(&tokens).and_then(|pattern| pattern.topic());
    telemetry.topic = topic.map_err(|error| Caught::of_telemetry(&error))?;
    let sent = TelemetrySender::new(mqtt).send(telemetry).await;
    sent.map_err(|error| Caught::of_publish(&error))
}
