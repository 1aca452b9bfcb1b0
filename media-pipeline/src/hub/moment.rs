//! The picture of a moment, decoded forward from the key frame before it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::cache::LeadsTo;
use super::forward::is_disposable;
use super::wait::{Patience, Watcher};
use super::{Consumer, Core, Owner};
use crate::snapshot::{encode, pass_jpeg};
use crate::{AccessUnit, Codec, Error, Moment, Picture, Snapshot, SnapshotOptions};

pub(super) async fn snapshot(
    owner: &Arc<Owner>,
    moment: Moment,
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    let consumer = Consumer::join(owner);
    let core: &Core = &consumer.owner.core;
    core.shared().groups = true;
    let mut watcher = Watcher::new(core.arrivals.subscribe(), core.status.subscribe());
    let deadline = Instant::now() + options.deadline;
    let time = match moment {
        Moment::Now => None,
        Moment::At(time) => Some(time),
    };
    let find = |_| match core.shared().cache.leading_to(time) {
        LeadsTo::Units(units) => Some(Ok(units)),
        LeadsTo::Earlier => Some(Err(Error::Option {
            option: "moment",
            reason: "lies before all pictures that are kept; HubOptions::history keeps more".into(),
        })),
        LeadsTo::Later => None,
    };
    let mut units = watcher.find(deadline, Patience::Transient, find).await??;
    // JPEG pictures stand for themselves.
    if let Some(unit) = units.pop_if(|unit| unit.codec == Codec::Jpeg) {
        return pass_jpeg(unit);
    }
    let (unit, picture) = decode(core, units, options.budget).await?;
    encode(&core.options.pool, &unit, picture, options).await
}

/// Decodes units that follow each other; returns the last picture that was reached in time.
async fn decode(
    core: &Core,
    units: Vec<AccessUnit>,
    budget: Duration,
) -> Result<(AccessUnit, Picture), Error> {
    let nothing = || Error::Decode {
        reason: "the group of pictures holds none that can be decoded alone".into(),
    };
    let pool = &core.options.pool;
    let mut decoder = pool.decoder(units.first().ok_or_else(nothing)?.codec)?;
    let (began, count) = (Instant::now(), units.len());
    let mut reached = None;
    for (number, unit) in units.into_iter().enumerate() {
        if reached.is_some() && began.elapsed() >= budget {
            break;
        }
        if number + 1 < count && is_disposable(&unit) {
            continue;
        }
        let picture;
        (decoder, picture) = pool.follow(decoder, unit.clone()).await?;
        reached = picture.map(|picture| (unit, picture)).or(reached);
    }
    reached.ok_or_else(nothing)
}
