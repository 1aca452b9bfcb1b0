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
