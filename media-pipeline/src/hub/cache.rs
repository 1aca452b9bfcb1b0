//! The latest groups of pictures of a stream, bounded in bytes and time. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::AccessUnit;

#[derive(Debug)]
pub(super) struct GopCache {
    units: VecDeque<AccessUnit>,
    bytes: usize,
    max_bytes: usize,
    max_time: Duration,
}

impl GopCache {
    pub(super) fn new(max_bytes: usize, max_time: Duration) -> Self {
        Self {
            units: VecDeque::new(),
            bytes: 0,
            max_bytes,
            max_time,
        }
    }

    /// Adds a unit. The cache begins with a random access point or is empty.
    pub(super) fn push(&mut self, unit: AccessUnit) {
        if unit.random_access {
            self.clear();
        } else if self.units.is_empty() {
            return;
        }
        let age = self
            .units
            .front()
            .map_or(Duration::ZERO, |first| unit.pts.saturating_sub(first.pts));
        self.bytes += unit.data.len();
        self.units.push_back(unit);
        // A group that outgrows the bounds cannot be shortened at its front: the rest would not decode.
        if self.bytes > self.max_bytes || age > self.max_time {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.units.clear();
        self.bytes = 0;
    }

    pub(super) fn units(&self) -> impl Iterator<Item = &AccessUnit> {
        self.units.iter()
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
        units
            .iter()
            .for_each(|&(millis, key)| cache.push(unit(millis, key)));
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
    fn a_group_over_the_bounds_is_dropped_until_the_next_key_frame() {
        let in_bytes = GopCache::new(11, Duration::MAX);
        let in_time = GopCache::new(1000, Duration::from_millis(50));
        for mut cache in [in_bytes, in_time] {
            fill(
                &mut cache,
                &[(0, true), (40, false), (80, false), (120, false)],
            );
            assert_eq!(times(&cache), [0; 0]);
            cache.push(unit(160, true));
            assert_eq!(times(&cache), [160]);
        }
    }
}
