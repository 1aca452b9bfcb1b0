//! One track on its way to one client.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::task::AbortOnDropHandle;

use super::cues::Cue;
use super::distortion::Distortion;
use super::now;
use super::outlet::{Gone, Outlet};
use super::packetizer::Packetizer;
use super::packetizer::goodbye;
use super::payload::{cut, cut_document};
use super::publication::{Place, Tape, source};
use super::timeline::Timeline;
use super::track::{Programme, Track};
use crate::clip::{Clip, Unit};
use crate::event::Event;
use crate::quirks::Quirks;

const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// A client that falls so far behind is taken to the next key frame.
const MAX_LAG_SECONDS: u64 = 2;
/// Packets at a time of what has no end.
const ENDLESS_BATCH: usize = 32;

pub(super) struct Sender {
    track: Track,
    cue: Arc<Cue>,
    programme: Weak<dyn Programme>,
    timeline: Timeline,
    packetizer: Mutex<Packetizer>,
    distortion: Mutex<Distortion>,
    outlet: Outlet,
    /// What sends it, as long as anybody holds it.
    player: Mutex<Weak<Player>>,
    /// Sessions that set it up: one, but for multicast.
    members: AtomicUsize,
}

/// A task that sends a track. It has ended when the handle has.
pub(super) type Player = AbortOnDropHandle<()>;

/// Where PLAY begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub unit: u64,
    /// Sequence number and timestamp of the first packet, where they are known beforehand.
    pub first: Option<(u16, u32)>,
}

impl Sender {
    pub(super) fn new(
        track: Track,
        cue: Arc<Cue>,
        programme: Weak<dyn Programme>,
        timeline: Timeline,
        outlet: Outlet,
        quirks: Quirks,
    ) -> Self {
        let packetizer = Packetizer::new(
            track.payload_type(),
            rand::random(),
            rand::random(),
            rand::random(),
        );
        let pace = track.pace();
        let (timeline, now) = (timeline.at(pace), now());
        let first = timeline.ticks_at(now);
        let distortion = Distortion::new(quirks, now, first, pace.clock_rate.into());
        Self {
            timeline,
            distortion: Mutex::new(distortion),
            track,
            cue,
            programme,
            packetizer: Mutex::new(packetizer),
            outlet,
            player: Mutex::default(),
            members: AtomicUsize::new(0),
        }
    }

    /// A session sets it up.
    pub(super) fn join(&self) {
        self.members.fetch_add(1, Ordering::Relaxed);
    }

    /// A session has no use for it any more. With the last of them the stream ends.
    pub(super) fn leave(&self) {
        if self.members.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.say_bye();
        }
    }

    /// Sends from a unit on, unless it is under way. It goes on until the last of those who started it drops the player.
    pub(super) fn start(self: &Arc<Self>, unit: u64) -> Arc<Player> {
        let mut playing = self.player.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = playing.upgrade().filter(|player| !player.is_finished());
        under_way.unwrap_or_else(|| {
            let sender = self.clone();
            let player = tokio::spawn(async move { sender.play(unit).await });
            let player = Arc::new(AbortOnDropHandle::new(player));
            *playing = Arc::downgrade(&player);
            player
        })
    }

    fn is_under_way(&self) -> bool {
        let playing = self.player.lock().unwrap_or_else(PoisonError::into_inner);
        playing
            .upgrade()
            .is_some_and(|player| !player.is_finished())
    }

    /// The value of the `Transport` header that tells the client how packets come.
    pub(super) fn transport(&self) -> io::Result<String> {
        let ssrc = match &self.track {
            Track::Tape(tape) => tape.next_header(tape.start()).map(|(ssrc, ..)| ssrc),
            _ => Some(self.packetizer().ssrc()),
        };
        self.outlet.transport(ssrc)
    }

    /// What comes next: where sending at `now` begins, or goes on if it is under way.
    pub(super) fn position(&self, now: Instant) -> Start {
        if let Track::Tape(tape) = &self.track {
            let unit = tape.start();
            let first = tape.next_header(unit);
            let first = first.map(|(_, sequence, timestamp)| (sequence, timestamp));
            return Start { unit, first };
        }
        let packetizer = self.packetizer();
        // One that plays has sent the current unit.
        let unit = self.timeline.unit_at(now) + u64::from(self.is_under_way());
        Start {
            unit,
            first: Some((
                packetizer.next_sequence(),
                packetizer.timestamp(self.distortion().ticks(self.timeline.ticks_of(unit))),
            )),
        }
    }

    /// Sends from a unit on, until the connection is gone.
    async fn play(&self, unit: u64) {
        // The connection is gone, and with it the session will be.
        let Gone = match &self.track {
            Track::Clip(clip) => self.play_clip(clip, unit).await,
            Track::Metadata => self.play_events().await,
            Track::Tape(tape) => self.play_tape(tape, unit).await,
        };
    }

    /// Ends the stream, if there was one.
    fn say_bye(&self) {
        if !self.packetizer().is_unused() {
            self.outlet.try_send_report(&self.report(Packetizer::bye));
        }
    }

    /// Sends units as they fall due, for ever.
    async fn play_clip(&self, clip: &Clip, mut unit: u64) -> Gone {
        let at = |unit: u64| &clip.units()[self.cue.place(unit, clip)];
        let mut next_report = now();
        loop {
            tokio::time::sleep_until(self.timeline.due(unit).into()).await;
            if now() >= next_report {
                if let Err(gone) = self.send_report().await {
                    return gone;
                }
                next_report = now() + REPORT_INTERVAL;
            }
            if at(unit).is_key && self.distortion().is_endless() {
                return self
                    .play_without_end(clip, at(unit), self.timeline.ticks_of(unit))
                    .await;
            }
            let packets = self.clip_packets(clip, at(unit), self.timeline.ticks_of(unit));
            if let Err(gone) = self.send_packets(packets).await {
                return gone;
            }
            unit += 1;
            let current = self.timeline.unit_at(now());
            if current > unit + self.timeline.units_in(MAX_LAG_SECONDS) {
                tracing::debug!(behind = current - unit, "a slow RTSP client skips frames");
                while !at(unit).is_key || unit < current {
                    unit += 1;
                }
            }
        }
    }

    /// Sends the fragments of a unit but the last, of which the last that is left again and again.
    async fn play_without_end(&self, clip: &Clip, unit: &Unit, ticks: u32) -> Gone {
        let mut payloads = Vec::new();
        cut(clip, unit, &mut |parts, _| payloads.push(parts.concat()));
        payloads.pop();
        let again = payloads.last().cloned().unwrap_or_default();
        loop {
            let packets = self.packets(ticks, |emit| {
                payloads.iter().for_each(|payload| emit(&[payload], false));
            });
            if let Err(gone) = self.send_packets(packets).await {
                return gone;
            }
            payloads = vec![again.clone(); ENDLESS_BATCH];
            // Datagrams are always taken, and others want their turn.
            tokio::task::yield_now().await;
        }
    }

    /// Sends the state of all properties, and then events as they happen.
    async fn play_events(&self) -> Gone {
        let Some((state, mut events)) = self.programme.upgrade().map(|it| it.events()) else {
            return Gone;
        };
        let mut batch = state;
        let mut next_report = now();
        loop {
            if now() >= next_report {
                if let Err(gone) = self.send_report().await {
                    return gone;
                }
                next_report = now() + REPORT_INTERVAL;
            }
            if let Err(gone) = self.send_events(&batch).await {
                return gone;
            }
            batch = tokio::select! {
                () = tokio::time::sleep_until(next_report.into()) => Vec::new(),
                received = events.recv() => match received {
                    Ok(batch) => batch,
                    Err(RecvError::Lagged(lost)) => {
                        tracing::debug!(lost, "a slow RTSP client misses events");
                        let Some((state, receiver)) = self.programme.upgrade().map(|it| it.events()) else {
                            return Gone;
                        };
                        events = receiver;
                        state
                    }
                    Err(RecvError::Closed) => return Gone,
                },
            };
        }
    }

    /// Sends the packets of a publisher: as they come, or as they came.
    async fn play_tape(&self, tape: &Tape, mut place: u64) -> Gone {
        let begun = now();
        let mut first = None;
        let mut ssrc = 0;
        loop {
            let (packet, next) = match tape.wait_for(place).await {
                Place::Packet(packet, next) => (packet, next),
                Place::NotYet | Place::End => break,
            };
            place = next;
            let first = *first.get_or_insert(packet.at);
            let due = begun + packet.at.saturating_duration_since(first);
            tokio::time::sleep_until(due.into()).await;
            let sent = if packet.is_report {
                self.outlet.send_report(packet.bytes).await
            } else {
                ssrc = source(&packet.bytes).unwrap_or(ssrc);
                self.outlet.send_packets(&[packet.bytes]).await
            };
            if let Err(gone) = sent {
                return gone;
            }
        }
        // Its connection may go on.
        let _ = self.outlet.send_report(goodbye(ssrc)).await;
        Gone
    }

    async fn send_events(&self, events: &[Event]) -> Result<(), Gone> {
        if events.is_empty() {
            return Ok(());
        }
        let document = match self.programme.upgrade() {
            Some(programme) => programme.document(events),
            None => return Err(Gone),
        };
        let packets = self.packets(self.timeline.ticks_at(now()), |emit| {
            cut_document(document.as_bytes(), emit);
        });
        self.send_packets(packets).await
    }

    /// Sends packets with what is wrong with them.
    async fn send_packets(&self, packets: Vec<Bytes>) -> Result<(), Gone> {
        let programme = self.programme.upgrade().ok_or(Gone)?;
        let (packets, garbled) = {
            let mut distortion = self.distortion();
            distortion.set_network(&programme.quirks());
            let packets = distortion.packets(packets, now());
            let garbled = distortion.garbles(&packets);
            (packets, garbled)
        };
        match garbled {
            true => self.outlet.send_garbled(&packets).await,
            false => self.outlet.send_packets(&packets).await,
        }
    }

    fn clip_packets(&self, clip: &Clip, unit: &Unit, ticks: u32) -> Vec<Bytes> {
        let (unit, before) = {
            let distortion = self.distortion();
            let unit = distortion.unit(clip.codec, unit, now());
            (unit, distortion.before(clip.codec))
        };
        self.packets(ticks, |emit| {
            if let Some(before) = before {
                emit(&[before], true);
            }
            cut(clip, &unit, emit);
        })
    }

    async fn send_report(&self) -> Result<(), Gone> {
        let report = self.report(Packetizer::report);
        self.outlet.send_report(report).await
    }

    fn packets(
        &self,
        ticks: u32,
        payloads: impl FnOnce(&mut dyn FnMut(&[&[u8]], bool)),
    ) -> Vec<Bytes> {
        let ticks = self.distortion().ticks(ticks);
        let mut packetizer = self.packetizer();
        let mut packets = Vec::new();
        payloads(&mut |parts, marker| packets.push(packetizer.packet(parts, marker, ticks)));
        packets
    }

    fn report(&self, write: fn(&Packetizer, SystemTime, u32) -> Bytes) -> Bytes {
        let now = now();
        let (wall, ticks) = {
            let mut distortion = self.distortion();
            let wall = distortion.wall(self.timeline.wall_at(now));
            (wall, distortion.ticks(self.timeline.ticks_at(now)))
        };
        write(&self.packetizer(), wall, ticks)
    }

    fn distortion(&self) -> MutexGuard<'_, Distortion> {
        self.distortion
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn packetizer(&self) -> MutexGuard<'_, Packetizer> {
        self.packetizer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
