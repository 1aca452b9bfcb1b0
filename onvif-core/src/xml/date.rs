//! Dates and durations: written strictly, read as cameras write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// Writes a moment as `2026-11-21T10:30:05.123Z`: always UTC, milliseconds and `Z`, because some
/// cameras refuse offsets and others refuse long fractions.
pub fn format_date_time(time: SystemTime) -> String {
    let Parts {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = parts(time);
    let milliseconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

/// A moment in UTC, taken apart.
pub(crate) struct Parts {
    pub(crate) year: i32,
    pub(crate) month: i32,
    pub(crate) day: i32,
    pub(crate) hour: i32,
    pub(crate) minute: i32,
    pub(crate) second: i32,
}

/// The parts of a moment in UTC; those of 1970-01-01 for one before it or after 9999.
pub(crate) fn parts(time: SystemTime) -> Parts {
    const LAST: u64 = 253_402_300_799; // 9999-12-31T23:59:59Z
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let seconds = if seconds > LAST { 0 } else { seconds as i64 };
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let of_day = seconds.rem_euclid(DAY) as i32;
    Parts {
        year,
        month,
        day,
        hour: of_day / 3600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
    }
}

/// Reads an `xs:dateTime` leniently: a blank or `-` for the `T`, `/` for `-`, minutes of 60 and more,
/// missing seconds or zone (taken as UTC), fractions of any length. `None` for what is no date at all.
pub fn parse_date_time(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let (date, rest) = split_date(text)?;
    let mut time = rest.trim_start_matches(['T', 't', ' ', '-']).trim();
    let mut offset = 0;
    let utc = ["Z", "z", "UTC", "GMT"];
    if let Some(stripped) = utc.iter().find_map(|name| time.strip_suffix(name)) {
        time = stripped;
    } else if let Some(at) = time.rfind(['+', '-']) {
        let zone = time[at + 1..].trim();
        let (hours, minutes) = match zone.split_once(':') {
            Some(parts) => parts,
            // `+0800`
            None if zone.len() == 4 => zone.split_at_checked(2)?,
            None => (zone, "0"),
        };
        offset = number(hours)?.checked_mul(3600)? + number(minutes)?.checked_mul(60)?;
        if time.as_bytes()[at] == b'-' {
            offset = -offset;
        }
        time = &time[..at];
    }
    let mut parts = time.trim().splitn(3, ':');
    let hours = parts
        .next()
        .filter(|part| !part.is_empty())
        .map_or(Some(0), number)?;
    let minutes = parts.next().map_or(Some(0), number)?;
    let (seconds, fraction) = parts.next().map_or(("0", ""), |part| {
        part.split_once(['.', ',']).unwrap_or((part, ""))
    });
    let nanoseconds = fraction
        .bytes()
        .take(9)
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .try_fold(0u32, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + u32::from(digit - b'0'))
        })?;
    moment(date, hours, minutes, number(seconds)?, offset, nanoseconds)
}

/// A moment from the parts that `GetSystemDateAndTime` gives. Hours, minutes and seconds beyond
/// their range carry over.
pub(crate) fn from_parts(
    year: i32,
    month: i32,
    day: i32,
    hour: i32,
    minute: i32,
    second: i32,
) -> Option<SystemTime> {
    let date = days(year, month, day)?;
    moment(date, hour.into(), minute.into(), second.into(), 0, 0)
}

/// Reads an `xs:duration` such as `PT1M30.5S`. Months count 30 days, years 365. `None` for
/// negative durations and for what is no duration.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim().strip_prefix(['P', 'p'])?;
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0f64;
    let mut in_time = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix(['T', 't']) {
            in_time = true;
            rest = time;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..end].parse().ok()?;
        let unit = match (rest[end..].chars().next()?.to_ascii_uppercase(), in_time) {
            ('Y', _) => 365.0 * 86_400.0,
            ('M', false) => 30.0 * 86_400.0,
            ('W', _) => 7.0 * 86_400.0,
            ('D', _) => 86_400.0,
            ('H', _) => 3_600.0,
            ('M', true) => 60.0,
            ('S', _) => 1.0,
            _ => return None,
        };
        seconds += amount * unit;
        rest = &rest[end + 1..];
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// Writes a duration in seconds, with at most millisecond precision: `PT600S`, `PT1.5S`.
pub fn format_duration(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("PT{}S", duration.as_secs()),
        ms => format!(
            "PT{}.{}S",
            duration.as_secs(),
            format!("{ms:03}").trim_end_matches('0')
        ),
    }
}

/// The day, counted from 1970-01-01, and what follows it.
fn split_date(text: &str) -> Option<(i64, &str)> {
    let mut parts = text.splitn(3, ['-', '/']);
    let (first, second, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (third, rest) = rest.split_at(end);
    // `06-11-2021T…` is what some firmware sends in `UtcTime`: day, month, year.
    let (year, month, day) = if third.len() == 4 {
        (third, second, first)
    } else {
        (first, second, third)
    };
    let date = days(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    Some((date, rest))
}

fn moment(
    days: i64,
    hours: i64,
    minutes: i64,
    seconds: i64,
    offset: i64,
    nanoseconds: u32,
) -> Option<SystemTime> {
    let total = days * DAY + hours.checked_mul(3600)? + minutes.checked_mul(60)? + seconds - offset;
    UNIX_EPOCH.checked_add(Duration::new(u64::try_from(total).ok()?, nanoseconds))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; `None` for what is no date, for one before, and after 9999.
///
/// Years are counted from March, so that the day that not every year has is the last.
fn days(year: i32, month: i32, day: i32) -> Option<i64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let (from_march, years) = if month > 2 {
        (month - 3, year)
    } else {
        (month + 9, year - 1)
    };
    let leap_days = years / 4 - years / 100 + years / 400;
    let days = years * 365 + leap_days + (from_march * 153 + 2) / 5 + day - 1 - TO_1970;
    let days = i64::from(days);
    // The 31st of a month that has 30 days is the first of the next.
    (civil(days) == (year, month, day)).then_some(days)
}

/// Days from March of the year 0 to 1970-01-01.
const TO_1970: i32 = 719_468;

/// Year, month and day of a count of [`days`].
fn civil(days: i64) -> (i32, i32, i32) {
    const ERA: i64 = 146_097; // days in 400 years
    let days = days + i64::from(TO_1970);
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + of_era_year + i64::from(month <= 2);
    (year as i32, month as i32, day as i32)
}

fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    // Six digits are enough for every part, and keep the sums far from overflow.
    if text.len() > 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
        None
    } else {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn dates_are_read_as_cameras_write_them() {
        let expected = at(1_712_592_109); // 2024-04-08T16:01:49Z
        for text in [
            "2024-04-08T16:01:49Z",
            "2024-04-08 16:01:49",
            " 2024-04-08T16:01:49 ",
            "2024-04-08-16:01:49",
            "2024-4-8T16:1:49Z",
            "2024-04-08T15:61:49Z",
            "2024-04-08T18:01:49+02:00",
            "2024-04-08T12:01:49-0400",
            "2024-04-09T00:01:49 +0800",
            "2024-04-08T21:31:49+05:30",
            "2024-04-08T16:01:49 UTC",
            "2024/04/08 16:01:49",
            "2024-04-08T16:01:49,000Z",
            "08-04-2024T16:01:49Z",
        ] {
            assert_eq!(parse_date_time(text), expected, "{text}");
        }
        assert_eq!(parse_date_time("2024-04-08"), at(1_712_534_400));
        assert_eq!(
            parse_date_time("2024-04-08T16:01:49.5Z"),
            expected.map(|time| time + Duration::from_millis(500))
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "0000-00-00T00:00:00Z",
            "null",
            "2024",
            "-",
            "2024-13-01",
            "2024-04-08Tab:cd",
            "99999999999-1-1",
            "2024-04-08T16:01:49+9999999",
            "2024-04-08T16:01:49+\u{e9}\u{e9}",
            "2024-04-08T16:01:49.x",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2024-04-0T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_date_time(text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_written_with_milliseconds_and_z() {
        let time = UNIX_EPOCH + Duration::from_millis(1_712_592_109_007);
        assert_eq!(format_date_time(time), "2024-04-08T16:01:49.007Z");
    }

    #[test]
    fn every_day_of_the_calendar_goes_both_ways() {
        let mut next = 0;
        for year in 1970..=9999 {
            for month in 1..=12 {
                let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
                let length = match month {
                    2 => 28 + i32::from(leap),
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                for day in 1..=length {
                    assert_eq!(days(year, month, day), Some(next));
                    assert_eq!(civil(next), (year, month, day));
                    next += 1;
                }
                assert_eq!(days(year, month, length + 1), None);
            }
        }
    }

    #[test]
    fn a_moment_beyond_what_a_camera_can_read_is_written_as_1970() {
        for time in [
            UNIX_EPOCH - Duration::from_millis(1_500),
            UNIX_EPOCH + Duration::from_secs(253_402_300_800),
        ] {
            assert!(format_date_time(time).starts_with("1970-01-01T00:00:00."));
        }
        let last = UNIX_EPOCH + Duration::from_millis(253_402_300_799_999);
        assert_eq!(format_date_time(last), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn durations_go_both_ways() {
        assert_eq!(
            parse_duration("PT1M30.5S"),
            Some(Duration::from_millis(90_500))
        );
        assert_eq!(parse_duration("P1DT1H"), Some(Duration::from_secs(90_000)));
        assert_eq!(
            parse_duration("P1M"),
            Some(Duration::from_secs(30 * 86_400))
        );
        for text in ["", "P", "-PT5S", "PT5", "10", "PTxS", "PT1e400S"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(format_duration(Duration::from_secs(600)), "PT600S");
        assert_eq!(format_duration(Duration::from_millis(1_500)), "PT1.5S");
    }
}
