//! What stands in the headers of requests and responses, and what is made of it.

use super::*;

async fn answered(
    handler: fn() -> Result<Response, HandlerError>,
) -> (MemoryBroker, Executor, Raw) {
    let broker = MemoryBroker::new();
    let handler = move |_request: Request| async move { handler() };
    let client = Arc::new(broker.client("executor"));
    let executor = Executor::start(client, ExecutorOptions::contract(PATTERN), handler);
    let executor = executor.await.unwrap();
    let raw = Raw::new(&broker).await;
    (broker, executor, raw)
}

#[tokio::test(start_paused = true)]
async fn says_an_error_of_several_lines_in_one() {
    let failed = || Err(HandlerError::Failed("line 1\nline 2\0".into()));
    let (_broker, _executor, mut raw) = answered(failed).await;
    raw.send(|_| ()).await;
    let properties = raw.answer().await.properties;
    assert_eq!(properties.user("__stat"), Some("500"));
    assert_eq!(properties.user("__stMsg"), Some("line 1 line 2 "));
}

#[tokio::test(start_paused = true)]
async fn answers_500_when_the_response_is_none_that_can_be_sent() {
    let bad = || {
        let user_properties = vec![("mine".into(), "a\nb".into())];
        Ok(Response {
            user_properties,
            ..Response::json("1")
        })
    };
    let (broker, _executor, mut raw) = answered(bad).await;
    // When it is asked for again as well.
    for _ in 0..2 {
        raw.send(|_| ()).await;
        let answer = raw.answer().await;
        assert_eq!(answer.properties.user("__stat"), Some("500"));
        assert_eq!(answer.properties.user("__apErr"), Some("true"));
        let message = answer.properties.user("__stMsg").unwrap();
        assert!(
            message.contains("mine holds a control character"),
            "{message}"
        );
        assert!(answer.payload.is_empty());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(broker.unacknowledged(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_repeated_lives_a_minute_longer_than_the_request() {
    let (_broker, _executor, mut raw) = answered(|| Ok(Response::json("1"))).await;
    for (pause, seconds) in [(0, 10), (0, 70), (15, 55)] {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        raw.send(|_| ()).await;
        let expiry = raw.answer().await.properties.message_expiry;
        assert_eq!(expiry, Some(Duration::from_secs(seconds)));
    }
}

#[tokio::test(start_paused = true)]
async fn complains_about_the_first_header_that_is_wrong() {
    let (_broker, _executor, mut raw) = answered(|| Ok(Response::json("1"))).await;
    type Change = fn(&mut Properties);
    let no_expiry: Change = |properties| properties.message_expiry = None;
    let no_guid: Change = |properties| properties.correlation_data = Some("NotGuid".into());
    let version: Change = |properties| properties.user.push(("__protVer".into(), "2.0".into()));
    let time: Change = |properties| properties.user.push(("__ts".into(), "1:2:n:m".into()));
    let content_type: Change = |properties| properties.content_type = Some("text/plain".into());
    let changes = [no_guid, no_expiry, version, time, content_type];
    for (first, (status, name, value)) in [
        ("400", Some("Correlation Data"), Some("NotGuid")),
        ("400", Some("Message Expiry"), None),
        ("505", None, None),
        ("400", Some("__ts"), Some("1:2:n:m")),
        ("415", Some("Content Type"), Some("text/plain")),
    ]
    .into_iter()
    .enumerate()
    {
        raw.send(|request| {
            request.properties.correlation_data = Some(Bytes::from(vec![first as u8; 16]));
            for change in &changes[first..] {
                change(&mut request.properties);
            }
        })
        .await;
        let answer = raw.answer().await.properties;
        assert_eq!(answer.user("__stat"), Some(status));
        assert_eq!(answer.user("__propName"), name);
        assert_eq!(answer.user("__propVal"), value);
        let versions = answer.user("__supProtMajVer");
        assert_eq!(versions.is_some(), status == "505");
    }
}

#[tokio::test(start_paused = true)]
async fn takes_an_empty_content_type_for_none() {
    let (_broker, _executor, mut raw) = answered(|| Ok(Response::json("1"))).await;
    raw.send(|request| request.properties.content_type = Some(String::new()))
        .await;
    assert_eq!(raw.answer().await.properties.user("__stat"), Some("200"));
}

/// What an invoker makes of an answer with these headers.
async fn read(headers: &[(&str, &str)]) -> Result<Response, Error> {
    let broker = MemoryBroker::new();
    let invoker = invoker(&broker).await;
    let peer = broker.client("peer");
    let mut requests = peer.subscribe("ns/ops/#", Qos::AtLeastOnce).await.unwrap();
    let answer = async {
        let request = requests.next().await.unwrap().properties;
        let mut answer = Publish::new(request.response_topic.unwrap(), "x");
        answer.properties.correlation_data = request.correlation_data;
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        answer.properties.user = headers.iter().map(owned).collect();
        peer.publish(answer).await.unwrap();
    };
    tokio::join!(invoker.invoke(TOPIC, "{}"), answer).0
}

#[tokio::test(start_paused = true)]
async fn looks_at_the_status_before_the_time() {
    for status in [None, Some("many"), Some("65536"), Some("")] {
        let headers: Vec<_> = status
            .into_iter()
            .map(|status| ("__stat", status))
            .collect();
        let error = read(&[&[("__ts", "now")], &headers[..]].concat()).await;
        assert!(
            matches!(&error, Err(Error::Header { name, value, .. })
                if name == "__stat" && value.as_deref() == status),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn takes_only_numbers_for_versions_that_are_supported() {
    let error = read(&[("__stat", "505"), ("__supProtMajVer", " 2 x  3 -4 65536")]).await;
    assert!(
        matches!(&error, Err(Error::UnsupportedVersion { supported, .. }) if supported == "2 3"),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn takes_the_time_of_a_clock_that_counts_beyond_five_digits() {
    let response = read(&[("__stat", "200"), ("__ts", "000000000000001:100000:n")]).await;
    let sent_at = response.unwrap().sent_at.unwrap();
    assert_eq!(sent_at.to_string(), "000000000000001:100000:n");
}

#[tokio::test(start_paused = true)]
async fn acknowledges_an_answer_before_whoever_asked_looks_at_it() {
    let broker = MemoryBroker::new();
    let _executor = executor(&broker, ExecutorOptions::contract(PATTERN)).await;
    let invoker = invoker(&broker).await;
    let mut asking = Box::pin(invoker.invoke(TOPIC, "1"));
    assert!((&mut asking).now_or_never().is_none());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(broker.unacknowledged(), 0);
    assert_eq!(asking.await.unwrap().payload, "1");
}

#[tokio::test(start_paused = true)]
async fn reads_no_more_requests_than_it_can_answer() {
    let broker = MemoryBroker::new();
    let options = ExecutorOptions {
        backlog: 4,
        concurrency: 4,
        ..ExecutorOptions::contract(PATTERN)
    };
    let _executor = executor(&broker, options).await;
    // Nobody reads the answers, so that sending them has to wait in the end.
    let raw = Raw::new(&broker).await;
    let mut sent = 0;
    let sending = async {
        loop {
            raw.send(|request| {
                let correlation = u128::from(sent).to_be_bytes();
                request.properties.correlation_data = Some(Bytes::copy_from_slice(&correlation));
            })
            .await;
            sent += 1_u32;
        }
    };
    let stalled: Result<(), _> = timeout(Duration::from_secs(5), sending).await;
    assert!(stalled.is_err());
    let queues = 2 * 1024;
    assert!((queues..queues + 50).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn handles_no_request_whose_time_is_over() {
    let broker = MemoryBroker::new();
    let handler = |_request: Request| async { panic!("it is handled") };
    let client = Arc::new(broker.client("executor"));
    let executor = Executor::start(client, ExecutorOptions::contract(PATTERN), handler);
    let _executor = executor.await.unwrap();
    let mut raw = Raw::new(&broker).await;
    raw.send(|request| request.properties.message_expiry = Some(Duration::ZERO))
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(raw.answers.next().now_or_never().is_none());
    assert_eq!(broker.unacknowledged(), 0);
}

#[tokio::test(start_paused = true)]
async fn handles_no_request_that_the_broker_kept_from_earlier() {
    let broker = MemoryBroker::new();
    let mut raw = Raw::new(&broker).await;
    raw.send(|request| request.retain = true).await;
    let _executor = executor(&broker, ExecutorOptions::contract(PATTERN)).await;
    raw.send(|request| {
        request.payload = "2".into();
        request.properties.correlation_data = Some(Bytes::from_static(&[8; 16]));
    })
    .await;
    assert_eq!(raw.answer().await.payload, "2");
    assert!(raw.answers.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn answers_500_when_the_handler_panics_before_it_waits() {
    let broker = MemoryBroker::new();
    let handler = |request: Request| {
        assert!(request.payload.is_empty(), "a handler's mistake");
        async { Ok(Response::default()) }
    };
    let client = Arc::new(broker.client("executor"));
    let executor = Executor::start(client, ExecutorOptions::contract(PATTERN), handler);
    let _executor = executor.await.unwrap();
    let mut raw = Raw::new(&broker).await;
    raw.send(|_| ()).await;
    assert_eq!(raw.answer().await.properties.user("__stat"), Some("500"));
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_the_request_lives() {
    let broker = MemoryBroker::new();
    let invoker = invoker(&broker).await;
    let peer = broker.client("peer");
    let mut requests = peer.subscribe("ns/ops/#", Qos::AtLeastOnce).await.unwrap();
    let start = tokio::time::Instant::now();
    let invocation = Invocation {
        tokens: [("asset", "cam1"), ("group", "PTZ"), ("action", "Stop")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        timeout: Some(Duration::from_micros(1_000_500)),
        ..Invocation::default()
    };
    let error = invoker.request(invocation).await.unwrap_err();
    let two = Duration::from_secs(2);
    assert!(matches!(error, Error::Timeout { after, .. } if after == two));
    assert_eq!(start.elapsed().as_secs(), 2);
    let lives = requests.next().await.unwrap().properties.message_expiry;
    assert_eq!(lives, Some(two));
}
