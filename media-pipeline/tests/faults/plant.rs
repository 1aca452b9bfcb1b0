//! A camera, the network before it, and consumers of all kinds that check what they get.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures::StreamExt as _;
use media_pipeline::{
    AuthBudget, Clip, ClipOptions, Codec, Credentials, Error, Hub, HubItem, HubOptions, HubStatus,
    Rate, RtspOptions, RtspSource, RtspTransport, SnapshotOptions,
};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use virtual_camera::{FaultProxy, FaultProxyOptions, StreamSpec, VideoCodec, VirtualCamera};

use crate::account::{Account, GROUP, Watched};
use crate::whole::{check_clip, check_snapshot, pictures, slices};

/// For whatever is waited for: machines that run tests may be slow.
pub const SOON: Duration = Duration::from_secs(120);
/// Longest silence.
const IDLE: Duration = Duration::from_secs(3);
/// Most that is waited between two attempts.
const DELAY: Duration = Duration::from_millis(200);
/// Attempts that may begin after a fault is over: one more where the first came before the network noticed.
const ATTEMPTS: usize = 2;

/// Counts, and lets all through.
#[derive(Default)]
pub struct Open {
    pub refused: AtomicU64,
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

/// What the consumers got so far.
#[derive(Clone, Default)]
pub struct Progress {
    /// How often it went on after something was missing, or began.
    pub recovered: usize,
    pub snapshots: usize,
    pub clips: Vec<Clip>,
}

pub struct Plant {
    pub camera: VirtualCamera,
    pub proxy: FaultProxy,
    pub hub: Hub,
    pub budget: Arc<Open>,
    pub account: Arc<Mutex<Account>>,
    pub progress: watch::Receiver<Progress>,
    folder: tempfile::TempDir,
    tasks: Vec<JoinHandle<()>>,
}

/// The camera of a plant; the third of its streams is of H.265, the fourth of JPEG pictures.
pub async fn camera() -> VirtualCamera {
    VirtualCamera::builder()
        .credentials("admin", "secret")
        .stream(StreamSpec::new("yard").video(VideoCodec::H265))
        .stream(StreamSpec::new("gate").video(VideoCodec::Jpeg))
        .start()
        .await
        .unwrap()
}

impl Plant {
    /// Returns when all flows.
    pub async fn start(stream: usize, transport: RtspTransport) -> Self {
        let camera = camera().await;
        let address = camera.stream_url(stream).socket_addrs(|| None).unwrap()[0];
        let proxy = FaultProxy::tcp(address, FaultProxyOptions::default())
            .await
            .unwrap();
        let mut url = camera.stream_url(stream);
        url.set_port(Some(proxy.local_addr().port())).unwrap();
        let budget = Arc::<Open>::default();
        let mut options = RtspOptions::new(url);
        options.credentials = Some(Credentials::new("admin", "secret"));
        options.transport = transport;
        options.idle_timeout = IDLE;
        options.connect_timeout = Duration::from_secs(20);
        options.budget = Some(budget.clone());
        let account = Arc::<Mutex<Account>>::default();
        let source = Watched {
            source: RtspSource::new(options).unwrap(),
            account: account.clone(),
        };
        let delays = HubOptions {
            first_delay: DELAY,
            longest_delay: DELAY,
            ..HubOptions::default()
        };
        let (sender, progress) = watch::channel(Progress::default());
        let mut plant = Self {
            camera,
            proxy,
            hub: Hub::new(Arc::new(source), delays),
            budget,
            account,
            progress,
            folder: tempfile::tempdir().unwrap(),
            tasks: Vec::new(),
        };
        let codec = match stream {
            3 => Codec::Jpeg,
            2 => Codec::H265,
            _ => Codec::H264,
        };
        plant.consume(codec, Arc::new(sender)).await;
        plant
            .until("a stream", |progress| progress.recovered > 0)
            .await;
        plant
    }

    /// Checks every unit and picture as it comes, and keeps the clips.
    async fn consume(&mut self, codec: Codec, progress: Arc<watch::Sender<Progress>>) {
        let (mut units, whole) = (self.hub.subscribe(), pictures(codec).await);
        let (account, told) = (self.account.clone(), progress.clone());
        self.tasks.push(tokio::spawn(async move {
            let mut waits = true;
            while let Some(item) = units.next().await {
                let HubItem::Unit(unit) = item else {
                    waits = true;
                    continue;
                };
                assert!(whole.contains(&slices(&unit)), "a unit lacks a part");
                if std::mem::take(&mut waits) {
                    assert!(unit.random_access, "it goes on within a group");
                    account.lock().unwrap().check_recovery(&unit);
                    told.send_modify(|told| told.recovered += 1);
                }
            }
        }));
        let snapshots = self
            .hub
            .snapshots(Rate::EachKeyFrame, SnapshotOptions::default());
        let (mut snapshots, told) = (snapshots.unwrap(), progress.clone());
        self.tasks.push(tokio::spawn(async move {
            while let Some(snapshot) = snapshots.next().await {
                if let Ok(snapshot) = snapshot {
                    // It takes long where nothing is optimized, and the network is not to wait for it.
                    let checking = spawn_blocking(move || check_snapshot(&snapshot, codec));
                    checking.await.unwrap();
                    told.send_modify(|told| told.snapshots += 1);
                }
            }
        }));
        let mut options = ClipOptions::new(self.folder.path());
        options.duration = Duration::from_secs(1);
        options.min_free = 0;
        let mut clips = self.hub.clips(options).unwrap();
        self.tasks.push(tokio::spawn(async move {
            while let Some(clip) = clips.next().await {
                progress.send_modify(|told| told.clips.extend(clip.ok()));
            }
        }));
    }

    pub async fn until(&self, what: &str, mut holds: impl FnMut(&Progress) -> bool) {
        let mut progress = self.progress.clone();
        let waiting = progress.wait_for(|progress| {
            let failed = self.tasks.iter().any(JoinHandle::is_finished);
            assert!(!failed, "a consumer failed");
            holds(progress)
        });
        let waited = timeout(SOON, waiting).await;
        drop(waited.unwrap_or_else(|_| panic!("no {what}")).unwrap());
    }

    /// Waits until a session failed, or could not be had, for this reason. Until then the network may be the reason.
    pub async fn down(&self, is_expected: impl Fn(&Error) -> bool) {
        let mut changes = self.hub.watch_status();
        let failed = async {
            loop {
                let HubStatus::Backoff { error, retry_in } = changes.next().await.unwrap() else {
                    continue;
                };
                assert!(retry_in <= DELAY, "{retry_in:?}");
                if is_expected(&error) {
                    return;
                }
                let network = matches!(error, Error::Network { .. } | Error::Stalled { .. });
                assert!(network, "{error:?}");
            }
        };
        timeout(SOON, failed).await.expect("the reason is told");
    }

    /// To be called when a fault that began at `fault` is over: waits until the stream is back, and holds against it what
    /// that took. Then there is one session, one more picture, and the clip that the fault fell into.
    pub async fn is_back(&self, fault: SystemTime) {
        let before = self.progress.borrow().clone();
        let attempts = self.attempts();
        self.until("stream", |it| it.recovered > before.recovered)
            .await;
        let took = self.attempts() - attempts;
        assert!(took <= ATTEMPTS, "{took} attempts");
        self.sessions(1).await;
        self.until("picture", |it| it.snapshots > before.snapshots)
            .await;
        let fell_into = |clip: &Clip| {
            let started = clip.started.time;
            started <= fault && fault < started + clip.duration + GROUP
        };
        self.until("clip", |it| it.clips.iter().any(fell_into))
            .await;
    }

    pub fn attempts(&self) -> usize {
        self.account.lock().unwrap().attempts
    }

    /// Waits until packets were lost, after so many losses.
    pub async fn loses(&self, before: usize) {
        eventually(|| self.account.lock().unwrap().losses > before).await;
    }

    /// Waits until the camera has so many sessions.
    pub async fn sessions(&self, count: usize) {
        eventually(|| self.camera.observed().rtsp_sessions == count).await;
    }

    /// One more picture and clip than there were; then all clips are read, and nothing stays open.
    pub async fn ends_whole(mut self) {
        let before = self.progress.borrow().clone();
        self.until("more", |it| {
            it.snapshots > before.snapshots && it.clips.len() > before.clips.len()
        })
        .await;
        self.tasks.drain(..).for_each(|task| task.abort());
        let clips = self.progress.borrow().clips.clone();
        drop(self.hub);
        eventually(|| self.camera.observed().rtsp_sessions == 0).await;
        for clip in clips {
            check_clip(&clip).await;
        }
        self.camera.stop().await;
    }
}

async fn eventually(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while !holds() {
            ticks.tick().await;
        }
    };
    timeout(SOON, waiting).await.expect("it comes to hold");
}
