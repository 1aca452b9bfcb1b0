//! What was measured, as tables for people and JSON for programs.

use std::fmt;
use std::fs;
use std::thread::available_parallelism;
use std::time::Duration;

use serde::Serialize;

use crate::{Clip, Tool, Usage, installed};

/// Where and with what something was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Model of the processor.
    pub processor: String,
    /// Number of cores.
    pub cores: usize,
    /// Load average of the last minute, before the first round.
    pub load: f64,
    /// Versions of the tools.
    pub versions: Vec<String>,
    /// What was played.
    pub clip: Clip,
    /// Tools that are not installed, with how to install them.
    pub left_out: Vec<(Tool, &'static str)>,
}

impl Setting {
    /// The setting of now.
    pub fn new(clip: Clip) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let model = read("/proc/cpuinfo").lines().find_map(|line| {
            Some(
                line.strip_prefix("model name")?
                    .split_once(": ")?
                    .1
                    .to_owned(),
            )
        });
        let load = read("/proc/loadavg");
        Self {
            processor: model.unwrap_or_else(|| "unknown".into()),
            cores: available_parallelism().map_or(1, usize::from),
            load: load
                .split(' ')
                .next()
                .and_then(|load| load.parse().ok())
                .unwrap_or(0.0),
            versions: installed(),
            clip,
            left_out: Tool::ALL
                .into_iter()
                .filter_map(|tool| Some((tool, tool.missing()?)))
                .collect(),
        }
    }

    /// The tools that are installed.
    pub fn tools(&self) -> impl Iterator<Item = Tool> {
        Tool::ALL
            .into_iter()
            .filter(|tool| tool.missing().is_none())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clip = &self.clip;
        writeln!(
            f,
            "{}, {} cores, load {:.1}",
            self.processor, self.cores, self.load
        )?;
        writeln!(f, "{}", self.versions.join("; "))?;
        writeln!(
            f,
            "{} x {} at {} frames/s, {:.1} Mbit/s, a key frame of {:.0} kB every {} s, {} pictures",
            clip.spec.width,
            clip.spec.height,
            Clip::RATE,
            clip.mbit_per_second,
            clip.key_frame_kb,
            clip.spec.gop_seconds,
            clip.pictures,
        )?;
        for (tool, hint) in &self.left_out {
            writeln!(f, "left out: {} (to install it: {hint})", tool.name())?;
        }
        Ok(())
    }
}

/// One tool's round of snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Round {
    cpu_seconds: f64,
    peak_rss_mb: f64,
    pub(crate) pictures: usize,
    pub(crate) picture_kb: f64,
}

impl Round {
    /// Adds a process: its memory comes on top of that of the others.
    pub(crate) fn add(&mut self, usage: Usage) {
        self.cpu_seconds += usage.cpu.as_secs_f64();
        self.peak_rss_mb += usage.peak_rss as f64 / 1e6;
    }
}

/// One JPEG a second, of each of some streams.
#[derive(Clone, Debug, Serialize)]
pub struct SnapshotReport {
    /// Where and with what.
    pub setting: Setting,
    /// Length of a round.
    pub seconds: u64,
    /// Number of streams.
    pub streams: usize,
    /// A row per tool.
    pub rows: Vec<SnapshotRow>,
}

/// What a tool took; medians over the rounds.
#[derive(Clone, Debug, Serialize)]
pub struct SnapshotRow {
    /// The tool.
    pub tool: Tool,
    /// CPU seconds of a round.
    pub cpu_seconds: f64,
    /// Complete pictures of a round.
    pub pictures: f64,
    /// Mean size of a picture in kilobytes.
    pub picture_kb: f64,
    /// Milliseconds of CPU time per picture.
    pub ms_per_picture: f64,
    /// Most resident memory in megabytes; the sum where there are several processes.
    pub peak_rss_mb: f64,
    /// Streams that keep one core busy.
    pub streams_per_core: f64,
    /// CPU time of ours by that of this one.
    pub ours_to_theirs_cpu: f64,
    /// CPU time per picture of ours by that of this one.
    pub ours_to_theirs_per_picture: f64,
    /// Memory of ours by that of this one.
    pub ours_to_theirs_rss: f64,
    rounds: Vec<Round>,
}

impl SnapshotReport {
    pub(crate) fn new(
        setting: Setting,
        seconds: u64,
        streams: usize,
        measured: Vec<(Tool, Vec<Round>)>,
    ) -> Self {
        let row = |(tool, rounds): (Tool, Vec<Round>)| {
            let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value));
            let cpu_seconds = of(|round| round.cpu_seconds);
            SnapshotRow {
                tool,
                cpu_seconds,
                pictures: of(|round| round.pictures as f64),
                picture_kb: of(|round| round.picture_kb),
                ms_per_picture: of(|round| 1e3 * round.cpu_seconds / round.pictures as f64),
                peak_rss_mb: of(|round| round.peak_rss_mb),
                streams_per_core: seconds as f64 * streams as f64 / cpu_seconds,
                ours_to_theirs_cpu: f64::NAN,
                ours_to_theirs_per_picture: f64::NAN,
                ours_to_theirs_rss: f64::NAN,
                rounds,
            }
        };
        let mut rows: Vec<_> = measured.into_iter().map(row).collect();
        if let Some(ours) = rows.iter().find(|row| row.tool == Tool::Ours).cloned() {
            for row in &mut rows {
                row.ours_to_theirs_cpu = ours.cpu_seconds / row.cpu_seconds;
                row.ours_to_theirs_per_picture = ours.ms_per_picture / row.ms_per_picture;
                row.ours_to_theirs_rss = ours.peak_rss_mb / row.peak_rss_mb;
            }
        }
        Self {
            setting,
            seconds,
            streams,
            rows,
        }
    }
}

impl fmt::Display for SnapshotReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds = self.rows.first().map_or(0, |row| row.rounds.len());
        write!(f, "{}", self.setting)?;
        writeln!(
            f,
            "one JPEG a second of {} stream(s), {} s, medians of {rounds} rounds\n",
            self.streams, self.seconds
        )?;
        writeln!(
            f,
            "| tool | CPU s | pictures | kB each | CPU ms per picture | peak RSS MB | streams per core | ours/theirs: CPU | per picture | RSS |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|")?;
        for row in &self.rows {
            writeln!(
                f,
                "| {} | {:.2} | {:.0} | {:.0} | {:.1} | {:.0} | {:.1} | {:.2} | {:.2} | {:.2} |",
                row.tool.name(),
                row.cpu_seconds,
                row.pictures,
                row.picture_kb,
                row.ms_per_picture,
                row.peak_rss_mb,
                row.streams_per_core,
                row.ours_to_theirs_cpu,
                row.ours_to_theirs_per_picture,
                row.ours_to_theirs_rss,
            )?;
        }
        Ok(())
    }
}

/// From the start of a process to a JPEG on disk, joining a stream that runs.
#[derive(Clone, Debug, Serialize)]
pub struct FirstPictureReport {
    /// Where and with what.
    pub setting: Setting,
    /// A row per tool.
    pub rows: Vec<FirstPictureRow>,
}

/// How long a tool took.
#[derive(Clone, Debug, Serialize)]
pub struct FirstPictureRow {
    /// The tool.
    pub tool: Tool,
    /// Median in seconds.
    pub median_seconds: f64,
    /// Shortest in seconds.
    pub least_seconds: f64,
    /// Longest in seconds; a join without a picture counts with the time after which it was given up.
    pub most_seconds: f64,
    /// Joins that gave no picture.
    pub failures: usize,
    /// Median of ours by that of this one.
    pub ours_to_theirs: f64,
    joins: Vec<f64>,
}

impl FirstPictureReport {
    /// From each tool's joins: the time, and whether there was a picture.
    pub(crate) fn new(setting: Setting, measured: Vec<(Tool, Vec<(Duration, bool)>)>) -> Self {
        let row = |(tool, joins): (Tool, Vec<(Duration, bool)>)| {
            let seconds: Vec<f64> = joins.iter().map(|(time, _)| time.as_secs_f64()).collect();
            FirstPictureRow {
                tool,
                median_seconds: median(seconds.iter().copied()),
                least_seconds: seconds.iter().copied().fold(f64::INFINITY, f64::min),
                most_seconds: seconds.iter().copied().fold(0.0, f64::max),
                failures: joins.iter().filter(|(_, picture)| !picture).count(),
                ours_to_theirs: f64::NAN,
                joins: seconds,
            }
        };
        let mut rows: Vec<_> = measured.into_iter().map(row).collect();
        let ours = rows
            .iter()
            .find(|row| row.tool == Tool::Ours)
            .map(|row| row.median_seconds);
        for row in &mut rows {
            row.ours_to_theirs = ours.map_or(f64::NAN, |ours| ours / row.median_seconds);
        }
        Self { setting, rows }
    }
}

impl fmt::Display for FirstPictureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joins = self.rows.first().map_or(0, |row| row.joins.len());
        write!(f, "{}", self.setting)?;
        writeln!(
            f,
            "seconds from process start to the first JPEG on disk, {joins} joins each\n"
        )?;
        writeln!(
            f,
            "| tool | median | least | most | failures | ours/theirs |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for row in &self.rows {
            writeln!(
                f,
                "| {} | {:.2} | {:.2} | {:.2} | {} | {:.2} |",
                row.tool.name(),
                row.median_seconds,
                row.least_seconds,
                row.most_seconds,
                row.failures,
                row.ours_to_theirs,
            )?;
        }
        Ok(())
    }
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ClipSpec;

    pub(crate) fn report() -> SnapshotReport {
        let setting = Setting {
            processor: "a processor".into(),
            cores: 2,
            load: 0.5,
            versions: vec!["media-pipeline 1".into(), "ffmpeg 5".into()],
            clip: Clip {
                spec: ClipSpec {
                    width: 1920,
                    height: 1080,
                    gop_seconds: 1,
                },
                path: "clip".into(),
                pictures: 500,
                mbit_per_second: 4.0,
                key_frame_kb: 170.0,
            },
            left_out: vec![(Tool::OpenCv, "pip install it")],
        };
        let round = |cpu_seconds, pictures| Round {
            cpu_seconds,
            peak_rss_mb: 20.0,
            pictures,
            picture_kb: 200.0,
        };
        let ours = vec![round(9.0, 30), round(1.0, 30), round(1.2, 30)];
        let theirs = vec![round(2.0, 20), round(2.5, 20), round(2.4, 20)];
        SnapshotReport::new(
            setting,
            30,
            1,
            vec![(Tool::Ours, ours), (Tool::Ffmpeg, theirs)],
        )
    }

    #[test]
    fn ratios_are_ours_by_theirs_of_the_medians() {
        let [ours, theirs] = &report().rows[..] else {
            panic!("two rows")
        };
        assert!((ours.cpu_seconds - 1.2).abs() < 1e-9);
        assert!((ours.ours_to_theirs_cpu - 1.0).abs() < 1e-9);
        assert!((theirs.ours_to_theirs_cpu - 0.5).abs() < 1e-9);
        assert!((theirs.ms_per_picture - 120.0).abs() < 1e-9);
        assert!((theirs.ours_to_theirs_per_picture - 40.0 / 120.0).abs() < 1e-9);
        assert!((ours.streams_per_core - 25.0).abs() < 1e-9);
    }

    #[test]
    fn the_table_has_every_tool_and_names_what_is_missing() {
        let text = report().to_string();
        assert!(
            text.contains("| ffmpeg, every frame | 2.40 | 20 |"),
            "{text}"
        );
        assert!(
            text.contains("left out: OpenCV, every frame (to install it: pip install it)"),
            "{text}"
        );
    }

    #[test]
    fn a_join_without_a_picture_counts_as_a_failure() {
        let setting = report().setting;
        let joins = [(1, true), (25, false), (3, true)]
            .map(|(seconds, picture)| (Duration::from_secs(seconds), picture));
        let report = FirstPictureReport::new(setting, vec![(Tool::Ours, joins.to_vec())]);
        assert_eq!(report.rows[0].failures, 1);
        assert!((report.rows[0].median_seconds - 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_of_an_even_number_lies_in_the_middle() {
        assert!((median([4.0, 1.0, 3.0, 2.0].into_iter()) - 2.5).abs() < 1e-9);
        assert!(median([].into_iter()).is_nan());
    }
}
