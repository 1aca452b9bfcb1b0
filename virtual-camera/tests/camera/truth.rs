//! What clients did, and switches while the camera runs.

use serde_json::{Value, json};
use virtual_camera::{CredentialScheme, Quirks, VirtualCamera};

use crate::client::{
    DEVICE, EVENTS, MEDIA, PTZ, builder, call, camera_with, envelope, open_camera, send,
    service_url, username_token,
};

async fn control(camera: &VirtualCamera, method: &str, path: &str, body: &str) -> (u16, Value) {
    let url = camera.device_url().join("/control/").unwrap();
    let json = [("Content-Type", "application/json")];
    let reply = send(method, &url.join(path).unwrap(), &json, body).await;
    let value = serde_json::from_slice(&reply.body).unwrap_or_default();
    (reply.status, value)
}

async fn pull_point(camera: &VirtualCamera) -> url::Url {
    let reply = call(camera, EVENTS, "CreatePullPointSubscription", "").await;
    url::Url::parse(reply.ok().value("wsa:Address")).unwrap()
}

/// Everything that waits in a pull point.
async fn pulled(subscription: &url::Url) -> String {
    let pull = "<Timeout>PT10S</Timeout><MessageLimit>100</MessageLimit>";
    let body = envelope("", EVENTS, "PullMessages", pull);
    let reply = send("POST", subscription, &[], &body).await.ok();
    reply.text().to_owned()
}

#[tokio::test]
async fn quirks_change_from_one_request_to_the_next() {
    let camera = open_camera().await;
    call(&camera, DEVICE, "GetServices", "").await.ok();
    camera.set_quirks(Quirks {
        no_get_services: true,
        same_serial: true,
        clock_offset: -20 * 365 * 86_400,
        ..Quirks::default()
    });
    call(&camera, DEVICE, "GetServices", "")
        .await
        .fault(500, "ter:ActionNotSupported");
    let device = call(&camera, DEVICE, "GetDeviceInformation", "").await.ok();
    assert_eq!(device.value("tds:SerialNumber"), "VC00000000");
    let time = call(&camera, DEVICE, "GetSystemDateAndTime", "").await.ok();
    let year: i16 = time.value("tt:Year").parse().unwrap();
    assert!(jiff::Zoned::now().year() - year >= 19);

    camera.set_quirks(Quirks::default());
    call(&camera, DEVICE, "GetServices", "").await.ok();
    let time = call(&camera, DEVICE, "GetSystemDateAndTime", "").await.ok();
    let year: i16 = time.value("tt:Year").parse().unwrap();
    assert!(jiff::Zoned::now().year() - year <= 1);
}

#[tokio::test]
async fn quirks_of_authentication_and_channels_change_too() {
    let builder = builder().credentials("admin", "secret");
    let camera = builder.start().await.unwrap();
    let challenges = || async {
        let reply = call(&camera, DEVICE, "GetScopes", "").await;
        assert_eq!(reply.status, 401);
        let headers = reply.headers.into_iter();
        let challenges = headers.filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
        challenges.map(|(_, value)| value).collect::<Vec<_>>()
    };
    assert_eq!(challenges().await.len(), 2);
    let mut quirks = Quirks::default();
    quirks.set("digest_algorithms", r#"["md5"]"#).unwrap();
    quirks.set("nvr_channels", "3").unwrap();
    camera.set_quirks(quirks.clone());
    assert_eq!(camera.quirks(), quirks);
    let only = challenges().await;
    assert!(only.len() == 1 && only[0].contains("MD5"), "{only:?}");

    let token = username_token("admin", "secret", "n1");
    let body = envelope(&token, MEDIA, "GetProfiles", "");
    let profiles = send("POST", &service_url(&camera, MEDIA), &[], &body).await;
    assert_eq!(profiles.ok().text().matches("<trt:Profiles ").count(), 6);
}

#[tokio::test]
async fn a_crashed_camera_answers_again_when_the_switch_is_off() {
    let camera = camera_with(Quirks {
        crash_above_rps: Some(0),
        ..Quirks::default()
    })
    .await;
    let device = camera.device_url();
    let body = envelope("", DEVICE, "GetScopes", "");
    let silent = send("POST", &device, &[], &body);
    let silent = tokio::time::timeout(std::time::Duration::from_millis(200), silent);
    assert!(silent.await.is_err());
    camera.set_quirks(Quirks::default());
    call(&camera, DEVICE, "GetScopes", "").await.ok();
}

#[tokio::test]
async fn quirks_are_read_set_and_changed_over_http() {
    let camera = open_camera().await;
    let (status, quirks) = control(&camera, "GET", "quirks", "").await;
    assert_eq!((status, &quirks["no_renew"]), (200, &json!(false)));

    let change = r#"{"no_renew":true,"bad_datetime":"spaces","reject_wsa_on":["ptz"]}"#;
    let (status, quirks) = control(&camera, "PATCH", "quirks", change).await;
    assert_eq!((status, &quirks["no_renew"]), (200, &json!(true)));
    control(
        &camera,
        "PATCH",
        "quirks",
        r#"{"max_subs":2,"no_renew":null}"#,
    )
    .await;
    let expected = Quirks {
        bad_datetime: Some(virtual_camera::BadDateTime::Spaces),
        reject_wsa_on: vec!["ptz".to_owned()],
        max_subs: Some(2),
        ..Quirks::default()
    };
    assert_eq!(camera.quirks(), expected);

    let (status, _) = control(&camera, "PUT", "quirks", r#"{"no_renew":true}"#).await;
    assert_eq!(status, 200);
    assert_eq!(camera.quirks().to_string(), "no_renew=true");
    let (status, _) = control(&camera, "POST", "quirks/reolink", "{}").await;
    assert_eq!(status, 200);
    assert!(camera.quirks().no_renew && camera.quirks().require_wsa);

    for (method, path, body) in [
        ("PATCH", "quirks", r#"{"no_such":true}"#),
        ("PATCH", "quirks", r#"{"no_renew":"maybe"}"#),
        ("POST", "quirks/no-such", "{}"),
    ] {
        let (status, answer) = control(&camera, method, path, body).await;
        assert_eq!(status, 400);
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains("no_") || error.contains("no-"), "{error}");
    }
}

#[tokio::test]
async fn any_event_and_every_switch_is_reported() {
    let camera = open_camera().await;
    let subscription = pull_point(&camera).await;
    pulled(&subscription).await;
    let visitor = r#"{"topic":"tns1:RuleEngine/MyRuleDetector/Visitor","operation":"Changed",
        "source":{"Source":"video_source"},"key":{"Door":"7"},"data":{"State":"true"}}"#;
    for (path, body) in [
        ("events", visitor),
        ("motion", r#"{"active":true}"#),
        ("digital-input", r#"{"active":true}"#),
        ("tamper", r#"{"active":true}"#),
        ("relays/relay_2", r#"{"active":true}"#),
    ] {
        assert_eq!(control(&camera, "POST", path, body).await.0, 204, "{path}");
    }
    let text = pulled(&subscription).await;
    for expected in [
        "tns1:RuleEngine/MyRuleDetector/Visitor",
        r#"Name="Door" Value="7""#,
        "tns1:VideoSource/MotionAlarm",
        "tns1:Device/Trigger/DigitalInput",
        "tns1:VideoSource/GlobalSceneChange/ImagingService",
        "tns1:Device/Trigger/Relay",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let (_, relays) = control(&camera, "GET", "relays", "").await;
    assert_eq!(relays, json!({"relay_1": false, "relay_2": true}));
    let (status, _) = control(&camera, "POST", "relays/no_such", r#"{"active":true}"#).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn requests_are_told_in_order_with_who_asked_and_what_came_of_it() {
    let builder = builder().credentials("admin", "secret");
    let camera = builder.start().await.unwrap();
    call(&camera, DEVICE, "GetServices", "").await.ok();
    call(&camera, DEVICE, "GetScopes", "").await;
    let token = username_token("admin", "wrong", "n1");
    let body = envelope(&token, DEVICE, "GetScopes", "");
    send("POST", &camera.device_url(), &[], &body).await;
    send("GET", &camera.snapshot_url(), &[], "").await;

    let requests = camera.requests();
    let told = requests.iter().map(|request| {
        let user = request.credentials.as_ref().map(|seen| seen.user.as_str());
        (request.operation.as_str(), request.status, user)
    });
    let expected = [
        ("GetServices", Some(200), None),
        ("GetScopes", Some(401), None),
        ("GetScopes", Some(400), Some("admin")),
        ("snapshot", Some(401), None),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(requests[0].peer.is_loopback());
    assert!(requests.is_sorted_by_key(|request| (request.at, request.number)));

    let observed = camera.observed();
    let [seen] = observed.credentials.as_slice() else {
        panic!("{observed:?}");
    };
    let host = camera.device_url();
    let host = format!("{}:{}", host.host_str().unwrap(), host.port().unwrap());
    assert_eq!((&seen.host, seen.requests), (&host, 1));
    assert_eq!(seen.credentials.scheme, CredentialScheme::UsernameToken);

    let (_, told) = control(&camera, "GET", "requests", "").await;
    assert_eq!(told[2]["credentials"]["user"], "admin");
    assert!(!told.to_string().contains("wrong"));
    let (_, told) = control(&camera, "GET", "observed", "").await;
    assert_eq!(told["credentials"][0]["scheme"], "username-token");

    assert_eq!(control(&camera, "DELETE", "observed", "").await.0, 204);
    assert!(camera.requests().is_empty() && camera.observed().operations.is_empty());
}

#[tokio::test]
async fn the_way_of_the_head_is_told() {
    let camera = open_camera().await;
    let position = "<ProfileToken>main</ProfileToken><Position>\
        <tt:PanTilt x='0.5' y='-0.5'/><tt:Zoom x='0.25'/></Position>";
    call(&camera, PTZ, "AbsoluteMove", position).await.ok();
    let arrived = async {
        while camera.is_moving() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), arrived)
        .await
        .expect("the head arrives");
    let path = camera.ptz_path();
    let (first, last) = (path[0], path[path.len() - 1]);
    assert_eq!((first.position.pan, last.position.pan), (0.0, 0.5));
    assert!(path.is_sorted_by_key(|point| point.at) && path.len() >= 3);

    let (_, told) = control(&camera, "GET", "ptz", "").await;
    assert_eq!(told["position"]["zoom"], 0.25);
    assert_eq!(told["moving"], false);
    assert_eq!(told["path"][0]["pan"], 0.0);
    camera.reset_observed();
    assert_eq!(camera.ptz_path().len(), 1);
}
