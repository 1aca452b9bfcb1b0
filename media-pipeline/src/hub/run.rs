//! The task of a hub: connects, reads, shares, reconnects.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::cadence::Cadence;
use super::stills::KeyFrame;
use super::{Core, HubStatus};
use crate::backoff::Backoff;
use crate::{AccessUnit, Error, Media, Parameters, SourceSession};

/// A session that lived this long ends the series of failures.
const STABLE: Duration = Duration::from_secs(30);

/// Runs until nobody wants the stream.
pub(super) async fn run(core: Arc<Core>) {
    let options = &core.options;
    let seed = options.seed.unwrap_or_else(rand::random);
    let mut backoff = Backoff::new(options.first_delay, options.longest_delay, seed);
    let label = core.source.label();
    while !core.retire() {
        core.status.send_replace(HubStatus::Connecting);
        let connected = tokio::select! {
            connected = core.source.connect() => connected,
            () = core.unwanted() => continue,
        };
        let error = match connected {
            Err(error) => error,
            Ok(mut session) => {
                let started = Instant::now();
                let ended = tokio::select! {
                    ended = core.read(&mut *session) => Some(ended),
                    () = core.unwanted() => None,
                };
                session.close().await;
                core.interrupted();
                let Some(error) = ended else { continue };
                if started.elapsed() >= STABLE {
                    backoff.reset();
                }
                error
            }
        };
        let retry_in = if error.is_transient() {
            backoff.delay()
        } else {
            backoff.long_delay()
        };
        tracing::warn!(stream = %label, %error, ?retry_in, "stream is down, trying again");
        core.status
            .send_replace(HubStatus::Backoff { error, retry_in });
        tokio::select! {
            () = sleep(retry_in) => {}
            () = core.unwanted() => {}
        }
    }
    tracing::debug!(stream = %label, "stream is closed, nobody wants it");
}

impl Core {
    /// Reads a session to its end; returns why it ended.
    async fn read(&self, session: &mut dyn SourceSession) -> Error {
        let silence = self.options.silence;
        let mut intact = true;
        let mut first = true;
        // The track whose random access points are those of all: the first video track, until there is one every track.
        let mut lead = None;
        loop {
            let unit = match timeout(silence, session.next()).await {
                Ok(Ok(Some(unit))) => unit,
                Ok(Ok(None)) => {
                    return Error::Network {
                        url: self.source.label(),
                        action: "the camera ended the stream".into(),
                        source: None,
                    };
                }
                Ok(Err(error)) => return error,
                Err(_) => {
                    return Error::Stalled {
                        url: self.source.label(),
                        after: silence,
                    };
                }
            };
            let video = unit.codec.media() == Media::Video;
            let told = video && lead.is_none();
            if told {
                lead = Some(unit.track);
            }
            if std::mem::take(&mut first) || told {
                self.streaming(&unit);
            }
            let leads = lead.is_none_or(|track| track == unit.track);
            if !leads {
                self.share(unit, intact, false);
                continue;
            }
            // After a loss the pictures refer to something that is missing, until one stands for itself.
            if unit.random_access {
                if unit.loss > 0 && intact {
                    self.gap(0);
                }
                intact = true;
            } else if unit.loss > 0 && intact {
                intact = false;
                tracing::debug!(stream = %self.source.label(), packets = unit.loss, "packets lost, waiting for a key frame");
                self.gap(0);
            }
            self.share(unit, intact, true);
        }
    }

    fn streaming(&self, unit: &AccessUnit) {
        let size = unit
            .parameters
            .as_deref()
            .and_then(Parameters::video)
            .map(|video| (video.width, video.height));
        let pixels = size.map(|(width, height)| format!("{width}x{height}"));
        let pixels = pixels.as_deref().unwrap_or("unknown");
        tracing::info!(stream = %self.source.label(), codec = %unit.codec, size = %pixels, "stream is up");
        self.status.send_replace(HubStatus::Streaming {
            codec: unit.codec,
            size,
        });
    }

    /// Hands a unit to all; units of a damaged group only count as lost.
    fn share(&self, unit: AccessUnit, intact: bool, leads: bool) {
        let mut shared = self.shared();
        shared.queues.retain(|slot| Arc::strong_count(slot) > 1);
        let number = intact.then(|| {
            if leads {
                shared.cadence.push(unit.pts, unit.random_access);
            }
            if shared.wants_groups() {
                return shared.cache.push(unit.clone(), leads);
            }
            shared.cache.clear();
            shared.cache.pass()
        });
        for slot in &shared.queues {
            slot.queue().push(unit.clone(), leads);
            slot.waker.wake();
        }
        drop(shared);
        if !leads || unit.codec.media() != Media::Video {
            return;
        }
        if let Some(number) = number.filter(|_| unit.random_access) {
            self.stills.clear();
            self.keys.send_replace(Some(KeyFrame {
                number,
                arrived: Instant::now(),
                unit,
            }));
        }
        self.arrivals.send_modify(|units| *units += 1);
    }

    fn gap(&self, lost: u64) {
        let mut shared = self.shared();
        shared.cache.clear();
        shared.cadence.gap();
        shared.queues.iter().for_each(|slot| slot.queue().gap(lost));
    }

    fn interrupted(&self) {
        self.gap(0);
    }

    /// Resolves when no consumer came for the linger time, or at once when nobody holds the hub.
    async fn unwanted(&self) {
        let lingering = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.shared().consumers > 0 {
                    changed.await;
                } else if timeout(self.options.linger, changed).await.is_err()
                    && self.shared().consumers == 0
                {
                    return;
                }
            }
        };
        tokio::select! {
            () = self.abandoned.cancelled() => {}
            () = lingering => {}
        }
    }

    /// Whether the task is to end; from then on the next consumer starts a new one.
    fn retire(&self) -> bool {
        let mut shared = self.shared();
        if shared.consumers > 0 && !self.abandoned.is_cancelled() {
            return false;
        }
        shared.running = false;
        shared.cache.clear();
        shared.cadence = Cadence::default();
        shared.groups = !self.options.history.is_zero();
        self.keys.send_replace(None);
        self.stills.clear();
        // Under the lock, so that a task that starts now does not find its status overwritten.
        self.status.send_replace(HubStatus::Idle);
        true
    }
}
