use std::time::Duration;

use crate::soap::Fault;
use crate::xml::{Decode, DecodeError, EncodeError};

/// An ONVIF service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Service {
    /// Device management.
    Device,
    /// Media, first version.
    Media,
    /// Media, second version: H.265, Profile T.
    Media2,
    /// Pan, tilt and zoom.
    Ptz,
    /// Imaging: exposure, focus, white balance.
    Imaging,
    /// Events.
    Events,
    /// Analytics: rules and modules.
    Analytics,
    /// Device input and output.
    DeviceIo,
}

impl Service {
    /// All services this crate knows.
    pub const ALL: [Self; 8] = [
        Self::Device,
        Self::Media,
        Self::Media2,
        Self::Ptz,
        Self::Imaging,
        Self::Events,
        Self::Analytics,
        Self::DeviceIo,
    ];

    /// The namespace under which a device lists the service.
    pub fn namespace(self) -> &'static str {
        crate::xml::namespace::uri(match self {
            Self::Device => "tds",
            Self::Media => "trt",
            Self::Media2 => "tr2",
            Self::Ptz => "tptz",
            Self::Imaging => "timg",
            Self::Events => "tev",
            Self::Analytics => "tan",
            Self::DeviceIo => "tmd",
        })
    }

    /// The service of a namespace that a device reports.
    pub fn from_namespace(namespace: &str) -> Option<Self> {
        let namespace = namespace.trim().trim_end_matches('/');
        Self::ALL
            .into_iter()
            .find(|service| service.namespace().eq_ignore_ascii_case(namespace))
            // Devices built on older PTZ schemas still report the first version's namespace.
            .or((namespace == "http://www.onvif.org/ver10/ptz/wsdl").then_some(Self::Ptz))
    }

    /// The word used in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Media => "media",
            Self::Media2 => "media2",
            Self::Ptz => "ptz",
            Self::Imaging => "imaging",
            Self::Events => "events",
            Self::Analytics => "analytics",
            Self::DeviceIo => "deviceio",
        }
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The access class of an operation (ONVIF Core, "Access classes for service requests").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessClass {
    /// Works without authentication.
    PreAuth,
    /// Reads system configuration.
    ReadSystem,
    /// Reads confidential system configuration.
    ReadSystemSecret,
    /// Changes system configuration.
    WriteSystem,
    /// Cannot be undone.
    Unrecoverable,
    /// Reads media data and its configuration.
    ReadMedia,
    /// Changes what the device does.
    Actuate,
    /// The specification names none; devices ask for a user.
    Unspecified,
}

/// Whether an operation changes anything. Reads may be repeated after a lost connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// May change something; never repeated.
    Write,
}

/// A request to a camera. Declared with [`operation!`](crate::operation).
pub trait Operation {
    /// What comes back.
    type Response: Decode + Send;
    /// The service that has it.
    const SERVICE: Service;
    /// Its name in the specification.
    const NAME: &'static str;
    /// Its SOAP action.
    const ACTION: &'static str;
    /// Its access class.
    const ACCESS: AccessClass;
    /// Whether it changes anything.
    const EFFECT: Effect;

    /// The content of the SOAP body.
    ///
    /// # Errors
    /// When a value cannot be written as XML.
    fn body(&self) -> Result<String, EncodeError>;

    /// How long the camera may hold the request before it answers, as it does with a long poll.
    fn hold(&self) -> Duration {
        Duration::ZERO
    }
}

/// Declares an operation: request, reply, and everything needed to send it.
///
/// A name that the specification writes in capitals is given behind `as`:
/// `pub struct GetDns as "GetDNS" in "tds"`.
///
/// ```
/// # #![allow(missing_docs)]
/// use onvif_core::{Operation, operation};
///
/// operation! {
///     /// Asks for the name of the host.
///     pub struct GetHostname in "tds" {} -> ();
///     Device, "http://www.onvif.org/ver10/device/wsdl/GetHostname", PreAuth, Read
/// }
/// assert_eq!(GetHostname {}.body()?, "<tds:GetHostname />");
/// # Ok::<(), onvif_core::xml::EncodeError>(())
/// ```
#[macro_export]
macro_rules! operation {
    ($(#[$meta:meta])* pub struct $name:ident $(as $spec:tt)? in $prefix:tt {
        $( $(#[$fm:meta])* $f:ident : $ft:ty = $fname:tt ),* $(,)?
    } -> $response:ty; $service:ident, $action:literal, $access:ident, $effect:ident) => {
        $(#[$meta])*
        $(#[doc(alias = $spec)])?
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[$fm])* pub $f: $ft, )*
        }

        $crate::__soap_write!($name, concat!($prefix, ":", $crate::__operation_name!($name $($spec)?)), [] {
            $( $f = concat!($prefix, ":", $fname) ),*
        });

        impl $crate::Operation for $name {
            type Response = $response;
            const SERVICE: $crate::Service = $crate::Service::$service;
            const NAME: &'static str = $crate::__operation_name!($name $($spec)?);
            const ACTION: &'static str = $action;
            const ACCESS: $crate::AccessClass = $crate::AccessClass::$access;
            const EFFECT: $crate::Effect = $crate::Effect::$effect;

            #[inline]
            fn body(&self) -> Result<String, $crate::xml::EncodeError> {
                $crate::xml::to_body(self)
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __operation_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $spec:tt) => {
        $spec
    };
}

/// What an [`Operation`] is, as a value: for tables of them.
#[derive(Clone, Copy, Debug)]
pub struct OperationInfo {
    /// The service that has it.
    pub service: Service,
    /// Its name in the specification.
    pub name: &'static str,
    /// Its SOAP action.
    pub action: &'static str,
    /// Its access class.
    pub access: AccessClass,
    /// Whether it changes anything.
    pub effect: Effect,
    read: fn(&str) -> Result<Result<(), Fault>, DecodeError>,
}

impl OperationInfo {
    /// The facts of `O`.
    pub const fn of<O: Operation>() -> Self {
        Self {
            service: O::SERVICE,
            name: O::NAME,
            action: O::ACTION,
            access: O::ACCESS,
            effect: O::EFFECT,
            read: |envelope| Ok(crate::decode_response::<O>(envelope)?.map(drop)),
        }
    }

    /// Reads the answer to the operation from a whole envelope, for what may be wrong with it.
    ///
    /// # Errors
    /// Those of [`decode_response`](crate::decode_response).
    pub fn check(&self, envelope: &str) -> Result<Result<(), Fault>, DecodeError> {
        (self.read)(envelope)
    }
}

/// The table of some operations: a `&'static [OperationInfo]`.
///
/// Where the table is public, an `#[inline]` function gives it: for a constant, all that reads the answers would be
/// compiled with the crate that declares it, used or not.
///
/// ```
/// use onvif_core::device::{GetHostname, SetHostname};
/// use onvif_core::{OperationInfo, operations};
///
/// const TABLE: &[OperationInfo] = operations! { GetHostname SetHostname };
/// assert_eq!(TABLE[1].name, "SetHostname");
/// ```
#[macro_export]
macro_rules! operations {
    ($($operation:ty)*) => {
        &[$($crate::OperationInfo::of::<$operation>()),*]
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::operation! {
        /// Asks for something.
        pub struct GetXyz as "GetXYZ" in "tds" {} -> ();
        Device, "urn:GetXYZ", PreAuth, Read
    }

    #[test]
    fn a_name_of_the_specification_is_written_as_it_is_there() {
        assert_eq!(GetXyz::NAME, "GetXYZ");
        assert_eq!(GetXyz {}.body().unwrap(), "<tds:GetXYZ />");
    }
}
