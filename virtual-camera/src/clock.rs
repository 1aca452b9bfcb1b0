//! The camera's own clock, and times and durations as XML Schema writes them.

use std::time::{Duration, Instant};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit};

/// A clock that may be wrong, and may be set.
#[derive(Debug)]
pub(crate) struct Clock {
    offset: SignedDuration,
}

impl Clock {
    pub(crate) fn new(offset_seconds: i64) -> Self {
        Self {
            offset: SignedDuration::from_secs(offset_seconds),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
            .saturating_add(self.offset)
            .unwrap_or(Timestamp::MAX)
    }

    /// What the clock shows at an instant, which may be to come.
    pub(crate) fn at(&self, instant: Instant) -> Timestamp {
        let now = Instant::now();
        let distance = |d: Duration| SignedDuration::try_from(d).unwrap_or(SignedDuration::MAX);
        let distance = match instant.checked_duration_since(now) {
            Some(ahead) => distance(ahead),
            None => -distance(now - instant),
        };
        self.now()
            .saturating_add(distance)
            .unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn set(&mut self, time: Timestamp) {
        self.offset = time.duration_since(Timestamp::now());
    }
}

/// An `xs:dateTime` in UTC with milliseconds.
pub(crate) fn write_timestamp(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Reads an `xs:dateTime`; without a zone it is UTC.
pub(crate) fn read_timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let time: DateTime = text.parse().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

/// Reads an `xs:duration` up to days; days have 24 hours.
pub(crate) fn read_duration(text: &str) -> Option<Duration> {
    let span: Span = text.starts_with('P').then(|| text.parse().ok())??;
    let seconds = span
        .total((Unit::Second, SpanRelativeTo::days_are_24_hours()))
        .ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_xml_schema_writes_them() {
        assert_eq!(read_duration("PT10S"), Some(Duration::from_secs(10)));
        assert_eq!(
            read_duration("P1DT1H0.5S"),
            Some(Duration::from_millis(90_000_500))
        );
        for text in ["", "10", "P", "-PT1S", "P1M"] {
            assert_eq!(read_duration(text), None, "{text}");
        }
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        let time = read_timestamp("2026-01-02T03:04:05").unwrap();
        assert_eq!(write_timestamp(time), "2026-01-02T03:04:05.000Z");
        assert_eq!(read_timestamp("2026-01-02T05:04:05+02:00"), Some(time));
        assert_eq!(read_timestamp("yesterday"), None);
    }

    #[test]
    fn a_clock_can_be_set() {
        let mut clock = Clock::new(-3600);
        let time = read_timestamp("2001-01-01T00:00:00Z").unwrap();
        clock.set(time);
        assert!(clock.now().duration_since(time) < SignedDuration::from_secs(10));
    }
}
