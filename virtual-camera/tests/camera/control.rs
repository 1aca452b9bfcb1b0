use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
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

#[cfg(target_os = "linux")]
#[tokio::test]
async fn another_address_is_asked_for_over_http() {
    const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);
    let camera = open_camera().await;
    let url = camera.device_url().join("/control/move").unwrap();
    let json = [("Content-Type", "application/json")];
    let nowhere = send("POST", &url, &json, r#"{"address":"203.0.113.9"}"#).await;
    assert_eq!(nowhere.status, 409);
    assert!(nowhere.text().contains("203.0.113.9"));
    assert_eq!(camera.device_url().port(), url.port());

    let mut connected = TcpStream::connect((Ipv4Addr::LOCALHOST, url.port().unwrap()))
        .await
        .unwrap();
    let there = format!(r#"{{"address":"{OTHER}"}}"#);
    assert_eq!(send("POST", &url, &json, &there).await.status, 204);
    let moved = camera.device_url();
    assert_eq!(moved.host_str(), Some("127.0.0.11"));
    assert_eq!(moved.port(), url.port());
    assert_eq!(camera.stream_url(0).host_str(), Some("127.0.0.11"));
    let observed = moved.join("/control/observed").unwrap();
    send("GET", &observed, &[], "").await.ok();
    // Whoever was connected is cut.
    let end = timeout(Duration::from_secs(20), connected.read_u8()).await;
    assert!(end.unwrap().is_err());
}

#[tokio::test]
async fn the_end_of_rtsp_sessions_is_asked_for_over_http() {
    let camera = open_camera().await;
    let stream = camera.stream_url(0);
    let mut connected = TcpStream::connect((stream.host_str().unwrap(), stream.port().unwrap()))
        .await
        .unwrap();
    let options = format!("OPTIONS {stream} RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    connected.write_all(options.as_bytes()).await.unwrap();
    assert_eq!(connected.read_u8().await.unwrap(), b'R');
    let url = camera.device_url().join("/control/end-rtsp-sessions");
    let json = [("Content-Type", "application/json")];
    let reply = send("POST", &url.unwrap(), &json, "{}").await;
    assert_eq!(reply.status, 204);
    let mut rest = Vec::new();
    let end = timeout(Duration::from_secs(20), connected.read_to_end(&mut rest)).await;
    end.unwrap().unwrap();
}
