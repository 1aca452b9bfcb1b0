use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::date;
use super::reader::{DecodeError, Element};

/// A type that can be read from an element.
pub trait Decode: Sized {
    /// Reads the element. What is not consumed is skipped.
    ///
    /// # Errors
    /// When the document is broken, or something is missing that the type cannot do without.
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError>;

    /// Whether the value stands for nothing, as an empty string does where text is optional.
    fn is_absent(&self) -> bool {
        false
    }
}

/// The reply of an operation that returns nothing.
impl Decode for () {
    fn decode(_: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

/// Keeps what holds it small: a value is moved several times until the reply is whole.
impl<T: Decode> Decode for Box<T> {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        T::decode(element).map(Self::new)
    }

    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

/// A field that child elements fill: `T` (required), `Option<T>` or `Vec<T>`.
pub trait Field: Sized {
    /// What is known while the parent is being read.
    type Slot: Default;

    /// Takes one child element.
    ///
    /// # Errors
    /// When the document is broken. A value that cannot be used leaves an optional field empty.
    fn read(slot: &mut Self::Slot, element: &mut Element<'_, '_>) -> Result<(), DecodeError>;

    /// The value, once the parent has ended.
    ///
    /// # Errors
    /// [`DecodeError::Missing`] for a required field.
    fn finish(slot: Self::Slot, name: &'static str) -> Result<Self, DecodeError>;
}

impl<T: Decode> Field for Option<T> {
    type Slot = Option<T>;

    fn read(slot: &mut Self::Slot, element: &mut Element<'_, '_>) -> Result<(), DecodeError> {
        if let Some(value) = usable(T::decode(element))?
            && slot.is_none()
        {
            *slot = Some(value);
        }
        Ok(())
    }

    fn finish(slot: Self::Slot, _: &'static str) -> Result<Self, DecodeError> {
        Ok(slot)
    }
}

impl<T: Decode> Field for Vec<T> {
    type Slot = Vec<T>;

    fn read(slot: &mut Self::Slot, element: &mut Element<'_, '_>) -> Result<(), DecodeError> {
        if slot.len() == slot.capacity() {
            element.charge(slot.capacity().max(2) * 2 * size_of::<T>())?;
        }
        slot.extend(usable(T::decode(element))?);
        Ok(())
    }

    fn finish(slot: Self::Slot, _: &'static str) -> Result<Self, DecodeError> {
        Ok(slot)
    }
}

/// An attribute: `T` (required) or `Option<T>`.
pub trait AttributeField: Sized {
    /// Reads the attribute.
    ///
    /// # Errors
    /// When it is required and missing or unusable.
    fn read_attribute(value: Option<Cow<'_, str>>, name: &'static str)
    -> Result<Self, DecodeError>;
}

impl<T: FromText> AttributeField for Option<T> {
    fn read_attribute(value: Option<Cow<'_, str>>, _: &'static str) -> Result<Self, DecodeError> {
        Ok(value.and_then(|text| T::from_text(text.trim())))
    }
}

/// A value that is written as plain text.
pub trait FromText: Sized {
    /// Reads trimmed text; `None` when it makes no sense.
    fn from_text(text: &str) -> Option<Self>;

    /// Whether the value stands for nothing.
    fn is_empty(&self) -> bool {
        false
    }
}

fn usable<T: Decode>(result: Result<T, DecodeError>) -> Result<Option<T>, DecodeError> {
    match result {
        Ok(value) => Ok((!value.is_absent()).then_some(value)),
        Err(error) => ignored(error).map(|()| None),
    }
}

/// Passes over what is wrong with one value. One copy for all types.
#[cold]
fn ignored(error: DecodeError) -> Result<(), DecodeError> {
    if !error.is_local() {
        return Err(error);
    }
    tracing::debug!(%error, "ignoring a value the camera got wrong");
    Ok(())
}

/// Makes a [`FromText`] type usable as element and as attribute.
#[doc(hidden)]
#[macro_export]
macro_rules! __soap_text_value {
    ($($type:ty),* $(,)?) => { $(
        impl $crate::xml::Decode for $type {
            #[inline]
            fn decode(element: &mut $crate::xml::Element<'_, '_>) -> Result<Self, $crate::xml::DecodeError> {
                let text = element.text()?;
                <$type as $crate::xml::FromText>::from_text(&text)
                    .ok_or_else(|| $crate::xml::DecodeError::value(element.local_name(), &text))
            }

            #[inline]
            fn is_absent(&self) -> bool {
                $crate::xml::FromText::is_empty(self)
            }
        }

        $crate::__soap_required_field!($type);

        impl $crate::xml::AttributeField for $type {
            #[inline]
            fn read_attribute(
                value: Option<::std::borrow::Cow<'_, str>>,
                name: &'static str,
            ) -> Result<Self, $crate::xml::DecodeError> {
                let text = value.ok_or($crate::xml::DecodeError::Missing(name))?;
                <$type as $crate::xml::FromText>::from_text(text.trim())
                    .ok_or_else(|| $crate::xml::DecodeError::value(name, &text))
            }
        }
    )* };
}

/// Makes a [`Decode`] type usable as a required field.
#[doc(hidden)]
#[macro_export]
macro_rules! __soap_required_field {
    ($type:ty) => {
        impl $crate::xml::Field for $type {
            type Slot = Option<$type>;

            #[inline]
            fn read(
                slot: &mut Self::Slot,
                element: &mut $crate::xml::Element<'_, '_>,
            ) -> Result<(), $crate::xml::DecodeError> {
                let value = <$type as $crate::xml::Decode>::decode(element)?;
                if slot.is_none() {
                    *slot = Some(value);
                }
                Ok(())
            }

            #[inline]
            fn finish(
                slot: Self::Slot,
                name: &'static str,
            ) -> Result<Self, $crate::xml::DecodeError> {
                slot.ok_or($crate::xml::DecodeError::Missing(name))
            }
        }
    };
}

crate::__soap_text_value!(
    String,
    bool,
    i32,
    u32,
    i64,
    f32,
    f64,
    SystemTime,
    Duration,
    IsoDuration
);

impl FromText for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "1" => Some(true),
            "0" => Some(false),
            _ if text.eq_ignore_ascii_case("true") => Some(true),
            _ if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

macro_rules! integer {
    ($($type:ty),*) => { $(
        impl FromText for $type {
            /// Takes `25`, `+25` and, because some cameras write it, `25.0` and `25 fps`.
            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok().or_else(|| {
                    let number: f64 = without_unit(text)?.parse().ok()?;
                    (number.fract() == 0.0 && number >= <$type>::MIN as f64 && number <= <$type>::MAX as f64)
                        .then_some(number as $type)
                })
            }
        }
    )* };
}
integer!(i32, u32, i64);

macro_rules! decimal {
    ($($type:ty),*) => { $(
        impl FromText for $type {
            fn from_text(text: &str) -> Option<Self> {
                let number: $type = match text.parse() {
                    Ok(number) => number,
                    // A comma is what firmware with a European locale writes.
                    Err(_) => without_unit(text)?.replace(',', ".").parse().ok()?,
                };
                number.is_finite().then_some(number)
            }
        }
    )* };
}
decimal!(f32, f64);

/// The number of `25 fps`, `4096kbps` or `50%`. Digits after the unit make it something else: `1920x1080`.
fn without_unit(text: &str) -> Option<&str> {
    let is_unit = |c: char| c.is_alphabetic() || matches!(c, '%' | '°' | '/' | ' ');
    let number = text.trim_end_matches(is_unit);
    number
        .ends_with(|c: char| c.is_ascii_digit())
        .then_some(number)
}

impl FromText for SystemTime {
    fn from_text(text: &str) -> Option<Self> {
        date::parse_date_time(text)
    }
}

impl FromText for Duration {
    fn from_text(text: &str) -> Option<Self> {
        date::parse_duration(text)
    }
}

/// An `xs:duration`, written in seconds (`PT600S`): some cameras read `PT10M` as ten seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IsoDuration(pub Duration);

impl From<Duration> for IsoDuration {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromText for IsoDuration {
    fn from_text(text: &str) -> Option<Self> {
        date::parse_duration(text).map(Self)
    }
}

impl std::fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&date::format_duration(self.0))
    }
}

crate::__soap_write_text!(IsoDuration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_cameras_write_them() {
        assert_eq!(i32::from_text("+25"), Some(25));
        assert_eq!(i32::from_text("25.0"), Some(25));
        assert_eq!(u32::from_text("-1"), None);
        assert_eq!(u32::from_text("99999999999"), None);
        assert_eq!(i32::from_text("25 fps"), Some(25));
        assert_eq!(u32::from_text("4096kbps"), Some(4096));
        assert_eq!(f32::from_text("-1.5°"), Some(-1.5));
        assert_eq!(f32::from_text("50%"), Some(50.0));
        for text in ["1920x1080", "fps", "0x10", "12-13", "", "%", "1 2"] {
            assert_eq!(i32::from_text(text), None, "{text}");
            assert_eq!(f32::from_text(text), None, "{text}");
        }
        assert_eq!(f32::from_text("0,5"), Some(0.5));
        assert_eq!(f32::from_text("NaN"), None);
        assert_eq!(f32::from_text("inf"), None);
        assert_eq!(bool::from_text("TRUE"), Some(true));
        assert_eq!(bool::from_text("yes"), None);
    }
}
