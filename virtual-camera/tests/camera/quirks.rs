use virtual_camera::Quirks;

use crate::client::{DEVICE, EVENTS, MEDIA, builder, call, camera_with, send};

#[tokio::test]
async fn the_clock_can_be_wrong() {
    let camera = camera_with(Quirks {
        clock_offset: -20 * 365 * 86_400,
        ..Quirks::default()
    })
    .await;
    let reply = call(&camera, DEVICE, "GetSystemDateAndTime", "").await.ok();
    let year: i16 = reply.value("tt:Year").parse().unwrap();
    assert!(jiff::Zoned::now().year() - year >= 19);
}

#[tokio::test]
async fn faults_can_come_with_status_200() {
    let camera = camera_with(Quirks {
        fault_http_200: true,
        ..Quirks::default()
    })
    .await;
    call(&camera, DEVICE, "Nonsense", "")
        .await
        .fault(200, "ter:ActionNotSupported");
}

#[tokio::test]
async fn a_prefix_can_be_undeclared() {
    let camera = camera_with(Quirks {
        undeclared_prefix: true,
        ..Quirks::default()
    })
    .await;
    let reply = call(&camera, EVENTS, "CreatePullPointSubscription", "")
        .await
        .ok();
    assert!(reply.text().contains("<wsa:Address>"));
    assert!(!reply.text().contains("xmlns:wsa="));
}

#[tokio::test]
async fn addresses_can_be_padded() {
    let camera = camera_with(Quirks {
        text_padding: true,
        ..Quirks::default()
    })
    .await;
    let reply = call(&camera, DEVICE, "GetServices", "").await.ok();
    let address = reply.value("tds:XAddr");
    assert!(
        address.starts_with('\n') && address.ends_with(' '),
        "{address:?}"
    );
    assert_eq!(address.trim(), camera.device_url().as_str());
}

#[tokio::test]
async fn every_address_can_name_another_host() {
    let quirks = Quirks {
        advertised_host: Some("192.0.2.1".to_owned()),
        ..Quirks::default()
    };
    let camera = camera_with(quirks).await;
    let token = "<ProfileToken>main</ProfileToken>";
    let services = call(&camera, DEVICE, "GetServices", "").await.ok();
    let snapshot = call(&camera, MEDIA, "GetSnapshotUri", token).await.ok();
    let subscription = call(&camera, EVENTS, "CreatePullPointSubscription", "")
        .await
        .ok();
    for address in [
        services.value("tds:XAddr"),
        snapshot.value("tt:Uri"),
        subscription.value("wsa:Address"),
    ] {
        assert!(address.starts_with("http://192.0.2.1:"), "{address}");
    }
}

#[tokio::test]
async fn a_pull_can_return_at_once() {
    let camera = camera_with(Quirks {
        pull_immediate: true,
        ..Quirks::default()
    })
    .await;
    let reply = call(&camera, EVENTS, "CreatePullPointSubscription", "")
        .await
        .ok();
    let url = url::Url::parse(reply.value("wsa:Address")).unwrap();
    let pull = "<Timeout>PT60S</Timeout><MessageLimit>10</MessageLimit>";
    let body = crate::client::envelope("", EVENTS, "PullMessages", pull);
    for _ in 0..2 {
        // Within the client's deadline, which is shorter than the timeout of the pull.
        send("POST", &url, &[], &body).await.ok();
    }
}

#[tokio::test]
async fn get_services_can_be_missing() {
    let camera = camera_with(Quirks {
        no_get_services: true,
        ..Quirks::default()
    })
    .await;
    call(&camera, DEVICE, "GetServices", "")
        .await
        .fault(500, "ter:ActionNotSupported");
    call(&camera, DEVICE, "GetCapabilities", "").await.ok();
}

#[tokio::test]
async fn the_termination_time_can_be_required() {
    let camera = camera_with(Quirks {
        require_init_term: true,
        ..Quirks::default()
    })
    .await;
    let create = |content| call(&camera, EVENTS, "CreatePullPointSubscription", content);
    assert_eq!(create("").await.status, 500);
    create("<InitialTerminationTime>PT60S</InitialTerminationTime>")
        .await
        .ok();
}

#[tokio::test]
async fn the_time_can_need_authentication() {
    let quirks = Quirks {
        datetime_requires_auth: true,
        ..Quirks::default()
    };
    let camera = builder()
        .credentials("admin", "secret")
        .quirks(quirks)
        .start()
        .await
        .unwrap();
    call(&camera, DEVICE, "GetSystemDateAndTime", "")
        .await
        .fault(401, "ter:NotAuthorized");
}

#[tokio::test]
async fn the_snapshot_can_be_missing() {
    let camera = camera_with(Quirks {
        snapshot_404: true,
        ..Quirks::default()
    })
    .await;
    assert_eq!(
        send("GET", &camera.snapshot_url(), &[], "").await.status,
        404
    );
}
