//! How far apart the key frames of a stream are, by its own clock. Pure.

use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Cadence {
    /// Presentation time of the current key frame.
    key: Option<Duration>,
    /// From the key frame before to the current one. After a loss between them, what is known of it: it is at least
    /// the age that the group had reached.
    distance: Option<Duration>,
    /// From the current key frame to the newest picture after it.
    age: Duration,
}

impl Cadence {
    pub(super) fn push(&mut self, pts: Duration, random_access: bool) {
        let since = self.key.map(|key| pts.saturating_sub(key));
        if random_access {
            self.distance = since.or(self.distance);
            self.key = Some(pts);
            self.age = Duration::ZERO;
        } else if let Some(since) = since {
            self.age = self.age.max(since);
        }
    }

    /// Something is missing here; a key frame may be among it.
    pub(super) fn gap(&mut self) {
        self.distance = self.distance.max(self.key.map(|_| self.age));
        self.key = None;
        self.age = Duration::ZERO;
    }

    /// Whether the key frames alone make one picture in each period. The current group counts before it is complete.
    ///
    /// A tenth is tolerated: cameras are not exact, and a camera with a key frame every 2.003 s is to be spared the
    /// decoding of all its pictures for a period of 2 s.
    pub(super) fn keeps(&self, period: Duration) -> bool {
        self.is_within(period, Duration::ZERO)
    }

    /// Whether they are likely to: before the second key frame their distance is taken to be a usual one.
    pub(super) fn promises(&self, period: Duration) -> bool {
        const USUAL: Duration = Duration::from_secs(2);
        self.is_within(period, USUAL)
    }

    fn is_within(&self, period: Duration, unknown: Duration) -> bool {
        let longest = self.distance.unwrap_or(unknown).max(self.age);
        longest <= period.saturating_add(period / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn cadence(units: &[(u64, bool)]) -> Cadence {
        let mut cadence = Cadence::default();
        units
            .iter()
            .for_each(|&(millis, key)| cadence.push(Duration::from_millis(millis), key));
        cadence
    }

    #[test]
    fn key_frames_keep_a_period_that_is_not_shorter_than_their_distance() {
        let cadence = cadence(&[(0, true), (1000, false), (2000, true)]);
        assert!(cadence.keeps(3 * SECOND));
        assert!(cadence.keeps(2 * SECOND));
        assert!(!cadence.keeps(SECOND));
        assert!(!cadence.keeps(Duration::ZERO));
    }

    #[test]
    fn a_camera_that_is_not_exact_keeps_its_period() {
        assert!(cadence(&[(0, true), (2003, true)]).keeps(2 * SECOND));
        assert!(!cadence(&[(0, true), (2300, true)]).keeps(2 * SECOND));
    }

    #[test]
    fn a_group_that_goes_on_for_too_long_counts_before_it_is_complete() {
        assert!(cadence(&[(0, true), (1000, false)]).keeps(SECOND));
        assert!(!cadence(&[(0, true), (1200, false)]).keeps(SECOND));
        assert!(!cadence(&[(0, true), (900, true), (2100, false)]).keeps(SECOND));
    }

    #[test]
    fn before_the_second_key_frame_short_periods_are_not_promised() {
        let mut cadence = cadence(&[(0, true), (500, false)]);
        assert!(cadence.keeps(SECOND) && !cadence.promises(SECOND));
        assert!(cadence.promises(2 * SECOND));
        cadence.push(SECOND, true);
        assert!(cadence.promises(SECOND));
    }

    #[test]
    fn the_last_distance_decides() {
        let mut cadence = cadence(&[(0, true), (4000, true)]);
        assert!(!cadence.keeps(SECOND));
        cadence.push(5 * SECOND, true);
        assert!(cadence.keeps(SECOND));
    }

    #[test]
    fn a_group_with_a_gap_is_as_long_as_what_came_before_the_gap() {
        let mut cadence = cadence(&[(0, true), (1000, true), (1500, false)]);
        cadence.gap();
        cadence.push(4 * SECOND, false);
        cadence.push(5 * SECOND, true);
        assert!(cadence.keeps(SECOND));
        cadence.push(7 * SECOND, false);
        cadence.gap();
        cadence.push(9 * SECOND, true);
        assert!(cadence.keeps(2 * SECOND) && !cadence.keeps(SECOND));
    }
}
