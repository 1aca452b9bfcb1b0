//! The schema registry of Azure IoT Operations (model version 2): where the schemas of messages are kept.
//!
//! [`SchemaRegistryClient`] puts and gets schemas; [`SchemaRegistryService`] answers it, and Microsoft's client, from a folder.

mod client;
mod files;
mod service;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::client::SchemaRegistryClient;
pub use self::service::{SchemaRegistryOptions, SchemaRegistryService};
use crate::model::{MessageSchemaReference, OtherFields, open_enum};

const PATTERN: &str = "adr/dtmi:ms:adr:SchemaRegistry;2/{commandName}";
const PUT: &str = "put";
const GET: &str = "get";

open_enum! {
    /// In which language a schema is written.
    SchemaFormat {
        /// JSON Schema, draft 7.
        JsonSchemaDraft07 = "JsonSchema/draft-07",
        /// Delta tables, version 1.
        Delta1 = "Delta/1.0",
    }
}

/// A schema to put.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaSpec {
    /// Its language.
    pub format: SchemaFormat,
    /// Of what it is the schema; `MessageSchema`.
    pub schema_type: String,
    /// The schema itself.
    pub schema_content: String,
    /// Its version, a number; `1`.
    pub version: String,
    /// A text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Free words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl SchemaSpec {
    /// The first version of a message's schema.
    pub fn message(format: SchemaFormat, content: impl Into<String>) -> Self {
        Self {
            format,
            schema_type: "MessageSchema".into(),
            schema_content: content.into(),
            version: "1".into(),
            description: None,
            display_name: None,
            tags: BTreeMap::new(),
        }
    }
}

/// A schema in the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// The name the registry gave it.
    pub name: String,
    /// The registry's own name.
    pub namespace: String,
    /// A digest of the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// What was put.
    #[serde(flatten)]
    pub spec: SchemaSpec,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl Schema {
    /// How statuses refer to it.
    pub fn reference(&self) -> MessageSchemaReference {
        MessageSchemaReference {
            schema_registry_namespace: self.namespace.clone(),
            schema_name: self.name.clone(),
            schema_version: self.spec.version.clone(),
            other: OtherFields::default(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Key {
    name: String,
    version: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    schema: Schema,
}
