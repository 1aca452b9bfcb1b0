//! Microsoft's state store client, and its locks, before our service, over Mosquitto.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aio_registry::state_store::{
    MemoryStateStore, SetOptions as OurSetOptions, StateStore, StateStoreClient, StateStoreService,
};
use aio_registry::{MqttOptions, MqttSession};
use aio_sdk::Broker;
use azure_iot_operations_protocol::application::ApplicationContextBuilder;
use azure_iot_operations_protocol::common::hybrid_logical_clock::HybridLogicalClock;
use azure_iot_operations_services::leased_lock::lock;
use azure_iot_operations_services::state_store::{
    Client, ClientOptionsBuilder, Error, ErrorKind, KeyObservation, Operation, ServiceError,
    SetCondition, SetOptions,
};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(60);

struct World {
    broker: Broker,
    _service: StateStoreService,
}

async fn world(store: MemoryStateStore) -> Option<World> {
    let broker = Broker::start()?;
    let session = ours(&broker, "store").await;
    let service = StateStoreService::start(session, Arc::new(store));
    Some(World {
        _service: service.await.unwrap(),
        broker,
    })
}

async fn ours(broker: &Broker, client_id: &str) -> Arc<MqttSession> {
    let url = format!("mqtt://127.0.0.1:{}", broker.port).parse().unwrap();
    let session = MqttSession::connect(MqttOptions::new(url, client_id))
        .await
        .unwrap();
    session.connected(SOON).await.unwrap();
    Arc::new(session)
}

fn client(broker: &Broker, client_id: &str) -> Client {
    let context = ApplicationContextBuilder::default().build().unwrap();
    let (session, monitor) = aio_sdk::monitored_session(broker.port, client_id);
    let options = ClientOptionsBuilder::default().build().unwrap();
    Client::new(context, session, monitor, options).unwrap()
}

fn on(set_condition: SetCondition) -> SetOptions {
    SetOptions {
        set_condition,
        ..SetOptions::default()
    }
}

async fn set(theirs: &Client, key: &str, value: &str, options: SetOptions) -> bool {
    let set = theirs.set(key.into(), value.into(), SOON, None, options);
    set.await.unwrap().response
}

async fn get(theirs: &Client, key: &str) -> Option<Vec<u8>> {
    theirs.get(key.into(), SOON).await.unwrap().response
}

fn refusal(error: &Error) -> &ServiceError {
    match error.kind() {
        ErrorKind::ServiceError(error) => error,
        other => panic!("no error of the service: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_client_sets_gets_and_deletes() {
    let Some(World { broker, _service }) = &world(MemoryStateStore::new()).await else {
        return;
    };
    let theirs = client(broker, "connector-0");
    assert_eq!(get(&theirs, "k").await, None);
    let first = theirs.set(
        "k".into(),
        "a\r\n\0".into(),
        SOON,
        None,
        SetOptions::default(),
    );
    let first = first.await.unwrap();
    assert!(first.response);
    let found = theirs.get("k".into(), SOON).await.unwrap();
    assert_eq!(found.response.unwrap(), b"a\r\n\0");
    // The version is that of the key, and not of the answer.
    assert_eq!(found.version, first.version);
    assert!(found.version.is_some());
    assert!(!set(&theirs, "k", "b", on(SetCondition::OnlyIfDoesNotExist)).await);
    assert!(
        !set(
            &theirs,
            "k",
            "b",
            on(SetCondition::OnlyIfEqualOrDoesNotExist)
        )
        .await
    );
    assert!(set(&theirs, "k", "b", SetOptions::default()).await);
    assert!(
        set(
            &theirs,
            "k",
            "b",
            on(SetCondition::OnlyIfEqualOrDoesNotExist)
        )
        .await
    );
    let deleted = |value: &str| theirs.vdel("k".into(), value.into(), None, SOON);
    assert_eq!(deleted("other").await.unwrap().response, -1);
    assert_eq!(deleted("b").await.unwrap().response, 1);
    assert_eq!(deleted("b").await.unwrap().response, 0);
    assert_eq!(
        theirs.del("k".into(), None, SOON).await.unwrap().response,
        0
    );
    assert!(set(&theirs, "k", "", on(SetCondition::OnlyIfDoesNotExist)).await);
    assert_eq!(get(&theirs, "k").await.unwrap(), b"");
    assert_eq!(
        theirs.del("k".into(), None, SOON).await.unwrap().response,
        1
    );

    let ours = StateStoreClient::start(ours(broker, "connector-1").await, SOON);
    let ours = ours.await.unwrap();
    ours.set(b"k", "x".into(), OurSetOptions::default())
        .await
        .unwrap();
    assert_eq!(get(&theirs, "k").await.unwrap(), b"x");
    theirs.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_client_reads_each_refusal() {
    let Some(World { broker, _service }) = &world(MemoryStateStore::with_limit(1_000)).await else {
        return;
    };
    let theirs = client(broker, "connector-0");
    let at = |seconds: i64| {
        let mut token = HybridLogicalClock::new();
        let distance = Duration::from_secs(seconds.unsigned_abs());
        token.timestamp = match seconds < 0 {
            true => SystemTime::now() - distance,
            false => SystemTime::now() + distance,
        };
        token
    };
    let set = |value: &str, token: Option<HybridLogicalClock>| {
        theirs.set("k".into(), value.into(), SOON, token, SetOptions::default())
    };
    assert!(set("a", Some(at(0))).await.unwrap().response);
    let missing = set("b", None).await.unwrap_err();
    assert!(matches!(
        refusal(&missing),
        ServiceError::MissingFencingToken
    ));
    let older = set("b", Some(at(-10))).await.unwrap_err();
    assert!(matches!(
        refusal(&older),
        ServiceError::FencingTokenLowerVersion
    ));
    let ahead = set("b", Some(at(3_600))).await.unwrap_err();
    assert!(matches!(refusal(&ahead), ServiceError::FencingTokenSkew));
    let older = theirs
        .del("k".into(), Some(at(-10)), SOON)
        .await
        .unwrap_err();
    assert!(matches!(
        refusal(&older),
        ServiceError::FencingTokenLowerVersion
    ));
    assert_eq!(get(&theirs, "k").await.unwrap(), b"a");
    let full = set(&"x".repeat(2_000), Some(at(1))).await.unwrap_err();
    assert!(matches!(refusal(&full), ServiceError::KeyQuotaExceeded));
    assert!(set("c", Some(at(1))).await.unwrap().response);
}

async fn told(changes: &mut KeyObservation) -> (Operation, HybridLogicalClock) {
    let change = timeout(SOON, changes.recv_notification()).await.unwrap();
    let change = change.expect("a notification").0;
    assert_eq!(change.key, changes.key);
    (change.operation, change.version)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_client_is_told_of_the_keys_that_it_observes() {
    let Some(World { broker, _service }) = &world(MemoryStateStore::new()).await else {
        return;
    };
    let (theirs, other) = (client(broker, "connector-0"), client(broker, "connector-1"));
    let mut changes = theirs.observe("k".into(), SOON).await.unwrap().response;
    let twice = theirs.observe("k".into(), SOON).await.unwrap_err();
    assert!(matches!(twice.kind(), ErrorKind::DuplicateObserve));
    // It subscribes at leisure: until it is told of a change, there are more.
    let mut number = 0;
    loop {
        number += 1;
        set(&other, "k", &number.to_string(), SetOptions::default()).await;
        let change = timeout(Duration::from_secs(2), changes.recv_notification()).await;
        if let Ok(Some((change, _))) = change {
            assert_eq!(change.operation, Operation::Set(number.to_string().into()));
            break;
        }
    }

    set(&other, "elsewhere", "x", SetOptions::default()).await;
    assert!(!set(&other, "k", "x", on(SetCondition::OnlyIfDoesNotExist)).await);
    let set_again = other.set(
        "k".into(),
        "y\r\n".into(),
        SOON,
        None,
        SetOptions::default(),
    );
    let version = set_again.await.unwrap().version.unwrap();
    assert_eq!(
        told(&mut changes).await,
        (Operation::Set("y\r\n".into()), version)
    );
    other.del("k".into(), None, SOON).await.unwrap();
    assert_eq!(told(&mut changes).await.0, Operation::Del);
    let lease = SetOptions {
        expires: Some(Duration::from_millis(100)),
        ..SetOptions::default()
    };
    set(&other, "k", "lease", lease).await;
    assert_eq!(told(&mut changes).await.0, Operation::Set("lease".into()));
    assert_eq!(told(&mut changes).await.0, Operation::Del);

    assert!(theirs.unobserve("k".into(), SOON).await.unwrap().response);
    assert!(!theirs.unobserve("k".into(), SOON).await.unwrap().response);
    assert!(changes.recv_notification().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_of_microsofts_goes_from_one_to_the_next_and_keeps_out_who_lost_it() {
    let Some(World { broker, _service }) = &world(MemoryStateStore::new()).await else {
        return;
    };
    let clients = ["connector-0", "connector-1"].map(|id| Arc::new(client(broker, id)));
    let locks = clients.each_ref().map(|theirs| {
        let holder = format!("{:p}", Arc::as_ptr(theirs));
        lock::Client::new(theirs.clone(), "lock".into(), holder.into()).unwrap()
    });
    let [first, second] = locks;
    let old = first
        .lock(Duration::from_secs(600), SOON, None)
        .await
        .unwrap();
    let waiting =
        tokio::spawn(async move { second.lock(Duration::from_secs(600), SOON, None).await });
    let [theirs, other] = &clients;
    let set = |client: &Arc<Client>, token: &HybridLogicalClock| {
        let (client, token) = (client.clone(), Some(token.clone()));
        async move {
            let set = client.set("k".into(), "v".into(), SOON, token, SetOptions::default());
            set.await.map(|set| set.response)
        }
    };
    assert!(set(theirs, &old).await.unwrap());
    first.unlock(SOON).await.unwrap();
    let new = timeout(SOON, waiting).await.unwrap().unwrap().unwrap();
    assert!(set(other, &new).await.unwrap());
    let late = set(theirs, &old).await.unwrap_err();
    assert!(matches!(
        refusal(&late),
        ServiceError::FencingTokenLowerVersion
    ));
}
