//! The camera: the built-in one in software, or the user's.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use aio_registry::Secret;
use anyhow::{Context, Result};
use futures::StreamExt;
use onvif_core::discovery::{Discovery, DiscoveryOptions};
use url::Url;
use virtual_camera::VirtualCamera;

/// The port of WS-Discovery.
const DISCOVERY_PORT: u16 = 3702;

/// The camera that everything is tried on.
pub struct CameraUnderTest {
    url: Url,
    credentials: Option<(Secret, Secret)>,
    built_in: Option<VirtualCamera>,
}

impl CameraUnderTest {
    /// A camera in software on loopback, with a password of its own.
    pub async fn built_in() -> Result<Self> {
        let password = uuid::Uuid::new_v4().to_string();
        let camera = VirtualCamera::builder()
            .name("gate")
            .credentials("admin", &password)
            .discovery(virtual_camera::Discovery::Unicast(0))
            .start()
            .await
            .context("the built-in camera does not start")?;
        Ok(Self {
            url: camera.device_url(),
            credentials: Some((Secret::new("admin"), Secret::new(password))),
            built_in: Some(camera),
        })
    }

    /// The user's camera.
    pub fn real(url: Url, username: Option<String>, password_file: Option<&Path>) -> Result<Self> {
        let credentials = match (username, password_file) {
            (Some(username), Some(file)) => {
                let password = std::fs::read(file)
                    .with_context(|| format!("cannot read the password file {}", file.display()))?;
                Some((Secret::new(username), Secret::new(password)))
            }
            _ => None,
        };
        Ok(Self {
            url,
            credentials,
            built_in: None,
        })
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    pub fn credentials(&self) -> Option<(&Secret, &Secret)> {
        self.credentials
            .as_ref()
            .map(|(username, password)| (username, password))
    }

    pub fn is_built_in(&self) -> bool {
        self.built_in.is_some()
    }

    pub fn describe(&self) -> String {
        let whose = if self.is_built_in() {
            "built-in"
        } else {
            "yours"
        };
        format!("{} ({whose})", self.url)
    }

    /// Finds the camera by WS-Discovery, with a probe sent to its own address (multicast does not cross loopback).
    pub async fn discover(&self) -> Result<String> {
        let Some(address) = self.probe_address() else {
            return Ok(format!("{} (given; not probed)", self.url));
        };
        let mut options = DiscoveryOptions::default();
        options.multicast = false;
        options.duration = Duration::from_secs(3);
        let mut found = Discovery::new(options)
            .probe_address(address)
            .start()
            .await?;
        match found.next().await {
            Some(camera) => {
                let name = camera
                    .name()
                    .unwrap_or_else(|| "a camera without a name".to_owned());
                Ok(format!(
                    "{name} answered the probe: {}",
                    camera.endpoint_reference
                ))
            }
            None if self.is_built_in() => {
                anyhow::bail!("the built-in camera did not answer the probe")
            }
            None => Ok(format!("{} (given; it did not answer a probe)", self.url)),
        }
    }

    fn probe_address(&self) -> Option<SocketAddr> {
        match &self.built_in {
            Some(camera) => camera.discovery_address(),
            None => (self.url.host_str()?, DISCOVERY_PORT)
                .to_socket_addrs()
                .ok()?
                .next(),
        }
    }

    /// Makes something move before the built-in camera. False for a real one, where that is up to the world.
    pub fn start_motion(&self) -> bool {
        match &self.built_in {
            Some(camera) => {
                camera.set_motion(true);
                true
            }
            None => false,
        }
    }

    pub async fn stop(self) {
        if let Some(camera) = self.built_in {
            camera.stop().await;
        }
    }
}
