//! Runs one or more virtual cameras until Ctrl-C.

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tokio::time::MissedTickBehavior;
use tracing_subscriber::EnvFilter;
use virtual_camera::{Discovery, VirtualCamera};

/// An ONVIF camera in software: point any ONVIF client at it.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; 0.0.0.0 lets other machines in
    #[arg(long, default_value = "127.0.0.1")]
    listen: IpAddr,
    /// TCP port of SOAP and snapshots; further cameras use the ports after it; 0 is any free port
    #[arg(long, default_value_t = 8080)]
    http_port: u16,
    /// TCP port of RTSP; further cameras use the ports after it; 0 is any free port
    #[arg(long, default_value_t = 8554)]
    rtsp_port: u16,
    /// User name; without it the cameras are open to everyone
    #[arg(long, requires = "password_file")]
    username: Option<String>,
    /// File whose first line is the password
    #[arg(long, requires = "username")]
    password_file: Option<PathBuf>,
    /// How many cameras to run
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    cameras: u16,
    /// Whether the cameras can be found on the network
    #[arg(long, value_enum, default_value_t = Finding::Off)]
    discovery: Finding,
    /// Seconds between changes of motion, on and off by turns; 0 is never
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    motion_every: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Finding {
    /// Not found by anyone
    Off,
    /// WS-Discovery on 239.255.255.250:3702, every interface
    Multicast,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let credentials = credentials(&arguments)?;

    let mut cameras = Vec::new();
    for number in 0..arguments.cameras {
        let camera = start(&arguments, credentials.as_ref(), number).await?;
        println!("camera {}", number + 1);
        println!("  device    {}", camera.device_url());
        println!("  stream    {}", camera.stream_url(0));
        println!("  snapshot  {}", camera.snapshot_url());
        cameras.push(camera);
    }
    let first = &cameras[0];
    println!("try: ffplay -rtsp_transport tcp {}", first.stream_url(0));
    println!(
        "     curl -H 'content-type: application/json' -d '{{\"active\":true}}' {}",
        first.device_url().join("/control/motion")?
    );

    tokio::select! {
        () = change_motion(&cameras, arguments.motion_every) => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    futures::future::join_all(cameras.into_iter().map(VirtualCamera::stop)).await;
    Ok(())
}

async fn start(
    arguments: &Arguments,
    credentials: Option<&(String, String)>,
    number: u16,
) -> Result<VirtualCamera, Box<dyn Error>> {
    let port = |first: u16| match first {
        0 => Ok(0),
        first => first
            .checked_add(number)
            .ok_or("there are not enough ports for so many cameras"),
    };
    let mut builder = VirtualCamera::builder()
        .listen(arguments.listen)
        .http_port(port(arguments.http_port)?)
        .rtsp_port(port(arguments.rtsp_port)?)
        .name(format!("camera-{}", number + 1))
        .discovery(match arguments.discovery {
            Finding::Off => Discovery::Off,
            Finding::Multicast => Discovery::Multicast,
        });
    if let Some((user, password)) = credentials {
        builder = builder.credentials(user, password);
    }
    Ok(builder.start().await?)
}

fn credentials(arguments: &Arguments) -> Result<Option<(String, String)>, Box<dyn Error>> {
    let (Some(user), Some(file)) = (&arguments.username, &arguments.password_file) else {
        return Ok(None);
    };
    let password = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read the password file {}: {error}", file.display()))?;
    let password = password.lines().next().unwrap_or_default().to_owned();
    Ok(Some((user.clone(), password)))
}

/// Never ends.
async fn change_motion(cameras: &[VirtualCamera], seconds: u64) {
    if seconds == 0 {
        return std::future::pending().await;
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(seconds));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut active = false;
    loop {
        ticks.tick().await;
        active = !active;
        for camera in cameras {
            camera.set_motion(active);
        }
    }
}
