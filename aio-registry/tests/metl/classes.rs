//! The four classes under test: how each is made, the steps it has, and what is checked in the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aio_registry::mrpc::{
    Executor, ExecutorOptions, HandlerError, Invocation, Invoker, InvokerOptions, Request, Response,
};
use aio_registry::topic::TopicPattern;
use aio_registry::{
    CloudEvent, Error, Mqtt, Qos, Telemetry, TelemetryReceiver, TelemetryReceiverOptions,
    TelemetrySender,
};
use futures::StreamExt;
use tokio::sync::oneshot;

use crate::case::{self, Action, Case, Catch, InvokeCommand, SendTelemetry};
use crate::caught::Caught;
use crate::world::{Events, Outcome, Receiving, World, equal, metadata, source};

/// Runs a case of any class.
pub async fn run(case: Case) -> Outcome {
    let prologue = &case.prologue;
    let mut world = World::new(&case).await?;
    let mqtt: Arc<dyn Mqtt> = Arc::new(world.session.clone());
    if !prologue.executors.is_empty() {
        executors(&mut world, mqtt, &case).await
    } else if !prologue.invokers.is_empty() {
        invokers(&mut world, mqtt, &case).await
    } else if !prologue.receivers.is_empty() {
        receivers(&mut world, mqtt, &case).await
    } else if !prologue.senders.is_empty() {
        senders(&mut world, mqtt, &case).await
    } else {
        Err("a case without a class under test".into())
    }
}

/// The error that is to be caught when the element of a list is made: only the last one fails.
fn catch_of<'a, T>(case: &'a Case, list: &[T], index: usize) -> Option<&'a Catch> {
    case.prologue
        .catch
        .as_ref()
        .filter(|_| index + 1 == list.len())
}

/// Compares how something ended with how it is to end; `Some` when it ended well.
fn judge<T>(result: Result<T, Caught>, catch: Option<&Catch>) -> Outcome<Option<T>> {
    match (result, catch) {
        (Ok(value), None) => Ok(Some(value)),
        (Err(caught), Some(catch)) => caught.check(catch).map(|()| None),
        (Ok(_), Some(catch)) => Err(format!("there is no error, and not: {}", catch.error_kind)),
        (Err(caught), None) => Err(format!("an error: {caught:?}")),
    }
}

async fn executors(world: &mut World, mqtt: Arc<dyn Mqtt>, case: &Case) -> Outcome {
    let list = &case.prologue.executors;
    for (index, executor) in list.iter().enumerate() {
        let count = Arc::<Mutex<usize>>::default();
        let handler = Arc::new(Handler::new(executor, world.events(), count.clone()));
        let options = executor_options(executor);
        let mqtt = mqtt.clone();
        let started = world
            .call(async move {
                let handle = move |request| {
                    let handler = handler.clone();
                    async move { handler.handle(request).await }
                };
                let started = Executor::start(mqtt, options, handle).await;
                started.map_err(|error| Caught::of_command(&error))
            })
            .await?;
        let Some(started) = judge(started, catch_of(case, list, index))? else {
            return Ok(());
        };
        world.executors.push((started, count));
    }
    for action in &case.actions {
        match action {
            Action::AwaitPublish(expected) => {
                world.response_published(expected.correlation_index).await?;
            }
            other => world.common(other).await?,
        }
    }
    world.check(case, true).await?;
    let counts: Vec<_> = world
        .executors
        .iter()
        .map(|(_, count)| *count.lock().unwrap())
        .collect();
    equal(
        "executions",
        case.epilogue.execution_count,
        counts.iter().sum(),
    )?;
    for (index, expected) in &case.epilogue.execution_counts {
        equal("executions", Some(Some(expected)), counts.get(*index))?;
    }
    if let Some(catch) = &case.epilogue.catch {
        let executors = std::mem::take(&mut world.executors);
        let closed = world
            .call(async move {
                for (executor, _) in executors {
                    let closed = executor.close().await;
                    closed.map_err(|error| Caught::of_command(&error))?;
                }
                Ok(())
            })
            .await?;
        judge(closed, Some(catch))?;
    }
    Ok(())
}

fn executor_options(executor: &case::Executor) -> ExecutorOptions {
    let pattern = executor.request_topic.clone().unwrap_or_default();
    let mut options = ExecutorOptions::contract(pattern);
    options.name = executor.command_name.clone().unwrap_or_default();
    options.namespace.clone_from(&executor.topic_namespace);
    options.tokens.clone_from(&executor.topic_token_map);
    options.content_types = executor.serializer.accepted();
    if let Some(timeout) = executor.execution_timeout {
        options.max_timeout = timeout.duration();
    }
    if let Some(concurrency) = executor.execution_concurrency {
        options.concurrency = concurrency;
    }
    options
}

/// The application behind an executor.
struct Handler {
    answers: BTreeMap<String, Vec<String>>,
    asked: Mutex<BTreeMap<String, usize>>,
    metadata: BTreeMap<String, Option<String>>,
    token_prefix: Option<String>,
    out_content_type: Option<String>,
    indicate_text: Option<bool>,
    fail_deserialization: bool,
    refuses_text: bool,
    raise_error: bool,
    sync: Vec<case::Sync>,
    events: Events,
    count: Arc<Mutex<usize>>,
}

impl Handler {
    fn new(executor: &case::Executor, events: Events, count: Arc<Mutex<usize>>) -> Self {
        Self {
            answers: executor.request_responses_map.clone(),
            asked: Mutex::default(),
            metadata: executor.response_metadata.clone(),
            token_prefix: executor.token_metadata_prefix.clone(),
            out_content_type: executor.serializer.out_content_type.clone(),
            indicate_text: executor.serializer.indicate_character_data,
            fail_deserialization: executor.serializer.fail_deserialization,
            refuses_text: executor.serializer.refuses_text(),
            raise_error: executor.raise_error,
            sync: executor.sync.clone(),
            events,
            count,
        }
    }

    async fn handle(&self, request: Request) -> Result<Response, HandlerError> {
        let text = String::from_utf8(request.payload.to_vec());
        let text = text.map_err(|error| HandlerError::InvalidPayload(error.to_string()))?;
        if self.refuses_text && request.payload_format_utf8 == Some(true) {
            return Err(HandlerError::UnsupportedContentType("it is text".into()));
        }
        if self.fail_deserialization {
            return Err(HandlerError::InvalidPayload("as the case says".into()));
        }
        *self.count.lock().unwrap() += 1;
        for sync in &self.sync {
            self.events.sync(sync).await;
        }
        if self.raise_error {
            return Err(HandlerError::Failed("as the case says".into()));
        }
        let answer = self
            .answers
            .get(&text)
            .filter(|answers| !answers.is_empty());
        let answer = answer.map(|answers| {
            let mut asked = self.asked.lock().unwrap();
            let times = asked.entry(text).or_default();
            *times += 1;
            answers[(*times - 1) % answers.len()].clone()
        });
        let header = |name: &String| {
            let found = request.user_properties.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        let mut user_properties = Vec::new();
        for (name, value) in &self.metadata {
            let value = value.clone().or_else(|| header(name));
            user_properties.extend(value.map(|value| (name.clone(), value)));
        }
        if let Some(prefix) = &self.token_prefix {
            let tokens = request.tokens.iter();
            user_properties
                .extend(tokens.map(|(name, value)| (format!("{prefix}{name}"), value.clone())));
        }
        Ok(Response {
            payload: answer.unwrap_or_default().into(),
            content_type: self.out_content_type.clone(),
            payload_format_utf8: self.indicate_text,
            user_properties,
        })
    }
}

async fn invokers(world: &mut World, mqtt: Arc<dyn Mqtt>, case: &Case) -> Outcome {
    let list = &case.prologue.invokers;
    for (index, invoker) in list.iter().enumerate() {
        let (mqtt, options) = (mqtt.clone(), invoker_options(invoker));
        let name = options.name.clone();
        let started = world
            .call(async move {
                let started = Invoker::start(mqtt, options).await;
                started.map_err(|error| Caught::of_command(&error))
            })
            .await?;
        match (started, catch_of(case, list, index)) {
            (Ok(started), None) => world.invokers.push((name, started)),
            // What is missing for a request can be seen when there is one.
            (Ok(started), Some(catch)) => {
                let invocation = Invocation {
                    payload: "Test_Request".into(),
                    ..Invocation::default()
                };
                // Kept, as it unsubscribes when it is dropped.
                world.invokers.push((name, started.clone()));
                let result = world
                    .call(invoke(started, invocation, &invoker.serializer))
                    .await?;
                return judge(result, Some(catch)).map(drop);
            }
            (started, catch) => return judge(started.map(drop), catch).map(drop),
        }
    }
    for action in &case.actions {
        match action {
            Action::InvokeCommand(command) => {
                let name = command.command_name.clone().unwrap_or_default();
                let index = world.invokers.iter().position(|(known, _)| *known == name);
                let index = index.ok_or_else(|| format!("there is no command {name:?}"))?;
                let invoker = world.invokers[index].1.clone();
                let call = invoke(invoker, invocation(command), &list[index].serializer);
                let call = world.spawn(call);
                world.invocations.insert(command.invocation_index, call);
            }
            Action::AwaitInvocation(expected) => {
                let call = world.invocations.remove(&expected.invocation_index);
                let call = call.ok_or("an invocation that was not begun")?;
                let result = world.finish(call).await?;
                let Some(response) = judge(result, expected.catch.as_ref())? else {
                    continue;
                };
                let value = String::from_utf8_lossy(&response.payload).into_owned();
                let value = Some(value).filter(|value| !value.is_empty());
                equal("response", expected.response_value.clone(), value)?;
                metadata(&expected.metadata, &response.user_properties)?;
            }
            Action::AwaitPublish(expected) => {
                world.request_published(expected.correlation_index).await?;
            }
            other => world.common(other).await?,
        }
    }
    world.check(case, true).await
}

fn invoker_options(invoker: &case::Invoker) -> InvokerOptions {
    let pattern = invoker.request_topic.clone().unwrap_or_default();
    let mut options = InvokerOptions::new(pattern);
    options.name = invoker.command_name.clone().unwrap_or_default();
    options.namespace.clone_from(&invoker.topic_namespace);
    options.tokens.clone_from(&invoker.topic_token_map);
    options
        .response_prefix
        .clone_from(&invoker.response_topic_prefix);
    options
        .response_suffix
        .clone_from(&invoker.response_topic_suffix);
    options
        .response_pattern
        .clone_from(&invoker.response_topic_pattern);
    options.response_content_types = invoker.serializer.accepted();
    if let Some(content_type) = &invoker.serializer.out_content_type {
        options.content_type.clone_from(content_type);
    }
    options.payload_format_utf8 = invoker.serializer.indicate_character_data;
    options
}

fn invocation(command: &InvokeCommand) -> Invocation {
    Invocation {
        tokens: command.topic_token_map.clone(),
        payload: command.request_value.clone().unwrap_or_default().into(),
        timeout: command.timeout.map(case::Span::duration),
        user_properties: command.metadata.clone().into_iter().collect(),
    }
}

fn invoke(
    invoker: Invoker,
    invocation: Invocation,
    serializer: &case::Serializer,
) -> impl Future<Output = Result<Response, Caught>> + use<> {
    let (fails, refuses_text) = (serializer.fail_deserialization, serializer.refuses_text());
    async move {
        let response = invoker.request(invocation).await;
        let response = response.map_err(|error| Caught::of_command(&error))?;
        if refuses_text && response.payload_format_utf8 == Some(true) {
            return Err(Caught::invalid_content_type(
                response.content_type.as_deref(),
            ));
        }
        if fails || std::str::from_utf8(&response.payload).is_err() {
            return Err(Caught::invalid_payload());
        }
        Ok(response)
    }
}

async fn receivers(world: &mut World, mqtt: Arc<dyn Mqtt>, case: &Case) -> Outcome {
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

async fn senders(world: &mut World, mqtt: Arc<dyn Mqtt>, case: &Case) -> Outcome {
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
                let call = send(mqtt.clone(), patterns[0].clone(), tokens, telemetry);
                let call = world.spawn(call);
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

fn outgoing(message: &SendTelemetry, sender: &case::Sender) -> Outcome<Telemetry> {
    let payload = message.telemetry_value.clone().unwrap_or_default();
    let mut telemetry = Telemetry::new("", content_type(sender), payload);
    telemetry.payload_format_utf8 = sender.serializer.indicate_character_data;
    telemetry.expiry = message.timeout.map(case::Span::duration);
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
        if let Some(text) = &given.time {
            event.time = Some(time(text)?);
        }
        telemetry.cloud_event = Some(event);
    }
    Ok(telemetry)
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
