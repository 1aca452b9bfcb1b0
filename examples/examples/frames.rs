//! Decodes a picture every two seconds and looks at it: here, what colour it is on the whole. Feed a model instead.
//!
//! `cargo run --example frames -- rtsp://192.0.2.7/stream1 admin password.txt`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use examples::Args;
use futures::StreamExt;
use media_pipeline::{Credentials, Hub, HubOptions, RtspOptions, RtspSource};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read()?;
    let mut options = RtspOptions::new(args.url.parse()?);
    options.credentials = args
        .credentials
        .map(|(user, password)| Credentials::new(user, password));
    let hub = Hub::new(Arc::new(RtspSource::new(options)?), HubOptions::default());

    // Where this loop is slow, it gets the latest picture, not the next one.
    let frames = hub.frames().every(Duration::from_secs(2)).fit(640, 640);
    let mut frames = frames.rgb().take(3);
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        println!(
            "{} x {} at {:?}: {:?}",
            frame.width,
            frame.height,
            frame.pts,
            mean(&frame.data)
        );
    }
    Ok(())
}

/// The mean of red, green and blue.
fn mean(pixels: &[u8]) -> [u64; 3] {
    let sum = |colour| pixels.iter().skip(colour).step_by(3).map(|&v| u64::from(v));
    [0, 1, 2].map(|colour| sum(colour).sum::<u64>() * 3 / pixels.len() as u64)
}
