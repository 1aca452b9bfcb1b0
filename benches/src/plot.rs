//! A bar plot, as SVG.

use std::fmt::Write as _;

use crate::{Clip, SnapshotReport, Tool};

const WIDTH: f64 = 760.0;
const LABELS: f64 = 190.0;
const BARS: f64 = 430.0;
const ROW: f64 = 34.0;
const TOP: f64 = 64.0;

/// CPU time per picture, one bar per tool; shorter is better.
pub fn plot(report: &SnapshotReport) -> String {
    let rows = &report.rows;
    let height = TOP + ROW * rows.len() as f64 + 34.0;
    let longest = rows
        .iter()
        .map(|row| row.ms_per_picture)
        .filter(|ms| ms.is_finite())
        .fold(f64::MIN_POSITIVE, f64::max);
    let clip = &report.setting.clip;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"17\" font-weight=\"bold\" fill=\"#222\">CPU milliseconds per picture (shorter is better)</text>\n\
         <text x=\"16\" y=\"47\" fill=\"#555\">one JPEG a second of {} stream(s), {} x {} at {} frames/s, {:.0} Mbit/s, a key frame every {} s</text>\n",
        report.streams,
        clip.spec.width,
        clip.spec.height,
        Clip::RATE,
        clip.mbit_per_second,
        clip.spec.gop_seconds,
    );
    for (n, row) in rows.iter().enumerate() {
        let top = TOP + ROW * n as f64;
        let middle = top + ROW / 2.0 + 1.0;
        let length = if row.ms_per_picture.is_finite() {
            BARS * row.ms_per_picture / longest
        } else {
            0.0
        };
        let fill = match row.tool {
            Tool::Ours => "#1b6ca8",
            tool if tool.only_key_frames() => "#8fb3cc",
            _ => "#c9c9c9",
        };
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{middle:.0}\" text-anchor=\"end\" dominant-baseline=\"middle\" fill=\"#222\">{}</text>\n\
             <rect x=\"{LABELS:.0}\" y=\"{:.0}\" width=\"{length:.1}\" height=\"{:.0}\" fill=\"{fill}\"/>\n\
             <text x=\"{:.1}\" y=\"{middle:.0}\" dominant-baseline=\"middle\" fill=\"#222\">{:.1} ms, {:.0} MB</text>\n",
            LABELS - 8.0,
            row.tool.name(),
            top + 4.0,
            ROW - 8.0,
            LABELS + length + 8.0,
            row.ms_per_picture,
            row.peak_rss_mb,
        );
    }
    let _ = write!(
        svg,
        "<text x=\"16\" y=\"{:.0}\" font-size=\"12\" fill=\"#555\">Blue: key frames only. Grey: every frame is decoded, so any instant can be shown. MB: peak memory.</text>\n</svg>\n",
        height - 12.0
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn the_longest_bar_fills_the_space_and_the_others_keep_the_proportion() {
        let svg = plot(&report());
        assert!(svg.contains("width=\"430.0\""), "{svg}");
        assert!(svg.contains("width=\"143.3\""), "{svg}");
        assert!(svg.contains("120.0 ms, 20 MB"), "{svg}");
    }

    #[test]
    fn a_tool_without_pictures_gets_no_bar() {
        let mut report = report();
        report.rows[1].ms_per_picture = f64::INFINITY;
        assert!(plot(&report).contains("width=\"0.0\""));
    }
}
