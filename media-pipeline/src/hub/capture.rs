//! Snapshots out of the snapshot URI beside a stream, with the stream to fall back on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::periodic::Periodic;
use super::raster::Raster;
use super::stills::KeyFrames;
use super::{Core, Hub};
use crate::source::{Fetched, Rest};
use crate::{CaptureMethod, Error, HttpSource, Rate, Snapshot, SnapshotOptions, StillFormat};

/// More pictures than one in this time are cheaper for the camera as a stream.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);

/// Where snapshots come from.
pub(super) enum Origin {
    Stream,
    /// The snapshot URI, and whether the stream stands in for it.
    Uri(HttpSource, bool),
}

impl Core {
    /// `rate` is that of periodic snapshots.
    pub(super) fn origin(
        &self,
        options: &SnapshotOptions,
        rate: Option<Rate>,
    ) -> Result<Origin, Error> {
        let unusable = |reason: &str| {
            Err(Error::Option {
                option: "capture",
                reason: reason.into(),
            })
        };
        let period = match rate {
            None => Some(Duration::MAX),
            Some(Rate::Every(period)) => Some(period),
            Some(_) => None,
        };
        match (options.capture, &self.options.snapshot_uri, period) {
            (CaptureMethod::SnapshotUri, None, _) => {
                unusable("is SnapshotUri, but HubOptions::snapshot_uri is not set")
            }
            (CaptureMethod::SnapshotUri, Some(_), None) => {
                unusable("is SnapshotUri, which has no frames of its own: set a period")
            }
            (CaptureMethod::SnapshotUri, Some(uri), _) => Ok(Origin::Uri(uri.clone(), false)),
            (CaptureMethod::Auto, Some(uri), Some(period))
                if period >= SHORTEST_PERIOD && options.format == StillFormat::Jpeg =>
            {
                Ok(Origin::Uri(uri.clone(), true))
            }
            _ => Ok(Origin::Stream),
        }
    }
}

/// One snapshot, as [`Hub::snapshot`] describes it.
pub(super) async fn snapshot(hub: &Hub, options: &SnapshotOptions) -> Result<Snapshot, Error> {
    let core = &hub.owner.core;
    let of_stream = |options| async move { KeyFrames::new(&hub.owner).snapshot(options).await };
    let (uri, either) = match core.origin(options, None)? {
        Origin::Stream => return of_stream(options).await,
        Origin::Uri(uri, either) => (uri, either),
    };
    if !either {
        let fetched = fetch(&uri, None, options, Rest::Wait, options.deadline).await?;
        return Ok(fetched.snapshot);
    }
    let cached = core.keys.borrow().clone();
    if cached.is_some_and(|key| key.is_fresh(None, options.max_age)) {
        return of_stream(options).await;
    }
    let began = Instant::now();
    match fetch(&uri, None, options, Rest::Fail, options.deadline / 2).await {
        Ok(fetched) => Ok(fetched.snapshot),
        Err(error) => {
            tracing::debug!(stream = %core.source.label(), %error, "no picture from the snapshot URI, taking one of the stream");
            let left = options.deadline.saturating_sub(began.elapsed());
            of_stream(&SnapshotOptions {
                deadline: left,
                ..options.clone()
            })
            .await
        }
    }
}

/// One snapshot in each period.
pub(super) struct Captures {
    hub: Hub,
    uri: HttpSource,
    raster: Raster,
    /// Number of the picture that was delivered last.
    used: Option<u64>,
    /// Whether the stream may stand in.
    either: bool,
    /// It does.
    stream: Option<Periodic>,
}

impl Captures {
    pub(super) fn new(hub: &Hub, uri: HttpSource, either: bool, period: Duration) -> Self {
        Self {
            hub: hub.clone(),
            uri,
            raster: Raster::new(period),
            used: None,
            either,
            stream: None,
        }
    }

    pub(super) async fn next_snapshot(
        &mut self,
        options: &SnapshotOptions,
    ) -> Result<Snapshot, Error> {
        self.raster.due().await;
        let rest = if self.either { Rest::Fail } else { Rest::Wait };
        let fetched = fetch(&self.uri, self.used, options, rest, options.deadline).await;
        self.raster.advance();
        let label = self.hub.owner.core.source.label();
        match fetched {
            Ok(fetched) => {
                if self.stream.take().is_some() {
                    tracing::info!(stream = %label, "snapshots come from the snapshot URI again");
                }
                self.used = Some(fetched.number);
                Ok(fetched.snapshot)
            }
            Err(error) if self.either => {
                if self.stream.is_none() {
                    tracing::warn!(stream = %label, %error, "no picture from the snapshot URI, snapshots come from the stream until there is");
                }
                let period = self.raster.period;
                let stream = &mut self.stream;
                let stream = stream.get_or_insert_with(|| Periodic::new(&self.hub, period));
                stream.next_snapshot(options).await
            }
            Err(error) => Err(error),
        }
    }
}

async fn fetch(
    uri: &HttpSource,
    used: Option<u64>,
    options: &SnapshotOptions,
    rest: Rest,
    limit: Duration,
) -> Result<Fetched, Error> {
    let fetching = uri.fetch(used, options.max_age, rest);
    let late = || Error::NoPicture {
        after: limit,
        last: uri.failure().map(Arc::new),
    };
    timeout_at(Instant::now() + limit, fetching)
        .await
        .unwrap_or_else(|_| Err(late()))
}
