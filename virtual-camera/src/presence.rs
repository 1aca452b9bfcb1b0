//! Cameras that are away for a while, and that come back elsewhere.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::read_timestamp;
use crate::event::Event;
use crate::port;
use crate::state::{Camera, lock};

/// Whether a camera is there.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    away: AtomicBool,
    restarts: AtomicU64,
    /// Woken when there is reason to say Hello.
    pub arrived: Notify,
    /// Cancelled to cut the HTTP connections there are.
    connections: Mutex<CancellationToken>,
}

impl Presence {
    /// Whether nobody is answered.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// How often the camera restarted.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Cancelled when a connection that begins now is to be cut.
    pub(crate) fn connections(&self) -> CancellationToken {
        lock(&self.connections).clone()
    }

    /// Those that are there, to be cut. Those that come are not among them.
    fn take_connections(&self) -> CancellationToken {
        std::mem::take(&mut *lock(&self.connections))
    }
}

impl Camera {
    /// Restarts, and is away until a time has passed.
    pub(crate) fn reboot_for(self: &Arc<Self>, away: Duration) {
        self.reboot();
        self.presence.away.store(true, Ordering::Relaxed);
        self.open_ports(false);
        self.presence.take_connections().cancel();
        let restart = self.presence.restarts();
        let camera = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(away) => {}
                () = camera.stopping.cancelled() => return,
            }
            // Another restart in between takes its own time.
            if camera.presence.restarts() == restart {
                camera.presence.away.store(false, Ordering::Relaxed);
                camera.open_ports(true);
                camera.presence.arrived.notify_one();
                tracing::info!(camera = camera.name, "back after a restart");
            }
        });
    }

    /// What a restart does to the clock, and to who is counting.
    pub(crate) fn count_restart(&self) {
        self.presence.restarts.fetch_add(1, Ordering::Relaxed);
        if self.quirks().clock_lost_on_reboot {
            lock(&self.clock).set(without_battery());
        }
    }

    /// Goes to another address with all its ports. Sessions over RTSP end; the connections over HTTP that were there are given
    /// back, to be cut.
    pub(crate) fn move_to(&self, ip: IpAddr) -> io::Result<CancellationToken> {
        let ports = [&self.http, self.rtsp.handle()];
        if ip == self.http.ip() {
            return Ok(CancellationToken::new());
        }
        // All of them or none.
        let [http, rtsp] = ports.map(|handle| port::listen(SocketAddr::new(ip, handle.port())));
        let (http, rtsp) = (http?, rtsp?);
        self.http.move_to(http)?;
        self.rtsp.handle().move_to(rtsp)?;
        self.rtsp.close_sessions();
        self.presence.arrived.notify_one();
        tracing::info!(camera = self.name, %ip, "moved to another address");
        Ok(self.presence.take_connections())
    }

    fn open_ports(&self, open: bool) {
        self.http.set_open(open);
        self.rtsp.handle().set_open(open);
    }
}

impl Camera {
    /// Reports what comes with every pull.
    pub(crate) fn storm(&self) {
        for number in 0..self.quirks().event_storm.unwrap_or(0) {
            let event = Event::new("tns1:Monitoring/ProcessorUsage").source("Token", "Processor");
            self.report(event.data("Value", number.to_string()));
        }
    }
}

/// The time that a clock starts with which nobody has set.
fn without_battery() -> Timestamp {
    read_timestamp("2000-01-01T00:00:00Z").unwrap_or(Timestamp::UNIX_EPOCH)
}
