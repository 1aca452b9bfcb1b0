//! Cameras that get pan, tilt and zoom wrong, one fault at a time (see `virtual_camera::Quirks`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use onvif_core::media::ProfileToken;
use onvif_core::{Camera, Credentials, ErrorKind};
use onvif_ptz::{
    Ability, CameraExt, PanTilt, Position, PtzClient, Rest, TimedMoveOptions, Velocity,
    WaitOptions, Zoom,
};
use virtual_camera::{PtzMode, PtzMoveStatus, Quirks, VirtualCamera};

const DEADLINE: Duration = Duration::from_secs(20);
const SLOW: (f32, f32) = (0.01, 0.0);

async fn start(quirks: Quirks) -> (VirtualCamera, PtzClient, ProfileToken) {
    let target = VirtualCamera::builder()
        .credentials("admin", "secret")
        .quirks(quirks)
        .start()
        .await
        .unwrap();
    let camera = Camera::builder(target.device_url())
        .credentials(Credentials::new("admin", "secret"))
        .connect()
        .await
        .unwrap();
    let profile = camera.media().profiles().await.unwrap().remove(0);
    (target, camera.ptz(), profile.token)
}

/// Moves slowly for a short while, and says how long it took until the camera stood still.
async fn nudge(target: &VirtualCamera, ptz: &PtzClient, profile: &ProfileToken) -> Duration {
    let start = Instant::now();
    let (x, y) = SLOW;
    let velocity = Velocity::pan_tilt(x, y);
    let motion = ptz.continuous_move(profile, velocity, Duration::from_millis(200));
    let motion = motion.await.unwrap();
    assert!(target.is_moving());
    let finished = tokio::time::timeout(DEADLINE, motion.finished()).await;
    finished.unwrap().unwrap();
    assert!(!target.is_moving());
    start.elapsed()
}

#[tokio::test]
async fn a_camera_that_ignores_the_timeout_is_stopped_in_time() {
    let quirks = Quirks {
        ptz_ignore_timeout: true,
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    assert!(nudge(&target, &ptz, &profile).await < DEADLINE);
    assert_eq!(target.observed().count("Stop"), 1);
    target.stop().await;
}

#[tokio::test]
async fn a_camera_that_refuses_timeouts_is_asked_without_from_then_on() {
    let quirks = Quirks {
        ptz_reject_timeout: true,
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    nudge(&target, &ptz, &profile).await;
    let asked = target.observed().count("ContinuousMove");
    nudge(&target, &ptz, &profile).await;
    assert_eq!(target.observed().count("ContinuousMove"), asked + 1);
    target.stop().await;
}

#[tokio::test]
async fn a_camera_without_stop_is_brought_to_rest() {
    let quirks = Quirks {
        ptz_no_stop: true,
        ptz_ignore_timeout: true,
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    nudge(&target, &ptz, &profile).await;

    let velocity = Velocity::pan_tilt(0.01, 0.0).and_zoom(Zoom::new(0.01));
    let motion = ptz.continuous_move(&profile, velocity, Duration::from_secs(60));
    let motion = motion.await.unwrap();
    ptz.emergency_stop(&profile).await.unwrap();
    assert!(!target.is_moving());
    motion.stop().await.unwrap();
    target.stop().await;
}

#[tokio::test]
async fn a_camera_that_lies_about_moves_is_watched_until_it_stands_still() {
    for lie in [PtzMoveStatus::Absent, PtzMoveStatus::AlwaysIdle] {
        let quirks = Quirks {
            ptz_move_status: Some(lie),
            ..Quirks::default()
        };
        let (target, ptz, profile) = start(quirks).await;
        let speed = Some(Position::pan_tilt(0.5, 0.5));
        ptz.absolute_move(&profile, PanTilt::new(1.0, 0.0), speed)
            .await
            .unwrap();
        let options = WaitOptions {
            deadline: DEADLINE,
            interval: Duration::from_millis(50),
            settle: Duration::from_millis(300),
        };
        let rest = ptz.wait_until_idle(&profile, options).await.unwrap();
        assert!(rest.is_at_rest(), "{lie:?}: {rest:?}");
        assert_eq!(target.ptz_position().pan, 1.0, "{lie:?}");
        target.stop().await;
    }
}

#[tokio::test]
async fn a_camera_that_goes_on_is_still_moving_at_the_deadline() {
    let (target, ptz, profile) = start(Quirks::default()).await;
    let motion = ptz.continuous_move(&profile, Zoom::new(0.01), Duration::from_secs(60));
    let motion = motion.await.unwrap();
    let options = WaitOptions {
        deadline: Duration::from_millis(300),
        interval: Duration::from_millis(50),
        ..WaitOptions::default()
    };
    let rest = ptz.wait_until_idle(&profile, options).await.unwrap();
    assert!(matches!(rest, Rest::StillMoving(_)), "{rest:?}");
    motion.stop().await.unwrap();
    target.stop().await;
}

#[tokio::test]
async fn a_camera_that_only_moves_continuously_says_what_it_lacks() {
    let quirks = Quirks {
        ptz_modes: Some(vec![PtzMode::Continuous]),
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    let error = ptz
        .absolute_move(&profile, PanTilt::new(0.5, 0.0), None)
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.to_string().ends_with("pan and tilt to a position"),
        "{error}"
    );
    let required = ptz.require(&profile, Ability::RelativeZoom).await;
    assert_eq!(required.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(
        ptz.limits(&profile)
            .await
            .unwrap()
            .absolute(&Position::zoom(1.0)),
        None
    );
    target.stop().await;
}

#[tokio::test]
async fn a_camera_that_only_moves_continuously_gets_distances_by_time() {
    let quirks = Quirks {
        ptz_modes: Some(vec![PtzMode::Continuous]),
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    // At full speed the virtual head crosses its range, which is 2, in a second.
    let options = TimedMoveOptions {
        velocity: 0.1,
        pan_tilt_per_second: 0.2,
        zoom_per_second: 0.1,
    };
    let distance = Position::pan_tilt(0.1, 0.0);
    ptz.relative_move_by_time(&profile, distance, options)
        .await
        .unwrap();
    let pan = target.ptz_position().pan;
    // The time on the wire comes on top.
    assert!((0.08..0.3).contains(&pan), "{pan}");
    assert!(!target.is_moving());
    target.stop().await;
}

#[tokio::test]
async fn a_camera_without_the_space_of_the_picture_says_so() {
    let quirks = Quirks {
        ptz_modes: Some(vec![PtzMode::Absolute, PtzMode::Relative]),
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    let required = ptz.require(&profile, Ability::RelativeFieldOfView).await;
    assert_eq!(required.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(
        ptz.require(&profile, Ability::AbsoluteDegrees)
            .await
            .is_ok()
    );
    target.stop().await;
}

#[tokio::test]
async fn tokens_that_do_not_match_still_lead_to_the_only_node() {
    let quirks = Quirks {
        token_mismatch: true,
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    let node = ptz.node_of(&profile).await.unwrap();
    assert!(node.supports(Ability::AbsolutePanTilt));
    // The odd token comes back as it was.
    let again = ptz.node(&node.token).await.unwrap().unwrap();
    assert_eq!(again.token, node.token);
    target.stop().await;
}

#[tokio::test]
async fn the_node_of_a_recorders_channel_is_found_among_many() {
    let quirks = Quirks {
        nvr_channels: Some(64),
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    assert_eq!(ptz.nodes().await.unwrap().len(), 64);
    assert_eq!(
        ptz.node_of(&profile).await.unwrap().token.as_str(),
        "ptz_node"
    );
    let configurations = ptz.configurations().await.unwrap();
    let last = &configurations[63].token;
    assert_eq!(last.as_str(), "PTZ Config 63");
    assert!(ptz.configuration(last).await.unwrap().is_some());
    target.stop().await;
}

#[tokio::test]
async fn tokens_with_spaces_and_markup_are_kept_as_they_are() {
    let quirks = Quirks {
        odd_tokens: true,
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    let preset = ptz
        .set_preset(&profile, Some("gate"), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(preset.as_str(), "preset <1> & \"more\"");
    ptz.goto_preset(&profile, &preset, None).await.unwrap();
    assert_eq!(ptz.presets(&profile).await.unwrap()[0].token, preset);
    ptz.remove_preset(&profile, &preset).await.unwrap();
    assert!(ptz.presets(&profile).await.unwrap().is_empty());
    target.stop().await;
}

#[tokio::test]
async fn a_camera_that_refuses_addressing_headers_is_moved_and_stopped() {
    let quirks = Quirks {
        reject_wsa_on: ["ptz", "media", "imaging", "device"]
            .map(str::to_owned)
            .to_vec(),
        ..Quirks::default()
    };
    let (target, ptz, profile) = start(quirks).await;
    nudge(&target, &ptz, &profile).await;
    assert_eq!(target.observed().count("Stop"), 1);
    target.stop().await;
}
