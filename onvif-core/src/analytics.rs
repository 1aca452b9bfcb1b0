//! Analytics: rules and modules that make events of what the camera sees.

mod client;
mod config;
mod content;
mod description;
pub(crate) mod element;
mod operations;

pub use client::AnalyticsClient;
pub use config::{Config, ElementItem, ItemList, SimpleItem};
pub use content::XmlContent;
pub use description::{
    ConfigDescription, ConfigOptions, ItemDescription, ItemListDescription, MessageDescription,
    MetadataInfo,
};
pub use element::{QName, XmlElement};
pub use operations::*;

use crate::{OperationInfo, operations};

/// Every operation of the service.
#[inline]
pub fn operations() -> &'static [OperationInfo] {
    const {
        operations! {
            GetServiceCapabilities
            GetSupportedRules GetRules GetRuleOptions CreateRules ModifyRules DeleteRules
            GetSupportedAnalyticsModules GetAnalyticsModules GetAnalyticsModuleOptions
            CreateAnalyticsModules ModifyAnalyticsModules DeleteAnalyticsModules
            GetSupportedMetadata
        }
    }
}
