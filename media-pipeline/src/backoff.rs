//! Delays between attempts: exponential with full jitter. Pure, and repeatable from a seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Produces the delays of one series of attempts.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
    random: StdRng,
}

impl Backoff {
    /// The n-th delay is drawn evenly from zero to `first` times 2^n, at most `longest`.
    pub(crate) fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        Self {
            first,
            longest,
            attempts: 0,
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// The delay before the next attempt.
    pub(crate) fn delay(&mut self) -> Duration {
        let ceiling = self
            .first
            .saturating_mul(1u32.checked_shl(self.attempts).unwrap_or(u32::MAX))
            .min(self.longest);
        self.attempts = self.attempts.saturating_add(1);
        self.random.random_range(Duration::ZERO..=ceiling)
    }

    /// The delay when there is no hope without somebody's help: the upper half of the longest one.
    pub(crate) fn long_delay(&mut self) -> Duration {
        self.attempts = self.attempts.saturating_add(1);
        self.random.random_range(self.longest / 2..=self.longest)
    }

    /// Starts again from the first delay, after a success.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(seed: u64) -> Backoff {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(60), seed)
    }

    #[test]
    fn delays_stay_under_a_ceiling_that_doubles_up_to_the_longest() {
        for seed in 0..200 {
            let mut backoff = backoff(seed);
            for ceiling in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
                assert!(backoff.delay() <= Duration::from_secs(ceiling));
            }
        }
    }

    #[test]
    fn delays_are_spread_over_the_whole_range() {
        let delays: Vec<_> = (0..200).map(|seed| backoff(seed).delay()).collect();
        assert!(delays.iter().any(|d| *d < Duration::from_millis(100)));
        assert!(delays.iter().any(|d| *d > Duration::from_millis(900)));
    }

    #[test]
    fn the_same_seed_gives_the_same_delays() {
        let (mut a, mut b) = (backoff(7), backoff(7));
        for _ in 0..20 {
            assert_eq!(a.delay(), b.delay());
        }
    }

    #[test]
    fn reset_starts_from_the_first_delay() {
        let mut backoff = backoff(3);
        for _ in 0..40 {
            backoff.delay();
        }
        backoff.reset();
        assert!(backoff.delay() <= Duration::from_secs(1));
    }
}
