//! The media connector as a program.

use std::process::ExitCode;

use media_connector::MediaConnector;

#[tokio::main]
async fn main() -> ExitCode {
    connector_sdk::cli::run(
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_DESCRIPTION"),
        MediaConnector::new(),
    )
    .await
}
