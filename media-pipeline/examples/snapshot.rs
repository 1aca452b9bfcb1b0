//! Takes one snapshot of an RTSP stream and writes it to a file.
//!
//! `cargo run -p media-pipeline --example snapshot -- rtsp://192.0.2.7/stream1 out.jpg [USER PASSWORD]`

use std::error::Error;
use std::sync::Arc;

use media_pipeline::{Credentials, Hub, HubOptions, RtspOptions, RtspSource, SnapshotOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, file, login @ ..] = &arguments[..] else {
        return Err("usage: snapshot URL FILE [USER PASSWORD]".into());
    };
    let mut options = RtspOptions::new(url.parse()?);
    if let [user, password] = login {
        options.credentials = Some(Credentials::new(user, password));
    }
    let format = file.rsplit('.').next().unwrap_or_default().parse()?;
    let hub = Hub::new(Arc::new(RtspSource::new(options)?), HubOptions::default());
    let snapshot = hub
        .snapshot(&SnapshotOptions {
            format,
            ..SnapshotOptions::default()
        })
        .await?;
    std::fs::write(file, &snapshot.data)?;
    println!(
        "{file}: {} x {}, {} bytes, {:?}",
        snapshot.width,
        snapshot.height,
        snapshot.data.len(),
        snapshot.captured
    );
    Ok(())
}
