//! The settings of the video source, as one table: what there is, in the order of the schema, with its range.

use crate::clock::read_duration;
use crate::soap::Fault;
use crate::xml::{Element, Node, TIMG, TT, element};

/// What a setting may be.
enum Range {
    Number(f64, f64),
    Word(&'static [&'static str]),
    Duration(&'static str, &'static str),
}

struct Setting {
    path: &'static [&'static str],
    /// Where the options say the range; empty where they say none.
    options: &'static [&'static str],
    range: Range,
    default: &'static str,
}

macro_rules! settings {
    ($( $($name:literal)/ + => $($option:literal)/ * : $range:expr, $default:literal; )*) => {
        const SETTINGS: &[Setting] = &[ $( Setting {
            path: &[$($name),+],
            options: &[$($option),*],
            range: $range,
            default: $default,
        }, )* ];
    };
}

const PERCENT: Range = Range::Number(0.0, 100.0);
const ON_OFF: Range = Range::Word(&["OFF", "ON"]);
const ON_OFF_AUTO: Range = Range::Word(&["OFF", "ON", "AUTO"]);
const AUTO_MANUAL: Range = Range::Word(&["AUTO", "MANUAL"]);
const MICROSECONDS: Range = Range::Number(10.0, 1_000_000.0);
const DECIBEL: Range = Range::Number(0.0, 100.0);

settings! {
    "BacklightCompensation"/"Mode" => "BacklightCompensation"/"Mode": ON_OFF, "OFF";
    "BacklightCompensation"/"Level" => "BacklightCompensation"/"Level": PERCENT, "50";
    "Brightness" => "Brightness": PERCENT, "50";
    "ColorSaturation" => "ColorSaturation": PERCENT, "50";
    "Contrast" => "Contrast": PERCENT, "50";
    "Exposure"/"Mode" => "Exposure"/"Mode": AUTO_MANUAL, "AUTO";
    "Exposure"/"Priority" => "Exposure"/"Priority": Range::Word(&["LowNoise", "FrameRate"]), "FrameRate";
    "Exposure"/"MinExposureTime" => "Exposure"/"MinExposureTime": MICROSECONDS, "10";
    "Exposure"/"MaxExposureTime" => "Exposure"/"MaxExposureTime": MICROSECONDS, "40000";
    "Exposure"/"MinGain" => "Exposure"/"MinGain": DECIBEL, "0";
    "Exposure"/"MaxGain" => "Exposure"/"MaxGain": DECIBEL, "100";
    "Exposure"/"ExposureTime" => "Exposure"/"ExposureTime": MICROSECONDS, "4000";
    "Exposure"/"Gain" => "Exposure"/"Gain": DECIBEL, "20";
    "Exposure"/"Iris" => "Exposure"/"Iris": Range::Number(0.0, 20.0), "0";
    "Focus"/"AutoFocusMode" => "Focus"/"AutoFocusModes": AUTO_MANUAL, "MANUAL";
    "Focus"/"DefaultSpeed" => "Focus"/"DefaultSpeed": Range::Number(0.1, 1.0), "1";
    "Focus"/"NearLimit" => "Focus"/"NearLimit": Range::Number(0.1, 3.0), "0.1";
    "Focus"/"FarLimit" => "Focus"/"FarLimit": Range::Number(0.0, 1000.0), "0";
    "IrCutFilter" => "IrCutFilterModes": ON_OFF_AUTO, "AUTO";
    "Sharpness" => "Sharpness": PERCENT, "50";
    "WideDynamicRange"/"Mode" => "WideDynamicRange"/"Mode": ON_OFF, "OFF";
    "WideDynamicRange"/"Level" => "WideDynamicRange"/"Level": PERCENT, "50";
    "WhiteBalance"/"Mode" => "WhiteBalance"/"Mode": AUTO_MANUAL, "AUTO";
    "WhiteBalance"/"CrGain" => "WhiteBalance"/"YrGain": PERCENT, "50";
    "WhiteBalance"/"CbGain" => "WhiteBalance"/"YbGain": PERCENT, "50";
    "Extension"/"ImageStabilization"/"Mode" => "Extension"/"ImageStabilization"/"Mode": ON_OFF_AUTO, "OFF";
    "Extension"/"ImageStabilization"/"Level" => "Extension"/"ImageStabilization"/"Level": PERCENT, "50";
    "Extension"/"Extension"/"IrCutFilterAutoAdjustment"/"BoundaryType" =>
        "Extension"/"Extension"/"IrCutFilterAutoAdjustment"/"BoundaryType": Range::Word(&["Common"]), "Common";
    "Extension"/"Extension"/"IrCutFilterAutoAdjustment"/"ResponseTime" =>
        "Extension"/"Extension"/"IrCutFilterAutoAdjustment"/"ResponseTimeRange": Range::Duration("PT1S", "PT1800S"), "PT30S";
}

/// The values of all settings, in the order of the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings(Vec<String>);

impl Default for Settings {
    fn default() -> Self {
        Self(
            SETTINGS
                .iter()
                .map(|setting| setting.default.to_owned())
                .collect(),
        )
    }
}

impl Settings {
    /// These settings with some others.
    pub(super) fn with(&self, changes: &[(&str, &str)]) -> Self {
        let mut changed = self.clone();
        for (setting, value) in SETTINGS.iter().zip(&mut changed.0) {
            let name = setting.path.join("/");
            if let Some((_, new)) = changes.iter().find(|(changed, _)| *changed == name) {
                (*new).clone_into(value);
            }
        }
        changed
    }

    /// These settings with those of a request. What it names has to exist and be in its range.
    pub(super) fn changed_by(&self, asked: &Node) -> Result<Self, Fault> {
        let mut changed = self.clone();
        changed.read(asked, &mut Vec::new())?;
        Ok(changed)
    }

    fn read<'n>(&mut self, node: &'n Node, path: &mut Vec<&'n str>) -> Result<(), Fault> {
        for child in &node.children {
            path.push(&child.name);
            let index = SETTINGS
                .iter()
                .position(|setting| setting.path == path.as_slice());
            match index {
                Some(index) => self.0[index] = SETTINGS[index].accept(child)?,
                None if is_group(path) => self.read(child, path)?,
                None => {
                    let reason = format!("{} cannot be set", path.join("/"));
                    return Err(invalid(reason));
                }
            }
            path.pop();
        }
        Ok(())
    }

    pub(super) fn element(&self) -> Element {
        let rows = SETTINGS.iter().zip(&self.0);
        let rows = rows
            .map(|(setting, value)| (setting.path, element(TT, last(setting.path)).text(value)));
        nest(
            element(TIMG, "ImagingSettings"),
            &rows.collect::<Vec<_>>(),
            0,
        )
    }
}

/// The ranges of all settings.
pub(super) fn options() -> Element {
    let rows = SETTINGS.iter().flat_map(|setting| {
        let name = last(setting.options);
        let of_range = |min: &dyn std::fmt::Display, max: &dyn std::fmt::Display| {
            vec![super::super::range(name, min, max)]
        };
        let elements = match &setting.range {
            Range::Number(min, max) => of_range(min, max),
            Range::Duration(min, max) => of_range(min, max),
            Range::Word(words) => {
                let all = words.iter();
                all.map(|word| element(TT, name).text(word)).collect()
            }
        };
        elements
            .into_iter()
            .map(|element| (setting.options, element))
    });
    nest(
        element(TIMG, "ImagingOptions"),
        &rows.collect::<Vec<_>>(),
        0,
    )
}

impl Setting {
    fn accept(&self, node: &Node) -> Result<String, Fault> {
        let text = node.text();
        let fits = match &self.range {
            Range::Number(min, max) => {
                let number: Option<f64> = text.parse().ok();
                number.is_some_and(|number| (*min..=*max).contains(&number))
            }
            Range::Word(words) => words.contains(&text),
            Range::Duration(min, max) => {
                let bounds = (read_duration(min), read_duration(max));
                read_duration(text)
                    .is_some_and(|time| bounds.0 <= Some(time) && Some(time) <= bounds.1)
            }
        };
        if fits {
            Ok(text.to_owned())
        } else {
            let reason = format!("{} is out of range", self.path.join("/"));
            Err(invalid(reason))
        }
    }
}

fn is_group(path: &[&str]) -> bool {
    SETTINGS
        .iter()
        .any(|setting| setting.path.starts_with(path))
}

fn last(path: &'static [&'static str]) -> &'static str {
    path.last().copied().unwrap_or_default()
}

/// Puts elements where their paths say; those with the same parent follow each other.
fn nest(parent: Element, rows: &[(&'static [&'static str], Element)], depth: usize) -> Element {
    let mut parent = parent;
    let groups =
        rows.chunk_by(|(a, _), (b, _)| a.len() > depth + 1 && a.get(depth) == b.get(depth));
    for group in groups {
        let Some((path, leaf)) = group.first() else {
            continue;
        };
        parent = if path.len() == depth + 1 {
            parent.child(leaf.clone())
        } else {
            parent.child(nest(element(TT, path[depth]), group, depth + 1))
        };
    }
    parent
}

fn invalid(reason: String) -> Fault {
    Fault::invalid_value("SettingsInvalid", reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Rendering, read};

    #[test]
    fn what_is_written_can_be_read_back() {
        let settings = Settings::default().with(&[("Brightness", "70")]);
        let written = settings.element().render(Rendering::default());
        let read = read(written.as_bytes()).unwrap();
        assert_eq!(read.text_of("Brightness"), Some("70"));
        assert_eq!(Settings::default().changed_by(&read).unwrap(), settings);
    }

    #[test]
    fn every_group_is_written_once() {
        let written = options().render(Rendering::default());
        for group in [
            "<tt:Exposure>",
            "<tt:ImageStabilization>",
            "<tt:WhiteBalance>",
        ] {
            assert_eq!(written.matches(group).count(), 1, "{group}");
        }
        assert_eq!(written.matches("<tt:IrCutFilterModes>").count(), 3);
    }
}
