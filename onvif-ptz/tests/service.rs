//! The whole PTZ service against a camera in software: spaces, tours, configurations, places.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use onvif_core::media::ProfileToken;
use onvif_core::{Camera, ErrorKind};
use onvif_ptz::*;
use virtual_camera::VirtualCamera;

const DEADLINE: Duration = Duration::from_secs(10);

async fn start() -> (VirtualCamera, PtzClient, ProfileToken) {
    let target = VirtualCamera::builder().start().await.unwrap();
    let camera = Camera::builder(target.device_url())
        .connect()
        .await
        .unwrap();
    (target, camera.ptz(), "main".into())
}

async fn arrived(target: &VirtualCamera, ptz: &PtzClient, profile: &ProfileToken) {
    let options = WaitOptions {
        deadline: DEADLINE,
        interval: Duration::from_millis(20),
        settle: Duration::from_millis(200),
    };
    let rest = ptz.wait_until_idle(profile, options).await.unwrap();
    assert!(rest.is_at_rest() && !target.is_moving(), "{rest:?}");
}

#[tokio::test]
async fn a_position_in_degrees_is_taken_and_clamped_in_degrees() {
    let (target, ptz, profile) = start().await;
    let limits = ptz.limits(&profile).await.unwrap();
    let wish = PanTilt::degrees(500.0, 30.0).into();
    let can = limits.absolute(&wish).unwrap();
    assert_eq!(can, PanTilt::degrees(180.0, 30.0).into());
    ptz.absolute_move(&profile, can, None).await.unwrap();
    arrived(&target, &ptz, &profile).await;
    let position = target.ptz_position();
    assert_eq!((position.pan, position.tilt), (1.0, 0.0));
    target.stop().await;
}

#[tokio::test]
async fn a_distance_in_parts_of_the_picture_gets_smaller_with_zoom() {
    let (target, ptz, profile) = start().await;
    ptz.relative_move(&profile, PanTilt::of_view(1.0, 0.0), None)
        .await
        .unwrap();
    arrived(&target, &ptz, &profile).await;
    let wide = target.ptz_position().pan;
    ptz.absolute_move(&profile, Zoom::new(1.0), None)
        .await
        .unwrap();
    arrived(&target, &ptz, &profile).await;
    ptz.relative_move(&profile, PanTilt::of_view(1.0, 0.0), None)
        .await
        .unwrap();
    arrived(&target, &ptz, &profile).await;
    let tele = target.ptz_position().pan - wide;
    assert!(
        wide > 0.1 && tele > 0.0 && tele < wide / 10.0,
        "{wide} {tele}"
    );
    let status = ptz.status(&profile).await.unwrap().unwrap();
    assert_eq!(status.field_of_view.unwrap().horizontal, 3.0);
    target.stop().await;
}

#[tokio::test]
async fn an_emergency_stop_sends_waiting_moves_away() {
    let (target, ptz, profile) = start().await;
    let velocity = Velocity::pan_tilt(0.01, 0.0);
    let mut moves = Vec::new();
    for _ in 0..50 {
        let (ptz, profile, velocity) = (ptz.clone(), profile.clone(), velocity.clone());
        moves.push(tokio::spawn(async move {
            ptz.continuous_move(&profile, velocity, Duration::from_secs(60))
                .await
        }));
    }
    tokio::task::yield_now().await;
    ptz.emergency_stop(&profile).await.unwrap();
    assert!(!target.is_moving());
    let mut overtaken = 0;
    for made in moves {
        match made.await.unwrap() {
            Ok(motion) => motion.stop().await.unwrap(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Caller);
                overtaken += 1;
            }
        }
    }
    assert!(overtaken > 0);
    assert!(!target.is_moving());
    target.stop().await;
}

#[tokio::test]
async fn a_tour_is_made_run_paused_and_removed() {
    let (target, ptz, profile) = start().await;
    ptz.require(&profile, Ability::PresetTours).await.unwrap();
    let preset = ptz
        .set_preset(&profile, Some("start"), None)
        .await
        .unwrap()
        .unwrap();
    let token = ptz.create_tour(&profile).await.unwrap();
    let refused = ptz
        .operate_tour(&profile, &token, TourOperation::Start)
        .await;
    assert!(refused.is_err(), "an empty tour does not start");

    let tour = ptz.tour(&profile, &token).await.unwrap().unwrap();
    let spots = [
        TourSpot::position(Position::pan_tilt(1.0, 0.0)).stay(Duration::from_secs(5)),
        TourSpot::preset(preset).stay(Duration::from_secs(5)),
        TourSpot::home().stay(Duration::from_secs(5)),
    ];
    let tour = tour.with_spots(spots);
    ptz.modify_tour(&profile, tour.clone()).await.unwrap();
    // The camera adds spaces and zoom to positions.
    let kept = ptz.tours(&profile).await.unwrap().remove(0);
    assert_eq!(kept.spots.len(), 3);
    assert_eq!(kept.spots[1..], tour.spots[1..]);
    let options = ptz
        .tour_options(&profile, Some(&token))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(options.spot.unwrap().detail.unwrap().home, Some(true));

    let state = async || {
        let tour = ptz.tour(&profile, &token).await.unwrap().unwrap();
        tour.status.unwrap()
    };
    ptz.operate_tour(&profile, &token, TourOperation::Start)
        .await
        .unwrap();
    let status = state().await;
    assert_eq!(status.state, TourState::Touring);
    assert_eq!(status.current_spot.unwrap(), kept.spots[0]);
    assert!(target.is_moving());
    ptz.operate_tour(&profile, &token, TourOperation::Pause)
        .await
        .unwrap();
    assert_eq!(state().await.state, TourState::Paused);
    assert!(!target.is_moving());
    ptz.operate_tour(&profile, &token, TourOperation::Start)
        .await
        .unwrap();
    ptz.stop(&profile).await.unwrap();
    assert_eq!(state().await.state, TourState::Idle);

    ptz.remove_tour(&profile, &token).await.unwrap();
    assert!(ptz.tours(&profile).await.unwrap().is_empty());
    target.stop().await;
}

#[tokio::test]
async fn a_configuration_is_taken_changed_and_kept() {
    let (target, ptz, profile) = start().await;
    let mut configuration = ptz
        .compatible_configurations(&profile)
        .await
        .unwrap()
        .remove(0);
    let half = FloatRange {
        min: -0.5,
        max: 0.5,
    };
    configuration.default_timeout = Some(Duration::from_secs(5).into());
    let range = configuration
        .pan_tilt_limits
        .as_mut()
        .unwrap()
        .range
        .as_mut()
        .unwrap();
    range.x = half;
    let extension = configuration.extension.as_mut().unwrap();
    let direction = extension.control_direction.as_mut().unwrap();
    direction.reverse = Some(Reverse {
        mode: ReverseMode::Auto,
    });
    ptz.set_configuration(configuration.clone()).await.unwrap();
    let kept = ptz
        .configuration(&configuration.token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept, configuration);

    let outside = ptz
        .absolute_move(&profile, PanTilt::new(0.9, 0.0), None)
        .await;
    assert_eq!(outside.unwrap_err().kind(), ErrorKind::Refused);
    let wish = PanTilt::new(0.9, 0.0).into();
    let can = ptz.limits(&profile).await.unwrap().absolute(&wish).unwrap();
    ptz.absolute_move(&profile, can, None).await.unwrap();
    arrived(&target, &ptz, &profile).await;
    assert_eq!(target.ptz_position().pan, 0.5);

    configuration.default_timeout = Some(Duration::from_secs(600).into());
    assert!(ptz.set_configuration(configuration).await.is_err());
    target.stop().await;
}

#[tokio::test]
async fn a_place_on_earth_is_looked_at() {
    let (target, ptz, profile) = start().await;
    // East of where the virtual camera hangs, which looks north.
    let east = GeoLocation::new(52.52, 13.42);
    ptz.geo_move(&profile, east, None, None).await.unwrap();
    arrived(&target, &ptz, &profile).await;
    assert!((target.ptz_position().pan - 0.5).abs() < 0.01);
    let far = ptz
        .geo_move(&profile, GeoLocation::new(-33.9, 151.2), None, None)
        .await;
    assert_eq!(far.unwrap_err().kind(), ErrorKind::Refused);
    let nowhere = ptz
        .geo_move(&profile, GeoLocation::new(91.0, 0.0), None, None)
        .await;
    assert_eq!(nowhere.unwrap_err().kind(), ErrorKind::Caller);
    target.stop().await;
}

#[tokio::test]
async fn tracking_starts_where_it_is_told_to() {
    let (target, ptz, profile) = start().await;
    let modes = ptz.capabilities().await.unwrap().move_and_track.unwrap();
    assert!(modes.0.contains(&"PTZVector".to_owned()));
    let position = TrackingStart::Position(Position::pan_tilt(-0.5, 0.0));
    ptz.move_and_track(&profile, Some(position), None, None)
        .await
        .unwrap();
    arrived(&target, &ptz, &profile).await;
    assert_eq!(target.ptz_position().pan, -0.5);
    target.stop().await;
}

#[tokio::test]
async fn an_auxiliary_command_is_answered() {
    let (target, ptz, profile) = start().await;
    let node = ptz.node_of(&profile).await.unwrap();
    let command = &node.auxiliary_commands[0];
    let answer = ptz.send_auxiliary(&profile, command).await.unwrap();
    assert_eq!(answer.as_ref(), Some(command));
    assert!(ptz.send_auxiliary(&profile, "tt:Rocket|On").await.is_err());
    target.stop().await;
}

#[tokio::test]
async fn a_stop_by_a_profile_that_is_not_there_is_refused_at_once() {
    let (target, ptz, _) = start().await;
    assert!(ptz.stop(&"nope".into()).await.is_err());
    let observed = target.observed();
    assert_eq!(
        (observed.count("Stop"), observed.count("ContinuousMove")),
        (1, 0)
    );
    target.stop().await;
}
