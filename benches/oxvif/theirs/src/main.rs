//! `theirs URL USER PASSWORD`: who the camera is, its profiles, and where they stream.

use oxvif::OnvifSession;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, user, password] = &arguments[..] else {
        return Err("usage: theirs URL USER PASSWORD".into());
    };
    let camera = OnvifSession::builder(url)
        .with_credentials(user, password)
        .with_clock_sync()
        .build()
        .await?;
    println!("{:?}", camera.get_device_info().await?);
    for profile in camera.get_profiles().await? {
        let uri = camera.get_stream_uri(&profile.token).await?;
        println!("{}: {}", profile.token, uri.uri);
    }
    Ok(())
}
