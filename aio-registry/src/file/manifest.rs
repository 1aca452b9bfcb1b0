//! Manifest text to devices and assets. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::folder::check_secret_name;
use super::text::{self, Format, documents, from_value};
use super::unknown;
use crate::model::{Asset, Device, check_asset_name, check_device_name, check_endpoint_name};
use crate::registry::secret_fields;
use crate::stamp::digest_of;

/// What stands before the version in `apiVersion`.
const GROUP: &str = "namespaces.deviceregistry.microsoft.com/";
/// The `apiVersion` that is written.
pub(super) const API_VERSION: &str = "namespaces.deviceregistry.microsoft.com/v1";

/// A manifest as it is written. The specification is a field of its own, as in Kubernetes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest<T> {
    pub api_version: String,
    pub kind: String,
    pub metadata: Metadata,
    pub spec: T,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Metadata {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Device,
    Asset,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Device => "Device",
            Self::Asset => "Asset",
        }
    }

    /// The name of its folder.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Asset => "asset",
        }
    }
}

/// Which device or asset a manifest is about.
pub(super) type Identity = (Kind, String);

#[derive(Clone, Debug)]
pub(super) enum Spec {
    Device(Arc<Device>),
    Asset(Arc<Asset>),
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct FileContent {
    pub specs: Vec<(Identity, Spec)>,
    /// Where each of them says so.
    pub lines: Vec<Lines>,
    /// A digest of each of them.
    pub digests: Vec<String>,
    /// The lines of the fields that name secrets, by device and field.
    pub secret_lines: BTreeMap<(String, String), usize>,
    pub problems: Vec<Problem>,
}

/// The lines of what can only be judged beside other manifests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    pub name: usize,
    /// Of an asset's reference: the device, and the endpoint.
    pub device: usize,
    pub endpoint: usize,
}

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Whom it is about, when that much can be read.
    pub identity: Option<Identity>,
    /// A word for programs.
    pub code: &'static str,
    /// Line, field and reason; the file is known to the caller.
    pub message: String,
}

pub(super) const UNREADABLE: &str = "ManifestUnreadable";
pub(super) const INVALID: &str = "ManifestInvalid";
/// Of a manifest that is served all the same.
pub(super) const UNKNOWN_FIELD: &str = "UnknownField";

/// Reads the documents of one file. One that is bad does not hurt the others.
pub(super) fn parse(text: &str, json: bool, namespace: &str) -> FileContent {
    let mut content = FileContent::default();
    let format = if json { Format::Json } else { Format::Yaml };
    let documents = if json {
        vec![(1, text)]
    } else {
        documents(text)
    };
    for (line, document) in documents {
        Reader {
            format,
            line,
            namespace,
            content: &mut content,
        }
        .read(document);
    }
    content
}

struct Reader<'a> {
    format: Format,
    line: usize,
    namespace: &'a str,
    content: &'a mut FileContent,
}

/// As much of a manifest as tells what the rest is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: HeadMetadata,
}

#[derive(Default, Deserialize)]
struct HeadMetadata {
    #[serde(default)]
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct SpecOnly<T> {
    spec: T,
}

#[derive(Deserialize)]
struct Items {
    items: Vec<serde_json::Value>,
}

impl Reader<'_> {
    fn read(&mut self, document: &str) {
        let head: Head = match text::read(self.format, document, self.line) {
            Ok(head) => head,
            Err(message) => return self.problem(None, UNREADABLE, message),
        };
        if head.kind != "List" {
            let Some(identity) = self.identity(document, head) else {
                return;
            };
            let spec = match identity.0 {
                Kind::Device => text::read(self.format, document, self.line)
                    .map(|found: SpecOnly<Device>| Spec::Device(Arc::new(found.spec))),
                Kind::Asset => text::read(self.format, document, self.line)
                    .map(|found: SpecOnly<Asset>| Spec::Asset(Arc::new(found.spec))),
            };
            return self.take(document, identity, spec);
        }
        let items = match text::read::<Items>(self.format, document, self.line) {
            Ok(list) => list.items,
            Err(message) => return self.problem(None, UNREADABLE, message),
        };
        for (index, item) in items.into_iter().enumerate() {
            let line = self.line;
            let at = |message| format!("line {line}: items[{index}].{message}");
            match from_value::<Head>(item.clone()).map_err(at) {
                Err(message) => self.problem(None, UNREADABLE, message),
                Ok(head) => {
                    // Where in the list it stands is not known any more.
                    let Some(identity) = self.identity("", head) else {
                        continue;
                    };
                    let spec = match identity.0 {
                        Kind::Device => from_value(item)
                            .map(|found: SpecOnly<Device>| Spec::Device(Arc::new(found.spec))),
                        Kind::Asset => from_value(item)
                            .map(|found: SpecOnly<Asset>| Spec::Asset(Arc::new(found.spec))),
                    };
                    self.take("", identity, spec.map_err(at));
                }
            }
        }
    }

    /// Whom a manifest is about; a problem when that is not clear.
    fn identity(&mut self, document: &str, head: Head) -> Option<Identity> {
        let first_line = self.line;
        let at = |field: &str| {
            let line = text::line_of(document, first_line, field);
            format!("line {line}: {field}")
        };
        let kind = match head.kind.as_str() {
            _ if !head.api_version.starts_with(GROUP) => {
                let message = format!(
                    "{}: {:?} is not {API_VERSION}",
                    at("apiVersion"),
                    head.api_version
                );
                self.problem(None, INVALID, message);
                return None;
            }
            "Device" => Kind::Device,
            "Asset" => Kind::Asset,
            other => {
                self.problem(
                    None,
                    INVALID,
                    format!("{}: {other:?} is neither Device nor Asset", at("kind")),
                );
                return None;
            }
        };
        let name = head.metadata.name;
        let checked = match kind {
            Kind::Device => check_device_name(&name),
            Kind::Asset => check_asset_name(&name),
        };
        if let Err(error) = checked {
            let message = format!("{}: {error}", at("metadata.name"));
            self.problem(None, INVALID, message);
            return None;
        }
        let identity = (kind, name);
        match head.metadata.namespace {
            Some(other) if other != self.namespace => {
                let message = format!(
                    "{}: {other:?} is not the namespace {:?} served here",
                    at("metadata.namespace"),
                    self.namespace
                );
                self.problem(Some(identity), INVALID, message);
                None
            }
            _ => Some(identity),
        }
    }

    fn take(&mut self, document: &str, identity: Identity, spec: Result<Spec, String>) {
        let spec = match spec {
            Ok(spec) => spec,
            Err(message) => return self.problem(Some(identity), INVALID, message),
        };
        if let Spec::Device(device) = &spec
            && let Err(message) = self.check_names(document, device)
        {
            return self.problem(Some(identity), INVALID, message);
        }
        let unknown = match &spec {
            Spec::Device(device) => unknown::of_device(device),
            Spec::Asset(asset) => unknown::of_asset(asset),
        };
        let first_line = self.line;
        let line_of = |path: &str| text::line_of(document, first_line, path);
        for path in unknown {
            let path = format!("spec.{path}");
            let line = line_of(&path);
            let message = format!("line {line}: {path}: no such field is known; it has no effect");
            self.problem(Some(identity.clone()), UNKNOWN_FIELD, message);
        }
        if let Spec::Device(device) = &spec {
            for (field, _) in secret_fields(device) {
                let line = line_of(&field);
                let key = (identity.1.clone(), field);
                self.content.secret_lines.insert(key, line);
            }
        }
        self.content.digests.push(match &spec {
            Spec::Device(device) => digest_of(&**device),
            Spec::Asset(asset) => digest_of(&**asset),
        });
        self.content.specs.push((identity, spec));
        self.content.lines.push(Lines {
            name: line_of("metadata.name"),
            device: line_of("spec.deviceRef.deviceName"),
            endpoint: line_of("spec.deviceRef.endpointName"),
        });
    }

    fn check_names(&self, document: &str, device: &Device) -> Result<(), String> {
        let at = |field: &str, error| {
            let line = text::line_of(document, self.line, field);
            format!("line {line}: {field}: {error}")
        };
        let endpoints = device.endpoints.iter();
        for name in endpoints.flat_map(|endpoints| endpoints.inbound.keys()) {
            let field = format!("spec.endpoints.inbound.{name}");
            check_endpoint_name(name).map_err(|error| at(&field, error))?;
        }
        for (field, secret) in secret_fields(device) {
            check_secret_name(secret).map_err(|error| at(&field, error))?;
        }
        Ok(())
    }

    fn problem(&mut self, identity: Option<Identity>, code: &'static str, message: String) {
        self.content.problems.push(Problem {
            identity,
            code,
            message,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACE: &str = "azure-iot-operations";

    fn problem(text: &str) -> Problem {
        let content = parse(text, false, NAMESPACE);
        assert_eq!(content.problems.len(), 1, "{content:?}");
        content.problems[0].clone()
    }

    fn device(body: &str) -> String {
        format!(
            "apiVersion: {API_VERSION}\nkind: Device\nmetadata: {{name: cam1, namespace: {NAMESPACE}}}\nspec:\n{body}\n"
        )
    }

    #[test]
    fn names_line_field_and_reason_of_a_bad_manifest() {
        let table = [
            (device("  enabled: perhaps"), "line 5: spec.enabled: "),
            (
                device("  endpoints: {inbound: {onvif: {endpointType: Microsoft.Onvif}}}"),
                "line 5: spec.endpoints.inbound.onvif",
            ),
            (device("  version: -1"), "line 5: spec.version: "),
            (
                device("  lastTransitionTime: yesterday"),
                "line 5: spec.lastTransitionTime: ",
            ),
            (
                device("  endpoints: {inbound: {../x: {address: a, endpointType: t}}}"),
                "line 5: spec.endpoints.inbound.../x: endpoint name",
            ),
        ];
        for (text, expected) in table {
            let problem = problem(&text);
            assert!(
                problem.message.contains(expected),
                "{} does not contain {expected}",
                problem.message
            );
            assert_eq!(problem.identity, Some((Kind::Device, "cam1".into())));
        }
    }

    #[test]
    fn says_what_is_wrong_when_it_is_not_clear_whom_it_is_about() {
        let head = format!("apiVersion: {API_VERSION}\n");
        let table = [
            (format!("{head}kind: Device\nspec: {{}}\n"), "metadata.name"),
            (
                format!("{head}kind: Device\nmetadata: {{name: ../../etc}}\nspec: {{}}\n"),
                "metadata.name",
            ),
            (
                format!("{head}kind: Asset\nmetadata: {{name: UPPER}}\nspec: {{}}\n"),
                "metadata.name",
            ),
            (
                format!("{head}kind: Secret\nmetadata: {{name: abc}}\n"),
                "kind",
            ),
            ("kind: Device\nmetadata: {name: abc}\n".into(), "apiVersion"),
            ("a: [1, 2".into(), "line 1"),
            ("- just\n- a list\n".into(), "line 1"),
        ];
        for (text, expected) in table {
            let problem = problem(&text);
            assert_eq!(problem.identity, None, "{text}");
            assert!(
                problem.message.contains(expected),
                "{} does not contain {expected}",
                problem.message
            );
        }
    }

    #[test]
    fn reads_the_good_documents_beside_a_bad_one() {
        let text = format!(
            "{}---\na: [\n---\n{}",
            device("  enabled: true"),
            device("  enabled: no way")
        );
        let content = parse(&text, false, NAMESPACE);
        assert_eq!(content.specs.len(), 1);
        assert_eq!(content.problems.len(), 2);
        assert!(
            content.problems[1]
                .message
                .starts_with("line 13: spec.enabled"),
            "{}",
            content.problems[1].message
        );
    }

    #[test]
    fn keeps_fields_it_does_not_know() {
        let text = device("  enabled: true\n  futureField: {a: [1, 2]}\n  version: 7");
        let content = parse(&text, false, NAMESPACE);
        let Spec::Device(device) = &content.specs[0].1 else {
            panic!("a device")
        };
        assert_eq!(device.version, Some(7));
        assert_eq!(device.other.names().collect::<Vec<_>>(), ["futureField"]);
        let json = serde_json::to_value(device.as_ref()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"enabled": true, "futureField": {"a": [1, 2]}, "version": 7})
        );
    }

    #[test]
    fn refuses_another_namespace() {
        let text = device("  enabled: true").replace(NAMESPACE, "elsewhere");
        assert!(problem(&text).message.contains("metadata.namespace"));
    }

    #[test]
    fn reads_a_kubernetes_list_and_json() {
        let item = serde_json::json!({"apiVersion": API_VERSION, "kind": "Device", "metadata": {"name": "cam1"}, "spec": {}});
        let bad = serde_json::json!({"apiVersion": API_VERSION, "kind": "Device", "metadata": {"name": "cam2"}, "spec": {"enabled": 3}});
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [item, bad]});
        let content = parse(&list.to_string(), true, NAMESPACE);
        assert_eq!(content.specs.len(), 1);
        assert_eq!(
            content.problems[0].identity,
            Some((Kind::Device, "cam2".into()))
        );
        assert!(
            content.problems[0]
                .message
                .contains("items[1].spec.enabled"),
            "{}",
            content.problems[0].message
        );
    }

    #[test]
    fn survives_deep_nesting() {
        let content = parse(&format!("a: {}", "[".repeat(100_000)), false, NAMESPACE);
        assert_eq!(content.problems.len(), 1);
        let content = parse(&"[".repeat(100_000), true, NAMESPACE);
        assert_eq!(content.problems.len(), 1);
    }
}
