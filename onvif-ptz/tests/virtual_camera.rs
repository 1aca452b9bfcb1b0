//! PTZ against a camera in software, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use onvif_core::media::ProfileToken;
use onvif_core::{Camera, Credentials};
use onvif_ptz::{CameraExt, PanTilt, Position, PtzClient, Velocity, Zoom};
use virtual_camera::VirtualCamera;

const DEADLINE: Duration = Duration::from_secs(10);

async fn start() -> (VirtualCamera, PtzClient, ProfileToken) {
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .start()
        .await
        .unwrap();
    let camera = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "secret"))
        .connect()
        .await
        .unwrap();
    let profile = camera.media().profiles().await.unwrap().remove(0);
    assert!(profile.ptz_configuration.is_some());
    (target, camera.ptz(), profile.token)
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, wait).await.is_ok(), "{what}");
}

#[tokio::test]
async fn a_node_tells_its_ranges() {
    let (target, ptz, _) = start().await;
    let nodes = ptz.nodes().await.unwrap();
    let spaces = nodes[0].spaces.as_ref().unwrap();
    let clamped = spaces.absolute_pan_tilt[0].clamp(9.0, -9.0);
    assert_eq!((clamped.x, clamped.y), (1.0, -1.0));
    let configuration = ptz.configurations().await.unwrap().remove(0).token;
    assert!(
        ptz.configuration_options(&configuration)
            .await
            .unwrap()
            .unwrap()
            .spaces
            .is_some()
    );
    target.stop().await;
}

#[tokio::test]
async fn absolute_and_zoom_only_moves_arrive() {
    let (target, ptz, profile) = start().await;
    ptz.absolute_move(&profile, PanTilt::new(0.5, -0.25), None)
        .await
        .unwrap();
    until("pan and tilt arrive", || {
        let position = target.ptz_position();
        (position.pan - 0.5).abs() < 0.01 && (position.tilt + 0.25).abs() < 0.01
    })
    .await;
    ptz.absolute_move(&profile, Zoom::new(1.0), None)
        .await
        .unwrap();
    until("zoom arrives", || target.ptz_position().zoom > 0.99).await;
    let position = ptz
        .status(&profile)
        .await
        .unwrap()
        .unwrap()
        .position
        .unwrap();
    assert!((position.pan_tilt.unwrap().x - 0.5).abs() < 0.01);
    ptz.relative_move(&profile, Position::pan_tilt(-0.5, 0.0), None)
        .await
        .unwrap();
    until("the relative move arrives", || {
        target.ptz_position().pan.abs() < 0.01
    })
    .await;
    target.stop().await;
}

#[tokio::test]
async fn a_motion_stops_when_dropped() {
    let (target, ptz, profile) = start().await;
    let motion = ptz
        .continuous_move(
            &profile,
            Velocity::pan_tilt(0.01, 0.0),
            Duration::from_secs(60),
        )
        .await
        .unwrap();
    assert!(target.is_moving());
    drop(motion);
    until("the camera stops", || !target.is_moving()).await;
    assert_eq!(target.observed().count("Stop"), 1);
    target.stop().await;
}

#[tokio::test]
async fn a_motion_stops_on_request_and_after_its_time() {
    let (target, ptz, profile) = start().await;
    let slow = Velocity::pan_tilt(0.01, 0.0);
    ptz.continuous_move(&profile, slow.clone(), Duration::from_secs(60))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    assert!(!target.is_moving());
    let motion = ptz
        .continuous_move(&profile, slow, Duration::from_millis(100))
        .await
        .unwrap();
    motion.finished().await.unwrap();
    assert!(!target.is_moving());
    target.stop().await;
}

#[tokio::test]
async fn presets_and_home_are_kept() {
    let (target, ptz, profile) = start().await;
    let preset = ptz
        .set_preset(&profile, Some("Tür & Tor"), None)
        .await
        .unwrap()
        .unwrap();
    let presets = ptz.presets(&profile).await.unwrap();
    let stored = presets.iter().find(|known| known.token == preset).unwrap();
    assert_eq!(stored.name.as_deref(), Some("Tür & Tor"));
    ptz.absolute_move(&profile, PanTilt::new(0.9, 0.0), None)
        .await
        .unwrap();
    ptz.goto_preset(&profile, &preset, None).await.unwrap();
    until("the preset is reached", || {
        target.ptz_position().pan.abs() < 0.01
    })
    .await;
    ptz.remove_preset(&profile, &preset).await.unwrap();
    assert!(
        !ptz.presets(&profile)
            .await
            .unwrap()
            .iter()
            .any(|known| known.token == preset)
    );
    ptz.set_home(&profile).await.unwrap();
    ptz.goto_home(&profile, None).await.unwrap();
    target.stop().await;
}

#[tokio::test]
async fn a_number_that_is_none_is_refused_before_it_is_sent() {
    let (target, ptz, profile) = start().await;
    assert!(
        ptz.absolute_move(&profile, PanTilt::new(f32::NAN, 0.0), None)
            .await
            .is_err()
    );
    assert_eq!(target.observed().count("AbsoluteMove"), 0);
    target.stop().await;
}
