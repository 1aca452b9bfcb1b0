//! Cameras that fail again and again: the hub tries again and again, and memory stays flat.
//!
//! Alone in its process, because it measures that. Cameras and proxies are in the process too: the bounds are for all
//! together, so that what holds for the sum holds for the hub.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use media_pipeline::{
    AuthBudget, ClipOptions, Credentials, Error, ErrorKind, Hub, HubItem, HubOptions, HubStatus,
    Rate, RtspOptions, RtspSource, RtspTransport, SnapshotOptions,
};
use peak_alloc::PeakAlloc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};
use virtual_camera::{
    FaultProxy, FaultProxyOptions, Faults, Quirks, RtspEndless, StreamSpec, VideoCodec,
    VirtualCamera,
};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const SOON: Duration = Duration::from_secs(120);
const DELAY: Duration = Duration::from_millis(20);
/// What the first sessions take is there to be used again.
const WARM_UP: usize = 3;
const CYCLES: usize = 12;
/// What all cycles together may leave on the heap: of a camera, its list of the newest requests, and pictures on their way.
const LEFT: usize = 512 << 10;
/// What a session may take for a moment: an access unit of 8 MiB, as it comes and as it is given out.
const MOMENT: usize = 16 << 20;
/// What the process may grow by.
const RESIDENT: usize = 32 << 20;
/// Files and sockets that are open for a moment.
const OPEN: usize = 16;

/// Lets all through.
struct Open;

impl AuthBudget for Open {
    fn permit(&self) -> Result<(), Duration> {
        Ok(())
    }

    fn refused(&self) {}

    fn accepted(&self) {}
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    Stalled,
    Reset,
    Credentials,
    Loss,
    Endless(RtspEndless),
}

/// A camera, the network before it, a hub and its consumers.
struct Plant {
    fault: Fault,
    camera: VirtualCamera,
    proxy: FaultProxy,
    hub: Hub,
    /// How often it went on after something was missing, or began.
    recovered: watch::Receiver<usize>,
    consumers: [JoinHandle<()>; 3],
    _folder: tempfile::TempDir,
}

/// The third of its streams is of JPEG pictures, each of which can be gone on with.
async fn camera() -> VirtualCamera {
    VirtualCamera::builder()
        .credentials("admin", "secret")
        .stream(StreamSpec::new("pictures").video(VideoCodec::Jpeg))
        .start()
        .await
        .unwrap()
}

impl Plant {
    async fn start(fault: Fault) -> Self {
        let camera = camera().await;
        let mut quirks = Quirks::default();
        match fault {
            Fault::Loss => quirks.rtp_loss = 50,
            Fault::Endless(endless) => quirks.rtsp_endless = Some(endless),
            _ => {}
        }
        camera.set_quirks(quirks);
        let mut url = camera.stream_url(2);
        let address = url.socket_addrs(|| None).unwrap()[0];
        let proxy = FaultProxy::tcp(address, FaultProxyOptions::default());
        let proxy = proxy.await.unwrap();
        url.set_port(Some(proxy.local_addr().port())).unwrap();
        let mut options = RtspOptions::new(url);
        options.credentials = Some(Credentials::new("admin", "secret"));
        options.budget = Some(Arc::new(Open));
        options.idle_timeout = Duration::from_millis(500);
        options.connect_timeout = Duration::from_secs(20);
        if matches!(fault, Fault::Loss) {
            options.transport = RtspTransport::Udp;
        }
        let delays = HubOptions {
            first_delay: DELAY,
            longest_delay: DELAY,
            ..HubOptions::default()
        };
        let hub = Hub::new(Arc::new(RtspSource::new(options).unwrap()), delays);
        let folder = tempfile::tempdir().unwrap();
        let mut clip = ClipOptions::new(folder.path());
        clip.duration = Duration::from_secs(1);
        clip.min_free = 0;
        let mut clips = hub.clips(clip).unwrap();
        let pictures = hub.snapshots(Rate::EachKeyFrame, SnapshotOptions::default());
        let mut pictures = pictures.unwrap();
        let clips = tokio::spawn(async move { while clips.next().await.is_some() {} });
        let pictures = tokio::spawn(async move { while pictures.next().await.is_some() {} });
        let mut units = hub.subscribe();
        let (told, recovered) = watch::channel(0);
        let units = tokio::spawn(async move {
            let mut waits = true;
            while let Some(item) = units.next().await {
                let is_unit = matches!(item, HubItem::Unit(_));
                if std::mem::replace(&mut waits, !is_unit) && is_unit {
                    told.send_modify(|times| *times += 1);
                }
            }
        });
        let mut plant = Self {
            fault,
            camera,
            proxy,
            hub,
            recovered,
            consumers: [units, clips, pictures],
            _folder: folder,
        };
        if !matches!(fault, Fault::Endless(_)) {
            soon(plant.recovered.changed()).await.unwrap();
        }
        plant
    }

    /// Goes wrong once, and comes back where that is possible.
    async fn cycle(&mut self) {
        self.recovered.mark_unchanged();
        match self.fault {
            Fault::Killed => {
                let killed = std::mem::replace(&mut self.camera, camera().await);
                drop(killed);
                let url = self.camera.stream_url(2);
                let address = url.socket_addrs(|| None).unwrap()[0];
                self.proxy.set_target(address);
            }
            Fault::Stalled => {
                let mut stalled = Faults::default();
                stalled.to_client.stall_after = Some(0);
                self.proxy.set_faults(stalled);
                self.fails(|error| error.kind() == ErrorKind::Stalled).await;
                self.proxy.set_faults(Faults::default());
            }
            Fault::Reset => self.proxy.reset_connections(),
            Fault::Credentials => {
                self.camera.set_credentials("admin", "another");
                self.camera.end_rtsp_sessions();
                self.fails(|error| error.kind() == ErrorKind::Unauthorized)
                    .await;
                self.camera.set_credentials("admin", "secret");
            }
            // It happens by itself.
            Fault::Loss => {}
            Fault::Endless(_) => {
                let breaks_off = |error: &Error| {
                    matches!(error, Error::CapExceeded { .. } | Error::Refused { .. })
                };
                return self.fails(breaks_off).await;
            }
        }
        soon(self.recovered.changed()).await.unwrap();
    }

    async fn fails(&self, is_it: impl Fn(&Error) -> bool) {
        let mut changes = self.hub.watch_status();
        // The first is what is already known.
        let mut news = false;
        soon(async {
            loop {
                match changes.next().await.unwrap() {
                    HubStatus::Backoff { error, .. } if news && is_it(&error) => return,
                    _ => news = true,
                }
            }
        })
        .await;
    }

    /// Nothing stays open on the camera.
    async fn ends(self) {
        for task in self.consumers {
            assert!(!task.is_finished(), "a consumer failed");
            task.abort();
            let _ = task.await;
        }
        drop(self.hub);
        soon(until(|| self.camera.observed().rtsp_sessions == 0)).await;
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(SOON, what).await.expect("it comes in time")
}

async fn until(holds: impl Fn() -> bool) {
    let mut ticks = interval(Duration::from_millis(20));
    while !holds() {
        ticks.tick().await;
    }
}

/// What the process holds.
struct Held {
    heap: usize,
    resident: usize,
    open: usize,
}

impl Held {
    fn now() -> Self {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            heap: HEAP.current_usage(),
            resident: pages * 4096,
            open: std::fs::read_dir("/proc/self/fd").unwrap().count(),
        }
    }
}

/// Lets these plants fail again and again.
async fn stays_flat(plants: &mut [Plant]) {
    let name: Vec<_> = plants.iter().map(|plant| plant.fault).collect();
    join_all(plants.iter_mut().map(async |plant| {
        for _ in 0..WARM_UP {
            plant.cycle().await;
        }
    }))
    .await;
    let before = Held::now();
    HEAP.reset_peak_usage();
    join_all(plants.iter_mut().map(async |plant| {
        for _ in 0..CYCLES {
            plant.cycle().await;
        }
    }))
    .await;
    let moment = HEAP.peak_usage().saturating_sub(before.heap);
    let held = Held::now();
    let more = |before: usize, now: usize| (now as i64 - before as i64) / 1024;
    println!(
        "{name:?}: {} KiB more on the heap, {} KiB for a moment, {} KiB resident, {} instead of {} open",
        more(before.heap, held.heap),
        moment >> 10,
        more(before.resident, held.resident),
        held.open,
        before.open
    );
    assert!(moment < MOMENT, "{name:?}: {} MiB", moment >> 20);
    // What is on its way, or about to be closed, is not for long.
    soon(until(|| {
        let now = Held::now();
        now.heap < before.heap + LEFT
            && now.resident < before.resident + RESIDENT
            && now.open < before.open + OPEN
    }))
    .await;
}

#[tokio::test]
async fn memory_stays_flat_however_often_a_camera_fails() {
    let faults = [
        Fault::Killed,
        Fault::Stalled,
        Fault::Reset,
        Fault::Credentials,
        Fault::Loss,
    ];
    let mut plants = join_all(faults.map(Plant::start)).await;
    stays_flat(&mut plants).await;
    join_all(plants.into_iter().map(Plant::ends)).await;
    for endless in [
        RtspEndless::Fragments,
        RtspEndless::Header,
        RtspEndless::Body,
        RtspEndless::Redirect,
    ] {
        let mut plants = [Plant::start(Fault::Endless(endless)).await];
        stays_flat(&mut plants).await;
        let [plant] = plants;
        // A redirection that never ends is given up, whether or not it is followed for a while.
        let asked = plant.camera.observed().count("DESCRIBE") as usize;
        let cycles = WARM_UP + CYCLES;
        assert!(
            (cycles..cycles * 10).contains(&asked),
            "{endless:?}: {asked}"
        );
        plant.ends().await;
    }
}
