//! Snapshots and frames out of a hub's key frames.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::wait::{Patience, Watcher};
use super::{Consumer, Core, Frame, Owner};
use crate::snapshot::{Look, take};
use crate::{AccessUnit, DecodePool, Error, ErrorKind, Snapshot, SnapshotOptions};

#[derive(Clone, Debug)]
pub(super) struct KeyFrame {
    /// Counts the access units of a hub.
    pub(super) number: u64,
    pub(super) arrived: Instant,
    pub(super) unit: AccessUnit,
}

impl KeyFrame {
    /// Whether it comes after the unit that was used last, and arrived not longer ago than `max_age`.
    pub(super) fn is_fresh(&self, used: Option<u64>, max_age: Duration) -> bool {
        used < Some(self.number) && self.arrived.elapsed() <= max_age
    }
}

/// The snapshots of the newest key frame: consumers that want the same one share it, and wait for each other.
#[derive(Default)]
pub(super) struct Stills {
    recent: Mutex<VecDeque<(StillKey, Arc<OnceCell<Snapshot>>)>>,
}

/// Number of the key frame, and what is made of it.
type StillKey = (u64, Look);

impl Stills {
    const KEPT: usize = 4;

    async fn take(
        &self,
        pool: &DecodePool,
        key: &KeyFrame,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        let cell = self.cell((key.number, options.look()));
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
        let newest = recent.iter().map(|((number, _), _)| *number).max();
        if newest.is_some_and(|number| number < key.0) {
            recent.clear();
        }
        if recent.len() == Self::KEPT {
            recent.pop_front();
        }
        let cell = Arc::<OnceCell<Snapshot>>::default();
        recent.push_back((key, cell.clone()));
        cell
    }
}

impl Core {
    /// The snapshot of a key frame, which is kept until the next key frame for whoever wants the same.
    async fn still(&self, key: &KeyFrame, options: &SnapshotOptions) -> Result<Snapshot, Error> {
        self.stills.take(&self.options.pool, key, options).await
    }

    /// The snapshot of a key frame for a consumer that takes each one once: it is kept only if there are others.
    pub(super) async fn still_once(
        &self,
        key: &KeyFrame,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        if self.shared().consumers > 1 {
            return self.still(key, options).await;
        }
        take(&self.options.pool, key.unit.clone(), options).await
    }

    pub(super) async fn frame(&self, key: KeyFrame) -> Result<Frame, Error> {
        let (captured, pts) = (key.unit.wall, key.unit.pts);
        let picture = self.options.pool.picture(key.unit).await?;
        Ok(Frame {
            picture,
            captured,
            pts,
        })
    }
}

/// A consumer of key frames.
pub(super) struct KeyFrames {
    consumer: Consumer,
    watcher: Watcher<Option<KeyFrame>>,
    /// Number of the key frame that was used last.
    used: Option<u64>,
}

impl KeyFrames {
    pub(super) fn new(owner: &Arc<Owner>) -> Self {
        let consumer = Consumer::join(owner);
        let watcher = Watcher::new(owner.core.keys.subscribe(), owner.core.status.subscribe());
        Self {
            consumer,
            watcher,
            used: None,
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
            match self.consumer.owner.core.still(&key, options).await {
                Err(error) if error.kind() == ErrorKind::Picture => damaged = Some(Arc::new(error)),
                result => return result,
            }
        }
    }

    pub(super) async fn next_snapshot(
        &mut self,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        let deadline = Instant::now() + options.deadline;
        let key = self.next(options.max_age, deadline, Patience::None).await?;
        self.consumer.owner.core.still_once(&key, options).await
    }

    pub(super) async fn next_frame(&mut self) -> Result<Frame, Error> {
        let defaults = SnapshotOptions::default();
        let deadline = Instant::now() + defaults.deadline;
        let key = self
            .next(defaults.max_age, deadline, Patience::None)
            .await?;
        self.consumer.owner.core.frame(key).await
    }

    /// The latest key frame if it was not used and is not older than `max_age`, else the next.
    async fn next(
        &mut self,
        max_age: Duration,
        deadline: Instant,
        patience: Patience,
    ) -> Result<KeyFrame, Error> {
        let used = self.used;
        let key = self
            .watcher
            .find(deadline, patience, |latest| {
                latest.filter(|key| key.is_fresh(used, max_age))
            })
            .await?;
        self.used = Some(key.number);
        Ok(key)
    }
}
