//! When to try again: pure, with randomness passed in.

use std::time::Duration;

use crate::ErrorKind;

/// How long to wait between attempts that fail.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryOptions {
    /// The upper bound of the first wait; it doubles with each failure. Default 1 s.
    pub first: Duration,
    /// The upper bound of every wait. Default 60 s.
    pub longest: Duration,
    /// The wait after refused credentials, so that no account is locked. Default 5 min.
    pub unauthorized: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            unauthorized: Duration::from_secs(300),
        }
    }
}

/// Counts failures in a row.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    options: RetryOptions,
    failures: u32,
}

impl Retry {
    pub(crate) fn new(options: RetryOptions) -> Self {
        Self {
            options,
            failures: 0,
        }
    }

    /// Forgets the failures: something worked.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after a failure of this kind; `None` where only a changed specification can help.
    ///
    /// Full jitter: evenly between nothing and a bound that doubles, so that a thousand cameras that come back at once
    /// are not met at once. `random` is in `[0, 1)`.
    pub(crate) fn after(&mut self, kind: ErrorKind, random: f64) -> Option<Duration> {
        match kind {
            ErrorKind::Configuration | ErrorKind::Unsupported | ErrorKind::InvalidPayload => None,
            ErrorKind::Unauthorized => Some(self.options.unauthorized),
            _ => {
                let bound = self
                    .options
                    .first
                    .saturating_mul(1 << self.failures.min(16))
                    .min(self.options.longest);
                self.failures = self.failures.saturating_add(1);
                Some(bound.mul_f64(random))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut retry = Retry::new(RetryOptions::default());
        let bounds: Vec<u64> = (0..8)
            .filter_map(|_| retry.after(ErrorKind::Unavailable, 1.0))
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 60, 60]);
        retry.reset();
        assert_eq!(
            retry.after(ErrorKind::Device, 0.5),
            Some(Duration::from_millis(500))
        );
    }

    #[test]
    fn refused_credentials_wait_for_minutes() {
        let mut retry = Retry::new(RetryOptions::default());
        assert_eq!(
            retry.after(ErrorKind::Unauthorized, 0.0),
            Some(Duration::from_secs(300))
        );
    }

    #[test]
    fn what_an_operator_must_change_is_not_tried_again() {
        let mut retry = Retry::new(RetryOptions::default());
        assert_eq!(retry.after(ErrorKind::Configuration, 0.5), None);
        assert_eq!(retry.after(ErrorKind::Unsupported, 0.5), None);
    }
}
