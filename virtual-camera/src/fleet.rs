//! Many cameras in one process.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::builder::{Builder, Discovery};
use crate::camera::VirtualCamera;
use crate::config;
use crate::discovery;
use crate::error::Error;

/// How long a stop waits for the last Bye.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// Running cameras, each with ports of its own. Dropping them stops them too.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use virtual_camera::{Fleet, Quirks};
///
/// let tapo = Quirks::preset("tapo-c220")?;
/// let fleet = Fleet::builder()
///     .count(20)
///     .each(move |index, camera| match index % 2 {
///         0 => camera.quirks(tapo.clone()),
///         _ => camera.credentials("admin", "secret"),
///     })
///     .start()
///     .await?;
/// assert_eq!(fleet.cameras()[19].name(), "camera-20");
/// fleet.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Fleet {
    cameras: Vec<VirtualCamera>,
    stopping: CancellationToken,
    discovery: Option<(SocketAddr, JoinHandle<()>)>,
}

/// Changes what is set up for the camera of an index.
type Each = Arc<dyn Fn(usize, Builder) -> Builder + Send + Sync>;

/// Sets up a [`Fleet`]; start with [`Fleet::builder`].
#[derive(Clone)]
#[must_use]
pub struct FleetBuilder {
    count: usize,
    seed: u64,
    listen: IpAddr,
    http_port: u16,
    rtsp_port: u16,
    multicast: Option<SocketAddrV4>,
    discovery: Discovery,
    each: Vec<Each>,
}

impl Fleet {
    /// Starts to set up cameras.
    pub fn builder() -> FleetBuilder {
        FleetBuilder {
            count: 1,
            seed: 0,
            listen: Ipv4Addr::LOCALHOST.into(),
            http_port: 0,
            rtsp_port: 0,
            multicast: None,
            discovery: Discovery::Off,
            each: Vec::new(),
        }
    }

    /// All cameras, in the order of their indices.
    #[must_use]
    pub fn cameras(&self) -> &[VirtualCamera] {
        &self.cameras
    }

    /// Where probes are answered for all of them, unless discovery is off.
    #[must_use]
    pub fn discovery_address(&self) -> Option<SocketAddr> {
        Some(self.discovery.as_ref()?.0)
    }

    /// Stops all cameras, as [`VirtualCamera::stop`].
    pub async fn stop(mut self) {
        self.stopping.cancel();
        let cameras = std::mem::take(&mut self.cameras);
        let stopped = futures::future::join_all(cameras.into_iter().map(VirtualCamera::stop));
        match self.discovery.take() {
            Some((_, task)) => {
                let said_bye = tokio::time::timeout(STOP_DEADLINE, task);
                let _ = tokio::join!(said_bye, stopped);
            }
            None => drop(stopped.await),
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl FleetBuilder {
    /// The fleet that a TOML file describes, as the README says; `folder` is where the files are that it names.
    ///
    /// # Errors
    /// [`Error::Config`], which names the line.
    pub fn from_toml(toml: &str, folder: &Path) -> Result<Self, Error> {
        config::read(toml, folder)
    }

    /// How many cameras there are, 1 by default.
    pub fn count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// What the identities are made of: the same seed gives the same UUIDs, serial numbers and hardware addresses, in the
    /// same order, on any machine. 0 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The address to listen on, 127.0.0.1 by default.
    pub fn listen(mut self, address: IpAddr) -> Self {
        self.listen = address;
        self
    }

    /// TCP port of SOAP and snapshots of the first camera; the others use the ports after it. 0, the default, is any free port
    /// for each.
    pub fn http_port(mut self, first: u16) -> Self {
        self.http_port = first;
        self
    }

    /// TCP port of RTSP of the first camera, likewise.
    pub fn rtsp_port(mut self, first: u16) -> Self {
        self.rtsp_port = first;
        self
    }

    /// The group that the first camera streams to too, as [`Builder::multicast`]; the others use the addresses after it.
    pub fn multicast(mut self, first: SocketAddrV4) -> Self {
        self.multicast = Some(first);
        self
    }

    /// Whether and where WS-Discovery is answered, by one socket for all; off by default.
    pub fn discovery(mut self, discovery: Discovery) -> Self {
        self.discovery = discovery;
        self
    }

    /// Changes what is set up for the camera of an index, from 0: quirks, credentials, name. What is set here counts more than
    /// the identity, address and ports that the fleet gives it. Called again, all count, in their order.
    pub fn each(
        mut self,
        change: impl Fn(usize, Builder) -> Builder + Send + Sync + 'static,
    ) -> Self {
        self.each.push(Arc::new(change));
        self
    }

    /// Starts the cameras. They serve when this returns, and until they are stopped or dropped.
    ///
    /// # Errors
    /// As [`Builder::start`]; [`Error::Ports`] where the ports do not suffice.
    pub async fn start(self) -> Result<Fleet, Error> {
        let mut cameras = Vec::with_capacity(self.count);
        let mut certificates = Vec::new();
        for index in 0..self.count {
            let mut builder = self.camera(index)?;
            builder.share_tls(&mut certificates)?;
            cameras.push(builder.start().await?);
        }
        let stopping = CancellationToken::new();
        let shared = cameras.iter().map(VirtualCamera::shared).collect();
        let discovery = discovery::start(shared, stopping.clone(), self.discovery, self.listen);
        Ok(Fleet {
            discovery: discovery.await?,
            cameras,
            stopping,
        })
    }

    fn camera(&self, index: usize) -> Result<Builder, Error> {
        let port = |first: u16| match first {
            0 => Ok(0),
            _ => u16::try_from(usize::from(first) + index).map_err(|_| Error::Ports {
                first,
                count: self.count,
            }),
        };
        let mut builder = VirtualCamera::builder()
            .name(format!("camera-{}", index + 1))
            .uuid(identity(self.seed, index))
            .listen(self.listen)
            .http_port(port(self.http_port)?)
            .rtsp_port(port(self.rtsp_port)?);
        if let Some(first) = self.multicast {
            let address = first.ip().to_bits().saturating_add(index as u32);
            builder = builder.multicast(SocketAddrV4::new(address.into(), first.port()));
        }
        let changes = self.each.iter();
        Ok(changes.fold(builder, |builder, change| change(index, builder)))
    }
}

impl fmt::Debug for FleetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetBuilder")
            .field("count", &self.count)
            .field("seed", &self.seed)
            .field("listen", &self.listen)
            .field("http_port", &self.http_port)
            .field("rtsp_port", &self.rtsp_port)
            .field("multicast", &self.multicast)
            .field("discovery", &self.discovery)
            .finish_non_exhaustive()
    }
}

/// A UUID (version 4 in form). Its first and last 32 bits, of which serial numbers and hardware addresses are made, count the
/// cameras of a seed, so that no two are alike.
fn identity(seed: u64, index: usize) -> u128 {
    let number = (index as u64).to_be_bytes();
    let own: [u8; 32] = Sha256::new()
        .chain_update(seed.to_be_bytes())
        .chain_update(number)
        .finalize()
        .into();
    let of_seed: [u8; 32] = Sha256::digest(seed.to_be_bytes()).into();
    let mut bytes: [u8; 16] = std::array::from_fn(|place| own[place]);
    for first in [0, 12] {
        let base = u32::from_be_bytes(std::array::from_fn(|place| of_seed[first + place]));
        let counted = base.wrapping_add(index as u32);
        bytes[first..first + 4].copy_from_slice(&counted.to_be_bytes());
    }
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .as_u128()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_identities_and_no_two_alike() {
        let all = |seed| (0..10_000).map(move |index| identity(seed, index));
        let first: Vec<u128> = all(7).collect();
        assert_eq!(first, all(7).collect::<Vec<_>>());
        assert_ne!(first[0], identity(8, 0));
        for part in [|uuid: u128| uuid >> 96, |uuid: u128| uuid & 0xff_ffff_ffff] {
            let parts: BTreeSet<u128> = first.iter().copied().map(part).collect();
            assert_eq!(parts.len(), first.len());
        }
        // The very ones of any machine.
        let known = uuid::Uuid::from_u128(identity(0, 0)).to_string();
        assert_eq!(known, "af5570f5-f771-4dd5-979e-c875c70a660f");
    }

    #[test]
    fn ports_count_up_until_there_are_no_more() {
        let fleet = Fleet::builder().count(3).http_port(65_534);
        assert!(fleet.camera(1).is_ok());
        let error = fleet.camera(2).unwrap_err().to_string();
        assert!(error.contains("65534"), "{error}");
    }
}
