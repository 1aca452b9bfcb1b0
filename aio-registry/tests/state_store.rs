//! What every state store does: the one in memory, and the one over MQTT before a service.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use aio_registry::mrpc::{HybridClock, Invoker, InvokerOptions};
use aio_registry::state_store::{
    MemoryStateStore, SetCondition, SetOptions, StateStore, StateStoreClient, StateStoreService,
};
use aio_registry::{Error, ErrorKind, MemoryBroker};
use futures::{FutureExt, StreamExt};

struct Stage {
    store: Arc<dyn StateStore>,
    _service: Option<StateStoreService>,
}

impl Stage {
    fn memory() -> Self {
        Self {
            store: Arc::new(MemoryStateStore::with_limit(1_000)),
            _service: None,
        }
    }

    async fn mqtt() -> Self {
        let broker = MemoryBroker::new();
        let store = Arc::new(MemoryStateStore::with_limit(1_000));
        let service = StateStoreService::start(Arc::new(broker.client("store")), store)
            .await
            .unwrap();
        let client =
            StateStoreClient::start(Arc::new(broker.client("c-0")), Duration::from_secs(10))
                .await
                .unwrap();
        Self {
            store: Arc::new(client),
            _service: Some(service),
        }
    }
}

macro_rules! on_every_store {
    ($($behaviour:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $behaviour() {
                super::$behaviour(super::Stage::memory()).await;
            })*
        }
        mod mqtt {
            $(#[tokio::test(start_paused = true)]
            async fn $behaviour() {
                super::$behaviour(super::Stage::mqtt().await).await;
            })*
        }
    };
}

on_every_store![
    sets_gets_and_deletes,
    sets_on_a_condition,
    forgets_what_expires,
    a_fencing_token_keeps_out_who_has_none_or_an_older_one,
    refuses_what_is_too_much,
];

fn on(condition: SetCondition) -> SetOptions {
    SetOptions {
        condition,
        ..SetOptions::default()
    }
}

async fn value(stage: &Stage, key: &[u8]) -> Option<Vec<u8>> {
    let stored = stage.store.get(key).await.unwrap();
    stored.map(|stored| stored.value.to_vec())
}

async fn sets_gets_and_deletes(stage: Stage) {
    let store = &stage.store;
    assert_eq!(value(&stage, b"k").await, None);
    assert!(
        store
            .set(b"k", "a\r\n\0".into(), SetOptions::default())
            .await
            .unwrap()
    );
    let first = store.get(b"k").await.unwrap().unwrap();
    assert_eq!(first.value, "a\r\n\0");
    assert!(
        store
            .set(b"k", "b".into(), SetOptions::default())
            .await
            .unwrap()
    );
    let second = store.get(b"k").await.unwrap().unwrap();
    assert!(second.version > first.version);
    assert!(!store.del(b"k", Some("other".into()), None).await.unwrap());
    assert!(store.del(b"k", Some("b".into()), None).await.unwrap());
    assert!(!store.del(b"k", None, None).await.unwrap());
    assert_eq!(value(&stage, b"k").await, None);
}

async fn sets_on_a_condition(stage: Stage) {
    let store = &stage.store;
    assert!(
        store
            .set(b"k", "a".into(), on(SetCondition::Absent))
            .await
            .unwrap()
    );
    assert!(
        !store
            .set(b"k", "b".into(), on(SetCondition::Absent))
            .await
            .unwrap()
    );
    assert!(
        !store
            .set(b"k", "b".into(), on(SetCondition::AbsentOrEqual))
            .await
            .unwrap()
    );
    assert!(
        store
            .set(b"k", "a".into(), on(SetCondition::AbsentOrEqual))
            .await
            .unwrap()
    );
    assert_eq!(value(&stage, b"k").await.unwrap(), b"a");
}

async fn forgets_what_expires(stage: Stage) {
    let options = SetOptions {
        expiry: Some(Duration::from_secs(60)),
        ..SetOptions::default()
    };
    stage.store.set(b"k", "a".into(), options).await.unwrap();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(value(&stage, b"k").await.is_some());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(value(&stage, b"k").await, None);
}

async fn a_fencing_token_keeps_out_who_has_none_or_an_older_one(stage: Stage) {
    let (store, lock) = (&stage.store, HybridClock::new());
    let (older, newer) = (lock.tick(), lock.tick());
    let with = |token| SetOptions {
        fencing_token: token,
        ..SetOptions::default()
    };
    store
        .set(b"k", "a".into(), with(Some(newer.clone())))
        .await
        .unwrap();
    for token in [None, Some(older.clone())] {
        let refused = store.set(b"k", "b".into(), with(token.clone())).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
        let refused = store.del(b"k", None, token).await;
        assert!(matches!(refused, Err(Error::Service { code, .. }) if code == "ERR"));
    }
    assert_eq!(value(&stage, b"k").await.unwrap(), b"a");
    store
        .set(b"k", "c".into(), with(Some(newer)))
        .await
        .unwrap();
    assert!(store.del(b"k", None, Some(lock.tick())).await.unwrap());
}

async fn refuses_what_is_too_much(stage: Stage) {
    let store = &stage.store;
    let refused = store.set(b"k", vec![0; 900].into(), SetOptions::default());
    let refused = refused.await.unwrap_err();
    assert!(
        refused.to_string().contains("the quota has been exceeded"),
        "{refused}"
    );
    let options = SetOptions {
        expiry: Some(Duration::from_secs(1)),
        ..SetOptions::default()
    };
    assert!(store.set(b"a", vec![0; 600].into(), options).await.unwrap());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(
        store
            .set(b"b", vec![0; 600].into(), SetOptions::default())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn nonsense_is_answered_and_a_key_without_a_name_is_not_sent() {
    let broker = MemoryBroker::new();
    let store = Arc::new(MemoryStateStore::new());
    let _service = StateStoreService::start(Arc::new(broker.client("store")), store)
        .await
        .unwrap();
    let topic = "statestore/v1/FA9AE35F-2F64-47CD-9BFF-08E2B32A0FE8/command/invoke";
    let mut options = InvokerOptions::new(topic);
    options.content_type = "application/octet-stream".into();
    let invoker = Invoker::start(Arc::new(broker.client("raw")), options)
        .await
        .unwrap();
    for (request, answer) in [
        ("nonsense", "-ERR syntax error\r\n"),
        ("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "$-1\r\n"),
        ("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n", "+OK\r\n"),
        ("*2\r\n$3\r\nget\r\n$1\r\nk\r\n", "$1\r\nv\r\n"),
        ("*3\r\n$4\r\nVDEL\r\n$1\r\nk\r\n$1\r\nx\r\n", ":-1\r\n"),
        ("*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n", ":1\r\n"),
        ("*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n", ":0\r\n"),
    ] {
        let given = invoker.invoke(topic, request).await.unwrap();
        assert_eq!(given.payload, answer, "{request:?}");
    }
    let client = StateStoreClient::start(Arc::new(broker.client("c-0")), Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(client.get(b"").await.unwrap_err().kind(), ErrorKind::Caller);
}

#[tokio::test]
async fn who_observes_a_key_is_told_of_its_changes() {
    let broker = MemoryBroker::new();
    let store = Arc::new(MemoryStateStore::new());
    let _service = StateStoreService::start(Arc::new(broker.client("store")), store)
        .await
        .unwrap();
    let session = Arc::new(broker.client("c-0"));
    let client = StateStoreClient::start(session, Duration::from_secs(10))
        .await
        .unwrap();
    let mut changes = client.observe(b"k").await.unwrap();
    let plain = SetOptions::default;
    client.set(b"other", "x".into(), plain()).await.unwrap();
    client.set(b"k", "a".into(), plain()).await.unwrap();
    let set = changes.next().await.unwrap();
    let stored = client.get(b"k").await.unwrap().unwrap();
    assert_eq!(set.value.as_ref(), Some(&stored.value));
    assert_eq!(set.version, stored.version);
    let unchanged = client.set(b"k", "b".into(), on(SetCondition::Absent));
    assert!(!unchanged.await.unwrap());
    assert!(client.del(b"k", None, None).await.unwrap());
    let gone = changes.next().await.unwrap();
    assert_eq!(gone.value, None);
    assert!(gone.version > set.version);

    let lease = SetOptions {
        expiry: Some(Duration::from_millis(20)),
        ..plain()
    };
    client.set(b"k", "lease".into(), lease).await.unwrap();
    assert_eq!(changes.next().await.unwrap().value.unwrap(), "lease");
    assert_eq!(changes.next().await.unwrap().value, None);

    assert!(client.stop_observing(b"k").await.unwrap());
    assert!(!client.stop_observing(b"k").await.unwrap());
    client.set(b"k", "c".into(), plain()).await.unwrap();
    assert!(changes.next().now_or_never().is_none());
}

#[tokio::test]
async fn a_service_that_is_closed_answers_nobody_any_more() {
    let broker = MemoryBroker::new();
    let store = Arc::new(MemoryStateStore::new());
    let service = StateStoreService::start(Arc::new(broker.client("store")), store)
        .await
        .unwrap();
    let client = StateStoreClient::start(Arc::new(broker.client("c-0")), Duration::from_millis(50))
        .await
        .unwrap();
    assert_eq!(client.get(b"k").await.unwrap(), None);
    service.close().await.unwrap();
    let nobody = client.get(b"k").await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::Network);
}
