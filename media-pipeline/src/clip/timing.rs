//! When the pictures of a stream are to be decoded. Pure.
//!
//! RTP tells when a picture is to be shown, and brings pictures in the order of decoding. Containers want to know when to
//! decode each as well: those times are the presentation times in ascending order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// No stream of H.264 or H.265 keeps more pictures back than this.
const DEEPEST: usize = 16;
/// As deep as needed to see that a stream does not show pictures in the order of decoding.
const SHALLOW: usize = 2;

/// Holds pictures back until their times of decoding are certain.
#[derive(Debug)]
pub(super) struct Reorder<T> {
    pending: VecDeque<T>,
    times: BinaryHeap<Reverse<u64>>,
    latest: u64,
    depth: usize,
    next: u64,
}

impl<T> Reorder<T> {
    pub(super) fn new() -> Self {
        Self {
            pending: VecDeque::new(),
            times: BinaryHeap::new(),
            latest: 0,
            depth: SHALLOW,
            next: 0,
        }
    }

    /// Takes the next picture in the order of decoding, and gives back the one whose time of decoding is certain now.
    pub(super) fn push(&mut self, pts: u64, picture: T) -> Option<(u64, T)> {
        if pts < self.latest {
            self.depth = DEEPEST;
        }
        self.latest = self.latest.max(pts);
        self.pending.push_back(picture);
        self.times.push(Reverse(pts));
        (self.pending.len() > self.depth).then(|| self.pop())?
    }

    /// Gives back one picture after the other at the end of a clip.
    pub(super) fn pop(&mut self) -> Option<(u64, T)> {
        let picture = self.pending.pop_front()?;
        let Reverse(time) = self.times.pop()?;
        // Two pictures for one instant, or a time that comes too late to be put in order, must not stop the clock.
        let dts = time.max(self.next);
        self.next = dts + 1;
        Some((dts, picture))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode_times(times: &[u64]) -> Vec<(u64, u64)> {
        let mut reorder = Reorder::new();
        let mut done: Vec<_> = times
            .iter()
            .filter_map(|&pts| reorder.push(pts, pts))
            .collect();
        done.extend(std::iter::from_fn(|| reorder.pop()));
        done
    }

    #[test]
    fn without_reordering_pictures_are_decoded_when_they_are_shown() {
        let done = decode_times(&[0, 40, 80, 120]);
        assert_eq!(done, [(0, 0), (40, 40), (80, 80), (120, 120)]);
    }

    #[test]
    fn b_pictures_are_decoded_after_what_they_refer_to() {
        let done = decode_times(&[0, 120, 40, 80, 240, 160, 200]);
        let times: Vec<_> = done.iter().map(|(dts, _)| *dts).collect();
        assert_eq!(times, [0, 40, 80, 120, 160, 200, 240]);
    }

    #[test]
    fn two_pictures_of_one_instant_follow_each_other() {
        assert_eq!(decode_times(&[0, 40, 40]), [(0, 0), (40, 40), (41, 40)]);
    }

    proptest! {
        #[test]
        fn times_of_decoding_always_increase_and_nothing_is_lost(times in proptest::collection::vec(0u64..5_000, 0..80)) {
            let done = decode_times(&times);
            prop_assert!(done.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert!(done.iter().map(|(_, pts)| *pts).eq(times.iter().copied()));
        }
    }
}
