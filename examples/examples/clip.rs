//! Records ten seconds of an RTSP stream, and what is left of the five before, into the folder `clips`, or the one named by
//! `CLIPS`.
//!
//! `cargo run --example clip -- rtsp://192.0.2.7/stream1 admin password.txt`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use examples::Args;
use futures::StreamExt as _;
use media_pipeline::{ClipOptions, Credentials, Hub, HubOptions, RtspOptions, RtspSource, Tracks};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read()?;
    let mut options = RtspOptions::new(args.url.parse()?);
    options.credentials = args
        .credentials
        .map(|(user, password)| Credentials::new(user, password));
    options.tracks = Tracks::VideoAndAudio;

    // As long as somebody listens the hub keeps the last seconds, so that a clip can begin before its cause.
    let history = Duration::from_secs(5);
    let hub_options = HubOptions {
        history,
        ..HubOptions::default()
    };
    let hub = Hub::new(Arc::new(RtspSource::new(options)?), hub_options);
    let mut listening = hub.subscribe();
    listening.next().await;

    let mut clip = ClipOptions::new(std::env::var_os("CLIPS").unwrap_or_else(|| "clips".into()));
    clip.before = history;
    clip.duration = Duration::from_secs(10);
    let clip = hub.clip(&clip).await?;
    println!(
        "{}: {:.1} s, {} pictures, {} bytes",
        clip.path.display(),
        clip.duration.as_secs_f64(),
        clip.frames,
        clip.bytes
    );
    Ok(())
}
