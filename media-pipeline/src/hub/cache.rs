//! The latest groups of pictures of a stream, bounded in bytes and time. Pure.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use crate::AccessUnit;

#[derive(Debug)]
pub(super) struct GopCache {
    units: VecDeque<Kept>,
    bytes: usize,
    max_bytes: usize,
    max_time: Duration,
    history: Duration,
    /// Number of the unit that comes next. All that were pushed are counted.
    next: u64,
    group: Option<Group>,
    /// The whole groups before the current one, oldest first.
    earlier: VecDeque<Group>,
}

#[derive(Debug)]
struct Kept {
    unit: AccessUnit,
    leads: bool,
}

/// What is known of the current group, whether or not all of it is still there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Number of its key frame.
    pub(super) key: u64,
    key_pts: Duration,
    /// Number of its unit with the latest presentation time.
    pub(super) newest: u64,
    newest_pts: Duration,
}

/// Where a moment lies.
#[derive(Debug)]
pub(super) enum LeadsTo {
    /// In a group that is kept: what is to be decoded, the last of it is the picture.
    Units(Vec<AccessUnit>),
    /// Before all that is kept.
    Earlier,
    /// After it: it has yet to come.
    Later,
}

impl GopCache {
    /// `history` is how far back groups are kept that are over.
    pub(super) fn new(max_bytes: usize, max_time: Duration, history: Duration) -> Self {
        Self {
            units: VecDeque::new(),
            bytes: 0,
            max_bytes,
            max_time,
            history,
            next: 0,
            group: None,
            earlier: VecDeque::new(),
        }
    }

    /// Adds a unit and returns its number. A group is kept from its random access point on. Units of tracks that do not
    /// lead (sound, metadata) belong to the group in which they come.
    ///
    /// A group that outgrows the bounds loses its oldest units: who has decoded those can still go on.
    pub(super) fn push(&mut self, unit: AccessUnit, leads: bool) -> u64 {
        let first = self.first();
        let number = self.pass();
        if leads && unit.random_access {
            match self.group {
                Some(group) if group.key >= first => self.earlier.push_back(group),
                _ => self.clear(),
            }
            self.group = Some(Group {
                key: number,
                key_pts: unit.pts,
                newest: number,
                newest_pts: unit.pts,
            });
        }
        let Some(group) = &mut self.group else {
            return number;
        };
        if leads && unit.pts > group.newest_pts {
            group.newest = number;
            group.newest_pts = unit.pts;
        }
        self.bytes += unit.data.len();
        self.units.push_back(Kept { unit, leads });
        self.trim();
        number
    }

    /// Numbers a unit that nobody wants to be kept. Whoever keeps none of a group clears the cache, so that no group has a
    /// hole.
    pub(super) fn pass(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Drops what is over the bounds: earlier groups as a whole, the current one from its start.
    fn trim(&mut self) {
        while let (Some(group), Some(newest)) = (self.group, self.units.back()) {
            let last = newest.unit.pts;
            let after = self.earlier.get(1).map_or(group.key_pts, |g| g.key_pts);
            let first_pts = self.units.front().map_or(last, |kept| kept.unit.pts);
            let too_long = last.saturating_sub(group.key_pts.max(first_pts)) > self.max_time;
            let too_much = self.bytes > self.max_bytes || too_long;
            if !self.earlier.is_empty() {
                if !too_much && after.saturating_add(self.history) > last {
                    return;
                }
                self.earlier.pop_front();
                let next = self.earlier.front().map_or(group.key, |g| g.key);
                self.drop_front(next - self.first());
            } else if too_much {
                self.drop_front(1);
            } else {
                return;
            }
        }
    }

    fn drop_front(&mut self, count: u64) {
        for kept in self.units.drain(..count as usize) {
            self.bytes -= kept.unit.data.len();
        }
    }

    pub(super) fn clear(&mut self) {
        self.units.clear();
        self.earlier.clear();
        self.bytes = 0;
        self.group = None;
    }

    pub(super) fn group(&self) -> Option<Group> {
        self.group
    }

    /// The units of all tracks from `before` ago on, or the oldest that are kept, and whether they lead. They begin with
    /// a random access point: nothing comes of a group that is not whole, because the rest would not decode.
    pub(super) fn units(&self, before: Duration) -> impl Iterator<Item = (&AccessUnit, bool)> {
        let last = self.units.back().map_or(Duration::ZERO, |k| k.unit.pts);
        let from = last.saturating_sub(before);
        let groups = self.earlier.iter().chain(&self.group);
        let whole = groups.filter(|group| group.key >= self.first());
        let mut keys = whole.map(|group| (group.key, group.key_pts));
        let start = keys.next().map(|oldest| {
            keys.take_while(|(_, pts)| *pts <= from)
                .last()
                .unwrap_or(oldest)
                .0
        });
        let skipped = start.map_or(self.units.len() as u64, |key| key - self.first());
        let kept = self.units.iter().skip(skipped as usize);
        kept.map(|kept| (&kept.unit, kept.leads))
    }

    /// The units with these numbers and their numbers; `None` if the first is not there any more.
    pub(super) fn range(
        &self,
        from: u64,
        to: u64,
    ) -> Option<impl Iterator<Item = (u64, &AccessUnit)>> {
        let first = self.first();
        let units = (first..).zip(self.units.iter().map(|kept| &kept.unit));
        (first <= from).then(|| units.filter(move |(number, _)| (from..=to).contains(number)))
    }

    /// What leads to the picture that was seen at a time, or to the newest one: the units of its group from the key
    /// frame up to it.
    pub(super) fn leading_to(&self, time: Option<SystemTime>) -> LeadsTo {
        let leading = (self.first()..)
            .zip(&self.units)
            .filter(|(_, kept)| kept.leads);
        let whole = |number: u64| {
            let groups = self.earlier.iter().chain(&self.group);
            let mut before = groups.map(|g| g.key).filter(|&key| key <= number);
            before.next_back().filter(|&key| key >= self.first())
        };
        let mut seen = leading
            .map(|(number, kept)| (number, &kept.unit))
            .filter(|(number, _)| whole(*number).is_some());
        let wall = |(_, unit): &(u64, &AccessUnit)| unit.wall.time;
        let target = match time {
            None => self
                .group
                .map(|group| group.newest)
                .filter(|&n| whole(n).is_some()),
            Some(time) => {
                let Some(newest) = seen.clone().map(|unit| wall(&unit)).max() else {
                    return LeadsTo::Later;
                };
                if newest <= time {
                    return LeadsTo::Later;
                }
                let target = seen
                    .clone()
                    .filter(|unit| wall(unit) <= time)
                    .max_by_key(wall);
                match target {
                    Some((number, _)) => Some(number),
                    None if seen.next().is_some() => return LeadsTo::Earlier,
                    None => None,
                }
            }
        };
        let Some((key, target)) = target.and_then(|number| Some((whole(number)?, number))) else {
            return LeadsTo::Later;
        };
        let units = seen.filter(|(number, _)| (key..=target).contains(number));
        LeadsTo::Units(units.map(|(_, unit)| unit.clone()).collect())
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
            .units(Duration::ZERO)
            .map(|(unit, _)| unit.pts.as_millis() as u64)
            .collect()
    }

    fn fill(cache: &mut GopCache, units: &[(u64, bool)]) {
        for &(millis, key) in units {
            cache.push(unit(millis, key), true);
        }
    }

    #[test]
    fn it_holds_the_current_group_from_its_key_frame_on() {
        let mut cache = GopCache::new(1000, Duration::from_secs(60), Duration::ZERO);
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
        let in_bytes = GopCache::new(11, Duration::MAX, Duration::ZERO);
        let in_time = GopCache::new(1000, Duration::from_millis(50), Duration::ZERO);
        for mut cache in [in_bytes, in_time] {
            fill(
                &mut cache,
                &[(0, true), (40, false), (80, false), (120, false)],
            );
            assert_eq!(times(&cache), [0; 0]);
            assert!(cache.range(0, 3).is_none());
            let rest: Vec<_> = cache.range(2, 3).unwrap().map(|(n, _)| n).collect();
            assert_eq!(rest, [2, 3]);
            cache.push(unit(160, true), true);
            assert_eq!(times(&cache), [160]);
        }
    }

    fn since(cache: &GopCache, before: u64) -> Vec<u64> {
        let units = cache.units(Duration::from_millis(before));
        units.map(|(unit, _)| unit.pts.as_millis() as u64).collect()
    }

    #[test]
    fn whole_groups_of_before_are_kept_as_far_back_as_asked_for() {
        let mut cache = GopCache::new(1000, Duration::MAX, Duration::from_millis(150));
        fill(
            &mut cache,
            &[
                (0, true),
                (50, false),
                (100, true),
                (150, false),
                (200, true),
            ],
        );
        assert_eq!(since(&cache, 150), [0, 50, 100, 150, 200]);
        assert_eq!(since(&cache, 100), [100, 150, 200]);
        assert_eq!(since(&cache, 99), [100, 150, 200]);
        assert_eq!(since(&cache, 0), [200]);
        assert_eq!(since(&cache, 9000), [0, 50, 100, 150, 200]);
        fill(&mut cache, &[(250, false)]);
        assert_eq!(since(&cache, 9000), [100, 150, 200, 250]);
        cache.clear();
        assert_eq!(since(&cache, 9000), [0; 0]);
    }

    #[test]
    fn earlier_groups_make_room_for_the_current_one() {
        let mut cache = GopCache::new(13, Duration::MAX, Duration::MAX / 2);
        fill(
            &mut cache,
            &[(0, true), (50, false), (100, true), (150, false)],
        );
        assert_eq!((since(&cache, 9000), cache.bytes), (vec![100, 150], 8));
    }

    #[test]
    fn sound_belongs_to_the_group_in_which_it_comes() {
        let mut cache = GopCache::new(1000, Duration::MAX, Duration::ZERO);
        fill(&mut cache, &[(0, true)]);
        cache.push(unit(90, true), false);
        assert_eq!(times(&cache), [0, 90]);
        assert_eq!(cache.group().unwrap().newest, 0);
    }

    #[test]
    fn a_unit_over_the_bounds_is_not_kept() {
        let mut cache = GopCache::new(3, Duration::MAX, Duration::ZERO);
        fill(&mut cache, &[(0, true), (40, false)]);
        assert_eq!((times(&cache), cache.bytes), (vec![], 0));
        assert!(cache.range(0, 1).is_none());
    }

    #[test]
    fn units_are_numbered_and_the_newest_is_the_one_that_is_shown_last() {
        let mut cache = GopCache::new(1000, Duration::MAX, Duration::ZERO);
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
