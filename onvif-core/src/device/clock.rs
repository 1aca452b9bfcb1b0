use std::time::SystemTime;

use crate::xml::date;
use crate::{operation, soap_reply};

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
        /// `Manual` or `NTP`.
        date_time_type: Option<String> = "DateTimeType",
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

soap_reply! {
    /// A time zone.
    pub struct TimeZone in "tt" {
        /// In POSIX form, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
        tz: Option<String> = "TZ",
    }
}

soap_reply! {
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

soap_reply! {
    /// A time of day.
    pub struct Time in "tt" {
        /// Hour.
        hour: Option<i32> = "Hour",
        /// Minute.
        minute: Option<i32> = "Minute",
        /// Second.
        second: Option<i32> = "Second",
    }
}

soap_reply! {
    /// A day.
    pub struct Date in "tt" {
        /// Year.
        year: Option<i32> = "Year",
        /// Month.
        month: Option<i32> = "Month",
        /// Day.
        day: Option<i32> = "Day",
    }
}
