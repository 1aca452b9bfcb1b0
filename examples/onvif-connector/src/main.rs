//! The connector for ONVIF as a program.

use std::process::ExitCode;

use onvif_connector::OnvifConnector;

#[tokio::main]
async fn main() -> ExitCode {
    connector_sdk::cli::run(
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_DESCRIPTION"),
        OnvifConnector::new(),
    )
    .await
}
