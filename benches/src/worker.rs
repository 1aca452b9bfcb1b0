//! Our side of the comparison: what a program does that takes pictures with `media-pipeline`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use media_pipeline::{
    ClipOptions, Hub, HubItem, HubOptions, HubStatus, Rate, RtspOptions, RtspSource,
    SnapshotOptions,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// JPEG quality, on the same scale as GStreamer's and OpenCV's.
const QUALITY: u8 = 80;

/// Writes a JPEG in each period of each of `streams` sessions to `FOLDER/NUMBER/`, for so many seconds.
///
/// # Errors
/// If the URL is wrong or a file cannot be written. A stream that is down is waited for.
pub async fn snapshots(
    url: &str,
    seconds: f64,
    folder: &Path,
    streams: usize,
    period: f64,
) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let rate = Rate::Every(Duration::from_secs_f64(period));
    let mut sessions = JoinSet::new();
    for stream in 0..streams {
        let hub = hub(url)?;
        let folder = folder.join(stream.to_string());
        sessions.spawn(async move {
            // Cameras do not have their key frames all at the same instant.
            sleep(Duration::from_millis(37) * stream as u32).await;
            take(&hub, rate, end, Some(&folder)).await
        });
    }
    while let Some(session) = sessions.join_next().await {
        session??;
    }
    Ok(())
}

/// Takes one JPEG a second of one session for each of `consumers`.
///
/// # Errors
/// If the URL is wrong.
pub async fn consumers(url: &str, seconds: f64, consumers: usize) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let hub = hub(url)?;
    let rate = Rate::Every(Duration::from_secs(1));
    let takers = (0..consumers).map(|_| take(&hub, rate, end, None));
    futures::future::try_join_all(takers).await.map(drop)
}

async fn take(hub: &Hub, rate: Rate, end: Instant, folder: Option<&Path>) -> anyhow::Result<()> {
    let mut pictures = hub.snapshots(rate, options())?;
    let mut count = 0;
    loop {
        let picture = tokio::select! {
            Some(picture) = pictures.next() => picture,
            () = sleep_until(end) => return Ok(()),
        };
        match (picture, folder) {
            (Ok(picture), Some(folder)) => {
                count += 1;
                write(&folder.join(format!("{count:05}.jpg")), &picture.data).await?;
            }
            (Ok(_), None) => {}
            (Err(error), _) => eprintln!("no picture: {error}"),
        }
    }
}

/// Writes the first picture to a file.
///
/// # Errors
/// If there is none, or the file cannot be written.
pub async fn first(url: &str, file: &Path) -> anyhow::Result<()> {
    let hub = hub(url)?;
    let mut status = hub.watch_status();
    let picture = hub.snapshot(&options()).await?;
    write(file, &picture.data).await?;
    drop(hub);
    // Until the session is closed, and not longer: the clock runs.
    let closed = async { while !matches!(status.next().await, None | Some(HubStatus::Idle)) {} };
    let _ = timeout(PATIENCE, closed).await;
    Ok(())
}

/// Asks so many times for a picture of a stream that runs, and writes how long each took, in milliseconds, as JSON. Each
/// is decoded and encoded: no two that follow each other have the same quality.
///
/// # Errors
/// If there is no picture, or the file cannot be written.
pub async fn warm(url: &str, requests: u32, file: &Path) -> anyhow::Result<()> {
    let hub = hub(url)?;
    let _session = hub.subscribe();
    hub.snapshot(&options()).await?;
    let mut times = Vec::new();
    for request in 0..requests {
        // All phases of a group of pictures.
        sleep(Duration::from_millis(20 + u64::from(request * 67 % 110))).await;
        let options = SnapshotOptions {
            quality: QUALITY - 5 + (request % 11) as u8,
            ..options()
        };
        let asked = Instant::now();
        hub.snapshot(&options).await?;
        times.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    write(file, &serde_json::to_vec(&times)?).await
}

/// Reads a stream to its end through guard and hub.
///
/// # Errors
/// If less than `units` came.
pub async fn demux(url: &str, units: u64) -> anyhow::Result<()> {
    let hub = hub(url)?;
    let mut stream = hub.subscribe();
    let mut read = 0;
    while read < units {
        match timeout(PATIENCE, stream.next()).await {
            Ok(Some(HubItem::Unit(_))) => read += 1,
            Ok(Some(HubItem::Lost { units })) => {
                eprintln!("{units} units lost");
                read += units.max(1);
            }
            _ => anyhow::bail!("{read} units of {units}"),
        }
    }
    Ok(())
}

/// Writes a stream to a fragmented MP4 file, to its end.
///
/// # Errors
/// If it cannot be written, or pictures are missing.
pub async fn clip(url: &str, units: u64, folder: &Path) -> anyhow::Result<()> {
    let mut options = ClipOptions::new(folder);
    options.duration = Duration::from_secs(24 * 3600);
    options.patience = PATIENCE;
    let clip = hub(url)?.clip(&options).await?;
    anyhow::ensure!(clip.frames == units, "{} of {units} pictures", clip.frames);
    Ok(())
}

/// A stream that is silent for so long is over.
const PATIENCE: Duration = Duration::from_secs(5);

fn hub(url: &str) -> anyhow::Result<Hub> {
    let options = RtspOptions::new(url.parse()?);
    let source = RtspSource::new(options)?;
    Ok(Hub::new(Arc::new(source), HubOptions::default()))
}

fn options() -> SnapshotOptions {
    SnapshotOptions {
        quality: QUALITY,
        ..SnapshotOptions::default()
    }
}

async fn write(file: &Path, data: &[u8]) -> anyhow::Result<()> {
    tokio::fs::write(file, data)
        .await
        .with_context(|| format!("cannot write {file:?}"))
}
