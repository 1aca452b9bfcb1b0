//! Rounds of pictures: all tools on the same stream.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use media_pipeline::check_jpeg;

use crate::report::Round;
use crate::{Clip, FirstPictureReport, Running, Server, Setting, SnapshotReport, Tool, Usage};

/// Takes one JPEG a second of `streams` streams with all tools at the same time, for `seconds` a round.
///
/// # Errors
/// If a tool cannot be started or files cannot be written.
pub fn snapshots(
    clip: Clip,
    seconds: u64,
    rounds: usize,
    streams: usize,
    folder: &Path,
) -> anyhow::Result<SnapshotReport> {
    let server = Server::start(&clip)?;
    let size = (clip.spec.width, clip.spec.height);
    let setting = Setting::new(clip);
    let mut measured: Vec<(Tool, Vec<Round>)> =
        setting.tools().map(|tool| (tool, Vec::new())).collect();
    for round in 0..rounds {
        let mut running = Vec::new();
        for turn in 0..measured.len() {
            let turn = (turn + round) % measured.len();
            let tool = measured[turn].0;
            let folder = folder.join(format!("{round}-{}", tool.slug()));
            for stream in 0..streams {
                empty(&folder.join(stream.to_string()))?;
            }
            for command in tool.snapshots(server.url(), seconds, &folder, streams)? {
                running.push((turn, Running::start(&command, tool.limit(seconds))?));
            }
        }
        let mut results = vec![Round::default(); measured.len()];
        for (turn, process) in running {
            results[turn].add(process.finish()?);
        }
        for ((tool, rounds), mut result) in measured.iter_mut().zip(results) {
            let folder = folder.join(format!("{round}-{}", tool.slug()));
            let mut bytes = 0;
            for stream in 0..streams {
                let sizes = complete(&folder.join(stream.to_string()), size)?;
                result.pictures += sizes.len();
                bytes += sizes.iter().sum::<usize>();
            }
            result.picture_kb = bytes as f64 / 1e3 / result.pictures as f64;
            rounds.push(result);
        }
        eprintln!("one JPEG a second: round {} of {rounds}", round + 1);
    }
    Ok(SnapshotReport::new(setting, seconds, streams, measured))
}

/// Joins a running stream with each tool `joins` times and stops the clock when the first picture is written.
///
/// # Errors
/// If a tool cannot be started or files cannot be written.
pub fn first_picture(
    clip: Clip,
    joins: usize,
    folder: &Path,
) -> anyhow::Result<FirstPictureReport> {
    const GIVE_UP: Duration = Duration::from_secs(25);
    let server = Server::start(&clip)?;
    let (width, height) = (clip.spec.width, clip.spec.height);
    let gop = f64::from(clip.spec.gop_seconds);
    let setting = Setting::new(clip);
    empty(folder)?;
    let file = folder.join("first.jpg");
    let mut measured = Vec::new();
    for tool in setting.tools() {
        if tool.first_picture(server.url(), &file)?.is_some() {
            measured.push((tool, Vec::new()));
        }
    }
    // Somebody else watches, so that the stream runs before and between the joins.
    let attempts = u32::try_from(joins * measured.len()).context("too many joins")?;
    let viewer = Tool::viewer(server.url());
    let _viewer = Running::start(
        &viewer,
        (GIVE_UP + Duration::from_secs_f64(gop)) * (attempts + 1),
    )?;
    sleep(Duration::from_secs(3));
    // Ours is done with the first key frame that comes: that is where groups of pictures begin.
    if let Some(command) = Tool::Ours.first_picture(server.url(), &file)? {
        Running::start(&command, GIVE_UP)?.finish()?;
    }
    let key_frame = Instant::now();
    for join in 0..joins {
        // For each tool the same phases, evenly spread: what there is to wait for is the same, too.
        let phase = (join as f64 + 0.5) / joins as f64;
        for turn in 0..measured.len() {
            let turn = (turn + join) % measured.len();
            let (tool, results): &mut (Tool, Vec<(Duration, bool)>) = &mut measured[turn];
            let _ = fs::remove_file(&file);
            let now = key_frame.elapsed().as_secs_f64() / gop;
            sleep(Duration::from_secs_f64((phase - now).rem_euclid(1.0) * gop));
            let Some(command) = tool.first_picture(server.url(), &file)? else {
                continue;
            };
            let Usage { wall, .. } = Running::start(&command, GIVE_UP)?.finish()?;
            let picture = fs::read(&file)
                .is_ok_and(|data| check_jpeg(&data).is_ok_and(|size| size == (width, height)));
            results.push((if picture { wall } else { GIVE_UP }, picture));
        }
    }
    Ok(FirstPictureReport::new(setting, measured))
}

pub(crate) fn empty(folder: &Path) -> anyhow::Result<()> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {folder:?}"))
}

/// The sizes of the pictures in a folder that are whole; a tool that is stopped may leave a torn one.
fn complete(folder: &Path, size: (u32, u32)) -> anyhow::Result<Vec<usize>> {
    let mut sizes = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))? {
        let data = fs::read(entry?.path())?;
        if check_jpeg(&data).is_ok_and(|found| found == size) {
            sizes.push(data.len());
        }
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_and_foreign_pictures_are_not_counted() {
        let still = include_bytes!("../../virtual-camera/assets/still.jpg");
        let size = check_jpeg(still).expect("a whole picture");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("1.jpg"), still).expect("written");
        fs::write(folder.path().join("2.jpg"), &still[..still.len() / 2]).expect("written");
        assert_eq!(complete(folder.path(), size).expect("read"), [still.len()]);
        assert!(complete(folder.path(), (1, 1)).expect("read").is_empty());
    }
}
