//! What becomes of bytes on their way, decided without a network and without a clock.

use std::time::{Duration, Instant};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::Way;
use super::faults::LinkFaults;

/// Most bytes of a stream that pass as one.
const PIECE: usize = 16 * 1024;
/// With a rate, a piece is what passes within this part of a second.
const PIECES_A_SECOND: u64 = 20;

/// How a direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Cut,
    Reset,
}

/// What the next bytes of a stream meet with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Up to so many may come.
    Open(usize),
    /// None, until the faults change.
    Stalled,
    /// None, ever.
    Ended(End),
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    /// It arrives then, once or twice.
    Arrives {
        at: Instant,
        copies: usize,
    },
    /// It arrives after the next one; without that, it would have arrived then.
    Waits {
        at: Instant,
    },
}

/// One direction of one connection.
#[derive(Debug)]
pub(crate) struct Line {
    chance: Xoshiro256PlusPlus,
    passed: u64,
    /// How many bytes are left as they are until the next that is not, for the chance given with it.
    next_corrupt: Option<(f64, u64)>,
    /// When the last bytes have left, by rate and drip.
    free: Option<Instant>,
    /// When the last bytes arrive.
    arrival: Option<Instant>,
}

impl Line {
    /// The direction of the connection with this number of a proxy with this seed.
    pub(crate) fn new(seed: u64, connection: u64, way: Way) -> Self {
        // Odd multipliers keep connections and directions apart; the generator's seeding mixes them.
        let seed = seed
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(connection.wrapping_mul(2))
            .wrapping_add(u64::from(way == Way::ToClient));
        Self {
            chance: Xoshiro256PlusPlus::seed_from_u64(seed),
            passed: 0,
            next_corrupt: None,
            free: None,
            arrival: None,
        }
    }

    /// Whether more of a stream may come, and how much.
    pub(super) fn gate(&self, faults: &LinkFaults) -> Gate {
        let left = |limit: Option<u64>| limit.map_or(u64::MAX, |l| l.saturating_sub(self.passed));
        let (cut, reset) = (left(faults.cut_after), left(faults.reset_after));
        let stall = left(faults.stall_after);
        if reset == 0 {
            return Gate::Ended(End::Reset);
        }
        if cut == 0 {
            return Gate::Ended(End::Cut);
        }
        if stall == 0 {
            return Gate::Stalled;
        }
        let drop = faults.drip.map_or(PIECE, |drip| drip.bytes.max(1));
        let slice = faults
            .rate
            .map_or(u64::MAX, |rate| (rate / PIECES_A_SECOND).max(1));
        let piece = cut.min(reset).min(stall).min(slice).min(PIECE as u64);
        Gate::Open(drop.min(piece as usize))
    }

    /// Takes bytes of a stream, spoils some, and says when they arrive and how many were spoilt. They are no more than the
    /// gate lets in.
    pub(super) fn stream(
        &mut self,
        faults: &LinkFaults,
        now: Instant,
        bytes: &mut [u8],
    ) -> (Instant, u64) {
        let at = self.leaves(faults, now, bytes.len()) + self.delay(faults);
        let at = self.arrival.map_or(at, |before| at.max(before));
        self.arrival = Some(at);
        (at, self.take(faults, bytes))
    }

    /// Takes a datagram, spoils some of it, and says what becomes of it and how many bytes were spoilt.
    pub(crate) fn datagram(
        &mut self,
        faults: &LinkFaults,
        now: Instant,
        bytes: &mut [u8],
    ) -> (Fate, u64) {
        let length = bytes.len() as u64;
        let limits = [faults.cut_after, faults.reset_after, faults.stall_after];
        let beyond = limits
            .into_iter()
            .flatten()
            .any(|limit| self.passed.saturating_add(length) > limit);
        if beyond || self.happens(faults.drop) {
            return (Fate::Lost, 0);
        }
        let at = self.leaves(faults, now, bytes.len()) + self.delay(faults);
        let corrupted = self.take(faults, bytes);
        let copies = 1 + usize::from(self.happens(faults.duplicate));
        let fate = match self.happens(faults.reorder) {
            true => Fate::Waits { at },
            false => Fate::Arrives { at, copies },
        };
        (fate, corrupted)
    }

    /// When so many bytes have left, after those before them.
    fn leaves(&mut self, faults: &LinkFaults, now: Instant, length: usize) -> Instant {
        let by_drip = faults.drip.map_or(Duration::ZERO, |drip| {
            let drops = length.div_ceil(drip.bytes.max(1));
            drip.every
                .saturating_mul(u32::try_from(drops).unwrap_or(u32::MAX))
        });
        let by_rate = faults.rate.map_or(Duration::ZERO, |rate| {
            let nanos = length as u64 * 1_000_000_000 / rate.max(1);
            Duration::from_nanos(nanos)
        });
        let takes = by_drip.max(by_rate);
        if takes.is_zero() {
            return now;
        }
        let start = self.free.map_or(now, |free| free.max(now));
        let left = start.checked_add(takes).unwrap_or(start);
        self.free = Some(left);
        left
    }

    fn delay(&mut self, faults: &LinkFaults) -> Duration {
        if faults.jitter.is_zero() {
            return faults.latency;
        }
        let part = self.chance.random::<f64>();
        faults.latency + faults.jitter.mul_f64(part)
    }

    /// Counts bytes as passed, and flips bits in some.
    fn take(&mut self, faults: &LinkFaults, bytes: &mut [u8]) -> u64 {
        self.passed += bytes.len() as u64;
        let chance = faults.corrupt;
        if chance.is_nan() || chance <= 0.0 {
            self.next_corrupt = None;
            return 0;
        }
        let mut corrupted = 0;
        let mut position = match self.next_corrupt {
            // What was drawn for another chance is not for this one.
            Some((drawn_for, left)) if drawn_for == chance => left,
            _ => self.gap(chance),
        };
        // Drawn by distance and not byte by byte: it is the same however the stream comes in pieces, and cheap.
        while let Some(byte) = usize::try_from(position)
            .ok()
            .and_then(|p| bytes.get_mut(p))
        {
            *byte ^= 1 << self.chance.random_range(0..8);
            corrupted += 1;
            position = position.saturating_add(1).saturating_add(self.gap(chance));
        }
        self.next_corrupt = Some((chance, position - bytes.len() as u64));
        corrupted
    }

    /// How many bytes stay whole before the next that does not.
    fn gap(&mut self, chance: f64) -> u64 {
        if chance >= 1.0 {
            return 0;
        }
        // From 0 (excluded) to 1, for the logarithm.
        let drawn = 1.0 - self.chance.random::<f64>();
        (drawn.ln() / (-chance).ln_1p()) as u64
    }

    fn happens(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.chance.random_bool(chance.min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults::Drip;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn line() -> Line {
        Line::new(7, 1, Way::ToClient)
    }

    /// Sends so many bytes through a stream as the gate lets them, and says what arrives when.
    fn arrivals(line: &mut Line, faults: &LinkFaults, length: usize) -> Vec<(Duration, usize)> {
        let now = Instant::now();
        let (mut left, mut arrivals) = (length, Vec::new());
        while left > 0 {
            let Gate::Open(room) = line.gate(faults) else {
                break;
            };
            let piece = room.min(left);
            let (at, _) = line.stream(faults, now, &mut vec![0; piece]);
            arrivals.push((at - now, piece));
            left -= piece;
        }
        arrivals
    }

    #[test]
    fn without_faults_everything_passes_at_once_as_it_is() {
        let (now, mut line) = (Instant::now(), line());
        let faults = LinkFaults::default();
        assert_eq!(line.gate(&faults), Gate::Open(PIECE));
        let mut bytes = *b"as it is";
        assert_eq!(line.stream(&faults, now, &mut bytes), (now, 0));
        assert_eq!(&bytes, b"as it is");
        let fate = Fate::Arrives { at: now, copies: 1 };
        assert_eq!(line.datagram(&faults, now, &mut bytes), (fate, 0));
    }

    #[test]
    fn latency_delays_everything_alike() {
        let latency = LinkFaults {
            latency: SECOND,
            ..Default::default()
        };
        assert_eq!(arrivals(&mut line(), &latency, 9), [(SECOND, 9)]);
    }

    #[test]
    fn jitter_stays_within_its_bounds_and_keeps_the_order_of_a_stream() {
        let faults = LinkFaults {
            latency: SECOND,
            jitter: SECOND,
            ..Default::default()
        };
        let (now, mut stream) = (Instant::now(), line());
        let times: Vec<_> = (0..100)
            .map(|_| stream.stream(&faults, now, &mut [0]).0 - now)
            .collect();
        assert!(times.iter().all(|at| (SECOND..2 * SECOND).contains(at)));
        assert!(times.is_sorted() && times[0] < times[99]);

        let mut datagrams = line();
        let mut at = || match datagrams.datagram(&faults, now, &mut [0]).0 {
            Fate::Arrives { at, .. } => at - now,
            other => panic!("{other:?}"),
        };
        let times: Vec<_> = (0..100).map(|_| at()).collect();
        assert!(times.iter().all(|at| (SECOND..2 * SECOND).contains(at)));
        assert!(!times.is_sorted());
    }

    #[test]
    fn bytes_drip() {
        let drip = LinkFaults {
            drip: Some(Drip {
                bytes: 2,
                every: SECOND,
            }),
            ..Default::default()
        };
        let expected = [(SECOND, 2), (2 * SECOND, 2), (3 * SECOND, 1)];
        assert_eq!(arrivals(&mut line(), &drip, 5), expected);

        let now = Instant::now();
        let (fate, _) = line().datagram(&drip, now, &mut [0; 5]);
        let at = now + 3 * SECOND;
        assert_eq!(fate, Fate::Arrives { at, copies: 1 });
    }

    #[test]
    fn a_rate_is_kept_in_small_pieces() {
        let rate = LinkFaults {
            rate: Some(1000),
            ..Default::default()
        };
        let arrivals = arrivals(&mut line(), &rate, 500);
        assert_eq!(arrivals.len(), 10);
        assert_eq!(arrivals[0], (SECOND / 20, 50));
        assert_eq!(arrivals[9], (SECOND / 2, 50));
    }

    #[test]
    fn limits_are_kept_to_the_byte() {
        for (faults, gate) in [
            (
                LinkFaults {
                    cut_after: Some(20_000),
                    ..Default::default()
                },
                Gate::Ended(End::Cut),
            ),
            (
                LinkFaults {
                    reset_after: Some(20_000),
                    cut_after: Some(30_000),
                    ..Default::default()
                },
                Gate::Ended(End::Reset),
            ),
            (
                LinkFaults {
                    stall_after: Some(20_000),
                    ..Default::default()
                },
                Gate::Stalled,
            ),
        ] {
            let mut line = line();
            let passed: usize = arrivals(&mut line, &faults, 100_000)
                .iter()
                .map(|(_, length)| length)
                .sum();
            assert_eq!(passed, 20_000);
            assert_eq!(line.gate(&faults), gate);
        }
    }

    #[test]
    fn a_stall_that_is_lifted_lets_pass_again() {
        let line = line();
        let stalled = LinkFaults {
            stall_after: Some(0),
            ..Default::default()
        };
        assert_eq!(line.gate(&stalled), Gate::Stalled);
        assert_eq!(line.gate(&LinkFaults::default()), Gate::Open(PIECE));
    }

    #[test]
    fn the_same_bytes_are_corrupted_however_they_come() {
        let faults = LinkFaults {
            corrupt: 0.05,
            ..Default::default()
        };
        let now = Instant::now();
        let through = |pieces: usize| {
            let mut line = line();
            let mut bytes = vec![0; 10_000];
            let corrupted: u64 = bytes
                .chunks_mut(pieces)
                .map(|piece| line.stream(&faults, now, piece).1)
                .sum();
            let differ = bytes.iter().filter(|byte| **byte != 0).count();
            assert_eq!(corrupted, differ as u64);
            bytes
        };
        let whole = through(10_000);
        assert_eq!(whole, through(1));
        assert_eq!(whole, through(333));
        let corrupted = whole.iter().filter(|byte| **byte != 0).count();
        assert!((400..600).contains(&corrupted), "{corrupted}");
    }

    #[test]
    fn certain_corruption_spoils_every_byte_and_nonsense_none() {
        let now = Instant::now();
        for (corrupt, expected) in [(1.0, 50), (7.0, 50), (-1.0, 0), (f64::NAN, 0)] {
            let faults = LinkFaults {
                corrupt,
                ..Default::default()
            };
            let (_, corrupted) = line().stream(&faults, now, &mut [0; 50]);
            assert_eq!(corrupted, expected, "{corrupt}");
        }
    }

    #[test]
    fn datagrams_meet_their_fates_by_chance_and_the_same_with_the_same_seed() {
        let faults = LinkFaults {
            drop: 0.2,
            duplicate: 0.3,
            reorder: 0.1,
            ..Default::default()
        };
        let now = Instant::now();
        let fates = |mut line: Line| -> Vec<Fate> {
            let fate = |_| line.datagram(&faults, now, &mut [1]).0;
            (0..1000).map(fate).collect()
        };
        let fated = fates(line());
        assert_eq!(fated, fates(line()));
        assert_ne!(fated, fates(Line::new(8, 1, Way::ToClient)));
        assert_ne!(fated, fates(Line::new(7, 2, Way::ToClient)));
        assert_ne!(fated, fates(Line::new(7, 1, Way::ToServer)));

        let count = |wanted: fn(&Fate) -> bool| fated.iter().filter(|fate| wanted(fate)).count();
        let lost = count(|fate| *fate == Fate::Lost);
        let held = count(|fate| matches!(fate, Fate::Waits { .. }));
        let twice = count(|fate| matches!(fate, Fate::Arrives { copies: 2, .. }));
        assert!((150..250).contains(&lost), "{lost}");
        assert!((50..110).contains(&held), "{held}");
        assert!((160..270).contains(&twice), "{twice}");
    }

    #[test]
    fn behind_a_limit_datagrams_are_lost_whole() {
        let faults = LinkFaults {
            stall_after: Some(10),
            ..Default::default()
        };
        let (now, mut line) = (Instant::now(), line());
        let mut lost = |length| line.datagram(&faults, now, &mut vec![0; length]).0 == Fate::Lost;
        assert!(!lost(6));
        assert!(lost(5));
        assert!(!lost(4));
        assert!(lost(1));
    }
}
