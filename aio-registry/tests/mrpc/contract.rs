//! What an executor makes of requests that keep the contract, break it, or know nothing of it.

use super::*;

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
