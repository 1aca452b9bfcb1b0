//! Compares what it costs to get pictures out of an RTSP stream: this project, ffmpeg, GStreamer and OpenCV, side by side.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use benches::{
    Clip, ClipSpec, SnapshotReport, clips, consumers, demux, first_picture, many, plot, replay,
    snapshots, targets, warm, worker,
};
use clap::{Parser, Subcommand};
use serde::Serialize;
use tokio::time::sleep;

/// Compares what it costs to get pictures out of an RTSP stream: this project, ffmpeg, GStreamer and OpenCV, side by side.
///
/// Without a command: everything, with the project's aims at the end, in about ten minutes. Everything stays on this
/// machine.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    mode: Option<Mode>,
    /// Everything once and briefly, in about two minutes: to see that it works, the figures are rough.
    #[arg(long)]
    quick: bool,
    /// Width of the clip in pixels.
    #[arg(long, default_value_t = 1920, global = true, value_parser = clap::value_parser!(u32).range(64..=4096))]
    width: u32,
    /// Height of the clip in pixels.
    #[arg(long, default_value_t = 1080, global = true, value_parser = clap::value_parser!(u32).range(64..=4096))]
    height: u32,
    /// Folder for the clips, pictures and results.
    #[arg(long, value_name = "DIR", global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/frame-extraction"))]
    out: PathBuf,
    /// Where the results go as JSON; in the output folder by default.
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// Where the bar plot goes; in the output folder by default.
    #[arg(long, value_name = "FILE", global = true)]
    svg: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// CPU time and memory of one JPEG a second, all tools at the same time.
    Snapshots {
        /// Length of a round in seconds.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..=3600))]
        seconds: u64,
        /// Rounds.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
        /// Streams at the same time: ours reads all in one process, the others one per process.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
        streams: u8,
        /// Seconds from key frame to key frame.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
        gop: u32,
    },
    /// Seconds from process start to the first JPEG, joining a running stream.
    FirstPicture {
        /// Joins per tool.
        #[arg(long, default_value_t = 12)]
        joins: u8,
        /// Seconds from key frame to key frame.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=10))]
        gop: u32,
    },
    /// Our side of the comparison, in a process of its own.
    #[command(hide = true, subcommand)]
    Worker(Worker),
}

#[derive(Debug, Subcommand)]
enum Worker {
    Snapshots {
        url: String,
        seconds: f64,
        folder: PathBuf,
        streams: usize,
        period: f64,
    },
    First {
        url: String,
        file: PathBuf,
    },
    Warm {
        url: String,
        requests: u32,
        file: PathBuf,
    },
    Consumers {
        url: String,
        seconds: f64,
        consumers: usize,
    },
    Demux {
        url: String,
        units: u64,
    },
    Clip {
        url: String,
        units: u64,
        folder: PathBuf,
    },
    Replay {
        clip: PathBuf,
        loops: u32,
    },
}

/// How long everything takes.
struct Plan {
    rounds: usize,
    seconds: u64,
    joins: usize,
    requests: u32,
    loops: u32,
}

impl Plan {
    const FULL: Self = Self {
        rounds: 5,
        seconds: 30,
        joins: 11,
        requests: 200,
        loops: 20,
    };
    const QUICK: Self = Self {
        rounds: 1,
        seconds: 10,
        joins: 3,
        requests: 30,
        loops: 10,
    };
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    let mode = arguments.mode.take();
    if let Some(Mode::Worker(worker)) = mode {
        return work(worker);
    }
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build: its figures mean nothing; use cargo run --release");
    }
    let pictures = arguments.out.join("pictures");
    match mode {
        Some(Mode::FirstPicture { joins, gop }) => {
            let report = first_picture(arguments.clip(gop)?, joins.into(), &pictures)?;
            println!("{report}");
            arguments.write_json(&report)
        }
        Some(Mode::Snapshots {
            seconds,
            rounds,
            streams,
            gop,
        }) => {
            let (rounds, streams) = (rounds.into(), streams.into());
            let clip = arguments.clip(gop)?;
            let report = snapshots(clip, seconds, rounds, streams, &pictures)?;
            println!("{report}");
            arguments.write_plot(&report)?;
            arguments.write_json(&report)
        }
        _ => everything(&arguments, &pictures),
    }
}

fn everything(arguments: &Arguments, pictures: &Path) -> anyhow::Result<()> {
    let plan = if arguments.quick {
        Plan::QUICK
    } else {
        Plan::FULL
    };
    let clip = arguments.clip(1)?;
    let taken = snapshots(clip.clone(), plan.seconds, plan.rounds, 1, pictures)?;
    println!("{taken}");
    arguments.write_plot(&taken)?;
    let first = first_picture(arguments.clip(2)?, plan.joins, pictures)?;
    println!("{first}");
    let warm = warm(&clip, plan.requests, pictures)?;
    println!("{warm}");
    let few = plan.rounds.div_ceil(2);
    let many = many(&clip, 50, plan.seconds, few, pictures)?;
    println!("{many}");
    let consumers = consumers(&clip, plan.seconds, few)?;
    println!("{consumers}");
    let demux = demux(&clip, plan.loops, plan.rounds)?;
    println!("{demux}");
    let clips = clips(&clip, plan.loops, plan.rounds, pictures)?;
    println!("{clips}");
    let targets = targets(&taken, &first, &warm, &many, &consumers, &demux, &clips);
    println!("| aim | at most | measured | |\n|---|--:|--:|---|");
    for target in &targets {
        println!("{target}");
    }
    arguments.write_json(&serde_json::json!({
        "snapshots": taken,
        "first_picture": first,
        "parts": [warm, many, consumers, demux, clips],
        "targets": targets,
    }))
}

impl Arguments {
    fn clip(&self, gop_seconds: u32) -> anyhow::Result<Clip> {
        let spec = ClipSpec {
            width: self.width,
            height: self.height,
            gop_seconds,
        };
        Clip::in_cache(&self.out, spec)
    }

    fn file(&self, chosen: Option<&PathBuf>, ending: &str) -> PathBuf {
        let usual = || self.out.join("frame-extraction").with_extension(ending);
        chosen.cloned().unwrap_or_else(usual)
    }

    fn write_plot(&self, report: &SnapshotReport) -> anyhow::Result<()> {
        let file = self.file(self.svg.as_ref(), "svg");
        fs::write(&file, plot(report)).with_context(|| format!("cannot write {file:?}"))?;
        println!("plot: {}\n", file.display());
        Ok(())
    }

    fn write_json(&self, report: &impl Serialize) -> anyhow::Result<()> {
        let file = self.file(self.json.as_ref(), "json");
        let text = serde_json::to_string_pretty(report)?;
        fs::write(&file, text).with_context(|| format!("cannot write {file:?}"))
    }
}

#[tokio::main]
async fn work(worker: Worker) -> anyhow::Result<()> {
    let done = match worker {
        Worker::Snapshots {
            url,
            seconds,
            folder,
            streams,
            period,
        } => worker::snapshots(&url, seconds, &folder, streams, period).await,
        Worker::First { url, file } => return worker::first(&url, &file).await,
        Worker::Warm {
            url,
            requests,
            file,
        } => worker::warm(&url, requests, &file).await,
        Worker::Consumers {
            url,
            seconds,
            consumers,
        } => worker::consumers(&url, seconds, consumers).await,
        Worker::Demux { url, units } => worker::demux(&url, units).await,
        Worker::Clip { url, units, folder } => worker::clip(&url, units, &folder).await,
        Worker::Replay { clip, loops } => return replay(&clip, loops),
    };
    // The sessions are closed while there is still a runtime.
    sleep(Duration::from_millis(100)).await;
    done
}
