//! Shows what a camera is: who made it, which services it has, what it streams.
//!
//! `cargo run --example inspect -- http://192.0.2.7/onvif/device_service admin password.txt`

use std::error::Error;

use examples::Args;
use onvif_core::media::StreamTransport;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let camera = Args::read()?.camera().connect().await?;

    let information = camera.device().information().await?;
    println!("maker:  {}", information.manufacturer.unwrap_or_default());
    println!("model:  {}", information.model.unwrap_or_default());
    println!("serial: {}", information.serial_number.unwrap_or_default());
    for (service, url) in camera.services().iter() {
        println!("{service}: {url}");
    }

    // Media2 where the camera has it, else Media: it looks the same.
    let media = camera.media();
    for profile in media.profiles().await? {
        let uri = media.stream_uri(&profile.token, StreamTransport::Rtsp);
        println!("profile {}: {}", profile.token, uri.await?);
        if let Some(encoder) = profile.video_encoder
            && let (Some(encoding), Some(size)) = (encoder.encoding, encoder.resolution)
        {
            println!("  {encoding}, {} x {}", size.width, size.height);
        }
    }
    Ok(())
}
