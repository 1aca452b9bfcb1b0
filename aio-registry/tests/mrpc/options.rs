//! Tokens in topics, groups of executors, and options that cannot work.

use super::*;

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
