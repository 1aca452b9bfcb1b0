//! `ptz`: pan, tilt and zoom.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use onvif_core::Camera;
use onvif_core::media::{Profile, ProfileToken};
use onvif_ptz::{AxisStatus, CameraExt, PanTilt, Position, PtzStatus, Zoom};
use serde::Serialize;

use crate::camera::profile;
use crate::interrupt::interrupted;
use crate::output::{Output, Plain};
use crate::seconds;

#[derive(Subcommand)]
pub enum PtzVerb {
    /// Move by a distance, to a position, or for some time.
    Move(MoveArgs),
    /// Stop all movement.
    Stop(ProfileArgs),
    /// Where the camera looks, and whether it moves.
    Status(ProfileArgs),
}

#[derive(Args)]
pub struct ProfileArgs {
    /// The media profile; without it, the first one that can move.
    #[arg(long, value_name = "TOKEN")]
    profile: Option<String>,
}

#[derive(Args)]
pub struct MoveArgs {
    /// Pan, in most cameras -1 (left) to 1 (right).
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pan: Option<f32>,

    /// Tilt, in most cameras -1 (down) to 1 (up).
    #[arg(long, value_name = "Y", allow_negative_numbers = true)]
    tilt: Option<f32>,

    /// Zoom, in most cameras -1 (out) to 1 (in); with --absolute 0 (wide) to 1 (tele).
    #[arg(long, value_name = "Z", allow_negative_numbers = true)]
    zoom: Option<f32>,

    /// The numbers are distances. This is the default.
    #[arg(long, conflicts_with_all = ["absolute", "continuous"])]
    relative: bool,

    /// The numbers are a position.
    #[arg(long, conflicts_with = "continuous")]
    absolute: bool,

    /// The numbers are velocities: move for so long, then stop. Ctrl-C stops earlier.
    #[arg(long, value_name = "SECONDS", value_parser = seconds::parse)]
    continuous: Option<Duration>,

    #[command(flatten)]
    profile: ProfileArgs,
}

impl MoveArgs {
    /// Whether the numbers make a move; if not, what is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        let numbers = [self.pan, self.tilt, self.zoom];
        if numbers.iter().all(Option::is_none) {
            return Err("where to? Give --pan, --tilt or --zoom");
        }
        if numbers.iter().flatten().any(|number| !number.is_finite()) {
            return Err("--pan, --tilt and --zoom take finite numbers");
        }
        Ok(())
    }

    /// The two axes that ONVIF moves together: the one that was not named takes its value from `rest`.
    fn target(&self, rest: Option<&PanTilt>) -> Position {
        let pan_tilt = (self.pan.is_some() || self.tilt.is_some()).then(|| {
            let (x, y) = rest.map_or((0.0, 0.0), |rest| (rest.x, rest.y));
            PanTilt::new(self.pan.unwrap_or(x), self.tilt.unwrap_or(y))
        });
        Position {
            pan_tilt,
            zoom: self.zoom.map(Zoom::new),
        }
    }
}

pub async fn run(verb: &PtzVerb, camera: &Camera, output: Output) -> Result<()> {
    match verb {
        PtzVerb::Move(args) => {
            let profile = movable(camera, &args.profile).await?;
            match (args.absolute, args.continuous) {
                (true, _) => absolute(args, &profile, camera, output).await,
                (false, Some(duration)) => {
                    continuous(args, duration, &profile, camera, output).await
                }
                (false, None) => {
                    let distance = args.target(None);
                    camera
                        .ptz()
                        .relative_move(&profile, distance.clone(), None)
                        .await?;
                    output.print(&Moved::new("relative", &profile, &distance))
                }
            }
        }
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
    }
}

async fn movable(camera: &Camera, args: &ProfileArgs) -> Result<ProfileToken> {
    let can_move = |profile: &Profile| profile.ptz_configuration.is_some();
    let lacking = "no media profile of the camera has a PTZ configuration; it cannot move, or one has to be added to a \
                   profile in its settings";
    profile(camera, args.profile.as_deref(), can_move, lacking).await
}

async fn absolute(
    args: &MoveArgs,
    profile: &ProfileToken,
    camera: &Camera,
    output: Output,
) -> Result<()> {
    let half = args.pan.is_some() != args.tilt.is_some();
    let rest = if half {
        let status = camera.ptz().status(profile).await?;
        let rest = status.and_then(|status| status.position?.pan_tilt);
        Some(rest.context("the camera does not tell where it looks; give both --pan and --tilt")?)
    } else {
        None
    };
    let position = args.target(rest.as_ref());
    camera
        .ptz()
        .absolute_move(profile, position.clone(), None)
        .await?;
    output.print(&Moved::new("absolute", profile, &position))
}

async fn continuous(
    args: &MoveArgs,
    duration: Duration,
    profile: &ProfileToken,
    camera: &Camera,
    output: Output,
) -> Result<()> {
    let velocity = args.target(None);
    // From here on Ctrl-C must not end the process before the camera has stopped.
    let interrupted = interrupted().context("cannot catch Ctrl-C, so nothing was moved")?;
    let motion = camera
        .ptz()
        .continuous_move(profile, velocity.clone(), duration)
        .await?;
    let started = Instant::now();
    let early = tokio::select! {
        () = interrupted => true,
        () = tokio::time::sleep(duration) => false,
    };
    let seconds = started.elapsed().min(duration).as_secs_f32();
    // Where the time has passed, the guard is stopping the camera already; both ways wait for it.
    motion.stop().await.context(
        "the camera did not confirm that it stopped; look whether it still moves, and try `camctl ptz stop`",
    )?;
    output.print(&Moved {
        seconds: Some(seconds),
        interrupted: Some(early),
        ..Moved::new("continuous", profile, &velocity)
    })
}

#[derive(Serialize)]
struct Moved<'a> {
    profile: &'a str,
    #[serde(rename = "move")]
    kind: &'static str,
    pan: Option<f32>,
    tilt: Option<f32>,
    zoom: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<bool>,
}

impl<'a> Moved<'a> {
    fn new(kind: &'static str, profile: &'a ProfileToken, target: &Position) -> Self {
        Self {
            profile: profile.as_str(),
            kind,
            pan: target.pan_tilt.as_ref().map(|pan_tilt| pan_tilt.x),
            tilt: target.pan_tilt.as_ref().map(|pan_tilt| pan_tilt.y),
            zoom: target.zoom.as_ref().map(|zoom| zoom.x),
            seconds: None,
            interrupted: None,
        }
    }
}

impl Display for Moved<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let preposition = match self.kind {
            "absolute" => "moving to",
            "relative" => "moving by",
            _ => "moved with",
        };
        write!(f, "{preposition}{}", Axes(self.pan, self.tilt, self.zoom))?;
        if let Some(seconds) = self.seconds {
            write!(f, "  for {seconds:.1} s, stopped")?;
        }
        if self.interrupted == Some(true) {
            f.write_str(" early")?;
        }
        Ok(())
    }
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
