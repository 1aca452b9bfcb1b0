//! Pictures and clips of a camera that fails in every way the fault proxy knows: all that comes out is whole, the stream is back
//! within the delay and a group of pictures, and nothing stays open on the camera.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use media_pipeline::{
    AuthBudget, Clip, ClipOptions, Codec, Container, Credentials, FileOptions, FileSource, Hub,
    HubItem, HubOptions, HubStatus, Pace, Rate, RtspOptions, RtspSource, RtspTransport,
    SnapshotOptions, Source as _, check_jpeg,
};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use virtual_camera::{FaultProxy, FaultProxyOptions, Faults, LinkFaults, Quirks, VirtualCamera};

const SOON: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_millis(800);
const DELAY: Duration = Duration::from_millis(200);
/// Groups of pictures of the camera last two seconds; machines that run tests may be slow.
const RECOVERY: Duration = Duration::from_secs(2 + 6);

/// Counts, and lets all through.
#[derive(Default)]
struct Open {
    refused: AtomicU64,
}

impl AuthBudget for Open {
    fn permit(&self) -> Result<(), Duration> {
        Ok(())
    }

    fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn accepted(&self) {}
}

/// A camera, the network before it, and consumers of all kinds.
struct Plant {
    camera: VirtualCamera,
    proxy: FaultProxy,
    hub: Hub,
    budget: Arc<Open>,
    folder: tempfile::TempDir,
    snapshots: Arc<AtomicU64>,
    clips: Arc<Mutex<Vec<Clip>>>,
    /// All access units that the camera has.
    whole: Arc<HashSet<Bytes>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Plant {
    async fn start(stream: usize, quirks: Quirks, transport: RtspTransport) -> Self {
        let camera = VirtualCamera::builder()
            .credentials("admin", "secret")
            .start()
            .await
            .unwrap();
        let whole = timeout(SOON, all_units(&camera, stream)).await.unwrap();
        camera.set_quirks(quirks);
        let address = camera.stream_url(stream).socket_addrs(|| None).unwrap()[0];
        let proxy = FaultProxy::tcp(address, FaultProxyOptions::default())
            .await
            .unwrap();
        let mut url = camera.stream_url(stream);
        if transport == RtspTransport::Tcp {
            url.set_port(Some(proxy.local_addr().port())).unwrap();
        }
        let budget = Arc::<Open>::default();
        let mut options = RtspOptions::new(url);
        options.credentials = Some(Credentials::new("admin", "secret"));
        options.transport = transport;
        options.idle_timeout = IDLE;
        options.connect_timeout = Duration::from_secs(5);
        options.budget = Some(budget.clone());
        let delays = HubOptions {
            first_delay: DELAY,
            longest_delay: DELAY,
            ..HubOptions::default()
        };
        let hub = Hub::new(Arc::new(RtspSource::new(options).unwrap()), delays);
        let folder = tempfile::tempdir().unwrap();
        let mut plant = Self {
            camera,
            proxy,
            hub,
            budget,
            folder,
            snapshots: Arc::default(),
            clips: Arc::default(),
            whole: Arc::new(whole),
            tasks: Vec::new(),
        };
        plant.consume();
        plant.back_since(Instant::now()).await;
        plant
    }

    /// Checks every unit and picture as it comes, and keeps the clips.
    fn consume(&mut self) {
        let (mut units, whole) = (self.hub.subscribe(), self.whole.clone());
        self.tasks.push(tokio::spawn(async move {
            let mut waits = true;
            while let Some(item) = units.next().await {
                if let HubItem::Unit(unit) = item {
                    assert!(whole.contains(&unit.data), "a unit lacks a part");
                    assert!(!waits || unit.random_access, "it goes on within a group");
                    waits = false;
                } else {
                    waits = true;
                }
            }
        }));
        let mut snapshots = self
            .hub
            .snapshots(Rate::EachKeyFrame, SnapshotOptions::default())
            .unwrap();
        let count = self.snapshots.clone();
        self.tasks.push(tokio::spawn(async move {
            while let Some(snapshot) = snapshots.next().await {
                if let Ok(snapshot) = snapshot {
                    let size = check_jpeg(&snapshot.data).unwrap();
                    assert_eq!(size, (snapshot.width, snapshot.height));
                    let picture = image::load_from_memory(&snapshot.data).unwrap();
                    assert!(!is_torn(&picture.to_luma8()));
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
        let mut options = ClipOptions::new(self.folder.path());
        options.duration = Duration::from_secs(1);
        options.patience = Duration::from_secs(2);
        options.min_free = 0;
        let mut clips = self.hub.clips(options).unwrap();
        let kept = self.clips.clone();
        self.tasks.push(tokio::spawn(async move {
            while let Some(clip) = clips.next().await {
                kept.lock().unwrap().extend(clip.ok());
            }
        }));
    }

    /// Waits until units come that were sent after `since`, and returns how long that took.
    async fn back_since(&self, since: Instant) -> Duration {
        let mut stream = self.hub.subscribe();
        let flows = async {
            let mut last = None;
            loop {
                match stream.next().await.unwrap() {
                    // Those of the cache come at once.
                    HubItem::Unit(_)
                        if last.is_some_and(|last: Instant| {
                            last.elapsed() > Duration::from_millis(30)
                        }) =>
                    {
                        return;
                    }
                    HubItem::Unit(_) => last = Some(Instant::now()),
                    _ => last = None,
                }
            }
        };
        timeout(SOON, flows).await.unwrap();
        since.elapsed()
    }

    async fn down(&self) {
        let mut changes = self.hub.watch_status();
        let failed =
            async { while !matches!(changes.next().await.unwrap(), HubStatus::Backoff { .. }) {} };
        timeout(SOON, failed).await.unwrap();
    }

    /// One more snapshot and clip than there were; then all clips are read, and nothing stays open.
    async fn ends_whole(mut self) {
        let clips = || self.clips.lock().unwrap().len();
        let before = (self.snapshots.load(Ordering::Relaxed), clips());
        let going_on = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while self.snapshots.load(Ordering::Relaxed) <= before.0 || clips() <= before.1 {
                ticks.tick().await;
            }
        };
        timeout(SOON, going_on).await.unwrap();
        assert!(
            self.tasks.iter().all(|task| !task.is_finished()),
            "a consumer failed"
        );
        self.tasks.drain(..).for_each(|task| task.abort());
        drop(self.hub);
        let gone = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while self.camera.observed().rtsp_sessions > 0 {
                ticks.tick().await;
            }
        };
        timeout(SOON, gone).await.unwrap();
        let clips = self.clips.lock().unwrap().clone();
        assert!(!clips.is_empty());
        for clip in clips {
            plays(&clip).await;
        }
        self.camera.stop().await;
    }
}

/// What a camera plays, over and over, without loss.
async fn all_units(camera: &VirtualCamera, stream: usize) -> HashSet<Bytes> {
    let mut options = RtspOptions::new(camera.stream_url(stream));
    options.credentials = Some(Credentials::new("admin", "secret"));
    let mut session = RtspSource::new(options).unwrap().connect().await.unwrap();
    let mut units = HashSet::new();
    let mut again = 0;
    // Pictures that are alike may be coded alike; a whole round is more.
    while again < 30 {
        let unit = session.next().await.unwrap().unwrap();
        again = if units.insert(unit.data) {
            0
        } else {
            again + 1
        };
    }
    session.close().await;
    units
}

/// Whether the lower part is one flat gray: what decoders show for what is missing.
fn is_torn(picture: &image::GrayImage) -> bool {
    let rows = picture.height() * 3 / 4..picture.height();
    let first = picture.get_pixel(0, rows.start)[0];
    rows.flat_map(|y| (0..picture.width()).map(move |x| (x, y)))
        .all(|(x, y)| picture.get_pixel(x, y)[0].abs_diff(first) < 2)
}

/// Plays a clip to its end.
async fn plays(clip: &Clip) {
    assert_eq!(clip.container, Container::Mp4);
    assert!(is_whole_mp4(&clip.path));
    let mut options = FileOptions::new(&clip.path);
    options.pace = Pace::Fast;
    let mut session = FileSource::new(options).unwrap().connect().await.unwrap();
    let mut frames = 0;
    while let Some(unit) = session.next().await.unwrap() {
        assert!(frames > 0 || unit.random_access);
        frames += u64::from(unit.codec == Codec::H264);
    }
    assert_eq!(frames, clip.frames, "{}", clip.path.display());
}

/// Whether a file is boxes to its last byte.
fn is_whole_mp4(path: &Path) -> bool {
    let data = std::fs::read(path).unwrap();
    let mut rest = &data[..];
    while let Some(length) = rest.first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        match rest.get(length.max(8)..) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

#[tokio::test]
async fn a_killed_server_a_stall_and_a_reset_are_survived() {
    let plant = Plant::start(0, Quirks::default(), RtspTransport::Tcp).await;
    let to_client = |faults| Faults {
        to_client: faults,
        ..Faults::default()
    };
    let killed = Faults {
        refuse: true,
        ..to_client(LinkFaults {
            cut_after: Some(0),
            ..LinkFaults::default()
        })
    };
    let stalled = to_client(LinkFaults {
        stall_after: Some(0),
        ..LinkFaults::default()
    });
    let reset = to_client(LinkFaults {
        reset_after: Some(0),
        ..LinkFaults::default()
    });
    for (name, faults) in [("killed", killed), ("stalled", stalled), ("reset", reset)] {
        plant.proxy.set_faults(faults);
        plant.down().await;
        plant.proxy.set_faults(Faults::default());
        let took = plant.back_since(Instant::now()).await;
        println!("{name}: back after {took:?}");
        // A connection that was tried while it stalled is waited for.
        assert!(took < RECOVERY + IDLE + DELAY, "{name}: {took:?}");
    }
    plant.ends_whole().await;
}

#[tokio::test]
async fn changed_credentials_are_refused_and_work_again_when_they_are_right() {
    let plant = Plant::start(0, Quirks::default(), RtspTransport::Tcp).await;
    plant.camera.set_credentials("admin", "another");
    plant.camera.end_rtsp_sessions();
    let mut changes = plant.hub.watch_status();
    let refused = async {
        loop {
            if let HubStatus::Backoff { error, .. } = changes.next().await.unwrap()
                && error.kind() == media_pipeline::ErrorKind::Unauthorized
            {
                return;
            }
        }
    };
    timeout(SOON, refused).await.unwrap();
    assert!(plant.budget.refused.load(Ordering::Relaxed) > 0);
    plant.camera.set_credentials("admin", "secret");
    let took = plant.back_since(Instant::now()).await;
    assert!(took < RECOVERY, "{took:?}");
    plant.ends_whole().await;
}

#[tokio::test]
async fn five_percent_of_loss_over_udp_cost_groups_of_pictures_and_tear_none() {
    // The small stream: key frames of many packets seldom come through.
    let quirks = Quirks {
        rtp_loss: 50,
        // With others, it takes longer until a key frame comes through.
        rtp_seed: 12,
        ..Quirks::default()
    };
    let plant = Plant::start(1, quirks, RtspTransport::Udp).await;
    let mut stream = plant.hub.subscribe();
    let losing = async {
        while matches!(stream.next().await.unwrap(), HubItem::Unit(_)) {}
        while !matches!(stream.next().await.unwrap(), HubItem::Unit(_)) {}
    };
    // Of the packets of a key frame, there are forty, one in nine times all come.
    timeout(3 * SOON, losing).await.unwrap();
    drop(stream);
    // The next session is without loss.
    plant.camera.set_quirks(Quirks::default());
    plant.camera.end_rtsp_sessions();
    plant.ends_whole().await;
}
