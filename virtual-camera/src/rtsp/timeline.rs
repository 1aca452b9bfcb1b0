//! The one live timeline that all clients see.

use std::time::{Duration, Instant, SystemTime};

use crate::clip::Pace;

/// Which unit of a track is shown when, counted from the start of the server and never wrapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline {
    start: Instant,
    /// The wall clock at `start`. It is read once: sender reports of a camera whose clock is set
    /// while it runs would contradict each other.
    start_wall: SystemTime,
    clock_rate: u64,
    /// From one unit to the next.
    unit_ticks: u64,
}

impl Timeline {
    pub(super) fn new(start: Instant, start_wall: SystemTime) -> Self {
        Self {
            start,
            start_wall,
            clock_rate: 90_000,
            unit_ticks: 1,
        }
    }

    /// The same line of time for a track of this pace.
    pub(super) fn at(self, pace: Pace) -> Self {
        Self {
            clock_rate: pace.clock_rate.into(),
            unit_ticks: pace.ticks.into(),
            ..self
        }
    }

    /// The unit shown at `now`.
    pub(super) fn unit_at(&self, now: Instant) -> u64 {
        self.elapsed(now) / self.unit_ticks
    }

    /// When `unit` is shown first.
    pub(super) fn due(&self, unit: u64) -> Instant {
        let ticks = unit * self.unit_ticks;
        // Rounded up, so that `unit_at(due(unit))` is `unit`.
        let nanos = (ticks % self.clock_rate * 1_000_000_000).div_ceil(self.clock_rate);
        self.start + Duration::from_secs(ticks / self.clock_rate) + Duration::from_nanos(nanos)
    }

    /// How many units fill this many seconds.
    pub(super) fn units_in(&self, seconds: u64) -> u64 {
        seconds * self.clock_rate / self.unit_ticks
    }

    /// RTP ticks from the start to `unit`, modulo 2^32.
    pub(super) fn ticks_of(&self, unit: u64) -> u32 {
        unit.wrapping_mul(self.unit_ticks) as u32
    }

    /// RTP ticks from the start to `now`, modulo 2^32.
    pub(super) fn ticks_at(&self, now: Instant) -> u32 {
        self.elapsed(now) as u32
    }

    fn elapsed(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start).as_nanos();
        let ticks = elapsed * u128::from(self.clock_rate) / 1_000_000_000;
        u64::try_from(ticks).expect("a server runs for less than a million years")
    }

    /// The wall clock at `now`.
    pub(super) fn wall_at(&self, now: Instant) -> SystemTime {
        self.start_wall + now.saturating_duration_since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> Timeline {
        let pace = Pace {
            clock_rate: 90_000,
            ticks: 6_000,
        };
        Timeline::new(Instant::now(), SystemTime::UNIX_EPOCH).at(pace)
    }

    #[test]
    fn shows_each_frame_from_the_moment_it_is_due() {
        let timeline = timeline();
        for frame in [0, 1, 2, 14, 15, 16, 149, 150, 1_000_003] {
            let due = timeline.due(frame);
            assert_eq!(timeline.unit_at(due), frame);
            if frame > 0 {
                assert_eq!(
                    timeline.unit_at(due - Duration::from_nanos(70)),
                    frame - 1,
                    "just before frame {frame}"
                );
            }
        }
    }

    #[test]
    fn keeps_the_pace_of_sound() {
        let pace = Pace {
            clock_rate: 16_000,
            ticks: 1024,
        };
        let timeline = timeline().at(pace);
        for unit in [0, 1, 2, 155, 156, 1_000_003] {
            assert_eq!(timeline.unit_at(timeline.due(unit)), unit);
            let before = timeline.due(unit + 1) - Duration::from_nanos(70_000);
            assert_eq!(timeline.unit_at(before), unit);
        }
        assert_eq!(timeline.units_in(2), 31);
    }

    #[test]
    fn advances_the_clock_by_equal_steps_beyond_its_wrap() {
        let timeline = timeline();
        // 2^32 ticks are 13.3 hours.
        for frame in [0, 149, 715_827, 715_828, 10_000_000] {
            let step = timeline
                .ticks_of(frame + 1)
                .wrapping_sub(timeline.ticks_of(frame));
            assert_eq!(step, 6_000);
        }
    }

    #[test]
    fn relates_the_wall_clock_to_the_rtp_clock() {
        let timeline = timeline();
        let now = timeline.due(30);
        assert_eq!(timeline.ticks_at(now), timeline.ticks_of(30));
        assert_eq!(
            timeline.wall_at(now),
            SystemTime::UNIX_EPOCH + Duration::from_secs(2)
        );
    }
}
