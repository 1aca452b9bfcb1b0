//! Cameras as scripts: what is on the wire, and when, with a paused clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use onvif_core::device::SystemReboot;
use onvif_core::events::{EventItem, Filter};
use onvif_core::{
    Camera, Credentials, Error, ErrorKind, FreshConnection, Transport, TransportError, UriPolicy,
};

type Reply = Result<Response<Bytes>, TransportError>;
type Script = dyn Fn(&Sent) -> Reply + Send + Sync;

/// One request as the camera sees it.
#[derive(Clone, Debug)]
struct Sent {
    operation: String,
    url: String,
    authorization: Option<String>,
    token: bool,
    fresh: bool,
    body: String,
    deadline: Duration,
    at: tokio::time::Instant,
}

#[derive(Clone)]
struct Scripted {
    script: Arc<Script>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request<Bytes>, deadline: Duration) -> Reply {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let operation = match body.split_once("<s:Body><") {
            Some((_, rest)) => {
                let name = rest.split([' ', '>', '/']).next().unwrap();
                name.split_once(':').unwrap().1.to_owned()
            }
            None => "GET".to_owned(),
        };
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let sent = Sent {
            operation,
            url: request.uri().to_string(),
            authorization: header("authorization"),
            token: body.contains("UsernameToken"),
            fresh: request.extensions().get::<FreshConnection>().is_some(),
            body,
            deadline,
            at: tokio::time::Instant::now(),
        };
        self.sent.lock().unwrap().push(sent.clone());
        let reply = (self.script)(&sent);
        if sent.operation == "PullMessages" {
            // The camera holds the request.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        reply
    }
}

impl Scripted {
    fn new(script: impl Fn(&Sent) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let script = move |sent: &Sent| script(sent).unwrap_or_else(|| ordinary(&sent.operation));
        Self {
            script: Arc::new(script),
            sent: Arc::default(),
        }
    }

    async fn connect(&self) -> Camera {
        self.try_connect().await.unwrap()
    }

    async fn try_connect(&self) -> Result<Camera, Error> {
        Camera::builder("http://192.0.2.7")
            .credentials(Credentials::new("admin", "secret"))
            .transport(Arc::new(self.clone()))
            .connect()
            .await
    }

    fn sent(&self, operation: &str) -> Vec<Sent> {
        self.sent
            .lock()
            .unwrap()
            .iter()
            .filter(|sent| sent.operation == operation)
            .cloned()
            .collect()
    }
}

fn soap(status: u16, body: &str) -> Reply {
    let text = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>{body}</s:Body></s:Envelope>"
    );
    Ok(Response::builder()
        .status(status)
        .body(Bytes::from(text))
        .unwrap())
}

fn fault(status: u16, subcode: &str) -> Reply {
    soap(
        status,
        &format!(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:{subcode}</s:Value></s:Subcode></s:Code></s:Fault>"
        ),
    )
}

fn challenge(challenges: &[&str]) -> Reply {
    let mut builder = Response::builder().status(401);
    for challenge in challenges {
        builder = builder.header("www-authenticate", *challenge);
    }
    Ok(builder.body(Bytes::from("<html>401</html>")).unwrap())
}

fn ordinary(operation: &str) -> Reply {
    let service = |namespace: &str, path: &str| {
        format!(
            "<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>http://192.0.2.7{path}</tds:XAddr></tds:Service>"
        )
    };
    match operation {
        "GetServices" => soap(
            200,
            &format!(
                "<tds:GetServicesResponse>{}{}</tds:GetServicesResponse>",
                service("http://www.onvif.org/ver10/media/wsdl", "/media"),
                service("http://www.onvif.org/ver10/events/wsdl", "/events"),
            ),
        ),
        "CreatePullPointSubscription" => soap(
            200,
            "<tev:R><tev:SubscriptionReference><wsa:Address>http://192.0.2.7/sub?i=1&amp;k=2</wsa:Address></tev:SubscriptionReference>\
             <wsnt:CurrentTime>2024-01-01T00:00:00Z</wsnt:CurrentTime><wsnt:TerminationTime>2024-01-01T00:01:00Z</wsnt:TerminationTime></tev:R>",
        ),
        operation => soap(200, &format!("<x:{operation}Response/>")),
    }
}

const JPEG: &[u8] = b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xd9";
const MD5: &str = "Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"";

#[tokio::test]
async fn unauthorised_is_recognised_whatever_its_status() {
    for status in [200, 400, 401, 500] {
        let target = Scripted::new(move |sent| {
            (sent.operation == "GetDeviceInformation" && !sent.token)
                .then(|| fault(status, "NotAuthorized"))
        });
        let camera = target.connect().await;
        assert!(camera.device().information().await.is_ok(), "{status}");
        assert!(camera.device().scopes().await.is_ok());
        // What worked is remembered: the second operation carries the token at once.
        assert_eq!(target.sent("GetScopes").len(), 1);
        assert!(
            target.sent("GetScopes")[0].token
                && target.sent("GetScopes")[0].authorization.is_none()
        );
    }
}

#[tokio::test]
async fn a_digest_challenge_with_an_html_body_is_answered() {
    let target = Scripted::new(|sent| {
        sent.authorization
            .is_none()
            .then(|| challenge(&["Basic realm=\"r\"", MD5]))
    });
    let camera = target.connect().await;
    camera.device().information().await.unwrap();
    let sent = target.sent("GetDeviceInformation");
    assert_eq!(sent.len(), 1, "the nonce is used again");
    assert!(
        sent[0]
            .authorization
            .as_ref()
            .unwrap()
            .contains("nc=0000000")
    );
    assert!(target.sent.lock().unwrap().iter().all(|sent| !sent.token));
}

#[tokio::test]
async fn a_snapshot_is_fetched_as_the_uri_policy_wants_it() {
    let target = Scripted::new(|sent| {
        (sent.operation == "GET").then(|| Ok(Response::new(Bytes::from_static(JPEG))))
    });
    let camera = target.connect().await;
    let stored = "http://user:password@192.0.2.7/still.jpg".parse().unwrap();
    camera.media().fetch_snapshot(&stored).await.unwrap();
    assert_eq!(target.sent("GET")[0].url, "http://192.0.2.7/still.jpg");
    let other = "http://192.0.2.8/still.jpg".parse().unwrap();
    let error = camera.media().fetch_snapshot(&other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
}

#[tokio::test]
async fn both_schemes_are_sent_where_one_is_not_enough() {
    let target = Scripted::new(|sent| match (&sent.authorization, sent.token) {
        (None, _) => Some(challenge(&[MD5])),
        (Some(_), false) => Some(fault(400, "NotAuthorized")),
        (Some(_), true) => None,
    });
    assert!(target.connect().await.device().information().await.is_ok());
}

#[tokio::test]
async fn an_outdated_nonce_does_not_count_as_a_wrong_password() {
    let nonce = Arc::new(Mutex::new(1));
    let current = nonce.clone();
    let target = Scripted::new(move |sent| {
        let wanted = format!("nonce=\"n{}\"", current.lock().unwrap());
        let good = sent
            .authorization
            .as_ref()
            .is_some_and(|header| header.contains(&wanted));
        let offer = format!("Digest realm=\"r\", {wanted}, qop=\"auth\", stale=true");
        (!good).then(|| challenge(&[&offer]))
    });
    let camera = target.connect().await;
    for _ in 0..10 {
        *nonce.lock().unwrap() += 1;
        camera.device().information().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_user_may_not_do_does_not_pause_what_he_may() {
    let target = Scripted::new(|sent| match sent.operation.as_str() {
        // Needs an administrator; Bosch refuses Renew in the same way.
        "GetUsers" => Some(fault(400, "NotAuthorized")),
        "GetScopes" if !sent.token => Some(fault(400, "NotAuthorized")),
        _ => None,
    });
    let camera = target.connect().await;
    for _ in 0..3 {
        camera.device().scopes().await.unwrap();
        let error = camera.device().users().await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    }
    camera.device().scopes().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_changed_rests_after_the_second_refusal() {
    let changed = Arc::new(Mutex::new(false));
    let now = changed.clone();
    let target = Scripted::new(move |sent| {
        let open = sent.operation.starts_with("GetS") || sent.operation.starts_with("GetCap");
        (!open && (!sent.token || *now.lock().unwrap())).then(|| fault(400, "NotAuthorized"))
    });
    let camera = target.connect().await;
    camera.device().information().await.unwrap();
    *changed.lock().unwrap() = true;
    for _ in 0..20 {
        camera.device().information().await.unwrap_err();
    }
    let refused = target.sent("GetDeviceInformation").len() - 2;
    assert!(refused <= 4, "{refused} attempts");
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_cost_at_most_two_attempts_in_five_minutes() {
    let target = Scripted::new(|sent| {
        (!sent.operation.starts_with("GetS") && !sent.operation.starts_with("GetCap"))
            .then(|| challenge(&[MD5]))
    });
    let camera = target.connect().await;
    let error = camera.device().information().await.unwrap_err();
    assert!(
        matches!(error, Error::Unauthorized { user: Some(_), .. }),
        "{error}"
    );
    let with_credentials = || {
        target
            .sent
            .lock()
            .unwrap()
            .iter()
            .filter(|sent| sent.token || sent.authorization.is_some())
            .count()
    };
    assert_eq!(with_credentials(), 2);
    for _ in 0..50 {
        let error = camera.device().users().await.unwrap_err();
        assert!(error.retry_after().is_some() && error.kind() == ErrorKind::Unauthorized);
    }
    assert_eq!(with_credentials(), 2);
    tokio::time::advance(Duration::from_secs(301)).await;
    assert!(matches!(
        camera.device().users().await,
        Err(Error::Unauthorized { .. })
    ));
    assert_eq!(with_credentials(), 4);
}

#[tokio::test]
async fn reads_are_repeated_once_on_a_fresh_connection_and_writes_never() {
    let target = Scripted::new(|sent| {
        let lost = matches!(sent.operation.as_str(), "GetHostname" | "SystemReboot") && !sent.fresh;
        lost.then(|| Err(TransportError::Closed("reset".into())))
    });
    let camera = target.connect().await;
    assert!(camera.device().hostname().await.is_ok());
    assert_eq!(target.sent("GetHostname").len(), 2);
    let error = camera.call(&SystemReboot {}).await.unwrap_err();
    assert!(error.is_transient() && error.kind() == ErrorKind::Network);
    assert_eq!(target.sent("SystemReboot").len(), 1);
}

#[tokio::test]
async fn credentials_never_leave_for_another_host() {
    let evil = |sent: &Sent| match sent.operation.as_str() {
        "GetServices" => Some(soap(
            200,
            "<tds:R><tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace>\
             <tds:XAddr>http://evil.example/media</tds:XAddr></tds:Service>\
             <tds:Service><tds:Namespace>http://www.onvif.org/ver10/events/wsdl</tds:Namespace>\
             <tds:XAddr>http://192.0.2.7/events</tds:XAddr></tds:Service></tds:R>",
        )),
        "GetSnapshotUri" => Some(soap(
            200,
            "<trt:R><trt:MediaUri><tt:Uri>http://evil.example/snap.jpg</tt:Uri></trt:MediaUri></trt:R>",
        )),
        "CreatePullPointSubscription" => Some(soap(
            200,
            "<tev:R><tev:SubscriptionReference><wsa:Address>http://evil.example/sub</wsa:Address></tev:SubscriptionReference></tev:R>",
        )),
        "GET" => Some(Ok(Response::builder()
            .status(302)
            .header("location", "http://evil.example/")
            .body(Bytes::new())
            .unwrap())),
        _ => None,
    };
    for policy in [
        UriPolicy::RewriteHost,
        UriPolicy::RewriteHostAndPort,
        UriPolicy::Refuse,
    ] {
        let target = Scripted::new(evil);
        let camera = Camera::builder("http://192.0.2.7")
            .uri_policy(policy)
            .transport(Arc::new(target.clone()))
            .connect()
            .await
            .unwrap();
        let _ = camera.media().profiles().await;
        assert!(camera.media().snapshot(&"p".into()).await.is_err());
        let foreign = "http://evil.example/snap.jpg".parse().unwrap();
        assert!(camera.media().fetch_snapshot(&foreign).await.is_err());
        let mut events = camera.events().subscribe(Filter::all());
        let _ = tokio::time::timeout(Duration::from_millis(50), events.next()).await;
        for sent in target.sent.lock().unwrap().iter() {
            assert!(
                sent.url.starts_with("http://192.0.2.7/"),
                "{policy:?} {}",
                sent.url
            );
        }
    }
}

#[tokio::test]
async fn answers_that_are_no_soap_are_typed() {
    for (status, body) in [
        (500, ""),
        (200, "<html>hello</html>"),
        (502, "Bad Gateway"),
        (200, "\0\0\0"),
    ] {
        let target = Scripted::new(move |sent| {
            (sent.operation == "GetUsers").then(|| {
                Ok(Response::builder()
                    .status(status)
                    .body(Bytes::from(body))
                    .unwrap())
            })
        });
        let error = target.connect().await.device().users().await.unwrap_err();
        assert!(
            matches!(error, Error::NotSoap { status: got, .. } if got == status),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_reply_is_taken_whatever_the_status_says() {
    let target = Scripted::new(|sent| {
        (sent.operation == "GetHostname").then(|| {
            soap(500, "<tds:X><tds:HostnameInformation><tt:Name> cam </tt:Name></tds:HostnameInformation></tds:X>")
        })
    });
    assert_eq!(
        target
            .connect()
            .await
            .device()
            .hostname()
            .await
            .unwrap()
            .as_deref(),
        Some("cam")
    );
}

#[tokio::test]
async fn addressing_is_on_event_operations_only() {
    let target = Scripted::new(|_| None);
    let camera = target.connect().await;
    camera.events().properties().await.unwrap();
    camera.media().profiles().await.unwrap();
    assert!(
        target.sent("GetEventProperties")[0]
            .body
            .contains("<wsa:MessageID>urn:uuid:")
    );
    assert!(!target.sent("GetProfiles")[0].body.contains("<wsa:"));
}

#[tokio::test]
async fn credentials_in_the_url_are_refused() {
    let error = Camera::builder("http://admin:secret@192.0.2.7/")
        .connect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
    assert!(!error.to_string().contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_renewed_and_a_long_poll_has_its_own_deadline() {
    let renewed = "<wsnt:RenewResponse><wsnt:TerminationTime>2024-01-01T00:01:00Z</wsnt:TerminationTime>\
                   <wsnt:CurrentTime>2024-01-01T00:00:00Z</wsnt:CurrentTime></wsnt:RenewResponse>";
    let target = Scripted::new(move |sent| (sent.operation == "Renew").then(|| soap(200, renewed)));
    let mut events = target.connect().await.events().subscribe(Filter::all());
    let _ = tokio::time::timeout(Duration::from_secs(100), events.next()).await;
    let start = target.sent("CreatePullPointSubscription")[0].at;
    let renewals = target.sent("Renew");
    assert_eq!(renewals.len(), 2);
    let after = renewals[0].at - start;
    assert!(
        after >= Duration::from_secs(48) && after < Duration::from_secs(60),
        "{after:?}"
    );
    let pull = &target.sent("PullMessages")[0];
    assert_eq!(pull.deadline, Duration::from_secs(40));
    assert_eq!(pull.url, "http://192.0.2.7/sub?i=1&k=2");
    assert_eq!(target.sent("CreatePullPointSubscription").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_subscription_is_made_anew_with_a_gap_and_a_synchronization_point() {
    let replies = Arc::new(Mutex::new(VecDeque::from(["ok", "lost", "event"])));
    let target = Scripted::new(move |sent| match sent.operation.as_str() {
        "PullMessages" => match replies.lock().unwrap().pop_front() {
            Some("lost") => Some(fault(500, "ResourceUnknownFault")),
            Some("event") => Some(soap(
                200,
                "<tev:R><wsnt:NotificationMessage><wsnt:Topic>tns1:A/B</wsnt:Topic></wsnt:NotificationMessage></tev:R>",
            )),
            _ => None,
        },
        // Refused, and not fatal.
        "SetSynchronizationPoint" => Some(fault(500, "ActionNotSupported")),
        _ => None,
    });
    let mut events = target.connect().await.events().subscribe(Filter::all());
    assert!(matches!(
        events.next().await.unwrap().unwrap(),
        EventItem::Gap { since: Some(_) }
    ));
    assert!(matches!(
        events.next().await.unwrap().unwrap(),
        EventItem::Notification(_)
    ));
    assert_eq!(target.sent("CreatePullPointSubscription").len(), 2);
    assert_eq!(target.sent("SetSynchronizationPoint").len(), 1);
    drop(events);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        target.sent("Unsubscribe").len(),
        2,
        "the lost one, and the last one"
    );
}

#[tokio::test(start_paused = true)]
async fn a_camera_whose_pulls_always_fail_is_not_stormed() {
    let target =
        Scripted::new(|sent| (sent.operation == "PullMessages").then(|| fault(500, "Broken")));
    let mut events = target.connect().await.events().subscribe(Filter::all());
    let hour = tokio::time::Instant::now() + Duration::from_secs(3600);
    while tokio::time::timeout_at(hour, events.next()).await.is_ok() {}
    let creations = target.sent("CreatePullPointSubscription").len();
    assert!(
        (10..80).contains(&creations),
        "{creations} subscriptions in an hour"
    );
}
