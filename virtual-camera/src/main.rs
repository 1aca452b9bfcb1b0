//! Runs one or more virtual cameras until Ctrl-C.

use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio::time::{Instant, MissedTickBehavior};
use tracing_subscriber::EnvFilter;
use url::Url;
use virtual_camera::{
    Builder, CertificatePolicy, Discovery, Fleet, FleetBuilder, Quirks, Recorder, RecorderOptions,
    RtspAuth, StreamSpec, VirtualCamera,
};

/// How long a restart takes.
const AWAY: Duration = Duration::from_secs(5);

/// An ONVIF camera in software: point any ONVIF client at it.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Command {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    arguments: Arguments,
}

#[derive(Subcommand)]
enum Other {
    /// Stands before a real camera and keeps what it says in a folder
    Record(RecordArguments),
    /// Plays such a folder back, or one of responses: SERVICE/OperationResponse.xml
    Replay {
        /// The folder
        folder: PathBuf,
        #[command(flatten)]
        arguments: Arguments,
    },
}

#[derive(Args)]
struct RecordArguments {
    /// Address of the camera's Device service, such as http://192.168.1.10/onvif/device_service
    #[arg(long)]
    device: Url,
    /// File of certificates (PEM) to trust over HTTPS
    #[arg(long, value_name = "FILE")]
    trust_file: Option<PathBuf>,
    /// Accept any certificate over HTTPS: whoever is on the way can read and change what is recorded
    #[arg(long, conflicts_with = "trust_file")]
    accept_invalid_certificates: bool,
    /// The folder of the recording
    #[arg(long)]
    out: PathBuf,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    listen: IpAddr,
    /// TCP port for clients; 0 is any free port
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// User name for requests that come without one
    #[arg(long, alias = "user", requires = "password_file")]
    username: Option<String>,
    /// File whose first line is the password
    #[arg(long, requires = "username")]
    password_file: Option<PathBuf>,
    /// Blank serial numbers and hardware addresses too
    #[arg(long)]
    blank_serials: bool,
}

#[derive(Args)]
struct Arguments {
    /// Address to listen on; 0.0.0.0 lets other machines in
    #[arg(long, default_value = "127.0.0.1")]
    listen: IpAddr,
    /// TCP port of SOAP and snapshots; further cameras use the ports after it; 0 is any free port
    #[arg(long = "port", alias = "http-port", default_value_t = 8080)]
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
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    cameras: u16,
    /// What their UUIDs, serial numbers and hardware addresses are made of
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// TOML file that describes the cameras, instead of all other flags but those with `-every`
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "listen", "http_port", "rtsp_port", "username", "cameras", "seed", "discovery", "presets", "quirks",
        "streams", "multicast", "rtsp_auth",
    ])]
    config: Option<PathBuf>,
    /// Whether the cameras can be found on the network
    #[arg(long, value_enum, default_value_t = Finding::Off)]
    discovery: Finding,
    /// A stream beside `main` and `sub`, several times if need be: NAME, or with what is in it, such as `yard=h265,aac,metadata`
    #[arg(long = "stream", value_name = "NAME[=CODEC,…]")]
    streams: Vec<StreamSpec>,
    /// Group and even port that streams go to by multicast too, such as 239.255.1.2:5000; further cameras use the addresses
    /// after it
    #[arg(long, value_name = "GROUP:PORT")]
    multicast: Option<SocketAddrV4>,
    /// What RTSP accepts as proof of the user
    #[arg(long, value_enum, default_value_t = Proof::Digest)]
    rtsp_auth: Proof,
    /// Seconds between changes of motion, on and off by turns; 0 is never
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    motion_every: u64,
    /// Seconds between restarts, after each of which the cameras are away for five seconds; 0 is never
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    reboot_every: u64,
    /// Seconds between ends of all RTSP sessions and connections; 0 is never
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    end_sessions_every: u64,
    /// Seconds between changes of the address, to those of `--move-to` by turns; 0 is never
    #[arg(
        long,
        default_value_t = 0,
        value_name = "SECONDS",
        requires = "move_to"
    )]
    move_every: u64,
    /// Addresses of this machine
    #[arg(
        long,
        value_name = "ADDRESS",
        value_delimiter = ',',
        requires = "move_every"
    )]
    move_to: Vec<IpAddr>,
    /// What a family of cameras does wrong, such as `tapo-c220`; several add up; `list` prints all of them
    #[arg(long = "quirks", value_name = "PRESET", value_delimiter = ',')]
    presets: Vec<String>,
    /// What the cameras do wrong besides: NAME, or NAME=VALUE with a word or JSON; `list` prints all of them
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

#[derive(Clone, Copy, ValueEnum)]
enum Proof {
    /// Digest, with SHA-256 and MD5
    Digest,
    /// Basic, which everyone on the way can read
    Basic,
    /// Digest or Basic
    Either,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let command = Command::parse();
    let ended = match command.other {
        None => run(command.arguments, None).await,
        Some(Other::Replay { folder, arguments }) => run(arguments, Some(folder)).await,
        Some(Other::Record(arguments)) => record(arguments).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn record(arguments: RecordArguments) -> Result<(), Box<dyn Error>> {
    let password_file = arguments.password_file.as_deref();
    let certificates = match &arguments.trust_file {
        Some(file) => CertificatePolicy::Trust(
            std::fs::read(file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?,
        ),
        None if arguments.accept_invalid_certificates => CertificatePolicy::AcceptInvalid,
        None => CertificatePolicy::default(),
    };
    let recorder = Recorder::start(RecorderOptions {
        certificates,
        listen: (arguments.listen, arguments.port).into(),
        credentials: credentials(arguments.username.as_deref(), password_file)?,
        blank_serials: arguments.blank_serials,
        ..RecorderOptions::new(arguments.device, arguments.out)
    });
    let recorder = recorder.await?;
    println!("point a client at {}; Ctrl-C ends", recorder.device_url());
    tokio::signal::ctrl_c().await?;
    println!("{} exchanges were recorded", recorder.recorded());
    Ok(())
}

/// Runs cameras, which answer with what is in the folder, if there is one.
async fn run(arguments: Arguments, replayed: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    if let Some(list) = list(&arguments) {
        std::io::stdout().write_all(list.as_bytes())?;
        return Ok(());
    }
    // Each camera listens twice; what is not granted shows as an error that names the port.
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(rlimit::INFINITY);
    let mut fleet = fleet(&arguments)?;
    if let Some(folder) = replayed {
        fleet = fleet.each(move |_, camera| camera.replay(&folder));
    }
    let fleet = fleet.start().await?;
    let mut out = std::io::stdout().lock();
    for camera in fleet.cameras() {
        writeln!(out, "{}", camera.name())?;
        writeln!(out, "  device    {}", camera.device_url())?;
        writeln!(out, "  stream    {}", camera.stream_url(0))?;
        for index in 0..arguments.streams.len() {
            writeln!(out, "  stream    {}", camera.stream_url(index + 2))?;
        }
        writeln!(out, "  snapshot  {}", camera.snapshot_url())?;
    }
    if let [first, ..] = fleet.cameras() {
        writeln!(
            out,
            "try: ffplay -rtsp_transport tcp {}",
            first.stream_url(0)
        )?;
        writeln!(
            out,
            "     curl -H 'content-type: application/json' -d '{{\"active\":true}}' {}",
            first.device_url().join("/control/motion")?
        )?;
    }
    drop(out);

    let (cameras, places) = (fleet.cameras(), &arguments.move_to);
    tokio::select! {
        () = every(arguments.motion_every, cameras, |camera, done| camera.set_motion(done % 2 == 0)) => {}
        () = every(arguments.reboot_every, cameras, |camera, _| camera.reboot_for(AWAY)) => {}
        () = every(arguments.end_sessions_every, cameras, |camera, _| camera.end_rtsp_sessions()) => {}
        () = every(arguments.move_every, cameras, |camera, done| {
            move_to(camera, places[done % places.len()]);
        }) => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    fleet.stop().await;
    Ok(())
}

fn fleet(arguments: &Arguments) -> Result<FleetBuilder, Box<dyn Error>> {
    if let Some(path) = &arguments.config {
        let toml = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        return Ok(FleetBuilder::from_toml(&toml, folder)?);
    }
    let quirks = quirks(&arguments.presets, &arguments.quirks)?;
    let password_file = arguments.password_file.as_deref();
    let credentials = credentials(arguments.username.as_deref(), password_file)?;
    let rtsp_auth = match arguments.rtsp_auth {
        Proof::Digest => RtspAuth::Digest,
        Proof::Basic => RtspAuth::Basic,
        Proof::Either => RtspAuth::Either,
    };
    let streams = arguments.streams.clone();
    let mut fleet = Fleet::builder()
        .count(arguments.cameras.into())
        .seed(arguments.seed)
        .listen(arguments.listen)
        .http_port(arguments.http_port)
        .rtsp_port(arguments.rtsp_port)
        .discovery(match arguments.discovery {
            Finding::Off => Discovery::Off,
            Finding::Multicast => Discovery::Multicast,
        });
    if let Some(group) = arguments.multicast {
        fleet = fleet.multicast(group);
    }
    Ok(fleet.each(move |_, camera| {
        let camera = camera.quirks(quirks.clone()).rtsp_auth(rtsp_auth);
        let camera = streams.iter().cloned().fold(camera, Builder::stream);
        match &credentials {
            Some((user, password)) => camera.credentials(user, password),
            None => camera,
        }
    }))
}

fn credentials(
    user: Option<&str>,
    password_file: Option<&Path>,
) -> Result<Option<(String, String)>, Box<dyn Error>> {
    let (Some(user), Some(file)) = (user, password_file) else {
        return Ok(None);
    };
    let password = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read the password file {}: {error}", file.display()))?;
    let password = password.lines().next().unwrap_or_default().to_owned();
    Ok(Some((user.to_owned(), password)))
}

/// What is to be printed instead of running anything.
fn list(arguments: &Arguments) -> Option<String> {
    let asked = |given: &[String]| given.iter().any(|name| name == "list");
    if asked(&arguments.quirks) {
        return Some(
            Quirks::all()
                .map(|(name, description)| format!("{name}\n    {description}\n"))
                .collect(),
        );
    }
    asked(&arguments.presets).then(|| {
        let presets = Quirks::presets().filter_map(|name| Some((name, Quirks::preset(name).ok()?)));
        presets
            .map(|(name, quirks)| format!("{name}\n    {quirks}\n"))
            .collect()
    })
}

fn quirks(presets: &[String], given: &[String]) -> Result<Quirks, virtual_camera::Error> {
    let mut quirks = Quirks::default();
    for preset in presets {
        quirks.add_preset(preset)?;
    }
    for quirk in given {
        let (name, value) = quirk.split_once('=').unwrap_or((quirk, "true"));
        quirks.set(name, value)?;
    }
    Ok(quirks)
}

/// Does something to all cameras whenever this time has passed, and says how often it was done before. Never ends.
async fn every(seconds: u64, cameras: &[VirtualCamera], act: impl Fn(&VirtualCamera, usize)) {
    if seconds == 0 {
        return std::future::pending().await;
    }
    let period = Duration::from_secs(seconds);
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done = 0;
    loop {
        ticks.tick().await;
        cameras.iter().for_each(|camera| act(camera, done));
        done += 1;
    }
}

fn move_to(camera: &VirtualCamera, address: IpAddr) {
    if let Err(error) = camera.move_to(address) {
        tracing::warn!(camera = camera.name(), %error, "the camera stays where it is");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn given(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn quirks_are_added_to_presets() {
        let presets = given(&["tapo-c220", "reolink"]);
        let quirks = quirks(&presets, &given(&["no_renew", "max_subs=3"])).unwrap();
        assert_eq!(quirks.pull_close_after_ms, Some(10_000));
        assert!(quirks.require_wsa && quirks.no_renew);
        assert_eq!(quirks.max_subs, Some(3));
    }

    #[test]
    fn what_does_not_exist_is_an_error_that_says_where_it_is_listed() {
        let error = quirks(&given(&["no-such"]), &[]).unwrap_err().to_string();
        assert!(error.contains("--quirks list"), "{error}");
        let error = quirks(&[], &given(&["no_such"])).unwrap_err().to_string();
        assert!(error.contains("--quirk list"), "{error}");
    }

    #[test]
    fn a_recording_is_played_with_the_flags_of_any_camera() {
        let words = [
            "virtual-camera",
            "replay",
            "folder",
            "--port",
            "0",
            "--quirks",
            "reolink",
        ];
        let command = Command::parse_from(words);
        let Some(Other::Replay { folder, arguments }) = command.other else {
            panic!("it is played back");
        };
        assert_eq!(
            (folder.as_path(), arguments.http_port),
            (Path::new("folder"), 0)
        );
        assert_eq!(arguments.presets, ["reolink"]);
        let words = ["virtual-camera", "--http-port", "0", "--cameras", "2"];
        assert_eq!(Command::parse_from(words).arguments.cameras, 2);
    }

    #[test]
    fn lists_have_all_presets_and_all_quirks() {
        let arguments = |flag| Command::parse_from(["virtual-camera", flag, "list"]).arguments;
        let presets = list(&arguments("--quirks")).unwrap();
        assert_eq!(presets.lines().count(), 2 * Quirks::presets().count());
        assert!(presets.contains("pull_close_after_ms=10000"), "{presets}");
        let quirks = list(&arguments("--quirk")).unwrap();
        assert_eq!(quirks.lines().count(), 2 * Quirks::all().count());
    }
}
