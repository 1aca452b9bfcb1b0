//! Small types of the common schema that several services use.

use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::xml::{FromText, date};
use crate::{soap_token, soap_type};

soap_token! {
    /// Names something on the camera that has no token type of its own.
    pub struct ReferenceToken;
}

soap_type! {
    /// A range of whole numbers.
    #[derive(Copy, Eq)]
    pub struct IntRange in "tt" {
        /// Smallest value.
        min: Option<i32> = "Min",
        /// Largest value.
        max: Option<i32> = "Max",
    }
}

soap_type! {
    /// A range of numbers.
    #[derive(Copy)]
    pub struct FloatRange in "tt" {
        /// Smallest value.
        min: Option<f32> = "Min",
        /// Largest value.
        max: Option<f32> = "Max",
    }
}

soap_type! {
    /// A range of durations.
    #[derive(Copy, Eq)]
    pub struct DurationRange in "tt" {
        /// Shortest.
        min: Option<crate::xml::IsoDuration> = "Min",
        /// Longest.
        max: Option<crate::xml::IsoDuration> = "Max",
    }
}

soap_type! {
    /// An area of a picture in pixels.
    #[derive(Copy, Eq)]
    pub struct IntRectangle in "tt" [
        /// Left edge.
        x: Option<i32> = "x",
        /// Top edge.
        y: Option<i32> = "y",
        /// Width.
        width: Option<i32> = "width",
        /// Height.
        height: Option<i32> = "height",
    ] {}
}

soap_type! {
    /// Where an area of a picture may lie, in pixels.
    #[derive(Copy, Eq)]
    pub struct IntRectangleRange in "tt" {
        /// Left edge.
        x_range: Option<IntRange> = "XRange",
        /// Top edge.
        y_range: Option<IntRange> = "YRange",
        /// Width.
        width_range: Option<IntRange> = "WidthRange",
        /// Height.
        height_range: Option<IntRange> = "HeightRange",
    }
}

soap_type! {
    /// An area in normalised coordinates: -1 to 1, the y axis upwards (ONVIF Core, "Spatial relation").
    #[derive(Copy)]
    pub struct Rectangle in "tt" [
        /// Bottom edge.
        bottom: Option<f32> = "bottom",
        /// Top edge.
        top: Option<f32> = "top",
        /// Right edge.
        right: Option<f32> = "right",
        /// Left edge.
        left: Option<f32> = "left",
    ] {}
}

soap_type! {
    /// A list of whole numbers.
    #[derive(Eq)]
    pub struct IntItems in "tt" {
        /// The numbers.
        items: Vec<i32> = "Items",
    }
}

/// A list of words, numbers among them, that is written with spaces between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Words(pub Vec<String>);

impl Words {
    /// The words that are values of a type, such as the numbers of `25 12.5`.
    pub fn parsed<T: FromText>(&self) -> Vec<T> {
        let words = self.0.iter();
        words.filter_map(|word| T::from_text(word)).collect()
    }
}

impl FromText for Words {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.split_whitespace().map(str::to_owned).collect()))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

crate::__soap_text_value!(Words);
crate::__soap_write_text!(Words);

/// An `xs:dateTime`, written in UTC with milliseconds and a `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoDateTime(pub SystemTime);

impl FromText for IsoDateTime {
    fn from_text(text: &str) -> Option<Self> {
        date::parse_date_time(text).map(Self)
    }
}

impl fmt::Display for IsoDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&date::format_date_time(self.0))
    }
}

crate::__soap_text_value!(IsoDateTime);
crate::__soap_write_text!(IsoDateTime);

/// Bytes that are written as `xs:base64Binary`: certificates, logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Binary(pub Bytes);

impl FromText for Binary {
    fn from_text(text: &str) -> Option<Self> {
        // Cameras break the lines.
        let compact: String = text.split_whitespace().collect();
        let bytes = STANDARD.decode(compact).ok()?;
        Some(Self(bytes.into()))
    }
}

impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

crate::__soap_text_value!(Binary);
crate::__soap_write_text!(Binary);

/// A text that is a secret: `Debug` leaves it out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromText for Secret {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

crate::__soap_text_value!(Secret);
crate::__soap_write_text!(Secret, Secret::expose);

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_secret_is_written_but_not_shown() {
        crate::soap_type! {
            #[doc = "A user."]
            pub struct Login in "tt" { password: Option<Secret> = "Password" }
        }
        let login = Login {
            password: Some("p<w".into()),
        };
        let body = crate::xml::to_body(&login).unwrap();
        assert_eq!(
            body,
            "<tt:Login><tt:Password>p&lt;w</tt:Password></tt:Login>"
        );
        assert!(!format!("{login:?}").contains("p<w"));
    }

    #[test]
    fn lists_are_read_with_any_space_and_written_with_one() {
        let words = Words::from_text(" 25  12.5\nx ").unwrap();
        assert_eq!(words.to_string(), "25 12.5 x");
        assert_eq!(words.parsed::<f32>(), [25.0, 12.5]);
    }

    #[test]
    fn dates_and_bytes_are_read_as_they_are_written() {
        let date = IsoDateTime(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123));
        assert_eq!(IsoDateTime::from_text(&date.to_string()), Some(date));
        let bytes = Binary(Bytes::from_static(b"certificate"));
        assert_eq!(Binary::from_text(&bytes.to_string()), Some(bytes.clone()));
        assert_eq!(Binary::from_text("Y2VydGlm\r\n aWNhdGU="), Some(bytes));
    }
}
