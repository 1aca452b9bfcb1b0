//! `imaging`: brightness, exposure, white balance and focus of a video source.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use onvif_core::Camera;
use onvif_core::imaging::{
    AutoManual, BacklightCompensation, Exposure, FloatRange, FocusConfiguration, ImagingOptions,
    ImagingSettings, OnOff, WhiteBalance, WideDynamicRange,
};
use onvif_core::media::VideoSourceToken;
use serde::Serialize;

use crate::interrupt::interrupted;
use crate::output::{Output, Plain, or_dash, table};
use crate::seconds;

#[derive(Subcommand)]
pub enum ImagingVerb {
    /// The settings, with their ranges.
    Get(SourceArgs),
    /// Change settings: NAME=VALUE, by the names that `imaging get` shows.
    Set {
        /// What to change, such as brightness=60 or ir-cut-filter=auto.
        #[arg(required = true, value_name = "NAME=VALUE")]
        settings: Vec<String>,
        /// Move numbers that are out of range to the nearest that is in it.
        #[arg(long)]
        clamp: bool,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Move the focus, or tell where it is.
    #[command(subcommand)]
    Focus(FocusVerb),
}

#[derive(Args)]
pub struct SourceArgs {
    /// The video source; without it, that of the first profile.
    #[arg(long, value_name = "TOKEN")]
    source: Option<String>,
}

#[derive(Subcommand)]
pub enum FocusVerb {
    /// Where the focus is, and whether it moves.
    Status(SourceArgs),
    /// Move to a position.
    To(FocusArgs),
    /// Move by a distance.
    By(FocusArgs),
    /// Move for some time, then stop. Ctrl-C stops earlier.
    For {
        /// For how long.
        #[arg(value_name = "SECONDS", value_parser = seconds::parse)]
        duration: Duration,
        /// How fast: positive is farther.
        #[arg(long, allow_negative_numbers = true, value_name = "S")]
        speed: f32,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Stop.
    Stop(SourceArgs),
}

#[derive(Args)]
pub struct FocusArgs {
    /// The position or distance, in the camera's own unit.
    #[arg(allow_negative_numbers = true, value_name = "NUMBER")]
    number: f32,

    /// How fast, in the camera's own unit.
    #[arg(long, value_name = "S")]
    speed: Option<f32>,

    #[command(flatten)]
    source: SourceArgs,
}

pub async fn run(verb: &ImagingVerb, camera: &Camera, output: Output) -> Result<()> {
    let imaging = camera.imaging();
    match verb {
        ImagingVerb::Get(args) => {
            let source = source(camera, args).await?;
            let settings = imaging.settings(&source).await?;
            // Some cameras have settings without telling their ranges.
            let options = imaging.options(&source).await.unwrap_or_default();
            output.print(&Settings::new(&source, &settings, &options))
        }
        ImagingVerb::Set {
            settings: changes,
            clamp,
            source: args,
        } => {
            let source = source(camera, args).await?;
            let before = imaging.settings(&source).await?;
            let options = imaging.options(&source).await.unwrap_or_default();
            let mut changed = ImagingSettings::default();
            for change in changes {
                set(&mut changed, &before, change)?;
            }
            if *clamp {
                changed = options.clamp(changed);
            }
            imaging.set_settings(&source, changed).await?;
            let after = imaging.settings(&source).await?;
            output.print(&Settings::new(&source, &after, &options))
        }
        ImagingVerb::Focus(verb) => focus(verb, camera, output).await,
    }
}

async fn source(camera: &Camera, args: &SourceArgs) -> Result<VideoSourceToken> {
    if let Some(token) = &args.source {
        return Ok(token.as_str().into());
    }
    let profiles = camera.media().profiles().await?;
    let source = profiles
        .into_iter()
        .find_map(|profile| profile.video_source);
    source.context("no media profile of the camera has a video source; name one with --source")
}

async fn focus(verb: &FocusVerb, camera: &Camera, output: Output) -> Result<()> {
    let imaging = camera.imaging();
    let args = match verb {
        FocusVerb::Status(args) | FocusVerb::Stop(args) => args,
        FocusVerb::To(args) | FocusVerb::By(args) => &args.source,
        FocusVerb::For { source, .. } => source,
    };
    let source = source(camera, args).await?;
    match verb {
        FocusVerb::Status(_) => {}
        FocusVerb::To(args) => imaging.focus_to(&source, args.number, args.speed).await?,
        FocusVerb::By(args) => imaging.focus_by(&source, args.number, args.speed).await?,
        FocusVerb::For {
            duration, speed, ..
        } => {
            // From here on Ctrl-C must not end the process before the focus has stopped.
            let interrupted = interrupted().context("cannot catch Ctrl-C, so nothing was moved")?;
            imaging.focus_with(&source, *speed).await?;
            tokio::select! {
                () = interrupted => {}
                () = tokio::time::sleep(*duration) => {}
            }
            imaging.stop_focus(&source).await.context(
                "the camera did not confirm that the focus stopped; try `camctl imaging focus stop`",
            )?;
        }
        FocusVerb::Stop(_) => imaging.stop_focus(&source).await?,
    }
    let status = imaging.status(&source).await?.focus;
    output.print(&Focus {
        source: source.to_string(),
        position: status.as_ref().and_then(|status| status.position),
        state: status.and_then(|status| Some(status.move_status?.to_string())),
    })
}

#[derive(Serialize)]
struct Focus {
    source: String,
    position: Option<f32>,
    state: Option<String>,
}

impl Display for Focus {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", or_dash(self.state.as_deref()))?;
        match self.position {
            Some(position) => write!(f, "  position {position}"),
            None => Ok(()),
        }
    }
}

/// The settings that can be shown and changed by name.
#[derive(Serialize)]
struct Settings {
    source: String,
    settings: Vec<Setting>,
}

#[derive(Serialize)]
struct Setting {
    name: &'static str,
    value: Option<String>,
    min: Option<f32>,
    max: Option<f32>,
    values: Vec<String>,
}

impl Settings {
    /// What the camera has a value or a range of.
    fn new(source: &VideoSourceToken, now: &ImagingSettings, can: &ImagingOptions) -> Self {
        let mut settings = rows(now, can);
        settings.retain(|row| {
            row.value.is_some() || row.min.is_some() || row.max.is_some() || !row.values.is_empty()
        });
        Self {
            source: source.to_string(),
            settings,
        }
    }
}

fn rows(now: &ImagingSettings, can: &ImagingOptions) -> Vec<Setting> {
    let number = |name, value: Option<f32>, range: Option<FloatRange>| Setting {
        name,
        value: value.map(|value| value.to_string()),
        min: range.and_then(|range| range.min),
        max: range.and_then(|range| range.max),
        values: Vec::new(),
    };
    let backlight = now.backlight_compensation.as_ref();
    let exposure = now.exposure.as_ref();
    let exposures = can.exposure.as_ref();
    let focus = now.focus.as_ref();
    let wide = now.wide_dynamic_range.as_ref();
    let white = now.white_balance.as_ref();
    let whites = can.white_balance.as_ref();
    let backlights = can.backlight_compensation.as_ref();
    let wides = can.wide_dynamic_range.as_ref();
    vec![
        number("brightness", now.brightness, can.brightness),
        number(
            "color-saturation",
            now.color_saturation,
            can.color_saturation,
        ),
        number("contrast", now.contrast, can.contrast),
        number("sharpness", now.sharpness, can.sharpness),
        word(
            "ir-cut-filter",
            now.ir_cut_filter.as_ref(),
            &can.ir_cut_filter_modes,
        ),
        word(
            "exposure",
            exposure.and_then(|exposure| exposure.mode.as_ref()),
            exposures.map_or(&[], |can| &can.modes),
        ),
        number(
            "exposure-time",
            exposure.and_then(|exposure| exposure.exposure_time),
            exposures.and_then(|can| can.exposure_time),
        ),
        number(
            "gain",
            exposure.and_then(|exposure| exposure.gain),
            exposures.and_then(|can| can.gain),
        ),
        number(
            "iris",
            exposure.and_then(|exposure| exposure.iris),
            exposures.and_then(|can| can.iris),
        ),
        word(
            "focus",
            focus.and_then(|focus| focus.auto_focus_mode.as_ref()),
            can.focus.as_ref().map_or(&[], |can| &can.auto_focus_modes),
        ),
        word(
            "backlight-compensation",
            backlight.and_then(|backlight| backlight.mode.as_ref()),
            backlights.map_or(&[], |can| &can.modes),
        ),
        number(
            "backlight-compensation-level",
            backlight.and_then(|backlight| backlight.level),
            backlights.and_then(|can| can.level),
        ),
        word(
            "wide-dynamic-range",
            wide.and_then(|wide| wide.mode.as_ref()),
            wides.map_or(&[], |can| &can.modes),
        ),
        number(
            "wide-dynamic-range-level",
            wide.and_then(|wide| wide.level),
            wides.and_then(|can| can.level),
        ),
        word(
            "white-balance",
            white.and_then(|white| white.mode.as_ref()),
            whites.map_or(&[], |can| &can.modes),
        ),
        number(
            "white-balance-red",
            white.and_then(|white| white.cr_gain),
            whites.and_then(|can| can.yr_gain),
        ),
        number(
            "white-balance-blue",
            white.and_then(|white| white.cb_gain),
            whites.and_then(|can| can.yb_gain),
        ),
    ]
}

fn word<T: Display>(name: &'static str, value: Option<&T>, values: &[T]) -> Setting {
    let lower = |word: &T| word.to_string().to_lowercase();
    Setting {
        name,
        value: value.map(lower),
        min: None,
        max: None,
        values: values.iter().map(lower).collect(),
    }
}

/// Puts `NAME=VALUE` into what will be sent. A group is sent whole, so the rest of it is taken from what is set now.
fn set(changed: &mut ImagingSettings, now: &ImagingSettings, change: &str) -> Result<()> {
    let (name, value) = change
        .split_once('=')
        .with_context(|| format!("`{change}` is not NAME=VALUE"))?;
    let number = || {
        let number: Option<f32> = value.parse().ok();
        let number = number.filter(|number| number.is_finite());
        number.with_context(|| format!("`{value}` is no number for {name}"))
    };
    let exposure = || now.exposure.clone().unwrap_or_default();
    let backlight = || {
        let none = BacklightCompensation {
            mode: None,
            level: None,
        };
        now.backlight_compensation.clone().unwrap_or(none)
    };
    let wide = || {
        let none = WideDynamicRange {
            mode: None,
            level: None,
        };
        now.wide_dynamic_range.clone().unwrap_or(none)
    };
    let white = || {
        let none = WhiteBalance {
            mode: None,
            cr_gain: None,
            cb_gain: None,
        };
        now.white_balance.clone().unwrap_or(none)
    };
    match name {
        "brightness" => changed.brightness = Some(number()?),
        "color-saturation" => changed.color_saturation = Some(number()?),
        "contrast" => changed.contrast = Some(number()?),
        "sharpness" => changed.sharpness = Some(number()?),
        "ir-cut-filter" => changed.ir_cut_filter = Some(value.into()),
        "exposure" => {
            let exposure: &mut Exposure = changed.exposure.get_or_insert_with(exposure);
            exposure.mode = Some(AutoManual::from(value));
        }
        "exposure-time" => {
            changed.exposure.get_or_insert_with(exposure).exposure_time = Some(number()?);
        }
        "gain" => changed.exposure.get_or_insert_with(exposure).gain = Some(number()?),
        "iris" => changed.exposure.get_or_insert_with(exposure).iris = Some(number()?),
        "focus" => {
            let now = || now.focus.clone().unwrap_or_default();
            let focus: &mut FocusConfiguration = changed.focus.get_or_insert_with(now);
            focus.auto_focus_mode = Some(AutoManual::from(value));
        }
        "backlight-compensation" => {
            let backlight = changed.backlight_compensation.get_or_insert_with(backlight);
            backlight.mode = Some(OnOff::from(value));
        }
        "backlight-compensation-level" => {
            let backlight = changed.backlight_compensation.get_or_insert_with(backlight);
            backlight.level = Some(number()?);
        }
        "wide-dynamic-range" => {
            changed.wide_dynamic_range.get_or_insert_with(wide).mode = Some(OnOff::from(value));
        }
        "wide-dynamic-range-level" => {
            changed.wide_dynamic_range.get_or_insert_with(wide).level = Some(number()?);
        }
        "white-balance" => {
            changed.white_balance.get_or_insert_with(white).mode = Some(AutoManual::from(value));
        }
        "white-balance-red" => {
            changed.white_balance.get_or_insert_with(white).cr_gain = Some(number()?);
        }
        "white-balance-blue" => {
            changed.white_balance.get_or_insert_with(white).cb_gain = Some(number()?);
        }
        other => bail!("there is no setting {other}; `camctl imaging get` shows them"),
    }
    Ok(())
}

impl Display for Settings {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.settings.is_empty() {
            return f.write_str("the camera has no settings");
        }
        let mut rows = vec![["SETTING", "VALUE", "RANGE"].map(str::to_owned).to_vec()];
        rows.extend(self.settings.iter().map(|setting| {
            let bound = |bound: Option<f32>| bound.map_or(String::new(), |bound| bound.to_string());
            let range = match (setting.min, setting.max) {
                (None, None) => Plain(&setting.values.join(", ")).to_string(),
                (min, max) => format!("{} to {}", bound(min), bound(max)),
            };
            vec![
                setting.name.to_owned(),
                or_dash(setting.value.as_deref()).to_string(),
                range,
            ]
        }));
        f.write_str(&table(&rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_sent_with_the_rest_of_it() {
        let now = ImagingSettings {
            contrast: Some(1.0),
            exposure: Some(Exposure {
                gain: Some(5.0),
                ..Exposure::default()
            }),
            ..ImagingSettings::default()
        };
        let mut changed = ImagingSettings::default();
        set(&mut changed, &now, "exposure-time=100").unwrap();
        set(&mut changed, &now, "exposure=manual").unwrap();
        let exposure = changed.exposure.unwrap();
        assert_eq!(exposure.gain, Some(5.0));
        assert_eq!(exposure.exposure_time, Some(100.0));
        assert_eq!(exposure.mode, Some(AutoManual::Manual));
        assert_eq!(changed.contrast, None);
    }

    #[test]
    fn what_is_no_setting_is_told() {
        let mut changed = ImagingSettings::default();
        for change in ["brightness", "brightness=much", "glow=1"] {
            let refused = set(&mut changed, &ImagingSettings::default(), change);
            assert!(refused.is_err(), "{change}");
        }
    }
}
