//! What stands around SOAP.

use crate::client::{DEVICE, call, open_camera, send};

#[tokio::test]
async fn headers_are_written_in_the_case_that_simple_clients_look_for() {
    let camera = open_camera().await;
    let reply = call(&camera, DEVICE, "GetScopes", "").await.ok();
    let names = reply.headers.iter().map(|(name, _)| name.as_str());
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"Content-Length"), "{names:?}");
    assert!(names.contains(&"Content-Type"), "{names:?}");
}

#[tokio::test]
async fn services_are_posted_to_and_the_rest_is_not_there() {
    let camera = open_camera().await;
    let reply = send("GET", &camera.device_url(), &[], "").await;
    assert_eq!((reply.status, reply.header("Allow")), (405, Some("POST")));
    let elsewhere = camera.device_url().join("/other").unwrap();
    assert_eq!(send("GET", &elsewhere, &[], "").await.status, 404);
}
