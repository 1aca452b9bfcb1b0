//! `ptz`: pan, tilt and zoom.

mod moves;
mod places;

use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use onvif_core::Camera;
use onvif_core::media::{Profile, ProfileToken};
use onvif_ptz::{AxisStatus, CameraExt, PtzStatus};
use serde::Serialize;

use self::moves::{MoveArgs, TravelArgs};
use self::places::{AuxArgs, HomeArgs, PresetsVerb, ToursVerb};
use crate::camera::profile;
use crate::output::{Output, Plain};

#[derive(Subcommand)]
pub enum PtzVerb {
    /// Move by a distance, to a position, or for some time.
    Move(MoveArgs),
    /// Move to a position, also in degrees.
    Absolute(TravelArgs),
    /// Move by a distance, also as part of the picture.
    Relative(TravelArgs),
    /// Stop all movement.
    Stop(ProfileArgs),
    /// Where the camera looks, and whether it moves.
    Status(ProfileArgs),
    /// Go home, or make the current position home.
    Home(HomeArgs),
    /// Stored positions.
    #[command(subcommand)]
    Presets(PresetsVerb),
    /// Tours that the camera makes by itself.
    #[command(subcommand)]
    Tours(ToursVerb),
    /// Run an auxiliary command, such as a wiper, or list them.
    Aux(AuxArgs),
}

#[derive(Args)]
pub struct ProfileArgs {
    /// The media profile; without it, the first one that can move.
    #[arg(long, value_name = "TOKEN")]
    profile: Option<String>,
}

impl PtzVerb {
    /// Whether it can be meant; if not, what is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Move(args) => args.check(),
            Self::Absolute(args) | Self::Relative(args) => args.check(),
            _ => Ok(()),
        }
    }
}

pub async fn run(verb: &PtzVerb, camera: &Camera, output: Output) -> Result<()> {
    match verb {
        PtzVerb::Move(args) => moves::run(args, camera, output).await,
        PtzVerb::Absolute(args) => moves::absolute(args, camera, output).await,
        PtzVerb::Relative(args) => moves::relative(args, camera, output).await,
        PtzVerb::Stop(args) => {
            let profile = movable(camera, args).await?;
            camera.ptz().stop(&profile).await?;
            output.print(&Stopped {
                profile: profile.as_str(),
                stopped: true,
            })
        }
        PtzVerb::Status(args) => {
            let profile = movable(camera, args).await?;
            let status = camera.ptz().status(&profile).await?;
            let status = status.context("the camera does not tell where it looks")?;
            output.print(&Status::new(&profile, status))
        }
        PtzVerb::Home(args) => places::home(args, camera, output).await,
        PtzVerb::Presets(verb) => places::presets(verb, camera, output).await,
        PtzVerb::Tours(verb) => places::tours(verb, camera, output).await,
        PtzVerb::Aux(args) => places::auxiliary(args, camera, output).await,
    }
}

async fn movable(camera: &Camera, args: &ProfileArgs) -> Result<ProfileToken> {
    let can_move = |profile: &Profile| profile.ptz_configuration.is_some();
    let lacking = "no media profile of the camera has a PTZ configuration; it cannot move, or one has to be added to a \
                   profile in its settings";
    profile(camera, args.profile.as_deref(), can_move, lacking).await
}

#[derive(Serialize)]
struct Stopped<'a> {
    profile: &'a str,
    stopped: bool,
}

impl Display for Stopped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

#[derive(Serialize)]
struct Status<'a> {
    profile: &'a str,
    pan: Option<f32>,
    tilt: Option<f32>,
    zoom: Option<f32>,
    moving: Option<bool>,
    error: Option<String>,
}

impl<'a> Status<'a> {
    fn new(profile: &'a ProfileToken, status: PtzStatus) -> Self {
        let position = status.position.unwrap_or_default();
        let axes = status
            .move_status
            .map(|status| [status.pan_tilt, status.zoom]);
        let axes: Vec<AxisStatus> = axes.into_iter().flatten().flatten().collect();
        Self {
            profile: profile.as_str(),
            pan: position.pan_tilt.as_ref().map(|pan_tilt| pan_tilt.x),
            tilt: position.pan_tilt.as_ref().map(|pan_tilt| pan_tilt.y),
            zoom: position.zoom.as_ref().map(|zoom| zoom.x),
            moving: moving(&axes),
            error: status.error.filter(|error| !error.is_empty()),
        }
    }
}

/// Whether any axis moves; `None` where the camera does not know.
fn moving(axes: &[AxisStatus]) -> Option<bool> {
    if axes.contains(&AxisStatus::Moving) {
        Some(true)
    } else if !axes.is_empty() && axes.iter().all(|axis| *axis == AxisStatus::Idle) {
        Some(false)
    } else {
        None
    }
}

impl Display for Status<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.moving {
            Some(true) => "moving",
            Some(false) => "at rest",
            None => "does not tell whether it moves",
        })?;
        write!(f, "{}", Axes(self.pan, self.tilt, self.zoom))?;
        match &self.error {
            Some(error) => write!(f, "  error: {}", Plain(error)),
            None => Ok(()),
        }
    }
}

/// The axes that have a number.
struct Axes(Option<f32>, Option<f32>, Option<f32>);

impl Display for Axes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (name, number) in [("pan", self.0), ("tilt", self.1), ("zoom", self.2)] {
            if let Some(number) = number {
                write!(f, "  {name} {number:.2}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_moves_when_one_axis_does_and_rests_when_all_do() {
        use AxisStatus::{Idle, Moving, Unknown};
        assert_eq!(moving(&[Idle, Moving]), Some(true));
        assert_eq!(moving(&[Idle, Idle]), Some(false));
        assert_eq!(moving(&[Idle, Unknown]), None);
        assert_eq!(moving(&[]), None);
    }
}
