use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::client::{IMAGING, MEDIA, MEDIA2, call, open_camera};

const SETUP: &str = "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>\
    </tt:Transport></StreamSetup>";

#[tokio::test]
async fn there_are_two_profiles_in_both_media_services() {
    let camera = open_camera().await;

    let first = call(&camera, MEDIA, "GetProfiles", "").await.ok();
    assert_eq!(first.text().matches("<trt:Profiles ").count(), 2);
    let second = call(&camera, MEDIA2, "GetProfiles", "<Type>All</Type>")
        .await
        .ok();
    assert_eq!(second.values("tr2:Name"), ["main", "sub"]);
    assert_eq!(second.text().matches("<tr2:PTZ ").count(), 2);
    let bare = call(&camera, MEDIA2, "GetProfiles", "<Token>sub</Token>")
        .await
        .ok();
    assert_eq!(bare.values("tr2:Name"), ["sub"]);
    assert!(!bare.text().contains("tr2:Configurations"));
}

#[tokio::test]
async fn stream_and_snapshot_addresses_are_the_cameras_own() {
    let camera = open_camera().await;
    for (index, profile) in ["main", "sub"].into_iter().enumerate() {
        let token = format!("<ProfileToken>{profile}</ProfileToken>");
        let stream = call(&camera, MEDIA, "GetStreamUri", &format!("{SETUP}{token}"))
            .await
            .ok();
        assert_eq!(stream.value("tt:Uri"), camera.stream_url(index).as_str());
        let protocol = format!("<Protocol>RtspUnicast</Protocol>{token}");
        let stream = call(&camera, MEDIA2, "GetStreamUri", &protocol).await.ok();
        assert_eq!(stream.value("tr2:Uri"), camera.stream_url(index).as_str());
        let snapshot = call(&camera, MEDIA2, "GetSnapshotUri", &token).await.ok();
        assert_eq!(snapshot.value("tr2:Uri"), camera.snapshot_url().as_str());
    }
}

#[tokio::test]
async fn unknown_tokens_and_transports_are_refused() {
    let camera = open_camera().await;

    call(
        &camera,
        MEDIA,
        "GetProfile",
        "<ProfileToken>&lt;x></ProfileToken>",
    )
    .await
    .fault(400, "ter:NoProfile");
    call(
        &camera,
        MEDIA2,
        "GetSnapshotUri",
        "<ProfileToken>x</ProfileToken>",
    )
    .await
    .fault(400, "ter:NoProfile");
    call(
        &camera,
        MEDIA2,
        "GetVideoEncoderConfigurations",
        "<ConfigurationToken>x</ConfigurationToken>",
    )
    .await
    .fault(400, "ter:NoConfig");
    let multicast = SETUP.replace("Unicast", "Multicast");
    let request = format!("{multicast}<ProfileToken>main</ProfileToken>");
    call(&camera, MEDIA, "GetStreamUri", &request)
        .await
        .fault(400, "ter:InvalidStreamSetup");
    call(&camera, MEDIA, "GetStreamUri", SETUP)
        .await
        .fault(400, "ter:InvalidArgs");
}

#[tokio::test]
async fn imaging_settings_are_kept() {
    let camera = open_camera().await;
    let source = "<VideoSourceToken>video_source</VideoSourceToken>";
    let set = |value: &str| {
        format!("{source}<ImagingSettings><tt:Brightness>{value}</tt:Brightness></ImagingSettings>")
    };

    call(&camera, IMAGING, "SetImagingSettings", &set("75.5"))
        .await
        .ok();
    let reply = call(&camera, IMAGING, "GetImagingSettings", source)
        .await
        .ok();
    assert_eq!(
        (reply.value("tt:Brightness"), reply.value("tt:Contrast")),
        ("75.5", "50")
    );
    for value in ["101", "NaN", "x"] {
        call(&camera, IMAGING, "SetImagingSettings", &set(value))
            .await
            .fault(400, "ter:SettingsInvalid");
    }
    call(
        &camera,
        IMAGING,
        "GetOptions",
        "<VideoSourceToken>x</VideoSourceToken>",
    )
    .await
    .fault(400, "ter:NoSource");
}

#[tokio::test]
async fn the_stream_is_served_where_its_address_says() {
    let camera = open_camera().await;
    let url = camera.stream_url(0);
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", url.port().unwrap()))
        .await
        .unwrap();
    let request = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();

    let mut lines = BufReader::new(stream).lines();
    let first = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
    let first = first.unwrap().unwrap().unwrap();
    assert!(first.starts_with("RTSP/1.0 200 "), "{first}");
}
