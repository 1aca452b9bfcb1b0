//! `ptz home`, `ptz presets`, `ptz tours` and `ptz aux`: what the camera has by name.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use onvif_core::Camera;
use onvif_core::media::ProfileToken;
use onvif_ptz::{CameraExt, PresetTour, PresetTourToken, PtzClient, TourOperation, TourSpot};
use serde::Serialize;

use super::moves::Pace;
use super::{ProfileArgs, movable};
use crate::output::{Output, Plain, or_dash, table};
use crate::seconds;

#[derive(Args)]
pub struct HomeArgs {
    /// Make the current position home, in place of going there.
    #[arg(long, conflicts_with_all = ["speed", "wait"])]
    set: bool,

    #[command(flatten)]
    pace: Pace,

    #[command(flatten)]
    profile: ProfileArgs,
}

#[derive(Subcommand)]
pub enum PresetsVerb {
    /// The stored positions.
    List(ProfileArgs),
    /// Store the current position.
    Set {
        /// The name of the preset.
        name: Option<String>,
        /// The token of the preset to store over; a new one without it.
        #[arg(long, value_name = "TOKEN")]
        over: Option<String>,
        #[command(flatten)]
        profile: ProfileArgs,
    },
    /// Go to a preset.
    Goto {
        /// Its token, or its name.
        preset: String,
        #[command(flatten)]
        pace: Pace,
        #[command(flatten)]
        profile: ProfileArgs,
    },
    /// Forget a preset.
    Remove {
        /// Its token, or its name.
        preset: String,
        #[command(flatten)]
        profile: ProfileArgs,
    },
}

#[derive(Subcommand)]
pub enum ToursVerb {
    /// The tours, and what they do.
    List(ProfileArgs),
    /// Make a tour of presets.
    Create {
        /// The name of the tour.
        name: Option<String>,
        /// A preset to visit, by token or name; several times, in order.
        #[arg(long = "preset", value_name = "PRESET", required = true)]
        presets: Vec<String>,
        /// How long the camera stays at each.
        #[arg(long, value_name = "SECONDS", value_parser = seconds::parse, default_value = "10")]
        stay: Duration,
        #[command(flatten)]
        profile: ProfileArgs,
    },
    /// Start a tour, or go on with it.
    Start(TourArgs),
    /// Halt a tour where it is.
    Pause(TourArgs),
    /// End a tour.
    Stop(TourArgs),
    /// Forget a tour.
    Remove(TourArgs),
}

#[derive(Args)]
pub struct TourArgs {
    /// The token of the tour.
    tour: String,

    #[command(flatten)]
    profile: ProfileArgs,
}

#[derive(Args)]
pub struct AuxArgs {
    /// The command, such as `tt:Wiper|On`; without it, the commands are listed.
    command: Option<String>,

    #[command(flatten)]
    profile: ProfileArgs,
}

/// What was done, and to what.
#[derive(Serialize)]
struct Done {
    profile: String,
    done: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl Done {
    fn new(profile: &ProfileToken, done: &'static str, token: Option<String>) -> Self {
        Self {
            profile: profile.to_string(),
            done,
            token,
        }
    }
}

impl Display for Done {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.done)?;
        match &self.token {
            Some(token) => write!(f, "  {}", Plain(token)),
            None => Ok(()),
        }
    }
}

pub async fn home(args: &HomeArgs, camera: &Camera, output: Output) -> Result<()> {
    let profile = movable(camera, &args.profile).await?;
    let ptz = camera.ptz();
    if args.set {
        ptz.set_home(&profile).await?;
        return output.print(&Done::new(&profile, "home set", None));
    }
    ptz.goto_home(&profile, args.pace.speed()).await?;
    let arrived = args.pace.wait(&ptz, &profile).await?;
    let done = if arrived { "home" } else { "moving home" };
    output.print(&Done::new(&profile, done, None))
}

pub async fn presets(verb: &PresetsVerb, camera: &Camera, output: Output) -> Result<()> {
    let ptz = camera.ptz();
    match verb {
        PresetsVerb::List(args) => {
            let profile = movable(camera, args).await?;
            let presets = ptz.presets(&profile).await?;
            let presets = presets.into_iter().map(|preset| {
                let position = preset.position.unwrap_or_default();
                Preset {
                    token: preset.token.to_string(),
                    name: preset.name,
                    pan: position.pan_tilt.as_ref().map(|axes| axes.x),
                    tilt: position.pan_tilt.as_ref().map(|axes| axes.y),
                    zoom: position.zoom.as_ref().map(|axis| axis.x),
                }
            });
            output.print(&Presets {
                presets: presets.collect(),
            })
        }
        PresetsVerb::Set {
            name,
            over,
            profile,
        } => {
            let profile = movable(camera, profile).await?;
            let over = over.as_deref().map(Into::into);
            let stored = ptz.set_preset(&profile, name.as_deref(), over.as_ref());
            let token = stored.await?.map(|token| token.to_string());
            output.print(&Done::new(&profile, "stored", token))
        }
        PresetsVerb::Goto {
            preset,
            pace,
            profile,
        } => {
            let profile = movable(camera, profile).await?;
            let token = preset_named(&ptz, &profile, preset).await?;
            ptz.goto_preset(&profile, &token, pace.speed()).await?;
            let arrived = pace.wait(&ptz, &profile).await?;
            let done = if arrived { "arrived at" } else { "moving to" };
            output.print(&Done::new(&profile, done, Some(token.to_string())))
        }
        PresetsVerb::Remove { preset, profile } => {
            let profile = movable(camera, profile).await?;
            let token = preset_named(&ptz, &profile, preset).await?;
            ptz.remove_preset(&profile, &token).await?;
            output.print(&Done::new(&profile, "removed", Some(token.to_string())))
        }
    }
}

/// The preset with that token, or else the only one with that name.
async fn preset_named(
    ptz: &PtzClient,
    profile: &ProfileToken,
    asked: &str,
) -> Result<onvif_ptz::PresetToken> {
    let presets = ptz.presets(profile).await?;
    if let Some(preset) = presets.iter().find(|preset| preset.token.as_str() == asked) {
        return Ok(preset.token.clone());
    }
    let mut named = presets
        .into_iter()
        .filter(|preset| preset.name.as_deref() == Some(asked));
    match (named.next(), named.next()) {
        (Some(preset), None) => Ok(preset.token),
        (Some(_), Some(_)) => bail!("several presets have the name {asked}; give the token"),
        _ => bail!("there is no preset {asked}; `camctl ptz presets list` shows them"),
    }
}

#[derive(Serialize)]
struct Presets {
    presets: Vec<Preset>,
}

#[derive(Serialize)]
struct Preset {
    token: String,
    name: Option<String>,
    pan: Option<f32>,
    tilt: Option<f32>,
    zoom: Option<f32>,
}

impl Display for Presets {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.presets.is_empty() {
            return f.write_str("there are no presets");
        }
        let heading = ["TOKEN", "NAME", "PAN", "TILT", "ZOOM"].map(str::to_owned);
        let number = |number: Option<f32>| number.map_or("-".to_owned(), |n| format!("{n:.2}"));
        let mut rows = vec![heading.to_vec()];
        rows.extend(self.presets.iter().map(|preset| {
            vec![
                Plain(&preset.token).to_string(),
                or_dash(preset.name.as_deref()).to_string(),
                number(preset.pan),
                number(preset.tilt),
                number(preset.zoom),
            ]
        }));
        f.write_str(&table(&rows))
    }
}

pub async fn tours(verb: &ToursVerb, camera: &Camera, output: Output) -> Result<()> {
    let ptz = camera.ptz();
    let (args, done, operation) = match verb {
        ToursVerb::List(args) => {
            let profile = movable(camera, args).await?;
            let tours = ptz.tours(&profile).await?;
            return output.print(&Tours {
                tours: tours.into_iter().map(Tour::from).collect(),
            });
        }
        ToursVerb::Create {
            name,
            presets,
            stay,
            profile,
        } => {
            let profile = movable(camera, profile).await?;
            let token = create(&ptz, &profile, name.as_deref(), presets, *stay).await?;
            return output.print(&Done::new(&profile, "created", Some(token.to_string())));
        }
        ToursVerb::Start(args) => (args, "started", Some(TourOperation::Start)),
        ToursVerb::Pause(args) => (args, "paused", Some(TourOperation::Pause)),
        ToursVerb::Stop(args) => (args, "stopped", Some(TourOperation::Stop)),
        ToursVerb::Remove(args) => (args, "removed", None),
    };
    let profile = movable(camera, &args.profile).await?;
    let token = PresetTourToken::from(args.tour.as_str());
    match operation {
        Some(operation) => ptz.operate_tour(&profile, &token, operation).await?,
        None => ptz.remove_tour(&profile, &token).await?,
    }
    output.print(&Done::new(&profile, done, Some(token.to_string())))
}

/// Makes a tour and fills it. One that cannot be filled is removed again.
async fn create(
    ptz: &PtzClient,
    profile: &ProfileToken,
    name: Option<&str>,
    presets: &[String],
    stay: Duration,
) -> Result<PresetTourToken> {
    let mut spots = Vec::new();
    for preset in presets {
        let token = preset_named(ptz, profile, preset).await?;
        spots.push(TourSpot::preset(token).stay(stay));
    }
    let token = ptz.create_tour(profile).await?;
    let filled = async {
        let tour = ptz.tour(profile, &token).await?;
        let mut tour = tour.context("the camera does not show the tour it made")?;
        tour.name = name.map(str::to_owned).or(tour.name);
        ptz.modify_tour(profile, tour.with_spots(spots)).await?;
        anyhow::Ok(())
    };
    if let Err(error) = filled.await {
        // The first error is the one to tell.
        let _ = ptz.remove_tour(profile, &token).await;
        return Err(error);
    }
    Ok(token)
}

#[derive(Serialize)]
struct Tours {
    tours: Vec<Tour>,
}

#[derive(Serialize)]
struct Tour {
    token: Option<String>,
    name: Option<String>,
    state: Option<String>,
    spots: usize,
}

impl From<PresetTour> for Tour {
    fn from(tour: PresetTour) -> Self {
        Self {
            token: tour.token.map(|token| token.to_string()),
            name: tour.name,
            state: tour.status.map(|status| status.state.to_string()),
            spots: tour.spots.len(),
        }
    }
}

impl Display for Tours {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.tours.is_empty() {
            return f.write_str("there are no tours");
        }
        let mut rows = vec![
            ["TOKEN", "NAME", "STATE", "SPOTS"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(self.tours.iter().map(|tour| {
            vec![
                or_dash(tour.token.as_deref()).to_string(),
                or_dash(tour.name.as_deref()).to_string(),
                or_dash(tour.state.as_deref()).to_string(),
                tour.spots.to_string(),
            ]
        }));
        f.write_str(&table(&rows))
    }
}

pub async fn auxiliary(args: &AuxArgs, camera: &Camera, output: Output) -> Result<()> {
    let profile = movable(camera, &args.profile).await?;
    let ptz = camera.ptz();
    let Some(command) = &args.command else {
        let node = ptz.node_of(&profile).await?;
        return output.print(&Commands {
            commands: node.auxiliary_commands,
        });
    };
    let answer = ptz.send_auxiliary(&profile, command).await?;
    output.print(&Answer {
        profile: profile.to_string(),
        answer,
    })
}

#[derive(Serialize)]
struct Commands {
    commands: Vec<String>,
}

impl Display for Commands {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.commands.is_empty() {
            return f.write_str("there are no auxiliary commands");
        }
        let rows = self.commands.iter();
        let rows = rows.map(|command| vec![Plain(command).to_string()]);
        f.write_str(&table(&rows.collect::<Vec<_>>()))
    }
}

#[derive(Serialize)]
struct Answer {
    profile: String,
    answer: Option<String>,
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", or_dash(self.answer.as_deref()))
    }
}
