//! `ptz move`, `ptz absolute` and `ptz relative`.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use onvif_core::Camera;
use onvif_core::media::ProfileToken;
use onvif_ptz::{CameraExt, PanTilt, Position, PtzClient, Rest, WaitOptions, Zoom, pan_tilt};
use serde::Serialize;

use super::{Axes, ProfileArgs, movable};
use crate::interrupt::interrupted;
use crate::output::Output;
use crate::seconds;

/// How far, where to, or how fast.
#[derive(Args)]
pub struct Numbers {
    /// Pan, in most cameras -1 (left) to 1 (right).
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pan: Option<f32>,

    /// Tilt, in most cameras -1 (down) to 1 (up).
    #[arg(long, value_name = "Y", allow_negative_numbers = true)]
    tilt: Option<f32>,

    /// Zoom, in most cameras -1 (out) to 1 (in); positions are 0 (wide) to 1 (tele).
    #[arg(long, value_name = "Z", allow_negative_numbers = true)]
    zoom: Option<f32>,
}

/// How fast, and whether to wait.
#[derive(Args)]
pub struct Pace {
    /// How fast, as a part of full speed: 0 to 1. Without it, as the camera is set.
    #[arg(long, value_name = "S")]
    speed: Option<f32>,

    /// Wait until the camera has arrived, no longer than so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds::parse)]
    wait: Option<Duration>,
}

#[derive(Args)]
pub struct MoveArgs {
    #[command(flatten)]
    numbers: Numbers,

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
    pace: Pace,

    #[command(flatten)]
    profile: ProfileArgs,
}

/// A move to a position or by a distance.
#[derive(Args)]
pub struct TravelArgs {
    #[command(flatten)]
    numbers: Numbers,

    /// What the numbers of pan and tilt are: `degrees` (of a position), `picture` (a distance as part of the picture), or
    /// the URI of a space. Without it, what the camera is set to.
    #[arg(long, value_name = "SPACE")]
    space: Option<String>,

    #[command(flatten)]
    pace: Pace,

    #[command(flatten)]
    profile: ProfileArgs,
}

impl MoveArgs {
    pub fn check(&self) -> Result<(), &'static str> {
        self.numbers.check().and(self.pace.check())
    }
}

impl TravelArgs {
    pub fn check(&self) -> Result<(), &'static str> {
        self.numbers.check().and(self.pace.check())
    }

    fn space(&self) -> Option<&str> {
        self.space.as_deref().map(|space| match space {
            "degrees" => pan_tilt::POSITION_DEGREES,
            "picture" => pan_tilt::TRANSLATION_FOV,
            uri => uri,
        })
    }
}

impl Pace {
    pub fn check(&self) -> Result<(), &'static str> {
        match self.speed {
            Some(speed) if !(0.0..=1.0).contains(&speed) => Err("--speed takes 0 to 1"),
            _ => Ok(()),
        }
    }

    pub fn speed(&self) -> Option<Position> {
        let speed = self.speed?;
        Some(Position::pan_tilt(speed, speed).and_zoom(Zoom::new(speed)))
    }

    /// Whether the camera has arrived; `false` where nobody wanted to wait.
    pub async fn wait(&self, ptz: &PtzClient, profile: &ProfileToken) -> Result<bool> {
        let Some(deadline) = self.wait else {
            return Ok(false);
        };
        let options = WaitOptions {
            deadline,
            ..WaitOptions::default()
        };
        match ptz.wait_until_idle(profile, options).await? {
            Rest::AtRest(_) => Ok(true),
            Rest::StillMoving(_) => {
                bail!("the camera still moves after {} s", deadline.as_secs_f32())
            }
            _ => bail!("the camera tells neither whether it moves nor where it looks"),
        }
    }
}

impl Numbers {
    /// Whether the numbers make a move; if not, what is wrong.
    fn check(&self) -> Result<(), &'static str> {
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
    fn target(&self, rest: Option<&PanTilt>, space: Option<&str>) -> Position {
        let pan_tilt = (self.pan.is_some() || self.tilt.is_some()).then(|| {
            let (x, y) = rest.map_or((0.0, 0.0), |rest| (rest.x, rest.y));
            PanTilt {
                x: self.pan.unwrap_or(x),
                y: self.tilt.unwrap_or(y),
                space: space.map(str::to_owned),
            }
        });
        Position {
            pan_tilt,
            zoom: self.zoom.map(Zoom::new),
        }
    }
}

pub async fn run(args: &MoveArgs, camera: &Camera, output: Output) -> Result<()> {
    let profile = movable(camera, &args.profile).await?;
    match (args.absolute, args.continuous) {
        (true, _) => {
            let travel = (&args.numbers, None, &args.pace);
            to_position(travel, &profile, camera, output).await
        }
        (false, Some(duration)) => continuous(args, duration, &profile, camera, output).await,
        (false, None) => {
            let travel = (&args.numbers, None, &args.pace);
            by_distance(travel, &profile, camera, output).await
        }
    }
}

pub async fn absolute(args: &TravelArgs, camera: &Camera, output: Output) -> Result<()> {
    let profile = movable(camera, &args.profile).await?;
    let travel = (&args.numbers, args.space(), &args.pace);
    to_position(travel, &profile, camera, output).await
}

pub async fn relative(args: &TravelArgs, camera: &Camera, output: Output) -> Result<()> {
    let profile = movable(camera, &args.profile).await?;
    let travel = (&args.numbers, args.space(), &args.pace);
    by_distance(travel, &profile, camera, output).await
}

type Travel<'a> = (&'a Numbers, Option<&'a str>, &'a Pace);

async fn to_position(
    (numbers, space, pace): Travel<'_>,
    profile: &ProfileToken,
    camera: &Camera,
    output: Output,
) -> Result<()> {
    let ptz = camera.ptz();
    let half = numbers.pan.is_some() != numbers.tilt.is_some();
    let rest = if half {
        if space.is_some() {
            bail!(
                "give both --pan and --tilt with --space: the camera tells its position in one space only"
            );
        }
        let status = ptz.status(profile).await?;
        let rest = status.and_then(|status| status.position?.pan_tilt);
        Some(rest.context("the camera does not tell where it looks; give both --pan and --tilt")?)
    } else {
        None
    };
    let position = numbers.target(rest.as_ref(), space);
    ptz.absolute_move(profile, position.clone(), pace.speed())
        .await?;
    let arrived = pace.wait(&ptz, profile).await?;
    output.print(&Moved {
        arrived: pace.wait.map(|_| arrived),
        ..Moved::new("absolute", profile, &position)
    })
}

async fn by_distance(
    (numbers, space, pace): Travel<'_>,
    profile: &ProfileToken,
    camera: &Camera,
    output: Output,
) -> Result<()> {
    let ptz = camera.ptz();
    let distance = numbers.target(None, space);
    ptz.relative_move(profile, distance.clone(), pace.speed())
        .await?;
    let arrived = pace.wait(&ptz, profile).await?;
    output.print(&Moved {
        arrived: pace.wait.map(|_| arrived),
        ..Moved::new("relative", profile, &distance)
    })
}

async fn continuous(
    args: &MoveArgs,
    duration: Duration,
    profile: &ProfileToken,
    camera: &Camera,
    output: Output,
) -> Result<()> {
    let velocity = args.numbers.target(None, None);
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
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<bool>,
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
            arrived: None,
        }
    }
}

impl Display for Moved<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let preposition = match (self.kind, self.arrived) {
            ("absolute", Some(true)) => "moved to",
            ("absolute", _) => "moving to",
            ("relative", Some(true)) => "moved by",
            ("relative", _) => "moving by",
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
