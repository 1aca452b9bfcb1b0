//! From RTP timestamps to presentation time and real time. Pure: arrival times are arguments.

use std::time::{Duration, SystemTime};

use crate::{TimeOrigin, WallClock};

/// A camera's clock that differs more than this from ours is not believed.
const SANE: Duration = Duration::from_secs(5);
/// RTP timestamps that move this much more or less than the time that passed have jumped.
const JUMP: Duration = Duration::from_secs(10);
/// Timestamps that go back by more than this have jumped; by less, frames came in decoding order.
const JUMP_BACK: Duration = Duration::from_millis(1500);

/// Maps the RTP timestamps of one stream, extended to 64 bits, to time.
#[derive(Debug)]
pub(crate) struct MediaClock {
    rate: f64,
    /// Presentation time of the first unit.
    start: Duration,
    anchor: Option<Anchor>,
    report: Option<Report>,
    /// The latest sender report, believed or not: the clocks of one camera's tracks agree, however wrong they are.
    shared: Option<Report>,
}

/// A pair of RTP timestamp and presentation time; replaced when the timestamps jump.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ticks: i64,
    pts: Duration,
    last_ticks: i64,
    last_pts: Duration,
    last_arrival: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Report {
    ticks: i64,
    time: SystemTime,
}

impl MediaClock {
    /// `rate` is the RTP clock rate in Hz.
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate.max(1)),
            start: Duration::ZERO,
            anchor: None,
            report: None,
            shared: None,
        }
    }

    /// Sets the presentation time of the first unit, which arrived at `arrival`, in a session of several tracks. The
    /// server says in RTP-Info that this is `elapsed` seconds after the start. Only what cannot be is not believed: times of
    /// arrival are late by what network and machine make of them.
    pub(crate) fn start(&mut self, elapsed: f64, arrival: Duration) {
        const SANE: f64 = 1.0;
        let credible = elapsed >= 0.0 && (elapsed - arrival.as_secs_f64()).abs() <= SANE;
        self.start = if credible {
            offset(Duration::ZERO, elapsed)
        } else {
            arrival
        };
    }

    /// Takes note of an RTCP sender report: at `ticks` the camera's clock said `time`; we received it at `now`.
    pub(crate) fn sender_report(&mut self, ticks: i64, time: SystemTime, now: SystemTime) {
        self.shared = Some(Report { ticks, time });
        self.report = self.shared.filter(|_| difference(time, now) <= SANE);
    }

    /// Brings the presentation times in line with those of another track, where sender reports tell how they belong
    /// together. What cannot be is left alone.
    pub(crate) fn align(&mut self, lead: &Self) {
        const SANE: f64 = 2.0;
        let (Some(own), Some(reference)) = (self.origin(), lead.origin()) else {
            return;
        };
        let shift = match own.duration_since(reference) {
            Ok(later) => later.as_secs_f64(),
            Err(earlier) => -earlier.duration().as_secs_f64(),
        };
        if let Some(anchor) = self.anchor.as_mut().filter(|_| shift.abs() <= SANE) {
            anchor.pts = offset(anchor.pts, shift);
            anchor.last_pts = offset(anchor.last_pts, shift);
        }
    }

    /// Whether it is known what the camera's clock says at some presentation time.
    pub(crate) fn is_placed(&self) -> bool {
        self.origin().is_some()
    }

    /// What the camera's clock said at presentation time zero.
    fn origin(&self) -> Option<SystemTime> {
        let (anchor, report) = (self.anchor?, self.shared?);
        let since = report.ticks.saturating_sub(anchor.ticks) as f64 / self.rate;
        let at_anchor = if since < 0.0 {
            report
                .time
                .checked_add(Duration::try_from_secs_f64(-since).ok()?)?
        } else {
            report
                .time
                .checked_sub(Duration::try_from_secs_f64(since).ok()?)?
        };
        at_anchor.checked_sub(anchor.pts)
    }

    /// Times of a unit with timestamp `ticks`, which arrived at `now`, `arrival` after the session started.
    pub(crate) fn stamp(
        &mut self,
        ticks: i64,
        arrival: Duration,
        now: SystemTime,
    ) -> (Duration, WallClock) {
        let pts = self.presentation(ticks, arrival);
        (pts, self.wall(ticks, now))
    }

    fn presentation(&mut self, ticks: i64, arrival: Duration) -> Duration {
        let Some(anchor) = &mut self.anchor else {
            self.anchor = Some(Anchor {
                ticks,
                pts: self.start,
                last_ticks: ticks,
                last_pts: self.start,
                last_arrival: arrival,
            });
            return self.start;
        };
        let passed = arrival.saturating_sub(anchor.last_arrival);
        let moved = (ticks.saturating_sub(anchor.last_ticks)) as f64 / self.rate;
        let jumped = (moved - passed.as_secs_f64()).abs() > JUMP.as_secs_f64();
        if jumped || moved < -JUMP_BACK.as_secs_f64() {
            anchor.ticks = ticks;
            anchor.pts = anchor.last_pts + passed;
            // The camera's reports from before the jump count in other timestamps.
            self.report = None;
            self.shared = None;
        }
        let since = ticks.saturating_sub(anchor.ticks) as f64 / self.rate;
        let pts = offset(anchor.pts, since);
        anchor.last_ticks = ticks;
        anchor.last_pts = pts;
        anchor.last_arrival = arrival;
        pts
    }

    fn wall(&self, ticks: i64, now: SystemTime) -> WallClock {
        let camera = self.report.and_then(|report| {
            let since = ticks.saturating_sub(report.ticks) as f64 / self.rate;
            let distance = Duration::try_from_secs_f64(since.abs()).ok()?;
            if since < 0.0 {
                report.time.checked_sub(distance)
            } else {
                report.time.checked_add(distance)
            }
        });
        match camera {
            Some(time) if difference(time, now) <= SANE => WallClock {
                time,
                origin: TimeOrigin::SenderReport,
            },
            _ => WallClock {
                time: now,
                origin: TimeOrigin::Receipt,
            },
        }
    }
}

const UNIX_EPOCH_IN_NTP: u64 = 2_208_988_800;

/// The time that a 64-bit NTP timestamp of a sender report means, if it is after 1970.
pub(crate) fn from_ntp(ntp: u64) -> Option<SystemTime> {
    let seconds = (ntp >> 32).checked_sub(UNIX_EPOCH_IN_NTP)?;
    let nanos = ((ntp & 0xffff_ffff) * 1_000_000_000) >> 32;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos as u32))
}

/// A system time as NTP has it; what is before 1970 counts as that.
pub(crate) fn to_ntp(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default();
    // The era wraps around in 2036, in NTP as well.
    let seconds = since.as_secs().wrapping_add(UNIX_EPOCH_IN_NTP) & 0xffff_ffff;
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    seconds << 32 | fraction
}

fn difference(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).unwrap_or_else(|e| e.duration())
}

fn offset(base: Duration, seconds: f64) -> Duration {
    let distance = Duration::try_from_secs_f64(seconds.abs()).unwrap_or(Duration::MAX);
    if seconds < 0.0 {
        base.saturating_sub(distance)
    } else {
        base.saturating_add(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH
            + Duration::from_secs(1_800_000_000)
            + Duration::from_secs_f64(seconds)
    }

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn close(a: Duration, b: Duration) -> bool {
        a.abs_diff(b) < Duration::from_micros(10)
    }

    #[test]
    fn presentation_time_follows_rtp_timestamps_not_arrival() {
        let mut clock = MediaClock::new(90_000);
        assert_eq!(clock.stamp(1_000, secs(5.0), at(5.0)).0, Duration::ZERO);
        assert!(close(clock.stamp(91_000, secs(6.3), at(6.3)).0, secs(1.0)));
    }

    #[test]
    fn tracks_start_where_the_server_says_if_that_can_be() {
        for (elapsed, arrival, expected) in [
            (0.5, 0.1, 0.5),
            (0.0, 0.1, 0.0),
            (0.0, 1.1, 1.1),
            (-1.0, 0.1, 0.1),
            (3_600.0, 0.1, 0.1),
        ] {
            let mut clock = MediaClock::new(8_000);
            clock.start(elapsed, secs(arrival));
            assert!(close(
                clock.stamp(800, secs(arrival), at(0.0)).0,
                secs(expected)
            ));
            let next = clock.stamp(8_800, secs(arrival + 1.0), at(1.0)).0;
            assert!(close(next, secs(expected + 1.0)));
        }
    }

    #[test]
    fn sender_reports_tell_how_tracks_belong_together() {
        // The camera's clock is an hour wrong, in both tracks alike.
        let (mut video, mut sound) = (MediaClock::new(90_000), MediaClock::new(8_000));
        video.stamp(0, secs(0.0), at(0.0));
        sound.stamp(0, secs(0.0), at(0.0));
        video.sender_report(90_000, at(3_601.0), at(1.0));
        assert!(!sound.is_placed());
        sound.align(&video);
        assert!(close(sound.stamp(4_000, secs(0.5), at(0.5)).0, secs(0.5)));
        // What both clocks call 3601 is second 1 of the picture and 0.7 of the sound.
        sound.sender_report(5_600, at(3_601.0), at(1.0));
        sound.align(&video);
        assert!(close(sound.stamp(8_000, secs(1.0), at(1.0)).0, secs(1.3)));
        sound.align(&video);
        assert!(close(sound.stamp(16_000, secs(2.0), at(2.0)).0, secs(2.3)));
        assert_eq!(video.stamp(180_000, secs(2.0), at(2.0)).0, secs(2.0));
    }

    #[test]
    fn tracks_that_cannot_belong_together_are_left_alone() {
        let (mut video, mut sound) = (MediaClock::new(90_000), MediaClock::new(8_000));
        video.stamp(0, secs(0.0), at(0.0));
        sound.stamp(0, secs(0.0), at(0.0));
        video.sender_report(0, at(0.0), at(0.0));
        sound.sender_report(0, at(3_600.0), at(0.0));
        sound.align(&video);
        assert!(close(sound.stamp(8_000, secs(1.0), at(1.0)).0, secs(1.0)));
    }

    #[test]
    fn frames_out_of_display_order_go_back_a_little() {
        let mut clock = MediaClock::new(90_000);
        clock.stamp(0, secs(0.0), at(0.0));
        assert!(close(
            clock.stamp(10_800, secs(0.04), at(0.04)).0,
            secs(0.12)
        ));
        assert!(close(
            clock.stamp(3_600, secs(0.08), at(0.08)).0,
            secs(0.04)
        ));
    }

    #[test]
    fn a_jump_of_the_timestamps_does_not_show_in_presentation_time() {
        for jump in [-90_000_000i64, 90_000_000] {
            let mut clock = MediaClock::new(90_000);
            clock.stamp(0, secs(0.0), at(0.0));
            clock.stamp(90_000, secs(1.0), at(1.0));
            assert!(close(clock.stamp(jump, secs(2.0), at(2.0)).0, secs(2.0)));
            assert!(close(
                clock.stamp(jump + 90_000, secs(3.0), at(3.0)).0,
                secs(3.0)
            ));
        }
    }

    #[test]
    fn real_time_comes_from_sane_sender_reports() {
        let mut clock = MediaClock::new(90_000);
        clock.sender_report(90_000, at(1.5), at(1.6));
        let (_, wall) = clock.stamp(180_000, secs(1.0), at(2.8));
        assert_eq!(
            wall,
            WallClock {
                time: at(2.5),
                origin: TimeOrigin::SenderReport
            }
        );
    }

    #[test]
    fn a_camera_whose_clock_is_wrong_is_not_believed() {
        let mut clock = MediaClock::new(90_000);
        clock.sender_report(0, at(3_600.0), at(0.0));
        assert_eq!(
            clock.stamp(0, secs(0.0), at(0.0)).1,
            WallClock {
                time: at(0.0),
                origin: TimeOrigin::Receipt
            }
        );
    }

    #[test]
    fn drift_since_the_last_report_ends_the_trust() {
        let mut clock = MediaClock::new(90_000);
        clock.sender_report(0, at(0.0), at(0.0));
        let (_, wall) = clock.stamp(90_000, secs(0.0), at(9.0));
        assert_eq!(wall.origin, TimeOrigin::Receipt);
    }

    #[test]
    fn ntp_time_is_converted() {
        assert_eq!(
            from_ntp(2_208_988_800 << 32 | 1 << 31),
            Some(SystemTime::UNIX_EPOCH + Duration::from_millis(500))
        );
        assert_eq!(from_ntp(17 << 32), None);
        let half = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(to_ntp(half), 2_208_988_801 << 32 | 1 << 31);
    }
}
