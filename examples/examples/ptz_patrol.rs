//! Looks to the right, to the left, and home again, and tells each time where the camera looks.
//!
//! `cargo run --example ptz_patrol -- http://192.0.2.7/onvif/device_service admin password.txt`

use std::error::Error;
use std::time::Duration;

use examples::Args;
use onvif_core::Camera;
use onvif_core::media::ProfileToken;
use onvif_ptz::{AxisStatus, CameraExt, Position, Velocity};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let camera = Args::read()?.camera().connect().await?;
    let profiles = camera.media().profiles().await?;
    let movable = profiles
        .into_iter()
        .find(|profile| profile.ptz_configuration.is_some());
    let profile = movable.ok_or("the camera does not move")?.token;
    let ptz = camera.ptz();

    // The camera is stopped after two seconds, and also when this program fails before.
    let right = Velocity::pan_tilt(0.1, 0.0);
    let motion = ptz.continuous_move(&profile, right, Duration::from_secs(2));
    motion.await?.finished().await?;
    println!("right: {}", arrived(&camera, &profile).await?);

    let left = Position::pan_tilt(-0.5, 0.2);
    ptz.absolute_move(&profile, left, None).await?;
    println!("left: {}", arrived(&camera, &profile).await?);

    ptz.goto_home(&profile, None).await?;
    println!("home: {}", arrived(&camera, &profile).await?);
    Ok(())
}

/// Where the camera looks, once it rests: it accepts a move before it has made it.
async fn arrived(camera: &Camera, profile: &ProfileToken) -> Result<String, Box<dyn Error>> {
    for _ in 0..60 {
        let status = camera.ptz().status(profile).await?.ok_or("no status")?;
        let axes = status.move_status.and_then(|axes| axes.pan_tilt);
        if axes != Some(AxisStatus::Moving) {
            let position = status.position.and_then(|position| position.pan_tilt);
            let position = position.ok_or("it does not tell where it looks")?;
            return Ok(format!("pan {:.2}, tilt {:.2}", position.x, position.y));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err("the camera does not come to rest".into())
}
