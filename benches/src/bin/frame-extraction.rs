//! Compares what it costs to get pictures out of an RTSP stream: this project, ffmpeg, GStreamer and OpenCV, side by side.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use benches::{Clip, ClipSpec, first_picture, plot, snapshots, worker};
use clap::{Parser, Subcommand};
use serde::Serialize;

/// Compares what it costs to get pictures out of an RTSP stream: this project, ffmpeg, GStreamer and OpenCV, side by side.
///
/// Without a command: CPU time and memory of one JPEG a second. Everything stays on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    mode: Option<Mode>,
    /// Length of a round per tool, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..=3600))]
    seconds: u64,
    /// Rounds; each has another order of the tools.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Streams at the same time: ours reads all in one process, the others one per process.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    streams: u8,
    /// Width of the clip in pixels.
    #[arg(long, default_value_t = 1920, global = true, value_parser = clap::value_parser!(u32).range(64..=4096))]
    width: u32,
    /// Height of the clip in pixels.
    #[arg(long, default_value_t = 1080, global = true, value_parser = clap::value_parser!(u32).range(64..=4096))]
    height: u32,
    /// Seconds from key frame to key frame.
    #[arg(long, default_value_t = 1, global = true, value_parser = clap::value_parser!(u32).range(1..=10))]
    gop: u32,
    /// Folder for the clips and pictures.
    #[arg(long, value_name = "DIR", global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/frame-extraction"))]
    out: PathBuf,
    /// Writes the results as JSON too.
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// Where the bar plot goes; in the output folder by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Seconds from process start to the first JPEG, joining a running stream.
    FirstPicture {
        /// Joins per tool.
        #[arg(long, default_value_t = 12)]
        joins: u8,
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
    },
    First {
        url: String,
        file: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Mode::Worker(worker)) = arguments.mode {
        return work(worker);
    }
    let spec = ClipSpec {
        width: arguments.width,
        height: arguments.height,
        gop_seconds: arguments.gop,
    };
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build: its figures mean nothing; use cargo run --release");
    }
    let clip = Clip::in_cache(&arguments.out, spec)?;
    let pictures = arguments.out.join("pictures");
    let json = arguments.json.as_deref();
    if let Some(Mode::FirstPicture { joins }) = arguments.mode {
        let report = first_picture(clip, joins.into(), &pictures)?;
        println!("{report}");
        return write_json(json, &report);
    }
    let report = snapshots(
        clip,
        arguments.seconds,
        arguments.rounds.into(),
        arguments.streams.into(),
        &pictures,
    )?;
    println!("{report}");
    let svg = arguments
        .svg
        .unwrap_or_else(|| arguments.out.join("frame-extraction.svg"));
    fs::write(&svg, plot(&report)).with_context(|| format!("cannot write {svg:?}"))?;
    println!("plot: {}", svg.display());
    write_json(json, &report)
}

#[tokio::main]
async fn work(worker: Worker) -> anyhow::Result<()> {
    match worker {
        Worker::Snapshots {
            url,
            seconds,
            folder,
            streams,
        } => worker::snapshots(&url, seconds, &folder, streams).await,
        Worker::First { url, file } => worker::first(&url, &file).await,
    }
}

fn write_json(file: Option<&Path>, report: &impl Serialize) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let text = serde_json::to_string_pretty(report)?;
    fs::write(file, text).with_context(|| format!("cannot write {file:?}"))
}
