use std::sync::Arc;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{PrefixDeclaration, ResolveResult};
use quick_xml::reader::NsReader;

const MAX_DEPTH: usize = 32;
const MAX_ELEMENTS: usize = 4096;
const MAX_ATTRIBUTES: usize = 64;
const MAX_BINDINGS: usize = 64;

/// An element that was read. Names are split from their namespaces; text is unescaped and trimmed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Empty where the element is in no namespace.
    pub namespace: String,
    pub name: String,
    pub children: Vec<Node>,
    attributes: Vec<(String, String)>,
    text: String,
    bindings: Arc<Vec<(String, String)>>,
}

/// Why a document was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the document is not UTF-8")]
    NotUtf8,
    #[error("the document is not well-formed: {0}")]
    Malformed(String),
    #[error("the document has more than the allowed {0}")]
    TooLarge(&'static str),
}

/// Reads one document into a tree. A DTD, and with it any entity of its own, is refused.
pub(crate) fn read(document: &[u8]) -> Result<Node, ReadError> {
    let document = std::str::from_utf8(document).map_err(|_| ReadError::NotUtf8)?;
    let mut reader = NsReader::from_str(document);
    reader
        .resolver_mut()
        .set_max_namespace_bindings(MAX_BINDINGS);
    let mut open: Vec<Node> = Vec::new();
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(malformed)?;
        match event {
            Event::Start(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(ReadError::TooLarge("elements"));
                }
                if open.len() == MAX_DEPTH {
                    return Err(ReadError::TooLarge("depth"));
                }
                let node = node(&reader, &start, open.last())?;
                open.push(node);
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(ReadError::TooLarge("elements"));
                }
                let node = node(&reader, &start, open.last())?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => return Ok(node),
                }
            }
            Event::End(_) => {
                let Some(mut node) = open.pop() else {
                    return Err(ReadError::Malformed("an end without a start".into()));
                };
                node.text = node.text.trim().to_owned();
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => return Ok(node),
                }
            }
            Event::Text(text) => push(&mut open, &text.xml10_content()),
            Event::CData(text) => push(&mut open, &text.xml10_content()),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().map_err(malformed)? {
                Some(character) => push(&mut open, character.encode_utf8(&mut [0; 4])),
                None => match resolve_predefined_entity(&entity.into_inner()) {
                    Some(text) => push(&mut open, text),
                    None => return Err(ReadError::Malformed("an unknown entity".into())),
                },
            },
            Event::DocType(_) => return Err(ReadError::Malformed("a DTD is not allowed".into())),
            Event::Eof => return Err(ReadError::Malformed("it ends too early".into())),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

impl Node {
    /// The text, without white space at its ends.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The attribute with this local name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(local, _)| local == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first child with this local name.
    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children with this local name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child with this local name; `None` also where it is empty.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text();
        (!text.is_empty()).then_some(text)
    }

    pub(crate) fn is(&self, ns: super::Ns, name: &str) -> bool {
        self.namespace == ns.uri && self.name == name
    }

    /// The namespace a prefix stands for inside this element; the empty prefix is the default namespace.
    pub(crate) fn namespace_of(&self, prefix: &str) -> Option<&str> {
        let mut bindings = self.bindings.iter().rev();
        let found = bindings.find(|(bound, _)| bound == prefix);
        found.map(|(_, uri)| uri.as_str())
    }
}

fn node(
    reader: &NsReader<&[u8]>,
    start: &BytesStart<'_>,
    parent: Option<&Node>,
) -> Result<Node, ReadError> {
    let (namespace, name) = reader.resolver().resolve_element(start.name());
    let mut node = Node {
        namespace: match namespace {
            ResolveResult::Bound(namespace) => namespace.into_inner().to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(prefix) => {
                return Err(ReadError::Malformed(format!(
                    "the prefix {prefix} is not declared"
                )));
            }
        },
        name: name.into_inner().to_owned(),
        ..Node::default()
    };
    let mut declares = false;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(malformed)?;
        if attribute.key.as_namespace_binding().is_some() {
            declares = true;
            continue;
        }
        if node.attributes.len() == MAX_ATTRIBUTES {
            return Err(ReadError::TooLarge("attributes"));
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(malformed)?;
        let name = attribute.key.local_name().into_inner().to_owned();
        node.attributes.push((name, value.into_owned()));
    }
    node.bindings = match parent {
        Some(parent) if !declares => parent.bindings.clone(),
        _ => Arc::new(bindings(reader)),
    };
    Ok(node)
}

fn bindings(reader: &NsReader<&[u8]>) -> Vec<(String, String)> {
    reader
        .resolver()
        .bindings()
        .map(|(prefix, uri)| match prefix {
            PrefixDeclaration::Named(prefix) => (prefix.to_owned(), uri.into_inner().to_owned()),
            PrefixDeclaration::Default => (String::new(), uri.into_inner().to_owned()),
        })
        .collect()
}

fn push(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

fn malformed(error: impl std::fmt::Display) -> ReadError {
    ReadError::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_to_namespaces() {
        let root =
            read(b"<a:x xmlns:a='urn:1' q='v&amp;'><y xmlns='urn:2'> t&lt; </y></a:x>").unwrap();

        assert_eq!(
            (root.namespace.as_str(), root.name.as_str()),
            ("urn:1", "x")
        );
        assert_eq!(root.attribute("q"), Some("v&"));
        let child = root.child("y").unwrap();
        assert_eq!((child.namespace.as_str(), child.text()), ("urn:2", "t<"));
        assert_eq!(child.namespace_of("a"), Some("urn:1"));
    }

    #[test]
    fn too_deep_and_too_many_elements_are_refused() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        assert!(matches!(
            read(deep.as_bytes()),
            Err(ReadError::TooLarge("depth"))
        ));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert!(matches!(
            read(wide.as_bytes()),
            Err(ReadError::TooLarge("elements"))
        ));
    }

    #[test]
    fn entities_and_unfinished_documents_are_refused() {
        for document in [
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            "<a>&e;</a>",
            "<a><b></a>",
            "<a>",
            "",
            "<p:a/>",
        ] {
            assert!(
                matches!(read(document.as_bytes()), Err(ReadError::Malformed(_))),
                "{document}"
            );
        }
        assert!(matches!(read(b"<a>\xff</a>"), Err(ReadError::NotUtf8)));
    }
}
