//! `ours URL USER PASSWORD`: who the camera is, its profiles, and where they stream.

use onvif_core::media::StreamTransport;
use onvif_core::{Camera, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, user, password] = &arguments[..] else {
        return Err("usage: ours URL USER PASSWORD".into());
    };
    let credentials = Credentials::new(user, password);
    let camera = Camera::builder(url)
        .credentials(credentials)
        .connect()
        .await?;
    println!("{:?}", camera.device().information().await?);
    for profile in camera.media().profiles().await? {
        let uri = camera
            .media()
            .stream_uri(&profile.token, StreamTransport::Rtsp)
            .await?;
        println!("{}: {uri}", profile.token);
    }
    Ok(())
}
