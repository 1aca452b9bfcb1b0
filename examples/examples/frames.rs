//! Decodes a picture every two seconds and looks at it: here, how bright it is. Feed a model instead.
//!
//! `cargo run --example frames -- rtsp://192.0.2.7/stream1 admin password.txt`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use examples::Args;
use futures::StreamExt;
use media_pipeline::{Credentials, Hub, HubOptions, Picture, Rate, RtspOptions, RtspSource};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read()?;
    let mut options = RtspOptions::new(args.url.parse()?);
    options.credentials = args
        .credentials
        .map(|(user, password)| Credentials::new(user, password));
    let hub = Hub::new(Arc::new(RtspSource::new(options)?), HubOptions::default());

    // Where this loop is slow, it gets the latest picture, not the next one.
    let mut frames = hub.frames(Rate::Every(Duration::from_secs(2))).take(3);
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        let Picture { width, height, .. } = frame.picture;
        println!(
            "{width} x {height} at {:?}: luma {:.1}",
            frame.pts,
            mean_luma(&frame.picture)
        );
    }
    Ok(())
}

fn mean_luma(picture: &Picture) -> f64 {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let rows = picture.y.data.chunks(picture.y.stride).take(height);
    let sum: u64 = rows
        .flat_map(|row| &row[..width])
        .map(|luma| u64::from(*luma))
        .sum();
    sum as f64 / (width * height) as f64
}
