//! When an executor handles, answers and acknowledges.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use tokio::sync::{Notify, Semaphore};

use super::*;

#[tokio::test(start_paused = true)]
async fn handles_a_request_that_comes_twice_once() {
    let broker = MemoryBroker::new();
    let handled = Arc::new(AtomicUsize::new(0));
    let count = handled.clone();
    let handler = move |_request: Request| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move { Ok(Response::json(number.to_string())) }
    };
    let _executor = Executor::start(
        Arc::new(broker.client("executor")),
        ExecutorOptions::contract(PATTERN),
        handler,
    )
    .await
    .unwrap();
    let mut raw = Raw::new(&broker).await;
    for _ in 0..2 {
        raw.send(|_| ()).await;
        assert_eq!(raw.answer().await.payload, "0");
    }
    raw.send(|request| request.properties.correlation_data = Some(Bytes::from_static(&[8; 16])))
        .await;
    assert_eq!(raw.answer().await.payload, "1");
    assert_eq!(handled.load(Ordering::SeqCst), 2);
    // The same correlation on another topic is another request.
    raw.send(|request| request.topic = "ns/ops/cam1/PTZ/GetStatus".into())
        .await;
    assert_eq!(raw.answer().await.payload, "2");
    // After its time a request is a new one.
    tokio::time::sleep(Duration::from_secs(71)).await;
    raw.send(|_| ()).await;
    assert_eq!(raw.answer().await.payload, "3");
}

#[tokio::test(start_paused = true)]
async fn acknowledges_a_request_after_its_response() {
    let broker = MemoryBroker::new();
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (entering, gate) = (entered.clone(), go.clone());
    let handler = move |_request: Request| {
        let (entering, gate) = (entering.clone(), gate.clone());
        async move {
            entering.notify_one();
            gate.acquire().await.unwrap().forget();
            Ok(Response::default())
        }
    };
    let _executor = Executor::start(
        Arc::new(broker.client("executor")),
        ExecutorOptions::commands(PATTERN),
        handler,
    )
    .await
    .unwrap();
    let mut raw = Raw::new(&broker).await;
    raw.send(|_| ()).await;
    entered.notified().await;
    assert_eq!(broker.unacknowledged(), 1);
    go.add_permits(1);
    drop(raw.answer().await);
    while broker.unacknowledged() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn holds_the_acknowledgement_of_a_repetition_until_there_is_a_response() {
    let broker = MemoryBroker::new();
    let go = Arc::new(Semaphore::new(0));
    let gate = go.clone();
    let handler = move |_request: Request| {
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(Response::json("1"))
        }
    };
    let options = ExecutorOptions::contract(PATTERN);
    let _executor = Executor::start(Arc::new(broker.client("executor")), options, handler)
        .await
        .unwrap();
    let mut raw = Raw::new(&broker).await;
    for _ in 0..2 {
        raw.send(|_| ()).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(broker.unacknowledged(), 2);
    go.add_permits(1);
    drop(raw.answer().await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(broker.unacknowledged(), 0);
    assert!(raw.answers.next().now_or_never().is_none(), "one response");
}

#[tokio::test(start_paused = true)]
async fn ends_a_request_at_the_executors_limit_and_refuses_more_than_may_wait() {
    let broker = MemoryBroker::new();
    let options = ExecutorOptions {
        concurrency: 1,
        backlog: 1,
        max_timeout: Duration::from_millis(2500),
        ..ExecutorOptions::commands(PATTERN)
    };
    let _executor = executor(&broker, options).await;
    let mut raw = Raw::new(&broker).await;
    for index in 0..3u8 {
        raw.send(|request| {
            request.payload = Bytes::from_static(b"slow");
            request.properties.correlation_data = Some(Bytes::from(vec![index; 16]));
        })
        .await;
    }
    let refused = raw.answer().await;
    assert_eq!(refused.properties.user("__stat"), Some("503"));
    for _ in 0..2 {
        let late = raw.answer().await.properties;
        assert_eq!(late.user("__stat"), Some("408"));
        assert_eq!(late.user("__apErr"), Some("false"));
        assert_eq!(late.user("__propName"), Some("ExecutionTimeout"));
        assert_eq!(late.user("__propVal"), Some("PT2.5S"));
        assert_eq!(late.message_expiry, Some(Duration::from_millis(7500)));
    }
}

#[tokio::test(start_paused = true)]
async fn gives_no_answer_that_nobody_waits_for_any_more() {
    let broker = MemoryBroker::new();
    let _executor = executor(&broker, ExecutorOptions::contract(PATTERN)).await;
    let mut raw = Raw::new(&broker).await;
    raw.send(|request| request.payload = Bytes::from_static(b"slow"))
        .await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(raw.answers.next().now_or_never().is_none());
    assert_eq!(broker.unacknowledged(), 0);
}

#[tokio::test(start_paused = true)]
async fn answers_what_has_arrived_when_it_is_closed() {
    let broker = MemoryBroker::new();
    let go = Arc::new(Semaphore::new(0));
    let gate = go.clone();
    let handler = move |_request: Request| {
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(Response::json("1"))
        }
    };
    let options = ExecutorOptions::contract(PATTERN);
    let executor = Executor::start(Arc::new(broker.client("executor")), options, handler)
        .await
        .unwrap();
    let mut raw = Raw::new(&broker).await;
    raw.send(|_| ()).await;
    let closing = tokio::spawn(executor.close());
    tokio::time::sleep(Duration::from_secs(1)).await;
    raw.send(|request| request.properties.correlation_data = Some(Bytes::from_static(&[9; 16])))
        .await;
    assert!(!closing.is_finished());
    go.add_permits(2);
    assert_eq!(raw.answer().await.payload, "1");
    closing.await.unwrap().unwrap();
    assert!(
        raw.answers.next().now_or_never().is_none(),
        "the second came too late"
    );
}

#[tokio::test(start_paused = true)]
async fn stops_answering_when_dropped() {
    let broker = MemoryBroker::new();
    drop(executor(&broker, ExecutorOptions::commands(PATTERN)).await);
    let invoker = invoker(&broker).await;
    assert!(matches!(
        invoker.invoke(TOPIC, "{}").await,
        Err(Error::Timeout { .. })
    ));
}
