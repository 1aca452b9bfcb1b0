//! What publishers send (ANNOUNCE and RECORD), kept for tests to look at and for others to play.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Notify;

use super::announcement::Announced;
use super::track::{Stream, Track};
use crate::recording::{RecordedTrack, Recording};

/// Bytes that are kept of a track; the oldest go first.
const MAX_KEPT: usize = 16 << 20;
/// Paths that are kept.
const MAX_PUBLICATIONS: usize = 16;

/// What one publisher sent to a path.
#[derive(Debug)]
pub(super) struct Publication {
    pub path: String,
    sdp: String,
    pub tapes: Vec<Arc<Tape>>,
    /// Its publisher is there.
    live: AtomicBool,
}

/// What was sent of one track.
#[derive(Debug)]
pub(crate) struct Tape {
    pub(super) announced: Announced,
    reel: Mutex<Reel>,
    /// Woken by each packet and at the end.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Reel {
    packets: VecDeque<Packet>,
    /// How many were dropped before the first.
    dropped: u64,
    bytes: usize,
    ended: bool,
}

/// A packet as it came.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub at: Instant,
    pub is_report: bool,
    pub bytes: Bytes,
}

/// What there is at some place of a tape.
pub(super) enum Place {
    /// A packet, and the place after it.
    Packet(Packet, u64),
    /// Nothing yet.
    NotYet,
    End,
}

/// All publications, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Publications(Vec<Arc<Publication>>);

impl Publications {
    /// Takes the place of what ended at the same path; `None` where there is a live one, or too many.
    pub(super) fn announce(
        &mut self,
        path: &str,
        sdp: &str,
        announced: Vec<Announced>,
    ) -> Option<Arc<Publication>> {
        if self.at(path).is_some_and(|there| there.is_live()) {
            return None;
        }
        self.0.retain(|publication| publication.path != path);
        if self.0.len() == MAX_PUBLICATIONS {
            let ended = self
                .0
                .iter()
                .position(|publication| !publication.is_live())?;
            self.0.remove(ended);
        }
        let tapes = announced.into_iter().map(|announced| {
            Arc::new(Tape {
                announced,
                reel: Mutex::default(),
                changed: Notify::new(),
            })
        });
        let publication = Arc::new(Publication {
            path: path.to_owned(),
            sdp: sdp.to_owned(),
            tapes: tapes.collect(),
            live: AtomicBool::default(),
        });
        self.0.push(publication.clone());
        Some(publication)
    }

    pub(super) fn at(&self, path: &str) -> Option<&Arc<Publication>> {
        self.0.iter().find(|publication| publication.path == path)
    }

    pub(super) fn recordings(&self) -> Vec<Recording> {
        self.0
            .iter()
            .map(|publication| publication.recording())
            .collect()
    }
}

impl Publication {
    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// The publisher comes; `false` where it is there.
    pub(super) fn begin(&self) -> bool {
        !self.live.swap(true, Ordering::Relaxed)
    }

    /// The publisher goes.
    pub(super) fn end(&self) {
        self.live.store(false, Ordering::Relaxed);
        for tape in &self.tapes {
            tape.reel().ended = true;
            tape.changed.notify_waiters();
        }
    }

    /// The number of the track that is set up at a path or address.
    pub(super) fn track_at(&self, path: &str, address: &str) -> Option<usize> {
        let below = path
            .strip_prefix(self.path.as_str())?
            .trim_start_matches('/');
        let controls = self
            .tapes
            .iter()
            .map(|tape| tape.announced.control.as_str());
        let mut numbered = controls.enumerate();
        let found = numbered.find(|(_, control)| *control == below || *control == address);
        match found {
            Some((index, _)) => Some(index),
            // The only one may be set up as the whole.
            None => (below.is_empty() && self.tapes.len() == 1).then_some(0),
        }
    }

    pub(super) fn stream(&self) -> Stream {
        let tapes = self.tapes.iter();
        Stream {
            path: self.path.clone(),
            tracks: tapes.map(|tape| Track::Tape(tape.clone())).collect(),
        }
    }

    fn recording(&self) -> Recording {
        let tracks = self.tapes.iter().map(|tape| {
            let reel = tape.reel();
            let of_kind = |is_report| {
                let packets = reel.packets.iter();
                let packets = packets.filter(move |packet| packet.is_report == is_report);
                packets.map(|packet| packet.bytes.clone()).collect()
            };
            RecordedTrack {
                media: tape.announced.media.clone(),
                encoding: tape.announced.encoding.clone(),
                packets: of_kind(false),
                reports: of_kind(true),
                dropped: reel.dropped,
            }
        });
        Recording {
            path: self.path.clone(),
            sdp: self.sdp.clone(),
            is_live: self.is_live(),
            tracks: tracks.collect(),
        }
    }
}

impl Tape {
    /// Keeps a packet that came.
    pub(super) fn push(&self, at: Instant, is_report: bool, bytes: Bytes) {
        let mut reel = self.reel();
        reel.bytes += bytes.len();
        reel.packets.push_back(Packet {
            at,
            is_report,
            bytes,
        });
        while reel.bytes > MAX_KEPT
            && let Some(oldest) = reel.packets.pop_front()
        {
            reel.bytes -= oldest.bytes.len();
            reel.dropped += 1;
        }
        drop(reel);
        self.changed.notify_waiters();
    }

    /// Where a player begins: at the end while it grows, at the start of what is kept after.
    pub(super) fn start(&self) -> u64 {
        let reel = self.reel();
        match reel.ended {
            true => reel.dropped,
            false => reel.dropped + reel.packets.len() as u64,
        }
    }

    /// What is at a place, or at the first place after it.
    pub(super) fn at(&self, place: u64) -> Place {
        let reel = self.reel();
        let index = place.saturating_sub(reel.dropped);
        let packet = usize::try_from(index)
            .ok()
            .and_then(|index| reel.packets.get(index));
        match packet {
            Some(packet) => Place::Packet(packet.clone(), reel.dropped + index + 1),
            None if reel.ended => Place::End,
            None => Place::NotYet,
        }
    }

    /// What is at a place that may come yet.
    pub(super) async fn wait_for(&self, place: u64) -> Place {
        loop {
            // Asked for before looking, so that a packet in between is not missed.
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            match self.at(place) {
                Place::NotYet => changed.await,
                there => return there,
            }
        }
    }

    /// Source, sequence number and timestamp of the next RTP packet at or after a place; or, where there is none yet, of
    /// one that would follow the last.
    pub(super) fn next_header(&self, place: u64) -> Option<(u32, u16, u32)> {
        let reel = self.reel();
        let index = usize::try_from(place.saturating_sub(reel.dropped)).ok()?;
        let mut rtp = reel
            .packets
            .iter()
            .skip(index)
            .filter(|packet| !packet.is_report);
        if let Some(next) = rtp.next() {
            return header(&next.bytes);
        }
        let last = reel.packets.iter().rev().find(|packet| !packet.is_report);
        let (source, sequence, timestamp) = header(&last?.bytes)?;
        Some((source, sequence.wrapping_add(1), timestamp))
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        self.reel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The synchronization source of an RTP packet.
pub(super) fn source(packet: &[u8]) -> Option<u32> {
    header(packet).map(|(source, ..)| source)
}

fn header(packet: &[u8]) -> Option<(u32, u16, u32)> {
    let word = |at: usize| Some(u32::from_be_bytes(packet.get(at..at + 4)?.try_into().ok()?));
    Some((word(8)?, word(0)? as u16, word(4)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtsp::announcement::read;

    fn publication(publications: &mut Publications, path: &str) -> Option<Arc<Publication>> {
        let sdp = "m=video 0 RTP/AVP 96\r\na=control:streamid=0";
        publications.announce(path, sdp, read(sdp).unwrap())
    }

    fn packet(sequence: u16, length: usize) -> Bytes {
        let mut packet = vec![0; length];
        packet[..2].copy_from_slice(&[0x80, 96]);
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet.into()
    }

    #[test]
    fn a_publisher_replaces_one_that_is_gone() {
        let mut publications = Publications::default();
        let first = publication(&mut publications, "/a").unwrap();
        assert!(first.begin() && !first.begin());
        assert!(publication(&mut publications, "/a").is_none());
        first.end();
        assert!(publication(&mut publications, "/a").is_some());
        assert_eq!(publications.recordings().len(), 1);
    }

    #[test]
    fn keeps_only_so_many_paths_and_never_drops_a_live_one() {
        let mut publications = Publications::default();
        for number in 0..MAX_PUBLICATIONS {
            publication(&mut publications, &format!("/{number}"))
                .unwrap()
                .begin();
        }
        assert!(publication(&mut publications, "/more").is_none());
        publications.at("/3").unwrap().end();
        assert!(publication(&mut publications, "/more").is_some());
        assert!(publications.at("/3").is_none());
    }

    #[test]
    fn finds_the_track_by_its_control_address() {
        let mut publications = Publications::default();
        let publication = publication(&mut publications, "/a").unwrap();
        assert_eq!(publication.track_at("/a/streamid=0", ""), Some(0));
        assert_eq!(publication.track_at("/a", ""), Some(0));
        assert_eq!(publication.track_at("/a/streamid=1", ""), None);
    }

    #[test]
    fn keeps_the_end_of_a_long_tape() {
        let mut publications = Publications::default();
        let publication = publication(&mut publications, "/a").unwrap();
        let tape = &publication.tapes[0];
        let now = Instant::now();
        for sequence in 0..5 {
            tape.push(now, false, packet(sequence, MAX_KEPT / 4));
        }
        assert_eq!(publications.recordings()[0].tracks[0].dropped, 1);
        assert_eq!(tape.start(), 5);
        assert!(matches!(tape.at(5), Place::NotYet));
        // Who is behind goes on with the oldest there is.
        let Place::Packet(oldest, next) = tape.at(0) else {
            panic!("nothing there");
        };
        assert_eq!((header(&oldest.bytes).unwrap().1, next), (1, 2));
        assert_eq!(tape.next_header(5).unwrap().1, 5);
        publication.end();
        assert_eq!(tape.start(), 1);
        assert!(matches!(tape.at(5), Place::End));
    }
}
