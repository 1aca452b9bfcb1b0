//! The latest group of pictures of a stream, bounded in bytes and time. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::AccessUnit;

#[derive(Debug)]
pub(super) struct GopCache {
    units: VecDeque<AccessUnit>,
    bytes: usize,
    max_bytes: usize,
    max_time: Duration,
    /// Number of the unit that comes next. All that were pushed are counted.
    next: u64,
    group: Option<Group>,
}

/// What is known of the current group, whether or not all of it is still there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Number of its key frame.
    pub(super) key: u64,
    /// Number of its unit with the latest presentation time.
    pub(super) newest: u64,
    newest_pts: Duration,
}

impl GopCache {
    pub(super) fn new(max_bytes: usize, max_time: Duration) -> Self {
        Self {
            units: VecDeque::new(),
            bytes: 0,
            max_bytes,
            max_time,
            next: 0,
            group: None,
        }
    }

    /// Adds a unit and returns its number. A group is kept from its random access point on.
    ///
    /// A group that outgrows the bounds loses its oldest units: who has decoded those can still go on.
    pub(super) fn push(&mut self, unit: AccessUnit) -> u64 {
        let number = self.next;
        self.next += 1;
        if unit.random_access {
            self.clear();
            self.group = Some(Group {
                key: number,
                newest: number,
                newest_pts: unit.pts,
            });
        }
        let Some(group) = &mut self.group else {
            return number;
        };
        if unit.pts > group.newest_pts {
            group.newest = number;
            group.newest_pts = unit.pts;
        }
        let last = unit.pts;
        self.bytes += unit.data.len();
        self.units.push_back(unit);
        while let Some(first) = self.units.front()
            && (self.bytes > self.max_bytes || last.saturating_sub(first.pts) > self.max_time)
        {
            self.bytes -= first.data.len();
            self.units.pop_front();
        }
        number
    }

    pub(super) fn clear(&mut self) {
        self.units.clear();
        self.bytes = 0;
        self.group = None;
    }

    pub(super) fn group(&self) -> Option<Group> {
        self.group
    }

    /// The current group if it is whole, else nothing: the rest would not decode.
    pub(super) fn units(&self) -> impl Iterator<Item = &AccessUnit> {
        let whole = self.group.is_some_and(|group| group.key == self.first());
        self.units
            .iter()
            .take(if whole { self.units.len() } else { 0 })
    }

    /// The units of the current group with these numbers and their numbers; `None` if the first is not there any more.
    pub(super) fn range(
        &self,
        from: u64,
        to: u64,
    ) -> Option<impl Iterator<Item = (u64, &AccessUnit)>> {
        let first = self.first();
        let units = (first..).zip(&self.units);
        (first <= from).then(|| units.filter(move |(number, _)| (from..=to).contains(number)))
    }

    /// Number of the oldest unit that is kept.
    fn first(&self) -> u64 {
        self.next - self.units.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codec, WallClock};

    fn unit(millis: u64, key: bool) -> AccessUnit {
        let data: &[u8] = if key {
            &[0, 0, 1, 0x65]
        } else {
            &[0, 0, 1, 0x41]
        };
        AccessUnit::new(
            Codec::H264,
            data.into(),
            Duration::from_millis(millis),
            WallClock::now(),
        )
    }

    fn times(cache: &GopCache) -> Vec<u64> {
        cache
            .units()
            .map(|unit| unit.pts.as_millis() as u64)
            .collect()
    }

    fn fill(cache: &mut GopCache, units: &[(u64, bool)]) {
        for &(millis, key) in units {
            cache.push(unit(millis, key));
        }
    }

    #[test]
    fn it_holds_the_current_group_from_its_key_frame_on() {
        let mut cache = GopCache::new(1000, Duration::from_secs(60));
        fill(
            &mut cache,
            &[
                (0, false),
                (40, true),
                (80, false),
                (120, true),
                (160, false),
            ],
        );
        assert_eq!(times(&cache), [120, 160]);
    }

    #[test]
    fn a_group_over_the_bounds_is_not_given_to_those_who_come_late() {
        let in_bytes = GopCache::new(11, Duration::MAX);
        let in_time = GopCache::new(1000, Duration::from_millis(50));
        for mut cache in [in_bytes, in_time] {
            fill(
                &mut cache,
                &[(0, true), (40, false), (80, false), (120, false)],
            );
            assert_eq!(times(&cache), [0; 0]);
            assert!(cache.range(0, 3).is_none());
            let rest: Vec<_> = cache.range(2, 3).unwrap().map(|(n, _)| n).collect();
            assert_eq!(rest, [2, 3]);
            cache.push(unit(160, true));
            assert_eq!(times(&cache), [160]);
        }
    }

    #[test]
    fn a_unit_over_the_bounds_is_not_kept() {
        let mut cache = GopCache::new(3, Duration::MAX);
        fill(&mut cache, &[(0, true), (40, false)]);
        assert_eq!((times(&cache), cache.bytes), (vec![], 0));
        assert!(cache.range(0, 1).is_none());
    }

    #[test]
    fn units_are_numbered_and_the_newest_is_the_one_that_is_shown_last() {
        let mut cache = GopCache::new(1000, Duration::MAX);
        fill(
            &mut cache,
            &[(0, false), (40, true), (160, false), (80, false)],
        );
        let group = cache.group().unwrap();
        assert_eq!((group.key, group.newest), (1, 2));
        let numbers: Vec<_> = cache.range(2, 9).unwrap().map(|(n, _)| n).collect();
        assert_eq!(numbers, [2, 3]);
        cache.clear();
        assert!(cache.group().is_none());
    }
}
