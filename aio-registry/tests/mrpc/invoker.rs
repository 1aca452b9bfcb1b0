//! What an invoker makes of answers, and of none.

use super::*;

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
