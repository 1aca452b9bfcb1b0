//! One case: the clients under test, the broker, the clock, and the steps between them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aio_registry::mrpc::{Executor, Invoker, Response};
use aio_registry::{MqttOptions, MqttSession, ReceivedTelemetry, TelemetryReceiver};
use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Publish, PublishProperties};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::advance;
use url::Url;
use uuid::Uuid;

use crate::broker::Broker;
use crate::case::{Action, Case, Published, Receive, Sync};
use crate::caught::Caught;

pub type Outcome<T = ()> = Result<T, String>;

/// What an invocation or a send ended with.
pub type Pending<T> = JoinHandle<Result<T, Caught>>;

pub struct World {
    pub broker: Broker,
    pub session: MqttSession,
    frozen: bool,
    events: Events,
    correlations: BTreeMap<i64, Bytes>,
    packets: BTreeMap<i64, u16>,
    next_packet: u16,
    /// How many of the published messages and acknowledgements were waited for.
    awaited_publishes: usize,
    awaited_acknowledgements: usize,
    pub executors: Vec<(Executor, Arc<Mutex<usize>>)>,
    pub invokers: Vec<(String, Invoker)>,
    pub invocations: BTreeMap<i64, Pending<Response>>,
    pub receivers: Vec<Receiving>,
    pub received: Arc<Mutex<Vec<ReceivedTelemetry>>>,
    pub sends: VecDeque<Pending<()>>,
}

/// A receiver that is read from.
pub struct Receiving {
    pub close: tokio::sync::oneshot::Sender<()>,
    pub reading: JoinHandle<(TelemetryReceiver, Result<(), aio_registry::Error>)>,
    pub count: Arc<Mutex<usize>>,
}

/// Counts down to events that executors and steps wait for.
#[derive(Clone, Default)]
pub struct Events(Arc<BTreeMap<String, watch::Sender<i64>>>);

impl Events {
    fn new(counts: &BTreeMap<String, i64>) -> Self {
        let events = counts
            .iter()
            .map(|(name, count)| (name.clone(), watch::channel(*count).0));
        Self(Arc::new(events.collect()))
    }

    pub async fn sync(&self, sync: &Sync) {
        let event = |name: &String| self.0.get(name).expect("an event of the prologue");
        if let Some(name) = &sync.wait_event {
            let mut counts = event(name).subscribe();
            let _ = counts.wait_for(|count| *count <= 0).await;
        }
        if let Some(name) = &sync.signal_event {
            event(name).send_modify(|count| *count -= 1);
        }
    }
}

impl World {
    pub async fn new(case: &Case) -> Outcome<Self> {
        let broker = Broker::start(case.prologue.push_acks.clone());
        let client_id = case.prologue.mqtt_config.client_id.clone();
        let options = MqttOptions::new(
            Url::parse("mqtt://memory").map_err(|error| error.to_string())?,
            client_id.unwrap_or_else(|| Uuid::new_v4().to_string()),
        );
        let dialled = broker.clone();
        let session = MqttSession::connect_over(options, move || dialled.dial()).await;
        let session = session.map_err(|error| error.to_string())?;
        Ok(Self {
            broker,
            session,
            frozen: false,
            events: Events::new(&case.prologue.countdown_events),
            correlations: BTreeMap::new(),
            packets: BTreeMap::new(),
            next_packet: 100,
            awaited_publishes: 0,
            awaited_acknowledgements: 0,
            executors: Vec::new(),
            invokers: Vec::new(),
            invocations: BTreeMap::new(),
            receivers: Vec::new(),
            received: Arc::default(),
            sends: VecDeque::new(),
        })
    }

    pub fn events(&self) -> Events {
        self.events.clone()
    }

    /// Runs a call of the crate while the clock goes, and notes whether it failed before anything was sent.
    pub async fn call<T: Send + 'static>(
        &mut self,
        call: impl Future<Output = Result<T, Caught>> + Send + 'static,
    ) -> Outcome<Result<T, Caught>> {
        let call = self.spawn(call);
        self.finish(call).await
    }

    /// Begins a call of the crate.
    pub fn spawn<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, Caught>> + Send + 'static,
    ) -> Pending<T> {
        let broker = self.broker.clone();
        tokio::spawn(async move {
            let before = broker.log(|log| log.requests);
            let result = call.await;
            // What was sent just now is on its way through the pipe.
            settle().await;
            let sent = broker.log(|log| log.requests) > before;
            result.map_err(|caught| caught.shallow(!sent))
        })
    }

    /// Lets time pass until a call ends.
    pub async fn finish<T>(&mut self, call: Pending<T>) -> Outcome<Result<T, Caught>> {
        self.until("the end of a call", || call.is_finished())
            .await?;
        call.await
            .map_err(|error| format!("a call panicked: {error}"))
    }

    /// Waits for a condition. Unless it is frozen the clock goes on whenever nothing else happens.
    pub async fn until(&mut self, what: &str, condition: impl Fn() -> bool) -> Outcome {
        let mut waited = Duration::ZERO;
        loop {
            // More than once, as what is waited for may settle itself.
            for _ in 0..5 {
                settle().await;
                if condition() {
                    return Ok(());
                }
            }
            if self.frozen {
                return Err(format!("{what} does not come while time stands still"));
            }
            if waited > Duration::from_secs(600) {
                return Err(format!("{what} does not come"));
            }
            // Short steps at first, as order within seconds matters.
            let step = Duration::from_millis(if waited.as_secs() < 15 { 10 } else { 250 });
            advance(step).await;
            waited += step;
        }
    }

    /// A step that is the same for all classes.
    pub async fn common(&mut self, action: &Action) -> Outcome {
        match action {
            Action::ReceiveRequest(message)
            | Action::ReceiveResponse(message)
            | Action::ReceiveTelemetry(message) => {
                self.receive(message)?;
                // Several receivers get theirs in the order of the steps.
                settle().await;
                Ok(())
            }
            Action::AwaitAcknowledgement(expected) => {
                let (broker, index) = (self.broker.clone(), self.awaited_acknowledgements);
                let there = || broker.log(|log| log.acknowledged.len() > index);
                self.until("an acknowledgement", there).await?;
                self.awaited_acknowledgements += 1;
                let found = broker.log(|log| log.acknowledged[index]);
                let expected = expected.packet_index.map(|index| self.packets.get(&index));
                if expected.is_some_and(|expected| expected != Some(&found)) {
                    return Err(format!(
                        "packet {found} is acknowledged, and not {expected:?}"
                    ));
                }
                Ok(())
            }
            Action::Sync(sync) => {
                let (events, sync) = (self.events(), sync.clone());
                let call = self.spawn(async move {
                    events.sync(&sync).await;
                    Ok(())
                });
                self.finish(call).await.map(drop)
            }
            Action::Sleep(sleep) => {
                let mut left = sleep.duration.duration();
                while !self.frozen && !left.is_zero() {
                    let step = left.min(Duration::from_millis(10));
                    advance(step).await;
                    settle().await;
                    left -= step;
                }
                Ok(())
            }
            Action::Disconnect(_) => {
                self.broker.disconnect();
                settle().await;
                Ok(())
            }
            Action::FreezeTime(_) => {
                self.frozen = true;
                Ok(())
            }
            Action::UnfreezeTime(_) => {
                self.frozen = false;
                Ok(())
            }
            other => Err(format!("a step that this class does not have: {other:?}")),
        }
    }

    /// The next message published.
    pub async fn next_published(&mut self) -> Outcome<Publish> {
        let (broker, index) = (self.broker.clone(), self.awaited_publishes);
        let there = || broker.log(|log| log.published.len() > index);
        self.until("a message", there).await?;
        self.awaited_publishes += 1;
        Ok(broker.log(|log| log.published[index].clone()))
    }

    /// Waits for the response to a request.
    pub async fn response_published(&mut self, index: Option<i64>) -> Outcome {
        let found = correlation(&self.next_published().await?);
        let Some(index) = index else {
            return Ok(());
        };
        match self.correlations.get(&index) {
            Some(expected) if Some(expected) == found.as_ref() => Ok(()),
            _ => Err(format!(
                "the response published next is not that of request {index}"
            )),
        }
    }

    /// Waits for a request, whose correlation data the client chose.
    pub async fn request_published(&mut self, index: Option<i64>) -> Outcome {
        let found = correlation(&self.next_published().await?);
        if let Some(index) = index {
            let found = found.ok_or("a request has no correlation data")?;
            self.correlations.insert(index, found);
        }
        Ok(())
    }

    fn receive(&mut self, message: &Receive) -> Outcome {
        let qos = match message.qos {
            Some(0) => QoS::AtMostOnce,
            Some(1) | None => QoS::AtLeastOnce,
            Some(other) => return Err(format!("QoS {other}")),
        };
        let correlation = match (&message.correlation_id, message.correlation_index) {
            (Some(literal), index) => {
                let literal = Bytes::from(literal.clone().into_bytes());
                self.correlations
                    .extend(index.map(|index| (index, literal.clone())));
                Some(literal)
            }
            (None, Some(index)) => {
                let new = || Bytes::copy_from_slice(Uuid::new_v4().as_bytes());
                Some(self.correlations.entry(index).or_insert_with(new).clone())
            }
            (None, None) => None,
        };
        let headers = [
            ("__srcId", message.source_index.map(source)),
            ("__stat", message.status.clone()),
            ("__stMsg", message.status_message.clone()),
            ("__apErr", message.is_application_error.clone()),
            ("__propName", message.invalid_property_name.clone()),
            ("__propVal", message.invalid_property_value.clone()),
        ];
        let headers = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let properties = PublishProperties {
            payload_format_indicator: message.format_indicator,
            message_expiry_interval: message
                .message_expiry
                .map(|expiry| expiry.duration().as_secs_f64().ceil() as u32),
            response_topic: message.response_topic.clone(),
            correlation_data: correlation,
            user_properties: headers.chain(message.metadata.clone()).collect(),
            content_type: message.content_type.clone(),
            ..PublishProperties::default()
        };
        let payload = message.payload.clone().unwrap_or_default();
        let mut publish = Publish::new(message.topic.clone(), qos, payload, Some(properties));
        if qos != QoS::AtMostOnce {
            self.next_packet += 1;
            let next = self.next_packet;
            publish.pkid = match message.packet_index {
                Some(index) => *self.packets.entry(index).or_insert(next),
                None => next,
            };
        }
        self.broker.deliver(publish);
        Ok(())
    }

    /// The checks of the epilogue that are the same for all classes; published messages in order, or by correlation.
    pub async fn check(&mut self, case: &Case, by_correlation: bool) -> Outcome {
        settle().await;
        let epilogue = &case.epilogue;
        let broker = self.broker.clone();
        for topic in &epilogue.subscribed_topics {
            let subscribed = broker.log(|log| log.subscribed.clone());
            if !subscribed.contains(topic) {
                return Err(format!("{topic} is not subscribed to, but {subscribed:?}"));
            }
        }
        equal(
            "published messages",
            epilogue.publication_count,
            broker.log(|log| log.published.len()),
        )?;
        equal(
            "acknowledgements",
            epilogue.acknowledgement_count,
            broker.log(|log| log.acknowledged.len()),
        )?;
        for (index, expected) in epilogue.published_messages.iter().enumerate() {
            let found = if by_correlation {
                self.published_with(expected)?
            } else {
                broker.log(|log| log.published.get(index).cloned())
            };
            let found = found.ok_or_else(|| format!("message {index} was not published"))?;
            published(&found, expected)
                .map_err(|error| format!("message {index} on {:?}: {error}", found.topic))?;
        }
        Ok(())
    }

    /// The last message with the correlation data of an index; without an index, the only one without correlation data.
    fn published_with(&self, expected: &Published) -> Outcome<Option<Publish>> {
        let Some(index) = expected.correlation_index else {
            return Err("a message to look for has no correlation-index".into());
        };
        let wanted = match index {
            Some(index) => match self.correlations.get(&index) {
                Some(correlation) => Some(correlation.clone()),
                None => return Err(format!("nothing has the correlation-index {index}")),
            },
            None => None,
        };
        let found = self.broker.log(|log| {
            let matching = |publish: &&Publish| correlation(publish) == wanted;
            log.published
                .iter()
                .filter(matching)
                .cloned()
                .collect::<Vec<_>>()
        });
        if wanted.is_none() && found.len() > 1 {
            return Err("more than one message has no correlation data".into());
        }
        Ok(found.into_iter().last())
    }
}

/// Lets everything happen that can without time passing. Deep enough for the longest chain of tasks and pipes.
pub async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// The client identifier of a peer.
pub fn source(index: i64) -> String {
    format!("peer-{index}")
}

pub fn equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: Option<T>, found: T) -> Outcome {
    match expected {
        Some(expected) if expected != found => {
            Err(format!("{what}: {found:?} and not {expected:?}"))
        }
        _ => Ok(()),
    }
}

pub fn metadata(
    expected: &BTreeMap<String, Option<String>>,
    found: &[(String, String)],
) -> Outcome {
    for (name, expected) in expected {
        let value = found.iter().find(|(key, _)| key == name);
        let value = value.map(|(_, value)| value.clone());
        equal(name, Some(expected.clone()), value)?;
    }
    Ok(())
}

fn correlation(publish: &Publish) -> Option<Bytes> {
    publish.properties.as_ref()?.correlation_data.clone()
}

fn published(found: &Publish, expected: &Published) -> Outcome {
    let properties = found.properties.clone().unwrap_or_default();
    let user = &properties.user_properties;
    let header = |name: &str| {
        let found = user.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    let topic = String::from_utf8_lossy(&found.topic).into_owned();
    equal("topic", expected.topic.clone(), topic)?;
    let payload = String::from_utf8_lossy(&found.payload).into_owned();
    let payload = Some(payload).filter(|payload| !payload.is_empty());
    equal("payload", expected.payload.clone(), payload)?;
    equal(
        "content type",
        expected.content_type.clone(),
        properties.content_type.clone(),
    )?;
    // Not to say it and to say 0 mean the same (MQTT 5, 3.3.2.3.2).
    equal(
        "format indicator",
        expected.format_indicator.map(Option::unwrap_or_default),
        properties.payload_format_indicator.unwrap_or_default(),
    )?;
    metadata(&expected.metadata, user)?;
    let status = header("__stat").and_then(|status| status.parse().ok());
    equal("command status", expected.command_status, status)?;
    let application = header("__apErr").is_some_and(|value| value == "true");
    equal(
        "is-application-error",
        expected.is_application_error,
        application,
    )?;
    equal(
        "source",
        expected.source_id.clone().map(Some),
        header("__srcId"),
    )?;
    let expiry = properties.message_expiry_interval.map(u64::from);
    equal("expiry", expected.expiry, expiry)
}
