use std::time::SystemTime;

use super::DeviceClient;
use crate::error::Error;
use crate::xml::date;
use crate::{operation, soap_enum, soap_reply, soap_type};

impl DeviceClient<'_> {
    /// What the camera's clock says, in UTC; `None` when it does not tell. The specification calls
    /// the field UTC; some firmware puts local time there.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetSystemDateAndTime")]
    pub async fn system_date_and_time(&self) -> Result<Option<SystemTime>, Error> {
        Ok(self.camera.call(&GetSystemDateAndTime {}).await?.utc())
    }

    /// Sets the clock, or where it is set from: [`SetSystemDateAndTime::manual`] or
    /// [`SetSystemDateAndTime::ntp`]. The offset this client measured when it connected is not measured anew, so
    /// connect again where requests carry a WS-UsernameToken.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "SetSystemDateAndTime")]
    pub async fn set_system_date_and_time(
        &self,
        setting: &SetSystemDateAndTime,
    ) -> Result<(), Error> {
        self.camera.call(setting).await
    }
}

operation! {
    /// Asks what the camera's clock says.
    pub struct GetSystemDateAndTime in "tds" {} -> GetSystemDateAndTimeResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetSystemDateAndTime", PreAuth, Read
}

soap_reply! {
    /// The reply to [`GetSystemDateAndTime`].
    pub struct GetSystemDateAndTimeResponse in "tds" {
        /// The clock.
        system_date_and_time: Option<SystemDateAndTime> = "SystemDateAndTime",
    }
}

impl GetSystemDateAndTimeResponse {
    /// The moment in the UTC field, if it is one.
    pub fn utc(&self) -> Option<SystemTime> {
        self.system_date_and_time.as_ref()?.utc.as_ref()?.moment()
    }
}

soap_reply! {
    /// The clock of a camera.
    pub struct SystemDateAndTime in "tt" {
        /// What sets it.
        date_time_type: Option<SetDateTimeType> = "DateTimeType",
        /// Whether daylight saving is in force.
        daylight_savings: Option<bool> = "DaylightSavings",
        /// The time zone.
        time_zone: Option<TimeZone> = "TimeZone",
        /// Universal time.
        utc: Option<DateTime> = "UTCDateTime",
        /// Local time.
        local: Option<DateTime> = "LocalDateTime",
    }
}

operation! {
    /// Sets the clock.
    pub struct SetSystemDateAndTime in "tds" {
        /// What sets it from now on.
        date_time_type: SetDateTimeType = "DateTimeType",
        /// Whether daylight saving applies by the rules of the time zone.
        daylight_savings: bool = "DaylightSavings",
        /// The time zone; without it the camera keeps its own.
        time_zone: Option<TimeZone> = "TimeZone",
        /// Universal time; needed with [`SetDateTimeType::Manual`], ignored with NTP.
        utc: Option<DateTime> = "UTCDateTime",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetSystemDateAndTime", WriteSystem, Write
}

impl SetSystemDateAndTime {
    /// Sets the clock to `time` (whole seconds); the time zone stays.
    pub fn manual(time: SystemTime) -> Self {
        Self {
            date_time_type: SetDateTimeType::Manual,
            daylight_savings: false,
            time_zone: None,
            utc: Some(DateTime::from(time)),
        }
    }

    /// Has the clock follow the NTP servers; the time zone stays.
    pub fn ntp() -> Self {
        Self {
            date_time_type: SetDateTimeType::Ntp,
            daylight_savings: false,
            time_zone: None,
            utc: None,
        }
    }
}

soap_enum! {
    /// What sets a clock.
    pub enum SetDateTimeType {
        /// A client.
        Manual = "Manual",
        /// NTP servers.
        Ntp = "NTP",
    }
}

soap_type! {
    /// A time zone.
    pub struct TimeZone in "tt" {
        /// In POSIX form, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
        tz: Option<String> = "TZ",
    }
}

soap_type! {
    /// Date and time in parts, as the camera gives them.
    pub struct DateTime in "tt" {
        /// Time of day.
        time: Option<Time> = "Time",
        /// Day.
        date: Option<Date> = "Date",
    }
}

impl DateTime {
    /// The moment, when the parts are taken as UTC. Parts beyond their range carry over.
    pub fn moment(&self) -> Option<SystemTime> {
        let (date, time) = (self.date.as_ref()?, self.time.as_ref()?);
        date::from_parts(
            date.year?,
            date.month?,
            date.day?,
            time.hour?,
            time.minute?,
            time.second.unwrap_or(0),
        )
    }
}

/// The parts of the moment in UTC; those of 1970-01-01 for a moment before it or after 9999.
impl From<SystemTime> for DateTime {
    fn from(moment: SystemTime) -> Self {
        let parts = date::parts(moment);
        Self {
            time: Some(Time {
                hour: Some(parts.hour),
                minute: Some(parts.minute),
                second: Some(parts.second),
            }),
            date: Some(Date {
                year: Some(parts.year),
                month: Some(parts.month),
                day: Some(parts.day),
            }),
        }
    }
}

soap_type! {
    /// A time of day.
    pub struct Time in "tt" {
        /// Hour, 0 to 23.
        hour: Option<i32> = "Hour",
        /// Minute, 0 to 59.
        minute: Option<i32> = "Minute",
        /// Second, 0 to 61.
        second: Option<i32> = "Second",
    }
}

soap_type! {
    /// A day.
    pub struct Date in "tt" {
        /// Year.
        year: Option<i32> = "Year",
        /// Month, from 1.
        month: Option<i32> = "Month",
        /// Day of the month, from 1.
        day: Option<i32> = "Day",
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_moment_is_taken_apart_and_put_together() {
        let moment = UNIX_EPOCH + Duration::from_secs(1_709_210_096);
        let parts = DateTime::from(moment);
        assert_eq!(parts.moment(), Some(moment));
        assert_eq!(parts.date.unwrap().day, Some(29));
    }
}
