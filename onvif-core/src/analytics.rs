//! Analytics: rules and modules that make events of what the camera sees.

mod config;
pub(crate) mod element;

pub use config::{Config, ElementItem, ItemList, SimpleItem};
pub use element::{QName, XmlElement};
