//! The classes under test: how each is made, the steps it has, and what is checked in the end. Commands are here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aio_registry::Mqtt;
use aio_registry::mrpc::{
    Executor, ExecutorOptions, HandlerError, Invocation, Invoker, InvokerOptions, Request, Response,
};

use crate::case::{self, Action, Case, Catch, InvokeCommand};
use crate::caught::Caught;
use crate::telemetry::{receivers, senders};
use crate::world::{Events, Outcome, World, equal, metadata};

/// Runs a case of any class.
pub async fn run(case: Case) -> Outcome {
    only_its_own(&case)?;
    let prologue = &case.prologue;
    let mut world = World::new(&case).await?;
    let mqtt: Arc<dyn Mqtt> = Arc::new(world.session.clone());
    if !prologue.executors.is_empty() {
        executors(&mut world, mqtt, &case).await
    } else if !prologue.invokers.is_empty() {
        invokers(&mut world, mqtt, &case).await
    } else if !prologue.receivers.is_empty() {
        receivers(&mut world, mqtt, &case).await
    } else {
        senders(&mut world, mqtt, &case).await
    }
}

/// Refuses what no class has, or another one, so that nothing is left unchecked.
fn only_its_own(case: &Case) -> Outcome {
    let (prologue, epilogue) = (&case.prologue, &case.epilogue);
    let executors = !prologue.executors.is_empty();
    let receivers = !prologue.receivers.is_empty();
    let others = [!prologue.invokers.is_empty(), !prologue.senders.is_empty()];
    let classes = [[executors, receivers], others].concat();
    if classes.iter().filter(|given| **given).count() != 1 {
        return Err("a case of none or of several classes".into());
    }
    let executed = epilogue.execution_count.is_some() || !epilogue.execution_counts.is_empty();
    let received = epilogue.telemetry_count.is_some()
        || !epilogue.telemetry_counts.is_empty()
        || !epilogue.received_telemetries.is_empty();
    for (what, given, belongs) in [
        ("executions", executed, executors),
        ("received telemetry", received, receivers),
        (
            "an error in the end",
            epilogue.catch.is_some(),
            executors || receivers,
        ),
    ] {
        if given && !belongs {
            return Err(format!(
                "{what} is to be checked, which this class has none of"
            ));
        }
    }
    Ok(())
}

/// The error that is to be caught when the element of a list is made: only the last one fails.
pub fn catch_of<'a, T>(case: &'a Case, list: &[T], index: usize) -> Option<&'a Catch> {
    case.prologue
        .catch
        .as_ref()
        .filter(|_| index + 1 == list.len())
}

/// Compares how something ended with how it is to end; `Some` when it ended well.
pub fn judge<T>(result: Result<T, Caught>, catch: Option<&Catch>) -> Outcome<Option<T>> {
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
            sent_at: None,
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
