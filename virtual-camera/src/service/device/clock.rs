//! Date and time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::settings::{bad_value, boolean};
use crate::clock::Clock;
use crate::service::Call;
use crate::soap::Fault;
use crate::state::lock;

#[derive(Debug)]
pub(crate) struct ClockSettings {
    pub from_ntp: bool,
    pub daylight_savings: bool,
    /// In POSIX form.
    pub time_zone: String,
}

impl Default for ClockSettings {
    fn default() -> Self {
        Self {
            from_ntp: false,
            daylight_savings: false,
            time_zone: "UTC0".to_owned(),
        }
    }
}

impl ClockSettings {
    /// What the clock says on the wall.
    pub(super) fn local(&self, now: Timestamp) -> DateTime {
        let zone = TimeZone::posix(&self.time_zone).unwrap_or(TimeZone::UTC);
        now.to_zoned(zone).datetime()
    }
}

pub(super) fn set(call: &Call<'_>) -> Result<(), Fault> {
    let from_ntp = match call.argument("DateTimeType")? {
        "NTP" => true,
        "Manual" => false,
        other => return Err(bad_value(format!("DateTimeType cannot be {other}"))),
    };
    let daylight_savings = boolean(call.request, "DaylightSavings")?;
    let zone = call.request.child("TimeZone");
    let zone = zone.map(|zone| zone.text_of("TZ").unwrap_or_default());
    if let Some(zone) = zone.filter(|zone| TimeZone::posix(zone).is_err()) {
        let reason = format!("{zone} is no POSIX time zone");
        return Err(Fault::invalid_value("InvalidTimeZone", reason));
    }
    let mut settings = lock(&call.camera.device);
    if from_ntp {
        if !settings.naming.has_ntp() {
            let reason = "there is no NTP server";
            return Err(Fault::invalid_value("NtpServerUndefined", reason));
        }
        *lock(&call.camera.clock) = Clock::new(call.camera.quirks().clock_offset);
    } else {
        let time = manual_time(call).ok_or_else(|| {
            Fault::invalid_value("InvalidDateTime", "UTCDateTime is not a date and time")
        })?;
        lock(&call.camera.clock).set(time);
    }
    settings.clock.from_ntp = from_ntp;
    settings.clock.daylight_savings = daylight_savings;
    if let Some(zone) = zone {
        zone.clone_into(&mut settings.clock.time_zone);
    }
    Ok(())
}

fn manual_time(call: &Call<'_>) -> Option<Timestamp> {
    let utc = call.request.child("UTCDateTime")?;
    let number = |part: &str, name: &str| utc.child(part)?.text_of(name)?.parse::<i16>().ok();
    let small = |part, name| i8::try_from(number(part, name)?).ok();
    let time = DateTime::new(
        number("Date", "Year")?,
        small("Date", "Month")?,
        small("Date", "Day")?,
        small("Time", "Hour")?,
        small("Time", "Minute")?,
        small("Time", "Second")?,
        0,
    );
    Some(time.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
