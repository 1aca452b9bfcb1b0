//! Addresses that a camera hands out.

use onvif_core::UriPolicy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// C17.
#[tokio::test]
async fn addresses_with_white_space_and_bare_ampersands_are_repaired() {
    let quirks = Quirks {
        text_padding: true,
        uri_raw_amp: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
    let uri = camera.media().snapshot_uri(&"main".into()).await.unwrap();
    assert_eq!(uri.query(), Some("channel=1&subtype=0"));
}

/// C18, D-Link.
#[tokio::test]
async fn addresses_without_brackets_and_with_two_ports_are_repaired() {
    for (uri_bad_ipv6, double_port) in [(true, false), (false, true)] {
        let quirks = Quirks {
            uri_bad_ipv6,
            double_port,
            ..Quirks::default()
        };
        let target = start(AuthScheme::Either, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0);
    }
}

/// C19, Yi and Dafang, and any camera behind NAT.
#[tokio::test]
async fn addresses_of_another_network_lead_to_the_configured_one() {
    let quirks = Quirks {
        advertised_host: Some("10.99.99.99".into()),
        advertised_port: Some(81),
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target)
        .uri_policy(UriPolicy::RewriteHostAndPort)
        .connect()
        .await
        .unwrap();
    assert_eq!(use_services(&camera, &target).await, 0);
    see_an_event(&camera, &target).await;
}

/// C20, port forwarding: nothing listens on the ports that the camera names.
#[tokio::test]
async fn a_port_where_nobody_listens_is_left_for_that_of_the_device() {
    let closed = closed_port().await;
    for quirks in [
        Quirks {
            subscription_port: Some(closed),
            ..Quirks::default()
        },
        Quirks {
            advertised_port: Some(closed),
            ..Quirks::default()
        },
    ] {
        let target = start(AuthScheme::Digest, quirks).await;
        let camera = client(&target).connect().await.unwrap();
        assert_eq!(use_services(&camera, &target).await, 0);
        see_an_event(&camera, &target).await;
    }
}

/// C20, where something else listens on that port.
#[tokio::test]
async fn a_port_where_a_web_server_listens_is_left_for_that_of_the_device() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 16_384];
            let _ = stream.read(&mut buffer).await;
            heard.send(()).unwrap();
            let page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>";
            let _ = stream.write_all(page).await;
        }
    });
    let quirks = Quirks {
        subscription_port: Some(port),
        ..Quirks::default()
    };
    let target = start(AuthScheme::UsernameToken, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    see_an_event(&camera, &target).await;
    see_an_event(&camera, &target).await;
    assert!(hears.recv().await.is_some());
    assert!(hears.try_recv().is_err(), "it is remembered");
}

async fn closed_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// C21, Tapo.
#[tokio::test]
async fn one_address_for_all_services_is_enough() {
    let quirks = Quirks {
        single_endpoint: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    for service in [Service::Media, Service::Ptz, Service::Events] {
        let address = camera.services().get(service).unwrap();
        assert_eq!(address.path(), "/onvif/service");
    }
    assert_eq!(use_services(&camera, &target).await, 0);
    see_an_event(&camera, &target).await;
}

/// C22, Axis and Panasonic.
#[tokio::test]
async fn services_are_found_without_get_services_and_without_their_capabilities() {
    let quirks = Quirks {
        no_get_services: true,
        no_service_capabilities: true,
        ..Quirks::default()
    };
    let target = start(AuthScheme::Either, quirks).await;
    let camera = client(&target).connect().await.unwrap();
    for service in [Service::Media, Service::Ptz, Service::Events] {
        assert!(camera.services().has(service), "{service}");
    }
    assert_eq!(use_services(&camera, &target).await, 0);
}
