use std::io::Write;

use yaserde::__xml::writer::XmlEvent;
use yaserde::YaSerialize;
use yaserde::ser::Serializer;

use crate::xml::{Decode, DecodeError, Element, namespace};

/// A qualified name: the name of a type or of an element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QName {
    /// The prefix; empty without one. Conventional prefixes, such as `tt`, stand for their namespace.
    pub prefix: String,
    /// The name without the prefix.
    pub local: String,
    /// The namespace; empty where it is not known.
    pub namespace: String,
}

impl QName {
    /// A name in the namespace of a [conventional prefix](crate::xml::namespace::PREFIXES).
    ///
    /// ```
    /// use onvif_core::analytics::QName;
    /// assert_eq!(QName::new("tt", "MotionRegionDetector").to_string(), "tt:MotionRegionDetector");
    /// ```
    pub fn new(prefix: &str, local: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            local: local.to_owned(),
            namespace: namespace::uri(prefix).to_owned(),
        }
    }

    /// A name of a namespace, under the conventional prefix if there is one.
    fn bound(prefix: &str, local: &str, uri: Option<&str>) -> Self {
        let conventional = namespace::PREFIXES
            .iter()
            .find(|(_, known)| Some(*known) == uri);
        Self {
            prefix: conventional.map_or(prefix, |(prefix, _)| prefix).to_owned(),
            local: local.to_owned(),
            namespace: uri.unwrap_or_default().to_owned(),
        }
    }

    /// Reads the name `text`, which stands in the content or an attribute of `element`.
    pub(crate) fn read(text: &str, element: &Element<'_, '_>) -> Self {
        match text.split_once(':') {
            Some((prefix, local)) => Self::bound(prefix, local, element.namespace_of(prefix)),
            None => Self::bound("", text, None),
        }
    }

    /// What has to be declared so that the name keeps its meaning.
    pub(crate) fn declaration(&self) -> Option<(&str, &str)> {
        let known = namespace::uri(&self.prefix) == self.namespace;
        (!self.namespace.is_empty() && !self.prefix.is_empty() && !known)
            .then_some((&self.prefix, &self.namespace))
    }
}

impl std::fmt::Display for QName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.prefix.is_empty() {
            write!(f, "{}:", self.prefix)?;
        }
        f.write_str(&self.local)
    }
}

crate::__soap_write_child!(QName);

/// As text, with a declaration where the prefix is not a conventional one.
impl YaSerialize for QName {
    fn serialize<W: Write>(&self, writer: &mut Serializer<W>) -> Result<(), yaserde::Error> {
        let text = self.to_string();
        write_open(writer, &[], self.declaration(), |writer| {
            Ok(writer.write(XmlEvent::characters(&text))?)
        })
    }

    crate::__soap_no_attributes!();
}

/// An element that this crate has no type for, kept whole: what was read can be written back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlElement {
    /// Its name.
    pub name: QName,
    /// Its attributes, by name as written, without declarations of namespaces.
    pub attributes: Vec<(String, String)>,
    /// Its text, trimmed; empty where it has none.
    pub text: String,
    /// Its children.
    pub children: Vec<XmlElement>,
    /// Prefixes that occur in values, with their namespaces.
    bindings: Vec<(String, String)>,
}

impl XmlElement {
    /// An element without content, in the namespace of a
    /// [conventional prefix](crate::xml::namespace::PREFIXES).
    pub fn new(prefix: &str, local: &str) -> Self {
        Self {
            name: QName::new(prefix, local),
            attributes: Vec::new(),
            text: String::new(),
            children: Vec::new(),
            bindings: Vec::new(),
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl ToString) -> Self {
        self.attributes.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Sets the text.
    #[must_use]
    pub fn text(mut self, text: impl ToString) -> Self {
        self.text = text.to_string();
        self
    }

    /// The first child with this local name.
    pub fn find(&self, local: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name.local == local)
    }

    fn write<W: Write>(&self, writer: &mut Serializer<W>) -> Result<(), yaserde::Error> {
        let name = self.name.to_string();
        let mut start = XmlEvent::start_element(name.as_str());
        for (name, value) in &self.attributes {
            start = start.attr(name.as_str(), value);
        }
        let of_name = self.name.declaration();
        let of_values = self
            .bindings
            .iter()
            .map(|(p, uri)| (p.as_str(), uri.as_str()));
        for (prefix, uri) in of_name.into_iter().chain(of_values) {
            start = start.ns(prefix, uri);
        }
        writer.write(start)?;
        if !self.text.is_empty() {
            writer.write(XmlEvent::characters(&self.text))?;
        }
        for child in &self.children {
            child.write(writer)?;
        }
        Ok(writer.write(XmlEvent::end_element())?)
    }
}

/// The depth is that of the document, which the reader limits.
impl Decode for XmlElement {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let name = QName::bound(
            element.prefix().unwrap_or_default(),
            element.local_name(),
            element.namespace(),
        );
        element.charge(size_of::<Self>() + element.namespace().map_or(0, str::len))?;
        let mut bindings = Vec::new();
        let mut attributes = Vec::new();
        for (name, value) in element.attributes() {
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            bind(name, element, &mut bindings);
            bind(&value, element, &mut bindings);
            attributes.push((name.to_owned(), value.into_owned()));
        }
        let mut children = Vec::new();
        let text = element.content(|child| {
            children.push(Self::decode(child)?);
            Ok(())
        })?;
        bind(&text, element, &mut bindings);
        Ok(Self {
            name,
            attributes,
            text,
            children,
            bindings,
        })
    }
}

/// Remembers what the prefixes in a value stand for, unless everybody knows.
fn bind(value: &str, scope: &Element<'_, '_>, bindings: &mut Vec<(String, String)>) {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    for word in value.split(|c: char| !is_name(c) && c != ':') {
        let Some((prefix, _)) = word.split_once(':') else {
            continue;
        };
        let Some(uri) = scope.namespace_of(prefix) else {
            continue;
        };
        if namespace::uri(prefix) != uri && bindings.iter().all(|(known, _)| known != prefix) {
            bindings.push((prefix.to_owned(), uri.to_owned()));
        }
    }
}

/// Writes the open element around `elements`, with `attributes` and the declarations they need.
pub(crate) fn write_open<W: Write>(
    writer: &mut Serializer<W>,
    attributes: &[(&str, &str)],
    declaration: Option<(&str, &str)>,
    content: impl FnOnce(&mut Serializer<W>) -> Result<(), yaserde::Error>,
) -> Result<(), yaserde::Error> {
    let name = writer
        .get_start_event_name()
        .ok_or("an element without a name")?;
    let mut start = XmlEvent::start_element(name.as_str());
    for (name, value) in attributes {
        start = start.attr(*name, value);
    }
    if let Some((prefix, uri)) = declaration {
        start = start.ns(prefix, uri);
    }
    writer.write(start)?;
    content(writer)?;
    Ok(writer.write(XmlEvent::end_element())?)
}

/// Writes elements that carry their names themselves.
pub(crate) fn write_elements<W: Write>(
    writer: &mut Serializer<W>,
    elements: &[XmlElement],
) -> Result<(), yaserde::Error> {
    elements
        .iter()
        .try_for_each(|element| element.write(writer))
}
