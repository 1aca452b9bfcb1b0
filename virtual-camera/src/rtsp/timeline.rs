//! The one live timeline that all clients see.

use std::time::{Duration, Instant, SystemTime};

/// RTP clock of video, ticks a second (RFC 6184, 8.1).
const CLOCK_RATE: u64 = 90_000;

/// Which frame is shown when, counted from the start of the server and never wrapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline {
    start: Instant,
    /// The wall clock at `start`. It is read once: sender reports of a camera whose clock is set
    /// while it runs would contradict each other.
    start_wall: SystemTime,
    frame_rate: u64,
}

impl Timeline {
    pub(super) fn new(start: Instant, start_wall: SystemTime, frame_rate: u32) -> Self {
        Self {
            start,
            start_wall,
            frame_rate: u64::from(frame_rate),
        }
    }

    /// The frame shown at `now`.
    pub(super) fn frame_at(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start).as_nanos();
        let frame = elapsed * u128::from(self.frame_rate) / 1_000_000_000;
        u64::try_from(frame).expect("a server runs for less than a billion years")
    }

    /// When `frame` is shown first.
    pub(super) fn due(&self, frame: u64) -> Instant {
        let seconds = frame / self.frame_rate;
        // Rounded up, so that `frame_at(due(frame))` is `frame`.
        let nanos = (frame % self.frame_rate * 1_000_000_000).div_ceil(self.frame_rate);
        self.start + Duration::from_secs(seconds) + Duration::from_nanos(nanos)
    }

    /// RTP ticks from the start to `frame`, modulo 2^32.
    pub(super) fn ticks_of_frame(&self, frame: u64) -> u32 {
        (frame.wrapping_mul(CLOCK_RATE) / self.frame_rate) as u32
    }

    /// RTP ticks from the start to `now`, modulo 2^32.
    pub(super) fn ticks_at(&self, now: Instant) -> u32 {
        let elapsed = now.saturating_duration_since(self.start).as_nanos();
        (elapsed * u128::from(CLOCK_RATE) / 1_000_000_000) as u32
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
        Timeline::new(Instant::now(), SystemTime::UNIX_EPOCH, 15)
    }

    #[test]
    fn shows_each_frame_from_the_moment_it_is_due() {
        let timeline = timeline();
        for frame in [0, 1, 2, 14, 15, 16, 149, 150, 1_000_003] {
            let due = timeline.due(frame);
            assert_eq!(timeline.frame_at(due), frame);
            if frame > 0 {
                assert_eq!(
                    timeline.frame_at(due - Duration::from_nanos(70)),
                    frame - 1,
                    "just before frame {frame}"
                );
            }
        }
    }

    #[test]
    fn advances_the_clock_by_equal_steps_beyond_its_wrap() {
        let timeline = timeline();
        // 2^32 ticks are 13.3 hours.
        for frame in [0, 149, 715_827, 715_828, 10_000_000] {
            let step = timeline
                .ticks_of_frame(frame + 1)
                .wrapping_sub(timeline.ticks_of_frame(frame));
            assert_eq!(step, 6_000);
        }
    }

    #[test]
    fn relates_the_wall_clock_to_the_rtp_clock() {
        let timeline = timeline();
        let now = timeline.due(30);
        assert_eq!(timeline.ticks_at(now), timeline.ticks_of_frame(30));
        assert_eq!(
            timeline.wall_at(now),
            SystemTime::UNIX_EPOCH + Duration::from_secs(2)
        );
    }
}
