//! Requests and responses over a broker in memory, on a clock that is paused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod executor;
mod headers;
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

#[tokio::test(start_paused = true)]
async fn answers_a_request_with_the_properties_of_the_contract_in_order() {
    let broker = MemoryBroker::new();
    let _executor = executor(&broker, ExecutorOptions::contract(PATTERN)).await;
    let mut raw = Raw::new(&broker).await;
    raw.send(|_| ()).await;
    let answer = raw.answer().await;
    assert_eq!(
        names(&answer),
        [
            "__apErr",
            "__stat",
            "__protVer",
            "__srcId",
            "__ts",
            "$high_priority"
        ]
    );
    assert_eq!(answer.properties.user("__stat"), Some("200"));
    assert_eq!(answer.properties.user("__apErr"), Some("false"));
    assert_eq!(answer.properties.user("__srcId"), Some("executor"));
    assert_eq!(
        answer.properties.correlation_data,
        Some(Bytes::from_static(&[7; 16]))
    );
    assert_eq!(
        answer.properties.content_type.as_deref(),
        Some("application/json")
    );
    assert_eq!(answer.properties.payload_format_utf8, Some(true));
    assert_eq!(
        answer.properties.message_expiry,
        Some(Duration::from_secs(10))
    );
    assert_eq!(answer.payload, "1");
}

#[tokio::test(start_paused = true)]
async fn refuses_what_breaks_the_contract() {
    let broker = MemoryBroker::new();
    let _executor = executor(&broker, ExecutorOptions::contract(PATTERN)).await;
    let mut raw = Raw::new(&broker).await;
    type Change = fn(&mut Publish);
    let version: Change = |request| {
        request
            .properties
            .user
            .push(("__protVer".into(), "2.0".into()))
    };
    let table: [(Change, &str, Option<&str>); 9] = [
        (
            |request| request.properties.message_expiry = None,
            "400",
            Some("Message Expiry"),
        ),
        (
            |request| request.properties.correlation_data = None,
            "400",
            Some("Correlation Data"),
        ),
        (
            |request| request.properties.correlation_data = Some("short".into()),
            "400",
            Some("Correlation Data"),
        ),
        (
            |request| request.properties.content_type = Some("text/plain".into()),
            "415",
            Some("Content Type"),
        ),
        (
            |request| request.properties.user.push(("__ts".into(), "now".into())),
            "400",
            Some("__ts"),
        ),
        (
            |request| {
                request
                    .properties
                    .user
                    .push(("__ts".into(), "900000000000000:00000:n".into()))
            },
            "503",
            Some("__ts"),
        ),
        (version, "505", None),
        (
            |request| request.payload = Bytes::from(vec![b'x'; (1 << 20) + 1]),
            "400",
            None,
        ),
        (
            |request| request.payload = Bytes::from_static(b"bad"),
            "400",
            None,
        ),
    ];
    for (index, (change, status, property)) in table.into_iter().enumerate() {
        raw.send(|request| {
            request.properties.correlation_data = Some(Bytes::from(vec![index as u8 + 100; 16]));
            change(request);
        })
        .await;
        let answer = raw.answer().await;
        assert_eq!(
            answer.properties.user("__stat"),
            Some(status),
            "case {index}"
        );
        assert_eq!(
            answer.properties.user("__propName"),
            property,
            "case {index}"
        );
        assert_eq!(answer.properties.user("__apErr"), Some("false"));
        assert_eq!(answer.properties.content_type.as_deref(), Some(""));
        assert!(answer.payload.is_empty() && answer.properties.payload_format_utf8.is_none());
    }
    raw.send(version).await;
    let answer = raw.answer().await;
    assert_eq!(
        names(&answer)[5..],
        [
            "__stMsg",
            "__supProtMajVer",
            "__requestProtVer",
            "$high_priority"
        ],
        "what follows __ts when the version is not supported"
    );
}

#[tokio::test(start_paused = true)]
async fn takes_commands_from_general_clients() {
    let broker = MemoryBroker::new();
    let _executor = executor(&broker, ExecutorOptions::commands(PATTERN)).await;
    let mut raw = Raw::new(&broker).await;
    raw.send(|request| {
        request.properties = Properties {
            response_topic: Some(ANSWERS.into()),
            ..Properties::default()
        };
    })
    .await;
    let answer = raw.answer().await;
    assert_eq!(answer.properties.user("__stat"), Some("200"));
    assert_eq!(answer.properties.correlation_data, None);
}

#[tokio::test(start_paused = true)]
async fn answers_on_no_topic_that_could_do_harm() {
    let broker = MemoryBroker::new();
    let _executor = executor(&broker, ExecutorOptions::commands(PATTERN)).await;
    let mut raw = Raw::new(&broker).await;
    for topic in [None, Some("$SYS/x"), Some("a/+"), Some("#"), Some("")] {
        raw.send(|request| request.properties.response_topic = topic.map(str::to_owned))
            .await;
    }
    raw.send(|request| request.payload = "last".into()).await;
    assert_eq!(raw.answer().await.payload, "last");
    assert!(raw.answers.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn maps_every_status_to_an_error() {
    let broker = MemoryBroker::new();
    let _executor = executor(&broker, ExecutorOptions::commands(PATTERN)).await;
    let invoker = invoker(&broker).await;
    assert_eq!(invoker.invoke(TOPIC, "{}").await.unwrap().payload, "{}");
    assert!(invoker.invoke(TOPIC, "").await.unwrap().payload.is_empty());
    assert_eq!(
        invoker
            .invoke(TOPIC, "app")
            .await
            .unwrap()
            .application_error(),
        Some("NotAuthorized")
    );
    for (payload, expected) in [
        ("bad", Status::BadRequest),
        ("fail", Status::Internal),
        ("panic", Status::Internal),
    ] {
        match invoker.invoke(TOPIC, payload).await {
            Err(Error::Remote {
                status, message, ..
            }) => {
                assert_eq!(status, expected);
                assert!(!message.is_empty());
            }
            other => panic!("{payload}: {other:?}"),
        }
    }
    assert!(matches!(
        invoker.invoke("ns/other", "").await,
        Err(Error::Invalid { .. })
    ));
    // The invoker gives up when the executor does; either may be first.
    let late = invoker.invoke(TOPIC, "slow").await.unwrap_err();
    assert!(late.is_transient(), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn gives_up_when_nobody_answers() {
    let broker = MemoryBroker::new();
    let invoker = invoker(&broker).await;
    assert!(matches!(
        invoker.invoke(TOPIC, "{}").await,
        Err(Error::Timeout { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn takes_no_answer_that_breaks_the_protocol_or_comes_from_elsewhere() {
    let broker = MemoryBroker::new();
    let invoker = invoker(&broker).await;
    let peer = broker.client("peer");
    let mut requests = peer.subscribe("ns/ops/#", Qos::AtLeastOnce).await.unwrap();
    let asking = tokio::spawn(async move { invoker.invoke(TOPIC, "{}").await });
    let request = requests.next().await.unwrap();
    assert_eq!(
        names(&request),
        [
            "__srcId",
            "__ts",
            "__protVer",
            "$partition",
            "$high_priority"
        ]
    );
    let mut answer = Publish::new("clients/invoker/ns/ops/cam2/PTZ/Stop", "forged");
    answer.properties.correlation_data = request.properties.correlation_data.clone();
    answer.properties.user = vec![("__stat".into(), "200".into())];
    peer.publish(answer.clone()).await.unwrap();
    answer.topic = request.properties.response_topic.clone().unwrap();
    answer.properties.user.clear();
    peer.publish(answer).await.unwrap();
    let error = asking.await.unwrap().unwrap_err();
    assert!(
        matches!(&error, Error::Header { name, value: None, .. } if name == "__stat"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn says_what_is_wrong_with_an_answer() {
    let broker = MemoryBroker::new();
    let invoker = invoker(&broker).await;
    let peer = broker.client("peer");
    let mut requests = peer.subscribe("ns/ops/#", Qos::AtLeastOnce).await.unwrap();
    type Headers = &'static [(&'static str, &'static str)];
    type Check = fn(&Error) -> bool;
    let table: [(Headers, &str, Check); 7] = [
        (
            &[("__stat", "many")],
            "x",
            |error| matches!(error, Error::Header { value: Some(value), .. } if value == "many"),
        ),
        (
            &[("__stat", "200"), ("__ts", "now")],
            "x",
            |error| matches!(error, Error::Header { name, .. } if name == "__ts"),
        ),
        (
            &[("__stat", "200"), ("__ts", "900000000000000:00000:n")],
            "x",
            |error| matches!(error, Error::Clock { .. }),
        ),
        (&[("__stat", "200"), ("__protVer", "2.0")], "x", |error| {
            matches!(error, Error::UnsupportedVersion { remote: false, .. })
        }),
        (&[("__stat", "204")], "x", |error| {
            matches!(error, Error::Protocol { .. })
        }),
        (&[("__stat", "200")], "", |error| {
            matches!(error, Error::Protocol { .. })
        }),
        (
            &[
                ("__stat", "505"),
                ("__supProtMajVer", "2 3"),
                ("__requestProtVer", "1.0"),
            ],
            "",
            |error| matches!(error, Error::UnsupportedVersion { remote: true, supported, .. } if supported == "2 3"),
        ),
    ];
    for (headers, payload, check) in table {
        let asking = tokio::spawn({
            let invoker = invoker.clone();
            async move { invoker.invoke(TOPIC, "{}").await }
        });
        let request = requests.next().await.unwrap();
        let topic = request.properties.response_topic.clone().unwrap();
        let mut answer = Publish::new(topic, payload);
        answer.properties.correlation_data = request.properties.correlation_data.clone();
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        answer.properties.user = headers.iter().map(owned).collect();
        peer.publish(answer).await.unwrap();
        let error = asking.await.unwrap().unwrap_err();
        assert!(check(&error), "{headers:?}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn fills_the_tokens_of_requests_and_responses() {
    let broker = MemoryBroker::new();
    let options = ExecutorOptions {
        namespace: Some("site/1".into()),
        tokens: [("asset".to_owned(), "cam1".to_owned())].into(),
        ..ExecutorOptions::contract("ops/{asset}/{action}")
    };
    let _executor = Executor::start(
        Arc::new(broker.client("executor")),
        options,
        |request: Request| async move {
            let tokens = format!("{} {}", request.tokens["asset"], request.tokens["action"]);
            Ok(Response::json(tokens))
        },
    )
    .await
    .unwrap();
    let options = InvokerOptions {
        namespace: Some("site/1".into()),
        response_prefix: Some("answers/{invokerClientId}".into()),
        response_suffix: Some("done".into()),
        ..InvokerOptions::new("ops/{asset}/{action}")
    };
    let invoker = Invoker::start(Arc::new(broker.client("invoker")), options)
        .await
        .unwrap();
    let peer = broker.client("peer");
    let mut answers = peer.subscribe("#", Qos::AtLeastOnce).await.unwrap();
    let invocation = Invocation {
        tokens: [("asset", "cam1"), ("action", "Stop")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        payload: "1".into(),
        timeout: Some(Duration::from_millis(1500)),
        user_properties: vec![("mine".into(), "x".into()), ("__stat".into(), "200".into())],
    };
    let response = invoker.request(invocation).await.unwrap();
    assert_eq!(response.payload, "cam1 Stop");
    let request = answers.next().await.unwrap();
    assert_eq!(request.topic, "site/1/ops/cam1/Stop");
    assert_eq!(request.properties.user("mine"), Some("x"));
    assert_eq!(request.properties.user("__stat"), None);
    assert_eq!(
        request.properties.response_topic.as_deref(),
        Some("site/1/answers/invoker/ops/cam1/Stop/done")
    );
    let error = invoker.request(Invocation::default()).await.unwrap_err();
    assert!(matches!(error, Error::InvalidOption { option, .. } if option == "asset"));
}

#[tokio::test(start_paused = true)]
async fn a_group_shares_the_requests() {
    let broker = MemoryBroker::new();
    let mut executors = Vec::new();
    for name in ["one", "two"] {
        let options = ExecutorOptions {
            service_group: Some("group".into()),
            ..ExecutorOptions::contract(PATTERN)
        };
        let answer = move |_request: Request| async move { Ok(Response::json(name)) };
        let client = Arc::new(broker.client(name));
        executors.push(Executor::start(client, options, answer).await.unwrap());
    }
    let invoker = invoker(&broker).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(invoker.invoke(TOPIC, "{}").await.unwrap().payload);
    }
    answers.sort();
    assert_eq!(answers, ["one", "one", "two", "two"]);
}

#[tokio::test(start_paused = true)]
async fn refuses_options_that_cannot_work() {
    let broker = MemoryBroker::new();
    let contract = || ExecutorOptions::contract(PATTERN);
    for (expected, options) in [
        ("pattern", ExecutorOptions::contract("a//b")),
        (
            "namespace",
            ExecutorOptions {
                namespace: Some("{a}".into()),
                ..contract()
            },
        ),
        (
            "asset",
            ExecutorOptions {
                tokens: [("asset".into(), "a/b".into())].into(),
                ..contract()
            },
        ),
        (
            "service_group",
            ExecutorOptions {
                service_group: Some("a/b".into()),
                ..contract()
            },
        ),
        (
            "max_timeout",
            ExecutorOptions {
                max_timeout: Duration::ZERO,
                ..contract()
            },
        ),
        (
            "name",
            ExecutorOptions {
                name: String::new(),
                ..contract()
            },
        ),
    ] {
        let error = Executor::start(Arc::new(broker.client("c")), options, echo)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::InvalidOption { option, .. } if option == expected),
            "{expected}: {error}"
        );
    }
    let new = || InvokerOptions::new(PATTERN);
    for (expected, options) in [
        ("pattern", InvokerOptions::new("")),
        (
            "response_prefix",
            InvokerOptions {
                response_prefix: Some("a/+".into()),
                ..new()
            },
        ),
        (
            "response_suffix",
            InvokerOptions {
                response_suffix: Some("".into()),
                ..new()
            },
        ),
        (
            "response_pattern",
            InvokerOptions {
                response_pattern: Some("$a".into()),
                ..new()
            },
        ),
    ] {
        let error = Invoker::start(Arc::new(broker.client("c")), options)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::InvalidOption { option, .. } if option == expected),
            "{expected}: {error}"
        );
    }
}
