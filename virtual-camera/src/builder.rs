//! How a camera is set up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::{AuthScheme, Credentials, Gate};
use crate::camera::VirtualCamera;
use crate::clip::{Clip, Codec};
use crate::clock::Clock;
use crate::discovery;
use crate::error::Error;
use crate::motion::Ptz;
use crate::observed::Observed;
use crate::port::Port;
use crate::presence::Presence;
use crate::push;
use crate::quirks::{LiveQuirks, Quirks};
use crate::replay::Replay;
use crate::rtsp::{RtspAuth, RtspOptions, RtspServer};
use crate::server::{self, Certificate, Tls};
use crate::service::imaging::Imaging;
use crate::service::profiles::initial;
use crate::service::{device, ptz};
use crate::state::{Camera, Events};
use crate::stream_spec::{self, StreamSpec};
use crate::topic;

/// Whether and where a camera answers WS-Discovery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discovery {
    /// Not at all.
    #[default]
    Off,
    /// Only probes sent to the camera's own address and this UDP port; 0 is any free port. Nothing is announced.
    Unicast(u16),
    /// As a real camera: 239.255.255.250 and FF02::C, port 3702, on every interface, with Hello and Bye.
    Multicast,
}

/// Sets up a [`VirtualCamera`]; start with [`VirtualCamera::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    credentials: Option<Credentials>,
    auth: AuthScheme,
    listen: IpAddr,
    http_port: u16,
    rtsp_port: u16,
    name: String,
    serial: Option<String>,
    uuid: Option<Uuid>,
    discovery: Discovery,
    quirks: Quirks,
    https: Option<Certificate>,
    client_roots: Option<Vec<u8>>,
    rtsp_auth: RtspAuth,
    streams: Vec<StreamSpec>,
    multicast: Option<SocketAddrV4>,
    /// Made for another camera of the same fleet.
    tls: Option<Tls>,
    replay: Option<PathBuf>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            credentials: None,
            auth: AuthScheme::default(),
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            http_port: 0,
            rtsp_port: 0,
            name: "virtual-camera".to_owned(),
            serial: None,
            uuid: None,
            discovery: Discovery::default(),
            quirks: Quirks::default(),
            https: None,
            client_roots: None,
            rtsp_auth: RtspAuth::default(),
            streams: Vec::new(),
            multicast: None,
            tls: None,
            replay: None,
        }
    }
}

impl Builder {
    /// The user that is always there, an administrator, for SOAP, snapshots and RTSP; clients can make others. Without it,
    /// everything is open.
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = Some(Credentials {
            user: user.into(),
            password: password.into(),
        });
        self
    }

    /// What SOAP accepts as proof of the user; snapshots always take HTTP Digest.
    pub fn auth(mut self, scheme: AuthScheme) -> Self {
        self.auth = scheme;
        self
    }

    /// What RTSP accepts as proof of the user: Digest, by default.
    pub fn rtsp_auth(mut self, scheme: RtspAuth) -> Self {
        self.rtsp_auth = scheme;
        self
    }

    /// Adds a stream, with a fixed profile of its own after those that are there. Its name has to be another than theirs.
    pub fn stream(mut self, stream: StreamSpec) -> Self {
        self.streams.push(stream);
        self
    }

    /// Streams by multicast to this group too, over IPv4: of each track, RTP to an even port from this one on, and RTCP to
    /// the next. Packets go no further than the network of the address it listens on.
    pub fn multicast(mut self, group: SocketAddrV4) -> Self {
        self.multicast = Some(group);
        self
    }

    /// The address to listen on, 127.0.0.1 by default.
    pub fn listen(mut self, address: IpAddr) -> Self {
        self.listen = address;
        self
    }

    /// TCP port of SOAP and snapshots; 0, the default, is any free port.
    pub fn http_port(mut self, port: u16) -> Self {
        self.http_port = port;
        self
    }

    /// TCP port of RTSP; 0, the default, is any free port.
    pub fn rtsp_port(mut self, port: u16) -> Self {
        self.rtsp_port = port;
        self
    }

    /// Serves SOAP and snapshots over HTTPS and nothing else, with this certificate; and RTSP over TLS on the port of RTSP,
    /// which goes on to take it without.
    pub fn https(mut self, certificate: Certificate) -> Self {
        self.https = Some(certificate);
        self
    }

    /// Over HTTPS, demands a certificate of clients that one of these (PEM) has signed.
    pub fn client_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.client_roots = Some(pem.into());
        self
    }

    /// The camera's name, as its scopes and hostname say it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The serial number; by default it is made from the UUID.
    pub fn serial(mut self, serial: impl Into<String>) -> Self {
        self.serial = Some(serial.into());
        self
    }

    /// The 128 bits of the UUID that identifies the camera in discovery; random by default.
    pub fn uuid(mut self, uuid: u128) -> Self {
        self.uuid = Some(Uuid::from_u128(uuid));
        self
    }

    /// Whether and where WS-Discovery is answered; off by default.
    pub fn discovery(mut self, discovery: Discovery) -> Self {
        self.discovery = discovery;
        self
    }

    /// What the camera does wrong; nothing by default.
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Answers with what another camera said: a recording that [`Recorder`](crate::Recorder) made, or a folder of
    /// responses, `SERVICE/OperationResponse.xml`. Addresses are those of this camera, streams and snapshots the built-in ones;
    /// what was not recorded is not supported. Credentials that are set are asked for, but tokens may have any age.
    pub fn replay(mut self, folder: impl Into<PathBuf>) -> Self {
        self.replay = Some(folder.into());
        self
    }

    /// Starts the camera. It serves when this returns, and until it is stopped or dropped.
    ///
    /// # Errors
    /// [`Error::Listen`] where a port is taken or the address is not this machine's; [`Error::Tls`] where the
    /// root certificates for clients cannot be used; [`Error::Recording`] where there is nothing to replay;
    /// [`Error::Stream`] where two streams have one name, a name is not of letters and digits, or the group is none.
    pub async fn start(mut self) -> Result<VirtualCamera, Error> {
        stream_spec::check(&self.streams, self.multicast)?;
        let replay = self.replay.as_deref().map(Replay::load).transpose()?;
        if replay.is_some() {
            // Its clock stands still, so that tokens get as old as the recording.
            self.quirks.max_skew.get_or_insert(u32::MAX);
        }
        let http_address = SocketAddr::new(self.listen, self.http_port);
        let failed = |purpose, address| {
            move |source| Error::Listen {
                purpose,
                address,
                source,
            }
        };
        let port = Port::open(http_address);
        let (port, http) = port.map_err(failed("HTTP", http_address))?;

        let tls = self.make_tls()?;
        let (acceptor, certificate_pem) =
            tls.map(|tls| (tls.acceptor, tls.certificate_pem)).unzip();

        let mut gate = Gate::new(self.auth, self.credentials, &self.quirks);
        gate.set_rtsp(self.rtsp_auth);
        let clip = Clip::of(Codec::H264);
        let rtsp_address = SocketAddr::new(self.listen, self.rtsp_port);
        let rtsp = RtspServer::start(RtspOptions {
            listen: rtsp_address,
            auth: gate.rtsp(),
            tls: acceptor.clone(),
            multicast: self.multicast,
        });
        let rtsp = rtsp.await.map_err(failed("RTSP", rtsp_address))?;

        let uuid = self.uuid.unwrap_or_else(Uuid::new_v4);
        let camera = Arc::new(Camera {
            serial: self.serial,
            uuid,
            http,
            certificate_pem,
            rtsp,
            clip: clip.clone(),
            gate: Mutex::new(gate),
            clock: Mutex::new(Clock::new(self.quirks.clock_offset)),
            device: Mutex::new(device::Settings::new(&self.name)),
            ptz: Mutex::new(Ptz::new(Instant::now())),
            ptz_settings: Mutex::new(ptz::Settings::default()),
            imaging: Mutex::new(Imaging::new(Instant::now())),
            media: Mutex::new(initial(&clip, &self.quirks, &self.streams, self.multicast)),
            events: Events::new(topic::at_the_start()),
            observed: Mutex::new(Observed::default()),
            requests: Mutex::default(),
            started: Instant::now(),
            recent: Mutex::default(),
            crashed: AtomicBool::default(),
            presence: Presence::default(),
            streams: self.streams,
            stopping: CancellationToken::new(),
            multicast: self.multicast,
            replay,
            name: self.name,
            quirks: LiveQuirks::new(self.quirks),
        });
        let programme: Weak<Camera> = Arc::downgrade(&camera);
        camera.rtsp.show(programme);
        let cameras = vec![camera.clone()];
        let stopping = camera.stopping.clone();
        let discovery = discovery::start(cameras, stopping, self.discovery, self.listen).await?;
        let (discovery_address, discovery) = discovery.unzip();
        let tasks = [
            Some(tokio::spawn(server::serve(camera.clone(), port, acceptor))),
            Some(tokio::spawn(push::deliver(camera.clone()))),
            discovery,
        ];
        tracing::info!(camera = camera.name, http = %camera.http.address(), "virtual camera started");
        Ok(VirtualCamera::new(
            camera,
            discovery_address,
            tasks.into_iter().flatten().collect(),
        ))
    }

    /// The certificate, made anew unless another camera shares its own.
    fn make_tls(&self) -> Result<Option<Tls>, Error> {
        if self.tls.is_some() {
            return Ok(self.tls.clone());
        }
        let roots = self.client_roots.as_deref();
        let tls = self.https.map(|kind| Tls::new(kind, self.listen, roots));
        tls.transpose().map_err(|reason| Error::Tls { reason })
    }

    /// Uses the certificate of another camera that was set up alike, or makes one for others to use.
    pub(crate) fn share_tls(&mut self, made: &mut Vec<(TlsSpec, Tls)>) -> Result<(), Error> {
        let spec = (self.https, self.listen, self.client_roots.clone());
        self.tls = match made.iter().find(|(other, _)| *other == spec) {
            Some((_, tls)) => Some(tls.clone()),
            None => self.make_tls()?,
        };
        if let Some(tls) = &self.tls {
            made.push((spec, tls.clone()));
        }
        Ok(())
    }
}

/// What a certificate is made for.
pub(crate) type TlsSpec = (Option<Certificate>, IpAddr, Option<Vec<u8>>);
