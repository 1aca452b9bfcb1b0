//! WS-Discovery: finding cameras on the network.
//!
//! What is found is a hint, not a fact: anybody on the network can answer. Nothing here sends
//! credentials anywhere.
//!
//! ```no_run
//! use futures::StreamExt;
//! use onvif_core::discovery::{Discovery, DiscoveryOptions};
//!
//! # async fn example() -> Result<(), onvif_core::discovery::DiscoveryError> {
//! let mut found = Discovery::new(DiscoveryOptions::default()).start().await?;
//! while let Some(camera) = found.next().await {
//!     println!("{} at {:?}", camera.name().unwrap_or_default(), camera.xaddrs);
//! }
//! # Ok(())
//! # }
//! ```

mod collector;
mod probe;
mod socket;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::Stream;
use futures::stream::BoxStream;
use url::Url;

/// Where and how long to look for cameras.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryOptions {
    /// How long answers are collected; 5 s.
    pub duration: Duration,
    /// Whether to ask by multicast on all IPv4 interfaces; yes.
    pub multicast: bool,
}

impl Default for DiscoveryOptions {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(5),
            multicast: true,
        }
    }
}

/// Why nothing could be asked.
#[derive(Debug, thiserror::Error)]
#[error("cannot look for cameras: {0}")]
pub struct DiscoveryError(#[from] std::io::Error);

/// One search for cameras.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Discovery {
    options: DiscoveryOptions,
    addresses: Vec<SocketAddr>,
}

impl Discovery {
    /// A search with these options.
    pub fn new(options: DiscoveryOptions) -> Self {
        Self {
            options,
            addresses: Vec::new(),
        }
    }

    /// Asks one address as well, for networks that multicast does not cross. The port is 3702.
    pub fn probe_address(mut self, address: SocketAddr) -> Self {
        self.addresses.push(address);
        self
    }

    /// Asks, and yields each camera once, as soon as it has answered. The stream ends after
    /// [`DiscoveryOptions::duration`]; a camera that answers on several interfaces is found once.
    ///
    /// # Errors
    /// When no socket could be opened.
    pub async fn start(self) -> Result<Discoveries, DiscoveryError> {
        Ok(Discoveries {
            found: socket::search(self.options, self.addresses).await?,
        })
    }
}

/// The cameras that answer. See [`Discovery::start`].
pub struct Discoveries {
    found: BoxStream<'static, Discovered>,
}

impl Stream for Discoveries {
    type Item = Discovered;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Discovered>> {
        self.found.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for Discoveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Discoveries").finish_non_exhaustive()
    }
}

/// A camera that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discovered {
    /// Its stable address, usually `urn:uuid:…`: the best identity a camera has. Serial numbers
    /// are not unique.
    pub endpoint_reference: String,
    /// Addresses of its device service, those with the host that answered first. 16 at most.
    pub xaddrs: Vec<Url>,
    /// What it says it is, without prefixes: `NetworkVideoTransmitter`, `Device`.
    pub types: Vec<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Where the answer came from.
    pub from: SocketAddr,
    /// Rises when what it tells changes.
    pub metadata_version: Option<u32>,
}

impl Discovered {
    /// Its name, from the scopes.
    pub fn name(&self) -> Option<String> {
        self.scope("name")
    }

    /// Its model, from the scopes.
    pub fn hardware(&self) -> Option<String> {
        self.scope("hardware")
    }

    /// Where it says it is, from the scopes.
    pub fn location(&self) -> Option<String> {
        self.scope("location")
    }

    /// The value of the first scope of a category: `onvif://www.onvif.org/<category>/<value>`.
    pub fn scope(&self, category: &str) -> Option<String> {
        let prefix = format!("onvif://www.onvif.org/{category}/");
        self.scopes.iter().find_map(|scope| {
            let value = scope
                .get(..prefix.len())
                .filter(|start| start.eq_ignore_ascii_case(&prefix))?
                .len();
            Some(percent_decode(&scope[value..])).filter(|value| !value.is_empty())
        })
    }

    fn rank(&mut self) {
        let from = self.from.ip();
        self.xaddrs.sort_by_key(|url| match url.host() {
            Some(url::Host::Ipv4(ip)) if IpAddr::V4(ip) == from => 0,
            Some(url::Host::Ipv6(ip)) if IpAddr::V6(ip) == from => 0,
            Some(url::Host::Ipv4(ip)) if !ip.is_link_local() && !ip.is_loopback() => 1,
            Some(url::Host::Domain(_)) => 2,
            _ => 3,
        });
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%').then(|| tail.get(..2)).flatten();
        match hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
