//! One picture in each period: of key frames where they come often enough, else decoded forward.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::forward::{Batch, Forward};
use super::stills::KeyFrame;
use super::wait::{Patience, Watcher};
use super::{Consumer, Core, Frame, Hub};
use crate::snapshot::encode;
use crate::{AccessUnit, Error, Picture, Snapshot, SnapshotOptions};

/// Longer periods are cut to this: clocks have an end.
const LONGEST_PERIOD: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) struct Periodic {
    period: Duration,
    consumer: Consumer,
    watcher: Watcher<u64>,
    forward: Forward,
    /// Number of the unit whose picture was delivered last.
    used: Option<u64>,
    due: Option<Instant>,
}

/// What a picture is made of.
enum Origin {
    Key(KeyFrame),
    Group(Batch),
}

enum Taken {
    Key(KeyFrame),
    Decoded(AccessUnit, Picture),
}

impl Periodic {
    pub(super) fn new(hub: &Hub, period: Duration) -> Self {
        let consumer = Consumer::join(&hub.owner);
        let core = &hub.owner.core;
        Self {
            period: period.min(LONGEST_PERIOD),
            consumer,
            watcher: Watcher::new(core.arrivals.subscribe(), core.status.subscribe()),
            forward: Forward::default(),
            used: None,
            due: None,
        }
    }

    pub(super) async fn next_snapshot(
        &mut self,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        let taken = self.next(options).await?;
        let core = &self.consumer.owner.core;
        match taken {
            Taken::Key(key) => core.still(&key, options).await,
            Taken::Decoded(unit, picture) => {
                encode(&core.options.pool, &unit, picture, options).await
            }
        }
    }

    pub(super) async fn next_frame(&mut self) -> Result<Frame, Error> {
        match self.next(&SnapshotOptions::default()).await? {
            Taken::Key(key) => self.consumer.owner.core.frame(key).await,
            Taken::Decoded(unit, picture) => Ok(Frame {
                picture,
                captured: unit.wall,
                pts: unit.pts,
            }),
        }
    }

    async fn next(&mut self, options: &SnapshotOptions) -> Result<Taken, Error> {
        if let Some(due) = self.due {
            sleep_until(due).await;
        }
        let deadline = Instant::now() + options.deadline;
        let mut origin = self.origin(options.max_age, deadline).await?;
        self.schedule();
        loop {
            let batch = match origin {
                Origin::Key(key) => {
                    self.forward.rest();
                    self.used = Some(key.number);
                    return Ok(Taken::Key(key));
                }
                Origin::Group(batch) => batch,
            };
            let core = &self.consumer.owner.core;
            if let Some((unit, picture)) = self.forward.run(core, batch, &mut self.used).await? {
                return Ok(Taken::Decoded(unit, picture));
            }
            origin = self.origin(options.max_age, deadline).await?;
        }
    }

    /// Waits for something newer than the last picture.
    async fn origin(&mut self, max_age: Duration, deadline: Instant) -> Result<Origin, Error> {
        let core: &Core = &self.consumer.owner.core;
        let (place, period, used) = (self.forward.place(), self.period, self.used);
        let max_age = max_age.max(period);
        self.watcher
            .find(deadline, Patience::None, |_| {
                let shared = core.shared();
                let batch = if shared.cadence.keeps(period) {
                    None
                } else {
                    place.plan(&shared.cache, used)
                };
                drop(shared);
                // A key frame is better than nothing where the group cannot be followed.
                batch.map(Origin::Group).or_else(|| {
                    let latest = core.keys.borrow().clone();
                    latest
                        .filter(|key| key.is_fresh(used, max_age))
                        .map(Origin::Key)
                })
            })
            .await
    }

    /// Keeps to the raster, which starts anew with a picture that is late by more than half a period: the one after it
    /// is not to come at its heels. Periods that were missed are not made up for.
    fn schedule(&mut self) {
        let now = Instant::now();
        let due = self.due.unwrap_or(now);
        let late = now.saturating_duration_since(due);
        let from = if late > self.period / 2 { now } else { due };
        self.due = Some(from + self.period);
    }
}
