//! Drives the clients through everything that the conformance tests want to see of them.

use std::fmt::{Debug, Display};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use onvif_core::discovery::{Discovery, DiscoveryOptions};
use onvif_core::{AuthenticationPolicy, Camera, Credentials};
use tokio::net::UdpSocket;
use virtual_camera::{AuthScheme, Quirks, VirtualCamera};

use crate::recording::{Exchange, Recorder};
use crate::{device_calls, event_calls, media_calls, media2_calls, ptz_calls, scene_calls};

const USER: (&str, &str) = ("admin", "a secret");

/// All that was recorded.
#[derive(Debug, Default)]
pub struct Recording {
    /// Requests over HTTP, in the order of their answers.
    pub exchanges: Vec<Exchange>,
    /// Probes with what came back for each.
    pub probes: Vec<Probe>,
    /// Calls that failed, and why.
    pub trouble: Vec<String>,
}

/// A probe of WS-Discovery, sent to one address, with the answers to it.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    pub request: String,
    pub answers: Vec<String>,
}

/// Keeps what fails, because one call that fails shall not hide the others.
#[derive(Debug, Default)]
pub struct Trouble(Vec<String>);

impl Trouble {
    pub fn none<T, E: Display>(&mut self, what: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(format!("{what}: {error}"));
                None
            }
        }
    }

    /// The first of a list that must not be empty.
    pub fn first<T, E: Display>(&mut self, what: &str, result: Result<Vec<T>, E>) -> Option<T> {
        let list = self.none(what, result)?;
        let first = list.into_iter().next();
        if first.is_none() {
            self.0.push(format!("{what}: the list is empty"));
        }
        first
    }
}

/// A camera in software with a client whose requests are recorded.
pub struct Stage {
    pub target: VirtualCamera,
    pub camera: Camera,
    pub recorder: Arc<Recorder>,
}

impl Stage {
    async fn set(scheme: AuthScheme, policy: AuthenticationPolicy, quirks: Quirks) -> Self {
        let target = VirtualCamera::builder()
            .credentials(USER.0, USER.1)
            .auth(scheme)
            .quirks(quirks)
            .discovery(virtual_camera::Discovery::Unicast(0))
            .start()
            .await
            .unwrap();
        let recorder = Arc::new(Recorder::new());
        let camera = Camera::builder(target.device_url())
            .credentials(Credentials::new(USER.0, USER.1))
            .authentication(policy)
            .transport(recorder.clone())
            .connect()
            .await
            .unwrap();
        Self {
            target,
            camera,
            recorder,
        }
    }

    async fn strike(self, recording: &mut Recording) {
        recording.exchanges.extend(self.recorder.exchanges());
        drop(self.camera);
        self.target.stop().await;
    }
}

/// Three cameras: one that wants Digest, one that wants a WS-UsernameToken, one without Media2.
pub async fn drive() -> Recording {
    let mut recording = Recording::default();
    let mut trouble = Trouble::default();

    let ladder = AuthenticationPolicy::Ladder;
    let stage = Stage::set(AuthScheme::Digest, ladder, Quirks::default()).await;
    recording.probes = probe(stage.target.discovery_address().unwrap()).await;
    device_calls::run(&stage.camera, &mut trouble).await;
    media_calls::run(&stage.camera, &mut trouble).await;
    media2_calls::run(&stage.camera, &mut trouble).await;
    scene_calls::run(&stage.camera, &mut trouble).await;
    ptz_calls::run(&stage.camera, &mut trouble).await;
    event_calls::run(&stage, &mut trouble).await;
    stage.strike(&mut recording).await;

    let stage = Stage::set(AuthScheme::UsernameToken, ladder, Quirks::default()).await;
    trouble.none("users", stage.camera.device().users().await);
    stage.strike(&mut recording).await;

    // A camera without GetServices cannot tell of Media2, so the clients fall back to Media.
    let quirks = Quirks {
        no_get_services: true,
        ..Quirks::default()
    };
    let stage = Stage::set(AuthScheme::Either, ladder, quirks).await;
    media2_calls::run(&stage.camera, &mut trouble).await;
    stage.strike(&mut recording).await;

    recording.trouble = trouble.0;
    recording
}

/// Discovers the camera at `target` over a relay that keeps the datagrams.
async fn probe(target: SocketAddr) -> Vec<Probe> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let front = UdpSocket::bind(any).await.unwrap();
    let back = UdpSocket::bind(any).await.unwrap();
    let relay = front.local_addr().unwrap();
    let mut kept: Vec<Probe> = Vec::new();
    let search = async {
        let mut options = DiscoveryOptions::default();
        options.multicast = false;
        options.duration = Duration::from_secs(2);
        let mut found = Discovery::new(options)
            .probe_address(relay)
            .start()
            .await
            .unwrap();
        while found.next().await.is_some() {}
    };
    let relaying = async {
        let (mut there, mut here) = ([0; 65_536], [0; 65_536]);
        let mut client = None;
        loop {
            tokio::select! {
                Ok((length, from)) = front.recv_from(&mut there) => {
                    client = Some(from);
                    let request = String::from_utf8_lossy(&there[..length]).into_owned();
                    if !kept.iter().any(|probe| probe.request == request) {
                        kept.push(Probe { request, answers: Vec::new() });
                    }
                    back.send_to(&there[..length], target).await.unwrap();
                }
                Ok(length) = back.recv(&mut here) => {
                    let answer = String::from_utf8_lossy(&here[..length]).into_owned();
                    let probe = kept.iter_mut().find(|probe| {
                        message_id(&probe.request).is_some_and(|id| answer.contains(id))
                    });
                    if let Some(probe) = probe {
                        probe.answers.push(answer);
                    }
                    if let Some(client) = client {
                        front.send_to(&here[..length], client).await.unwrap();
                    }
                }
            }
        }
    };
    tokio::select! {
        () = search => {}
        () = relaying => {}
    }
    kept
}

fn message_id(datagram: &str) -> Option<&str> {
    let (_, rest) = datagram.split_once("MessageID>")?;
    rest.split('<').next().filter(|id| !id.is_empty())
}
