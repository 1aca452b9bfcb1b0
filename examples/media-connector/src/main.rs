//! The media connector as a program.
//!
//! Files go below the folder that `MEDIA_CONNECTOR_STORAGE` names, `/tmp` by default; assets may also name paths below the
//! volumes that the Akri operator mounts.

use std::path::Path;
use std::process::ExitCode;

use media_connector::MediaConnector;

#[tokio::main]
async fn main() -> ExitCode {
    connector_sdk::cli::run(
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_DESCRIPTION"),
        connector(),
    )
    .await
}

fn connector() -> MediaConnector {
    let connector = match std::env::var_os("MEDIA_CONNECTOR_STORAGE") {
        Some(root) => MediaConnector::new().storing_below(root),
        None => MediaConnector::new(),
    };
    // One path a line, in a file of the configuration mount.
    let volumes = std::env::var_os("CONNECTOR_CONFIGURATION_MOUNT_PATH")
        .map(|mount| Path::new(&mount).join("PERSISTENT_VOLUME_MOUNT_PATH"))
        .and_then(|file| std::fs::read_to_string(file).ok());
    let volumes = volumes.unwrap_or_default();
    let volumes = volumes
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    volumes.fold(connector, |connector, volume| connector.also_below(volume))
}
