//! Puts the RTP packets of a track back in order. Pure: the time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

/// How long a packet waits for those before it.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long the first packet waits for those before it: it may have overtaken the one that a picture begins with.
const FIRST_PATIENCE: Duration = Duration::from_millis(20);
/// Most packets that wait; more, and those before them are lost.
const MOST: usize = 256;
/// So many packets from the past in a row mean that the camera counts anew.
const LATE_IN_A_ROW: u32 = 100;
/// Where the numbers begin: none is below zero, though each packet that waits were half a turn before the one before.
const FIRST_TURN: u64 = 1 << 32;

#[derive(Debug, Default)]
pub(super) struct Reorder {
    /// Number of the packet that is due.
    next: Option<u64>,
    /// A packet was given out.
    begun: bool,
    waiting: BTreeMap<u64, (Instant, Bytes)>,
    late: u32,
    pub(super) tally: Tally,
}

/// What came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) received: u64,
    /// Never came, or too late.
    pub(super) lost: u64,
    /// Came too late, or twice.
    pub(super) useless: u64,
}

impl Reorder {
    /// Takes a packet. What is no RTP packet is left out.
    pub(super) fn push(&mut self, packet: Bytes, now: Instant) {
        let [_, _, high, low, ..] = packet[..] else {
            return;
        };
        let sequence = u16::from_be_bytes([high, low]);
        self.tally.received += 1;
        let next = *self.next.get_or_insert(FIRST_TURN + u64::from(sequence));
        let ahead = sequence.wrapping_sub(next as u16).cast_signed();
        let number = next.wrapping_add_signed(ahead.into());
        if (ahead >= 0 || !self.begun) && !self.waiting.contains_key(&number) {
            self.late = 0;
            self.waiting.insert(number, (now, packet));
            if !self.begun {
                self.next = self.waiting.first_key_value().map(|(number, _)| *number);
            }
            return;
        }
        self.tally.useless += 1;
        self.late += 1;
        if ahead < 0 && self.late >= LATE_IN_A_ROW {
            self.late = 0;
            self.waiting.clear();
            let number = FIRST_TURN + u64::from(sequence);
            self.next = Some(number);
            self.waiting.insert(number, (now, packet));
        }
    }

    /// The next packet whose turn it is. Those that were waited for long enough are lost.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Bytes> {
        let (&number, &(since, _)) = self.waiting.first_key_value()?;
        let next = self.next?;
        let over =
            self.waiting.len() > MOST || now.saturating_duration_since(since) >= self.patience();
        if !over && (number != next || !self.begun) {
            return None;
        }
        self.begun = true;
        self.tally.lost += number - next;
        self.next = Some(number + 1);
        self.waiting.pop_first().map(|(_, (_, packet))| packet)
    }

    /// When something is to be given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (_, (since, _)) = self.waiting.first_key_value()?;
        Some(*since + self.patience())
    }

    fn patience(&self) -> Duration {
        if self.begun { PATIENCE } else { FIRST_PATIENCE }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(sequence: u16) -> Bytes {
        let [high, low] = sequence.to_be_bytes();
        vec![0x80, 96, high, low].into()
    }

    /// What comes out when these packets come in, a millisecond apart, and then nothing.
    fn ordered(sequences: &[u16]) -> (Vec<u16>, Tally) {
        let (mut reorder, mut now) = (Reorder::default(), Instant::now());
        let mut out = Vec::new();
        let mut take = |reorder: &mut Reorder, now| {
            while let Some(packet) = reorder.pop(now) {
                out.push(u16::from_be_bytes([packet[2], packet[3]]));
            }
        };
        for &sequence in sequences {
            reorder.push(packet(sequence), now);
            take(&mut reorder, now);
            now += Duration::from_millis(1);
        }
        while let Some(deadline) = reorder.deadline() {
            take(&mut reorder, deadline);
        }
        (out, reorder.tally)
    }

    #[test]
    fn packets_come_out_in_order_across_the_end_of_the_numbers() {
        for sequences in [
            [65_533, 65_535, 65_534, 1, 0, 2],
            [65_534, 65_533, 65_535, 1, 0, 2],
        ] {
            let (out, tally) = ordered(&sequences);
            assert_eq!(out, [65_533, 65_534, 65_535, 0, 1, 2]);
            assert_eq!((tally.lost, tally.useless), (0, 0));
        }
    }

    #[test]
    fn what_comes_twice_or_too_late_is_left_out() {
        let sequences: Vec<_> = (0..30).chain([30, 30, 31, 33, 33, 32, 4, 34]).collect();
        let (out, tally) = ordered(&sequences);
        assert_eq!(out, (0..35).collect::<Vec<_>>());
        assert_eq!((tally.received, tally.lost, tally.useless), (38, 0, 3));
    }

    #[test]
    fn what_does_not_come_is_waited_for_no_longer_than_was_said() {
        let start = Instant::now();
        let mut reorder = Reorder::default();
        reorder.push(packet(1), start - FIRST_PATIENCE);
        assert_eq!(reorder.pop(start - Duration::from_millis(1)), None);
        assert!(reorder.pop(start).is_some());
        reorder.push(packet(3), start);
        assert_eq!(
            reorder.pop(start + PATIENCE - Duration::from_millis(1)),
            None
        );
        assert_eq!(reorder.deadline(), Some(start + PATIENCE));
        assert_eq!(reorder.pop(start + PATIENCE), Some(packet(3)));
        assert_eq!(reorder.tally.lost, 1);

        let many: Vec<_> = (0..30).chain(31..1000).collect();
        let (out, tally) = ordered(&many);
        assert_eq!((out, tally.lost), (many, 1));
    }

    #[test]
    fn packets_that_are_always_before_the_first_are_taken_as_well() {
        let (out, tally) = ordered(&[0, 32_769, 2, 32_771, 4, 32_773]);
        assert_eq!(out, [32_773, 4, 32_771, 2, 32_769, 0]);
        assert_eq!(tally.useless, 0);
    }

    #[test]
    fn a_camera_that_counts_anew_is_followed() {
        let sequences: Vec<_> = (20_000..20_050).chain(10..300).collect();
        let (out, _) = ordered(&sequences);
        assert_eq!(out.len(), 50 + 290 - (LATE_IN_A_ROW as usize - 1));
    }

    proptest! {
        #[test]
        fn order_holds_and_nothing_is_kept_for_ever(sequences in proptest::collection::vec(any::<u16>(), 0..600)) {
            let (out, tally) = ordered(&sequences);
            prop_assert_eq!(tally.received, sequences.len() as u64);
            prop_assert!(out.len() + tally.useless as usize + MOST >= sequences.len());
        }
    }
}
