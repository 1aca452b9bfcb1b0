use crate::client::{DEVICE, MEDIA, builder, call, envelope, open_camera, send, service_url};

#[tokio::test]
async fn services_are_listed_with_addresses_and_capabilities() {
    let camera = open_camera().await;
    let reply = call(
        &camera,
        DEVICE,
        "GetServices",
        "<IncludeCapability>true</IncludeCapability>",
    )
    .await
    .ok();

    let addresses = reply.values("tds:XAddr");
    assert_eq!(addresses.len(), 8);
    assert!(addresses.contains(&camera.device_url().as_str()));
    // One around each service's own, and the Device service's own has the same name.
    assert_eq!(reply.text().matches("<tds:Capabilities>").count(), 8 + 1);
    assert_eq!(
        reply.header("content-type"),
        Some("application/soap+xml; charset=utf-8")
    );
}

#[tokio::test]
async fn capabilities_can_be_asked_for_one_by_one() {
    let camera = open_camera().await;
    for (category, addresses) in [("PTZ", 1), ("Analytics", 1), ("All", 7)] {
        let category = format!("<Category>{category}</Category>");
        let reply = call(&camera, DEVICE, "GetCapabilities", &category).await;
        assert_eq!(reply.ok().values("tt:XAddr").len(), addresses, "{category}");
    }

    call(
        &camera,
        DEVICE,
        "GetCapabilities",
        "<Category>Display</Category>",
    )
    .await
    .fault(500, "ter:NoSuchService");
}

#[tokio::test]
async fn the_name_is_in_scopes_and_hostname() {
    let camera = builder()
        .name("north gate")
        .serial("S-1")
        .start()
        .await
        .unwrap();

    let scopes = call(&camera, DEVICE, "GetScopes", "").await.ok();
    assert!(
        scopes
            .values("tt:ScopeItem")
            .contains(&"onvif://www.onvif.org/name/north%20gate")
    );
    let hostname = call(&camera, DEVICE, "GetHostname", "").await.ok();
    assert_eq!(hostname.value("tt:Name"), "north-gate");
    let information = call(&camera, DEVICE, "GetDeviceInformation", "").await.ok();
    assert_eq!(information.value("tds:SerialNumber"), "S-1");
}

#[tokio::test]
async fn the_clock_can_be_set() {
    let camera = open_camera().await;
    let time = "<DateTimeType>Manual</DateTimeType><DaylightSavings>false</DaylightSavings><UTCDateTime>\
        <tt:Time><tt:Hour>1</tt:Hour><tt:Minute>2</tt:Minute><tt:Second>3</tt:Second></tt:Time>\
        <tt:Date><tt:Year>2031</tt:Year><tt:Month>4</tt:Month><tt:Day>5</tt:Day></tt:Date></UTCDateTime>";

    call(&camera, DEVICE, "SetSystemDateAndTime", time)
        .await
        .ok();
    let reply = call(&camera, DEVICE, "GetSystemDateAndTime", "").await.ok();
    assert_eq!(
        (reply.value("tt:Year"), reply.value("tt:Hour")),
        ("2031", "1")
    );
    call(
        &camera,
        DEVICE,
        "SetSystemDateAndTime",
        &time.replace(">4<", ">13<"),
    )
    .await
    .fault(400, "ter:InvalidDateTime");
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let camera = open_camera().await;

    call(&camera, DEVICE, "GetCertificates", "")
        .await
        .fault(500, "ter:ActionNotSupported");
    // A Media operation at the Device service's address.
    let body = envelope("", MEDIA, "GetProfiles", "");
    let reply = send("POST", &service_url(&camera, DEVICE), &[], &body).await;
    reply.fault(500, "ter:ActionNotSupported");
    let nonsense = send("POST", &camera.device_url(), &[], "<nonsense").await;
    nonsense.fault(400, "ter:WellFormed");
    assert_eq!(
        send(
            "POST",
            &camera.device_url().join("/onvif/other").unwrap(),
            &[],
            ""
        )
        .await
        .status,
        404
    );
}

#[tokio::test]
async fn a_request_of_more_than_a_mebibyte_is_refused() {
    let camera = open_camera().await;
    let body = envelope("", DEVICE, "GetUsers", &" ".repeat(1024 * 1024));
    assert_eq!(
        send("POST", &camera.device_url(), &[], &body).await.status,
        413
    );
}

#[tokio::test]
async fn operations_are_counted_by_name() {
    let camera = open_camera().await;
    for _ in 0..3 {
        call(&camera, DEVICE, "GetUsers", "").await.ok();
    }
    assert_eq!(camera.observed().count("GetUsers"), 3);
    assert_eq!(camera.observed().count("GetDNS"), 0);
}

#[tokio::test]
async fn a_stopped_camera_refuses_connections() {
    let camera = open_camera().await;
    let url = camera.device_url();
    camera.stop().await;

    let connected = tokio::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).await;
    assert!(connected.is_err());
}
