//! The nouns of the Azure Device Registry, as its RPCs and Kubernetes manifests spell them.
//!
//! Field names are camelCase on the wire; a field that is absent is `None` or empty, never a made-up default; a field
//! this crate does not know is kept in `other` and written back. Enums that the contract may extend have an
//! `Other(String)` variant.

mod asset;
mod device;
mod discovered;
mod health;
mod imported;
mod name;
mod status;
pub(crate) mod time;

pub use asset::{
    Action, ActionType, Asset, DataPoint, Dataset, Destination, DestinationConfiguration,
    DeviceRef, Event, EventGroup, ManagementGroup, Qos, Retain, Stream, Target,
};
pub use device::{
    Authentication, AuthenticationMethod, Device, DeviceEndpoints, InboundEndpoint,
    OutboundEndpoint, OutboundEndpoints, TrustSettings, UsernamePasswordCredentials,
    X509Credentials,
};
pub use discovered::{
    DiscoveredAction, DiscoveredAsset, DiscoveredDataPoint, DiscoveredDataset, DiscoveredDevice,
    DiscoveredEndpoints, DiscoveredEvent, DiscoveredEventGroup, DiscoveredInboundEndpoint,
    DiscoveredManagementGroup, DiscoveredStream,
};
pub use health::{Component, Health, HealthStatus, RuntimeHealth};
pub use name::{check_asset_name, check_device_name, check_endpoint_name};
pub use status::{
    ActionStatus, AssetStatus, ConfigError, ConfigStatus, DeviceStatus, DeviceStatusEndpoints,
    ElementStatus, EndpointStatus, ErrorDetail, EventGroupStatus, ManagementGroupStatus,
    MessageSchemaReference,
};

use serde::{Deserialize, Serialize};

/// Fields of a document that this crate does not know, kept so that a round trip loses nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OtherFields(serde_json::Map<String, serde_json::Value>);

impl OtherFields {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Declares an enum of strings that keeps a value it does not know.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// A value this version does not know, as it was written.
            Other(String),
        }

        impl $name {
            /// The value as it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(String::deserialize(deserializer)?.as_str()))
            }
        }
    };
}
pub(crate) use open_enum;
