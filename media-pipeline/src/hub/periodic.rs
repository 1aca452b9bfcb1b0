//! One picture in each period: of key frames where they come often enough, else decoded forward.

use std::time::Duration;

use tokio::time::Instant;

use super::forward::{Batch, Forward};
use super::raster::Raster;
use super::stills::KeyFrame;
use super::wait::{Patience, Watcher};
use super::{Consumer, Core, Frame, Hub};
use crate::snapshot::encode;
use crate::{AccessUnit, Error, Picture, Snapshot, SnapshotOptions};

pub(super) struct Periodic {
    raster: Raster,
    consumer: Consumer,
    watcher: Watcher<u64>,
    forward: Forward,
    /// Number of the unit whose picture was delivered last.
    used: Option<u64>,
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
        let consumer = Consumer::with_period(&hub.owner, Some(period));
        let core = &hub.owner.core;
        Self {
            raster: Raster::new(period),
            consumer,
            watcher: Watcher::new(core.arrivals.subscribe(), core.status.subscribe()),
            forward: Forward::default(),
            used: None,
        }
    }

    pub(super) async fn next_snapshot(
        &mut self,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        let taken = self.next(options).await?;
        let core = &self.consumer.owner.core;
        match taken {
            Taken::Key(key) => core.still_once(&key, options).await,
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
        self.raster.due().await;
        let deadline = Instant::now() + options.deadline;
        let mut origin = self.origin(options.max_age, deadline).await?;
        self.raster.advance();
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
        let (place, period, used) = (self.forward.place(), self.raster.period, self.used);
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
}
