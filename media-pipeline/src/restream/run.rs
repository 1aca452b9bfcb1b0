//! The task of a restream: waits for a stream, publishes it, begins anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::lineup::Lineup;
use super::rtp::{Numbers, Sender};
use super::session::{Session, Terms};
use super::timeline::Timeline;
use super::{Counts, RestreamOptions, RestreamStatus, sdp};
use crate::backoff::Backoff;
use crate::dial::{Dialed, Dialer};
use crate::guard::{AuthBudget, Authenticator};
use crate::source::label;
use crate::{AccessUnit, Error, ErrorKind, Hub, HubItem, Subscription};

/// A session that lived this long ends the series of failures.
const STABLE: Duration = Duration::from_secs(30);
/// Tracks that did not come after so long, while others did, are not waited for.
const LINEUP: Duration = Duration::from_secs(2);

pub(super) struct Publisher {
    pub(super) hub: Hub,
    pub(super) options: RestreamOptions,
    pub(super) budget: Arc<dyn AuthBudget>,
    pub(super) dialer: Dialer,
    /// Whether the server is known to refuse what is stronger than MD5.
    pub(super) md5_works: Arc<AtomicBool>,
    pub(super) status: watch::Sender<RestreamStatus>,
    pub(super) counts: Arc<Counts>,
    pub(super) stop: CancellationToken,
}

/// Why a session ended.
enum Ended {
    /// It is to be so.
    Stopped,
    /// Something else has to be announced.
    Changed,
    Failed(Error),
}

impl Publisher {
    pub(super) async fn run(self) {
        let options = &self.options;
        let seed = options.seed.unwrap_or_else(rand::random);
        let mut backoff = Backoff::new(options.first_delay, options.longest_delay, seed);
        let server = label(&options.url);
        let mut subscription = self.subscribe();
        loop {
            self.status.send_replace(RestreamStatus::Waiting);
            let lineup = tokio::select! {
                lineup = self.lineup(&mut subscription) => lineup,
                () = self.stop.cancelled() => break,
            };
            let started = Instant::now();
            let ended = match lineup {
                Ok(lineup) => self.publish(&mut subscription, lineup).await,
                Err(error) => Ended::Failed(error),
            };
            let error = match ended {
                Ended::Stopped => break,
                Ended::Changed => {
                    tracing::info!(%server, "the stream has changed, announcing it again");
                    // One that changes all the time must not make for as many sessions.
                    if started.elapsed() < STABLE {
                        tokio::select! {
                            () = sleep(backoff.delay()) => {}
                            () = self.stop.cancelled() => break,
                        }
                    }
                    subscription = self.subscribe();
                    continue;
                }
                Ended::Failed(error) => error,
            };
            if started.elapsed() >= STABLE {
                backoff.reset();
            }
            // A path that is taken, or a server that does not know it yet, may be ours in a moment.
            let hopeless = matches!(
                error.kind(),
                ErrorKind::Unauthorized | ErrorKind::Unsupported | ErrorKind::Caller
            );
            let retry_in = if hopeless {
                backoff.long_delay()
            } else {
                backoff.delay()
            };
            tracing::warn!(%server, %error, ?retry_in, "the stream is not published, trying again");
            self.status
                .send_replace(RestreamStatus::Backoff { error, retry_in });
            tokio::select! {
                () = sleep(retry_in) => {}
                () = self.stop.cancelled() => break,
            }
            // The new one first: the camera's session stays.
            subscription = self.subscribe();
        }
        self.status.send_replace(RestreamStatus::Ended);
    }

    fn subscribe(&self) -> Subscription {
        self.hub
            .subscribe_within(Duration::ZERO, self.options.waiting)
    }

    /// Waits until it is known what there is to announce.
    async fn lineup(&self, subscription: &mut Subscription) -> Result<Lineup, Error> {
        let mut lineup = Lineup::new(self.options.audio);
        let mut since = None;
        while !lineup.is_complete() {
            let limit = since.map_or(Duration::MAX, |since: Instant| {
                LINEUP.saturating_sub(since.elapsed())
            });
            match timeout(limit, subscription.next()).await {
                Ok(Some(HubItem::Unit(unit))) => lineup.push(unit)?,
                Ok(Some(HubItem::Lost { .. })) => {
                    lineup.gap();
                    since = None;
                }
                Ok(None) => return Err(Error::Closed),
                Err(_) => break,
            }
            if since.is_none() && !lineup.is_empty() {
                since = Some(Instant::now());
            }
        }
        Ok(lineup)
    }

    async fn publish(&self, subscription: &mut Subscription, lineup: Lineup) -> Ended {
        self.status.send_replace(RestreamStatus::Connecting);
        let limit = self.options.connect_timeout;
        let began = Instant::now();
        let dialed = tokio::select! {
            dialed = timeout(limit, self.dial(limit)) => dialed.unwrap_or_else(|_| Err(self.late())),
            () = self.stop.cancelled() => return Ended::Stopped,
        };
        let (dialed, allow_basic) = match dialed {
            Ok(dialed) => dialed,
            Err(error) => return Ended::Failed(error),
        };
        tracing::debug!(server = %label(&self.options.url), ip = %dialed.ip, "connected");
        let local = dialed.local_ip;
        let mut session = Session::new(dialed.wire, self.terms(allow_basic));
        let mut senders: Vec<_> = (lineup.tracks.iter().enumerate())
            .map(|(index, track)| {
                let numbers = Numbers {
                    source: rand::random(),
                    sequence: rand::random(),
                    base: rand::random(),
                };
                Sender::new(sdp::payload_type(index, track), track.timescale, numbers)
            })
            .collect();
        let left = limit.saturating_sub(began.elapsed());
        let begun = tokio::select! {
            begun = timeout(left, session.begin(local, &lineup.tracks, &mut senders)) => {
                begun.unwrap_or_else(|_| Err(self.late())).map_err(Ended::Failed)
            }
            () = self.stop.cancelled() => Err(Ended::Stopped),
        };
        let ended = match begun {
            Ok(()) => {
                self.send(subscription, lineup, &mut senders, &mut session)
                    .await
            }
            Err(ended) => ended,
        };
        session.close().await;
        ended
    }

    async fn send(
        &self,
        subscription: &mut Subscription,
        mut lineup: Lineup,
        senders: &mut [Sender],
        session: &mut Session,
    ) -> Ended {
        let codecs: Vec<_> = lineup.tracks.iter().map(|track| track.codec).collect();
        tracing::info!(server = %label(&self.options.url), ?codecs, "the stream is published");
        self.counts.sessions.fetch_add(1, Ordering::Relaxed);
        self.status
            .send_replace(RestreamStatus::Publishing { codecs });
        let mut timeline = Timeline::default();
        let mut held = std::mem::take(&mut lineup.held).into_iter();
        loop {
            while session.takes_more()
                && let Some(unit) = held.next()
            {
                if let Err(error) = self.write(&unit, &lineup, &mut timeline, senders, session) {
                    return Ended::Failed(error);
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return Ended::Stopped,
                turn = session.turn() => match turn {
                    Ok(()) => {}
                    Err(error) => return Ended::Failed(error),
                },
                item = subscription.next(), if session.takes_more() => match item {
                    Some(HubItem::Unit(unit)) => {
                        let index = lineup.numbers.iter().position(|number| *number == unit.track);
                        if index.is_some_and(|index| lineup.is_outdated_by(index, &unit)) {
                            return Ended::Changed;
                        }
                        let sent = self.write(&unit, &lineup, &mut timeline, senders, session);
                        if let Err(error) = sent {
                            return Ended::Failed(error);
                        }
                    }
                    Some(HubItem::Lost { units }) => {
                        timeline.gap();
                        self.counts.lost.fetch_add(units, Ordering::Relaxed);
                        self.counts.gaps.fetch_add(1, Ordering::Relaxed);
                        tracing::warn!(
                            server = %label(&self.options.url), units,
                            "a part of the stream is not published: the server is too slow, or the stream was interrupted"
                        );
                    }
                    None => return Ended::Failed(Error::Closed),
                },
            }
        }
    }

    fn write(
        &self,
        unit: &AccessUnit,
        lineup: &Lineup,
        timeline: &mut Timeline,
        senders: &mut [Sender],
        session: &mut Session,
    ) -> Result<(), Error> {
        let index = lineup
            .numbers
            .iter()
            .position(|number| *number == unit.track);
        let Some(sender) = index.and_then(|index| senders.get_mut(index)) else {
            return Ok(());
        };
        let at = timeline.at(unit.pts, Instant::now());
        let output = session.output();
        let packets = sender.write(unit, at, output)?;
        let bytes = output.len() as u64;
        self.counts.units.fetch_add(1, Ordering::Relaxed);
        self.counts
            .packets
            .fetch_add(packets.into(), Ordering::Relaxed);
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    async fn dial(&self, limit: Duration) -> Result<(Dialed, bool), Error> {
        let options = &self.options;
        if options.credentials.is_some() {
            self.budget.permit().map_err(|retry_in| Error::HeldBack {
                url: label(&options.url),
                retry_in,
            })?;
        }
        let secure = options.url.scheme() == "rtsps";
        let port = options.url.port().unwrap_or(if secure { 322 } else { 554 });
        let dialed = self.dialer.dial(port, secure, limit).await?;
        let proven = secure && self.dialer.tls()?.proves;
        Ok((dialed, options.allow_basic || proven))
    }

    fn terms(&self, allow_basic: bool) -> Terms {
        let options = &self.options;
        Terms {
            url: options.url.to_string(),
            label: label(&options.url),
            auth: options.credentials.clone().map(|credentials| {
                Authenticator::new(credentials, allow_basic, self.md5_works.clone())
            }),
            budget: self.budget.clone(),
            caps: options.caps,
            patience: options.patience,
        }
    }

    fn late(&self) -> Error {
        Error::Stalled {
            url: label(&self.options.url),
            after: self.options.connect_timeout,
        }
    }
}
