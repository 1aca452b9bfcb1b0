//! onvif-core and oxvif 0.17 side by side. Everything stays on this machine.

mod decode;
mod footprint;

use anyhow::bail;

const USAGE: &str = "usage: compare decode FILE... | compare footprint
  decode     CPU time from the bytes of a GetProfiles reply to typed profiles, by each client's own call
  footprint  CPU time of a cold release build, number of crates, and stripped size of a program with each client";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((mode, files)) if mode == "decode" && !files.is_empty() => decode::compare(files),
        Some((mode, [])) if mode == "footprint" => footprint::compare(),
        _ => bail!(USAGE),
    }
}

/// The middle of some figures.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
