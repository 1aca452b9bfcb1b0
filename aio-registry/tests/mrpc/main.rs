//! Requests and responses over a broker in memory, on a clock that is paused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod executor;
mod headers;
mod invoker;
mod options;
mod repetitions;

use std::sync::Arc;
use std::time::Duration;

use aio_registry::mrpc::{
    Executor, ExecutorOptions, HandlerError, Invocation, Invoker, InvokerOptions, Request,
    Response, Status,
};
use aio_registry::{
    Error, MemoryBroker, MemoryClient, Message, Mqtt, Properties, Publish, Qos, Subscription,
};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use tokio::time::timeout;

const PATTERN: &str = "ns/ops/{asset}/{group}/{action}";
const TOPIC: &str = "ns/ops/cam1/PTZ/Stop";
const ANSWERS: &str = "clients/c/answers";

async fn echo(request: Request) -> Result<Response, HandlerError> {
    match &request.payload[..] {
        b"bad" => Err(HandlerError::InvalidPayload("not understood".into())),
        b"fail" => Err(HandlerError::Failed("the camera is on fire".into())),
        b"panic" => panic!("a handler's mistake"),
        b"app" => {
            Ok(Response::json("{}").with_application_error("NotAuthorized", Some("\"no\"".into())))
        }
        b"slow" => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(Response::default())
        }
        _ => Ok(Response::json(request.payload.clone())),
    }
}

async fn executor(broker: &MemoryBroker, options: ExecutorOptions) -> Executor {
    Executor::start(Arc::new(broker.client("executor")), options, echo)
        .await
        .unwrap()
}

async fn invoker(broker: &MemoryBroker) -> Invoker {
    Invoker::start(
        Arc::new(broker.client("invoker")),
        InvokerOptions::new(PATTERN),
    )
    .await
    .unwrap()
}

struct Raw {
    client: MemoryClient,
    answers: Subscription,
}

impl Raw {
    async fn new(broker: &MemoryBroker) -> Self {
        let client = broker.client("c");
        let answers = client.subscribe(ANSWERS, Qos::AtLeastOnce).await.unwrap();
        Self { client, answers }
    }

    async fn send(&self, change: impl FnOnce(&mut Publish)) {
        let mut request = Publish::new(TOPIC, "1");
        request.properties = Properties {
            content_type: Some("application/json".into()),
            response_topic: Some(ANSWERS.into()),
            correlation_data: Some(Bytes::from_static(&[7; 16])),
            message_expiry: Some(Duration::from_secs(10)),
            ..Properties::default()
        };
        change(&mut request);
        self.client.publish(request).await.unwrap();
    }

    async fn answer(&mut self) -> Message {
        timeout(Duration::from_secs(7200), self.answers.next())
            .await
            .expect("an answer")
            .unwrap()
    }
}

fn names(message: &Message) -> Vec<&str> {
    message
        .properties
        .user
        .iter()
        .map(|(name, _)| name.as_str())
        .collect()
}
