//! The media time of what is published: that of the source, and going on where the source begins anew. Pure.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// From presentation time to media time, in nanoseconds.
    offset: i128,
    latest: Option<(i128, Instant)>,
    /// Something is missing before the next unit.
    gap: bool,
}

/// Further ahead than the time that has passed, a source does not go on but begins anew. Consumers that are slow lose less.
const FURTHEST_AHEAD: Duration = Duration::from_secs(30);

impl Timeline {
    /// Something is missing here; perhaps the source has begun a new session with a clock of its own.
    pub(super) fn gap(&mut self) {
        self.gap = true;
    }

    /// The media time, in nanoseconds, of a unit with this presentation time that is sent now.
    pub(super) fn at(&mut self, pts: Duration, now: Instant) -> i128 {
        let pts = pts.as_nanos() as i128;
        if std::mem::take(&mut self.gap)
            && let Some((latest, at)) = self.latest
        {
            let passed = now.saturating_duration_since(at).as_nanos() as i128;
            let ahead = pts + self.offset - latest;
            if !(1..=passed + FURTHEST_AHEAD.as_nanos() as i128).contains(&ahead) {
                // At least a millisecond, which is many ticks of any clock.
                self.offset = latest + passed.max(1_000_000) - pts;
            }
        }
        let media = pts + self.offset;
        if self.latest.is_none_or(|(latest, _)| media > latest) {
            self.latest = Some((media, now));
        }
        media
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i128 = 1_000_000_000;

    #[test]
    fn times_are_those_of_the_source_also_where_they_go_back_for_pictures_out_of_order() {
        let (mut timeline, now) = (Timeline::default(), Instant::now());
        for millis in [0u64, 120, 40, 80] {
            let at = timeline.at(Duration::from_millis(millis), now);
            assert_eq!(at, i128::from(millis) * 1_000_000);
        }
    }

    #[test]
    fn a_loss_within_a_session_leaves_the_times_alone() {
        let (mut timeline, now) = (Timeline::default(), Instant::now());
        timeline.at(Duration::from_secs(1), now);
        timeline.gap();
        assert_eq!(timeline.at(Duration::from_secs(9), now), 9 * SECOND);
    }

    #[test]
    fn a_session_that_begins_anew_goes_on_after_the_time_that_has_passed() {
        for restart in [0, 5_000_000] {
            let (mut timeline, now) = (Timeline::default(), Instant::now());
            timeline.at(Duration::from_secs(100), now);
            timeline.gap();
            let later = now + Duration::from_secs(7);
            let restart = Duration::from_secs(restart);
            assert_eq!(timeline.at(restart, later), 107 * SECOND);
            let next = restart + Duration::from_secs(1);
            assert_eq!(timeline.at(next, later), 108 * SECOND);
        }
    }
}
