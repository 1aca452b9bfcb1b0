//! Snapshots and frames out of a hub's key frames.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Consumer, Frame, HubStatus, Owner};
use crate::snapshot::take;
use crate::{
    AccessUnit, DecodePool, Error, ErrorKind, Rate, Snapshot, SnapshotOptions, StillFormat,
};

#[derive(Clone, Debug)]
pub(super) struct KeyFrame {
    /// Counts the key frames of a hub.
    pub(super) number: u64,
    pub(super) arrived: Instant,
    pub(super) unit: AccessUnit,
}

/// The snapshots made last: consumers that want the same one share it, and wait for each other.
#[derive(Default)]
pub(super) struct Stills {
    recent: Mutex<VecDeque<(StillKey, Arc<OnceCell<Snapshot>>)>>,
}

/// Number of the key frame, format, quality.
type StillKey = (u64, StillFormat, u8);

impl Stills {
    const KEPT: usize = 4;

    async fn take(
        &self,
        pool: &DecodePool,
        key: &KeyFrame,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        let cell = self.cell((key.number, options.format, options.quality));
        cell.get_or_try_init(|| take(pool, key.unit.clone(), options))
            .await
            .cloned()
    }

    pub(super) fn clear(&self) {
        self.recent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn cell(&self, key: StillKey) -> Arc<OnceCell<Snapshot>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = recent.iter().find(|(kept, _)| *kept == key) {
            return cell.clone();
        }
        if recent.len() == Self::KEPT {
            recent.pop_front();
        }
        let cell = Arc::<OnceCell<Snapshot>>::default();
        recent.push_back((key, cell.clone()));
        cell
    }
}

/// A consumer of key frames.
pub(super) struct KeyFrames {
    consumer: Consumer,
    keys: watch::Receiver<Option<KeyFrame>>,
    status: watch::Receiver<HubStatus>,
    /// Number of the key frame that was used last.
    used: Option<u64>,
    due: Option<Instant>,
}

impl KeyFrames {
    pub(super) fn new(owner: &Arc<Owner>) -> Self {
        let consumer = Consumer::join(owner);
        let keys = owner.core.keys.subscribe();
        let mut status = owner.core.status.subscribe();
        status.mark_changed();
        Self {
            consumer,
            keys,
            status,
            used: None,
            due: None,
        }
    }

    /// One snapshot, as [`Hub::snapshot`](super::Hub::snapshot) describes it.
    pub(super) async fn snapshot(&mut self, options: &SnapshotOptions) -> Result<Snapshot, Error> {
        let deadline = Instant::now() + options.deadline;
        let mut damaged = None;
        loop {
            let key = match self
                .next(options.max_age, deadline, Patience::Transient)
                .await
            {
                Ok(key) => key,
                Err(Error::NoPicture { last: None, after }) => {
                    return Err(Error::NoPicture {
                        after,
                        last: damaged,
                    });
                }
                Err(error) => return Err(error),
            };
            let core = &self.consumer.owner.core;
            match core.stills.take(&core.options.pool, &key, options).await {
                Err(error) if error.kind() == ErrorKind::Picture => damaged = Some(Arc::new(error)),
                result => return result,
            }
        }
    }

    pub(super) async fn next_snapshot(
        &mut self,
        rate: Rate,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        let key = self
            .next_due(rate, options.max_age, options.deadline)
            .await?;
        let core = &self.consumer.owner.core;
        core.stills.take(&core.options.pool, &key, options).await
    }

    pub(super) async fn next_frame(&mut self, rate: Rate) -> Result<Frame, Error> {
        let defaults = SnapshotOptions::default();
        let key = self
            .next_due(rate, defaults.max_age, defaults.deadline)
            .await?;
        let (captured, pts) = (key.unit.wall, key.unit.pts);
        let picture = self
            .consumer
            .owner
            .core
            .options
            .pool
            .picture(key.unit)
            .await?;
        Ok(Frame {
            picture,
            captured,
            pts,
        })
    }

    async fn next_due(
        &mut self,
        rate: Rate,
        max_age: Duration,
        wait: Duration,
    ) -> Result<KeyFrame, Error> {
        let period = match rate {
            Rate::Every(period) => period,
            Rate::EachKeyFrame | Rate::EveryFrame => Duration::ZERO,
        };
        if let Some(due) = self.due {
            sleep_until(due).await;
        }
        let max_age = max_age.max(period);
        let key = self
            .next(max_age, Instant::now() + wait, Patience::None)
            .await?;
        // Keeps to the raster; periods that were missed are not made up for.
        let now = Instant::now();
        let due = self.due.unwrap_or(now) + period;
        self.due = Some(due.max(now));
        Ok(key)
    }

    /// The latest key frame if it was not used and is not older than `max_age`, else the next.
    async fn next(
        &mut self,
        max_age: Duration,
        deadline: Instant,
        patience: Patience,
    ) -> Result<KeyFrame, Error> {
        let began = Instant::now();
        let mut news = self.status.has_changed().unwrap_or(false);
        loop {
            let latest = self.keys.borrow_and_update().clone();
            if let Some(key) = latest
                .filter(|key| self.used < Some(key.number) && key.arrived.elapsed() <= max_age)
            {
                self.used = Some(key.number);
                return Ok(key);
            }
            if let HubStatus::Backoff { error, .. } = &*self.status.borrow_and_update()
                && patience.is_over(error, news)
            {
                return Err(error.clone());
            }
            let event = async {
                tokio::select! {
                    changed = self.keys.changed() => changed.map(|()| false),
                    changed = self.status.changed() => changed.map(|()| true),
                }
            };
            match timeout_at(deadline, event).await {
                Ok(Ok(of_status)) => news = of_status,
                Ok(Err(_)) => return Err(Error::Closed),
                Err(_) => {
                    let last = match &*self.status.borrow() {
                        HubStatus::Backoff { error, .. } => Some(Arc::new(error.clone())),
                        _ => None,
                    };
                    return Err(Error::NoPicture {
                        after: began.elapsed(),
                        last,
                    });
                }
            }
        }
    }
}

/// Which failures of the stream a consumer sits out.
#[derive(Clone, Copy)]
enum Patience {
    /// None: each one is told once.
    None,
    /// Those that may pass by themselves.
    Transient,
}

impl Patience {
    fn is_over(self, error: &Error, news: bool) -> bool {
        match self {
            Patience::None => news,
            Patience::Transient => !error.is_transient(),
        }
    }
}
