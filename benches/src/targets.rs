//! The project's aims, and whether they are met.

use std::fmt;

use serde::Serialize;

use crate::{Comparison, FirstPictureReport, SnapshotReport, Tool};

/// An aim: a figure that is not to be over a bound.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// What is aimed at.
    pub aim: &'static str,
    /// The bound.
    pub bound: f64,
    /// What was measured; `None` if the tool it is compared with is not installed.
    pub measured: Option<f64>,
}

/// All aims, by what was measured.
pub fn targets(
    snapshots: &SnapshotReport,
    first: &FirstPictureReport,
    warm: &Comparison,
    many: &Comparison,
    consumers: &Comparison,
    demux: &Comparison,
    clips: &Comparison,
) -> Vec<Target> {
    let row = |tool| snapshots.rows.iter().find(|row| row.tool == tool);
    let cpu = |tool| row(tool).map(|row| row.ours_to_theirs_cpu);
    let started = first.rows.iter().find(|row| row.tool == Tool::Ffmpeg);
    let ours = |of: &Comparison, column: usize| of.rows.first().map(|row| row.values[column]);
    let to = |of: &Comparison, name| of.row(name).map(|row| row.ours_to_theirs);
    let target = |aim, bound, measured| Target {
        aim,
        bound,
        measured,
    };
    vec![
        target(
            "one JPEG a second: CPU by ffmpeg fps=1",
            0.25,
            cpu(Tool::Ffmpeg),
        ),
        target("by OpenCV read", 0.20, cpu(Tool::OpenCv)),
        target("by ffmpeg nokey", 0.85, cpu(Tool::FfmpegKeyFrames)),
        target(
            "by GStreamer key frames",
            1.0,
            cpu(Tool::GstreamerKeyFrames),
        ),
        target(
            "memory of one stream by ffmpeg",
            0.3,
            row(Tool::Ffmpeg).map(|row| row.ours_to_theirs_rss),
        ),
        target("50 cameras: MiB", 64.0, ours(many, 1)),
        target("50 cameras: cores", 1.0, ours(many, 0)),
        target("warm picture: p99 in ms", 60.0, ours(warm, 1)),
        target(
            "cold first picture: time by ffmpeg",
            0.3,
            started.map(|row| row.ours_to_theirs),
        ),
        target(
            "fragmented MP4: CPU by ffmpeg",
            0.35,
            to(clips, "ffmpeg -c copy, fragmented"),
        ),
        target(
            "reading: CPU by ffmpeg -c copy",
            0.5,
            to(demux, "ffmpeg -c copy"),
        ),
        target(
            "ten equal consumers: CPU by one",
            1.1,
            to(consumers, "1 equal consumer(s)"),
        ),
    ]
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            aim,
            bound,
            measured,
        } = self;
        match measured {
            Some(measured) => {
                let met = if measured <= bound { "met" } else { "missed" };
                write!(f, "| {aim} | {bound:.2} | {measured:.2} | {met} |")
            }
            None => write!(f, "| {aim} | {bound:.2} | | not measured |"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_met_at_its_bound_and_says_when_it_was_not_measured() {
        let line = |measured| {
            let (aim, bound) = ("it", 1.0);
            let target = Target {
                aim,
                bound,
                measured,
            };
            target.to_string()
        };
        assert_eq!(line(Some(1.0)), "| it | 1.00 | 1.00 | met |");
        assert_eq!(line(Some(1.1)), "| it | 1.00 | 1.10 | missed |");
        assert_eq!(line(None), "| it | 1.00 | | not measured |");
    }
}
