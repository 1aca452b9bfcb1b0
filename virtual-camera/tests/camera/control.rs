use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{open_camera, send};

#[tokio::test]
async fn motion_can_be_raised_over_http() {
    let camera = open_camera().await;
    let url = camera.device_url().join("/control/motion").unwrap();
    let json = [("Content-Type", "application/json")];

    assert_eq!(
        send("POST", &url, &json, r#"{"active":true}"#).await.status,
        204
    );
    assert_eq!(send("POST", &url, &json, "{}").await.status, 422);
    assert_eq!(
        send("POST", &url, &[], r#"{"active":true}"#).await.status,
        415
    );
}

#[tokio::test]
async fn what_was_observed_can_be_read_over_http() {
    let camera = open_camera().await;
    let url = camera.device_url().join("/control/observed").unwrap();

    let reply = send("GET", &url, &[], "").await.ok();
    let observed: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(observed["authentication_failures"], 0);
}

#[tokio::test]
async fn a_restart_that_takes_a_while_is_asked_for_over_http() {
    let camera = open_camera().await;
    let url = camera.device_url().join("/control/reboot").unwrap();
    let json = [("Content-Type", "application/json")];
    let away = r#"{"away_ms":3600000}"#;
    assert_eq!(send("POST", &url, &json, away).await.status, 204);
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let refused = async { while TcpStream::connect((host, port)).await.is_ok() {} };
    timeout(Duration::from_secs(20), refused).await.unwrap();
}
