//! Durations on the command line.

use std::time::Duration;

/// Nothing here is meant to take longer than a day.
const LONGEST: f64 = 86_400.0;

/// Reads seconds such as `5` or `0.5`.
pub fn parse(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= LONGEST => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!(
            "give seconds, more than 0 and no more than {LONGEST}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_have_fractions() {
        assert_eq!(parse("0.5"), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn what_is_no_span_of_time_is_refused() {
        for text in ["0", "-1", "NaN", "inf", "1e9", "soon", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
