//! WS-Discovery (April 2005, as ONVIF Core, "Device discovery" uses it): finding cameras on the network.
//!
//! What is found is a hint, not a fact: anybody on the network can answer. Nothing here sends
//! credentials anywhere, and an address found here deserves a look before it gets any.
//!
//! ```no_run
//! use futures_util::StreamExt;
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
//!
//! Multicast does not cross routers, nor the network of a Kubernetes cluster. There, ask the addresses
//! themselves: [`Discovery::probe_address`] for one, [`Discovery::sweep`] for a subnet.

mod collector;
mod discovered;
mod interfaces;
mod message;
mod rank;
mod reading;
mod scope;
mod search;
mod subnet;
mod timing;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};

pub use discovered::Discovered;
pub use reading::decode_datagram;
pub use search::SweepProgress;
pub use subnet::{Subnet, SubnetError};
pub use watch::{Announcement, Announcements};

/// Where and how long to look for cameras.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryOptions {
    /// How long answers are collected, counted from the first probe, or from the last one of a
    /// sweep; 5 s. Cameras wait up to half a second before they answer (WS-Discovery, `APP_MAX_DELAY`).
    pub duration: Duration,
    /// Whether to ask by multicast on the interfaces; yes.
    pub multicast: bool,
    /// Whether multicast goes to FF02::C as well as to 239.255.255.250; yes.
    pub ipv6: bool,
    /// The network interfaces for multicast, by name or by one of their addresses; all but loopback
    /// when empty.
    pub interfaces: Vec<String>,
    /// Only cameras that have all these scopes, or scopes below them: `onvif://www.onvif.org/location/hall`
    /// (WS-Discovery, section 5.1, matching by RFC 2396). Checked here too, because many cameras answer anyway.
    pub scopes: Vec<String>,
    /// How often a probe is repeated, because UDP gets lost; 2 (SOAP-over-UDP, `UNICAST_UDP_REPEAT`).
    pub repeats: u32,
    /// How many addresses a sweep asks each second; 250. More may overflow the table of neighbours
    /// that routers and this host keep.
    pub addresses_per_second: u32,
}

impl Default for DiscoveryOptions {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(5),
            multicast: true,
            ipv6: true,
            interfaces: Vec::new(),
            scopes: Vec::new(),
            repeats: 2,
            addresses_per_second: 250,
        }
    }
}

/// Why nothing could be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// A socket could not be opened.
    #[error("cannot look for cameras: {0}")]
    Socket(#[from] std::io::Error),
    /// This host has no such interface.
    #[error(
        "there is no network interface `{0}`; give the name of one, such as eth0, or its address"
    )]
    NoSuchInterface(String),
}

/// One search for cameras.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Discovery {
    options: DiscoveryOptions,
    addresses: Vec<SocketAddr>,
    subnets: Vec<Subnet>,
}

impl Discovery {
    /// A search with these options.
    pub fn new(options: DiscoveryOptions) -> Self {
        Self {
            options,
            addresses: Vec::new(),
            subnets: Vec::new(),
        }
    }

    /// Asks one address as well, for networks that multicast does not cross. The port is 3702
    /// (WS-Discovery, section 2.4: a probe may be sent to one target).
    pub fn probe_address(mut self, address: SocketAddr) -> Self {
        self.addresses.push(address);
        self
    }

    /// Asks every address of a subnet as well, at [`DiscoveryOptions::addresses_per_second`].
    pub fn sweep(mut self, subnet: Subnet) -> Self {
        self.subnets.push(subnet);
        self
    }

    /// Asks, and yields each camera once, as soon as it has answered. The stream ends after
    /// [`DiscoveryOptions::duration`]; a camera that answers on several interfaces is found once.
    ///
    /// Three probes are sent, because some cameras answer only one of them: for
    /// `dn:NetworkVideoTransmitter` (Profile S), for `tds:Device` (Profile T), and for anything. What answers
    /// the last one and is no camera, such as a printer, is left out. Nothing happens while the stream
    /// is not polled; dropping it ends the search.
    ///
    /// # Errors
    /// When no socket could be opened, or a named interface does not exist.
    pub async fn start(self) -> Result<Discoveries, DiscoveryError> {
        let search = search::Search::probe(self.options, self.addresses, self.subnets).await?;
        let progress = search.progress();
        Ok(Discoveries {
            found: search.into_stream().boxed(),
            progress,
        })
    }

    /// Asks for the camera with this endpoint reference, such as one whose address has changed
    /// (WS-Discovery, section 6, "Resolve"). Addresses and subnets are asked for it as well. `None` when it does not
    /// answer within [`DiscoveryOptions::duration`].
    ///
    /// # Errors
    /// When no socket could be opened, or a named interface does not exist.
    pub async fn resolve(
        self,
        endpoint_reference: &str,
    ) -> Result<Option<Discovered>, DiscoveryError> {
        let search = search::Search::resolve(
            self.options,
            self.addresses,
            self.subnets,
            endpoint_reference,
        );
        let mut found = std::pin::pin!(search.await?.into_stream());
        while let Some(camera) = found.next().await {
            if camera
                .endpoint_reference
                .eq_ignore_ascii_case(endpoint_reference.trim())
            {
                return Ok(Some(camera));
            }
        }
        Ok(None)
    }

    /// Listens to what cameras announce: Hello when they join the network, Bye when they leave it
    /// (WS-Discovery, section 4). Port 3702 is shared with other programs of this host. Asks nothing, and never ends.
    ///
    /// Of the options, the interfaces and scopes count.
    ///
    /// # Errors
    /// When the port cannot be opened, or a named interface does not exist.
    pub async fn watch(self) -> Result<Announcements, DiscoveryError> {
        watch::listen(self.options)
    }
}

/// The cameras that answer. See [`Discovery::start`].
pub struct Discoveries {
    found: BoxStream<'static, Discovered>,
    progress: Arc<search::Counters>,
}

impl Discoveries {
    /// How far the sweep is. Nothing of it is left when no subnet is asked.
    pub fn progress(&self) -> SweepProgress {
        self.progress.read()
    }
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
        f.debug_struct("Discoveries")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}
