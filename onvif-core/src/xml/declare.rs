/// Declares a type that is both written and read: `pub struct Name in "prefix" [attributes] { elements }`.
///
/// Every attribute and element is `field: Type = "SpecName"`. All elements have the namespace of
/// the conventional prefix. `Option` and `Vec` fields may be absent; others are required on reading.
///
/// ```
/// # #![allow(missing_docs)]
/// onvif_core::soap_type! {
///     /// A point.
///     pub struct Point in "tt" [x: Option<f32> = "x"] {
///         name: Option<String> = "Name",
///     }
/// }
/// let body = onvif_core::xml::to_body(&Point { x: Some(0.5), name: Some("a<b".into()) })?;
/// assert_eq!(body, r#"<tt:Point x="0.5"><tt:Name>a&lt;b</tt:Name></tt:Point>"#);
/// # Ok::<(), onvif_core::xml::EncodeError>(())
/// ```
#[macro_export]
macro_rules! soap_type {
    ($(#[$meta:meta])* pub struct $name:ident in $prefix:tt $([ $( $(#[$am:meta])* $a:ident : $at:ty = $an:tt ),* $(,)? ])? {
        $( $(#[$fm:meta])* $f:ident : $ft:ty = $fname:tt ),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($( $(#[$am])* pub $a: $at, )*)?
            $( $(#[$fm])* pub $f: $ft, )*
        }

        $crate::__soap_write!($name, concat!($prefix, ":", stringify!($name)), [$($( $a = $an ),*)?] {
            $( $f = concat!($prefix, ":", $fname) ),*
        });
        $crate::__soap_decode!($name in $prefix [$($( $a : $at = $an ),*)?] { $( $f : $ft = $fname ),* });
    };
}

/// Declares a type that is only read, with the syntax of [`soap_type!`](crate::soap_type).
#[macro_export]
macro_rules! soap_reply {
    ($(#[$meta:meta])* pub struct $name:ident in $prefix:tt $([ $( $(#[$am:meta])* $a:ident : $at:ty = $an:tt ),* $(,)? ])? {
        $( $(#[$fm:meta])* $f:ident : $ft:ty = $fname:tt ),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($( $(#[$am])* pub $a: $at, )*)?
            $( $(#[$fm])* pub $f: $ft, )*
        }

        $crate::__soap_decode!($name in $prefix [$($( $a : $at = $an ),*)?] { $( $f : $ft = $fname ),* });
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __soap_decode {
    ($name:ident in $prefix:tt [$( $a:ident : $at:ty = $an:tt ),*] { $( $f:ident : $ft:ty = $fname:tt ),* }) => {
        impl $crate::xml::Decode for $name {
            #[inline]
            #[allow(dead_code, unused_mut, unused_variables)]
            fn decode(element: &mut $crate::xml::Element<'_, '_>) -> Result<Self, $crate::xml::DecodeError> {
                $( let $a = <$at as $crate::xml::AttributeField>::read_attribute(element.attribute($an), $an)?; )*
                $( let mut $f = <$ft as $crate::xml::Field>::Slot::default(); )*
                const PLACE: Option<u8> = $crate::xml::namespace::place($prefix);
                while let Some(mut child) = element.child()? {
                    $( if child.is_in(PLACE, $fname) {
                        <$ft as $crate::xml::Field>::read(&mut $f, &mut child)?;
                        continue;
                    } )*
                    child.ignore();
                }
                Ok(Self {
                    $( $a, )*
                    $( $f: <$ft as $crate::xml::Field>::finish($f, $fname)?, )*
                })
            }
        }

        $crate::__soap_required_field!($name);
    };
}

/// Declares an open enumeration: what the specification does not list is kept in `Other`.
#[macro_export]
macro_rules! soap_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $( $(#[$vm:meta])* $variant:ident = $text:literal ),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$vm])* $variant, )*
            /// A value that the specification does not list, as the camera writes it.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[inline]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )*
                    Self::Other(text) => text,
                }
            }
        }

        impl ::std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::convert::From<&str> for $name {
            #[inline]
            fn from(text: &str) -> Self {
                match text {
                    $( _ if text.eq_ignore_ascii_case($text) => Self::$variant, )*
                    _ => Self::Other(text.to_owned()),
                }
            }
        }

        impl $crate::xml::FromText for $name {
            #[inline]
            fn from_text(text: &str) -> Option<Self> {
                (!text.is_empty()).then(|| Self::from(text))
            }
        }

        $crate::__soap_text_value!($name);
        $crate::__soap_write_text!($name);
    };
}

/// Declares a token: an opaque name that the camera gave, kept as it came.
#[macro_export]
macro_rules! soap_token {
    ($(#[$meta:meta])* pub struct $name:ident;) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The token as the camera writes it.
            #[inline]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::convert::From<&str> for $name {
            #[inline]
            fn from(token: &str) -> Self {
                Self(token.to_owned())
            }
        }

        impl ::std::convert::From<String> for $name {
            #[inline]
            fn from(token: String) -> Self {
                Self(token)
            }
        }

        impl AsRef<str> for $name {
            #[inline]
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::xml::FromText for $name {
            #[inline]
            fn from_text(text: &str) -> Option<Self> {
                Some(Self(text.to_owned()))
            }

            #[inline]
            fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        $crate::__soap_text_value!($name);
        $crate::__soap_write_text!($name);
    };
}

/// Writes a struct as an element: attributes and then children, each in order.
#[doc(hidden)]
#[macro_export]
macro_rules! __soap_write {
    ($name:ident, $own_name:expr, [$( $a:ident = $an:tt ),*] { $( $f:ident = $fname:expr ),* }) => {
        impl $crate::__yaserde::YaSerialize for $name {
            #[allow(unused_variables)]
            fn serialize<W: ::std::io::Write>(
                &self,
                writer: &mut $crate::__yaserde::ser::Serializer<W>,
            ) -> Result<(), $crate::__yaserde::Error> {
                let attributes = [$( ($an, $crate::xml::WriteAttribute::text(&self.$a)) ),*];
                $crate::xml::write_struct(writer, $own_name, &attributes, &mut |writer| {
                    $( $crate::xml::WriteField::write(&self.$f, writer, $fname)?; )*
                    Ok(())
                })
            }

            $crate::__soap_no_attributes!();
        }

        $crate::__soap_write_child!($name);
    };
}

/// Writes a type that writes itself as an element.
#[doc(hidden)]
#[macro_export]
macro_rules! __soap_write_child {
    ($name:ident) => {
        impl $crate::xml::WriteField for $name {
            fn write<W: ::std::io::Write>(
                &self,
                writer: &mut $crate::__yaserde::ser::Serializer<W>,
                name: &str,
            ) -> Result<(), $crate::__yaserde::Error> {
                $crate::xml::write_child(writer, name, self)
            }
        }
    };
}

/// What yaserde asks of a type that never gives its attributes to its parent.
#[doc(hidden)]
#[macro_export]
macro_rules! __soap_no_attributes {
    () => {
        fn serialize_attributes(
            &self,
            attributes: Vec<$crate::__yaserde::__xml::attribute::OwnedAttribute>,
            namespace: $crate::__yaserde::__xml::namespace::Namespace,
        ) -> Result<
            (
                Vec<$crate::__yaserde::__xml::attribute::OwnedAttribute>,
                $crate::__yaserde::__xml::namespace::Namespace,
            ),
            $crate::__yaserde::Error,
        > {
            Ok((attributes, namespace))
        }
    };
}

/// Writes a [`Display`](std::fmt::Display) type as text; or any other type with a function that gives its text.
#[doc(hidden)]
#[macro_export]
macro_rules! __soap_write_text {
    ($name:ident) => {
        $crate::__soap_write_text!($name, ::std::string::ToString::to_string);
    };
    ($name:ident, $text:expr) => {
        impl $crate::xml::WriteField for $name {
            fn write<W: ::std::io::Write>(
                &self,
                writer: &mut $crate::__yaserde::ser::Serializer<W>,
                name: &str,
            ) -> Result<(), $crate::__yaserde::Error> {
                $crate::xml::write_text(writer, name, ($text)(self).as_ref())
            }
        }

        impl $crate::xml::WriteAttribute for $name {
            #[inline]
            fn text(&self) -> Option<String> {
                let text: &str = &($text)(self);
                Some(text.to_owned())
            }
        }
    };
}
