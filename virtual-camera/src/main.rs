//! Runs one or more virtual cameras until Ctrl-C.

use std::error::Error;
use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde_json::{Map, Value};
use tokio::time::MissedTickBehavior;
use tracing_subscriber::EnvFilter;
use virtual_camera::{Discovery, Quirks, VirtualCamera};

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
    /// What the cameras do wrong: NAME, or NAME=VALUE with a number, a word or JSON; `list` prints all of them
    #[arg(long = "quirk", value_name = "NAME[=VALUE]")]
    quirks: Vec<String>,
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
    if arguments.quirks.iter().any(|quirk| quirk == "list") {
        let known = known_quirks().into_iter();
        let lines = known.map(|(name, description)| format!("{name}\n    {description}\n"));
        std::io::stdout().write_all(lines.collect::<String>().as_bytes())?;
        return Ok(());
    }
    let credentials = credentials(&arguments)?;
    let quirks = quirks(&arguments.quirks)?;

    let mut cameras = Vec::new();
    for number in 0..arguments.cameras {
        let camera = start(&arguments, credentials.as_ref(), &quirks, number).await?;
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
    quirks: &Quirks,
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
        .quirks(quirks.clone())
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

fn quirks(given: &[String]) -> Result<Quirks, Box<dyn Error>> {
    let mut chosen = Map::new();
    for quirk in given {
        let (name, value) = match quirk.split_once('=') {
            Some((name, text)) => {
                let word = || Value::String(text.to_owned());
                (name, serde_json::from_str(text).unwrap_or_else(|_| word()))
            }
            None => (quirk.as_str(), Value::Bool(true)),
        };
        chosen.insert(name.to_owned(), value);
    }
    serde_json::from_value(Value::Object(chosen))
        .map_err(|error| format!("a quirk is wrong: {error}; `--quirk list` prints them").into())
}

/// Names and descriptions of the quirks, as their source has them: a new field is listed without being written twice.
fn known_quirks() -> Vec<(&'static str, String)> {
    let source = include_str!("quirks.rs");
    let (_, fields) = source.split_once("pub struct Quirks {").unwrap_or_default();
    let (fields, _) = fields.split_once("\n}").unwrap_or_default();
    let mut known = Vec::new();
    let (mut description, mut settable) = (Vec::new(), true);
    for line in fields.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            description.push(text);
        } else if line == "#[serde(skip)]" {
            settable = false;
        } else if let Some((name, _)) = line.strip_prefix("pub ").and_then(|l| l.split_once(':')) {
            let description = std::mem::take(&mut description).join(" ");
            if std::mem::replace(&mut settable, true) {
                known.push((name, description));
            }
        }
    }
    known
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use virtual_camera::{BadDateTime, DigestAlgorithm};

    use super::*;

    #[test]
    fn a_quirk_is_a_name_alone_or_with_a_value() {
        let given = [
            "no_renew",
            "clock_offset=-3600",
            "advertised_host=10.9.9.9",
            "bad_datetime=minute-overflow",
            "digest_algorithms=[\"md5\"]",
        ];
        let expected = Quirks {
            no_renew: true,
            clock_offset: -3600,
            advertised_host: Some("10.9.9.9".to_owned()),
            bad_datetime: Some(BadDateTime::MinuteOverflow),
            digest_algorithms: vec![DigestAlgorithm::Md5],
            ..Quirks::default()
        };
        assert_eq!(quirks(&given.map(str::to_owned)).unwrap(), expected);
    }

    #[test]
    fn a_quirk_that_does_not_exist_is_an_error_that_says_where_they_are() {
        for wrong in ["no_such", "no_renew=maybe", "bad_datetime=never"] {
            let error = quirks(&[wrong.to_owned()]).unwrap_err().to_string();
            assert!(error.contains("--quirk list"), "{error}");
        }
    }

    #[test]
    fn every_quirk_that_is_listed_has_a_description_and_is_known() {
        let known = known_quirks();
        assert!(known.len() > 60, "{}", known.len());
        for (name, description) in known {
            assert!(description.ends_with('.'), "{name}: {description}");
            let Err(error) = quirks(&[format!("{name}={{}}")]) else {
                panic!("{name} takes anything");
            };
            let error = error.to_string();
            assert!(!error.contains("unknown field"), "{error}");
        }
    }
}
