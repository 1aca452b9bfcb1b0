//! The handle to a running camera.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use url::Url;

use crate::auth::Credentials;
use crate::builder::Builder;
use crate::clock::Clock;
use crate::error::Error;
use crate::event::Event;
use crate::motion::{PtzPathPoint, PtzPosition};
use crate::observed::Observed;
use crate::quirks::Quirks;
use crate::recording::Recording;
use crate::requests::SeenRequest;
use crate::server::url_host;
use crate::service::Service;
use crate::state::{Camera, lock};

/// How long a stop waits for clients to hang up.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// A running camera. Dropping it stops it too.
#[derive(Debug)]
pub struct VirtualCamera {
    camera: Arc<Camera>,
    discovery: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl VirtualCamera {
    pub(crate) fn new(
        camera: Arc<Camera>,
        discovery: Option<SocketAddr>,
        tasks: Vec<JoinHandle<()>>,
    ) -> Self {
        Self {
            camera,
            discovery,
            tasks,
        }
    }

    pub(crate) fn shared(&self) -> Arc<Camera> {
        self.camera.clone()
    }

    /// Starts to set up a camera.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The camera's name, as it was set up.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.camera.name
    }

    /// The serial number, as `GetDeviceInformation` reports it.
    #[must_use]
    pub fn serial(&self) -> String {
        self.camera.serial()
    }

    /// Address of the Device service, which is all that a client needs to know.
    #[must_use]
    pub fn device_url(&self) -> Url {
        let path = Service::Device.address(&self.camera);
        self.url(self.camera.scheme(), self.camera.http.address(), &path)
    }

    /// Address of the snapshot, as `GetSnapshotUri` reports it to a client on this machine.
    #[must_use]
    pub fn snapshot_url(&self) -> Url {
        self.url(
            self.camera.scheme(),
            self.camera.http.address(),
            "/onvif/snapshot",
        )
    }

    /// Address of a stream of JPEG pictures over HTTP, five a second (`multipart/x-mixed-replace`). It takes the same
    /// credentials as the snapshot; no ONVIF client is told of it.
    #[must_use]
    pub fn mjpeg_url(&self) -> Url {
        self.url(
            self.camera.scheme(),
            self.camera.http.address(),
            "/onvif/mjpeg",
        )
    }

    /// The certificate of the camera in PEM, where it speaks HTTPS. The key is new at each start.
    #[must_use]
    pub fn certificate_pem(&self) -> Option<&str> {
        self.camera.certificate_pem.as_deref()
    }

    /// Address of a stream: 0 is `main`, 1 is `sub`, and those that were added follow.
    ///
    /// # Panics
    /// Where there is no such stream.
    #[must_use]
    pub fn stream_url(&self, profile_index: usize) -> Url {
        let path = format!("/{}", lock(&self.camera.media).paths()[profile_index]);
        self.url("rtsp", self.camera.rtsp.local_addr(), &path)
    }

    /// As [`stream_url`](Self::stream_url), over TLS; `None` where the camera does not speak HTTPS.
    ///
    /// # Panics
    /// Where there is no such stream.
    #[must_use]
    pub fn secure_stream_url(&self, profile_index: usize) -> Option<Url> {
        let mut url = self.stream_url(profile_index);
        self.certificate_pem()?;
        // `Url` does not change the scheme of one it does not know.
        let address = url.as_str().replacen("rtsp", "rtsps", 1);
        url = Url::parse(&address).ok()?;
        Some(url)
    }

    /// Address of a profile's stream tunnelled through HTTP, or HTTPS where the camera speaks that.
    ///
    /// # Panics
    /// Where there is no such stream.
    #[must_use]
    pub fn tunnel_url(&self, profile_index: usize) -> Url {
        let path = self.stream_url(profile_index).path().to_owned();
        self.url(self.camera.scheme(), self.camera.http.address(), &path)
    }

    /// Where probes are answered, unless discovery is off.
    #[must_use]
    pub fn discovery_address(&self) -> Option<SocketAddr> {
        self.discovery
    }

    /// Starts or ends motion: `tns1:VideoSource/MotionAlarm` and `tns1:RuleEngine/CellMotionDetector/Motion` change, and
    /// `tns1:RuleEngine/MotionRegionDetector/Motion` for every rule of that kind that is armed. Nothing
    /// is sent where that is the state already.
    pub fn set_motion(&self, active: bool) {
        self.camera.set_motion(active);
    }

    /// Changes the digital input `input_1`: `tns1:Device/Trigger/DigitalInput` changes.
    pub fn set_digital_input(&self, active: bool) {
        self.camera.set_digital_input(active);
    }

    /// The camera is covered or turned, or no longer is: `tns1:VideoSource/GlobalSceneChange/ImagingService` changes.
    pub fn set_tamper(&self, active: bool) {
        self.camera.set_tamper(active);
    }

    /// Switches a relay output, as a client does with `SetRelayOutputState`; false where there is no such relay.
    pub fn set_relay_output(&self, token: &str, active: bool) -> bool {
        self.camera.set_relay(token, active)
    }

    /// What it does wrong now.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        Quirks::clone(&self.camera.quirks())
    }

    /// Changes what it does wrong, from the next request or connection on. Media profiles are as at the start again where
    /// [`Quirks::nvr_channels`] or [`Quirks::odd_tokens`] changed.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.camera.set_quirks(quirks);
    }

    /// Reports an event of any topic to whoever subscribed to it.
    pub fn report(&self, event: Event) {
        self.camera.report(event);
    }

    /// Forgets all subscriptions without a word, as some firmware does now and then.
    pub fn forget_subscriptions(&self) {
        self.camera.forget_subscriptions();
    }

    /// Whether a relay output (`relay_1`, `relay_2`) is switched on now; a monostable one falls back by itself. `None`
    /// where there is no such relay. Every change is an event, `tns1:Device/Trigger/Relay`.
    #[must_use]
    pub fn relay_output(&self, token: &str) -> Option<bool> {
        self.camera.relay(token)
    }

    /// What an auxiliary such as `tt:Wiper` was last told: `On`, `Off` or `Auto`; `None` before.
    #[must_use]
    pub fn auxiliary(&self, name: &str) -> Option<&'static str> {
        lock(&self.camera.device).io.auxiliary.get(name).copied()
    }

    /// Where the camera looks now.
    #[must_use]
    pub fn ptz_position(&self) -> PtzPosition {
        self.camera.position()
    }

    /// Whether pan, tilt or zoom is moving now.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        let (pan_tilt, zoom) = lock(&self.camera.ptz).moving(Instant::now());
        pan_tilt || zoom
    }

    /// Sets the camera's clock this many seconds ahead of ours (behind, if negative).
    pub fn set_clock_offset(&self, seconds: i64) {
        *lock(&self.camera.clock) = Clock::new(seconds);
    }

    /// Changes the user while running. Open RTSP sessions and subscriptions go on.
    pub fn set_credentials(&self, user: impl Into<String>, password: impl Into<String>) {
        self.camera.set_credentials(Credentials {
            user: user.into(),
            password: password.into(),
        });
    }

    /// Forgets subscriptions and RTSP sessions, as a restart does. Where the camera looks stays.
    pub fn reboot(&self) {
        self.camera.reboot();
    }

    /// Ends all RTSP sessions and connections, as cameras do now and then. New ones are served.
    pub fn end_rtsp_sessions(&self) {
        self.camera.rtsp.close_sessions();
    }

    /// Restarts as [`reboot`](Self::reboot) does, and is away for this long: connections are cut, new ones refused, probes not
    /// answered. Then it says Hello, where it announces itself at all. Its clock may be wrong afterwards, see
    /// [`Quirks::clock_lost_on_reboot`](crate::Quirks::clock_lost_on_reboot).
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn reboot_for(&self, away: Duration) {
        self.camera.reboot_for(away);
    }

    /// Moves to another address of this machine with the ports it has, as when the network hands out a new one. Whoever is
    /// connected is cut; subscriptions live on. It says Hello, where it announces itself at all.
    ///
    /// # Errors
    /// [`Error::Listen`] where one of the ports is taken there, or the address is not this machine's. The camera is where it
    /// was.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn move_to(&self, address: IpAddr) -> Result<(), Error> {
        let listen = |source| Error::Listen {
            purpose: "a camera that moves",
            address: SocketAddr::new(address, self.camera.http.port()),
            source,
        };
        self.camera.move_to(address).map_err(listen)?.cancel();
        Ok(())
    }

    /// What clients have done so far.
    #[must_use]
    pub fn observed(&self) -> Observed {
        self.camera.observed()
    }

    /// What clients published with ANNOUNCE and RECORD, the oldest first: of each path the last, 16 paths at most. Any
    /// path that is not that of a stream can be published to; it can be played like a stream.
    #[must_use]
    pub fn recordings(&self) -> Vec<Recording> {
        self.camera.rtsp.recordings()
    }

    /// The newest 1,024 requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        lock(&self.camera.requests).seen()
    }

    /// The way of the head so far: where it was when it was told to move or to stop, and when a motor came to rest; in
    /// between it moved straight and evenly. The last point is where it is now. The newest 1,024 points are kept.
    #[must_use]
    pub fn ptz_path(&self) -> Vec<PtzPathPoint> {
        self.camera.ptz_path()
    }

    /// Forgets what clients have done so far: counts, requests, the way of the head.
    pub fn reset_observed(&self) {
        self.camera.reset_observed();
    }

    /// Stops everything, after a Bye where discovery is on. Requests that wait for events are answered; a client that
    /// does not hang up is waited for no longer than two seconds.
    pub async fn stop(mut self) {
        self.camera.stopping.cancel();
        let tasks = std::mem::take(&mut self.tasks);
        let stopped = futures::future::join_all(tasks);
        if tokio::time::timeout(STOP_DEADLINE, stopped).await.is_err() {
            tracing::debug!("a client of the virtual camera does not hang up");
        }
    }

    fn url(&self, scheme: &str, address: SocketAddr, path: &str) -> Url {
        let mut local = address;
        if address.ip().is_unspecified() {
            local.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let url = format!("{scheme}://{}:{}{path}", url_host(local), address.port());
        Url::parse(&url).expect("an address and a fixed path make a URL")
    }
}

impl Drop for VirtualCamera {
    fn drop(&mut self) {
        self.camera.stopping.cancel();
        self.camera.rtsp.close_sessions();
    }
}
