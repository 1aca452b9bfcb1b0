//! When a datagram is sent again (SOAP-over-UDP, September 2004, appendix I). Pure.

use std::time::Duration;

/// `UDP_MIN_DELAY` and `UDP_MAX_DELAY`: the first pause is anything between.
pub(super) const FIRST_PAUSE: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_millis(250));
/// `UDP_UPPER_DELAY`: pauses double up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// More repetitions than these help nobody.
const MAX_REPEATS: u32 = 8;

/// When a datagram is sent, counted from the first time.
pub(super) fn transmissions(first_pause: Duration, repeats: u32) -> Vec<Duration> {
    let mut times = vec![Duration::ZERO];
    let (mut time, mut pause) = (Duration::ZERO, first_pause);
    for _ in 0..repeats.min(MAX_REPEATS) {
        time += pause;
        times.push(time);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_second() {
        let times = transmissions(Duration::from_millis(200), 4);
        let milliseconds: Vec<_> = times.iter().map(Duration::as_millis).collect();
        assert_eq!(milliseconds, [0, 200, 600, 1100, 1600]);
        assert_eq!(
            transmissions(Duration::from_millis(50), 0),
            [Duration::ZERO]
        );
        assert_eq!(transmissions(Duration::ZERO, u32::MAX).len(), 9);
    }
}
