//! Discovery by unicast on loopback: against the virtual camera, and against devices that a test plays itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::StreamExt;
use onvif_core::discovery::{Discovered, Discovery, DiscoveryError, DiscoveryOptions};
use onvif_core::{Camera, Credentials, ErrorKind};
use tokio::net::UdpSocket;
use virtual_camera::{Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);

fn unicast() -> DiscoveryOptions {
    let mut options = DiscoveryOptions::default();
    options.multicast = false;
    options.duration = Duration::from_secs(10);
    options
}

async fn camera() -> VirtualCamera {
    camera_with(Quirks::default()).await
}

async fn camera_with(quirks: Quirks) -> VirtualCamera {
    VirtualCamera::builder()
        .name("Front Door")
        .credentials("admin", "secret")
        .quirks(quirks)
        .discovery(virtual_camera::Discovery::Unicast(0))
        .start()
        .await
        .unwrap()
}

/// Asks one address until there are so many answers.
async fn find(options: DiscoveryOptions, address: SocketAddr, count: usize) -> Vec<Discovered> {
    let discovery = Discovery::new(options).probe_address(address);
    let found = discovery.start().await.unwrap().take(count).collect();
    tokio::time::timeout(DEADLINE, found).await.unwrap()
}

/// A device that answers each datagram with what `answer` makes of it.
async fn device(
    answer: impl FnMut(&str) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    device_at("127.0.0.1:0", answer).await
}

async fn device_at(
    address: &str,
    mut answer: impl FnMut(&str) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let socket = UdpSocket::bind(address).await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            for datagram in answer(std::str::from_utf8(&buffer[..length]).unwrap()) {
                socket.send_to(&datagram, peer).await.unwrap();
            }
        }
    });
    (address, task)
}

fn message_id(message: &str) -> &str {
    let start = message.find("<a:MessageID>").unwrap() + "<a:MessageID>".len();
    &message[start..start + message[start..].find('<').unwrap()]
}

fn matches(name: &str, relates_to: &str, reference: &str, xaddrs: &str) -> Vec<u8> {
    format!(
        "<s:Envelope><s:Header><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body><d:{name}es><d:{name}>\
         <a:EndpointReference><a:Address>{reference}</a:Address></a:EndpointReference><d:XAddrs>{xaddrs}</d:XAddrs>\
         </d:{name}></d:{name}es></s:Body></s:Envelope>"
    )
    .into_bytes()
}

#[tokio::test]
async fn the_camera_is_found_with_all_it_tells() {
    let target = camera().await;
    let found = find(unicast(), target.discovery_address().unwrap(), 1).await;
    assert_eq!(found[0].xaddrs[0].as_str(), target.device_url().as_str());
    assert!(found[0].answered_from(&found[0].xaddrs[0]));
    assert!(found[0].endpoint_reference.starts_with("urn:uuid:"));
    assert_eq!(found[0].name().as_deref(), Some("Front Door"));
    assert!(found[0].has_scope("onvif://www.onvif.org/Profile/T"));
    assert_eq!(target.observed().requests_with_credentials, 0);
    target.stop().await;
}

#[tokio::test]
async fn the_stream_ends_after_the_duration_with_each_camera_once() {
    let target = camera().await;
    let mut options = unicast();
    options.duration = Duration::from_millis(400);
    let start = Instant::now();
    let found = find(options, target.discovery_address().unwrap(), usize::MAX).await;
    assert_eq!(found.len(), 1);
    assert!(start.elapsed() >= Duration::from_millis(400));
    target.stop().await;
}

#[tokio::test]
async fn cameras_with_other_scopes_are_not_found() {
    let target = camera().await;
    let mut options = unicast();
    options.scopes = vec!["onvif://www.onvif.org/name/Front%20Door".to_owned()];
    let address = target.discovery_address().unwrap();
    assert_eq!(find(options.clone(), address, 1).await.len(), 1);
    options
        .scopes
        .push("onvif://www.onvif.org/location/elsewhere".to_owned());
    options.duration = Duration::from_millis(300);
    assert!(find(options, address, 1).await.is_empty());
    target.stop().await;
}

#[tokio::test]
async fn a_camera_is_resolved_by_its_reference() {
    let target = camera().await;
    let address = target.discovery_address().unwrap();
    let reference = find(unicast(), address, 1)
        .await
        .remove(0)
        .endpoint_reference;
    let resolve = |options, reference: String| async move {
        let discovery = Discovery::new(options).probe_address(address);
        discovery.resolve(&reference).await.unwrap()
    };
    let found = resolve(unicast(), reference.clone()).await.unwrap();
    assert_eq!(found.endpoint_reference, reference);
    assert_eq!(found.xaddrs[0].as_str(), target.device_url().as_str());
    let mut options = unicast();
    options.duration = Duration::from_millis(300);
    assert_eq!(resolve(options, "urn:uuid:nobody".to_owned()).await, None);
    target.stop().await;
}

#[tokio::test]
async fn a_probe_is_repeated_with_growing_pauses() {
    let (seen, mut times) = tokio::sync::mpsc::unbounded_channel();
    let (address, device) = device(move |message| {
        let _ = seen.send((Instant::now(), message_id(message).to_owned()));
        Vec::new()
    })
    .await;
    let mut options = unicast();
    options.repeats = 2;
    let mut found = Discovery::new(options)
        .probe_address(address)
        .start()
        .await
        .unwrap();
    let mut probes = Vec::new();
    while probes.len() < 9 {
        tokio::select! {
            camera = found.next() => panic!("found {camera:?}"),
            probe = times.recv() => probes.push(probe.unwrap()),
        }
    }
    // Three shapes, each with an identifier of its own that its repetitions keep.
    for shape in 0..3 {
        assert_eq!(probes[shape].1, probes[shape + 3].1);
        assert_eq!(probes[shape].1, probes[shape + 6].1);
    }
    let pauses = [probes[3].0 - probes[0].0, probes[6].0 - probes[3].0];
    assert!(pauses[0] >= Duration::from_millis(45), "{pauses:?}");
    assert!(pauses[1] >= Duration::from_millis(90), "{pauses:?}");
    device.abort();
}

#[tokio::test]
async fn garbage_and_forged_answers_do_not_end_the_search() {
    let (address, device) = device(|message| {
        let id = message_id(message);
        let good = matches(
            "ProbeMatch",
            id,
            "urn:uuid:good",
            "http://127.0.0.1/onvif/device_service",
        );
        let mut answers = vec![
            vec![0xff; 2000],
            b"<s:Envelope><s:Body>".to_vec(),
            matches(
                "ProbeMatch",
                "urn:uuid:forged",
                "urn:uuid:evil",
                "http://127.0.0.1/evil",
            ),
            b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".to_vec(),
            "<a>".repeat(20_000).into_bytes(),
            Vec::new(),
        ];
        answers.push(good);
        answers
    })
    .await;
    let mut options = unicast();
    options.duration = Duration::from_millis(500);
    let found = find(options, address, usize::MAX).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].endpoint_reference, "urn:uuid:good");
    device.abort();
}

#[tokio::test]
async fn a_camera_without_addresses_in_its_match_is_resolved() {
    let (address, device) = device(|message| {
        let (id, reference) = (message_id(message), "urn:uuid:shy");
        let answer = if message.contains("<d:Resolve>") {
            matches(
                "ResolveMatch",
                id,
                reference,
                "http://127.0.0.1/onvif/device_service",
            )
        } else {
            matches("ProbeMatch", id, reference, "")
        };
        vec![answer]
    })
    .await;
    let found = find(unicast(), address, 1).await;
    assert_eq!(found[0].endpoint_reference, "urn:uuid:shy");
    assert_eq!(found[0].xaddrs[0].path(), "/onvif/device_service");
    device.abort();
}

#[cfg(target_os = "linux")] // Elsewhere, loopback has one address.
#[tokio::test]
async fn a_flood_of_forged_answers_is_bounded_and_the_camera_is_still_found() {
    let target = camera().await;
    let mut number = 0;
    let (flooder, device) = device_at("127.77.0.1:0", move |message| {
        let id = message_id(message).to_owned();
        let mut forged = || {
            number += 1;
            matches(
                "ProbeMatch",
                &id,
                &format!("urn:uuid:{number}"),
                "http://127.0.0.1/",
            )
        };
        (0..500).map(|_| forged()).collect()
    })
    .await;
    let discovery = Discovery::new(unicast())
        .probe_address(flooder)
        .probe_address(target.discovery_address().unwrap());
    let is_ours = |camera: &Discovered| camera.name().as_deref() == Some("Front Door");
    let found = discovery.start().await.unwrap();
    let ours = found.filter(|camera| futures::future::ready(is_ours(camera)));
    let ours = tokio::time::timeout(DEADLINE, std::pin::pin!(ours).next()).await;
    assert!(ours.unwrap().is_some());
    device.abort();
    target.stop().await;
}

#[tokio::test]
async fn a_sweep_asks_every_address_and_tells_how_far_it_is() {
    // Port 3702 of these addresses of loopback is nobody's, or another test's camera: either way the sweep goes on.
    let mut options = unicast();
    options.duration = Duration::from_millis(200);
    options.addresses_per_second = 100;
    let sweep = Discovery::new(options).sweep("127.77.3.0/28".parse().unwrap());
    let mut found = sweep.start().await.unwrap();
    assert_eq!((found.progress().asked, found.progress().total), (0, 14));
    let start = Instant::now();
    let all = tokio::time::timeout(DEADLINE, async { while found.next().await.is_some() {} });
    all.await.unwrap();
    assert_eq!(found.progress().asked, 14);
    // 14 addresses at 100 a second, and the time for answers after the last of them.
    assert!(
        start.elapsed() >= Duration::from_millis(130 + 200),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn cameras_that_answer_only_some_probes_are_found() {
    for quirks in [
        Quirks {
            probe_requires_types: true,
            ..Quirks::default()
        },
        Quirks {
            probe_reject_newline: true,
            ..Quirks::default()
        },
        Quirks {
            probe_undeclared_prefix: true,
            ..Quirks::default()
        },
        Quirks {
            probe_garbage: true,
            ..Quirks::default()
        },
    ] {
        let target = camera_with(quirks.clone()).await;
        let found = find(unicast(), target.discovery_address().unwrap(), 1).await;
        assert_eq!(found[0].name().as_deref(), Some("Front Door"), "{quirks:?}");
        assert_eq!(found[0].types, ["NetworkVideoTransmitter", "Device"]);
        target.stop().await;
    }
}

#[tokio::test]
async fn of_several_addresses_the_one_that_works_comes_first_and_all_are_kept() {
    let target = camera_with(Quirks {
        multi_xaddrs: true,
        ..Quirks::default()
    })
    .await;
    let found = find(unicast(), target.discovery_address().unwrap(), 1).await;
    let hosts: Vec<_> = found[0]
        .xaddrs
        .iter()
        .map(|url| url.host_str().unwrap())
        .collect();
    assert_eq!(
        hosts,
        ["127.0.0.1", "127.0.0.1", "169.254.77.7", "[fe80::1]"]
    );
    assert_eq!(found[0].xaddrs[0], target.device_url());
    assert_eq!(found[0].xaddrs[1].scheme(), "https");
    target.stop().await;
}

#[tokio::test]
async fn cameras_with_the_same_serial_number_are_told_apart() {
    let quirks = Quirks {
        same_serial: true,
        ..Quirks::default()
    };
    let (one, two) = (camera_with(quirks.clone()).await, camera_with(quirks).await);
    let mut serials = Vec::new();
    for target in [&one, &two] {
        let camera =
            Camera::builder(target.device_url()).credentials(Credentials::new("admin", "secret"));
        let camera = camera.connect().await.unwrap();
        serials.push(camera.device().information().await.unwrap().serial_number);
    }
    assert_eq!(serials[0], serials[1]);
    let discovery = Discovery::new(unicast())
        .probe_address(one.discovery_address().unwrap())
        .probe_address(two.discovery_address().unwrap());
    let found = discovery.start().await.unwrap().take(2).collect::<Vec<_>>();
    let found = tokio::time::timeout(DEADLINE, found).await.unwrap();
    assert_ne!(found[0].endpoint_reference, found[1].endpoint_reference);
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_camera_that_wants_credentials_for_everything_is_found_and_says_so() {
    let target = camera_with(Quirks {
        auth_all: true,
        ..Quirks::default()
    })
    .await;
    let found = find(unicast(), target.discovery_address().unwrap(), 1)
        .await
        .remove(0);
    let connect = |credentials: Option<Credentials>| {
        let mut camera = Camera::builder(found.xaddrs[0].clone());
        if let Some(credentials) = credentials {
            camera = camera.credentials(credentials);
        }
        camera.connect()
    };
    let error = connect(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    connect(Some(Credentials::new("admin", "secret")))
        .await
        .unwrap();
    target.stop().await;
}

#[tokio::test]
async fn nobody_to_ask_and_unknown_interfaces_are_errors() {
    let error = Discovery::new(unicast()).start().await.unwrap_err();
    assert!(matches!(error, DiscoveryError::Socket(_)), "{error}");
    let mut options = DiscoveryOptions::default();
    options.interfaces = vec!["nosuch0".to_owned()];
    for result in [
        Discovery::new(options.clone()).start().await.map(drop),
        Discovery::new(options).watch().await.map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(
            matches!(error, DiscoveryError::NoSuchInterface(_)),
            "{error}"
        );
    }
}
