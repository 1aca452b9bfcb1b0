//! A camera that hears no multicast (C51), beside one that does, on the loopback interface.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures::StreamExt;
use onvif_core::discovery::{Discovered, Discovery, DiscoveryOptions};
use virtual_camera::{Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);

async fn camera(no_multicast: bool) -> VirtualCamera {
    VirtualCamera::builder()
        .discovery(virtual_camera::Discovery::Multicast)
        .quirks(Quirks {
            no_multicast,
            ..Quirks::default()
        })
        .start()
        .await
        .unwrap()
}

fn options(duration: Duration) -> DiscoveryOptions {
    let mut options = DiscoveryOptions::default();
    options.interfaces = vec!["lo".to_owned()];
    options.duration = duration;
    options
}

fn is(target: &VirtualCamera) -> impl Fn(&Discovered) -> bool {
    let url = target.device_url();
    move |found| found.xaddrs.contains(&url)
}

#[tokio::test]
async fn a_camera_that_multicast_does_not_reach_is_found_by_its_address() {
    let (near, far) = (camera(false).await, camera(true).await);
    let search = Discovery::new(options(Duration::from_secs(2)));
    let found: Vec<_> = search.start().await.unwrap().collect().await;
    assert!(found.iter().any(is(&near)), "{found:?}");
    assert!(!found.iter().any(is(&far)), "{found:?}");
    near.stop().await;

    // Whoever else has the port on this machine shares what comes to its address: ask until it is this camera.
    let asked = async {
        loop {
            let mut options = options(Duration::from_secs(1));
            options.multicast = false;
            let search = Discovery::new(options).probe_address("127.0.0.1:3702".parse().unwrap());
            let found: Vec<_> = search.start().await.unwrap().collect().await;
            if found.iter().any(is(&far)) {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, asked).await.unwrap();
    far.stop().await;
}
