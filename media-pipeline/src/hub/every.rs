//! Every picture of a stream, decoded in order by a decoder of the consumer's own.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::{Core, Frame, Hub, HubItem, HubStatus, Subscription};
use crate::snapshot::{encode, pass_jpeg};
use crate::{AccessUnit, Codec, Error, Media, Picture, Snapshot, SnapshotOptions, VideoDecoder};

pub(super) struct EveryFrame {
    subscription: Subscription,
    status: watch::Receiver<HubStatus>,
    core: Arc<Core>,
    /// `None` until the next random access point.
    decoder: Option<(Codec, Box<dyn VideoDecoder>)>,
}

impl EveryFrame {
    pub(super) fn new(hub: &Hub) -> Self {
        let core = hub.owner.core.clone();
        let mut status = core.status.subscribe();
        status.mark_changed();
        Self {
            subscription: hub.subscribe(),
            status,
            core,
            decoder: None,
        }
    }

    pub(super) async fn next_snapshot(
        &mut self,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        let (unit, picture) = self.next(options.deadline).await?;
        let Some(picture) = picture else {
            return pass_jpeg(unit);
        };
        encode(&self.core.options.pool, &unit, picture, options).await
    }

    pub(super) async fn next_frame(&mut self) -> Result<Frame, Error> {
        let (unit, picture) = self.next(SnapshotOptions::default().deadline).await?;
        let picture = match picture {
            Some(picture) => picture,
            None => self.core.options.pool.picture(unit.clone()).await?,
        };
        Ok(Frame {
            picture,
            captured: unit.wall,
            pts: unit.pts,
        })
    }

    /// The next access unit and its picture; no picture for JPEG, which is one already.
    async fn next(&mut self, wait: Duration) -> Result<(AccessUnit, Option<Picture>), Error> {
        let deadline = Instant::now() + wait;
        loop {
            let unit = match timeout_at(deadline, self.unit()).await {
                Ok(unit) => unit?,
                Err(_) => {
                    return Err(Error::NoPicture {
                        after: wait,
                        last: None,
                    });
                }
            };
            if unit.codec == Codec::Jpeg {
                return Ok((unit, None));
            }
            let pool = &self.core.options.pool;
            let decoder = match self.decoder.take() {
                Some((codec, decoder)) if codec == unit.codec => decoder,
                _ if unit.random_access => pool.decoder(unit.codec)?,
                _ => continue,
            };
            let (decoder, picture) = pool.follow(decoder, unit.clone()).await?;
            self.decoder = Some((unit.codec, decoder));
            if picture.is_some() {
                return Ok((unit, picture));
            }
        }
    }

    async fn unit(&mut self) -> Result<AccessUnit, Error> {
        loop {
            tokio::select! {
                biased;
                item = self.subscription.next() => match item {
                    Some(HubItem::Unit(unit)) if unit.codec.media() == Media::Video => return Ok(unit),
                    Some(HubItem::Unit(_)) => {}
                    Some(HubItem::Lost { .. }) => self.decoder = None,
                    None => return Err(Error::Closed),
                },
                changed = self.status.changed() => {
                    changed.map_err(|_| Error::Closed)?;
                    if let HubStatus::Backoff { error, .. } = &*self.status.borrow_and_update() {
                        return Err(error.clone());
                    }
                }
            }
        }
    }
}
