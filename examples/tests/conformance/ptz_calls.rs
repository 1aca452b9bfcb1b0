//! Moves in every way and space, presets, home and tours.

use std::time::Duration;

use onvif_core::Camera;
use onvif_core::media::ProfileToken;
use onvif_ptz::{
    CameraExt, GeoLocation, PanTilt, Position, PtzClient, Velocity, WaitOptions, Zoom, pan_tilt,
    zoom,
};

use crate::driving::Trouble;

pub async fn run(camera: &Camera, trouble: &mut Trouble) {
    let Some(profile) = trouble.first("profiles", camera.media().profiles().await) else {
        return;
    };
    let ptz = camera.ptz();
    nodes(&ptz, &profile.token, trouble).await;
    moves(&ptz, &profile.token, trouble).await;
    places(&ptz, &profile.token, trouble).await;
    tours(&ptz, &profile.token, trouble).await;
}

async fn nodes(ptz: &PtzClient, profile: &ProfileToken, trouble: &mut Trouble) {
    trouble.none("PTZ capabilities", ptz.capabilities().await);
    if let Some(node) = trouble.first("nodes", ptz.nodes().await) {
        trouble.none("node", ptz.node(&node.token).await);
    }
    trouble.none("compatible", ptz.compatible_configurations(profile).await);
    if let Some(configuration) = trouble.first("configurations", ptz.configurations().await) {
        let token = configuration.token.clone();
        trouble.none("configuration", ptz.configuration(&token).await);
        trouble.none("options", ptz.configuration_options(&token).await);
        let set = ptz.set_configuration(configuration).await;
        trouble.none("set configuration", set);
    }
}

async fn moves(ptz: &PtzClient, profile: &ProfileToken, trouble: &mut Trouble) {
    trouble.none("status", ptz.status(profile).await);
    for position in [
        Position::from(PanTilt::degrees(10.0, 5.0)),
        PanTilt::new(0.1, 0.1)
            .in_space(pan_tilt::POSITION_GENERIC)
            .into(),
        Zoom::new(0.2).in_space(zoom::POSITION_GENERIC).into(),
        Position::pan_tilt(0.0, 0.0).and_zoom(Zoom::new(0.0)),
    ] {
        trouble.none("absolute", ptz.absolute_move(profile, position, None).await);
    }
    for distance in [Position::pan_tilt(0.1, 0.1), Position::zoom(0.1)] {
        trouble.none("relative", ptz.relative_move(profile, distance, None).await);
    }
    let second = Duration::from_secs(1);
    for velocity in [
        Velocity::from(PanTilt::new(0.5, 0.0).in_space(pan_tilt::VELOCITY_GENERIC)),
        Zoom::new(0.5).in_space(zoom::VELOCITY_GENERIC).into(),
        Velocity::pan_tilt(0.0, 0.0),
        Velocity::zoom(0.0),
    ] {
        let motion = ptz.continuous_move(profile, velocity, second).await;
        if let Some(motion) = trouble.none("continuous", motion) {
            trouble.none("end of motion", motion.stop().await);
        }
    }
    trouble.none("stop", ptz.stop(profile).await);
    let rest = ptz.wait_until_idle(profile, WaitOptions::default()).await;
    trouble.none("wait", rest);
    let place = GeoLocation::new(52.52, 13.40);
    trouble.none("place", ptz.geo_move(profile, place, None, None).await);
    trouble.none("track", ptz.move_and_track(profile, None, None, None).await);
}

async fn places(ptz: &PtzClient, profile: &ProfileToken, trouble: &mut Trouble) {
    let preset = ptz.set_preset(profile, Some("gate"), None).await;
    trouble.none("presets", ptz.presets(profile).await);
    if let Some(Some(preset)) = trouble.none("set preset", preset) {
        let gone = ptz.goto_preset(profile, &preset, None).await;
        trouble.none("go to preset", gone);
        let removed = ptz.remove_preset(profile, &preset).await;
        trouble.none("remove preset", removed);
    }
    trouble.none("set home", ptz.set_home(profile).await);
    trouble.none("go home", ptz.goto_home(profile, None).await);
    let sent = ptz.send_auxiliary(profile, "tt:Wiper|On").await;
    trouble.none("auxiliary", sent);
}

async fn tours(ptz: &PtzClient, profile: &ProfileToken, trouble: &mut Trouble) {
    use onvif_ptz::TourOperation;

    trouble.none("tour options", ptz.tour_options(profile, None).await);
    let Some(token) = trouble.none("create tour", ptz.create_tour(profile).await) else {
        return;
    };
    trouble.none("tours", ptz.tours(profile).await);
    if let Some(Some(tour)) = trouble.none("tour", ptz.tour(profile, &token).await) {
        trouble.none("modify tour", ptz.modify_tour(profile, tour).await);
    }
    let stop = TourOperation::Stop;
    let stopped = ptz.operate_tour(profile, &token, stop).await;
    trouble.none("stop tour", stopped);
    trouble.none("remove tour", ptz.remove_tour(profile, &token).await);
}
