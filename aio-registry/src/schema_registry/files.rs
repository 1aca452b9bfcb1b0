//! Schemas as files: `NAME/VERSION.json`. Everything here blocks.

use std::path::Path;

use ring::digest::{SHA256, digest};

use super::{Key, Schema, SchemaFormat, SchemaSpec};
use crate::Error;
use crate::file::folder::Folder;
use crate::model::OtherFields;

pub(super) struct SchemaFiles {
    folder: Folder,
    namespace: String,
}

/// Why a schema is not taken or given: `code` as the contract has it, and the property it is about.
#[derive(Debug)]
pub(super) struct Refusal {
    pub code: u16,
    pub target: Option<&'static str>,
    pub message: String,
}

impl Refusal {
    fn about(target: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: 400,
            target: Some(target),
            message: message.into(),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            code: 500,
            target: None,
            message: error.to_string(),
        }
    }
}

impl SchemaFiles {
    pub(super) fn open(folder: &Path, namespace: String) -> Result<Self, Error> {
        Ok(Self {
            folder: Folder::open(folder)?,
            namespace,
        })
    }

    /// Stores a schema under a name that follows from its content. What is there already stays as it is.
    pub(super) fn put(&self, spec: SchemaSpec, max_schemas: usize) -> Result<Schema, Refusal> {
        check(&spec)?;
        let hash = hex(digest(&SHA256, spec.schema_content.as_bytes()).as_ref());
        let of_format = match spec.format {
            SchemaFormat::Delta1 => "delta",
            _ => "json",
        };
        let name = format!("{of_format}-{hash}");
        let key = Key {
            name,
            version: spec.version.clone(),
        };
        match self.get(&key) {
            Ok(schema) => return Ok(schema),
            Err(refusal) if refusal.code != 404 => return Err(refusal),
            Err(_) => {}
        }
        if self.folder.folders().len() >= max_schemas {
            let message = format!("there are {max_schemas} schemas already");
            return Err(Refusal {
                code: 500,
                target: None,
                message,
            });
        }
        let schema = Schema {
            name: key.name.clone(),
            namespace: self.namespace.clone(),
            hash: Some(hash),
            spec,
            other: OtherFields::default(),
        };
        let text = serde_json::to_vec_pretty(&schema).map_err(|error| Error::Protocol {
            what: "the schema".into(),
            reason: error.to_string(),
        })?;
        self.folder.write(&path(&key), &text, false)?;
        Ok(schema)
    }

    pub(super) fn get(&self, key: &Key) -> Result<Schema, Refusal> {
        let label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if key.name.is_empty() || key.name.len() > 128 || !key.name.bytes().all(label) {
            return Err(Refusal::about(
                "Name",
                "a name is 1 to 128 letters, digits, - and _",
            ));
        }
        check_version(&key.version)?;
        let missing = || Refusal {
            code: 404,
            target: None,
            message: format!(
                "there is no schema {:?} of version {:?}",
                key.name, key.version
            ),
        };
        let text = self.folder.read(&path(key))?.ok_or_else(missing)?;
        let schema = serde_json::from_str(&text).map_err(|error| Error::Protocol {
            what: format!("the file {}", path(key)),
            reason: error.to_string(),
        })?;
        Ok(schema)
    }
}

fn path(key: &Key) -> String {
    format!("{}/{}.json", key.name, key.version)
}

fn check(spec: &SchemaSpec) -> Result<(), Refusal> {
    if let SchemaFormat::Other(format) = &spec.format {
        let message = format!("{format:?} is neither JsonSchema/draft-07 nor Delta/1.0");
        return Err(Refusal::about("Format", message));
    }
    if spec.schema_type != "MessageSchema" {
        let message = format!("{:?} is not MessageSchema", spec.schema_type);
        return Err(Refusal::about("SchemaType", message));
    }
    check_version(&spec.version)?;
    match serde_json::from_str::<serde_json::Value>(&spec.schema_content) {
        Ok(value) if value.is_object() || value.is_boolean() => Ok(()),
        Ok(_) => Err(Refusal::about("SchemaContent", "a schema is a JSON object")),
        Err(error) => Err(Refusal::about(
            "SchemaContent",
            format!("it is no JSON: {error}"),
        )),
    }
}

fn check_version(version: &str) -> Result<(), Refusal> {
    if (1..=9).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(Refusal::about("Version", "a version is 1 to 9 digits"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
