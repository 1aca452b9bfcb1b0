use virtual_camera::{AuthScheme, VirtualCamera};

use crate::client::{
    DEVICE, Reply, builder, call, digest, envelope, send, service_url, username_token,
};

async fn protected() -> VirtualCamera {
    builder()
        .credentials("admin", "secret")
        .start()
        .await
        .unwrap()
}

async fn with_token(camera: &VirtualCamera, password: &str, nonce: &str) -> Reply {
    let token = username_token("admin", password, nonce);
    let body = envelope(&token, DEVICE, "GetDeviceInformation", "");
    send("POST", &service_url(camera, DEVICE), &[], &body).await
}

async fn with_digest(camera: &VirtualCamera, password: &str) -> Reply {
    let first = call(camera, DEVICE, "GetUsers", "")
        .await
        .fault(401, "ter:NotAuthorized");
    let challenge = first.header("www-authenticate").unwrap();
    let url = service_url(camera, DEVICE);
    let answer = digest(challenge, "POST", url.path(), "admin", password);
    let body = envelope("", DEVICE, "GetUsers", "");
    send("POST", &url, &[("Authorization", &answer)], &body).await
}

#[tokio::test]
async fn without_a_user_everything_is_open() {
    let camera = crate::client::open_camera().await;
    call(&camera, DEVICE, "GetUsers", "").await.ok();
}

#[tokio::test]
async fn some_operations_are_open_although_there_is_a_user() {
    let camera = protected().await;
    for operation in ["GetSystemDateAndTime", "GetWsdlUrl", "GetServices"] {
        call(&camera, DEVICE, operation, "").await.ok();
    }
    assert_eq!(camera.observed().requests_with_credentials, 0);
}

#[tokio::test]
async fn digest_lets_the_right_password_in_and_no_other() {
    let camera = protected().await;

    with_digest(&camera, "wrong")
        .await
        .fault(401, "ter:NotAuthorized");
    assert_eq!(camera.observed().authentication_failures, 1);
    let reply = with_digest(&camera, "secret").await.ok();
    assert_eq!(reply.value("tt:Username"), "admin");
    assert_eq!(camera.observed().authentication_failures, 1);
}

#[tokio::test]
async fn a_username_token_with_the_wrong_password_is_refused_and_counted() {
    let camera = protected().await;

    with_token(&camera, "wrong", "1")
        .await
        .fault(400, "ter:NotAuthorized");
    assert_eq!(camera.observed().authentication_failures, 1);
    with_token(&camera, "secret", "2").await.ok();
    assert_eq!(camera.observed().requests_with_credentials, 2);
}

#[tokio::test]
async fn a_token_can_be_used_once() {
    let camera = protected().await;
    let token = username_token("admin", "secret", "1");
    let body = envelope(&token, DEVICE, "GetDeviceInformation", "");
    let url = service_url(&camera, DEVICE);

    send("POST", &url, &[], &body).await.ok();
    send("POST", &url, &[], &body)
        .await
        .fault(400, "ter:NotAuthorized");
    assert_eq!(camera.observed().authentication_failures, 1);
}

#[tokio::test]
async fn a_camera_for_digest_only_ignores_the_username_token() {
    let camera = builder()
        .credentials("admin", "secret")
        .auth(AuthScheme::Digest)
        .start()
        .await
        .unwrap();

    with_token(&camera, "secret", "1")
        .await
        .fault(401, "ter:NotAuthorized");
    with_digest(&camera, "secret").await.ok();
}

#[tokio::test]
async fn credentials_can_change_while_the_camera_runs() {
    let camera = protected().await;
    camera.set_credentials("admin", "other");

    with_token(&camera, "secret", "1")
        .await
        .fault(400, "ter:NotAuthorized");
    with_token(&camera, "other", "2").await.ok();
    with_digest(&camera, "other").await.ok();
}

#[tokio::test]
async fn snapshots_need_digest() {
    let camera = protected().await;
    let url = camera.snapshot_url();

    let refused = send("GET", &url, &[], "").await;
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate").unwrap();
    let answer = digest(challenge, "GET", url.path(), "admin", "secret");
    let reply = send("GET", &url, &[("Authorization", &answer)], "").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("image/jpeg"))
    );
    assert_eq!(reply.body[..2], [0xff, 0xd8]);
    assert_eq!(camera.observed().snapshots, 1);
}
