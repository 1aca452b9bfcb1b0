//! Takes a snapshot of a stream in each period and says what happens, until it is stopped.
//!
//! `cargo run -p media-pipeline --example periodic -- rtsp://192.0.2.7/stream1 5 tcp|udp [USER PASSWORD]`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use media_pipeline::{
    Credentials, Hub, HubOptions, Rate, RtspOptions, RtspSource, RtspTransport, SnapshotOptions,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, seconds, transport, login @ ..] = &arguments[..] else {
        return Err("usage: periodic URL SECONDS tcp|udp [USER PASSWORD]".into());
    };
    let mut options = RtspOptions::new(url.parse()?);
    if transport == "udp" {
        options.transport = RtspTransport::Udp;
    }
    if let [user, password] = login {
        options.credentials = Some(Credentials::new(user, password));
    }
    let hub = Hub::new(Arc::new(RtspSource::new(options)?), HubOptions::default());
    let period = Duration::from_secs_f64(seconds.parse()?);
    let mut snapshots = hub.snapshots(Rate::Every(period), SnapshotOptions::default())?;
    while let Some(snapshot) = snapshots.next().await {
        match snapshot {
            Ok(s) => println!(
                "{:?}: {} x {}, {} bytes, {:?}",
                s.pts,
                s.width,
                s.height,
                s.data.len(),
                s.captured.origin
            ),
            Err(error) => println!("no snapshot: {error}"),
        }
    }
    Ok(())
}
