//! Users that clients make: they log in, may do what their level allows, and are locked out where the camera is strict.

use virtual_camera::{AuthScheme, Quirks, VirtualCamera};

use crate::client::{
    DEVICE, DEVICE_IO, EVENTS, IMAGING, MEDIA, MEDIA2, PTZ, Reply, builder, call, digest, envelope,
    send, service_url, username_token,
};

const GUEST: &str = "<User><tt:Username>guest</tt:Username><tt:Password>pass</tt:Password>\
    <tt:UserLevel>User</tt:UserLevel></User>";

async fn protected(quirks: Quirks) -> VirtualCamera {
    let builder = builder().credentials("admin", "secret").quirks(quirks);
    builder.start().await.unwrap()
}

async fn ask(
    camera: &VirtualCamera,
    (user, password): (&str, &str),
    namespace: &str,
    operation: &str,
    content: &str,
) -> Reply {
    let nonce = camera.observed().requests_with_credentials.to_string();
    let token = username_token(user, password, &nonce);
    let body = envelope(&token, namespace, operation, content);
    send("POST", &service_url(camera, namespace), &[], &body).await
}

async fn as_admin(camera: &VirtualCamera, operation: &str, content: &str) -> Reply {
    ask(camera, ("admin", "secret"), DEVICE, operation, content).await
}

#[tokio::test]
async fn a_user_that_was_created_logs_in_until_it_is_deleted() {
    let camera = protected(Quirks::default()).await;
    let guest = ("guest", "pass");
    let look = |who| ask(&camera, who, DEVICE, "GetScopes", "");

    look(guest).await.fault(400, "ter:NotAuthorized");
    as_admin(&camera, "CreateUsers", GUEST).await.ok();
    look(guest).await.ok();
    look(("guest", "secret"))
        .await
        .fault(400, "ter:NotAuthorized");

    let changed = GUEST.replace("pass<", "other<");
    as_admin(&camera, "SetUser", &changed).await.ok();
    look(guest).await.fault(400, "ter:NotAuthorized");
    look(("guest", "other")).await.ok();

    let name = "<Username>guest</Username>";
    as_admin(&camera, "DeleteUsers", name).await.ok();
    look(("guest", "other"))
        .await
        .fault(400, "ter:NotAuthorized");
}

#[tokio::test]
async fn a_user_that_was_created_logs_in_with_digest_and_sees_the_snapshot() {
    let camera = protected(Quirks::default()).await;
    as_admin(&camera, "CreateUsers", GUEST).await.ok();

    let url = camera.snapshot_url();
    let refused = send("GET", &url, &[], "").await;
    let challenge = refused.header("www-authenticate").unwrap();
    let answer = digest(challenge, "GET", url.path(), "guest", "pass");
    let reply = send("GET", &url, &[("Authorization", &answer)], "").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn each_level_may_do_what_the_specification_says() {
    let camera = protected(Quirks::default()).await;
    as_admin(&camera, "CreateUsers", GUEST).await.ok();
    let operator = GUEST
        .replace("guest", "guard")
        .replace(">User<", ">Operator<");
    as_admin(&camera, "CreateUsers", &operator).await.ok();

    // Least level first.
    let calls = [
        (DEVICE, "GetDeviceInformation", 0),
        (MEDIA, "GetProfiles", 0),
        (MEDIA2, "GetProfiles", 0),
        (EVENTS, "CreatePullPointSubscription", 0),
        (PTZ, "GetNodes", 0),
        (DEVICE_IO, "GetDigitalInputs", 0),
        (PTZ, "Stop", 1),
        (IMAGING, "SetImagingSettings", 1),
        (MEDIA2, "CreateProfile", 1),
        (DEVICE, "SetRelayOutputState", 1),
        (DEVICE, "GetUsers", 2),
        (DEVICE, "GetSystemLog", 2),
        (DEVICE, "SetScopes", 2),
        (DEVICE, "CreateUsers", 2),
        (DEVICE, "SystemReboot", 2),
    ];
    let users = [("guest", "pass"), ("guard", "pass"), ("admin", "secret")];
    for (namespace, operation, least) in calls {
        for (level, user) in users.into_iter().enumerate() {
            let reply = ask(&camera, user, namespace, operation, "").await;
            let refused = reply.text().contains("ter:NotAuthorized");
            assert_eq!(refused, level < least, "{operation} as {user:?}");
            if refused {
                assert_eq!(reply.status, 400, "{operation} as {user:?}");
            }
        }
    }
    assert_eq!(camera.observed().authentication_failures, 0);
}

#[tokio::test]
async fn who_brings_digest_and_token_has_to_be_right_twice() {
    let camera = protected(Quirks::default()).await;
    let url = service_url(&camera, DEVICE);
    for (password, status) in [("secret", 200), ("wrong", 400)] {
        let refused = call(&camera, DEVICE, "GetScopes", "").await;
        let challenge = refused.header("www-authenticate").unwrap();
        let answer = digest(challenge, "POST", url.path(), "admin", "secret");
        let token = username_token("admin", password, password);
        let body = envelope(&token, DEVICE, "GetScopes", "");
        let reply = send("POST", &url, &[("Authorization", &answer)], &body).await;
        assert_eq!(reply.status, status, "{password}");
    }
}

#[tokio::test]
async fn a_strict_camera_locks_a_user_out_and_no_other() {
    let camera = protected(Quirks {
        lockout_after: Some(3),
        ..Default::default()
    })
    .await;
    as_admin(&camera, "CreateUsers", GUEST).await.ok();
    let look = |who| ask(&camera, who, DEVICE, "GetScopes", "");

    for _ in 0..3 {
        look(("guest", "wrong"))
            .await
            .fault(400, "ter:NotAuthorized");
    }
    look(("guest", "pass"))
        .await
        .fault(400, "ter:NotAuthorized");
    look(("admin", "secret")).await.ok();
    // Another password lifts the lock.
    as_admin(&camera, "SetUser", &GUEST.replace("pass<", "new<"))
        .await
        .ok();
    look(("guest", "new")).await.ok();
}

#[tokio::test]
async fn only_a_hard_reset_forgets_the_users() {
    let camera = protected(Quirks::default()).await;
    as_admin(&camera, "CreateUsers", GUEST).await.ok();
    for (kind, users) in [("Soft", 2), ("Hard", 1)] {
        let kind = format!("<FactoryDefault>{kind}</FactoryDefault>");
        as_admin(&camera, "SetSystemFactoryDefault", &kind)
            .await
            .ok();
        let reply = as_admin(&camera, "GetUsers", "").await.ok();
        assert_eq!(reply.values("tt:Username").len(), users);
    }
}

#[tokio::test]
async fn a_camera_without_a_configured_user_stays_open() {
    let camera = builder().auth(AuthScheme::Either).start().await.unwrap();
    call(&camera, DEVICE, "CreateUsers", GUEST).await.ok();
    let reply = call(&camera, DEVICE, "GetUsers", "").await.ok();
    assert_eq!(reply.values("tt:Username"), ["guest"]);
}
