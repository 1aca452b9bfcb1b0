//! Takes one picture of an RTSP stream and writes it to `snapshot.jpg`, or the file named by `SNAPSHOT`.
//!
//! `cargo run --example snapshot -- rtsp://192.0.2.7/stream1 admin password.txt`

use std::error::Error;
use std::sync::Arc;

use examples::Args;
use media_pipeline::{Credentials, Hub, HubOptions, RtspOptions, RtspSource, SnapshotOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read()?;
    let mut options = RtspOptions::new(args.url.parse()?);
    options.credentials = args
        .credentials
        .map(|(user, password)| Credentials::new(user, password));

    // The hub connects when somebody wants a picture, and again whenever the camera was away.
    let hub = Hub::new(Arc::new(RtspSource::new(options)?), HubOptions::default());
    let snapshot = hub.snapshot(&SnapshotOptions::default()).await?;

    let file = std::env::var("SNAPSHOT").unwrap_or_else(|_| "snapshot.jpg".to_owned());
    std::fs::write(&file, &snapshot.data)?;
    println!(
        "{file}: {} x {}, {} bytes",
        snapshot.width,
        snapshot.height,
        snapshot.data.len()
    );
    Ok(())
}
