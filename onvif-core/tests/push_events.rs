//! Events that the camera pushes, and those in its metadata stream.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use onvif_core::events::{
    EventItem, EventOptions, EventStream, Filter, PeerPolicy, PushListener, PushOptions,
};
use onvif_core::{Camera, Transport, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use virtual_camera::{Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);
const MOTION: &str = "tns1:VideoSource/MotionAlarm";

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("it takes too long")
}

async fn listen(options: PushOptions) -> PushListener {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    PushListener::bind(any, options).await.unwrap()
}

async fn motion(events: &mut EventStream, value: &str) {
    within(async {
        loop {
            if let EventItem::Notification(notification) = events.next().await.unwrap().unwrap()
                && notification.data.get("State") == Some(value)
            {
                assert_eq!(notification.topic, MOTION);
                assert!(notification.producer.is_none() && notification.host_time.is_some());
                return;
            }
        }
    })
    .await;
}

async fn started(quirks: Quirks) -> (VirtualCamera, Camera) {
    let target = VirtualCamera::builder()
        .quirks(quirks)
        .start()
        .await
        .unwrap();
    let camera = Camera::builder(target.device_url())
        .connect()
        .await
        .unwrap();
    (target, camera)
}

#[tokio::test]
async fn pushed_events_are_events_like_others_and_the_subscription_is_renewed_and_ended() {
    // A crash on a long address is a real one (C37).
    let (target, camera) = started(Quirks {
        crash_on_long_url: Some(40),
        ..Quirks::default()
    })
    .await;
    let listener = listen(PushOptions::default()).await;
    let mut brief = EventOptions::default();
    brief.lifetime = Duration::from_secs(3);
    let filter = Filter::topic(MOTION);
    let mut events = camera.events().subscribe_push(&listener, filter, brief);
    motion(&mut events, "false").await;
    target.set_motion(true);
    motion(&mut events, "true").await;
    let renewed = async {
        while target.observed().count("Renew") < 2 {
            tokio::task::yield_now().await;
        }
    };
    within(async {
        tokio::select! {
            item = events.next() => panic!("{item:?}"),
            () = renewed => {}
        }
    })
    .await;
    assert_eq!(target.observed().count("Subscribe"), 1);
    assert_eq!(target.observed().subscriptions, 1);
    within(events.end()).await;
    assert_eq!(target.observed().subscriptions, 0);
}

#[tokio::test]
async fn a_forgotten_push_subscription_is_made_anew_with_a_gap() {
    let (target, camera) = started(Quirks::default()).await;
    let listener = listen(PushOptions::default()).await;
    let mut brief = EventOptions::default();
    brief.lifetime = Duration::from_secs(3);
    let mut events = camera
        .events()
        .subscribe_push(&listener, Filter::topic(MOTION), brief);
    motion(&mut events, "false").await;
    target.forget_subscriptions();
    let next = within(events.next()).await.unwrap().unwrap();
    assert!(
        matches!(next, EventItem::Gap { since: Some(_) }),
        "{next:?}"
    );
    target.set_motion(true);
    motion(&mut events, "true").await;
}

/// A camera that tells where it shall push, and says yes to everything.
#[derive(Clone, Default)]
struct Agreeing(Arc<Mutex<Option<String>>>);

#[async_trait]
impl Transport for Agreeing {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let reply = if body.contains("<tds:GetServices") {
            "<tds:R><tds:Service><tds:Namespace>http://www.onvif.org/ver10/events/wsdl</tds:Namespace>\
             <tds:XAddr>http://127.0.0.1/events</tds:XAddr></tds:Service></tds:R>"
        } else {
            if let Some((_, rest)) = body.split_once("<wsnt:ConsumerReference><wsa:Address>") {
                let address = rest.split('<').next().unwrap().to_owned();
                *self.0.lock().unwrap() = Some(address);
            }
            "<x:Response/>"
        };
        let envelope = format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>{reply}</s:Body></s:Envelope>"
        );
        Ok(Response::new(Bytes::from(envelope)))
    }
}

/// A stream that is subscribed, and the path at which it listens.
async fn subscribed(listener: &PushListener, url: &str) -> (EventStream, String) {
    let target = Agreeing::default();
    let camera = Camera::builder(url)
        .transport(Arc::new(target.clone()))
        .connect()
        .await
        .unwrap();
    let options = EventOptions::default();
    let mut events = camera
        .events()
        .subscribe_push(listener, Filter::all(), options);
    // Nothing is sent before the stream is polled.
    assert!(target.0.lock().unwrap().is_none());
    let polled = tokio::time::timeout(Duration::from_millis(100), events.next());
    assert!(polled.await.is_err());
    let address = target.0.lock().unwrap().clone().unwrap();
    let path = url::Url::parse(&address).unwrap().path().to_owned();
    (events, path)
}

fn notify(topic: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><wsnt:Notify><wsnt:NotificationMessage>\
         <wsnt:Topic>{topic}</wsnt:Topic></wsnt:NotificationMessage></wsnt:Notify></s:Body></s:Envelope>"
    )
}

/// Sends a request as it is and returns the status, or 0 where the connection was closed.
async fn send(listener: &PushListener, request: &str) -> u16 {
    let mut stream = TcpStream::connect(listener.local_address()).await.unwrap();
    // It may be answered before it is read to its end.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = within(stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1);
    status.map_or(0, |status| status.parse().unwrap())
}

async fn post(listener: &PushListener, path: &str, body: &str) -> u16 {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    send(listener, &(head + body)).await
}

#[tokio::test]
async fn what_is_no_notification_of_the_camera_is_refused() {
    let mut options = PushOptions::default();
    options.body_limit = 1_000;
    let listener = listen(options).await;
    let (mut events, path) = subscribed(&listener, "http://127.0.0.1").await;
    assert_eq!(path.len(), 13, "short, and not to be guessed: {path}");

    let good = notify("tns1:A/B");
    assert_eq!(post(&listener, "/", &good).await, 404);
    assert_eq!(post(&listener, "/AAAAAAAAAAAA", &good).await, 404);
    assert_eq!(post(&listener, &path, "<html/>").await, 400);
    assert_eq!(post(&listener, &path, "").await, 400);
    assert_eq!(post(&listener, &path, &"<a>".repeat(300)).await, 400);
    assert_eq!(post(&listener, &path, &"x".repeat(2_000)).await, 413);
    let get = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(send(&listener, &get).await, 405);
    assert_ne!(send(&listener, "nonsense\r\n\r\n").await, 200);
    let headers = "X: y\r\n".repeat(200);
    let many = format!("POST {path} HTTP/1.1\r\n{headers}\r\n");
    assert_ne!(send(&listener, &many).await, 200);

    // In chunks, as some cameras push.
    let chunked = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{good}\r\n0\r\n\r\n",
        good.len()
    );
    assert_eq!(send(&listener, &chunked).await, 200);
    let item = within(events.next()).await.unwrap().unwrap();
    assert!(matches!(item, EventItem::Notification(read) if read.topic == "tns1:A/B"));

    drop(events);
    assert_eq!(post(&listener, &path, &good).await, 404);
}

#[tokio::test]
async fn only_the_camera_may_push_unless_anyone_may() {
    for (peers, status) in [(PeerPolicy::Camera, 404), (PeerPolicy::Anyone, 200)] {
        let mut options = PushOptions::default();
        options.peers = peers;
        options.advertised = Some("192.0.2.1:8090".into());
        let listener = listen(options).await;
        let (_events, path) = subscribed(&listener, "http://192.0.2.7").await;
        assert_eq!(post(&listener, &path, &notify("tns1:A")).await, status);
    }
}

#[tokio::test]
async fn a_full_queue_refuses_and_becomes_a_gap() {
    let mut options = PushOptions::default();
    options.queue = 2;
    let listener = listen(options).await;
    let (mut events, path) = subscribed(&listener, "http://127.0.0.1").await;
    for expected in [200, 200, 503] {
        assert_eq!(post(&listener, &path, &notify("tns1:A")).await, expected);
    }
    let first = within(events.next()).await.unwrap().unwrap();
    assert!(matches!(first, EventItem::Gap { .. }));
    let second = within(events.next()).await.unwrap().unwrap();
    assert!(matches!(second, EventItem::Notification(_)));
}

#[tokio::test]
async fn the_metadata_stream_is_a_source_of_events() {
    let camera = Camera::builder("http://127.0.0.1")
        .transport(Arc::new(Agreeing::default()))
        .connect()
        .await
        .unwrap();
    let document = format!(
        "<tt:MetadataStream xmlns:tt='http://www.onvif.org/ver10/schema'><tt:Event><wsnt:NotificationMessage>\
         <wsnt:Topic>{MOTION}</wsnt:Topic></wsnt:NotificationMessage></tt:Event></tt:MetadataStream>"
    );
    let broken = document.replace("</tt:Event>", "");
    let payloads: Vec<_> = [document.as_str(), &broken, &document]
        .concat()
        .as_bytes()
        .chunks(100)
        .map(Bytes::copy_from_slice)
        .collect();
    let events = EventStream::from_metadata(&camera, futures::stream::iter(payloads));
    let items: Vec<_> = events.map(Result::unwrap).collect().await;
    assert!(matches!(
        items[..],
        [
            EventItem::Notification(_),
            EventItem::Gap { since: None },
            EventItem::Notification(_)
        ]
    ));
}
