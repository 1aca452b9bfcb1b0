//! The queue of one consumer: bounded; what does not fit is lost in whole groups of pictures. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::AccessUnit;

use super::HubItem;

#[derive(Debug)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
    max_units: usize,
    max_bytes: usize,
    max_time: Duration,
    /// What is lost before the unit that comes next; `Some(0)` where it could not be counted.
    lost: Option<u64>,
    /// Nothing is taken until the next random access point.
    waiting: bool,
}

#[derive(Debug)]
struct Entry {
    lost_before: Option<u64>,
    /// Reading can start here.
    starts: bool,
    unit: AccessUnit,
}

impl Queue {
    /// Bounds apply to what is not yet consumed; a single unit always fits.
    pub(super) fn new(max_units: usize, max_bytes: usize, max_time: Duration) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            max_units,
            max_bytes,
            max_time,
            lost: None,
            waiting: true,
        }
    }

    /// `leads`: the unit is of the track whose random access points are those of all.
    pub(super) fn push(&mut self, unit: AccessUnit, leads: bool) {
        let starts = leads && unit.random_access;
        if self.waiting && !starts {
            // Before its first unit a consumer has missed nothing.
            self.lost = self.lost.map(|units| units + 1);
            return;
        }
        self.waiting = false;
        self.bytes += unit.data.len();
        self.entries.push_back(Entry {
            lost_before: self.lost.take(),
            starts,
            unit,
        });
        while self.entries.len() > 1 && self.is_over() {
            self.drop_group();
        }
    }

    fn is_over(&self) -> bool {
        let pts = |entry: Option<&Entry>| entry.map_or(Duration::ZERO, |entry| entry.unit.pts);
        let time = pts(self.entries.back()).saturating_sub(pts(self.entries.front()));
        self.entries.len() > self.max_units || self.bytes > self.max_bytes || time > self.max_time
    }

    /// Something is missing between the units before this and those after it.
    pub(super) fn gap(&mut self, lost: u64) {
        if self.lost.is_some() || !self.waiting {
            self.lost = Some(self.lost.unwrap_or(0) + lost);
        }
        self.waiting = true;
    }

    pub(super) fn pop(&mut self) -> Option<HubItem> {
        let front = self.entries.front_mut()?;
        if let Some(units) = front.lost_before.take() {
            return Some(HubItem::Lost { units });
        }
        let unit = self.entries.pop_front()?.unit;
        self.bytes -= unit.data.len();
        Some(HubItem::Unit(unit))
    }

    /// Drops the oldest units up to the next random access point, or all.
    fn drop_group(&mut self) {
        let next = self.entries.iter().skip(1).position(|entry| entry.starts);
        let end = next.map_or(self.entries.len(), |i| i + 1);
        let mut lost = end as u64;
        for entry in self.entries.drain(..end) {
            self.bytes -= entry.unit.data.len();
            lost += entry.lost_before.unwrap_or(0);
        }
        let place = match self.entries.front_mut() {
            Some(front) => &mut front.lost_before,
            None => {
                self.waiting = true;
                &mut self.lost
            }
        };
        *place = Some(place.unwrap_or(0) + lost);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Codec, WallClock};

    fn unit(number: u64, key: bool) -> AccessUnit {
        let data: &[u8] = if key {
            &[0, 0, 1, 0x65]
        } else {
            &[0, 0, 1, 0x41]
        };
        AccessUnit::new(
            Codec::H264,
            data.into(),
            Duration::from_secs(number),
            WallClock::now(),
        )
    }

    fn drain(queue: &mut Queue) -> Vec<String> {
        std::iter::from_fn(|| queue.pop())
            .map(|item| match item {
                HubItem::Unit(unit) => unit.pts.as_secs().to_string(),
                HubItem::Lost { units } => format!("lost {units}"),
            })
            .collect()
    }

    #[test]
    fn a_consumer_starts_at_a_random_access_point_and_is_told_no_loss() {
        let mut queue = Queue::new(10, 1000, Duration::MAX);
        (0..4).for_each(|i| queue.push(unit(i, i == 2), true));
        assert_eq!(drain(&mut queue), ["2", "3"]);
    }

    #[test]
    fn a_slow_consumer_loses_whole_groups_and_is_told_how_many() {
        let mut queue = Queue::new(6, 1000, Duration::MAX);
        (0..11).for_each(|i| queue.push(unit(i, i % 5 == 0), true));
        assert_eq!(drain(&mut queue), ["lost 5", "5", "6", "7", "8", "9", "10"]);
    }

    #[test]
    fn what_waits_for_too_long_is_lost_in_whole_groups() {
        let mut queue = Queue::new(100, 1000, Duration::from_secs(6));
        (0..9).for_each(|i| queue.push(unit(i, i % 3 == 0), true));
        assert_eq!(drain(&mut queue), ["lost 3", "3", "4", "5", "6", "7", "8"]);
    }

    #[test]
    fn a_group_larger_than_the_queue_is_lost_until_the_next_one() {
        let mut queue = Queue::new(3, 1000, Duration::MAX);
        (0..8).for_each(|i| queue.push(unit(i, i % 6 == 0), true));
        assert_eq!(drain(&mut queue), ["lost 6", "6", "7"]);
    }

    #[test]
    fn sound_alone_starts_nothing() {
        let mut queue = Queue::new(3, 1000, Duration::MAX);
        (0..8).for_each(|i| queue.push(unit(i, i != 3), matches!(i, 2 | 6)));
        assert_eq!(drain(&mut queue), ["lost 4", "6", "7"]);
    }

    #[test]
    fn after_a_gap_nothing_comes_until_the_next_random_access_point() {
        let mut queue = Queue::new(10, 1000, Duration::MAX);
        queue.push(unit(0, true), true);
        queue.gap(1);
        (2..6).for_each(|i| queue.push(unit(i, i == 4), true));
        assert_eq!(drain(&mut queue), ["0", "lost 3", "4", "5"]);
    }

    proptest! {
        #[test]
        fn what_is_delivered_is_always_decodable_and_complete(
            keys in proptest::collection::vec(any::<bool>(), 1..60),
            pops in proptest::collection::vec(0usize..4, 60),
            max_units in 1usize..8,
        ) {
            let mut queue = Queue::new(max_units, usize::MAX, Duration::MAX);
            let (mut next, mut told) = (None, true);
            for ((number, key), pops) in (0..).zip(keys).zip(pops) {
                queue.push(unit(number, key), true);
                for _ in 0..pops {
                    match queue.pop() {
                        None => break,
                        Some(HubItem::Lost { units }) => {
                            next = next.map(|n: u64| n + units);
                            told = true;
                        }
                        Some(HubItem::Unit(unit)) => {
                            let got = unit.pts.as_secs();
                            prop_assert!(unit.random_access || !told);
                            if let Some(next) = next {
                                prop_assert_eq!(got, next);
                            }
                            next = Some(got + 1);
                            told = false;
                        }
                    }
                    prop_assert!(queue.entries.len() <= max_units);
                }
            }
        }
    }
}
