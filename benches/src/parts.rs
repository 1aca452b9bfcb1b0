//! Rounds of single abilities.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::clip::first_unit;
use crate::report::median;
use crate::rounds::empty;
use crate::tool::{command, worker};
use crate::{Clip, Comparison, Replay, Running, Server, Tool, Usage};

const OURS: &str = "media-pipeline";
const LIMIT: Duration = Duration::from_secs(120);

/// A picture of a stream that runs, at once; beside it what programs do that start ffmpeg for each.
///
/// # Errors
/// If a tool cannot be started or files cannot be written.
pub fn warm(clip: &Clip, requests: u32, folder: &Path) -> anyhow::Result<Comparison> {
    let server = Server::start(clip)?;
    empty(folder)?;
    let times = folder.join("warm.json");
    let mut ours = worker("warm", server.url())?;
    ours.arg(requests.to_string()).arg(&times);
    let usage = run(&ours)?;
    let data = fs::read(&times).context("there were no warm snapshots")?;
    let mut times: Vec<f64> = serde_json::from_slice(&data)?;
    let cpu = usage.cpu.as_secs_f64() * 1e3 / f64::from(requests);
    let mut rows = vec![(OURS.to_owned(), vec![percentiles(&mut times, cpu)])];
    if Tool::Ffmpeg.missing().is_none() {
        let (key, picture) = (folder.join("key.h264"), folder.join("key.jpg"));
        fs::write(&key, first_unit(&clip.path)?)?;
        let mut ffmpeg = command(
            "ffmpeg -nostdin -v error -y -f h264 -i",
            &key.to_string_lossy(),
        );
        ffmpeg.args(["-frames:v", "1", "-q:v", "5"]).arg(&picture);
        let (mut times, mut cpu) = (Vec::new(), Vec::new());
        for _ in 0..requests.div_ceil(5) {
            let usage = run(&ffmpeg)?;
            times.push(usage.wall.as_secs_f64() * 1e3);
            cpu.push(usage.cpu.as_secs_f64() * 1e3);
        }
        let cpu = median(cpu.into_iter());
        rows.push((
            "ffmpeg, started for each key frame".to_owned(),
            vec![percentiles(&mut times, cpu)],
        ));
    }
    let title = format!("{requests} pictures on demand of a stream that runs");
    Ok(Comparison::new(
        title,
        &[
            "median ms",
            "p99 ms",
            "CPU ms each (ours: with reading the stream)",
        ],
        rows,
    ))
}

fn percentiles(times: &mut [f64], cpu: f64) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    let p99 = (times.len() * 99).div_ceil(100).saturating_sub(1);
    let p99 = times.get(p99).copied().unwrap_or(f64::NAN);
    vec![median(times.iter().copied()), p99, cpu]
}

/// One JPEG per two seconds of each of so many cameras in one process of ours.
///
/// # Errors
/// If a tool cannot be started or files cannot be written.
pub fn many(
    clip: &Clip,
    streams: usize,
    seconds: u64,
    rounds: usize,
    folder: &Path,
) -> anyhow::Result<Comparison> {
    let server = Server::start(clip)?;
    let mut results = Vec::new();
    for _ in 0..rounds {
        for stream in 0..streams {
            empty(&folder.join(stream.to_string()))?;
        }
        let mut ours = worker("snapshots", server.url())?;
        ours.arg(seconds.to_string()).arg(folder);
        ours.args([streams.to_string(), "2".to_owned()]);
        let usage = run(&ours)?;
        let count =
            |stream: usize| fs::read_dir(folder.join(stream.to_string())).map(Iterator::count);
        let pictures = (0..streams).map(count).sum::<Result<usize, _>>()?;
        let cores = usage.cpu.as_secs_f64() / seconds as f64;
        results.push(vec![cores, usage.peak_rss as f64 / MIB, pictures as f64]);
    }
    Ok(Comparison::new(
        format!("one JPEG per 2 s of {streams} cameras in one process, {seconds} s"),
        &["cores", "peak RSS MiB", "pictures"],
        vec![(OURS.to_owned(), results)],
    ))
}

const MIB: f64 = 1024.0 * 1024.0;

/// One JPEG a second of one stream, for ten consumers and for one, at the same time.
///
/// # Errors
/// If a tool cannot be started.
pub fn consumers(clip: &Clip, seconds: u64, rounds: usize) -> anyhow::Result<Comparison> {
    let server = Server::start(clip)?;
    let mut rows = [10, 1].map(|consumers: usize| (consumers, Vec::new()));
    for _ in 0..rounds {
        let mut running = Vec::new();
        for (consumers, _) in &rows {
            let mut ours = worker("consumers", server.url())?;
            ours.args([seconds.to_string(), consumers.to_string()]);
            running.push(Running::start(&ours, Duration::from_secs(seconds) + LIMIT)?);
        }
        for ((_, results), running) in rows.iter_mut().zip(running) {
            let usage = running.finish()?;
            results.push(vec![usage.cpu.as_secs_f64(), usage.peak_rss as f64 / MIB]);
        }
    }
    let rows = rows.map(|(consumers, results)| (format!("{consumers} equal consumer(s)"), results));
    let title = format!("one JPEG a second of one stream, {seconds} s; all rows ours");
    Ok(Comparison::new(
        title,
        &["CPU s", "peak RSS MiB"],
        rows.into(),
    ))
}

/// Reads a stream, without decoding.
///
/// # Errors
/// If a tool cannot be started.
pub fn demux(clip: &Clip, loops: u32, rounds: usize) -> anyhow::Result<Comparison> {
    let replay = Replay::start(clip, loops)?;
    let url = replay.url();
    let mut ours = worker("demux", url)?;
    ours.arg(replay.units.to_string());
    let peers = [
        (
            Tool::Ffmpeg,
            "ffmpeg -c copy",
            command(
                &format!("ffmpeg -nostdin -v error -rtsp_transport tcp -i {url} -c copy -f null"),
                "-",
            ),
        ),
        (
            Tool::Gstreamer,
            "GStreamer",
            command(
                &format!(
                    "gst-launch-1.0 -q rtspsrc location={url} protocols=tcp latency=0 buffer-mode=none ! rtph264depay ! fakesink"
                ),
                "sync=false",
            ),
        ),
    ];
    let rows = throughput(ours, peers, rounds, replay.bytes, |_| Ok(()))?;
    let title = format!(
        "reading {:.0} MB over RTSP, without decoding",
        replay.bytes as f64 / 1e6
    );
    Ok(Comparison::new(title, THROUGHPUT, rows))
}

/// Writes a stream to MP4, without decoding.
///
/// # Errors
/// If a tool cannot be started or files cannot be written.
pub fn clips(clip: &Clip, loops: u32, rounds: usize, folder: &Path) -> anyhow::Result<Comparison> {
    let replay = Replay::start(clip, loops)?;
    let url = replay.url();
    empty(folder)?;
    let mut ours = worker("clip", url)?;
    ours.arg(replay.units.to_string()).arg(folder);
    let file = folder.join("out.mp4").display().to_string();
    let ffmpeg = |options: &str| {
        let copy = "ffmpeg -nostdin -v error -y -rtsp_transport tcp -i";
        command(&format!("{copy} {url} -c copy {options}"), &file)
    };
    let peers = [
        (
            Tool::Ffmpeg,
            "ffmpeg -c copy, fragmented",
            ffmpeg("-movflags +frag_keyframe+empty_moov+default_base_moof"),
        ),
        (Tool::Ffmpeg, "ffmpeg -c copy", ffmpeg("")),
        (
            Tool::Gstreamer,
            "GStreamer, fragmented",
            command(
                &format!(
                    "gst-launch-1.0 -q -e rtspsrc location={url} protocols=tcp latency=0 buffer-mode=none ! rtph264depay \
                     ! h264parse ! mp4mux fragment-duration=1000 ! filesink"
                ),
                &format!("location={file}"),
            ),
        ),
    ];
    let least = replay.bytes * 9 / 10;
    let rows = throughput(ours, peers, rounds, replay.bytes, |name| {
        let written: u64 = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.metadata()?.len()))
            .sum::<std::io::Result<u64>>()?;
        ensure!(
            written >= least,
            "{name} has written {written} of {least} bytes"
        );
        empty(folder)
    })?;
    let title = format!(
        "writing {:.0} MB from RTSP to MP4",
        replay.bytes as f64 / 1e6
    );
    Ok(Comparison::new(title, THROUGHPUT, rows))
}

const THROUGHPUT: &[&str] = &["CPU s per GB", "peak RSS MiB"];

/// Each tool after the other, in another order in each round.
fn throughput<const N: usize>(
    ours: Command,
    peers: [(Tool, &'static str, Command); N],
    rounds: usize,
    bytes: u64,
    check: impl Fn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<(String, Vec<Vec<f64>>)>> {
    let peers = peers
        .into_iter()
        .filter(|(tool, ..)| tool.missing().is_none());
    let all = [(OURS, ours)]
        .into_iter()
        .chain(peers.map(|(_, name, command)| (name, command)));
    let mut measured: Vec<_> = all
        .map(|(name, command)| (name, command, Vec::new()))
        .collect();
    for round in 0..rounds {
        for turn in 0..measured.len() {
            let turn = (turn + round) % measured.len();
            let (name, command, results) = &mut measured[turn];
            let usage = run(command)?;
            check(name)?;
            let per_gigabyte = usage.cpu.as_secs_f64() * 1e9 / bytes as f64;
            results.push(vec![per_gigabyte, usage.peak_rss as f64 / MIB]);
        }
    }
    let rows = measured.into_iter();
    Ok(rows
        .map(|(name, _, results)| (name.to_owned(), results))
        .collect())
}

fn run(command: &Command) -> anyhow::Result<Usage> {
    Running::start(command, LIMIT)?.finish()
}
