//! CloudEvents 1.0 in MQTT user properties.

use std::time::SystemTime;

use uuid::Uuid;

use crate::Properties;
use crate::model::time::{from_rfc3339, to_rfc3339};
use crate::model::{Asset, Device};

/// Attributes of a CloudEvents event. The content type is the message's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEvent {
    /// The device it comes from, as `ms-aio:UUID/ENDPOINT`.
    pub device_ref: Option<String>,
    /// The asset it belongs to, as `ms-aio:UUID`.
    pub asset_ref: Option<String>,
    /// Tells it from every other event of the source; a message that is sent again keeps it.
    pub id: String,
    /// Where it comes from, a URI or relative reference such as `ms-aio:cam1/tns1:RuleEngine/CellMotionDetector/Motion`.
    pub source: String,
    /// The version of CloudEvents; `1.0`.
    pub spec_version: String,
    /// What kind it is, such as `Event`.
    pub event_type: String,
    /// What it is about, such as `cam-asset/rules/motion`. `None` is sent as the topic.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<SystemTime>,
    /// The schema of the payload, a URI such as `aio-sr://namespace/name:1`.
    pub data_schema: Option<String>,
}

/// Which kind of element data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementKind {
    /// A dataset.
    Dataset,
    /// An event.
    Event,
    /// A stream.
    Stream,
}

/// Where a connector's data comes from, for [`CloudEvent::for_connector`].
#[derive(Clone, Copy, Debug)]
pub struct CloudEventSource<'a> {
    /// The device's name.
    pub device_name: &'a str,
    /// The device.
    pub device: &'a Device,
    /// The endpoint's name.
    pub endpoint_name: &'a str,
    /// The asset's name.
    pub asset_name: &'a str,
    /// The asset.
    pub asset: &'a Asset,
    /// The kind of element.
    pub kind: ElementKind,
    /// Dataset or stream name, or `group/event`.
    pub element: &'a str,
    /// The element's data source.
    pub data_source: Option<&'a str>,
    /// The element's type.
    pub type_ref: Option<&'a str>,
}

impl CloudEvent {
    /// An event of that source, now, with a random id and the type `ms.aio.telemetry`.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            device_ref: None,
            asset_ref: None,
            id: Uuid::new_v4().to_string(),
            source: source.into(),
            spec_version: SPEC_VERSION.to_owned(),
            event_type: "ms.aio.telemetry".into(),
            subject: None,
            time: Some(SystemTime::now()),
            data_schema: None,
        }
    }

    /// The attributes of data from a connector, with a random id.
    ///
    /// The external name of the device or asset is used where it says more than the registry's uuid.
    pub fn for_connector(source: &CloudEventSource<'_>, time: SystemTime) -> Self {
        let (device, asset) = (source.device, source.asset);
        let external = |name: &Option<String>, uuid: &Option<String>| {
            name.clone().filter(|name| uuid.as_ref() != Some(name))
        };
        let device_name = external(&device.external_device_id, &device.uuid)
            .unwrap_or_else(|| source.device_name.to_owned());
        let asset_name = external(&asset.external_asset_id, &asset.uuid)
            .unwrap_or_else(|| source.asset_name.to_owned());
        let kind = match source.kind {
            ElementKind::Dataset => "DataSet",
            ElementKind::Event => "Event",
            ElementKind::Stream => "Stream",
        };
        let followed_by = |text: Option<&str>| {
            text.filter(|text| !text.is_empty())
                .map(|text| format!("/{text}"))
                .unwrap_or_default()
        };
        let data_source = source
            .data_source
            .map(|path| path.strip_prefix('/').unwrap_or(path));
        Self {
            device_ref: Some(match &device.uuid {
                Some(uuid) => format!("ms-aio:{uuid}/{}", source.endpoint_name),
                None => format!("ms-aio:{}", source.endpoint_name),
            }),
            asset_ref: asset.uuid.as_ref().map(|uuid| format!("ms-aio:{uuid}")),
            event_type: format!("{kind}{}", followed_by(source.type_ref)),
            subject: Some(format!("{asset_name}/{}", source.element)),
            time: Some(time),
            ..Self::new(escaped(&format!(
                "ms-aio:{device_name}{}",
                followed_by(data_source)
            )))
        }
    }

    /// Adds the attributes to the user properties of a message; an error, in words, when one is not of CloudEvents.
    pub(super) fn write(
        self,
        topic: &str,
        content_type: &str,
        user: &mut Vec<(String, String)>,
    ) -> Result<(), String> {
        let subject = self.subject.unwrap_or_else(|| topic.to_owned());
        check(&self.source, self.data_schema.as_deref(), content_type)?;
        for (name, value) in [
            ("id", &self.id),
            ("specversion", &self.spec_version),
            ("type", &self.event_type),
            ("subject", &subject),
        ] {
            if value.is_empty() {
                return Err(format!("{name} is empty"));
            }
        }
        let attributes = [
            ("aiodeviceref", self.device_ref),
            ("aioassetref", self.asset_ref),
            ("id", Some(self.id)),
            ("source", Some(self.source)),
            ("specversion", Some(self.spec_version)),
            ("type", Some(self.event_type)),
            ("subject", Some(subject)),
            ("time", self.time.and_then(to_rfc3339)),
            ("dataschema", self.data_schema),
        ];
        user.extend(
            attributes
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
        Ok(())
    }

    /// The attributes of a message that is a CloudEvents 1.0 event; `None` for any other.
    pub(super) fn read(properties: &Properties) -> Option<Self> {
        let text = |name| properties.user(name).map(str::to_owned);
        let given = |name| text(name).filter(|text| !text.is_empty());
        let spec_version = text("specversion").filter(|version| version == SPEC_VERSION)?;
        let (id, source, event_type) = (given("id")?, given("source")?, given("type")?);
        let (subject, data_schema) = (text("subject"), text("dataschema"));
        let content_type = properties.content_type.as_deref();
        check(
            &source,
            data_schema.as_deref(),
            content_type.unwrap_or("application/json"),
        )
        .ok()?;
        if subject.as_deref() == Some("") {
            return None;
        }
        let time = text("time").map(|time| {
            if is_rfc3339(&time) {
                from_rfc3339(&time)
            } else {
                Err(time)
            }
        });
        Some(Self {
            device_ref: text("aiodeviceref"),
            asset_ref: text("aioassetref"),
            id,
            source,
            spec_version,
            event_type,
            subject,
            time: time.transpose().ok()?,
            data_schema,
        })
    }
}

/// The names that attributes have as user properties.
pub(super) const ATTRIBUTES: [&str; 10] = [
    "aiodeviceref",
    "aioassetref",
    "id",
    "source",
    "specversion",
    "type",
    "subject",
    "time",
    "dataschema",
    "datacontenttype",
];

/// The version of CloudEvents that this crate speaks.
const SPEC_VERSION: &str = "1.0";

fn check(source: &str, data_schema: Option<&str>, content_type: &str) -> Result<(), String> {
    if source.is_empty() || reference(source).is_none() {
        return Err(format!("source {source:?} is no URI or relative reference"));
    }
    if let Some(schema) = data_schema
        && reference(schema) != Some(Reference::Absolute)
    {
        return Err(format!("dataschema {schema:?} is no absolute URI"));
    }
    if !is_media_type(content_type) {
        return Err(format!(
            "the content type {content_type:?} is no media type such as application/json"
        ));
    }
    Ok(())
}

/// Whether a text has the form of RFC 3339, 5.6; the parser takes shorter and longer ones.
fn is_rfc3339(text: &str) -> bool {
    let plain = |letter: char| match letter {
        '0'..='9' => '0',
        ' ' | 't' => 'T',
        'z' => 'Z',
        other => other,
    };
    let form: String = text.chars().map(plain).collect();
    let Some(rest) = form.strip_prefix("0000-00-00T00:00:00") else {
        return false;
    };
    let zone = match rest.strip_prefix(".0") {
        Some(digits) => digits.trim_start_matches('0'),
        None => rest,
    };
    ["Z", "+00:00", "-00:00"].contains(&zone)
}

#[derive(PartialEq)]
enum Reference {
    Absolute,
    Relative,
}

/// What kind of URI reference a text is (RFC 3986, 4.1), or `None` when it is none. Only characters and scheme are looked at.
fn reference(text: &str) -> Option<Reference> {
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let hex = |offset| bytes.get(index + offset).is_some_and(u8::is_ascii_hexdigit);
        if !is_uri_byte(*byte) || (*byte == b'%' && !(hex(1) && hex(2))) {
            return None;
        }
    }
    let end = text.find([':', '/', '?', '#']).unwrap_or(text.len());
    if !text[end..].starts_with(':') {
        return Some(Reference::Relative);
    }
    // What comes before the first colon is a scheme, as no first segment of a relative reference holds one.
    let scheme = &text[..end];
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(allowed);
    is_scheme.then_some(Reference::Absolute)
}

fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// The text with what no URI may hold as `%XX`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_uri_byte(byte) && byte != b'%' {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Whether a text is a type, a slash and a subtype, with or without parameters (RFC 2045, 5.1).
fn is_media_type(text: &str) -> bool {
    let is_token = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte);
        !text.is_empty() && text.bytes().all(allowed)
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_uris_relative_references_and_other_texts_apart() {
        for (text, expected) in [
            ("dtmi:test:MyModel:_contents:__test;1", Some(true)),
            ("aio-sr://namespace/name:1", Some(true)),
            ("ms-aio:cam1/tns1:RuleEngine/Motion", Some(true)),
            ("note/absence/of/scheme", Some(false)),
            ("a/b:c", Some(false)),
            ("?a:b", Some(false)),
            ("", Some(false)),
            ("::::", None),
            ("1a:b", None),
            ("a b", None),
            ("a:%4", None),
            ("a:%41", Some(true)),
            ("a:ü", None),
        ] {
            let found = reference(text).map(|found| found == Reference::Absolute);
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn takes_the_times_of_rfc_3339_only() {
        for good in [
            "1955-11-12T22:04:00Z",
            "1955-11-12t22:04:00z",
            "1955-11-12 22:04:00.123456789+01:00",
            "1955-11-12T22:04:00-00:00",
        ] {
            assert!(is_rfc3339(good) && from_rfc3339(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "1955-11-12",
            "1955-11-12T22:04Z",
            "1955-11-12T22:04:00",
            "1955-11-12T22:04:00.Z",
            "1955-11-12T22:04:00+01",
            "1955-11-12T22:04:00Z[UTC]",
            "11/12/1955 22:04:00 UTC",
        ] {
            assert!(!is_rfc3339(bad), "{bad:?}");
        }
    }

    #[test]
    fn tells_media_types_from_other_texts() {
        for good in [
            "application/json",
            "image/jpeg",
            "text/plain; charset=utf-8",
        ] {
            assert!(is_media_type(good), "{good:?}");
        }
        for bad in ["", "json", "non.conforming", "a/", "/b", "a/b/c", "a b/c"] {
            assert!(!is_media_type(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_device_of_any_name_is_a_source() {
        for name in ["cam 1", "Tür", "100%"] {
            let source = escaped(&format!("ms-aio:{name}/a b"));
            assert!(reference(&source) == Some(Reference::Absolute), "{source}");
        }
    }
}
