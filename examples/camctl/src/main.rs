//! ONVIF cameras from the command line.

mod call;
mod camera;
mod discover;
mod events;
mod failure;
mod imaging;
mod inspect;
mod interrupt;
mod manage;
mod output;
mod ptz;
mod registry;
mod seconds;
mod secret;
mod snapshot;
mod stream;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::camera::CameraArgs;
use crate::output::Output;
use crate::ptz::PtzVerb;

/// ONVIF cameras from the command line.
#[derive(Parser)]
#[command(name = "camctl", version, subcommand_required = true)]
struct Args {
    #[command(flatten)]
    camera: CameraArgs,

    /// How long the camera may take for an answer (default 10); for `discover`, how long answers are collected
    /// (default 5).
    #[arg(long, global = true, help_heading = "Every verb", value_name = "SECONDS", value_parser = seconds::parse)]
    timeout: Option<Duration>,

    /// Write JSON: one document, for `discover` and `events` one object a line.
    #[arg(long, global = true, help_heading = "Every verb")]
    json: bool,

    /// Log what happens, on standard error. RUST_LOG chooses more finely.
    #[arg(short, long, global = true, help_heading = "Every verb")]
    verbose: bool,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Find the cameras of the network.
    Discover(discover::DiscoverArgs),
    /// Devices and assets for connectors, in a folder.
    Registry(registry::RegistryArgs),
    #[command(flatten)]
    OfCamera(CameraVerb),
}

/// What one camera is asked for.
#[derive(Subcommand)]
enum CameraVerb {
    /// What the camera is, and which services it has.
    Info,
    /// The services of the camera, with their addresses.
    Services,
    /// The media profiles, with their streams.
    Profiles,
    /// The address of a stream. Passwords that cameras write into it are not shown.
    StreamUri(stream::StreamArgs),
    /// Write a picture to a file, as the camera encodes it.
    Snapshot(snapshot::SnapshotArgs),
    /// Pan, tilt and zoom.
    #[command(subcommand)]
    Ptz(PtzVerb),
    /// Brightness, exposure, white balance and focus.
    #[command(subcommand)]
    Imaging(imaging::ImagingVerb),
    /// Show events as they come, until Ctrl-C, or what the camera could report.
    Events(events::EventsArgs),
    /// The camera's clock.
    #[command(subcommand)]
    Time(manage::TimeVerb),
    /// The ONVIF users of the camera.
    Users,
    /// Interfaces, addresses and ports of the camera.
    Network,
    /// Call any operation of any service.
    Call(call::CallArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let logged = if args.verbose {
        "onvif_core=debug,onvif_ptz=debug,aio_registry=debug"
    } else {
        // What goes wrong is told by the verb.
        "off"
    };
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(logged)),
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads on, as in `camctl events | head -1`.
        Err(error) if failure::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", failure::Report(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let output = Output { json: args.json };
    match &args.verb {
        Verb::Discover(verb) => discover::run(verb, args.timeout, output).await,
        Verb::Registry(verb) => registry::run(verb, output).await,
        Verb::OfCamera(verb) => ask(verb, &args, output).await,
    }
}

async fn ask(verb: &CameraVerb, args: &Args, output: Output) -> anyhow::Result<()> {
    // What cannot be meant is said before the camera is asked.
    let direction = match verb {
        CameraVerb::Ptz(verb) => verb.check(),
        _ => Ok(()),
    };
    if let Err(message) = args.camera.check().and(direction) {
        Args::command()
            .error(ErrorKind::MissingRequiredArgument, message)
            .exit()
    }
    let camera = args.camera.connect(args.timeout).await?;
    match verb {
        CameraVerb::Info => inspect::info(&camera, output).await,
        CameraVerb::Services => manage::services(&camera, output),
        CameraVerb::Profiles => inspect::profiles(&camera, output).await,
        CameraVerb::StreamUri(verb) => stream::run(verb, &camera, output).await,
        CameraVerb::Snapshot(verb) => snapshot::run(verb, &camera, output).await,
        CameraVerb::Ptz(verb) => ptz::run(verb, &camera, output).await,
        CameraVerb::Imaging(verb) => imaging::run(verb, &camera, output).await,
        CameraVerb::Events(verb) => events::run(verb, &camera, output).await,
        CameraVerb::Time(verb) => manage::time(verb, &camera, output).await,
        CameraVerb::Users => manage::users(&camera, output).await,
        CameraVerb::Network => manage::network(&camera, output).await,
        CameraVerb::Call(verb) => call::run(verb, &camera, output).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
