//! Cameras that are slow, broken, away or elsewhere: every wait ends, every error says what it is, and all heals.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use onvif_core::discovery::{Announcement, Discovered, Discovery, DiscoveryOptions};
use onvif_core::events::{EventItem, EventOptions, EventStream, Filter};
use onvif_core::{Camera, CameraBuilder, Credentials, Error, ErrorKind, TransportError};
use virtual_camera::{
    AuthScheme, Drip, FaultProxy, FaultProxyOptions, Faults, HttpJunk, LinkFaults, Quirks,
    VirtualCamera,
};

const DEADLINE: Duration = Duration::from_secs(60);
/// How long an operation may take here.
const PATIENCE: Duration = Duration::from_secs(1);
const MOTION: &str = "tns1:VideoSource/MotionAlarm";

async fn start(quirks: Quirks) -> VirtualCamera {
    VirtualCamera::builder()
        .credentials("admin", "secret")
        .auth(AuthScheme::UsernameToken)
        .quirks(quirks)
        .start()
        .await
        .unwrap()
}

fn client(target: &VirtualCamera) -> CameraBuilder {
    client_at(target.device_url().as_str())
}

fn client_at(url: &str) -> CameraBuilder {
    Camera::builder(url)
        .credentials(Credentials::new("admin", "secret"))
        .timeout(PATIENCE)
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(DEADLINE, future).await;
    waited.expect("it takes too long")
}

/// Why a camera that is spoilt from the start cannot be used.
async fn failure(target: &VirtualCamera) -> Error {
    let used = async {
        let camera = client(target).connect().await?;
        camera.device().information().await?;
        camera.media().profiles().await?;
        Ok(())
    };
    within(used).await.unwrap_err()
}

fn why(error: &Error) -> &TransportError {
    match error {
        Error::Network { source, .. } => source,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_camera_that_answers_late_is_waited_for_and_one_that_answers_too_late_is_not() {
    let late = Quirks {
        answer_delay_ms: Some(50),
        ..Quirks::default()
    };
    let target = start(late).await;
    let camera = within(client(&target).timeout(DEADLINE).connect()).await;
    let information = within(camera.unwrap().device().information()).await;
    assert!(information.unwrap().manufacturer.is_some());

    let too_late = Quirks {
        answer_delay_ms: Some(3_600_000),
        ..Quirks::default()
    };
    let error = failure(&start(too_late).await).await;
    assert!(matches!(why(&error), TransportError::Timeout(_)), "{error}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_answer_that_drips_is_cut_off_at_the_deadline() {
    let target = start(Quirks {
        drip_ms: Some(100),
        ..Quirks::default()
    })
    .await;
    let error = failure(&target).await;
    assert!(matches!(why(&error), TransportError::Timeout(_)), "{error}");
}

#[tokio::test]
async fn an_answer_without_end_is_the_fault_of_the_camera() {
    let error = failure(&junk(HttpJunk::EndlessBody).await).await;
    let why = why(&error);
    // Where the machine is too slow for so much within the time.
    let expected = matches!(
        why,
        TransportError::TooLarge(_) | TransportError::Timeout(_)
    );
    assert!(expected, "{error}");
}

#[tokio::test]
async fn a_megabyte_of_headers_is_not_read() {
    let error = failure(&junk(HttpJunk::OversizeHeaders).await).await;
    assert!(
        matches!(why(&error), TransportError::Protocol(_)),
        "{error}"
    );
    assert!(!error.is_transient());
    assert_eq!(error.kind(), ErrorKind::Misbehaved);
}

#[tokio::test]
async fn half_a_document_and_a_corrupt_one_are_the_fault_of_the_camera() {
    for kind in [HttpJunk::TruncatedXml, HttpJunk::CorruptXml] {
        let error = failure(&junk(kind).await).await;
        assert_eq!(error.kind(), ErrorKind::Misbehaved, "{kind:?}: {error}");
        let text = error.to_string();
        assert!(text.contains("127.0.0.1"), "{text}");
        assert!(text.len() < 1000, "{text}");
    }
}

async fn junk(junk: HttpJunk) -> VirtualCamera {
    start(Quirks {
        http_junk: Some(junk),
        ..Quirks::default()
    })
    .await
}

#[tokio::test]
async fn bad_cameras_do_not_hold_up_a_good_one() {
    let good = start(Quirks::default()).await;
    let bad = [
        junk(HttpJunk::EndlessBody).await,
        junk(HttpJunk::CorruptXml).await,
        start(Quirks {
            answer_delay_ms: Some(3_600_000),
            ..Quirks::default()
        })
        .await,
        start(Quirks {
            drip_ms: Some(100),
            ..Quirks::default()
        })
        .await,
    ];
    let camera = client(&good).timeout(DEADLINE).connect().await.unwrap();
    let bad = bad.iter().map(failure);
    let mut served = 0;
    let failed = within(async {
        let failing = futures::future::join_all(bad);
        let mut failing = std::pin::pin!(failing);
        let device = camera.device();
        loop {
            tokio::select! {
                biased;
                failed = &mut failing => return failed,
                information = device.information() => {
                    information.unwrap();
                    served += 1;
                }
            }
        }
    })
    .await;
    assert_eq!(failed.len(), 4);
    assert!(served > 3, "{served}");
}

fn events(camera: &Camera) -> EventStream {
    let mut options = EventOptions::default();
    options.pull_timeout = Duration::from_secs(1);
    camera.events().subscribe_with(Filter::all(), options)
}

/// Reads on until motion is told with this state, and returns what else there was.
async fn motion(events: &mut EventStream, state: &str) -> Vec<Result<EventItem, Error>> {
    let mut before = Vec::new();
    let seen = async {
        loop {
            let item = events.next().await.expect("the stream ended");
            if let Ok(EventItem::Notification(notification)) = &item
                && notification.topic == MOTION
                && notification
                    .data
                    .simple
                    .iter()
                    .any(|item| item.value == state)
            {
                return;
            }
            before.push(item);
        }
    };
    within(seen).await;
    before
}

#[tokio::test]
async fn a_camera_that_restarts_and_loses_its_clock_is_used_again_without_a_hand() {
    let target = start(Quirks {
        clock_lost_on_reboot: true,
        ..Quirks::default()
    })
    .await;
    let camera = client(&target).connect().await.unwrap();
    let mut events = events(&camera);
    motion(&mut events, "false").await;

    target.reboot_for(Duration::from_secs(2));
    let error = camera.device().information().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(error.is_transient());
    target.set_motion(true);

    let before = motion(&mut events, "true").await;
    let told = |wanted: fn(&EventItem) -> bool| before.iter().flatten().any(wanted);
    assert!(
        told(|item| matches!(item, EventItem::Resumed)),
        "{before:?}"
    );
    assert!(
        told(|item| matches!(item, EventItem::Gap { .. })),
        "{before:?}"
    );
    let information = camera.device().information().await.unwrap();
    assert!(information.manufacturer.is_some());
    // A token by the old clock is refused, and the clock looked at again.
    let offset = camera.clock_offset_ms().unwrap();
    assert!(offset < -86_400_000 * 365, "{offset}");
    assert!(target.observed().authentication_failures <= 2);
}

#[tokio::test]
async fn a_restart_while_it_is_away_takes_its_own_time() {
    let target = start(Quirks::default()).await;
    target.reboot_for(Duration::from_millis(1));
    target.reboot_for(Duration::from_secs(3600));
    let error = failure(&target).await;
    assert!(matches!(why(&error), TransportError::Connect(_)), "{error}");
}

async fn find(target: &VirtualCamera) -> Discovered {
    let mut options = DiscoveryOptions::default();
    options.multicast = false;
    let search = Discovery::new(options)
        .probe_address(target.discovery_address().unwrap())
        .start();
    let mut search = search.await.unwrap();
    within(search.next()).await.expect("nobody answers")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_camera_that_moved_is_found_by_its_reference_and_its_events_go_on() {
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .discovery(virtual_camera::Discovery::Unicast(0))
        .start()
        .await
        .unwrap();
    let before = find(&target).await;
    let camera = client(&target).connect().await.unwrap();
    camera.device().information().await.unwrap();

    // All of 127.0.0.0/8 is this machine.
    target
        .move_to(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9)))
        .unwrap();
    let error = within(async {
        loop {
            match camera.device().information().await {
                Err(error) => return error,
                Ok(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");

    let found = find(&target).await;
    assert_eq!(found.endpoint_reference, before.endpoint_reference);
    let address = found.xaddrs[0].clone();
    assert_eq!(address.as_str(), target.device_url().as_str());
    assert_eq!(address.host_str(), Some("127.0.0.9"));
    let camera = client_at(address.as_str()).connect().await.unwrap();
    let profiles = camera.media().profiles().await.unwrap();
    assert!(!profiles.is_empty());
    let mut events = events(&camera);
    motion(&mut events, "false").await;
    target.set_motion(true);
    motion(&mut events, "true").await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_camera_that_comes_back_says_where_it_is() {
    let mut options = DiscoveryOptions::default();
    options.interfaces = vec!["lo".to_owned()];
    let mut announced = Discovery::new(options).watch().await.unwrap();
    let target = VirtualCamera::builder()
        .uuid(0x5e1f)
        .discovery(virtual_camera::Discovery::Multicast)
        .start()
        .await
        .unwrap();
    // Each is told once on every interface, and others may be about.
    let mut says = async |address: &str| {
        let said = async {
            loop {
                if let Some(Announcement::Hello(found)) = announced.next().await
                    && found.endpoint_reference.ends_with("5e1f")
                    && found.xaddrs.iter().any(|url| url.as_str() == address)
                {
                    return;
                }
            }
        };
        within(said).await;
    };
    let first = target.device_url();
    says(first.as_str()).await;
    target
        .move_to(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 8)))
        .unwrap();
    says(target.device_url().as_str()).await;
    target.reboot_for(Duration::from_millis(10));
    target.move_to(IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
    says(first.as_str()).await;
    target.stop().await;
}

#[tokio::test]
async fn a_storm_of_events_is_pulled_in_batches_and_buries_nothing() {
    let target = start(Quirks {
        event_storm: Some(90),
        ..Quirks::default()
    })
    .await;
    let camera = client(&target).timeout(DEADLINE).connect().await.unwrap();
    let mut events = events(&camera);
    let mut seen = Vec::new();
    for (active, state) in [(false, "false"), (true, "true"), (false, "false")] {
        target.set_motion(active);
        seen.extend(motion(&mut events, state).await);
    }
    assert!(seen.iter().all(Result::is_ok), "{seen:?}");
    assert!(seen.len() > 100, "{}", seen.len());
    // Pulled when the last are read, not ahead.
    let pulls = target.observed().count("PullMessages");
    let batches = seen.len() as u64 / 90;
    assert!(pulls <= batches + 3, "{pulls} for {batches}");
}

/// A camera behind a proxy, and a client that knows it by the proxy's address.
async fn behind_a_proxy() -> (FaultProxy, VirtualCamera, Camera) {
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let proxy = FaultProxy::tcp(nowhere, FaultProxyOptions::default());
    let proxy = proxy.await.unwrap();
    let target = start(Quirks {
        advertised_port: Some(proxy.local_addr().port()),
        ..Quirks::default()
    })
    .await;
    let port = target.device_url().port().unwrap();
    proxy.set_target((Ipv4Addr::LOCALHOST, port).into());
    let url = format!("http://{}/onvif/device_service", proxy.local_addr());
    let camera = client_at(&url).connect().await.unwrap();
    camera.device().information().await.unwrap();
    (proxy, target, camera)
}

fn to_client(faults: LinkFaults) -> Faults {
    Faults {
        to_client: faults,
        ..Default::default()
    }
}

#[tokio::test]
async fn whatever_the_network_does_a_call_ends_and_works_again_afterwards() {
    let (proxy, _target, camera) = behind_a_proxy().await;
    let broken = async |faults: LinkFaults| {
        proxy.set_faults(to_client(faults.clone()));
        let asked = within(camera.device().information()).await;
        let error = asked.err().unwrap_or_else(|| panic!("{faults:?}"));
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
        assert!(error.is_transient(), "{error}");
        proxy.set_faults(Faults::default());
        proxy.reset_connections();
        within(camera.device().information()).await.unwrap();
    };
    broken(LinkFaults {
        stall_after: Some(0),
        ..Default::default()
    })
    .await;
    broken(LinkFaults {
        latency: DEADLINE,
        ..Default::default()
    })
    .await;
    broken(LinkFaults {
        drip: Some(Drip {
            bytes: 1,
            every: Duration::from_millis(100),
        }),
        ..Default::default()
    })
    .await;
    for length in [0, 1, 20, 100, 300, 500] {
        broken(LinkFaults {
            cut_after: Some(length),
            ..Default::default()
        })
        .await;
        broken(LinkFaults {
            reset_after: Some(length),
            ..Default::default()
        })
        .await;
    }
    assert!(proxy.counters().cut > 0 && proxy.counters().reset > 0);
}

#[tokio::test]
async fn a_port_that_refuses_is_an_error_at_once_and_works_again_afterwards() {
    let (proxy, _target, camera) = behind_a_proxy().await;
    proxy.set_faults(Faults {
        refuse: true,
        ..Default::default()
    });
    proxy.reset_connections();
    let refused = async {
        loop {
            match camera.device().information().await {
                Err(error) if matches!(why(&error), TransportError::Connect(_)) => return error,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    assert!(within(refused).await.is_transient());
    proxy.set_faults(Faults::default());
    let works = async {
        while camera.device().information().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    within(works).await;
}

#[tokio::test]
async fn corrupted_bytes_are_typed_errors_and_never_a_panic() {
    let (proxy, _target, camera) = behind_a_proxy().await;
    let mut wrong = 0;
    for corrupt in [0.0005, 0.005, 0.05] {
        proxy.set_faults(to_client(LinkFaults {
            corrupt,
            ..Default::default()
        }));
        proxy.reset_connections();
        for _ in 0..10 {
            // A bit that is flipped in a name changes the name alone.
            let asked = within(camera.device().information()).await;
            wrong += usize::from(asked.is_err());
        }
    }
    assert!(wrong > 10, "{wrong}");
    proxy.set_faults(Faults::default());
    proxy.reset_connections();
}
