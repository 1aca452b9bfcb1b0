//! Pictures and clips of a camera that fails in every way that the virtual camera and its fault proxy know: all that comes
//! out is whole, the stream is back after one delay and a group of pictures, and nothing stays open on the camera.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod plant;
mod whole;

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use media_pipeline::{Cap, Error, ErrorKind, RtspTransport};
use virtual_camera::{Faults, LinkFaults, Quirks, RtspEndless};

use plant::{Plant, camera};

#[tokio::test]
async fn a_killed_server_a_stall_and_a_reset_are_survived() {
    let mut plant = Plant::start(0, RtspTransport::Tcp).await;
    let to_client = |to_client| Faults {
        to_client,
        ..Faults::default()
    };
    let stalled = to_client(LinkFaults {
        stall_after: Some(0),
        ..LinkFaults::default()
    });
    let reset = to_client(LinkFaults {
        reset_after: Some(0),
        ..LinkFaults::default()
    });
    for (faults, kind) in [(stalled, ErrorKind::Stalled), (reset, ErrorKind::Network)] {
        let fault = SystemTime::now();
        plant.proxy.set_faults(faults);
        plant.down(|error| error.kind() == kind).await;
        plant.sessions(0).await;
        plant.proxy.set_faults(Faults::default());
        plant.is_back(fault).await;
    }
    // The next one knows nothing of the sessions of this one.
    let fault = SystemTime::now();
    let killed = std::mem::replace(&mut plant.camera, camera().await);
    drop(killed);
    for _ in 0..2 {
        plant.down(|error| error.kind() == ErrorKind::Network).await;
    }
    let address = plant.camera.stream_url(0).socket_addrs(|| None).unwrap()[0];
    plant.proxy.set_target(address);
    plant.is_back(fault).await;
    plant.ends_whole().await;
}

#[tokio::test]
async fn changed_credentials_are_refused_and_work_again_when_they_are_right() {
    let plant = Plant::start(0, RtspTransport::Tcp).await;
    let fault = SystemTime::now();
    plant.camera.set_credentials("admin", "another");
    plant.camera.end_rtsp_sessions();
    plant
        .down(|error| error.kind() == ErrorKind::Unauthorized)
        .await;
    assert!(plant.budget.refused.load(Ordering::Relaxed) > 0);
    plant.sessions(0).await;
    plant.camera.set_credentials("admin", "secret");
    plant.is_back(fault).await;
    plant.ends_whole().await;
}

fn exceeds(error: &Error, which: Cap, bytes: usize) -> bool {
    matches!(error, Error::CapExceeded { cap, limit, .. } if *cap == which && *limit == bytes)
}

/// Until the camera behaves again.
async fn stands_what_never_ends(endless: RtspEndless, is_expected: fn(&Error) -> bool) {
    let plant = Plant::start(0, RtspTransport::Tcp).await;
    let fault = SystemTime::now();
    plant.camera.set_quirks(Quirks {
        rtsp_endless: Some(endless),
        ..Quirks::default()
    });
    plant.camera.end_rtsp_sessions();
    for _ in 0..2 {
        plant.down(is_expected).await;
    }
    plant.camera.set_quirks(Quirks::default());
    plant.is_back(fault).await;
    plant.ends_whole().await;
}

#[tokio::test]
async fn what_never_ends_is_broken_off_and_the_stream_comes_back() {
    tokio::join!(
        stands_what_never_ends(RtspEndless::Header, |error| {
            exceeds(error, Cap::Header, 16 << 10)
        }),
        stands_what_never_ends(RtspEndless::Body, |error| {
            exceeds(error, Cap::Body, 1 << 20)
        }),
        stands_what_never_ends(RtspEndless::Fragments, |error| {
            exceeds(error, Cap::AccessUnit, 8 << 20)
        }),
        stands_what_never_ends(RtspEndless::Redirect, |error| {
            matches!(error, Error::Refused { status: 302, .. })
        }),
    );
}

fn five_percent() -> Quirks {
    Quirks {
        rtp_loss: 50,
        ..Quirks::default()
    }
}

#[tokio::test]
async fn after_a_loss_over_udp_it_goes_on_with_the_next_key_frame() {
    let plant = Plant::start(1, RtspTransport::Udp).await;
    for _ in 0..3 {
        let recovered = plant.progress.borrow().recovered;
        let losses = plant.account.lock().unwrap().losses;
        plant.camera.set_quirks(five_percent());
        plant.loses(losses).await;
        plant.camera.set_quirks(Quirks::default());
        let healed = SystemTime::now();
        plant.until("picture", |it| it.recovered > recovered).await;
        // By the camera's clock, which is ours. The first that comes now tells what was missing before it.
        let losses = plant.account.lock().unwrap().losses_since(healed);
        assert!(losses <= 1, "{losses} pictures lack something");
    }
    assert_eq!(plant.attempts(), 1);
    plant.ends_whole().await;
}

/// Until it went on several times.
async fn stands_five_percent_of_loss(stream: usize) {
    let plant = Plant::start(stream, RtspTransport::Udp).await;
    let before = plant.progress.borrow().clone();
    plant.camera.set_quirks(five_percent());
    plant
        .until("recoveries", |it| {
            it.recovered > before.recovered + 2 && it.snapshots > before.snapshots + 2
        })
        .await;
    plant.camera.set_quirks(Quirks::default());
    assert_eq!(plant.attempts(), 1);
    plant.sessions(1).await;
    plant.ends_whole().await;
}

#[tokio::test]
async fn five_percent_of_loss_over_udp_cost_pictures_and_tear_none() {
    // Of H.265 and JPEG: key frames of many packets seldom come through.
    tokio::join!(
        stands_five_percent_of_loss(2),
        stands_five_percent_of_loss(3)
    );
}
