//! Commands between this project and Microsoft's crates, over Mosquitto, in both directions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aio_registry::mrpc::{
    Executor, ExecutorOptions, HandlerError, Invocation, Invoker, InvokerOptions, Request,
    Response, Status,
};
use aio_registry::{Error, Message, Mqtt, MqttOptions, MqttSession, Properties, Publish, Qos};
use aio_sdk::{Broker, answer, request};
use azure_iot_operations_protocol::common::aio_protocol_error::AIOProtocolErrorKind as Kind;
use azure_iot_operations_protocol::rpc_command::executor::application_error_headers;
use azure_iot_operations_protocol::rpc_command::invoker;
use bytes::Bytes;
use futures::StreamExt;
use tokio::time::timeout;

const PATTERN: &str = "ns/mrpc/{asset}/{command}";
const TOKENS: [(&str, &str); 2] = [("asset", "cam1"), ("command", "Stop")];
const TOPIC: &str = "ns/mrpc/cam1/Stop";
const SOON: Duration = Duration::from_secs(60);

async fn ours(broker: &Broker, client_id: &str) -> Arc<dyn Mqtt> {
    let url = format!("mqtt://127.0.0.1:{}", broker.port).parse().unwrap();
    let session = MqttSession::connect(MqttOptions::new(url, client_id))
        .await
        .unwrap();
    session.connected(SOON).await.unwrap();
    Arc::new(session)
}

async fn handle(request: Request) -> Result<Response, HandlerError> {
    match &request.payload[..] {
        b"\"empty\"" => Ok(Response::default()),
        b"\"application\"" => Ok(Response::json("{\"more\":1}")
            .with_application_error("NotAuthorized", Some("\"no\"".into()))),
        b"\"payload\"" => Err(HandlerError::InvalidPayload("not understood".into())),
        b"\"failed\"" => Err(HandlerError::Failed("the camera is on fire".into())),
        b"\"unavailable\"" => Err(HandlerError::Unavailable("not now".into())),
        b"\"slow\"" => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(Response::default())
        }
        _ => Ok(Response::json(request.payload.clone())),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_invoker_understands_what_our_executor_answers() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let options = ExecutorOptions {
        max_timeout: Duration::from_secs(2),
        ..ExecutorOptions::contract(PATTERN)
    };
    let _executor = Executor::start(ours(&broker, "executor").await, options, handle)
        .await
        .unwrap();
    let theirs = aio_sdk::invoker(aio_sdk::session(broker.port, "invoker"), PATTERN);
    let invoke = |text: &str| timeout(SOON, theirs.invoke(request(text, &TOKENS, SOON)));

    let response = invoke("1").await.unwrap().unwrap();
    assert_eq!(response.payload.0, "1");
    assert_eq!(response.executor_id.as_deref(), Some("executor"));
    let response = invoke("\"empty\"").await.unwrap().unwrap();
    assert_eq!(response.payload.0, "");
    let response = invoke("\"application\"").await.unwrap().unwrap();
    assert_eq!(response.payload.0, "{\"more\":1}");
    let (code, payload) = invoker::application_error_headers(&response.custom_user_data);
    assert_eq!(code.as_deref(), Some("NotAuthorized"));
    assert_eq!(payload.as_deref(), Some("\"no\""));
    for (text, kind) in [
        ("\"payload\"", Kind::PayloadInvalid),
        ("\"failed\"", Kind::ExecutionException),
        ("\"unavailable\"", Kind::StateInvalid),
        ("\"slow\"", Kind::Timeout),
    ] {
        let error = invoke(text).await.unwrap().unwrap_err();
        assert_eq!(error.kind, kind, "{text}: {error}");
        assert!(error.is_remote, "{text}");
    }
    // Nobody serves this one.
    let nobody = [("asset", "cam2"), ("command", "a")];
    let other = aio_sdk::invoker(
        aio_sdk::session(broker.port, "other"),
        "else/{asset}/{command}",
    );
    let lonely = other.invoke(request("1", &nobody, Duration::from_secs(1)));
    let error = timeout(SOON, lonely).await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.is_remote), (Kind::Timeout, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_invoker_understands_what_microsofts_executor_answers() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let mut theirs = aio_sdk::executor(aio_sdk::session(broker.port, "executor"), PATTERN);
    tokio::spawn(async move {
        while let Some(request) = theirs.recv().await {
            let request = request.unwrap();
            let text = request.payload.0.clone();
            match text.as_str() {
                "\"drop\"" => drop(request),
                "\"application\"" => {
                    let mut data = Vec::new();
                    application_error_headers(&mut data, "Busy".into(), "\"later\"".into())
                        .unwrap();
                    request.complete(answer("{}", data)).await.unwrap();
                }
                "\"empty\"" => request.complete(answer("", Vec::new())).await.unwrap(),
                _ => request.complete(answer(&text, Vec::new())).await.unwrap(),
            }
        }
    });
    let client = ours(&broker, "invoker").await;
    let start = |options: InvokerOptions| Invoker::start(client.clone(), options);
    let mut options = InvokerOptions::new(PATTERN);
    options.timeout = Duration::from_secs(1);
    let invoker = start(options).await.unwrap();
    // Until it has subscribed nobody answers.
    let mut response = invoker.invoke(TOPIC, "1").await;
    for _ in 0..30 {
        if response.is_ok() {
            break;
        }
        response = invoker.invoke(TOPIC, "1").await;
    }
    assert_eq!(response.unwrap().payload, "1");
    let response = invoker.invoke(TOPIC, "\"empty\"").await.unwrap();
    assert!(response.payload.is_empty());
    let response = invoker.invoke(TOPIC, "\"application\"").await.unwrap();
    assert_eq!(response.application_error(), Some("Busy"));
    let error = invoker.invoke(TOPIC, "\"drop\"").await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Remote {
                status: Status::Internal,
                application: true,
                ..
            }
        ),
        "{error}"
    );
    let mut options = InvokerOptions::new(PATTERN);
    options.content_type = "text/plain".into();
    options.response_prefix = Some("clients/invoker/text".into());
    let error = start(options)
        .await
        .unwrap()
        .invoke(TOPIC, "1")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Remote { status: Status::UnsupportedContentType, property, .. }
            if property.as_deref() == Some("Content Type")),
        "{error}"
    );
    let invocation = Invocation {
        tokens: TOKENS
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
        payload: "2".into(),
        user_properties: vec![("mine".into(), "x".into())],
        ..Invocation::default()
    };
    assert_eq!(invoker.request(invocation).await.unwrap().payload, "2");
}

/// What both executors are asked, and how each answers: status and the header that is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_executor_answers_bad_requests_as_microsofts_does() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    let _ours = Executor::start(
        ours(&broker, "ours").await,
        ExecutorOptions::contract("ours/command"),
        move |request: Request| {
            counting.fetch_add(1, Ordering::SeqCst);
            handle(request)
        },
    )
    .await
    .unwrap();
    let mut theirs = aio_sdk::executor(aio_sdk::session(broker.port, "theirs"), "theirs/command");
    tokio::spawn(async move {
        while let Some(request) = theirs.recv().await {
            let request = request.unwrap();
            let text = request.payload.0.clone();
            request.complete(answer(&text, Vec::new())).await.unwrap();
        }
    });
    let client = ours(&broker, "peer").await;
    let mut answers = client
        .subscribe("answers/+", Qos::AtLeastOnce)
        .await
        .unwrap();
    let good = |executor: &str| {
        let mut request = Publish::new(format!("{executor}/command"), "1");
        request.properties = Properties {
            content_type: Some("application/json".into()),
            payload_format_utf8: Some(true),
            message_expiry: Some(Duration::from_secs(10)),
            response_topic: Some(format!("answers/{executor}")),
            correlation_data: Some(Bytes::copy_from_slice(uuid::Uuid::new_v4().as_bytes())),
            user: Vec::new(),
        };
        request
    };
    // Until it has subscribed nobody answers.
    loop {
        client.publish(good("theirs")).await.unwrap();
        if timeout(Duration::from_secs(1), answers.next())
            .await
            .is_ok()
        {
            break;
        }
    }
    while timeout(Duration::from_secs(2), answers.next())
        .await
        .is_ok()
    {}

    type Change = fn(&mut Publish);
    let table: [(&str, Change); 9] = [
        ("good", |_| ()),
        ("no correlation data", |request| {
            request.properties.correlation_data = None
        }),
        ("short correlation data", |request| {
            request.properties.correlation_data = Some("short".into());
        }),
        ("no expiry", |request| {
            request.properties.message_expiry = None
        }),
        ("another content type", |request| {
            request.properties.content_type = Some("text/plain".into());
        }),
        ("no content type", |request| {
            request.properties.content_type = None
        }),
        ("a bad time", |request| {
            request.properties.user.push(("__ts".into(), "now".into()));
        }),
        ("a time far ahead", |request| {
            let time = "900000000000000:00000:5013f78b-1f36-42e4-81d0-ca2ff7e8cf38";
            request.properties.user.push(("__ts".into(), time.into()));
        }),
        ("another version", |request| {
            request
                .properties
                .user
                .push(("__protVer".into(), "2.0".into()));
        }),
    ];
    for (what, change) in table {
        let mut found = Vec::new();
        for executor in ["ours", "theirs"] {
            let mut request = good(executor);
            change(&mut request);
            client.publish(request).await.unwrap();
            let answer = timeout(SOON, answers.next()).await.unwrap().unwrap();
            found.push(outline(&answer));
        }
        assert_eq!(found[0], found[1], "{what}: ours, and theirs");
    }

    // A request that comes twice is answered twice and handled once.
    let before = count.load(Ordering::SeqCst);
    let twice = good("ours");
    for _ in 0..2 {
        client.publish(twice.clone()).await.unwrap();
        let answer = timeout(SOON, answers.next()).await.unwrap().unwrap();
        assert_eq!(answer.payload, "1");
    }
    assert_eq!(count.load(Ordering::SeqCst), before + 1);
}

/// What of an answer is the same for every executor.
fn outline(answer: &Message) -> Vec<(String, Option<String>)> {
    let properties = &answer.properties;
    let mut outline: Vec<_> = [
        "__stat",
        "__apErr",
        "__protVer",
        "__propName",
        "__supProtMajVer",
        "__requestProtVer",
    ]
    .map(|name| (name.to_owned(), properties.user(name).map(str::to_owned)))
    .into();
    outline.push(("content type".into(), properties.content_type.clone()));
    outline.push((
        "payload".into(),
        Some(String::from_utf8_lossy(&answer.payload).into_owned()),
    ));
    let text = properties.payload_format_utf8.unwrap_or_default();
    outline.push(("text".into(), Some(text.to_string())));
    outline
}
