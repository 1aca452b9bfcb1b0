//! Our side of the comparison: what a program does that takes pictures with `media-pipeline`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use media_pipeline::{Hub, HubOptions, Rate, RtspOptions, RtspSource, SnapshotOptions};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// JPEG quality, on the same scale as GStreamer's and OpenCV's.
const QUALITY: u8 = 80;

/// Writes one JPEG a second of each of `streams` sessions to `FOLDER/NUMBER/`, for so many seconds.
///
/// # Errors
/// If the URL is wrong or a file cannot be written. A stream that is down is waited for.
pub async fn snapshots(
    url: &str,
    seconds: f64,
    folder: &Path,
    streams: usize,
) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut sessions = JoinSet::new();
    for stream in 0..streams {
        let hub = hub(url)?;
        let folder = folder.join(stream.to_string());
        sessions.spawn(async move {
            // Cameras do not have their key frames all at the same instant.
            sleep(Duration::from_millis(37) * stream as u32).await;
            let mut pictures = hub.snapshots(Rate::Every(Duration::from_secs(1)), options())?;
            let mut count = 0;
            loop {
                let picture = tokio::select! {
                    Some(picture) = pictures.next() => picture,
                    () = sleep_until(end) => return anyhow::Ok(()),
                };
                match picture {
                    Ok(picture) => {
                        count += 1;
                        write(&folder.join(format!("{count:05}.jpg")), &picture.data).await?;
                    }
                    Err(error) => eprintln!("no picture: {error}"),
                }
            }
        });
    }
    while let Some(session) = sessions.join_next().await {
        session??;
    }
    Ok(())
}

/// Writes the first picture to a file.
///
/// # Errors
/// If there is none, or the file cannot be written.
pub async fn first(url: &str, file: &Path) -> anyhow::Result<()> {
    let picture = hub(url)?.snapshot(&options()).await?;
    write(file, &picture.data).await
}

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
