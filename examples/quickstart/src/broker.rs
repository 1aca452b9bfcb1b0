//! An MQTT 5 broker inside this process: rumqttd on loopback.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result};
use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};
use url::Url;

/// The port people expect a broker at; another is taken where it is in use.
const USUAL_PORT: u16 = 1883;

/// Starts a broker that lives as long as the process, and returns its address.
pub fn start() -> Result<Url> {
    let address = free_address().context("no free port for the embedded broker")?;
    let server = ServerSettings {
        name: "quickstart".to_owned(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 60_000,
            max_payload_size: 16 << 20,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    let config = Config {
        router: RouterConfig {
            max_connections: 100,
            max_outgoing_packet_count: 200,
            max_segment_size: 64 << 20,
            max_segment_count: 4,
            ..RouterConfig::default()
        },
        v5: Some(HashMap::from([("v5".to_owned(), server)])),
        ..Config::default()
    };
    // `Broker::start` blocks for good.
    std::thread::Builder::new()
        .name("broker".to_owned())
        .spawn(move || {
            if let Err(error) = Broker::new(config).start() {
                tracing::error!(%error, "the embedded broker ended");
            }
        })
        .context("the embedded broker has no thread")?;
    Ok(Url::parse(&format!("mqtt://{address}"))?)
}

fn free_address() -> std::io::Result<SocketAddr> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr();
    bind(USUAL_PORT).or_else(|_| bind(0))
}

/// How long the embedded broker may take to answer.
pub const START_LIMIT: Duration = Duration::from_secs(10);
